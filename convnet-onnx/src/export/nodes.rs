//! The messages, made short.

use crate::proto::{Attribute, Dimension, Node, Shape, Tensor, TensorType, Type, ValueInfo};

/// A node that writes what is called as itself.
pub(super) fn node(
    operator: &str,
    name: &str,
    inputs: Vec<String>,
    attributes: Vec<Attribute>,
) -> Node {
    Node {
        input: inputs,
        output: vec![name.to_owned()],
        name: name.to_owned(),
        op_type: operator.to_owned(),
        attribute: attributes,
        domain: String::new(),
    }
}

/// What an attribute is.
pub(super) trait Is {
    fn set(self, attribute: &mut Attribute);
}

impl Is for f64 {
    fn set(self, attribute: &mut Attribute) {
        (attribute.f, attribute.r#type) = (self as f32, 1);
    }
}

impl Is for i64 {
    fn set(self, attribute: &mut Attribute) {
        (attribute.i, attribute.r#type) = (self, 2);
    }
}

impl Is for &str {
    fn set(self, attribute: &mut Attribute) {
        (attribute.s, attribute.r#type) = (self.into(), 3);
    }
}

impl<const N: usize> Is for [usize; N] {
    fn set(self, attribute: &mut Attribute) {
        (attribute.ints, attribute.r#type) = (self.map(|it| it as i64).into(), 7);
    }
}

pub(super) fn with(name: &str, is: impl Is) -> Attribute {
    let mut attribute = Attribute {
        name: name.to_owned(),
        ..Attribute::default()
    };
    is.set(&mut attribute);
    attribute
}

impl Attribute {
    /// One number in place of a list of one.
    pub(super) fn single(self) -> Self {
        Self {
            i: self.ints.first().copied().unwrap_or_default(),
            ints: Vec::new(),
            r#type: 2,
            ..self
        }
    }
}

/// An initializer.
pub(super) fn floats(name: &str, dims: &[usize], values: impl IntoIterator<Item = f32>) -> Tensor {
    Tensor {
        dims: dims.iter().map(|&size| size as i64).collect(),
        data_type: 1,
        name: name.to_owned(),
        raw_data: values.into_iter().flat_map(f32::to_le_bytes).collect(),
        ..Tensor::default()
    }
}

/// A shape, as an initializer.
pub(super) fn constant(name: &str, values: &[i64]) -> Tensor {
    Tensor {
        dims: vec![values.len() as i64],
        data_type: 7,
        name: name.to_owned(),
        raw_data: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
        ..Tensor::default()
    }
}

/// An input or output: any number of images of these sizes.
pub(super) fn image(name: String, sizes: &[usize]) -> ValueInfo {
    let sizes = sizes.iter().map(|&size| Dimension {
        value: size as i64,
        name: String::new(),
    });
    let batch = Dimension {
        value: 0,
        name: "N".into(),
    };
    ValueInfo {
        name,
        r#type: Some(Type {
            tensor: Some(TensorType {
                elem_type: 1,
                shape: Some(Shape {
                    dim: [batch].into_iter().chain(sizes).collect(),
                }),
            }),
        }),
    }
}
