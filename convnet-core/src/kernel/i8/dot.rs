//! Four filters see the same bytes: the sums of products, as `conv` and `fc` need them.

/// Filters that are summed at a time.
pub(super) const FILTERS: usize = 4;

/// Each of `sums` grows by `Σ (x − zero) · w` of its own filter, over as many bytes as all have. Of the DSP
/// extension a function of its own: inside of another there are too few registers.
#[cfg_attr(any(dsp, helium), inline(never))]
#[cfg_attr(not(any(dsp, helium)), inline(always))]
pub(super) fn dot(x: &[i8], zero: i8, banks: [&[i8]; FILTERS], sums: &mut [i32; FILTERS]) {
    #[cfg(dsp)]
    let (x, banks) = super::dsp::dot(x, zero, banks, sums);
    #[cfg(thumb1)]
    super::thumb1::dot(x, zero, banks, sums);
    #[cfg(helium)]
    as_they_are(x, zero, banks, sums);
    #[cfg(not(any(thumb1, helium)))]
    plain(x, zero, banks, sums);
}

/// The same of bytes as they are, of which the compiler multiplies sixteen at once where that is an instruction; then
/// the zero point of all weights less.
#[cfg_attr(not(any(helium, test)), expect(dead_code, reason = "Cortex-M55's"))]
#[inline(always)]
fn as_they_are(x: &[i8], zero: i8, banks: [&[i8]; FILTERS], sums: &mut [i32; FILTERS]) {
    let len = banks.iter().fold(x.len(), |len, bank| len.min(bank.len()));
    plain(x, 0, banks, sums);
    for (sum, bank) in sums.iter_mut().zip(banks) {
        let weights = bank.get(..len).unwrap_or_default();
        let weights = weights.iter().map(|&w| i32::from(w)).sum::<i32>();
        *sum = sum.wrapping_sub(weights.wrapping_mul(zero.into()));
    }
}

/// What is computed.
#[inline(always)]
fn plain(x: &[i8], zero: i8, [a, b, c, d]: [&[i8]; FILTERS], sums: &mut [i32; FILTERS]) {
    let zero = i32::from(zero);
    let mut own = *sums;
    for ((((&x, &a), &b), &c), &d) in x.iter().zip(a).zip(b).zip(c).zip(d) {
        let x = i32::from(x) - zero;
        for (sum, w) in own.iter_mut().zip([a, b, c, d]) {
            *sum = sum.wrapping_add(x * i32::from(w));
        }
    }
    *sums = own;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rng;

    #[test]
    fn the_zero_point_may_come_off_at_the_end() {
        let mut rng = Rng::new(4);
        for len in 0..70 {
            let mut bytes = || (0..len).map(|_| rng.next_u64() as i8).collect::<Vec<_>>();
            let (x, banks) = (bytes(), [bytes(), bytes(), bytes(), bytes()]);
            let banks = banks.each_ref().map(|bank| &**bank);
            let mut sums = [[1, -1, i32::MAX, i32::MIN]; 2];
            let [is, expected] = &mut sums;
            as_they_are(&x, -7, banks, is);
            plain(&x, -7, banks, expected);
            assert_eq!(is, expected);
        }
    }
}
