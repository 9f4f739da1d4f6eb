//! What becomes of NaN, and of what is too large for a sum.

use super::*;

/// As many as one in `every` is NaN.
fn some_nan(len: usize, every: usize) -> Vec<f32> {
    let nan = |i: usize| i.wrapping_mul(2_654_435_761) >> 9 & 0xffff < 0xffff / every;
    let pairs = values(every, len).into_iter().enumerate();
    pairs
        .map(|(i, x)| if nan(i) { f32::NAN } else { x })
        .collect()
}

fn nans(of: &[f32]) -> Vec<bool> {
    of.iter().map(|v| v.is_nan()).collect()
}

/// By the definition, and declining to say what backward gives.
fn check_pool(s: &Sizes, every: usize) -> Result<(), TestCaseError> {
    let x = some_nan(s.x.iter().product(), every);
    let mut y = vec![f32::NEG_INFINITY; s.y.iter().product()];
    for [ix, _, iy] in meets(s) {
        for d in 0..s.x[2] {
            let (x, y) = (x[ix * s.x[2] + d], &mut y[iy * s.x[2] + d]);
            *y = if x.is_nan() || y.is_nan() {
                f32::NAN
            } else {
                y.max(x)
            };
        }
    }
    let seen = y.iter().any(|y| y.is_nan());
    let numbers = |of: &[f32]| {
        of.iter()
            .copied()
            .filter(|v| !v.is_nan())
            .collect::<Vec<_>>()
    };
    for level in levels() {
        let (mut fast, mut dx) = (vec![7.0; y.len()], vec![0.0; x.len()]);
        let done = with_level(level, || {
            assert!(max_pool_forward(s, &x, &mut fast));
            max_pool_backward(s, &x, &mut dx, &y)
        });
        prop_assert_eq!(nans(&fast), nans(&y));
        prop_assert_eq!(numbers(&fast), numbers(&y));
        prop_assert_eq!(done, !seen);
    }
    Ok(())
}

/// A pool of the rows of a convolution as they come, and one of the map, are NaN at the same places.
fn check_packed_pool(s: &Sizes) -> Result<(), TestCaseError> {
    let ([d, k], taps) = ([s.x[2], s.y[2]], s.filter[0] * s.filter[1]);
    let mut x = values(1, s.x.iter().product());
    let at = x.len() / 2;
    x[at] = f32::NAN;
    let (filters, bias) = (values(2, taps * d * k), values(3, k));
    for algorithm in [Algorithm::Rows, Algorithm::Winograd(Winograd::Column)] {
        let mut packed = vec![f32::NAN; algorithm.packed(s)];
        if !conv_pack(s, algorithm, &filters, &[], &mut packed) {
            continue;
        }
        let from = Packed {
            sizes: s,
            algorithm,
            packed: &packed,
            bias: &bias,
            onto: false,
            clamp: Clamp::Relu,
            threads: 1,
        };
        let levels = levels().flat_map(|level| [pool_after(s), pairs_after(s)].map(|p| (level, p)));
        for (level, pool) in levels {
            let mut scratch = vec![0.0; algorithm.scratch(s)];
            let mut map = vec![0.0; s.y.iter().product()];
            let (mut pooled, mut expected): (Vec<f32>, Vec<f32>);
            (pooled, expected) = (vec![0.0; pool.y.iter().product()], vec![]);
            with_level(level, || {
                if conv_pool_forward_packed(&from, &pool, &x, &mut scratch, &mut pooled) {
                    assert!(conv_forward_packed(&from, &x, &mut scratch, &mut map));
                    expected.resize(pooled.len(), 0.0);
                    assert!(max_pool_forward(&pool, &map, &mut expected));
                    assert_eq!(nans(&pooled), nans(&expected));
                }
            });
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_window_that_holds_nan_gives_nan(window in window(), every in 2usize..40) {
        let [h, w, k] = window.y;
        check_pool(&Sizes { x: [window.x[0], window.x[1], k], y: [h, w, k], ..window }, every)?;
    }

    #[test]
    fn rows_that_are_pooled_as_they_come_keep_nan(sizes in columns()) {
        check_packed_pool(&sizes)?;
    }
}

/// Whatever bounds there are, and whichever lane it is in.
#[test]
fn a_vector_keeps_nan() {
    for lane in 0..16 {
        let mut x = [1.0; 16];
        x[lane] = f32::NAN;
        let sizes = Sizes {
            x: [1, 2, 16],
            filter: [1, 2],
            stride: [1, 2],
            dilation: [1, 1],
            groups: 1,
            before: [0, 0],
            y: [1, 1, 16],
        };
        for level in levels() {
            for (first, second) in [(x, [2.0; 16]), ([2.0; 16], x), (x, x)] {
                let (both, mut y) = ([first, second].concat(), [0.0; 16]);
                with_level(level, || assert!(max_pool_forward(&sizes, &both, &mut y)));
                assert!((0..16).all(|at| y[at].is_nan() == (at == lane)), "{y:?}");
            }
        }
    }
}

/// A size of Winograd's tiles, its filters' side, the signs of a tile's pixels (rows, and columns unless it
/// is a column) that its transform adds up to the most, and the table of [`Winograd`]: how large x may be,
/// and the largest of x times the sum of a filter.
type Large = (Winograd, usize, &'static [f32], [f32; 2]);

const LARGE: [Large; 6] = [
    (Winograd::Two, 3, &[-1.0, 1.0, 1.0, 1.0], [8.50e37, 2.12e37]),
    (
        Winograd::Four,
        3,
        &[1.0, -1.0, -1.0, 1.0, 1.0, 1.0],
        [1.05e37, 1.43e36],
    ),
    (Winograd::Six, 3, &THREE, [1.51e36, 2.12e35]),
    (Winograd::Four, 5, &THREE, [1.51e36, 1.92e35]),
    (
        Winograd::Column,
        3,
        &[1.0, -1.0, -1.0, 1.0, 1.0, 1.0],
        [5.98e37, 2.20e37],
    ),
    (Winograd::Column, 5, &THREE, [2.26e37, 8.09e36]),
];

const THREE: [f32; 8] = [1.0, 1.0, 1.0, -1.0, -1.0, 1.0, 1.0, 1.0];

/// One tile, or a row of them, by Winograd's algorithm and by direct sums.
fn both(
    (winograd, f, signs, _): Large,
    pixel: impl Fn(usize, usize) -> f32,
    filters: &[f32],
) -> Vec<[Vec<f32>; 2]> {
    let (a, column) = (signs.len(), winograd == Winograd::Column);
    let (width, depth) = if column { (24, 3) } else { (a, 16) };
    let sizes = stride_one(f, [a, width], [[0, 0]; 2], [depth, 16]);
    let pixels = product(a, width).flat_map(|(y, x)| vec![pixel(y, x); depth]);
    let (x, bias) = (pixels.collect::<Vec<_>>(), [0.0; 16]);
    let filters = &filters[..f * f * depth * 16];
    let algorithm = Algorithm::Winograd(winograd);
    let mut packed = vec![0.0; algorithm.packed(&sizes)];
    assert!(conv_pack(&sizes, algorithm, filters, &[], &mut packed));
    let from = Packed {
        sizes: &sizes,
        algorithm,
        packed: &packed,
        bias: &bias,
        onto: false,
        clamp: Clamp::None,
        threads: 1,
    };
    let run = |level| {
        let mut y = [(); 2].map(|()| vec![f32::NAN; sizes.y.iter().product()]);
        let mut scratch = vec![f32::NAN; algorithm.scratch(&sizes)];
        with_level(level, || {
            assert!(conv_forward_packed(&from, &x, &mut scratch, &mut y[0]));
            assert!(conv_forward(&sizes, &x, filters, &bias, &mut y[1]));
        });
        y
    };
    levels().map(run).collect()
}

#[test]
fn winograd_overflows_where_its_table_says() {
    for large in LARGE {
        let (winograd, f, signs, [most, sum]) = large;
        let sign = |y: usize, x: usize| match winograd {
            Winograd::Column => signs[y],
            _ => signs[y] * signs[x],
        };
        let (taps, small) = (f * f * 16, values(5, f * f * 16 * 16));
        let small: Vec<_> = small.iter().map(|w| w * 0.05 / taps as f32).collect();
        for [fast, direct] in both(large, |y, x| most * sign(y, x), &small) {
            let largest = direct.iter().fold(0.0_f32, |most, y| most.max(y.abs()));
            for (fast, direct) in fast.iter().zip(&direct) {
                let off = (fast - direct).abs();
                assert!(off < 1e-2 * largest, "{large:?}: {fast} is not {direct}");
            }
        }
        for [fast, direct] in both(large, |y, x| 1.02 * most * sign(y, x), &small) {
            assert!(direct.iter().all(|y| y.is_finite()), "{large:?}");
            assert!(fast.iter().any(|y| !y.is_finite()), "{large:?}: later");
        }
        let depth = if winograd == Winograd::Column { 3 } else { 16 };
        let share = sum / (f * f * depth) as f32;
        let signed: Vec<_> = small.iter().map(|w| share.copysign(*w)).collect();
        for alike in [signed, vec![share; small.len()]] {
            for [fast, _] in both(large, sign, &alike) {
                assert!(fast.iter().all(|y| y.is_finite()), "{large:?}: a sum");
            }
        }
    }
}
