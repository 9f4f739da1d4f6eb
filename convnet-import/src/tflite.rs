//! TensorFlow Lite models: their operators, rewritten as the nodes of ONNX that compute the same.
//!
//! ```text
//!  x ──CONV_2D, with its relu──▶ y    becomes    x ──Transpose──▶ Conv ──▶ Transpose ──▶ Relu ──▶ y
//! ```
//!
//! Volumes keep their axes, the depth last; where ONNX wants it second there is a `Transpose`, which computes nothing
//! here. From there on it is [`onnx::translate`]. Field numbers are those of `schema.fbs`, TensorFlow Lite 2.18.
//!
//! What is quantized becomes `f32`: weights by their scales, and activations are not rounded. What a model in bytes has
//! beside that, its scales and zero points, is kept by `int8`.

mod int8;
mod operators;
mod patterns;
mod sparse;
mod table;
mod tensor;

use crate::network::Network;
use crate::nodes::Nodes;
use crate::onnx::translate::Source;
use crate::onnx::{self, Input};
use crate::{ImportError, Options};
use operators::Lowering;
use table::Table;

/// What such a file has behind its first four bytes.
pub(crate) const MAGIC: &[u8] = b"TFL3";

/// Of ONNX's operators, in which the nodes are written.
const OPSET: i64 = 17;

/// A model, out of the bytes of its file.
pub(crate) fn read(file: &[u8], options: &Options) -> Result<Network, ImportError> {
    let broken =
        |what: &str| ImportError::Format(format!("of TensorFlow Lite it has the mark, but {what}"));
    let model = Table::root(file).ok_or_else(|| broken("it is cut off"))?;
    let graphs = model.tables(2);
    let [graph] = graphs.as_slice() else {
        return Err(broken(&format!("it has {} graphs", graphs.len())));
    };
    let tensors = tensor::all(file, model, *graph);
    let places = |id: usize| -> Result<Vec<usize>, ImportError> {
        let place = |at: &i32| usize::try_from(*at).ok().filter(|&at| at < tensors.len());
        let all: Option<_> = graph.ints(id).iter().map(place).collect();
        all.ok_or_else(|| broken("an input or an output is a tensor that it has not"))
    };
    let (inputs, outputs) = (places(1)?, places(2)?);

    let codes = model.tables(1);
    let mut lowering = Lowering::new(&tensors, 2 * file.len());
    let mut images = inputs.clone();
    let operators = graph.tables(3);
    for operator in &operators {
        // A vector that is only reshaped to an image is that image.
        let reads =
            |it: &&Table<'_>| it.ints(1).first().map(|&at| at as usize) == images.first().copied();
        if lowering.is_reshape(&codes, *operator)
            && images == inputs
            && let &[image] = images.as_slice()
            && tensors[image].shape.len() != 4
            && operators.iter().filter(reads).count() == 1
            && reads(&operator)
            && let Some(&reshaped) = operator.ints(2).first()
            && let Some(tensor) = tensors.get(reshaped as usize)
            && tensor.shape.len() == 4
        {
            images = vec![reshaped as usize];
            continue;
        }
        lowering.operator(&codes, *operator);
    }
    let names = |places: &[usize]| -> Vec<&str> {
        places.iter().map(|&at| tensors[at].name.as_str()).collect()
    };
    let mut ends = names(&outputs);
    ends.extend(options.output.as_deref());
    let shapes = tensors
        .iter()
        .map(|it| (it.name.as_str(), it.shape.as_slice()));
    let Nodes { nodes, constants } = patterns::joined(lowering.out, &ends, &shapes.collect());
    let outputs = onnx::wanted(&names(&outputs), &nodes, options)?;
    let needed = onnx::needed(&nodes, &outputs)?;
    let image = match images.as_slice() {
        &[image] => &tensors[image],
        _ => return Err(onnx::several(&names(&images))),
    };
    let input = Input {
        name: image.name.clone(),
        // Sizes that are open are 1 there.
        dims: onnx::depth_last(&image.name, &image.shape, 1, options)?,
        depth_last: true,
    };
    let (names, arrays): (Vec<String>, Vec<_>) = constants.into_iter().unzip();
    let constants = names.iter().map(String::as_str).zip(arrays).collect();
    let sizes = tensors
        .iter()
        .map(|it| (it.name.as_str(), it.shape.clone()));
    let mut network = onnx::translate::network(Source {
        nodes: &needed,
        constants,
        sizes: sizes.collect(),
        input,
        outputs: &outputs,
        opset: OPSET,
        declared: None,
        custom: &options.custom,
    })?;
    while let Some(path) = common(&network) {
        for name in network.steps.iter_mut().filter_map(|it| it.name.as_mut()) {
            name.drain(..path);
        }
    }
    network.int8 = int8::of(&tensors, (&codes, &operators), &network);
    Ok(network)
}

/// How long the part is with which all names begin, `model.`, if there is one.
fn common(network: &Network) -> Option<usize> {
    let mut names = network.steps.iter().filter_map(|it| it.name.as_deref());
    let first = names.next()?;
    let path = &first[..=first.find('.')?];
    names
        .all(|name| name.starts_with(path))
        .then_some(path.len())
}
