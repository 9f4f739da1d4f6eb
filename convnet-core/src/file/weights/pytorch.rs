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
//! | `bn1.running_mean`, `bn1.running_var` | `[D]` | `bn1.mean`, `bn1.variance` | `[D]` |
//! | `bn1.num_batches_tracked` | `[]` | is not read | |
//!
//! `nn.Linear` behind `flatten` reads its volume depth slice by depth slice, so its weights are
//! `[K, D, H, W]` with the last three axes written as one: one permutation serves both.

#[cfg(feature = "std")]
use std::path::Path;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::WeightsError;
use super::file::{Reader, check};
use crate::{Parameters, Role, Tensor};

/// Reads the parameters from a PyTorch file.
///
/// `names` maps layers: `&[("conv1", "features.0"), ("scores", "classifier")]`, ours first. A layer
/// that is not in the list has the same name there. `.filters` and `.gamma` are called `.weight`. A
/// tensor may be named too, before its layer: `("shift.delta", "bn1.bias")`.
///
/// # Errors
///
/// Any [`WeightsError`] but `Io`; the parameters are then as they were.
pub fn from_pytorch<P: Parameters>(
    parameters: &mut P,
    bytes: &[u8],
    names: &[(&str, &str)],
) -> Result<(), WeightsError> {
    check_names::<P>(names)?;
    let theirs = their_names::<P>(names)?;
    let reader = Reader::new(bytes)?;
    let view = |(name, tensor): (String, &Tensor)| {
        reader.view::<P::Scalar>(name, |axes| their_shape(tensor, axes))
    };
    let views = theirs
        .into_iter()
        .zip(P::TENSORS)
        .map(view)
        .collect::<Result<Vec<_>, _>>()?;
    reader.refuse_extra(views.iter(), |name| name.ends_with(".num_batches_tracked"))?;
    check::<P>(&views)?;
    for (index, (view, tensor)) in views.iter().zip(P::TENSORS).enumerate() {
        let to = parameters.tensor_mut(index);
        for (from, scalar) in view.scalars().enumerate() {
            to[our_place(tensor, from)] = scalar;
        }
    }
    Ok(())
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
    names: &[(&str, &str)],
) -> Result<(), WeightsError> {
    from_pytorch(parameters, &super::read(path.as_ref())?, names)
}

fn check_names<P: Parameters>(names: &[(&str, &str)]) -> Result<(), WeightsError> {
    let mut layers: Vec<String> = P::TENSORS.iter().map(|t| layer(t).to_owned()).collect();
    layers.dedup();
    let mut seen = BTreeSet::new();
    for &(ours, _) in names {
        let is_tensor = P::TENSORS.iter().any(|tensor| tensor.name == ours);
        if !is_tensor && layers.iter().all(|layer| layer != ours) {
            return Err(WeightsError::UnknownLayer {
                layer: ours.to_owned(),
                expected: layers,
            });
        }
        if !seen.insert(ours) {
            let name = ours.to_owned();
            return Err(WeightsError::MappedTwice { name });
        }
    }
    Ok(())
}

/// What each tensor is called in the file.
fn their_names<P: Parameters>(names: &[(&str, &str)]) -> Result<Vec<String>, WeightsError> {
    let mut fills = BTreeMap::new();
    for tensor in P::TENSORS {
        let theirs = their_name(tensor, names);
        if let Some(first) = fills.insert(theirs.clone(), tensor.name) {
            return Err(WeightsError::FilledTwice {
                tensor: theirs,
                ours: [first.to_owned(), tensor.name.to_owned()],
            });
        }
    }
    Ok(P::TENSORS.iter().map(|t| their_name(t, names)).collect())
}

fn layer(tensor: &Tensor) -> &'static str {
    tensor
        .name
        .rsplit_once('.')
        .map_or(tensor.name, |(layer, _)| layer)
}

fn their_name(tensor: &Tensor, names: &[(&str, &str)]) -> String {
    let mapped = |ours| names.iter().find(|(name, _)| *name == ours);
    let ours = layer(tensor);
    // A tensor without a layer is mapped as one.
    if let Some((_, theirs)) = mapped(tensor.name).filter(|_| ours != tensor.name) {
        return (*theirs).to_owned();
    }
    let theirs = mapped(ours).map_or(ours, |(_, theirs)| theirs);
    match tensor.role {
        Role::Filters | Role::Grouped(_) | Role::Weights | Role::Gain => {
            format!("{theirs}.weight")
        }
        Role::Bias => format!("{theirs}.bias"),
        Role::Mean => format!("{theirs}.running_mean"),
        Role::Variance(_) => format!("{theirs}.running_var"),
    }
}

/// `[K, D, H, W]`, or `[K, D·H·W]` if the file's tensor has two `axes`.
fn their_shape(tensor: &Tensor, axes: usize) -> Vec<usize> {
    match *tensor.shape {
        [h, w, d, k] if axes == 2 => vec![k, d * h * w],
        [h, w, d, k] => vec![k, d, h, w],
        _ => tensor.shape.to_vec(),
    }
}

/// Where the scalar goes that is `from`th in PyTorch's `[k][d][y][x]`: to `[y][x][d][k]`.
fn our_place(tensor: &Tensor, from: usize) -> usize {
    let [h, w, depth, filters] = *tensor.shape else {
        return from;
    };
    let (x, y, d, k) = (
        from % w,
        from / w % h,
        from / (w * h) % depth,
        from / (w * h * depth),
    );
    ((y * w + x) * depth + d) * filters + k
}
