//! Layers written by hand, without and with hyperparameters, in a chain and in a block.
#![deny(warnings)]

use convnet::{Layer, OnHeap, Real, Volume, convnet};

mod layers {
    /// Every second pixel of every second row.
    pub struct Subsample;

    /// x · by.
    pub struct Scale {
        pub by: f64,
    }

    pub const HALF: Scale = Scale { by: 0.5 };
}
use layers::{Scale, Subsample};

impl<T: Real> Layer<Volume<T, 8, 8, 3>, Volume<T, 4, 4, 3>> for Subsample {
    fn forward(&self, x: &Volume<T, 8, 8, 3>, y: &mut Volume<T, 4, 4, 3>) {
        for (r, row) in y.iter_mut().enumerate() {
            for (c, column) in row.iter_mut().enumerate() {
                *column = x[2 * r][2 * c];
            }
        }
    }

    fn backward(
        &self,
        _: &Volume<T, 8, 8, 3>,
        dx: &mut Volume<T, 8, 8, 3>,
        dy: &Volume<T, 4, 4, 3>,
        _: &mut Self,
    ) {
        dx.as_mut_slice().fill(T::ZERO);
        for (r, row) in dy.iter().enumerate() {
            for (c, column) in row.iter().enumerate() {
                dx[2 * r][2 * c] = *column;
            }
        }
    }

    fn backward_parameters(
        &self,
        _: &Volume<T, 8, 8, 3>,
        _: &Volume<T, 4, 4, 3>,
        _: &mut Self,
    ) {
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Scale
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, &x) in y.as_mut_slice().iter_mut().zip(x.as_slice()) {
            *y = x * T::of(self.by);
        }
    }

    fn backward(
        &self,
        _: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        _: &mut Self,
    ) {
        self.forward(dy, dx);
    }

    fn backward_parameters(&self, _: &Volume<T, H, W, D>, _: &Volume<T, H, W, D>, _: &mut Self) {}
}

const CLASSES: usize = 2;

convnet! {
    struct ByHand {
        input(8x8x3),
        layer(Subsample, 4x4x3),
        residual { half: layer(layers::HALF, volume = 4x4x3) },
        fc(2),
    }
}

convnet! {
    struct Named {
        input(8x8x3),
        layer(Subsample, 4x4x3),
        residual { half: layer(layers::HALF, volume = 4x4x3) },
        fc(CLASSES),
    }
}

fn main() {
    let mut net = ByHand::<f32>::boxed();
    net.fc1.filters[1][1][0] = [1.0, 0.0];
    let mut image = Volume::boxed();
    image[2][2] = [2.0, 0.0, 0.0];
    // Subsampled to (1, 1), and 1.5 times as large.
    assert_eq!(net.forward(&image, &mut ByHand::arena()).as_slice(), [3.0, 0.0]);

    let mut tape = ByHand::tape();
    let d_scores = net.forward_train(&image, &mut tape, 0).clone();
    let (mut d_image, mut gradient) = (Volume::boxed(), ByHand::boxed());
    net.backward(&image, Some(&mut d_image), &mut tape, &d_scores, &mut gradient);
    assert_eq!(d_image[2][2], [4.5, 0.0, 0.0]);
    assert_eq!(d_image[3][2], [0.0; 3]);

    assert_eq!(ByHand::LAYERS[1].name, "residual1.half");
    assert_eq!(ByHand::LAYERS[1].op.detail().to_string(), "layers::HALF");
    assert_eq!(Named::ARENA_BYTES, ByHand::ARENA_BYTES);
    assert_eq!(Named::<f64>::boxed().fc1.bias, [0.0; 2]);
}
