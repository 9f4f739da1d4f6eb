//! A file of ONNX as a list of steps, for those that read none.

use std::collections::HashMap;
use std::path::Path;

use tract_onnx::pb::{GraphProto, ModelProto, NodeProto, TensorProto};
use tract_onnx::prelude::Framework;
use tract_onnx::tract_core::internal::DimLike;
use tract_onnx::tract_hir::infer::Factoid;

use crate::Result;

/// What a step does with what it reads.
pub enum Op {
    /// Of filters `[filters, depth, height, width]`.
    Conv {
        filters: Array,
        bias: Vec<f32>,
        window: Window,
        groups: usize,
    },
    MaxPool(Window),
    /// The mean of each slice.
    Mean,
    /// A matrix `[classes, inputs]`.
    Gemm {
        matrix: Array,
        bias: Vec<f32>,
    },
    Relu,
    Clip(f32, f32),
    Sigmoid,
    Add,
    Mul,
    Concat,
    /// A volume as one axis.
    Flatten,
}

pub struct Array {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

#[derive(Clone, Copy)]
pub struct Window {
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    /// Before and after, on each axis.
    pub pads: [(usize, usize); 2],
    pub rounds_up: bool,
}

pub struct Step {
    pub op: Op,
    /// Of which earlier values, by their places in the list; 0 is the image, and step `n` makes `n + 1`.
    pub reads: Vec<usize>,
}

/// Depth, height and width of the image.
pub fn input(path: &Path) -> Result<[usize; 3]> {
    let shape = tract_onnx::onnx()
        .model_for_path(path)?
        .input_fact(0)?
        .shape
        .clone();
    let sizes = shape
        .dims()
        .skip(1)
        .map(|size| size.concretize().and_then(|size| size.to_usize().ok()));
    let sizes: Option<Vec<_>> = sizes.collect();
    Ok(sizes
        .and_then(|sizes| sizes.try_into().ok())
        .ok_or("the input is no image")?)
}

pub fn read(path: &Path) -> Result<Vec<Step>> {
    let ModelProto { graph, .. } = tract_onnx::onnx().proto_model_for_path(path)?;
    let GraphProto {
        node,
        initializer,
        input,
        ..
    } = graph.ok_or("no graph")?;
    let tensors: HashMap<_, _> = initializer
        .iter()
        .map(|tensor| (&*tensor.name, tensor))
        .collect();
    let mut places = HashMap::from([(input[0].name.clone(), 0)]);
    let mut steps: Vec<Step> = Vec::new();
    for node in &node {
        let place = if node.op_type == "BatchNormalization" {
            let numbers = node.input[1..]
                .iter()
                .map(|name| array(&tensors, name).map(|it| it.data));
            let [gamma, beta, mean, variance] = numbers
                .collect::<Result<Vec<_>>>()?
                .try_into()
                .map_err(|_| "four")?;
            let place = places[&node.input[0]];
            let Op::Conv { filters, bias, .. } = &mut steps[place - 1].op else {
                return Err("batch norm behind no conv".into());
            };
            let each = filters.data.len() / bias.len();
            for (k, filter) in filters.data.chunks_exact_mut(each).enumerate() {
                let scale = gamma[k] / (variance[k] + number(node, "epsilon", 1e-5)).sqrt();
                filter.iter_mut().for_each(|weight| *weight *= scale);
                bias[k] = (bias[k] - mean[k]) * scale + beta[k];
            }
            place
        } else {
            let reads = node
                .input
                .iter()
                .filter_map(|name| places.get(name).copied())
                .collect();
            steps.push(Step {
                op: op(node, &tensors)?,
                reads,
            });
            steps.len()
        };
        places.insert(node.output[0].clone(), place);
    }
    Ok(steps)
}

fn op(node: &NodeProto, tensors: &HashMap<&str, &TensorProto>) -> Result<Op> {
    let tensor = |at: usize| array(tensors, &node.input[at]);
    let bias = |count| match node.input.len() {
        3 => tensor(2).map(|bias| bias.data),
        _ => Ok(vec![0.; count]),
    };
    Ok(match &*node.op_type {
        "Conv" => {
            let filters = tensor(1)?;
            let window = window(node, [filters.shape[2], filters.shape[3]]);
            let groups = ints(node, "group", &[1])[0];
            Op::Conv {
                bias: bias(filters.shape[0])?,
                filters,
                window,
                groups,
            }
        }
        "MaxPool" => Op::MaxPool(window(node, [1, 1])),
        "GlobalAveragePool" => Op::Mean,
        "Gemm" if ints(node, "transB", &[0]) == [1] => {
            let matrix = tensor(1)?;
            Op::Gemm {
                bias: bias(matrix.shape[0])?,
                matrix,
            }
        }
        "Relu" => Op::Relu,
        "Clip" => Op::Clip(tensor(1)?.data[0], tensor(2)?.data[0]),
        "Sigmoid" => Op::Sigmoid,
        "Add" => Op::Add,
        "Mul" => Op::Mul,
        "Concat" => Op::Concat,
        "Flatten" => Op::Flatten,
        other => return Err(format!("no step is made of {other} yet").into()),
    })
}

fn window(node: &NodeProto, size: [usize; 2]) -> Window {
    let pair = |name, or: [usize; 2]| ints(node, name, &or).try_into().expect("a number an axis");
    let pads = ints(node, "pads", &[0; 4]);
    Window {
        size: pair("kernel_shape", size),
        stride: pair("strides", [1; 2]),
        dilation: pair("dilations", [1; 2]),
        pads: [(pads[0], pads[2]), (pads[1], pads[3])],
        rounds_up: ints(node, "ceil_mode", &[0]) == [1],
    }
}

fn ints(node: &NodeProto, name: &str, or: &[usize]) -> Vec<usize> {
    match node.attribute.iter().find(|it| it.name == name) {
        Some(it) if it.ints.is_empty() => vec![it.i as usize],
        Some(it) => it.ints.iter().map(|&it| it as usize).collect(),
        None => or.to_vec(),
    }
}

fn number(node: &NodeProto, name: &str, or: f32) -> f32 {
    node.attribute
        .iter()
        .find(|it| it.name == name)
        .map_or(or, |it| it.f)
}

fn array(tensors: &HashMap<&str, &TensorProto>, name: &str) -> Result<Array> {
    let tensor = tensors
        .get(name)
        .ok_or_else(|| format!("no tensor is called {name}"))?;
    Ok(Array {
        shape: tensor.dims.iter().map(|&size| size as usize).collect(),
        data: match tensor.float_data.is_empty() {
            true => crate::floats(&tensor.raw_data),
            false => tensor.float_data.clone(),
        },
    })
}

/// Runs the steps, each by a function of what it reads. What is read for the last time is given away.
pub fn run<T: Clone>(steps: &[(Vec<usize>, Box<dyn Fn(Vec<T>) -> T>)], image: T) -> T {
    let mut lasts = vec![0; steps.len() + 1];
    for (at, (reads, _)) in steps.iter().enumerate() {
        reads.iter().for_each(|&read| lasts[read] = at);
    }
    let mut values = vec![Some(image)];
    for (at, (reads, step)) in steps.iter().enumerate() {
        let inputs = reads.iter().map(|&read| match lasts[read] == at {
            true => values[read].take(),
            false => values[read].clone(),
        });
        let inputs = inputs
            .collect::<Option<_>>()
            .expect("what is read once at a step");
        values.push(Some(step(inputs)));
    }
    values.pop().flatten().expect("a network of a step or more")
}
