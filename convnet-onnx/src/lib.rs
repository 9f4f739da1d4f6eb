//! # Networks as ONNX models
//!
//! ```text
//!  Network::GRAPH ──▶ nodes, by the declaration's names ──┐
//!                                                         ├──▶ model.onnx
//!  Parameters ──▶ initializers, depth first ──────────────┘
//! ```
//!
//! [`write()`] makes an [ONNX](https://onnx.ai) file of a network with its weights, for whatever reads such
//! files: ONNX Runtime, OpenVINO, Netron. It computes what `forward` does; `dropout` is gone. Images are `[N,
//! depth, height, width]` there, any number at once, and scores `[N, classes]`. Numbers are `f32`, whatever the
//! network's are. Its metadata have an entry `convnet.lines`, by which `convnet import` finds the declaration's blocks.
//!
//! In `convnet`, this crate is `convnet::onnx` (feature `onnx`):
//!
//! ```
//! # extern crate convnet_core as convnet;
//! # use std::path::PathBuf;
//! # fn export<N: convnet::Network>(net: &N, path: PathBuf) -> Result<(), convnet_onnx::OnnxError> {
//! convnet_onnx::write(net, path)?; // convnet::onnx::write(&*net, "digits.onnx")?;
//! # Ok(())
//! # }
//! ```

#![deny(missing_docs)]

mod export;
#[doc(hidden)]
pub mod proto;

use std::path::{Path, PathBuf};

use convnet_core::graph::Node;
use convnet_core::{AnyVolume, Network, Real};
use prost::Message;

/// The version of the operators that are written: that of ONNX 1.12, 2022. A network with `gelu` has 20, of 2023.
pub const OPSET: i64 = 17;

/// Why a network was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// Layers for which ONNX has no operator, since they are written by hand.
    #[error(
        "ONNX knows nothing of what is written by hand: {}\nwrite the networks before and behind it",
        .0.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    )]
    ByHand(
        /// Their names.
        Vec<String>,
    ),
    /// A network with several outputs that is a layer of another.
    #[error(
        "`{0}` is one of several outputs of a network inside the network: ONNX gives each at the end only"
    )]
    Outputs(
        /// An output's name.
        String,
    ),
    /// A network that is written by hand, and does not say of what layers it is.
    #[error(
        "the network is written by hand, and has no `GRAPH`: only what `convnet!` declares can be written"
    )]
    NoGraph,
    /// A tensor that the graph asks for, and that is not there, or has other axes.
    #[error("there is no tensor `{0}`, of the axes that its layer has")]
    Missing(
        /// Its name.
        String,
    ),
    /// More bytes than such a file can have.
    #[error("the model has {0} bytes: a protocol buffer has 2 GiB at most")]
    TooLarge(
        /// How many.
        usize,
    ),
    /// A file that was not written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Writes `net` as an ONNX model.
///
/// # Errors
///
/// An [`OnnxError`].
pub fn write<N: Network>(net: &N, path: impl AsRef<Path>) -> Result<(), OnnxError> {
    let path = path.as_ref();
    let bytes = to_bytes(net)?;
    std::fs::write(path, bytes).map_err(|source| OnnxError::Io {
        path: path.to_owned(),
        source,
    })
}

/// `net` as the bytes of an ONNX model.
///
/// # Errors
///
/// Any [`OnnxError`] but `Io`.
pub fn to_bytes<N: Network>(net: &N) -> Result<Vec<u8>, OnnxError> {
    let tensor = |name: &str| {
        let place = N::TENSORS.iter().position(|tensor| tensor.name == name)?;
        let values = net.tensor(place).iter();
        let values = values.map(|value| value.widen() as f32).collect();
        Some((N::TENSORS[place].shape.to_vec(), values))
    };
    graph_to_bytes(N::GRAPH, N::Input::SHAPE, tensor)
}

/// The same of a graph that reads `[height, width, depth]`, and of tensors that `tensor` gives by their names,
/// `conv1.filters`, with their axes: of a network that has no type, but was planned while the program runs.
///
/// # Errors
///
/// Any [`OnnxError`] but `Io`.
pub fn graph_to_bytes(
    graph: &[Node<'_>],
    input: [usize; 3],
    tensor: impl Fn(&str) -> Option<(Vec<usize>, Vec<f32>)>,
) -> Result<Vec<u8>, OnnxError> {
    let model = export::model(graph, input, tensor)?;
    match model.encoded_len() {
        bytes if i32::try_from(bytes).is_err() => Err(OnnxError::TooLarge(bytes)),
        _ => Ok(model.encode_to_vec()),
    }
}
