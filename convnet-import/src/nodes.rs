//! Nodes of ONNX, while they are written of a model in another format.

use std::collections::HashMap;

use convnet_onnx::proto::{Attribute, Node};

use crate::array::Array;

/// From the depth last to the depth second, and back.
pub(crate) const DEPTH_SECOND: [i64; 4] = [0, 3, 1, 2];
pub(crate) const DEPTH_LAST: [i64; 4] = [0, 2, 3, 1];

/// Nodes, and the constants that they read.
#[derive(Default)]
pub(crate) struct Nodes {
    pub(crate) nodes: Vec<Node>,
    pub(crate) constants: HashMap<String, Array>,
}

impl Nodes {
    /// A node that is called as what it writes, up to a `::`.
    pub(crate) fn node(
        &mut self,
        kind: &str,
        input: Vec<String>,
        output: &str,
        attributes: impl IntoIterator<Item = Attribute>,
    ) {
        self.nodes.push(Node {
            op_type: kind.to_owned(),
            input,
            output: vec![output.to_owned()],
            name: output.split("::").next().unwrap_or_default().to_owned(),
            attribute: attributes.into_iter().collect(),
            ..Node::default()
        });
    }

    /// A node that wants the depth second, of volumes that have it last; and where it stands.
    pub(crate) fn sliding(
        &mut self,
        kind: &str,
        mut inputs: Vec<String>,
        y: &str,
        attributes: Vec<Attribute>,
    ) -> Result<usize, String> {
        let [x, deep] = ["x", "deep"].map(|end| format!("{y}::{end}"));
        let first = inputs.first_mut().ok_or("it reads nothing")?;
        let read = std::mem::replace(first, x.clone());
        self.node("Transpose", vec![read], &x, [ints("perm", &DEPTH_SECOND)]);
        let at = self.nodes.len();
        self.node(kind, inputs, &deep, attributes);
        self.node("Transpose", vec![deep], y, [ints("perm", &DEPTH_LAST)]);
        Ok(at)
    }
}

pub(crate) fn bounds(low: f32, high: f32) -> [Attribute; 2] {
    [float("min", low), float("max", high)]
}

fn attribute(name: &str) -> Attribute {
    Attribute {
        name: name.to_owned(),
        ..Attribute::default()
    }
}

pub(crate) fn int(name: &str, i: i64) -> Attribute {
    Attribute {
        i,
        ..attribute(name)
    }
}

pub(crate) fn ints(name: &str, ints: &[i64]) -> Attribute {
    Attribute {
        ints: ints.to_vec(),
        ..attribute(name)
    }
}

pub(crate) fn float(name: &str, f: f32) -> Attribute {
    Attribute {
        f,
        ..attribute(name)
    }
}

pub(crate) fn text(name: &str, text: &str) -> Attribute {
    Attribute {
        s: text.as_bytes().to_vec(),
        ..attribute(name)
    }
}
