//! Handwritten digits of 8x8 pixels: the network of the example `digits`.

use convnet::{Volume, convnet, weights};

convnet! {
    /// Reads a digit of 8x8 pixels.
    #[budget(ram = 8 KiB, flash = 32 KiB)]
    pub struct Digits {
        input(8x8x1),
        conv1: conv(16, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(32, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        dropout(0.25),
        scores: fc(10),
    }
}

weights! {
    /// Trained by the example `digits`.
    pub static NET: Digits = "../../../examples/data/digits.safetensors";
}

convnet::int8!(Digits);

/// An image.
pub type Image = Volume<f32, 8, 8, 1>;

/// The digits 0 to 9, as people wrote them, in sixteenths: `.` is 0, `a` is 10, `#` is 16.
pub static IMAGES: [Image; 10] = [
    picture([
        b"...ec2..", //
        b"...68e1.", //
        b"..9b.d5.", //
        b".2#8.88.", //
        b".5d..87.", //
        b".6d..b4.", //
        b"..ca6e..", //
        b"..1be7..", //
    ]),
    picture([
        b"..af1...", //
        b"..b#1...", //
        b".1##1...", //
        b"..8#5...", //
        b"...ea...", //
        b"...ae...", //
        b"..5bf641", //
        b"..a####a", //
    ]),
    picture([
        b".1f#a...", //
        b".4#9#4..", //
        b".2c5#3..", //
        b"...6#3..", //
        b"..1fd...", //
        b"..8#4...", //
        b".2#d443.", //
        b".2d####2", //
    ]),
    picture([
        b"..6dc2..", //
        b"..77ac..", //
        b"...1c9..", //
        b"...7#7..", //
        b"....5e1.", //
        b".17..7b.", //
        b".1#4.9b.", //
        b"..5dc#3.", //
    ]),
    picture([
        b"...4f6..", //
        b"...dd1..", //
        b"..7#2...", //
        b".4f8.5..", //
        b".be16#5.", //
        b"1#ec##3.", //
        b".aca#a..", //
        b"...6#2..", //
    ]),
    picture([
        b"..eccd3.", //
        b"..#8861.", //
        b"..e75...", //
        b"..ff#2..", //
        b"..d368..", //
        b"....3d..", //
        b"..548c1.", //
        b".1ffb3..", //
    ]),
    picture([
        b"..1aa...", //
        b".1da1...", //
        b".4e.....", //
        b".6c.....", //
        b".8b5ab1.", //
        b".5#d6a8.", //
        b"..a9.7b.", //
        b"..1c#e2.", //
    ]),
    picture([
        b"..3e864.", //
        b"..b###f1", //
        b".3#32f6.", //
        b".58.9e..", //
        b"..79fd4.", //
        b"..a##f3.", //
        b"...d7...", //
        b"..6f2...", //
    ]),
    picture([
        b"...ad5..", //
        b".3e#cf..", //
        b".a#8b#..", //
        b".8e5e9..", //
        b"..7e#5..", //
        b"...b##1.", //
        b"...e##4.", //
        b"...b#b..", //
    ]),
    picture([
        b"..19fb3.", //
        b"..c91b6.", //
        b"..d76#8.", //
        b"..4acf4.", //
        b".....c6.", //
        b".87..f5.", //
        b".1ca4#3.", //
        b"...d#8..", //
    ]),
];

const fn picture(rows: [&[u8; 8]; 8]) -> Image {
    let mut image = Image::ZERO;
    let mut pixel = 0;
    while pixel < 64 {
        let (y, x) = (pixel / 8, pixel % 8);
        image.0[y][x][0] = match rows[y][x] {
            b'#' => 1.0,
            shade @ b'1'..=b'9' => (shade - b'0') as f32 / 16.0,
            shade @ b'a'..=b'f' => (shade - b'a' + 10) as f32 / 16.0,
            _ => 0.0,
        };
        pixel += 1;
    }
    image
}

/// The scores of each image.
pub fn run(arena: &mut convnet::Arena<Digits>, words: &mut impl crate::Words) {
    for image in &IMAGES {
        crate::forward(&NET, image, arena, words);
    }
}
