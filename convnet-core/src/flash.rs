//! # Flash: a weight file becomes a `static` while the program is compiled
//!
//! ```text
//!  digits.safetensors ──include_bytes!──▶ header ──▶ tensors ──▶ OFFSETS ──▶ static NET
//!                                         names, shapes, dtypes  copied by     in flash
//!                                         against TENSORS        the compiler
//! ```
//!
//! `convnet::weights!` is the way in; everything here is a `const fn` that it calls, and that a
//! network written by hand may call too. Nothing of it runs on the target.
//!
//! **Invariant:** a tensor's bytes are taken only if the file has exactly the tensors of the
//! network, with their shapes and their scalar. The values are not looked at: to evaluate a
//! million comparisons takes the compiler seconds.

#![expect(
    clippy::result_large_err,
    reason = "the compiler alone runs this, where nothing is returned through a stack"
)]

use core::mem::MaybeUninit;

use bytemuck::Zeroable;

use crate::{Parameters, Tensor};

mod header;
mod message;

pub use crate::plan::Message;
use header::{Entry, Header};

/// Parameters that say where their tensors lie, so that the compiler can put a file's bytes there.
///
/// `convnet!` writes it for a network, and [`parameters!`](crate::parameters!) for a layer.
///
/// # Safety
///
/// For each of `TENSORS` there is an offset: that many bytes from where a value begins lie all
/// scalars of the tensor, one after the other.
#[diagnostic::on_unimplemented(
    message = "the compiler does not know where the tensors of `{Self}` lie",
    note = "`parameters!` declares a layer whose weights can lie in flash"
)]
pub unsafe trait InFlash: Parameters {
    /// Bytes from the beginning of a value to each of its tensors.
    const OFFSETS: &'static [usize];
}

/// More than a network can have: 2048 layers of at most four.
const MOST_TENSORS: usize = 8192;

/// The parameters in a weight file; or what is wrong with it. What is in no file, a bias that is not
/// learned, is zero.
///
/// # Errors
///
/// A tensor that is missing, not the network's, there twice, of another shape or another dtype; a
/// file that is cut short or none.
///
/// # Panics
///
/// If the target is big-endian, where the bytes of a file are not those of a scalar: while
/// compiling, where this is used in a constant.
pub const fn read<P: InFlash>(file: &[u8]) -> Result<P, Message> {
    const { assert!(P::OFFSETS.len() == P::TENSORS.len() && P::TENSORS.len() <= MOST_TENSORS) }
    if cfg!(target_endian = "big") {
        panic!("weights in flash need a little-endian target: the file is not decoded");
    }
    let header = match Header::of(file) {
        Ok(header) => header,
        Err(message) => return Err(message),
    };
    let mut parameters = MaybeUninit::<P>::zeroed();
    let mut found = [false; MOST_TENSORS];
    let mut entries = header.entries();
    loop {
        let entry = match entries.next() {
            Ok(Some(entry)) => entry,
            Ok(None) => break,
            Err(message) => return Err(message),
        };
        let index = match place(P::TENSORS, &entry) {
            Some(index) if found[index] => return Err(message::twice(entry.name)),
            Some(index) => index,
            None => return Err(message::extra(entry.name, P::TENSORS)),
        };
        let bytes = match bytes::<P>(&header, &entry, &P::TENSORS[index]) {
            Ok(bytes) => bytes,
            Err(message) => return Err(message),
        };
        let offset = P::OFFSETS[index];
        assert!(bytes.len() <= size_of::<P>() && offset <= size_of::<P>() - bytes.len());
        // SAFETY: `offset + bytes.len()` is inside of the parameters (asserted), and what lies there
        // are scalars (says `InFlash`), which any bytes are.
        unsafe {
            let to = parameters.as_mut_ptr().cast::<u8>().add(offset);
            to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        found[index] = true;
    }
    let mut index = 0;
    while index < P::TENSORS.len() {
        if !found[index] {
            return Err(message::missing(P::TENSORS[index].name, &header));
        }
        index += 1;
    }
    match header.check_length() {
        // SAFETY: zeros are parameters, for they are `Zeroable`, and only scalars were written.
        Ok(()) => Ok(unsafe { parameters.assume_init() }),
        Err(message) => Err(message),
    }
}

/// A value of zeros, as a constant: `Zeroable::zeroed` is none.
#[must_use]
pub const fn zeroed<P: Zeroable>() -> P {
    // SAFETY: zeros are a value of a `Zeroable` type.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// The bytes of a tensor.
const fn bytes<'a, P: Parameters>(
    header: &Header<'a>,
    entry: &Entry<'_>,
    tensor: &Tensor,
) -> Result<&'a [u8], Message> {
    let scalar = size_of::<P::Scalar>();
    if !entry.has_shape(tensor.shape) {
        return Err(message::shape(tensor, entry));
    }
    if !same(entry.dtype, dtype(scalar)) {
        return Err(message::dtype(tensor.name, entry.dtype, dtype(scalar)));
    }
    header.data(entry, tensor.len() * scalar)
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

    // SAFETY: the one tensor is all of the value.
    unsafe impl InFlash for Two {
        const OFFSETS: &'static [usize] = &[0];
    }

    /// The file with this header and the scalars 0.5 and -0.5, read.
    fn two(header: &str) -> Result<[f32; 2], String> {
        let mut file = Vec::from((header.len() as u64).to_le_bytes());
        file.extend(header.bytes());
        file.extend([0.5f32, -0.5].map(f32::to_le_bytes).as_flattened());
        read::<Two>(&file).map_err(|message| message.as_str().into())
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
            assert_eq!(two(&header), Ok([0.5, -0.5]), "{header}");
        }
    }

    #[test]
    fn a_header_of_another_kind_is_an_error() {
        let whole = format!("{{{BIAS}}}");
        for length in 0..whole.len() {
            let error = two(&whole[..length]).unwrap_err();
            assert!(error.starts_with("this is no safetensors file"), "{error}");
        }
        let twice = two(&format!("{{{BIAS},{BIAS}}}")).unwrap_err();
        assert!(twice.starts_with("the file has two tensors `a.bias`"));
        let short = two(&whole.replace("[0,8]", "[0,4]")).unwrap_err();
        assert!(short.contains("not as long as its shape says"), "{short}");
        let beyond = two(&whole.replace("[0,8]", "[8,16]")).unwrap_err();
        assert!(beyond.starts_with("the file was cut short"), "{beyond}");
        let huge = two(&whole.replace("[2]", "[99999999999999999999999]")).unwrap_err();
        assert!(huge.starts_with("`a.bias` has the shape"), "{huge}");
    }
}
