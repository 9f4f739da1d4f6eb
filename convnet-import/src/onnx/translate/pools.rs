//! Layers that look at windows, at neighbours or at the whole map, without weights.

use convnet_core::graph::Op;
use convnet_core::shape::{Fit, Padding, Window};

use super::{
    Activation, Attributes, Axes, Axis, DEPTH_FIRST, Node, Translated, Translator, fitted,
    shortest, sized, window,
};
use crate::onnx::attributes::sizes;
use crate::onnx::fold::places;

/// How large a square of pixels may be that becomes one.
const MOST_BLOCK: usize = 1 << 10;

impl<'a> Translator<'a> {
    pub(super) fn pool(&mut self, node: &'a Node) -> Translated {
        let known = [
            "auto_pad",
            "ceil_mode",
            "count_include_pad",
            "dilations",
            "kernel_shape",
            "pads",
            "storage_order",
            "strides",
        ];
        let attributes = Attributes::of(node, &known)?;
        let x = self.depth_first(node, 0)?;
        let mut x = match x.pad {
            [0, 0, 0, 0] => x,
            // They count in its windows.
            _ => self.activation(node, 0)?,
        };
        let [height, width, depth] = self.volume(&x);
        if attributes.ints("kernel_shape").is_none() {
            return Err("it does not say how large its window is".into());
        }
        let size = attributes.pair("kernel_shape", 1)?;
        let mut window = window(attributes, size, 1, [height, width], [0; 4])?;
        let average = node.op_type == "AveragePool";
        let mut size = [height, width];
        if average
            && attributes.int("count_include_pad", 0) != 0
            && let Padding::Zeros {
                top,
                bottom,
                left,
                right,
            } = window.padding
            && window.padding != Padding::NONE
        {
            // `avg_pool` does not count its own.
            x.pad = [top, bottom, left, right];
            x = self.surrounded(&x)?;
            size = [top + height + bottom, left + width + right];
            window.padding = Padding::NONE;
        }
        let rest = match attributes.int("ceil_mode", 0) {
            0 => Fit::Crop,
            _ => Fit::Pad,
        };
        let place = |it: &Window| it.place_pool(size);
        let (window, placed) = fitted(window, rest, place)?;
        let op = match average {
            true => Op::AvgPool { window },
            false => Op::MaxPool { window },
        };
        let volume = [placed[0].output, placed[1].output, depth];
        Ok(self.push(node, op, &x, volume, Vec::new()))
    }

    /// Each pixel repeated, and nothing else.
    pub(super) fn resize(&mut self, node: &'a Node) -> Translated {
        let known = [
            "antialias",
            "axes",
            "coordinate_transformation_mode",
            "cubic_coeff_a",
            "exclude_outside",
            "extrapolation_value",
            "keep_aspect_ratio_policy",
            "mode",
            "nearest_mode",
            "scales",
        ];
        let attributes = Attributes::of(node, &known)?;
        let x = self.depth_first(node, 0)?;
        let x = match x.pad {
            [0, 0, 0, 0] => x,
            _ => self.activation(node, 0)?,
        };
        let mode = attributes.text("mode").unwrap_or("nearest");
        if attributes.ints("axes").is_some() {
            return Err("it names its axes".into());
        }
        let dims = self.dims(&x);
        let floats = |at: usize| self.array(node.input.get(at)?)?.as_floats();
        let scales = attributes
            .floats("scales")
            .or_else(|| match node.op_type.as_str() {
                "Upsample" => floats(1),
                _ => floats(2),
            });
        let sizes = node
            .input
            .get(3)
            .and_then(|name| self.array(name)?.as_ints());
        let times: Option<Vec<f32>> = match (scales, sizes) {
            (Some(scales), _) if !scales.is_empty() => Some(scales.to_vec()),
            (_, Some(sizes)) => {
                let pairs = sizes.iter().zip(&dims);
                Some(pairs.map(|(&to, &from)| to as f32 / from as f32).collect())
            }
            _ => None,
        };
        let times = times.ok_or("its factors are computed, or it has none")?;
        let whole =
            |it: f32| (it.fract() == 0.0 && (1.0..1000.0).contains(&it)).then_some(it as usize);
        let size = match times.as_slice() {
            &[1.0, 1.0, down, across] => whole(down).zip(whole(across)),
            _ => None,
        };
        let (down, across) = size.ok_or_else(|| {
            format!("its factors are {times:?}: height and width grow by whole ones")
        })?;
        // Which pixel is the nearest: that which is repeated there.
        let place = attributes.text("coordinate_transformation_mode");
        let nearest = attributes
            .text("nearest_mode")
            .unwrap_or("round_prefer_floor");
        let window = Window {
            size: [down, across],
            stride: [down, across],
            ..Window::square(1, 1, 0)
        };
        let repeats = node.op_type == "Upsample"
            || match place.unwrap_or("half_pixel") {
                "half_pixel" => nearest.starts_with("round"),
                "asymmetric" => {
                    nearest == "floor"
                        || (down <= 2 && across <= 2 && nearest == "round_prefer_floor")
                }
                _ => false,
            };
        let op = match (mode, place.unwrap_or("half_pixel")) {
            ("nearest", _) if repeats => Op::Upsample { window },
            ("linear", "half_pixel" | "pytorch_half_pixel") if node.op_type == "Resize" => {
                Op::UpsampleBilinear { window }
            }
            ("linear", "align_corners") => Op::UpsampleAligned { window },
            ("nearest", place) => {
                return Err(format!(
                    "it takes `{nearest}` of `{place}` coordinates, which is not the pixel that is repeated there"
                ));
            }
            (mode, place) => {
                return Err(format!(
                    "its mode is `{mode}` of `{place}` coordinates: `nearest` is known, and `linear` of `half_pixel` or \
                     `align_corners`"
                ));
            }
        };
        let [height, width, depth] = self.volume(&x);
        let volume = sized([height * down, width * across, depth])?;
        Ok(self.push(node, op, &x, volume, Vec::new()))
    }

    pub(super) fn channel_shuffle(&mut self, node: &'a Node) -> Translated {
        let known = ["group", "depth"];
        let attributes = Attributes::of(node, &known)?;
        let x = self.depth_first(node, 0)?;
        let [_, _, depth] = self.volume(&x);
        let [groups, each] = sizes([attributes.int("group", 1), attributes.int("depth", 1)])?;
        if groups == 0 || x.pad != [0; 4] || groups.checked_mul(each) != Some(depth) {
            return Err(format!("it cuts {depth} slices into {groups} times {each}"));
        }
        self.plain(node, &known, Op::ChannelShuffle { groups })
    }

    /// A depth column as a square of pixels; in the order `CRD` its slices are taken in turn first.
    pub(super) fn depth_to_space(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["blocksize", "mode"])?;
        let mut x = self.volume_to_cut(node)?;
        let ([height, width, depth], window) = (self.volume(&x), block(attributes)?);
        let [down, across] = window.size;
        let filters = depth / (down * across).max(1);
        if filters * down * across != depth || depth == 0 {
            return Err(format!(
                "it makes squares, {across}x{down}, of a depth of {depth}"
            ));
        }
        match attributes.text("mode").unwrap_or("DCR") {
            "DCR" => {}
            "CRD" => {
                let shuffled = Op::ChannelShuffle { groups: filters };
                x = self.moves(shuffled, &x, [height, width, depth]);
            }
            mode => return Err(format!("its mode is `{mode}`: `DCR` or `CRD` are known")),
        }
        let volume = sized([height * down, width * across, filters])?;
        Ok(self.push(node, Op::DepthToSpace { window }, &x, volume, Vec::new()))
    }

    pub(super) fn space_to_depth(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["blocksize"])?;
        let x = self.volume_to_cut(node)?;
        let ([height, width, depth], window) = (self.volume(&x), block(attributes)?);
        let [down, across] = window.size;
        if !height.is_multiple_of(down) || !width.is_multiple_of(across) {
            return Err(format!(
                "it makes squares, {across}x{down}, of {width}x{height}"
            ));
        }
        let volume = sized([height / down, width / across, depth * down * across])?;
        Ok(self.push(node, Op::SpaceToDepth { window }, &x, volume, Vec::new()))
    }

    /// What it reads in the order of ONNX, with its zeros as a layer.
    fn volume_to_cut(&mut self, node: &'a Node) -> Result<Activation, String> {
        self.depth_first(node, 0)?;
        self.activation(node, 0)
    }

    pub(super) fn global(&mut self, node: &'a Node, op: Op) -> Translated {
        let x = self.activation(node, 0)?;
        if x.axes != Axes::Four(DEPTH_FIRST) {
            return Err("it is not over height and width".into());
        }
        let [_, _, depth] = self.volume(&x);
        Ok(self.push(node, op, &x, [1, 1, depth], Vec::new()))
    }

    /// A mean or a maximum over height and width.
    pub(super) fn reduce(&mut self, node: &'a Node, op: Op) -> Translated {
        let attributes = Attributes::of(node, &["axes", "keepdims", "noop_with_empty_axes"])?;
        let x = self.activation(node, 0)?;
        let Axes::Four(axes) = x.axes else {
            return Err("its input is flat".into());
        };
        let over = self.numbers(node, attributes, "axes");
        let over = places(over.ok_or("its axes are not known")?, 4)?;
        let over: Vec<Axis> = over.iter().map(|&axis| axes[axis]).collect();
        if over.len() != 2 || !over.contains(&Axis::Height) || !over.contains(&Axis::Width) {
            return Err("it is not over height and width".into());
        }
        let [_, _, depth] = self.volume(&x);
        let value = self.push(node, op, &x, [1, 1, depth], Vec::new());
        match attributes.int("keepdims", 1) {
            0 => super::views::flat(value),
            _ => Ok(value),
        }
    }

    pub(super) fn lrn(&mut self, node: &'a Node) -> Translated {
        let attributes = Attributes::of(node, &["alpha", "beta", "bias", "size"])?;
        let size = usize::try_from(attributes.int("size", 0)).unwrap_or(0);
        if size == 0 {
            return Err("it does not say how many slices it sees".into());
        }
        let x = self.activation(node, 0)?;
        if x.axes != Axes::Four(DEPTH_FIRST) {
            return Err("it is not over the depth".into());
        }
        let op = Op::Lrn {
            size,
            alpha: shortest(attributes.float("alpha", 1e-4)),
            beta: shortest(attributes.float("beta", 0.75)),
            k: shortest(attributes.float("bias", 1.0)),
        };
        let volume = self.volume(&x);
        Ok(self.push(node, op, &x, volume, Vec::new()))
    }

    pub(super) fn softmax(&mut self, node: &'a Node, op: Op) -> Translated {
        let attributes = Attributes::of(node, &["axis"])?;
        let x = self.activation(node, 0)?;
        let ([height, width, depth], dims) = (self.volume(&x), self.dims(&x));
        // Before version 13 it is over an axis and all behind it.
        let old = self.opset < 13;
        let axis = attributes.int("axis", if old { 1 } else { -1 });
        let axis = places(&[axis], dims.len())?[0];
        let counted: usize = match old {
            true => dims[axis..].iter().product(),
            false => dims[axis],
        };
        // Depth column by depth column.
        let of_columns = match &x.axes {
            Axes::Four(axes) => (!old || axis == 3) && axes[axis] == Axis::Depth,
            Axes::Flat(_) => false,
            Axes::Rows(..) => axis == 2 && self.is_columns(&x),
        };
        match of_columns || height == 1 && width == 1 && counted == depth {
            true => Ok(self.push(node, op, &x, [height, width, depth], Vec::new())),
            false => Err(format!(
                "it is over {counted} values of {width}x{height}x{depth}"
            )),
        }
    }
}

/// So many pixels across and down, side by side; of no more rows or columns than a volume has. ONNX knows squares only, and
/// other formats give two numbers.
fn block(attributes: Attributes<'_>) -> Result<Window, String> {
    let size = match attributes.ints("blocksize") {
        Some(&[down, across]) => sizes([down, across])?,
        _ => sizes([attributes.int("blocksize", 0); 2])?,
    };
    match size {
        [1..=MOST_BLOCK, 1..=MOST_BLOCK] => Ok(Window {
            size,
            stride: size,
            ..Window::square(1, 1, 0)
        }),
        [down, across] => Err(format!("its squares are as large as {across}x{down}")),
    }
}
