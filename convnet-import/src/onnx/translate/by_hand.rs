//! Layers that are written by hand, in place of nodes that no layer computes.

use convnet_core::graph::{Elsewhere, Nested};

use super::{
    Array, Axes, Axis, HashMap, ImportError, Node, Op, Tensor, Translated, Translator, Value, sized,
};
use crate::array::Data;

/// What stands for what; each is there to stand for something.
pub(super) fn known<'a>(
    custom: &'a [(String, String)],
    nodes: &[&Node],
) -> Result<HashMap<&'a str, &'static str>, ImportError> {
    let mut known = HashMap::new();
    for (of, layer) in custom {
        let is_there = nodes.iter().any(|it| it.name == *of || it.op_type == *of) && !of.is_empty();
        let is_path = |it: char| it.is_alphanumeric() || "_:<>, ".contains(it);
        if !is_there {
            return Err(ImportError::Ends(format!(
                "`{layer}` is to stand for `{of}`, and no node is called so, or has that operator"
            )));
        }
        if layer.is_empty() || !layer.chars().all(is_path) {
            return Err(ImportError::Ends(format!(
                "`{layer}` is no layer: `path::To::SHIFT` would be one, or with weights `path::To::Scale<T, 12>`"
            )));
        }
        // A graph names what is declared elsewhere for as long as the program runs.
        known.insert(of.as_str(), &*layer.clone().leak());
    }
    Ok(known)
}

impl<'a> Translator<'a> {
    /// A layer by its path. One that is a type, with `<…>`, has the node's constants for tensors.
    pub(super) fn by_hand(&mut self, node: &'a Node, path: &'static str) -> Translated {
        let mut volumes = (0..node.input.len()).filter(|&at| {
            matches!(
                self.values.get(node.input[at].as_str()),
                Some(Value::Activation(_))
            )
        });
        let (Some(at), None) = (volumes.next(), volumes.next()) else {
            return Err("it does not read one volume, as a layer does".into());
        };
        let x = self.activation(node, at)?;
        let same = self.volume(&x);
        let size = node
            .output
            .first()
            .and_then(|it| self.sizes.get(it.as_str()));
        let volume = match (size.map(Vec::as_slice), &x.axes) {
            (None, _) => same,
            (Some(&[_, a, b, c]), Axes::Four(axes)) => {
                let sizes = [1, a, b, c];
                let size = |axis| {
                    axes.iter()
                        .position(|it| *it == axis)
                        .map_or(1, |at| sizes[at])
                };
                [Axis::Height, Axis::Width, Axis::Depth].map(size)
            }
            (Some(&[_, n]), Axes::Flat(_)) if same.iter().product::<usize>() == n => same,
            (Some(&[_, n]), Axes::Flat(_)) => [1, 1, n],
            (Some(size), _) => {
                return Err(format!(
                    "it makes {size:?} of {:?}, which is another number of axes",
                    self.dims(&x)
                ));
            }
        };
        let volume = sized(volume)?;
        let learns = path.contains('<');
        let tensors = match learns {
            true => node
                .input
                .iter()
                .filter_map(|name| Some(tensor(name, self.array(name)?)))
                .collect(),
            false => Vec::new(),
        };
        let what = Elsewhere {
            path,
            nested: Nested {
                parameters: tensors.iter().map(|it: &Tensor| it.data.len()).sum(),
                ..Nested::UNKNOWN
            },
            graph: &[],
        };
        let op = Op::Own {
            what,
            learns,
            volume,
        };
        Ok(self.push(node, op, &x, volume, tensors))
    }
}

/// A constant under the last part of its name, `norm1.weight`, in the axes of the model.
fn tensor(name: &str, array: &Array) -> Tensor {
    let field = name.rsplit(['.', '/', ':']).next().unwrap_or(name);
    Tensor {
        field: field.to_owned().into(),
        shape: array.dims.clone(),
        data: match &array.data {
            Data::Float(data) => data.clone(),
            Data::Int(data) => data.iter().map(|&it| it as f32).collect(),
        },
    }
}
