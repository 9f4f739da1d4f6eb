//! The networks of [`cifar`](crate::cifar) in bytes: the same declarations and weights.

use convnet::int8::{Quantize, Quantized};
use convnet::{AnyVolume, Volume, int8_weights};

use crate::Words;
use crate::cifar::{Net0, Net1, Net2};

int8_weights! {
    /// Quantised by one image.
    pub static NET0: Net0 = "../../target/weights/net0-int8.safetensors";
}

int8_weights! {
    /// Quantised by one image.
    pub static NET1: Net1 = "../../target/weights/net1-int8.safetensors";
}

int8_weights! {
    /// Quantised by one image.
    pub static NET2: Net2 = "../../target/weights/net2-int8.safetensors";
}

/// An image.
pub type Image = Volume<i8, 32, 32, 3>;

/// The memory that a network works in.
pub type Arena<N> = <N as Quantize>::Overlay;

/// A pattern without order.
pub static IMAGE: Image = {
    let mut image = Image::ZERO;
    let (mut i, mut state) = (0, 231u32);
    while i < 32 * 32 * 3 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image.0[i / 96][i / 3 % 32][i % 3] = (state >> 24) as i8;
        i += 1;
    }
    image
};

/// The scores of [`IMAGE`], in bytes.
pub fn run<N, const F: usize, const C: usize, const V: usize>(
    net: &Quantized<N, F, C, V>,
    arena: &mut Arena<N>,
    words: &mut impl Words,
) where
    N: Quantize<Image = Image>,
{
    words.begin();
    let scores = net.forward(&IMAGE, arena);
    words.end();
    for &score in scores.as_slice() {
        words.word(f32::from(score).to_bits());
    }
}
