//! Nodes that compute nothing: they only see a volume in other axes.

use convnet_core::graph::Op;
use convnet_core::shape::{Padding, Window};

use super::{
    Activation, Attributes, Axes, Axis, DEPTH_FIRST, DEPTH_LAST, Node, Translated, Translator,
    Value, sized,
};
use crate::array::{Array, Data};
use crate::onnx::attributes::sizes;
use crate::onnx::fold::{MOST, places, resolve};
use crate::onnx::tensor;

pub(super) fn constant(node: &Node) -> Translated {
    let known = [
        "value",
        "value_float",
        "value_floats",
        "value_int",
        "value_ints",
    ];
    let attributes = Attributes::of(node, &known)?;
    if let Some(value) = attributes.tensor("value") {
        let array = tensor::decode(value, None).map_err(|error| error.to_string())?;
        return Ok(Value::Constant(array));
    }
    let scalar = |data| Array {
        dims: Vec::new(),
        data,
    };
    let array = if let Some(ints) = attributes.ints("value_ints") {
        Array::ints(ints.to_vec())
    } else if let Some(floats) = attributes.floats("value_floats") {
        Array::floats(vec![floats.len()], floats.to_vec())
    } else if attributes.ints("value_int").is_some() {
        scalar(Data::Int(vec![attributes.int("value_int", 0)]))
    } else {
        scalar(Data::Float(vec![attributes.float("value_float", 0.0)]))
    };
    Ok(Value::Constant(array))
}

/// The same volume with all axes but the batch as one.
pub(super) fn flat(value: Value) -> Translated {
    let Value::Activation(x) = value else {
        return Ok(value);
    };
    let order = order(&x).ok_or("the batch is not its first axis")?;
    Ok(Value::Activation(Activation {
        axes: Axes::Flat(order),
        ..x
    }))
}

/// In which order its numbers lie, if the batch is its first axis.
fn order(x: &Activation) -> Option<[Axis; 3]> {
    match x.axes {
        Axes::Flat(order) | Axes::Rows(order, _) => Some(order),
        Axes::Four([Axis::Batch, a, b, c]) => Some([a, b, c]),
        Axes::Four(_) => None,
    }
}

/// The same volume in four axes.
fn deep(x: Activation, axes: [Axis; 4]) -> Value {
    Value::Activation(Activation {
        axes: Axes::Four(axes),
        ..x
    })
}

impl<'a> Translator<'a> {
    /// The numbers that older files have as an attribute and newer ones as the second input.
    pub(super) fn numbers<'s>(
        &'s self,
        node: &Node,
        attributes: Attributes<'s>,
        name: &str,
    ) -> Option<&'s [i64]> {
        let second = || self.array(node.input.get(1)?)?.as_ints();
        attributes.ints(name).or_else(second)
    }

    /// The same volume: what is said of training is over.
    pub(super) fn alias(&mut self, node: &'a Node) -> Translated {
        Ok(Value::Activation(self.padded(node, 0)?))
    }

    pub(super) fn shape(&mut self, node: &'a Node) -> Translated {
        Attributes::of(node, &[])?;
        let x = self.activation(node, 0)?;
        let dims = self.dims(&x);
        let dims = dims.iter().map(|&size| size as i64).collect();
        Ok(Value::Constant(Array::ints(dims)))
    }

    pub(super) fn flatten(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["axis"])?;
        let x = self.activation(node, 0)?;
        match attributes.int("axis", 1) {
            1 => flat(Value::Activation(x)),
            axis => Err(format!("it flattens from axis {axis} on: 1 is wanted")),
        }
    }

    pub(super) fn reshape(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["allowzero", "shape"])?;
        let x = self.activation(node, 0)?;
        let to = self.numbers(node, attributes, "shape");
        let to = to.ok_or("its shape is computed, and not a constant")?;
        let from = self.dims(&x);
        let to = resolve(&from, to)?;
        // Three axes that were one, or two.
        if let Axes::Flat([a, b, c]) | Axes::Rows([a, b, c], _) = x.axes
            && let axes = [Axis::Batch, a, b, c]
            && self.lengths(&x, &axes) == to
        {
            return Ok(deep(x, axes));
        }
        match to.as_slice() {
            _ if to == from => Ok(Value::Activation(x)),
            // The batch may be left out.
            [1, _] | [_] => flat(Value::Activation(x)),
            &[1, rows, each] => {
                let order = order(&x).ok_or("the batch is not its first axis")?;
                Ok(Value::Activation(Activation {
                    axes: Axes::Rows(order, [rows, each]),
                    ..x
                }))
            }
            &[1, depth, 1, 1] if self.volume(&x) == [1, 1, depth] => Ok(deep(x, DEPTH_FIRST)),
            &[1, 1, 1, depth] if self.volume(&x) == [1, 1, depth] => Ok(deep(x, DEPTH_LAST)),
            // A network gives one vector, however the model cuts its own.
            [1, ..] if self.is_given(node) => flat(Value::Activation(x)),
            _ => Err(format!(
                "{from:?} becomes {to:?}: a volume keeps its shape, or becomes flat"
            )),
        }
    }

    pub(super) fn squeeze(&mut self, node: &'a Node) -> Translated {
        Attributes::of(node, &["axes"])?;
        let x = self.activation(node, 0)?;
        match self.volume(&x) {
            [1, 1, _] => flat(Value::Activation(x)),
            [height, width, depth] => {
                Err(format!("it takes axes away from {width}x{height}x{depth}"))
            }
        }
    }

    pub(super) fn unsqueeze(&mut self, node: &'a Node) -> Translated {
        Attributes::of(node, &["axes"])?;
        let x = self.activation(node, 0)?;
        match (self.volume(&x), &x.axes) {
            ([1, 1, _], Axes::Flat(_)) => Ok(deep(x, DEPTH_FIRST)),
            _ => Err("a volume has four axes with its batch".into()),
        }
    }

    pub(super) fn transpose(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["perm"])?;
        let x = self.padded(node, 0)?;
        let axes = match x.axes {
            Axes::Four(axes) => axes,
            Axes::Rows(order, [rows, each]) => {
                let perm = places(attributes.ints("perm").unwrap_or(&[2, 1, 0]), 3)?;
                let [a, b, c] = order;
                let lengths = self.lengths(&x, &order);
                // Rows that are one axis, or two.
                let turned = match perm.as_slice() {
                    [0, 1, 2] => return Ok(Value::Activation(x)),
                    [0, 2, 1] if lengths[0] == rows => [b, c, a],
                    [0, 2, 1] if lengths[2] == each => [c, a, b],
                    _ => return Err(format!("it turns {:?} by {perm:?}", self.dims(&x))),
                };
                return Ok(Value::Activation(Activation {
                    axes: Axes::Rows(turned, [each, rows]),
                    ..x
                }));
            }
            Axes::Flat(_) => return Err("its input is flat".into()),
        };
        let order = places(attributes.ints("perm").unwrap_or(&[3, 2, 1, 0]), 4)?;
        let turned: Vec<Axis> = order.iter().map(|&at| axes[at]).collect();
        match <[Axis; 4]>::try_from(turned) {
            Ok(turned) if axes.iter().all(|axis| turned.contains(axis)) => {
                Ok(Value::Activation(Activation {
                    axes: Axes::Four(turned),
                    ..x
                }))
            }
            Ok(_) | Err(_) => Err("its `perm` is no order of four axes".into()),
        }
    }

    /// Some of the depth slices.
    pub(super) fn slice(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["axes", "ends", "starts"])?;
        let x = self.activation(node, 0)?;
        let dims = self.dims(&x);
        let list = |name: &str, at: usize| -> Result<Option<Vec<i64>>, String> {
            match (attributes.ints(name), node.input.get(at)) {
                (Some(ints), _) => Ok(Some(ints.to_vec())),
                (None, Some(input)) if !input.is_empty() => {
                    let ints = self.array(input).and_then(Array::as_ints);
                    let ints = ints.ok_or_else(|| format!("its {name} are computed"))?;
                    Ok(Some(ints.to_vec()))
                }
                (None, _) => Ok(None),
            }
        };
        let starts = list("starts", 1)?.ok_or("it does not say where it begins")?;
        let ends = list("ends", 2)?.ok_or("it does not say where it ends")?;
        let axes = match list("axes", 3)? {
            Some(axes) => places(&axes, dims.len())?,
            None => (0..starts.len()).collect(),
        };
        if list("steps", 4)?.is_some_and(|steps| steps.iter().any(|&step| step != 1)) {
            return Err("it leaves some out in between".into());
        }
        let depth = self.volume(&x)[2];
        let deep = self.depth_axis(&x);
        let mut found = [0, depth];
        let mut cut = [0; 4];
        for (at, axis) in axes.into_iter().enumerate() {
            let len = *dims.get(axis).ok_or("it has more axes than its input")? as i64;
            let end = |ends: &[i64]| {
                let end = ends.get(at).copied().ok_or("an end is missing")?;
                let end = if end < 0 { end + len } else { end };
                usize::try_from(end.clamp(0, len)).map_err(|_| "an end is missing")
            };
            let ends = [end(&starts)?, end(&ends)?];
            let of = match &x.axes {
                Axes::Four(axes) => Some(axes[axis]),
                Axes::Flat(_) | Axes::Rows(..) => None,
            };
            let around = [ends[0], (len as usize).saturating_sub(ends[1])];
            match of {
                _ if Some(axis) == deep => found = ends,
                _ if around == [0, 0] => {}
                Some(Axis::Height) => [cut[0], cut[1]] = around,
                Some(Axis::Width) => [cut[2], cut[3]] = around,
                _ => return Err("it cuts another axis than height, width and depth".into()),
            }
        }
        let x = self.cropped(x, cut)?;
        self.depth_slices(x, found)
    }

    /// A volume without so much of its top, bottom, left and right.
    fn cropped(&mut self, x: Activation, cut: [usize; 4]) -> Result<Activation, String> {
        let [top, bottom, left, right] = cut;
        let [height, width, depth] = self.volume(&x);
        let rows = height.checked_sub(top + bottom).filter(|&rows| rows > 0);
        let columns = width
            .checked_sub(left + right)
            .filter(|&columns| columns > 0);
        let (Some(rows), Some(columns)) = (rows, columns) else {
            return Err("nothing of its input is left".into());
        };
        if cut == [0; 4] {
            return Ok(x);
        }
        let window = Window {
            padding: Padding::Zeros {
                top,
                bottom,
                left,
                right,
            },
            ..Window::square(1, 1, 0)
        };
        Ok(self.moves(Op::Crop { window }, &x, [rows, columns, depth]))
    }

    /// The depth as several volumes.
    pub(super) fn split(&mut self, node: &'a Node) -> Result<Vec<Value>, String> {
        let attributes = Attributes::of(node, &["axis", "num_outputs", "split"])?;
        let x = self.activation(node, 0)?;
        let axis = places(&[attributes.int("axis", 0)], self.dims(&x).len())?[0];
        if Some(axis) != self.depth_axis(&x) {
            return Err("it cuts another axis than the depth".into());
        }
        let (depth, parts) = (self.volume(&x)[2], node.output.len());
        let computed = node.input.get(1).is_some_and(|name| !name.is_empty());
        let ends: Option<Vec<usize>> = match self.numbers(node, attributes, "split") {
            Some(sizes) => {
                let mut end = 0_usize;
                let sizes = sizes.iter().map(|&size| usize::try_from(size).ok());
                let ends = sizes.map(|size| {
                    end = end.checked_add(size?)?;
                    Some(end)
                });
                ends.collect()
            }
            None if computed => return Err("the sizes of its parts are computed".into()),
            // The last one is what is left.
            None => {
                let each = depth.div_ceil(parts.max(1));
                let ends = (1..=parts).map(|part| (part * each).min(depth));
                Some(ends.collect())
            }
        };
        let ends = ends.filter(|ends| ends.len() == parts && ends.last() == Some(&depth));
        let ends = ends.ok_or_else(|| format!("its {parts} parts are not {depth} slices"))?;
        let mut from = 0;
        let volumes = node.output.iter().zip(ends).map(|(output, to)| {
            let part = [std::mem::replace(&mut from, to), to];
            // Of those that are not read there are no layers.
            match self.uses.contains_key(output.as_str()) {
                true => self.depth_slices(x.clone(), part),
                false => Ok(Value::Refused),
            }
        });
        volumes.collect()
    }

    /// Which of the axes that the model sees is the depth.
    fn depth_axis(&self, x: &Activation) -> Option<usize> {
        let [height, width, _] = self.volume(x);
        match &x.axes {
            Axes::Four(axes) => axes.iter().position(|axis| *axis == Axis::Depth),
            Axes::Flat(_) => (height == 1 && width == 1).then_some(1),
            Axes::Rows(..) => None,
        }
    }

    fn depth_slices(&mut self, x: Activation, [from, to]: [usize; 2]) -> Translated {
        let [height, width, depth] = self.volume(&x);
        match to.checked_sub(from) {
            None | Some(0) => Err("nothing of its input is left".into()),
            Some(filters) if filters == depth => Ok(Value::Activation(x)),
            Some(filters) => {
                let op = Op::Slices { filters, from };
                let volume = [height, width, filters];
                Ok(Value::Activation(self.moves(op, &x, volume)))
            }
        }
    }

    /// Zeros around a volume: the conv that reads it takes them among its own.
    pub(super) fn pad(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["mode", "pads", "value"])?;
        let x = self.depth_first(node, 0)?;
        if attributes.text("mode").unwrap_or("constant") != "constant" {
            return Err("it repeats the border: a declaration pads with zeros".into());
        }
        let value = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => self
                .array(name)
                .and_then(|it| it.as_floats()?.first().copied()),
            None => Some(attributes.float("value", 0.0)),
        };
        if value != Some(0.0) {
            return Err("it pads with another number than 0".into());
        }
        let pads = self.numbers(node, attributes, "pads");
        let pads = pads.ok_or("how much it pads is not known")?;
        let &[0, 0, top, left, 0, back, bottom, right] = pads else {
            return Err(format!(
                "it pads by {pads:?}: height, width and the end of the depth can be"
            ));
        };
        let [top, bottom, left, right, back] = sizes([top, bottom, left, right, back])?;
        if [top, bottom, left, right, back].iter().any(|&it| it > MOST) {
            return Err(format!("it pads by {pads:?}, more than can be"));
        }
        let more = [top, bottom, left, right];
        let mut x = x;
        if back > 0 {
            let [height, width, depth] = self.volume(&x);
            let filters = depth + back;
            let volume = sized([height, width, filters])?;
            let deeper = self.moves(Op::PadDepth { filters }, &x, volume);
            x = Activation {
                pad: x.pad,
                ..deeper
            };
        }
        let padded = Activation {
            pad: std::array::from_fn(|side| x.pad[side] + more[side]),
            ..x
        };
        // In a declaration it is a layer with a name.
        Ok(Value::Activation(
            match self.declared.is_some() && more != [0; 4] {
                true => self.surrounded(&padded)?,
                false => padded,
            },
        ))
    }
}
