//! Weight files of PyTorch, saved by `safetensors.torch.save_file(model.state_dict(), path)`.
//!
//! | PyTorch | shape | here | shape |
//! |---|---|---|---|
//! | `conv1.weight` of `nn.Conv2d` | `[K, D, H, W]` | `conv1.filters` | `[H, W, D, K]` |
//! | `fc1.weight` of `nn.Linear` | `[K, D·H·W]` | `fc1.filters` | `[H, W, D, K]` |
//! | `conv1.weight` of `nn.Conv2d`, groups = G | `[K, D/G, H, W]` | `conv1.filters` | `[H, W, D/G, K]` |
//! | `up1.weight` of `nn.ConvTranspose2d` | `[D, K, H, W]` | `up1.filters` | `[H, W, K, D]` |
//! | `conv1.bias` | `[K]` | `conv1.bias` | `[K]` |
//! | `bn1.weight`, `bn1.bias` of `nn.BatchNorm2d` | `[D]` | `bn1.gamma`, `bn1.beta` | `[D]` |
//! | `ln1.weight`, `ln1.bias` of `nn.LayerNorm([D, H, W])` | `[D, H, W]` | `ln1.gamma`, `ln1.beta` | `[H, W, D]` |
//! | `bn1.running_mean`, `bn1.running_var` | `[D]` | `bn1.mean`, `bn1.variance` | `[D]` |
//! | `bn1.num_batches_tracked` | `[]` | is not read | |
//!
//! `nn.Linear` behind `flatten` reads its volume depth slice by depth slice, so its weights are
//! `[K, D, H, W]` with the last three axes written as one: one permutation serves both.
//!
//! Axes of length 1 do not count, and `F64`, `F32`, `F16` and `BF16` become the scalar of the network.

#[cfg(feature = "std")]
use std::path::Path;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::file::{Reader, View};
use super::{Flattened, Mapping, WeightsError, pattern, proposal};
use crate::{Parameters, Real, Role, Tensor};

/// Where the tensors of a network came from, and what no file says. `Display` says it in lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// Each tensor that was read, and what it is called in the file.
    pub read: Vec<(&'static str, String)>,
    /// Those that the file has not, and that do nothing now: [`Mapping::absent`].
    pub absent: Vec<&'static str>,
    /// Tensors of the file that were passed over.
    pub ignored: Vec<String>,
    /// The variances of the network, each with the ε that its declaration adds. A file holds none: compare
    /// it with the model's, and with it strides, paddings and whatever else has no tensor.
    pub epsilons: Vec<(&'static str, f64)>,
}

/// Reads the parameters from a PyTorch file.
///
/// A [`Mapping`] says what is called otherwise there; in the simplest case it is a list of layers, ours first:
/// `&[("conv1", "features.0"), ("scores", "classifier")]`. What is not in it has the same name there.
/// `.filters` and `.gamma` are called `.weight`; a tensor of a layer of one's own may have its own name.
///
/// ```
/// # use convnet_core as convnet;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/tiny.rs"));
/// # fn main() -> Result<(), convnet_core::weights::WeightsError> {
/// # let mut net: Box<Tiny> = bytemuck::zeroed_box();
/// # let json = br#"{"0.weight":{"dtype":"F16","shape":[2,2,2,3],"data_offsets":[0,48]}}    "#;
/// # let bytes = [&(json.len() as u64).to_le_bytes()[..], json, &[0x3c; 48]].concat();
/// use convnet::weights::{self, Mapping};
///
/// // `conv1` is `nn.Conv2d(2, 2, (2, 3), bias=False)`, the first of an `nn.Sequential`, saved by halves.
/// let mapping = Mapping::new().name("conv1", "0").absent("conv1.bias");
/// let mapped = weights::from_pytorch(&mut *net, &bytes, &mapping)?;
/// assert_eq!(mapped.read, [("conv1.filters", "0.weight".to_string())]);
/// assert_eq!(net.bias, [0.0, 0.0]);
/// println!("{mapped}");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Any [`WeightsError`] but `Io`; the parameters are then as they were. [`WeightsError::Unmapped`] proposes
/// a mapping if names differ, and shapes tell what belongs together.
pub fn from_pytorch<P: Parameters>(
    parameters: &mut P,
    bytes: &[u8],
    mapping: impl Into<Mapping>,
) -> Result<Mapped, WeightsError> {
    let mapping = mapping.into();
    check_mapping::<P>(&mapping)?;
    let reader = Reader::new(bytes)?;
    let names = their_names(P::TENSORS, &mapping, &reader)?;
    let mut views = Vec::new();
    for (tensor, name) in P::TENSORS.iter().zip(names) {
        views.push(match name {
            Some(name) => Some(view::<P::Scalar>(&reader, name, tensor, &mapping)?),
            None => None,
        });
    }
    let read = views.iter().flatten();
    let unused = |name: &String| read.clone().all(|view| view.name != *name);
    let (ignored, extra): (Vec<_>, Vec<_>) = reader
        .names()
        .filter(unused)
        .partition(|name| mapping.ignores(name));
    if let Some(tensor) = extra.into_iter().next() {
        let expected = read.map(|view| view.name.clone()).collect();
        return Err(WeightsError::Unused { tensor, expected });
    }
    let mut mapped = Mapped {
        ignored,
        ..Mapped::default()
    };
    for (index, (view, tensor)) in views.iter().zip(P::TENSORS).enumerate() {
        let to = parameters.tensor_mut(index);
        match (view, neutral(tensor.role)) {
            (Some(view), _) => {
                let scalars = view.converted::<P::Scalar>().into_iter().flatten();
                for (from, scalar) in scalars.enumerate() {
                    to[our_place(tensor, from, &mapping)] = scalar;
                }
                mapped.read.push((tensor.name, view.name.clone()));
            }
            (None, value) => {
                to.fill(P::Scalar::of(value.unwrap_or_default()));
                mapped.absent.push(tensor.name);
            }
        }
        if let Role::Variance(epsilon, _) = tensor.role {
            mapped.epsilons.push((tensor.name, f64::from_bits(epsilon)));
        }
    }
    Ok(mapped)
}

/// As [`from_pytorch`], from a file.
///
/// # Errors
///
/// Any [`WeightsError`]; the parameters are then as they were.
#[cfg(feature = "std")]
pub fn load_pytorch<P: Parameters>(
    parameters: &mut P,
    path: impl AsRef<Path>,
    mapping: impl Into<Mapping>,
) -> Result<Mapped, WeightsError> {
    from_pytorch(parameters, &super::read(path.as_ref())?, mapping)
}

/// Every name of ours is one, and is mapped once.
fn check_mapping<P: Parameters>(mapping: &Mapping) -> Result<(), WeightsError> {
    for ours in mapping.ours() {
        let mut tensors = P::TENSORS.iter();
        if tensors.all(|tensor| pattern::fit(ours, tensor.name).is_none()) {
            let mut expected: Vec<_> = P::TENSORS.iter().map(|t| layer(t).to_owned()).collect();
            expected.dedup();
            return Err(WeightsError::UnknownLayer {
                layer: ours.to_owned(),
                expected,
            });
        }
    }
    let mut seen = BTreeSet::new();
    match mapping.names.iter().find(|(ours, _)| !seen.insert(ours)) {
        Some((name, _)) => Err(WeightsError::MappedTwice { name: name.clone() }),
        None => Ok(()),
    }
}

/// What each tensor is called in the file; `None` for what need not be there, and is not.
fn their_names(
    tensors: &[Tensor],
    mapping: &Mapping,
    reader: &Reader<'_>,
) -> Result<Vec<Option<String>>, WeightsError> {
    let mut names = Vec::new();
    let mut fills = BTreeMap::new();
    for tensor in tensors {
        let wanted = wanted(tensor, tensors, mapping);
        let name = wanted.iter().find(|name| reader.has(name));
        if name.is_none() && !(mapping.is_absent(tensor.name) && neutral(tensor.role).is_some()) {
            let theirs = wanted.into_iter().next().unwrap_or_default();
            return Err(proposal::unmapped(tensors, tensor, theirs, mapping, reader));
        }
        if let Some(name) = name
            && let Some(first) = fills.insert(name.clone(), tensor.name)
        {
            return Err(WeightsError::FilledTwice {
                tensor: name.clone(),
                ours: [first.to_owned(), tensor.name.to_owned()],
            });
        }
        names.push(name.cloned());
    }
    Ok(names)
}

/// What a tensor may be called in the file, the likelier first: by its role, or by its own name.
pub(super) fn wanted(tensor: &Tensor, tensors: &[Tensor], mapping: &Mapping) -> Vec<String> {
    let (mapped, rest) = mapping.theirs(tensor.name);
    let prefix = &mapping.prefix;
    if rest.is_empty() && layer(tensor) != tensor.name {
        return vec![format!("{prefix}{mapped}")];
    }
    let place = match rest.rsplit_once('.') {
        // A tensor without a layer is one.
        None if layer(tensor) == tensor.name => rest,
        None => "",
        Some((place, _)) => place,
    };
    let dot = if mapped.is_empty() || place.is_empty() {
        ""
    } else {
        "."
    };
    let layer_there = format!("{prefix}{mapped}{dot}{place}");
    let by_role = format!("{layer_there}.{}", role(tensor));
    let own = match tensor.name.rsplit_once('.') {
        Some((_, own)) => format!("{layer_there}.{own}"),
        None => layer_there,
    };
    let of_layer = tensors.iter().filter(|it| layer(it) == layer(tensor));
    match of_layer.filter(|it| role(it) == role(tensor)).count() {
        0 | 1 => vec![by_role, own],
        _ => vec![own, by_role],
    }
}

/// What PyTorch calls a tensor of such a role in its layers.
pub(super) fn role(tensor: &Tensor) -> &'static str {
    match tensor.role {
        Role::Filters | Role::Grouped(_) | Role::Weights | Role::Gain | Role::Slope => "weight",
        Role::Bias => "bias",
        Role::Mean(_) => "running_mean",
        Role::Variance(..) => "running_var",
    }
}

/// With which value such a tensor does nothing.
pub(super) fn neutral(role: Role) -> Option<f64> {
    match role {
        Role::Filters | Role::Grouped(_) | Role::Weights | Role::Slope => None,
        Role::Bias | Role::Mean(_) => Some(0.0),
        Role::Gain | Role::Variance(..) => Some(1.0),
    }
}

pub(super) fn layer(tensor: &Tensor) -> &'static str {
    let name = tensor.name;
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

/// A tensor of the file, its shape, type and values checked.
fn view<'a, T: Real>(
    reader: &Reader<'a>,
    name: String,
    tensor: &Tensor,
    mapping: &Mapping,
) -> Result<View<'a>, WeightsError> {
    let view = reader.any(name)?;
    let expected = their_shape(tensor, view.shape.len(), mapping);
    if !is_same(&view.shape, &expected) {
        return Err(WeightsError::Shape {
            tensor: view.name,
            expected,
            found: view.shape,
        });
    }
    let Some(scalars) = view.converted::<T>() else {
        return Err(WeightsError::Dtype {
            tensor: view.name.clone(),
            expected: T::TYPE.to_string().to_uppercase(),
            found: view.dtype.to_owned(),
        });
    };
    super::file::first_refused(&view.name, tensor.role, scalars)?;
    Ok(view)
}

/// `[K, D, H, W]`, or `[K, D·H·W]` if the file's tensor has two `axes`, or it is said how that is written.
pub(super) fn their_shape(tensor: &Tensor, axes: usize, mapping: &Mapping) -> Vec<usize> {
    match *tensor.shape {
        [h, w, d, k] if mapping.is_transposed(tensor.name) => vec![d * h * w, k],
        [h, w, d, k] if axes == 2 || mapping.order(tensor.name).is_some() => vec![k, d * h * w],
        [h, w, d, k] => vec![k, d, h, w],
        [h, w, d] if is_of_volume(tensor) => vec![d, h, w],
        _ => tensor.shape.to_vec(),
    }
}

/// Whether it has a factor or a summand for each number of a volume.
fn is_of_volume(tensor: &Tensor) -> bool {
    tensor.shape.len() == 3 && matches!(tensor.role, Role::Gain | Role::Bias)
}

/// Whether two shapes are the same but for axes of length 1.
pub(super) fn is_same(a: &[usize], b: &[usize]) -> bool {
    let [a, b] = [a, b].map(|axes| axes.iter().filter(|&&axis| axis != 1));
    a.eq(b)
}

/// Where the scalar goes that is `from`th in PyTorch's `[k][d][y][x]`, or as the mapping says: to
/// `[y][x][d][k]`.
fn our_place(tensor: &Tensor, from: usize, mapping: &Mapping) -> usize {
    let [h, w, depth, filters] = match *tensor.shape {
        [h, w, depth, filters] => [h, w, depth, filters],
        [h, w, depth] if is_of_volume(tensor) => [h, w, depth, 1],
        _ => return from,
    };
    let line = h * w * depth;
    let (k, at) = match mapping.is_transposed(tensor.name) {
        true => (from % filters, from / filters),
        false => (from / line, from % line),
    };
    let order = mapping
        .order(tensor.name)
        .unwrap_or(Flattened::DepthHeightWidth);
    let [y, x, d] = order.of(at, [h, w, depth]);
    ((y * w + x) * depth + d) * filters + k
}

impl fmt::Display for Mapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors read", self.read.len())?;
        for (ours, theirs) in &self.read {
            write!(f, "\n`{ours}` is `{theirs}`")?;
        }
        for name in &self.absent {
            write!(f, "\n`{name}` is not in the file, and does nothing")?;
        }
        for name in &self.ignored {
            write!(f, "\n`{name}` of the file was passed over")?;
        }
        for (name, epsilon) in &self.epsilons {
            write!(
                f,
                "\n`{name}` is taken with eps = {epsilon:e}, which the file does not hold"
            )?;
        }
        Ok(())
    }
}
