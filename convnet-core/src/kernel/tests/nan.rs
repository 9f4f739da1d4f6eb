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
