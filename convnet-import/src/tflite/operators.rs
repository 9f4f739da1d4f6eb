//! Operators as nodes.

use std::collections::HashMap;

use convnet_onnx::proto::Attribute;

use super::table::Table;
use super::tensor::Tensor;
use crate::array::{Array, Data};
use crate::nodes::{Nodes, bounds, float, int, ints, text};

/// The names of operators by their codes.
const NAMES: &[&str] = &[
    "ADD",
    "AVERAGE_POOL_2D",
    "CONCATENATION",
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "DEPTH_TO_SPACE",
    "DEQUANTIZE",
    "EMBEDDING_LOOKUP",
    "FLOOR",
    "FULLY_CONNECTED",
    "HASHTABLE_LOOKUP",
    "L2_NORMALIZATION",
    "L2_POOL_2D",
    "LOCAL_RESPONSE_NORMALIZATION",
    "LOGISTIC",
    "LSH_PROJECTION",
    "LSTM",
    "MAX_POOL_2D",
    "MUL",
    "RELU",
    "RELU_N1_TO_1",
    "RELU6",
    "RESHAPE",
    "RESIZE_BILINEAR",
    "RNN",
    "SOFTMAX",
    "SPACE_TO_DEPTH",
    "SVDF",
    "TANH",
    "CONCAT_EMBEDDINGS",
    "SKIP_GRAM",
    "CALL",
    "CUSTOM",
    "EMBEDDING_LOOKUP_SPARSE",
    "PAD",
    "UNIDIRECTIONAL_SEQUENCE_RNN",
    "GATHER",
    "BATCH_TO_SPACE_ND",
    "SPACE_TO_BATCH_ND",
    "TRANSPOSE",
    "MEAN",
    "SUB",
    "DIV",
    "SQUEEZE",
    "UNIDIRECTIONAL_SEQUENCE_LSTM",
    "STRIDED_SLICE",
    "BIDIRECTIONAL_SEQUENCE_RNN",
    "EXP",
    "TOPK_V2",
    "SPLIT",
    "LOG_SOFTMAX",
    "DELEGATE",
    "BIDIRECTIONAL_SEQUENCE_LSTM",
    "CAST",
    "PRELU",
    "MAXIMUM",
    "ARG_MAX",
    "MINIMUM",
    "LESS",
    "NEG",
    "PADV2",
    "GREATER",
    "GREATER_EQUAL",
    "LESS_EQUAL",
    "SELECT",
    "SLICE",
    "SIN",
    "TRANSPOSE_CONV",
    "SPARSE_TO_DENSE",
    "TILE",
    "EXPAND_DIMS",
    "EQUAL",
    "NOT_EQUAL",
    "LOG",
    "SUM",
    "SQRT",
    "RSQRT",
    "SHAPE",
    "POW",
    "ARG_MIN",
    "FAKE_QUANT",
    "REDUCE_PROD",
    "REDUCE_MAX",
    "PACK",
    "LOGICAL_OR",
    "ONE_HOT",
    "LOGICAL_AND",
    "LOGICAL_NOT",
    "UNPACK",
    "REDUCE_MIN",
    "FLOOR_DIV",
    "REDUCE_ANY",
    "SQUARE",
    "ZEROS_LIKE",
    "FILL",
    "FLOOR_MOD",
    "RANGE",
    "RESIZE_NEAREST_NEIGHBOR",
    "LEAKY_RELU",
    "SQUARED_DIFFERENCE",
    "MIRROR_PAD",
    "ABS",
    "SPLIT_V",
    "UNIQUE",
    "CEIL",
    "REVERSE_V2",
    "ADD_N",
    "GATHER_ND",
    "COS",
    "WHERE",
    "RANK",
    "ELU",
    "REVERSE_SEQUENCE",
    "MATRIX_DIAG",
    "QUANTIZE",
    "MATRIX_SET_DIAG",
    "ROUND",
    "HARD_SWISH",
    "IF",
    "WHILE",
    "NON_MAX_SUPPRESSION_V4",
    "NON_MAX_SUPPRESSION_V5",
    "SCATTER_ND",
    "SELECT_V2",
    "DENSIFY",
    "SEGMENT_SUM",
    "BATCH_MATMUL",
    "PLACEHOLDER_FOR_GREATER_OP_CODES",
    "CUMSUM",
    "CALL_ONCE",
    "BROADCAST_TO",
    "RFFT2D",
    "CONV_3D",
    "IMAG",
    "REAL",
    "COMPLEX_ABS",
    "HASHTABLE",
    "HASHTABLE_FIND",
    "HASHTABLE_IMPORT",
    "HASHTABLE_SIZE",
    "REDUCE_ALL",
    "CONV_3D_TRANSPOSE",
    "VAR_HANDLE",
    "READ_VARIABLE",
    "ASSIGN_VARIABLE",
    "BROADCAST_ARGS",
    "RANDOM_STANDARD_NORMAL",
    "BUCKETIZE",
    "RANDOM_UNIFORM",
    "MULTINOMIAL",
    "GELU",
    "DYNAMIC_UPDATE_SLICE",
    "RELU_0_TO_1",
    "UNSORTED_SEGMENT_PROD",
    "UNSORTED_SEGMENT_MAX",
    "UNSORTED_SEGMENT_SUM",
    "ATAN2",
    "UNSORTED_SEGMENT_MIN",
    "SIGN",
    "BITCAST",
    "BITWISE_XOR",
    "RIGHT_SHIFT",
];
/// An operator that somebody has added, under a name of its own.
const CUSTOM: usize = 32;

/// Nodes, while they are written.
pub(super) struct Lowering<'a> {
    tensors: &'a [Tensor<'a>],
    pub(super) out: Nodes,
    /// Tensors that a `DEQUANTIZE` or a `DENSIFY` makes of constants, and of which.
    same: HashMap<usize, usize>,
    /// How many values constants may still have.
    most: usize,
}

/// An operator, with its tensors.
struct Operator<'a> {
    inputs: Vec<i32>,
    /// The name of what it writes.
    y: String,
    shape: &'a [usize],
    options: Table<'a>,
}

impl<'a> Lowering<'a> {
    pub(super) fn new(tensors: &'a [Tensor<'a>], most: usize) -> Self {
        Self {
            tensors,
            out: Nodes::default(),
            same: HashMap::new(),
            most,
        }
    }

    pub(super) fn is_reshape(&self, codes: &[Table<'_>], operator: Table<'_>) -> bool {
        name(codes, operator) == "RESHAPE"
    }

    /// Adds the nodes of an operator; of one for which there are none, a node that says why.
    pub(super) fn operator(&mut self, codes: &[Table<'_>], operator: Table<'a>) {
        let outputs = operator.ints(2);
        let tensor = outputs
            .first()
            .and_then(|&at| self.tensors.get(at as usize));
        let Some(tensor) = tensor else {
            // Nobody can read it.
            return;
        };
        let it = Operator {
            inputs: operator.ints(1),
            y: tensor.name.clone(),
            shape: &tensor.shape,
            options: operator.table(4).unwrap_or(Table::empty()),
        };
        let kind = name(codes, operator);
        let before = self.out.nodes.len();
        if let Err(why) = self.lower(&kind, &it) {
            self.out.nodes.truncate(before);
            let inputs = it.inputs.iter().filter_map(|&at| self.at(at));
            let inputs = inputs.map(|tensor| tensor.name.clone()).collect();
            let why = (!why.is_empty()).then(|| text("why", &why));
            self.out.node(&kind, inputs, &it.y, why);
        }
        // Of what a node writes beside its first output nothing is known.
        let others = outputs.iter().skip(1).filter_map(|&at| self.at(at));
        let others: Vec<String> = others.map(|it| it.name.clone()).collect();
        if let Some(node) = self.out.nodes.last_mut() {
            node.output.extend(others);
        }
    }

    /// An empty text says that there is no such layer.
    fn lower(&mut self, kind: &str, it: &Operator<'_>) -> Result<(), String> {
        let options = it.options;
        match kind {
            "CONV_2D" => {
                let filters = self.weights(it, 1, &[0, 3, 1, 2], "filters")?;
                let [_, depth, ..] = filters.dims[..] else {
                    return Err("its filters have not four axes".into());
                };
                let whole = self.shape(it, 0)?.last().copied().unwrap_or(0);
                let groups = whole.checked_div(depth).unwrap_or(0);
                let mut attributes = window(options, [2, 1], Some([5, 4]));
                attributes.push(int("group", groups as i64));
                let inputs = self.filters_and_bias(it, filters, 2)?;
                self.sliding("Conv", it, inputs, attributes, activation(options, 3)?)
            }
            "DEPTHWISE_CONV_2D" => {
                let filters = self.weights(it, 1, &[3, 0, 1, 2], "filters")?;
                let depth = self.shape(it, 0)?.last().copied().unwrap_or(0);
                let mut attributes = window(options, [2, 1], Some([6, 5]));
                attributes.push(int("group", depth as i64));
                let inputs = self.filters_and_bias(it, filters, 2)?;
                self.sliding("Conv", it, inputs, attributes, activation(options, 4)?)
            }
            "TRANSPOSE_CONV" => self.transpose_conv(it),
            "FULLY_CONNECTED" => self.fully_connected(it),
            "AVERAGE_POOL_2D" | "MAX_POOL_2D" => {
                let mut attributes = window(options, [2, 1], None);
                let size = [4, 3].map(|id| i64::from(options.int(id, 0)));
                attributes.push(ints("kernel_shape", &size));
                let inputs = vec![self.name(it, 0)?];
                let kind = if kind == "MAX_POOL_2D" {
                    "MaxPool"
                } else {
                    "AveragePool"
                };
                self.sliding(kind, it, inputs, attributes, activation(options, 5)?)
            }
            "ADD" => self.of_two("Add", it, None),
            "MUL" => self.of_two("Mul", it, None),
            // A constant is added or multiplied by.
            "SUB" => self.of_two("Add", it, Some((kind, |by| -by))),
            "DIV" => self.of_two("Mul", it, Some((kind, |by| 1.0 / by))),
            "POW" => self.of_two(kind, it, None),
            "MAXIMUM" => self.bound(it, "min"),
            "MINIMUM" => self.bound(it, "max"),
            "CONCATENATION" => {
                let all = 0..it.inputs.len();
                let inputs = all.map(|at| self.name(it, at)).collect::<Result<_, _>>()?;
                let axis = int("axis", i64::from(options.int(0, 0)));
                self.activated("Concat", it, inputs, vec![axis], activation(options, 1)?);
                Ok(())
            }
            "RESHAPE" => {
                let shape: Vec<i64> = it.shape.iter().map(|&size| size as i64).collect();
                self.unary("Reshape", it, [ints("shape", &shape)])
            }
            "SQUEEZE" => self.unary("Squeeze", it, []),
            "SPLIT" => {
                let axis = self.numbers(it, 0, "its axis")?;
                let x = self.name(it, 1)?;
                self.out
                    .node("Split", vec![x], &it.y, [int("axis", scalar(&axis)?)]);
                Ok(())
            }
            "SPLIT_V" => {
                let sizes = self.numbers(it, 1, "its sizes")?;
                let axis = self.numbers(it, 2, "its axis")?;
                let attributes = [int("axis", scalar(&axis)?), ints("split", &sizes)];
                self.unary("Split", it, attributes)
            }
            "SLICE" | "STRIDED_SLICE" => self.slice(kind, it),
            "TRANSPOSE" => {
                let perm = self.numbers(it, 1, "its order of axes")?;
                self.unary("Transpose", it, [ints("perm", &perm)])
            }
            "PAD" | "PADV2" => self.pad(it),
            "MEAN" | "REDUCE_MAX" => {
                let axes = self.numbers(it, 1, "its axes")?;
                let kind = if kind == "MEAN" {
                    "ReduceMean"
                } else {
                    "ReduceMax"
                };
                let keeps = int("keepdims", i64::from(options.byte(0)));
                self.unary(kind, it, [ints("axes", &axes), keeps])
            }
            "RESIZE_NEAREST_NEIGHBOR" => self.resize(it, "nearest", 0),
            "RESIZE_BILINEAR" => self.resize(it, "linear", 2),
            "LOCAL_RESPONSE_NORMALIZATION" => {
                let size = 2 * i64::from(options.int(0, 0)) + 1;
                let inputs = vec![self.name(it, 0)?];
                let attributes = vec![
                    int("size", size),
                    float("bias", options.float(1)),
                    // Of the sum there, of the mean here.
                    float("alpha", times(options.float(2), size)),
                    float("beta", options.float(3)),
                ];
                self.sliding("LRN", it, inputs, attributes, None)
            }
            "SOFTMAX" => match options.float(0) {
                1.0 => self.unary("Softmax", it, [int("axis", -1)]),
                beta => Err(format!(
                    "it multiplies its scores by {beta}: `softmax` by 1"
                )),
            },
            "LOG_SOFTMAX" => self.unary("LogSoftmax", it, [int("axis", -1)]),
            "DEPTH_TO_SPACE" | "SPACE_TO_DEPTH" => {
                let kind = match kind {
                    "DEPTH_TO_SPACE" => "DepthToSpace",
                    _ => "SpaceToDepth",
                };
                let size = int("blocksize", i64::from(options.int(0, 0)));
                let inputs = vec![self.name(it, 0)?];
                self.sliding(kind, it, inputs, vec![size], None)
            }
            "RELU" => self.unary("Relu", it, []),
            "RELU6" => self.unary("Clip", it, bounds(0.0, 6.0)),
            "RELU_N1_TO_1" => self.unary("Clip", it, bounds(-1.0, 1.0)),
            "RELU_0_TO_1" => self.unary("Clip", it, bounds(0.0, 1.0)),
            "PRELU" => {
                let slopes = self.constant(it, 1)?.ok_or("its slopes are computed")?;
                let (x, name) = (self.name(it, 0)?, format!("{}::slopes", it.y));
                self.out.constants.insert(name.clone(), slopes);
                let at = self.out.nodes.len();
                self.out.node("PRelu", vec![x, name], &it.y, []);
                self.call_by_weights(at, it);
                Ok(())
            }
            "TANH" => self.unary("Tanh", it, []),
            "LOGISTIC" => self.unary("Sigmoid", it, []),
            "HARD_SWISH" => self.unary("HardSwish", it, []),
            "ELU" => self.unary("Elu", it, []),
            "LEAKY_RELU" => self.unary("LeakyRelu", it, [float("alpha", options.float(0))]),
            "GELU" => match options.byte(0) {
                0 => self.unary("Gelu", it, []),
                _ => self.unary("Gelu", it, [text("approximate", "tanh")]),
            },
            "DEQUANTIZE" | "QUANTIZE" | "DENSIFY" => {
                let from = it.inputs.first().map(|&at| at as usize);
                let from = from.map(|at| self.same.get(&at).copied().unwrap_or(at));
                let constant =
                    from.filter(|at| self.tensors.get(*at).is_some_and(Tensor::is_constant));
                match constant {
                    None => self.unary("Identity", it, []),
                    Some(from) => {
                        let to = self.tensors.iter().position(|tensor| tensor.name == it.y);
                        self.same.extend(to.map(|to| (to, from)));
                        Ok(())
                    }
                }
            }
            _ => Err(String::new()),
        }
    }

    fn fully_connected(&mut self, it: &Operator<'_>) -> Result<(), String> {
        if it.options.byte(1) != 0 {
            return Err("its weights are shuffled for one kind of processor".into());
        }
        let activation = activation(it.options, 0)?;
        let weights = self.constant(it, 1)?.ok_or("its weights are computed")?;
        let x = self.shape(it, 0)?;
        let reads = weights.dims.get(1).copied();
        let (y, x_flat) = (&it.y, format!("{}::x", it.y));
        // Along the depth of a volume it is a conv of 1x1.
        if let (&[_, _, _, depth], [_, _, _, k]) = (x, it.shape)
            && x[..3] != [1; 3]
            && reads == Some(depth)
        {
            let filters = weights.reshaped(vec![*k, depth, 1, 1]);
            let filters = filters.ok_or("its weights do not fit its output")?;
            let inputs = self.filters_and_bias(it, filters, 2)?;
            return self.sliding("Conv", it, inputs, Vec::new(), activation);
        }
        let x = self.name(it, 0)?;
        self.out.node("Flatten", vec![x], &x_flat, None);
        let mut inputs = self.filters_and_bias(it, weights, 2)?;
        inputs[0] = x_flat;
        let flat = format!("{y}::flat");
        let deep = it.shape.len() == 4;
        let written = if deep { &flat } else { y };
        let (at, attributes) = (self.out.nodes.len(), vec![int("transB", 1)]);
        self.node_activated("Gemm", inputs, written, attributes, activation);
        self.call_by_weights(at, it);
        if deep {
            let shape: Vec<i64> = it.shape.iter().map(|&size| size as i64).collect();
            self.out
                .node("Reshape", vec![flat], y, [ints("shape", &shape)]);
        }
        Ok(())
    }

    /// Inputs: the shape of the output, filters, what it reads, and perhaps biases.
    fn transpose_conv(&mut self, it: &Operator<'_>) -> Result<(), String> {
        let filters = self.weights(it, 1, &[3, 0, 1, 2], "filters")?;
        let &[_, _, height, width] = filters.dims.as_slice() else {
            return Err("its filters have not four axes".into());
        };
        let (x, stride) = (
            self.shape(it, 2)?,
            [2, 1].map(|id| it.options.int(id, 0).max(0) as usize),
        );
        let (&[_, rows, columns, _], &[_, down, across, _]) = (x, it.shape) else {
            return Err("it does not write a volume of a known size".into());
        };
        // What of all that is stamped is not kept, in front and behind, and what there is more behind it: `SAME` keeps the
        // middle, the larger half cut off behind, `VALID` the beginning.
        let valid = it.options.byte(0) != 0;
        let ends = |from: usize, to: usize, filter: usize, stride: usize| {
            let stamped = from.checked_sub(1)?.checked_mul(stride)?;
            let stamped = stamped.checked_add(filter)?;
            let cut = i64::try_from(stamped.saturating_sub(to)).ok()?;
            let front = if valid { 0 } else { cut / 2 };
            let more = i64::try_from(to.saturating_sub(stamped)).ok()?;
            Some(([front, cut - front], more))
        };
        let too_large = "it stamps more than can be";
        let ([top, bottom], below) = ends(rows, down, height, stride[0]).ok_or(too_large)?;
        let ([left, right], beside) = ends(columns, across, width, stride[1]).ok_or(too_large)?;
        let mut inputs = self.filters_and_bias(it, filters, 3)?;
        inputs[0] = self.name(it, 2)?;
        let attributes = vec![
            ints("strides", &stride.map(|it| it as i64)),
            ints("pads", &[top, left, bottom, right]),
            ints("output_padding", &[below, beside]),
        ];
        self.sliding(
            "ConvTranspose",
            it,
            inputs,
            attributes,
            activation(it.options, 3)?,
        )
    }

    /// Where it begins, and how much it takes or where it ends.
    fn slice(&mut self, kind: &str, it: &Operator<'_>) -> Result<(), String> {
        let [mut starts, mut ends] = [1, 2].map(|at| {
            self.numbers(it, at, "where it begins or ends")
                .unwrap_or_default()
        });
        let shape = self.shape(it, 0)?;
        if [starts.len(), ends.len()] != [shape.len(); 2] {
            return Err("where it begins or ends is not known".into());
        }
        let axes = starts.iter_mut().zip(&mut ends).zip(shape).enumerate();
        for (axis, ((start, end), &size)) in axes {
            let bit = 1_i32.checked_shl(axis as u32).unwrap_or(0);
            let marked = |id: usize| it.options.int(id, 0) & bit != 0;
            match kind {
                "SLICE" if *end == -1 => *end = size as i64,
                "SLICE" => *end = end.saturating_add(*start),
                _ if marked(2) || marked(3) || marked(4) => {
                    return Err("it adds an axis, or takes one away".into());
                }
                _ => {
                    *start = if marked(0) { 0 } else { *start };
                    *end = if marked(1) { size as i64 } else { *end };
                }
            }
        }
        let steps = match kind {
            "SLICE" => Vec::new(),
            _ => self.numbers(it, 3, "its strides")?,
        };
        let ends = [ints("starts", &starts), ints("ends", &ends)];
        if steps.iter().any(|&step| step != 1) {
            let why = text("why", "it leaves some out in between");
            return self.unary(
                kind,
                it,
                ends.into_iter().chain([ints("steps", &steps), why]),
            );
        }
        self.unary("Slice", it, ends)
    }

    fn pad(&mut self, it: &Operator<'_>) -> Result<(), String> {
        let pads = self.numbers(it, 1, "how much it pads")?;
        let &[0, 0, top, bottom, left, right, front, back] = pads.as_slice() else {
            return Err(format!(
                "it pads by {pads:?}: a volume has a height, a width and a depth"
            ));
        };
        let value = match it.inputs.len() {
            0..3 => 0.0,
            _ => match self.constant(it, 2)?.as_ref().and_then(Array::as_floats) {
                Some(&[value]) => value,
                _ => return Err("with what it pads is computed".into()),
            },
        };
        let pads = ints("pads", &[0, front, top, left, 0, back, bottom, right]);
        let inputs = vec![self.name(it, 0)?];
        self.sliding("Pad", it, inputs, vec![pads, float("value", value)], None)
    }

    /// To the size that its second input says; fields `corners` and the next say what the corners are.
    fn resize(&mut self, it: &Operator<'_>, mode: &str, corners: usize) -> Result<(), String> {
        let size = self.numbers(it, 1, "its size")?;
        let (&[_, _, _, depth], &[height, width]) = (self.shape(it, 0)?, size.as_slice()) else {
            return Err("it does not resize a volume".into());
        };
        let sizes = format!("{}::sizes", it.y);
        let to = vec![1, depth as i64, height, width];
        self.out.constants.insert(sizes.clone(), Array::ints(to));
        let place = match [corners, corners + 1].map(|id| it.options.byte(id) != 0) {
            [true, _] => "align_corners",
            [_, true] => "half_pixel",
            _ => "asymmetric",
        };
        let mut attributes = vec![
            text("mode", mode),
            text("coordinate_transformation_mode", place),
        ];
        if mode == "nearest" {
            let nearest = if place == "asymmetric" {
                "floor"
            } else {
                "round_prefer_ceil"
            };
            attributes.push(text("nearest_mode", nearest));
        }
        let inputs = vec![self.name(it, 0)?, String::new(), String::new(), sizes];
        self.sliding("Resize", it, inputs, attributes, None)
    }

    /// A sum or a product. With `turn`, the second is a constant, and it is turned first; of a volume, or of a constant
    /// in front, there is no such layer.
    fn of_two(
        &mut self,
        kind: &str,
        it: &Operator<'_>,
        turn: Option<Turn<'_>>,
    ) -> Result<(), String> {
        let mut inputs = Vec::new();
        let arrays = [self.constant(it, 0)?, self.constant(it, 1)?];
        let why = match (&arrays, turn) {
            ([Some(_), _], Some(_)) => Some("its first operand is a constant"),
            ([None, None], Some(_)) => Some("of two volumes there is a sum or a product"),
            _ => None,
        };
        for (at, array) in arrays.into_iter().enumerate() {
            let own = self.name(it, at)?;
            inputs.push(match (array, turn.filter(|_| why.is_none())) {
                (None, _) => own,
                (Some(array), None) => {
                    self.out.constants.insert(own.clone(), array);
                    own
                }
                (Some(mut array), Some((_, turn))) => {
                    if let Data::Float(data) = &mut array.data {
                        data.iter_mut().for_each(|it| *it = turn(*it));
                    }
                    let name = format!("{}::by{at}", it.y);
                    self.out.constants.insert(name.clone(), array);
                    name
                }
            });
        }
        let (kind, attributes) = match (why, turn) {
            (Some(why), Some((kind, _))) => (kind, vec![text("why", why)]),
            _ => (kind, Vec::new()),
        };
        self.activated(kind, it, inputs, attributes, activation(it.options, 0)?);
        Ok(())
    }

    /// The larger or the smaller of each number and one that is the same for all; or of two volumes.
    fn bound(&mut self, it: &Operator<'_>, name: &str) -> Result<(), String> {
        for (x, by) in [(0, 1), (1, 0)] {
            if let Some(array) = self.constant(it, by)?
                && let Some(&[by]) = array.as_floats()
            {
                let x = self.name(it, x)?;
                self.out.node("Clip", vec![x], &it.y, [float(name, by)]);
                return Ok(());
            }
        }
        Err(String::new())
    }

    fn unary(
        &mut self,
        kind: &str,
        it: &Operator<'_>,
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> Result<(), String> {
        let x = self.name(it, 0)?;
        self.out.node(kind, vec![x], &it.y, attributes);
        Ok(())
    }

    /// A node that wants the depth second.
    fn sliding(
        &mut self,
        kind: &str,
        it: &Operator<'_>,
        inputs: Vec<String>,
        attributes: Vec<Attribute>,
        activation: Option<Activation>,
    ) -> Result<(), String> {
        let raw = match activation {
            None => it.y.clone(),
            Some(_) => format!("{}::raw", it.y),
        };
        let at = self.out.sliding(kind, inputs, &raw, attributes)?;
        if kind.starts_with("Conv") {
            self.call_by_weights(at, it);
        }
        if let Some((fused, its)) = activation {
            self.out.node(fused, vec![raw], &it.y, its);
        }
        Ok(())
    }

    fn activated(
        &mut self,
        kind: &str,
        it: &Operator<'_>,
        inputs: Vec<String>,
        attributes: Vec<Attribute>,
        activation: Option<Activation>,
    ) {
        self.node_activated(kind, inputs, &it.y, attributes, activation);
    }

    /// A node that writes `y` with what is fused to it.
    fn node_activated(
        &mut self,
        kind: &str,
        inputs: Vec<String>,
        y: &str,
        attributes: Vec<Attribute>,
        activation: Option<Activation>,
    ) {
        match activation {
            None => self.out.node(kind, inputs, y, attributes),
            Some((fused, its)) => {
                let raw = format!("{y}::raw");
                self.out.node(kind, inputs, &raw, attributes);
                self.out.node(fused, vec![raw], y, its);
            }
        }
    }

    /// By the name of its weights one knows a layer again; several may be joined by `;`.
    fn call_by_weights(&mut self, node: usize, it: &Operator<'_>) {
        let weights = it.inputs.get(1).and_then(|&at| self.at(at));
        if let (Some(node), Some(weights)) = (self.out.nodes.get_mut(node), weights) {
            let name = weights.name.split(';').next().unwrap_or_default();
            // As `convnet_tflite` calls them.
            let [filters, slopes] = [".filters", ".slope"].map(|field| name.strip_suffix(field));
            node.name = filters.or(slopes).unwrap_or(name).to_owned();
        }
    }

    fn at(&self, at: i32) -> Option<&'a Tensor<'a>> {
        let at = usize::try_from(at).ok()?;
        self.tensors.get(self.same.get(&at).copied().unwrap_or(at))
    }

    fn input(&self, it: &Operator<'_>, at: usize) -> Result<&'a Tensor<'a>, String> {
        let tensor = it.inputs.get(at).and_then(|&at| self.at(at));
        tensor.ok_or_else(|| format!("its input {at} is missing"))
    }

    fn name(&self, it: &Operator<'_>, at: usize) -> Result<String, String> {
        Ok(self.input(it, at)?.name.clone())
    }

    fn shape(&self, it: &Operator<'_>, at: usize) -> Result<&'a [usize], String> {
        Ok(&self.input(it, at)?.shape)
    }

    /// Input `at`, if it is there and a constant.
    fn constant(&mut self, it: &Operator<'_>, at: usize) -> Result<Option<Array>, String> {
        let Some(tensor) = it.inputs.get(at).and_then(|&at| self.at(at)) else {
            return Ok(None);
        };
        let array = tensor.values(self.most)?;
        self.most -= array.as_ref().map_or(0, Array::len);
        Ok(array)
    }

    /// Input `at`, whole numbers.
    fn numbers(&mut self, it: &Operator<'_>, at: usize, what: &str) -> Result<Vec<i64>, String> {
        let array = self.constant(it, at)?;
        let numbers = array.as_ref().and_then(Array::as_ints);
        let numbers = numbers.ok_or_else(|| format!("{what}: computed, and not known"))?;
        Ok(numbers.to_vec())
    }

    /// Input `at`, numbers in another order of their axes.
    fn weights(
        &mut self,
        it: &Operator<'_>,
        at: usize,
        order: &[usize],
        what: &str,
    ) -> Result<Array, String> {
        let array = self.constant(it, at)?;
        let array = array.ok_or_else(|| format!("its {what} are computed"))?;
        let turned = array.transposed(order);
        turned.ok_or_else(|| format!("its {what} have the axes {:?}", array.dims))
    }

    /// The inputs of a node: what it reads, filters, and biases if there are any.
    fn filters_and_bias(
        &mut self,
        it: &Operator<'_>,
        filters: Array,
        bias: usize,
    ) -> Result<Vec<String>, String> {
        let mut inputs = vec![self.name(it, 0)?];
        // What `convnet_tflite` writes where there is none.
        let zeros = self.input(it, bias).is_ok_and(|it| {
            // Those of one group are numbered.
            let name = it.name.trim_end_matches(|it: char| it.is_ascii_digit());
            name.ends_with(".zeros") || name.ends_with(".zeros.")
        });
        let bias = self.constant(it, bias)?;
        let is_none = |it: &Array| {
            zeros
                && it
                    .as_floats()
                    .is_some_and(|it| it.iter().all(|&it| it == 0.0))
        };
        let bias = bias.filter(|it| !is_none(it));
        for (what, array) in [("filters", Some(filters)), ("bias", bias)] {
            if let Some(array) = array {
                let name = format!("{}::{what}", it.y);
                self.out.constants.insert(name.clone(), array);
                inputs.push(name);
            }
        }
        Ok(inputs)
    }
}

/// The sum of so many numbers that are rounded: of the products nearby that are as much each, the one that is the shortest
/// to write.
pub(super) fn times(each: f32, count: i64) -> f32 {
    let product = each * count as f32;
    let gives = |it: &f32| {
        let written = it.to_string().parse().unwrap_or(f64::from(*it));
        (written / count as f64) as f32 == each
    };
    let near = [product, product.next_down(), product.next_up()];
    let near = near.into_iter().filter(gives);
    near.min_by_key(|it| it.to_string().len())
        .unwrap_or(product)
}

/// The only one of some numbers.
fn scalar(numbers: &[i64]) -> Result<i64, String> {
    match numbers {
        &[one] => Ok(one),
        _ => Err("its axis is not one".into()),
    }
}

/// What an operator is called.
pub(super) fn name(codes: &[Table<'_>], operator: Table<'_>) -> String {
    let Some(code) = codes.get(operator.int(0, 0) as usize) else {
        return "an operator that is not listed".into();
    };
    // Older files have no more than a byte for it.
    let at = (code.int(3, 0).max(0) as usize).max(usize::from(code.byte(0)));
    match NAMES.get(at) {
        Some(_) if at == CUSTOM => code.text(1).to_owned(),
        Some(name) => (*name).to_owned(),
        None => format!("operator {at}"),
    }
}

/// An operator, and what it makes of its second operand, for a sum or a product to do the same.
type Turn<'a> = (&'a str, fn(f32) -> f32);

/// A node without weights that is fused to another.
type Activation = (&'static str, Vec<Attribute>);

fn activation(options: Table<'_>, id: usize) -> Result<Option<Activation>, String> {
    Ok(Some(match options.byte(id) {
        0 => return Ok(None),
        1 => ("Relu", Vec::new()),
        2 => ("Clip", bounds(-1.0, 1.0).to_vec()),
        3 => ("Clip", bounds(0.0, 6.0).to_vec()),
        // The schema has a `tanh` too, which no runtime computes.
        other => return Err(format!("the activation {other} is fused to it")),
    }))
}

/// Padding, strides and dilations, height before width.
fn window(
    options: Table<'_>,
    strides: [usize; 2],
    dilations: Option<[usize; 2]>,
) -> Vec<Attribute> {
    let read = |ids: [usize; 2], default: i32| ids.map(|id| i64::from(options.int(id, default)));
    let around = match options.byte(0) {
        0 => "SAME_UPPER",
        _ => "VALID",
    };
    let dilations = dilations.map(|ids| ints("dilations", &read(ids, 1)));
    [text("auto_pad", around), ints("strides", &read(strides, 0))]
        .into_iter()
        .chain(dilations)
        .collect()
}
