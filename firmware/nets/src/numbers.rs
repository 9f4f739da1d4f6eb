//! Layers without weights on every kind of number: NaN of both signs, quiet and signalling, infinities, zeros, and what lies
//! at the bounds of clamps. Each stands beside the same in `f64`, which is plain loops everywhere.

use convnet::{Arena, Overlay, Volume, convnet};

use crate::{SEED, Words, next};

/// The bits of numbers that kernels may take for others.
const KINDS: [u32; 20] = [
    0x7fc0_0000, // NaN
    0xffc0_0001,
    0x7f80_0001, // a signalling one
    0xff80_0001,
    0x7fff_ffff,
    0xffff_ffff,
    0x7f80_0000, // infinities
    0xff80_0000,
    0x0000_0000,
    0x8000_0000,
    0x0000_0001, // the least
    0x8000_0001,
    0x3f80_0000, // 1, -1, 2, -2
    0xbf80_0000,
    0x4000_0000,
    0xc000_0000,
    0xc040_0000, // -3, 6, the next, 8
    0x40c0_0000,
    0x40c0_0001,
    0x4100_0000,
];

macro_rules! layers {
    ($($net:ident $memory:ident { $($layers:tt)* })*) => {
        $(convnet! {
            /// One layer.
            pub struct $net { input(7x5x13), $($layers)* }
        })*

        /// All that it needs, for a `static`.
        pub struct Memory {
            image: Volume<f32, 5, 7, 13>,
            wide: Volume<f64, 5, 7, 13>,
            $($memory: (Arena<$net>, Arena<$net<f64>>),)*
        }

        impl Memory {
            /// All zero.
            pub const ZERO: Self = Self {
                image: Volume::ZERO,
                wide: Volume::ZERO,
                $($memory: (Overlay::ZERO, Overlay::ZERO),)*
            };
        }

        /// How many numbers each layer writes that are right: all.
        pub fn run(memory: &mut Memory, words: &mut impl Words) {
            draw(memory);
            let Memory { image, wide, .. } = memory;
            $(
                let (arena, other) = &mut memory.$memory;
                words.begin();
                let y = $net::ZERO.forward(image, arena);
                words.end();
                let expected = $net::<f64>::ZERO.forward(wide, other);
                let pairs = y.as_slice().iter().zip(expected.as_slice());
                let right = pairs.filter(|(y, expected)| is_right(**y, **expected as f32));
                words.word((right.count() as f32).to_bits());
            )*
        }
    };
}

layers! {
    Relu relu { relu }
    Relu6 relu6 { relu6 }
    HardSwish hard_swish { hard_swish }
    HardSigmoid hard_sigmoid { hard_sigmoid }
    Pool pool { max_pool(2x2, stride = 1) }
    Padded padded { max_pool(3x3, stride = 2, pad = 1) }
    Dilated dilated { max_pool(3x3, stride = 1, pad = 2, dilation = 2) }
    Largest largest { global_max_pool }
}

fn draw(memory: &mut Memory) {
    let mut state = SEED;
    let numbers = memory.image.as_mut_slice().iter_mut();
    for (number, wide) in numbers.zip(memory.wide.as_mut_slice()) {
        state = next(state);
        let kind = KINDS[(state >> 16) as usize % KINDS.len()];
        *number = f32::from_bits(kind);
        *wide = f64::from(*number);
    }
}

/// Whether it is the number, which may have been rounded on the way.
fn is_right(y: f32, expected: f32) -> bool {
    let near = (y - expected).abs() <= 1e-6 * expected.abs();
    y == expected || near || y.is_nan() && expected.is_nan()
}
