//! Filters in blocks: whatever is computed a second time is computed from the same start.

use super::*;

/// So few that a block is eight rows of filters.
const SMALLEST: usize = 1;

fn check(s: &Sizes) -> Result<(), TestCaseError> {
    let Convolved {
        x,
        filters,
        bias,
        y,
        ..
    } = &convolved(s);
    let from = conv::Operands {
        sizes: s,
        x,
        filters,
        bias,
    };
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![f32::NAN; y.len()];
            assert!(conv::forward_in_blocks(&from, SMALLEST, &mut fast).is_some());
            close(&fast, y, s.filter[0] * s.filter[1] * s.x[2] + 1)
        })?;
    }
    Ok(())
}

/// Pixels and filters are 1: each output is its bias, and one for each scalar that its window sees.
fn check_ones(s: &Sizes) {
    let [x, filters] = [
        s.x.iter().product(),
        s.filter[0] * s.filter[1] * s.x[2] * s.y[2],
    ]
    .map(|len| vec![1.0f32; len]);
    let bias: Vec<_> = (0..s.y[2]).map(|k| k as f32).collect();
    let mut columns = vec![0; s.y[0] * s.y[1]];
    meets(s)
        .iter()
        .for_each(|[.., column]| columns[*column] += s.x[2]);
    let y: Vec<_> = columns
        .iter()
        .flat_map(|&seen| bias.iter().map(move |bias| bias + seen as f32))
        .collect();
    for level in levels() {
        let mut fast = vec![f32::NAN; y.len()];
        assert!(with_level(level, || conv_forward(
            s, &x, &filters, &bias, &mut fast
        )));
        assert!(fast == y, "{s:?} at {level:?}");
    }
}

fn sizes(x: [usize; 3], f: usize, pad: usize, k: usize) -> Sizes {
    let y = |x: usize| x + 2 * pad + 1 - f;
    Sizes {
        x,
        filter: [f, f],
        stride: [1, 1],
        dilation: [1, 1],
        before: [pad, pad],
        y: [y(x[0]), y(x[1]), k],
    }
}

proptest! {
    #[test]
    fn any_window_in_blocks_is_its_sums(sizes in window()) {
        check(&sizes)?;
    }
}

/// Every remainder of the lanes of each level, of one block and of a row more, and of several.
#[test]
fn every_number_of_filters_in_blocks_is_its_sums() {
    for k in 1..=67 {
        for d in [8, 9, 26] {
            check(&sizes([2, 2, d], 1, 0, k)).unwrap_or_else(|error| panic!("{d}, {k}: {error}"));
        }
    }
}

/// Around the block as it is: 2¹⁶ scalars of filters, or eight rows.
#[test]
fn large_filters_are_their_sums() {
    check_ones(&sizes([1, 1, 2048], 1, 0, 33));
    for k in 32..=64 {
        for rows in [(1 << 16) / k, (1 << 16) / k + 1] {
            check_ones(&sizes([1, 1, rows], 1, 0, k));
        }
    }
    for k in [9, 10, 11] {
        check_ones(&sizes([1, 1, 8000], 1, 0, k));
    }
    for k in [8192, 8209, 8215, 8229] {
        check_ones(&sizes([1, 1, 9], 1, 0, k));
    }
    check_ones(&sizes([4, 4, 512], 1, 0, 1000));
    check_ones(&sizes([4, 4, 512], 1, 0, 1008));
    check_ones(&sizes([13, 13, 384], 3, 1, 40));
    check_ones(&sizes([6, 6, 96], 5, 2, 36));
    check_ones(&sizes([9, 9, 49], 7, 3, 33));
}
