//! Winograd's algorithm in training. Its bound is measured, not derived: see [`Winograd`].

use super::*;
use crate::kernel::f32::winograd::filter_grad::add_gradient;
use crate::kernel::f32::winograd::training::{Direction, backward_input, choose, forward, needs};

/// The rounding of a sum depends on all that its tile reads, and not on the terms alone that it has.
fn of_tiles(sums: &[Sum]) -> Vec<Sum> {
    let most = sums.iter().fold(0.0, |most: f64, sum| most.max(sum.1));
    sums.iter().map(|&(sum, _)| (sum, most)).collect()
}

fn check(s: &Sizes) -> Result<(), TestCaseError> {
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
    let [y, dx, d_filters] = &[y, dx, d_filters].map(|sums| of_tiles(sums));
    let [d, k] = [s.x[2], s.y[2]];
    let (taps, places) = (s.filter[0] * s.filter[1], s.y[0] * s.y[1]);
    let winograd = [(Winograd::Two, 2), (Winograd::Four, 8)];
    let known = winograd.len() - 1..;
    let known = if taps == 9 { 0.. } else { known };
    for &(winograd, worse) in &winograd[known] {
        for level in levels() {
            with_level(level, || {
                let scratch = |direction| vec![f32::NAN; needs(s, direction, winograd)];
                let mut fast = vec![f32::NAN; y.len()];
                let learned = (&**filters, &**bias);
                let mut room = scratch(Direction::Forward);
                let done = forward(s, winograd, x, learned, &mut room, &mut fast);
                assert!(done.is_some());
                close(&fast, y, worse * (taps * d + 1))?;
                let mut fast = vec![f32::NAN; dx.len()];
                let mut room = scratch(Direction::BackwardInput);
                let done = backward_input(s, winograd, dy, filters, &mut room, &mut fast);
                assert!(done.is_some());
                close(&fast, dx, worse * taps * k)?;
                let (mut fast, mut fast_bias) = (filters.clone(), bias.clone());
                let mut room = scratch(Direction::BackwardFilters);
                let read = (&**x, &**dy);
                let done = add_gradient(s, winograd, read, &mut room, &mut fast, &mut fast_bias);
                assert!(done.is_some());
                close(&fast, d_filters, worse * (places + taps))?;
                close(&fast_bias, d_bias, places + 1)
            })?;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn training_is_its_sums(sizes in square()) {
        check(&sizes)?;
    }
}

/// The tiles that VGG's layers choose, and none where there is little depth.
#[test]
fn large_layers_choose_a_tile() {
    let sizes = |side, depth, k| Sizes {
        x: [side, side, depth],
        filter: [3, 3],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [1, 1],
        y: [side, side, k],
    };
    for direction in [
        Direction::Forward,
        Direction::BackwardInput,
        Direction::BackwardFilters,
    ] {
        assert_eq!(
            choose(&sizes(56, 256, 256), direction),
            Some(Winograd::Four)
        );
        assert_eq!(choose(&sizes(56, 3, 64), direction), None);
    }
    assert_eq!(conv_scratch(&sizes(56, 3, 64)), 0);
}
