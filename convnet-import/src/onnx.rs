//! ONNX models: what is in the file, and what each of its nodes becomes.

mod attributes;
mod fold;
pub(crate) mod patterns;
mod tensor;
#[cfg(test)]
mod tests;
pub(crate) mod translate;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use prost::Message;

use crate::array::Array;
use crate::blocks::declared;
use crate::network::Network;
use crate::{ImportError, Options};
use attributes::Attributes;
use convnet_onnx::proto::{Dimension, Entry, Graph, LINES, Model, Node, ValueInfo};
use translate::Source;

/// A model, out of the bytes of its file; tensors that lie beside it are in `folder`.
pub(crate) fn read(
    bytes: &[u8],
    folder: Option<&Path>,
    options: &Options,
) -> Result<Network, ImportError> {
    let model = Model::decode(bytes).map_err(|error| ImportError::Format(error.to_string()))?;
    let mut graph = model
        .graph
        .ok_or_else(|| ImportError::Format("there is no graph in it".into()))?;
    patterns::gelu(&mut graph, folder);
    patterns::channel_shuffle(&mut graph, folder);
    patterns::group_norm(&mut graph, folder);
    let versions = model.opset_import.iter();
    let opset = versions
        .filter(|it| it.domain.is_empty() || it.domain == "ai.onnx")
        .map(|it| it.version)
        .max();
    let opset = opset.ok_or_else(|| {
        ImportError::Format("it does not say which version of the operators it means".into())
    })?;
    let all: Vec<&str> = graph.output.iter().map(|it| it.name.as_str()).collect();
    let outputs = wanted(&all, &graph.node, options)?;
    let only = options.output.as_deref().filter(|_| outputs != all);
    let nodes = needed(&graph.node, &outputs)?;
    let translated = |declared: Option<HashSet<&str>>| {
        let mut constants = HashMap::new();
        for initializer in &graph.initializer {
            let array = tensor::decode(initializer, folder)?;
            constants.insert(initializer.name.as_str(), array);
        }
        let input = input(&graph, &nodes, &constants, options)?;
        let ends = graph.value_info.iter().chain(&graph.output);
        translate::network(Source {
            nodes: &nodes,
            constants,
            sizes: ends
                .filter_map(|end| Some((&*end.name, sizes(end)?)))
                .collect(),
            input,
            outputs: &outputs,
            opset,
            declared,
            custom: &options.custom,
        })
    };
    // `convnet_onnx` wrote it.
    let is_lines = |it: &&Entry| it.key == LINES && model.producer == "convnet";
    if let Some(Entry { value: said, .. }) = model.metadata.iter().find(is_lines)
        && let names = said.lines().filter_map(|line| line.split(' ').next())
        && let Ok(network) = translated(Some(names.collect()))
        // Unless somebody else has worked on it since.
        && let Some(items) = declared::lines(&network, said, only)
    {
        return Ok(Network {
            declared: Some(items),
            ..network
        });
    }
    translated(None)
}

/// The outputs to compute.
pub(crate) fn wanted<'a>(
    names: &[&'a str],
    nodes: &[Node],
    options: &'a Options,
) -> Result<Vec<&'a str>, ImportError> {
    match (&options.output, names) {
        (Some(wanted), _) => {
            let written = nodes.iter().flat_map(|node| &node.output);
            match written.into_iter().any(|it| it == wanted) {
                true => Ok(vec![wanted]),
                false => Err(ImportError::Ends(format!(
                    "nothing in this model is called `{wanted}`: its outputs are {names:?}"
                ))),
            }
        }
        (None, []) => Err(ImportError::Ends("the model has no output".into())),
        (None, names) => Ok(names.to_vec()),
    }
}

/// The nodes on which the `outputs` rest, each behind those that it reads.
pub(crate) fn needed<'a>(
    nodes: &'a [Node],
    outputs: &[&str],
) -> Result<Vec<&'a Node>, ImportError> {
    let mut writer: HashMap<&str, usize> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        for name in node.output.iter().filter(|it| !it.is_empty()) {
            writer.insert(name, at);
        }
    }
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut states = vec![State::New; nodes.len()];
    let mut order = Vec::new();
    // A node is looked at twice: before and after what it reads.
    let last = outputs.iter().rev().filter_map(|output| writer.get(output));
    let mut open: Vec<(usize, bool)> = last.map(|&at| (at, false)).collect();
    while let Some((at, read)) = open.pop() {
        if read {
            states[at] = State::Done;
            order.push(&nodes[at]);
            continue;
        }
        match states[at] {
            State::Done => continue,
            State::Open => return Err(ImportError::Format("it reads itself, in a circle".into())),
            State::New => states[at] = State::Open,
        }
        open.push((at, true));
        for name in &nodes[at].input {
            match writer.get(name.as_str()) {
                Some(&from) if states[from] == State::Open => {
                    return Err(ImportError::Format(format!(
                        "`{name}` depends on itself, in a circle"
                    )));
                }
                Some(&from) if states[from] == State::New => open.push((from, false)),
                Some(_) | None => {}
            }
        }
    }
    Ok(order)
}

/// The axes of a volume, the batch as 1, if the file says all others.
fn sizes(end: &ValueInfo) -> Option<Vec<usize>> {
    let shape = end.r#type.as_ref()?.tensor.as_ref()?.shape.as_ref()?;
    let size = |(axis, dim): (usize, &Dimension)| match axis {
        0 => Some(1),
        _ => usize::try_from(dim.value).ok().filter(|&size| size > 0),
    };
    shape.dim.iter().enumerate().map(size).collect()
}

/// The image: its name, its sizes as the model has them, `[1, 3, 224, 224]`.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) dims: Vec<usize>,
    /// Whether the depth is the last of four, as TensorFlow has it.
    pub(crate) depth_last: bool,
}

/// A model that reads more than one.
pub(crate) fn several(names: &[&str]) -> ImportError {
    ImportError::Ends(format!(
        "the model reads {} inputs, {names:?}: a declaration has one",
        names.len()
    ))
}

/// The axes of an image that has its depth last, `[1, height, width, depth]`; its batch is left out, and a size of
/// `open` or less is open.
pub(crate) fn depth_last(
    name: &str,
    shape: &[usize],
    open: usize,
    options: &Options,
) -> Result<Vec<usize>, ImportError> {
    let ends = |what: String| Err(ImportError::Ends(format!("`{name}` {what}")));
    match (shape, options.input) {
        (&[_, h, w, d], None) if [h, w, d].contains(&0) => {
            ends("leaves its size open: give it as depth, height, width, such as 3x224x224".into())
        }
        (&[_, h, w, d], None) => Ok(vec![1, h, w, d]),
        (&[_, h, w, d], Some(given)) => {
            let fixed = [d, h, w];
            let mut both = fixed.iter().zip(given);
            match both.any(|(&it, given)| it != given && it > open) {
                false => Ok(vec![1, given[1], given[2], given[0]]),
                true => ends(format!(
                    "has {fixed:?} as depth, height, width, and {given:?} is given"
                )),
            }
        }
        (&[_, n], None) if n > 0 => Ok(vec![1, n]),
        (shape, _) => ends(format!(
            "has the axes {shape:?}: an image has four (batch, height, width, depth), a vector two"
        )),
    }
}

fn input(
    graph: &Graph,
    nodes: &[&Node],
    constants: &HashMap<&str, Array>,
    options: &Options,
) -> Result<Input, ImportError> {
    let read: HashSet<&str> = nodes
        .iter()
        .flat_map(|node| node.input.iter().map(String::as_str))
        .collect();
    let images: Vec<_> = graph
        .input
        .iter()
        .filter(|it| read.contains(it.name.as_str()) && !constants.contains_key(it.name.as_str()))
        .collect();
    let image = match images.as_slice() {
        [image] => *image,
        images => {
            let names: Vec<&str> = images.iter().map(|it| it.name.as_str()).collect();
            return Err(several(&names));
        }
    };
    let shape = image.r#type.as_ref().and_then(|it| it.tensor.as_ref());
    let shape = shape.and_then(|it| it.shape.as_ref());
    let sizes = shape.map(|it| it.dim.iter().map(|dim| dim.value).collect::<Vec<_>>());
    let written: Option<Vec<Option<usize>>> = sizes.map(|sizes| {
        let known = sizes.iter().map(|&size| usize::try_from(size).ok());
        known.map(|size| size.filter(|&size| size > 0)).collect()
    });
    let turned = |node: &&Node| {
        node.op_type == "Transpose"
            && node.input.first() == Some(&image.name)
            && Attributes::of(node, &["perm"])
                .is_ok_and(|it| it.ints("perm") == Some(&[0, 3, 1, 2]))
    };
    let depth_last = nodes.iter().any(turned);
    // In the order of the model.
    let given = options
        .input
        .map(|[depth, height, width]| match depth_last {
            true => [height, width, depth],
            false => [depth, height, width],
        });
    let dims = match (written, given) {
        (Some(mut dims), given) if dims.len() == 4 => {
            dims[0] = Some(1);
            if let Some(given) = given {
                for (dim, given) in dims[1..].iter_mut().zip(given) {
                    match dim {
                        Some(dim) if *dim != given => {
                            return Err(ImportError::Ends(format!(
                                "`{}` is {dim} where the given size is {given}",
                                image.name
                            )));
                        }
                        _ => *dim = Some(given),
                    }
                }
            }
            dims.into_iter().collect()
        }
        (Some(mut dims), None) if dims.len() == 2 => {
            dims[0] = Some(1);
            dims.into_iter().collect()
        }
        (None, Some([a, b, c])) => Some(vec![1, a, b, c]),
        (Some(dims), _) => {
            return Err(ImportError::Ends(format!(
                "`{}` has {} axes: an image has four (batch, depth, height, width), a vector two",
                image.name,
                dims.len()
            )));
        }
        (None, None) => None,
    };
    let dims = dims.ok_or_else(|| {
        ImportError::Ends(format!(
            "the size of `{}` is open: give it as depth, height, width, such as 3x224x224",
            image.name
        ))
    })?;
    Ok(Input {
        name: image.name.clone(),
        dims,
        depth_last,
    })
}
