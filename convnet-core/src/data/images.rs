//! A set of images in memory, a byte a pixel value.

use std::array;

use super::{DataError, Defect, Samples};
use crate::Real;

/// Images and their labels in memory.
///
/// A pixel value `p` is read as `(p − mean) / deviation` of its depth slice: until
/// [`normalised`](Self::normalised) says otherwise, as `p / 255`.
#[derive(Clone, Debug)]
pub struct Images {
    shape: [usize; 3],
    classes: usize,
    pixels: Vec<u8>,
    labels: Vec<usize>,
    /// For each depth slice, what each pixel value is read as.
    values: Vec<[f64; 256]>,
}

/// What is subtracted from the pixel values of each depth slice, and what they are divided by.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// One for each depth slice, in pixel values.
    pub mean: Vec<f64>,
    /// One for each depth slice, in pixel values.
    pub deviation: Vec<f64>,
}

impl Images {
    /// Images of `shape` (height, width, depth) one after the other, `[height][width][depth]`, and
    /// a label for each.
    ///
    /// # Errors
    ///
    /// [`Defect::Pixels`], [`Defect::Count`], [`Defect::Label`], [`Defect::Empty`].
    pub fn new(
        shape: [usize; 3],
        classes: usize,
        pixels: Vec<u8>,
        labels: Vec<usize>,
    ) -> Result<Self, DataError> {
        let size: usize = shape.iter().product();
        if size == 0 || !pixels.len().is_multiple_of(size) {
            let found = pixels.len();
            return Err(Defect::Pixels { shape, found }.into());
        }
        let (images, count) = (pixels.len() / size, labels.len());
        if images != count {
            let labels = count;
            return Err(Defect::Count { images, labels }.into());
        }
        if images == 0 {
            return Err(Defect::Empty.into());
        }
        if let Some(index) = labels.iter().position(|&label| label >= classes) {
            let label = labels[index];
            return Err(Defect::Label {
                index,
                label,
                classes,
            }
            .into());
        }
        let values = Normalisation::divide(255.0, shape[2]).values();
        Ok(Self {
            shape,
            classes,
            pixels,
            labels,
            values,
        })
    }

    /// As [`new`](Self::new), of images that have no class: each is of class 0, the only one. Their targets
    /// come [later](Self::with_targets), or they are their [own](Samples::autoencoder).
    ///
    /// # Errors
    ///
    /// [`Defect::Pixels`], [`Defect::Empty`].
    pub fn unlabelled(shape: [usize; 3], pixels: Vec<u8>) -> Result<Self, DataError> {
        let size: usize = shape.iter().product();
        let images = pixels.len() / size.max(1);
        Self::new(shape, 1, pixels, vec![0; images])
    }

    /// Mean and standard deviation of each depth slice over all images. A slice that is the same
    /// everywhere has the deviation 1.
    #[must_use]
    pub fn statistics(&self) -> Normalisation {
        let depth = self.shape[2];
        let mut sums = vec![(0u64, 0u64); depth];
        for column in self.pixels.chunks_exact(depth) {
            for (sum, &p) in sums.iter_mut().zip(column) {
                *sum = (sum.0 + u64::from(p), sum.1 + u64::from(p) * u64::from(p));
            }
        }
        let count = (self.pixels.len() / depth) as f64;
        let mean = sums.iter().map(|&(sum, _)| sum as f64 / count);
        let variance = mean
            .clone()
            .zip(&sums)
            .map(|(m, &(_, squares))| squares as f64 / count - m * m);
        let deviation = variance
            .map(|v| if v > 0.0 { v.sqrt() } else { 1.0 })
            .collect();
        Normalisation {
            mean: mean.collect(),
            deviation,
        }
    }

    /// The same images, read through `normalisation`. Give the test set the training set's: the
    /// network must not learn from the test (CS231n, *Data Preprocessing*).
    ///
    /// # Errors
    ///
    /// [`Defect::Normalisation`] if it is for images of another depth, or divides by what is no
    /// positive number.
    ///
    /// ```
    /// # use convnet_core::data::{DataError, Images};
    /// # let set = || Images::new([1, 2, 1], 2, vec![0, 255, 255, 0], vec![0, 1]);
    /// # let (train, test) = (set()?, set()?);
    /// let statistics = train.statistics();
    /// let (train, test) = (train.normalised(&statistics)?, test.normalised(&statistics)?);
    /// # Ok::<(), DataError>(())
    /// ```
    pub fn normalised(mut self, normalisation: &Normalisation) -> Result<Self, DataError> {
        let depth = self.shape[2];
        let Normalisation { mean, deviation } = normalisation;
        let positive = |s: &f64| s.is_finite() && *s > 0.0;
        let sound = mean.iter().all(|m| m.is_finite()) && deviation.iter().all(positive);
        if !sound || [mean.len(), deviation.len()] != [depth; 2] {
            let found = normalisation.clone();
            return Err(Defect::Normalisation { depth, found }.into());
        }
        self.values = normalisation.values();
        Ok(self)
    }

    /// The pixel values of image `index` as they were given.
    #[must_use]
    pub fn pixels(&self, index: usize) -> &[u8] {
        let size = self.pixels.len() / self.labels.len();
        &self.pixels[index * size..][..size]
    }
}

impl Normalisation {
    /// No mean, and the same deviation for each of `depth` slices.
    #[must_use]
    pub fn divide(by: f64, depth: usize) -> Self {
        Self {
            mean: vec![0.0; depth],
            deviation: vec![by; depth],
        }
    }

    fn values(&self) -> Vec<[f64; 256]> {
        let slices = self.mean.iter().zip(&self.deviation);
        slices
            .map(|(m, s)| array::from_fn(|p| (p as f64 - m) / s))
            .collect()
    }
}

impl Samples for Images {
    fn len(&self) -> usize {
        self.labels.len()
    }

    fn shape(&self) -> [usize; 3] {
        self.shape
    }

    fn classes(&self) -> usize {
        self.classes
    }

    fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        let depth = self.shape[2];
        let columns = self.pixels(index).chunks_exact(depth);
        for (to, column) in image.chunks_exact_mut(depth).zip(columns) {
            for ((to, &p), values) in to.iter_mut().zip(column).zip(&self.values) {
                *to = T::of(values[usize::from(p)]);
            }
        }
    }
}
