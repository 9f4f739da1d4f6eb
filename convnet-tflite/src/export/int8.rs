//! An int8 twin, task by task, as operators that compute the same bytes.
//!
//! ```text
//!  task: multipliers ──the scales of which they come──▶ filters with a scale each ──LiteRT──▶ the same multipliers
//! ```
//!
//! **Invariant:** no operator is written whose numbers differ from the twin's: what LiteRT makes of the scales is
//! computed here, too, and compared.

use convnet_core::graph::{Node, Op};
use convnet_core::int8::{Kind, Program, Task};
use convnet_core::kernel::i8::{
    Add, Channel, Multiplier, Product, Quantization, Softmax, hard_swish, leaky_relu, tabulate,
};
use convnet_core::kernel::{Clamp, Sizes};

use super::windows::{met, pads};
use super::{Export, Volume, Ways};
use crate::TfliteError;
use crate::flatbuffer::{Table, Value};
use crate::model::{self, Data, Element, Model, Steps};

/// A twin with its graph, whatever its type.
#[derive(Clone, Copy)]
pub(crate) struct Twin<'a> {
    pub(crate) graph: &'a [Node<'a>],
    pub(crate) program: &'a Program<'a>,
    pub(crate) filters: &'a [i8],
    pub(crate) channels: &'a [Channel],
    pub(crate) volumes: &'a [Quantization],
}

impl<'a> Twin<'a> {
    /// What a volume stands for.
    fn volume(&self, at: usize) -> Quantization {
        self.volumes.get(at).copied().unwrap_or(Quantization::NONE)
    }

    /// A task of a node, if its volume is clamped as it says.
    fn layer(&self, node: &'a Node<'a>, task: &'a Task) -> Result<Layer<'a>, TfliteError> {
        let [x, other, y] = task.volumes.map(|at| self.volume(at));
        let range = task.volumes[2].checked_sub(1);
        let range = range.and_then(|at| self.program.ranges.get(at));
        let clamp = range.map_or(Clamp::None, |range| range.clamp);
        let [from, to] = task.channels;
        let layer = Layer {
            name: node.name,
            node,
            task,
            clamp,
            channels: self.channels.get(from..to).unwrap_or_default(),
            x,
            other,
            y,
        };
        let whole = Quantization::new(y.scale, y.zero);
        layer.holds(range.map_or(whole, |range| range.clamped(whole)) == y)?;
        Ok(layer)
    }
}

/// The model of a twin that reads `[height, width, depth]`.
pub(crate) fn model(twin: Twin<'_>, size: [usize; 3]) -> Result<Model, TfliteError> {
    let (mut export, image) = Export::new(twin, twin.graph, size)?;
    export.stands_for(image.at, &twin.volume(0));
    let scores = export.tasks(image)?;
    export.scores(scores);
    Ok(export.model)
}

/// A task, and what it has.
struct Layer<'a> {
    name: &'a str,
    node: &'a Node<'a>,
    task: &'a Task,
    channels: &'a [Channel],
    /// By what y is clamped.
    clamp: Clamp,
    /// What the volume that it reads stands for, the other one, and what it writes.
    x: Quantization,
    other: Quantization,
    y: Quantization,
}

impl Layer<'_> {
    fn holds(&self, it: bool) -> Result<(), TfliteError> {
        match it {
            true => Ok(()),
            false => Err(TfliteError::Foreign(self.name.to_owned())),
        }
    }

    /// Whether it multiplies by these.
    fn multiplies_by(&self, all: &[Multiplier]) -> Result<(), TfliteError> {
        let own = self.channels.iter().map(|channel| &channel.by);
        self.holds(own.eq(all))
    }

    /// How many steps of y a step of x is.
    fn steps(&self) -> Multiplier {
        Multiplier::of(f64::from(self.x.scale) / f64::from(self.y.scale))
    }

    /// The scale of each filter, of which TensorFlow Lite makes its multiplier.
    fn scales(&self) -> Result<Vec<f32>, TfliteError> {
        let [x, y] = [self.x, self.y].map(|it| f64::from(it.scale));
        let scale = |channel: &Channel| self.scale(channel, |w| x * f64::from(w) / y);
        let scales: Option<Vec<f32>> = self.channels.iter().map(scale).collect();
        scales.ok_or_else(|| TfliteError::Foreign(self.name.to_owned()))
    }

    /// The scale of all filters of an `fc`, if they have one, by which TensorFlow Lite multiplies in `f32`.
    fn one_scale(&self) -> Option<f32> {
        let (first, rest) = self.channels.split_first()?;
        let unit = |w: f32| f64::from(self.x.scale * w) / f64::from(self.y.scale);
        match rest.iter().all(|channel| channel.by == first.by) {
            true => self.scale(first, unit),
            false => None,
        }
    }

    /// The scale that `real` makes the multiplier of a filter of, which is near what the multiplier says.
    fn scale(&self, channel: &Channel, real: impl Fn(f32) -> f64) -> Option<f32> {
        let [mantissa, exponent] = channel.by.parts();
        let by = f64::from(mantissa) * f64::from(exponent - 31).exp2();
        let near = by * f64::from(self.y.scale) / f64::from(self.x.scale);
        // Of nothing, as little as there is.
        let near = (near as f32).max(f32::MIN_POSITIVE);
        let [below, above] = [near.next_down(), near.next_up()];
        let mut all = [near, below, above, below.next_down(), above.next_up()].into_iter();
        all.find(|w| Multiplier::of(real(*w)) == channel.by)
    }
}

impl Export<Twin<'_>> {
    /// What the last task writes.
    fn tasks(&mut self, image: Volume) -> Result<Volume, TfliteError> {
        let twin = self.of;
        let (mut volumes, mut ways) = (vec![image], Ways::new());
        let mut last = image;
        for (index, node) in twin.graph.iter().enumerate() {
            let (first, second) = node.op.reads(index);
            let (x, other) = (volumes[first], second.map(|second| volumes[second]));
            let mut tasks = twin.program.tasks.iter();
            last = match tasks.find(|task| task.node == index) {
                Some(task) => {
                    let it = twin.layer(node, task)?;
                    match matches!(node.op, Op::Concat { .. }) {
                        true => {
                            let name = format!("{}.from{}", it.name, it.task.slice);
                            let x = self.in_steps(&name, &it, x)?;
                            self.way(&mut ways, node.name.into(), index, node, x)
                        }
                        false => self.task(&it, x, other.unwrap_or(x))?,
                    }
                }
                None => {
                    self.folded(node, x);
                    x
                }
            };
            volumes.push(last);
        }
        Ok(last)
    }

    /// A norm, a clamp or a pool that is in the task before it gives its name to what that writes.
    fn folded(&mut self, node: &Node<'_>, x: Volume) {
        let is_nothing = matches!(
            node.op,
            Op::Dropout { .. } | Op::Flatten | Op::Branch { .. }
        );
        if !is_nothing {
            self.model.tensors[x.at].name = node.name.into();
        }
    }

    fn task(&mut self, it: &Layer<'_>, x: Volume, other: Volume) -> Result<Volume, TfliteError> {
        let (name, sizes) = (it.name, &it.task.sizes);
        let at = match it.task.kind {
            Kind::Conv | Kind::Dense | Kind::Tiles | Kind::Rows => {
                let at = self.with_filters(it, x)?;
                let Some(pool) = &it.task.pool else {
                    return Ok(self.written(it, at));
                };
                let volume = self.written(it, at);
                let at = self.max_pool(&format!("{name}.pool"), pool, volume);
                return Ok(Volume { at, size: pool.y });
            }
            Kind::Depthwise | Kind::Scale => self.with_filters(it, x)?,
            Kind::MaxPool => self.max_pool(name, sizes, x),
            Kind::AvgPool => self.averages(name, sizes, x),
            Kind::Mean => {
                let [height, width, _] = sizes.x;
                it.multiplies_by(&[it.steps().of_mean(height * width)])?;
                self.reduced(model::MEAN, name, x, sizes.y)
            }
            Kind::Rescale => self.clamped(it, x)?,
            Kind::Table => self.table(it, x),
            Kind::Softmax => {
                let Softmax { by, least } = Softmax::new(it.x.scale);
                it.holds(*it.channels == [Channel { bias: least, by }])?;
                let beta = vec![(0, Value::Float(1.0))];
                self.alike(model::SOFTMAX, name, vec![x.at], beta)
            }
            Kind::Add => {
                it.multiplies_by(&Add::new(it.x.scale, it.other.scale, it.y.scale).by)?;
                self.of_two(model::ADD, name.into(), x, other, sizes.y).at
            }
            Kind::Product => {
                it.multiplies_by(&[Product::new(it.x.scale, it.other.scale, it.y.scale).by])?;
                self.of_two(model::MUL, name.into(), other, x, sizes.y).at
            }
            Kind::Move => self.moved(name, it.node, x),
            Kind::Copy => return Ok(x),
        };
        Ok(self.written(it, at))
    }

    /// What a task writes, by the last operator, which clamps it if it can.
    fn written(&mut self, it: &Layer<'_>, at: usize) -> Volume {
        match (it.task.kind, it.clamp) {
            (_, Clamp::None) | (Kind::MaxPool | Kind::AvgPool, _) => {}
            (_, Clamp::Relu) => self.model.activate(model::FUSED_RELU),
            (_, Clamp::Relu6) => self.model.activate(model::FUSED_RELU6),
        }
        self.stands_for(at, &it.y);
        let size = it.task.sizes.y;
        Volume { at, size }
    }

    fn stands_for(&mut self, at: usize, is: &Quantization) {
        let tensor = &mut self.model.tensors[at];
        tensor.element = Element::I8;
        tensor.steps = Some(Steps {
            scales: vec![is.scale],
            zero: is.zero,
            axis: 0,
        });
    }

    /// A `conv`, an `fc`, a `depthwise`, or a `batch_norm` as one of 1x1.
    fn with_filters(&mut self, it: &Layer<'_>, x: Volume) -> Result<usize, TfliteError> {
        let (name, sizes) = (it.name, &it.task.sizes);
        let ([height, width], k) = (sizes.filter, sizes.y[2]);
        let is_fc = matches!(it.node.op, Op::Fc { .. });
        let one = it.one_scale().filter(|_| is_fc);
        let scales = match one {
            Some(scale) => vec![scale],
            None => it.scales()?,
        };
        let bytes: Vec<i8> = it.task.bytes_among(self.of.filters).collect();
        // A scale that stands alone is one for all, which is multiplied by in another way: a `CONV_2D` does not.
        let is_matrix = is_fc && (one.is_some() || k > 1);
        let (kind, shape, axis) = if let Kind::Depthwise | Kind::Scale = it.task.kind {
            let shape = vec![1, height, width, k];
            (model::DEPTHWISE_CONV_2D, shape, 3)
        } else if is_matrix {
            (model::FULLY_CONNECTED, vec![k, bytes.len() / k.max(1)], 0)
        } else {
            let depth = sizes.x[2] / sizes.groups.max(1);
            (model::CONV_2D, vec![k, height, width, depth], 0)
        };
        let zero = 0;
        let bias = Steps {
            scales: scales.iter().map(|scale| it.x.scale * scale).collect(),
            zero,
            axis: 0,
        };
        let filters = Steps { scales, zero, axis };
        let biases = it.channels.iter().map(|channel| channel.bias).collect();
        let mut constant = |field: &str, shape, data, steps| {
            let at = self.model.tensor(format!("{name}.{field}"), shape, data);
            self.model.tensors[at].steps = Some(steps);
            at
        };
        let filters = constant("filters", shape, Data::Bytes(bytes), filters);
        let bias = constant("bias", vec![k], Data::Ints(biases), bias);
        let inputs = vec![x.at, filters, bias];
        Ok(match is_matrix {
            true => self
                .model
                .push(kind, name.into(), inputs, vec![1, k], Table::new()),
            false => self.slid(kind, name, sizes, x, inputs),
        })
    }

    /// What a task reads in the steps of what it writes: a way of a `concat`, in those of the whole.
    fn in_steps(&mut self, name: &str, it: &Layer<'_>, x: Volume) -> Result<Volume, TfliteError> {
        it.multiplies_by(&[it.steps()])?;
        if (it.x.scale, it.x.zero) == (it.y.scale, it.y.zero) {
            return Ok(x);
        }
        let at = self.alike(model::QUANTIZE, name, vec![x.at], Table::new());
        self.stands_for(at, &it.y);
        Ok(Volume { at, ..x })
    }

    /// A clamp that follows what cannot clamp, in the steps of what it writes: TensorFlow Lite Micro's `RELU6` has no
    /// others, and LiteRT's divides the scales of others in `f32`.
    fn clamped(&mut self, it: &Layer<'_>, x: Volume) -> Result<usize, TfliteError> {
        let steps = format!("{}.steps", it.name);
        let at = self.in_steps(&steps, it, x)?.at;
        let kind = match it.clamp {
            Clamp::Relu6 => model::RELU6,
            Clamp::None | Clamp::Relu => model::RELU,
        };
        Ok(self.alike(kind, it.name, vec![at], Table::new()))
    }

    /// Where an operator has the very table, that one; else the table is looked up.
    fn table(&mut self, it: &Layer<'_>, x: Volume) -> usize {
        let (from, to) = (&it.x, &it.y);
        let own: Vec<i8> = it.task.bytes_among(self.of.filters).collect();
        let mut options = Table::new();
        let known = if let Op::HardSwish = it.node.op {
            Some((model::HARD_SWISH, hard_swish(from, to)))
        } else if let Op::LeakyRelu { slope } = it.node.op {
            options.push((0, Value::Float(slope as f32)));
            Some((model::LEAKY_RELU, leaky_relu(from, to, slope as f32)))
        } else if let Op::Sigmoid = it.node.op {
            let sigmoid = |v: f32| 1.0 / (1.0 + (-v).exp());
            Some((model::LOGISTIC, tabulate(from, to, sigmoid)))
        } else if let Op::Tanh = it.node.op {
            Some((model::TANH, tabulate(from, to, f32::tanh)))
        } else {
            None
        };
        match known.filter(|(_, table)| own == table) {
            Some((kind, _)) => self.alike(kind, it.name, vec![x.at], options),
            None => self.looked_up(it, x, &own),
        }
    }

    /// From a table by the bits of a byte: the byte is a number from 0 to 255, and that one of the table.
    fn looked_up(&mut self, it: &Layer<'_>, x: Volume, table: &[i8]) -> usize {
        let step = |step: &str| format!("{}.{step}", it.name);
        let types = [Element::I8, Element::I32].map(|it| Value::Int(it as i32));
        let types = types.into_iter().enumerate().collect();
        let wide = self.alike(model::CAST, &step("wide"), vec![x.at], types);
        let tensor = &mut self.model.tensors[wide];
        (tensor.element, tensor.steps) = (Element::I32, None);
        let least = self.ints(step("least"), &[128]);
        let inputs = vec![wide, least];
        let places = self.alike(model::ADD, &step("places"), inputs, Table::new());
        let [above, below] = [0, 128].map(|from| table.iter().skip(from).take(128));
        let bytes: Vec<i8> = below.chain(above).copied().collect();
        let table = self
            .model
            .tensor(step("table"), vec![bytes.len()], Data::Bytes(bytes));
        self.stands_for(table, &it.y);
        let shape = self.model.tensors[x.at].shape.clone();
        let axis = vec![(0, Value::Int(0))];
        let inputs = vec![table, places];
        self.model
            .push(model::GATHER, it.name.into(), inputs, shape, axis)
    }

    /// An `avg_pool`. With padding that is not `SAME`, and with gaps, windows that see as many pixels are a pool each
    /// of these pixels.
    fn averages(&mut self, name: &str, window: &Sizes, x: Volume) -> usize {
        let (kind, deep) = (model::AVERAGE_POOL_2D, self.deep(x));
        let (pads, same) = pads(window);
        let is_whole = pads == [[0; 2]; 3];
        if window.dilation == [1; 2] && (same || is_whole) {
            return self.pool(kind, name, window, !is_whole, deep);
        }
        let [down, across] = [0, 1].map(|axis| runs(window, axis));
        let mut rows = Vec::new();
        for (top, row) in down.iter().enumerate() {
            let band = format!("{name}.rows{top}");
            let read = self.seen(&band, deep, 0, row.pixels(window, 0));
            let mut parts = Vec::new();
            for (left, column) in across.iter().enumerate() {
                let part = format!("{band}.columns{left}");
                let read = self.seen(&part, read, 1, column.pixels(window, 1));
                let window = Sizes {
                    filter: [row.taps, column.taps],
                    y: [row.outputs, column.outputs, window.y[2]],
                    ..*window
                };
                parts.push(self.pool(kind, &format!("{part}.means"), &window, false, read));
            }
            rows.push(self.joined(&format!("{band}.means"), parts, 2));
        }
        self.joined(name, rows, 1)
    }

    /// The rows or columns that windows see, of all if they see all.
    fn seen(&mut self, name: &str, x: usize, axis: usize, pixels: [usize; 3]) -> usize {
        match pixels == [0, self.model.tensors[x].shape[1 + axis], 1] {
            true => x,
            false => self.every(name, x, axis, pixels),
        }
    }

    /// Side by side along an axis.
    fn joined(&mut self, name: &str, parts: Vec<usize>, axis: usize) -> usize {
        if let [one] = parts[..] {
            return one;
        }
        let mut shape = self.model.tensors[parts[0]].shape.clone();
        let sizes = parts.iter().map(|&it| self.model.tensors[it].shape[axis]);
        shape[axis] = sizes.sum();
        let axis = vec![(0, Value::Int(axis as i32))];
        self.model
            .push(model::CONCATENATION, name.into(), parts, shape, axis)
    }
}

/// Outputs side by side that see as many pixels, the first of them from there on.
struct Run {
    first: usize,
    taps: usize,
    outputs: usize,
}

impl Run {
    /// From where to where it reads, and which pixels.
    fn pixels(&self, window: &Sizes, axis: usize) -> [usize; 3] {
        let step = window.dilation[axis];
        let reach = (self.outputs - 1) * window.stride[axis] + (self.taps - 1) * step + 1;
        [self.first, self.first + reach, step]
    }
}

fn runs(window: &Sizes, axis: usize) -> Vec<Run> {
    let mut all: Vec<Run> = Vec::new();
    for output in 0..window.y[axis] {
        let mut pixels = met(window, axis, output);
        let Some(first) = pixels.next() else { continue };
        let taps = 1 + pixels.count();
        match all.last_mut() {
            Some(run)
                if window.dilation[axis] == 1
                    && run.taps == taps
                    && run.first + run.outputs * window.stride[axis] == first =>
            {
                run.outputs += 1;
            }
            _ => all.push(Run {
                first,
                taps,
                outputs: 1,
            }),
        }
    }
    all
}
