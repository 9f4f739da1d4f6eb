//! `softmax`, to bytes that stand for 0 to 255 of 256.

use super::fixed::{exp, halved, high, reciprocal};
use super::{Multiplier, Quantization};

/// What `softmax` needs to know of the volume that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
    /// From a step to units of 2⁻²⁶.
    pub by: Multiplier,
    /// So many steps below the largest and more, nothing is left.
    pub least: i32,
}

impl Softmax {
    /// What a volume stands for after it.
    pub const Y: Quantization = Quantization::new(1.0 / 256.0, i8::MIN);

    /// Of a volume with this scale.
    #[must_use]
    pub const fn new(scale: f32) -> Self {
        let (units, most) = (scale as f64 * (1u32 << 26) as f64, i32::MAX as f64);
        let by = Multiplier::of(if units < most { units } else { most });
        let shift = if by.exponent() > 0 { by.exponent() } else { 0 };
        Self {
            by,
            least: -((31 << 26) >> shift),
        }
    }

    /// `v` = its probabilities.
    pub fn forward(&self, v: &mut [i8]) {
        let Some(most) = v.iter().copied().max() else {
            return;
        };
        let below = |v: i8| Some(i32::from(v) - i32::from(most)).filter(|&by| by >= self.least);
        let terms = v.iter().filter_map(|&v| below(v));
        let sum = terms.fold(0i32, |sum, by| {
            sum.wrapping_add(halved(exp(self.by.times(by)), 12))
        });
        let above = sum.leading_zeros();
        let fraction = (sum as u32).wrapping_shl(above).wrapping_sub(1 << 31);
        let scale = reciprocal(fraction as i32);
        for v in v {
            *v = below(*v).map_or(i8::MIN, |by| {
                let share = halved(high(scale, exp(self.by.times(by))), 12 + 31 - 8 - above);
                Self::Y.stored(share)
            });
        }
    }
}
