//! Four filters see the same bytes: the sums of products, as `conv` and `fc` need them.

/// Filters that are summed at a time.
pub(super) const FILTERS: usize = 4;

/// Each of `sums` grows by `Σ (x − zero) · w` of its own filter, over as many bytes as all have. Of the DSP
/// extension a function of its own: inside of another there are too few registers.
#[cfg_attr(dsp, inline(never))]
#[cfg_attr(not(dsp), inline(always))]
pub(super) fn dot(x: &[i8], zero: i8, banks: [&[i8]; FILTERS], sums: &mut [i32; FILTERS]) {
    #[cfg(dsp)]
    let (x, banks) = super::dsp::dot(x, zero, banks, sums);
    #[cfg(thumb1)]
    super::thumb1::dot(x, zero, banks, sums);
    #[cfg(not(thumb1))]
    plain(x, zero, banks, sums);
}

/// What is computed.
#[cfg_attr(thumb1, expect(dead_code, reason = "assembly computes it"))]
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
