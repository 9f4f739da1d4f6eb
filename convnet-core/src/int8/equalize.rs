//! Cross-layer equalisation: what one layer's filters multiply by a number, the next layer's divide by it.
//!
//! ```text
//!  slice │ before      conv ─▶ relu ─▶ depthwise      after
//!    0   │ ████████████                               ████████████        a volume has one range: a slice with
//!    1   │ ▌                    × 16         ÷ 16     ████████            small numbers has few of its 256 steps
//! ```
//!
//! Between the two are layers that do to s·v what they do to v, times s, for every s above 0: `relu` is one, `relu6` is
//! none. Factors are powers of two, and so nothing is rounded.
//!
//! Source: Nagel et al., *Data-Free Quantization Through Weight Equalization and Bias Correction*, 2019. Filters have a
//! scale each here, so it is volumes that are made even, by what images show of them, not filters.

use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::ops::Range;

use num_traits::Float;

use super::calibrate::{each_volume, farthest, real_of};
use super::real::{is_filters, tensor_of};
use super::{Quantize, QuantizeError};
use crate::Role;
use crate::graph::Op;

/// Two layers with filters, and nothing between them that minds a factor.
struct Pair {
    first: usize,
    /// The `batch_norm` behind the first.
    norm: Option<usize>,
    second: usize,
}

/// In how many pairs of layers something has changed.
pub(super) fn equalize<N, I>(net: &mut N, images: &[I]) -> Result<usize, QuantizeError>
where
    N: Quantize,
    I: Borrow<N::Input>,
{
    let pairs: Vec<Pair> = (1..N::GRAPH.len()).filter_map(pair::<N>).collect();
    let depth = |pair: &Pair| N::GRAPH[pair.first].volume[2];
    let mut most: Vec<_> = pairs.iter().map(|pair| vec![0.0f32; depth(pair)]).collect();
    let real = real_of(net, images)?;
    each_volume::<N, I>(&real, images, |volumes| {
        for (pair, most) in pairs.iter().zip(&mut most) {
            for column in volumes[pair.second].chunks(most.len().max(1)) {
                let slices = most.iter_mut().zip(column);
                slices.for_each(|(most, v)| *most = most.max(v.abs()));
            }
        }
    })?;
    let mut changed = 0;
    for (pair, most) in pairs.iter().zip(&most) {
        let factors = factors(net, pair, most);
        if factors.iter().any(|by| *by != 1.0) {
            changed += 1;
            apply(net, pair, &factors);
        }
    }
    Ok(changed)
}

/// The pair whose second is layer `second`.
fn pair<N: Quantize>(second: usize) -> Option<Pair> {
    let op = |at: usize| N::GRAPH.get(at).map(|node| &node.op);
    if !op(second)?.has_filters() {
        return None;
    }
    let mut first = second.checked_sub(1)?;
    while minds_no_factor(op(first)?) {
        first = first.checked_sub(1)?;
    }
    // One without factors takes none.
    if matches!(op(first)?, Op::BatchNorm { affine: false, .. }) {
        return None;
    }
    let norm = matches!(op(first)?, Op::BatchNorm { .. }).then_some(first);
    let first = first.checked_sub(usize::from(norm.is_some()))?;
    let shared = |volumes: Range<usize>| {
        let mut ops = N::GRAPH.iter().map(|node| &node.op);
        ops.any(|op| op.names().is_some_and(|v| volumes.contains(&v)))
    };
    let found = op(first)?.has_filters() && !shared(first + 1..second + 1);
    found.then_some(Pair {
        first,
        norm,
        second,
    })
}

/// Whether the layer does to s·v what it does to v, times s, depth slice by depth slice.
fn minds_no_factor(op: &Op) -> bool {
    match op {
        Op::Relu
        | Op::LeakyRelu { .. }
        | Op::MaxPool { .. }
        | Op::AvgPool { .. }
        | Op::GlobalAvgPool
        | Op::GlobalMaxPool
        | Op::Upsample { .. }
        | Op::Dropout { .. }
        | Op::Flatten => true,
        Op::Conv { .. }
        | Op::Depthwise { .. }
        | Op::ConvTranspose { .. }
        | Op::BatchNorm { .. }
        | Op::Lrn { .. }
        | Op::Relu6
        | Op::Sigmoid
        | Op::Tanh
        | Op::HardSigmoid
        | Op::HardSwish
        | Op::Silu
        | Op::Gelu
        | Op::GeluTanh
        | Op::Elu { .. }
        | Op::Softplus
        | Op::Clamp { .. }
        | Op::ChannelShuffle { .. }
        | Op::UpsampleBilinear { .. }
        | Op::UpsampleAligned { .. }
        | Op::Pad { .. }
        | Op::PadDepth { .. }
        | Op::Crop { .. }
        | Op::DepthToSpace { .. }
        | Op::SpaceToDepth { .. }
        | Op::GroupNorm { .. }
        | Op::LayerNorm { .. }
        | Op::LayerNormVolume { .. }
        | Op::LogSoftmax
        | Op::Slices { .. }
        | Op::Prelu
        | Op::Affine
        | Op::Normalize { .. }
        | Op::Fc { .. }
        | Op::Softmax
        | Op::Own { .. }
        | Op::Network { .. }
        | Op::Branch { .. }
        | Op::Add { .. }
        | Op::Scale { .. }
        | Op::Concat { .. }
        | Op::Outputs { .. } => false,
    }
}

/// By which power of two each slice is multiplied: none comes beyond the largest, which stays.
fn factors<N: Quantize>(net: &N, pair: &Pair, most: &[f32]) -> Vec<f32> {
    let mut met = vec![0.0f32; most.len()];
    if let Some(index) = tensor_of::<N>(pair.second, is_filters) {
        let slice_of = slice_of::<N>(pair.second, most.len());
        let (weights, k) = (net.tensor(index), N::GRAPH[pair.second].volume[2]);
        let largest = |at: usize| farthest(weights.iter().skip(at).step_by(k));
        let largest: Vec<f32> = (0..k).map(largest).collect();
        for (at, (w, of_filter)) in weights.iter().zip(largest.iter().cycle()).enumerate() {
            let met = &mut met[slice_of(at)];
            *met = met.max(w.abs() / of_filter);
        }
    }
    // A filter has one scale for all slices that it meets: those of a depthwise meet one.
    let alone = matches!(N::GRAPH[pair.second].op, Op::Depthwise { .. });
    let far = |(most, met): (&f32, &f32)| match alone {
        true => *most,
        false => Float::sqrt(most / met),
    };
    let far: Vec<f32> = most.iter().zip(&met).map(far).collect();
    let counts = |v: &&f32| v.is_normal();
    let largest = far.iter().filter(counts).fold(0.0f32, |a, b| a.max(*b));
    let by = |v: &f32| match counts(&v) {
        // What hardly says anything stays small.
        true => Float::powi(2.0, Float::floor(Float::log2(largest / v)).min(12.0) as i32),
        false => 1.0,
    };
    far.iter().map(by).collect()
}

/// The slice that each weight of a layer meets.
fn slice_of<N: Quantize>(node: usize, depth: usize) -> impl Fn(usize) -> usize {
    let (op, k) = (&N::GRAPH[node].op, N::GRAPH[node].volume[2]);
    let groups = op.groups().copied().unwrap_or(1);
    let (own, of_group) = (depth / groups, k / groups);
    let alone = matches!(op, Op::Depthwise { .. });
    move |at| match alone {
        true => at % depth,
        false => at % k / of_group * own + at / k % own,
    }
}

fn apply<N: Quantize>(net: &mut N, pair: &Pair, factors: &[f32]) {
    let roles: [fn(Role) -> bool; 2] = match pair.norm {
        Some(_) => [|role| role == Role::Gain, |role| role == Role::Bias],
        None => [is_filters, |role| role == Role::Bias],
    };
    for role in roles {
        if let Some(index) = tensor_of::<N>(pair.norm.unwrap_or(pair.first), role) {
            let weights = net.tensor_mut(index).iter_mut();
            weights
                .zip(factors.iter().cycle())
                .for_each(|(w, by)| *w *= by);
        }
    }
    if let Some(index) = tensor_of::<N>(pair.second, is_filters) {
        let slice_of = slice_of::<N>(pair.second, factors.len());
        let weights = net.tensor_mut(index).iter_mut().enumerate();
        weights.for_each(|(at, w)| *w /= factors[slice_of(at)]);
    }
}
