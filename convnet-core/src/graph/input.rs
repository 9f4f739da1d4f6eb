//! The line in front: the image.

use crate::layer::word::word;

word! {
    /// `input(32x32x3)`: the image that the network reads. The first line, once.
    input {
        /// Width x height x depth: `32x32x3` in color, `28x28x1` in gray. PyTorch's depth comes first, this one
        /// last: `3x32x32` before filters that are wider than 1 is an error that asks. A width of 3 that is
        /// meant has a name, `WIDTH x 32 x 32`; a signal of 64 along the height is seen by filters that are 1
        /// wide, `conv(8, 1x5)`.
        size: [usize; 3] = first(Takes::Shape),
    }
    Manner::Passes, Sees::Pixel;
    example: "input(32x32x3)",
}
