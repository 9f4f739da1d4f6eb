//! Tiles against the plain twin, to the bit; and their limits.

use proptest::prelude::*;

use super::super::tests::{Layer, pool};
use super::{Tile, Winograd, memory};
use crate::kernel::Sizes;
use crate::kernel::i8::Pool;
use crate::kernel::i8::quads::{Block, Ends, Machine};

/// A layer as tiles, and with a pool behind it; as often as there are tiles and machines for them.
fn is_plain(layer: &Layer) -> usize {
    let mut plain = layer.blank();
    layer.plain().conv(&layer.x, &mut plain).unwrap();
    let pooled_sizes = pool(layer.sizes.y);
    let mut plain_pooled = vec![99; pooled_sizes.y.iter().product()];
    let pool = Pool {
        sizes: &pooled_sizes,
        y: layer.y,
    };
    if !plain_pooled.is_empty() {
        pool.max(&plain, &mut plain_pooled).unwrap();
    }
    let len = layer.filters.len() / layer.sizes.y[2];
    let filter = |k: usize, at: usize| layer.filters[k * len + at];
    let own = (&layer.channels[..], [layer.x_zero, layer.y.zero]);
    let is_plain = |&(machine, tile): &(Machine, Tile)| {
        if !Tile::can(machine, &layer.sizes, None) {
            return false;
        }
        let [blocks, ends, scratch] = memory(&layer.sizes, tile);
        let (mut blocks, mut ends) = (vec![[[0; 4]; 16]; blocks], vec![Ends::ZERO; ends]);
        let packed = (&mut blocks[..], &mut ends[..]);
        if Winograd::pack((machine, tile), &layer.sizes, filter, own, packed).is_none() {
            return false;
        }
        let mut words = vec![[0x7b7b_7b7b; 16]; scratch];
        let scratch = bytemuck::cast_slice_mut::<[i32; 16], Block>(&mut words);
        let parts = (&blocks[..], &ends[..]);
        let fast =
            Winograd::new((machine, tile), &layer.sizes, parts, layer.x_zero, layer.y).unwrap();
        let mut y = layer.blank();
        fast.forward(&layer.x, None, scratch, &mut y).unwrap();
        assert_eq!(y, plain, "{tile:?} {:?}", layer.sizes);
        if !plain_pooled.is_empty() {
            let mut y = vec![98; plain_pooled.len()];
            fast.forward(&layer.x, Some(&pooled_sizes), scratch, &mut y)
                .unwrap();
            assert_eq!(y, plain_pooled, "{tile:?} {:?}", layer.sizes);
        }
        true
    };
    let all = Machine::all().flat_map(|m| Tile::ALL.map(|tile| (m, tile)));
    all.filter(is_plain).count()
}

/// Of 3x3.
fn of(x: [usize; 3], before: [usize; 2], [height, width, k]: [usize; 3]) -> Sizes {
    Sizes {
        x,
        filter: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        before,
        y: [height, width, k],
        groups: 1,
    }
}

fn elements(sizes: &Sizes) -> usize {
    9 * sizes.x[2] * sizes.y[2]
}

/// How many tiles there are on this machine.
fn tiles() -> usize {
    let sizes = of([3, 3, 16], [0, 0], [1, 1, 1]);
    let can = Machine::all().filter(|&machine| Tile::can(machine, &sizes, None));
    can.count() * Tile::ALL.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn tiles_of_any_sizes(
        x in [1..12usize, 1..12usize],
        before in [0..4usize, 0..4usize],
        after in [0..4usize, 0..4usize],
        depth in 16..36usize,
        k in 1..40usize,
        seed: u64,
        extreme: bool,
    ) {
        let y = [0, 1].map(|at| (x[at] + before[at] + after[at]).saturating_sub(2));
        prop_assume!(!y.contains(&0));
        let sizes = of([x[0], x[1], depth], before, [y[0], y[1], k]);
        let layer = Layer::new(sizes, elements(&sizes), seed, extreme);
        prop_assert_eq!(is_plain(&layer), tiles());
    }
}

/// More tiles than are worked on at a time, and all bytes at an end.
#[test]
fn many_tiles_of_extremes() {
    for (x, w, x_zero) in [
        (-128, -127, 127),
        (-128, 127, 127),
        (127, -127, -128),
        (127, 127, -128),
    ] {
        let sizes = of([31, 33, 67], [1, 1], [31, 33, 17]);
        let mut layer = Layer::new(sizes, elements(&sizes), 1, false);
        layer.x.fill(x);
        layer.filters.fill(w);
        layer.x_zero = x_zero;
        assert_eq!(is_plain(&layer), tiles());
    }
}

/// Bᵀ of both tiles.
const TWO: [[i32; 6]; 4] = [
    [1, 0, -1, 0, 0, 0],
    [0, 1, 1, 0, 0, 0],
    [0, -1, 1, 0, 0, 0],
    [0, -1, 0, 1, 0, 0],
];
const FOUR: [[i32; 6]; 6] = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
];

/// The largest number of each point of V by the largest of U, of each sign.
#[test]
fn points_of_extremes() {
    let sizes = of([6, 6, 16], [0, 0], [4, 4, 2]);
    let byte = |sign: i32, least: i8| if sign < 0 { least } else { 127 };
    for (rows, tile) in [(&TWO[..], Tile::Two), (&FOUR[..], Tile::Four)] {
        for (u, v) in (0..rows.len()).flat_map(|u| (0..rows.len()).map(move |v| (u, v))) {
            for sign in [1, -1] {
                let mut layer = Layer::new(sizes, elements(&sizes), 1, false);
                for (at, x) in layer.x.iter_mut().enumerate() {
                    let [r, c] = [at / 96, at / 16 % 6];
                    *x = byte(sign * rows[u][r] * rows[v][c], -128);
                }
                for (at, w) in layer.filters.iter_mut().enumerate() {
                    let [r, c] = [at / 48 % 3, at / 16 % 3];
                    let [row, column] = [tile.rows()[u][r], tile.rows()[v][c]];
                    *w = byte((row * column).into(), -127);
                }
                assert_eq!(is_plain(&layer), tiles(), "{tile:?} {u} {v}");
            }
        }
    }
}

/// As much as a tile of four holds, and one more.
#[test]
fn sums_that_are_too_long_are_refused() {
    assert!(Tile::Four.holds((1 << 18) - 1) && !Tile::Four.holds(1 << 18));
    assert!(Tile::Two.holds((1 << 22) - 1) && !Tile::Two.holds(1 << 22));
    assert!(!Tile::Two.holds(u64::MAX));
    let sizes = of([6, 6, 230], [0, 0], [4, 4, 1]);
    let most = elements(&sizes) as i32 * 127;
    for (sum, count) in [((1 << 18) - 1, tiles()), (1 << 18, tiles() / 2)] {
        for sign in [-1, 1] {
            let mut layer = Layer::new(sizes, elements(&sizes), 1, false);
            layer.x.fill(-128);
            layer.filters.fill(127 * sign);
            let mut rest = most - sum;
            for w in &mut layer.filters {
                let less = rest.min(127);
                *w = (127 - less as i8) * sign;
                rest -= less;
            }
            assert_eq!(is_plain(&layer), count, "{sum}");
        }
    }
}

#[test]
fn other_layers_are_refused() {
    let sizes = of([6, 6, 16], [0, 0], [4, 4, 1]);
    for machine in Machine::all() {
        let can = |sizes: &Sizes| Tile::can(machine, sizes, None);
        let others = [
            Sizes {
                filter: [5, 3],
                ..sizes
            },
            Sizes {
                stride: [1, 2],
                ..sizes
            },
            Sizes {
                dilation: [2, 1],
                ..sizes
            },
            Sizes {
                x: [6, 6, 15],
                ..sizes
            },
            Sizes {
                x: [6, 6, 32],
                groups: 2,
                ..sizes
            },
        ];
        assert!(others.iter().all(|sizes| !can(sizes)));
        let three = Sizes {
            filter: [3, 3],
            ..pool(sizes.y)
        };
        assert!(!Tile::can(machine, &sizes, Some(&three)));
    }
}

#[test]
fn what_is_too_short_is_refused() {
    let sizes = of([6, 6, 16], [0, 0], [4, 4, 1]);
    let layer = Layer::new(sizes, elements(&sizes), 1, false);
    let machines = Machine::all().filter(|&machine| Tile::can(machine, &sizes, None));
    for (machine, tile) in machines.flat_map(|m| Tile::ALL.map(|tile| (m, tile))) {
        let [blocks, ends, scratch] = memory(&sizes, tile);
        let (blocks, ends) = (vec![[[0; 4]; 16]; blocks], vec![Ends::ZERO; ends]);
        let of = |blocks, ends| Winograd::new((machine, tile), &sizes, (blocks, ends), 0, layer.y);
        assert!(of(&blocks[1..], &ends).is_none());
        assert!(of(&blocks, &ends[1..]).is_none());
        let fast = of(&blocks, &ends).unwrap();
        let mut words = vec![[0; 16]; scratch];
        let scratch = bytemuck::cast_slice_mut::<[i32; 16], Block>(&mut words);
        let mut y = layer.blank();
        assert!(fast.forward(&layer.x[1..], None, scratch, &mut y).is_none());
        assert!(fast.forward(&layer.x, None, scratch, &mut y[1..]).is_none());
        assert!(
            fast.forward(&layer.x, None, &mut scratch[1..], &mut y)
                .is_none()
        );
        assert!(fast.forward(&layer.x, None, scratch, &mut y).is_some());
    }
}

/// Four times four outputs where they pay and hold the sums, else two times two, or the direct sum.
#[test]
fn tiles_are_chosen_by_sizes_and_filters() {
    let map =
        |side: usize, depth: usize, k: usize| of([side, side, depth], [1, 1], [side, side, k]);
    for machine in Machine::all().filter(|&machine| Tile::can(machine, &map(4, 16, 1), None)) {
        let choose = |sizes: &Sizes, byte: i8| Tile::choose(machine, sizes, None, |_, _| byte);
        assert_eq!(choose(&map(56, 64, 64), 127), Some(Tile::Four));
        assert_eq!(choose(&map(14, 256, 256), 63), Some(Tile::Four));
        assert_eq!(choose(&map(14, 256, 256), 127), Some(Tile::Two));
        assert_eq!(choose(&map(7, 512, 512), 1), Some(Tile::Two));
        assert_eq!(choose(&map(1, 64, 64), 1), None);
    }
}
