//! Random numbers that are the same on every machine.
//!
//! ```text
//! seed, id ──▶ Rng::stream ──▶ uniform, normal, below, shuffle
//! ```
//!
//! Whatever draws (a tensor being initialised, the dropout of one image, the shuffle of one epoch)
//! has a stream of its own, named by a seed and an id. So nothing depends on who drew before, or on
//! the order in which threads run.
//!
//! **Invariant:** only integers, IEEE arithmetic and `libm`'s software logarithm are used, so a
//! stream is the same to the bit on every platform.

/// A stream of random numbers: xoshiro256++ seeded by SplitMix64. Not for secrets.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Rng;
///
/// let mut rng = Rng::stream(231, 7);
/// let mut order = [0, 1, 2, 3, 4];
/// rng.shuffle(&mut order);
/// let resumed = Rng::from_state(rng.state()); // as a checkpoint does
/// assert_eq!(resumed, Some(rng));
/// ```
///
/// Source: D. Blackman and S. Vigna, *Scrambled linear pseudorandom number generators*, 2021;
/// G. Steele, D. Lea and C. Flood, *Fast splittable pseudorandom number generators*, 2014.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// The stream 0 of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self::stream(seed, 0)
    }

    /// The stream `id` of `seed`; streams of different seeds or ids have nothing to do with each
    /// other.
    #[must_use]
    pub const fn stream(seed: u64, id: u64) -> Self {
        // `mix` is a bijection: for one seed, no two ids meet.
        let mut key = mix(mix(seed.wrapping_add(GOLDEN)) ^ id);
        let mut state = [0; 4];
        let mut word = 0;
        while word < 4 {
            key = key.wrapping_add(GOLDEN);
            state[word] = mix(key);
            word += 1;
        }
        Self { state }
    }

    /// Where the stream is: [`from_state`](Self::from_state) goes on from there.
    #[must_use]
    pub const fn state(&self) -> [u64; 4] {
        self.state
    }

    /// The stream that goes on from `state`; `None` for four zeros, which are no state (the
    /// generator would never leave them).
    #[must_use]
    pub const fn from_state(state: [u64; 4]) -> Option<Self> {
        match state {
            [0, 0, 0, 0] => None,
            state => Some(Self { state }),
        }
    }

    /// 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = self.state;
        let bits = a.wrapping_add(d).rotate_left(23).wrapping_add(a);
        let (c, d) = (c ^ a, d ^ b);
        self.state = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        bits
    }

    /// Uniform in [0, 1), in steps of 2⁻⁵³.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub const fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Normal with mean 0 and standard deviation 1.
    pub fn normal(&mut self) -> f64 {
        self.normal_pair()[0]
    }

    /// Two independent normals, for the price of one.
    ///
    /// Source: G. Marsaglia and T. Bray, *A convenient method for generating normal variables*,
    /// 1964 (the polar method).
    pub fn normal_pair(&mut self) -> [f64; 2] {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square > 0.0 {
                let scale = libm::sqrt(-2.0 * libm::log(square) / square);
                return [x * scale, y * scale];
            }
        }
    }

    /// Uniform in `0..n`, each number exactly as likely as the others; 0 if `n` is 0.
    ///
    /// Source: D. Lemire, *Fast random integer generation in an interval*, 2019.
    #[expect(clippy::cast_possible_truncation, reason = "the high half is below n")]
    pub const fn below(&mut self, n: usize) -> usize {
        if n == 0 {
            return 0;
        }
        let n = n as u64;
        // The first 2⁶⁴ mod n of the low halves are one too many.
        let surplus = n.wrapping_neg() % n;
        loop {
            let product = self.next_u64() as u128 * n as u128;
            if product as u64 >= surplus {
                return (product >> 64) as usize;
            }
        }
    }

    /// Puts `items` in random order; every order is as likely.
    ///
    /// Source: R. Durstenfeld, *Algorithm 235: Random permutation*, 1964 (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// 2⁶⁴ divided by the golden ratio, SplitMix64's step.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's output function, a bijection.
const fn mix(key: u64) -> u64 {
    let key = (key ^ (key >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let key = (key ^ (key >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    key ^ (key >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outputs that the crate `rand_xoshiro` tests against, from Vigna's C code.
    #[test]
    fn it_is_xoshiro256_plus_plus() {
        let mut rng = Rng::from_state([1, 2, 3, 4]).unwrap();
        let expected = [
            41_943_041,
            58_720_359,
            3_588_806_011_781_223,
            3_591_011_842_654_386,
            9_228_616_714_210_784_205,
        ];
        assert_eq!(expected.map(|_| rng.next_u64()), expected);
    }

    /// SplitMix64's outputs for seed 1234567, as Rosetta Code lists them from Vigna's C code.
    #[test]
    fn mix_is_splitmix64() {
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
        ];
        let outputs = [1, 2, 3].map(|n| mix(1_234_567_u64.wrapping_add(GOLDEN.wrapping_mul(n))));
        assert_eq!(outputs, expected);
    }

    /// Pinned, so that a seed keeps its meaning; the values are from the same definitions written
    /// in Python.
    #[test]
    fn a_stream_never_changes() {
        let mut rng = Rng::stream(231, 7);
        assert_eq!(
            [rng.next_u64(), rng.next_u64()],
            [275_235_984_845_181_210, 7_721_784_590_133_221_913]
        );
        assert_eq!(rng.uniform(), 0.6308907349998806);
        assert_eq!(rng.normal(), 0.04185502992188446);
        assert_eq!(rng.below(1_000_000), 713_531);
    }

    #[test]
    fn moments_and_range_are_right() {
        let (mut rng, n) = (Rng::new(1), 100_000_i32);
        let (mut uniform, mut normal) = ([0.0; 2], [0.0; 3]);
        for _ in 0..n {
            let (u, z) = (rng.uniform(), rng.normal());
            assert!((0.0..1.0).contains(&u));
            uniform[0] += u;
            uniform[1] += u * u;
            for (moment, power) in normal.iter_mut().zip([z, z * z, z.powi(4)]) {
                *moment += power;
            }
        }
        // Five standard errors of each mean: sqrt(variance / n).
        let near = |sum: f64, mean: f64, variance: f64| {
            let n = f64::from(n);
            assert!(
                (sum / n - mean).abs() < 5.0 * (variance / n).sqrt(),
                "{} is not {mean}",
                sum / n
            );
        };
        near(uniform[0], 1.0 / 2.0, 1.0 / 12.0);
        near(uniform[1], 1.0 / 3.0, 4.0 / 45.0);
        near(normal[0], 0.0, 1.0);
        near(normal[1], 1.0, 2.0);
        near(normal[2], 3.0, 96.0);
    }

    #[test]
    fn every_order_of_three_is_as_likely() {
        let (mut rng, mut counts) = (Rng::new(2), [[[0; 3]; 3]; 3]);
        for _ in 0..6_000 {
            let mut order = [0, 1, 2];
            rng.shuffle(&mut order);
            let [a, b, c] = order;
            counts[a][b][c] += 1;
        }
        for [a, b, c] in [
            [0, 1, 2],
            [0, 2, 1],
            [1, 0, 2],
            [1, 2, 0],
            [2, 0, 1],
            [2, 1, 0],
        ] {
            // Five standard deviations of a binomial: sqrt(6000 · 1/6 · 5/6) = 29.
            assert!(i32::abs_diff(counts[a][b][c], 1_000) < 5 * 29, "{counts:?}");
        }
    }

    #[test]
    fn below_nothing_is_zero() {
        let mut rng = Rng::new(3);
        assert_eq!([rng.below(0), rng.below(1)], [0, 0]);
        assert!((0..1_000).all(|_| rng.below(3) < 3));
    }
}
