//! A prepared network computes what the network does: to rounding in `f32`, to the bit in `f64`,
//! for which there is nothing to pack.

use convnet::prepare::{Prepare, Prepared};
use convnet::{AnyVolume, Real, Rng, convnet};

const FILTERS: usize = 20;

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
    /// Nothing to pack.
    struct Still { input(4x4x1), relu, fc(3) }
}

/// The largest difference, over the largest score.
fn difference<N: Prepare>(winograd: bool) -> f64 {
    let mut net: Box<N> = bytemuck::zeroed_box();
    convnet::init::Init::KaimingNormal.fill(&mut *net, 3);
    let mut rng = Rng::new(4);
    for index in 0..N::TENSORS.len() {
        let bias = N::TENSORS[index].name.ends_with("bias");
        let draw = |w: &mut N::Scalar| *w = N::Scalar::of(rng.normal());
        net.tensor_mut(index)
            .iter_mut()
            .filter(|_| bias)
            .for_each(draw);
    }
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    let pixels = image.as_mut_slice().iter_mut();
    pixels.for_each(|x| *x = N::Scalar::of(rng.normal()));

    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    let scores = net.forward(&image, &mut arena).as_slice();
    let fast = match winograd {
        true => Prepared::new(&*net),
        false => Prepared::without_winograd(&*net),
    };
    let mut arena = fast.arena();
    let prepared = fast.forward(&image, &mut arena).as_slice();
    let largest = |values: &mut dyn Iterator<Item = f64>| values.map(f64::abs).fold(0.0, f64::max);
    let most = largest(&mut scores.iter().map(|score| score.to_f64()));
    let pairs = scores.iter().zip(prepared);
    largest(&mut pairs.map(|(a, b)| a.to_f64() - b.to_f64())) / most
}

#[test]
fn a_prepared_network_computes_the_same() {
    for winograd in [false, true] {
        assert!(difference::<Mixed>(winograd) < 1e-4);
        assert!(difference::<Named>(winograd) < 1e-4);
        assert!(difference::<Again>(winograd) < 1e-4);
        assert_eq!(difference::<Still>(winograd), 0.0);
        assert_eq!(difference::<Mixed<f64>>(winograd), 0.0);
    }
}

#[test]
fn the_choice_can_be_read() {
    let net = Named::<f32>::random(1);
    let fast = Prepared::new(&*net).to_string();
    assert!(fast.starts_with("conv1  winograd 6x6 "), "{fast}");
    let exact = Prepared::without_winograd(&*net).to_string();
    assert!(exact.starts_with("conv1  strips "), "{exact}");
}
