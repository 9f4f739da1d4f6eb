//! The layers that read one volume.

use convnet_core::graph::{Node, Op};

use super::windows::{Filled, sliding};
use super::{Export, Tensor, Volume, shape};
use crate::flatbuffer::{Table, Value};
use crate::model::{self, Kind};

impl<F: Fn(&str) -> Option<Tensor>> Export<F> {
    /// The tensor that a layer writes.
    pub(super) fn layer(&mut self, name: &str, it: &Node<'_>, x: Volume) -> usize {
        let [_, _, depth] = it.volume;
        let none = Table::new;
        match it.op {
            Op::Conv { bias, window, .. } => self.conv(name, bias, &window, x, it.volume),
            Op::Depthwise { bias, window } => self.depthwise(name, bias, &window, x, it.volume),
            Op::ConvTranspose {
                groups,
                bias,
                window,
                ..
            } => self.conv_transpose(name, groups, bias, &window, x, it.volume),
            Op::MaxPool { window } => self.max_pool(name, &sliding(&window, x, it.volume), x),
            Op::AvgPool { window } => self.avg_pool(name, &window, x, it.volume),
            Op::BatchNorm { eps, affine, .. } => self.batch_norm(name, x, eps, affine),
            Op::GroupNorm { groups, eps } => self.group_norm(name, x, groups, eps),
            Op::LayerNorm { eps } => self.layer_norm(name, x, eps),
            Op::LayerNormVolume { eps } => self.layer_norm_volume(name, x, eps),
            Op::Lrn {
                size,
                alpha,
                beta,
                k,
            } => self.lrn(name, x, size, [alpha, beta, k]),
            Op::Affine => {
                let (gamma, beta) = (self.own::<1>(name, "gamma"), self.own::<1>(name, "beta"));
                self.rescaled(name, x.at, gamma, beta)
            }
            Op::Normalize { mean, std } => {
                let (mean, std) = (mean.as_slice(), std.as_slice());
                let factors = std.iter().map(|std| 1.0 / std).collect();
                let pairs = mean.iter().zip(std);
                self.rescaled_by(
                    name,
                    x.at,
                    factors,
                    pairs.map(|(mean, std)| -mean / std).collect(),
                )
            }
            Op::Fc { bias, .. } => {
                let (filters, [k, sizes @ ..]) = self.filters(name);
                // As one matrix: K filters of all that is read.
                self.model.tensors[filters].shape = vec![k, sizes.iter().product()];
                let inputs = self.with_bias(name, bias, k, [x.at, filters]);
                let kind = model::FULLY_CONNECTED;
                self.model
                    .push(kind, name.into(), inputs, vec![1, k], none())
            }
            Op::Relu => self.alike(model::RELU, name, vec![x.at], none()),
            Op::Relu6 => self.alike(model::RELU6, name, vec![x.at], none()),
            Op::LeakyRelu { slope } => {
                let slope = vec![(0, Value::Float(slope as f32))];
                self.alike(model::LEAKY_RELU, name, vec![x.at], slope)
            }
            Op::Prelu => {
                let slope = self.own::<1>(name, "slope");
                self.alike(model::PRELU, name, vec![x.at, slope], none())
            }
            Op::Sigmoid => self.alike(model::LOGISTIC, name, vec![x.at], none()),
            Op::Tanh => self.alike(model::TANH, name, vec![x.at], none()),
            Op::HardSigmoid => {
                let raised = self.by(model::ADD, name, "raised", x.at, 3.0);
                let cut = self.alike(model::RELU6, &format!("{name}.cut"), vec![raised], none());
                let sixth = self.number(format!("{name}.sixth"), 1.0 / 6.0);
                self.alike(model::MUL, name, vec![cut, sixth], none())
            }
            Op::HardSwish => self.alike(model::HARD_SWISH, name, vec![x.at], none()),
            Op::Silu => {
                let gate = format!("{name}.gate");
                let gate = self.alike(model::LOGISTIC, &gate, vec![x.at], none());
                self.alike(model::MUL, name, vec![x.at, gate], none())
            }
            Op::Gelu => self.alike(model::GELU, name, vec![x.at], none()),
            Op::GeluTanh => {
                let approximate = vec![(0, Value::Int(1))];
                self.alike(model::GELU, name, vec![x.at], approximate)
            }
            Op::Elu { alpha: 1.0 } => self.alike(model::ELU, name, vec![x.at], none()),
            Op::Elu { alpha } => {
                // Each half by itself.
                let step = |step: &str| format!("{name}.{step}");
                let below = self.by(model::MINIMUM, name, "below", x.at, 0.0);
                let bent = self.alike(model::ELU, &step("bent"), vec![below], none());
                let scaled = self.by(model::MUL, name, "scaled", bent, alpha);
                let above = self.alike(model::RELU, &step("above"), vec![x.at], none());
                self.alike(model::ADD, name, vec![above, scaled], none())
            }
            Op::Softplus => {
                // max(v, 0) + ln(1 + e^−|v|), in which nothing overflows.
                let step = |step: &str| format!("{name}.{step}");
                let mut it = x.at;
                for (kind, at) in [
                    (model::ABS, "abs"),
                    (model::NEG, "neg"),
                    (model::EXP, "exp"),
                ] {
                    it = self.alike(kind, &step(at), vec![it], none());
                }
                let more = self.by(model::ADD, name, "more", it, 1.0);
                let log = self.alike(model::LOG, &step("log"), vec![more], none());
                let above = self.alike(model::RELU, &step("above"), vec![x.at], none());
                self.alike(model::ADD, name, vec![above, log], none())
            }
            Op::Clamp { low, high } => match (low, high) {
                (-1.0, 1.0) => self.alike(model::RELU_N1_TO_1, name, vec![x.at], none()),
                (0.0, 1.0) => self.alike(model::RELU_0_TO_1, name, vec![x.at], none()),
                (0.0, 6.0) => self.alike(model::RELU6, name, vec![x.at], none()),
                _ => {
                    let above = self.by(model::MAXIMUM, name, "above", x.at, low);
                    let high = self.number(format!("{name}.high"), high);
                    self.alike(model::MINIMUM, name, vec![above, high], none())
                }
            },
            Op::Softmax => {
                let beta = vec![(0, Value::Float(1.0))];
                self.alike(model::SOFTMAX, name, vec![x.at], beta)
            }
            Op::LogSoftmax => self.alike(model::LOG_SOFTMAX, name, vec![x.at], none()),
            Op::GlobalAvgPool => self.reduced(model::MEAN, name, x, it.volume),
            Op::GlobalMaxPool => self.reduced(model::REDUCE_MAX, name, x, it.volume),
            Op::Upsample { .. }
            | Op::DepthToSpace { .. }
            | Op::SpaceToDepth { .. }
            | Op::ChannelShuffle { .. } => self.moved(name, it, x),
            Op::UpsampleBilinear { .. } => {
                let squares = vec![(3, Value::Int(1))];
                self.resized(model::RESIZE_BILINEAR, name, x, it.volume, squares)
            }
            Op::UpsampleAligned { .. } => {
                let corners = vec![(2, Value::Int(1))];
                self.resized(model::RESIZE_BILINEAR, name, x, it.volume, corners)
            }
            Op::Pad { window } => {
                let before = [0, 1].map(|at| window.axis(at, x.size[at]).map_or(0, |it| it.before));
                let after = |at: usize| it.volume[at].saturating_sub(x.size[at] + before[at]);
                let pads = [[before[0], after(0)], [before[1], after(1)], [0; 2]];
                let x = self.deep(x);
                self.padded(name, x, pads, Filled::Zeros)
            }
            Op::PadDepth { .. } => {
                let more = depth.saturating_sub(x.size[2]);
                let x = self.deep(x);
                self.padded(name, x, [[0; 2], [0; 2], [0, more]], Filled::Zeros)
            }
            Op::Slices { from, .. } => self.part(name, x, [0, 0, from], it.volume),
            Op::Crop { window } => {
                let from = [0, 1].map(|at| window.axis(at, x.size[at]).map_or(0, |it| it.before));
                self.part(name, x, [from[0], from[1], 0], it.volume)
            }
            Op::Branch { .. }
            | Op::Dropout { .. }
            | Op::Flatten
            | Op::Add { .. }
            | Op::Scale { .. }
            | Op::Concat { .. }
            | Op::Outputs { .. }
            | Op::Network { .. }
            | Op::Own { .. } => x.at,
        }
    }

    /// An operator of what it reads and one number.
    pub(super) fn by(&mut self, kind: Kind, layer: &str, step: &str, x: usize, by: f64) -> usize {
        let name = format!("{layer}.{step}");
        let by = self.number(format!("{name}.by"), by);
        self.alike(kind, &name, vec![x, by], Table::new())
    }
}

impl<F> Export<F> {
    /// The numbers of x in other places.
    pub(super) fn moved(&mut self, name: &str, it: &Node<'_>, x: Volume) -> usize {
        let [height, width, depth] = it.volume;
        if let Op::DepthToSpace { window } = it.op {
            let [down, across] = window.size;
            if down == across {
                return self.blocks(model::DEPTH_TO_SPACE, name, down, x, it.volume);
            }
            let rows = [x.size[0], x.size[1], down, across * depth];
            return self.turned(name, x, rows, [0, 2, 1, 3], it.volume);
        }
        if let Op::SpaceToDepth { window } = it.op {
            let [down, across] = window.size;
            if down == across {
                return self.blocks(model::SPACE_TO_DEPTH, name, down, x, it.volume);
            }
            let rows = [height, down, width, across * x.size[2]];
            return self.turned(name, x, rows, [0, 2, 1, 3], it.volume);
        }
        if let Op::ChannelShuffle { groups } = it.op {
            let groups = groups.max(1);
            let cut = [1, height * width, groups, depth / groups];
            return self.turned(name, x, cut, [0, 1, 3, 2], it.volume);
        }
        // An `upsample`; by their centres, which no rounding moves to another pixel.
        let squares = vec![(1, Value::Int(1))];
        self.resized(model::RESIZE_NEAREST_NEIGHBOR, name, x, it.volume, squares)
    }

    fn reduced(&mut self, kind: Kind, name: &str, x: Volume, size: [usize; 3]) -> usize {
        let axes = self.ints(format!("{name}.axes"), &[1, 2]);
        let inputs = vec![self.deep(x), axes];
        let keeps = vec![(0, Value::Int(1))];
        self.model
            .push(kind, name.into(), inputs, shape(size), keeps)
    }

    fn resized(
        &mut self,
        kind: Kind,
        name: &str,
        x: Volume,
        size: [usize; 3],
        options: Table,
    ) -> usize {
        let to = self.ints(format!("{name}.size"), &[size[0] as i32, size[1] as i32]);
        let inputs = vec![self.deep(x), to];
        self.model
            .push(kind, name.into(), inputs, shape(size), options)
    }

    fn blocks(&mut self, kind: Kind, name: &str, by: usize, x: Volume, size: [usize; 3]) -> usize {
        let x = self.deep(x);
        let by = vec![(0, Value::Int(by as i32))];
        self.model.push(kind, name.into(), vec![x], shape(size), by)
    }

    /// So many rows, columns and slices `from` there on.
    pub(super) fn part(
        &mut self,
        name: &str,
        x: Volume,
        from: [usize; 3],
        size: [usize; 3],
    ) -> usize {
        let (x, to) = (self.deep(x), shape(size));
        let [from, many] = [[&[0], &from[..]].concat(), to.clone()]
            .map(|all| all.into_iter().map(|it| it as i32).collect::<Vec<_>>());
        let from = self.ints(format!("{name}.from"), &from);
        let many = self.ints(format!("{name}.size"), &many);
        self.model.push(
            model::SLICE,
            name.into(),
            vec![x, from, many],
            to,
            Table::new(),
        )
    }

    /// Cut into other axes, which change places, and back into a volume.
    fn turned(
        &mut self,
        name: &str,
        x: Volume,
        cut: [usize; 4],
        perm: [usize; 4],
        size: [usize; 3],
    ) -> usize {
        let pieces = self.reshape(format!("{name}.cut"), x.at, cut.into());
        let order = self.ints(format!("{name}.order"), &perm.map(|axis| axis as i32));
        let (kind, inputs) = (model::TRANSPOSE, vec![pieces, order]);
        let turned = perm.map(|axis| cut[axis]).into();
        let turned = self
            .model
            .push(kind, format!("{name}.turned"), inputs, turned, Table::new());
        self.reshape(name.into(), turned, shape(size))
    }
}
