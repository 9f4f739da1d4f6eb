//! The safetensors format: groups of tensors out, checked views in.
//!
//! A weight file is one [`Prefixed`] without a prefix; a checkpoint has several and a note.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Reverse;

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

use super::WeightsError;
use crate::file::header::{Defect, Entry, Header, Json, Name};
use crate::{Parameters, Real, Role, Tensor};

/// The tensors of `parameters`, with `prefix` in front of each name.
pub(crate) struct Prefixed<'a, P> {
    pub(crate) prefix: &'a str,
    pub(crate) parameters: &'a P,
}

/// Hands a file with all `groups`, and `note` under its key, to `sink`, part by part.
pub(crate) fn write<P: Parameters, E>(
    groups: &[Prefixed<'_, P>],
    note: Option<(&str, &str)>,
    mut sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    sink(&header(groups, note))?;
    scalars(groups, sink)
}

/// Hands the scalars of all `groups` to `sink`, as they lie in a file.
pub(crate) fn scalars<P: Parameters, E>(
    groups: &[Prefixed<'_, P>],
    mut sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    for group in groups {
        for index in 0..P::TENSORS.len() {
            sink(&little_endian(group.parameters.tensor(index)))?;
        }
    }
    Ok(())
}

/// A file out of what may have no end: as far as its own header says, and one byte more, if there is one.
#[cfg(feature = "std")]
pub(crate) fn read(mut source: impl std::io::Read) -> std::io::Result<Vec<u8>> {
    use std::io::Read;

    let mut bytes = Vec::new();
    loop {
        let more = match Reader::read(&bytes) {
            Ok(_) => 1,
            Err(Defect::Length { expected, found }) if expected > found => expected - found,
            Err(_) => return Ok(bytes),
        };
        let mut part = source.by_ref().take(more as u64);
        if part.read_to_end(&mut bytes)? < more {
            return Ok(bytes);
        }
    }
}

/// A value that no file may hold is an error: one that is infinite or no number, or a variance without
/// a root.
pub(crate) fn check_values<P: Parameters>(parameters: &P) -> Result<(), WeightsError> {
    P::TENSORS
        .iter()
        .enumerate()
        .try_for_each(|(index, tensor)| {
            let scalars = parameters.tensor(index).iter().copied();
            first_refused(tensor.name, tensor.role, scalars)
        })
}

/// The same of `views`, the tensors of `P` in order.
pub(crate) fn check<P: Parameters>(views: &[View<'_>]) -> Result<(), WeightsError> {
    views
        .iter()
        .zip(P::TENSORS)
        .try_for_each(|(view, tensor)| view.check::<P::Scalar>(tensor.role))
}

/// What is infinite or no number is an error.
#[cfg(feature = "train")]
pub(crate) fn check_finite<T: Real>(views: &[View<'_>]) -> Result<(), WeightsError> {
    views
        .iter()
        .try_for_each(|view| view.check::<T>(Role::Bias))
}

/// A file whose header is sound and whose length is right.
pub(crate) struct Reader<'a> {
    header: Header<'a>,
    metadata: Option<Json<'a>>,
    /// In the order of their places.
    entries: Vec<Entry>,
    /// Where the entry of each name is.
    places: BTreeMap<String, usize>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, WeightsError> {
        Self::read(bytes).map_err(WeightsError::from)
    }

    fn read(bytes: &'a [u8]) -> Result<Self, Defect<'a>> {
        let header = Header::of(bytes)?;
        let (mut text, mut entries) = (header.entries(), Vec::new());
        while let Some(entry) = text.next()? {
            entries.push(entry);
        }
        header.check(&mut entries)?;
        let names = entries.iter().map(|entry| entry.name(&header).to_text());
        Ok(Self {
            header,
            metadata: text.metadata,
            places: names.zip(0..).collect(),
            entries,
        })
    }

    /// The scalars of all tensors.
    #[cfg(feature = "train")]
    pub(crate) fn data(&self) -> &'a [u8] {
        self.header.data
    }

    /// What [`write()`] put under `key`.
    pub(crate) fn note(&self, key: &str) -> Option<String> {
        self.metadata?.text(key)
    }

    /// Whether a tensor has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// The names in the file, in the order of their places.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.entries
            .iter()
            .map(|entry| entry.name(&self.header).to_text())
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
        let view = self.any(name)?;
        let expected = expected(view.shape.len());
        if view.shape != expected {
            return Err(WeightsError::Shape {
                tensor: view.name,
                expected,
                found: view.shape,
            });
        }
        let wanted = dtype::<T>().to_string();
        if view.dtype != wanted {
            return Err(WeightsError::Dtype {
                tensor: view.name,
                expected: wanted,
                found: view.dtype.to_owned(),
            });
        }
        Ok(view)
    }

    /// One tensor, of whatever shape and type.
    pub(crate) fn any(&self, name: String) -> Result<View<'a>, WeightsError> {
        let Some(&place) = self.places.get(&name) else {
            return Err(WeightsError::Missing {
                found: self.nearest(&name),
                tensor: name,
            });
        };
        let entry = &self.entries[place];
        let mut axes = entry.axes(&self.header);
        Ok(View {
            name,
            shape: core::iter::from_fn(|| axes.next()).collect(),
            dtype: entry.dtype(),
            bytes: entry.bytes(&self.header),
        })
    }

    /// The names in the file, those that are nearest to `name` first.
    pub(crate) fn nearest(&self, name: &str) -> Vec<String> {
        let mut names: Vec<String> = self.names().collect();
        let near = |it: &String| Name::plain(it).nearness(Name::plain(name));
        names.sort_by_cached_key(|it| Reverse(near(it)));
        names
    }

    /// A tensor that is not among the `known` is an error, unless it is one to `ignore`.
    pub(crate) fn refuse_extra<'v>(
        &self,
        known: impl Iterator<Item = &'v View<'v>> + Clone,
        ignore: impl Fn(&str) -> bool,
    ) -> Result<(), WeightsError> {
        match self
            .names()
            .find(|name| !ignore(name) && known.clone().all(|view| view.name != *name))
        {
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
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    /// As the format calls it.
    pub(crate) dtype: &'static str,
    bytes: &'a [u8],
}

impl View<'_> {
    /// Whether a tensor of such a role may hold its values.
    pub(crate) fn check<T: Real>(&self, role: Role) -> Result<(), WeightsError> {
        first_refused(&self.name, role, self.scalars::<T>())
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

    /// The scalars of a tensor of another type of float, each the nearest to the file's; `None` if they are
    /// no floats.
    pub(crate) fn converted<T: Real>(&self) -> Option<Box<dyn Iterator<Item = T> + '_>> {
        fn of<'v, T: Real, const N: usize>(
            bytes: &'v [u8],
            widen: fn([u8; N]) -> f64,
        ) -> Box<dyn Iterator<Item = T> + 'v> {
            let (scalars, _) = bytes.as_chunks::<N>();
            Box::new(scalars.iter().map(move |&bytes| T::of(widen(bytes))))
        }
        Some(match self.dtype {
            "F64" => of(self.bytes, f64::from_le_bytes),
            "F32" => of(self.bytes, |bytes| f32::from_le_bytes(bytes).into()),
            "BF16" => of(self.bytes, |[low, high]| {
                f32::from_le_bytes([0, 0, low, high]).into()
            }),
            "F16" => of(self.bytes, |bytes| half(u16::from_le_bytes(bytes))),
            _ => return None,
        })
    }

    /// Copies the scalars to a tensor.
    pub(crate) fn copy_to<T: Real>(&self, tensor: &mut [T]) {
        let pairs = tensor.iter_mut().zip(self.scalars());
        pairs.for_each(|(to, from)| *to = from);
    }
}

/// The number that the bits of an IEEE 754 binary16 are.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (bits >> 10 & 31, f64::from(bits & 0x3ff) / 1024.0);
    sign * match exponent {
        0 => fraction / f64::from(1 << 14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * f64::from(1u32 << exponent) / f64::from(1 << 15),
    }
}

/// Copies `views`, those of one group in order, into the tensors.
pub(crate) fn copy<P: Parameters>(views: &[View<'_>], parameters: &mut P) {
    for (index, view) in views.iter().enumerate() {
        view.copy_to(parameters.tensor_mut(index));
    }
}

/// The header, padded with spaces so that the scalars begin on a cache line of the file.
fn header<P: Parameters>(groups: &[Prefixed<'_, P>], note: Option<(&str, &str)>) -> Vec<u8> {
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

pub(super) fn first_refused<T: Real>(
    name: &str,
    role: Role,
    mut scalars: impl Iterator<Item = T>,
) -> Result<(), WeightsError> {
    let mut value = T::ZERO;
    let refused = scalars.position(|scalar| {
        value = scalar;
        !role.allows(scalar)
    });
    let Some(index) = refused else {
        return Ok(());
    };
    let (tensor, value) = (name.to_owned(), value.widen());
    Err(match role {
        Role::Variance(epsilon, _) if value.is_finite() => WeightsError::Variance {
            tensor,
            index,
            value,
            epsilon: f64::from_bits(epsilon),
        },
        _ => WeightsError::NotFinite {
            tensor,
            index,
            value,
        },
    })
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use std::io::{Read, repeat};

    use super::*;

    #[test]
    fn what_has_no_end_is_read_as_far_as_its_header_says() {
        let json = br#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
        let mut whole = (json.len() as u64).to_le_bytes().to_vec();
        whole.extend_from_slice(json);
        whole.extend_from_slice(&[7; 8]);
        assert_eq!(read(&whole[..]).unwrap(), whole);
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]).unwrap(), whole[..length]);
        }
        // One byte too many, so that it is refused; and nothing is read that is no header.
        let endless = read((&whole[..]).chain(repeat(0))).unwrap();
        assert_eq!(endless.len(), whole.len() + 1);
        assert_eq!(read(repeat(0)).unwrap(), [0; 8]);
        assert_eq!(read(repeat(255)).unwrap(), [255; 8]);
    }
}
