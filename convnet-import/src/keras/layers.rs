//! Layers as nodes.

use std::collections::HashMap;

use convnet_onnx::proto::Attribute;
use serde_json::Value;

use super::calls::{Argument, Call};
use super::settings::Settings;
use super::weights::Weights;
use crate::array::{Array, Data};
use crate::nodes::{Nodes, bounds, float, int, ints, text};
use crate::onnx::Input;

/// Layers that do something in training only.
const OF_TRAINING: &[&str] = &[
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "RandomBrightness",
    "RandomContrast",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "SpatialDropout2D",
];

/// Of a layer of which nothing is known, what its arrays are called if the file does not say it.
const UNKNOWN: [&str; 8] = ["w0", "w1", "w2", "w3", "w4", "w5", "w6", "w7"];

/// Nodes, while they are written.
pub(super) struct Lowering {
    weights: Weights,
    version: u32,
    pub(super) out: Nodes,
    /// How many axes tensors have.
    ranks: HashMap<String, usize>,
}

/// The arrays of a layer.
type Arrays = HashMap<String, Array>;

impl Lowering {
    pub(super) fn new(weights: Weights, version: u32, image: &Input) -> Self {
        Self {
            weights,
            version,
            out: Nodes::default(),
            ranks: HashMap::from([(image.name.clone(), image.dims.len())]),
        }
    }

    /// Adds the nodes of a call; of one for which there are none, a node that says why.
    pub(super) fn call(&mut self, it: &Call<'_>) {
        let tensors = it.arguments.iter().filter_map(|argument| match argument {
            Argument::Tensor(name) => Some(name.clone()),
            Argument::Number(_) => None,
        });
        let inputs: Vec<String> = tensors.collect();
        let rank = inputs.first().and_then(|x| self.ranks.get(x)).copied();
        let rank = rank.unwrap_or(4);
        let before = self.out.nodes.len();
        let lowered = match inputs.first() {
            Some(x) => self.layer(it, x, &inputs, rank),
            None => Err("it reads nothing".into()),
        };
        let written = lowered.unwrap_or_else(|why| {
            self.out.nodes.truncate(before);
            let why = (!why.is_empty()).then(|| text("why", &why));
            let mut inputs = inputs;
            // A layer by hand may want them.
            let arrays = self
                .weights
                .of_layer(&it.place, &UNKNOWN)
                .unwrap_or_default();
            for (name, array) in arrays {
                let name = format!("{}::{name}", it.y);
                inputs.push(name.clone());
                self.out.constants.insert(name, array);
            }
            self.out.node(it.class, inputs, &it.y, why);
            rank
        });
        self.ranks.insert(it.y.clone(), written);
    }

    /// How many axes there are then. An empty text says that there is no such layer.
    fn layer(
        &mut self,
        it: &Call<'_>,
        x: &str,
        inputs: &[String],
        rank: usize,
    ) -> Result<usize, String> {
        let settings = Settings(it.config);
        if settings.text("data_format") == Some("channels_first") {
            return Err("its data format is `channels_first`: `channels_last` is read".into());
        }
        if let Some(policy) = settings.get("dtype").and_then(|it| it.get("class_name"))
            && policy.as_str().is_some_and(|it| it.contains("Quantized"))
        {
            return Err("its weights are quantized".into());
        }
        if it.trains && (it.class == "BatchNormalization" || OF_TRAINING.contains(&it.class)) {
            return Err("it is called with `training = True`".into());
        }
        let (y, one) = (it.y.as_str(), vec![x.to_owned()]);
        if OF_TRAINING.contains(&it.class) {
            self.out.node("Identity", one, y, None);
            return Ok(rank);
        }
        let takes_numbers = |class: &str| {
            matches!(
                class,
                "Add" | "Subtract" | "Multiply" | "TrueDivide" | "Divide" | "TFOpLambda"
            )
        };
        if inputs.len() != it.arguments.len() && !takes_numbers(it.class) {
            return Err("it is called with numbers".into());
        }
        match it.class {
            "Conv2D" | "Convolution2D" => self.conv(it, settings, x)?,
            "DepthwiseConv2D" => {
                let arrays = self.arrays(it, &["depthwise_kernel", "bias"])?;
                let raw = raw(settings, y);
                self.depthwise(&arrays, settings, x, &raw, arrays.get("bias"))?;
                self.then(settings, &raw, y)?;
            }
            "SeparableConv2D" | "SeparableConvolution2D" => self.separable(it, settings, x)?,
            "Conv2DTranspose" | "Convolution2DTranspose" => self.conv_transpose(it, settings, x)?,
            "Dense" => {
                let arrays = self.arrays(it, &["kernel", "bias"])?;
                let inputs = self.inputs(
                    x,
                    y,
                    kernel(&arrays, &["kernel"])?.clone(),
                    arrays.get("bias"),
                );
                let raw = raw(settings, y);
                self.out.node("Gemm", inputs, &raw, None);
                self.then(settings, &raw, y)?;
            }
            "BatchNormalization" => self.batch_norm(it, settings, x, rank)?,
            "LayerNormalization" => {
                if settings.flag("rms_scaling", false) {
                    return Err("it normalises without the mean".into());
                }
                let axes = settings.axes(rank)?;
                let first = match (rank, axes.as_slice()) {
                    (_, &[axis]) if axis == rank as i64 - 1 => -1,
                    (4, [1, 2, 3]) => 1,
                    _ => {
                        return Err(format!(
                            "it normalises the axes {axes:?} of {rank}: the last one can be, by `layer_norm`, or \
                             height, width and depth, by `layer_norm_volume`"
                        ));
                    }
                };
                let attributes = vec![int("axis", first), epsilon(settings)];
                let inputs = self.norm(it, settings, x)?;
                self.out.node("LayerNormalization", inputs, y, attributes);
            }
            "GroupNormalization" => self.group_norm(it, settings, x, rank)?,
            "Normalization" => self.normalization(it, settings, x)?,
            "Rescaling" => {
                let [scale, offset] = [("scale", 1.0), ("offset", 0.0)]
                    .map(|(name, default)| settings.floats(name).unwrap_or_else(|| vec![default]));
                self.scaled(x, y, scale, offset);
            }
            "MaxPooling2D" | "MaxPool2D" | "AveragePooling2D" | "AvgPool2D" => {
                let kind = if it.class.starts_with("Max") {
                    "MaxPool"
                } else {
                    "AveragePool"
                };
                let size = settings.pair("pool_size", 2)?;
                let strides = match settings.get("strides") {
                    None => size,
                    Some(_) => settings.pair("strides", 1)?,
                };
                let attributes = vec![
                    padding(settings)?,
                    ints("kernel_shape", &size),
                    ints("strides", &strides),
                ];
                self.out.sliding(kind, one, y, attributes)?;
            }
            "GlobalAveragePooling2D"
            | "GlobalAvgPool2D"
            | "GlobalMaxPooling2D"
            | "GlobalMaxPool2D" => {
                let kind = if it.class.starts_with("GlobalMax") {
                    "ReduceMax"
                } else {
                    "ReduceMean"
                };
                let keeps = settings.flag("keepdims", false);
                let attributes = [ints("axes", &[1, 2]), int("keepdims", i64::from(keeps))];
                self.out.node(kind, one, y, attributes);
                return Ok(if keeps { 4 } else { 2 });
            }
            "ZeroPadding2D" => {
                let [top, bottom, left, right] = settings.sides("padding")?;
                let pads = ints("pads", &[0, 0, top, left, 0, 0, bottom, right]);
                self.out.sliding("Pad", one, y, vec![pads])?;
            }
            "Cropping2D" => {
                let [top, bottom, left, right] = settings.sides("cropping")?;
                let end = |cut: i64| {
                    if cut == 0 {
                        i64::MAX
                    } else {
                        cut.saturating_neg()
                    }
                };
                let attributes = [
                    ints("axes", &[1, 2]),
                    ints("starts", &[top, left]),
                    ints("ends", &[end(bottom), end(right)]),
                ];
                self.out.node("Slice", one, y, attributes);
            }
            "UpSampling2D" => self.upsampling(settings, x, y)?,
            "Flatten" => {
                self.out.node("Flatten", one, y, None);
                return Ok(2);
            }
            "Reshape" => {
                let shape = settings
                    .ints("target_shape")
                    .ok_or("it does not say to which shape")?;
                let to = [vec![1], shape].concat();
                self.out.node("Reshape", one, y, [ints("shape", &to)]);
                return Ok(to.len());
            }
            "Permute" => {
                let order = settings
                    .ints("dims")
                    .ok_or("it does not say in which order")?;
                self.out.node(
                    "Transpose",
                    one,
                    y,
                    [ints("perm", &[vec![0], order].concat())],
                );
            }
            "Add" | "Subtract" | "Multiply" | "TrueDivide" | "Divide" => {
                self.arithmetic(it, it.class)?
            }
            "Average" => {
                let sum = format!("{y}::sum");
                self.chain("Add", inputs, &sum);
                self.scaled(&sum, y, vec![1.0 / inputs.len() as f32], vec![0.0]);
            }
            // Of Keras 2, between layers.
            "TFOpLambda" => {
                let function = settings.text("function").unwrap_or_default();
                let name = function.rsplit('.').next().unwrap_or_default();
                match self.arithmetic(it, name) {
                    Err(why) if why.is_empty() => {
                        if !self.is_operation(name, x, y) {
                            return Err(format!(
                                "it is the function `{function}`, which no layer computes"
                            ));
                        }
                    }
                    done => done?,
                }
            }
            "Concatenate" => self.out.node(
                "Concat",
                inputs.to_vec(),
                y,
                [int("axis", settings.axis(rank)?)],
            ),
            class => {
                let done = self.activation_layer(class, settings, Some(it), x, y);
                if done.as_ref().is_err_and(String::is_empty) && self.is_operation(class, x, y) {
                    return Ok(rank);
                }
                done?;
            }
        }
        Ok(rank)
    }

    fn conv(&mut self, it: &Call<'_>, settings: Settings<'_>, x: &str) -> Result<(), String> {
        let arrays = self.arrays(it, &["kernel", "bias"])?;
        let filters = turned(kernel(&arrays, &["kernel"])?, &[3, 2, 0, 1])?;
        let inputs = self.inputs(x, &it.y, filters, arrays.get("bias"));
        let mut attributes = window(settings)?;
        attributes.push(int("group", settings.int("groups", 1)?));
        let raw = raw(settings, &it.y);
        self.out.sliding("Conv", inputs, &raw, attributes)?;
        self.then(settings, &raw, &it.y)
    }

    /// Filters of `[height, width, depth, times]`.
    fn depthwise(
        &mut self,
        arrays: &Arrays,
        settings: Settings<'_>,
        x: &str,
        y: &str,
        bias: Option<&Array>,
    ) -> Result<(), String> {
        let filters = turned(
            kernel(arrays, &["depthwise_kernel", "kernel"])?,
            &[2, 3, 0, 1],
        )?;
        let &[depth, times, height, width] = filters.dims.as_slice() else {
            return Err("its filters have not four axes".into());
        };
        let apart = filters.reshaped(vec![depth * times, 1, height, width]);
        let inputs = self.inputs(x, y, apart.ok_or("its filters have not four axes")?, bias);
        let mut attributes = window(settings)?;
        attributes.push(int("group", depth as i64));
        self.out.sliding("Conv", inputs, y, attributes)?;
        Ok(())
    }

    /// Slice by slice, then of 1x1.
    fn separable(&mut self, it: &Call<'_>, settings: Settings<'_>, x: &str) -> Result<(), String> {
        let arrays = self.arrays(it, &["depthwise_kernel", "pointwise_kernel", "bias"])?;
        let named = |part: &str| match it.y.split_once("::") {
            None => format!("{}.{part}", it.y),
            Some((name, end)) => format!("{name}.{part}::{end}"),
        };
        let (between, last) = (named("depthwise"), format!("{}::raw", named("pointwise")));
        self.depthwise(&arrays, settings, x, &between, None)?;
        let filters = turned(kernel(&arrays, &["pointwise_kernel"])?, &[3, 2, 0, 1])?;
        let inputs = self.inputs(&between, &last, filters, arrays.get("bias"));
        self.out.sliding("Conv", inputs, &last, Vec::new())?;
        match is_linear(settings) {
            true => self.out.node("Identity", vec![last], &it.y, None),
            false => self.then(settings, &last, &it.y)?,
        }
        Ok(())
    }

    fn conv_transpose(
        &mut self,
        it: &Call<'_>,
        settings: Settings<'_>,
        x: &str,
    ) -> Result<(), String> {
        let arrays = self.arrays(it, &["kernel", "bias"])?;
        let filters = turned(kernel(&arrays, &["kernel"])?, &[3, 2, 0, 1])?;
        let strides = settings.pair("strides", 1)?;
        let dilations = settings.pair("dilation_rate", 1)?;
        let given = settings.get("output_padding");
        let given = given.map(|_| settings.pair("output_padding", 0));
        let given = given.transpose()?;
        let same = settings.text("padding") == Some("same");
        let (mut pads, mut added) = ([0; 4], [0; 2]);
        for axis in 0..2 {
            let gaps = (filters.dims[2 + axis] as i64 - 1).saturating_mul(dilations[axis]);
            let covers = gaps.saturating_add(1);
            // What is cut off of (size − 1) · stride and what one stamp covers; or added, where it is less than 0.
            let rest = match (same, given) {
                (true, None) => covers.saturating_sub(strides[axis]),
                (false, None) => covers.saturating_sub(strides[axis]).min(0),
                (true, Some(more)) => (covers - covers % 2).saturating_sub(more[axis]),
                (false, Some(more)) => more[axis].saturating_neg(),
            };
            // The smaller half in front; what is missing, at the end.
            let before = (rest / 2).max(0);
            (pads[axis], pads[2 + axis]) = (before, (rest - before).max(0));
            added[axis] = rest.saturating_neg().max(0);
        }
        let inputs = self.inputs(x, &it.y, filters, arrays.get("bias"));
        let raw = raw(settings, &it.y);
        let attributes = vec![
            ints("strides", &strides),
            ints("dilations", &dilations),
            ints("pads", &pads),
            ints("output_padding", &added),
        ];
        self.out
            .sliding("ConvTranspose", inputs, &raw, attributes)?;
        self.then(settings, &raw, &it.y)
    }

    fn batch_norm(
        &mut self,
        it: &Call<'_>,
        settings: Settings<'_>,
        x: &str,
        rank: usize,
    ) -> Result<(), String> {
        if settings.axis(rank)? != rank as i64 - 1 {
            return Err("it normalises another axis than the last one".into());
        }
        let mut names = learnt(settings);
        names.extend(["moving_mean", "moving_variance"]);
        let arrays = self.arrays(it, &names)?;
        let depth = kernel(&arrays, &["moving_mean"])?.len();
        let mut inputs = vec![x.to_owned()];
        for (name, default) in [
            ("gamma", 1.0),
            ("beta", 0.0),
            ("moving_mean", 0.0),
            ("moving_variance", 1.0),
        ] {
            let array = arrays.get(name).cloned();
            inputs.push(self.constant(
                &it.y,
                name,
                array.unwrap_or_else(|| flat(vec![default; depth])),
            ));
        }
        let attributes = vec![epsilon(settings)];
        match rank {
            2 => self
                .out
                .node("BatchNormalization", inputs, &it.y, attributes),
            _ => {
                self.out
                    .sliding("BatchNormalization", inputs, &it.y, attributes)?;
            }
        }
        Ok(())
    }

    fn group_norm(
        &mut self,
        it: &Call<'_>,
        settings: Settings<'_>,
        x: &str,
        rank: usize,
    ) -> Result<(), String> {
        if settings.axis(rank)? != rank as i64 - 1 || rank != 4 {
            return Err("it normalises another axis than the depth of a volume".into());
        }
        let inputs = self.norm(it, settings, x)?;
        let epsilon = epsilon(settings);
        match settings.int("groups", 32)? {
            // A group for each slice.
            -1 => self
                .out
                .sliding("InstanceNormalization", inputs, &it.y, vec![epsilon])?,
            groups => {
                let attributes = vec![epsilon, int("num_groups", groups)];
                self.out
                    .sliding("GroupNormalization", inputs, &it.y, attributes)?
            }
        };
        Ok(())
    }

    /// What a norm reads: factors and summands, which may both be missing.
    fn norm(
        &mut self,
        it: &Call<'_>,
        settings: Settings<'_>,
        x: &str,
    ) -> Result<Vec<String>, String> {
        let mut arrays = self.arrays(it, &learnt(settings))?;
        let mut inputs = vec![x.to_owned()];
        for name in ["gamma", "beta"] {
            inputs.push(match arrays.remove(name) {
                Some(array) => self.constant(&it.y, name, array),
                None => String::new(),
            });
        }
        Ok(inputs)
    }

    /// By a mean and a variance that were counted, or given.
    fn normalization(
        &mut self,
        it: &Call<'_>,
        settings: Settings<'_>,
        x: &str,
    ) -> Result<(), String> {
        let (mean, variance) = match (settings.floats("mean"), settings.floats("variance")) {
            (Some(mean), Some(variance)) => (mean, variance),
            _ => {
                let arrays = self.arrays(it, &["mean", "variance", "count"])?;
                let data = |name: &str| {
                    let data = kernel(&arrays, &[name])?.as_floats();
                    data.map(<[f32]>::to_vec)
                        .ok_or("it is of integers".to_owned())
                };
                (data("mean")?, data("variance")?)
            }
        };
        let deviation = variance.iter().map(|it| it.sqrt().max(1e-7));
        let factors: Vec<f32> = match settings.flag("invert", false) {
            true => deviation.collect(),
            false => deviation.map(|it| 1.0 / it).collect(),
        };
        match settings.flag("invert", false) {
            true => self.scaled(x, &it.y, factors, mean),
            false => {
                let shifted = format!("{}::shifted", it.y);
                self.scaled(x, &shifted, vec![1.0], mean.iter().map(|it| -it).collect());
                self.scaled(&shifted, &it.y, factors, vec![0.0]);
            }
        }
        Ok(())
    }

    /// x · scale + offset; what does nothing is left out.
    fn scaled(&mut self, x: &str, y: &str, scale: Vec<f32>, offset: Vec<f32>) {
        let mut x = x.to_owned();
        for (kind, by, none) in [("Mul", scale, 1.0), ("Add", offset, 0.0)] {
            if by.iter().any(|it| *it != none) {
                let by = self.constant(y, kind, flat(by));
                let z = format!("{y}::{kind}ed");
                self.out.node(kind, vec![x, by], &z, None);
                x = z;
            }
        }
        self.out.node("Identity", vec![x], y, None);
    }

    fn upsampling(&mut self, settings: Settings<'_>, x: &str, y: &str) -> Result<(), String> {
        let size = settings.pair("size", 2)?.map(|it| it as f32);
        let scales = flat(vec![1.0, 1.0, size[0], size[1]]);
        let scales = self.constant(y, "scales", scales);
        let attributes = match settings.text("interpolation").unwrap_or("nearest") {
            "nearest" => vec![
                text("mode", "nearest"),
                text("coordinate_transformation_mode", "asymmetric"),
                text("nearest_mode", "floor"),
            ],
            "bilinear" => vec![
                text("mode", "linear"),
                text("coordinate_transformation_mode", "half_pixel"),
            ],
            other => {
                return Err(format!(
                    "its interpolation is `{other}`: `nearest` and `bilinear` are known"
                ));
            }
        };
        let inputs = vec![x.to_owned(), String::new(), scales];
        self.out.sliding("Resize", inputs, y, attributes)?;
        Ok(())
    }

    /// Of two, and the result with the third, …
    fn chain(&mut self, kind: &str, inputs: &[String], y: &str) {
        let [first, rest @ ..] = inputs else { return };
        let mut x = first.clone();
        for (at, other) in rest.iter().enumerate() {
            let z = match at + 1 == rest.len() {
                true => y.to_owned(),
                false => format!("{y}::{at}"),
            };
            self.out.node(kind, vec![x, other.clone()], &z, None);
            x = z;
        }
        if rest.is_empty() {
            self.out.node("Identity", vec![x], y, None);
        }
    }

    /// A sum or a product of tensors and numbers: a layer, or what is written as such between layers. An empty text
    /// says that it is none.
    fn arithmetic(&mut self, it: &Call<'_>, function: &str) -> Result<(), String> {
        let kind = match function.to_lowercase().as_str() {
            "add" => "Add",
            "subtract" | "sub" => "Sub",
            "multiply" | "mul" => "Mul",
            "truedivide" | "divide" | "truediv" => "Div",
            _ => return Err(String::new()),
        };
        let mut inputs = Vec::new();
        for (at, argument) in it.arguments.iter().enumerate() {
            inputs.push(match argument {
                Argument::Tensor(name) => name.clone(),
                Argument::Number(number) => {
                    self.constant(&it.y, &format!("by{at}"), flat(vec![*number as f32]))
                }
            });
        }
        if inputs.len() < 2 {
            return Err("it is not of two, or more".into());
        }
        self.chain(kind, &inputs, &it.y);
        Ok(())
    }

    /// Whether it is a function of one tensor, which is then written.
    fn is_operation(&mut self, function: &str, x: &str, y: &str) -> bool {
        let name = function.to_lowercase();
        let known = matches!(
            name.as_str(),
            "relu"
                | "relu6"
                | "sigmoid"
                | "silu"
                | "swish"
                | "tanh"
                | "softplus"
                | "hardswish"
                | "hardsilu"
        );
        if known {
            self.activation(&name, x, y);
        }
        known
    }

    /// A layer that is an activation, by itself or as the setting of another one.
    fn activation_layer(
        &mut self,
        class: &str,
        settings: Settings<'_>,
        it: Option<&Call<'_>>,
        x: &str,
        y: &str,
    ) -> Result<(), String> {
        let one = vec![x.to_owned()];
        match class {
            "Activation" => return self.fused(settings.get("activation"), x, y),
            "ReLU" => {
                let slope = settings.number("negative_slope", 0.0) as f32;
                let most = settings.get("max_value").and_then(Value::as_f64);
                match (settings.number("threshold", 0.0) == 0.0, slope, most) {
                    (true, 0.0, None) => self.out.node("Relu", one, y, None),
                    (true, 0.0, Some(most)) => {
                        self.out.node("Clip", one, y, bounds(0.0, most as f32))
                    }
                    (true, slope, None) => {
                        self.out.node("LeakyRelu", one, y, [float("alpha", slope)])
                    }
                    _ => return Err(
                        "it has a threshold, or a slope and a bound: one of slope and bound can be"
                            .into(),
                    ),
                }
            }
            "LeakyReLU" => {
                let slope = settings.number("negative_slope", settings.number("alpha", 0.3));
                self.out
                    .node("LeakyRelu", one, y, [float("alpha", slope as f32)]);
            }
            "ELU" => self.out.node(
                "Elu",
                one,
                y,
                [float("alpha", settings.number("alpha", 1.0) as f32)],
            ),
            "Softmax" => {
                let axis = settings.ints("axis").unwrap_or_else(|| vec![-1]);
                let &[axis] = axis.as_slice() else {
                    return Err("it is over several axes".into());
                };
                self.out.node("Softmax", one, y, [int("axis", axis)]);
            }
            "PReLU" => {
                let it = it.ok_or("a `PReLU` within another layer")?;
                let arrays = self.arrays(it, &["alpha"])?;
                let slopes = self.constant(y, "alpha", kernel(&arrays, &["alpha"])?.clone());
                self.out.node("PRelu", vec![x.to_owned(), slopes], y, None);
            }
            _ => return Err(String::new()),
        }
        Ok(())
    }

    /// What is fused to a layer: the name of a function, or a layer.
    fn fused(&mut self, activation: Option<&Value>, x: &str, y: &str) -> Result<(), String> {
        let Some(activation) = activation else {
            self.activation("linear", x, y);
            return Ok(());
        };
        let (class, config) = (&activation["class_name"], &activation["config"]);
        match (activation.as_str().or(config.as_str()), class.as_str()) {
            (Some(name), _) => self.activation(name, x, y),
            (None, Some(class)) => {
                let done = self.activation_layer(class, Settings(config), None, x, y);
                return done.map_err(|why| match why.is_empty() {
                    true => format!("its activation is a `{class}`, which no layer computes"),
                    false => format!("its activation is a `{class}`: {why}"),
                });
            }
            (None, None) => return Err("its activation has no name".into()),
        }
        Ok(())
    }

    fn activation(&mut self, name: &str, x: &str, y: &str) {
        let one = vec![x.to_owned()];
        match name {
            "linear" => self.out.node("Identity", one, y, None),
            "relu" => self.out.node("Relu", one, y, None),
            "relu6" => self.out.node("Clip", one, y, bounds(0.0, 6.0)),
            "leaky_relu" => self.out.node("LeakyRelu", one, y, [float("alpha", 0.2)]),
            "sigmoid" => self.out.node("Sigmoid", one, y, None),
            "tanh" => self.out.node("Tanh", one, y, None),
            "softplus" => self.out.node("Softplus", one, y, None),
            "elu" => self.out.node("Elu", one, y, None),
            "gelu" => self.out.node("Gelu", one, y, None),
            "silu" | "swish" => {
                let gate = format!("{y}::gate");
                self.out.node("Sigmoid", one, &gate, None);
                self.out.node("Mul", vec![x.to_owned(), gate], y, None);
            }
            "hard_sigmoid" => {
                // Keras 2 cut off at ± 2.5, and not at ± 3.
                let slope = if self.version < 3 { 0.2 } else { 1.0 / 6.0 };
                let attributes = [float("alpha", slope), float("beta", 0.5)];
                self.out.node("HardSigmoid", one, y, attributes);
            }
            "hard_silu" | "hard_swish" | "hardswish" | "hardsilu" => {
                self.out.node("HardSwish", one, y, None)
            }
            "softmax" => self.out.node("Softmax", one, y, [int("axis", -1)]),
            "log_softmax" => self.out.node("LogSoftmax", one, y, [int("axis", -1)]),
            other => self.out.node(other, one, y, None),
        }
    }

    /// The activation behind `raw`, if there is one.
    fn then(&mut self, settings: Settings<'_>, raw: &str, y: &str) -> Result<(), String> {
        match is_linear(settings) {
            true => Ok(()),
            false => self.fused(settings.get("activation"), raw, y),
        }
    }

    /// The arrays of a layer, of which a `.keras` file has these, in this order.
    fn arrays(&mut self, it: &Call<'_>, names: &[&str]) -> Result<Arrays, String> {
        let all = self.weights.of_layer(&it.place, names)?;
        match all.is_empty() && !names.is_empty() {
            true => Err(format!(
                "its weights `{}` are not in the file",
                it.place.path.join("/")
            )),
            false => Ok(all),
        }
    }

    /// What a node with filters reads: and biases, if there are any.
    fn inputs(&mut self, x: &str, y: &str, filters: Array, bias: Option<&Array>) -> Vec<String> {
        let filters = self.constant(y, "filters", filters);
        let bias = bias.map(|bias| self.constant(y, "bias", bias.clone()));
        [x.to_owned(), filters].into_iter().chain(bias).collect()
    }

    fn constant(&mut self, y: &str, what: &str, array: Array) -> String {
        let name = format!("{y}::{what}");
        self.out.constants.insert(name.clone(), array);
        name
    }
}

fn flat(data: Vec<f32>) -> Array {
    Array {
        dims: vec![data.len()],
        data: Data::Float(data),
    }
}

/// Which of factors and summands are learnt.
fn learnt(settings: Settings<'_>) -> Vec<&'static str> {
    let both = [("gamma", "scale"), ("beta", "center")];
    let learnt = both.into_iter().filter(|it| settings.flag(it.1, true));
    learnt.map(|it| it.0).collect()
}

/// The first of these arrays that there is.
fn kernel<'a>(arrays: &'a Arrays, names: &[&str]) -> Result<&'a Array, String> {
    let found = names.iter().find_map(|name| arrays.get(*name));
    found.ok_or_else(|| format!("it has no `{}` in the file", names[0]))
}

fn turned(array: &Array, order: &[usize]) -> Result<Array, String> {
    let turned = array.transposed(order);
    turned.ok_or_else(|| format!("its filters have the axes {:?}", array.dims))
}

fn is_linear(settings: Settings<'_>) -> bool {
    let Some(activation) = settings.get("activation") else {
        return true;
    };
    activation.as_str().or(activation["config"].as_str()) == Some("linear")
}

/// What a layer writes before its activation.
fn raw(settings: Settings<'_>, y: &str) -> String {
    match is_linear(settings) {
        true => y.to_owned(),
        false => format!("{y}::raw"),
    }
}

/// What a norm adds to a variance.
fn epsilon(settings: Settings<'_>) -> Attribute {
    float("epsilon", settings.number("epsilon", 1e-3) as f32)
}

fn padding(settings: Settings<'_>) -> Result<Attribute, String> {
    match settings.text("padding").unwrap_or("valid") {
        "same" => Ok(text("auto_pad", "SAME_UPPER")),
        "valid" => Ok(text("auto_pad", "VALID")),
        other => Err(format!(
            "its padding is `{other}`: `same` and `valid` are known"
        )),
    }
}

/// Padding, strides and dilations, height before width.
fn window(settings: Settings<'_>) -> Result<Vec<Attribute>, String> {
    Ok(vec![
        padding(settings)?,
        ints("strides", &settings.pair("strides", 1)?),
        ints("dilations", &settings.pair("dilation_rate", 1)?),
    ])
}
