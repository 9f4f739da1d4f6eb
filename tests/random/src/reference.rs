//! The same networks by plain loops, in `f64`: what each layer is, and nothing that makes it fast.

use crate::network::{Item, Layer, Network, Shape, Window};

/// `v[y][x][d]`, one row after the other.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub shape: Shape,
    pub values: Vec<f64>,
}

impl Volume {
    fn zeros(shape: Shape) -> Self {
        Self {
            shape,
            values: vec![0.0; shape.iter().product()],
        }
    }

    fn at(&self, [y, x, d]: Shape) -> f64 {
        self.values[self.index([y, x, d])]
    }

    fn at_mut(&mut self, at: Shape) -> &mut f64 {
        let index = self.index(at);
        &mut self.values[index]
    }

    fn index(&self, [y, x, d]: Shape) -> usize {
        (y * self.shape[1] + x) * self.shape[2] + d
    }

    fn depth(&self) -> usize {
        self.shape[2]
    }
}

/// Tensors in the order of declaration.
pub(crate) struct Tensors<'a> {
    pub rest: std::slice::Iter<'a, Vec<f64>>,
    /// (mean / deviation)² of what a `batch_norm` reads, on average over its depth slices: the largest of
    /// all that were trained.
    pub condition: f64,
    /// What the images have for outputs on the way, one behind the other.
    given: Vec<Vec<f64>>,
}

impl<'a> Tensors<'a> {
    pub(crate) fn new(tensors: &'a [Vec<f64>]) -> Self {
        Self {
            rest: tensors.iter(),
            condition: 0.0,
            given: Vec::new(),
        }
    }

    fn next(&mut self) -> &'a [f64] {
        let next = self.rest.next();
        next.expect("a tensor for each that is declared")
    }
}

/// What `network` makes of a batch; `training` by the batch's own statistics, and without dropout.
pub(crate) fn forward(
    network: &Network,
    tensors: &mut Tensors,
    training: bool,
    batch: Vec<Volume>,
) -> Vec<Volume> {
    let scores = items(&network.items, tensors, training, batch);
    // None are taken inside of another network.
    match core::mem::take(&mut tensors.given) {
        given if given.is_empty() => scores,
        given => given.into_iter().map(vector).collect(),
    }
}

fn vector(values: Vec<f64>) -> Volume {
    Volume {
        shape: [1, 1, values.len()],
        values,
    }
}

fn items(items: &[Item], tensors: &mut Tensors, training: bool, batch: Vec<Volume>) -> Vec<Volume> {
    let step = |batch, one: &Item| item(one, tensors, training, batch);
    items.iter().fold(batch, step)
}

fn item(item: &Item, tensors: &mut Tensors, training: bool, batch: Vec<Volume>) -> Vec<Volume> {
    match item {
        Item::Layer(_, layer) => layers(layer, tensors, training, batch),
        Item::Repeat(inside, times) => {
            let pass = |batch, _| items(inside, tensors, training, batch);
            (0..*times).fold(batch, pass)
        }
        Item::Named(_, inside) => items(inside, tensors, training, batch),
        Item::Residual(inside, shortcut) => {
            let mut y = items(inside, tensors, training, batch.clone());
            let shortcut = shortcut.as_deref().unwrap_or(&[]);
            let other = items(shortcut, tensors, training, batch);
            for (y, other) in y.iter_mut().zip(&other) {
                for (y, other) in y.values.iter_mut().zip(&other.values) {
                    *y += other;
                }
            }
            y
        }
        Item::Product(inside) => {
            let gate = items(inside, tensors, training, batch.clone());
            let product = |(mut x, gate): (Volume, Volume)| {
                let factors = gate.values.iter().cycle();
                x.values
                    .iter_mut()
                    .zip(factors)
                    .for_each(|(x, by)| *x *= by);
                x
            };
            batch.into_iter().zip(gate).map(product).collect()
        }
        Item::Concat(branches) => {
            let written: Vec<_> = branches
                .iter()
                .map(|branch| items(branch, tensors, training, batch.clone()))
                .collect();
            let image = |n: usize| side_by_side(written.iter().map(|branch| &branch[n]));
            (0..batch.len()).map(image).collect()
        }
        Item::Outputs(branches) => {
            for (_, branch) in branches {
                let written = items(branch, tensors, training, batch.clone());
                tensors.given.resize(batch.len(), Vec::new());
                for (given, written) in tensors.given.iter_mut().zip(written) {
                    given.extend(written.values);
                }
            }
            batch
        }
        Item::Inside(network) => items(&network.items, tensors, training, batch),
    }
}

fn side_by_side<'a>(branches: impl Iterator<Item = &'a Volume> + Clone) -> Volume {
    let [height, width, _] = branches.clone().next().expect("a branch").shape;
    let depth = branches.clone().map(Volume::depth).sum();
    let mut values = Vec::with_capacity(height * width * depth);
    for at in 0..height * width {
        for branch in branches.clone() {
            values.extend(&branch.values[at * branch.depth()..][..branch.depth()]);
        }
    }
    Volume {
        shape: [height, width, depth],
        values,
    }
}

fn layers(layer: &Layer, tensors: &mut Tensors, training: bool, batch: Vec<Volume>) -> Vec<Volume> {
    if let Layer::BatchNorm { eps, affine, .. } = layer {
        let depth = batch[0].depth();
        let [ones, zeros] = [1.0, 0.0].map(|it| vec![it; depth]);
        let factors = match affine {
            true => [tensors.next(), tensors.next()],
            false => [&ones[..], &zeros],
        };
        let own = [factors[0], factors[1], tensors.next(), tensors.next()];
        let (batch, condition) = batch_norm(*eps, own, training, batch);
        tensors.condition = tensors.condition.max(condition);
        return batch;
    }
    let filters = if learns(layer) { tensors.next() } else { &[] };
    let bias = biased(layer).then(|| tensors.next());
    let each = |x: Volume| one(layer, filters, bias, x);
    batch.into_iter().map(each).collect()
}

fn learns(layer: &Layer) -> bool {
    matches!(
        layer,
        Layer::Conv { .. }
            | Layer::Depthwise { .. }
            | Layer::ConvTranspose { .. }
            | Layer::Fc { .. }
            | Layer::Scale
            | Layer::Prelu
            | Layer::GroupNorm(..)
            | Layer::LayerNorm(_)
            | Layer::LayerNormVolume(_)
            | Layer::Affine
    )
}

fn biased(layer: &Layer) -> bool {
    match layer {
        Layer::Conv { bias, .. }
        | Layer::Depthwise { bias, .. }
        | Layer::ConvTranspose { bias, .. }
        | Layer::Fc { bias, .. } => *bias,
        Layer::GroupNorm(..) | Layer::LayerNorm(_) | Layer::LayerNormVolume(_) | Layer::Affine => {
            true
        }
        _ => false,
    }
}

/// γ·(x − mean)/√(variance + ε) + β; and its [condition](Tensors::condition).
fn batch_norm(
    eps: f64,
    [gamma, beta, mean, variance]: [&[f64]; 4],
    training: bool,
    mut batch: Vec<Volume>,
) -> (Vec<Volume>, f64) {
    let depth = gamma.len();
    let mut condition = 0.0;
    for d in 0..depth {
        let slice = |batch: &[Volume]| -> Vec<f64> {
            let values = batch.iter().flat_map(|v| v.values.iter());
            values.skip(d).step_by(depth).copied().collect()
        };
        let (mut mean, mut variance) = (mean[d], variance[d]);
        if training {
            let slice = slice(&batch);
            let count = slice.len() as f64;
            mean = slice.iter().sum::<f64>() / count;
            variance = slice.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            condition += mean.powi(2) / (variance + eps) / depth as f64;
        }
        for v in &mut batch {
            for x in v.values.iter_mut().skip(d).step_by(depth) {
                *x = gamma[d] * (*x - mean) / (variance + eps).sqrt() + beta[d];
            }
        }
    }
    (batch, condition)
}

fn one(layer: &Layer, filters: &[f64], bias: Option<&[f64]>, x: Volume) -> Volume {
    let shape = layer.output(x.shape).expect("drawn to fit");
    let bias = |k: usize| bias.map_or(0.0, |bias| bias[k]);
    let mut y = Volume::zeros(shape);
    match layer {
        Layer::Conv { groups, window, .. } => {
            let [depth, filters_of] = [x.depth() / groups, shape[2] / groups];
            each(shape, |at @ [oy, ox, k]| {
                let mut sum = bias(k);
                seen(window, &x, [oy, ox], |[fy, fx], [iy, ix]| {
                    for d in 0..depth {
                        let weight = ((fy * window.size[1] + fx) * depth + d) * shape[2] + k;
                        let from = k / filters_of * depth + d;
                        sum += filters[weight] * x.at([iy, ix, from]);
                    }
                });
                *y.at_mut(at) = sum;
            });
        }
        Layer::Depthwise { window, .. } => each(shape, |at @ [oy, ox, d]| {
            let mut sum = bias(d);
            seen(window, &x, [oy, ox], |[fy, fx], [iy, ix]| {
                let weight = (fy * window.size[1] + fx) * shape[2] + d;
                sum += filters[weight] * x.at([iy, ix, d]);
            });
            *y.at_mut(at) = sum;
        }),
        Layer::ConvTranspose { window, groups, .. } => {
            let [depth, filters_of] = [x.depth() / groups, shape[2] / groups];
            each(shape, |at| *y.at_mut(at) = bias(at[2]));
            // A stamp of each input.
            each(x.shape, |[iy, ix, d]| {
                for fy in 0..window.size[0] {
                    for fx in 0..window.size[1] {
                        let place = |axis: usize, from: usize, tap: usize| {
                            let at = from * window.stride[axis] + tap * window.dilation[axis];
                            at.checked_sub(window.zeros(axis)[0])
                        };
                        let (row, column) = (place(0, iy, fy), place(1, ix, fx));
                        let (Some(row), Some(column)) = (row, column) else {
                            continue;
                        };
                        if row >= shape[0] || column >= shape[1] {
                            continue;
                        }
                        for k in 0..filters_of {
                            let tap = fy * window.size[1] + fx;
                            let weight = (tap * filters_of + k) * x.depth() + d;
                            let k = d / depth * filters_of + k;
                            *y.at_mut([row, column, k]) += filters[weight] * x.at([iy, ix, d]);
                        }
                    }
                }
            });
        }
        Layer::Fc { .. } => each(shape, |at @ [_, _, k]| {
            let weights = filters.iter().skip(k).step_by(shape[2]);
            let products = weights.zip(&x.values).map(|(w, x)| w * x);
            *y.at_mut(at) = bias(k) + products.sum::<f64>();
        }),
        Layer::MaxPool(window) => each(shape, |at @ [oy, ox, d]| {
            let mut most = f64::NEG_INFINITY;
            seen(window, &x, [oy, ox], |_, [iy, ix]| {
                most = most.max(x.at([iy, ix, d]))
            });
            *y.at_mut(at) = most;
        }),
        Layer::AvgPool(window) => each(shape, |at @ [oy, ox, d]| {
            let (mut sum, mut count) = (0.0, 0.0);
            seen(window, &x, [oy, ox], |_, [iy, ix]| {
                sum += x.at([iy, ix, d]);
                count += 1.0;
            });
            *y.at_mut(at) = sum / count;
        }),
        Layer::GlobalAvgPool => each(x.shape, |at @ [_, _, d]| {
            *y.at_mut([0, 0, d]) += x.at(at) / (x.shape[0] * x.shape[1]) as f64;
        }),
        Layer::GlobalMaxPool => {
            y.values.fill(f64::NEG_INFINITY);
            each(x.shape, |at @ [_, _, d]| {
                let most = y.at([0, 0, d]).max(x.at(at));
                *y.at_mut([0, 0, d]) = most;
            });
        }
        Layer::Lrn {
            size,
            alpha,
            beta,
            k,
        } => each(shape, |at @ [row, column, d]| {
            let first = d.saturating_sub(size / 2);
            let end = (d + (size - 1) / 2 + 1).min(shape[2]);
            let squares = (first..end).map(|d| x.at([row, column, d]).powi(2));
            let sum = k + alpha / *size as f64 * squares.sum::<f64>();
            *y.at_mut(at) = x.at(at) / sum.powf(*beta);
        }),
        // Each depth column by itself.
        Layer::Softmax => {
            y.values.clone_from(&x.values);
            for column in y.values.chunks_exact_mut(x.depth()) {
                let most = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = column.iter().map(|x| (x - most).exp()).sum();
                column.iter_mut().for_each(|x| *x = (*x - most).exp() / sum);
            }
        }
        Layer::Scale => each(shape, |at| *y.at_mut(at) = filters[at[2]] * x.at(at)),
        Layer::Negate => return map(x, |x| -x),
        Layer::Relu => return map(x, |x| x.max(0.0)),
        Layer::Relu6 => return map(x, |x| x.clamp(0.0, 6.0)),
        Layer::LeakyRelu(slope) => return map(x, |x| if x > 0.0 { x } else { slope * x }),
        Layer::Sigmoid => return map(x, |x| 1.0 / (1.0 + (-x).exp())),
        Layer::Tanh => return map(x, f64::tanh),
        Layer::HardSigmoid => return map(x, |x| (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Layer::HardSwish => return map(x, |x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Layer::Silu => return map(x, |x| x / (1.0 + (-x).exp())),
        Layer::Gelu => return map(x, |x| 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt()))),
        Layer::GeluTanh => {
            let steep = (2.0 / std::f64::consts::PI).sqrt();
            let gelu = |x: f64| 0.5 * x * (1.0 + (steep * (x + 0.044715 * x.powi(3))).tanh());
            return map(x, gelu);
        }
        Layer::Elu(alpha) => return map(x, |x| if x > 0.0 { x } else { alpha * x.exp_m1() }),
        Layer::Upsample([down, across]) => each(shape, |at @ [row, column, d]| {
            *y.at_mut(at) = x.at([row / down, column / across, d]);
        }),
        Layer::UpsampleBilinear([down, across]) | Layer::UpsampleAligned([down, across]) => {
            each(shape, |at @ [row, column, d]| {
                let aligned = matches!(layer, Layer::UpsampleAligned(_));
                let place = |o: usize, times: usize, size: usize| {
                    let place = match aligned {
                        // Corner on corner.
                        true => (o * (size - 1)) as f64 / (times * size - 1).max(1) as f64,
                        false => {
                            ((o as f64 + 0.5) / times as f64 - 0.5).clamp(0.0, size as f64 - 1.0)
                        }
                    };
                    let first = place.floor();
                    let next = (first as usize + 1).min(size - 1);
                    [
                        (first as usize, 1.0 - (place - first)),
                        (next, place - first),
                    ]
                };
                for (row, part) in place(row, *down, x.shape[0]) {
                    for (column, of_part) in place(column, *across, x.shape[1]) {
                        *y.at_mut(at) += part * of_part * x.at([row, column, d]);
                    }
                }
            })
        }
        Layer::Pad([top, _, left, _]) => each(x.shape, |at @ [row, column, d]| {
            *y.at_mut([top + row, left + column, d]) = x.at(at);
        }),
        Layer::Crop([top, _, left, _]) => each(shape, |at @ [row, column, d]| {
            *y.at_mut(at) = x.at([top + row, left + column, d]);
        }),
        // The depth column is that of all pixels of the block, row by row: a slice of each pixel after the other.
        Layer::DepthToSpace([down, across]) => each(shape, |at @ [row, column, d]| {
            let pixel = row % down * across + column % across;
            *y.at_mut(at) = x.at([row / down, column / across, pixel * shape[2] + d]);
        }),
        Layer::SpaceToDepth([down, across]) => each(x.shape, |at @ [row, column, d]| {
            let pixel = row % down * across + column % across;
            *y.at_mut([row / down, column / across, pixel * x.depth() + d]) = x.at(at);
        }),
        Layer::GroupNorm(groups, eps) => {
            let of_group = shape[2] / groups;
            for group in 0..*groups {
                let all = [shape[0], shape[1], of_group];
                let (mut values, first) = (Vec::new(), group * of_group);
                each(all, |[row, column, d]| {
                    values.push(x.at([row, column, first + d]))
                });
                let [mean, deviation] = moments(&values, *eps);
                each(all, |[row, column, d]| {
                    let (at, d) = ([row, column, first + d], first + d);
                    *y.at_mut(at) = filters[d] * (x.at(at) - mean) / deviation + bias(d);
                });
            }
        }
        Layer::LayerNorm(eps) => {
            let columns = y.values.chunks_exact_mut(shape[2]);
            for (y, x) in columns.zip(x.values.chunks_exact(shape[2])) {
                let [mean, deviation] = moments(x, *eps);
                for (d, (y, x)) in y.iter_mut().zip(x).enumerate() {
                    *y = filters[d] * (x - mean) / deviation + bias(d);
                }
            }
        }
        Layer::LayerNormVolume(eps) => {
            let [mean, deviation] = moments(&x.values, *eps);
            for (at, (y, x)) in y.values.iter_mut().zip(&x.values).enumerate() {
                *y = filters[at] * (x - mean) / deviation + bias(at);
            }
        }
        Layer::Normalize(mean, std) => each(shape, |at| {
            let of = |list: &[f64]| list[at[2] % list.len()];
            *y.at_mut(at) = (x.at(at) - of(mean)) / of(std);
        }),
        Layer::Affine => each(shape, |at| {
            *y.at_mut(at) = filters[at[2]] * x.at(at) + bias(at[2])
        }),
        Layer::LogSoftmax => {
            y.values.clone_from(&x.values);
            for column in y.values.chunks_exact_mut(x.depth()) {
                let most = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = column.iter().map(|x| (x - most).exp()).sum();
                column.iter_mut().for_each(|x| *x -= most + sum.ln());
            }
        }
        Layer::PadDepth(_) => each(x.shape, |at| *y.at_mut(at) = x.at(at)),
        Layer::Slices(_, from) => each(shape, |at @ [row, column, d]| {
            *y.at_mut(at) = x.at([row, column, from + d]);
        }),
        Layer::Prelu => each(shape, |at| {
            let v = x.at(at);
            *y.at_mut(at) = if v > 0.0 { v } else { filters[at[2]] * v };
        }),
        Layer::ChannelShuffle(groups) => each(shape, |at @ [row, column, d]| {
            let (group, of_group) = (d % groups, d / groups);
            *y.at_mut(at) = x.at([row, column, group * (shape[2] / groups) + of_group]);
        }),
        Layer::Softplus => return map(x, |x| x.max(0.0) + (-x.abs()).exp().ln_1p()),
        Layer::Clamp(low, high) => return map(x, |x| x.clamp(*low, *high)),
        Layer::Dropout(_) | Layer::Flatten => return x,
        Layer::BatchNorm { .. } => unreachable!("of a batch"),
    }
    y
}

/// Their mean, and √(variance + ε).
fn moments(values: &[f64], eps: f64) -> [f64; 2] {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    [mean, (variance + eps).sqrt()]
}

/// 2/√π·e^−x²·(x + 2x³/3 + 4x⁵/15 + …), of which all terms have one sign.
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut at) = (x, x, 1.0);
    while term.abs() > 1e-17 * sum.abs() {
        term *= 2.0 * x * x / (2.0 * at + 1.0);
        sum += term;
        at += 1.0;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

fn map(mut v: Volume, f: impl Fn(f64) -> f64) -> Volume {
    v.values.iter_mut().for_each(|v| *v = f(*v));
    v
}

fn each([height, width, depth]: Shape, mut f: impl FnMut(Shape)) {
    for y in 0..height {
        for x in 0..width {
            for d in 0..depth {
                f([y, x, d]);
            }
        }
    }
}

/// The taps of a filter that lie on the image, and where.
fn seen(
    window: &Window,
    x: &Volume,
    output: [usize; 2],
    mut f: impl FnMut([usize; 2], [usize; 2]),
) {
    let input = |axis: usize, tap: usize| {
        let at = output[axis] * window.stride[axis] + tap * window.dilation[axis];
        let at = at.checked_sub(window.zeros(axis)[0]);
        at.filter(|&at| at < x.shape[axis])
    };
    for fy in 0..window.size[0] {
        let Some(iy) = input(0, fy) else { continue };
        for fx in 0..window.size[1] {
            if let Some(ix) = input(1, fx) {
                f([fy, fx], [iy, ix]);
            }
        }
    }
}
