//! # Flash: a weight file becomes a `static` while the program is compiled
//!
//! ```text
//!  digits.safetensors ──include_bytes!──▶ header ──▶ tensors ──▶ Conv::from_bytes ──▶ static NET
//!                                         names, shapes, dtypes    copied by the       in flash
//!                                         against TENSORS          compiler
//! ```
//!
//! `convnet::weights!` is the way in; everything here is a `const fn` that it calls, and that a
//! network written by hand may call too. Nothing of it runs on the target.
//!
//! **Invariant:** a tensor's bytes are handed out only if the file has exactly the tensors of the
//! network, with their shapes and their scalar. The values are not looked at: to evaluate a
//! million comparisons takes the compiler seconds.

#![expect(
    clippy::result_large_err,
    reason = "the compiler alone runs this, where nothing is returned through a stack"
)]

use bytemuck::Pod;

use crate::{Parameters, Real, Tensor};

mod header;
mod message;

pub use crate::plan::Message;
use header::{Entry, Header};

/// The bytes of each tensor of `P::TENSORS`, in that order; or what is wrong with the file.
///
/// # Errors
///
/// The first tensor that is missing, not the network's, of another shape or another dtype; a file
/// that is cut short or none.
pub const fn tensors<P: Parameters, const N: usize>(file: &[u8]) -> Result<[&[u8]; N], Message> {
    const { assert!(N == P::TENSORS.len(), "N is how many tensors P has") }
    let scalar = size_of::<P::Scalar>();
    let header = match Header::of(file) {
        Ok(header) => header,
        Err(message) => return Err(message),
    };
    let mut found = [None; N];
    let mut entries = header.entries();
    loop {
        match entries.next() {
            Ok(Some(entry)) => match place(P::TENSORS, &entry) {
                Some(index) if found[index].is_none() => found[index] = Some(entry),
                Some(_) => return Err(message::twice(entry.name)),
                None => return Err(message::extra(entry.name, P::TENSORS)),
            },
            Ok(None) => break,
            Err(message) => return Err(message),
        }
    }
    let mut bytes: [&[u8]; N] = [&[]; N];
    let mut index = 0;
    while index < N {
        let tensor = &P::TENSORS[index];
        bytes[index] = match &found[index] {
            None => return Err(message::missing(tensor.name, &header)),
            Some(entry) if !entry.has_shape(tensor.shape) => {
                return Err(message::shape(tensor, entry));
            }
            Some(entry) if !same(entry.dtype, dtype(scalar)) => {
                return Err(message::dtype(tensor.name, entry.dtype, dtype(scalar)));
            }
            Some(entry) => match header.data(entry, tensor.len() * scalar) {
                Ok(bytes) => bytes,
                Err(message) => return Err(message),
            },
        };
        index += 1;
    }
    match header.check_length() {
        Ok(()) => Ok(bytes),
        Err(message) => Err(message),
    }
}

/// Little-endian bytes, as they lie in a file, as scalars or arrays of scalars.
///
/// # Panics
///
/// If there are more or fewer bytes than `T` has, or the target is big-endian: while compiling,
/// where this is used in a constant.
#[must_use]
pub const fn scalars<T: Pod>(bytes: &[u8]) -> T {
    if cfg!(target_endian = "big") {
        panic!("weights in flash need a little-endian target: the file is not decoded");
    }
    assert!(
        bytes.len() == size_of::<T>(),
        "as many bytes as scalars need"
    );
    // SAFETY: `bytes` has `size_of::<T>()` bytes (asserted), and any bytes are a `T: Pod`.
    unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }
}

/// As [`scalars`]; zeros for no bytes: a bias that is not learned is in no file.
///
/// # Panics
///
/// As `scalars`, but for no bytes.
#[must_use]
pub const fn bias<T: Real, const K: usize>(bytes: &[u8]) -> [T; K] {
    if bytes.is_empty() {
        return [T::ZERO; K];
    }
    scalars(bytes)
}

/// Which of the tensors is called so.
const fn place(tensors: &[Tensor], entry: &Entry<'_>) -> Option<usize> {
    let mut index = 0;
    while index < tensors.len() {
        if same(tensors[index].name.as_bytes(), entry.name) {
            return Some(index);
        }
        index += 1;
    }
    None
}

const fn dtype(scalar: usize) -> &'static [u8] {
    if scalar == 4 { b"F32" } else { b"F64" }
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::format;
    use std::string::String;
    use std::vec::Vec;

    use super::*;
    use crate::Role;

    type Two = [f32; 2];

    impl Parameters for Two {
        type Scalar = f32;
        const TENSORS: &'static [Tensor] = &[Tensor {
            name: "a.bias",
            role: Role::Bias,
            shape: &[2],
        }];

        fn tensor(&self, _: usize) -> &[f32] {
            self
        }

        fn tensor_mut(&mut self, _: usize) -> &mut [f32] {
            self
        }
    }

    /// The file with this header and the scalars 0.5 and -0.5, read.
    fn read(header: &str) -> Result<[f32; 2], String> {
        let mut file = Vec::from((header.len() as u64).to_le_bytes());
        file.extend(header.bytes());
        file.extend([0.5f32, -0.5].map(f32::to_le_bytes).as_flattened());
        match tensors::<Two, 1>(&file) {
            Ok([bias]) => Ok(scalars(bias)),
            Err(message) => Err(message.as_str().into()),
        }
    }

    const BIAS: &str = r#""a.bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"#;

    #[test]
    fn every_spelling_of_a_header_is_read() {
        for header in [
            format!("{{{BIAS}}}"),
            format!("{{{BIAS}}}     "),
            format!(r#"{{"__metadata__":{{"a":"}}, \"b\": [","c":""}},{BIAS}}}"#),
            format!(r#"{{{BIAS},"__metadata__":{{}}}}"#),
            r#" { "a.bias" : { "data_offsets" : [ 0 , 8 ] ,
                 "shape" : [ 2 ] , "more" : [[1], {}], "dtype" : "F32" } } "#
                .into(),
        ] {
            assert_eq!(read(&header), Ok([0.5, -0.5]), "{header}");
        }
    }

    #[test]
    fn a_header_of_another_kind_is_an_error() {
        let whole = format!("{{{BIAS}}}");
        for length in 0..whole.len() {
            let error = read(&whole[..length]).unwrap_err();
            assert!(error.starts_with("this is no safetensors file"), "{error}");
        }
        let twice = read(&format!("{{{BIAS},{BIAS}}}")).unwrap_err();
        assert!(twice.starts_with("the file has two tensors `a.bias`"));
        let short = read(&whole.replace("[0,8]", "[0,4]")).unwrap_err();
        assert!(short.contains("not as long as its shape says"), "{short}");
        let beyond = read(&whole.replace("[0,8]", "[8,16]")).unwrap_err();
        assert!(beyond.starts_with("the file was cut short"), "{beyond}");
        let huge = read(&whole.replace("[2]", "[99999999999999999999999]")).unwrap_err();
        assert!(huge.starts_with("`a.bias` has the shape"), "{huge}");
    }
}
