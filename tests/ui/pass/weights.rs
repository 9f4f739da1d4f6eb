//! A weight file becomes a `static`, without unsafe code and without std.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use convnet::{convnet, weights};

convnet! {
    /// Documented.
    pub struct Net { input(4x4x1), conv1: conv(2, 3x3), scores: fc(3) }
}

weights! {
    /// Every scalar is an eighth more than the one before it.
    pub static NET: Net = "../weights/right.safetensors";
}

weights!(static SAME: Net<f32> = concat!("../weights/", "right.safetensors"));

fn main() {
    let (filters, scores) = (&NET.conv1.filters, &NET.scores.filters);
    assert_eq!((filters[0][0][0][1], filters[2][2][0][1]), (0.125, 17.0 / 8.0));
    assert_eq!(NET.conv1.bias, [18.0 / 8.0, 19.0 / 8.0]);
    assert_eq!((scores[0][0][0][0], scores[1][1][1][2]), (20.0 / 8.0, 43.0 / 8.0));
    assert_eq!(NET.scores.bias, [44.0 / 8.0, 45.0 / 8.0, 46.0 / 8.0]);
    assert_eq!((&SAME.conv1, &SAME.scores), (&NET.conv1, &NET.scores));
}
