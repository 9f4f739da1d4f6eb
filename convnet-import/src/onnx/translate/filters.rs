//! Layers with weights, which come in the axes of the model and go in those of the declaration.

use convnet_core::graph::Op;
use convnet_core::shape::{Fit, Padding, Window};

use super::{
    Attributes, Axes, Axis, DEPTH_LAST, Node, Tensor, Translated, Translator, fitted, shortest,
    window,
};
use crate::array::{Array, Data};
use crate::onnx::attributes::sizes;
use crate::onnx::fold::MOST;

impl<'a> Translator<'a> {
    pub(super) fn conv(&mut self, node: &'a Node) -> Translated {
        let known = [
            "auto_pad",
            "dilations",
            "group",
            "kernel_shape",
            "pads",
            "strides",
        ];
        let attributes = Attributes::of(node, &known)?;
        let x = self.depth_first(node, 0)?;
        let (filters, [k, group_depth, height, width]) = self.filters(node)?;
        let [rows, columns, depth] = self.volume(&x);
        let groups = usize::try_from(attributes.int("group", 1)).unwrap_or(0);
        if groups == 0
            || groups.checked_mul(group_depth) != Some(depth)
            || k == 0
            || !k.is_multiple_of(groups)
        {
            return Err(format!(
                "{groups} groups of {k} filters that see {group_depth} slices, on a depth of {depth}"
            ));
        }
        let window = window(attributes, [height, width], 1, [rows, columns], x.pad)?;
        let place = |it: &Window| it.place([rows, columns]);
        let (window, placed) = fitted(window, Fit::Crop, place)?;
        let biases = self.bias(node, k)?;
        let bias = biases.is_some();
        let op = match groups == depth && k == depth && groups > 1 {
            true => Op::Depthwise { bias, window },
            false => Op::Conv {
                filters: k,
                groups,
                bias,
                window,
            },
        };
        let volume = [placed[0].output, placed[1].output, k];
        let tensors = tensors(&filters, &[2, 3, 1, 0], biases)?;
        Ok(self.push(node, op, &x, volume, tensors))
    }

    pub(super) fn conv_transpose(&mut self, node: &'a Node) -> Translated {
        let known = [
            "auto_pad",
            "dilations",
            "group",
            "kernel_shape",
            "output_padding",
            "output_shape",
            "pads",
            "strides",
        ];
        let attributes = Attributes::of(node, &known)?;
        let x = self.depth_first(node, 0)?;
        let (filters, [d, group_filters, height, width]) = self.filters(node)?;
        let [rows, columns, depth] = self.volume(&x);
        let groups = usize::try_from(attributes.int("group", 1)).unwrap_or(0);
        if groups == 0 || d != depth || !depth.is_multiple_of(groups) {
            return Err(format!(
                "{groups} groups of filters for a depth of {d}, on one of {depth}"
            ));
        }
        let k = groups
            .checked_mul(group_filters)
            .filter(|k| (1..=MOST).contains(k))
            .ok_or_else(|| format!("{groups} groups of {group_filters} filters"))?;
        if x.pad != [0; 4] {
            return Err("a transposed conv with a `Pad` in front".into());
        }
        let (window, output_pad) = stamps(attributes, [height, width], [rows, columns])?;
        let mut sizes = [0; 2];
        for (at, size) in sizes.iter_mut().enumerate() {
            let axis = window.axis(at, [rows, columns][at]);
            let placed = axis.and_then(|axis| axis.place_transposed(output_pad));
            *size = placed.map_err(|it| it.to_string())?.output;
        }
        let biases = self.bias(node, k)?;
        let op = Op::ConvTranspose {
            filters: k,
            output_pad,
            groups,
            bias: biases.is_some(),
            window,
        };
        let tensors = tensors(&filters, &[2, 3, 1, 0], biases)?;
        Ok(self.push(node, op, &x, [sizes[0], sizes[1], k], tensors))
    }

    /// Filters of four axes.
    fn filters(&self, node: &Node) -> Result<(Array, [usize; 4]), String> {
        let filters = self
            .weights(node, 1, "filters")?
            .ok_or("it has no filters")?;
        match *filters.dims.as_slice() {
            [a, b, c, d] => Ok((filters, [a, b, c, d])),
            ref dims => Err(format!(
                "its filters have {} axes: those of a conv over images have 4",
                dims.len()
            )),
        }
    }

    pub(super) fn gemm(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["alpha", "beta", "transA", "transB"])?;
        if attributes.int("transA", 0) != 0 {
            return Err("it reads its input the other way round".into());
        }
        let turned = attributes.int("transB", 0) != 0;
        let mut weights = self.matrix(node, turned)?;
        let alpha = attributes.float("alpha", 1.0);
        if let Data::Float(data) = &mut weights.data
            && alpha != 1.0
        {
            data.iter_mut().for_each(|it| *it *= alpha);
        }
        let beta = attributes.float("beta", 1.0);
        let biases = self.bias(node, weights.dims[0])?;
        let biases = biases.map(|biases| biases.iter().map(|it| it * beta).collect());
        self.fc(node, &weights, biases)
    }

    pub(super) fn mat_mul(&mut self, node: &'a Node) -> Translated {
        Attributes::of(node, &[])?;
        let weights = self.matrix(node, false)?;
        self.fc(node, &weights, None)
    }

    /// The second input as `[K, …]`; it is so already if `turned`.
    fn matrix(&self, node: &Node, turned: bool) -> Result<Array, String> {
        let weights = self
            .weights(node, 1, "second matrix")?
            .ok_or("it has no weights")?;
        let matrix = match turned {
            true => (weights.dims.len() == 2).then_some(weights),
            false => weights.transposed(&[1, 0]),
        };
        matrix.ok_or_else(|| "its weights are no matrix".into())
    }

    /// `weights` is `[K, D·H·W]`, in the order in which the model sees the volume.
    fn fc(&mut self, node: &'a Node, weights: &Array, biases: Option<Vec<f32>>) -> Translated {
        let x = self.activation(node, 0)?;
        let [height, width, depth] = self.volume(&x);
        let k = weights.dims[0];
        let order = match x.axes {
            Axes::Flat(order) => order,
            // Of each depth column by itself.
            _ if self.is_columns(&x) || x.axes == Axes::Four(DEPTH_LAST) => {
                let bias = biases.is_some();
                let filters = weights.reshaped(vec![k, depth, 1, 1]);
                let filters = filters.ok_or_else(|| {
                    format!(
                        "its weights are for {}, on a depth of {depth}",
                        weights.dims[1]
                    )
                })?;
                let tensors = tensors(&filters, &[2, 3, 1, 0], biases)?;
                let op = Op::Conv {
                    filters: k,
                    groups: 1,
                    bias,
                    window: Window::square(1, 1, 0),
                };
                let mut x = x;
                if let Axes::Rows(_, [_, each]) = &mut x.axes {
                    *each = k;
                }
                return Ok(self.push(node, op, &x, [height, width, k], tensors));
            }
            Axes::Four(_) | Axes::Rows(..) => {
                return Err(format!(
                    "its input has {} axes: a fully connected layer reads a flat one",
                    self.dims(&x).len()
                ));
            }
        };
        let dims = [vec![k], self.lengths(&x, &order)].concat();
        let apart = weights.reshaped(dims).ok_or_else(|| {
            format!(
                "its weights are for {} values, and it reads {}",
                weights.dims[1],
                height * width * depth
            )
        })?;
        let place = |axis| {
            let at = order.iter().position(|it| *it == axis);
            at.map(|at| at + 1).ok_or("its input has no such axis")
        };
        let turn = [
            place(Axis::Height)?,
            place(Axis::Width)?,
            place(Axis::Depth)?,
            0,
        ];
        let op = Op::Fc {
            filters: k,
            bias: biases.is_some(),
        };
        let tensors = tensors(&apart, &turn, biases)?;
        Ok(self.push(node, op, &x, [1, 1, k], tensors))
    }

    pub(super) fn batch_norm(&mut self, node: &'a Node) -> Translated {
        let known = ["epsilon", "momentum", "spatial", "training_mode", "is_test"];
        let attributes = Attributes::of(node, &known)?;
        if attributes.int("training_mode", 0) != 0 || attributes.int("spatial", 1) != 1 {
            return Err("it is exported for training, or for each pixel by itself".into());
        }
        let x = self.activation(node, 0)?;
        let [height, width, depth] = self.volume(&x);
        let by_slice = match &x.axes {
            Axes::Four(axes) => *axes == super::DEPTH_FIRST,
            Axes::Flat(_) => height == 1 && width == 1,
            Axes::Rows(..) => false,
        };
        if !by_slice {
            return Err("it normalises another axis than the depth".into());
        }
        // As `convnet::onnx` calls what does nothing.
        let ones = format!("{}.ones", node.name);
        let affine = self.declared.is_none() || node.input.get(1) != Some(&ones);
        let mut tensors = Vec::new();
        for (at, field) in ["gamma", "beta", "mean", "variance"]
            .into_iter()
            .enumerate()
            .skip(if affine { 0 } else { 2 })
        {
            let array = self.weights(node, at + 1, field)?;
            let data = array.and_then(|it| Some(it.as_floats()?.to_vec()));
            let data = data.filter(|data| data.len() == depth);
            let data = data.ok_or_else(|| format!("its {field} is not {depth} numbers"))?;
            tensors.push(Tensor::vector(field, data));
        }
        // What stays is no business of a model that is only to compute.
        let stays = match self.declared.is_some() {
            true => f64::from(attributes.float("momentum", 0.9)),
            false => 0.9,
        };
        let op = Op::BatchNorm {
            eps: shortest(attributes.float("epsilon", 1e-5)),
            // As one writes it: 0.1.
            momentum: ((1.0 - stays) * 1e6).round().clamp(1.0, 1e6) / 1e6,
            affine,
        };
        Ok(self.push(node, op, &x, [height, width, depth], tensors))
    }

    /// The third input, one number for each of `k` filters.
    fn bias(&self, node: &Node, k: usize) -> Result<Option<Vec<f32>>, String> {
        let Some(array) = self.weights(node, 2, "bias")? else {
            return Ok(None);
        };
        match array.as_floats() {
            Some(&[one]) => Ok(Some(vec![one; k])),
            Some(data) if data.len() == k => Ok(Some(data.to_vec())),
            _ => Err(format!("its bias is {:?}, for {k} filters", array.dims)),
        }
    }
}

/// How a transposed conv stamps on the output of an input of `[height, width]`, and its output padding.
///
/// What is cut off, or added, at the end of each axis is one number here: as little is cut off as can be. Where one
/// axis adds more than the other, the other cuts that off again.
fn stamps(
    attributes: Attributes<'_>,
    size: [usize; 2],
    input: [usize; 2],
) -> Result<(Window, usize), String> {
    let added = attributes.pair("output_padding", 0)?;
    if let Some(it) = added.iter().find(|it| **it > MOST) {
        return Err(format!("its output padding is {it}, more than can be"));
    }
    let auto_pad = attributes.text("auto_pad").unwrap_or("NOTSET");
    let wanted = match attributes.ints("output_shape") {
        Some(&[.., height, width]) => Some(sizes([height, width])?),
        Some(_) => return Err("`output_shape` is no height and width".into()),
        None => None,
    };
    let mut window = window(attributes, size, 1, input, [0; 4])?;
    let mut cut = [[0; 2]; 2];
    for axis in 0..2 {
        let it = window
            .axis(axis, input[axis])
            .map_err(|it| it.to_string())?;
        cut[axis] = [it.before, it.after].map(|it| it as i64);
        if it.size == 0 || it.stride == 0 || it.filter == 0 || it.dilation == 0 {
            return Err("a size, stride or dilation is 0".into());
        }
        let stamped = it.stride * (it.size - 1) + it.covers();
        let output = match &wanted {
            Some(sizes) => sizes[axis],
            None if auto_pad.starts_with("SAME") => it.stride * it.size,
            None => continue,
        };
        // As ONNX says: https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
        let total = (stamped + added[axis]) as i64 - output as i64;
        let less = total.div_euclid(2);
        cut[axis] = match auto_pad {
            "SAME_UPPER" => [less, total - less],
            _ => [total - less, less],
        };
    }
    for ([_, after], added) in cut.iter_mut().zip(added) {
        *after -= added as i64;
    }
    let more = cut
        .iter()
        .map(|[_, after]| -after)
        .max()
        .unwrap_or(0)
        .max(0);
    let [[top, bottom], [left, right]] =
        cut.map(|[before, after]| [before, after.saturating_add(more)].map(usize::try_from));
    let negative = |_| "its output is larger than what it stamps".to_owned();
    window.padding = Padding::Zeros {
        top: top.map_err(negative)?,
        bottom: bottom.map_err(negative)?,
        left: left.map_err(negative)?,
        right: right.map_err(negative)?,
    };
    Ok((window, more as usize))
}

/// The tensors of a layer: filters, whose axes are put into this order, and biases.
fn tensors(
    filters: &Array,
    order: &[usize],
    biases: Option<Vec<f32>>,
) -> Result<Vec<Tensor>, String> {
    let turned = filters
        .transposed(order)
        .ok_or("its weights are not of four axes")?;
    let data = turned.as_floats().ok_or("its weights are of integers")?;
    let filters = Tensor {
        field: "filters".into(),
        shape: turned.dims.clone(),
        data: data.to_vec(),
    };
    let biases = biases.map(|biases| Tensor::vector("bias", biases));
    Ok([Some(filters), biases].into_iter().flatten().collect())
}
