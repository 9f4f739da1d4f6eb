//! The network in `f32`, with norms folded into filters and every volume kept: what the bytes are to stand for.

use alloc::vec;
use alloc::vec::Vec;

use num_traits::Float;

use super::Quantize;
use super::program::{Kind, Task};
use crate::Role;
use crate::graph::Op;
use crate::kernel::{self, Clamp, Sizes};
use crate::layer::conv;
use crate::layer::gelu::below;
use crate::layer::max_pool;
use crate::scalar::real::probabilities;

/// The filters of a task as they are declared, and the biases, with the `batch_norm` behind them folded in; or
/// a `batch_norm` of its own, as filters of 1x1.
pub(super) struct Weights {
    pub(super) filters: Vec<f32>,
    pub(super) bias: Vec<f32>,
}

/// A network in `f32`.
pub(super) struct Real {
    /// The task of each node, if it has one.
    tasks: Vec<Option<&'static Task>>,
    weights: Vec<Option<Weights>>,
}

impl Real {
    pub(super) fn new<N: Quantize>(net: &N) -> Self {
        let task = |node: usize| N::PROGRAM.tasks.iter().find(|task| task.node == node);
        let tasks: Vec<_> = (0..N::GRAPH.len()).map(task).collect();
        let weights = |node: usize| {
            let task = tasks[node]?;
            let [_, _, k] = task.sizes.y;
            let (mut filters, mut bias) = match task.kind {
                Kind::Conv | Kind::Dense | Kind::Tiles | Kind::Rows | Kind::Depthwise => {
                    let bias = tensor(net, node, |role| role == Role::Bias);
                    let bias = bias.map_or_else(|| vec![0.0; k], <[f32]>::to_vec);
                    (tensor(net, node, is_filters)?.to_vec(), bias)
                }
                Kind::Scale => (vec![1.0; k], vec![0.0; k]),
                Kind::MaxPool
                | Kind::AvgPool
                | Kind::Mean
                | Kind::Rescale
                | Kind::Table
                | Kind::Softmax
                | Kind::Add
                | Kind::Product
                | Kind::Move
                | Kind::Copy => return None,
            };
            let folded = |next: &usize| tasks.get(*next).is_some_and(Option::is_none);
            let norm = if task.kind == Kind::Scale {
                Some(node)
            } else {
                Some(node + 1).filter(folded)
            };
            if let Some(norm) = norm.and_then(|norm| norm_of(net, norm)) {
                for (at, filter) in filters.iter_mut().enumerate() {
                    *filter = (f64::from(*filter) * norm[at % k][0]) as f32;
                }
                for (bias, [scale, shift]) in bias.iter_mut().zip(norm) {
                    *bias = (f64::from(*bias) * scale + shift) as f32;
                }
            }
            Some(Weights { filters, bias })
        };
        let weights = (0..tasks.len()).map(weights).collect();
        Self { tasks, weights }
    }

    /// The weights of the task of a node.
    pub(super) fn weights(&self, node: usize) -> Option<&Weights> {
        self.weights.get(node)?.as_ref()
    }

    /// Whether all weights of a node are numbers.
    pub(super) fn is_finite(&self, node: usize) -> bool {
        let all = self.weights(node).into_iter();
        all.flat_map(|of| of.filters.iter().chain(&of.bias))
            .all(|w| w.is_finite())
    }

    /// The volume that a task's bytes stand for: behind the clamps and norms that it does on the way.
    pub(super) fn written<N: Quantize>(&self, task: &Task) -> usize {
        let rest = N::GRAPH.iter().zip(&self.tasks).skip(task.node + 1);
        let folded =
            rest.take_while(|(node, task)| task.is_none() && !matches!(node.op, Op::Branch { .. }));
        task.node + 1 + folded.count()
    }

    /// Every volume: first the image, then what each layer writes.
    pub(super) fn volumes<N: Quantize>(&self, image: &[f32]) -> Vec<Vec<f32>> {
        let mut all = vec![image.to_vec()];
        for (at, node) in N::GRAPH.iter().enumerate() {
            let (x, other) = node.op.reads(at);
            let other = other.map(|v| &all[v][..]);
            let y = self.layer(at, &node.op, &all[x], other);
            all.push(y);
        }
        all
    }

    fn layer(&self, at: usize, op: &Op, x: &[f32], other: Option<&[f32]>) -> Vec<f32> {
        // A pool that takes rows as they come is in the task before it.
        let sizes = match (self.tasks[at], op) {
            (None, Op::MaxPool { .. }) => {
                let task = self.tasks[..at].iter().rev().find_map(|task| *task);
                task.and_then(|task| task.pool.as_ref())
            }
            (task, _) => task.map(|task| &task.sizes),
        };
        let zeros = |sizes: &Sizes| vec![0.0; sizes.y.iter().product()];
        let mut v = x.to_vec();
        match (op, sizes, self.weights(at)) {
            (Op::Conv { .. } | Op::Fc { .. }, Some(sizes), Some(of)) => {
                let mut y = zeros(sizes);
                let from = [&of.filters[..], &of.bias];
                let done =
                    matches!(op, Op::Fc { .. }) && kernel::fc_forward(x, from[0], from[1], &mut y);
                if !done {
                    conv::forward(sizes, x, from, &mut y);
                }
                return y;
            }
            (Op::Depthwise { .. }, Some(sizes), Some(of)) => {
                let mut y = zeros(sizes);
                let depth = sizes.y[2];
                windows(sizes, |tap, x_at, y_at| {
                    let filters = &of.filters[tap * depth..][..depth];
                    let terms = x[x_at..].iter().zip(filters);
                    let sums = y[y_at..].iter_mut().zip(terms);
                    sums.for_each(|(y, (x, w))| *y += x * w);
                });
                add_bias(&mut y, &of.bias);
                return y;
            }
            (Op::BatchNorm { .. }, Some(_), Some(of)) => {
                let filters = of.filters.iter().cycle();
                v.iter_mut().zip(filters).for_each(|(v, w)| *v *= w);
                add_bias(&mut v, &of.bias);
            }
            (Op::MaxPool { .. } | Op::GlobalMaxPool, Some(sizes), _) => {
                let mut y = zeros(sizes);
                max_pool::forward(sizes, x, &mut y);
                return y;
            }
            (Op::AvgPool { .. } | Op::GlobalAvgPool, Some(sizes), _) => {
                let (mut y, depth) = (zeros(sizes), sizes.y[2]);
                let mut counts = vec![0.0f32; sizes.y[0] * sizes.y[1]];
                windows(sizes, |_, x_at, y_at| {
                    counts[y_at / depth] += 1.0;
                    let sums = y[y_at..][..depth].iter_mut().zip(&x[x_at..]);
                    sums.for_each(|(y, x)| *y += x);
                });
                for (y, count) in y.chunks_mut(depth).zip(counts) {
                    y.iter_mut().for_each(|y| *y /= count);
                }
                return y;
            }
            (
                Op::Upsample { .. }
                | Op::ChannelShuffle { .. }
                | Op::DepthToSpace { .. }
                | Op::SpaceToDepth { .. },
                Some(sizes),
                _,
            ) => {
                let mut y = zeros(sizes);
                // Never `None`: the sizes are those of the plan.
                let _ = sizes.moved(x, &mut y);
                return y;
            }
            (Op::Relu, ..) => Clamp::Relu.apply(&mut v),
            (Op::Relu6, ..) => Clamp::Relu6.apply(&mut v),
            (Op::Softmax, Some(sizes), _) => {
                let columns = x.chunks(sizes.y[2]);
                return columns.flat_map(probabilities).collect();
            }
            (Op::Add { .. }, ..) => {
                let others = other.unwrap_or_default();
                v.iter_mut().zip(others).for_each(|(v, other)| *v += other);
            }
            (Op::Scale { .. }, ..) => {
                let others = other.unwrap_or_default().iter();
                return others.zip(x.iter().cycle()).map(|(v, by)| v * by).collect();
            }
            (Op::Concat { .. }, Some(sizes), _) => {
                let mut y = other.map_or_else(|| zeros(sizes), <[f32]>::to_vec);
                let slice = self.tasks[at].map_or(0, |task| task.slice);
                let slices = y.chunks_mut(sizes.y[2]).zip(x.chunks(sizes.x[2]));
                slices.for_each(|(y, x)| y[slice..][..x.len()].copy_from_slice(x));
                return y;
            }
            (op, ..) => v
                .iter_mut()
                .for_each(|v| *v = activate(op, *v).unwrap_or(*v)),
        }
        v
    }
}

/// The activation that is a table, of one number.
pub(super) fn activate(op: &Op, v: f32) -> Option<f32> {
    match op {
        Op::LeakyRelu { slope } if v < 0.0 => Some(*slope as f32 * v),
        Op::LeakyRelu { .. } => Some(v),
        Op::Sigmoid => Some(1.0 / (1.0 + Float::exp(-v))),
        Op::Tanh => Some(Float::tanh(v)),
        Op::HardSigmoid => Some(((v + 3.0) / 6.0).clamp(0.0, 1.0)),
        Op::HardSwish => Some(v * ((v + 3.0) / 6.0).clamp(0.0, 1.0)),
        Op::Silu => Some(v / (1.0 + Float::exp(-v))),
        Op::Gelu => Some((f64::from(v) * below(f64::from(v))) as f32),
        Op::GeluTanh => {
            let v = f64::from(v);
            let bent = kernel::GELU_STEEP * v * (1.0 + kernel::GELU_CUBE * v * v);
            Some((v / (1.0 + Float::exp(-bent))) as f32)
        }
        Op::Elu { alpha } if v < 0.0 => Some((*alpha * Float::exp_m1(f64::from(v))) as f32),
        Op::Elu { .. } => Some(v),
        Op::Softplus => Some(v.max(0.0) + Float::ln_1p(Float::exp(-v.abs()))),
        Op::Clamp { low, high } => Some(v.max(*low as f32).min(*high as f32)),
        Op::Conv { .. }
        | Op::Depthwise { .. }
        | Op::ConvTranspose { .. }
        | Op::BatchNorm { .. }
        | Op::Lrn { .. }
        | Op::Relu
        | Op::Relu6
        | Op::MaxPool { .. }
        | Op::AvgPool { .. }
        | Op::GlobalAvgPool
        | Op::GlobalMaxPool
        | Op::Upsample { .. }
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
        | Op::Dropout { .. }
        | Op::Softmax
        | Op::Flatten
        | Op::Own { .. }
        | Op::Network { .. }
        | Op::Branch { .. }
        | Op::Add { .. }
        | Op::Scale { .. }
        | Op::Concat { .. }
        | Op::Outputs { .. } => None,
    }
}

/// Calls `f` with each tap of each window that meets the input, and the places of the two depth columns.
fn windows(sizes: &Sizes, mut f: impl FnMut(usize, usize, usize)) {
    let ([height, width, depth], [ho, wo, k]) = (sizes.x, sizes.y);
    let [fh, fw] = sizes.filter;
    for (oy, ox) in (0..ho).flat_map(|oy| (0..wo).map(move |ox| (oy, ox))) {
        for (fy, fx) in (0..fh).flat_map(|fy| (0..fw).map(move |fx| (fy, fx))) {
            let (iy, ix) = (sizes.input(0, oy, fy), sizes.input(1, ox, fx));
            if let (Some(iy), Some(ix)) = (iy, ix)
                && iy < height
                && ix < width
            {
                f(fy * fw + fx, (iy * width + ix) * depth, (oy * wo + ox) * k);
            }
        }
    }
}

fn add_bias(v: &mut [f32], bias: &[f32]) {
    v.iter_mut()
        .zip(bias.iter().cycle())
        .for_each(|(v, bias)| *v += bias);
}

pub(super) fn is_filters(role: Role) -> bool {
    matches!(role, Role::Filters | Role::Grouped(_) | Role::Weights)
}

/// Which tensor of a node has such a role.
pub(super) fn tensor_of<N: Quantize>(node: usize, is: impl Fn(Role) -> bool) -> Option<usize> {
    let own = |name: &str| {
        name.rsplit_once('.')
            .is_some_and(|(of, _)| of == N::GRAPH[node].name)
    };
    let mut all = N::TENSORS.iter();
    all.position(|it| own(it.name) && is(it.role))
}

fn tensor<N: Quantize>(net: &N, node: usize, is: impl Fn(Role) -> bool) -> Option<&[f32]> {
    tensor_of::<N>(node, is).map(|index| net.tensor(index))
}

/// The factor and what is added, a depth slice each, if the node is a `batch_norm`.
fn norm_of<N: Quantize>(net: &N, node: usize) -> Option<Vec<[f64; 2]>> {
    let Op::BatchNorm { eps, .. } = N::GRAPH.get(node)?.op else {
        return None;
    };
    let of = |is: fn(Role) -> bool| tensor(net, node, is);
    // Those of `affine = none` do nothing.
    let gain = of(|role| role == Role::Gain)
        .unwrap_or(&[1.0])
        .iter()
        .cycle();
    let bias = of(|role| role == Role::Bias)
        .unwrap_or(&[0.0])
        .iter()
        .cycle();
    let mean = of(|role| matches!(role, Role::Mean(_)))?.iter();
    let variance = of(|role| matches!(role, Role::Variance(..)))?.iter();
    let all = gain.zip(bias).zip(mean.zip(variance));
    let norm = all.map(|((&gain, &bias), (&mean, &variance))| {
        let scale = f64::from(gain) / Float::sqrt(f64::from(variance) + eps);
        [scale, f64::from(bias) - f64::from(mean) * scale]
    });
    Some(norm.collect())
}
