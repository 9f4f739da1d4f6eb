//! How long a convolution takes by each algorithm, estimated from its sizes when a program is compiled.
//!
//! The unit is the time of 16 multiply-adds where a kernel computes as fast as its level can: one instruction of
//! AVX-512, two of AVX2. Everything is a number of these: the multiply-adds that there are, what each sum costs to
//! begin and to end, what is moved, and filters that are read from far away. The numbers are fitted to
//! `CHOICES=1 cargo bench -p convnet-core --bench kernels`, which prints how much longer what is chosen takes than
//! the fastest.

use super::cache::{L2, L3, LINE, scalars};
use super::f32::{conv::panels::PANEL, rows, winograd};
use super::{Algorithm, Sizes, Width, Winograd};

/// Multiply-adds of a unit.
const UNIT: usize = 16;

/// To begin and to end a vector of sums of a direct sum: its bias, the clamp, the store, and the wait for the last
/// multiply-adds.
const ENDS: u64 = 20;

/// A vector of eight filters as they are declared, whose rows lie far from each other, of a unit.
const DECLARED: (u64, u64) = (5, 8);

/// As [`ENDS`], of a filter and two vectors of a row's pixels; and of four rows by Winograd's, whose products wait in
/// memory for their sums.
const ROW_ENDS: usize = 56;
const COLUMN_ENDS: usize = 150;

/// Filters that a tile of rows takes the time of at least: fewer wait for their own sums.
const ROW_FILTERS: usize = 4;

/// A tile's multiply-adds along a row, of which the last vectors compute some a second time.
const ROW_PRODUCTS: (usize, usize) = (9, 8);

/// Scalars of a row that Winograd's transform makes in a unit.
const ROW_VALUES: usize = 4;

/// Scalars of filters that arrive in a unit from the last cache, and from memory, at the level that is through with
/// a unit soonest.
const FROM_L3: u64 = 4;
const FROM_MEMORY: (u64, u64) = (8, 5);

/// Points of U that are made in a unit, in training, and what each U costs besides.
const U_POINTS: usize = 2;
const U_ENDS: u64 = 4;

impl Algorithm {
    /// In units; for vectors of such a width.
    pub(super) const fn time(self, sizes: &Sizes, width: Width) -> u64 {
        let ([_, _, depth], [height, columns, k]) = (sizes.x, sizes.y);
        let (filters, taps) = (depth * k, sizes.filter[0] * sizes.filter[1]);
        let (pixels, sum) = ((height * columns) as u64, (taps * depth) as u64);
        let (work, weights) = match self {
            // A vector of 8, one of 4, and the rest one by one.
            Self::Direct | Self::Bfloat16 => {
                let vectors = k / 8 + k % 8 / 4 + k % 4;
                let each = sum * DECLARED.0 / DECLARED.1 + ENDS;
                (pixels * vectors as u64 * each, taps * filters)
            }
            Self::Panels => {
                let panels = k.div_ceil(PANEL) as u64;
                (pixels * panels * (sum + ENDS), taps * filters)
            }
            Self::Rows | Self::Winograd(Winograd::Column) => {
                let band = self.band();
                let reach = rows::reach(sizes, band);
                (by_rows(sizes, band), reach * sizes.filter[1] * filters)
            }
            Self::Winograd(tile) => {
                let reach = winograd::reach(sizes, tile.side());
                (by_tiles(sizes, tile), reach * reach * filters)
            }
        };
        work + far(weights as u64, width)
    }
}

/// To read `weights`, if they are more than half of the second-level cache holds. A narrow level has more time for
/// that.
const fn far(weights: u64, width: Width) -> u64 {
    let (near, last) = (scalars::<f32>(L2 / 2) as u64, scalars::<f32>(L3) as u64);
    if weights <= near {
        return 0;
    }
    let beyond = weights.saturating_sub(last);
    let time = (weights - beyond) / FROM_L3 + beyond * FROM_MEMORY.1 / FROM_MEMORY.0;
    time * width.lanes() as u64 / UNIT as u64
}

/// To lay out rows, to transform them, and the tiles.
const fn by_rows(sizes: &Sizes, band: usize) -> u64 {
    let (depth, [height, width, k], fw) = (sizes.x[2], sizes.y, sizes.filter[1]);
    let (row, reach) = (rows::laid(sizes), rows::reach(sizes, band));
    let (values, ends) = match band {
        1 => (0, ROW_ENDS),
        _ => (reach * row / ROW_VALUES, COLUMN_ENDS),
    };
    let filters = if k < ROW_FILTERS { ROW_FILTERS } else { k };
    let products = filters * reach * fw * depth * ROW_PRODUCTS.0 / ROW_PRODUCTS.1;
    let vectors = width.div_ceil(scalars::<f32>(LINE));
    let bands = height.div_ceil(band) as u64;
    bands * (band * row + values + vectors * (products + k * ends)) as u64
}

/// The products, and a unit for each scalar of what is transformed before and after them.
const fn by_tiles(sizes: &Sizes, tile: Winograd) -> u64 {
    let (depth, k, side) = (sizes.x[2], sizes.y[2], tile.side());
    let points = (winograd::reach(sizes, side) * winograd::reach(sizes, side)) as u64;
    let places = winograd::tiles(sizes, side) as u64 * points;
    places * (depth * k) as u64 / UNIT as u64 + places * (depth + k) as u64
}

/// A direction of training, by a tile of Winograd's or by the direct sum. Nothing is packed there: U, or what becomes
/// of the sums, is made for every depth and filter.
pub(crate) const fn of_training(sizes: &Sizes, tile: Option<Winograd>) -> u64 {
    let ([_, _, depth], [height, width, k]) = (sizes.x, sizes.y);
    let filters = (depth * k) as u64;
    let Some(tile) = tile else {
        let taps = (sizes.filter[0] * sizes.filter[1]) as u64;
        return taps * filters * (height * width) as u64 / UNIT as u64;
    };
    let reach = winograd::reach(sizes, tile.side());
    by_tiles(sizes, tile) + filters * ((reach * reach / U_POINTS) as u64 + U_ENDS)
}
