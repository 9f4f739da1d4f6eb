//! # Networks as TensorFlow Lite models
//!
//! ```text
//!  Network::GRAPH ──▶ operators ───────────────────────────┐
//!                                                          ├──▶ fused ──▶ model.tflite
//!  Parameters ──▶ constants, by the declaration's names ───┘
//! ```
//!
//! [`write()`] makes a [TensorFlow Lite](https://ai.google.dev/edge/litert) file of a network with its weights, for
//! LiteRT on telephones and small boards, and for whatever else reads such files. It computes what `forward` does;
//! `dropout` is gone, and a `batch_norm` behind filters is part of them. It reads an image `[1, height, width, depth]`,
//! called `image`, and scores are `[1, classes]`. Numbers are `f32`, whatever the network's are. All of it is said by
//! builtin operators, a `group_norm` by several of them.
//!
//! In `convnet`, this crate is `convnet::tflite` (feature `tflite`):
//!
//! ```
//! # extern crate convnet_core as convnet;
//! # use std::path::PathBuf;
//! # fn export<N: convnet::Network>(net: &N, path: PathBuf) -> Result<(), convnet_tflite::TfliteError> {
//! convnet_tflite::write(net, path)?; // convnet::tflite::write(&*net, "digits.tflite")?;
//! # Ok(())
//! # }
//! ```
//!
//! ## Int8
//!
//! [`write_int8`] writes a network's [int8 twin](mod@convnet_core::int8) as a model of bytes, for LiteRT, for TensorFlow Lite
//! Micro, and for the processors that run nothing but such models. Every multiplier that these make of a file's scales is
//! compared with the twin's while it is written, and so TensorFlow Lite Micro, whose arithmetic the twin's is, computes the
//! bytes of `forward`. LiteRT has several kernels for an operator: its reference kernels compute a `sigmoid` and a `tanh`
//! without a table, and round the sums of an `fc` once, where these bytes are rounded twice; its own kernels and XNNPACK
//! round otherwise where a sum lies in the middle of two bytes, and compute `softmax` in `f32`. Their bytes are the same
//! or differ by little.
//!
//! What TensorFlow Lite has no operator for, or one that computes other bytes, is put together: an activation is looked up
//! (`GATHER`) in the twin's table, a `conv` has a `PAD` in front, and an `avg_pool` whose padding is not what `SAME` means,
//! or that has gaps, is a pool for each part of the image that it sees alike.

#![deny(missing_docs)]

mod export;
mod flatbuffer;
mod model;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use convnet_core::graph::Node;
use convnet_core::int8::{Parameters, Quantize, Quantized};
use convnet_core::{AnyVolume, Network, Real};

/// Why a network was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TfliteError {
    /// Layers for which TensorFlow Lite has no operator, since they are written by hand.
    #[error(
        "TensorFlow Lite knows nothing of what is written by hand: {}\nwrite the networks before and behind it",
        .0.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
    )]
    ByHand(
        /// Their names.
        Vec<String>,
    ),
    /// A network with several outputs that is a layer of another.
    #[error(
        "`{0}` is one of several outputs of a network inside the network: a model gives each at the end only"
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
    /// Of an int8 twin, a layer that multiplies or clamps by what TensorFlow Lite would not make of scales.
    #[error(
        "`{0}` computes with numbers that follow from no scales: write a twin that `quantize` has made"
    )]
    Foreign(
        /// The layer's name.
        String,
    ),
    /// More bytes than such a file can have.
    #[error("the model has {0} bytes: a flat buffer has 2 GiB at most")]
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

/// Writes `net` as a TensorFlow Lite model.
///
/// # Errors
///
/// A [`TfliteError`].
pub fn write<N: Network>(net: &N, path: impl AsRef<Path>) -> Result<(), TfliteError> {
    save(path.as_ref(), to_bytes(net)?)
}

fn save(path: &Path, bytes: Vec<u8>) -> Result<(), TfliteError> {
    std::fs::write(path, bytes).map_err(|source| TfliteError::Io {
        path: path.to_owned(),
        source,
    })
}

/// `net` as the bytes of a TensorFlow Lite model.
///
/// # Errors
///
/// Any [`TfliteError`] but `Io`.
pub fn to_bytes<N: Network>(net: &N) -> Result<Vec<u8>, TfliteError> {
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
/// ```
/// use convnet_core::graph::{Node, Op};
///
/// let scores = Node { name: "scores", op: Op::fc(2), volume: [1, 1, 2] };
/// let tensor = |name: &str| match name {
///     "scores.filters" => Some((vec![1, 1, 3, 2], vec![0.5; 6])),
///     "scores.bias" => Some((vec![2], vec![0.0, 1.0])),
///     _ => None,
/// };
/// let file = convnet_tflite::graph_to_bytes(&[scores], [1, 1, 3], tensor)?;
/// assert_eq!(&file[4..8], b"TFL3");
/// # Ok::<(), convnet_tflite::TfliteError>(())
/// ```
///
/// # Errors
///
/// Any [`TfliteError`] but `Io`.
pub fn graph_to_bytes(
    graph: &[Node<'_>],
    input: [usize; 3],
    tensor: impl Fn(&str) -> Option<(Vec<usize>, Vec<f32>)>,
) -> Result<Vec<u8>, TfliteError> {
    bytes_of(&export::model(graph, input, tensor)?)
}

fn bytes_of(model: &model::Model) -> Result<Vec<u8>, TfliteError> {
    let bytes = model.to_bytes();
    match i32::try_from(bytes.len()) {
        Ok(_) => Ok(bytes),
        Err(_) => Err(TfliteError::TooLarge(bytes.len())),
    }
}

/// Writes the int8 twin of a network as a TensorFlow Lite model of bytes: what it reads and what it writes are `i8`, with
/// the scales and zero points of [`twin.image()`](Quantized::image) and [`twin.scores()`](Quantized::scores).
///
/// TensorFlow Lite Micro computes the bytes of [`forward`](Quantized::forward); of LiteRT's kernels, the
/// [crate](crate#int8) says where they do not.
///
/// ```
/// use convnet::int8::Quantize;
/// use convnet::{Volume, convnet, int8};
///
/// convnet! {
///     struct Digits {
///         input(8x8x1),
///         conv(16, 3x3, pad = 1),
///         relu,
///         max_pool(2x2),
///         fc(10),
///     }
/// }
/// int8!(Digits);
///
/// let net = Digits::random(231); // and trained
/// let images: Vec<_> = (0..8).map(|shade| Volume([[[shade as f32 / 8.0]; 8]; 8])).collect();
/// let twin = net.quantize(&images)?;
/// # let folder = std::env::temp_dir().join(format!("convnet-tflite-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("digits.tflite");
/// convnet_tflite::write_int8(&twin, &path)?; // convnet::tflite::write_int8(&twin, "digits.tflite")?;
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// A [`TfliteError`].
pub fn write_int8<N: Quantize, const F: usize, const C: usize, const V: usize>(
    twin: &Quantized<N, F, C, V>,
    path: impl AsRef<Path>,
) -> Result<(), TfliteError> {
    save(path.as_ref(), int8_to_bytes(twin)?)
}

/// The int8 twin of a network as the bytes of a TensorFlow Lite model, as [`write_int8`] writes it.
///
/// # Errors
///
/// Any [`TfliteError`] but `Io`.
pub fn int8_to_bytes<N: Quantize, const F: usize, const C: usize, const V: usize>(
    twin: &Quantized<N, F, C, V>,
) -> Result<Vec<u8>, TfliteError> {
    let (filters, channels, volumes) = twin.parts();
    let twin = export::Twin {
        graph: N::GRAPH,
        program: &N::PROGRAM,
        filters,
        channels,
        volumes,
    };
    bytes_of(&export::model_of_int8(twin, N::Input::SHAPE)?)
}
