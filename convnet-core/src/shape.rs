//! # Shape: the one formula
//!
//! ```text
//!            W = 7                        zeros   W = 5    zeros
//!      ┌─┬─┬─┬─┬─┬─┬─┐                       ┌─┐┌─┬─┬─┬─┬─┐┌─┐
//!      └─┴─┴─┴─┴─┴─┴─┘                       └─┘└─┴─┴─┴─┴─┘└─┘
//!      └F=3──┘                               └F=3───┘
//!          └─────┘     S = 2                       └────┘       S = 2, P = 1
//!              └─────┘                                 └────┘
//!      (7 − 3 + 2·0)/2 + 1 = 3               (5 − 3 + 2·1)/2 + 1 = 3
//! ```
//!
//! `(W − F + 2P)/S + 1`, and it must be an integer: CS231n, *Convolutional Networks*, *Spatial
//! arrangement* and *Constraints on strides*. [`Axis::place`] is the only place where it is
//! computed; the [plan](mod@crate::plan) and the messages follow it. A filter with gaps of D − 1
//! pixels (*dilation*) [covers](Axis::covers) D·(F − 1) + 1, which then stands for F.
//!
//! Everything is a `const fn`: `convnet!` calls it while it expands, and a program whose sizes are
//! named constants calls it while it compiles.

pub mod fits;
mod misfit;
pub use misfit::{Blame, Misfit};

/// What happens when the filter does not step exactly onto the last pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// It is an error, as in CS231n.
    #[default]
    Exact,
    /// The pixels left over are dropped, as PyTorch does.
    Crop,
    /// Zeros are added below and right until the filter fits, as Caffe's pooling does and
    /// PyTorch's with `ceil_mode`. A position that would see nothing but zeros after the image is
    /// left out, as there.
    Pad,
}

/// Zeros around the input, in numbers `N`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding<N = usize> {
    /// So many rows above and below, columns left and right.
    Zeros {
        /// Rows above.
        top: N,
        /// Rows below.
        bottom: N,
        /// Columns left.
        left: N,
        /// Columns right.
        right: N,
    },
    /// As many as keep height and width; stride 1 only. An even filter gets the odd one below and
    /// right.
    Same,
}

impl Padding {
    /// No zeros.
    pub const NONE: Self = Self::all(0);

    /// `pad = zeros`: the same on all four sides.
    #[must_use]
    pub const fn all(zeros: usize) -> Self {
        Self::pair(zeros, zeros)
    }

    /// `pad = (before, after)`: above and left, below and right.
    #[must_use]
    pub const fn pair(before: usize, after: usize) -> Self {
        Self::Zeros {
            top: before,
            bottom: after,
            left: before,
            right: after,
        }
    }
}

/// How a filter slides over a volume, in numbers `N`; `[rows, columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<N = usize> {
    /// F, the receptive field.
    pub size: [N; 2],
    /// D, from one tap of the filter to the next: 1 unless it has gaps.
    pub dilation: [N; 2],
    /// S.
    pub stride: [N; 2],
    /// P.
    pub padding: Padding<N>,
    /// What happens to a remainder.
    pub fit: Fit,
}

impl Window {
    /// A filter of `size` by `size` that steps by `stride` over an input with `pad` zeros around it,
    /// exactly.
    #[must_use]
    pub const fn square(size: usize, stride: usize, pad: usize) -> Self {
        Self {
            size: [size; 2],
            dilation: [1; 2],
            stride: [stride; 2],
            padding: Padding::all(pad),
            fit: Fit::Exact,
        }
    }

    /// How many rows (`axis` 0) or columns (1) a filter covers, its gaps included.
    #[must_use]
    pub const fn covers(&self, axis: usize) -> usize {
        covers(self.size[axis], self.dilation[axis])
    }

    /// The height (`axis` 0) or the width (1) of sliding over an input of `size` there.
    ///
    /// # Errors
    ///
    /// [`Misfit::Same`], if the padding is `same` and the stride is not 1.
    pub const fn axis(&self, axis: usize, size: usize) -> Result<Axis, Misfit> {
        let (filter, dilation) = (self.size[axis], self.dilation[axis]);
        let (stride, covers) = (self.stride[axis], covers(filter, dilation));
        let (before, after) = match self.padding {
            Padding::Zeros {
                top,
                bottom,
                left,
                right,
            } => match axis {
                0 => (top, bottom),
                _ => (left, right),
            },
            Padding::Same if stride > 1 => return Err(Misfit::Same { stride }),
            Padding::Same => (covers.saturating_sub(1) / 2, covers / 2),
        };
        Ok(Axis {
            size,
            filter,
            dilation,
            stride,
            before,
            after,
            fit: self.fit,
        })
    }

    /// Both axes of sliding over an input of `[height, width]`.
    ///
    /// # Errors
    ///
    /// The [`Misfit`] of the width, which is written first, or else of the height.
    pub const fn place(&self, [height, width]: [usize; 2]) -> Result<[Placed; 2], Misfit> {
        let columns = ok!(ok!(self.axis(1, width)).place());
        let rows = ok!(ok!(self.axis(0, height)).place());
        Ok([rows, columns])
    }

    /// As [`place`](Self::place), for a pool.
    ///
    /// # Errors
    ///
    /// As for `place`, and those of [`Axis::place_pool`].
    pub const fn place_pool(&self, [height, width]: [usize; 2]) -> Result<[Placed; 2], Misfit> {
        let columns = ok!(ok!(self.axis(1, width)).place_pool());
        let rows = ok!(ok!(self.axis(0, height)).place_pool());
        Ok([rows, columns])
    }
}

/// One axis of a filter that slides: W, F, D, S and P.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis {
    /// W, pixels of the input.
    pub size: usize,
    /// F.
    pub filter: usize,
    /// D, from one tap of the filter to the next.
    pub dilation: usize,
    /// S.
    pub stride: usize,
    /// Zeros above or left.
    pub before: usize,
    /// Zeros below or right.
    pub after: usize,
    /// What happens to a remainder.
    pub fit: Fit,
}

/// Where a filter comes to lie along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// How many positions it has: the size of the output.
    pub output: usize,
    /// Zeros above or left.
    pub before: usize,
    /// Pixels at the end that are cut off ([`Fit::Crop`]).
    pub lost: usize,
    /// Zeros of the padding at the end that are cut off with them, or instead of them.
    pub spared: usize,
    /// Zeros that [`Fit::Pad`] adds at the end.
    pub added: usize,
}

impl Axis {
    /// The formula.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::shape::{Axis, Fit, Misfit};
    ///
    /// const fn axis(size: usize, filter: usize, stride: usize, pad: usize) -> Axis {
    ///     Axis { size, filter, dilation: 1, stride, before: pad, after: pad, fit: Fit::Exact }
    /// }
    /// // Krizhevsky et al. 2012 as CS231n reads it, and as it is printed.
    /// assert_eq!(axis(227, 11, 4, 0).place().unwrap().output, 55);
    /// assert_eq!(axis(224, 11, 4, 0).place(), Err(Misfit::Remainder(axis(224, 11, 4, 0))));
    /// ```
    ///
    /// # Errors
    ///
    /// A [`Misfit`]: a number is zero or too large, the filter is larger than the padded input, the
    /// division leaves a remainder that `fit` does not allow, or the last position sees nothing but
    /// padding of which there is more than before the image.
    pub const fn place(&self) -> Result<Placed, Misfit> {
        let Self {
            size,
            stride,
            before,
            after,
            fit,
            ..
        } = *self;
        let filter = self.covers();
        if self.too_large() {
            return Err(Misfit::TooLarge("size, filter, stride or padding"));
        }
        if size == 0 {
            return Err(Misfit::NoInput);
        }
        if self.filter == 0 {
            return Err(Misfit::NoSize);
        }
        if self.dilation == 0 {
            return Err(Misfit::NoDilation);
        }
        if stride == 0 {
            return Err(Misfit::NoStride);
        }
        let padded = before + size + after;
        let (slides, rest) = match padded.checked_sub(filter) {
            Some(way) => (way / stride, way % stride),
            // One position that begins on the image and ends in the zeros to add.
            None if matches!(fit, Fit::Pad) && filter - padded < stride => {
                return Ok(Placed {
                    output: 1,
                    before,
                    lost: 0,
                    spared: 0,
                    added: filter - padded,
                });
            }
            None => return Err(Misfit::Larger(*self)),
        };
        if rest > 0 && matches!(fit, Fit::Exact) {
            return Err(Misfit::Remainder(*self));
        }
        let one_more = rest > 0 && matches!(fit, Fit::Pad) && (slides + 1) * stride < before + size;
        if one_more {
            return Ok(Placed {
                output: slides + 2,
                before,
                lost: 0,
                spared: 0,
                added: stride - rest,
            });
        }
        // Zeros go before pixels do.
        let spared = if rest < after { rest } else { after };
        let zeros = after - spared;
        if zeros >= filter && zeros > before {
            return Err(Misfit::Border(*self));
        }
        Ok(Placed {
            output: slides + 1,
            before,
            lost: rest - spared,
            spared,
            added: 0,
        })
    }

    /// As [`place`](Self::place), for a pool: each position must see a pixel, for the maximum or the
    /// average of nothing is nothing.
    ///
    /// # Errors
    ///
    /// Those of `place`, or [`Misfit::Border`] if the padding is as wide as the filter, or a pixel lies between the taps
    /// of a dilated one.
    pub const fn place_pool(&self) -> Result<Placed, Misfit> {
        let placed = ok!(self.place());
        if self.before >= self.covers() || self.after >= self.covers() || self.straddles(&placed) {
            return Err(Misfit::Border(*self));
        }
        Ok(placed)
    }

    /// Whether a position that begins in front of an image smaller than the gaps between taps may have none on it. Of
    /// more than thousands of such positions, that is so.
    const fn straddles(&self, placed: &Placed) -> bool {
        const MOST: usize = 4096;
        let (mut position, mut start) = (0, 0);
        while self.size < self.dilation && position < placed.output && start < self.before {
            // Where the first tap on the image or behind it lies.
            let first = (self.dilation - (self.before - start) % self.dilation) % self.dilation;
            if first >= self.size || position == MOST {
                return true;
            }
            (position, start) = (position + 1, start + self.stride);
        }
        false
    }

    /// The formula solved for W: S·(W' − 1) + F − 2P, of which the filter would make W' = `size`. The
    /// size of what a transposed conv writes, with so many `more` pixels at the end: those that such a filter
    /// would drop.
    ///
    /// # Errors
    ///
    /// A [`Misfit`]: a number is zero or too large, the padding leaves nothing, or there are so many more that
    /// another stamp would fit.
    pub const fn place_transposed(&self, more: usize) -> Result<Placed, Misfit> {
        // What is added is first of all less that is cut off.
        let uncut = if more < self.after { more } else { self.after };
        let axis = Self {
            after: self.after - uncut,
            ..*self
        };
        let mut placed = ok!(axis.place_stamps());
        let (more, step) = match self.stride > self.dilation {
            true => (more - uncut, self.stride),
            false => (more - uncut, self.dilation),
        };
        if more >= step {
            return Err(Misfit::More { more, step });
        }
        placed.output += more;
        Ok(placed)
    }

    const fn place_stamps(&self) -> Result<Placed, Misfit> {
        if self.too_large() || self.size.checked_mul(self.stride).is_none() {
            return Err(Misfit::TooLarge("size, filter, stride or padding"));
        }
        if self.size == 0 {
            return Err(Misfit::NoInput);
        }
        if self.filter == 0 {
            return Err(Misfit::NoSize);
        }
        if self.stride == 0 {
            return Err(Misfit::NoStride);
        }
        if self.dilation == 0 {
            return Err(Misfit::NoDilation);
        }
        let stamped = (self.stride * (self.size - 1)).saturating_add(self.covers());
        match stamped.checked_sub(self.before + self.after) {
            None | Some(0) => Err(Misfit::Cropped(*self)),
            Some(_) if self.after >= self.covers() && self.after > self.before => {
                Err(Misfit::Border(*self))
            }
            Some(output) => Ok(Placed {
                output,
                before: self.before,
                lost: 0,
                spared: 0,
                added: 0,
            }),
        }
    }

    /// How many pixels the filter covers: D·(F − 1) + 1.
    #[must_use]
    pub const fn covers(&self) -> usize {
        covers(self.filter, self.dilation)
    }

    /// Whether both axes have the same numbers.
    pub(crate) const fn same_as(&self, other: &Self) -> bool {
        self.size == other.size
            && self.filter == other.filter
            && self.dilation == other.dilation
            && self.stride == other.stride
            && self.before == other.before
            && self.after == other.after
    }

    /// Where the zeros around it are what is asked for, and nothing slides: size + before + after; or as much is cut
    /// off.
    pub(crate) const fn place_padded(&self, crops: bool) -> Result<Placed, Misfit> {
        if self.too_large() {
            return Err(Misfit::TooLarge("size or padding"));
        }
        let around = self.before + self.after;
        if crops && around >= self.size {
            return Err(Misfit::Nothing {
                size: self.size,
                cut: around,
            });
        }
        Ok(Placed {
            output: match crops {
                true => self.size - around,
                false => self.size + around,
            },
            before: self.before,
            lost: 0,
            spared: 0,
            added: 0,
        })
    }

    /// Whether the numbers are so large that a sum of them could overflow.
    const fn too_large(&self) -> bool {
        const LARGEST: usize = usize::MAX / 8;
        self.size > LARGEST
            || self.filter > LARGEST
            || self.covers() > LARGEST
            || self.stride > LARGEST
            || self.before > LARGEST
            || self.after > LARGEST
    }
}

const fn covers(filter: usize, dilation: usize) -> usize {
    match filter.checked_sub(1) {
        Some(gaps) => gaps.saturating_mul(dilation).saturating_add(1),
        None => 0,
    }
}

/// `?`, which a `const fn` cannot have yet.
macro_rules! ok {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(error),
        }
    };
}
pub(crate) use ok;

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each position of a pool has a tap on the image.
    fn sees(axis: &Axis, placed: &Placed) -> bool {
        (0..placed.output).all(|position| {
            let taps = (0..axis.filter).map(|tap| position * axis.stride + tap * axis.dilation);
            let image = axis.before..axis.before + axis.size;
            taps.into_iter().any(|at| image.contains(&at))
        })
    }

    #[test]
    fn a_pool_is_placed_where_each_position_sees_a_pixel() {
        let (mut placed, mut refused) = (0, 0);
        for case in 0..4 * 4 * 5 * 3 * 9 * 9 * 3 {
            let mut rest = case;
            let mut below = |n: usize| {
                let digit = rest % n;
                rest /= n;
                digit
            };
            let axis = Axis {
                size: 1 + below(4),
                filter: 1 + below(4),
                dilation: 1 + below(5),
                stride: 1 + below(3),
                before: below(9),
                after: below(9),
                fit: [Fit::Exact, Fit::Crop, Fit::Pad][below(3)],
            };
            match (axis.place(), axis.place_pool()) {
                (Ok(is), Ok(pool)) => {
                    assert_eq!(is, pool);
                    assert!(sees(&axis, &pool), "{axis:?}");
                    placed += 1;
                }
                (Ok(is), Err(_)) if axis.before.max(axis.after) < axis.covers() => {
                    assert!(!sees(&axis, &is), "{axis:?}");
                    refused += 1;
                }
                (Ok(_), Err(_)) | (Err(_), Err(_)) => {}
                (Err(_), Ok(_)) => panic!("{axis:?}"),
            }
        }
        assert!(placed > 1000 && refused > 100, "{placed}, {refused}");
    }
}
