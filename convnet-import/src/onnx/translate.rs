//! What each node of an ONNX graph becomes: a layer, a constant, another way to see a volume, or a refusal.
//!
//! ```text
//!  [1, D, H, W] ──Conv──▶ [1, K, H′, W′] ──Flatten──▶ [1, K·H′·W′] ──Gemm──▶ [1, K]
//!                                             │
//!                     the volume stays as it is; the order of its axes is kept until weights meet it
//! ```

mod arithmetic;
mod filters;
mod pools;
mod views;

use std::collections::HashMap;

use convnet_core::graph::Op;
use convnet_core::shape::{Fit, Misfit, Padding, Placed, Window};

use super::Input;
use super::attributes::Attributes;
use super::fold::fold;
use super::proto::Node;
use crate::array::Array;
use crate::network::{Network, Step, Tensor, What};
use crate::{ImportError, Refusal};

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
}

struct Translator<'a> {
    values: HashMap<&'a str, Value>,
    /// How many read it.
    uses: HashMap<&'a str, usize>,
    input: [usize; 3],
    steps: Vec<Step>,
    refusals: Vec<Refusal>,
    opset: i64,
}

/// What a node writes, or why there is no layer for it.
type Translated = Result<Value, String>;

pub(super) fn network(
    nodes: &[&Node],
    constants: HashMap<&str, Array>,
    input: Input,
    output: &str,
    opset: i64,
) -> Result<Network, ImportError> {
    let mut uses: HashMap<&str, usize> = HashMap::from([(output, 1)]);
    for name in nodes.iter().flat_map(|node| &node.input) {
        *uses.entry(name).or_default() += 1;
    }
    let (shape, axes) = image(&input, nodes)?;
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
        input: shape,
        steps: Vec::new(),
        refusals: Vec::new(),
        opset,
    };
    for node in nodes {
        translator.node(node);
    }
    if !translator.refusals.is_empty() {
        return Err(ImportError::Refused(translator.refusals));
    }
    match translator.values.get(output) {
        Some(Value::Activation(it)) if it.pad == [0; 4] && it.volume > 0 => Ok(Network {
            input: shape,
            output: it.volume,
            steps: translator.steps,
        }),
        _ => Err(ImportError::Ends(format!(
            "`{output}` is not what a layer writes"
        ))),
    }
}

/// Height, width and depth of the image, and how the model sees it.
fn image(input: &Input, nodes: &[&Node]) -> Result<([usize; 3], Axes), ImportError> {
    match input.dims.as_slice() {
        &[_, a, b, c] => {
            let last = nodes.iter().any(|node| {
                node.op_type == "Transpose"
                    && node.input.first() == Some(&input.name)
                    && Attributes::of(node, &["perm"])
                        .is_ok_and(|it| it.ints("perm") == Some(&[0, 3, 1, 2]))
            });
            Ok(match last {
                true => ([a, b, c], Axes::Four(DEPTH_LAST)),
                false => ([b, c, a], Axes::Four(DEPTH_FIRST)),
            })
        }
        &[_, n] => Ok((
            [1, 1, n],
            Axes::Flat([Axis::Height, Axis::Width, Axis::Depth]),
        )),
        dims => Err(ImportError::Ends(format!(
            "`{}` has {} axes",
            input.name,
            dims.len()
        ))),
    }
}

impl<'a> Translator<'a> {
    fn node(&mut self, node: &'a Node) {
        let inputs = node.input.iter().map(|name| self.values.get(name.as_str()));
        let inputs: Vec<Option<&Value>> = inputs.collect();
        // What reads a refused node is looked at for its own operator only.
        let lost = inputs.iter().any(|it| matches!(it, Some(Value::Refused)));
        let value = if lost {
            match is_known(&node.op_type) {
                true => Ok(Value::Refused),
                false => Err(unknown(&node.op_type)),
            }
        } else {
            self.translate(node)
        };
        let value = value.unwrap_or_else(|why| {
            self.refusals.push(Refusal {
                node: called(node).to_owned(),
                operator: node.op_type.clone(),
                why,
            });
            Value::Refused
        });
        if let Some(output) = node.output.first() {
            self.values.insert(output, value);
        }
        for output in node
            .output
            .iter()
            .skip(1)
            .filter(|output| !output.is_empty())
        {
            if self.uses.contains_key(output.as_str()) {
                self.refusals.push(Refusal {
                    node: called(node).to_owned(),
                    operator: node.op_type.clone(),
                    why: format!("its second output, `{output}`, is read"),
                });
            }
            self.values.insert(output, Value::Refused);
        }
    }

    fn translate(&mut self, node: &'a Node) -> Translated {
        if !node.domain.is_empty() && node.domain != "ai.onnx" {
            return Err(format!(
                "it is of the domain `{}`, which is not ONNX's",
                node.domain
            ));
        }
        if node.op_type == "Constant" {
            return views::constant(node);
        }
        let constants: Vec<Option<&Array>> =
            node.input.iter().map(|name| self.array(name)).collect();
        let given = node.input.iter().filter(|name| !name.is_empty()).count();
        if given > 0
            && constants.iter().flatten().count() == given
            && let Some(folded) = fold(node, &constants)
        {
            return folded.map(Value::Constant);
        }
        match node.op_type.as_str() {
            "Conv" => self.conv(node),
            "ConvTranspose" => self.conv_transpose(node),
            "Gemm" => self.gemm(node),
            "MatMul" => self.mat_mul(node),
            "BatchNormalization" => self.batch_norm(node),
            "LRN" => self.lrn(node),
            "MaxPool" | "AveragePool" => self.pool(node),
            "GlobalAveragePool" => self.global(node, Op::GlobalAvgPool),
            "GlobalMaxPool" => self.global(node, Op::GlobalMaxPool),
            "ReduceMean" => self.reduce(node, Op::GlobalAvgPool),
            "ReduceMax" => self.reduce(node, Op::GlobalMaxPool),
            "Relu" => self.plain(node, &[], Op::Relu),
            "Sigmoid" => self.plain(node, &[], Op::Sigmoid),
            "Tanh" => self.plain(node, &[], Op::Tanh),
            "HardSwish" => self.plain(node, &[], Op::HardSwish),
            "LeakyRelu" => {
                let slope = Attributes::of(node, &["alpha"])?.float("alpha", 0.01);
                self.plain(
                    node,
                    &["alpha"],
                    Op::LeakyRelu {
                        slope: shortest(slope),
                    },
                )
            }
            "HardSigmoid" => self.hard_sigmoid(node),
            "Clip" => self.clip(node),
            "Softmax" => self.softmax(node),
            "Add" | "Sum" => self.add(node),
            "Mul" => self.mul(node),
            "Concat" => self.concat(node),
            "Dropout" | "Identity" | "Cast" => self.alias(node),
            "Flatten" => self.flatten(node),
            "Reshape" => self.reshape(node),
            "Squeeze" => self.squeeze(node),
            "Unsqueeze" => self.unsqueeze(node),
            "Transpose" => self.transpose(node),
            "Pad" => self.pad(node),
            "Shape" => self.shape(node),
            other => Err(unknown(other)),
        }
    }

    /// A constant of that name.
    fn array(&self, name: &str) -> Option<&Array> {
        match self.values.get(name) {
            Some(Value::Constant(array)) => Some(array),
            _ => None,
        }
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

    /// The same, which has none.
    fn activation(&self, node: &Node, at: usize) -> Result<Activation, String> {
        let it = self.padded(node, at)?;
        match it.pad {
            [0, 0, 0, 0] => Ok(it),
            [top, bottom, left, right] => Err(format!(
                "zeros around its input (top {top}, bottom {bottom}, left {left}, right {right}): only a conv takes them"
            )),
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
        }
    }

    /// Height, width, depth.
    fn volume(&self, at: &Activation) -> [usize; 3] {
        match at.volume.checked_sub(1) {
            None => self.input,
            Some(step) => self.steps[step].volume,
        }
    }

    /// How long the axes are that the model sees.
    fn dims(&self, at: &Activation) -> Vec<usize> {
        let [height, width, depth] = self.volume(at);
        match &at.axes {
            Axes::Four(axes) => axes
                .iter()
                .map(|axis| match axis {
                    Axis::Batch => 1,
                    Axis::Height => height,
                    Axis::Width => width,
                    Axis::Depth => depth,
                })
                .collect(),
            Axes::Flat(_) => vec![1, height * width * depth],
        }
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

    /// A layer without parameters that keeps the shape.
    fn plain(&mut self, node: &Node, known: &[&str], op: Op) -> Translated {
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
        let alone = self.uses.get(name) == Some(&1);
        // By whatever name.
        let names = self
            .values
            .values()
            .filter(|value| matches!(value, Value::Activation(other) if other.volume == it.volume));
        let read = self
            .steps
            .iter()
            .any(|other| other.reads.contains(&it.volume));
        (alone && !read && names.count() == 1).then_some(step)
    }
}

/// The window of a node on an input of `[height, width]`, with the zeros of a `Pad` in front of it.
fn window(
    attributes: Attributes<'_>,
    size: [usize; 2],
    stride: usize,
    [height, width]: [usize; 2],
    padded: [usize; 4],
) -> Result<Window, String> {
    let stride = attributes.pair("strides", stride)?;
    let dilation = attributes.pair("dilations", 1)?;
    let pads = match attributes.text("auto_pad").unwrap_or("NOTSET") {
        "NOTSET" => match attributes.ints("pads") {
            None => [0; 4],
            Some(&[top, left, bottom, right]) => {
                super::attributes::sizes([top, bottom, left, right])?
            }
            Some(pads) => return Err(format!("`pads` is {pads:?}: four numbers are wanted")),
        },
        "VALID" => [0; 4],
        side @ ("SAME_UPPER" | "SAME_LOWER") => {
            let around = |axis: usize, input: usize| -> Result<[usize; 2], String> {
                if stride[axis] == 0 || size[axis] == 0 {
                    return Err("a size or a stride is 0".into());
                }
                let outputs = input.div_ceil(stride[axis]);
                let covers = dilation[axis] * (size[axis] - 1) + 1;
                let zeros = ((outputs - 1) * stride[axis] + covers).saturating_sub(input);
                let (less, more) = (zeros / 2, zeros.div_ceil(2));
                Ok(match side {
                    "SAME_UPPER" => [less, more],
                    _ => [more, less],
                })
            };
            let ([top, bottom], [left, right]) = (around(0, height)?, around(1, width)?);
            [top, bottom, left, right]
        }
        other => return Err(format!("`auto_pad` is {other}")),
    };
    let [top, bottom, left, right] = std::array::from_fn(|side| pads[side] + padded[side]);
    Ok(Window {
        size,
        dilation,
        stride,
        padding: Padding::Zeros {
            top,
            bottom,
            left,
            right,
        },
        fit: Fit::Exact,
    })
}

/// The window with what has to be said of a remainder, and where it then lies.
fn fitted(
    window: Window,
    else_: Fit,
    place: impl Fn(&Window) -> Result<[Placed; 2], Misfit>,
) -> Result<(Window, [Placed; 2]), String> {
    let other = Window {
        fit: else_,
        ..window
    };
    match place(&window) {
        Ok(placed) => Ok((window, placed)),
        Err(misfit) => match place(&other) {
            Ok(placed) => Ok((other, placed)),
            Err(_) => Err(misfit.to_string()),
        },
    }
}

/// What a node is called in a message.
fn called(node: &Node) -> &str {
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}

/// The model's own name of a layer: that of its weights, `layer1.0.conv1.weight`, or of its node,
/// `/layer1/layer1.0/conv1/Conv`.
fn layer_name(node: &Node, weights: &str) -> Option<String> {
    let speaks = |name: &str| {
        let first = name.chars().next();
        first.is_some_and(|it| it.is_ascii_alphabetic()) && !name.contains("::")
    };
    for end in [".weight", "_weight", ".gamma", ".w", "_w", "/kernel:0"] {
        if let Some(name) = weights.strip_suffix(end)
            && speaks(name)
        {
            return Some(name.replace('/', "."));
        }
    }
    let path: Vec<&str> = node
        .name
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let Some((last, modules)) = path.split_last() else {
        return None;
    };
    let mut name = String::new();
    for part in modules {
        // PyTorch writes the way to a module in each of its parts.
        name = match part.strip_prefix(&format!("{name}.")) {
            Some(_) => (*part).to_owned(),
            None if name.is_empty() => (*part).to_owned(),
            None => format!("{name}.{part}"),
        };
    }
    if name.is_empty() {
        name = (*last).to_owned();
    }
    speaks(&name).then_some(name)
}

/// A number of the model's 32 bits as one writes it: 1e-5, and not 9.99999974737875e-6.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// Whether some node of that operator becomes a layer.
fn is_known(operator: &str) -> bool {
    const KNOWN: &[&str] = &[
        "Add",
        "AveragePool",
        "BatchNormalization",
        "Cast",
        "Clip",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Conv",
        "ConvTranspose",
        "Dropout",
        "Flatten",
        "Gather",
        "Gemm",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "HardSigmoid",
        "HardSwish",
        "Identity",
        "LRN",
        "LeakyRelu",
        "MatMul",
        "MaxPool",
        "Mul",
        "Pad",
        "ReduceMax",
        "ReduceMean",
        "Relu",
        "Reshape",
        "Shape",
        "Sigmoid",
        "Softmax",
        "Squeeze",
        "Sum",
        "Tanh",
        "Transpose",
        "Unsqueeze",
    ];
    KNOWN.contains(&operator)
}

fn unknown(operator: &str) -> String {
    match operator {
        "LSTM" | "GRU" | "RNN" | "Attention" | "LayerNormalization" => {
            "a declaration is a ConvNet, and has no such layer".into()
        }
        _ => "no layer of a declaration computes it: write one by hand, as `layer(MINE, WxHxD)`, and \
              import the model up to it and from it on"
            .into(),
    }
}
