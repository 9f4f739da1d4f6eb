//! Depthwise convolution against plain loops in `f64`.

use super::*;
use crate::kernel::cache;
use crate::kernel::f32::depthwise::{Operands, scalar};

fn check(s: &Sizes) -> Result<(), TestCaseError> {
    let (d, taps) = (s.x[2], s.filter[0] * s.filter[1]);
    let [x, filters, bias, dy] =
        [s.x.iter().product(), taps * d, d, s.y.iter().product()].map(|len| values(len, len));
    let sum = |value: &f32| (f64::from(*value), f64::from(value.abs()));
    let mut y: Vec<Sum> = bias.iter().map(sum).cycle().take(dy.len()).collect();
    let mut dx = vec![(0.0, 0.0); x.len()];
    let [mut d_filters, mut d_bias] = [&filters, &bias].map(|start| {
        let start = start.iter().map(sum);
        start.collect::<Vec<Sum>>()
    });
    dy.iter()
        .enumerate()
        .for_each(|(i, &dy)| add(&mut d_bias[i % d], dy, 1.0));
    let mut plain: Vec<f32> = bias.iter().copied().cycle().take(dy.len()).collect();
    for [ix, f, iy] in meets(s) {
        for at in 0..d {
            let [ix, f, iy] = [ix, f, iy].map(|i| i * d + at);
            plain[iy] += x[ix] * filters[f];
            add(&mut y[iy], x[ix], filters[f]);
            add(&mut dx[ix], dy[iy], filters[f]);
            add(&mut d_filters[f], x[ix], dy[iy]);
        }
    }
    let from = Operands {
        sizes: s,
        x: &x,
        filters: &filters,
        bias: &bias,
        clamp: Clamp::None,
    };
    let mut scalars = vec![f32::NAN; dy.len()];
    assert!(scalar::depthwise(&from, &mut scalars).is_some());
    prop_assert!(scalars == plain, "not to the bit");
    let parameters = (&*filters, &*bias);
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![f32::NAN; dy.len()];
            assert!(depthwise_forward(s, &x, parameters, Clamp::None, &mut fast));
            close(&fast, &y, taps + 1)?;
            for (clamp, most) in [(Clamp::Relu, f32::INFINITY), (Clamp::Relu6, 6.0)] {
                let mut clamped = vec![f32::NAN; dy.len()];
                assert!(depthwise_forward(s, &x, parameters, clamp, &mut clamped));
                prop_assert!(
                    clamped
                        .iter()
                        .zip(&fast)
                        .all(|(clamped, fast)| *clamped == fast.clamp(0.0, most))
                );
            }
            let mut fast = vec![f32::NAN; x.len()];
            assert!(depthwise_backward_input(s, &mut fast, &dy, &filters));
            close(&fast, &dx, taps)?;
            let (mut fast, mut fast_bias) = (filters.clone(), bias.clone());
            assert!(depthwise_add_gradient(
                s,
                &x,
                &dy,
                &mut fast,
                &mut fast_bias
            ));
            close(&fast, &d_filters, s.y[0] * s.y[1] + 1)?;
            close(&fast_bias, &d_bias, s.y[0] * s.y[1] + 1)
        })?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn it_is_its_sums(window in window()) {
        let [h, w, d] = window.y;
        check(&Sizes { x: [window.x[0], window.x[1], d], y: [h, w, d], ..window })?;
    }
}

/// Of all depths and widths that a tile of scalars may have over, with borders.
#[test]
fn it_is_its_sums_without_vectors() -> Result<(), TestCaseError> {
    for (width, depth) in (6..12).flat_map(|width| (1..10).map(move |depth| (width, depth))) {
        let sizes = Sizes {
            x: [3, width, depth],
            filter: [3, 3],
            stride: [1, 1],
            dilation: [1, 1],
            groups: 1,
            before: [1, 1],
            y: [3, width, depth],
        };
        check(&sizes)?;
    }
    Ok(())
}

/// Windows of 3x3 that hang over by nothing to two columns and rows, of images whose rows the cache keeps, and of one
/// whose rows it does not.
#[test]
fn windows_of_three_are_their_sums() -> Result<(), TestCaseError> {
    let square = |side: usize, depth: usize, stride: usize, [before, after]: [usize; 2]| {
        let seen = (side + before + after).checked_sub(3)?;
        Some(Sizes {
            x: [side, side, depth],
            filter: [3, 3],
            stride: [stride; 2],
            dilation: [1, 1],
            groups: depth,
            before: [before; 2],
            y: [seen / stride + 1, seen / stride + 1, depth],
        })
    };
    for (side, stride) in (1..14).flat_map(|side| [(side, 1), (side, 2)]) {
        for over in [[0, 0], [0, 1], [1, 1], [2, 2]] {
            for sizes in [
                square(side, 8, stride, over),
                square(side, 19, stride, over),
            ] {
                sizes.iter().try_for_each(check)?;
            }
        }
    }
    assert!(cache::keeps(3 * 5, 4 * 512) && !cache::keeps(3 * 6, 4 * 512));
    square(6, 512, 1, [1, 1]).iter().try_for_each(check)
}

/// So large that it reaches 6, and NaN.
#[test]
fn a_clamp_keeps_nan() {
    let sizes = Sizes {
        x: [1, 1, 9],
        filter: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [1, 1, 9],
    };
    let x = [-7.0, 0.5, 8.0, f32::NAN, -1.0, 6.0, 7.0, 0.0, f32::INFINITY];
    let clamped = [0.0, 0.5, 6.0, f32::NAN, 0.0, 6.0, 6.0, 0.0, 6.0];
    for level in levels() {
        let mut y = [f32::NAN; 9];
        let parameters = (&[1.0f32; 9][..], &[0.0f32; 9][..]);
        with_level(level, || {
            assert!(depthwise_forward(
                &sizes,
                &x,
                parameters,
                Clamp::Relu6,
                &mut y
            ));
        });
        for (y, expected) in y.iter().zip(clamped) {
            assert!(*y == expected || y.is_nan() && expected.is_nan());
        }
    }
}
