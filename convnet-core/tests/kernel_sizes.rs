//! Every public kernel, with sizes and slices that nobody would mean: it declines, or does what its page
//! says; it never panics, and reads nothing that is not there.

#![forbid(unsafe_code)]

use convnet_core::kernel::{
    self, Algorithm, Clamp, Packed, Sizes, Width, Winograd, levels, with_level,
};
use proptest::prelude::*;

const ALGORITHMS: [Algorithm; 8] = [
    Algorithm::Direct,
    Algorithm::Panels,
    Algorithm::Rows,
    Algorithm::Winograd(Winograd::Two),
    Algorithm::Winograd(Winograd::Four),
    Algorithm::Winograd(Winograd::Six),
    Algorithm::Winograd(Winograd::Column),
    Algorithm::Bfloat16,
];

/// Small, near zero, near the largest, and such that a product with a small number wraps to a small one.
fn number() -> impl Strategy<Value = usize> {
    prop_oneof![
        12 => 1usize..20,
        1 => Just(0),
        1 => (0usize..4).prop_map(|less| usize::MAX - less),
        1 => (1usize..12).prop_map(|by| usize::MAX / by),
        1 => (2usize..12, 0usize..3).prop_map(|(by, more)| usize::MAX / by + more),
        1 => (1u32..usize::BITS).prop_map(|bit| 1 << bit),
    ]
}

/// One step, mostly.
fn step() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(1usize), 2 => 1usize..5, 1 => number()]
}

fn filter() -> impl Strategy<Value = [usize; 2]> {
    prop_oneof![2 => Just([3; 2]), 1 => Just([5; 2]), 4 => [number(), number()]]
}

prop_compose! {
    fn any_sizes()(
        x in [number(), number(), number()],
        filter in filter(),
        stride in [step(), step()],
        dilation in prop_oneof![12 => Just(1usize), 1 => number()],
        before in [prop_oneof![4 => 0usize..3, 1 => number()], prop_oneof![4 => 0usize..3, 1 => number()]],
        y in [number(), number(), number()],
        depth in prop_oneof![Just(None), number().prop_map(Some)],
    ) -> Sizes {
        let y = [y[0], y[1], depth.unwrap_or(x[2])];
        Sizes { x, filter, stride, dilation: [dilation, 1], groups: 1, before, y }
    }
}

/// As many numbers as the axes say, if that is a reasonable number, and `more`.
fn slice(axes: &[usize], more: usize) -> Vec<f32> {
    let len = axes
        .iter()
        .try_fold(1usize, |len, axis| len.checked_mul(*axis));
    let len = len.filter(|&len| len <= 1 << 16).unwrap_or(0);
    (0..len + more).map(|i| (i % 7) as f32 - 3.0).collect()
}

/// What is left alone if it is not done.
fn kept(done: bool, before: &[f32], after: &[f32]) {
    assert!(done || before == after, "declined, but written to");
}

/// Every kernel of a convolution or a pool; `more` scalars too many in one of the slices.
fn call(sizes: &Sizes, pool: &Sizes, more: [usize; 5]) {
    let ([fh, fw], [.., d], [.., k]) = (sizes.filter, sizes.x, sizes.y);
    let x = &slice(&sizes.x, more[0]);
    let y = &slice(&sizes.y, more[1]);
    let bias = &slice(&[k], more[2]);
    let of = d.checked_div(sizes.groups).unwrap_or(0);
    let filters = &slice(&[fh, fw, of, k], more[3]);
    let out = || y.clone();
    kernel::conv_forward(sizes, x, filters, bias, &mut out());
    kernel::conv_backward_input(sizes, &mut x.clone(), y, filters);
    let (mut d_filters, mut d_bias) = (filters.clone(), bias.clone());
    let done = kernel::conv_add_gradient(sizes, x, y, &mut d_filters, &mut d_bias);
    kept(done, filters, &d_filters);
    kept(done, bias, &d_bias);
    let scratch = &mut slice(&[kernel::conv_scratch(sizes)], more[4]);
    kernel::conv_forward_train(sizes, x, (filters, bias), scratch, &mut out());
    kernel::conv_backward_input_train(sizes, &mut x.clone(), y, filters, scratch);
    let (mut d_filters, mut d_bias) = (filters.clone(), bias.clone());
    let done = kernel::conv_add_gradient_train(sizes, (x, y), scratch, &mut d_filters, &mut d_bias);
    kept(done, filters, &d_filters);
    kept(done, bias, &d_bias);

    let filters = &slice(&[fh, fw, k], more[3]);
    kernel::depthwise_forward(sizes, x, (filters, bias), Clamp::Relu6, &mut out());
    kernel::depthwise_backward_input(sizes, &mut x.clone(), y, filters);
    let (mut d_filters, mut d_bias) = (filters.clone(), bias.clone());
    let done = kernel::depthwise_add_gradient(sizes, x, y, &mut d_filters, &mut d_bias);
    kept(done, filters, &d_filters);
    kept(done, bias, &d_bias);

    kernel::max_pool_forward(sizes, x, &mut out());
    kernel::max_pool_backward(sizes, x, &mut x.clone(), y);

    for winograd in [false, true] {
        let _ = Algorithm::choose(sizes, Width::default(), winograd);
    }
    let filters = &slice(&[fh, fw, of, k], more[3]);
    for algorithm in ALGORITHMS {
        let len = match algorithm {
            Algorithm::Direct => filters.len(),
            _ => algorithm.packed(sizes),
        };
        let mut packed = slice(&[len], more[4]);
        kernel::conv_pack(sizes, algorithm, filters, bias, &mut packed);
        let mut scratch = slice(&[algorithm.scratch(sizes)], 0);
        let from = Packed {
            sizes,
            algorithm,
            packed: &packed,
            bias,
            onto: false,
            clamp: Clamp::Relu,
            threads: 2,
        };
        kernel::conv_forward_packed(&from, x, &mut scratch, &mut out());
        let mut pooled = slice(&pool.y, 0);
        kernel::conv_pool_forward_packed(&from, pool, x, &mut scratch, &mut pooled);
        kernel::fc_forward_packed(&from, x, &mut out());
        let mut image = Some((&x[..], &mut pooled[..]));
        let images = std::array::from_fn(|_| image.take());
        kernel::fc_forward_packed_batch(&from, images);
    }
}

/// Every kernel that takes lengths alone.
fn call_lengths([n, k, a, b, c]: [usize; 5]) {
    let [x, y, filters, bias, other] = [n, k, a, b, c].map(|len| slice(&[len], 0));
    kernel::fc_forward(&x, &filters, &bias, &mut y.clone());
    kernel::fc_backward_input(&mut x.clone(), &y, &filters);
    let (mut d_filters, mut d_bias) = (filters.clone(), bias.clone());
    let done = kernel::fc_add_gradient(&x, &y, &mut d_filters, &mut d_bias);
    kept(done, &filters, &d_filters);
    kept(done, &bias, &d_bias);
    let mut written = y.clone();
    let mut images = [(&x[..], &mut written[..])].into_iter();
    kernel::fc_forward_batch(std::array::from_fn(|_| images.next()), &filters, &bias);
    let mut dx = other.clone();
    let mut images = [(&x[..], &y[..], Some(&mut dx[..])), (&x[..], &y[..], None)].into_iter();
    let images = std::array::from_fn(|_| images.next());
    kernel::fc_backward_batch(images, &filters, &mut d_filters, &mut d_bias);
    kernel::scale_filters(&filters, &bias, &mut other.clone());
    for algorithm in ALGORITHMS {
        kernel::fc_pack(k, algorithm, &filters, &bias, &mut other.clone());
    }
    let of: [&[f32; 5]; 4] = [&[1.0; 5]; 4];
    kernel::norm_backward([n, k], of, &filters, &bias, &mut other.clone());
    kernel::norm_backward([usize::MAX, b], of, &filters, &bias, &mut other.clone());
    kernel::norm_backward::<f32, 0>([n, k], [&[]; 4], &filters, &bias, &mut other.clone());
    for each in [kernel::exp::<f32>, kernel::sigmoid, kernel::tanh] {
        assert!(each(&mut other.clone()) || cfg!(not(target_arch = "x86_64")));
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 1500,
        rng_seed: proptest::test_runner::RngSeed::Fixed(231),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_sizes_are_declined_or_done(
        sizes in any_sizes(),
        pool in any_sizes(),
        after in any::<bool>(),
        groups in prop_oneof![6 => Just(1usize), 3 => 1usize..5, 1 => number()],
        more in [0usize..2, 0..2, 0..2, 0..2, 0..2],
        exact in 0usize..4,
    ) {
        let more = if exact > 0 { [0; 5] } else { more };
        let pool = if after { Sizes { x: sizes.y, ..pool } } else { pool };
        let sizes = Sizes { groups, ..sizes };
        for level in levels() {
            with_level(level, || call(&sizes, &pool, more));
        }
    }

    #[test]
    fn any_lengths_are_declined_or_done(
        n in 0usize..40,
        k in 0usize..40,
        [a, b, c] in [0usize..99, 0..40, 0..99],
        fits in any::<bool>(),
    ) {
        let [a, b, c] = if fits { [n * k, k, n * k] } else { [a, b, c] };
        for level in levels() {
            with_level(level, || call_lengths([n, k, a, b, c]));
        }
    }
}

/// The columns that a tile of a depthwise convolution sees wrapped to a few.
#[test]
fn a_stride_that_wraps_reads_nothing_that_is_not_there() {
    let sizes = Sizes {
        x: [1, 8, 16],
        filter: [1, 3],
        stride: [1, usize::MAX / 3 + 1],
        dilation: [1, 1],
        groups: 1,
        before: [0, 0],
        y: [1, 4, 16],
    };
    let (filters, bias) = ([1.0f32; 48], [0.0; 16]);
    for level in levels() {
        let mut y = [7.0; 64];
        let done = with_level(level, || {
            let parameters = (&filters[..], &bias[..]);
            kernel::depthwise_forward(&sizes, &[1.0; 128], parameters, Clamp::None, &mut y)
        });
        assert!(!done && y == [7.0; 64]);
    }
}

/// A divisor that wrapped to zero.
#[test]
fn a_stride_that_is_too_long_is_declined() {
    let sizes = Sizes {
        x: [14, 19, 3],
        filter: [5, 5],
        stride: [usize::MAX, 1],
        dilation: [1, 1],
        groups: 1,
        before: [2, 2],
        y: [1, 19, 3],
    };
    let (mut d_filters, mut d_bias) = ([1.0f32; 225], [1.0; 3]);
    let (x, dy) = ([1.0; 14 * 19 * 3], [1.0; 57]);
    assert!(!kernel::conv_add_gradient(
        &sizes,
        &x,
        &dy,
        &mut d_filters,
        &mut d_bias
    ));
    assert_eq!((d_filters, d_bias), ([1.0; 225], [1.0; 3]));
}

#[test]
fn filters_of_another_length_are_not_packed() {
    let filters = [1.0f32; 12];
    for (scale, len, fits) in [(0, 12, true), (3, 12, true), (5, 12, false), (3, 11, false)] {
        let scale = vec![2.0; scale];
        let mut packed = vec![0.0; len];
        assert_eq!(kernel::scale_filters(&filters, &scale, &mut packed), fits);
        let direct = kernel::fc_pack(3, Algorithm::Direct, &filters, &scale, &mut packed);
        assert_eq!(direct, fits);
    }
    for (k, scale, len, fits) in [
        (3, 0, 6, true),
        (3, 3, 6, true),
        (3, 2, 6, false),
        (3, 3, 5, false),
        (5, 0, 6, false),
        (0, 0, 0, false),
    ] {
        let (scale, mut packed) = (vec![2.0; scale], vec![0.0; len]);
        let done = kernel::fc_pack(k, Algorithm::Bfloat16, &filters, &scale, &mut packed);
        assert_eq!(done, fits, "{k}, {len}");
    }
}
