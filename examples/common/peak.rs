//! What this core can do at most.

use std::hint::black_box;
use std::time::Instant;

use fearless_simd::{Simd, SimdBase, SimdFloat, dispatch};

/// GFLOP/s of independent multiply-adds at the level that the kernels use; the best of some short
/// runs.
pub(crate) fn gflops() -> f64 {
    let level = convnet::kernel::level();
    let run = || {
        let start = Instant::now();
        let flops = dispatch!(level, simd => rounds(simd));
        flops / start.elapsed().as_secs_f64() / 1e9
    };
    (0..50).map(|_| run()).fold(0.0, f64::max)
}

/// Enough sums at a time to hide the latency; returns how many operations it did.
#[inline(always)]
fn rounds<S: Simd>(simd: S) -> f64 {
    const ROUNDS: usize = 10_000;
    const SUMS: usize = 12;
    let factor = S::f32s::splat(simd, black_box(0.5));
    let mut sums: [_; SUMS] = std::array::from_fn(|i| S::f32s::splat(simd, i as f32));
    for _ in 0..ROUNDS {
        for sum in &mut sums {
            *sum = sum.mul_add(factor, factor);
        }
    }
    let total = sums.into_iter().fold(factor, |a, b| a + b).reduce_sum();
    black_box(total);
    (2 * SUMS * ROUNDS * <S::f32s as SimdBase<S>>::LEN) as f64
}
