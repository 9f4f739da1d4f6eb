//! Median time, GFLOP/s and share of the core's FMA peak (measured in the same run) of the kernels; of
//! an `fc` beyond the caches, GB/s and the share of what a plain read of as many bytes reaches.
//!
//! `cargo bench -p convnet-core --bench kernels [-- NAME]`; with `FASTEST=1` in the environment the
//! fastest sample instead of the median, for a machine on which others work too. With `CHOICES=1`: how long
//! each algorithm takes for convolutions of known networks, at every level of this machine, and how much longer
//! the one takes that is chosen than the fastest.

use std::hint::black_box;
use std::ops::{Deref, DerefMut, Range};
use std::time::{Duration, Instant};

use convnet_core::kernel::{self, Algorithm, Sizes, Winograd};
use fearless_simd::{Simd, SimdBase, SimdFloat};

fn main() {
    let only = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let wanted = |name: &str| only.as_ref().is_none_or(|only| name.contains(only));
    if std::env::var_os("CHOICES").is_some() {
        return choices(wanted);
    }
    let peak = peak();
    println!("{:?}: {peak:.1} GFLOP/s", kernel::level());
    println!(
        "{:<28}{:>24}{:>24}{:>24}",
        "", "forward", "backward input", "gradient"
    );
    let packed = std::env::var_os("PACKED").is_some();
    for (name, sizes) in CONV {
        if wanted(name) {
            print(
                name,
                peak,
                &if packed {
                    conv_packed(sizes)
                } else {
                    conv(sizes)
                },
            );
        }
    }
    for (name, sizes) in DEPTHWISE {
        if wanted(name) {
            print(name, peak, &depthwise(sizes));
        }
    }
    for &(name, n, k) in FC {
        if wanted(name) {
            let rows = fc(n, k);
            print(name, peak, &rows);
            if n * k >= FAR {
                let rate = |time: Duration| 4e-9 * (n * k) as f64 / time.as_secs_f64();
                let (forward, read) = (rate(rows[0].0), rate(read(n * k)));
                let share = 100.0 * forward / read;
                println!("{:<28}{forward:>9.1} GB/s {share:>7.0} % of a read", "");
            }
        }
    }
    for (name, sizes) in POOL {
        if wanted(name) {
            print(name, peak, &pool(sizes));
        }
    }
}

const CONV: &[(&str, Sizes)] = &[
    ("5x5 1-6 at 28", square(28, 1, 5, 1, 2, 6)),
    ("5x5 3-12 at 32", square(32, 3, 5, 1, 2, 12)),
    ("5x5 6-16 at 14", square(14, 6, 5, 1, 0, 16)),
    ("3x3 32-32 at 32", square(32, 32, 3, 1, 1, 32)),
    ("3x3 64-64 at 16", square(16, 64, 3, 1, 1, 64)),
    ("3x3 128-128 at 8", square(8, 128, 3, 1, 1, 128)),
    ("3x3 64-64 at 224", square(224, 64, 3, 1, 1, 64)),
    ("3x3 128-128 at 112", square(112, 128, 3, 1, 1, 128)),
    ("3x3 256-256 at 56", square(56, 256, 3, 1, 1, 256)),
    ("3x3 512-512 at 28", square(28, 512, 3, 1, 1, 512)),
    ("3x3 64-64 at 56", square(56, 64, 3, 1, 1, 64)),
    ("3x3 128-128 at 28", square(28, 128, 3, 1, 1, 128)),
    ("3x3 256-256 at 14", square(14, 256, 3, 1, 1, 256)),
    ("3x3 512-512 at 7", square(7, 512, 3, 1, 1, 512)),
    ("11x11/4 3-96 at 227", square(227, 3, 11, 4, 0, 96)),
    ("3x3/2 64-64 at 32", square(32, 64, 3, 2, 1, 64)),
    ("1x1 256-256 at 14", square(14, 256, 1, 1, 0, 256)),
];

const DEPTHWISE: &[(&str, Sizes)] = &[
    ("depthwise 3x3 128 at 28", square(28, 128, 3, 1, 1, 128)),
    ("depthwise 3x3 512 at 14", square(14, 512, 3, 1, 1, 512)),
    ("depthwise 3x3/2 64 at 112", square(112, 64, 3, 2, 1, 64)),
    ("depthwise 3x3 8 at 48", square(48, 8, 3, 1, 1, 8)),
    ("depthwise 3x3 256 at 3", square(3, 256, 3, 1, 1, 256)),
    ("depthwise 5x5 240 at 14", square(14, 240, 5, 1, 2, 240)),
];

const FC: &[(&str, usize, usize)] = &[
    ("fc 9216-4096", 9216, 4096),
    ("fc 4096-1000", 4096, 1000),
    ("fc 2048-256", 2048, 256),
    ("fc 3072-10", 3072, 10),
    ("fc 400-120", 400, 120),
    ("fc 120-84", 120, 84),
    ("fc 84-10", 84, 10),
];

/// Scalars that no cache holds.
const FAR: usize = 1 << 24;

const POOL: &[(&str, Sizes)] = &[
    ("max 2x2/2 6 at 28", square(28, 6, 2, 2, 0, 6)),
    ("max 2x2/2 16 at 10", square(10, 16, 2, 2, 0, 16)),
    ("max 2x2/2 12 at 32", square(32, 12, 2, 2, 0, 12)),
    ("max 2x2/2 32 at 32", square(32, 32, 2, 2, 0, 32)),
    ("max 3x3/2 96 at 55", square(55, 96, 3, 2, 0, 96)),
];

const fn square(x: usize, d: usize, f: usize, s: usize, p: usize, k: usize) -> Sizes {
    let y = (x + 2 * p - f) / s + 1;
    Sizes {
        x: [x, x, d],
        filter: [f; 2],
        stride: [s; 2],
        dilation: [1; 2],
        groups: 1,
        before: [p; 2],
        y: [y, y, k],
    }
}

/// Median time and floating-point operations.
type Row = (Duration, f64);

fn conv(s: &Sizes) -> Vec<Row> {
    let [x, dy] = [s.x, s.y].map(|axes| values(axes.iter().product()));
    let filters = values(s.filter.iter().product::<usize>() * s.x[2] * s.y[2]);
    let bias = values(s.y[2]);
    let [mut y, mut dx, mut d_filters, mut d_bias] =
        [&dy, &x, &filters, &bias].map(|like| values(like.len()));
    // As if every tap met the input: what frameworks count.
    let flops = 2.0 * (filters.len() * s.y[0] * s.y[1]) as f64;
    vec![
        (
            median(|| kernel::conv_forward(s, &x, &filters, &bias, &mut y)),
            flops,
        ),
        (
            median(|| kernel::conv_backward_input(s, &mut dx, &dy, &filters)),
            flops,
        ),
        (
            median(|| kernel::conv_add_gradient(s, &x, &dy, &mut d_filters, &mut d_bias)),
            flops,
        ),
    ]
}

fn depthwise(s: &Sizes) -> Vec<Row> {
    let [x, dy] = [s.x, s.y].map(|axes| values(axes.iter().product()));
    let filters = values(s.filter.iter().product::<usize>() * s.y[2]);
    let bias = values(s.y[2]);
    let [mut y, mut dx, mut d_filters, mut d_bias] =
        [&dy, &x, &filters, &bias].map(|like| values(like.len()));
    let flops = 2.0 * (filters.len() * s.y[0] * s.y[1]) as f64;
    let (parameters, clamp) = ((&*filters, &*bias), kernel::Clamp::Relu6);
    vec![
        (
            median(|| kernel::depthwise_forward(s, &x, parameters, clamp, &mut y)),
            flops,
        ),
        (
            median(|| kernel::depthwise_backward_input(s, &mut dx, &dy, &filters)),
            flops,
        ),
        (
            median(|| kernel::depthwise_add_gradient(s, &x, &dy, &mut d_filters, &mut d_bias)),
            flops,
        ),
    ]
}

/// Packed, by each algorithm that can.
fn conv_packed(s: &Sizes) -> Vec<Row> {
    let flops = 2.0 * (s.filter[0] * s.filter[1] * s.x[2] * s.y.iter().product::<usize>()) as f64;
    let algorithms = [
        Algorithm::Panels,
        Algorithm::Winograd(Winograd::Two),
        Algorithm::Winograd(Winograd::Four),
        Algorithm::Winograd(Winograd::Six),
    ];
    let times = algorithms.into_iter().filter_map(|by| packed(s, by));
    times.map(|time| (time, flops)).collect()
}

/// How long a convolution takes by an algorithm, or nothing if that computes no such.
fn packed(s: &Sizes, algorithm: Algorithm) -> Option<Duration> {
    let [x, mut y] = [s.x, s.y].map(|axes| values(axes.iter().product()));
    let filters = values(s.filter.iter().product::<usize>() * s.x[2] * s.y[2]);
    let bias = values(s.y[2]);
    let len = match algorithm {
        Algorithm::Direct => filters.len(),
        _ => algorithm.packed(s),
    };
    let (mut packed, mut scratch) = (values(len), values(algorithm.scratch(s)));
    kernel::conv_pack(s, algorithm, &filters, &[], &mut packed).then(|| {
        let from = kernel::Packed {
            sizes: s,
            algorithm,
            packed: &packed,
            bias: &bias,
            onto: false,
            clamp: kernel::Clamp::Relu,
            threads: 1,
        };
        median(|| kernel::conv_forward_packed(&from, &x, &mut scratch, &mut y))
    })
}

/// Every algorithm, at every level, beside the one that is chosen.
fn choices(wanted: impl Fn(&str) -> bool) {
    let algorithms = [
        Algorithm::Direct,
        Algorithm::Panels,
        Algorithm::Rows,
        Algorithm::Winograd(Winograd::Column),
        Algorithm::Winograd(Winograd::Two),
        Algorithm::Winograd(Winograd::Four),
        Algorithm::Winograd(Winograd::Six),
    ];
    let names = algorithms.map(|by| format!("{:>14}", by.to_string()));
    println!("{:<28}{:<8}{} us, and the choice", "", "", names.concat());
    for &(x, d, f, stride, k) in CHOICES {
        let pad = f / 2;
        let s = square(x, d, f, stride, pad, k);
        let name = format!("{f}x{f}/{stride} {d}-{k} at {x}");
        if !wanted(&name) {
            continue;
        }
        for level in kernel::levels() {
            let times = kernel::with_level(level, || algorithms.map(|by| packed(&s, by)));
            let width = kernel::with_level(level, kernel::Width::default);
            let chosen = Algorithm::choose(&s, width, true);
            let us =
                |time: Option<Duration>| time.map_or(f64::NAN, |time| time.as_secs_f64() * 1e6);
            let fastest = times.iter().copied().flatten().min();
            let at = algorithms.iter().position(|&by| by == chosen);
            let loss = us(at.and_then(|at| times[at])) / us(fastest);
            let level = format!("{level:?}");
            print!(
                "{name:<28}{:<8}",
                level.split('(').next().unwrap_or_default()
            );
            times.iter().for_each(|&time| print!("{:>14.1}", us(time)));
            println!("  {chosen} {loss:.2}");
        }
    }
}

/// `[width, depth, size of a filter, stride, filters]`, padded by half of a filter: CS231n's nets, VGG, ResNet,
/// SqueezeNet, GoogLeNet, AlexNet, MobileNet.
const CHOICES: &[(usize, usize, usize, usize, usize)] = &[
    (32, 3, 5, 1, 12),
    (32, 3, 3, 1, 32),
    (28, 1, 5, 1, 6),
    (14, 6, 5, 1, 16),
    (28, 1, 3, 1, 8),
    (14, 8, 3, 1, 16),
    (16, 12, 3, 1, 12),
    (32, 16, 3, 1, 16),
    (32, 32, 3, 1, 32),
    (16, 32, 3, 1, 64),
    (16, 64, 3, 1, 64),
    (8, 64, 3, 1, 128),
    (8, 128, 3, 1, 128),
    (7, 64, 3, 1, 128),
    (14, 64, 3, 1, 64),
    (56, 64, 3, 1, 64),
    (28, 128, 3, 1, 128),
    (14, 256, 3, 1, 256),
    (7, 512, 3, 1, 512),
    (112, 32, 3, 1, 64),
    (112, 128, 3, 1, 128),
    (56, 256, 3, 1, 256),
    (13, 384, 3, 1, 256),
    (27, 96, 5, 1, 256),
    (56, 16, 3, 1, 64),
    (28, 32, 3, 1, 128),
    (14, 48, 3, 1, 192),
    (28, 16, 5, 1, 32),
    (14, 24, 5, 1, 64),
    (7, 48, 5, 1, 128),
    (224, 3, 7, 2, 64),
    (224, 3, 3, 2, 32),
    (96, 3, 3, 2, 8),
    (56, 64, 3, 2, 128),
    (14, 256, 3, 2, 512),
    (14, 256, 1, 1, 256),
    (56, 64, 1, 1, 256),
    (56, 64, 1, 2, 128),
    (28, 8, 1, 1, 16),
    (6, 128, 1, 1, 128),
];

fn fc(n: usize, k: usize) -> Vec<Row> {
    let [x, dy, filters] = [n, k, n * k].map(values);
    let [mut y, mut dx, mut d_filters, mut d_bias] =
        [&dy, &x, &filters, &dy].map(|like| values(like.len()));
    let flops = 2.0 * filters.len() as f64;
    vec![
        (
            median(|| kernel::fc_forward(&x, &filters, &dy, &mut y)),
            flops,
        ),
        (
            median(|| kernel::fc_backward_input(&mut dx, &dy, &filters)),
            flops,
        ),
        (
            median(|| kernel::fc_add_gradient(&x, &dy, &mut d_filters, &mut d_bias)),
            flops,
        ),
    ]
}

fn pool(s: &Sizes) -> Vec<Row> {
    let [x, dy] = [s.x, s.y].map(|axes| values(axes.iter().product()));
    let [mut y, mut dx] = [&dy, &x].map(|like| values(like.len()));
    let comparisons = (dy.len() * s.filter[0] * s.filter[1]) as f64;
    vec![
        (
            median(|| kernel::max_pool_forward(s, &x, &mut y)),
            comparisons,
        ),
        (
            median(|| kernel::max_pool_backward(s, &x, &mut dx, &dy)),
            comparisons,
        ),
    ]
}

fn print(name: &str, peak: f64, rows: &[Row]) {
    print!("{name:<28}");
    for (time, flops) in rows {
        let gflops = flops / time.as_secs_f64() / 1e9;
        let share = 100.0 * gflops / peak;
        print!(
            "{:>9.1} us {gflops:>5.1} {share:>3.0} %",
            time.as_secs_f64() * 1e6
        );
    }
    println!();
}

/// Scalars on a cache line, as volumes and layers are.
struct Values(Vec<f32>, Range<usize>);

fn values(len: usize) -> Values {
    let mut scalars = vec![0.0; len + 16];
    let start = scalars.as_ptr().align_offset(64);
    for (i, scalar) in scalars[start..].iter_mut().enumerate() {
        *scalar = ((i * 7919) % 1000) as f32 / 1000.0 - 0.5;
    }
    Values(scalars, start..start + len)
}

impl Deref for Values {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.0[self.1.clone()]
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0[self.1.clone()]
    }
}

fn median(mut work: impl FnMut() -> bool) -> Duration {
    let fastest = std::env::var_os("FASTEST").is_some();
    let (samples, seconds) = if fastest { (200, 2e-4) } else { (15, 2e-3) };
    assert!(work());
    let start = Instant::now();
    work();
    let times = (seconds / start.elapsed().as_secs_f64()).clamp(1.0, 1e5) as u32;
    let mut samples: Vec<_> = (0..samples)
        .map(|_| {
            let start = Instant::now();
            (0..times).for_each(|_| _ = black_box(work()));
            start.elapsed() / times
        })
        .collect();
    samples.sort();
    samples[if fastest { 0 } else { samples.len() / 2 }]
}

/// GFLOP/s of independent multiply-adds: the most that this core can do.
fn peak() -> f64 {
    const ROUNDS: usize = 10_000;
    #[inline(always)]
    fn rounds<S: Simd>(simd: S) -> f32 {
        let factor = S::f32s::splat(simd, black_box(0.5));
        let mut sums: [_; 12] = std::array::from_fn(|i| S::f32s::splat(simd, i as f32));
        for _ in 0..ROUNDS {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, factor);
            }
        }
        sums.into_iter().fold(factor, |a, b| a + b).reduce_sum()
    }
    let level = kernel::level();
    let lanes = fearless_simd::dispatch!(level, simd => lanes(simd));
    let time = median(|| black_box(fearless_simd::dispatch!(level, simd => rounds(simd))) > 0.0);
    (2 * 12 * lanes * ROUNDS) as f64 / time.as_secs_f64() / 1e9
}

/// The time to read `len` scalars, and do nothing with them but add them up.
fn read(len: usize) -> Duration {
    #[inline(always)]
    fn sum<S: Simd>(simd: S, values: &[f32]) -> f32 {
        let mut sums = [S::f32s::splat(simd, 0.0); 8];
        for line in values.chunks_exact(8 * S::f32s::LEN) {
            for (sum, vector) in sums.iter_mut().zip(line.chunks_exact(S::f32s::LEN)) {
                *sum += S::f32s::from_slice(simd, vector);
            }
        }
        sums.into_iter()
            .fold(S::f32s::splat(simd, 0.0), |a, b| a + b)
            .reduce_sum()
    }
    let (level, values) = (kernel::level(), values(len));
    median(|| black_box(fearless_simd::dispatch!(level, simd => sum(simd, &values))).is_finite())
}

fn lanes<S: Simd>(_: S) -> usize {
    <S::f32s as SimdBase<S>>::LEN
}
