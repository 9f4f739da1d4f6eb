//! A layer that fits the first pass of a repetition and not the second is told which volumes do not fit.

use convnet::{Layer, Real, Volume, convnet};

pub struct Swap;

impl<T: Real> Layer<Volume<T, 9, 9, 3>, Volume<T, 9, 9, 3>> for Swap {
    fn forward(&self, x: &Volume<T, 9, 9, 3>, y: &mut Volume<T, 9, 9, 3>) {
        y.copy_from(x);
    }

    fn backward(
        &self,
        _: &Volume<T, 9, 9, 3>,
        dx: &mut Volume<T, 9, 9, 3>,
        dy: &Volume<T, 9, 9, 3>,
        _: &mut Self,
    ) {
        dx.copy_from(dy);
    }

    fn backward_parameters(&self, _: &Volume<T, 9, 9, 3>, _: &Volume<T, 9, 9, 3>, _: &mut Self) {}
}

convnet! {
    pub struct Net {
        input(9x9x3),
        [layer(Swap, 9x9x3), conv(3, 3x3)] * 2,
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
