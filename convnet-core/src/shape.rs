//! # Shape: the one formula
//!
//! `(W − F + 2P)/S + 1`, CS231n, *Spatial arrangement*.

/// What happens when the filter does not step exactly onto the last pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// It is an error, as in CS231n.
    #[default]
    Exact,
    /// The pixels left over are dropped, as PyTorch does.
    Crop,
    /// Zeros are added below and right until the filter fits, as Caffe's pooling does.
    Pad,
}

/// Zeros around the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// So many rows above and below, columns left and right.
    Zeros {
        /// Rows above.
        top: usize,
        /// Rows below.
        bottom: usize,
        /// Columns left.
        left: usize,
        /// Columns right.
        right: usize,
    },
    /// As many as keep height and width; stride 1 only. An even filter gets the odd one below and
    /// right.
    Same,
}

/// How a filter slides over a volume; `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// F, the receptive field.
    pub size: [usize; 2],
    /// S.
    pub stride: [usize; 2],
    /// P.
    pub padding: Padding,
    /// What happens to a remainder.
    pub fit: Fit,
}
