//! Words, arguments and orders of arguments that other libraries have, and what they are called here.

use super::Written;
use super::number::{Number, Value};
use super::odd::Odd;
use super::words;

/// What is said of a word that is no layer, and of which no layer is meant.
pub(super) fn word(word: &str) -> Option<&'static str> {
    const BY_HAND: &str = "write it by hand, as a type that implements `Layer`, and name it: `layer(MINE, 8x8x4)`, where 8x8x4 is what it writes";
    let hint = match plain(word).as_str() {
        "selu" | "celu" | "rrelu" | "glu" | "mish" | "softsign" | "logsigmoid" | "maxout"
        | "threshold" | "reshape" | "view" | "permute" | "transpose" | "embedding" | "lstm"
        | "gru" | "rnn" | "attention" | "multiheadattention" | "lambda" | "unfold" | "fold"
        | "bias" | "power" | "squeeze" | "unsqueeze" | "identity" | "spatialdropout"
        | "gaussiannoise" => BY_HAND,
        "add" | "sum" | "eltwise" | "skip" => {
            "what is added to its input stands in a block: `residual { conv(64, 3x3, pad = 1), relu }`"
        }
        "concatenate" => {
            "what lies side by side in the depth stands in a block: `concat { [conv(64, 1x1)], [conv(32, 3x3, pad = 1)] }`"
        }
        "conv1" => "a row of pixels is a volume of height 1, and its filter too: `conv(4, 3x1)`",
        "conv3" | "maxpool3" | "avgpool3" => {
            "a volume has a width, a height and a depth, and filters slide along the first two"
        }
        "conv1x1" | "conv3x3" | "conv5x5" | "conv7x7" => {
            "the size of the filters is an argument: `conv(64, 3x3)`"
        }
        "activation" | "act" | "nonlinearity" => "an activation is a layer of its own: `relu`",
        "pad" | "padding" => {
            "padding is an argument of the layer whose filters need it: `conv(12, 5x5, pad = 2)`"
        }
        "output" | "outputs" | "scores" | "logits" | "classifier" | "head" => {
            "what a layer is called stands before a colon: `scores: fc(10)`"
        }
        "repeat" | "loop" => "a repetition is written `[conv(64, 3x3, pad = 1), relu] * 2`",
        "sequential" => {
            "layers that belong together stand in brackets: `stage1: [conv(64, 3x3, pad = 1), relu]`"
        }
        "loss" | "crossentropyloss" | "crossentropy" | "softmaxwithloss" | "nllloss" | "mse"
        | "svm" | "regression" => {
            "a loss is chosen where the network is trained: the last layer writes scores, `fc(10)`"
        }
        "input" | "data" | "inputlayer" => "the image is said first: `input(32x32x3)`",
        _ if word.starts_with(char::is_uppercase) && words::meant(word).is_empty() => {
            "a network that is declared elsewhere is `network(path::To::Stem)`, a layer written by hand `layer(path::To::SHIFT, 32x32x12)`"
        }
        _ => return None,
    };
    Some(hint)
}

/// A word without capitals, underscores and the dimensions behind it.
pub(super) fn plain(word: &str) -> String {
    let lower = word.to_ascii_lowercase().replace('_', "");
    match lower.strip_suffix("2d") {
        Some(flat) => flat.into(),
        None => match lower.strip_suffix('d') {
            Some(line) if line.ends_with(['1', '3']) => line.into(),
            _ => lower.replace('2', ""),
        },
    }
}

/// What is said of an argument that other libraries have, with the value that was given.
pub(super) fn keyed(word: &str, key: &str, value: &Written<Value>) -> Option<String> {
    let hint = self::key(word, key)?;
    let numbers = match &value.value {
        Value::Numbers(numbers) | Value::Tuple(numbers) => numbers.as_slice(),
        _ => &[],
    };
    let size = match numbers {
        [one] if one.word().is_none() => Some(format!("{one}x{one}")),
        [height, width] if matches!(value.value, Value::Tuple(_)) => {
            Some(format!("{width}x{height}"))
        }
        [width, height] => Some(format!("{width}x{height}")),
        _ => None,
    };
    Some(match (hint, numbers, &value.value, size) {
        ("write `pad = 2`, or `pad = same`", [one], _, _) => format!("write `pad = {one}`"),
        ("write `pad = 2`, or `pad = same`", _, Value::Odd(Odd::Text(text)), _)
            if text.eq_ignore_ascii_case("same") =>
        {
            "write `pad = same`".into()
        }
        ("write `pad = 2`, or `pad = same`", _, Value::Odd(Odd::Text(text)), _)
            if text.eq_ignore_ascii_case("valid") =>
        {
            "no padding is the default: leave it out".into()
        }
        ("the size needs no name: `3x3`", _, _, Some(size)) => {
            format!("the size needs no name: `{size}`")
        }
        ("write `stride = 2`" | "write `dilation = 2`" | "write `groups = 2`", [one], _, _) => {
            hint.replace('2', &one.to_string())
        }
        ("write `stride = 2`" | "write `dilation = 2`", _, _, Some(size)) => {
            hint.replace('2', &size)
        }
        _ => hint.into(),
    })
}

fn key(word: &str, key: &str) -> Option<&'static str> {
    let slides = matches!(
        word,
        "conv" | "depthwise" | "conv_transpose" | "max_pool" | "avg_pool"
    );
    let hint = match key {
        "padding" | "pads" | "pad_width" if slides => "write `pad = 2`, or `pad = same`",
        "kernel_size" | "kernel" | "ksize" | "kernel_shape" | "filter_size" | "pool_size"
        | "window" | "window_shape" | "sx" | "k" | "f" | "width" | "height" | "kernel_h"
        | "kernel_w"
            if slides =>
        {
            "the size needs no name: `3x3`"
        }
        "strides" | "subsample" | "step" if slides => "write `stride = 2`",
        "dilation_rate" | "dilations" | "rate" if slides => "write `dilation = 2`",
        "group" => "write `groups = 2`",
        "out_channels" | "out_features" | "units" | "num_output" | "num_filters"
        | "num_neurons" | "num_classes" | "channels" | "neurons" | "features" | "depth" | "out"
        | "n" => "the number of filters needs no name: `conv(12, 5x5)`, `fc(10)`",
        "in_channels" | "in_features" | "in_depth" | "input_shape" | "input_dim"
        | "num_features" | "num_channels" | "in_sx" | "in_sy" | "input_size" => {
            "leave it out: it follows from the layer before"
        }
        "ceil_mode" => "write `fit = pad`, which adds zeros where a window is not full",
        "count_include_pad" => "leave it out",
        "output_padding" => "write `output_pad = 1`",
        "depth_multiplier" | "channel_multiplier" => {
            "more than one filter for each depth slice is a conv in groups: `conv(24, 3x3, groups = 12)` on a depth of 12"
        }
        "use_bias" | "bias_term" | "no_bias" => "write `bias = none` for no bias",
        "center" | "scale" if word == "batch_norm" => "write `affine = none` for neither",
        "momentum"
        | "affine"
        | "track_running_stats"
        | "center"
        | "scale"
        | "inplace"
        | "return_indices" => "leave it out",
        "epsilon" => "write `eps = 1e-5`",
        "p" | "drop_prob" | "dropout_ratio" | "drop_rate" | "prob" => {
            "the rate needs no name: `dropout(0.5)`"
        }
        "negative_slope" | "alpha" if word == "leaky_relu" => {
            "the slope needs no name: `leaky_relu(0.01)`"
        }
        "activation" | "nonlinearity" => {
            "an activation is a layer of its own, on the next line: `relu`"
        }
        "name" => "a layer's name stands before it: `conv1: conv(12, 5x5)`",
        "padding_mode" | "pad_mode" => "what is padded is zeros: leave it out",
        "kernel_initializer" | "bias_initializer" | "weight_filler" | "bias_filler" | "init" => {
            "how parameters begin is said when they do: `Net::random(231)`"
        }
        "local_size" => "the number of neighbours needs no name: `lrn(5)`",
        _ => return None,
    };
    Some(hint)
}

/// What is said of more arguments without a name than a word has, as other libraries order them.
pub(super) fn order(word: &str, values: &[Written<Value>]) -> Option<String> {
    let one = |value: &Written<Value>| match &value.value {
        Value::Numbers(numbers) => match numbers.as_slice() {
            [number] if number.word().is_none() => Some(number.clone()),
            _ => None,
        },
        _ => None,
    };
    let numbers: Vec<Option<Number>> = values.iter().map(one).collect();
    let sized = |at: usize| {
        matches!(&values.get(at)?.value, Value::Numbers(numbers) if numbers.len() == 2)
            .then(|| values[at].tokens.to_string().replace(' ', ""))
    };
    let steps = |size: String, steps: &[Option<Number>]| match steps {
        [Some(stride)] => Some(format!("{size}, stride = {stride}")),
        [Some(stride), Some(pad)] => Some(format!("{size}, stride = {stride}, pad = {pad}")),
        _ => None,
    };
    const NAMED: &str = "a stride and a padding have names";
    const DEEP: &str = "how deep a filter is follows from the layer before";
    let (why, what) = match (word, numbers.as_slice()) {
        ("input", [Some(w), Some(h), Some(d)]) => (
            "an input is width x height x depth",
            format!("input({w}x{h}x{d})"),
        ),
        ("conv" | "conv_transpose", [Some(k), _, after @ ..]) if sized(1).is_some() => {
            (NAMED, format!("{word}({k}, {})", steps(sized(1)?, after)?))
        }
        ("conv" | "conv_transpose", [Some(_), Some(k), _]) if sized(2).is_some() => {
            (DEEP, format!("{word}({k}, {})", sized(2)?))
        }
        ("conv" | "conv_transpose", [Some(k), Some(w), Some(h)])
            if w.to_string() == h.to_string() =>
        {
            ("a size is one argument", format!("{word}({k}, {w}x{h})"))
        }
        ("conv" | "conv_transpose", [Some(_), Some(k), Some(f)]) => {
            (DEEP, format!("{word}({k}, {f}x{f})"))
        }
        ("conv" | "conv_transpose", [Some(_), Some(k), Some(f), after @ ..]) => {
            let size = steps(format!("{f}x{f}"), after)?;
            (DEEP, format!("{word}({k}, {size})"))
        }
        ("depthwise" | "max_pool" | "avg_pool", [_, after @ ..]) if sized(0).is_some() => {
            (NAMED, format!("{word}({})", steps(sized(0)?, after)?))
        }
        ("max_pool" | "avg_pool", [Some(f), after @ ..]) => (
            NAMED,
            format!("{word}({})", steps(format!("{f}x{f}"), after)?),
        ),
        ("depthwise", [Some(w), Some(h)]) => ("a size is one argument", format!("{word}({w}x{h})")),
        ("fc", [Some(_), Some(k)]) if k.known() != Some(0) => (
            "what a neuron reads follows from the layer before",
            format!("fc({k})"),
        ),
        ("batch_norm", [Some(_)]) => (
            "how deep it is follows from the layer before",
            "batch_norm".into(),
        ),
        _ => return None,
    };
    Some(format!("{why}\nwrite `{what}`"))
}
