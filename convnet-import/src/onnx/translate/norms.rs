//! Layers that normalise each image by itself.

use convnet_core::graph::Op;

use super::{
    Activation, Attributes, Axes, Axis, DEPTH_FIRST, DEPTH_LAST, Node, Tensor, Translated,
    Translator, shortest,
};
use crate::array::Array;

impl<'a> Translator<'a> {
    pub(super) fn group_norm(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["axis", "epsilon", "num_groups", "stash_type"])?;
        let groups = usize::try_from(attributes.int("num_groups", 0)).unwrap_or(0);
        self.normalised(node, attributes, groups)
    }

    /// A group for each depth slice.
    pub(super) fn instance_norm(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["epsilon"])?;
        let depth = {
            let x = self.activation(node, 0)?;
            self.volume(&x)[2]
        };
        self.normalised(node, attributes, depth)
    }

    fn normalised(
        &mut self,
        node: &'a Node,
        attributes: Attributes<'_>,
        groups: usize,
    ) -> Translated {
        let x = self.activation(node, 0)?;
        let volume = self.volume(&x);
        let depth = volume[2];
        // −1 is what ONNX has no word for, and other formats mean: the depth is the last axis.
        let depth_last = attributes.int("axis", 1) == -1;
        let by_slice = match &x.axes {
            Axes::Four(axes) => *axes == if depth_last { DEPTH_LAST } else { DEPTH_FIRST },
            Axes::Flat(_) => depth_last && volume == [1, 1, depth],
            Axes::Rows(..) => false,
        };
        if !by_slice || groups == 0 || !depth.is_multiple_of(groups) {
            return Err(format!("{groups} groups of {:?}", self.dims(&x)));
        }
        let tensors = self.factors(node, depth, groups)?;
        let op = Op::GroupNorm {
            groups,
            eps: shortest(attributes.float("epsilon", 1e-5)),
        };
        Ok(self.push(node, op, &x, volume, tensors))
    }

    /// Over the depth, where that is the last axis, or over all axes.
    pub(super) fn layer_norm(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["axis", "epsilon", "stash_type"])?;
        let x = self.activation(node, 0)?;
        let volume = self.volume(&x);
        let [height, width, depth] = volume;
        let last = self.dims(&x).len() as i64 - 1;
        let (axis, eps) = (
            attributes.int("axis", -1),
            shortest(attributes.float("epsilon", 1e-5)),
        );
        let order = match &x.axes {
            Axes::Four(axes) => Some(&axes[1..]),
            // Of depth columns `convnet::onnx` says which of the two it is.
            Axes::Flat(axes) if height * width > 1 || self.declared.is_some() && axis == 1 => {
                Some(&axes[..])
            }
            Axes::Flat(_) | Axes::Rows(..) => None,
        };
        if let Some(order) = order
            && [1, -last].contains(&axis)
        {
            let order = order.to_vec();
            let gamma = self.of_volume(node, (1, "gamma", 1.0), &x, &order)?;
            let beta = self.of_volume(node, (2, "beta", 0.0), &x, &order)?;
            let op = Op::LayerNormVolume { eps };
            return Ok(self.push(node, op, &x, volume, vec![gamma, beta]));
        }
        let over_depth = match &x.axes {
            Axes::Four(axes) => axes[3] == Axis::Depth,
            Axes::Flat(_) => height == 1 && width == 1,
            Axes::Rows(..) => self.is_columns(&x),
        };
        if !over_depth || ![-1, last].contains(&axis) {
            return Err(format!(
                "it normalises other axes of {:?} than the depth, by `layer_norm`, or all, by `layer_norm_volume`",
                self.dims(&x)
            ));
        }
        let tensors = self.factors(node, depth, depth)?;
        Ok(self.push(node, Op::LayerNorm { eps }, &x, volume, tensors))
    }

    /// A factor or a summand for each number of a volume, whose axes the model has in this order.
    fn of_volume(
        &self,
        node: &Node,
        (at, field, default): (usize, &'static str, f32),
        x: &Activation,
        order: &[Axis],
    ) -> Result<Tensor, String> {
        let lengths = self.lengths(x, order);
        let count = lengths.iter().product();
        let wrong = || format!("its {field} is not one number for each of {lengths:?}");
        let data = match self.weights(node, at, field)? {
            None => vec![default; count],
            Some(array) => array.as_floats().unwrap_or_default().to_vec(),
        };
        if data.len() != count {
            return Err(wrong());
        }
        let place = |axis| order.iter().position(|it| *it == axis);
        let turn = [Axis::Height, Axis::Width, Axis::Depth].map(place);
        let turn: Option<Vec<usize>> = turn.into_iter().collect();
        let array = Array::floats(lengths.clone(), data);
        let turned = turn.and_then(|turn| array.transposed(&turn));
        let turned = turned.ok_or_else(wrong)?;
        Ok(Tensor {
            field: field.into(),
            shape: turned.dims.clone(),
            data: turned.as_floats().unwrap_or_default().to_vec(),
        })
    }

    /// Factors and summands, one for each depth slice, or for each of so many groups.
    fn factors(&self, node: &Node, depth: usize, groups: usize) -> Result<Vec<Tensor>, String> {
        let mut tensors = Vec::new();
        for (at, field, default) in [(1, "gamma", 1.0), (2, "beta", 0.0)] {
            let data = match self.weights(node, at, field)? {
                None => vec![default; depth],
                Some(array) => match array.as_floats() {
                    Some(data) if data.len() == depth => data.to_vec(),
                    Some(data) if data.len() == groups => {
                        let each = |&it| std::iter::repeat_n(it, depth / groups);
                        data.iter().flat_map(each).collect()
                    }
                    _ => return Err(format!("its {field} is not {depth} numbers")),
                },
            };
            tensors.push(Tensor::vector(field, data));
        }
        Ok(tensors)
    }
}
