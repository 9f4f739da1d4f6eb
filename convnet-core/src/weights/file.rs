//! The safetensors format: groups of tensors out, checked views in.
//!
//! A weight file is one [`Group`] without a prefix; a checkpoint has several and a note.

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::WeightsError;
use crate::{Parameters, Real, Tensor};

/// The tensors of `parameters`, with `prefix` in front of each name.
pub(crate) struct Group<'a, P> {
    pub(crate) prefix: &'a str,
    pub(crate) parameters: &'a P,
}

/// Hands a file with all `groups`, and `note` under its key, to `sink`, part by part.
pub(crate) fn write<P: Parameters, E>(
    groups: &[Group<'_, P>],
    note: Option<(&str, &str)>,
    mut sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    sink(&header(groups, note))?;
    for group in groups {
        for index in 0..P::TENSORS.len() {
            sink(&little_endian(group.parameters.tensor(index)))?;
        }
    }
    Ok(())
}

/// A value that is infinite or no number is an error.
pub(crate) fn check_finite<P: Parameters>(parameters: &P) -> Result<(), WeightsError> {
    P::TENSORS
        .iter()
        .enumerate()
        .try_for_each(|(index, tensor)| {
            first_not_finite(tensor.name, parameters.tensor(index).iter().copied())
        })
}

/// A file whose header is sound and whose length is right.
pub(crate) struct Reader<'a> {
    metadata: Metadata,
    data: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        let (header, metadata) =
            SafeTensors::read_metadata(bytes).map_err(|error| explain(bytes, &error))?;
        Ok(Self {
            metadata,
            data: &bytes[8 + header..],
        })
    }

    /// What [`write()`] put under `key`.
    #[cfg(feature = "train")]
    pub(crate) fn note(&self, key: &str) -> Option<&str> {
        self.metadata
            .metadata()
            .as_ref()?
            .get(key)
            .map(String::as_str)
    }

    /// Every tensor of `P`, with `prefix` in front of its name.
    pub(crate) fn group<P: Parameters>(&self, prefix: &str) -> Result<Vec<View<'a>>, WeightsError> {
        let view = |tensor: &Tensor| {
            self.view::<P::Scalar>(format!("{prefix}{}", tensor.name), |_| {
                tensor.shape.to_vec()
            })
        };
        P::TENSORS.iter().map(view).collect()
    }

    /// One tensor of `T`s; `expected` says its shape, given the number of axes found.
    pub(crate) fn view<T: Real>(
        &self,
        name: String,
        expected: impl FnOnce(usize) -> Vec<usize>,
    ) -> Result<View<'a>, WeightsError> {
        let Some(info) = self.metadata.info(&name) else {
            let found = self.metadata.offset_keys();
            return Err(WeightsError::Missing {
                tensor: name,
                found,
            });
        };
        let expected = expected(info.shape.len());
        if info.shape != expected {
            let found = info.shape.clone();
            return Err(WeightsError::Shape {
                tensor: name,
                expected,
                found,
            });
        }
        if info.dtype != dtype::<T>() {
            let (expected, found) = (dtype::<T>().to_string(), info.dtype.to_string());
            return Err(WeightsError::Dtype {
                tensor: name,
                expected,
                found,
            });
        }
        let (start, end) = info.data_offsets;
        Ok(View {
            name,
            bytes: &self.data[start..end],
        })
    }

    /// A tensor that is not among the `known` is an error, unless it is one to `ignore`.
    pub(crate) fn refuse_extra<'v>(
        &self,
        known: impl Iterator<Item = &'v View<'v>> + Clone,
        ignore: impl Fn(&str) -> bool,
    ) -> Result<(), WeightsError> {
        let mut names = self.metadata.offset_keys().into_iter();
        match names.find(|name| !ignore(name) && known.clone().all(|view| view.name != *name)) {
            None => Ok(()),
            Some(tensor) => {
                let expected = known.map(|view| view.name.clone()).collect();
                Err(WeightsError::Extra { tensor, expected })
            }
        }
    }
}

/// One tensor of a file: its name, shape and type were checked, its values not yet.
pub(crate) struct View<'a> {
    name: String,
    bytes: &'a [u8],
}

impl View<'_> {
    pub(crate) fn check_finite<T: Real>(&self) -> Result<(), WeightsError> {
        first_not_finite(&self.name, self.scalars::<T>())
    }

    /// The scalars; the bytes may lie at any address.
    pub(crate) fn scalars<T: Real>(&self) -> impl Iterator<Item = T> {
        self.bytes.chunks_exact(size_of::<T>()).map(|chunk| {
            let mut scalar = T::ZERO;
            let to = bytemuck::bytes_of_mut(&mut scalar);
            to.copy_from_slice(chunk);
            if cfg!(target_endian = "big") {
                to.reverse();
            }
            scalar
        })
    }
}

/// Copies `views`, those of one group in order, into the tensors.
pub(crate) fn copy<P: Parameters>(views: &[View<'_>], parameters: &mut P) {
    for (index, view) in views.iter().enumerate() {
        for (to, from) in parameters.tensor_mut(index).iter_mut().zip(view.scalars()) {
            *to = from;
        }
    }
}

/// The header, padded with spaces so that the scalars begin on a cache line of the file.
fn header<P: Parameters>(groups: &[Group<'_, P>], note: Option<(&str, &str)>) -> Vec<u8> {
    let mut end = 0;
    let mut tensors = Vec::new();
    for group in groups {
        for tensor in P::TENSORS {
            let start = end;
            end += tensor.len() * size_of::<P::Scalar>();
            let info = TensorInfo {
                dtype: dtype::<P::Scalar>(),
                shape: tensor.shape.to_vec(),
                data_offsets: (start, end),
            };
            tensors.push((format!("{}{}", group.prefix, tensor.name), info));
        }
    }
    let note = note.map(|(key, text)| [(key.to_owned(), text.to_owned())].into_iter().collect());
    let json = Metadata::new(note, tensors).map(|metadata| serde_json::to_vec(&metadata));
    let Ok(Ok(mut json)) = json else {
        unreachable!("places follow each other and fit their shapes; a map of strings is JSON")
    };
    json.resize((8 + json.len()).next_multiple_of(64) - 8, b' ');
    json.splice(0..0, (json.len() as u64).to_le_bytes());
    json
}

fn dtype<T: Real>() -> Dtype {
    if size_of::<T>() == 4 {
        Dtype::F32
    } else {
        Dtype::F64
    }
}

fn little_endian<T: Real>(scalars: &[T]) -> Cow<'_, [u8]> {
    let bytes: &[u8] = bytemuck::cast_slice(scalars);
    if cfg!(target_endian = "little") {
        return Cow::Borrowed(bytes);
    }
    bytes
        .chunks_exact(size_of::<T>())
        .flat_map(|scalar| scalar.iter().rev())
        .copied()
        .collect()
}

fn first_not_finite<T: Real>(
    name: &str,
    mut scalars: impl Iterator<Item = T>,
) -> Result<(), WeightsError> {
    let mut value = T::ZERO;
    let bad = scalars.position(|scalar| {
        value = scalar;
        !scalar.is_finite()
    });
    match bad {
        None => Ok(()),
        Some(index) => Err(WeightsError::NotFinite {
            tensor: name.to_owned(),
            index,
            value: value.widen(),
        }),
    }
}

/// The crate's error in our words: a wrong length is told from a damaged header.
fn explain(bytes: &[u8], error: &SafeTensorError) -> WeightsError {
    match error {
        SafeTensorError::HeaderTooSmall
        | SafeTensorError::InvalidHeaderLength
        | SafeTensorError::MetadataIncompleteBuffer => WeightsError::Length {
            expected: promised(bytes),
            found: bytes.len() as u64,
        },
        other => WeightsError::Corrupt {
            reason: other.to_string(),
        },
    }
}

/// The length of the file as far as its beginning tells.
fn promised(bytes: &[u8]) -> u64 {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return 8;
    };
    let header = u64::from_le_bytes(*length);
    let json = usize::try_from(header)
        .ok()
        .and_then(|header| rest.get(..header));
    let data = json.and_then(|json| serde_json::from_slice::<Metadata>(json).ok());
    (header.saturating_add(8)).saturating_add(data.map_or(0, |data| data.data_len() as u64))
}
