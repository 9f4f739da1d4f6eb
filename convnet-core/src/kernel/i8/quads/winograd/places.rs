//! How tiles lie in memory.

use super::Tile;
use super::products::TILES;
use crate::kernel::Sizes;
use crate::kernel::cache::L2;
use crate::kernel::i8::quads::{Block, FILTERS};

/// Tiles of y that are worked on together, at most.
const MOST: usize = 48;

/// How tiles lie in the scratch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Tiles across, and all.
    pub(super) across: usize,
    pub(super) all: usize,
    /// As many at a time.
    pub(super) most: usize,
    /// Pairs of depths.
    pub(super) pairs: usize,
    /// From point to point of V, in words, and of M, in sums; the line between two keeps them from the same sets of a
    /// cache.
    pub(super) planes: [usize; 2],
}

impl Places {
    pub(super) const fn new(sizes: &Sizes, tile: Tile) -> Self {
        let ([height, width, _], depth) = (sizes.y, sizes.x[2]);
        let pairs = depth.div_ceil(2);
        let across = width.div_ceil(tile.side());
        let all = across * height.div_ceil(tile.side());
        // V stays in three quarters of the cache, while filters pass through the rest.
        let near = L2 / 4 * 3 / (tile.points() * pairs * 4) / TILES * TILES;
        let most = match near {
            0 => TILES,
            1..MOST => near,
            _ => MOST,
        };
        let most = match all {
            0 => 0,
            _ => all.div_ceil(all.div_ceil(most)),
        };
        let line = size_of::<Block>();
        Self {
            across,
            all,
            most,
            pairs,
            planes: [
                (most * pairs * 4).next_multiple_of(line) / 2 + line / 2,
                most * FILTERS + line / 4,
            ],
        }
    }

    /// Sums that V takes, all of the points; those of M; and those that a border of `depth` bytes takes.
    pub(super) const fn sums(&self, tile: Tile, depth: usize) -> [usize; 3] {
        let points = tile.points();
        [
            points * self.planes[0] / 2,
            points * self.planes[1],
            depth.div_ceil(4),
        ]
    }
}

/// Blocks of U, ends, and blocks to work in.
#[must_use]
pub const fn memory(sizes: &Sizes, tile: Tile) -> [usize; 3] {
    let places = Places::new(sizes, tile);
    let panels = sizes.y[2].div_ceil(FILTERS);
    let [v, m, border] = places.sums(tile, sizes.x[2]);
    let blocks = ((v + m + border) * 4).div_ceil(size_of::<Block>());
    [panels * tile.points() * places.pairs, panels, blocks]
}
