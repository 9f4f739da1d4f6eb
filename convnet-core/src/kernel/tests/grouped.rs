//! Convolution in groups against plain loops in `f64`.

use super::*;

fn check(s: &Sizes, groups: usize) -> Result<(), TestCaseError> {
    let (d, k, taps) = (s.x[2] / groups, s.y[2], s.filter[0] * s.filter[1]);
    let [x, filters, bias] = [s.x.iter().product(), taps * d * k, k].map(|len| values(len, len));
    let mut y = vec![(0.0, 0.0); s.y.iter().product()];
    y.iter_mut()
        .enumerate()
        .for_each(|(i, y)| add(y, bias[i % k], 1.0));
    for [ix, f, iy] in meets(s) {
        for (d_at, k_at) in product(d, k) {
            let group = k_at / (k / groups);
            let input = ix * s.x[2] + group * d + d_at;
            add(
                &mut y[iy * k + k_at],
                x[input],
                filters[(f * d + d_at) * k + k_at],
            );
        }
    }
    for level in levels() {
        let mut fast = vec![f32::NAN; y.len()];
        let done = with_level(level, || {
            grouped_conv_forward(s, groups, &x, (&filters, &bias), &mut fast)
        });
        prop_assert!(done);
        close(&fast, &y, taps * d + 1)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn it_is_its_sums(window in window(), groups in 1usize..5) {
        let ([h, w, d], [ho, wo, k]) = (window.x, window.y);
        check(&Sizes { x: [h, w, d * groups], y: [ho, wo, k * groups], ..window }, groups)?;
    }
}

#[test]
fn groups_that_do_not_divide_are_left_alone() {
    let sizes = Sizes {
        x: [1, 1, 3],
        filter: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        before: [0, 0],
        y: [1, 1, 4],
    };
    let mut y = [7.0f32; 4];
    for groups in [0, 2, 3] {
        let parameters = (&[1.0; 4][..], &[1.0; 4][..]);
        assert!(!grouped_conv_forward(
            &sizes, groups, &[1.0; 3], parameters, &mut y
        ));
    }
    assert_eq!(y, [7.0; 4]);
}
