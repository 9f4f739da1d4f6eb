//! From numbers to bytes: which range each volume has, and what becomes of filters and biases.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::error::Error;
use core::fmt::{self, Display, Formatter};

use num_traits::float::FloatCore;

use super::Quantize;
use super::program::{Fixed, Kind, Range, Task};
use super::quantized::Parameters;
use super::real::{Real, Weights, activate};
use crate::AnyVolume;
use crate::graph::Op;
use crate::kernel::Clamp;
use crate::kernel::i8::{
    Add, Channel, Multiplier, Product, Quantization, Softmax, hard_swish, leaky_relu, tabulate,
};
use crate::memory::heap::zeroed_box;

/// How the range of a volume is found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ranges {
    /// From the least to the largest number that there was.
    #[default]
    MinMax,
    /// Without the most distant ones: of a hundred numbers so many are covered, `Percentile(99.99)`.
    Percentile(f64),
    /// The range whose bytes are nearest to the numbers, by the sum of squares: finer steps for most of them, at the
    /// price of the most distant ones.
    LeastSquares,
}

/// How a network becomes its twin, if not as [`quantize`](Quantize::quantize) does it.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::int8::{Ranges, Settings};
///
/// let settings = Settings { fc_per_tensor: true, ..Ranges::LeastSquares.into() };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Settings {
    /// How the range of a volume is found.
    pub ranges: Ranges,
    /// Whether all filters of an `fc` have one scale, as those that converters write for older runtimes; else each has
    /// its own, which is nearer.
    pub fc_per_tensor: bool,
}

impl From<Ranges> for Settings {
    fn from(ranges: Ranges) -> Self {
        Self {
            ranges,
            ..Self::default()
        }
    }
}

/// Why a network has no int8 twin.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuantizeError {
    /// There are no images.
    NoImages,
    /// A volume, or a filter, holds something that is no finite number.
    NotFinite {
        /// The layer that has it or writes it; `input`, of the image.
        layer: String,
    },
    /// A percentile that is none.
    Percentile,
}

impl Display for QuantizeError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoImages => f.write_str(
                "no images to quantise by: hand over some hundred of those that the network learned from",
            ),
            Self::NotFinite { layer } => write!(
                f,
                "{layer} has numbers that are not finite: quantise a network that has learned, by images \
                 without NaN"
            ),
            Self::Percentile => f.write_str("a percentile lies above 0 and is 100 at most"),
        }
    }
}

impl Error for QuantizeError {}

/// How finely a percentile is counted.
const BINS: usize = 4096;

pub(super) fn quantize<N, I>(
    net: &N,
    images: &[I],
    settings: Settings,
) -> Result<Box<N::Int8>, QuantizeError>
where
    N: Quantize,
    I: Borrow<N::Input>,
{
    let Settings {
        ranges,
        fc_per_tensor,
    } = settings;
    if let Ranges::Percentile(percent) = ranges
        && !(percent > 0.0 && percent <= 100.0)
    {
        return Err(QuantizeError::Percentile);
    }
    let real = real_of(net, images)?;
    let mut quantized: Box<N::Int8> = zeroed_box();
    let (_, _, volumes) = quantized.parts_mut();
    let seen = seen::<N, I>(&real, images, ranges)?;
    for (at, (to, [low, high])) in volumes.iter_mut().zip(seen).enumerate() {
        let range = at.checked_sub(1).and_then(|at| N::PROGRAM.ranges.get(at));
        let fixed = range.and_then(|range| range.fixed);
        let is = fixed.map_or_else(|| Quantization::covering(low, high), Fixed::quantization);
        *to = range.map_or(is, |range| range.clamped(is));
    }
    fill_all::<N>(&real, &mut quantized, |task, _| {
        fc_per_tensor && is_fc::<N>(task)
    });
    Ok(quantized)
}

/// The network in `f32`, if its weights are finite and there are images to see it by.
pub(super) fn real_of<N: Quantize, I>(net: &N, images: &[I]) -> Result<Real, QuantizeError> {
    if images.is_empty() {
        return Err(QuantizeError::NoImages);
    }
    let real = Real::new(net);
    let mut nodes = N::GRAPH.iter().enumerate();
    match nodes.find(|(at, _)| !real.is_finite(*at)) {
        Some((_, node)) => Err(QuantizeError::NotFinite {
            layer: node.name.into(),
        }),
        None => Ok(real),
    }
}

/// The filters of a twin anew, of a network that has learned on; the ranges stay, and who has one scale for all.
#[cfg(feature = "train")]
pub(crate) fn refill<N: Quantize>(net: &N, twin: &mut N::Int8) {
    fill_all::<N>(&Real::new(net), twin, has_one_scale::<N>);
}

/// Whether all filters of a task have one scale, which only an `fc` has.
#[cfg(feature = "train")]
pub(super) fn has_one_scale<N: Quantize>(task: &Task, channels: &[Channel]) -> bool {
    is_fc::<N>(task) && channels.windows(2).all(|two| two[0].by == two[1].by)
}

fn is_fc<N: Quantize>(task: &Task) -> bool {
    matches!(N::GRAPH[task.node].op, Op::Fc { .. })
}

/// Everything but the ranges, which are there; of whose filters all have one scale, it is asked.
fn fill_all<N: Quantize>(
    real: &Real,
    twin: &mut N::Int8,
    one_scale: impl Fn(&Task, &[Channel]) -> bool,
) {
    let (filters, channels, volumes) = twin.parts_mut();
    for task in N::PROGRAM.tasks {
        let op = &N::GRAPH[task.node].op;
        let is = task.volumes.map(|v| volumes[v]);
        let [filters_at, channels_at] = [task.filters, task.channels];
        let filters = &mut filters[filters_at[0]..filters_at[1]];
        let channels = &mut channels[channels_at[0]..channels_at[1]];
        match real.weights(task.node) {
            Some(weights) => {
                let together = one_scale(task, channels);
                fill(task, (weights, together), is, filters, channels);
            }
            None => constants(task, op, is, filters, channels),
        }
    }
}

impl Range {
    /// With the bounds of its clamp.
    #[must_use]
    pub fn clamped(&self, is: Quantization) -> Quantization {
        match self.clamp {
            Clamp::None => is,
            Clamp::Relu => is.relu(),
            Clamp::Relu6 => is.relu6(),
        }
    }
}

impl Fixed {
    /// The scale and the zero point.
    pub(super) const fn quantization(self) -> Quantization {
        match self {
            Self::Unit => Softmax::Y,
            Self::Signed => Quantization::new(1.0 / 128.0, 0),
        }
    }
}

/// The least and the largest number of each volume that has a quantization.
fn seen<N, I>(real: &Real, images: &[I], ranges: Ranges) -> Result<Vec<[f32; 2]>, QuantizeError>
where
    N: Quantize,
    I: Borrow<N::Input>,
{
    let mut all: Vec<_> = observed::<N>().map(|_| [0.0f32; 2]).collect();
    each_volume::<N, I>(real, images, |volumes| {
        for (v, [low, high]) in observed::<N>().zip(&mut all) {
            for &number in &volumes[v] {
                (*low, *high) = (low.min(number), high.max(number));
            }
        }
    })?;
    if ranges == Ranges::MinMax {
        return Ok(all);
    }
    let mut counts: Vec<_> = all.iter().map(|_| alloc::vec![0u64; BINS]).collect();
    each_volume::<N, I>(real, images, |volumes| {
        for ((v, range), counts) in observed::<N>().zip(&all).zip(&mut counts) {
            for &number in &volumes[v] {
                let bin = ((number - range[0]) / step(*range)) as usize;
                counts[bin.min(BINS - 1)] += 1;
            }
        }
    })?;
    for (range, counts) in all.iter_mut().zip(counts) {
        let [low, high] = *range;
        *range = match ranges {
            Ranges::MinMax => *range,
            Ranges::Percentile(percent) => without_distant(*range, &counts, percent),
            Ranges::LeastSquares => least_squares(*range, &counts),
        };
        debug_assert!(low <= range[0] && range[1] <= high);
    }
    Ok(all)
}

/// The volumes that have a quantization: first the image.
fn observed<N: Quantize>() -> impl Iterator<Item = usize> {
    core::iter::once(0).chain(N::PROGRAM.ranges.iter().map(|it| it.observed))
}

/// Shows all volumes of each image, which are finite where bytes stand for them.
pub(super) fn each_volume<N, I>(
    real: &Real,
    images: &[I],
    mut see: impl FnMut(&[Vec<f32>]),
) -> Result<(), QuantizeError>
where
    N: Quantize,
    I: Borrow<N::Input>,
{
    for image in images {
        let volumes = real.volumes::<N>(image.borrow().as_slice());
        let is_finite = |v: &usize| volumes[*v].iter().all(|number| number.is_finite());
        if let Some(v) = observed::<N>().find(|v| !is_finite(v)) {
            let node = v.checked_sub(1).map(|node| N::GRAPH[node].name);
            let layer = node.unwrap_or("input").into();
            return Err(QuantizeError::NotFinite { layer });
        }
        see(&volumes);
    }
    Ok(())
}

/// The width of a bin.
fn step([low, high]: [f32; 2]) -> f32 {
    (high - low) / BINS as f32
}

/// Without the numbers at either end that are more than so many of a hundred.
fn without_distant([low, high]: [f32; 2], counts: &[u64], percent: f64) -> [f32; 2] {
    let most = counts.iter().sum::<u64>() as f64 * (100.0 - percent) / 200.0;
    let cut = |counts: &mut dyn Iterator<Item = &u64>| {
        let mut sum = 0;
        let beyond = |count: &&u64| {
            sum += **count;
            sum as f64 <= most
        };
        counts.take_while(beyond).count() as f32
    };
    let (below, above) = (cut(&mut counts.iter()), cut(&mut counts.iter().rev()));
    let step = step([low, high]);
    let mut range = [low + below * step, high - above * step];
    range.sort_by(f32::total_cmp);
    range
}

/// How many places there are for either end, from what there is down to zero.
const ENDS: usize = 32;

/// The range of the least Σ (v − byte)²: what is inside is half a step off at most, evenly; what is beyond, so far as
/// it is beyond.
fn least_squares(range: [f32; 2], counts: &[u64]) -> [f32; 2] {
    let numbers = || {
        let bins = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        bins.map(|(bin, count)| (range[0] + (bin as f32 + 0.5) * step(range), *count as f64))
    };
    let squares = |low: f32, high: f32| {
        let step = f64::from(high - low) / 255.0;
        let of = |(v, count): (f32, f64)| {
            let beyond = f64::from((v - high).max(low - v).max(0.0));
            count
                * if beyond > 0.0 {
                    beyond * beyond
                } else {
                    step * step / 12.0
                }
        };
        numbers().map(of).sum::<f64>()
    };
    let ends = |end: f32| {
        let all = (0..ENDS).map(move |less| end * (1.0 - less as f32 / ENDS as f32));
        all.take(if end == 0.0 { 1 } else { ENDS })
    };
    let all = ends(range[0]).flat_map(|low| ends(range[1]).map(move |high| [low, high]));
    let all = all.map(|[low, high]| (squares(low, high), [low, high]));
    let best = all.reduce(|best, it| if it.0 < best.0 { it } else { best });
    best.map_or(range, |(_, range)| range)
}

/// The filters of a task, a scale each or together, and their biases.
fn fill(
    task: &Task,
    (weights, together): (&Weights, bool),
    is: [Quantization; 3],
    filters: &mut [i8],
    channels: &mut [Channel],
) {
    let (k, declared) = (task.sizes.y[2], &weights.filters);
    // Of a filter without weights too, the bias has a place in 32 bits.
    let least = |bias: f32| f64::from(bias.abs()) / (f64::from(is[0].scale) * f64::from(1 << 30));
    let scales = match together {
        true => Scales::One(scale_of(
            declared.iter(),
            least(farthest(weights.bias.iter())),
        )),
        false => {
            let own = |at: usize| declared.iter().skip(at).step_by(k);
            let biases = weights.bias.iter().enumerate();
            Scales::Each(
                biases
                    .map(|(at, &bias)| scale_of(own(at), least(bias)))
                    .collect(),
            )
        }
    };
    let bias = |at: usize, unit: f64| FloatCore::round(f64::from(weights.bias[at]) / unit) as i32;
    store(task, (declared, &scales), bias, is, filters, channels);
}

/// How large a step of filters is.
#[derive(Clone, Debug, PartialEq)]
pub enum Scales {
    /// One for all filters of an `fc`, which TensorFlow Lite multiplies in `f32`.
    One(f32),
    /// Each filter's own.
    Each(Vec<f32>),
}

/// Filters in the order in which they are declared; `bias` says how large one is, in so large units.
pub(super) fn store(
    task: &Task,
    (declared, scales): (&[f32], &Scales),
    bias: impl Fn(usize, f64) -> i32,
    [x, _, y]: [Quantization; 3],
    filters: &mut [i8],
    channels: &mut [Channel],
) {
    let k = task.sizes.y[2];
    let len = declared.len() / k;
    for (at, channel) in channels.iter_mut().enumerate() {
        let (scale, unit) = match scales {
            Scales::One(scale) => (*scale, f64::from(x.scale * scale)),
            Scales::Each(each) => (each[at], f64::from(x.scale) * f64::from(each[at])),
        };
        for (e, &w) in declared.iter().skip(at).step_by(k).enumerate() {
            let place = match task.kind.is_conv() {
                true => at * len + e,
                false => e * k + at,
            };
            filters[task.place(place)] = FloatCore::round(w / scale).clamp(-127.0, 127.0) as i8;
        }
        *channel = Channel {
            bias: bias(at, unit),
            by: Multiplier::of(unit / f64::from(y.scale)),
        };
    }
}

/// The scale of a filter, so much at least.
pub(super) fn scale_of<'a>(filter: impl Iterator<Item = &'a f32>, least: f64) -> f32 {
    let scale = (f64::from(farthest(filter)) / 127.0).max(least) as f32;
    if scale.is_normal() { scale } else { 1.0 }
}

/// How far from zero the numbers go.
pub(super) fn farthest<'a>(numbers: impl Iterator<Item = &'a f32>) -> f32 {
    numbers.fold(0.0, |most, v| most.max(v.abs()))
}

/// What a task without weights needs.
pub(super) fn constants(
    task: &Task,
    op: &Op,
    [x, with, y]: [Quantization; 3],
    table: &mut [i8],
    channels: &mut [Channel],
) {
    let of = |by: Multiplier| Channel { bias: 0, by };
    let steps = Multiplier::of(f64::from(x.scale) / f64::from(y.scale));
    match task.kind {
        // As TensorFlow Lite computes these two; the others by their own formula.
        Kind::Table => table.copy_from_slice(&if let Op::LeakyRelu { slope } = op {
            leaky_relu(&x, &y, *slope as f32)
        } else if let Op::HardSwish = op {
            hard_swish(&x, &y)
        } else {
            tabulate(&x, &y, |v| activate(op, v).unwrap_or(v))
        }),
        Kind::Rescale => channels[0] = of(steps),
        Kind::Mean => {
            let [height, width, _] = task.sizes.x;
            channels[0] = of(steps.of_mean(height * width));
        }
        Kind::Softmax => {
            let Softmax { by, least } = Softmax::new(x.scale);
            channels[0] = Channel { bias: least, by };
        }
        Kind::Add => {
            let sum = Add::new(x.scale, with.scale, y.scale);
            channels
                .iter_mut()
                .zip(sum.by)
                .for_each(|(to, by)| *to = of(by));
        }
        Kind::Product => channels[0] = of(Product::new(x.scale, with.scale, y.scale).by),
        Kind::Conv
        | Kind::Dense
        | Kind::Tiles
        | Kind::Rows
        | Kind::Depthwise
        | Kind::Scale
        | Kind::MaxPool
        | Kind::AvgPool
        | Kind::Move
        | Kind::Copy => {}
    }
}
