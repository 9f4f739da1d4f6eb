//! Nodes that compute with constants only: shapes, and weights that are turned.

use super::attributes::Attributes;
use crate::array::{Array, Data, volume};
use convnet_onnx::proto::Node;

/// How many values the constants of a model may have that are not in its file: 1 GB of `f32`.
pub(super) const MOST: usize = if cfg!(fuzzing) { 1 << 22 } else { 1 << 28 };

/// What a node makes of constants, of at most so many values; `None` if it is not one of those that are
/// computed here.
pub(super) fn fold(
    node: &Node,
    inputs: &[Option<&Array>],
    most: usize,
) -> Option<Result<Array, String>> {
    let too_large = || format!("constants of more than {MOST} values are made out of others");
    if inputs.first().copied().flatten()?.len() > most {
        return Some(Err(too_large()));
    }
    let first = || -> Result<&Array, String> {
        let input = inputs.first().copied().flatten();
        input.ok_or_else(|| "its input is missing".to_owned())
    };
    let second = || -> Result<&Array, String> {
        let input = inputs.get(1).copied().flatten();
        input.ok_or_else(|| "its second input is missing".to_owned())
    };
    let axes = |known: &Attributes<'_>| -> Option<Vec<i64>> {
        known
            .ints("axes")
            .map(<[i64]>::to_vec)
            .or_else(|| Some(second().ok()?.as_ints()?.to_vec()))
    };
    let folded = || -> Result<Option<Array>, String> {
        Ok(Some(match node.op_type.as_str() {
            "Identity" | "Dropout" | "Cast" => first()?.clone(),
            "Reshape" => {
                let array = first()?;
                let to = second()?.as_ints().ok_or("its shape is not of integers")?;
                reshape(array, to)?
            }
            "Transpose" => {
                let known = Attributes::of(node, &["perm"])?;
                let array = first()?;
                let order: Option<Vec<usize>> = match known.ints("perm") {
                    Some(perm) => perm.iter().map(|&it| usize::try_from(it).ok()).collect(),
                    None => Some((0..array.dims.len()).rev().collect()),
                };
                let turned = order.and_then(|order| array.transposed(&order));
                turned.ok_or("its `perm` is no order of the axes")?
            }
            "Unsqueeze" => {
                let known = Attributes::of(node, &["axes"])?;
                let array = first()?;
                let axes = axes(&known).ok_or("its axes are missing")?;
                let rank = array.dims.len() + axes.len();
                let new = places(&axes, rank)?;
                let mut old = array.dims.iter().copied();
                let dims = (0..rank).map(|axis| match new.contains(&axis) {
                    true => 1,
                    false => old.next().unwrap_or(1),
                });
                array
                    .reshaped(dims.collect())
                    .ok_or("its axes do not fit its input")?
            }
            "Squeeze" => {
                let known = Attributes::of(node, &["axes"])?;
                let array = first()?;
                let gone = match axes(&known) {
                    Some(axes) => places(&axes, array.dims.len())?,
                    None => (0..array.dims.len())
                        .filter(|&axis| array.dims[axis] == 1)
                        .collect(),
                };
                let kept = (0..array.dims.len()).filter(|axis| !gone.contains(axis));
                array
                    .reshaped(kept.map(|axis| array.dims[axis]).collect())
                    .ok_or("it takes away an axis that is not 1")?
            }
            "Shape" => {
                let dims = first()?.dims.iter().map(|&size| size as i64);
                Array::ints(dims.collect())
            }
            "Gather" => {
                let known = Attributes::of(node, &["axis"])?;
                let (array, indices) = (first()?, second()?);
                let (Some(ints), Some(indices), 0) =
                    (array.as_ints(), indices.as_ints(), known.int("axis", 0))
                else {
                    return Ok(None);
                };
                let pick = |&index: &i64| {
                    let at = if index < 0 {
                        index + ints.len() as i64
                    } else {
                        index
                    };
                    usize::try_from(at)
                        .ok()
                        .and_then(|at| ints.get(at).copied())
                };
                let picked: Option<Vec<i64>> = indices.iter().map(pick).collect();
                Array::ints(picked.ok_or("an index is beyond its input")?)
            }
            "Slice" => {
                let known = Attributes::of(node, &["axes", "ends", "starts"])?;
                let array = first()?;
                let list = |name: &str, at: usize| {
                    let input = || inputs.get(at).copied().flatten()?.as_ints();
                    known.ints(name).or_else(input)
                };
                let along = [("axes", 3), ("steps", 4)].map(|(name, at)| list(name, at));
                // Of a list, some neighbours.
                let (
                    Some(ints),
                    &[len],
                    Some(&[start]),
                    Some(&[end]),
                    None | Some(&[0 | -1]),
                    None | Some(&[1]),
                ) = (
                    array.as_ints(),
                    array.dims.as_slice(),
                    list("starts", 1),
                    list("ends", 2),
                    along[0],
                    along[1],
                )
                else {
                    return Ok(None);
                };
                let place = |at: i64| {
                    let at = if at < 0 {
                        at.saturating_add(len as i64)
                    } else {
                        at
                    };
                    at.clamp(0, len as i64) as usize
                };
                Array::ints(
                    ints.get(place(start)..place(end))
                        .unwrap_or_default()
                        .to_vec(),
                )
            }
            "Concat" => {
                let mut all = Vec::new();
                for input in inputs {
                    let Some(ints) = input.and_then(Array::as_ints) else {
                        return Ok(None);
                    };
                    all.extend_from_slice(ints);
                }
                Array::ints(all)
            }
            "Add" | "Sub" | "Mul" | "Div" => {
                let (a, b) = (first()?, second()?);
                let (Some(x), Some(y)) = (a.as_ints(), b.as_ints()) else {
                    return Ok(None);
                };
                // Of one number, it is that with each.
                let more = match (x.len(), y.len()) {
                    (1, _) => b,
                    (many, other) if other == 1 || other == many => a,
                    _ => return Ok(None),
                };
                let pairs = x.iter().cycle().zip(y.iter().cycle()).take(more.len());
                let computed = pairs.map(|(&x, &y)| match node.op_type.as_str() {
                    "Add" => x.checked_add(y),
                    "Sub" => x.checked_sub(y),
                    "Mul" => x.checked_mul(y),
                    _ => x.checked_div(y),
                });
                let computed: Option<Vec<i64>> = computed.collect();
                Array {
                    dims: more.dims.clone(),
                    data: Data::Int(computed.ok_or("its numbers are too large")?),
                }
            }
            "ConstantOfShape" => {
                let known = Attributes::of(node, &["value"])?;
                let shape = first()?.as_ints().ok_or("its shape is not of integers")?;
                let dims: Option<Vec<usize>> =
                    shape.iter().map(|&it| usize::try_from(it).ok()).collect();
                let dims = dims.ok_or("a size is negative")?;
                let len = volume(&dims)
                    .filter(|&len| len <= most)
                    .ok_or_else(too_large)?;
                let value = match known.tensor("value") {
                    Some(value) => {
                        super::tensor::decode(value, None)
                            .map_err(|error| error.to_string())?
                            .data
                    }
                    None => Data::Float(vec![0.0]),
                };
                let data = match value {
                    Data::Float(value) => {
                        Data::Float(vec![value.first().copied().unwrap_or(0.0); len])
                    }
                    Data::Int(value) => Data::Int(vec![value.first().copied().unwrap_or(0); len]),
                };
                Array { dims, data }
            }
            _ => return Ok(None),
        }))
    };
    folded().transpose()
}

/// The same values in the axes that a `Reshape` says: 0 keeps an axis, −1 is what is left.
pub(super) fn reshape(array: &Array, to: &[i64]) -> Result<Array, String> {
    let dims = resolve(&array.dims, to)?;
    let shape = array.dims.clone();
    array
        .reshaped(dims)
        .ok_or_else(|| format!("{shape:?} is not as large as {to:?}"))
}

/// What the numbers of a `Reshape` say of axes `from`.
pub(super) fn resolve(from: &[usize], to: &[i64]) -> Result<Vec<usize>, String> {
    let len = volume(from).ok_or("its input is too large")?;
    let mut dims = Vec::new();
    let mut open = None;
    for (axis, &size) in to.iter().enumerate() {
        dims.push(match size {
            -1 if open.is_none() => {
                open = Some(axis);
                1
            }
            0 => *from
                .get(axis)
                .ok_or("a 0 stands for an axis that is not there")?,
            1.. => usize::try_from(size).map_err(|_| format!("{size} is too large"))?,
            _ => return Err(format!("{to:?} is no shape")),
        });
    }
    if let Some(axis) = open {
        match volume(&dims) {
            Some(rest) if rest > 0 && len.is_multiple_of(rest) => dims[axis] = len / rest,
            _ => return Err(format!("{from:?} cannot be {to:?}")),
        }
    }
    match volume(&dims) == Some(len) {
        true => Ok(dims),
        false => Err(format!("{from:?} is not as large as {to:?}")),
    }
}

/// Axes counted from the front.
pub(super) fn places(axes: &[i64], rank: usize) -> Result<Vec<usize>, String> {
    let place = |&axis: &i64| {
        let at = if axis < 0 { axis + rank as i64 } else { axis };
        usize::try_from(at)
            .ok()
            .filter(|&at| at < rank)
            .ok_or_else(|| format!("there is no axis {axis}"))
    };
    axes.iter().map(place).collect()
}
