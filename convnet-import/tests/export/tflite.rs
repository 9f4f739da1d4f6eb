//! What is written as TensorFlow Lite is read again as what it was, where the importer knows the operators.

use convnet::graph::{Elsewhere, Nested, Node, Op};
use convnet::tflite::{self, TfliteError};
use convnet::{Network, OnHeap, Parameters};
use convnet_import::{Imported, Options};
use convnet_onnx::proto::Model;
use prost::Message;

use super::nets::*;

#[path = "words.rs"]
mod words;

fn read(bytes: &[u8]) -> Imported {
    Imported::from_bytes(bytes, &Options::default()).unwrap()
}

/// The declaration and the numbers are those of the same network as ONNX, which says no lines.
fn as_onnx<N: Network<Scalar = f32> + OnHeap>(name: &str) {
    let net = random::<N>();
    let mut model = Model::decode(&*convnet::onnx::to_bytes(&*net).unwrap()).unwrap();
    model.metadata.clear();
    let [onnx, tflite] =
        [model.encode_to_vec(), tflite::to_bytes(&*net).unwrap()].map(|it| read(&it));
    assert_eq!(tflite.declaration(name), onnx.declaration(name));
    assert!(
        tflite.weights().unwrap() == onnx.weights().unwrap(),
        "{name}"
    );
}

#[test]
fn layers_come_back() {
    macro_rules! go {
        ($($net:ident)*) => { $(as_onnx::<$net>(stringify!($net));)* };
    }
    go!(LeNet5 SqueezeNet11 UNet Several Down Up Pyramid Heads);
}

/// Of models that others wrote, through a declaration: the same lines, the same numbers.
#[test]
fn models_come_back() {
    for name in [
        "mnist.onnx",
        "everything.tflite",
        "pieces.tflite",
        "speech.tflite",
    ] {
        let path = format!("{}/tests/models/{name}", env!("CARGO_MANIFEST_DIR"));
        let first = read(&std::fs::read(path).unwrap());
        let again = read(&first.tflite().unwrap());
        assert_eq!(again.declaration("Net"), first.declaration("Net"));
        assert!(
            again.weights().unwrap() == first.weights().unwrap(),
            "{name}"
        );
    }
}

/// `batch_norm` behind a conv is part of its filters and its biases.
#[test]
fn a_batch_norm_is_in_the_filters() {
    let net = random::<Pan>();
    let tensors = Pan::<f32>::TENSORS;
    let of = |name: &str| {
        let at = tensors.iter().position(|it| it.name == name).expect(name);
        net.tensor(at)
    };
    let again = read(&tflite::to_bytes(&*net).unwrap());
    assert!(!again.declaration("Net").contains("batch_norm"));
    let weights = again.weights().unwrap();
    let file = safetensors::SafeTensors::deserialize(&weights).unwrap();
    let numbers = |name: &str| -> Vec<f32> {
        let data = file.tensor(name).unwrap().data();
        data.as_chunks()
            .0
            .iter()
            .map(|it| f32::from_le_bytes(*it))
            .collect()
    };
    let norm = tensors
        .iter()
        .find_map(|it| it.name.strip_suffix(".gamma"))
        .unwrap();
    let norm = |field: &str| of(&format!("{norm}.{field}"));
    let [gamma, beta, mean, variance] = ["gamma", "beta", "mean", "variance"].map(norm);
    let (filters, bias) = (numbers("c3_conv1.filters"), numbers("c3_conv1.bias"));
    let before = of("c3.conv1.filters");
    assert_eq!(filters.len(), before.len());
    for (at, (found, before)) in filters.iter().zip(before).enumerate() {
        let slice = at % bias.len();
        let factor = gamma[slice] / (variance[slice] + 1e-5).sqrt();
        assert!(
            (found - before * factor).abs() <= 1e-5 * found.abs(),
            "{at}"
        );
        let summand = beta[slice] - mean[slice] * factor;
        assert!((bias[slice] - summand).abs() <= 1e-5, "{slice}");
    }
}

#[test]
fn what_is_not_written_is_named() {
    let own = |name| Node {
        name,
        op: Op::Own {
            what: Elsewhere {
                path: "Twice",
                nested: Nested::UNKNOWN,
                graph: &[],
            },
            learns: false,
            volume: [2, 2, 3],
        },
        volume: [2, 2, 3],
    };
    let fc = Node {
        name: "scores",
        op: Op::fc(4),
        volume: [1, 1, 4],
    };
    let write =
        |graph: &[Node<'_>]| tflite::graph_to_bytes(graph, [2, 2, 3], |_| None).unwrap_err();
    let error = write(&[own("first"), own("second")]);
    assert!(
        matches!(&error, TfliteError::ByHand(names) if names == &["first", "second"]),
        "{error}"
    );
    let error = write(&[fc]);
    assert!(
        matches!(&error, TfliteError::Missing(name) if name == "scores.filters"),
        "{error}"
    );
    assert!(matches!(write(&[]), TfliteError::NoGraph));
}
