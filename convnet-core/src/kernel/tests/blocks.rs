//! Sizes around the numbers by which kernels are cut into blocks, and blocks that are small: whatever is
//! computed a second time is so from the same start, or is not added.

use super::*;
use crate::kernel::cache::{L2, scalars};

/// So few that a block is eight rows of filters.
const SMALLEST: usize = 1;

fn check_forward(s: &Sizes) -> Result<(), TestCaseError> {
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

/// The gradient on the filters, in blocks of so many scalars.
fn check_gradient(s: &Sizes, block: usize) -> Result<(), TestCaseError> {
    let Convolved {
        x,
        filters,
        bias,
        dy,
        d_filters,
        d_bias,
        ..
    } = &convolved(s);
    let from = conv::filter_grad::Operands { sizes: s, x, dy };
    for level in levels() {
        with_level(level, || {
            let (mut fast, mut fast_bias) = (filters.clone(), bias.clone());
            let done =
                conv::filter_grad::add_gradient_in_blocks(&from, block, &mut fast, &mut fast_bias);
            assert!(done.is_some());
            close(&fast, d_filters, s.y[0] * s.y[1] + 1)?;
            close(&fast_bias, d_bias, s.y[0] * s.y[1] + 1)
        })?;
    }
    Ok(())
}

/// Packed filters, by `forward` at every level; it may round so many times as much as a direct sum.
fn check_packed_for(
    s: &Sizes,
    algorithm: Algorithm,
    worse: usize,
    forward: impl Fn(&Packed<'_, f32>, &[f32], &mut [f32]) -> bool,
) -> Result<(), TestCaseError> {
    let Convolved {
        x,
        filters,
        bias,
        y,
        ..
    } = &convolved(s);
    let mut packed = vec![f32::NAN; algorithm.packed(s)];
    assert!(conv_pack(s, algorithm, filters, &[], &mut packed));
    let from = Packed {
        sizes: s,
        algorithm,
        packed: &packed,
        bias,
        onto: false,
        clamp: Clamp::None,
        threads: 1,
    };
    for level in levels() {
        with_level(level, || {
            let mut fast = vec![f32::NAN; y.len()];
            assert!(forward(&from, x, &mut fast));
            close(&fast, y, worse * (s.filter[0] * s.filter[1] * s.x[2] + 1))
        })?;
    }
    Ok(())
}

/// Over so many scalars of x and y at a time.
fn check_panels(s: &Sizes, near: usize) -> Result<(), TestCaseError> {
    check_packed_for(s, Algorithm::Panels, 1, |from, x, y| {
        conv::panels::forward_in_blocks(from, near, x, y).is_some()
    })
}

/// In blocks as they are.
fn check_whole(s: &Sizes, algorithm: Algorithm, worse: usize) -> Result<(), TestCaseError> {
    check_packed_for(s, algorithm, worse, |from, x, y| {
        conv_forward_packed(from, x, &mut vec![f32::NAN; algorithm.scratch(s)], y)
    })
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
    let algorithm = Algorithm::Direct;
    let mut packed = vec![f32::NAN; filters.len()];
    assert!(conv_pack(s, algorithm, &filters, &[], &mut packed));
    let from = Packed {
        sizes: s,
        algorithm,
        packed: &packed,
        bias: &bias,
        onto: false,
        clamp: Clamp::None,
        threads: 1,
    };
    for level in levels() {
        let (mut fast, mut prepared) = (vec![f32::NAN; y.len()], vec![f32::NAN; y.len()]);
        with_level(level, || {
            assert!(conv_forward(s, &x, &filters, &bias, &mut fast));
            assert!(conv_forward_packed(&from, &x, &mut [], &mut prepared));
        });
        assert!(fast == y && prepared == y, "{s:?} at {level:?}");
    }
}

fn sizes(x: [usize; 3], f: usize, pad: usize, k: usize) -> Sizes {
    let y = |x: usize| x + 2 * pad + 1 - f;
    Sizes {
        x,
        filter: [f, f],
        stride: [1, 1],
        dilation: [1, 1],
        groups: 1,
        before: [pad, pad],
        y: [y(x[0]), y(x[1]), k],
    }
}

proptest! {
    #[test]
    fn filters_in_blocks_are_their_sums(sizes in window()) {
        check_forward(&sizes)?;
    }

    #[test]
    fn a_gradient_in_blocks_of_pixels_is_its_sums(sizes in window(), block in 0usize..400) {
        check_gradient(&sizes, block)?;
    }

    #[test]
    fn panels_in_blocks_of_rows_are_their_sums(
        sizes in window(),
        k in 16usize..50,
        near in 0usize..2000,
    ) {
        let [h, w, _] = sizes.y;
        check_panels(&Sizes { y: [h, w, k], ..sizes }, near)?;
    }
}

/// Every remainder of the lanes of each level, of one block and of a row more, and of several.
#[test]
fn every_number_of_filters_in_blocks_is_its_sums() {
    for k in 1..=67 {
        for d in [8, 9, 26] {
            check_forward(&sizes([2, 2, d], 1, 0, k))
                .unwrap_or_else(|error| panic!("{d}, {k}: {error}"));
        }
    }
}

/// Around the block as it is: half of the second-level cache of filters, or eight rows.
#[test]
fn large_filters_are_their_sums() {
    check_ones(&sizes([1, 1, 2048], 1, 0, 33));
    for k in 32..=64 {
        let rows = scalars::<f32>(L2 / 2) / k;
        for rows in [rows, rows + 1] {
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

/// Winograd's blocks of tiles and filters, of which there are three kinds: by how many tiles of V stay near.
/// Around the depths at which the kind changes.
#[test]
fn deep_winograd_is_its_sums() {
    for (tile, worse, f, depths) in [
        (Winograd::Two, 2, 3, [128, 129, 512, 513]),
        (Winograd::Four, 8, 3, [56, 57, 227, 228]),
        (Winograd::Six, 32, 3, [32, 33, 128, 129]),
        (Winograd::Four, 8, 5, [32, 33, 128, 129]),
    ] {
        for depth in depths {
            let s = &sizes([7, 23, depth], f, f / 2, 17);
            let algorithm = Algorithm::Winograd(tile);
            check_whole(s, algorithm, worse)
                .unwrap_or_else(|error| panic!("{depth}, {algorithm}: {error}"));
        }
    }
}

/// Rows of filters that the copy of a few filters holds, and one more.
#[test]
fn few_deep_filters_are_their_sums() {
    for k in (5..8).chain(9..16) {
        for rows in [255, 256, 257] {
            check_conv(&sizes([2, 13, rows], 1, 0, k)).unwrap();
        }
    }
}

/// As many filters as stay in registers, at each level, and one more.
#[test]
fn a_narrow_fc_is_its_sums() {
    for k in [31, 32, 33, 63, 64, 65, 127, 128, 129, 143, 145] {
        for n in [7, 8, 9, 33] {
            check_fc(n, k).unwrap();
            check_fc_in_bfloat16(n, k).unwrap();
        }
    }
}
