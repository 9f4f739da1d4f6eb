//! What one layer reads and writes in one pass, and where.

use super::scalars;

/// Where a volume lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The caller's: the image in a forward pass, `d_input` in backward.
    Input,
    /// The caller's `d_output`, which can only be read; in backward only.
    Output,
    /// At this byte of the arena or the tape.
    At(usize),
}

impl Place {
    /// The scalar at which it lies in a network of `f32`; 0 for the caller's volumes.
    #[must_use]
    pub const fn scalar(self) -> usize {
        match self {
            Self::At(byte) => scalars(byte),
            Self::Input | Self::Output => 0,
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Nothing: `to` is `from`.
    Skip,
    /// The layer works in place: `to` is `from`.
    InPlace,
    /// The volume is copied, then the layer works in place in `to` (where it does anything).
    Copy,
    /// The layer reads `from` and writes `to`, which do not overlap. A `Concat` writes its slice.
    Apart,
}

/// One layer in one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// What it reads: x in a forward pass, dy in backward.
    pub from: Place,
    /// What it writes: y in a forward pass, dx in backward.
    pub to: Place,
    /// How it gets there.
    pub how: How,
}

/// One layer in the pass of a prepared network.
///
/// The first layer of a [group](super::Group) computes all of it, but for a pool, which follows at once: the
/// layers in between are skipped. So are the sum and the clamps that it is [added](Self::adds) with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreparedPass {
    /// What it reads and writes.
    pub pass: Pass,
    /// How many rows of the output there are at a time: all, or, if the pool takes them as they
    /// come, those that a window sees.
    pub rows: usize,
    /// How many rows of the input the pool still needs: all or, mostly, none.
    pub x_rows: usize,
    /// Of the first layer of a group: whether it is added to the other volume of the [`Add`](super::Op::Add) behind
    /// the group, which lies at `pass.to`; and then how many clamps of the sum are computed with it.
    pub adds: Option<usize>,
    /// Where the arena of a prepared [`Network`](super::Op::Network) lies in this one.
    pub scratch: usize,
}

impl PreparedPass {
    /// Where that part of the input lies which the pool still needs; 0 if there is none.
    #[must_use]
    pub const fn x_scalar(&self) -> usize {
        match self.x_rows {
            0 => 0,
            _ => self.pass.from.scalar(),
        }
    }
}

/// A way of the gradient: from a layer's output to a volume that the layer read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// From the gradient on the output to this layer's share of the one on the volume.
    pub pass: Pass,
    /// Where other layers that read the volume have left their share: `pass.to` is added to that.
    pub sum: Option<Place>,
    /// Whether no layer with parameters lies before the volume. Then the gradient on it only
    /// serves the caller's `d_input`: where that is not asked for, a layer with parameters runs
    /// `backward_parameters`, and one without does not run.
    pub on_request: bool,
}

impl Flow {
    pub(super) const NONE: Self = Self {
        pass: Pass {
            from: Place::Input,
            to: Place::Input,
            how: How::Skip,
        },
        sum: None,
        on_request: false,
    };

    /// The scalar of `sum`; 0 if there is none.
    #[must_use]
    pub const fn sum_scalar(&self) -> usize {
        match self.sum {
            Some(place) => place.scalar(),
            None => 0,
        }
    }
}
