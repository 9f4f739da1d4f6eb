//! A network's graph, op by op, as the nodes of a model.
//!
//! **Invariant:** whatever is 1x1xK and comes from an `fc` is `[N, K]` there, everything else `[N, depth,
//! height, width]`; an op that wants the other gets it by a `Flatten` or a `Reshape` in front.

// A new layer is looked at here, too.
#![deny(clippy::wildcard_enum_match_arm)]

mod nodes;

use std::collections::HashMap;

use convnet_core::graph::{Node, Op};
use convnet_core::shape::{Fit, Padding, Window};

use crate::proto::{Attribute, Entry, Graph, LINES, Model, Opset, ValueInfo};
use crate::{OPSET, OnnxError};
use nodes::{constant, floats, image, node, with};

/// The model of a graph that reads `[height, width, depth]`.
pub(crate) fn model(
    graph: &[Node<'_>],
    [height, width, depth]: [usize; 3],
    tensor: impl Fn(&str) -> Option<Tensor>,
) -> Result<Model, OnnxError> {
    if graph.is_empty() {
        return Err(OnnxError::NoGraph);
    }
    let mut export = Export {
        tensor,
        graph: Graph::default(),
        missing: None,
        by_hand: Vec::new(),
        outputs: Vec::new(),
        lines: Vec::new(),
        opset: OPSET,
    };
    let mut name = String::from("image");
    while graph.iter().any(|node| node.name == name) {
        name.push('_');
    }
    let input = Value {
        name: name.clone(),
        volume: [height, width, depth],
        is_flat: false,
        line: 0,
    };
    let output = export.ops(graph, "", input);
    if let Some(name) = export.missing {
        return Err(OnnxError::Missing(name));
    }
    if !export.by_hand.is_empty() {
        return Err(OnnxError::ByHand(export.by_hand));
    }
    let several = std::mem::take(&mut export.outputs);
    if let Some((inside, _)) = several.iter().find(|(name, _)| name.contains('.')) {
        return Err(OnnxError::Outputs(inside.clone()));
    }
    let mut outputs: Vec<(Option<String>, Value)> = several
        .into_iter()
        .map(|(name, output)| (Some(name), output))
        .collect();
    if outputs.is_empty() {
        let scores = (output.name == name).then(|| "scores".to_owned());
        outputs.push((scores, output));
    }
    let outputs = outputs
        .into_iter()
        .map(|(name, output)| export.output(name, output));
    let outputs: Vec<_> = outputs.collect();
    let mut graph = export.graph;
    graph.name = "convnet".into();
    graph.input.push(image(name, &[depth, height, width]));
    graph.output = outputs;
    Ok(Model {
        // Of ONNX 1.12.
        ir_version: 8,
        producer: "convnet".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        opset_import: vec![Opset {
            domain: String::new(),
            version: export.opset,
        }],
        metadata: vec![Entry {
            key: LINES.into(),
            value: export.lines.join("\n"),
        }],
    })
}

/// A volume, and how the model has it.
#[derive(Clone, Debug)]
struct Value {
    name: String,
    /// Height, width, depth.
    volume: [usize; 3],
    /// `[N, K]`.
    is_flat: bool,
    /// Which of the [`LINES`] wrote it, from 1 on; 0 is the image.
    line: usize,
}

/// The axes of a tensor, and its values, as this crate orders them.
pub(crate) type Tensor = (Vec<usize>, Vec<f32>);

struct Export<F> {
    /// A tensor by its name.
    tensor: F,
    graph: Graph,
    /// The first tensor that is not there, or not of the axes that its layer has.
    missing: Option<String>,
    by_hand: Vec<String>,
    /// Each of several outputs, by its name.
    outputs: Vec<(String, Value)>,
    /// Those of the declaration.
    lines: Vec<String>,
    /// The version that its operators ask for.
    opset: i64,
}

impl<F: Fn(&str) -> Option<Tensor>> Export<F> {
    /// The ops of a network, or of one inside it, whose names lie behind `path`; what the last one writes.
    fn ops(&mut self, graph: &[Node<'_>], path: &str, input: Value) -> Value {
        let mut values = vec![input];
        // What the ways of a `concat` wrote so far, by the volume that they have become.
        let mut ways: HashMap<usize, Vec<Value>> = HashMap::new();
        for (at, it) in graph.iter().enumerate() {
            let (first, second) = it.op.reads(at);
            let x = values[first].clone();
            let name = format!("{path}{}", it.name);
            let line = |volume: usize| values[volume].line;
            let mut said = name.clone();
            let value = match it.op {
                // Nothing here, and so no line.
                Op::Dropout { .. } | Op::Flatten => {
                    values.push(x);
                    continue;
                }
                Op::Network { what } => {
                    let value = self.ops(what.graph, &format!("{name}."), x);
                    values.push(value);
                    continue;
                }
                Op::Branch { from } => {
                    said = format!("from {}", line(from));
                    x
                }
                Op::Add { with, input } => {
                    said += &format!(" residual {} {}", line(input), line(with));
                    let other = second.map_or_else(|| x.clone(), |second| values[second].clone());
                    // The block's own layers first.
                    match with == input {
                        true => self.add(name, x, other, it.volume),
                        false => self.add(name, other, x, it.volume),
                    }
                }
                Op::Scale { with } => {
                    said += &format!(" scale {}", line(with));
                    let (scaled, gate) = (values[with].clone(), x);
                    self.product(name, scaled, gate, it.volume)
                }
                Op::Concat { onto, input, last } => {
                    said += &format!(" concat {}", line(input));
                    let mut slices = onto.and_then(|onto| ways.remove(&onto)).unwrap_or_default();
                    slices.push(x.clone());
                    match last {
                        true => self.concat(name, slices, it.volume),
                        false => {
                            ways.insert(at + 1, slices);
                            x
                        }
                    }
                }
                Op::Outputs { input, .. } => {
                    said += &format!(" outputs {}", line(input));
                    self.outputs.push((name, x.clone()));
                    x
                }
                Op::Own { .. } => {
                    self.by_hand.push(name);
                    Value {
                        volume: it.volume,
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
                | Op::Softmax => self.layer(name, it, x),
            };
            self.lines.push(said);
            let line = self.lines.len();
            values.push(Value { line, ..value });
        }
        values
            .pop()
            .unwrap_or_else(|| unreachable!("the input is one"))
    }

    /// A layer that reads one volume.
    fn layer(&mut self, name: String, it: &Node<'_>, x: Value) -> Value {
        let size = [x.volume[0], x.volume[1]];
        let depth = x.volume[2];
        match it.op {
            Op::Conv {
                groups,
                bias,
                window,
                ..
            } => self.filters(
                name,
                "Conv",
                bias,
                x,
                it.volume,
                conv(&window, size, groups),
            ),
            Op::Depthwise { bias, window } => {
                self.filters(name, "Conv", bias, x, it.volume, conv(&window, size, depth))
            }
            Op::ConvTranspose {
                output_pad,
                groups,
                bias,
                window,
                ..
            } => {
                let (window, added) = stamps(&window, size, output_pad);
                let mut attributes = conv(&window, size, groups);
                if added != [0; 2] {
                    attributes.push(with("output_padding", added));
                }
                self.filters(name, "ConvTranspose", bias, x, it.volume, attributes)
            }
            Op::BatchNorm {
                eps,
                momentum,
                affine,
            } => {
                // What does nothing is an input there, too.
                let factors = [("gamma", "ones", 1.0), ("beta", "zeros", 0.0)].map(
                    |(field, does_nothing, value)| match affine {
                        true => self.vector(&name, field),
                        false => {
                            let tensor = format!("{name}.{does_nothing}");
                            let values = std::iter::repeat_n(value, depth);
                            self.graph
                                .initializer
                                .push(floats(&tensor, &[depth], values));
                            tensor
                        }
                    },
                );
                let statistics = ["mean", "variance"].map(|field| self.vector(&name, field));
                let inputs = [factors, statistics].concat();
                // There it is what stays.
                let stays = with("momentum", 1.0 - momentum);
                let attributes = vec![with("epsilon", eps), stays];
                self.push("BatchNormalization", name, x, it.volume, inputs, attributes)
            }
            Op::GroupNorm { groups, eps } => {
                self.opset = self.opset.max(21);
                let x = self.deep(x);
                let inputs = ["gamma", "beta"].map(|field| self.vector(&name, field));
                let groups = with("num_groups", [groups]).single();
                let attributes = vec![with("epsilon", eps), groups];
                let operator = "GroupNormalization";
                self.push(operator, name, x, it.volume, inputs.into(), attributes)
            }
            Op::LayerNorm { eps } => {
                let inputs = ["gamma", "beta"].map(|field| self.vector(&name, field));
                let attributes = vec![with("axis", -1_i64), with("epsilon", eps)];
                // It normalises the last axis.
                let turns = !x.is_flat;
                let x = match turns {
                    true => self.transposed(format!("{name}.turned"), x, [0, 2, 3, 1]),
                    false => x,
                };
                let back = format!("{name}.back");
                let operator = "LayerNormalization";
                let y = self.push(operator, name, x, it.volume, inputs.into(), attributes);
                match turns {
                    true => self.transposed(back, y, [0, 3, 1, 2]),
                    false => y,
                }
            }
            Op::LayerNormVolume { eps } => {
                let flat = x.is_flat;
                let inputs = ["gamma", "beta"].map(|field| self.of_volume(&name, field, flat));
                let attributes = vec![with("axis", 1_i64), with("epsilon", eps)];
                let operator = "LayerNormalization";
                self.push(operator, name, x, it.volume, inputs.into(), attributes)
            }
            Op::Lrn {
                size,
                alpha,
                beta,
                k,
            } => {
                let x = self.deep(x);
                let attributes = vec![
                    with("alpha", alpha),
                    with("beta", beta),
                    with("bias", k),
                    with("size", [size]).single(),
                ];
                self.push("LRN", name, x, it.volume, Vec::new(), attributes)
            }
            Op::Relu => self.push("Relu", name, x, it.volume, Vec::new(), Vec::new()),
            Op::Relu6 => self.clip(name, x, [0.0, 6.0]),
            Op::Clamp { low, high } => self.clip(name, x, [low, high]),
            Op::Silu => {
                let gate = format!("{name}.gate");
                let sigmoid = node("Sigmoid", &gate, vec![x.name.clone()], Vec::new());
                self.graph.node.push(sigmoid);
                self.push("Mul", name, x, it.volume, vec![gate], Vec::new())
            }
            Op::Gelu => {
                self.opset = self.opset.max(20);
                self.push("Gelu", name, x, it.volume, Vec::new(), Vec::new())
            }
            Op::GeluTanh => {
                self.opset = self.opset.max(20);
                let approximate = vec![with("approximate", "tanh")];
                self.push("Gelu", name, x, it.volume, Vec::new(), approximate)
            }
            Op::Elu { alpha } => {
                let alpha = with("alpha", alpha);
                self.push("Elu", name, x, it.volume, Vec::new(), vec![alpha])
            }
            Op::Softplus => self.push("Softplus", name, x, it.volume, Vec::new(), Vec::new()),
            Op::LeakyRelu { slope } => {
                let slope = with("alpha", slope);
                self.push("LeakyRelu", name, x, it.volume, Vec::new(), vec![slope])
            }
            Op::Sigmoid => self.push("Sigmoid", name, x, it.volume, Vec::new(), Vec::new()),
            Op::Tanh => self.push("Tanh", name, x, it.volume, Vec::new(), Vec::new()),
            Op::HardSigmoid => {
                // Its default is 0.2.
                let sixth = with("alpha", 1.0 / 6.0);
                self.push("HardSigmoid", name, x, it.volume, Vec::new(), vec![sixth])
            }
            Op::HardSwish => self.push("HardSwish", name, x, it.volume, Vec::new(), Vec::new()),
            Op::MaxPool { window } => {
                let x = self.deep(x);
                self.push(
                    "MaxPool",
                    name,
                    x,
                    it.volume,
                    Vec::new(),
                    pool(&window, size),
                )
            }
            Op::AvgPool { window } => {
                if window.dilation != [1; 2] {
                    self.opset = self.opset.max(19);
                }
                let x = self.deep(x);
                self.push(
                    "AveragePool",
                    name,
                    x,
                    it.volume,
                    Vec::new(),
                    pool(&window, size),
                )
            }
            Op::GlobalAvgPool => {
                let x = self.deep(x);
                self.push(
                    "GlobalAveragePool",
                    name,
                    x,
                    it.volume,
                    Vec::new(),
                    Vec::new(),
                )
            }
            Op::GlobalMaxPool => {
                let x = self.deep(x);
                self.push("GlobalMaxPool", name, x, it.volume, Vec::new(), Vec::new())
            }
            Op::Upsample { window } => {
                let nearest = vec![with("nearest_mode", "floor")];
                self.resize(
                    name,
                    x,
                    it.volume,
                    window,
                    ["nearest", "asymmetric"],
                    nearest,
                )
            }
            Op::UpsampleBilinear { window } => self.resize(
                name,
                x,
                it.volume,
                window,
                ["linear", "half_pixel"],
                Vec::new(),
            ),
            Op::UpsampleAligned { window } => self.resize(
                name,
                x,
                it.volume,
                window,
                ["linear", "align_corners"],
                Vec::new(),
            ),
            Op::Pad { window } => {
                let axis = |at: usize| {
                    let axis = window.axis(at, size[at]);
                    axis.map_or([0; 2], |it| [it.before as i64, it.after as i64])
                };
                let ([top, bottom], [left, right]) = (axis(0), axis(1));
                self.pads(name, x, it.volume, [0, 0, top, left, 0, 0, bottom, right])
            }
            Op::PadDepth { filters } => {
                let more = filters.saturating_sub(depth) as i64;
                self.pads(name, x, it.volume, [0, 0, 0, 0, 0, more, 0, 0])
            }
            Op::Slices { filters, from } => {
                let ends = [&[from][..], &[from + filters], &[1]];
                self.part(name, x, it.volume, ends)
            }
            Op::Crop { window } => {
                let before = |at: usize| window.axis(at, size[at]).map_or(0, |it| it.before);
                let (from, [height, width, _]) = ([before(0), before(1)], it.volume);
                let to = [from[0] + height, from[1] + width];
                self.part(name, x, it.volume, [&from, &to, &[2, 3]])
            }
            Op::DepthToSpace { window } => self.blocks(name, "DepthToSpace", &window, x, it.volume),
            Op::SpaceToDepth { window } => self.blocks(name, "SpaceToDepth", &window, x, it.volume),
            Op::Prelu => {
                let slope = self.slices(&name, "slope", &x);
                self.push("PRelu", name, x, it.volume, vec![slope], Vec::new())
            }
            Op::Affine => {
                let [gamma, beta] = ["gamma", "beta"].map(|it| self.slices(&name, it, &x));
                let scaled = format!("{name}.scaled");
                let inputs = vec![x.name.clone(), gamma];
                self.graph
                    .node
                    .push(node("Mul", &scaled, inputs, Vec::new()));
                let x = Value { name: scaled, ..x };
                self.push("Add", name, x, it.volume, vec![beta], Vec::new())
            }
            Op::Normalize { mean, std } => {
                let [mean, std] = [("mean", mean), ("std", std)].map(|(field, list)| {
                    let tensor = format!("{name}.{field}");
                    let values = list.as_slice().iter().map(|&it| it as f32);
                    let count = values.len();
                    let sizes = [count, 1, 1];
                    let sizes = if x.is_flat { &sizes[..1] } else { &sizes };
                    self.graph.initializer.push(floats(&tensor, sizes, values));
                    tensor
                });
                let shifted = format!("{name}.shifted");
                let inputs = vec![x.name.clone(), mean];
                self.graph
                    .node
                    .push(node("Sub", &shifted, inputs, Vec::new()));
                let x = Value { name: shifted, ..x };
                self.push("Div", name, x, it.volume, vec![std], Vec::new())
            }
            Op::ChannelShuffle { groups } => {
                let x = self.deep(x);
                let [height, width, depth] = it.volume.map(|size| size as i64);
                let [cut, turned] = ["cut", "turned"].map(|step| format!("{name}.{step}"));
                let [of_cut, of_all] = ["groups", "slices"].map(|step| format!("{name}.{step}"));
                let groups = groups as i64;
                let sizes = [0, groups, depth / groups.max(1), height, width];
                self.graph.initializer.push(constant(&of_cut, &sizes));
                let sizes = [0, depth, height, width];
                self.graph.initializer.push(constant(&of_all, &sizes));
                let perm = with("perm", [0, 2, 1, 3, 4]);
                let inputs = vec![x.name.clone(), of_cut];
                let nodes = [
                    node("Reshape", &cut, inputs, Vec::new()),
                    node("Transpose", &turned, vec![cut.clone()], vec![perm]),
                ];
                self.graph.node.extend(nodes);
                let x = Value { name: turned, ..x };
                self.push("Reshape", name, x, it.volume, vec![of_all], Vec::new())
            }
            Op::Fc { bias, .. } => {
                let x = self.flat(x);
                // As one matrix: K filters of all that is read.
                let (tensor, [h, w, d, k], values) = self.turned(&name);
                let matrix = floats(&tensor, &[k, h * w * d], values);
                self.graph.initializer.push(matrix);
                let mut inputs = vec![tensor];
                if bias {
                    inputs.push(self.vector(&name, "bias"));
                }
                let turn = with("transB", [1]).single();
                self.push("Gemm", name, x, it.volume, inputs, vec![turn])
            }
            Op::Softmax | Op::LogSoftmax => {
                let operator = it.op.variant();
                let axis = with("axis", [1]).single();
                self.push(operator, name, x, it.volume, Vec::new(), vec![axis])
            }
            Op::Branch { .. }
            | Op::Dropout { .. }
            | Op::Flatten
            | Op::Add { .. }
            | Op::Scale { .. }
            | Op::Concat { .. }
            | Op::Outputs { .. }
            | Op::Network { .. }
            | Op::Own { .. } => x,
        }
    }

    /// A layer with filters that slide.
    fn filters(
        &mut self,
        name: String,
        operator: &str,
        bias: bool,
        x: Value,
        volume: [usize; 3],
        attributes: Vec<Attribute>,
    ) -> Value {
        let x = self.deep(x);
        let (tensor, [h, w, d, k], values) = self.turned(&name);
        self.graph
            .initializer
            .push(floats(&tensor, &[k, d, h, w], values));
        let mut inputs = vec![tensor];
        if bias {
            inputs.push(self.vector(&name, "bias"));
        }
        self.push(operator, name, x, volume, inputs, attributes)
    }

    fn clip(&mut self, name: String, x: Value, [low, high]: [f64; 2]) -> Value {
        let ends = [("min", low), ("max", high)].map(|(end, value)| {
            let name = format!("{name}.{end}");
            let end = floats(&name, &[], [value as f32]);
            self.graph.initializer.push(end);
            name
        });
        let volume = x.volume;
        self.push("Clip", name, x, volume, ends.into(), Vec::new())
    }

    /// Whole times as large, by the scales of `window`; how, say a mode and where pixels lie.
    fn resize(
        &mut self,
        name: String,
        x: Value,
        volume: [usize; 3],
        window: Window,
        [mode, place]: [&str; 2],
        mut attributes: Vec<Attribute>,
    ) -> Value {
        let x = self.deep(x);
        let [down, across] = window.size.map(|times| times as f32);
        let scales = format!("{name}.scales");
        self.graph
            .initializer
            .push(floats(&scales, &[4], [1.0, 1.0, down, across]));
        attributes.push(with("mode", mode));
        attributes.push(with("coordinate_transformation_mode", place));
        // Between them stands a region that these modes do not read.
        let inputs = vec![String::new(), scales];
        self.push("Resize", name, x, volume, inputs, attributes)
    }

    fn pads(&mut self, name: String, x: Value, volume: [usize; 3], zeros: [i64; 8]) -> Value {
        let (x, pads) = (self.deep(x), format!("{name}.pads"));
        self.graph.initializer.push(constant(&pads, &zeros));
        self.push("Pad", name, x, volume, vec![pads], Vec::new())
    }

    /// From where to where, and along which axes.
    fn part(&mut self, name: String, x: Value, volume: [usize; 3], ends: [&[usize]; 3]) -> Value {
        let x = self.deep(x);
        let all = ["starts", "ends", "axes"].into_iter().zip(ends);
        let inputs = all.map(|(end, values)| {
            let name = format!("{name}.{end}");
            let values: Vec<i64> = values.iter().map(|&value| value as i64).collect();
            self.graph.initializer.push(constant(&name, &values));
            name
        });
        let inputs = inputs.collect();
        self.push("Slice", name, x, volume, inputs, Vec::new())
    }

    /// Pixels as depth, or the other way round, in squares: ONNX knows no others.
    fn blocks(
        &mut self,
        name: String,
        operator: &str,
        window: &Window,
        x: Value,
        volume: [usize; 3],
    ) -> Value {
        let [down, across] = window.size;
        if down != across {
            self.by_hand.push(name.clone());
        }
        let x = self.deep(x);
        let size = with("blocksize", [down]).single();
        self.push(operator, name, x, volume, Vec::new(), vec![size])
    }

    /// The same volume in another order of axes; the declaration knows nothing of it.
    fn transposed(&mut self, name: String, x: Value, perm: [usize; 4]) -> Value {
        let volume = x.volume;
        self.push(
            "Transpose",
            name,
            x,
            volume,
            Vec::new(),
            vec![with("perm", perm)],
        )
    }

    fn add(&mut self, name: String, x: Value, with: Value, volume: [usize; 3]) -> Value {
        let (x, with) = match x.is_flat == with.is_flat {
            true => (x, with),
            false => (self.deep(x), self.deep(with)),
        };
        self.push("Add", name, x, volume, vec![with.name], Vec::new())
    }

    fn product(&mut self, name: String, x: Value, gate: Value, volume: [usize; 3]) -> Value {
        let (x, gate) = (self.deep(x), self.deep(gate));
        self.push("Mul", name, x, volume, vec![gate.name], Vec::new())
    }

    /// An output of the model, under a name of its own if it is to have one.
    fn output(&mut self, name: Option<String>, mut output: Value) -> ValueInfo {
        if let [1, 1, _] = output.volume {
            output = self.flat(output);
        }
        if let Some(name) = name {
            let same = node("Identity", &name, vec![output.name], Vec::new());
            output.name = name;
            self.graph.node.push(same);
        }
        match (output.is_flat, output.volume) {
            (true, [_, _, classes]) => image(output.name, &[classes]),
            (false, [height, width, depth]) => image(output.name, &[depth, height, width]),
        }
    }

    fn concat(&mut self, name: String, slices: Vec<Value>, volume: [usize; 3]) -> Value {
        let flat = slices.iter().all(|slice| slice.is_flat);
        let slices = slices.into_iter().map(|slice| match flat {
            true => slice,
            false => self.deep(slice),
        });
        let mut slices: Vec<Value> = slices.collect();
        let x = slices.remove(0);
        let rest = slices.into_iter().map(|slice| slice.name).collect();
        self.push(
            "Concat",
            name,
            x,
            volume,
            rest,
            vec![with("axis", [1]).single()],
        )
    }

    /// A node that reads `x`, and then `inputs`.
    fn push(
        &mut self,
        operator: &str,
        name: String,
        x: Value,
        volume: [usize; 3],
        inputs: Vec<String>,
        attributes: Vec<Attribute>,
    ) -> Value {
        let inputs = [x.name].into_iter().chain(inputs).collect();
        self.graph
            .node
            .push(node(operator, &name, inputs, attributes));
        Value { name, volume, ..x }
    }

    /// The volume with four axes.
    fn deep(&mut self, x: Value) -> Value {
        if !x.is_flat {
            return x;
        }
        let [height, width, depth] = x.volume;
        let (name, shape) = (format!("{}.deep", x.name), format!("{}.shape", x.name));
        if !self.has(&name) {
            // The batch stays what it is.
            let sizes = [0, depth, height, width].map(|size| size as i64);
            self.graph.initializer.push(constant(&shape, &sizes));
            let inputs = vec![x.name, shape];
            self.graph
                .node
                .push(node("Reshape", &name, inputs, Vec::new()));
        }
        Value {
            name,
            is_flat: false,
            ..x
        }
    }

    /// The volume as a line, depth slice by depth slice.
    fn flat(&mut self, x: Value) -> Value {
        if x.is_flat {
            return x;
        }
        let name = format!("{}.flat", x.name);
        if !self.has(&name) {
            self.graph
                .node
                .push(node("Flatten", &name, vec![x.name], Vec::new()));
        }
        Value {
            name,
            is_flat: true,
            ..x
        }
    }

    fn has(&self, name: &str) -> bool {
        self.graph.node.iter().any(|node| node.name == name)
    }

    /// The filters of a layer: their name, their axes, their values as `[k][d][h][w]`.
    fn turned(&mut self, layer: &str) -> (String, [usize; 4], Vec<f32>) {
        let name = format!("{layer}.filters");
        let found = (self.tensor)(&name).and_then(|(axes, values)| {
            let axes = <[usize; 4]>::try_from(axes).ok()?;
            (axes.iter().product::<usize>() == values.len()).then_some((axes, values))
        });
        let Some((axes, values)) = found else {
            self.missing.get_or_insert_with(|| name.clone());
            return (name, [0; 4], Vec::new());
        };
        let values = turned(axes, &values);
        (name, axes, values)
    }

    /// A tensor with a number for each depth slice of `x`, so that it meets them: its name.
    fn slices(&mut self, layer: &str, field: &str, x: &Value) -> String {
        let name = self.vector(layer, field);
        if !x.is_flat
            && let Some(tensor) = self.graph.initializer.last_mut()
            && tensor.name == name
        {
            tensor.dims.extend([1, 1]);
        }
        name
    }

    /// A tensor with a number for each of a volume, depth first, as an initializer: its name.
    fn of_volume(&mut self, layer: &str, field: &str, flat: bool) -> String {
        let name = format!("{layer}.{field}");
        match (self.tensor)(&name).map(|(axes, values)| (<[usize; 3]>::try_from(axes), values)) {
            Some((Ok([h, w, d]), values)) if h * w * d == values.len() => {
                let values = turned([h, w, d, 1], &values);
                let sizes = [d, h, w];
                let sizes = if flat { &sizes[..1] } else { &sizes };
                self.graph.initializer.push(floats(&name, sizes, values));
            }
            _ => _ = self.missing.get_or_insert_with(|| name.clone()),
        }
        name
    }

    /// A tensor with one axis, as an initializer: its name.
    fn vector(&mut self, layer: &str, field: &str) -> String {
        let name = format!("{layer}.{field}");
        match (self.tensor)(&name) {
            Some((_, values)) => {
                self.graph
                    .initializer
                    .push(floats(&name, &[values.len()], values))
            }
            None => _ = self.missing.get_or_insert_with(|| name.clone()),
        }
        name
    }
}

/// The attributes of a node that slides over `size`, `[height, width]`.
fn slides(window: &Window, size: [usize; 2], added: [usize; 2]) -> Vec<Attribute> {
    let axis = |at: usize| {
        window
            .axis(at, size[at])
            .map_or([0; 2], |it| [it.before, it.after])
    };
    let ([top, bottom], [left, right]) = (axis(0), axis(1));
    vec![
        with("kernel_shape", window.size),
        with("strides", window.stride),
        with("pads", [top, left, bottom + added[0], right + added[1]]),
    ]
}

fn conv(window: &Window, size: [usize; 2], groups: usize) -> Vec<Attribute> {
    // Zeros that `fit = pad` adds; what `fit = crop` leaves over is not looked at there either.
    let added = window
        .place(size)
        .map_or([0; 2], |placed| placed.map(|it| it.added));
    let mut attributes = slides(window, size, added);
    attributes.push(with("dilations", window.dilation));
    attributes.push(with("group", [groups]).single());
    attributes
}

/// How a transposed conv stamps, and how many rows and columns it adds: what is both cut off at the end and added is
/// neither.
fn stamps(window: &Window, size: [usize; 2], output_pad: usize) -> (Window, [usize; 2]) {
    let [rows, columns] = [0, 1].map(|axis| {
        let axis = window.axis(axis, size[axis]);
        axis.map_or([0; 2], |axis| [axis.before, axis.after])
    });
    let less = [rows, columns].map(|[_, after]| after.min(output_pad));
    let padding = Padding::Zeros {
        top: rows[0],
        bottom: rows[1] - less[0],
        left: columns[0],
        right: columns[1] - less[1],
    };
    let window = Window { padding, ..*window };
    (window, less.map(|less| output_pad - less))
}

fn pool(window: &Window, size: [usize; 2]) -> Vec<Attribute> {
    let mut attributes = gapless(window, size);
    if window.dilation != [1; 2] {
        attributes.push(with("dilations", window.dilation));
    }
    attributes
}

fn gapless(window: &Window, size: [usize; 2]) -> Vec<Attribute> {
    let Ok(placed) = window.place_pool(size) else {
        return slides(window, size, [0; 2]);
    };
    // `ceil_mode` knows nothing of positions that would see zeros only: there, zeros are added in numbers.
    let rounds_up = |at: usize| {
        let axis = window.axis(at, size[at]);
        axis.is_ok_and(|axis| {
            let padded = axis.before + axis.size + axis.after;
            let slides = padded.saturating_sub(axis.covers()).div_ceil(axis.stride);
            slides + 1 == placed[at].output
        })
    };
    let added = placed.map(|it| it.added);
    match window.fit == Fit::Pad && added != [0; 2] && rounds_up(0) && rounds_up(1) {
        true => {
            let mut attributes = slides(window, size, [0; 2]);
            attributes.push(with("ceil_mode", [1]).single());
            attributes
        }
        false => slides(window, size, added),
    }
}

/// `[h][w][d][k]` as `[k][d][h][w]`.
fn turned([h, w, d, k]: [usize; 4], values: &[f32]) -> Vec<f32> {
    let mut turned = Vec::with_capacity(values.len());
    for filter in 0..k {
        for slice in 0..d {
            let pixels = (0..h * w).map(|pixel| values[(pixel * d + slice) * k + filter]);
            turned.extend(pixels);
        }
    }
    turned
}
