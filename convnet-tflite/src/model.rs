//! A model as tensors and operators, by the numbers of the schema (`schema.fbs`, TensorFlow Lite 2.18).

use std::collections::HashMap;

use crate::flatbuffer::{self, Table, Value};

/// A builtin operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    code: i32,
    /// Which table its options are; 0 is none.
    options: i32,
    /// The field of the activation that can be fused to it.
    fused: Option<usize>,
}

const fn kind(code: i32, options: i32) -> Kind {
    let fused = None;
    Kind {
        code,
        options,
        fused,
    }
}

impl Kind {
    const fn fused(self, field: usize) -> Self {
        let fused = Some(field);
        Self { fused, ..self }
    }
}

pub(crate) const ADD: Kind = kind(0, 11).fused(0);
pub(crate) const AVERAGE_POOL_2D: Kind = kind(1, 5).fused(5);
pub(crate) const CONCATENATION: Kind = kind(2, 10);
pub(crate) const CONV_2D: Kind = kind(3, 1).fused(3);
pub(crate) const DEPTHWISE_CONV_2D: Kind = kind(4, 2).fused(4);
pub(crate) const DEPTH_TO_SPACE: Kind = kind(5, 94);
pub(crate) const FULLY_CONNECTED: Kind = kind(9, 8).fused(0);
pub(crate) const LOCAL_RESPONSE_NORMALIZATION: Kind = kind(13, 13);
pub(crate) const LOGISTIC: Kind = kind(14, 0);
pub(crate) const MAX_POOL_2D: Kind = kind(17, 5).fused(5);
pub(crate) const MUL: Kind = kind(18, 21).fused(0);
pub(crate) const RELU: Kind = kind(19, 0);
pub(crate) const RELU_N1_TO_1: Kind = kind(20, 0);
pub(crate) const RELU6: Kind = kind(21, 0);
pub(crate) const RESHAPE: Kind = kind(22, 17);
pub(crate) const RESIZE_BILINEAR: Kind = kind(23, 15);
pub(crate) const SOFTMAX: Kind = kind(25, 9);
pub(crate) const SPACE_TO_DEPTH: Kind = kind(26, 19);
pub(crate) const TANH: Kind = kind(28, 0);
pub(crate) const GATHER: Kind = kind(36, 23);
pub(crate) const PAD: Kind = kind(34, 22);
pub(crate) const TRANSPOSE: Kind = kind(39, 26);
pub(crate) const MEAN: Kind = kind(40, 27);
pub(crate) const SUB: Kind = kind(41, 28).fused(0);
pub(crate) const STRIDED_SLICE: Kind = kind(45, 32);
pub(crate) const EXP: Kind = kind(47, 0);
pub(crate) const LOG_SOFTMAX: Kind = kind(50, 36);
pub(crate) const CAST: Kind = kind(53, 37);
pub(crate) const PRELU: Kind = kind(54, 0);
pub(crate) const MAXIMUM: Kind = kind(55, 39);
pub(crate) const MINIMUM: Kind = kind(57, 39);
pub(crate) const NEG: Kind = kind(59, 0);
pub(crate) const PADV2: Kind = kind(60, 43);
pub(crate) const SLICE: Kind = kind(65, 48);
pub(crate) const TRANSPOSE_CONV: Kind = kind(67, 49);
pub(crate) const LOG: Kind = kind(73, 0);
pub(crate) const RSQRT: Kind = kind(76, 0);
pub(crate) const POW: Kind = kind(78, 56);
pub(crate) const REDUCE_MAX: Kind = kind(82, 27);
pub(crate) const RESIZE_NEAREST_NEIGHBOR: Kind = kind(97, 74);
pub(crate) const LEAKY_RELU: Kind = kind(98, 75);
pub(crate) const SQUARED_DIFFERENCE: Kind = kind(99, 76);
pub(crate) const ABS: Kind = kind(101, 0);
pub(crate) const ELU: Kind = kind(111, 0);
pub(crate) const QUANTIZE: Kind = kind(114, 0);
pub(crate) const HARD_SWISH: Kind = kind(117, 91);
pub(crate) const GELU: Kind = kind(150, 116);
pub(crate) const RELU_0_TO_1: Kind = kind(152, 0);

/// Fused, `RELU` and `RELU6` have these numbers.
pub(crate) const FUSED_RELU: i32 = 1;
pub(crate) const FUSED_RELU6: i32 = 3;

/// A tensor, and its numbers if it is a constant.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Data,
    pub(crate) element: Element,
    /// What bytes stand for.
    pub(crate) steps: Option<Steps>,
}

#[derive(Clone, Debug)]
pub(crate) enum Data {
    Computed,
    Floats(Vec<f32>),
    Ints(Vec<i32>),
    Bytes(Vec<i8>),
}

/// What a tensor is made of, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    F32 = 0,
    I32 = 2,
    I8 = 9,
}

/// A scale for all, or one for each slice along an axis; and the byte that stands for zero.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Steps {
    pub(crate) scales: Vec<f32>,
    pub(crate) zero: i8,
    pub(crate) axis: usize,
}

/// What computes a tensor of others.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) kind: Kind,
    pub(crate) inputs: Vec<usize>,
    pub(crate) output: usize,
    options: Table,
}

impl Operator {
    fn option(&self, id: usize) -> Option<&Value> {
        let found = self.options.iter().find(|(field, _)| *field == id);
        found.map(|(_, value)| value)
    }

    /// Where its biases are among its inputs, if it has filters: these are the second one.
    fn bias(&self) -> Option<usize> {
        match self.kind {
            CONV_2D | DEPTHWISE_CONV_2D | FULLY_CONNECTED => Some(2),
            TRANSPOSE_CONV => Some(3),
            _ => None,
        }
    }
}

/// Its first tensor is the image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) tensors: Vec<Tensor>,
    operators: Vec<Operator>,
    pub(crate) outputs: Vec<usize>,
}

impl Model {
    /// Adds a tensor: its place. What is computed is `f32`, if nothing else is said.
    pub(crate) fn tensor(&mut self, name: String, shape: Vec<usize>, data: Data) -> usize {
        let element = match &data {
            Data::Computed | Data::Floats(_) => Element::F32,
            Data::Ints(_) => Element::I32,
            Data::Bytes(_) => Element::I8,
        };
        self.tensors.push(Tensor {
            name,
            shape,
            data,
            element,
            steps: None,
        });
        self.tensors.len() - 1
    }

    /// Adds an operator: the place of what it writes, which is made of what it reads, and stands for the same.
    pub(crate) fn push(
        &mut self,
        kind: Kind,
        name: String,
        inputs: Vec<usize>,
        shape: Vec<usize>,
        options: Table,
    ) -> usize {
        let is_computed = |it: &&usize| matches!(self.tensors[**it].data, Data::Computed);
        let read = inputs.iter().find(is_computed);
        let read = read.map(|&it| (self.tensors[it].element, self.tensors[it].steps.clone()));
        let output = self.tensor(name, shape, Data::Computed);
        if let Some((element, steps)) = read {
            let written = &mut self.tensors[output];
            (written.element, written.steps) = (element, steps);
        }
        self.operators.push(Operator {
            kind,
            inputs,
            output,
            options,
        });
        output
    }

    /// Gives an activation to the last operator.
    pub(crate) fn activate(&mut self, activation: i32) {
        if let Some(last) = self.operators.last_mut() {
            let field = last.kind.fused;
            last.options
                .extend(field.map(|id| (id, Value::Int(activation))));
        }
    }

    /// Makes one operator of two, where nothing else reads what lies between: filters take what each of their slices is
    /// multiplied by or has added, and an activation is computed by what stands in front of it.
    pub(crate) fn fuse(&mut self) {
        let mut readers = vec![0; self.tensors.len()];
        let inputs = self.operators.iter().flat_map(|it| &it.inputs);
        inputs.chain(&self.outputs).for_each(|&it| readers[it] += 1);
        // Which of those that are kept writes a tensor.
        let mut writers: HashMap<usize, usize> = HashMap::new();
        let mut kept: Vec<Operator> = Vec::new();
        for it in std::mem::take(&mut self.operators) {
            let x = it.inputs[0];
            let writer = writers.get(&x).copied().filter(|_| readers[x] == 1);
            let at = match writer {
                Some(at) if self.takes(&mut kept[at], &it) => {
                    kept[at].output = it.output;
                    at
                }
                _ => {
                    kept.push(it.clone());
                    kept.len() - 1
                }
            };
            writers.insert(it.output, at);
        }
        self.operators = kept;
        self.prune();
    }

    /// Leaves out the tensors that no operator reads or writes any longer.
    fn prune(&mut self) {
        let mut used = vec![false; self.tensors.len()];
        let operators = self.operators.iter();
        let theirs = operators.flat_map(|it| it.inputs.iter().chain([&it.output]));
        theirs.chain(&[0]).for_each(|&it| used[it] = true);
        let mut count = 0;
        let places = used.iter().map(|&it| {
            count += usize::from(it);
            count - usize::from(it)
        });
        let places: Vec<usize> = places.collect();
        let mut kept = used.into_iter();
        self.tensors.retain(|_| kept.next().unwrap_or(false));
        let all = self.operators.iter_mut();
        let all = all.flat_map(|it| it.inputs.iter_mut().chain([&mut it.output]));
        all.chain(&mut self.outputs)
            .for_each(|it| *it = places[*it]);
    }

    /// Whether `first` computes what `then` would.
    fn takes(&mut self, first: &mut Operator, then: &Operator) -> bool {
        if first
            .kind
            .fused
            .is_some_and(|id| first.option(id).is_some())
        {
            return false;
        }
        let activation = match then.kind {
            RELU => FUSED_RELU,
            RELU_N1_TO_1 => 2,
            RELU6 => FUSED_RELU6,
            MUL | ADD => return self.rescales(first, then),
            _ => return false,
        };
        first
            .options
            .extend(first.kind.fused.map(|id| (id, Value::Int(activation))));
        first.kind.fused.is_some()
    }

    /// The same of a factor or a summand for each slice.
    fn rescales(&mut self, first: &mut Operator, then: &Operator) -> bool {
        let by = &self.tensors[then.inputs[1]];
        let (Some(bias), Data::Floats(values), &[slices]) = (first.bias(), &by.data, &by.shape[..])
        else {
            return false;
        };
        let (values, name) = (values.clone(), by.name.clone());
        if then.kind == MUL {
            let weights = &mut self.tensors[first.inputs[1]].data;
            if let Data::Floats(weights) = weights {
                // Filter by filter, but for one a slice.
                let each = match first.kind {
                    DEPTHWISE_CONV_2D => 1,
                    _ => weights.len() / slices,
                };
                let weights = weights.iter_mut().enumerate();
                weights.for_each(|(at, it)| *it *= values[at / each % slices]);
            }
        }
        let bias = &mut self.tensors[first.inputs[bias]];
        if let Data::Floats(biases) = &mut bias.data {
            let pairs = biases.iter_mut().zip(values);
            match then.kind {
                MUL => pairs.for_each(|(it, by)| *it *= by),
                _ => {
                    pairs.for_each(|(it, by)| *it += by);
                    bias.name = name;
                }
            }
        }
        true
    }

    #[cfg(test)]
    pub(crate) fn operators(&self) -> &[Operator] {
        &self.operators
    }

    #[cfg(test)]
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        self.operators.iter().map(|it| it.kind).collect()
    }

    /// Of an operator, the first version that computes this.
    fn version(&self, it: &Operator) -> i32 {
        let depth = |at: usize| self.tensors[it.inputs[at]].shape.last();
        let is_set = |id: usize| matches!(it.option(id), Some(Value::Int(1)));
        let is_int8 = self.tensors[it.inputs[0]].element == Element::I8;
        match it.kind {
            // In groups.
            CONV_2D if depth(0) != depth(1) => 6,
            CONV_2D | DEPTHWISE_CONV_2D | CAST if is_int8 => 3,
            FULLY_CONNECTED if is_int8 => 4,
            // With gaps.
            DEPTHWISE_CONV_2D if !is_set(5) || !is_set(6) => 2,
            // With biases.
            TRANSPOSE_CONV => 3,
            // Of pixels that are squares.
            RESIZE_BILINEAR if is_set(3) => 3,
            RESIZE_NEAREST_NEIGHBOR if is_set(1) => 3,
            RESHAPE | QUANTIZE | LEAKY_RELU | HARD_SWISH | DEPTH_TO_SPACE => 1,
            // What is multiplied by one and more.
            MUL if is_int8 && self.grows(it) => 3,
            _ if is_int8 => 2,
            _ => 1,
        }
    }

    /// Whether a step of an int8 product is not larger than the product of two steps.
    fn grows(&self, it: &Operator) -> bool {
        let scale = |at: usize| {
            self.tensors[at]
                .steps
                .as_ref()
                .map_or(1.0, |it| it.scales[0])
        };
        scale(it.inputs[0]) * scale(it.inputs[1]) / scale(it.output) >= 1.0
    }

    /// The bytes of its file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        use Value::{Bytes, Floats, Int, Ints, Longs, Tables, Text};

        // What is computed has the first one.
        let mut buffers = vec![Table::new()];
        let tensors = self.tensors.iter().map(|it| {
            let data: Vec<u8> = match &it.data {
                Data::Computed => Vec::new(),
                Data::Floats(all) => all.iter().flat_map(|it| it.to_le_bytes()).collect(),
                Data::Ints(all) => all.iter().flat_map(|it| it.to_le_bytes()).collect(),
                Data::Bytes(all) => all.iter().map(|it| it.cast_unsigned()).collect(),
            };
            let mut buffer = 0;
            if !data.is_empty() {
                buffer = buffers.len() as i32;
                buffers.push(vec![(0, Bytes(data))]);
            }
            let mut fields = vec![
                (0, ints(&it.shape)),
                (1, Int(it.element as i32)),
                (2, Int(buffer)),
                (3, Text(it.name.clone())),
            ];
            if let Some(Steps { scales, zero, axis }) = &it.steps {
                let zeros = vec![i64::from(*zero); scales.len()];
                let steps = vec![
                    (2, Floats(scales.clone())),
                    (3, Longs(zeros)),
                    (6, Int(*axis as i32)),
                ];
                fields.push((4, Value::Table(steps)));
            }
            fields
        });
        let tensors = Tables(tensors.collect());
        let mut codes: Vec<(i32, i32)> = Vec::new();
        let operators = self.operators.iter().map(|it| {
            let code = (it.kind.code, self.version(it));
            let index = codes.iter().position(|known| *known == code);
            let index = index.unwrap_or_else(|| {
                codes.push(code);
                codes.len() - 1
            });
            let mut fields = vec![
                (0, Int(index as i32)),
                (1, ints(&it.inputs)),
                (2, ints(&[it.output])),
            ];
            if it.kind.options != 0 {
                fields.push((3, Int(it.kind.options)));
                fields.push((4, Value::Table(it.options.clone())));
            }
            fields
        });
        let operators = Tables(operators.collect());
        // The first field is a byte, which older readers look at.
        let codes = codes.into_iter().map(|(code, version)| {
            vec![(0, Int(code.min(127))), (2, Int(version)), (3, Int(code))]
        });
        let codes = Tables(codes.collect());
        let named = |all: &[usize]| {
            let one = |&at: &usize| {
                vec![
                    (0, Text(self.tensors[at].name.clone())),
                    (1, Int(at as i32)),
                ]
            };
            Tables(all.iter().map(one).collect())
        };
        let graph = vec![
            (0, tensors),
            (1, Ints(vec![0])),
            (2, ints(&self.outputs)),
            (3, operators),
            (4, Text("main".into())),
        ];
        let signature = vec![
            (0, named(&[0])),
            (1, named(&self.outputs)),
            (2, Text("serving_default".into())),
            (4, Int(0)),
        ];
        let description = concat!("convnet ", env!("CARGO_PKG_VERSION"));
        let model = vec![
            (0, Int(3)),
            (1, codes),
            (2, Tables(vec![graph])),
            (3, Text(description.into())),
            (4, Tables(buffers)),
            (7, Tables(vec![signature])),
        ];
        flatbuffer::file(&model, *b"TFL3")
    }
}

fn ints(all: &[usize]) -> Value {
    Value::Ints(all.iter().map(|&it| it as i32).collect())
}
