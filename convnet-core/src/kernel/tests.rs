//! Every kernel against plain loops in `f64`, on random shapes, on every level of the machine.
//!
//! A sum of n products is off by at most γ = n·u/(1 − n·u) times the sum of their magnitudes,
//! in whatever order it is computed (Higham 2002, §3.1): that is the bound here, so the plain loops
//! also sum the magnitudes.

use proptest::prelude::*;

use super::f32::conv::{self, filter_grad, scalar};
#[cfg(feature = "rayon")]
use super::f32::fc;
use super::*;

mod blocks;
mod conv_narrow;
mod depthwise;
mod fc_batch;
mod grouped;
mod nan;
mod norm;
mod winograd_training;

/// A sum, and the sum of its terms' magnitudes.
type Sum = (f64, f64);

fn add(sum: &mut Sum, term: f32, factor: f32) {
    let product = f64::from(term) * f64::from(factor);
    *sum = (sum.0 + product, sum.1 + product.abs());
}

/// Each of `fast` is a sum of `n` products.
fn close(fast: &[f32], plain: &[Sum], n: usize) -> Result<(), TestCaseError> {
    let nu = (n + 1) as f64 * f64::from(f32::EPSILON) / 2.0;
    for (i, (&fast, &(sum, magnitude))) in fast.iter().zip(plain).enumerate() {
        let bound = nu / (1.0 - nu) * magnitude;
        prop_assert!(
            (f64::from(fast) - sum).abs() <= bound,
            "[{i}] {fast} is not {sum} ± {bound}"
        );
    }
    Ok(())
}

/// Every triple (input, filter, output) of places that meet, as indices of depth columns.
fn meets(s: &Sizes) -> Vec<[usize; 3]> {
    let mut meets = Vec::new();
    for (oy, ox) in product(s.y[0], s.y[1]) {
        for (fy, fx) in product(s.filter[0], s.filter[1]) {
            let y = (oy * s.stride[0] + fy).wrapping_sub(s.before[0]);
            let x = (ox * s.stride[1] + fx).wrapping_sub(s.before[1]);
            if y < s.x[0] && x < s.x[1] {
                meets.push([y * s.x[1] + x, fy * s.filter[1] + fx, oy * s.y[1] + ox]);
            }
        }
    }
    meets
}

fn product(rows: usize, columns: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..rows).flat_map(move |row| (0..columns).map(move |column| (row, column)))
}

fn values(seed: usize, len: usize) -> Vec<f32> {
    let value = |i: usize| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 7) % 2001;
    (0..len)
        .map(|i| value(i + seed) as f32 / 1000.0 - 1.0)
        .collect()
}

/// Operands of a convolution and of both of its gradients, and what they become.
struct Convolved {
    x: Vec<f32>,
    filters: Vec<f32>,
    bias: Vec<f32>,
    dy: Vec<f32>,
    y: Vec<Sum>,
    dx: Vec<Sum>,
    /// Added to the filters, and to the bias.
    d_filters: Vec<Sum>,
    d_bias: Vec<Sum>,
}

fn convolved(s: &Sizes) -> Convolved {
    let ([d, k], taps) = ([s.x[2], s.y[2]], s.filter[0] * s.filter[1]);
    let [x, filters, bias, dy] =
        [s.x.iter().product(), taps * d * k, k, s.y.iter().product()].map(|len| values(len, len));
    let sum = |value: &f32| (f64::from(*value), f64::from(value.abs()));
    let mut y: Vec<Sum> = bias.iter().map(sum).cycle().take(dy.len()).collect();
    let mut dx = vec![(0.0, 0.0); x.len()];
    let [mut d_filters, mut d_bias]: [Vec<Sum>; 2] =
        [&filters, &bias].map(|values| values.iter().map(sum).collect());
    dy.iter()
        .enumerate()
        .for_each(|(i, &dy)| add(&mut d_bias[i % k], dy, 1.0));
    for [ix, f, iy] in meets(s) {
        for (d_at, k_at) in product(d, k) {
            let [ix, f, iy] = [ix * d + d_at, (f * d + d_at) * k + k_at, iy * k + k_at];
            add(&mut y[iy], x[ix], filters[f]);
            add(&mut dx[ix], dy[iy], filters[f]);
            add(&mut d_filters[f], x[ix], dy[iy]);
        }
    }
    Convolved {
        x,
        filters,
        bias,
        dy,
        y,
        dx,
        d_filters,
        d_bias,
    }
}

fn check_conv(s: &Sizes) -> Result<(), TestCaseError> {
    let ([d, k], taps) = ([s.x[2], s.y[2]], s.filter[0] * s.filter[1]);
    let Convolved {
        x,
        filters,
        bias,
        dy,
        y,
        dx,
        d_filters,
        d_bias,
    } = &convolved(s);
    let mut plain: Vec<f32> = bias.iter().copied().cycle().take(y.len()).collect();
    for [ix, f, iy] in meets(s) {
        for (d_at, k_at) in product(d, k) {
            plain[iy * k + k_at] += x[ix * d + d_at] * filters[(f * d + d_at) * k + k_at];
        }
    }
    let from = conv::Operands {
        sizes: s,
        x,
        filters,
        bias,
    };
    let mut scalar = vec![f32::NAN; y.len()];
    assert!(scalar::conv(&from, &mut scalar).is_some());
    prop_assert!(scalar == plain, "not to the bit");
    let (mut plain, mut plain_bias) = (filters.clone(), bias.clone());
    for [ix, f, iy] in meets(s) {
        for (d_at, k_at) in product(d, k) {
            plain[(f * d + d_at) * k + k_at] += x[ix * d + d_at] * dy[iy * k + k_at];
        }
    }
    for dy in dy.chunks(k) {
        plain_bias
            .iter_mut()
            .zip(dy)
            .for_each(|(sum, dy)| *sum += dy);
    }
    let (mut scalar, mut scalar_bias) = (filters.clone(), bias.clone());
    let from = filter_grad::Operands { sizes: s, x, dy };
    let added = filter_grad::scalar::add_gradient(&from, &mut scalar, &mut scalar_bias);
    assert!(added.is_some());
    prop_assert!(
        (scalar, scalar_bias) == (plain, plain_bias),
        "not to the bit"
    );
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![f32::NAN; y.len()];
            assert!(conv_forward(s, x, filters, bias, &mut fast));
            close(&fast, y, taps * d + 1)?;
            let mut fast = vec![f32::NAN; dx.len()];
            assert!(conv_backward_input(s, &mut fast, dy, filters));
            close(&fast, dx, taps * k)?;
            let (mut fast, mut fast_bias) = (filters.clone(), bias.clone());
            assert!(conv_add_gradient(s, x, dy, &mut fast, &mut fast_bias));
            close(&fast, d_filters, s.y[0] * s.y[1] + 1)?;
            close(&fast_bias, d_bias, s.y[0] * s.y[1] + 1)
        })?;
    }
    Ok(())
}

fn check_fc(n: usize, k: usize) -> Result<(), TestCaseError> {
    let [x, weights, bias] = [n, n * k, k].map(|len| values(len, len));
    let dy = values(3, k);
    let sum = |value: &f32| (f64::from(*value), f64::from(value.abs()));
    let mut y: Vec<Sum> = bias.iter().map(sum).collect();
    let mut dx = vec![(0.0, 0.0); n];
    let mut dw: Vec<Sum> = weights.iter().map(sum).collect();
    for (i, j) in product(n, k) {
        add(&mut y[j], x[i], weights[i * k + j]);
        add(&mut dx[i], dy[j], weights[i * k + j]);
        add(&mut dw[i * k + j], x[i], dy[j]);
    }
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![f32::NAN; k];
            assert!(fc_forward(&x, &weights, &bias, &mut fast));
            close(&fast, &y, n + 1)?;
            let mut fast = vec![f32::NAN; n];
            assert!(fc_backward_input(&mut fast, &dy, &weights));
            close(&fast, &dx, k)?;
            let (mut fast, mut fast_bias) = (weights.clone(), bias.clone());
            assert!(fc_add_gradient(&x, &dy, &mut fast, &mut fast_bias));
            close(&fast, &dw, 2)?;
            prop_assert!((0..k).all(|j| fast_bias[j] == bias[j] + dy[j]));
            Ok(())
        })?;
    }
    Ok(())
}

/// Filters that bfloat16 can hold are not rounded.
fn check_fc_in_bfloat16(n: usize, k: usize) -> Result<(), TestCaseError> {
    let [x, mut weights, bias] = [n, n * k, k].map(|len| values(len, len));
    for w in &mut weights {
        *w = f32::from_bits(w.to_bits() >> 16 << 16);
    }
    let mut y: Vec<Sum> = bias.iter().map(|&b| (b.into(), b.abs().into())).collect();
    for (i, j) in product(n, k) {
        add(&mut y[j], x[i], weights[i * k + j]);
    }
    let sizes = Sizes {
        x: [1, 1, n],
        filter: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [1, 1, k],
    };
    let algorithm = Algorithm::Bfloat16;
    let mut packed = vec![f32::NAN; algorithm.packed(&sizes)];
    prop_assert!(fc_pack(k, algorithm, &weights, &[], &mut packed));
    let from = Packed {
        sizes: &sizes,
        algorithm,
        packed: &packed,
        bias: &bias,
        onto: false,
        clamp: Clamp::None,
        threads: 1,
    };
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![f32::NAN; k];
            prop_assert!(fc_forward_packed(&from, &x, &mut fast));
            close(&fast, &y, n + 1)
        })?;
    }
    Ok(())
}

/// Values are few, so that many are equal.
fn check_pool(s: &Sizes) -> Result<(), TestCaseError> {
    let [x, dy] = [s.x, s.y].map(|axes| values(s.x[1], axes.iter().product()));
    let x: Vec<f32> = x.iter().map(|x| (x * 3.0).round()).collect();
    let (mut y, mut dx) = (vec![f32::NEG_INFINITY; dy.len()], vec![0.0; x.len()]);
    let mut winner = vec![usize::MAX; dy.len()];
    for [ix, _, iy] in meets(s) {
        for d in 0..s.x[2] {
            let [ix, iy] = [ix, iy].map(|i| i * s.x[2] + d);
            if x[ix] > y[iy] {
                (y[iy], winner[iy]) = (x[ix], ix);
            }
        }
    }
    for (&winner, dy) in winner.iter().zip(&dy) {
        if let Some(dx) = dx.get_mut(winner) {
            *dx += dy;
        }
    }
    for level in levels() {
        let (mut fast, mut d_fast) = (vec![f32::NAN; y.len()], vec![f32::NAN; x.len()]);
        with_level(level, || {
            assert!(max_pool_forward(s, &x, &mut fast));
            assert!(max_pool_backward(s, &x, &mut d_fast, &dy));
        });
        prop_assert_eq!(&fast, &y);
        prop_assert_eq!(&d_fast, &dx);
    }
    Ok(())
}

/// A pool that fits after `s`, and differs with it.
fn pool_after(s: &Sizes) -> Sizes {
    let [h, w, k] = s.y;
    let filter = [1 + h % 3, 1 + w % 3];
    let stride = [1 + k % 3, 1 + h % 2];
    let before = [k % filter[0], w % filter[1]];
    Sizes {
        x: s.y,
        filter,
        stride,
        dilation: [1, 1],
        groups: 1,
        before,
        y: [h.div_ceil(stride[0]), w.div_ceil(stride[1]), k],
    }
}

/// A pool of 2x2 after `s`; where the last row is left over, it may hang over the border.
fn pairs_after(s: &Sizes) -> Sizes {
    let [h, w, k] = s.y;
    Sizes {
        x: s.y,
        filter: [2, 2],
        stride: [2, 2],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [(h + k % 2).div_ceil(2).max(1), w / 2, k],
    }
}

/// Every algorithm that can. Winograd's bound is measured, not derived: see [`Winograd`].
fn check_packed(s: &Sizes) -> Result<(), TestCaseError> {
    let ([d, k], taps) = ([s.x[2], s.y[2]], s.filter[0] * s.filter[1]);
    let [x, filters, bias, scale] =
        [s.x.iter().product(), taps * d * k, k, k].map(|len| values(len, len));
    let scale: Vec<_> = scale.iter().map(|scale| 0.1 + 3.0 * scale).collect();
    let mut y = vec![(0.0, 0.0); s.y.iter().product()];
    y.iter_mut()
        .enumerate()
        .for_each(|(i, y)| add(y, bias[i % k], 1.0));
    for [ix, f, iy] in meets(s) {
        for (d_at, k_at) in product(d, k) {
            let [ix, f, iy] = [ix * d + d_at, (f * d + d_at) * k + k_at, iy * k + k_at];
            let product = [x[ix], filters[f], scale[k_at]]
                .map(f64::from)
                .iter()
                .product::<f64>();
            y[iy] = (y[iy].0 + product, y[iy].1 + product.abs());
        }
    }
    let winograd = [
        Winograd::Two,
        Winograd::Four,
        Winograd::Six,
        Winograd::Column,
    ];
    let direct = [Algorithm::Direct, Algorithm::Panels, Algorithm::Rows];
    for (algorithm, worse) in direct.map(|algorithm| (algorithm, 1)).into_iter().chain(
        winograd
            .map(Algorithm::Winograd)
            .into_iter()
            .zip([2, 8, 32, 8]),
    ) {
        let direct = [filters.len(), 0][usize::from(algorithm != Algorithm::Direct)];
        let mut packed = vec![f32::NAN; algorithm.packed(s).max(direct)];
        if !conv_pack(s, algorithm, &filters, &scale, &mut packed) {
            continue;
        }
        let clamps = [Clamp::None, Clamp::Relu6];
        for (level, clamp) in levels().flat_map(|level| clamps.map(|clamp| (level, clamp))) {
            let from = Packed {
                sizes: s,
                algorithm,
                packed: &packed,
                bias: &bias,
                onto: false,
                clamp,
                threads: 1,
            };
            let mut scratch = vec![f32::NAN; algorithm.scratch(s)];
            let mut fast = vec![f32::NAN; y.len()];
            let done = with_level(level, || {
                conv_forward_packed(&from, &x, &mut scratch, &mut fast)
            });
            // Rows that are shorter than every vector.
            let rows = [Algorithm::Rows, Algorithm::Winograd(Winograd::Column)];
            assert!(done || rows.contains(&algorithm) && s.y[1] < 4);
            if !done {
                continue;
            }
            #[cfg(feature = "rayon")]
            for parts in 2..5 {
                let mut scratch = vec![f32::NAN; parts * algorithm.scratch(s)];
                let mut in_parts = vec![f32::NAN; y.len()];
                let done = with_level(level, || {
                    parts::halves(&from, 0..s.y[0], parts, &x, &mut scratch, &mut in_parts)
                });
                assert!(done.is_some());
                assert_eq!(in_parts, fast);
            }
            for pool in [pool_after(s), pairs_after(s)] {
                let mut pooled = vec![f32::NAN; pool.y.iter().product()];
                let mut expected = pooled.clone();
                with_level(level, || {
                    if conv_pool_forward_packed(&from, &pool, &x, &mut scratch, &mut pooled) {
                        assert!(max_pool_forward(&pool, &fast, &mut expected));
                        assert_eq!(pooled, expected);
                    }
                });
            }
            let plain = |onto: &[f32]| -> Vec<_> {
                let sums = y.iter().zip(onto);
                let clamped = sums.map(|(&(sum, magnitude), &onto)| {
                    let mut clamped = [sum + f64::from(onto)];
                    clamp.apply(&mut clamped);
                    (clamped[0], magnitude + f64::from(onto.abs()))
                });
                clamped.collect()
            };
            let zeros = vec![0.0; y.len()];
            close(&fast, &plain(&zeros), worse * (taps * d + 2))?;
            let from = Packed { onto: true, ..from };
            let there = values(y.len(), y.len());
            let mut sums = there.clone();
            let done = with_level(level, || {
                conv_forward_packed(&from, &x, &mut scratch, &mut sums)
            });
            assert_eq!(done, algorithm.adds(s));
            match done {
                true => close(&sums, &plain(&there), worse * (taps * d + 3))?,
                false => assert_eq!(sums, there),
            }
        }
    }
    Ok(())
}

/// Square filters, one step apart.
fn stride_one(
    f: usize,
    size: [usize; 2],
    [before, after]: [[usize; 2]; 2],
    depths: [usize; 2],
) -> Sizes {
    let y = |i: usize| {
        (size[i] + before[i] + after[i])
            .saturating_sub(f - 1)
            .max(1)
    };
    Sizes {
        x: [size[0], size[1], depths[0]],
        filter: [f, f],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before,
        y: [y(0), y(1), depths[1]],
    }
}

prop_compose! {
    fn square()(
        f in prop_oneof![Just(3usize), Just(5)],
        size in [1usize..20, 1..20],
        before in [0usize..3, 0..3],
        after in [0usize..3, 0..3],
        depths in [16usize..40, 16..50],
    ) -> Sizes {
        stride_one(f, size, [before, after], depths)
    }
}

prop_compose! {
    /// Few filters.
    fn columns()(
        f in prop_oneof![Just(3usize), Just(5)],
        size in [1usize..14, 1..44],
        before in [0usize..4, 0..4],
        after in [0usize..4, 0..4],
        depths in [1usize..7, 1..15],
    ) -> Sizes {
        stride_one(f, size, [before, after], depths)
    }
}

prop_compose! {
    /// Windows that hang over every border, and stand wholly outside.
    fn window()(
        x in [1usize..12, 1..12],
        filter in [1usize..6, 1..6],
        stride in [1usize..5, 1..5],
        before in [0usize..6, 0..6],
        y in [1usize..9, 1..9],
        depths in [1usize..9, 1..40],
    ) -> Sizes {
        let [d, k] = depths;
        Sizes { x: [x[0], x[1], d], filter, stride, dilation: [1, 1], groups: 1, before, y: [y[0], y[1], k] }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn packed_is_its_sums(sizes in window(), w in 1usize..40, k in 1usize..50) {
        let [h, ..] = sizes.y;
        check_packed(&Sizes { y: [h, w, k], ..sizes })?;
    }

    #[test]
    fn winograd_is_its_sums(sizes in square()) {
        check_packed(&sizes)?;
    }

    /// As many as whole panels, so that all of it can be added to what lies there.
    #[test]
    fn whole_panels_are_their_sums(sizes in square(), panels in 1usize..3) {
        let [h, w, _] = sizes.y;
        check_packed(&Sizes { y: [h, w, 16 * panels], ..sizes })?;
    }

    #[test]
    fn winograd_along_columns_is_its_sums(sizes in columns()) {
        check_packed(&sizes)?;
    }
}

proptest! {
    #[test]
    fn conv_is_its_sums(sizes in window()) {
        check_conv(&sizes)?;
    }

    #[test]
    fn a_max_pool_is_its_maxima(window in window()) {
        let [h, w, k] = window.y;
        check_pool(&Sizes { x: [window.x[0], window.x[1], k], y: [h, w, k], ..window })?;
    }

    #[test]
    fn fc_is_its_sums(n in 1usize..70, k in 1usize..70) {
        check_fc(n, k)?;
        check_fc_in_bfloat16(n, k)?;
    }
}

/// The same to the bit, in however many parts.
#[cfg(feature = "rayon")]
#[test]
fn an_fc_in_parts_is_the_whole() {
    let (x, bias) = (values(1, 37), values(2, 1100));
    let filters = values(3, x.len() * bias.len());
    let mut packed = vec![0.0; x.len().div_ceil(2) * bias.len()];
    assert!(fc_pack(
        bias.len(),
        Algorithm::Bfloat16,
        &filters,
        &[],
        &mut packed
    ));
    let whole = fc::Operands {
        x: &x,
        filters: &filters,
        bfloat16: false,
        pitch: bias.len(),
        bias: &bias,
    };
    let halves = fc::Operands {
        filters: &packed,
        bfloat16: true,
        ..whole
    };
    for (level, from) in levels().flat_map(|level| [(level, whole), (level, halves)]) {
        with_level(level, || {
            let (mut whole, mut in_parts) = (vec![f32::NAN; 1100], vec![f32::NAN; 1100]);
            fc::forward(&from, &mut whole).unwrap();
            for parts in 2..5 {
                parts::fc_halves(&from, parts, &mut in_parts).unwrap();
                assert_eq!(in_parts, whole);
            }
        });
    }
}

/// The depths around the lanes of every level, each with a filter wider and narrower than a tile.
#[test]
fn every_number_of_filters_is_its_sums() {
    for k in 1..=67 {
        for d in [1, 3, 4, 7, 13] {
            let sizes = Sizes {
                x: [4, 9, d],
                filter: [2, 3],
                stride: [1, 1],
                dilation: [1, 1],
                groups: 1,
                before: [1, 1],
                y: [4, 9, k],
            };
            check_conv(&sizes).unwrap_or_else(|error| panic!("{sizes:?}: {error}"));
        }
    }
}

#[test]
fn slices_of_another_length_are_left_alone() {
    let sizes = Sizes {
        x: [3, 3, 2],
        filter: [2, 2],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [2, 2, 5],
    };
    let (x, filters, y) = ([1.0f32; 18], [1.0f32; 40], [1.0f32; 20]);
    assert!(conv_forward(
        &sizes,
        &x,
        &filters,
        &[1.0; 5],
        &mut y.clone()
    ));
    let mut short = [7.0; 19];
    assert!(!conv_forward(&sizes, &x, &filters, &[1.0; 5], &mut short));
    assert!(!conv_forward(
        &sizes,
        &x,
        &filters[1..],
        &[1.0; 5],
        &mut y.clone()
    ));
    assert!(!conv_forward(
        &sizes,
        &x,
        &filters,
        &[1.0; 6],
        &mut y.clone()
    ));
    assert!(!conv_backward_input(&sizes, &mut short, &y, &filters));
    assert!(!conv_add_gradient(
        &sizes,
        &x,
        &y[1..],
        &mut short,
        &mut [0.0; 5]
    ));
    assert!(!fc_forward(&x, &filters, &[1.0; 5], &mut short));
    assert!(!max_pool_forward(&sizes, &x, &mut short));
    assert_eq!(short, [7.0; 19]);
    let still = Sizes {
        stride: [0, 1],
        ..sizes
    };
    assert!(!conv_forward(
        &still,
        &x,
        &filters,
        &[1.0; 5],
        &mut y.clone()
    ));
    let dilated = Sizes {
        dilation: [1, 2],
        groups: 1,
        before: [0, 1],
        ..sizes
    };
    assert!(!conv_forward(
        &dilated,
        &x,
        &filters,
        &[1.0; 5],
        &mut y.clone()
    ));
    let huge = Sizes {
        x: [usize::MAX, 2, 9],
        ..sizes
    };
    assert!(!conv_forward(
        &huge,
        &x,
        &filters,
        &[1.0; 5],
        &mut y.clone()
    ));
}

#[test]
fn there_is_no_kernel_for_f64() {
    assert!(!fc_forward(&[1.0f64], &[1.0], &[1.0], &mut [0.0]));
}
