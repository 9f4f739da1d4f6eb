//! How many vectors an instruction set keeps, and how its tiles are cut from them: the one place that says so.
//!
//! | level | registers | N vectors of filters by 6 pixels | taken |
//! |---|--:|--:|--:|
//! | AVX-512 | 32 of 16 lanes | 4 | 24 sums + 4 + 1 |
//! | NEON | 32 of 4 | 4 | 24 + 4 + 1 |
//! | AVX2 | 16 of 8 | 2 | 12 + 2 + 1 |
//! | SSE2, WebAssembly | 16 of 4 | 2 | 12 + 2 + 1, and a product where nothing is fused |
//!
//! Two ports whose multiply-adds take four cycles need eight sums in flight, so either is enough of them.
//! What more registers are good for is N: a scalar of `x` is read once for N multiply-adds, so that loads take
//! less than half of what the ports for them can. More pixels would save weights instead, but each has an
//! address of its own, and more than six of those do not fit beside the rest into the other registers of x86.

use fearless_simd::Simd;

use super::lanes::Lanes;

/// Vector registers.
pub(crate) const fn registers<S: Simd>() -> usize {
    let avx512 = <S::f32s as Lanes<S>>::LEN == 16;
    if avx512 || cfg!(target_arch = "aarch64") {
        32
    } else {
        16
    }
}

/// N: how many vectors stand beside each other in a tile of `pixels` rows, 4, 2 or 1. It keeps a sum for each
/// pixel and vector, N factors, one more, and `beside` registers for whatever else it needs.
pub(crate) const fn vectors<S: Simd>(pixels: usize, beside: usize) -> usize {
    match (registers::<S>() - 1).saturating_sub(beside) / (pixels + 1) {
        4.. => 4,
        2 | 3 => 2,
        _ => 1,
    }
}

/// `all` vectors as groups of at most `most`, which is 4, 2 or 1: the first of each, and how many. Smaller
/// groups come first.
#[inline(always)]
pub(crate) fn groups(all: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut done = 0;
    core::iter::from_fn(move || {
        let rest = all - done;
        let small = [1, 2].into_iter().find(|&n| n < most && rest & n > 0);
        let count = small.unwrap_or(most).min(rest);
        done += count;
        (count > 0).then_some((done - count, count))
    })
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn groups_are_all_vectors_one_after_the_other() {
        for (most, all) in [1, 2, 4]
            .into_iter()
            .flat_map(|most| (0..40).map(move |all| (most, all)))
        {
            let mut end = 0;
            for (first, count) in groups(all, most) {
                assert_eq!(first, end);
                assert!(count <= most && count.is_power_of_two());
                end = first + count;
                assert!(
                    end < all || all < 2 || most < 2 || count > 1,
                    "{all} by {most}"
                );
            }
            assert_eq!(end, all);
        }
    }
}
