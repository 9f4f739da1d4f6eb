//! # Weights: parameters in a file
//!
//! ```text
//!  digits.safetensors
//!  ┌─────────┬────────────────────────────────────────────┬──────────────────────────────┐
//!  │ n : u64 │ n bytes of JSON: name, dtype, shape, place │ the scalars, little-endian   │
//!  └─────────┴────────────────────────────────────────────┴──────────────────────────────┘
//! ```
//!
//! A [safetensors](https://github.com/huggingface/safetensors) file holds exactly the tensors of
//! [`Parameters::TENSORS`], under their names. Files of PyTorch are read by [`from_pytorch`]. What the
//! format forbids (tensors that share bytes, bytes of no tensor, a name twice, JSON that is none) is
//! refused here as it is by `weights!`, in the same words.
//!
//! **Invariant:** a file is checked whole (names, shapes, types, every value) before the first
//! scalar of a network is written; a bad file changes nothing.
//!
//! ```
//! # use convnet_core as convnet;
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/tiny.rs"));
//! # fn main() -> Result<(), convnet_core::weights::WeightsError> {
//! # let mut net: Box<Tiny> = bytemuck::zeroed_box();
//! use convnet::weights;
//!
//! net.bias = [0.5, -0.5];
//! let bytes = weights::to_bytes(&*net)?;
//! net.bias = [0.0, 0.0];
//! weights::from_bytes(&mut *net, &bytes)?;
//! assert_eq!(net.bias, [0.5, -0.5]);
//!
//! let error = weights::from_bytes(&mut *net, &bytes[..bytes.len() - 4]).unwrap_err();
//! assert!(error.to_string().contains("cut short"));
//! # Ok(())
//! # }
//! ```

mod error;
mod file;
mod mapping;
mod matching;
mod pattern;
mod proposal;
mod pytorch;
#[cfg(feature = "std")]
mod replace;

#[cfg(feature = "std")]
use std::path::Path;

use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;

use crate::Parameters;

pub use error::WeightsError;
#[cfg(feature = "train")]
pub(crate) use file::{Prefixed, Reader, check, check_finite, check_values, copy, scalars, write};
pub use mapping::{Flattened, Mapping};
pub use matching::{Matching, from_bytes_matching, part_from_bytes};
#[cfg(feature = "std")]
pub use matching::{load_matching, load_part};
#[cfg(feature = "std")]
pub use pytorch::load_pytorch;
pub use pytorch::{Mapped, from_pytorch};
#[cfg(feature = "train")]
pub(crate) use replace::{probe, replace};

/// The parameters as the bytes of a safetensors file.
///
/// # Errors
///
/// [`WeightsError::NotFinite`], [`WeightsError::Variance`]: weights that cannot be loaded are not saved.
pub fn to_bytes<P: Parameters>(parameters: &P) -> Result<Vec<u8>, WeightsError> {
    to_bytes_noted(parameters, None)
}

/// As [`to_bytes`], with `note` under its key in the metadata.
pub(crate) fn to_bytes_noted<P: Parameters>(
    parameters: &P,
    note: Option<(&str, &str)>,
) -> Result<Vec<u8>, WeightsError> {
    file::check_values(parameters)?;
    let mut bytes = Vec::with_capacity(size_of::<P>() + 4096);
    let all = file::Prefixed {
        prefix: "",
        parameters,
    };
    let Ok(()) = file::write(&[all], note, |part| {
        bytes.extend_from_slice(part);
        Ok::<_, Infallible>(())
    });
    Ok(bytes)
}

/// What [`save_noted`] put under `key`.
pub(crate) fn note(bytes: &[u8], key: &str) -> Result<Option<String>, WeightsError> {
    Ok(file::Reader::new(bytes)?.note(key))
}

/// Reads the parameters from the bytes of a safetensors file, wherever they lie in memory.
///
/// # Errors
///
/// Any [`WeightsError`] but `Io`; the parameters are then as they were.
pub fn from_bytes<P: Parameters>(parameters: &mut P, bytes: &[u8]) -> Result<(), WeightsError> {
    let reader = file::Reader::new(bytes)?;
    let views = reader.group::<P>("")?;
    reader.refuse_extra(views.iter(), |_| false)?;
    file::check::<P>(&views)?;
    file::copy(&views, parameters);
    Ok(())
}

/// Saves the parameters as a safetensors file. It is written beside `path` (`path` + `.tmp`), then
/// renamed: whoever looks, even after a crash, finds the old file or the new one, whole. If `path` is a
/// symbolic link, the file that it leads to is replaced.
///
/// # Errors
///
/// [`WeightsError::NotFinite`], [`WeightsError::Variance`], [`WeightsError::Io`].
#[cfg(feature = "std")]
pub fn save<P: Parameters>(parameters: &P, path: impl AsRef<Path>) -> Result<(), WeightsError> {
    save_noted(parameters, None, path.as_ref())
}

/// As [`save`], with `note` under its key in the metadata.
#[cfg(feature = "std")]
pub(crate) fn save_noted<P: Parameters>(
    parameters: &P,
    note: Option<(&str, &str)>,
    path: &Path,
) -> Result<(), WeightsError> {
    use std::io::Write;

    file::check_values(parameters)?;
    let all = file::Prefixed {
        prefix: "",
        parameters,
    };
    replace::replace(path, |out| {
        file::write(&[all], note, |part| out.write_all(part))
    })
    .map_err(|source| WeightsError::io(path, source))
}

/// Reads the parameters from a safetensors file.
///
/// # Errors
///
/// Any [`WeightsError`]; the parameters are then as they were.
#[cfg(feature = "std")]
pub fn load<P: Parameters>(parameters: &mut P, path: impl AsRef<Path>) -> Result<(), WeightsError> {
    from_bytes(parameters, &read(path.as_ref())?)
}

#[cfg(feature = "std")]
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, WeightsError> {
    let bytes = std::fs::metadata(path).and_then(|about| match about.is_file() {
        true => std::fs::read(path),
        // A pipe, or a device that may have no end.
        false => file::read(std::fs::File::open(path)?),
    });
    bytes.map_err(|source| WeightsError::io(path, source))
}
