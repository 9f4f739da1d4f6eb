//! A prepared network computes what the network does: to rounding in `f32`, to the bit in `f64`,
//! which no kernel computes.

use convnet::kernel::{levels, with_level};
use convnet::prepare::{Precision, Prepare, Prepared};
use convnet::{AnyVolume, Network, Real, Rng, Role, Volume, convnet};

const FILTERS: usize = 20;
const SOME: usize = 6;
const ONE: usize = 1;
const TWO: usize = 2;

convnet! {
    /// A conv of every algorithm, with and without a relu after it, and a relu after something else.
    struct Mixed {
        input(19x17x3),
        conv(16, 5x5, pad = 2),
        relu,
        conv(24, 3x3, pad = 1),
        tanh,
        conv(33, 3x3, pad = (1, 2, 0, 1)),
        relu,
        max_pool(3x3, stride = 2, fit = crop),
        relu,
        conv(16, 3x3, stride = 2, fit = crop),
        conv(7, 1x1),
        relu,
        fc(30),
        relu,
        fc(5),
    }
}

convnet! {
    /// Filters that see a part of the depth, with and without what can be folded into them.
    struct Slices {
        input(13x10x6),
        depthwise(3x3, pad = 1), batch_norm, relu6,
        depthwise(3x3, stride = 2, pad = 1, fit = crop, bias = none), batch_norm,
        conv(12, 3x3, pad = 1, groups = 3), batch_norm, relu,
        conv(12, 3x3, pad = 1, groups = 2, bias = none), relu6,
        residual { depthwise(5x5, pad = 2), batch_norm, relu, conv(12, 1x1, groups = TWO), batch_norm },
        depthwise(3x3, pad = 1), relu,
        depthwise(3x3, pad = 1), max_pool(2x2, stride = 2, fit = crop),
        conv(8, 1x1, groups = 4), batch_norm, max_pool(2x2, stride = 1),
        fc(3),
    }
}

convnet! {
    /// Layers that are large enough to be shared by threads.
    struct Large {
        input(32x32x32),
        conv(32, 3x3, pad = 1),
        relu,
        max_pool(4x4, stride = 4),
        fc(600),
        batch_norm,
        relu,
        fc(4),
    }
}

convnet! {
    /// Filters that are no whole lines in bfloat16.
    struct Odd {
        input(1x1x1025),
        fc(257),
    }
}

convnet! {
    struct Named {
        input(12x12x16),
        conv(FILTERS, 3x3, pad = same),
        relu,
        fc(FILTERS),
    }
}

convnet! {
    /// A conv whose output is pooled, and read again after that; one that is only pooled; and convs
    /// that no kernel packs.
    struct Again {
        input(12x16x3),
        conv(6, 3x3, pad = 1),
        residual { max_pool(3x3, stride = 1, pad = 1), conv(6, 3x3, pad = 1), relu },
        conv(6, 5x5, pad = 2, bias = none),
        relu,
        max_pool(2x2),
        conv(32, 3x3, pad = 2, dilation = 2),
        conv(32, 3x3, pad = 1, groups = 2),
        fc(3),
    }
}

convnet! {
    /// Norms that are folded: into every algorithm, into an fc, before and after others, and where the
    /// rows that a pool sees are all that there is; and some that cannot be.
    struct Normed {
        input(19x16x3),
        conv(6, 5x5, pad = 2), batch_norm, relu, max_pool(2x2, stride = 2, fit = crop),
        conv(7, 3x3, pad = 1, bias = none), batch_norm, max_pool(3x3, stride = 2, fit = crop),
        batch_norm,
        conv(24, 3x3, pad = 1), batch_norm, relu6,
        residual {
            conv(24, 3x3, pad = 1, bias = none), batch_norm(eps = 1e-3), relu,
            conv(24, 3x3, pad = 1, bias = none), batch_norm,
        },
        relu,
        residual {
            conv(40, 3x3, pad = 1), batch_norm,
            shortcut { conv(40, 1x1), batch_norm },
        },
        residual {
            conv(32, 3x3, pad = 1), relu,
            conv(48, 3x3, pad = 1), batch_norm,
            shortcut { conv(48, 1x1), batch_norm },
        },
        relu6, relu,
        residual { conv(32, 1x1), relu, conv(48, 1x1) },
        concat {
            [conv(5, 1x1), batch_norm, tanh],
            [batch_norm, conv(16, 3x3, pad = 1), batch_norm],
        },
        conv(20, 3x3, pad = 1),
        residual { batch_norm, relu },
        conv(20, 3x3, pad = 2, dilation = 2), batch_norm, relu,
        depthwise(3x3, pad = 1), batch_norm, relu6,
        conv(20, 3x3, pad = 1, groups = 2), batch_norm, relu,
        conv_transpose(9, 2x2, stride = 2), batch_norm, relu,
        fc(30), batch_norm, relu,
        fc(5), batch_norm,
    }
}

convnet! {
    /// The same where the macro sees no sizes.
    struct NormedByName {
        input(16x16x3),
        conv(SOME, 5x5, pad = 2), batch_norm, relu, max_pool(2x2, stride = 2),
        conv(SOME, 3x3, pad = same), batch_norm, relu6, max_pool(2x2, stride = 2),
        conv(FILTERS, 3x3, pad = same), batch_norm, relu, max_pool(2x2, stride = 2),
        conv(SOME, 3x3, pad = same, groups = ONE), batch_norm, relu, max_pool(2x2, stride = 2),
        residual { conv(SOME, 1x1), relu, conv(SOME, 3x3, pad = same), batch_norm }, relu,
        conv(FILTERS, 1x1, groups = TWO), batch_norm, relu,
        fc(SOME),
    }
}

convnet! {
    /// Nothing to pack.
    struct Still { input(4x4x1), relu, fc(3) }
}

/// The largest difference, over the largest score.
fn difference<N: Prepare>(precision: Precision) -> f64 {
    let mut net: Box<N> = bytemuck::zeroed_box();
    convnet::init::Init::KaimingNormal.fill(&mut *net, 3);
    let mut rng = Rng::new(4);
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        for w in net.tensor_mut(index) {
            match tensor.role {
                Role::Bias | Role::Mean(_) => *w = N::Scalar::of(rng.normal()),
                // Negative ones too: a pool may not come before such a norm.
                Role::Gain => *w = N::Scalar::of(rng.normal() + 0.5),
                Role::Variance(..) => *w = N::Scalar::of(rng.uniform() + 0.1),
                Role::Filters | Role::Grouped(_) | Role::Weights | Role::Slope => {}
            }
        }
    }
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    let pixels = image.as_mut_slice().iter_mut();
    pixels.for_each(|x| *x = N::Scalar::of(rng.normal()));

    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    let scores = net.forward(&image, &mut arena).as_slice();
    let fast = Prepared::with(&*net, precision);
    let mut arena = fast.arena();
    let prepared = fast.forward(&image, &mut arena).as_slice();
    let largest = |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).fold(0.0, f64::max);
    let most = largest(&mut scores.iter().map(|score| score.widen()));
    let pairs = scores.iter().zip(prepared);
    largest(&mut pairs.map(|(a, b)| a.widen() - b.widen())) / most
}

#[test]
fn a_prepared_network_computes_the_same() {
    for precision in [Precision::HIGHEST, Precision::default()] {
        for level in levels() {
            with_level(level, || {
                assert!(difference::<Mixed>(precision) < 1e-4);
                assert!(difference::<Named>(precision) < 1e-4);
                assert!(difference::<Again>(precision) < 1e-4);
                assert!(difference::<Normed>(precision) < 1e-4);
                assert!(difference::<Slices>(precision) < 1e-4);
                assert!(difference::<NormedByName>(precision) < 1e-4);
                assert_eq!(difference::<Still>(precision), 0.0);
            });
        }
        assert_eq!(difference::<Mixed<f64>>(precision), 0.0);
        assert_eq!(difference::<Normed<f64>>(precision), 0.0);
        assert_eq!(difference::<Slices<f64>>(precision), 0.0);
        assert_eq!(difference::<NormedByName<f64>>(precision), 0.0);
    }
}

#[test]
fn filters_in_bfloat16_move_the_scores_a_little() {
    let precision = Precision {
        bfloat16: true,
        ..Precision::HIGHEST
    };
    for level in levels() {
        with_level(level, || {
            let moved = difference::<Large>(precision);
            assert!((1e-4..1e-2).contains(&moved), "{moved}");
            let moved = difference::<Odd>(precision);
            assert!((1e-4..1e-2).contains(&moved), "{moved}");
        });
    }
    // There is no such form of `f64`.
    assert_eq!(difference::<Large<f64>>(precision), 0.0);
}

#[test]
fn what_a_pool_reads_row_by_row_is_never_whole() {
    type Arena<N> = <N as Network>::Arena;
    type Overlay<N> = <N as Prepare>::Overlay;
    const { assert!(size_of::<Overlay<Normed>>() < size_of::<Arena<Normed>>()) };
    // 2 rows of 16x6 and the pool's 8x8x6; and without that 16x16x6 and 8x8x6.
    assert_eq!(
        size_of::<Overlay<NormedByName>>(),
        (2 * 16 * 6 + 8 * 8 * 6) * 4
    );
    assert_eq!(
        size_of::<Arena<NormedByName>>(),
        (16 * 16 * 6 + 8 * 8 * 6) * 4
    );
}

#[test]
fn the_choice_can_be_read() {
    let net = Named::<f32>::random(1);
    let fast = Prepared::new(&*net).to_string();
    assert!(fast.starts_with("conv1  winograd 6x6 "), "{fast}");
    let exact = Prepared::without_winograd(&*net).to_string();
    assert!(exact.starts_with("conv1  panels "), "{exact}");
    let large = Large::<f32>::random(1);
    let half = Prepared::with(&*large, Precision::FASTEST).to_string();
    assert!(half.contains("fc1    bfloat16 "), "{half}");
}

/// Whoever computes a row or a filter, it is the same to the bit.
#[test]
fn threads_share_large_layers_and_batches() {
    let net = Large::<f32>::random(231);
    let images = [1, 2, 3, 4, 5].map(|seed| {
        let (mut image, mut rng) = (Volume::<f32, 32, 32, 32>::boxed(), Rng::new(seed));
        let pixels = image.as_mut_slice().iter_mut();
        pixels.for_each(|x| *x = rng.normal() as f32);
        image
    });
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3);
    let pool = pool.build().expect("threads");
    for precision in [Precision::default(), Precision::HIGHEST, Precision::FASTEST] {
        let fast = Prepared::with(&*net, precision);
        let mut arena = fast.arena();
        let expected: Vec<_> = images
            .iter()
            .map(|image| Box::new(fast.forward(image, &mut arena).clone()))
            .collect();
        pool.install(|| {
            assert_eq!(fast.forward_batch(&images), expected);
            let fast = fast.parallel();
            let mut arena = fast.arena();
            for (image, expected) in images.iter().zip(&expected) {
                assert_eq!(fast.forward(image, &mut arena), &**expected);
            }
        });
    }
}
