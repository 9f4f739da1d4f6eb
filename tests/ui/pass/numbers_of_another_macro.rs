//! Another macro hands on numbers, sizes and names.

use convnet::convnet;

macro_rules! network {
    ($name:ident, $filters:literal, $size:literal, $f:literal, $stride:expr, $times:literal, $classes:path) => {
        convnet! {
            pub struct $name {
                input(32x32x3),
                [conv($filters, $size, pad = 1), relu] * $times,
                conv($filters, $f x $f, stride = $stride, fit = crop),
                dropout(0.5),
                fc($classes),
            }
        }
    };
}

const CLASSES: usize = 10;

network!(Net, 4, 3x3, 5, 2, 3, CLASSES);

fn main() {
    assert_eq!(Net::OUTPUT, [1, 1, 10]);
}
