//! Convolution in groups against plain loops in `f64`.

use super::*;

fn check(s: &Sizes) -> Result<(), TestCaseError> {
    let groups = s.groups;
    let (d, k, taps) = (s.x[2] / groups, s.y[2], s.filter[0] * s.filter[1]);
    let [x, filters, bias, dy] =
        [s.x.iter().product(), taps * d * k, k, s.y.iter().product()].map(|len| values(len, len));
    let sum = |value: &f32| (f64::from(*value), f64::from(value.abs()));
    let mut y: Vec<Sum> = bias.iter().map(sum).cycle().take(dy.len()).collect();
    let mut dx = vec![(0.0, 0.0); x.len()];
    let mut d_filters: Vec<Sum> = filters.iter().map(sum).collect();
    let mut d_bias: Vec<Sum> = bias.iter().map(sum).collect();
    dy.iter()
        .enumerate()
        .for_each(|(i, &dy)| add(&mut d_bias[i % k], dy, 1.0));
    for [ix, f, iy] in meets(s) {
        for (d_at, k_at) in product(d, k) {
            let group = k_at / (k / groups);
            let ix = ix * s.x[2] + group * d + d_at;
            let [f, iy] = [(f * d + d_at) * k + k_at, iy * k + k_at];
            add(&mut y[iy], x[ix], filters[f]);
            add(&mut dx[ix], dy[iy], filters[f]);
            add(&mut d_filters[f], x[ix], dy[iy]);
        }
    }
    let (mut scalar, mut scalar_bias) = (filters.clone(), bias.clone());
    let from = filter_grad::Operands {
        sizes: s,
        x: &x,
        dy: &dy,
    };
    let added = filter_grad::scalar::add_gradient(&from, &mut scalar, &mut scalar_bias);
    assert!(added.is_some());
    close(&scalar, &d_filters, s.y[0] * s.y[1] + 1)?;
    close(&scalar_bias, &d_bias, s.y[0] * s.y[1] + 1)?;
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![f32::NAN; y.len()];
            assert!(conv_forward(s, &x, &filters, &bias, &mut fast));
            close(&fast, &y, taps * d + 1)?;
            let from = Packed {
                sizes: s,
                algorithm: Algorithm::Direct,
                packed: &filters,
                bias: &bias,
                onto: false,
                clamp: Clamp::None,
                threads: 1,
            };
            let mut again = vec![f32::NAN; y.len()];
            assert!(conv_forward_packed(&from, &x, &mut [], &mut again));
            prop_assert_eq!(&again, &fast);
            #[cfg(feature = "rayon")]
            {
                again.fill(f32::NAN);
                let done = parts::halves(&from, 0..s.y[0], 3, &x, &mut [], &mut again);
                prop_assert!(done.is_some() && again == fast);
            }
            let mut fast = vec![f32::NAN; dx.len()];
            assert!(conv_backward_input(s, &mut fast, &dy, &filters));
            close(&fast, &dx, taps * k / groups)?;
            let (mut fast, mut fast_bias) = (filters.clone(), bias.clone());
            assert!(conv_add_gradient(s, &x, &dy, &mut fast, &mut fast_bias));
            close(&fast, &d_filters, s.y[0] * s.y[1] + 1)?;
            close(&fast_bias, &d_bias, s.y[0] * s.y[1] + 1)
        })?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn it_is_its_sums(window in window(), groups in 1usize..5) {
        let ([h, w, d], [ho, wo, k]) = (window.x, window.y);
        check(&Sizes { x: [h, w, d * groups], y: [ho, wo, k * groups], groups, ..window })?;
    }
}

#[test]
fn groups_that_do_not_divide_are_left_alone() {
    let sizes = Sizes {
        x: [1, 1, 3],
        filter: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [1, 1, 4],
    };
    let mut y = [7.0f32; 4];
    for groups in [0, 2, 3] {
        let sizes = Sizes { groups, ..sizes };
        assert!(!conv_forward(
            &sizes, &[1.0; 3], &[1.0; 4], &[1.0; 4], &mut y
        ));
        assert!(!conv_backward_input(
            &sizes,
            &mut [0.0f32; 3],
            &y,
            &[1.0; 4]
        ));
        let (mut d_filters, mut d_bias) = ([0.0f32; 4], [0.0; 4]);
        assert!(!conv_add_gradient(
            &sizes,
            &[1.0; 3],
            &y,
            &mut d_filters,
            &mut d_bias
        ));
        assert_eq!(Algorithm::Direct.scratch(&sizes), 0);
        assert_eq!(conv_scratch(&sizes), 0);
    }
    assert_eq!(y, [7.0; 4]);
}
