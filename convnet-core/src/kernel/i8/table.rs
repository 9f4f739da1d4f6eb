//! Activations that are a table of 256 bytes, one for each that there can be.

use num_traits::float::FloatCore;

use super::fixed::halved;
use super::{Multiplier, Quantization, rescale};

/// By the bits of x.
pub type Table = [i8; 256];

/// `v` = what the table says.
pub fn lookup(v: &mut [i8], table: &Table) {
    for v in v {
        *v = found(table, *v);
    }
}

/// What the table says of a byte.
#[inline(always)]
pub(super) fn found(table: &Table, byte: i8) -> i8 {
    table[usize::from(byte.cast_unsigned())]
}

/// The table of `f`, computed in `f32`.
pub fn tabulate(x: &Quantization, y: &Quantization, f: impl Fn(f32) -> f32) -> Table {
    let inverse = 1.0 / y.scale;
    each(|byte| {
        let steps = FloatCore::round(f(x.real(byte)) * inverse);
        y.stored(steps as i32)
    })
}

/// The table of `leaky_relu`.
pub fn leaky_relu(x: &Quantization, y: &Quantization, slope: f32) -> Table {
    let [above, below] = [1.0, slope].map(|slope| {
        let by = f64::from(x.scale) * f64::from(slope) / f64::from(y.scale);
        (Multiplier::of(by.abs()), by < 0.0)
    });
    each(|byte| {
        let steps = i32::from(byte) - i32::from(x.zero);
        let (by, turned) = if steps >= 0 { above } else { below };
        let steps = by.times(steps);
        y.stored(if turned { -steps } else { steps })
    })
}

/// The table of what is [stored in other units](rescale), whose scale is `by` of x's.
pub fn rescaled(x: &Quantization, y: &Quantization, by: Multiplier) -> Table {
    each(|byte| rescale(byte, x.zero, by, y))
}

/// The table of `hard_swish`, which TensorFlow Lite computes in 16 bits.
pub fn hard_swish(x: &Quantization, y: &Quantization) -> Table {
    let fine = 1.0 / 128.0 * x.scale;
    let by = Multiplier::of(f64::from(fine / y.scale));
    let reluish = Multiplier::of(f64::from(fine / (3.0 / 32768.0)));
    each(|byte| {
        let steps = (i32::from(byte) - i32::from(x.zero)) << 7;
        // v of the output's steps but for a shift, and min(max(v, −3), 3)/3 in units of 2⁻¹⁵.
        let scaled = high_16(steps as i16, by.of_16_bits());
        let mut share = steps as i16;
        let shift = reluish.exponent();
        if shift > 0 {
            share = doubled_16(share, shift - 1);
        }
        share = high_16(share, reluish.of_16_bits());
        if shift > 0 {
            share = doubled_16(share, 1);
        } else if shift < 0 {
            share = halved(share.into(), shift.unsigned_abs()) as i16;
        }
        let share = (i32::from(share) + (1 << 15)) >> 1;
        let product = ((share * i32::from(scaled)) / (1 << 15)) as i16;
        y.stored(halved(product.into(), (-by.exponent()).max(0) as u32))
    })
}

fn each(f: impl Fn(i8) -> i8) -> Table {
    core::array::from_fn(|bits| f(bits as u8 as i8))
}

/// `a·b·2⁻¹⁵`, rounded, of 16 bits each.
fn high_16(a: i16, b: i16) -> i16 {
    let product = i32::from(a) * i32::from(b);
    let nudge = if product >= 0 { 1 << 14 } else { 1 - (1 << 14) };
    ((product + nudge) / (1 << 15)).clamp(-32768, 32767) as i16
}

fn doubled_16(a: i16, n: i32) -> i16 {
    (i32::from(a) << n.clamp(0, 15)).clamp(-32768, 32767) as i16
}
