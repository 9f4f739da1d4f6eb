//! The volume that is said is none that the layer can write.

use convnet::{Layer, Real, Volume, convnet, parameters};

parameters! {
    pub struct Scale<T> { gamma: Gain [3] }
}

impl<T: Real> Layer<Volume<T, 8, 8, 3>, Volume<T, 8, 8, 3>> for Scale<T> {
    fn forward(&self, x: &Volume<T, 8, 8, 3>, y: &mut Volume<T, 8, 8, 3>) {
        y.copy_from(x);
    }

    fn backward(
        &self,
        _: &Volume<T, 8, 8, 3>,
        dx: &mut Volume<T, 8, 8, 3>,
        dy: &Volume<T, 8, 8, 3>,
        _: &mut Self,
    ) {
        dx.copy_from(dy);
    }

    fn backward_parameters(&self, _: &Volume<T, 8, 8, 3>, _: &Volume<T, 8, 8, 3>, _: &mut Self) {}
}

convnet! {
    pub struct Net {
        input(8x8x3),
        scale: layer(Scale<T>, 4x4x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
