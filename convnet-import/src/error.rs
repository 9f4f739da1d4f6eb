//! What keeps a model from being a declaration.

use std::fmt;
use std::path::PathBuf;

/// Why a model was not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// No model.
    #[error("this is no model of ONNX, TensorFlow Lite or Keras: {0}")]
    Format(String),
    /// An input or output that a declaration cannot have as it is.
    #[error("{0}")]
    Ends(String),
    /// A tensor that is not what its own header says.
    #[error("tensor `{name}`: {what}")]
    Tensor {
        /// Its name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// Nodes that no layer computes.
    #[error("{}", Refusals(.0))]
    Refused(Vec<Refusal>),
    /// A network that the plan does not take.
    #[error("{0}")]
    Unfit(String),
    /// A model in bytes of which the declaration's network in bytes would compute others.
    #[error("as int8 it would not give the bytes of the model: {0}")]
    Int8(String),
}

/// A node that no layer computes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its name in the model; or that of what it writes.
    pub node: String,
    /// Its operator.
    pub operator: String,
    /// What stands in the way, and what could be done.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            node,
            operator,
            why,
        } = self;
        write!(f, "{operator} `{node}`: {why}")
    }
}

struct Refusals<'a>(&'a [Refusal]);

impl fmt::Display for Refusals<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => f.write_str("a node has no layer that computes it")?,
            n => write!(f, "{n} nodes have no layers that compute them")?,
        }
        self.0
            .iter()
            .try_for_each(|refusal| write!(f, "\n  {refusal}"))
    }
}
