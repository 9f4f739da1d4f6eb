//! Filters of an `fc` in bfloat16: the upper half of an `f32`, 8 significant bits in place of 24.
//!
//! Rounded to nearest, ties to even: a filter moves by 2⁻⁹ of itself at most, a score by 2⁻⁹·Σ|x·w|.

use crate::kernel::Scale;

/// Two rows of `k` filters become one: `filters[2n]` in the low halves of the bits, `filters[2n + 1]`
/// in the high ones; zeros, where there is no such row.
///
/// Panics if `k` is 0.
pub(crate) fn pack(k: usize, filters: &[f32], scale: Scale<'_>, packed: &mut [f32]) {
    for (pair, packed) in filters.chunks(2 * k).zip(packed.chunks_mut(k)) {
        let (low, high) = pair.split_at(k);
        for (i, (packed, low)) in packed.iter_mut().zip(low).enumerate() {
            let high = high.get(i).copied().unwrap_or(0.0);
            let [low, high] = [*low, high].map(|w| round(w * scale.of(i)));
            *packed = f32::from_bits(low | high << 16);
        }
    }
}

/// The nearest number in bfloat16. NaN stays NaN.
fn round(w: f32) -> u32 {
    let bits = w.to_bits();
    match w.is_nan() {
        true => bits >> 16 | 1 << 6,
        false => (bits + 0x7fff + (bits >> 16 & 1)) >> 16,
    }
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn numbers_are_rounded_to_the_nearest() {
        // 1 + 2⁻⁷ is the next after 1; halfway between two, the even one is taken.
        let cases = [
            (1.0, 1.0),
            (1.0 + f32::powi(2.0, -8), 1.0),
            (1.0 + 3.0 * f32::powi(2.0, -8), 1.0 + f32::powi(2.0, -6)),
            (-1.0 - 1.1 * f32::powi(2.0, -8), -1.0 - f32::powi(2.0, -7)),
            (0.0, 0.0),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
        ];
        for (w, rounded) in cases {
            let to = f32::from_bits(round(w) << 16);
            assert_eq!(to.to_bits(), rounded.to_bits(), "{w} became {to}");
        }
        let payload = f32::from_bits(0x7f80_0001);
        assert!(f32::from_bits(round(payload) << 16).is_nan());
    }
}
