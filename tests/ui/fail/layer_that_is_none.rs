//! The volume that is said is none that the layer can write.

use convnet::convnet;

pub struct Swap;

impl<T: convnet::Real> convnet::Layer<convnet::Volume<T, 8, 8, 3>, convnet::Volume<T, 8, 8, 3>> for Swap {
    fn forward(&self, x: &convnet::Volume<T, 8, 8, 3>, y: &mut convnet::Volume<T, 8, 8, 3>) {
        y.copy_from(x);
    }

    fn backward(
        &self,
        _: &convnet::Volume<T, 8, 8, 3>,
        dx: &mut convnet::Volume<T, 8, 8, 3>,
        dy: &convnet::Volume<T, 8, 8, 3>,
        _: &mut Self,
    ) {
        dx.copy_from(dy);
    }

    fn backward_parameters(
        &self,
        _: &convnet::Volume<T, 8, 8, 3>,
        _: &convnet::Volume<T, 8, 8, 3>,
        _: &mut Self,
    ) {
    }
}

convnet! {
    pub struct Net {
        input(8x8x3),
        layer(Swap, 4x4x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
