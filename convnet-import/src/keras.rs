//! Keras models: their layers, rewritten as the nodes of ONNX that compute the same.
//!
//! ```text
//!  model.keras ──▶ config.json ──▶ calls of layers ──▶ nodes, which read ─┐
//!  model.h5 ─────▶ an attribute ──┘     groups of arrays ──▶ constants ◀──┘
//! ```
//!
//! Volumes keep their axes, the depth last, as in [`tflite`](crate::tflite). A model inside a model is its layers;
//! a layer that is called twice is two, with the same weights. What is read is what Keras 2 and 3 write: names of
//! classes and of their settings are theirs.

mod archive;
mod calls;
mod layers;
mod settings;
mod weights;

use crate::network::Network;
use crate::nodes::Nodes;
use crate::onnx::{self, Input, translate::Source};
use crate::{ImportError, Options};
use calls::Calls;
use layers::Lowering;

/// Of ONNX's operators, in which the nodes are written.
const OPSET: i64 = 17;

/// Whether a file begins as one of HDF5, or as an archive.
pub(crate) fn is_keras(file: &[u8]) -> bool {
    file.starts_with(archive::HDF5) || file.starts_with(archive::ZIP)
}

/// A model, out of the bytes of its file.
pub(crate) fn read(file: &[u8], options: &Options) -> Result<Network, ImportError> {
    let saved = archive::open(file)?;
    let calls = Calls::of(&saved.model).map_err(ImportError::Format)?;
    let image = match calls.inputs.as_slice() {
        [image] => image,
        images => {
            let names: Vec<&str> = images.iter().map(|it| it.name.as_str()).collect();
            return Err(onnx::several(&names));
        }
    };
    let input = Input {
        name: image.name.clone(),
        dims: onnx::depth_last(&image.name, &image.shape, 0, options)?,
        depth_last: true,
    };
    let mut lowering = Lowering::new(saved.weights, saved.version, &input);
    for call in &calls.all {
        lowering.call(call);
    }
    let Nodes { nodes, constants } = lowering.out;
    let outputs: Vec<&str> = calls.outputs.iter().map(String::as_str).collect();
    let outputs = onnx::wanted(&outputs, &nodes, options)?;
    let needed = onnx::needed(&nodes, &outputs)?;
    let (names, arrays): (Vec<String>, Vec<_>) = constants.into_iter().unzip();
    onnx::translate::network(Source {
        nodes: &needed,
        constants: names.iter().map(String::as_str).zip(arrays).collect(),
        sizes: std::collections::HashMap::new(),
        input,
        outputs: &outputs,
        opset: OPSET,
        declared: None,
        custom: &options.custom,
    })
}
