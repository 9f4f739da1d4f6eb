//! Filters in pairs compute what the plain loops do, to the bit: with the packing and the loops of a microcontroller,
//! whose tiles alone are here those of any machine.

use alloc::vec;
use alloc::vec::Vec;

use super::{Channel, Filters, Layout, Multiplier, Pool, Quantization, Steps, Tiles, Walk};
use crate::kernel::Sizes;
use crate::scalar::rng::Rng;

/// No first layer.
struct Nowhere;

impl Walk for Nowhere {
    const STEPS: Steps = Steps::NONE;
    const POOLS: bool = false;
}

fn sizes(x: [usize; 3], k: usize, window: [usize; 6]) -> Sizes {
    let [fh, fw, stride, dilation, before, after] = window;
    let out = |all: usize, f: usize| (all + before + after - (f - 1) * dilation - 1) / stride + 1;
    Sizes {
        x,
        filter: [fh, fw],
        stride: [stride; 2],
        dilation: [dilation; 2],
        before: [before; 2],
        y: [out(x[0], fh), out(x[1], fw), k],
        groups: 1,
    }
}

/// A pool over what a layer writes; its last windows may hang over.
fn pool_of(of: &Sizes, f: usize, stride: usize, before: usize) -> Sizes {
    let [height, width, depth] = of.y;
    let out = |all: usize| (all + before).saturating_sub(f).div_ceil(stride) + 1;
    Sizes {
        x: of.y,
        filter: [f; 2],
        stride: [stride; 2],
        dilation: [1; 2],
        before: [before; 2],
        y: [out(height), out(width), depth],
        groups: 1,
    }
}

/// A layer with numbers at random, computed by the plain loops and by `W`.
struct Case {
    sizes: Sizes,
    pool: Option<Sizes>,
    x: Vec<i8>,
    filters: Vec<i8>,
    channels: Vec<Channel>,
    x_zero: i8,
    y: Quantization,
}

impl Case {
    /// With multipliers up to `most`.
    fn new(rng: &mut Rng, sizes: Sizes, pool: Option<Sizes>, most: f64, clamps: bool) -> Self {
        let bytes = |rng: &mut Rng, len: usize| -> Vec<i8> {
            (0..len).map(|_| rng.below(256) as u8 as i8).collect()
        };
        let len = sizes.filter[0] * sizes.filter[1] * sizes.x[2];
        let channel = |rng: &mut Rng| Channel {
            bias: rng.below(200_000) as i32 - 100_000,
            by: Multiplier::of(rng.uniform() * most),
        };
        let zero = rng.below(256) as u8 as i8;
        let (x, filters) = (
            bytes(rng, sizes.x.iter().product()),
            bytes(rng, len * sizes.y[2]),
        );
        let y = Quantization::new(0.1, zero);
        Self {
            channels: (0..sizes.y[2]).map(|_| channel(rng)).collect(),
            x_zero: rng.below(256) as u8 as i8,
            y: if clamps { y.relu() } else { y },
            sizes,
            pool,
            x,
            filters,
        }
    }

    fn layer<'a>(&'a self, filters: &'a [i8]) -> Filters<'a> {
        Filters {
            sizes: &self.sizes,
            filters,
            channels: &self.channels,
            x_zero: self.x_zero,
            y: self.y,
        }
    }

    fn plain(&self) -> Vec<i8> {
        let mut y = vec![0; self.sizes.y.iter().product()];
        self.layer(&self.filters).conv(&self.x, &mut y).unwrap();
        let Some(sizes) = &self.pool else { return y };
        let mut pooled = vec![0; sizes.y.iter().product()];
        let pool = Pool { sizes, y: self.y };
        pool.max(&y, &mut pooled).unwrap();
        pooled
    }

    fn check<W: Walk>(&self, layout: Layout) {
        let Self { sizes, pool, .. } = self;
        let len = self.filters.len() / sizes.y[2];
        let mut packed = vec![0; layout.bytes(sizes)];
        for (at, &w) in self.filters.iter().enumerate() {
            packed[layout.place(sizes, at / len, at % len)] = w;
        }
        let tiles = Tiles::<W>::new(self.layer(&packed));
        let pool = pool.as_ref();
        let mut y = vec![0; pool.unwrap_or(sizes).y.iter().product()];
        let rows = pool.map_or(0, |pool| layout.rows(sizes, pool));
        let mut map = vec![0; rows * sizes.y[1] * sizes.y[2]];
        // What lies there is no matter.
        let mut room = vec![0x4d4d_4d4du32; layout.scratch(sizes, pool).div_ceil(4)];
        let room = bytemuck::cast_slice_mut::<u32, i8>(&mut room);
        let room = (&mut room[..layout.scratch(sizes, pool)], &mut map[..]);
        let behind = pool.map(|sizes| Pool { sizes, y: self.y });
        let done = match layout {
            Layout::Plain => None,
            Layout::Dense => tiles.dense(&self.x, &mut y),
            Layout::Tiles => tiles.conv(&self.x, behind, room, &mut y),
            Layout::Rows => tiles.conv_in_rows(&self.x, behind, room, &mut y),
        };
        assert!(done.is_some(), "{layout:?} {sizes:?} {pool:?}");
        assert_eq!(y, self.plain(), "{layout:?} {sizes:?} {pool:?}");
    }
}

#[test]
fn tiles_are_the_plain_loops() {
    let mut rng = Rng::new(14);
    for x in [[5, 7, 4], [3, 2, 3], [6, 4, 1], [4, 9, 18], [2, 3, 32]] {
        for k in [1, 2, 7, 8] {
            for window in [
                [1, 1, 1, 1, 0, 0],
                [3, 3, 1, 1, 1, 1],
                [3, 3, 2, 1, 1, 0],
                [3, 3, 1, 2, 2, 2],
                [5, 5, 1, 1, 2, 2],
                [2, 3, 3, 1, 2, 2],
            ] {
                let sizes = sizes(x, k, window);
                let pools = [
                    None,
                    Some(pool_of(&sizes, 2, 2, 0)),
                    Some(pool_of(&sizes, 3, 2, 0)),
                    Some(pool_of(&sizes, 3, 2, 1)),
                    Some(pool_of(&sizes, 2, 3, 0)),
                ];
                for pool in pools {
                    for (most, clamps) in [(0.01, false), (0.4, true), (1.9, false)] {
                        let case = Case::new(&mut rng, sizes, pool, most, clamps);
                        case.check::<Nowhere>(Layout::Tiles);
                    }
                }
            }
        }
    }
}

#[test]
fn an_fc_is_the_plain_loop() {
    let mut rng = Rng::new(15);
    for x in [[1, 1, 1], [3, 2, 5], [4, 4, 8], [2, 1, 33]] {
        for k in [1, 2, 9, 10] {
            for most in [0.01, 1.5] {
                let sizes = sizes(x, k, [x[0], x[1], 1, 1, 0, 0]);
                assert_eq!(Layout::choose(&sizes, None, true), Layout::Dense);
                let case = Case::new(&mut rng, sizes, None, most, false);
                case.check::<Nowhere>(Layout::Dense);
            }
        }
    }
}

macro_rules! first_layers {
    ($($x:expr, $k:literal, $window:expr, $pool:expr;)*) => { $({
        struct First;
        impl First {
            const fn sizes() -> (Sizes, Option<Sizes>) {
                let ([height, width, depth], [fh, fw, stride, _, before, after]) = ($x, $window);
                let y = [
                    (height + before + after - fh) / stride + 1,
                    (width + before + after - fw) / stride + 1,
                ];
                let one = Sizes {
                    x: $x,
                    filter: [fh, fw],
                    stride: [stride; 2],
                    dilation: [1; 2],
                    before: [before; 2],
                    y: [y[0], y[1], $k],
                    groups: 1,
                };
                let pool: Option<[usize; 2]> = $pool;
                let pool = match pool {
                    Some([f, stride]) => Some(Sizes {
                        x: one.y,
                        filter: [f; 2],
                        stride: [stride; 2],
                        before: [0; 2],
                        y: [(y[0] - f).div_ceil(stride) + 1, (y[1] - f).div_ceil(stride) + 1, $k],
                        ..one
                    }),
                    None => None,
                };
                let _ = depth;
                (one, pool)
            }
        }
        impl Walk for First {
            const STEPS: Steps = Steps::of_pooled(&Self::sizes().0, Self::sizes().1.as_ref());
            const POOLS: bool = matches!(Self::sizes(), (one, Some(pool)) if Layout::Rows.rows(&one, &pool) == 0);
        }
        let mut rng = Rng::new(16);
        let (sizes, pool) = First::sizes();
        assert_eq!(Layout::choose(&sizes, pool.as_ref(), true), Layout::Rows, "{sizes:?}");
        for (most, clamps) in [(0.01, false), (0.4, true), (1.9, false)] {
            Case::new(&mut rng, sizes, pool, most, clamps).check::<First>(Layout::Rows);
        }
    })* };
}

#[test]
fn a_first_layer_in_rows_is_the_plain_loop() {
    first_layers! {
        [8, 8, 3], 6, [5, 5, 1, 1, 2, 2], Some([2, 2]);
        [8, 8, 3], 7, [5, 5, 1, 1, 2, 2], None;
        [9, 6, 1], 4, [3, 3, 1, 1, 1, 1], Some([3, 2]);
        [12, 11, 3], 8, [3, 3, 2, 1, 0, 1], None;
        [7, 9, 2], 3, [1, 4, 1, 1, 0, 0], Some([2, 1]);
        [16, 16, 1], 4, [7, 7, 2, 1, 3, 3], Some([2, 2]);
        [6, 8, 4], 2, [3, 3, 1, 1, 1, 1], Some([2, 2]);
    }
}
