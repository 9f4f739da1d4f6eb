//! # Pictures: bytes on their way to a network
//!
//! ```text
//!  file ──decode──▶ bytes of the network's size ──Normalisation──▶ numbers around 0
//! ```
//!
//! **Invariant:** what a network is used on is read as what it was trained on was.

use alloc::vec::Vec;
use core::array;

#[cfg(feature = "image")]
mod decode;

#[cfg(feature = "image")]
pub use decode::PictureError;
#[cfg(feature = "image")]
pub(crate) use decode::decode;

/// What is subtracted from the pixel values of each depth slice, and what they are divided by.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalisation {
    /// One for each depth slice, in pixel values.
    pub mean: Vec<f64>,
    /// One for each depth slice, in pixel values.
    pub deviation: Vec<f64>,
}

impl Normalisation {
    /// No mean, and the same deviation for each of `depth` slices.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::classify::Normalisation;
    ///
    /// // From 0 to 1, and from −1 to 1.
    /// let gray = Normalisation::divide(255.0, 1);
    /// let color = Normalisation { mean: vec![127.5; 3], deviation: vec![127.5; 3] };
    /// ```
    #[must_use]
    pub fn divide(by: f64, depth: usize) -> Self {
        Self {
            mean: alloc::vec![0.0; depth],
            deviation: alloc::vec![by; depth],
        }
    }

    /// Whether it is one for images of this depth: finite means, and deviations to divide by.
    pub(crate) fn fits(&self, depth: usize) -> bool {
        let positive = |s: &f64| s.is_finite() && *s > 0.0;
        let sound = self.mean.iter().all(|m| m.is_finite()) && self.deviation.iter().all(positive);
        sound && [self.mean.len(), self.deviation.len()] == [depth; 2]
    }

    /// For each depth slice, what each pixel value is read as.
    pub(crate) fn values(&self) -> impl Iterator<Item = [f64; 256]> {
        let slices = self.mean.iter().zip(&self.deviation);
        slices.map(|(m, s)| array::from_fn(|p| (p as f64 - m) / s))
    }
}

/// How an image file of another size is brought to the size that a network reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sizing {
    /// The whole picture, stretched along one axis if it has another shape: nothing is cut off.
    #[default]
    Stretch,
    /// The largest part in the middle that has the shape, with its proportions.
    Crop,
    /// Another size is an error.
    Refuse,
}

/// By these names a sizing stands in a file.
const NAMES: [(&str, Sizing); 3] = [
    ("stretch", Sizing::Stretch),
    ("crop", Sizing::Crop),
    ("refuse", Sizing::Refuse),
];

impl Sizing {
    pub(crate) fn name(self) -> &'static str {
        let mut names = NAMES.into_iter();
        names
            .find(|(_, it)| *it == self)
            .map_or("", |(name, _)| name)
    }

    pub(crate) fn of_name(name: &str) -> Option<Self> {
        let mut names = NAMES.into_iter();
        names.find(|(it, _)| *it == name).map(|(_, sizing)| sizing)
    }
}
