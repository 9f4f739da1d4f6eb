//! Which tile there is to be, if any.

use super::places::Places;
use super::{WORDS, pools};
use crate::kernel::Sizes;
use crate::kernel::cache::{L2, L3};
use crate::kernel::i8::quads::{FILTERS, Machine};

/// Filters of a vector.
const LANES: usize = 8;

/// What a vector of M takes, until it is bytes.
const ENDS: usize = 6;

/// Bytes of U that stay in the second-level cache beside V, and how many arrive from the last cache, and from memory,
/// in the time of a vector.
const NEAR: usize = L2 / 2;
const FROM_L3: usize = 16;
const FROM_MEMORY: usize = 3;

/// Outputs of a tile: F(2x2, 3x3) or F(4x4, 3x3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tile {
    /// 2x2 outputs by 16 products.
    Two,
    /// 4x4 outputs by 36.
    Four,
}

impl Tile {
    /// All.
    pub const ALL: [Self; 2] = [Self::Two, Self::Four];

    /// M: rows and columns of outputs.
    pub(super) const fn side(self) -> usize {
        match self {
            Self::Two => 2,
            Self::Four => 4,
        }
    }

    /// A: rows and columns of the input that they read.
    pub(super) const fn reach(self) -> usize {
        self.side() + 2
    }

    /// A·A.
    pub(super) const fn points(self) -> usize {
        self.reach() * self.reach()
    }

    /// G, whole numbers.
    pub(super) const fn rows(self) -> &'static [[i16; 3]] {
        match self {
            Self::Two => &[[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]],
            Self::Four => &[
                [6, 0, 0],
                [-4, -4, -4],
                [-4, 4, -4],
                [1, 2, 4],
                [1, -2, 4],
                [0, 0, 12],
            ],
        }
    }

    /// Whether sums of products with filters, the distances of which from zero are `most` together, are known.
    #[must_use]
    pub const fn holds(self, most: u64) -> bool {
        let lost = match self {
            Self::Two => 2,
            Self::Four => 6,
        };
        match most.checked_mul(128) {
            Some(sum) => sum < 1 << (31 - lost),
            None => false,
        }
    }

    /// That by which a layer takes the least time, if not the direct sum does; `None` too where no tile holds what
    /// `filter`, which tells the elements of each, sums up to.
    #[must_use]
    pub fn choose(
        machine: Machine,
        sizes: &Sizes,
        pool: Option<&Sizes>,
        filter: impl Fn(usize, usize) -> i8,
    ) -> Option<Self> {
        if !Self::can(machine, sizes, pool) {
            return None;
        }
        let most = (0..sizes.y[2]).map(|k| {
            let elements = (0..9 * sizes.x[2]).map(|at| filter(k, at));
            elements.map(|w| u64::from(w.unsigned_abs())).sum()
        });
        let most = most.max()?;
        let of = Self::ALL.into_iter().filter(|tile| tile.holds(most));
        of.min_by_key(|tile| tile.time(sizes))
            .filter(|tile| tile.time(sizes) < direct(sizes))
    }

    /// In the time in which a vector of pairs is multiplied and added: products; the transforms, which take several
    /// times that a vector; and U, which comes from far away.
    const fn time(self, sizes: &Sizes) -> usize {
        let (pairs, vectors) = (sizes.x[2].div_ceil(2), sizes.y[2].div_ceil(LANES));
        let all = Places::new(sizes, self).all;
        let u = self.points() * pairs * sizes.y[2].next_multiple_of(FILTERS) * 4;
        let beyond = u.saturating_sub(L3);
        let far = match u {
            0..NEAR => 0,
            _ => (u - beyond) / FROM_L3 + beyond / FROM_MEMORY,
        };
        all * self.points() * (pairs * vectors + pairs + ENDS * vectors) + far
    }

    /// Whether layers of such sizes, and of such a pool behind them, are made of tiles on this machine.
    #[must_use]
    pub fn can(machine: Machine, sizes: &Sizes, pool: Option<&Sizes>) -> bool {
        let is_known = machine.has_pairs()
            && matches!(
                (sizes.filter, sizes.stride, sizes.dilation, sizes.groups),
                ([3, 3], [1, 1], [1, 1], 1)
            );
        let pools = pool.is_none_or(|pool| pools(sizes, pool));
        is_known && pools && sizes.x[2] >= WORDS && !sizes.y.contains(&0)
    }
}

/// As [`Tile::time`], of a direct sum: a vector of quads takes almost four times that.
const fn direct(sizes: &Sizes) -> usize {
    let (quads, vectors) = (sizes.x[2].div_ceil(4), sizes.y[2].div_ceil(LANES));
    sizes.y[0] * sizes.y[1] * vectors * (9 * quads * 7 / 2 + ENDS)
}
