//! Every layer, with sizes by number and by name, beside a network and a layer with parameters that is
//! written by hand: what they learn is one list.
#![deny(warnings)]

use convnet::{Layer, OnHeap, Parameters, Prepared, Real, Role, Tensor, Volume, convnet, parameters};

parameters! {
    /// x · γ.
    pub struct Scale<T, const SLICES: usize> {
        pub gamma: Gain [SLICES],
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Scale<T, D>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, (&x, at)) in y.as_mut_slice().iter_mut().zip(x.as_slice().iter().zip(0..)) {
            *y = x * self.gamma[at % D];
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        self.forward(dy, dx);
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        for ((&x, &dy), at) in x.as_slice().iter().zip(dy.as_slice()).zip(0..) {
            gradient.gamma[at % D] += x * dy;
        }
    }
}

convnet! { struct Sub { input(4x4x2), conv(2, 1x1) } }
convnet! { struct BesideNetwork { input(4x4x2), conv(2, 1x1, groups = 2), network(Sub) } }
convnet! { struct BesideLayer { input(4x4x2), conv(2, 1x1, groups = 2), layer(Scale<T, 2>, 4x4x2) } }

const GROUPS: usize = 2;
const F: usize = 1;
const K: usize = 2;
const SIDE: usize = 4;
const SMALL: f64 = 0.5;

convnet! {
    struct Named {
        input(SIDE x SIDE x 2),
        normalize(mean = [SMALL, 0.25], std = SMALL),
        conv(K, F x F, groups = GROUPS),
        layer(Scale<T, 2>, SIDE x SIDE x 2),
        network(Sub),
        batch_norm(eps = SMALL, momentum = SMALL),
        batch_norm(momentum = SMALL, affine = none),
        layer_norm_volume(eps = SMALL),
        depthwise(F x F),
        conv_transpose(K, F x F),
        avg_pool(F x F),
        residual { conv(K, F x F, bias = none, groups = GROUPS), relu6, max_pool(F x F) },
        concat { [conv(K, F x F), leaky_relu(SMALL)], [network(Sub), hard_swish] },
        lrn(F),
        dropout(SMALL),
        fc(K),
        layer(Scale<T, 2>, 1x1x2),
    }
}

convnet! {
    struct Plain {
        input(4x4x2),
        normalize(mean = [0.5, 0.25], std = 0.5),
        conv(2, 1x1, groups = 2),
        layer(Scale<T, 2>, 4x4x2),
        network(Sub),
        batch_norm(eps = 0.5, momentum = 0.5),
        batch_norm(momentum = 0.5, affine = none),
        layer_norm_volume(eps = 0.5),
        depthwise(1x1),
        conv_transpose(2, 1x1),
        avg_pool(1x1),
        residual { conv(2, 1x1, bias = none, groups = 2), relu6, max_pool(1x1) },
        concat { [conv(2, 1x1), leaky_relu(0.5)], [network(Sub), hard_swish] },
        lrn(1),
        dropout(0.5),
        fc(2),
        layer(Scale<T, 2>, 1x1x2),
    }
}

fn main() {
    let grouped = Tensor { name: "conv1.filters", role: Role::Grouped(2), shape: &[1, 1, 1, 2] };
    for tensors in [
        BesideNetwork::<f32>::TENSORS,
        BesideLayer::<f32>::TENSORS,
        Named::<f32>::TENSORS,
        Plain::<f32>::TENSORS,
    ] {
        assert_eq!(tensors[0], grouped);
    }
    assert_eq!(Named::<f32>::TENSORS, Plain::<f32>::TENSORS);
    let figures = (Named::PARAMETERS, Named::MACS, Named::ARENA_BYTES, Named::TAPE_BYTES);
    assert_eq!(figures, (Plain::PARAMETERS, Plain::MACS, Plain::ARENA_BYTES, Plain::TAPE_BYTES));
    let (named, plain) = (Named::<f64>::random(1), Plain::<f64>::random(1));
    let (named, plain) = (Prepared::new(&*named), Prepared::new(&*plain));
    let mut image = Volume::ZERO;
    image[1][2] = [1.0, -2.0];
    assert_eq!(named.forward(&image, &mut named.arena()), plain.forward(&image, &mut plain.arena()));
}
