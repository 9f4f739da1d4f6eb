//! What is named by a type has parameters.

use convnet::{Layer, Real, Volume, convnet};

pub struct Copy<T>(core::marker::PhantomData<T>);

impl<T: Real> Layer<Volume<T, 8, 8, 3>, Volume<T, 8, 8, 3>> for Copy<T> {
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
        copied: layer(Copy<T>, 8x8x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
