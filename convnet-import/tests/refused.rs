//! Models of other kinds: each is refused at once, with all that stands in the way.

use std::time::{Duration, Instant};

use convnet_import::{ImportError, Imported, Options};
use convnet_onnx::proto::{
    Attribute, Dimension, Graph, Model, Node, Opset, Shape, Tensor, TensorType, Type, ValueInfo,
};
use prost::Message;

/// A model that is written node by node.
struct Build(Graph);

impl Build {
    fn image(dims: &[i64]) -> Self {
        let dim = |&value| Dimension {
            value,
            name: String::new(),
        };
        let shape = Some(Shape {
            dim: dims.iter().map(dim).collect(),
        });
        let image = ValueInfo {
            name: "image".into(),
            r#type: Some(Type {
                tensor: Some(TensorType {
                    elem_type: 1,
                    shape,
                }),
            }),
        };
        Self(Graph {
            input: vec![image],
            ..Graph::default()
        })
    }

    fn constant(&mut self, name: &str, dims: &[i64]) -> String {
        let values = dims.iter().product::<i64>() as usize;
        self.0.initializer.push(Tensor {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: 1,
            raw_data: vec![0; 4 * values],
            ..Tensor::default()
        });
        name.into()
    }

    fn shape(&mut self, name: &str, sizes: &[i64]) -> String {
        self.0.initializer.push(Tensor {
            name: name.into(),
            dims: vec![sizes.len() as i64],
            data_type: 7,
            int64_data: sizes.to_vec(),
            ..Tensor::default()
        });
        name.into()
    }

    /// A node, called as what it writes.
    fn node(&mut self, kind: &str, name: &str, inputs: &[&str], ints: &[(&str, &[i64])]) -> String {
        let attribute = |&(name, ints): &(&str, &[i64])| Attribute {
            name: name.into(),
            ints: ints.to_vec(),
            i: ints[0],
            ..Attribute::default()
        };
        self.0.node.push(Node {
            op_type: kind.into(),
            name: name.into(),
            input: inputs.iter().map(|&it| it.into()).collect(),
            output: vec![name.into()],
            attribute: ints.iter().map(attribute).collect(),
            ..Node::default()
        });
        name.into()
    }

    /// Why it is none, and how long it took to say so.
    fn refused(mut self, output: &str) -> (ImportError, Duration) {
        self.0.output.push(ValueInfo {
            name: output.into(),
            r#type: None,
        });
        let model = Model {
            graph: Some(self.0),
            opset_import: vec![Opset {
                domain: String::new(),
                version: 17,
            }],
            ..Model::default()
        };
        let bytes = model.encode_to_vec();
        let start = Instant::now();
        let error = Imported::from_bytes(&bytes, &Options::default()).expect_err("no ConvNet");
        (error, start.elapsed())
    }
}

/// A second, for a program without optimization on a machine that does other things too.
const SOON: Duration = Duration::from_secs(5);

fn lines(error: &ImportError) -> Vec<[String; 3]> {
    match error {
        ImportError::Refused(all) => all
            .iter()
            .map(|it| [&it.operator, &it.node, &it.why].map(Clone::clone))
            .collect(),
        other => panic!("{other}"),
    }
}

/// ViT as PyTorch writes it: 12 blocks, narrow ones, for weights are slow to read without optimization.
#[test]
fn a_transformer() {
    let mut b = Build::image(&[1, 3, 224, 224]);
    let filters = b.constant("patch.weight", &[64, 3, 16, 16]);
    let patches = [("strides", &[16, 16][..])];
    let mut x = b.node("Conv", "patches", &["image", &filters], &patches);
    let shape = b.shape("tokens.shape", &[1, 64, 196]);
    x = b.node("Reshape", "flat", &[&x, &shape], &[]);
    x = b.node("Transpose", "tokens", &[&x], &[("perm", &[0, 2, 1])]);
    for block in 0..12 {
        let at = |part: &str| format!("block{block}.{part}");
        let matrix = |b: &mut Build, part: &str, x: &str, dims: [i64; 2]| {
            let weights = b.constant(&at(&format!("{part}.weight")), &dims);
            b.node("MatMul", &at(part), &[x, &weights], &[])
        };
        let inside = b.node("LayerNormalization", &at("norm1"), &[&x], &[]);
        let query = matrix(&mut b, "query", &inside, [64, 64]);
        let key = matrix(&mut b, "key", &inside, [64, 64]);
        let value = matrix(&mut b, "value", &inside, [64, 64]);
        let turned = [("perm", &[0, 2, 1][..])];
        let key = b.node("Transpose", &at("turned"), &[&key], &turned);
        let scores = b.node("MatMul", &at("scores"), &[&query, &key], &[]);
        let weights = b.node("Softmax", &at("softmax"), &[&scores], &[("axis", &[-1])]);
        let mixed = b.node("MatMul", &at("mixed"), &[&weights, &value], &[]);
        let mixed = matrix(&mut b, "project", &mixed, [64, 64]);
        x = b.node("Add", &at("sum1"), &[&x, &mixed], &[]);
        let wide = matrix(&mut b, "wide", &x, [64, 256]);
        let bent = b.node("Erf", &at("erf"), &[&wide], &[]);
        let narrow = matrix(&mut b, "narrow", &bent, [256, 64]);
        x = b.node("Add", &at("sum2"), &[&x, &narrow], &[]);
    }
    let (error, time) = b.refused(&x);
    let lines = lines(&error);
    // The first node that is no layer, and every operator that none is; not what only reads these.
    assert_eq!(
        lines[0],
        [
            "MatMul",
            "block0.scores",
            "its second matrix is computed, and not a constant"
        ]
    );
    assert_eq!(lines.len(), 1 + 12, "{error}");
    let erfs = lines[1..].iter().all(|it| it[0] == "Erf");
    assert!(erfs && lines[12][1] == "block11.erf", "{error}");
    assert!(time < SOON, "{time:?}");
}

/// C3D: a film has five axes.
#[test]
fn convs_of_three_axes() {
    let mut b = Build::image(&[1, 3, 16, 112, 112]);
    let mut x = "image".to_owned();
    for (layer, depths) in [[3, 64], [64, 128], [128, 256], [256, 256]]
        .iter()
        .enumerate()
    {
        let filters = b.constant(&format!("w{layer}"), &[depths[1], depths[0], 3, 3, 3]);
        x = b.node("Conv", &format!("conv{layer}"), &[&x, &filters], &[]);
        x = b.node("Relu", &format!("relu{layer}"), &[&x], &[]);
    }
    let (error, time) = b.refused(&x);
    let text = error.to_string();
    assert!(
        text.contains("`image` has 5 axes: an image has four"),
        "{text}"
    );
    assert!(time < SOON, "{time:?}");
}

/// A CRNN: convs, and what reads their columns one after the other.
#[test]
fn a_recurrent_network() {
    let mut b = Build::image(&[1, 1, 32, 128]);
    let filters = b.constant("conv.weight", &[64, 1, 3, 3]);
    let conv = b.node("Conv", "conv", &["image", &filters], &[]);
    let columns = b.node("Squeeze", "columns", &[&conv], &[("axes", &[2])]);
    let mut x = b.node("Transpose", "steps", &[&columns], &[("perm", &[2, 0, 1])]);
    for (layer, kind) in ["LSTM", "GRU", "RNN"].iter().enumerate() {
        let [weights, again] = ["weights", "recurrence"]
            .map(|part| b.constant(&format!("{part}{layer}"), &[1, 1024, 64]));
        x = b.node(
            kind,
            &format!("recurrent{layer}"),
            &[&x, &weights, &again],
            &[],
        );
    }
    let (error, time) = b.refused(&x);
    let lines = lines(&error);
    let found: Vec<_> = lines.iter().map(|it| [it[0].as_str(), &it[1]]).collect();
    assert_eq!(
        found,
        [
            ["Squeeze", "columns"],
            ["LSTM", "recurrent0"],
            ["GRU", "recurrent1"],
            ["RNN", "recurrent2"]
        ]
    );
    for line in &lines[1..] {
        assert_eq!(line[2], "a declaration is a ConvNet, and has no such layer");
    }
    assert!(time < SOON, "{time:?}");
}
