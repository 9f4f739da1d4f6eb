//! A network's graph, op by op, as the operators of a model.
//!
//! **Invariant:** whatever is 1x1xK and comes from an `fc` is `[1, K]` there, everything else `[1, height, width,
//! depth]`; an op that wants four axes gets them by a `RESHAPE` in front.

// A new layer is looked at here, too.
#![deny(clippy::wildcard_enum_match_arm)]

mod int8;
mod layers;
mod norms;
mod windows;

pub(crate) use int8::{Twin, model as model_of_int8};

use std::collections::HashMap;

use convnet_core::graph::{Node, Op};

use crate::TfliteError;
use crate::flatbuffer::{Table, Value};
use crate::model::{self, Data, Kind, Model};

/// The model of a graph that reads `[height, width, depth]`.
pub(crate) fn model(
    graph: &[Node<'_>],
    size: [usize; 3],
    tensor: impl Fn(&str) -> Option<Tensor>,
) -> Result<Model, TfliteError> {
    let (mut export, image) = Export::new(tensor, graph, size)?;
    let scores = export.ops(graph, "", image);
    if let Some(name) = export.missing {
        return Err(TfliteError::Missing(name));
    }
    if !export.by_hand.is_empty() {
        return Err(TfliteError::ByHand(export.by_hand));
    }
    let several = std::mem::take(&mut export.outputs);
    if let Some((inside, _)) = several.iter().find(|(name, _)| name.contains('.')) {
        return Err(TfliteError::Outputs(inside.clone()));
    }
    if several.is_empty() {
        export.scores(scores);
    }
    for (name, output) in several {
        export.output(name, output);
    }
    let mut model = export.model;
    model.fuse();
    Ok(model)
}

/// A volume, and which tensor of the model it is.
#[derive(Clone, Copy, Debug)]
struct Volume {
    at: usize,
    /// Height, width, depth.
    size: [usize; 3],
}

/// The axes of a tensor, and its values, as this crate orders them.
pub(crate) type Tensor = (Vec<usize>, Vec<f32>);

/// What the ways of a `concat` wrote so far, by the volume that they have become.
type Ways = HashMap<usize, Vec<Volume>>;

/// A model that grows, of what has its numbers: of a function that gives a tensor by its name, or of a [`Twin`].
struct Export<F> {
    of: F,
    model: Model,
    /// The first tensor that is not there, or not of the axes that its layer has.
    missing: Option<String>,
    by_hand: Vec<String>,
    /// Each of several outputs, by its name.
    outputs: Vec<(String, Volume)>,
}

impl<F: Fn(&str) -> Option<Tensor>> Export<F> {
    /// The ops of a network, or of one inside it, whose names lie behind `path`; what the last one writes.
    fn ops(&mut self, graph: &[Node<'_>], path: &str, input: Volume) -> Volume {
        let (mut volumes, mut ways) = (vec![input], Ways::new());
        let mut last = input;
        for (index, it) in graph.iter().enumerate() {
            let (first, second) = it.op.reads(index);
            let x = volumes[first];
            let name = format!("{path}{}", it.name);
            let other = second.map_or(x, |second| volumes[second]);
            last = match it.op {
                Op::Dropout { .. } | Op::Flatten | Op::Branch { .. } => x,
                Op::Network { what } => self.ops(what.graph, &format!("{name}."), x),
                Op::Add { .. } => self.of_two(model::ADD, name, x, other, it.volume),
                Op::Scale { with } => self.of_two(model::MUL, name, volumes[with], x, it.volume),
                Op::Concat { .. } => self.way(&mut ways, name, index, it, x),
                Op::Outputs { .. } => {
                    self.outputs.push((name, x));
                    x
                }
                Op::Own { .. } => {
                    self.by_hand.push(name);
                    Volume {
                        size: it.volume,
                        ..x
                    }
                }
                Op::Conv { .. }
                | Op::Depthwise { .. }
                | Op::ConvTranspose { .. }
                | Op::BatchNorm { .. }
                | Op::Lrn { .. }
                | Op::Relu
                | Op::Relu6
                | Op::LeakyRelu { .. }
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
                | Op::MaxPool { .. }
                | Op::AvgPool { .. }
                | Op::GlobalAvgPool
                | Op::GlobalMaxPool
                | Op::Upsample { .. }
                | Op::UpsampleBilinear { .. }
                | Op::UpsampleAligned { .. }
                | Op::Pad { .. }
                | Op::Crop { .. }
                | Op::PadDepth { .. }
                | Op::Slices { .. }
                | Op::DepthToSpace { .. }
                | Op::SpaceToDepth { .. }
                | Op::GroupNorm { .. }
                | Op::LayerNorm { .. }
                | Op::LayerNormVolume { .. }
                | Op::LogSoftmax
                | Op::ChannelShuffle { .. }
                | Op::Prelu
                | Op::Affine
                | Op::Normalize { .. }
                | Op::Fc { .. }
                | Op::Softmax => Volume {
                    at: self.layer(&name, it, x),
                    size: it.volume,
                },
            };
            volumes.push(last);
        }
        last
    }

    /// The values of a tensor that has this number of axes, and these.
    fn values<const N: usize>(&mut self, name: &str) -> ([usize; N], Vec<f32>) {
        let found = (self.of)(name).and_then(|(axes, values)| {
            let axes = <[usize; N]>::try_from(axes).ok()?;
            (axes.iter().product::<usize>() == values.len()).then_some((axes, values))
        });
        found.unwrap_or_else(|| {
            self.missing.get_or_insert_with(|| name.to_owned());
            ([0; N], Vec::new())
        })
    }

    /// A tensor of the network as it is.
    fn own<const N: usize>(&mut self, layer: &str, field: &str) -> usize {
        let name = format!("{layer}.{field}");
        let (axes, values) = self.values::<N>(&name);
        self.floats(name, axes.into(), values)
    }
}

impl<F> Export<F> {
    /// With the image alone, of a graph that reads `[height, width, depth]`.
    fn new(of: F, graph: &[Node<'_>], size: [usize; 3]) -> Result<(Self, Volume), TfliteError> {
        if graph.is_empty() {
            return Err(TfliteError::NoGraph);
        }
        let mut export = Self {
            of,
            model: Model::default(),
            missing: None,
            by_hand: Vec::new(),
            outputs: Vec::new(),
        };
        let mut name = String::from("image");
        while graph.iter().any(|node| node.name == name) {
            name.push('_');
        }
        let at = export.model.tensor(name, shape(size), Data::Computed);
        Ok((export, Volume { at, size }))
    }

    /// The only output, under the name that it has.
    fn scores(&mut self, it: Volume) {
        let name = match it.at {
            0 => "scores".to_owned(),
            at => self.model.tensors[at].name.clone(),
        };
        self.output(name, it);
    }

    /// What a way of a `concat`, layer `index`, has become: the whole, if it is the last one.
    fn way(
        &mut self,
        ways: &mut Ways,
        name: String,
        index: usize,
        it: &Node<'_>,
        x: Volume,
    ) -> Volume {
        let Op::Concat { onto, last, .. } = it.op else {
            return x;
        };
        let mut slices = onto.and_then(|onto| ways.remove(&onto)).unwrap_or_default();
        slices.push(x);
        match last {
            true => self.concat(name, slices, it.volume),
            false => {
                ways.insert(index + 1, slices);
                x
            }
        }
    }

    /// A sum or a product; of tensors with as many axes.
    fn of_two(
        &mut self,
        kind: Kind,
        name: String,
        a: Volume,
        b: Volume,
        size: [usize; 3],
    ) -> Volume {
        let mut inputs = vec![a.at, b.at];
        if self.is_flat(a) != self.is_flat(b) {
            inputs = vec![self.deep(a), self.deep(b)];
        }
        let shape = self.model.tensors[inputs[0]].shape.clone();
        let at = self.model.push(kind, name, inputs, shape, Table::new());
        Volume { at, size }
    }

    fn concat(&mut self, name: String, slices: Vec<Volume>, size: [usize; 3]) -> Volume {
        let flat = slices.iter().all(|slice| self.is_flat(*slice));
        let inputs = slices.into_iter().map(|slice| match flat {
            true => slice.at,
            false => self.deep(slice),
        });
        let inputs = inputs.collect();
        let shape = match flat {
            true => vec![1, size[2]],
            false => shape(size),
        };
        let axis = vec![(0, Value::Int(shape.len() as i32 - 1))];
        let kind = model::CONCATENATION;
        let at = self.model.push(kind, name, inputs, shape, axis);
        Volume { at, size }
    }

    /// An output of the model, of a name: a vector, if it is one.
    fn output(&mut self, name: String, it: Volume) {
        let is_vector = matches!(it.size, [1, 1, _]) && !self.is_flat(it);
        let has_name = it.at == 0 || self.model.outputs.contains(&it.at);
        let at = match is_vector || has_name {
            false => it.at,
            true => {
                let shape = match it.size {
                    [1, 1, classes] => vec![1, classes],
                    size => shape(size),
                };
                if !has_name {
                    self.model.tensors[it.at].name.push_str(".deep");
                }
                self.reshape(name.clone(), it.at, shape)
            }
        };
        self.model.tensors[at].name = name;
        self.model.outputs.push(at);
    }

    fn is_flat(&self, it: Volume) -> bool {
        self.model.tensors[it.at].shape.len() == 2
    }

    /// The volume with four axes.
    fn deep(&mut self, it: Volume) -> usize {
        match self.is_flat(it) {
            false => it.at,
            true => {
                let name = format!("{}.deep", self.model.tensors[it.at].name);
                self.reshape(name, it.at, shape(it.size))
            }
        }
    }

    fn reshape(&mut self, name: String, x: usize, shape: Vec<usize>) -> usize {
        let sizes: Vec<i32> = shape.iter().map(|&size| size as i32).collect();
        let sizes = self.ints(format!("{name}.shape"), &sizes);
        let inputs = vec![x, sizes];
        self.model
            .push(model::RESHAPE, name, inputs, shape, Table::new())
    }

    /// An operator that writes what is as large as the first that it reads.
    fn alike(&mut self, kind: Kind, name: &str, inputs: Vec<usize>, options: Table) -> usize {
        let shape = self.model.tensors[inputs[0]].shape.clone();
        self.model.push(kind, name.into(), inputs, shape, options)
    }

    /// A constant.
    fn ints(&mut self, name: String, values: &[i32]) -> usize {
        self.model
            .tensor(name, vec![values.len()], Data::Ints(values.into()))
    }

    fn floats(&mut self, name: String, shape: Vec<usize>, values: Vec<f32>) -> usize {
        self.model.tensor(name, shape, Data::Floats(values))
    }

    /// One number.
    fn number(&mut self, name: String, value: f64) -> usize {
        self.floats(name, Vec::new(), vec![value as f32])
    }
}

/// Of one image.
fn shape([height, width, depth]: [usize; 3]) -> Vec<usize> {
    vec![1, height, width, depth]
}
