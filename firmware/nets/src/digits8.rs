//! The digits in bytes: the same declaration, weights and images.

use convnet::Volume;
use convnet::int8_weights;

use crate::Arena8;
use crate::digits::{Digits, IMAGES, Image};

int8_weights! {
    /// Quantised by the ten images.
    pub static NET: Digits = "../../target/weights/digits-int8.safetensors";
}

/// The images, in steps of 1/255 from −128 on.
static BYTES: [Volume<i8, 8, 8, 1>; 10] = {
    let (mut all, mut at) = ([const { Volume::ZERO }; 10], 0);
    while at < 10 {
        all[at] = bytes(&IMAGES[at]);
        at += 1;
    }
    all
};

const fn bytes(image: &Image) -> Volume<i8, 8, 8, 1> {
    let (mut bytes, mut pixel) = (Volume::ZERO, 0);
    while pixel < 64 {
        let (y, x) = (pixel / 8, pixel % 8);
        bytes.0[y][x][0] = (image.0[y][x][0] * 255.0 + 0.5) as u8 as i8 ^ i8::MIN;
        pixel += 1;
    }
    bytes
}

/// The scores of each image, in bytes.
pub fn run(arena: &mut Arena8<Digits>, words: &mut impl crate::Words) {
    for image in &BYTES {
        crate::forward8(&NET, image, arena, words);
    }
}
