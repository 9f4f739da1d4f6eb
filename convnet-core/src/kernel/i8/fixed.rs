//! Numbers without floats: 31 bits and a shift, and what `softmax` needs of such.

/// A positive number as `mantissa · 2⁻³¹ · 2^exponent`, the mantissa at least 2³⁰, of a mean 2²⁹; or zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Multiplier {
    mantissa: i32,
    exponent: i32,
}

impl Multiplier {
    /// Nothing is left.
    pub const ZERO: Self = Self {
        mantissa: 0,
        exponent: 0,
    };

    /// The nearest to `real`: what is below 2⁻³² is zero, and so is what is not positive; 2³¹ and more is the
    /// largest.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::kernel::i8::Multiplier;
    ///
    /// const HALF: Multiplier = Multiplier::of(0.5);
    /// assert_eq!((HALF.times(5), HALF.times(-5)), (3, -2)); // a half of the product goes up
    /// ```
    #[must_use]
    pub const fn of(real: f64) -> Self {
        let bits = real.to_bits();
        let exponent = (bits >> 52) as i32 - 1022;
        if bits >> 63 == 1 || exponent < -31 {
            return Self::ZERO;
        }
        // 53 bits, of which 31 stay.
        let mantissa = (bits & ((1 << 52) - 1)) | 1 << 52;
        let rounded = (mantissa + (1 << 21)) >> 22;
        let (mantissa, exponent) = match rounded == 1 << 31 {
            true => (1 << 30, exponent + 1),
            false => (rounded as i32, exponent),
        };
        match exponent > 30 {
            true => Self {
                mantissa: i32::MAX,
                exponent: 30,
            },
            false => Self { mantissa, exponent },
        }
    }

    /// `value` times this, rounded: the product first, then what is shifted out, each half away from zero or,
    /// of the product, up.
    #[must_use]
    #[inline]
    pub const fn times(self, value: i32) -> i32 {
        if self.exponent > 0 {
            high(value.wrapping_shl(self.exponent as u32), self.mantissa)
        } else {
            halved(high(value, self.mantissa), self.exponent.unsigned_abs())
        }
    }

    /// The one with this mantissa and this exponent, if there is such.
    #[must_use]
    pub const fn from_parts(mantissa: i32, exponent: i32) -> Option<Self> {
        let is_zero = mantissa == 0 && exponent == 0;
        match is_zero || mantissa >= 1 << 29 && -31 <= exponent && exponent <= 30 {
            true => Some(Self { mantissa, exponent }),
            false => None,
        }
    }

    /// This for one number, what the sum of `count` is multiplied by for their mean: TensorFlow Lite divides the mantissa,
    /// and drops the rest.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::kernel::i8::Multiplier;
    ///
    /// let of_49 = Multiplier::of(1.0).of_mean(49);
    /// assert_eq!(of_49.times(49 * 7), 7);
    /// ```
    #[must_use]
    pub const fn of_mean(self, count: usize) -> Self {
        let Some(bits) = count.checked_ilog2() else {
            return Self::ZERO;
        };
        // Of very small ones fewer, so that the exponent stays one.
        let least = (31 + self.exponent).unsigned_abs();
        let bits = if bits < least { bits } else { least };
        Self {
            mantissa: (((self.mantissa as i64) << bits) / count as i64) as i32,
            exponent: self.exponent - bits as i32,
        }
    }

    /// The mantissa and the exponent: `mantissa · 2^(exponent − 31)`.
    #[must_use]
    pub const fn parts(self) -> [i32; 2] {
        [self.mantissa, self.exponent]
    }

    /// How many bits it shifts to the left.
    pub(super) const fn exponent(self) -> i32 {
        self.exponent
    }

    /// The upper half of what it is, as the 16 bits of which `hard_swish` makes a number.
    pub(super) const fn of_16_bits(self) -> i16 {
        match self.mantissa >= i32::MAX - (1 << 15) {
            true => i16::MAX,
            false => ((self.mantissa + (1 << 15)) >> 16) as i16,
        }
    }
}

/// `a·b·2⁻³¹`, rounded to the nearest: of two fractions in units of 2⁻³¹, their product.
#[inline]
pub(super) const fn high(a: i32, b: i32) -> i32 {
    if a == i32::MIN && b == i32::MIN {
        return i32::MAX;
    }
    if cfg!(thumb1) {
        return high_of_halves(a, b);
    }
    ((a as i64 * b as i64 + (1 << 30)) >> 31) as i32
}

/// The same where no instruction has more than 32 bits of a product: from halves, as on paper.
#[inline(never)]
const fn high_of_halves(a: i32, b: i32) -> i32 {
    let ([a_high, b_high], [a_low, b_low]) = ([a >> 16, b >> 16], [a & 0xffff, b & 0xffff]);
    let low = (a_low as u32).wrapping_mul(b_low as u32);
    // Less than 2³¹ each: of a factor in [−2¹⁵, 2¹⁵) and one below 2¹⁶, and of what is carried.
    let middle = a_high * b_low + (low >> 16) as i32;
    let rest = b_high * a_low + (middle & 0xffff);
    let high = a_high * b_high + (middle >> 16) + (rest >> 16);
    let low = (rest as u32) << 16 | low & 0xffff;
    // 2³⁰ more, of which what does not fit is a bit of `high`.
    let (low, carries) = low.overflowing_add(1 << 30);
    (high.wrapping_add(carries as i32) << 1) | (low >> 31) as i32
}

/// `value·2^−n`, rounded, a half away from zero.
#[inline]
pub(super) const fn halved(value: i32, n: u32) -> i32 {
    if n > 31 {
        return 0;
    }
    let mask = ((1u32 << n) - 1) as i32;
    let threshold = (mask >> 1) + (value < 0) as i32;
    (value >> n) + (value & mask > threshold) as i32
}

/// `value·2^n`, or the nearest that there is.
const fn doubled(value: i32, n: u32) -> i32 {
    let wide = (value as i64) << n;
    if wide > i32::MAX as i64 {
        i32::MAX
    } else if wide < i32::MIN as i64 {
        i32::MIN
    } else {
        wide as i32
    }
}

/// `eˣ` for x ≤ 0 in units of 2⁻²⁶; in units of 2⁻³¹.
///
/// x is a multiple of −1/4 and a rest in [−1/4, 0): of the rest a polynomial of the fourth degree around −1/8, and
/// of the multiple a factor a bit.
pub(super) const fn exp(x: i32) -> i32 {
    const QUARTER: i32 = 1 << 24;
    /// e^(−2ⁿ) for n = −2 … 4.
    const POWERS: [i32; 7] = [
        1_672_461_947,
        1_302_514_674,
        790_015_084,
        290_630_308,
        39_332_535,
        720_401,
        242,
    ];
    if x == 0 {
        return i32::MAX;
    }
    let rest = (x & (QUARTER - 1)) - QUARTER;
    let quarters = rest.wrapping_sub(x);
    let (mut result, mut bit) = (exp_of_rest(doubled(rest, 5)), 0);
    while bit < POWERS.len() {
        if quarters & QUARTER << bit != 0 {
            result = high(result, POWERS[bit]);
        }
        bit += 1;
    }
    result
}

/// `eˣ` for x in [−1/4, 0), both in units of 2⁻³¹.
const fn exp_of_rest(x: i32) -> i32 {
    const EXP_OF_MINUS_EIGHTH: i32 = 1_895_147_668;
    const THIRD: i32 = 715_827_883;
    let x = x + (1 << 28);
    let square = high(x, x);
    let (cube, fourth) = (high(square, x), high(square, square));
    // x⁴/24 + x³/6 + x²/2
    let terms = halved(high(halved(fourth, 2) + cube, THIRD) + square, 1);
    EXP_OF_MINUS_EIGHTH + high(EXP_OF_MINUS_EIGHTH, x + terms)
}

/// `1/(1 + x)` for x in [0, 1), both in units of 2⁻³¹: three steps of Newton's method from a line.
pub(super) const fn reciprocal(x: i32) -> i32 {
    /// 48/17 and −32/17 in units of 2⁻²⁹.
    const LINE: [i32; 2] = [1_515_870_810, -1_010_580_540];
    let half = ((x as i64 + i32::MAX as i64 + 1) / 2) as i32;
    let (mut y, mut step) = (LINE[0] + high(half, LINE[1]), 0);
    while step < 3 {
        let rest = (1 << 29) - high(half, y);
        y += doubled(high(y, rest), 2);
        step += 1;
    }
    doubled(y, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_multiplier_is_the_nearest_of_31_bits() {
        for real in [1.0, 0.5, 0.1, 1e-9, 3.7, 2e6, 1.0 - f64::EPSILON / 2.0] {
            let Multiplier { mantissa, exponent } = Multiplier::of(real);
            assert!(mantissa >= 1 << 30, "{real}");
            let is = f64::from(mantissa) * 2f64.powi(exponent - 31);
            assert!((is - real).abs() <= real * 2f64.powi(-31), "{real}: {is}");
        }
        assert_eq!(
            Multiplier::of(1.0),
            Multiplier {
                mantissa: 1 << 30,
                exponent: 1
            }
        );
        for none in [0.0, -1.0, 1e-11, f64::MIN_POSITIVE / 4.0] {
            assert_eq!(Multiplier::of(none), Multiplier::ZERO);
        }
        for huge in [1e11, f64::INFINITY, f64::NAN] {
            assert_eq!(Multiplier::of(huge).exponent, 30);
        }
    }

    #[test]
    fn a_product_is_rounded_twice() {
        let quarter = Multiplier::of(0.25);
        for (value, times) in [
            (1, 1),
            (2, 1),
            (3, 1),
            (-1, 0),
            (-2, -1),
            (-6, -2),
            (6, 2),
            (i32::MAX, 1 << 29),
        ] {
            assert_eq!(quarter.times(value), times, "{value}/4");
        }
        assert_eq!(Multiplier::of(6.0).times(-7), -42);
        assert_eq!(halved(i32::MIN, 31), -1);
        assert_eq!(halved(i32::MAX, 31), 1);
    }

    #[test]
    fn halves_are_the_whole() {
        let mut rng = crate::Rng::new(1);
        let ends = [
            i32::MIN + 1,
            -65536,
            -65535,
            -1,
            0,
            1,
            32767,
            65535,
            65536,
            i32::MAX,
        ];
        let mut of = move || match rng.below(3) {
            0 => ends[rng.below(ends.len())],
            1 => rng.next_u64() as i32,
            _ => rng.next_u64() as i32 >> rng.below(31),
        };
        for _ in 0..1_000_000 {
            let (a, b) = (of(), of());
            assert_eq!(high_of_halves(a, b), high(a, b), "{a} · {b}");
        }
    }

    #[test]
    fn exponential_and_reciprocal_are_near() {
        let one = 2f64.powi(31);
        for x in [0.0, 0.1, 0.25, 1.0, 2.5, 7.9, 16.0, 31.0] {
            let is = f64::from(exp((-x * 2f64.powi(26)) as i32)) / one;
            assert!((is - (-x).exp()).abs() < 1e-6, "e^-{x} = {is}");
        }
        for x in [0.0, 0.3, 0.5, 0.999] {
            let is = f64::from(reciprocal((x * one) as i32)) / one;
            assert!((is - 1.0 / (1.0 + x)).abs() < 1e-8, "1/(1 + {x}) = {is}");
        }
    }
}
