//! Every machine against the plain twins, to the bit.

use core::array;

use proptest::prelude::*;

use super::{Add, Block, Conv, Depthwise, Ends, Machine, Mean, Product, conv, depthwise, lookup};
use crate::Rng;
use crate::kernel::Sizes;
use crate::kernel::i8::{self, Channel, Filters, Multiplier, Pool, Quantization};

/// A layer of random bytes; `extreme`, zero points and bytes are at the ends of what there is.
pub(super) struct Layer {
    pub(super) sizes: Sizes,
    pub(super) x: Vec<i8>,
    pub(super) filters: Vec<i8>,
    pub(super) channels: Vec<Channel>,
    pub(super) x_zero: i8,
    pub(super) y: Quantization,
}

impl Layer {
    pub(super) fn new(sizes: Sizes, elements: usize, seed: u64, extreme: bool) -> Self {
        let mut rng = Rng::new(seed);
        let mut byte = |least: i8| match extreme {
            true => [least, 127][rng.below(2)],
            false => (rng.below(256) as u8).cast_signed().max(least),
        };
        let x = (0..sizes.x.iter().product()).map(|_| byte(-128)).collect();
        let filters = (0..elements).map(|_| byte(-127)).collect();
        let x_zero = byte(-128);
        let zero = byte(-128);
        let mut rng = Rng::new(seed ^ 1);
        let channel = |_| Channel {
            bias: rng.below(1 << 20) as i32 - (1 << 19),
            // Shifts to the right, none, and a few to the left.
            by: Multiplier::of(0.7 * f64::powi(2.0, 3 - rng.below(20) as i32)),
        };
        let channels = (0..sizes.y[2]).map(channel).collect();
        let y = Quantization::new(1.0, zero);
        let y = if rng.below(2) == 0 { y } else { y.relu() };
        Self {
            sizes,
            x,
            filters,
            channels,
            x_zero,
            y,
        }
    }

    pub(super) fn plain(&self) -> Filters<'_> {
        Filters {
            sizes: &self.sizes,
            filters: &self.filters,
            channels: &self.channels,
            x_zero: self.x_zero,
            y: self.y,
        }
    }

    pub(super) fn blank(&self) -> Vec<i8> {
        vec![99; self.sizes.y.iter().product()]
    }
}

fn room([blocks, ends, scratch]: [usize; 3]) -> (Vec<Block>, Vec<Ends>, Vec<i8>) {
    (
        vec![[[0; 4]; 16]; blocks],
        vec![Ends::ZERO; ends],
        vec![77; scratch],
    )
}

fn conv_is_plain(layer: &Layer) {
    let mut plain = layer.blank();
    layer.plain().conv(&layer.x, &mut plain).unwrap();
    let len = layer.filters.len() / layer.sizes.y[2];
    for machine in Machine::all() {
        let (mut blocks, mut ends, mut scratch) =
            room(conv::memory(machine, &layer.sizes).unwrap());
        let filter = |k: usize, at: usize| layer.filters[k * len + at];
        let own = (&layer.channels[..], [layer.x_zero, layer.y.zero]);
        Conv::pack(machine, &layer.sizes, filter, own, (&mut blocks, &mut ends)).unwrap();
        let packed = (&blocks[..], &ends[..]);
        let fast = Conv::new(machine, &layer.sizes, packed, layer.x_zero, layer.y).unwrap();
        let x = fast.laid_out(&layer.x, &mut scratch).unwrap();
        let mut whole = layer.blank();
        fast.rows(x, 0, &mut whole).unwrap();
        assert_eq!(whole, plain, "{machine:?} {:?}", layer.sizes);
        let mut in_rows = layer.blank();
        let row = layer.sizes.y[1] * layer.sizes.y[2];
        for (oy, y) in in_rows.chunks_mut(row).enumerate() {
            fast.rows(x, oy, y).unwrap();
        }
        assert_eq!(in_rows, plain, "{machine:?} {:?}", layer.sizes);
        let sizes = pool(layer.sizes.y);
        let mut pooled = vec![99; sizes.y.iter().product()];
        if pooled.is_empty() {
            continue;
        }
        let pool = Pool {
            sizes: &sizes,
            y: layer.y,
        };
        pool.max(&plain, &mut pooled).unwrap();
        let mut at_once = vec![98; pooled.len()];
        fast.pooled(x, &sizes, &mut at_once).unwrap();
        assert_eq!(at_once, pooled, "{machine:?} {:?}", layer.sizes);
    }
}

/// Two by two, side by side; what is left over is dropped.
pub(super) fn pool(x: [usize; 3]) -> Sizes {
    Sizes {
        x,
        filter: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        before: [0, 0],
        y: [x[0] / 2, x[1] / 2, x[2]],
        groups: x[2],
    }
}

fn depthwise_is_plain(layer: &Layer) {
    let mut plain = layer.blank();
    layer.plain().depthwise(&layer.x, &mut plain).unwrap();
    for machine in Machine::all() {
        let [blocks, ends, scratch] = depthwise::memory(machine, &layer.sizes).unwrap();
        let (mut blocks, mut ends, _) = room([blocks, ends, 0]);
        let own = (&layer.channels[..], [layer.x_zero, layer.y.zero]);
        let to = (&mut blocks[..], &mut ends[..]);
        Depthwise::pack(machine, &layer.sizes, &layer.filters, own, to).unwrap();
        let packed = (&blocks[..], &ends[..]);
        let fast = Depthwise::new(machine, &layer.sizes, packed, layer.x_zero, layer.y).unwrap();
        let mut y = layer.blank();
        let mut scratch = vec![[[55; 4]; 16]; scratch];
        fast.forward(&layer.x, &mut scratch, &mut y).unwrap();
        assert_eq!(y, plain, "{machine:?} {:?}", layer.sizes);
    }
}

/// Windows of any kind, with at least one pixel to write.
fn sizes() -> impl Strategy<Value = Sizes> {
    let of_axis = || {
        (
            1..6usize,
            1..4usize,
            1..3usize,
            0..3usize,
            0..3usize,
            1..14usize,
        )
    };
    (of_axis(), of_axis()).prop_filter_map("no window fits", |(rows, columns)| {
        let axis = |(f, s, d, before, after, more): (usize, usize, usize, usize, usize, usize)| {
            let reach = (f - 1) * d + 1;
            let x = more + reach.saturating_sub(before + after);
            let o = (x + before + after).checked_sub(reach)? / s + 1;
            Some([x, f, s, d, before, o])
        };
        let ([h, fh, sh, dh, top, ho], [w, fw, sw, dw, left, wo]) = (axis(rows)?, axis(columns)?);
        Some(Sizes {
            x: [h, w, 1],
            filter: [fh, fw],
            stride: [sh, sw],
            dilation: [dh, dw],
            before: [top, left],
            y: [ho, wo, 1],
            groups: 1,
        })
    })
}

proptest! {
    #[test]
    fn add_of_any_scales(
        scales in [1e-3f32..10.0, 1e-3..10.0, 1e-3..10.0],
        are_equal: bool,
        zeros in [-128i8..=127, -128..=127, -128..=127],
        len in 0..200usize,
        seed in any::<u64>(),
    ) {
        let scales = match are_equal {
            true => [scales[0], scales[0], scales[2]],
            false => scales,
        };
        let mut rng = Rng::new(seed);
        let mut bytes = || (0..len).map(|_| rng.below(256) as u8 as i8).collect::<Vec<i8>>();
        let (x, with) = (bytes(), bytes());
        let y = Quantization::new(scales[2], zeros[2]).relu();
        let add = i8::Add::new(scales[0], scales[1], scales[2]);
        let mut plain = x.clone();
        add.accumulate(&mut plain, zeros[0], (&with, zeros[1]), &y);
        for machine in Machine::all() {
            let mut fast = x.clone();
            Add::new(add, [zeros[0], zeros[1]], y).accumulate(machine, &mut fast, &with);
            prop_assert_eq!(&fast, &plain, "{:?}", machine);
        }
    }

    #[test]
    fn product_of_any_scale(
        by in 1e-5f64..2.0,
        zeros in [-128i8..=127, -128..=127, -128..=127],
        (column, columns) in (1..150usize, 1..4usize),
        seed in any::<u64>(),
    ) {
        let mut rng = Rng::new(seed);
        let mut bytes = |len| (0..len).map(|_| rng.below(256) as u8 as i8).collect::<Vec<i8>>();
        let (x, with) = (bytes(column), bytes(column * columns));
        let y_is = Quantization::new(1.0, zeros[2]).relu();
        let product = i8::Product { by: Multiplier::of(by) };
        let mut plain = vec![99; with.len()];
        product.forward((&x, zeros[0]), (&with, zeros[1]), (&mut plain, &y_is));
        for machine in Machine::all() {
            let mut fast = vec![98; with.len()];
            let own = Product::new(product, [zeros[0], zeros[1]], y_is);
            own.forward(machine, &x, &with, &mut fast);
            prop_assert_eq!(&fast, &plain, "{:?}", machine);
        }
    }

    #[test]
    fn mean_of_any_volume(
        by in 1e-4f64..4.0,
        zeros in [-128i8..=127, -128..=127],
        (depth, pixels) in (1..150usize, 1..60usize),
        seed in any::<u64>(),
    ) {
        let mut rng = Rng::new(seed);
        let x: Vec<i8> = (0..depth * pixels).map(|_| rng.below(256) as u8 as i8).collect();
        let y = Quantization::new(1.0, zeros[1]).relu();
        let by = Multiplier::of(by).of_mean(pixels);
        let sizes = Sizes {
            x: [1, pixels, depth],
            filter: [1, pixels],
            stride: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
            y: [1, 1, depth],
            groups: depth,
        };
        let mut plain = vec![99; depth];
        Pool { sizes: &sizes, y }.mean((&x, zeros[0]), by, &mut plain).unwrap();
        for machine in Machine::all() {
            let mut fast = vec![98; depth];
            // A mean that grows has no vectors.
            let Some(mean) = Mean::new(pixels, by, zeros[0], y) else {
                prop_assert!(by.exponent() >= 0);
                continue;
            };
            match mean.forward(machine, &x, &mut fast) {
                Some(()) => prop_assert_eq!(&fast, &plain, "{:?}", machine),
                None => prop_assert!(depth < 16, "{:?}", machine),
            }
        }
    }

    #[test]
    fn tables_of_any_bytes(
        (own, before, behind) in (1..150usize, 0..9usize, 0..9usize),
        seed in any::<u64>(),
    ) {
        let (mut rng, columns) = (Rng::new(seed), 5);
        let mut byte = || (rng.below(256) as u8).cast_signed();
        let table: i8::Table = array::from_fn(|_| byte());
        let x: Vec<_> = (0..own * columns).map(|_| byte()).collect();
        let mut plain = x.clone();
        i8::lookup(&mut plain, &table);
        let all = before + own + behind;
        for machine in Machine::all() {
            let mut fast = x.clone();
            lookup(machine, &table, &mut fast);
            prop_assert_eq!(&fast, &plain, "{:?}", machine);
            let mut apart = vec![99; all * columns];
            super::columns(machine, &table, (&x, own), (&mut apart[before..], all));
            for (apart, plain) in apart.chunks(all).zip(plain.chunks(own)) {
                prop_assert_eq!(&apart[before..][..own], plain, "{:?}", machine);
                let around = apart[..before].iter().chain(&apart[before + own..]);
                prop_assert!(around.copied().all(|byte| byte == 99));
            }
        }
    }

    #[test]
    fn conv_of_any_sizes(
        sizes in sizes(),
        depth in 1..9usize,
        k in 1..70usize,
        groups in prop::sample::select(vec![1, 1, 2, 3]),
        seed: u64,
        extreme: bool,
    ) {
        let sizes = Sizes {
            x: [sizes.x[0], sizes.x[1], depth * groups],
            y: [sizes.y[0], sizes.y[1], k.div_ceil(groups) * groups],
            groups,
            ..sizes
        };
        let elements = sizes.y[2] * sizes.filter[0] * sizes.filter[1] * depth;
        conv_is_plain(&Layer::new(sizes, elements, seed, extreme));
    }

    #[test]
    fn depthwise_of_any_sizes(sizes in sizes(), depth in 1..40usize, seed: u64, extreme: bool) {
        let sizes = Sizes {
            x: [sizes.x[0], sizes.x[1], depth],
            y: [sizes.y[0], sizes.y[1], depth],
            groups: depth,
            ..sizes
        };
        let elements = depth * sizes.filter[0] * sizes.filter[1];
        depthwise_is_plain(&Layer::new(sizes, elements, seed, extreme));
    }
}

/// The longest sums that there are: of all bytes at one end, which would saturate 16 bits.
#[test]
fn sums_of_extremes() {
    let sizes = Sizes {
        x: [1, 1, 4096],
        filter: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        before: [0, 0],
        y: [1, 1, 5],
        groups: 1,
    };
    for (x, w, x_zero) in [
        (-128, -127, 127),
        (-128, 127, 127),
        (127, -127, -128),
        (127, 127, -128),
    ] {
        let mut layer = Layer::new(sizes, 5 * 4096, 1, false);
        layer.x.fill(x);
        layer.filters.fill(w);
        layer.x_zero = x_zero;
        conv_is_plain(&layer);
    }
}

#[test]
fn what_is_too_short_is_refused() {
    let Some(machine) = Machine::best() else {
        return;
    };
    let layer = Layer::new(
        Sizes {
            x: [4, 4, 4],
            filter: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            before: [0, 0],
            y: [2, 2, 3],
            groups: 1,
        },
        3 * 36,
        1,
        false,
    );
    let (blocks, ends, _) = room(conv::memory(machine, &layer.sizes).unwrap());
    let of = |blocks, ends| Conv::new(machine, &layer.sizes, (blocks, ends), 0, layer.y);
    assert!(of(&blocks[1..], &ends).is_none());
    assert!(of(&blocks, &ends[1..]).is_none());
    let conv = of(&blocks, &ends).unwrap();
    assert!(conv.rows(&layer.x[1..], 0, &mut layer.blank()).is_none());
    assert!(conv.rows(&layer.x, 1, &mut layer.blank()).is_none());
    assert!(conv.rows(&layer.x, 0, &mut layer.blank()[1..]).is_none());
}
