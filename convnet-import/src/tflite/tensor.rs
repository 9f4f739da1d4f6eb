//! Tensors, and what is quantized as numbers again.

use std::collections::HashSet;

use convnet_core::kernel::i8::Quantization;

use super::sparse;
use super::table::Table;
use crate::array::{Array, Data, volume};

/// Element types, by their numbers.
const INT32: u8 = 2;
const UINT8: u8 = 3;
const INT8: u8 = 9;

/// A tensor of a model.
pub(super) struct Tensor<'a> {
    /// Its own; each has another.
    pub(super) name: String,
    /// As the file has it; 0 for what is no size.
    pub(super) shape: Vec<usize>,
    kind: u8,
    /// Its bytes, if it is a constant.
    data: Option<&'a [u8]>,
    scales: Vec<f32>,
    zeros: Vec<i64>,
    /// The axis along which scales differ.
    axis: usize,
    /// How it is stored, if it is without its zeros.
    sparsity: Option<Table<'a>>,
}

/// The tensors of a graph.
pub(super) fn all<'a>(file: &'a [u8], model: Table<'a>, graph: Table<'a>) -> Vec<Tensor<'a>> {
    let buffers = model.tables(4);
    let mut names = HashSet::new();
    let tensors = graph.tables(0).into_iter().enumerate();
    tensors
        .map(|(at, it)| {
            let size = |&size: &i32| usize::try_from(size).unwrap_or(0);
            let buffer = buffers.get(it.int(2, 0) as usize);
            let quantization = it.table(4);
            let numbers = |read: &dyn Fn(Table<'a>) -> usize| quantization.map_or(0, read);
            let name = it.text(3);
            let name = match !name.is_empty() && names.insert(name) {
                true => name.to_owned(),
                false => format!("{name}::{at}"),
            };
            Tensor {
                name,
                shape: it.ints(0).iter().map(size).collect(),
                kind: it.byte(1),
                data: buffer.and_then(|it| content(file, *it)),
                scales: quantization.map(|it| it.floats(2)).unwrap_or_default(),
                zeros: quantization.map(|it| it.longs(3)).unwrap_or_default(),
                axis: numbers(&|it| it.int(6, 0) as usize),
                sparsity: it.table(6),
            }
        })
        .collect()
}

/// What a buffer holds: inside, or, in files of more than 2 GB, behind all tables.
fn content<'a>(file: &'a [u8], buffer: Table<'a>) -> Option<&'a [u8]> {
    match buffer.vector::<1>(0) {
        Some(inside) if !inside.is_empty() => Some(inside.as_flattened()),
        Some(_) | None => {
            let (from, len) = (buffer.long(1), buffer.long(2));
            let from = usize::try_from(from).ok().filter(|&from| from > 1)?;
            let to = from.checked_add(usize::try_from(len).ok()?)?;
            file.get(from..to)
        }
    }
}

impl Tensor<'_> {
    /// What its bytes stand for, if it is computed and of bytes.
    pub(super) fn quantization(&self) -> Option<Quantization> {
        let (&[scale], &[zero]) = (self.scales.as_slice(), self.zeros.as_slice()) else {
            return None;
        };
        let zero = match (self.data, self.kind) {
            (None, INT8) => zero,
            // The same bytes, from 0 on.
            (None, UINT8) => zero.checked_sub(128)?,
            _ => return None,
        };
        Some(Quantization::new(scale, i8::try_from(zero).ok()?))
    }

    /// Its scales, if it is a constant of bytes around zero.
    pub(super) fn symmetric(&self) -> Option<&[f32]> {
        let is = self.is_constant() && self.kind == INT8 && self.zeros.iter().all(|&it| it == 0);
        is.then_some(self.scales.as_slice())
    }

    /// Its integers of 32 bits, if it is a constant of these.
    pub(super) fn integers(&self) -> Option<Vec<i32>> {
        let data = self.data.filter(|_| self.kind == INT32)?;
        let (chunks, _) = data.as_chunks();
        Some(chunks.iter().map(|it| i32::from_le_bytes(*it)).collect())
    }

    pub(super) fn is_constant(&self) -> bool {
        self.data.is_some()
    }

    /// Its values, if it is a constant, of which there are at most so many.
    pub(super) fn values(&self, most: usize) -> Result<Option<Array>, String> {
        let Some(data) = self.data else {
            return Ok(None);
        };
        let name = &self.name;
        let len = volume(&self.shape).filter(|&len| len <= most);
        let len = len.ok_or_else(|| {
            format!(
                "`{name}` has {:?} values, more than are in the file",
                self.shape
            )
        })?;
        macro_rules! numbers {
            ($ty:ty) => {{
                let (chunks, _) = data.as_chunks::<{ size_of::<$ty>() }>();
                chunks.iter().map(|it| <$ty>::from_le_bytes(*it))
            }};
        }
        let data = match self.kind {
            0 => Data::Float(numbers!(f32).collect()),
            1 => Data::Float(numbers!(half::f16).map(f32::from).collect()),
            INT32 => self.real(numbers!(i32).map(i64::from).collect())?,
            UINT8 => self.real(numbers!(u8).map(i64::from).collect())?,
            4 => self.real(numbers!(i64).collect())?,
            7 => self.real(numbers!(i16).map(i64::from).collect())?,
            INT8 => self.real(numbers!(i8).map(i64::from).collect())?,
            10 => Data::Float(numbers!(f64).map(|it| it as f32).collect()),
            kind => {
                return Err(format!(
                    "`{name}` is of the element type {kind}: floats and integers of 8 to 64 bits \
                                    are read"
                ));
            }
        };
        let data = match self.sparsity {
            Some(sparsity) => {
                sparse::places(sparsity, &self.shape).and_then(|places| spread(&data, &places, len))
            }
            None => Some(data),
        };
        let data = data.ok_or_else(|| {
            format!("`{name}` is stored without its zeros, in a way that is not known")
        })?;
        let array = Array {
            dims: self.shape.clone(),
            data,
        };
        match array.len() == len {
            true => Ok(Some(array)),
            false => Err(format!(
                "`{name}` has {:?} values, and {} are stored",
                self.shape,
                array.len()
            )),
        }
    }

    /// Integers as what they stand for: scale · (q − zero).
    fn real(&self, integers: Vec<i64>) -> Result<Data, String> {
        let along: usize = match self.scales.len() {
            0 => return Ok(Data::Int(integers)),
            1 => 1,
            scales if self.shape.get(self.axis) == Some(&scales) => {
                self.shape[self.axis + 1..].iter().product()
            }
            scales => {
                return Err(format!(
                    "`{}` has {scales} scales along axis {} of {:?}",
                    self.name, self.axis, self.shape
                ));
            }
        };
        let real = |(at, q): (usize, i64)| {
            let slice = at / along.max(1) % self.scales.len();
            // One zero may stand for all.
            let zero = self.zeros.get(slice).or(self.zeros.first());
            q.saturating_sub(zero.copied().unwrap_or(0)) as f32 * self.scales[slice]
        };
        Ok(Data::Float(
            integers.into_iter().enumerate().map(real).collect(),
        ))
    }
}

/// So many values: these where they belong, and zeros.
fn spread(stored: &Data, places: &[usize], len: usize) -> Option<Data> {
    fn all<T: Copy + Default>(stored: &[T], places: &[usize], len: usize) -> Option<Vec<T>> {
        let mut all = vec![T::default(); len];
        for (&value, &place) in stored.iter().zip(places) {
            *all.get_mut(place)? = value;
        }
        (stored.len() == places.len()).then_some(all)
    }
    Some(match stored {
        Data::Float(stored) => Data::Float(all(stored, places, len)?),
        Data::Int(stored) => Data::Int(all(stored, places, len)?),
    })
}
