//! Where one of several outputs lies.

use core::ops::Range;

/// One of the outputs of a network that ends in `outputs { … }`, in the vector of all: see
/// [`Network::OUTPUTS`](crate::Network::OUTPUTS).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputOf<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its volume: height, width, depth.
    pub volume: [usize; 3],
    /// How many numbers lie in front of it.
    pub at: usize,
}

impl OutputOf<'_> {
    /// Where its numbers lie among those of all outputs.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::OutputOf;
    ///
    /// let scores = OutputOf { name: "scores", volume: [4, 4, 2], at: 64 };
    /// assert_eq!(scores.range(), 64..96);
    /// ```
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        let [height, width, depth] = self.volume;
        self.at..self.at + height * width * depth
    }
}
