//! A network as `convnet!` is told of it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::network::{Fit, Item, Layer, Network, Pad, Shape, Window};

/// The declaration of `network` under this name, behind those of the networks inside it.
pub(crate) fn declare(network: &Network, name: &str, text: &mut String) {
    let mut writer = Writer {
        name,
        inside: 0,
        named: network.named,
        constants: BTreeSet::new(),
        before: String::new(),
        shape: network.input,
    };
    let body = writer.items(&network.items, 2);
    text.push_str(&writer.before);
    for constant in &writer.constants {
        let _ = writeln!(
            text,
            "const {}: usize = {constant};",
            constant_name(name, *constant)
        );
    }
    text.push_str("convnet::convnet! {\n");
    if network.row_by_row {
        text.push_str("    #[row_by_row]\n");
    }
    if network.direct_training {
        text.push_str("    #[direct_training]\n");
    }
    let [height, width, depth] = network.input;
    let _ = writeln!(
        text,
        "    pub struct {name} {{\n        input({width}x{height}x{depth}),\n{body}    }}\n}}"
    );
}

fn constant_name(name: &str, constant: usize) -> String {
    format!("{}_{constant}", name.to_uppercase())
}

struct Writer<'a> {
    name: &'a str,
    /// How many networks inside have been declared.
    inside: usize,
    named: bool,
    constants: BTreeSet<usize>,
    before: String,
    /// What the next item reads.
    shape: Shape,
}

impl Writer<'_> {
    fn items(&mut self, items: &[Item], depth: usize) -> String {
        let mut text = String::new();
        for item in items {
            let line = self.item(item, depth);
            let _ = writeln!(text, "{}{line},", "    ".repeat(depth));
        }
        text
    }

    fn braces(&mut self, items: &[Item], depth: usize, [open, close]: [char; 2]) -> String {
        let body = self.items(items, depth + 1);
        format!("{open}\n{body}{}{close}", "    ".repeat(depth))
    }

    fn item(&mut self, item: &Item, depth: usize) -> String {
        let x = self.shape;
        let text = match item {
            Item::Layer(name, layer) => {
                let layer = self.layer(layer);
                match name {
                    Some(name) => format!("{name}: {layer}"),
                    None => layer,
                }
            }
            Item::Repeat(items, times) => {
                format!("{} * {times}", self.braces(items, depth, ['[', ']']))
            }
            Item::Named(name, items) => {
                format!("{name}: {}", self.braces(items, depth, ['[', ']']))
            }
            Item::Residual(items, shortcut) => {
                let mut body = self.items(items, depth + 1);
                if let Some(shortcut) = shortcut {
                    self.shape = x;
                    let layers = self.braces(shortcut, depth + 1, ['{', '}']);
                    let _ = writeln!(body, "{}shortcut {layers},", "    ".repeat(depth + 1));
                }
                format!("residual {{\n{body}{}}}", "    ".repeat(depth))
            }
            Item::Product(items) => format!("scale {}", self.braces(items, depth, ['{', '}'])),
            Item::Concat(branches) => {
                let mut body = String::new();
                for branch in branches {
                    self.shape = x;
                    let layers = self.braces(branch, depth + 1, ['[', ']']);
                    let _ = writeln!(body, "{}{layers},", "    ".repeat(depth + 1));
                }
                format!("concat {{\n{body}{}}}", "    ".repeat(depth))
            }
            Item::Outputs(branches) => {
                let mut body = String::new();
                for (name, branch) in branches {
                    self.shape = x;
                    let layers = self.braces(branch, depth + 1, ['[', ']']);
                    let _ = writeln!(body, "{}{name}: {layers},", "    ".repeat(depth + 1));
                }
                format!("outputs {{\n{body}{}}}", "    ".repeat(depth))
            }
            Item::Inside(network) => {
                let name = format!("{}Inside{}", self.name, self.inside);
                self.inside += 1;
                declare(network, &name, &mut self.before);
                format!("network({name})")
            }
        };
        self.shape = item.output(x).expect("drawn to fit");
        text
    }

    fn filters(&mut self, filters: usize) -> String {
        if !self.named {
            return filters.to_string();
        }
        self.constants.insert(filters);
        constant_name(self.name, filters)
    }

    fn layer(&mut self, layer: &Layer) -> String {
        let [height, width, depth] = self.shape;
        match layer {
            Layer::Conv {
                filters,
                groups,
                bias,
                window,
            } => {
                let groups = match groups {
                    1 => String::new(),
                    groups => format!(", groups = {groups}"),
                };
                let filters = self.filters(*filters);
                format!("conv({filters}, {}{groups}{})", slides(window), none(*bias))
            }
            Layer::Depthwise { bias, window } => {
                format!("depthwise({}{})", slides(window), none(*bias))
            }
            Layer::ConvTranspose {
                filters,
                groups,
                bias,
                more,
                window,
            } => {
                let mut text = format!("{}, {}", self.filters(*filters), slides(window));
                for (name, number, none) in [("output_pad", more, 0), ("groups", groups, 1)] {
                    if *number != none {
                        let _ = write!(text, ", {name} = {number}");
                    }
                }
                format!("conv_transpose({text}{})", none(*bias))
            }
            Layer::BatchNorm {
                eps,
                momentum,
                affine,
            } => {
                let affine = if *affine { "" } else { ", affine = none" };
                format!("batch_norm(eps = {eps:?}, momentum = {momentum:?}{affine})")
            }
            Layer::Lrn {
                size,
                alpha,
                beta,
                k,
            } => format!("lrn({size}, alpha = {alpha:?}, beta = {beta:?}, k = {k:?})"),
            Layer::MaxPool(window) => format!("max_pool({})", pools(window)),
            Layer::AvgPool(window) => format!("avg_pool({})", pools(window)),
            Layer::GlobalAvgPool => "global_avg_pool".into(),
            Layer::GlobalMaxPool => "global_max_pool".into(),
            Layer::Upsample(size) => format!("upsample({})", across(*size)),
            Layer::UpsampleBilinear(size) => format!("upsample_bilinear({})", across(*size)),
            Layer::UpsampleAligned(size) => format!("upsample_aligned({})", across(*size)),
            Layer::DepthToSpace(size) => format!("depth_to_space({})", across(*size)),
            Layer::SpaceToDepth(size) => format!("space_to_depth({})", across(*size)),
            Layer::Crop([top, bottom, left, right]) => {
                format!("crop(({top}, {bottom}, {left}, {right}))")
            }
            Layer::GroupNorm(groups, eps) => format!("group_norm({groups}, eps = {eps:?})"),
            Layer::LayerNorm(eps) => format!("layer_norm(eps = {eps:?})"),
            Layer::LayerNormVolume(eps) => format!("layer_norm_volume(eps = {eps:?})"),
            Layer::Affine => "affine".into(),
            // One alone needs no brackets.
            Layer::Normalize(mean, std) => {
                let list = |list: &[f64]| match list {
                    [one] => format!("{one:?}"),
                    all => format!("{all:?}"),
                };
                format!("normalize(mean = {}, std = {})", list(mean), list(std))
            }
            Layer::LogSoftmax => "log_softmax".into(),
            Layer::Pad([top, bottom, left, right]) => {
                format!("pad(({top}, {bottom}, {left}, {right}))")
            }
            Layer::PadDepth(filters) => format!("pad_depth({filters})"),
            Layer::Slices(filters, 0) => format!("slices({filters})"),
            Layer::Slices(filters, from) => format!("slices({filters}, from = {from})"),
            Layer::Prelu => "prelu".into(),
            Layer::ChannelShuffle(groups) => format!("channel_shuffle({groups})"),
            Layer::Fc { filters, bias } => {
                format!("fc({}{})", self.filters(*filters), none(*bias))
            }
            Layer::Relu => "relu".into(),
            Layer::Relu6 => "relu6".into(),
            Layer::LeakyRelu(slope) => format!("leaky_relu({slope:?})"),
            Layer::Sigmoid => "sigmoid".into(),
            Layer::Tanh => "tanh".into(),
            Layer::HardSwish => "hard_swish".into(),
            Layer::HardSigmoid => "hard_sigmoid".into(),
            Layer::Silu => "silu".into(),
            Layer::Gelu => "gelu".into(),
            Layer::GeluTanh => "gelu_tanh".into(),
            Layer::Elu(alpha) => format!("elu({alpha:?})"),
            Layer::Softplus => "softplus".into(),
            Layer::Clamp(low, high) => format!("clamp({low:?}, {high:?})"),
            Layer::Softmax => "softmax".into(),
            Layer::Dropout(rate) => format!("dropout({rate:?})"),
            Layer::Flatten => "flatten".into(),
            Layer::Scale => format!("layer(Scale<T, {depth}>, {width}x{height}x{depth})"),
            Layer::Negate => format!("layer(Negate, {width}x{height}x{depth})"),
        }
    }
}

fn none(bias: bool) -> &'static str {
    if bias { "" } else { ", bias = none" }
}

/// Width first, as sizes are written.
fn across([rows, columns]: [usize; 2]) -> String {
    format!("{columns}x{rows}")
}

fn step(step: [usize; 2]) -> String {
    match step {
        [rows, columns] if rows == columns => rows.to_string(),
        _ => across(step),
    }
}

/// The arguments of a filter, whose stride is 1 unless it is written.
fn slides(window: &Window) -> String {
    written(window, [1, 1])
}

/// Those of a pool, whose stride is its size.
fn pools(window: &Window) -> String {
    written(window, window.size)
}

fn written(window: &Window, stride: [usize; 2]) -> String {
    let mut text = across(window.size);
    if window.stride != stride {
        let _ = write!(text, ", stride = {}", step(window.stride));
    }
    if window.dilation != [1, 1] {
        let _ = write!(text, ", dilation = {}", step(window.dilation));
    }
    match window.pad {
        Pad::All(0) => {}
        Pad::All(zeros) => {
            let _ = write!(text, ", pad = {zeros}");
        }
        Pad::Same => text.push_str(", pad = same"),
        Pad::Pair(before, after) => {
            let _ = write!(text, ", pad = ({before}, {after})");
        }
        Pad::Sides([top, bottom, left, right]) => {
            let _ = write!(text, ", pad = ({top}, {bottom}, {left}, {right})");
        }
    }
    match window.fit {
        Fit::Exact => {}
        Fit::Crop => text.push_str(", fit = crop"),
        Fit::Pad => text.push_str(", fit = pad"),
    }
    text
}
