//! Layers for which TensorFlow Lite has no operator, from a declaration's lines to a model and back.

use std::collections::HashMap;

use convnet::Rng;
use convnet::graph::{Elsewhere, Op};
use convnet::plan::Draft;
use convnet::shape::Window;
use convnet::tflite;

use super::read;

/// The axes of a layer's tensors, of what reads `[height, width, depth]`.
fn axes(
    op: Op<usize, Window, f64, Elsewhere<'_>>,
    [height, width, depth]: [usize; 3],
) -> Vec<(&'static str, Vec<usize>)> {
    match op {
        Op::Conv {
            filters,
            groups,
            window,
            ..
        } => {
            let [rows, columns] = window.size;
            vec![
                ("filters", vec![rows, columns, depth / groups, filters]),
                ("bias", vec![filters]),
            ]
        }
        Op::Fc { filters, .. } => vec![
            ("filters", vec![height, width, depth, filters]),
            ("bias", vec![filters]),
        ],
        Op::ConvTranspose {
            filters,
            groups,
            bias,
            window,
            ..
        } => {
            let [rows, columns] = window.size;
            let stamps = ("filters", vec![rows, columns, filters / groups, depth]);
            let biases = bias.then(|| ("bias", vec![filters]));
            [stamps].into_iter().chain(biases).collect()
        }
        Op::GroupNorm { .. } | Op::LayerNorm { .. } => {
            vec![("gamma", vec![depth]), ("beta", vec![depth])]
        }
        Op::LayerNormVolume { .. } => vec![
            ("gamma", vec![height, width, depth]),
            ("beta", vec![height, width, depth]),
        ],
        _ => Vec::new(),
    }
}

/// Such lines come back as they are, with the same numbers.
fn come_back(input: [usize; 3], lines: &[&str]) {
    let mut draft = Draft::new("Net", input);
    for (at, line) in lines.iter().enumerate() {
        let op: Op = line.parse().unwrap();
        draft.push(format!("layer{at}"), op);
    }
    let planned = draft.plan().unwrap();
    let graph: Vec<_> = planned.graph().collect();
    let (mut rng, mut read_by) = (Rng::new(11), input);
    let mut tensors: HashMap<String, (Vec<usize>, Vec<f32>)> = HashMap::new();
    for node in &graph {
        for (field, axes) in axes(node.op, read_by) {
            let numbers = (0..axes.iter().product()).map(|_| rng.normal() as f32);
            let numbers = numbers.collect();
            tensors.insert(format!("{}.{field}", node.name), (axes, numbers));
        }
        read_by = node.volume;
    }
    let bytes = tflite::graph_to_bytes(&graph, input, |name| tensors.get(name).cloned()).unwrap();
    let again = read(&bytes);
    let found = again.draft("Net");
    let as_lines = |ops: &[Op]| ops.iter().map(Op::to_string).collect::<Vec<_>>();
    assert_eq!(as_lines(found.ops()), as_lines(draft.ops()));
    let weights = again.weights().unwrap();
    let file = safetensors::SafeTensors::deserialize(&weights).unwrap();
    assert_eq!(file.len(), tensors.len(), "{lines:?}");
    for (name, (axes, numbers)) in tensors {
        let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        // Names with numbers are told anew.
        let field = name.rsplit('.').next();
        let is_it = file.iter().any(|(found, view)| {
            found.rsplit('.').next() == field && view.shape() == axes && view.data() == bytes
        });
        assert!(is_it, "{lines:?}: {name}, of {:?}", file.names());
    }
}

/// By itself, behind filters and in front of an activation that may be fused to it.
fn everywhere(input: [usize; 3], line: &str) {
    come_back(input, &[line]);
    come_back(input, &["conv(6, 1x1)", line, "relu"]);
    come_back(input, &["fc(6)", line, "relu6"]);
}

#[test]
fn clamps() {
    for line in ["clamp(-0.5, 2.5)", "clamp(0.0, 2.5)", "clamp(-1.0, 0.0)"] {
        everywhere([5, 4, 6], line);
    }
    come_back([5, 4, 6], &["clamp(-0.5, 2.5)", "clamp(-0.25, 2.0)"]);
}

#[test]
fn elu() {
    for line in ["elu", "elu(0.5)", "elu(1.7)"] {
        everywhere([5, 4, 6], line);
    }
}

#[test]
fn softplus() {
    everywhere([5, 4, 6], "softplus");
}

#[test]
fn norms() {
    for line in [
        "group_norm(6)",
        "group_norm(3)",
        "group_norm(1, eps = 0.001)",
        "layer_norm",
        "layer_norm(eps = 0.01)",
        "layer_norm_volume",
    ] {
        everywhere([5, 4, 6], line);
    }
    // One factor and one summand each: those behind them are another layer's.
    come_back(
        [5, 4, 6],
        &[
            "layer_norm_volume",
            "layer_norm_volume",
            "group_norm(2)",
            "layer_norm",
        ],
    );
}

#[test]
fn transposed_convs() {
    for line in [
        "conv_transpose(3, 3x3, stride = 2)",
        "conv_transpose(3, 2x3, stride = 3x2, output_pad = 1)",
        "conv_transpose(3, 3x3, stride = 1x2, pad = (0, 0, 0, 1), output_pad = 1)",
        "conv_transpose(3, 3x3, stride = 2, pad = (1, 0))",
        "conv_transpose(3, 5x4, stride = 2, pad = (2, 0, 1, 1))",
        "conv_transpose(3, 1x1, stride = 2, output_pad = 1)",
    ] {
        everywhere([5, 4, 6], line);
    }
    for line in [
        "conv_transpose(6, 3x2, stride = 2, groups = 2)",
        "conv_transpose(3, 3x3, stride = 2, pad = (1, 0), output_pad = 1, groups = 3)",
        "conv_transpose(4, 3x3, stride = 2, groups = 2, bias = none)",
    ] {
        come_back([5, 4, 6], &[line]);
        come_back([5, 4, 6], &["conv(6, 1x1)", line, "relu"]);
    }
}

#[test]
fn pools() {
    for line in [
        "max_pool(3x3, stride = 2, pad = 1)",
        "max_pool(3x2, stride = 2, pad = (2, 1, 1, 1), dilation = 2x3)",
        "max_pool(2x2, stride = 1, dilation = 2)",
        "max_pool(3x1, stride = 1, dilation = 2x1)",
        "max_pool(1x2, stride = 2x1, dilation = 1x2)",
        "avg_pool(3x3, stride = 2, pad = 1)",
        "avg_pool(3x2, stride = 2x1, pad = (1, 0, 2, 0))",
        "avg_pool(2x2, stride = 1, dilation = 2)",
        "avg_pool(2x3, stride = 2, pad = 1, dilation = 2)",
    ] {
        come_back([9, 9, 2], &[line]);
        come_back([9, 9, 2], &["conv(4, 1x1)", "relu", line, "relu", "fc(3)"]);
    }
}

#[test]
fn what_is_turned() {
    for line in [
        "channel_shuffle(2)",
        "channel_shuffle(3)",
        "space_to_depth(2x2)",
        "space_to_depth(2x4)",
        "space_to_depth(4x1)",
        "depth_to_space(3x2)",
        "depth_to_space(1x6)",
    ] {
        come_back([8, 12, 6], &[line]);
        come_back([8, 12, 6], &["conv(6, 1x1)", line, "relu"]);
    }
}

#[test]
fn lrn() {
    for line in [
        "lrn(5, alpha = 0.1)",
        "lrn(4, alpha = 0.5, beta = 0.6, k = 1.5)",
        "lrn(2)",
        "lrn(6, alpha = 0.3)",
    ] {
        come_back([5, 4, 6], &[line]);
        come_back([5, 4, 6], &["conv(6, 1x1)", line, "relu"]);
    }
}
