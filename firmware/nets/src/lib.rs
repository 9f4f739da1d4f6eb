//! # The networks of the firmware, with their weights and images, for every target
//!
//! [`digits`] reads handwritten digits. [`cifar`] has three networks whose multiply-adds have been
//! counted elsewhere, [`keywords`] and [`mobile`] two that are made of depthwise convolutions; their weights are
//! random, since only their work is of interest. [`numbers`] are layers that have none. [`Words`] is how a program tells its results without formatting a
//! number.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod cifar;
#[cfg(feature = "weights")]
pub mod cifar8;
pub mod digits;
#[cfg(feature = "weights")]
pub mod digits8;
pub mod keywords;
pub mod mobile;
pub mod numbers;
#[cfg(feature = "weights")]
pub mod tune;

use convnet::int8::{Quantize, Quantized};
use convnet::{AnyVolume, Arena, Network};

/// Where results go, bit for bit, and who counts instructions.
pub trait Words {
    /// What is counted begins.
    fn begin(&mut self);

    /// What is counted ends.
    fn end(&mut self);

    /// The next result.
    fn word(&mut self, bits: u32);

    /// Each scalar as a result.
    fn scalars(&mut self, scalars: &[f32]) {
        for scalar in scalars {
            self.word(scalar.to_bits());
        }
    }
}

/// The memory that a network works in, in bytes.
pub type Arena8<N> = <N as Quantize>::Overlay;

/// The scores of an image.
pub fn forward<N: Network<Scalar = f32>>(
    net: &N,
    image: &N::Input,
    arena: &mut Arena<N>,
    words: &mut impl Words,
) {
    words.begin();
    let scores = net.forward(image, arena);
    words.end();
    words.scalars(scores.as_slice());
}

/// The scores of an image, in bytes.
pub fn forward8<N: Quantize, const F: usize, const C: usize, const V: usize>(
    net: &Quantized<N, F, C, V>,
    image: &N::Image,
    arena: &mut Arena8<N>,
    words: &mut impl Words,
) {
    words.begin();
    let scores = net.forward(image, arena);
    words.end();
    for &score in scores.as_slice() {
        words.word(f32::from(score).to_bits());
    }
}

/// Numbers without order, from -1 to 1.
const fn pattern<const H: usize, const W: usize, const D: usize>() -> [[[f32; D]; W]; H] {
    let (mut image, mut state) = ([[[0.0; D]; W]; H], SEED);
    let mut i = 0;
    while i < H * W * D {
        state = next(state);
        image[i / (W * D)][i / D % W][i % D] = ((state >> 16) as i32 - 32_768) as f32 / 32_768.0;
        i += 1;
    }
    image
}

/// Bytes without order.
const fn bytes<const H: usize, const W: usize, const D: usize>() -> [[[i8; D]; W]; H] {
    let (mut image, mut state) = ([[[0; D]; W]; H], SEED);
    let mut i = 0;
    while i < H * W * D {
        state = next(state);
        image[i / (W * D)][i / D % W][i % D] = (state >> 24) as i8;
        i += 1;
    }
    image
}

const SEED: u32 = 231;

const fn next(state: u32) -> u32 {
    state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)
}
