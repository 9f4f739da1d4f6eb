//! Filters as a kernel wants them: chosen by sizes, made where a network is filled, or by the compiler.
//!
//! ```text
//!  two filters, a and b, of inputs 0 1 2 3 …
//!  Tiles, Dense   a0 b0 a2 b2 │ a1 b1 a3 b3 │ …      four inputs are widened into pairs (0, 2) and (1, 3)
//!  Rows           a0 b0 a1 b1 │ a2 b2 a3 b3 │ …      rows of a first layer were widened in order
//! ```
//!
//! A word of four bytes holds a pair of inputs for two filters: `sxtb16` takes those of a out of it, and of b. What
//! is missing, the second of an odd filter and the last inputs of a run, is zero.

use crate::kernel::Sizes;

/// How the filters of a `conv`, or of an `fc`, lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One filter after the other.
    Plain,
    /// In pairs; one window, which lies in x as it is.
    Dense,
    /// In pairs; windows of four pixels are laid out side by side.
    Tiles,
    /// In pairs; windows are read in rows of x that were widened.
    Rows,
}

/// Whether this machine has kernels for pairs.
pub(crate) const PAIRS: bool = cfg!(dsp);

/// Pixels of a tile.
pub(super) const PIXELS: usize = 4;

/// The longest row of a window that is read in widened rows: it is unrolled.
const LONGEST: usize = 32;

/// The largest distance that a load takes.
const FAR: usize = 4092;

impl Layout {
    /// For a layer of such sizes and a pool behind it. The image may be read in rows.
    #[must_use]
    pub const fn choose(sizes: &Sizes, pool: Option<&Sizes>, is_first: bool) -> Self {
        let &Sizes { x, filter, y, .. } = sizes;
        if sizes.groups != 1 {
            Self::Plain
        } else if y[0] == 1 && y[1] == 1 && filter[0] == x[0] && filter[1] == x[1] {
            Self::Dense
        } else if is_first && Steps::of_pooled(sizes, pool).fit(sizes) {
            Self::Rows
        } else {
            Self::Tiles
        }
    }

    /// Inputs of a run, and how many runs there are; each ends on a word.
    const fn runs(self, sizes: &Sizes) -> [usize; 2] {
        let depth = sizes.x[2] / sizes.groups;
        let [fh, fw] = sizes.filter;
        match self {
            Self::Plain | Self::Dense | Self::Tiles => [fh * fw * depth, 1],
            Self::Rows => [fw * depth, fh],
        }
    }

    /// Bytes of all filters.
    #[must_use]
    pub const fn bytes(self, sizes: &Sizes) -> usize {
        let ([run, runs], k) = (self.runs(sizes), sizes.y[2]);
        match self {
            Self::Plain => k * run,
            Self::Dense | Self::Tiles | Self::Rows => {
                k.next_multiple_of(2) * runs * run.next_multiple_of(4)
            }
        }
    }

    /// Where element `at` of filter `k` lies, counted `[row][column][depth]`.
    #[must_use]
    pub const fn place(self, sizes: &Sizes, k: usize, at: usize) -> usize {
        let [run, runs] = self.runs(sizes);
        let padded = run.next_multiple_of(4);
        let block = k / 2 * 2 * runs * padded + k % 2;
        match self {
            Self::Plain => k * run + at,
            Self::Dense | Self::Tiles => block + at / 4 * 8 + at % 2 * 4 + at / 2 % 2 * 2,
            Self::Rows => block + 2 * (at / run * padded + at % run),
        }
    }

    /// Bytes that a layer works in, in the arena.
    #[must_use]
    pub const fn scratch(self, sizes: &Sizes, pool: Option<&Sizes>) -> usize {
        match self {
            Self::Plain | Self::Dense => 0,
            Self::Tiles => self.runs(sizes)[0].next_multiple_of(4) * 2 * PIXELS,
            Self::Rows => Steps::of_pooled(sizes, pool).scratch(),
        }
    }

    /// How many rows of the map there are at a time for the pool: none, if it takes the sums of a tile.
    #[must_use]
    pub const fn rows(self, sizes: &Sizes, pool: &Sizes) -> usize {
        match self {
            Self::Tiles | Self::Rows if pools_sums(sizes, Some(pool)) => 0,
            Self::Tiles | Self::Rows | Self::Plain | Self::Dense => {
                match pool.filter[0] < sizes.y[0] {
                    true => pool.filter[0],
                    false => sizes.y[0],
                }
            }
        }
    }
}

/// Whether the windows of the pool are the pixels of tiles, none of which hangs over.
pub(super) const fn pools_sums(sizes: &Sizes, pool: Option<&Sizes>) -> bool {
    let Some(pool) = pool else { return false };
    let [height, width, _] = sizes.y;
    is_two_by_two(pool) && 2 * pool.y[0] == height && 2 * pool.y[1] == width
}

/// Whether the windows of a pool are two by two pixels, side by side.
pub(super) const fn is_two_by_two(pool: &Sizes) -> bool {
    matches!(
        (pool.filter, pool.stride, pool.dilation, pool.before),
        ([2, 2], [2, 2], [1, 1], [0, 0])
    )
}

/// How a tile steps through widened rows, in scalars of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Scalars of a window's row, a multiple of four.
    pub run: usize,
    /// From row to row.
    pub pitch: usize,
    /// From the first pixel to each.
    pub pixels: [usize; PIXELS],
    /// Rows that are there at a time.
    pub rows: usize,
    /// Of those, how many are new with each row of tiles.
    pub new: usize,
}

impl Steps {
    /// None.
    pub const NONE: Self = Self {
        run: 4,
        pitch: 4,
        pixels: [0, 2, 4, 6],
        rows: 1,
        new: 1,
    };

    /// Of a layer with such a pool behind it.
    #[must_use]
    pub const fn of_pooled(sizes: &Sizes, pool: Option<&Sizes>) -> Self {
        Self::of(sizes, pools_sums(sizes, pool))
    }

    /// The pixels lie side by side, or are a window of 2x2.
    const fn of(sizes: &Sizes, is_pool: bool) -> Self {
        let (depth, [fh, fw], [sh, sw]) = (sizes.x[2], sizes.filter, sizes.stride);
        let (seen, own) = ((sizes.y[1] - 1) * sw + fw, sizes.before[1] + sizes.x[1]);
        let columns = if seen > own { seen } else { own };
        let (pitch, right) = ((columns * depth).next_multiple_of(2), sw * depth);
        let below = sh * pitch;
        Self {
            run: (fw * depth).next_multiple_of(4),
            pitch,
            pixels: match is_pool {
                true => [0, right, below, below + right],
                false => [0, right, 2 * right, 3 * right],
            },
            rows: if is_pool { fh + sh } else { fh },
            new: if is_pool { 2 * sh } else { sh },
        }
    }

    /// Whether a tile can be made of it.
    const fn fit(&self, sizes: &Sizes) -> bool {
        let plain = sizes.dilation[0] == 1 && sizes.dilation[1] == 1 && sizes.y[1] >= PIXELS;
        plain && self.run <= LONGEST && 2 * self.pixels[3] <= FAR && 2 * self.pitch <= FAR
    }

    /// Bytes of the rows. The last window may be read a little beyond.
    const fn scratch(&self) -> usize {
        (self.rows * self.pitch + 4) * 2
    }

    /// Scalars that a tile of so many rows reads.
    #[cfg_attr(not(dsp), expect(dead_code, reason = "`dsp` asks"))]
    pub(super) const fn seen(&self, rows: usize) -> usize {
        (rows - 1) * self.pitch + self.pixels[3] + self.run
    }
}
