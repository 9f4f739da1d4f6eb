//! How bytes of pixels become numbers, and what is measured of them: for sets in memory and on the disk.

use super::{DataError, Defect, Normalisation};
use crate::Real;

/// A [`Normalisation`], and what it makes of each pixel value.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    normalisation: Normalisation,
    /// For each depth slice, what each pixel value is read as.
    values: Vec<[f64; 256]>,
}

impl Reading {
    /// `p / 255`.
    pub(super) fn unnormalised(depth: usize) -> Self {
        Self::of(Normalisation::divide(255.0, depth))
    }

    /// # Errors
    ///
    /// [`Defect::Normalisation`] if it is for images of another depth, or divides by what is no positive number.
    pub(super) fn new(normalisation: &Normalisation, depth: usize) -> Result<Self, DataError> {
        let found = normalisation.clone();
        match normalisation.fits(depth) {
            true => Ok(Self::of(found)),
            false => Err(Defect::Normalisation { depth, found }.into()),
        }
    }

    fn of(normalisation: Normalisation) -> Self {
        let values = normalisation.values().collect();
        Self {
            normalisation,
            values,
        }
    }

    pub(super) fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    /// Writes the numbers of `pixels`.
    pub(super) fn read<T: Real>(&self, pixels: &[u8], image: &mut [T]) {
        let depth = self.values.len();
        let columns = pixels.chunks_exact(depth);
        for (to, column) in image.chunks_exact_mut(depth).zip(columns) {
            for ((to, &p), values) in to.iter_mut().zip(column).zip(&self.values) {
                *to = T::of(values[usize::from(p)]);
            }
        }
    }
}

/// The sums of each depth slice's pixels, and of their squares.
pub(super) struct Sums {
    columns: u64,
    of_slices: Vec<[u64; 2]>,
}

impl Sums {
    pub(super) fn new(depth: usize) -> Self {
        Self {
            columns: 0,
            of_slices: vec![[0; 2]; depth],
        }
    }

    pub(super) fn add(&mut self, pixels: &[u8]) {
        for column in pixels.chunks_exact(self.of_slices.len()) {
            self.columns += 1;
            for (sum, &p) in self.of_slices.iter_mut().zip(column) {
                *sum = [sum[0] + u64::from(p), sum[1] + u64::from(p) * u64::from(p)];
            }
        }
    }

    /// Mean and standard deviation, which is 1 of a slice that is the same everywhere.
    pub(super) fn statistics(self) -> Normalisation {
        let count = self.columns as f64;
        let of = |[sum, squares]: [u64; 2]| {
            let mean = sum as f64 / count;
            let variance = squares as f64 / count - mean * mean;
            (mean, if variance > 0.0 { variance.sqrt() } else { 1.0 })
        };
        let (mean, deviation) = self.of_slices.into_iter().map(of).unzip();
        Normalisation { mean, deviation }
    }
}
