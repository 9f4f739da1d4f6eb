//! # Flash: a weight file becomes a `static` while the program is compiled
//!
//! ```text
//!  digits.safetensors ──include_bytes!──▶ header ──▶ tensors ──▶ OFFSETS ──▶ static NET
//!                                         names, shapes, dtypes  copied by     in flash
//!                                         against TENSORS        the compiler
//! ```
//!
//! `convnet::weights!` is the way in; everything here is a `const fn` that it calls, and that a
//! network written by hand may call too. Nothing of it runs on the target. The header of a ResNet-50,
//! 267 tensors in 27 KB, takes the compiler about a second, its 102 MB of scalars a few more.
//!
//! **Invariant:** a tensor's bytes are taken only if the file has exactly the tensors of the
//! network, with their shapes and their scalar. Of the values, only variances are looked at, which are
//! few and must have a root: to evaluate a million comparisons takes the compiler seconds.

#![expect(unsafe_code, reason = "bytes become scalars")]
#![allow(
    clippy::result_large_err,
    reason = "the compiler alone runs this, where nothing is returned through a stack; with 32 bits it is not large"
)]

use core::mem::MaybeUninit;

use crate::text::same;
use crate::{Parameters, Role, Tensor};

pub(crate) mod message;

use crate::file::header::{Entry, Header};
pub use crate::memory::parameters::InFlash;
pub use crate::text::Message;

/// More than a network can have: 2048 layers of at most four.
pub(crate) const MOST_TENSORS: usize = 8192;

/// The parameters in a weight file; or what is wrong with it, in the words of
/// [`WeightsError`](crate::weights::WeightsError). What is in no file, a bias that is not learned, is
/// zero.
///
/// # Errors
///
/// A file that is cut short, damaged or none; a tensor that is missing, not the network's, of another
/// shape or another dtype; a variance that has no root. And on a big-endian target, where the bytes of a
/// file are not those of a scalar.
pub const fn read<P: InFlash>(file: &[u8]) -> Result<P, Message> {
    const { assert!(P::OFFSETS.len() == P::TENSORS.len() && P::TENSORS.len() <= MOST_TENSORS) }
    if let Some(message) = message::of_the_target(cfg!(target_endian = "little")) {
        return Err(message);
    }
    if P::STANDS_IN {
        return Ok(crate::memory::parameters::zeroed());
    }
    let header = match Header::of(file) {
        Ok(header) => header,
        Err(defect) => return Err(message::defect(&defect)),
    };
    let mut room = [Entry::NONE; MOST_TENSORS];
    let entries = match entries(&header, &mut room) {
        Ok(entries) => entries,
        Err(message) => return Err(message),
    };
    let mut parameters = MaybeUninit::<P>::zeroed();
    let (mut known, mut unsound) = ([false; MOST_TENSORS], None);
    let (mut index, mut place) = (0, 0);
    while index < P::TENSORS.len() {
        let tensor = &P::TENSORS[index];
        place = match find(&header, entries, place, tensor.name) {
            Some(place) => place,
            None => return Err(message::missing(tensor.name, &header, entries)),
        };
        let bytes = match bytes::<P>(&header, &entries[place], tensor) {
            Ok(bytes) => bytes,
            Err(message) => return Err(message),
        };
        if unsound.is_none() {
            unsound = refused(tensor, bytes, size_of::<P::Scalar>());
        }
        let offset = P::OFFSETS[index];
        assert!(bytes.len() <= size_of::<P>() && offset <= size_of::<P>() - bytes.len());
        // SAFETY: `offset + bytes.len()` is inside of the parameters (asserted), and what lies there
        // are scalars (says `InFlash`), which any bytes are.
        unsafe {
            let to = parameters.as_mut_ptr().cast::<u8>().add(offset);
            to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        known[place] = true;
        index += 1;
    }
    let mut place = 0;
    while place < entries.len() {
        if !known[place] {
            return Err(message::extra(entries[place].name(&header), P::TENSORS));
        }
        place += 1;
    }
    match unsound {
        Some(message) => Err(message),
        // SAFETY: zeros are parameters, for they are `Zeroable`, and only scalars were written.
        None => Ok(unsafe { parameters.assume_init() }),
    }
}

/// The file's tensors, checked, in `room`.
pub(crate) const fn entries<'r>(
    header: &Header<'_>,
    room: &'r mut [Entry; MOST_TENSORS],
) -> Result<&'r [Entry], Message> {
    let (mut all, mut count) = (header.entries(), 0);
    loop {
        match all.next() {
            Ok(Some(_)) if count == MOST_TENSORS => return Err(message::too_many(MOST_TENSORS)),
            Ok(Some(entry)) => room[count] = entry,
            Ok(None) => break,
            Err(defect) => return Err(message::defect(&defect)),
        }
        count += 1;
    }
    let entries = room.split_at_mut(count).0;
    match header.check(entries) {
        Ok(()) => Ok(entries),
        Err(defect) => Err(message::defect(&defect)),
    }
}

/// What is wrong with the values of a variance, in scalars of so many bytes.
const fn refused(tensor: &Tensor, bytes: &[u8], scalar: usize) -> Option<Message> {
    let Role::Variance(epsilon, _) = tensor.role else {
        return None;
    };
    let epsilon = f64::from_bits(epsilon);
    let mut index = 0;
    while index < tensor.len() {
        // As the layer adds them: rounded to its scalar.
        let (value, sum) = if scalar == 4 {
            let value = f32::from_le_bytes(bytes.as_chunks().0[index]);
            (value as f64, (value + epsilon as f32) as f64)
        } else {
            let value = f64::from_le_bytes(bytes.as_chunks().0[index]);
            (value, value + epsilon)
        };
        if !value.is_finite() {
            return Some(message::not_finite(tensor.name, index, value));
        }
        if sum <= 0.0 {
            return Some(message::variance(tensor.name, index, value, epsilon));
        }
        index += 1;
    }
    None
}

/// Where the tensor `name` is. A file usually has it at `first`, or right behind.
pub(crate) const fn find(
    header: &Header<'_>,
    entries: &[Entry],
    first: usize,
    name: &str,
) -> Option<usize> {
    let mut step = 0;
    while step < entries.len() {
        let place = (first + step) % entries.len();
        if entries[place].name(header).is_text(name) {
            return Some(place);
        }
        step += 1;
    }
    None
}

/// The bytes of a tensor.
const fn bytes<'a, P: Parameters>(
    header: &Header<'a>,
    entry: &Entry,
    tensor: &Tensor,
) -> Result<&'a [u8], Message> {
    let dtype = if size_of::<P::Scalar>() == 4 {
        "F32"
    } else {
        "F64"
    };
    if !entry.has_shape(header, tensor.shape) {
        return Err(message::shape(tensor, header, entry));
    }
    if !same(entry.dtype(), dtype) {
        return Err(message::dtype(tensor.name, entry.dtype(), dtype));
    }
    Ok(entry.bytes(header))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(unreachable_pub, dead_code)] // what the macro writes is for crates
    mod two {
        crate::parameters! {
            pub struct Two<T> { pub bias: Bias [2] }
        }
    }
    use two::Two;

    /// What files are read and refused, `tests/safetensors.rs` says.
    #[test]
    fn a_big_endian_target_is_refused() {
        assert!(message::of_the_target(true).is_none());
        let refusal = message::of_the_target(false).unwrap();
        assert!(refusal.as_str().contains("the target big-endian"));

        // On this one, whichever it is.
        let header = br#"{"bias":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let mut file = alloc::vec![header.len() as u8, 0, 0, 0, 0, 0, 0, 0];
        file.extend(header);
        file.extend([1.0f32, -2.0].map(f32::to_le_bytes).as_flattened());
        let read = read::<Two<f32>>(&file);
        assert_eq!(read.is_ok(), cfg!(target_endian = "little"));
        match read {
            Ok(two) => assert_eq!(two.bias, [1.0, -2.0]),
            Err(error) => assert_eq!(error.as_str(), refusal.as_str()),
        }
    }
}
