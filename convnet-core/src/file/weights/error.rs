//! What can be wrong with a weight file.

#[cfg(feature = "std")]
use std::path::{Path, PathBuf};

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use crate::file::flash::message;
use crate::file::header::Defect;

/// Why weights were not loaded or saved. The network is as it was.
#[derive(Debug)]
#[non_exhaustive]
pub enum WeightsError {
    /// The network has a tensor that the file has not.
    Missing {
        /// The name looked for.
        tensor: String,
        /// The names in the file, those nearest to it first.
        found: Vec<String>,
    },
    /// The same of a file that is read under a mapping of names.
    Unmapped {
        /// The network's name of it.
        ours: String,
        /// The name looked for.
        tensor: String,
        /// The names in the file, those nearest to it first.
        found: Vec<String>,
        /// What to do: the mapping that was probably meant, if shapes tell it.
        remedy: String,
    },
    /// The file has a tensor that a mapping gives to none of the network's.
    Unused {
        /// Its name.
        tensor: String,
        /// The names looked for, in the order of declaration.
        expected: Vec<String>,
    },
    /// The file has a tensor that the network has not.
    Extra {
        /// Its name.
        tensor: String,
        /// The names looked for, in the order of declaration.
        expected: Vec<String>,
    },
    /// A tensor has another shape.
    Shape {
        /// Its name in the file.
        tensor: String,
        /// The network's shape, in the file's order of axes.
        expected: Vec<usize>,
        /// The file's.
        found: Vec<usize>,
    },
    /// A tensor is made of another type of scalar.
    Dtype {
        /// Its name in the file.
        tensor: String,
        /// The network's scalar, `F32` or `F64`.
        expected: String,
        /// The file's.
        found: String,
    },
    /// A value is infinite or not a number.
    NotFinite {
        /// The tensor's name.
        tensor: String,
        /// The place of the first such value, in memory order.
        index: usize,
        /// The value.
        value: f64,
    },
    /// A running variance of a `batch_norm` is so far below 0 that it has no root with ε added.
    Variance {
        /// The tensor's name.
        tensor: String,
        /// The depth slice.
        index: usize,
        /// The variance.
        value: f64,
        /// The ε of the layer.
        epsilon: f64,
    },
    /// The file is shorter or longer than its header says.
    Length {
        /// Bytes that the header promises; at least this many, if the header itself is cut.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },
    /// The header cannot be read: not a safetensors file, or a damaged one.
    Corrupt {
        /// What the reader stumbled over.
        reason: String,
    },
    /// A mapping of names speaks of a layer that the network has not.
    UnknownLayer {
        /// The name in the mapping.
        layer: String,
        /// The layers that have parameters, in order.
        expected: Vec<String>,
    },
    /// A mapping of names speaks of a layer, or of a tensor, twice.
    MappedTwice {
        /// The name in the mapping.
        name: String,
    },
    /// One tensor of a file would fill two of the network's.
    FilledTwice {
        /// Its name in the file.
        tensor: String,
        /// The names of the two.
        ours: [String; 2],
    },
    /// The file could not be read or written.
    #[cfg(feature = "std")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

impl From<Defect<'_>> for WeightsError {
    fn from(defect: Defect<'_>) -> Self {
        match defect {
            Defect::Length { expected, found } => Self::Length {
                expected: expected as u64,
                found: found as u64,
            },
            _ => Self::Corrupt {
                reason: defect.reason().as_str().to_owned(),
            },
        }
    }
}

#[cfg(feature = "std")]
impl WeightsError {
    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { tensor, found } => {
                write!(
                    f,
                    "the file has no tensor `{tensor}`; it holds {}",
                    List(found)
                )?;
                let torch = found.iter().any(|name| name.ends_with(".weight"));
                f.write_str(if torch && tensor.ends_with(".filters") {
                    "\nthese are PyTorch's names: read it with `weights::from_pytorch`"
                } else if is_bias_beside_filters(tensor, found) {
                    "\na `conv` without a bias is declared with `bias = none`; where another layer \
                     has none, write one of zeros into the file"
                } else {
                    "\nload the weights of this network, or name its layers as the file does"
                })
            }
            Self::Unmapped {
                ours,
                tensor,
                found,
                remedy,
            } => write!(
                f,
                "the file has no tensor `{tensor}`, for `{ours}`; it holds {}\n{remedy}",
                List(found)
            ),
            Self::Unused { tensor, expected } => {
                write!(
                    f,
                    "the file has a tensor `{tensor}` that the network has not; the network's are {}",
                    List(expected)
                )?;
                if is_bias_beside_filters(tensor, expected) {
                    return f.write_str(
                        "\nits layer is declared without a bias: leave out `bias = none`; without the \
                         tensor the file is of a network that computes something else",
                    );
                }
                let part = tensor
                    .rsplit_once('.')
                    .map_or(&**tensor, |(layer, _)| layer);
                write!(
                    f,
                    "\ndeclare what it belongs to, or, if that is no part of the network, pass over it: \
                     `.ignore(\"{part}\")`"
                )
            }
            Self::Extra { tensor, expected } => {
                write!(
                    f,
                    "the file has a tensor `{tensor}` that the network has not; the network's are {}",
                    List(expected)
                )?;
                f.write_str(if is_bias_beside_filters(tensor, expected) {
                    "\nits layer is declared without a bias: leave out `bias = none`; without the \
                     tensor the file is of a network that computes something else"
                } else {
                    "\nload the weights of this network, or declare what the tensor belongs to; \
                     without it the file is of a network that computes something else"
                })
            }
            Self::Shape {
                tensor,
                expected,
                found,
            } => {
                write!(
                    f,
                    "`{tensor}` has the shape {found:?}; the network's is {expected:?}\n\
                     load weights of the same declaration, or change the layer's hyperparameters"
                )?;
                match (&found[..], &expected[..], tensor.strip_suffix(".weight")) {
                    ([a, b], [c, d], Some(_)) if (a, b) == (d, c) => f.write_str(
                        "\nwhere the file has the inputs of an `fc` first, `.transposed` says so",
                    ),
                    _ => Ok(()),
                }
            }
            Self::Dtype {
                tensor,
                expected,
                found,
            } => write!(
                f,
                "`{tensor}` is made of {found}; the network's scalars are {expected}\n\
                 save it as {expected} in the program that wrote it"
            ),
            Self::NotFinite {
                tensor,
                index,
                value,
            } => write!(
                f,
                "`{tensor}` holds {value} at index {index}\n\
                 the training that made it diverged: lower its learning rate"
            ),
            Self::Variance {
                tensor,
                index,
                value,
                epsilon,
            } => f.write_str(message::variance(tensor, *index, *value, *epsilon).as_str()),
            Self::Length { expected, found } if found < expected => write!(
                f,
                "the file was cut short: it has {found} bytes of {expected}\ncopy or save it again"
            ),
            Self::Length { expected, found } => write!(
                f,
                "the file has {found} bytes where its header promises {expected}\n\
                 copy or save it again"
            ),
            Self::Corrupt { reason } => write!(
                f,
                "this is no safetensors file, or a damaged one: {reason}\n\
                 `weights::save` writes one, and so does `safetensors.torch.save_file`"
            ),
            Self::UnknownLayer { layer, expected } => write!(
                f,
                "the mapping names a layer `{layer}` that the network has not\n\
                 its layers with parameters are {}",
                List(expected)
            ),
            Self::MappedTwice { name } => write!(
                f,
                "the mapping names `{name}` twice\nleave out the one that is not meant"
            ),
            Self::FilledTwice {
                tensor,
                ours: [a, b],
            } => write!(
                f,
                "`{tensor}` of the file would fill both `{a}` and `{b}`\n\
                 give each a name of the file in the mapping: (\"{a}\", …), (\"{b}\", …)"
            ),
            #[cfg(feature = "std")]
            Self::Io { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl Error for WeightsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            #[cfg(feature = "std")]
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Whether `tensor` is the bias of a layer that has its filters among `names`.
fn is_bias_beside_filters(tensor: &str, names: &[String]) -> bool {
    tensor.strip_suffix("bias").is_some_and(|layer| {
        let of_layer = names.iter().filter_map(|name| name.strip_prefix(layer));
        of_layer
            .into_iter()
            .any(|name| matches!(name, "filters" | "weight"))
    })
}

/// Names in backquotes; the first few of many.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        if self.0.is_empty() {
            return f.write_str("none");
        }
        for (i, name) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}`{name}`", if i == 0 { "" } else { ", " })?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
