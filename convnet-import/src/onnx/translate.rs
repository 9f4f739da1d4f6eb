//! What each node of an ONNX graph becomes: a layer, a constant, another way to see a volume, or a refusal.
//!
//! ```text
//!  [1, D, H, W] ──Conv──▶ [1, K, H′, W′] ──Flatten──▶ [1, K·H′·W′] ──Gemm──▶ [1, K]
//!                                             │
//!                     the volume stays as it is; the order of its axes is kept until weights meet it
//! ```

mod arithmetic;
mod by_hand;
mod concat;
mod filters;
mod names;
mod norms;
mod pools;
mod views;
mod window;

use std::collections::{HashMap, HashSet};

use convnet_core::graph::{Op, OpError};
use convnet_core::shape::{Padding, Window};

use super::Input;
use super::attributes::Attributes;
use super::fold::{MOST, fold};
use crate::array::{self, Array};
use crate::network::{Network, Step, Tensor, What};
use crate::{ImportError, Refusal};
use convnet_onnx::proto::Node;
use names::{called, layer_name, shortest, unknown};
use window::{fitted, window};

/// An axis of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Batch,
    Height,
    Width,
    Depth,
}

/// As ONNX has it.
const DEPTH_FIRST: [Axis; 4] = [Axis::Batch, Axis::Depth, Axis::Height, Axis::Width];
/// As the declaration has it.
const LAST: [Axis; 3] = [Axis::Height, Axis::Width, Axis::Depth];
/// As TensorFlow has it.
const DEPTH_LAST: [Axis; 4] = [Axis::Batch, Axis::Height, Axis::Width, Axis::Depth];

/// What a name stands for.
#[derive(Clone, Debug)]
enum Value {
    Constant(Array),
    Activation(Activation),
    /// What a node writes that was refused: nothing more is said of those that read it.
    Refused,
}

/// A volume, and how the model sees it.
#[derive(Clone, Debug, PartialEq)]
struct Activation {
    volume: usize,
    axes: Axes,
    /// Zeros that a `Pad` has put around it: top, bottom, left, right.
    pad: [usize; 4],
}

#[derive(Clone, Debug, PartialEq)]
enum Axes {
    Four([Axis; 4]),
    /// Batch, and all others as one, the last of these fastest.
    Flat([Axis; 3]),
    /// Batch, and all others as two: how many rows, and how long each is.
    Rows([Axis; 3], [usize; 2]),
}

struct Translator<'a> {
    values: HashMap<&'a str, Value>,
    /// How many are still to read it.
    uses: HashMap<&'a str, usize>,
    /// What the model gives, by every name that it has on its way out.
    given: HashSet<&'a str>,
    /// How large volumes are of which the file says it.
    sizes: HashMap<&'a str, Vec<usize>>,
    /// The layers that are written by hand, by the node or the operator for which they stand.
    custom: HashMap<&'a str, &'static str>,
    input: [usize; 3],
    steps: Vec<Step>,
    /// For each volume the last one, but itself, that every way to it passes; as far as somebody asked.
    dominators: Vec<usize>,
    joined: concat::Joined,
    refusals: Vec<Refusal>,
    opset: i64,
    /// How many values constants may still have that are made of others.
    most: usize,
    /// The lines of a declaration whose names nodes have, each its own.
    declared: Option<HashSet<&'a str>>,
}

/// What a node writes, or why there is no layer for it.
type Translated = Result<Value, String>;

/// A model whose nodes are ONNX's.
pub(crate) struct Source<'a> {
    /// Each behind those that it reads.
    pub(crate) nodes: &'a [&'a Node],
    pub(crate) constants: HashMap<&'a str, Array>,
    /// How large volumes are of which the file says it.
    pub(crate) sizes: HashMap<&'a str, Vec<usize>>,
    pub(crate) input: Input,
    pub(crate) outputs: &'a [&'a str],
    pub(crate) opset: i64,
    /// The names of a declaration's lines, if nodes have them.
    pub(crate) declared: Option<HashSet<&'a str>>,
    /// Nodes and operators, and the layers that are written by hand for them.
    pub(crate) custom: &'a [(String, String)],
}

pub(crate) fn network(source: Source<'_>) -> Result<Network, ImportError> {
    let Source {
        nodes,
        constants,
        sizes,
        input,
        outputs,
        opset,
        declared,
        custom,
    } = source;
    let read = nodes.iter().flat_map(|node| &node.input);
    let mut uses: HashMap<&str, usize> = HashMap::new();
    for name in read.map(String::as_str).chain(outputs.iter().copied()) {
        *uses.entry(name).or_default() += 1;
    }
    let mut given: HashSet<&str> = outputs.iter().copied().collect();
    for node in nodes.iter().rev().filter(|it| it.op_type == "Identity") {
        if let ([x], [y]) = (node.input.as_slice(), node.output.as_slice())
            && given.contains(y.as_str())
        {
            given.insert(x);
        }
    }
    let (shape, axes) = image(&input)?;
    sized(shape).map_err(|_| ImportError::Ends(format!("`{}` is too large", input.name)))?;
    let mut values: HashMap<&str, Value> = HashMap::new();
    for (name, array) in constants {
        values.insert(name, Value::Constant(array));
    }
    let image = Activation {
        volume: 0,
        axes,
        pad: [0; 4],
    };
    values.insert(&input.name, Value::Activation(image));
    let mut translator = Translator {
        values,
        uses,
        given,
        sizes,
        custom: by_hand::known(custom, nodes)?,
        input: shape,
        steps: Vec::new(),
        dominators: vec![0],
        joined: concat::Joined::default(),
        refusals: Vec::new(),
        opset,
        most: MOST,
        declared,
    };
    for node in nodes {
        translator.node(node);
    }
    if !translator.refusals.is_empty() {
        return Err(ImportError::Refused(translator.refusals));
    }
    let written = outputs
        .iter()
        .map(|name| match translator.values.get(name) {
            Some(Value::Activation(it)) if matches!(it.axes, Axes::Rows(order, _) if order != LAST) => {
                Err(ImportError::Ends(format!(
                    "`{name}` has its numbers in the order of {:?}: a `Transpose` in front would give depth columns",
                    translator.dims(it)
                )))
            }
            Some(Value::Activation(it)) if it.pad == [0; 4] && it.volume > 0 => Ok(it.volume),
            _ => Err(ImportError::Ends(format!(
                "`{name}` is not what a layer writes"
            ))),
        });
    let written = written.collect::<Result<Vec<_>, _>>()?;
    let volumes = translator
        .values
        .iter()
        .filter_map(|(name, value)| match value {
            Value::Activation(it) => Some(((*name).to_owned(), it.volume)),
            Value::Constant(_) | Value::Refused => None,
        });
    let mut network = Network {
        input: shape,
        output: 0,
        declared: None,
        volumes: volumes.collect(),
        int8: None,
        steps: translator.steps,
    };
    network.output = match written.as_slice() {
        &[only] => only,
        several => {
            let numbers = several
                .iter()
                .map(|&v| network.volume(v).iter().product::<usize>());
            let volume = sized([1, 1, numbers.sum()]).map_err(ImportError::Ends)?;
            network.steps.push(Step {
                name: None,
                what: What::Outputs(outputs.iter().map(|&name| name.to_owned()).collect()),
                reads: several.to_vec(),
                volume,
                tensors: Vec::new(),
            });
            network.steps.len()
        }
    };
    Ok(network)
}

/// Height, width and depth of the image, and how the model sees it.
fn image(input: &Input) -> Result<([usize; 3], Axes), ImportError> {
    match input.dims.as_slice() {
        &[_, height, width, depth] if input.depth_last => {
            Ok(([height, width, depth], Axes::Four(DEPTH_LAST)))
        }
        &[_, depth, height, width] => Ok(([height, width, depth], Axes::Four(DEPTH_FIRST))),
        &[_, n] => Ok(([1, 1, n], Axes::Flat(LAST))),
        dims => Err(ImportError::Ends(format!(
            "`{}` has {} axes",
            input.name,
            dims.len()
        ))),
    }
}

/// Whether its operator is one of ONNX's own.
fn is_onnx(node: &Node) -> bool {
    node.domain.is_empty() || node.domain == "ai.onnx"
}

/// A volume that is no larger than one can be: that has no more values than the constants may have.
fn sized(volume: [usize; 3]) -> Result<[usize; 3], String> {
    let [height, width, depth] = volume;
    match array::volume(&volume) {
        Some(values) if values <= MOST => Ok(volume),
        _ => Err(format!(
            "it writes {width}x{height}x{depth}, which is too large"
        )),
    }
}

impl<'a> Translator<'a> {
    fn node(&mut self, node: &'a Node) {
        let inputs = node.input.iter().map(|name| self.values.get(name.as_str()));
        let inputs: Vec<Option<&Value>> = inputs.collect();
        // What reads a refused node is looked at for its own operator only.
        let lost = inputs.iter().any(|it| matches!(it, Some(Value::Refused)));
        let first = self.steps.len();
        let translated = match node.op_type.as_str() {
            "Split" if is_onnx(node) => self.split(node),
            _ => self.translate(node).map(|value| vec![value]),
        };
        let translated = translated.and_then(|values| self.writable(first).map(|()| values));
        // Of several nodes that are one layer, the last one has its name.
        if self.declared.is_some()
            && !matches!(
                node.op_type.as_str(),
                "Flatten" | "Reshape" | "Identity" | "Transpose"
            )
            && let Ok([Value::Activation(it)]) = translated.as_deref()
            && let Some(step) = it.volume.checked_sub(1)
            // What does nothing wrote none.
            && (step >= first || self.is_part(step, node))
        {
            self.steps[step].name = Some(node.name.clone());
        }
        let mut refuse = |why| {
            self.refusals.push(Refusal {
                node: called(node).to_owned(),
                operator: node.op_type.clone(),
                why,
            });
        };
        let values = translated.unwrap_or_else(|why| {
            if !lost || why == unknown(node) {
                refuse(why);
            }
            vec![Value::Refused; node.output.len()]
        });
        for name in &node.input {
            self.uses.entry(name).and_modify(|uses| *uses -= 1);
        }
        for output in node.output.iter().skip(values.len()) {
            if !output.is_empty() && self.uses.contains_key(output.as_str()) {
                refuse(format!("its second output, `{output}`, is read"));
            }
        }
        let rest = std::iter::repeat(Value::Refused);
        for (output, value) in node.output.iter().zip(values.into_iter().chain(rest)) {
            if !output.is_empty() {
                self.values.insert(output, value);
            }
        }
    }

    fn translate(&mut self, node: &'a Node) -> Translated {
        let by_hand = [&node.name, &node.op_type].map(|it| self.custom.get(it.as_str()));
        if let Some(layer) = by_hand[0].or(by_hand[1]) {
            return self.by_hand(node, layer);
        }
        if !is_onnx(node) {
            return Err(format!(
                "it is of the domain `{}`, which is not ONNX's",
                node.domain
            ));
        }
        // One of another format that has such a layer, but not so.
        if node.attribute.iter().any(|it| it.name == "why") {
            return Err(unknown(node));
        }
        if node.op_type == "Constant" {
            return views::constant(node);
        }
        let constants: Vec<Option<&Array>> =
            node.input.iter().map(|name| self.array(name)).collect();
        let given = node.input.iter().filter(|name| !name.is_empty()).count();
        if given > 0
            && constants.iter().flatten().count() == given
            && let Some(folded) = fold(node, &constants, self.most)
        {
            let folded = folded?;
            self.most = self.most.saturating_sub(folded.len());
            return Ok(Value::Constant(folded));
        }
        match node.op_type.as_str() {
            "Conv" => self.conv(node),
            "ConvTranspose" => self.conv_transpose(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.mat_mul(node),
            "BatchNormalization" => self.batch_norm(node),
            "GroupNormalization" => self.group_norm(node),
            "InstanceNormalization" => self.instance_norm(node),
            "LayerNormalization" => self.layer_norm(node),
            "LRN" => self.lrn(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" => self.global(node, Op::GlobalAvgPool),
            "GlobalMaxPool" => self.global(node, Op::GlobalMaxPool),
            "ReduceMean" => self.reduce(node, Op::GlobalAvgPool),
            "ReduceMax" => self.reduce(node, Op::GlobalMaxPool),
            "Resize" | "Upsample" => self.resize(node),
            // Of several nodes.
            "ChannelShuffle" => self.channel_shuffle(node),
            "DepthToSpace" => self.depth_to_space(node),
            "SpaceToDepth" => self.space_to_depth(node),
            "PRelu" => self.prelu(node),
            "Slice" => self.slice(node),
            "Relu" => self.plain(node, &[], Op::Relu),
            "Sigmoid" => self.plain(node, &[], Op::Sigmoid),
            "Tanh" => self.plain(node, &[], Op::Tanh),
            "HardSwish" => self.plain(node, &[], Op::HardSwish),
            "LeakyRelu" => self.leaky_relu(node),
            "Elu" => {
                let alpha = Attributes::of(node, &["alpha"])?.float("alpha", 1.0);
                let alpha = shortest(alpha);
                self.plain(node, &["alpha"], Op::Elu { alpha })
            }
            "Gelu" => self.gelu(node),
            "Softplus" => self.plain(node, &[], Op::Softplus),
            "HardSigmoid" => self.hard_sigmoid(node),
            "Clip" => self.clip(node),
            "Softmax" => self.softmax(node, Op::Softmax),
            "LogSoftmax" => self.softmax(node, Op::LogSoftmax),
            "Add" | "Sum" => self.add(node),
            "Sub" => self.turned(node, |by| -by, Self::add),
            "Mul" => self.mul(node),
            "Div" => self.div(node),
            "Concat" => self.concat(node),
            "Dropout" | "Identity" | "Cast" => self.alias(node),
            "Flatten" => self.flatten(node),
            "Reshape" => self.reshape(node),
            "Squeeze" => self.squeeze(node),
            "Unsqueeze" => self.unsqueeze(node),
            "Transpose" => self.transpose(node),
            "Pad" => self.pad(node),
            "Shape" => self.shape(node),
            // Of constants it was computed already.
            "Gather" | "ConstantOfShape" => Err("its input is computed, and no constant".into()),
            _ => Err(unknown(node)),
        }
    }

    /// A constant of that name.
    fn array(&self, name: &str) -> Option<&Array> {
        match self.values.get(name) {
            Some(Value::Constant(array)) => Some(array),
            _ => None,
        }
    }

    /// Whether what a node writes is given, and nobody else reads it.
    fn is_given(&self, node: &Node) -> bool {
        let given = |it: &&String| self.given.contains(it.as_str());
        let output = node.output.first().filter(given);
        output.is_some_and(|it| self.uses.get(it.as_str()) == Some(&1))
    }

    /// Input `at`, a constant of floats.
    fn weights(&self, node: &Node, at: usize, what: &str) -> Result<Option<Array>, String> {
        let Some(name) = node.input.get(at).filter(|name| !name.is_empty()) else {
            return Ok(None);
        };
        match self.array(name) {
            Some(array) if array.as_floats().is_some() => Ok(Some(array.clone())),
            Some(_) => Err(format!("its {what} is of integers")),
            None => Err(format!("its {what} is computed, and not a constant")),
        }
    }

    /// Input `at`, a volume, with whatever zeros are around it.
    fn padded(&self, node: &Node, at: usize) -> Result<Activation, String> {
        match node
            .input
            .get(at)
            .and_then(|name| self.values.get(name.as_str()))
        {
            Some(Value::Activation(it)) => Ok(it.clone()),
            Some(Value::Constant(_)) => {
                Err(format!("its input `{}` is a constant", node.input[at]))
            }
            Some(Value::Refused) | None => Err("its input is missing".into()),
        }
    }

    /// The same, which has none: they have become a layer.
    fn activation(&mut self, node: &'a Node, at: usize) -> Result<Activation, String> {
        let it = self.padded(node, at)?;
        if it.pad == [0; 4] {
            return Ok(it);
        }
        let padded = self.surrounded(&it)?;
        let value = Value::Activation(padded.clone());
        self.values.insert(&node.input[at], value);
        Ok(padded)
    }

    /// A volume with its zeros around it.
    fn surrounded(&mut self, x: &Activation) -> Result<Activation, String> {
        let [top, bottom, left, right] = x.pad;
        let [height, width, depth] = self.volume(x);
        let padding = Padding::Zeros {
            top,
            bottom,
            left,
            right,
        };
        let window = Window {
            padding,
            ..Window::square(1, 1, 0)
        };
        let volume = sized([top + height + bottom, left + width + right, depth])?;
        Ok(self.moves(Op::Pad { window }, x, volume))
    }

    /// A new layer without parameters, and how the model sees what it writes.
    fn moves(&mut self, op: Op, x: &Activation, volume: [usize; 3]) -> Activation {
        self.steps.push(Step {
            name: None,
            what: What::Layer(op),
            reads: vec![x.volume],
            volume,
            tensors: Vec::new(),
        });
        Activation {
            volume: self.steps.len(),
            axes: x.axes.clone(),
            pad: [0; 4],
        }
    }

    /// Input `at` in the order of ONNX.
    fn depth_first(&self, node: &Node, at: usize) -> Result<Activation, String> {
        let it = self.padded(node, at)?;
        match &it.axes {
            Axes::Four(axes) if *axes == DEPTH_FIRST => Ok(it),
            Axes::Four(axes) => Err(format!(
                "its input has the axes {axes:?}, and {DEPTH_FIRST:?} is wanted"
            )),
            Axes::Flat(_) => Err("its input is flat".into()),
            Axes::Rows(_, [rows, each]) => Err(format!("its input is {rows} rows of {each}")),
        }
    }

    /// Height, width, depth.
    fn volume(&self, at: &Activation) -> [usize; 3] {
        match at.volume.checked_sub(1) {
            None => self.input,
            Some(step) => self.steps[step].volume,
        }
    }

    /// How long axes of a volume are.
    fn lengths(&self, at: &Activation, axes: &[Axis]) -> Vec<usize> {
        let [height, width, depth] = self.volume(at);
        let length = |axis: &Axis| match axis {
            Axis::Batch => 1,
            Axis::Height => height,
            Axis::Width => width,
            Axis::Depth => depth,
        };
        axes.iter().map(length).collect()
    }

    /// How long the axes are that the model sees.
    fn dims(&self, at: &Activation) -> Vec<usize> {
        match &at.axes {
            Axes::Four(axes) => self.lengths(at, axes),
            Axes::Flat(axes) => vec![1, self.lengths(at, axes).iter().product()],
            &Axes::Rows(_, [rows, each]) => vec![1, rows, each],
        }
    }

    /// Whether it has three axes of which the last one is the depth.
    fn is_columns(&self, x: &Activation) -> bool {
        let [_, _, depth] = self.volume(x);
        matches!(x.axes, Axes::Rows([_, _, Axis::Depth], [_, each]) if each == depth)
    }

    /// A new layer, which reads `x`.
    fn push(
        &mut self,
        node: &Node,
        op: Op,
        x: &Activation,
        volume: [usize; 3],
        tensors: Vec<Tensor>,
    ) -> Value {
        let weights = node
            .input
            .iter()
            .skip(1)
            .find(|name| self.array(name).is_some());
        let name = weights
            .filter(|_| !tensors.is_empty())
            .and_then(|weights| layer_name(node, weights));
        self.steps.push(Step {
            name,
            what: What::Layer(op),
            reads: vec![x.volume],
            volume,
            tensors,
        });
        Value::Activation(Activation {
            volume: self.steps.len(),
            axes: x.axes.clone(),
            pad: [0; 4],
        })
    }

    /// Whether a declaration takes each line since step `first`: of what a model sets, the compiler would
    /// refuse an eps of 1.5, say.
    fn writable(&self, first: usize) -> Result<(), String> {
        let lines = self
            .steps
            .iter()
            .skip(first)
            .filter_map(|step| match &step.what {
                What::Layer(op) => Some(op),
                What::Add | What::Mul | What::Concat | What::Outputs(_) => None,
            });
        for op in lines {
            let line = op.to_string();
            match line.parse::<Op>() {
                // Which layers somebody wrote by hand, a text does not tell.
                Ok(_) | Err(OpError::Elsewhere) => {}
                Err(error) => return Err(format!("`{line}` is no line of a declaration: {error}")),
            }
        }
        Ok(())
    }

    /// A layer without parameters that keeps the shape.
    fn plain(&mut self, node: &'a Node, known: &[&str], op: Op) -> Translated {
        Attributes::of(node, known)?;
        let x = self.activation(node, 0)?;
        let volume = self.volume(&x);
        Ok(self.push(node, op, &x, volume, Vec::new()))
    }

    /// The step that wrote what `name` is, if nobody else reads that.
    fn own_step(&self, name: &str) -> Option<usize> {
        let Some(Value::Activation(it)) = self.values.get(name) else {
            return None;
        };
        let step = it.volume.checked_sub(1)?;
        let read = self
            .steps
            .iter()
            .any(|other| other.reads.contains(&it.volume));
        (self.to_come(it.volume) == 1 && !read).then_some(step)
    }

    /// How many are still to read a volume, by whatever name.
    fn to_come(&self, volume: usize) -> usize {
        let uses = self.values.iter().map(|(name, value)| match value {
            Value::Activation(it) if it.volume == volume => {
                self.uses.get(name).copied().unwrap_or(0)
            }
            _ => 0,
        });
        uses.sum()
    }
}
