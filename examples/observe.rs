//! Lesson 12, looking inside: every volume of a network that reads a digit, drawn while it is alive.
//!
//! `cargo run --release --example observe`
//!
//! The weights are those that the example `digits` has learned.
#![forbid(unsafe_code)]

use convnet::{Arena, Seen, Volume, convnet, weights};

convnet! {
    /// Reads a digit of 8x8 pixels.
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
    static NET: Digits = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.safetensors");
}

/// How many depth slices stand side by side.
const SLICES: usize = 8;

fn main() {
    let image = [
        *b"..####..", //
        *b".##..##.",
        *b".....##.",
        *b"....##..",
        *b"...##...",
        *b"..##....",
        *b".##.....",
        *b".######.",
    ];
    let image = Volume(image.map(|row| row.map(|pixel| [f32::from(u8::from(pixel == b'#'))])));
    let mut arena = Arena::<Digits>::ZERO;
    println!("the image");
    draw(Seen::of(&image));
    let scores = NET.observe(&image, &mut arena, |layer, volume| {
        println!("{}: {}", layer.name, layer.op);
        draw(volume);
    });
    println!("It is a {}.", scores.best());
}

/// The first slices, each pixel as grey as it is large among all of the volume; or, of a single pixel, its numbers.
fn draw(volume: Seen<'_, f32>) {
    let ([height, width, depth], [least, most]) = (volume.shape(), volume.range());
    if (height, width) == (1, 1) {
        println!("{:.1?}\n", volume.as_slice());
        return;
    }
    let scale = 4.0 / (most - least).max(f32::MIN_POSITIVE);
    for y in 0..height {
        for d in 0..depth.min(SLICES) {
            for x in 0..width {
                let shade = ((volume.column(y, x)[d] - least) * scale).round() as usize;
                print!("{}", [" ", "░", "▒", "▓", "█"][shade.min(4)].repeat(2));
            }
            print!("  ");
        }
        println!();
    }
    let shown = depth.min(SLICES);
    println!("{shown} of {depth} slices, from {least:.2} to {most:.2}\n");
}
