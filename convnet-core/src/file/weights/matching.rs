//! What of a file fits: for transfer learning, where a network has another head than the file's.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
#[cfg(feature = "std")]
use std::path::Path;

use super::WeightsError;
use super::file::{self, Reader};
use crate::Parameters;

/// What of a file was taken over, and what was not. `Display` says it in a few lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    /// The tensors that have the file's values now.
    pub loaded: Vec<&'static str>,
    /// Tensors of the network that the file has not: as they were.
    pub missing: Vec<&'static str>,
    /// Tensors that have another shape in the file (the network's, the file's): as they were.
    pub reshaped: Vec<(&'static str, Vec<usize>, Vec<usize>)>,
    /// Tensors of the file that the network has not.
    pub extra: Vec<String>,
}

/// Takes over every tensor of a file that has the name and the shape of one of the network's, and leaves the
/// others as they are: `random` weights for a new head, say. If nothing fits, nothing changes; look at
/// [`Matching::loaded`].
///
/// ```
/// # use convnet_core as convnet;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/tiny.rs"));
/// # fn main() -> Result<(), convnet_core::weights::WeightsError> {
/// # let path = std::env::temp_dir().join(format!("convnet-matching-{}", std::process::id()));
/// # let (net, mut another): (Box<Tiny>, Box<Tiny>) = (bytemuck::zeroed_box(), bytemuck::zeroed_box());
/// use convnet::weights;
///
/// weights::save(&*net, &path)?;
/// let matching = weights::load_matching(&mut *another, &path)?;
/// println!("{matching}");
/// // The same network: everything fits.
/// assert!(!matching.loaded.is_empty() && matching.missing.is_empty() && matching.reshaped.is_empty());
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// A [`WeightsError`] if the file cannot be read, or if what fits is made of another type of scalar or
/// holds what is no number; the parameters are then as they were.
#[cfg(feature = "std")]
pub fn load_matching<P: Parameters>(
    parameters: &mut P,
    path: impl AsRef<Path>,
) -> Result<Matching, WeightsError> {
    from_bytes_matching(parameters, &super::read(path.as_ref())?)
}

/// As [`load_matching`](super::load_matching()), from the bytes of a file.
///
/// # Errors
///
/// Any [`WeightsError`] but `Io`; the parameters are then as they were.
pub fn from_bytes_matching<P: Parameters>(
    parameters: &mut P,
    bytes: &[u8],
) -> Result<Matching, WeightsError> {
    let reader = Reader::new(bytes)?;
    let (mut matching, mut views) = (Matching::default(), Vec::new());
    for (index, tensor) in P::TENSORS.iter().enumerate() {
        match reader.view::<P::Scalar>(tensor.name.to_owned(), |_| tensor.shape.to_vec()) {
            Ok(view) => {
                view.check::<P::Scalar>(tensor.role)?;
                matching.loaded.push(tensor.name);
                views.push((index, view));
            }
            Err(WeightsError::Missing { .. }) => matching.missing.push(tensor.name),
            Err(WeightsError::Shape {
                expected, found, ..
            }) => matching.reshaped.push((tensor.name, expected, found)),
            Err(error) => return Err(error),
        }
    }
    let ours = |name: &String| P::TENSORS.iter().any(|tensor| tensor.name == name);
    matching.extra = reader.names().filter(|name| !ours(name)).collect();
    for (index, view) in views {
        view.copy_to(parameters.tensor_mut(index));
    }
    Ok(matching)
}

/// Reads the parameters of a network that is a part of the file's, under the name `part`: of a file with
/// `stem.conv1.filters`, what belongs to `stem`. The other way, `load(&mut net.stem, path)` puts the file of
/// a part into a whole network.
///
/// # Errors
///
/// Any [`WeightsError`]; the parameters are then as they were.
#[cfg(feature = "std")]
pub fn load_part<P: Parameters>(
    parameters: &mut P,
    path: impl AsRef<Path>,
    part: &str,
) -> Result<(), WeightsError> {
    part_from_bytes(parameters, &super::read(path.as_ref())?, part)
}

/// As [`load_part`](super::load_part()), from the bytes of a file.
///
/// # Errors
///
/// Any [`WeightsError`] but `Io`; the parameters are then as they were.
pub fn part_from_bytes<P: Parameters>(
    parameters: &mut P,
    bytes: &[u8],
    part: &str,
) -> Result<(), WeightsError> {
    let reader = Reader::new(bytes)?;
    let views = reader.group::<P>(&format!("{part}."))?;
    file::check::<P>(&views)?;
    file::copy(&views, parameters);
    Ok(())
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors loaded", self.loaded.len())?;
        for name in &self.missing {
            write!(f, "\n`{name}` is not in the file, and as it was")?;
        }
        for (name, ours, theirs) in &self.reshaped {
            write!(
                f,
                "\n`{name}` is {ours:?}, in the file {theirs:?}, and as it was"
            )?;
        }
        for name in &self.extra {
            write!(f, "\n`{name}` of the file is not the network's")?;
        }
        Ok(())
    }
}
