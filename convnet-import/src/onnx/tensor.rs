//! Tensors of an ONNX file, in whatever form they are stored.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};

use half::{bf16, f16};

use crate::ImportError;
use crate::array::{Array, Data, volume};
use convnet_onnx::proto::Tensor;

/// The values; those in a file beside the model's, in `folder`.
pub(super) fn decode(tensor: &Tensor, folder: Option<&Path>) -> Result<Array, ImportError> {
    let fault = |what: String| ImportError::Tensor {
        name: tensor.name.clone(),
        what,
    };
    let dims: Option<Vec<usize>> = tensor
        .dims
        .iter()
        .map(|&size| usize::try_from(size).ok())
        .collect();
    let dims = dims.ok_or_else(|| fault(format!("a shape of {:?}", tensor.dims)))?;
    let len = volume(&dims).ok_or_else(|| fault(format!("a shape of {dims:?} is too large")))?;
    let stored;
    let raw = match tensor.data_location {
        1 => {
            stored = external(tensor, folder).map_err(fault)?;
            &stored
        }
        _ => &tensor.raw_data,
    };
    let data = values(tensor, raw).map_err(fault)?;
    let array = Array { dims, data };
    match array.len() {
        found if found == len => Ok(array),
        found => Err(fault(format!(
            "a shape of {:?} is {len} values, and {found} are stored",
            array.dims
        ))),
    }
}

fn values(tensor: &Tensor, raw: &[u8]) -> Result<Data, String> {
    /// Raw bytes of a type and what each becomes; or, without them, the field that is its own.
    macro_rules! stored {
        ($kind:ident, $ty:ty, $convert:expr, $typed:expr) => {{
            let (chunks, rest) = raw.as_chunks::<{ size_of::<$ty>() }>();
            if !rest.is_empty() {
                let size = size_of::<$ty>();
                return Err(format!("{} bytes are no multiple of {size}", raw.len()));
            }
            let raw = chunks.iter().map(|it| $convert(<$ty>::from_le_bytes(*it)));
            Data::$kind(if raw.len() == 0 {
                $typed
            } else {
                raw.collect()
            })
        }};
    }
    let halves = |value: fn(u16) -> f32| {
        let bits = tensor.int32_data.iter().map(|&it| it as u16);
        bits.map(value).collect()
    };
    let integers = || tensor.int32_data.iter().map(|&it| i64::from(it)).collect();
    let doubles = || tensor.double_data.iter().map(|&it| it as f32).collect();
    // As TensorProto.DataType numbers them.
    Ok(match tensor.data_type {
        1 => stored!(Float, f32, |it| it, tensor.float_data.clone()),
        2 | 9 => stored!(Int, u8, i64::from, integers()),
        3 => stored!(Int, i8, i64::from, integers()),
        6 => stored!(Int, i32, i64::from, integers()),
        7 => stored!(Int, i64, |it| it, tensor.int64_data.clone()),
        10 => stored!(
            Float,
            f16,
            f16::to_f32,
            halves(|bits| f16::from_bits(bits).to_f32())
        ),
        11 => stored!(Float, f64, |it| it as f32, doubles()),
        16 => stored!(
            Float,
            bf16,
            bf16::to_f32,
            halves(|bits| bf16::from_bits(bits).to_f32())
        ),
        other => {
            return Err(format!(
                "element type {other} of ONNX is none of float, float16, bfloat16, double or an integer"
            ));
        }
    })
}

/// The bytes that lie in another file.
fn external(tensor: &Tensor, folder: Option<&Path>) -> Result<Vec<u8>, String> {
    let find = |key: &str| {
        let entry = tensor.external_data.iter().find(|entry| entry.key == key);
        entry.map(|entry| entry.value.as_str())
    };
    let number = |key: &str| match find(key) {
        None => Ok(None),
        Some(text) => text
            .parse::<u64>()
            .map(Some)
            .map_err(|_| format!("the {key} of its file is `{text}`")),
    };
    let location = find("location").ok_or("it lies in another file, which is not named")?;
    let folder = folder.ok_or_else(|| {
        format!("it lies in `{location}`: read the model by its path, so that this is found")
    })?;
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !Path::new(location).components().all(inside) {
        return Err(format!("`{location}` is no file beside the model"));
    }
    let path = folder.join(location);
    let fault = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut file = File::open(&path).map_err(fault)?;
    let size = file.metadata().map_err(fault)?.len();
    let offset = number("offset")?.unwrap_or(0);
    let rest = size.saturating_sub(offset);
    let length = number("length")?.unwrap_or(rest);
    if offset > size || length > rest {
        return Err(format!(
            "bytes {offset} to {} of {}, which has {size}",
            offset.saturating_add(length),
            path.display()
        ));
    }
    file.seek(SeekFrom::Start(offset)).map_err(fault)?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(fault)?;
    Ok(bytes)
}
