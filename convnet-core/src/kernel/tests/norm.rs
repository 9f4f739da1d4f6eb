//! The gradient through a batch norm against its formula, to the bit.

use super::*;

fn check<const L: usize>(pixels: usize, depth: usize, start: usize) -> Result<(), TestCaseError> {
    let [x, dy, mut dx] = [1, 2, 3].map(|seed| values(seed, pixels * depth));
    let by: [[f32; L]; 4] = core::array::from_fn(|i| values(i, L).try_into().expect("L values"));
    let [scale, of_dy, mean, slope] = &by;
    let before = dx.clone();
    for (i, dx) in dx.iter_mut().enumerate() {
        if let Some(d) = (i % depth).checked_sub(start).filter(|&d| d < L) {
            *dx = scale[d] * ((dy[i] - of_dy[d]) - (x[i] - mean[d]) * slope[d]);
        }
    }
    for level in levels() {
        let mut fast = before.clone();
        with_level(level, || {
            let by = by.each_ref();
            assert!(norm_backward([depth, start], by, &x, &dy, &mut fast));
            // Slices of another length are left alone.
            assert!(!norm_backward([depth, start], by, &x, &dy[1..], &mut fast));
            assert!(!norm_backward([depth, depth], by, &x, &dy, &mut fast));
        });
        prop_assert_eq!(&fast, &dx);
    }
    Ok(())
}

proptest! {
    #[test]
    fn it_is_its_formula(pixels in 1usize..20, start in 0usize..20, more in 0usize..20) {
        check::<1>(pixels, start + 1 + more, start)?;
        check::<4>(pixels, start + 4 + more, start)?;
        check::<13>(pixels, start + 13 + more, start)?;
        check::<16>(pixels, start + 16 + more, start)?;
    }
}
