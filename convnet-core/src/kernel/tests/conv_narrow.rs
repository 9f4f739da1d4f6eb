//! Rows and columns longer than a tile; filters that have a copy, and more rows of them than it holds.

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn few_filters_are_their_sums(
        sizes in window(),
        y in [1usize..4, 1..40],
        tall in any::<bool>(),
        depth in 1usize..14,
        k in prop_oneof![5usize..8, 9usize..16],
    ) {
        let [x, _] = y.map(|y| y + 2);
        let (sizes, y) = match tall {
            true => (Sizes { x: [y[1], x, depth], ..sizes }, [y[1], y[0], k]),
            false => (Sizes { x: [x, y[1], depth], ..sizes }, [y[0], y[1], k]),
        };
        check_conv(&Sizes { y, ..sizes })?;
    }
}
