//! Small models, and what becomes of them.

use prost::Message;

use crate::{ImportError, Imported, Options};
use convnet_onnx::proto::{
    Attribute, Dimension, Graph, Model, Node, Opset, Shape, Tensor, TensorType, Type, ValueInfo,
};

/// A model as it is written down: nodes as `out = Op(in, …)`, in this order.
#[derive(Clone, Default)]
struct Build {
    graph: Graph,
}

impl Build {
    /// An image of that size, `x`; 0 leaves one open.
    fn image(dims: &[i64]) -> Self {
        let dim = |&value| Dimension {
            value,
            name: String::new(),
        };
        let shape = Shape {
            dim: dims.iter().map(dim).collect(),
        };
        let mut build = Self::default();
        build.graph.input.push(ValueInfo {
            name: "x".into(),
            r#type: Some(Type {
                tensor: Some(TensorType {
                    elem_type: 1,
                    shape: Some(shape),
                }),
            }),
        });
        build
    }

    /// A constant of values that count up.
    fn weights(mut self, name: &str, dims: &[i64]) -> Self {
        let len = dims.iter().product::<i64>();
        self.graph.initializer.push(Tensor {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: 1,
            float_data: (0..len).map(|it| it as f32).collect(),
            ..Tensor::default()
        });
        self
    }

    fn node(mut self, line: &str, attributes: &[(&str, &[i64])]) -> Self {
        let (output, call) = line.split_once(" = ").expect("an assignment");
        let (op, inputs) = call.split_once('(').expect("a call");
        let inputs = inputs.trim_end_matches(')').split(", ");
        let attribute = |&(name, ints): &(&str, &[i64])| Attribute {
            name: name.into(),
            ints: ints.to_vec(),
            i: ints.first().copied().unwrap_or(0),
            ..Attribute::default()
        };
        self.graph.node.push(Node {
            op_type: op.into(),
            output: vec![output.into()],
            input: inputs.map(Into::into).collect(),
            attribute: attributes.iter().map(attribute).collect(),
            ..Node::default()
        });
        self
    }

    /// The node that was written last has it.
    fn float(mut self, name: &str, f: f32) -> Self {
        let last = self.graph.node.last_mut().expect("a node");
        last.attribute.push(crate::nodes::float(name, f));
        self
    }

    fn output(mut self, name: &str) -> Self {
        self.graph.output.push(ValueInfo {
            name: name.into(),
            r#type: None,
        });
        self
    }

    fn read(self, options: &Options) -> Result<Imported, ImportError> {
        self.of_version(17, options)
    }

    /// As that set of operators means it.
    fn of_version(self, version: i64, options: &Options) -> Result<Imported, ImportError> {
        let model = Model {
            graph: Some(self.graph),
            opset_import: vec![Opset {
                domain: String::new(),
                version,
            }],
            ..Model::default()
        };
        Imported::from_bytes(&model.encode_to_vec(), options)
    }

    /// The lines of its declaration, without what is around them.
    fn lines(self) -> Vec<String> {
        let text = match self.read(&Options::default()) {
            Ok(model) => model.declaration("Net"),
            Err(error) => panic!("{error}"),
        };
        let lines: Vec<&str> = text.lines().collect();
        let lines = &lines[3..lines.len() - 2];
        lines.iter().map(|line| line[8..].to_owned()).collect()
    }

    fn error(self) -> String {
        match self.read(&Options::default()) {
            Ok(model) => panic!("{}", model.declaration("Net")),
            Err(error) => error.to_string(),
        }
    }
}

const SAME: &[(&str, &[i64])] = &[("pads", &[1, 1, 1, 1])];

#[test]
fn a_residual_is_named_by_what_its_layers_have_in_common() {
    let build = Build::image(&[1, 2, 8, 8])
        .weights("layer1.0.conv1.weight", &[4, 2, 3, 3])
        .weights("layer1.0.conv2.weight", &[4, 4, 3, 3])
        .weights("layer1.0.downsample.0.weight", &[4, 2, 1, 1])
        .weights("fc.weight", &[3, 4])
        .node("a = Conv(x, layer1.0.conv1.weight)", SAME)
        .node("b = Relu(a)", &[])
        .node("c = Conv(b, layer1.0.conv2.weight)", SAME)
        .node("d = Conv(x, layer1.0.downsample.0.weight)", &[])
        .node("e = Add(c, d)", &[])
        .node("f = Relu(e)", &[])
        .node("g = GlobalAveragePool(f)", &[])
        .node("h = Flatten(g)", &[])
        .node("i = Gemm(h, fc.weight)", &[("transB", &[1])])
        .output("i");
    let model = build.clone().read(&Options::default()).expect("a ConvNet");
    let bytes = model.weights().expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    let mut names = file.names();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "fc.filters",
            "layer1_0.conv1.filters",
            "layer1_0.conv2.filters",
            "layer1_0.shortcut.downsample_0.filters",
        ]
    );
    assert_eq!(
        build.lines(),
        [
            "layer1_0: residual {",
            "    conv1: conv(4, 3x3, pad = 1, bias = none), // 8x8x4",
            "    relu,",
            "    conv2: conv(4, 3x3, pad = 1, bias = none),",
            "    shortcut {",
            "        downsample_0: conv(4, 1x1, bias = none), // 8x8x4",
            "    },",
            "},",
            "relu,",
            "global_avg_pool, // 1x1x4",
            "fc: fc(3, bias = none), // 1x1x3",
        ]
    );
}

#[test]
fn ways_side_by_side_are_a_concat_and_one_may_be_empty() {
    let lines = Build::image(&[1, 2, 6, 6])
        .weights("a.weight", &[3, 2, 1, 1])
        .node("a = Conv(x, a.weight)", &[])
        .node("b = Sigmoid(a)", &[])
        .node("c = Concat(a, b, a)", &[("axis", &[1])])
        .node(
            "d = MaxPool(c)",
            &[("kernel_shape", &[4, 4]), ("strides", &[4, 4])],
        )
        .output("d")
        .lines();
    assert_eq!(
        lines,
        [
            "a: conv(3, 1x1, bias = none), // 6x6x3",
            "concat {",
            "    [],",
            "    [",
            "        sigmoid,",
            "    ],",
            "    [],",
            "}, // 6x6x9",
            "max_pool(4x4, fit = crop), // 1x1x9",
        ]
    );
}

/// As PyTorch writes DenseNet, each list from its beginning; and Inception's blocks inside blocks.
#[test]
fn ways_that_were_joined_before_are_one_block() {
    let depth: &[(&str, &[i64])] = &[("axis", &[1])];
    let dense = Build::image(&[1, 2, 4, 4])
        .node("a = Relu(x)", &[])
        .node("ab = Concat(x, a)", depth)
        .node("b = Tanh(ab)", &[])
        .node("c = Concat(x, a, b)", depth)
        .output("c");
    let block = |activation: &str, depth: usize| {
        let line = format!("        {activation},");
        let end = format!("}}, // 4x4x{depth}");
        ["concat {", "    [],", "    [", &line, "    ],", &end].map(String::from)
    };
    assert_eq!(dense.lines(), [block("relu", 4), block("tanh", 8)].concat());
    let lines = Build::image(&[1, 2, 4, 4])
        .node("a = Relu(x)", &[])
        .node("b = Tanh(a)", &[])
        .node("c = Sigmoid(a)", &[])
        .node("d = HardSwish(x)", &[])
        .node("e = Concat(d, b, c, x)", depth)
        .output("e")
        .lines();
    let inner = lines.iter().position(|line| line.trim() == "concat {");
    assert_eq!(inner, Some(0));
    let inner = lines[1..].iter().position(|line| line.trim() == "concat {");
    assert_eq!(lines[inner.expect("a block inside")], "        relu,");
    assert_eq!(lines.last().map(String::as_str), Some("}, // 4x4x8"));
}

/// As PyTorch writes half of the depth.
#[test]
fn sizes_are_computed() {
    let ints = |mut build: Build, name: &str, value: i64| {
        build.graph.initializer.push(Tensor {
            name: name.into(),
            dims: vec![1],
            data_type: 7,
            int64_data: vec![value],
            ..Tensor::default()
        });
        build
    };
    let mut build = Build::image(&[1, 6, 4, 4]);
    for (name, value) in [("none", 0), ("one", 1), ("two", 2)] {
        build = ints(build, name, value);
    }
    let half = build
        .clone()
        .node("s = Shape(x)", &[])
        .node("d = Gather(s, one)", &[])
        .node("e = Sub(d, none)", &[])
        .node("h = Div(e, two)", &[])
        .node("m = Mul(h, one)", &[])
        .node("y = Slice(x, none, m, one)", &[]);
    assert_eq!(half.output("y").lines(), ["slices(3), // 4x4x3"]);
    let by_zero = build
        .node("h = Div(two, none)", &[])
        .node("y = Slice(x, none, h, one)", &[]);
    assert!(by_zero.output("y").error().contains("too large"));
}

/// As PyTorch writes them for opsets that have no operator for it.
#[test]
fn sizes_are_cut_out_of_lists() {
    let cut = |from: i64, to: i64| {
        Build::image(&[1, 2, 4, 4])
            .node("a = GlobalMaxPool(x)", &[])
            .node("s = Shape(a)", &[])
            .node("t = Slice(s)", &[("starts", &[from]), ("ends", &[to])])
            .node("b = Reshape(a, t)", &[])
            .node("c = Softmax(b)", &[("axis", &[-1])])
            .output("c")
    };
    for (from, to) in [(0, 2), (-4, -2), (-99, 2)] {
        assert_eq!(cut(from, to).lines()[1..], ["softmax,"], "{from}..{to}");
    }
    let none = cut(3, 1).error();
    assert!(none.contains("is not as large as []"), "{none}");
}

#[test]
fn activations_of_several_nodes_are_one() {
    let scalar = |mut build: Build, name: &str, value: f32| {
        build.graph.initializer.push(Tensor {
            name: name.into(),
            data_type: 1,
            float_data: vec![value],
            ..Tensor::default()
        });
        build
    };
    let mut build = Build::image(&[1, 2, 6, 6]);
    for (name, value) in [
        ("root", 2.0_f32.sqrt()),
        ("one", 1.0),
        ("half", 0.5),
        ("six", 6.0),
    ] {
        build = scalar(build, name, value);
    }
    let swish = build
        .clone()
        .node("a = Sigmoid(x)", &[])
        .node("b = Mul(x, a)", &[])
        .node("c = Clip(b, half, six)", &[])
        .node("d = Elu(c)", &[("alpha", &[1])])
        .output("d");
    // An attribute of integers is none of floats: alpha is 0.
    assert!(swish.clone().error().contains("`elu(0.0)` is no line"));
    let erf = |build: Build| {
        build
            .node("a = Div(x, root)", &[])
            .node("b = Erf(a)", &[])
            .node("c = Add(one, b)", &[])
    };
    let lines = erf(build.clone())
        .node("d = Mul(x, c)", &[])
        .node("e = Mul(d, half)", &[])
        .node("f = Sigmoid(e)", &[])
        .node("g = Mul(f, e)", &[])
        .node("h = Clip(g, half, six)", &[])
        .output("h")
        .lines();
    assert_eq!(lines, ["gelu,", "silu,", "clamp(0.5, 6.0),"]);
    let lines = erf(build.clone())
        .node("d = Mul(x, half)", &[])
        .node("e = Mul(d, c)", &[])
        .output("e")
        .lines();
    assert_eq!(lines, ["gelu,"]);
    // x · clip(x + 3, 0, 6) / 6, and without x.
    let zero_to_six = |build: Build| {
        build
            .node("a = Add(x, three)", &[])
            .node("b = Clip(a, zero, six)", &[])
    };
    let build = scalar(scalar(build, "three", 3.0), "zero", 0.0);
    let lines = zero_to_six(build.clone())
        .node("c = Mul(b, x)", &[])
        .node("d = Div(c, six)", &[])
        .output("d")
        .lines();
    assert_eq!(lines, ["hard_swish,"]);
    let lines = zero_to_six(build.clone())
        .node("c = Div(b, six)", &[])
        .node("d = Mul(x, c)", &[])
        .node("e = Add(d, three)", &[])
        .node("f = Clip(e, zero, six)", &[])
        .node("g = Div(f, six)", &[])
        .output("g")
        .lines();
    assert_eq!(lines, ["hard_swish,", "hard_sigmoid,"]);
    // Somebody else reads what is in between.
    let lines = zero_to_six(build.clone())
        .node("c = Div(b, six)", &[])
        .node("d = Add(b, c)", &[])
        .output("d")
        .lines();
    assert!(lines.contains(&"relu6,".to_owned()), "{lines:?}");
    // Somebody else reads the half of it, which no layer computes.
    let error = erf(build)
        .node("d = Mul(x, c)", &[])
        .node("e = Mul(d, half)", &[])
        .node("f = Add(e, d)", &[])
        .output("f")
        .error();
    assert!(error.contains("Erf"), "{error}");
}

/// Squeeze and excitation, with a residual around it; then a product of two that are as large.
#[test]
fn a_product_with_what_layers_make_of_it_is_a_scale() {
    let build = Build::image(&[1, 4, 6, 6])
        .weights("b.se.fc1.weight", &[2, 4, 1, 1])
        .weights("b.se.fc2.weight", &[4, 2, 1, 1])
        .weights("b.conv.weight", &[4, 4, 1, 1])
        .node("a = Relu(x)", &[])
        .node("b = GlobalAveragePool(a)", &[])
        .node("c = Conv(b, b.se.fc1.weight)", &[])
        .node("d = Relu(c)", &[])
        .node("e = Conv(d, b.se.fc2.weight)", &[])
        .node("f = Sigmoid(e)", &[])
        .node("g = Mul(f, a)", &[])
        .node("h = Conv(g, b.conv.weight)", &[])
        .node("i = Add(x, h)", &[]);
    let lines = build
        .clone()
        .node("j = Tanh(i)", &[])
        .node("k = Mul(i, j)", &[]);
    assert_eq!(
        lines.output("k").lines(),
        [
            "b: residual {",
            "    relu,",
            "    se: scale {",
            "        global_avg_pool, // 1x1x4",
            "        fc1: conv(2, 1x1, bias = none), // 1x1x2",
            "        relu,",
            "        fc2: conv(4, 1x1, bias = none), // 1x1x4",
            "        sigmoid,",
            "    },",
            "    conv: conv(4, 1x1, bias = none),",
            "},",
            "scale {",
            "    tanh,",
            "},",
        ]
    );
    // Both ways have layers.
    let error = build
        .node("j = Tanh(i)", &[])
        .node("k = Sigmoid(i)", &[])
        .node("l = Mul(j, k)", &[])
        .output("l")
        .error();
    assert!(error.contains("two ways that both have layers"), "{error}");
    let square = Build::image(&[1, 4, 6, 6])
        .node("a = Relu(x)", &[])
        .node("b = Mul(a, a)", &[])
        .output("b");
    assert!(square.error().contains("a volume and itself"));
}

#[test]
fn what_moves_pixels_and_slices() {
    let ints = |mut build: Build, name: &str, values: &[i64]| {
        build.graph.initializer.push(Tensor {
            name: name.into(),
            dims: vec![values.len() as i64],
            data_type: 7,
            int64_data: values.to_vec(),
            ..Tensor::default()
        });
        build
    };
    let mut build = Build::image(&[1, 6, 4, 5]);
    build = ints(build, "cut", &[1, 2, 3, 4, 5]);
    build = ints(build, "join", &[1, -1, 4, 5]);
    build = ints(build, "wide", &[1, 6, 8, 15]);
    build = ints(build, "odd", &[1, 6, 7, 5]);
    let shuffled = build
        .node("a = Reshape(x, cut)", &[])
        .node("b = Transpose(a)", &[("perm", &[0, 2, 1, 3, 4])])
        .node("c = Reshape(b, join)", &[]);
    let lines = shuffled
        .clone()
        .node("d = Resize(c, , , wide)", &[])
        .output("d")
        .lines();
    assert_eq!(lines, ["channel_shuffle(2),", "upsample(3x2), // 15x8x6"]);
    let error = shuffled
        .node("d = Resize(c, , , odd)", &[])
        .output("d")
        .error();
    assert!(error.contains("by whole ones"), "{error}");
}

/// `[K, D·H·W]` of ONNX is `[H, W, D, K]` here.
#[test]
fn weights_behind_a_flatten_are_turned() {
    let model = Build::image(&[1, 2, 1, 3])
        .weights("w", &[6, 2])
        .node("a = Flatten(x)", &[])
        .node("b = MatMul(a, w)", &[])
        .output("b")
        .read(&Options::default())
        .expect("a ConvNet");
    let bytes = model.weights().expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    let filters = file.tensor("fc1.filters").expect("filters");
    assert_eq!(filters.shape(), [1, 3, 2, 2]);
    let found: Vec<f32> = filters
        .data()
        .as_chunks()
        .0
        .iter()
        .map(|it| f32::from_le_bytes(*it))
        .collect();
    // Row r of `w` is [2r, 2r + 1], of slice r / 3 and column r mod 3.
    let rows = [0.0, 3.0, 1.0, 4.0, 2.0, 5.0];
    let expected: Vec<f32> = rows.iter().flat_map(|r| [2.0 * r, 2.0 * r + 1.0]).collect();
    assert_eq!(found, expected);
}

#[test]
fn constants_go_into_the_layer_in_front() {
    let build = Build::image(&[1, 1, 2, 2])
        .weights("w", &[2, 1, 1, 1])
        .weights("by", &[2, 1, 1])
        .node("a = Conv(x, w)", &[])
        .node("b = Mul(a, by)", &[])
        .node("c = Add(b, by)", &[])
        .output("c");
    let model = build.read(&Options::default()).expect("a ConvNet");
    let bytes = model.weights().expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    for tensor in ["conv1.filters", "conv1.bias"] {
        let data = file.tensor(tensor).expect(tensor).data().to_vec();
        assert_eq!(
            data,
            [0.0_f32, 1.0].map(f32::to_le_bytes).concat(),
            "{tensor}"
        );
    }
    let alone = Build::image(&[1, 1, 2, 2])
        .weights("by", &[1])
        .node("a = Mul(x, by)", &[])
        .output("a")
        .lines();
    assert_eq!(alone, ["affine1: affine,"]);
}

#[test]
fn zeros_in_front_of_a_conv_are_its_own() {
    let model = Build::image(&[1, 1, 4, 4])
        .weights("w", &[1, 1, 3, 3])
        .node("a = Pad(x)", &[("pads", &[0, 0, 0, 1, 0, 0, 1, 2])])
        .node("b = Conv(a, w)", &[("strides", &[2, 2])]);
    let lines = model.clone().output("b").lines();
    assert_eq!(
        lines,
        ["conv1: conv(1, 3x3, stride = 2, pad = (0, 1, 1, 2), bias = none), // 3x2x1"]
    );
    let pooled = model.node("c = MaxPool(a)", &[("kernel_shape", &[2, 2])]);
    // A pool counts them among its own numbers.
    assert_eq!(
        pooled.output("c").lines(),
        [
            "pad((0, 1, 1, 2)), // 7x5x1",
            "max_pool(2x2, stride = 1), // 6x4x1"
        ]
    );
    let deeper = Build::image(&[1, 1, 4, 4])
        .node("a = Pad(x)", &[("pads", &[0, 0, 0, 0, 0, 3, 0, 0])])
        .output("a");
    assert_eq!(deeper.lines(), ["pad_depth(4), // 4x4x4"]);
    let front = Build::image(&[1, 1, 4, 4])
        .node("a = Pad(x)", &[("pads", &[0, 3, 0, 0, 0, 0, 0, 0])])
        .output("a");
    let error = front.error();
    assert!(error.contains("the end of the depth can be"), "{error}");
}

#[test]
fn zeros_that_a_mean_counts_are_a_layer() {
    let pool: &[(&str, &[i64])] = &[
        ("kernel_shape", &[3, 3]),
        ("pads", &[1, 1, 1, 1]),
        ("count_include_pad", &[1]),
    ];
    let lines = Build::image(&[1, 2, 4, 4])
        .node("a = AveragePool(x)", pool)
        .output("a")
        .lines();
    assert_eq!(
        lines,
        ["pad(1), // 6x6x2", "avg_pool(3x3, stride = 1), // 4x4x2"]
    );
}

#[test]
fn pixels_and_slices_change_places() {
    let build = Build::image(&[1, 8, 4, 4]).node("a = DepthToSpace(x)", &[("blocksize", &[2])]);
    let mut crd = build.clone();
    crd.graph.node[0].attribute.push(Attribute {
        name: "mode".into(),
        s: "CRD".into(),
        ..Attribute::default()
    });
    let back: &[(&str, &[i64])] = &[("blocksize", &[4])];
    let lines = crd.node("b = SpaceToDepth(a)", back).output("b").lines();
    let expected = [
        "channel_shuffle(2),",
        "depth_to_space(2x2), // 8x8x2",
        "space_to_depth(4x4), // 2x2x32",
    ];
    assert_eq!(lines, expected);
    assert_eq!(build.output("a").lines(), ["depth_to_space(2x2), // 8x8x2"]);
    for size in [0, 3, i64::MAX] {
        let cut: &[(&str, &[i64])] = &[("blocksize", &[size])];
        for operator in ["DepthToSpace", "SpaceToDepth"] {
            let build = Build::image(&[1, 8, 4, 4]).node(&format!("a = {operator}(x)"), cut);
            assert!(build.output("a").error().contains("squares"), "{size}");
        }
    }
}

/// As PyTorch writes a group norm: an instance norm of groups, and factors behind it.
#[test]
fn another_line_of_a_hard_sigmoid_goes_in_front() {
    // 0.2 v + 0.5, if nothing is said.
    let conv = Build::image(&[1, 2, 4, 4])
        .weights("w", &[3, 2, 1, 1])
        .node("a = Conv(x, w)", &[])
        .node("b = HardSigmoid(a)", &[])
        .output("b");
    assert_eq!(
        conv.clone().lines(),
        ["conv1: conv(3, 1x1), // 4x4x3", "clamp(0.0, 1.0),"]
    );
    let model = conv.read(&Options::default()).expect("a ConvNet");
    let bytes = model.weights().expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    let floats = |name: &str| -> Vec<f32> {
        let tensor = file.tensor(name).expect(name);
        let (all, _) = tensor.data().as_chunks();
        all.iter().map(|it| f32::from_le_bytes(*it)).collect()
    };
    assert_eq!(floats("conv1.bias"), [0.5; 3]);
    // Those of the model count up, filter by filter; here each is innermost.
    let fifths = [0.0, 2.0, 4.0, 1.0, 3.0, 5.0].map(|it| it * 0.2_f32);
    assert_eq!(floats("conv1.filters"), fifths);
    // What others read too stays as it is.
    let both = Build::image(&[1, 2, 4, 4])
        .node("a = Relu(x)", &[])
        .node("b = HardSigmoid(a)", &[])
        .node("c = Mul(a, b)", &[])
        .output("c");
    let lines = both.lines();
    assert_eq!(
        lines[..5],
        [
            "relu,",
            "scale {",
            "    affine1: affine,",
            "    clamp(0.0, 1.0),",
            "},"
        ]
    );
}

#[test]
fn a_vector_is_given_in_whatever_axes() {
    let cut = |to: &[i64]| {
        Build::image(&[1, 4, 2, 3])
            .node("a = GlobalMaxPool(x)", &[])
            .node("b = Flatten(a)", &[])
            .node("c = Reshape(b)", &[("shape", to)])
    };
    let given = cut(&[1, 2, 1, 2]).node("d = Identity(c)", &[]).output("d");
    assert_eq!(given.lines(), ["global_max_pool, // 1x1x4"]);
    // Who reads it would read a volume.
    let read = cut(&[1, 2, 1, 2]).node("d = Relu(c)", &[]).output("d");
    let error = read.error();
    assert!(error.contains("[1, 4] becomes [1, 2, 1, 2]"), "{error}");
}

#[test]
fn rows_are_depth_columns() {
    // Six pixels of four slices, as a detector writes them.
    let rows = |image: &[i64], perm: &[i64]| {
        Build::image(image)
            .node("a = Relu(x)", &[])
            .node("b = Reshape(a)", &[("shape", &[1, 4, 6])])
            .node("c = Transpose(b)", &[("perm", perm)])
    };
    let turned = rows(&[1, 4, 2, 3], &[0, 2, 1]);
    let columns = turned
        .clone()
        .weights("w", &[4, 5])
        .node("d = Softmax(c)", &[("axis", &[2])])
        .node("e = MatMul(d, w)", &[])
        .node("f = LogSoftmax(e)", &[("axis", &[-1])])
        .output("f");
    assert_eq!(
        columns.lines(),
        [
            "relu,",
            "softmax,",
            "conv1: conv(5, 1x1, bias = none), // 3x2x5",
            "log_softmax,"
        ]
    );
    // Turned twice they are what they were, and can be a volume again.
    let back = turned
        .clone()
        .node("d = Transpose(c)", &[("perm", &[0, 2, 1])])
        .node("e = Reshape(d)", &[("shape", &[1, 4, 2, 3])])
        .node("f = MaxPool(e)", &[("kernel_shape", &[2, 2])])
        .output("f");
    assert_eq!(back.lines()[1..], ["max_pool(2x2, stride = 1), // 2x1x4"]);
    // Older files mean an axis and all behind it: behind the last one there is none.
    let mean = |axis: i64| {
        Build::image(&[1, 4, 2, 3])
            .node("a = Transpose(x)", &[("perm", &[0, 2, 3, 1])])
            .node("b = Softmax(a)", &[("axis", &[axis])])
            .output("b")
            .of_version(9, &Options::default())
    };
    assert!(mean(3).is_ok());
    let error = mean(2).expect_err("of rows").to_string();
    assert!(error.contains("it is over 12 values of 3x2x4"), "{error}");
    // A softmax along the rows is none of depth columns, nor is one where a row is half a column.
    let along = turned
        .node("d = Softmax(c)", &[("axis", &[1])])
        .output("d")
        .error();
    assert!(along.contains("it is over 6 values of 3x2x4"), "{along}");
    let half = Build::image(&[1, 4, 2, 3])
        .node("a = Transpose(x)", &[("perm", &[0, 2, 3, 1])])
        .node("b = Relu(a)", &[])
        .node("c = Reshape(b)", &[("shape", &[1, 12, 2])]);
    let scores = half
        .clone()
        .node("d = Softmax(c)", &[("axis", &[2])])
        .output("d")
        .error();
    assert!(scores.contains("it is over 2 values of 3x2x4"), "{scores}");
    // They lie as the declaration's do.
    assert_eq!(half.output("c").lines(), ["relu,"]);
    let wrong = rows(&[1, 4, 2, 3], &[0, 1, 2]).output("c").error();
    assert!(wrong.contains("in the order of [1, 4, 6]"), "{wrong}");
}

#[test]
fn norms_of_one_image() {
    let mut build = Build::image(&[1, 4, 3, 3]);
    for (name, values) in [("cut", &[0, 2, -1][..]), ("join", &[1, 4, 3, 3])] {
        build.graph.initializer.push(Tensor {
            name: name.into(),
            dims: vec![values.len() as i64],
            data_type: 7,
            int64_data: values.to_vec(),
            ..Tensor::default()
        });
    }
    for (name, value) in [("ones", 1.0), ("zeros", 0.0)] {
        build.graph.initializer.push(Tensor {
            name: name.into(),
            dims: vec![2],
            data_type: 1,
            float_data: vec![value; 2],
            ..Tensor::default()
        });
    }
    let model = build
        .weights("norm.weight", &[4, 1, 1])
        .weights("w", &[4, 5])
        .weights("v", &[4])
        .node("a = Reshape(x, cut)", &[])
        .node("b = InstanceNormalization(a, ones, zeros)", &[])
        .node("c = Reshape(b, join)", &[])
        .node("d = Mul(c, norm.weight)", &[])
        .node("e = InstanceNormalization(d, v, v)", &[])
        .node("f = Transpose(e)", &[("perm", &[0, 2, 3, 1])])
        .node("g = LayerNormalization(f, v, v)", &[("axis", &[-1])])
        .node("h = MatMul(g, w)", &[])
        .node("i = Transpose(h)", &[("perm", &[0, 3, 1, 2])])
        .output("i");
    let expected = [
        "group_norm1: group_norm(2),",
        "group_norm2: group_norm(4),",
        "layer_norm1: layer_norm,",
        "conv1: conv(5, 1x1, bias = none), // 3x3x5",
    ];
    assert_eq!(model.clone().lines(), expected);
    let bytes = model.clone().read(&Options::default()).expect("norms");
    let bytes = bytes.weights().expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    let gamma = file.tensor("group_norm1.gamma").expect("factors");
    assert_eq!(
        gamma.data(),
        [0.0_f32, 1.0, 2.0, 3.0]
            .map(f32::to_le_bytes)
            .as_flattened()
    );
    let mut other = model;
    other.graph.node[6].attribute[0].i = 2;
    assert!(other.error().contains("normalises other axes"));
}

/// Factors and summands of a whole volume come in the model's axes, depth first or last, or as one.
#[test]
fn a_norm_of_a_volume_has_a_factor_for_each_number() {
    let volume = |build: Build, v: &[i64], turns: bool| {
        let build = build.weights("v", v);
        let last = &[("perm", &[0, 2, 3, 1][..])];
        let build = match (turns, v.len()) {
            (true, _) => build.node("a = Transpose(x)", last),
            (false, 1) => build.node("a = Flatten(x)", &[]),
            (false, _) => build.node("a = Relu(x)", &[]),
        };
        build
            .node("b = LayerNormalization(a, v, v)", &[("axis", &[1])])
            .output("b")
    };
    let image = || Build::image(&[1, 3, 1, 2]);
    let depth_first = [0.0_f32, 2.0, 4.0, 1.0, 3.0, 5.0];
    let depth_last = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    for (v, turns, expected) in [
        (&[3, 1, 2][..], false, depth_first),
        (&[6], false, depth_first),
        (&[1, 2, 3], true, depth_last),
    ] {
        let model = volume(image(), v, turns);
        let line = "layer_norm_volume1: layer_norm_volume,".to_owned();
        assert!(model.clone().lines().contains(&line), "{v:?}");
        let bytes = model.read(&Options::default()).expect("a norm");
        let bytes = bytes.weights().expect("a file");
        let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
        for name in ["layer_norm_volume1.gamma", "layer_norm_volume1.beta"] {
            let tensor = file.tensor(name).expect(name);
            assert_eq!(tensor.shape(), [1, 2, 3]);
            let expected = expected.map(f32::to_le_bytes);
            assert_eq!(tensor.data(), expected.as_flattened(), "{v:?}");
        }
    }
    let wrong = volume(image(), &[3], false);
    assert!(wrong.error().contains("is not one number for each of"));
}

/// What images are normalised by stands in the declaration; another quotient, or one of another volume, is learned.
#[test]
fn means_and_deviations_of_the_image_are_no_weights() {
    let model = |shifted: &str| {
        let mut build = Build::image(&[1, 3, 2, 2]).weights("mean", &[3, 1, 1]);
        build = build.weights("std", &[1]);
        build.graph.initializer[0].float_data = vec![0.485, 0.0, -0.406];
        build.graph.initializer[1].float_data = vec![0.25];
        if shifted == "r" {
            build = build.node("r = Relu(x)", &[]);
        }
        build
            .node(&format!("a = Sub({shifted}, mean)"), &[])
            .node("b = Div(a, std)", &[])
    };
    let lines = |build: Build| build.output("b").lines();
    let line = "normalize(mean = [0.485, 0.0, -0.406], std = 0.25),";
    assert_eq!(lines(model("x")), [line]);
    assert_eq!(lines(model("r")), ["relu,", "affine1: affine,"]);
    let mut below = model("x");
    below.graph.initializer[1].float_data = vec![-0.25];
    assert_eq!(lines(below), ["affine1: affine,"]);
}

/// Weights count up from 0.
#[test]
fn what_is_done_to_the_image_is_a_layer() {
    let model = Build::image(&[1, 2, 4, 4])
        .weights("m", &[2, 1, 1])
        .weights("s", &[1])
        .weights("p", &[2, 1, 1])
        .node("a = Sub(x, m)", &[])
        .node("b = PRelu(a, p)", &[])
        .node("c = Mul(b, s)", &[])
        .node(
            "d = Slice(c)",
            &[("starts", &[1]), ("ends", &[2]), ("axes", &[1])],
        )
        .output("d");
    assert_eq!(
        model.clone().lines(),
        [
            "affine1: affine,",
            "prelu1: prelu,",
            "affine2: affine,",
            "slices(1, from = 1), // 4x4x1"
        ]
    );
    let model = model.read(&Options::default()).expect("a ConvNet");
    let bytes = model.weights().expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    for (name, expected) in [
        ("affine1.gamma", [1.0_f32, 1.0]),
        ("affine1.beta", [0.0, -1.0]),
        ("prelu1.slope", [0.0, 1.0]),
        ("affine2.gamma", [0.0, 0.0]),
    ] {
        let found = file.tensor(name).expect(name);
        let expected: Vec<u8> = expected.into_iter().flat_map(f32::to_le_bytes).collect();
        // −0 is 0.
        let found: Vec<u8> = found
            .data()
            .as_chunks()
            .0
            .iter()
            .flat_map(|it| (f32::from_le_bytes(*it) + 0.0).to_le_bytes())
            .collect();
        assert_eq!(found, expected, "{name}");
    }
    let mut halves = Build::image(&[1, 5, 4, 4])
        .node("a = Split(x)", &[("axis", &[1]), ("split", &[2, 3])])
        .node("c = Relu(b)", &[])
        .node("d = Concat(c, a)", &[("axis", &[1])])
        .output("d");
    halves.graph.node[0].output.push("b".into());
    assert_eq!(
        halves.clone().lines(),
        [
            "concat {",
            "    [",
            "        slices(3, from = 2), // 4x4x3",
            "        relu,",
            "    ],",
            "    [",
            "        slices(2), // 4x4x2",
            "    ],",
            "}, // 4x4x5"
        ]
    );
    halves.graph.node[0].attribute.pop();
    let even = halves.clone().lines();
    assert_eq!(even[2], "        slices(2, from = 3), // 4x4x2");
    halves.graph.node[0].attribute[0].i = 2;
    assert!(halves.error().contains("another axis than the depth"));
    let cut = |axes: &[i64]| {
        let ends: &[(&str, &[i64])] = &[("starts", &[1, 0]), ("ends", &[-1, 1]), ("axes", axes)];
        let cut = Build::image(&[1, 2, 4, 5]);
        cut.node("a = Slice(x)", ends).output("a")
    };
    let both = ["crop((1, 1, 0, 0)), // 5x2x2", "slices(1), // 5x2x1"];
    assert_eq!(cut(&[2, 1]).lines(), both);
    assert_eq!(cut(&[3, 2]).lines(), ["crop((0, 3, 1, 1)), // 3x1x2"]);
    assert!(
        cut(&[1, 0])
            .error()
            .contains("nothing of its input is left")
    );
}

#[test]
fn every_node_without_a_layer_is_named_and_what_reads_it_is_not() {
    let error = Build::image(&[1, 2, 4, 4])
        .node("a = Erf(x)", &[])
        .node("b = Relu(a)", &[])
        .node("c = LSTM(b)", &[])
        .output("c")
        .error();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(lines.len(), 3, "{error}");
    assert!(lines[0].starts_with("2 nodes have no layers"), "{error}");
    assert!(lines[1].starts_with("  Erf `a`: "), "{error}");
    assert!(
        lines[2].starts_with("  LSTM `c`: a declaration is a ConvNet"),
        "{error}"
    );
}

#[test]
fn what_no_layer_computes_is_written_by_hand() {
    let build = Build::image(&[1, 2, 4, 4])
        .weights("turn.weight", &[3, 2])
        .node("a = Erf(x)", &[])
        .node("b = Turn(a, turn.weight)", &[])
        .output("b");
    assert!(
        build
            .clone()
            .error()
            .contains("`--custom Erf=path::To::LAYER`")
    );
    let mut sized = build.clone();
    let dim = |value| Dimension {
        value,
        name: String::new(),
    };
    sized.graph.output[0].r#type = Some(Type {
        tensor: Some(TensorType {
            elem_type: 1,
            shape: Some(Shape {
                dim: [1, 3, 4, 2].map(dim).into(),
            }),
        }),
    });
    let custom = |pairs: &[(&str, &str)]| Options {
        custom: pairs
            .iter()
            .map(|&(of, layer)| (of.into(), layer.into()))
            .collect(),
        ..Options::default()
    };
    let both = custom(&[("Erf", "mine::ERF"), ("Turn", "mine::Turn<T, 2>")]);
    let model = sized.read(&both).expect("layers by hand");
    let text = model.declaration("Net");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(
        lines[3..5],
        [
            "layer(mine::ERF, 4x4x2),",
            "turn: layer(mine::Turn<T, 2>, 2x4x3), // 2x4x3"
        ]
    );
    let bytes = model.weights().expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("a file");
    assert_eq!(
        file.tensor("turn.weight").expect("a tensor").shape(),
        [3, 2]
    );
    assert!(model.onnx().is_err());
    for (pairs, why) in [
        (&[("Erf", "mine::ERF")][..], "--custom Turn="),
        (&[("Relu", "mine::RELU")], "no node is called so"),
        (&[("Erf", "mine ; ERF")], "is no layer"),
    ] {
        let error = build
            .clone()
            .read(&custom(pairs))
            .expect_err(why)
            .to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn an_attribute_that_is_not_known_is_refused() {
    let error = Build::image(&[1, 2, 4, 4])
        .node("a = GlobalAveragePool(x)", &[])
        .node("b = Softmax(a)", &[("temperature", &[2])])
        .output("b")
        .error();
    assert!(
        error.ends_with("its attribute `temperature` is not known"),
        "{error}"
    );
}

/// The lines, after the model that they are has been written and read again: that gives the same.
fn twice(build: Build) -> Vec<String> {
    let model = build.clone().read(&Options::default()).expect("a ConvNet");
    let bytes = model.onnx().expect("a model");
    let again = Imported::from_bytes(&bytes, &Options::default()).expect("the same");
    assert_eq!(again.draft("Net"), model.draft("Net"));
    build.lines()
}

#[test]
fn a_setting_that_no_declaration_has_is_refused_where_it_stands() {
    let refusals = [
        ("Elu(x)", "alpha", -1.0, "alpha is"),
        ("LRN(x)", "beta", f32::INFINITY, "beta is a number above 0"),
        ("LRN(x)", "alpha", f32::NAN, "alpha is a number above 0"),
        (
            "LayerNormalization(t, scale)",
            "epsilon",
            1.5,
            "eps is a number between 0 and 1",
        ),
    ];
    for (call, name, value, said) in refusals {
        let mut build = Build::image(&[1, 3, 4, 4]).weights("scale", &[3]);
        build = match call.contains("(t") {
            true => build.node("t = Transpose(x)", &[("perm", &[0, 2, 3, 1])]),
            false => build,
        };
        build = build.node(&format!("y = {call}"), &[]).float(name, value);
        if call.starts_with("LRN") {
            build.graph.node[0]
                .attribute
                .push(crate::nodes::int("size", 5));
        }
        let error = build.output("y").error();
        let operator = call.split('(').next().unwrap_or_default();
        assert!(error.contains(&format!("{operator} `y`: ")), "{error}");
        assert!(
            error.contains("is no line of a declaration") && error.contains(said),
            "{error}"
        );
    }
}

#[test]
fn what_a_transposed_conv_adds_or_cuts_off_beyond_measure_is_refused() {
    let refusals: [([i64; 4], [i64; 2], &str); 3] = [
        (
            [0; 4],
            [i64::MAX, 0],
            "its output padding is 9223372036854775807",
        ),
        ([0, 0, 0, i64::MAX], [1, 0], "more than can be addressed"),
        ([0; 4], [2, 0], "output_pad"),
    ];
    for (pads, added, said) in refusals {
        let attributes: &[(&str, &[i64])] = &[
            ("strides", &[2, 2]),
            ("pads", &pads),
            ("output_padding", &added),
        ];
        let build = Build::image(&[1, 3, 4, 4]).weights("w", &[3, 2, 3, 3]);
        let build = build.node("y = ConvTranspose(x, w)", attributes);
        let error = build.output("y").error();
        assert!(error.contains("ConvTranspose `y`: "), "{error}");
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_slope_that_no_leaky_relu_has_is_one_for_each_slice() {
    for (slope, line) in [
        (0.0, "relu,"),
        (0.25, "leaky_relu(0.25),"),
        (1.0, "prelu1: prelu,"),
        (-2.0, "prelu1: prelu,"),
    ] {
        let build = Build::image(&[1, 3, 4, 4]).node("y = LeakyRelu(x)", &[]);
        assert_eq!(build.float("alpha", slope).output("y").lines(), [line]);
    }
}

#[test]
fn a_way_begins_at_a_line_of_another() {
    let cross = Build::image(&[1, 2, 4, 4])
        .node("a = Relu(x)", &[])
        .node("b = Sigmoid(a)", &[])
        .node("c = Tanh(a)", &[])
        .node("d = Add(b, c)", &[])
        .node("e = Add(d, b)", &[])
        .output("e");
    assert_eq!(
        twice(cross),
        [
            "relu,",
            "residual {",
            "    sigmoid1: sigmoid,",
            "    shortcut {",
            "        tanh,",
            "    },",
            "},",
            "residual {",
            "    shortcut {",
            "        from = residual1.sigmoid1,",
            "    },",
            "},",
        ]
    );
    let twice = Build::image(&[1, 2, 4, 4])
        .node("a = Add(x, x)", &[])
        .output("a")
        .error();
    assert!(twice.contains("added to itself"), "{twice}");
}

#[test]
fn where_a_way_begins_has_a_name_that_is_found_there() {
    let build = Build::image(&[1, 2, 4, 4])
        .node("a = Relu(x)", &[])
        .node("b = Add(x, a)", &[])
        .node("c = Tanh(b)", &[])
        .node("d = Relu(c)", &[])
        .node("e = Tanh(d)", &[])
        .node("f = Relu(e)", &[])
        .node("g = Tanh(f)", &[])
        .node("h = Relu(c)", &[])
        .node("i = Add(h, c)", &[])
        .node("j = Tanh(b)", &[])
        .node("k = Concat(i, j, g)", &[("axis", &[1])])
        .output("k");
    // In the concat, the `residual1` there has no name that is written.
    assert_eq!(
        twice(build),
        [
            "residual1: residual {",
            "    relu,",
            "},",
            "tanh1: tanh,",
            "relu,",
            "tanh,",
            "relu,",
            "tanh,",
            "concat {",
            "    [",
            "        from = tanh1,",
            "        residual {",
            "            relu,",
            "        },",
            "    ],",
            "    [",
            "        from = residual1,",
            "        tanh,",
            "    ],",
            "    [],",
            "}, // 4x4x6",
        ]
    );
}

#[test]
fn a_line_whose_name_a_nearer_one_has_is_a_fork() {
    let mut build = Build::image(&[1, 2, 4, 4]);
    for name in ["p.weight", "cat.p.weight", "cat.q.weight"] {
        build = build.weights(name, &[2, 2, 1, 1]);
    }
    let build = build
        .node("a = Relu(x)", &[])
        .node("b = Conv(a, p.weight)", &[])
        .node("c = Tanh(b)", &[])
        .node("d = Relu(c)", &[])
        .node("e = Tanh(d)", &[])
        .node("f = Relu(e)", &[])
        .node("g = Conv(f, cat.q.weight)", &[])
        .node("h = Conv(c, cat.p.weight)", &[])
        .node("i = Sigmoid(h)", &[])
        .node("j = Tanh(b)", &[])
        .node("k = Concat(i, j, g)", &[("axis", &[1])])
        .output("k");
    // In the concat, `p` would be the one there.
    assert_eq!(
        twice(build),
        [
            "relu,",
            "p: conv(2, 1x1, bias = none),",
            "fork1: flatten,",
            "tanh1: tanh,",
            "relu,",
            "tanh,",
            "relu,",
            "cat_q: conv(2, 1x1, bias = none),",
            "cat: concat {",
            "    [",
            "        from = tanh1,",
            "        p: conv(2, 1x1, bias = none),",
            "        sigmoid,",
            "    ],",
            "    [",
            "        from = fork1,",
            "        tanh,",
            "    ],",
            "    [],",
            "}, // 4x4x6",
        ]
    );
}

/// Features from fine to coarse, back and forth, as detectors have them.
#[test]
fn a_pyramid_goes_back_and_forth() {
    let pool: &[(&str, &[i64])] = &[("kernel_shape", &[2, 2]), ("strides", &[2, 2])];
    let depth: &[(&str, &[i64])] = &[("axis", &[1])];
    let pyramid = Build::image(&[1, 2, 8, 8])
        .weights("fine.weight", &[4, 2, 1, 1])
        .weights("coarse.weight", &[3, 4, 1, 1])
        .weights("lateral.weight", &[3, 4, 1, 1])
        .node("c2 = Conv(x, fine.weight)", &[])
        .node("p = MaxPool(c2)", pool)
        .node("c3 = Conv(p, coarse.weight)", &[])
        .weights("deep.weight", &[12, 3, 1, 1])
        .node("q = Conv(c3, deep.weight)", &[])
        .node("u = DepthToSpace(q)", &[("blocksize", &[2])])
        .node("l = Conv(c2, lateral.weight)", &[])
        .node("p2 = Add(u, l)", &[])
        .node("d = MaxPool(p2)", pool)
        .node("n3 = Concat(d, c3)", depth)
        .node("e = Concat(n3, q, d)", depth)
        .output("e");
    assert_eq!(
        twice(pyramid),
        [
            "fine: conv(4, 1x1, bias = none), // 8x8x4",
            "residual {",
            "    max_pool(2x2), // 4x4x4",
            "    coarse: conv(3, 1x1, bias = none), // 4x4x3",
            "    deep: conv(12, 1x1, bias = none), // 4x4x12",
            "    depth_to_space(2x2), // 8x8x3",
            "    shortcut {",
            "        lateral: conv(3, 1x1, bias = none), // 8x8x3",
            "    },",
            "},",
            "max_pool1: max_pool(2x2), // 4x4x3",
            "concat {",
            "    [],",
            "    [",
            "        from = residual1.coarse,",
            "    ],",
            "}, // 4x4x6",
            "concat {",
            "    [],",
            "    [",
            "        from = residual1.deep,",
            "    ],",
            "    [",
            "        from = max_pool1,",
            "    ],",
            "}, // 4x4x21",
        ]
    );
}

/// Two sums that cross, and a volume that three later lines read.
#[test]
fn a_volume_is_read_by_three_later_lines() {
    let build = Build::image(&[1, 2, 4, 4])
        .node("a = Relu(x)", &[])
        .node("b = Sigmoid(a)", &[])
        .node("c = Tanh(b)", &[])
        .node("d = Add(c, a)", &[])
        .node("e = Add(d, b)", &[])
        .node("f = Relu(e)", &[])
        .node("g = Add(f, c)", &[])
        .node("h = Add(g, b)", &[])
        .output("h");
    assert_eq!(
        twice(build),
        [
            "relu,",
            "residual {",
            "    sigmoid1: sigmoid,",
            "    tanh1: tanh,",
            "},",
            "residual {",
            "    shortcut {",
            "        from = residual1.sigmoid1,",
            "    },",
            "},",
            "relu,",
            "residual {",
            "    shortcut {",
            "        from = residual1.tanh1,",
            "    },",
            "},",
            "residual {",
            "    shortcut {",
            "        from = residual1.sigmoid1,",
            "    },",
            "},",
        ]
    );
}

#[test]
fn ends_are_asked_for() {
    let open = Build::image(&[0, 2, 0, 0])
        .node("a = Relu(x)", &[])
        .output("a");
    let error = open.clone().error();
    assert!(error.contains("such as 3x224x224"), "{error}");
    let options = Options {
        input: Some([2, 5, 7]),
        ..Options::default()
    };
    let model = open.clone().read(&options).expect("a size");
    assert_eq!(model.input(), [5, 7, 2]);
    let last = Build::image(&[0, 0, 0, 2])
        .node("t = Transpose(x)", &[("perm", &[0, 3, 1, 2])])
        .node("a = Relu(t)", &[])
        .output("a");
    let model = last.read(&options).expect("a size, the depth last in it");
    assert_eq!(model.input(), [5, 7, 2]);
    let other = Options {
        input: Some([3, 5, 7]),
        ..Options::default()
    };
    let error = open.clone().read(&other).expect_err("another depth");
    assert!(error.to_string().contains("is 2 where the given size is 3"));

    let two = Build::image(&[1, 2, 4, 4])
        .node("a = Relu(x)", &[])
        .node("b = Tanh(a)", &[])
        .output("a")
        .output("b");
    let model = two.clone().read(&Options::default()).expect("two outputs");
    assert_eq!(
        (model.outputs(), model.scores()),
        (&["a", "b"].map(String::from)[..], 64)
    );
    assert_eq!(
        two.clone().lines(),
        [
            "relu,",
            "outputs {",
            "    a: [],",
            "    b: [",
            "        tanh,",
            "    ],",
            "}, // 1x1x64",
        ]
    );
    let unknown = Options {
        output: Some("c".into()),
        ..Options::default()
    };
    let error = two.clone().read(&unknown).expect_err("no such output");
    assert!(
        error.to_string().contains(r#"its outputs are ["a", "b"]"#),
        "{error}"
    );
    let first = Options {
        output: Some("a".into()),
        ..Options::default()
    };
    let model = two.read(&first).expect("one of two");
    assert_eq!(model.scores(), 32);
}

#[test]
fn circles_and_wrong_tensors_are_errors() {
    let circle = Build::image(&[1, 2, 4, 4])
        .node("a = Add(x, b)", &[])
        .node("b = Relu(a)", &[])
        .output("b")
        .error();
    assert!(circle.contains("in a circle"), "{circle}");
    let mut short = Build::image(&[1, 2, 4, 4])
        .weights("w", &[1, 2, 1, 1])
        .node("a = Conv(x, w)", &[])
        .output("a");
    short.graph.initializer[0].float_data.pop();
    let short = short.error();
    assert_eq!(
        short,
        "tensor `w`: a shape of [1, 2, 1, 1] is 2 values, and 1 are stored"
    );
    let outside = {
        let mut build = Build::image(&[1, 2, 4, 4])
            .weights("w", &[1, 2, 1, 1])
            .node("a = Conv(x, w)", &[])
            .output("a");
        build.graph.initializer[0].data_location = 1;
        build
    };
    assert!(outside.error().contains("which is not named"));
}
