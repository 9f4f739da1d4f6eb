//! What the model calls its layers.

use convnet_onnx::proto::Node;

/// What a node is called in a message.
pub(super) fn called(node: &Node) -> &str {
    match (node.name.as_str(), node.output.first()) {
        ("", Some(output)) => output,
        (name, _) => name,
    }
}

/// The model's own name of a layer: that of its weights, `layer1.0.conv1.weight`, or of its node,
/// `/layer1/layer1.0/conv1/Conv`.
pub(super) fn layer_name(node: &Node, weights: &str) -> Option<String> {
    let speaks = |name: &str| {
        let first = name.chars().next();
        first.is_some_and(|it| it.is_ascii_alphabetic()) && !name.contains("::")
    };
    for end in [
        ".weight",
        ".filters",
        "_weight",
        ".gamma",
        ".w",
        "_w",
        "/kernel:0",
    ] {
        if let Some(name) = weights.strip_suffix(end)
            && speaks(name)
        {
            return Some(name.replace('/', "."));
        }
    }
    let path: Vec<&str> = node
        .name
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let (last, modules) = path.split_last()?;
    let mut name = String::new();
    for part in modules {
        // PyTorch writes the way to a module in each of its parts.
        name = match part.strip_prefix(&format!("{name}.")) {
            Some(_) => (*part).to_owned(),
            None if name.is_empty() => (*part).to_owned(),
            None => format!("{name}.{part}"),
        };
    }
    if name.is_empty() {
        name = (*last).to_owned();
    }
    speaks(&name).then_some(name)
}

/// A number of the model's 32 bits as one writes it: 1e-5, and not 9.99999974737875e-6.
pub(super) fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

pub(super) fn unknown(node: &Node) -> String {
    // Whoever wrote the node has said it already.
    if let Some(why) = node.attribute.iter().find(|it| it.name == "why") {
        return String::from_utf8_lossy(&why.s).into_owned();
    }
    match node.op_type.as_str() {
        "LSTM" | "GRU" | "RNN" | "Attention" => {
            "a declaration is a ConvNet, and has no such layer".into()
        }
        operator => format!(
            "no layer of a declaration computes it: write one by hand, and give its path, `--custom \
             {operator}=path::To::LAYER`"
        ),
    }
}
