//! Which algorithm computes a convolution: chosen by its sizes, when the program is compiled.

use core::fmt::{self, Display, Formatter};

use super::f32::conv::panels;
use super::f32::{rows, winograd};
use super::{Sizes, Width};

/// How a convolution is computed, and what its filters are packed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// The direct sum, over the filters as they are declared.
    Direct,
    /// The direct sum, over panels of 16 filters.
    Panels,
    /// The direct sum, a row at a time, with vectors along the row: for few filters.
    Rows,
    /// Winograd's.
    Winograd(Winograd),
    /// The direct sum of an `fc`, over filters in bfloat16: half the bytes to read.
    Bfloat16,
}

/// A size of Winograd's tiles: F(2,3), F(4,3) and F(6,3) in the literature, along both axes or one.
///
/// The larger the tile, the fewer multiplications and the less exact. Root mean square of the error
/// against `f64`, for standard normal inputs and Kaiming's filters of 3x3x64, as a multiple of the
/// direct sum's 6·10⁻⁷: 0.6, 1.9 and 7.5; outputs have a standard deviation of 1.4. For filters of
/// 5x5x64, of which there is F(4,5) only: 4.5 times the direct sum's 9·10⁻⁷. Along the columns alone:
/// 1.3 times for 3x3x64 and 2.0 for 5x5x64; 1.9 for 3x3x3, 2.5 for 5x5x3 and 3.1 for 5x5x1, where the
/// direct sum's is 1.4·10⁻⁷, 2.2·10⁻⁷ and 1.1·10⁻⁷. In training, where there are F(2,3) and F(4,3), the
/// gradient on the input is off by 1.7 and 5.2 times the direct sum's error, and the one on the filters
/// by 1.0 and 1.9 times (3x3x64 to 64 at 16x16).
///
/// Near the largest `f32`, 3.4·10³⁸, the transforms overflow where the direct sum does not: what a tile
/// gives is infinite then, or NaN. That begins where the largest |x| is above the first number, or may begin
/// where that times a filter's Σ |w| is above the second:
///
/// | | \|x\| | \|x\| · Σ \|w\| |
/// |---|--:|--:|
/// | F(2,3) | 8.5·10³⁷ | 2.1·10³⁷ |
/// | F(4,3) | 1.0·10³⁷ | 1.4·10³⁶ |
/// | F(6,3) | 1.5·10³⁶ | 2.1·10³⁵ |
/// | F(4,5) | 1.5·10³⁶ | 1.9·10³⁵ |
/// | along the columns, 3x3 | 5.9·10³⁷ | 2.2·10³⁷ |
/// | along the columns, 5x5 | 2.2·10³⁷ | 8.0·10³⁶ |
///
/// A pixel that is infinite or NaN may make the whole of each tile that reads it infinite or NaN.
/// [`Prepared::without_winograd`](crate::prepare::Prepared::without_winograd) and `#[direct_training]` are
/// for those who need such numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winograd {
    /// 2×2 outputs with 16 multiplications: 2.25 times fewer than the direct sum.
    Two,
    /// 4×4 outputs with 36: 4 times fewer; with 64, 6.25 times fewer, for filters of 5x5.
    Four,
    /// 6×6 outputs with 64: 5.06 times fewer.
    Six,
    /// 4 outputs of a column, for few filters: with 18 multiplications instead of 36 for filters of 3x3,
    /// with 40 instead of 100 for 5x5.
    Column,
}

impl Winograd {
    /// Rows of a tile of outputs; and columns, unless it is a [`Column`](Self::Column).
    pub(super) const fn side(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four | Self::Column => 4,
            Self::Six => 6,
        }
    }
}

impl Algorithm {
    /// The fastest algorithm for `sizes` with vectors of such a width, or the fastest that is a direct sum.
    #[must_use]
    pub const fn choose(sizes: &Sizes, width: Width, winograd: bool) -> Self {
        if !Self::Direct.can(sizes) {
            return Self::Direct;
        }
        let (mut best, mut least) = (Self::Direct, Self::Direct.time(sizes, width));
        let others = [
            Self::Panels,
            Self::Rows,
            Self::Winograd(Winograd::Column),
            Self::Winograd(Winograd::Two),
            Self::Winograd(Winograd::Four),
            Self::Winograd(Winograd::Six),
        ];
        let mut i = 0;
        while i < others.len() {
            let other = others[i];
            let asked = winograd || !matches!(other, Self::Winograd(_));
            if asked && other.pays(sizes) && other.time(sizes, width) < least {
                (best, least) = (other, other.time(sizes, width));
            }
            i += 1;
        }
        best
    }

    /// Whether a pool behind such a convolution can take rows as they come, whichever algorithm is chosen.
    pub(crate) const fn always_pools(sizes: &Sizes, pool: &Sizes) -> bool {
        let mut i = 0;
        while i < Width::ALL.len() {
            let width = Width::ALL[i];
            let pools = Self::choose(sizes, width, true).pools(pool)
                && Self::choose(sizes, width, false).pools(pool);
            if !pools {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Whether it can, and rows are long enough for the vectors that run along them.
    const fn pays(self, sizes: &Sizes) -> bool {
        let short = sizes.y[1] < rows::SHORTEST;
        self.can(sizes) && !(short && self.runs_along_rows())
    }

    const fn runs_along_rows(self) -> bool {
        matches!(self, Self::Rows | Self::Winograd(Winograd::Column))
    }

    /// Whether it computes such a convolution at all.
    pub(super) const fn can(self, sizes: &Sizes) -> bool {
        let ([_, _, depth], [_, _, k]) = (sizes.x, sizes.y);
        if !sizes.are_of_a_conv() {
            return false;
        }
        if !matches!(sizes.dilation, [1, 1]) || sizes.groups > 1 {
            return matches!(self, Self::Direct);
        }
        match self {
            Self::Direct => true,
            Self::Panels => k >= panels::PANEL,
            Self::Rows => sizes.stride[1] == 1 && sizes.filter[0] <= rows::HEIGHT,
            Self::Winograd(Winograd::Column) => {
                matches!(sizes.filter, [3, 3] | [5, 5]) && matches!(sizes.stride, [1, 1])
            }
            Self::Winograd(tile) => {
                let has = match sizes.filter {
                    [3, 3] => true,
                    [5, 5] => matches!(tile, Winograd::Four),
                    _ => false,
                };
                has && k >= panels::PANEL
                    && depth >= panels::PANEL
                    && matches!(sizes.stride, [1, 1])
            }
            Self::Bfloat16 => matches!(sizes.y, [1, 1, _]),
        }
    }

    /// Whether the rows that it computes can be pooled as they come.
    pub(super) const fn pools(self, pool: &Sizes) -> bool {
        self.runs_along_rows()
            && matches!(pool.dilation, [1, 1])
            && matches!(pool.filter[0], 1..=rows::POOLED)
            && pool.stride[0] > 0
            && pool.stride[1] > 0
    }

    /// Whether such a convolution can be added to what lies where it goes: each sum is stored once.
    #[must_use]
    pub const fn adds(self, sizes: &Sizes) -> bool {
        let once = sizes.y[2].is_multiple_of(panels::PANEL);
        once && self.can(sizes)
            && match self {
                Self::Panels => true,
                Self::Winograd(_) => !self.runs_along_rows(),
                Self::Direct | Self::Rows | Self::Bfloat16 => false,
            }
    }

    /// Rows of the output that are computed together, and not cut.
    pub(super) const fn band(self) -> usize {
        match self {
            Self::Winograd(winograd) => winograd.side(),
            _ => 1,
        }
    }

    /// Whether `packed` is as long as the packed filters of a convolution that it computes.
    pub(super) fn fits(self, sizes: &Sizes, packed: &[f32]) -> bool {
        self.can(sizes)
            && match self {
                Self::Direct => packed.len() == sizes.filters(),
                _ => packed.len() == self.packed(sizes),
            }
    }

    /// Scalars of the packed filters; 0 if they are used as they are declared, or if it does not compute
    /// such a convolution.
    #[must_use]
    pub const fn packed(self, sizes: &Sizes) -> usize {
        if !self.can(sizes) {
            return 0;
        }
        match self {
            Self::Direct => 0,
            Self::Panels => panels::packed(sizes),
            Self::Rows | Self::Winograd(Winograd::Column) => rows::packed(sizes, self.band()),
            Self::Winograd(winograd) => winograd::packed(sizes, winograd),
            Self::Bfloat16 => {
                let ([fh, fw], depth, k) = (sizes.filter, sizes.x[2], sizes.y[2]);
                (fh * fw * depth).div_ceil(2) * k
            }
        }
    }

    /// Scalars that are needed while it works; 0 if it does not compute such a convolution.
    #[must_use]
    pub const fn scratch(self, sizes: &Sizes) -> usize {
        if !self.can(sizes) {
            return 0;
        }
        match self {
            Self::Direct | Self::Panels | Self::Bfloat16 => 0,
            Self::Rows | Self::Winograd(Winograd::Column) => {
                rows::scratch(sizes, self.band(), rows::POOLED)
            }
            Self::Winograd(winograd) => winograd::scratch(sizes, winograd),
        }
    }
}

/// `direct`, `panels`, `rows`, `winograd 4x4`, `winograd 4x1` (of a column), `bfloat16`.
impl Display for Algorithm {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direct => f.write_str("direct"),
            Self::Panels => f.write_str("panels"),
            Self::Rows => f.write_str("rows"),
            Self::Winograd(Winograd::Column) => f.write_str("winograd 4x1"),
            Self::Winograd(winograd) => {
                let side = winograd.side();
                write!(f, "winograd {side}x{side}")
            }
            Self::Bfloat16 => f.write_str("bfloat16"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Sizes, Width, Winograd};

    /// What a larger tile saves in multiplications, wide vectors lose in reading its filters from memory.
    #[test]
    fn a_width_has_a_choice_of_its_own() {
        let sizes = Sizes {
            x: [7, 7, 512],
            filter: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            groups: 1,
            before: [1, 1],
            y: [7, 7, 512],
        };
        let tiles = [Winograd::Four, Winograd::Four, Winograd::Two];
        for (width, tile) in Width::ALL.into_iter().zip(tiles) {
            let chosen = Algorithm::choose(&sizes, width, true);
            assert_eq!(chosen, Algorithm::Winograd(tile), "{width:?}");
        }
    }
}
