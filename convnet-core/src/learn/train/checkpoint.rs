//! A training in a file, from which it goes on as if it had never stopped.
//!
//! ```text
//! safetensors: weights.conv1.filters …    the network
//!              slot0.conv1.filters …      what the optimizer keeps: momentum, second moments
//!              best.conv1.filters …       the best so far, for early stopping
//!              average.conv1.filters …   the average of the weights, if there is one
//!              metadata                   a checksum; State, as JSON
//! ```
//!
//! The checksum is a CRC-32 of the JSON and of all scalars. The rest of the file says nothing that is not
//! known: names, shapes and places, which are compared.
//!
//! **Invariant:** a checkpoint is checked whole before anything is taken from it, and what would not be
//! read again replaces none.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Crc;
use serde::{Deserialize, Serialize};

use super::History;
use super::batch::Totals;
use crate::Parameters;
use crate::file::weights::{self, Prefixed, Reader, WeightsError};

/// Why a checkpoint was not read or written.
#[derive(Debug)]
pub struct CheckpointError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong.
    pub defect: CheckpointDefect,
}

/// What is wrong with a checkpoint.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckpointDefect {
    /// The file or a tensor in it.
    Weights(WeightsError),
    /// No file can be written there: there is no such folder, it may not be written, or there is
    /// something that is no plain file.
    Place(io::Error),
    /// The file is none of a training.
    Foreign,
    /// Its bytes are not those that were written.
    Checksum {
        /// What was noted when they were.
        expected: String,
        /// What they have.
        found: String,
    },
    /// What it says of the training cannot be.
    State {
        /// What cannot be.
        reason: String,
    },
    /// It belongs to another training.
    Other {
        /// In what they differ: `optimizer`.
        what: String,
        /// What this training has.
        expected: String,
        /// What the checkpoint has.
        found: String,
    },
}

/// Where a training is. What follows from it (the step, the order of the images, every random
/// number) is not kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// What must be the same for the training to be the same.
    pub(super) identity: BTreeMap<String, String>,
    /// How many epochs were asked for: the schedule may depend on it.
    pub(super) epochs: usize,
    /// The epochs that are done.
    pub(super) history: History,
    /// How many batches of the next are done.
    pub(super) batch: usize,
    /// What they came to.
    pub(super) totals: Totals,
    /// How long they took.
    pub(super) seconds: f64,
}

/// Everything of a training that is made of tensors.
pub(super) struct Tensors<'a, P> {
    pub(super) net: &'a mut P,
    pub(super) slots: &'a mut [Box<P>],
    pub(super) best: Option<&'a mut P>,
    pub(super) average: Option<&'a mut P>,
}

const KEY: &str = "convnet.training";

/// Whether a checkpoint could be written.
pub(super) fn probe(path: &Path) -> Result<(), CheckpointError> {
    weights::probe(path).map_err(|error| CheckpointError {
        path: path.to_owned(),
        defect: CheckpointDefect::Place(error),
    })
}

/// Writes the file aside and renames it.
pub(super) fn save<P: Parameters>(
    path: &Path,
    state: &State,
    tensors: &Tensors<'_, P>,
) -> Result<(), CheckpointError> {
    let blame = |error| WeightsError::io(path, error).at(path);
    let json =
        serde_json::to_string(state).map_err(|error| blame(io::Error::other(error.to_string())))?;
    // JSON knows no infinity.
    if serde_json::from_str::<State>(&json).ok().as_ref() != Some(state) {
        let reason = "what would be written of the training could not be read again";
        return Err(blame(io::Error::other(reason)));
    }
    let names = slot_names(tensors.slots.len());
    let mut groups = vec![Prefixed {
        prefix: WEIGHTS,
        parameters: &*tensors.net,
    }];
    groups.extend(tensors.best.as_deref().map(|parameters| Prefixed {
        prefix: BEST,
        parameters,
    }));
    groups.extend(tensors.average.as_deref().map(|parameters| Prefixed {
        prefix: AVERAGE,
        parameters,
    }));
    let slots = names.iter().zip(&*tensors.slots);
    groups.extend(slots.map(|(prefix, slot)| Prefixed {
        prefix,
        parameters: &**slot,
    }));
    let mut checksum = Checksum::of(&json);
    let Ok(()) = weights::scalars(&groups, |part| {
        checksum.0.update(part);
        Ok::<_, Infallible>(())
    });
    let note = format!("{checksum} {json}");
    weights::replace(path, |out| {
        weights::write(&groups, Some((KEY, &note)), |part| out.write_all(part))
    })
    .map_err(blame)
}

/// Reads `path` into `tensors`; `None` if there is no such file. `identity` is what is expected of a
/// training to which so many epochs were asked for, and `check` sees the state first.
pub(super) fn load<P: Parameters>(
    path: &Path,
    identity: &dyn Fn(usize) -> BTreeMap<String, String>,
    check: &dyn Fn(&State) -> Result<(), String>,
    tensors: &mut Tensors<'_, P>,
) -> Result<Option<State>, CheckpointError> {
    let bytes = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| WeightsError::io(path, error).at(path))?,
    };
    let at = |error: WeightsError| error.at(path);
    let reader = Reader::new(&bytes).map_err(at)?;
    let state = state(path, &reader, identity, check)?;
    read(&reader, state.history.best.is_some(), tensors).map_err(at)?;
    Ok(Some(state))
}

/// What is noted in the checkpoint beside its tensors.
fn state(
    path: &Path,
    reader: &Reader<'_>,
    identity: &dyn Fn(usize) -> BTreeMap<String, String>,
    check: &dyn Fn(&State) -> Result<(), String>,
) -> Result<State, CheckpointError> {
    let blame = |defect| CheckpointError {
        path: path.to_owned(),
        defect,
    };
    let note = reader
        .note(KEY)
        .ok_or_else(|| blame(CheckpointDefect::Foreign))?;
    let (expected, json) = note.split_at_checked(8).unwrap_or_default();
    let Some(json) = json.strip_prefix(' ') else {
        let reason = "it has no checksum, as checkpoints had none before there was one";
        return Err(blame(CheckpointDefect::State {
            reason: reason.to_owned(),
        }));
    };
    let mut checksum = Checksum::of(json);
    checksum.0.update(reader.data());
    let found = checksum.to_string();
    if expected != found {
        let expected = expected.to_owned();
        return Err(blame(CheckpointDefect::Checksum { expected, found }));
    }
    let state: State = serde_json::from_str(json).map_err(|error| {
        blame(CheckpointDefect::State {
            reason: error.to_string(),
        })
    })?;
    same(&identity(state.epochs), &state.identity).map_err(blame)?;
    check(&state).map_err(|reason| blame(CheckpointDefect::State { reason }))?;
    Ok(state)
}

/// The tensors, once all are sound; of the best only if one was `kept`.
fn read<P: Parameters>(
    reader: &Reader<'_>,
    kept: bool,
    tensors: &mut Tensors<'_, P>,
) -> Result<(), WeightsError> {
    let best = tensors.best.as_deref_mut().filter(|_| kept);
    let average = tensors.average.as_deref_mut();
    let names = slot_names(tensors.slots.len());
    let slots = names
        .iter()
        .map(String::as_str)
        .zip(tensors.slots.iter_mut().map(|slot| &mut **slot));
    let groups = [(WEIGHTS, &mut *tensors.net)].into_iter();
    let groups: Vec<_> = groups
        .chain(best.map(|best| (BEST, best)))
        .chain(average.map(|average| (AVERAGE, average)))
        .chain(slots)
        .collect();
    let views = groups.iter().map(|(prefix, _)| reader.group::<P>(prefix));
    let views = views.collect::<Result<Vec<_>, _>>()?;
    reader.refuse_extra(views.iter().flatten(), |_| false)?;
    for ((prefix, _), views) in groups.iter().zip(&views) {
        // What an optimizer keeps of a variance is none.
        match *prefix {
            WEIGHTS | BEST | AVERAGE => weights::check::<P>(views)?,
            _ => weights::check_finite::<P::Scalar>(views)?,
        }
    }

    for ((_, to), from) in groups.into_iter().zip(&views) {
        weights::copy(from, to);
    }
    Ok(())
}

/// Of a checkpoint: eight hexadecimal digits.
struct Checksum(Crc);

impl Checksum {
    /// To which the scalars are to be added.
    fn of(json: &str) -> Self {
        let mut crc = Crc::new();
        crc.update(json.as_bytes());
        Self(crc)
    }
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0.sum())
    }
}

const WEIGHTS: &str = "weights.";
const BEST: &str = "best.";
const AVERAGE: &str = "average.";

fn slot_names(count: usize) -> Vec<String> {
    (0..count).map(|slot| format!("slot{slot}.")).collect()
}

/// The first difference is an error.
fn same(
    expected: &BTreeMap<String, String>,
    found: &BTreeMap<String, String>,
) -> Result<(), CheckpointDefect> {
    for what in expected.keys().chain(found.keys()) {
        let of = |map: &BTreeMap<_, _>| map.get(what).map_or("nothing", String::as_str).to_owned();
        let (expected, found) = (of(expected), of(found));
        if expected != found {
            return Err(CheckpointDefect::Other {
                what: what.clone(),
                expected,
                found,
            });
        }
    }
    Ok(())
}

impl WeightsError {
    fn at(self, path: &Path) -> CheckpointError {
        CheckpointError {
            path: path.to_owned(),
            defect: CheckpointDefect::Weights(self),
        }
    }
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "checkpoint {}: ", self.path.display())?;
        match &self.defect {
            // The path is said.
            CheckpointDefect::Weights(WeightsError::Io { source, .. }) => source.fmt(f),
            CheckpointDefect::Weights(error) => error.fmt(f),
            CheckpointDefect::Place(error) => write!(
                f,
                "it could not be written there: {error}\n\
                 give it the path of a plain file, in a folder that is there and may be written"
            ),
            CheckpointDefect::Checksum { expected, found } => write!(
                f,
                "it is damaged: its bytes have the checksum {found}, and had {expected} when they were \
                 written\ntake an older copy, or delete it to begin anew"
            ),
            CheckpointDefect::Foreign => f.write_str(
                "it is no checkpoint of a training\n\
                 weights without one are read by `weights::load`; give checkpoints another path",
            ),
            CheckpointDefect::State { reason } => write!(
                f,
                "what it says of the training cannot be: {reason}\n\
                 delete it to begin anew, or take an older copy"
            ),
            CheckpointDefect::Other {
                what,
                expected,
                found,
            } => write!(
                f,
                "it belongs to another training: {what} is {found} there and {expected} here\n\
                 set it as it was, or delete the file to begin anew"
            ),
        }
    }
}

impl Error for CheckpointError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.defect {
            CheckpointDefect::Weights(error) => Some(error),
            CheckpointDefect::Place(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
#[expect(
    unreachable_pub,
    unsafe_code,
    reason = "`parameters!` writes for other crates"
)]
mod tests {
    use super::*;

    crate::parameters! {
        struct Seen<T, const D: usize> {
            mean: Mean(f64::to_bits(0.1)) [D],
            variance: Variance(f64::to_bits(1e-5), f64::to_bits(0.1)) [D],
        }
    }

    #[test]
    fn a_variance_without_a_root_is_refused_and_a_slot_is_no_variance() {
        let name = std::format!("convnet-checkpoint-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let load_with = |weights, kept, best| {
            let mut net = Box::new(Seen::<f32, 1>::ZERO);
            let mut slots = [Box::new(Seen::<f32, 1>::ZERO)];
            let mut other = Box::new(Seen::<f32, 1>::ZERO);
            (net.variance, slots[0].variance, other.variance) = ([weights], [kept], [best]);
            let mut state = State::default();
            state.history.best = Some(0);
            let mut tensors = Tensors {
                net: &mut *net,
                slots: &mut slots,
                best: Some(&mut *other),
                average: None,
            };
            save(&path, &state, &tensors).unwrap();
            let same = |_| BTreeMap::new();
            load(&path, &same, &|_| Ok(()), &mut tensors)
        };
        assert!(load_with(-9.9999e-6, -1.0, 0.5).unwrap().is_some());
        for (weights, best, tensor) in [(-1e-5, 0.5, "weights."), (0.5, -2e-5, "best.")] {
            let error = load_with(weights, -1.0, best).unwrap_err();
            let CheckpointDefect::Weights(WeightsError::Variance { tensor: found, .. }) =
                error.defect
            else {
                panic!("{error}")
            };
            assert_eq!(found, format!("{tensor}variance"));
        }
        let error = load_with(0.5, f32::INFINITY, 0.5).unwrap_err();
        assert!(
            error.to_string().contains("`slot0.variance` holds inf"),
            "{error}"
        );
        fs::remove_file(path).unwrap();
    }
}
