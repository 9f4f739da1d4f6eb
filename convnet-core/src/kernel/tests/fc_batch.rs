//! `fc` for a few images at once, against the exact sums.

use super::*;

fn check(images: usize, n: usize, k: usize, asked: u8) -> Result<(), TestCaseError> {
    let [filters, bias] = [n * k, k].map(|len| values(len, len));
    let xs: Vec<_> = (0..images).map(|image| values(image, n)).collect();
    let dys: Vec<_> = (0..images).map(|image| values(image + 9, k)).collect();
    let exact = |value: &f32| (f64::from(*value), f64::from(value.abs()));
    let mut y: Vec<Vec<Sum>> = vec![bias.iter().map(exact).collect(); images];
    let mut dx = vec![vec![(0.0, 0.0); n]; images];
    let mut d_filters: Vec<Sum> = filters.iter().map(exact).collect();
    let mut d_bias = y[0].clone();
    for (image, (x, dy)) in xs.iter().zip(&dys).enumerate() {
        for (i, j) in product(n, k) {
            add(&mut y[image][j], x[i], filters[i * k + j]);
            add(&mut dx[image][i], dy[j], filters[i * k + j]);
            add(&mut d_filters[i * k + j], x[i], dy[j]);
        }
        (0..k).for_each(|j| add(&mut d_bias[j], 1.0, dy[j]));
    }
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![vec![f32::NAN; k]; images];
            let mut pairs = xs.iter().zip(&mut fast);
            let batch = core::array::from_fn(|_| pairs.next().map(|(x, y)| (&x[..], &mut y[..])));
            assert!(fc_forward_batch(batch, &filters, &bias));
            for ((fast, y), x) in fast.iter().zip(&y).zip(&xs) {
                close(fast, y, n + 1)?;
                let mut alone = vec![f32::NAN; k];
                assert!(fc_forward(x, &filters, &bias, &mut alone));
                prop_assert_eq!(fast, &alone);
            }
            let mut fast = vec![vec![f32::NAN; n]; images];
            let (mut fast_filters, mut fast_bias) = (filters.clone(), bias.clone());
            let mut all = xs.iter().zip(&dys).zip(&mut fast).enumerate();
            let batch = core::array::from_fn(|_| {
                let (image, ((x, dy), dx)) = all.next()?;
                Some((
                    &x[..],
                    &dy[..],
                    (asked >> image & 1 == 1).then_some(&mut dx[..]),
                ))
            });
            assert!(fc_backward_batch(
                batch,
                &filters,
                &mut fast_filters,
                &mut fast_bias
            ));
            for (image, (fast, dx)) in fast.iter().zip(&dx).enumerate() {
                match asked >> image & 1 {
                    1 => close(fast, dx, k)?,
                    _ => prop_assert!(fast.iter().all(|dx| dx.is_nan()), "not asked for"),
                }
            }
            close(&fast_filters, &d_filters, images + 1)?;
            close(&fast_bias, &d_bias, images + 1)
        })?;
    }
    Ok(())
}

/// Packed filters: the same to the bit as for each image alone.
fn check_packed(images: usize, n: usize, k: usize) -> Result<(), TestCaseError> {
    let [filters, bias] = [n * k, k].map(|len| values(len, len));
    let xs: Vec<_> = (0..images).map(|image| values(image, n)).collect();
    let sizes = Sizes {
        x: [1, 1, n],
        filter: [1, 1],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [1, 1, k],
    };
    for algorithm in [Algorithm::Bfloat16, Algorithm::Direct] {
        let len = match algorithm {
            Algorithm::Direct => filters.len(),
            _ => algorithm.packed(&sizes),
        };
        let mut packed = vec![f32::NAN; len];
        prop_assert!(fc_pack(k, algorithm, &filters, &[], &mut packed));
        let from = Packed {
            sizes: &sizes,
            algorithm,
            packed: &packed,
            bias: &bias,
            onto: false,
            clamp: Clamp::Relu,
            threads: 1,
        };
        for level in levels() {
            with_level(level, || {
                let mut fast = vec![vec![f32::NAN; k]; images];
                let mut pairs = xs.iter().zip(&mut fast);
                let batch =
                    core::array::from_fn(|_| pairs.next().map(|(x, y)| (&x[..], &mut y[..])));
                prop_assert!(fc_forward_packed_batch(&from, batch));
                for (fast, x) in fast.iter().zip(&xs) {
                    let mut alone = vec![f32::NAN; k];
                    prop_assert!(fc_forward_packed(&from, x, &mut alone));
                    prop_assert_eq!(fast, &alone);
                }
                Ok(())
            })?;
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_fc_for_images_at_once_is_that_for_each(
        images in 1..=MICRO_BATCH,
        n in 1usize..40,
        k in 1usize..90,
    ) {
        check_packed(images, n, k)?;
    }

    #[test]
    fn an_fc_for_images_at_once_is_its_sums(
        images in 1..=MICRO_BATCH,
        n in 1usize..40,
        k in 1usize..90,
        asked: u8,
    ) {
        check(images, n, k, asked)?;
    }
}

/// Columns in pieces; and the most, whose filters an image alone reads row by row.
#[test]
fn a_wide_fc_for_images_at_once_is_its_sums() {
    for k in [1023, 1024, 1025, 1540, 4099] {
        check(7, 19, k, !0).unwrap();
        check_packed(7, 19, k).unwrap();
    }
}

#[test]
fn lengths_that_do_not_fit_are_declined() {
    let (mut y, filters) = ([0.0; 3], [1.0; 5]);
    let mut batch = Some((&[1.0, 2.0][..], &mut y[..]));
    assert!(!fc_forward_batch(
        core::array::from_fn(|_| batch.take()),
        &filters,
        &[0.0; 3]
    ));
    assert_eq!(y, [0.0; 3], "nothing was done");
}
