//! What a sum begins with, and how it becomes a byte.

use super::{Block, FILTERS, Machine};
use crate::kernel::i8::{Channel, Quantization};

/// What sixteen filters add to their sums and multiply them by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Ends {
    /// The bias, less what the zero point of x and a flipped bit are worth.
    start: [i32; FILTERS],
    mantissa: [i32; FILTERS],
    left: [u32; FILTERS],
    right: [u32; FILTERS],
}

impl Ends {
    /// Nothing.
    pub const ZERO: Self = Self {
        start: [0; FILTERS],
        mantissa: [0; FILTERS],
        left: [0; FILTERS],
        right: [0; FILTERS],
    };

    /// Of at most sixteen channels and the blocks of their filters.
    pub(super) fn new(
        machine: Machine,
        x_zero: i8,
        channels: &[Channel],
        blocks: &[Block],
    ) -> Self {
        let mut ends = Self::ZERO;
        // What is multiplied is x, or x + 128, where x − zero should be.
        let more = i32::from(x_zero) + i32::from(machine.flip());
        for (at, channel) in channels.iter().enumerate().take(FILTERS) {
            let own = blocks.iter().flat_map(|block| block[at]);
            let sum = own.fold(0i32, |sum, w| sum.wrapping_add(w.into()));
            let [mantissa, exponent] = channel.by.parts();
            ends.start[at] = channel.bias.wrapping_sub(sum.wrapping_mul(more));
            ends.mantissa[at] = mantissa;
            ends.left[at] = exponent.max(0).unsigned_abs();
            ends.right[at] = exponent.min(0).unsigned_abs();
        }
        ends
    }

    /// Writes the bytes of sixteen sums, or of the first of them if y has no room for more.
    #[inline(always)]
    pub(super) fn write(&self, sums: &[i32; FILTERS], quantization: &Quantization, y: &mut [i8]) {
        let bytes = self.bytes(sums, quantization);
        match y.first_chunk_mut() {
            Some(y) => *y = bytes,
            None => y.iter_mut().zip(bytes).for_each(|(y, byte)| *y = byte),
        }
    }

    /// The bytes of sixteen sums: [`Multiplier::times`](crate::kernel::i8::Multiplier::times) of each, in vectors.
    #[inline(always)]
    fn bytes(&self, sums: &[i32; FILTERS], y: &Quantization) -> [i8; FILTERS] {
        let zero = i32::from(y.zero);
        let [least, most] = [i32::from(y.lower) - zero, i32::from(y.upper) - zero];
        let mut bytes = [0; FILTERS];
        for at in 0..FILTERS {
            let sum = sums[at]
                .wrapping_add(self.start[at])
                .wrapping_shl(self.left[at]);
            // A mantissa is not negative, so the product is in range.
            let product = i64::from(sum) * i64::from(self.mantissa[at]) + (1 << 30);
            let high = (product >> 31) as i32;
            let right = self.right[at] & 31;
            let mask = ((1u32 << right) - 1).cast_signed();
            let threshold = (mask >> 1) + (high >> 31 & 1);
            let value = (high >> right) + i32::from(high & mask > threshold);
            // Clamped before the zero point is added, which overflows nothing then.
            bytes[at] = (value.max(least).min(most) + zero) as i8;
        }
        bytes
    }
}
