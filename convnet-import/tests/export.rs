//! What is written as ONNX, and in `export/tflite.rs` as TensorFlow Lite, is read again as what it was: the same declaration, the same numbers.

#[path = "export/nets.rs"]
mod nets;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use convnet::graph::{Node, Op};
use convnet::onnx::{self, OnnxError};
use convnet::shape::{Axis, Fit, Padding, Window};
use convnet::{Network, OnHeap, Parameters, Real, convnet};
use convnet_import::{ImportError, Imported, Options};
use convnet_onnx::proto::Model;
use prost::Message;

use nets::*;

/// The same of TensorFlow Lite.
#[path = "export/tflite.rs"]
mod tflite;

mod read {
    include!("export/everything.rs");
}

mod outputs {
    include!("export/outputs.rs");
}

mod crossing {
    include!("export/crossing.rs");
}

/// The ops of a graph with what is inside it in its place, and without those that compute nothing.
fn flat(
    graph: &'static [Node<'static>],
    path: &str,
    input: [usize; 3],
    ops: &mut Vec<(String, Op)>,
) {
    // Where each volume of this graph is in the list.
    let mut places = vec![ops.len()];
    let mut size = input;
    for it in graph {
        let name = format!("{path}{}", it.name).replace('.', "_");
        let mut op = it.op;
        match &mut op {
            Op::Dropout { .. } | Op::Flatten => {}
            Op::Network { what } => {
                flat(what.graph, &format!("{path}{}.", it.name), size, ops);
            }
            Op::Branch { from } => {
                *from = places[*from];
                size = match places.iter().position(|place| place == from) {
                    Some(0) => input,
                    Some(at) => graph[at - 1].volume,
                    None => unreachable!(),
                };
                ops.push((name, op));
                places.push(ops.len());
                continue;
            }
            Op::Add { with, input } => {
                (*with, *input) = (places[*with], places[*input]);
                ops.push((name, op));
            }
            Op::Scale { with } => {
                *with = places[*with];
                ops.push((name, op));
            }
            Op::Concat { onto, input, .. } | Op::Outputs { onto, input, .. } => {
                (*onto, *input) = (onto.map(|onto| places[onto]), places[*input]);
                ops.push((name, op));
            }
            _ => {
                if let Some(window) = op.window_mut() {
                    *window = plain(window, size, it.op);
                }
                ops.push((name, op));
            }
        }
        size = it.volume;
        places.push(ops.len());
    }
}

/// A window in numbers, and with no more said of a remainder than has to be.
fn plain(window: &Window, [height, width, _]: [usize; 3], op: Op) -> Window {
    let axes = [
        window.axis(0, height).unwrap(),
        window.axis(1, width).unwrap(),
    ];
    let mut plain = Window {
        padding: Padding::Zeros {
            top: axes[0].before,
            bottom: axes[0].after,
            left: axes[1].before,
            right: axes[1].after,
        },
        fit: Fit::Exact,
        ..*window
    };
    let transposed = matches!(
        op,
        Op::ConvTranspose { .. }
            | Op::Upsample { .. }
            | Op::UpsampleBilinear { .. }
            | Op::UpsampleAligned { .. }
            | Op::DepthToSpace { .. }
            | Op::Pad { .. }
            | Op::Crop { .. }
    );
    if transposed || plain.place([height, width]).is_ok() {
        return plain;
    }
    // What `fit = pad` adds is said in numbers, where rounding up would not say it.
    let placed = window.place([height, width]).unwrap();
    let up = |at: usize| {
        let axis: &Axis = &axes[at];
        let slides = (axis.before + axis.size + axis.after).saturating_sub(axis.covers());
        slides.div_ceil(axis.stride) + 1 == placed[at].output
    };
    let added = placed.map(|it| it.added);
    let is_pool = matches!(op, Op::MaxPool { .. } | Op::AvgPool { .. });
    if is_pool && added != [0; 2] && up(0) && up(1) {
        plain.fit = Fit::Pad;
        return plain;
    }
    if let Padding::Zeros { bottom, right, .. } = &mut plain.padding {
        *bottom += added[0];
        *right += added[1];
    }
    if plain.place([height, width]).is_err() {
        plain.fit = Fit::Crop;
    }
    plain
}

fn round_trip<N: Network<Scalar = f32>>(net: &N, name: &str, input: [usize; 3]) {
    let bytes = onnx::to_bytes(net).unwrap();
    let imported = Imported::from_bytes(&bytes, &Options::default()).unwrap();
    let mut expected = Vec::new();
    flat(N::GRAPH, "", input, &mut expected);
    let draft = imported.draft(name);
    let planned = draft.plan().unwrap();
    let found = planned
        .graph()
        .map(|node| (node.name.replace('.', "_"), node.op));
    for (found, expected) in found.zip(&expected) {
        assert_eq!(found, *expected, "{name}");
    }
    assert_eq!(draft.ops().len(), expected.len());
    // Every number, to the bit.
    let weights = imported.weights().unwrap();
    let file = safetensors::SafeTensors::deserialize(&weights).unwrap();
    let tensors: Vec<_> = file
        .iter()
        .map(|(name, view)| (name.replace('.', "_"), view))
        .collect();
    assert_eq!(tensors.len(), N::TENSORS.len());
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        let name = tensor.name.replace('.', "_");
        let (_, view) = tensors
            .iter()
            .find(|(it, _)| *it == name)
            .expect(tensor.name);
        assert_eq!(view.shape(), tensor.shape, "{name}");
        let bytes = net
            .tensor(index)
            .iter()
            .flat_map(|value| value.to_le_bytes());
        assert!(view.data().iter().copied().eq(bytes), "{name}");
    }
    // And the normal form of the normal form is itself.
    let again = Imported::from_bytes(&imported.onnx().unwrap(), &Options::default()).unwrap();
    assert_eq!(again.declaration(name), imported.declaration(name));
    assert_eq!(again.weights().unwrap(), weights);
}

#[test]
fn what_is_written_is_read_again_as_what_it_was() {
    macro_rules! go {
        ($net:ident) => {
            round_trip(&*random::<$net>(), stringify!($net), $net::INPUT);
        };
    }
    each!(go);
}

/// The declaration that comes back.
fn declaration<N: Network<Scalar = f32> + OnHeap>(name: &str) -> String {
    let bytes = onnx::to_bytes(&*random::<N>()).unwrap();
    let imported = Imported::from_bytes(&bytes, &Options::default());
    imported.unwrap().declaration(name)
}

/// `BLESS=1 cargo test -p convnet-import` writes it anew: to be read.
fn expect(declaration: &str, expected: &str, file: &str) {
    if std::env::var_os("BLESS").is_some() {
        let path = format!("{}/tests/export/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, declaration).expect("a folder that one can write to");
    }
    assert_eq!(declaration, expected);
}

#[test]
fn names_are_the_declarations() {
    let declaration = declaration::<Everything>("Everything");
    let expected = include_str!("export/everything.rs");
    expect(&declaration, expected, "everything.rs");
    // The compiler names what stands there as it was named, and it computes the same.
    let (net, mut again) = (random::<Everything>(), read::Everything::<f32>::boxed());
    let names = |tensors: &'static [convnet::Tensor]| tensors.iter().map(|it| (it.name, it.shape));
    assert!(names(read::Everything::<f32>::TENSORS).eq(names(Everything::<f32>::TENSORS)));
    convnet::weights::from_bytes(&mut *again, &convnet::weights::to_bytes(&*net).unwrap()).unwrap();
    let mut image = convnet::Volume::<f32, 21, 23, 3>::boxed();
    let mut rng = convnet::Rng::new(3);
    image
        .as_mut_slice()
        .iter_mut()
        .for_each(|it| *it = rng.normal() as f32);
    let (mut arena, mut other) = (Everything::<f32>::arena(), read::Everything::<f32>::arena());
    let scores = net.forward(&image, &mut arena).as_slice();
    let largest = scores.iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    for (a, b) in scores
        .iter()
        .zip(again.forward(&image, &mut other).as_slice())
    {
        assert!((a - b).abs() <= 1e-5 * largest, "{a} is not {b}");
    }
    // What was repeated is so again, by the same names.
    let bytes = onnx::to_bytes(&*random::<MobileNet>()).unwrap();
    let imported = Imported::from_bytes(&bytes, &Options::default()).unwrap();
    let declaration = imported.declaration("MobileNet");
    assert!(
        declaration.contains("        ] * 5,\n        depthwise(3x3, stride = 2,"),
        "{declaration}"
    );
    let names = imported.draft("MobileNet");
    let names = names.plan().unwrap();
    assert!(names.graph().any(|node| node.name == "depthwise11"));
}

/// As it was written, up to layout, what is gone by then (`dropout`), and repetitions whose lines have names.
#[test]
fn ways_that_cross_come_back_as_they_were() {
    let all = [
        declaration::<Pyramid>("Pyramid"),
        declaration::<Names>("Names"),
        declaration::<Heads>("Heads"),
        declaration::<Pan>("Pan"),
        declaration::<UNet>("UNet"),
        declaration::<Tangle>("Tangle"),
        declaration::<Gates>("Gates"),
        declaration::<Inside>("Inside"),
        declaration::<Hidden>("Hidden"),
        declaration::<Single>("Single"),
        declaration::<Block>("Block"),
    ];
    let expected = include_str!("export/crossing.rs");
    expect(&all.join("\n"), expected, "crossing.rs");
    // The compiler makes the same of it.
    macro_rules! same {
        ($($net:ident)*) => {$({
            let [mut before, mut after] = [Vec::new(), Vec::new()];
            flat($net::GRAPH, "", $net::INPUT, &mut before);
            flat(crossing::$net::GRAPH, "", $net::INPUT, &mut after);
            assert_eq!(before, after);
        })*};
    }
    same!(Pyramid Names Heads Pan UNet Tangle Gates Inside Hidden Single Block);
}

/// What `silu` and `hard_swish` are written as is a block, too, if the lines say so.
#[test]
fn a_gate_by_name_is_no_part_of_another_layer() {
    let declared = declaration::<Parts>("Parts");
    let bytes = onnx::to_bytes(&*random::<Parts>()).unwrap();
    let mut model = Model::decode(&*bytes).unwrap();
    model.metadata.clear();
    let without = Imported::from_bytes(&model.encode_to_vec(), &Options::default()).unwrap();
    let without = without.declaration("Parts");
    for (word, gate) in [("silu", "sigmoid"), ("hard_swish", "hard_sigmoid")] {
        let gate = format!("gate: {gate},");
        assert!(declared.contains(&gate), "{declared}");
        assert!(!without.contains(&gate), "{without}");
        let count = |text: &str| text.matches(word).count();
        assert_eq!([&declared, &without].map(|it| count(it)), [1, 2]);
    }
}

/// What a model computes, as a number for each output, whatever its nodes are called: of a sum, a product and outputs
/// in no order, of lists that lie in each other as one.
fn meaning(bytes: &[u8]) -> Vec<u64> {
    let values = values(bytes);
    let outputs = Model::decode(bytes).unwrap().graph.unwrap().output;
    let mut outputs: Vec<u64> = outputs.iter().map(|it| values[&it.name]).collect();
    outputs.sort_unstable();
    outputs
}

/// The same of each node.
fn values(bytes: &[u8]) -> HashMap<String, u64> {
    fn of(it: &impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        it.hash(&mut hasher);
        hasher.finish()
    }
    let graph = Model::decode(bytes).unwrap().graph.unwrap();
    let mut values: HashMap<String, Vec<u64>> = HashMap::new();
    let image = &graph.input[0].name;
    values.insert(image.clone(), vec![0]);
    for it in graph.initializer {
        values.insert(it.name, vec![of(&(it.dims, it.raw_data))]);
    }
    for node in graph.node {
        let read = node.input.iter().map(|name| values.get(name).cloned());
        let mut read: Vec<Vec<u64>> = read.map(Option::unwrap_or_default).collect();
        let written = match node.op_type.as_str() {
            "Identity" => read.remove(0),
            "Concat" => read.concat(),
            operator => {
                if let "Add" | "Mul" = operator {
                    read.sort_unstable();
                }
                let attributes = node.attribute.iter().map(Message::encode_to_vec);
                let attributes: Vec<_> = attributes.collect();
                vec![of(&(operator, attributes, read))]
            }
        };
        values.insert(node.name, written);
    }
    let values = values.into_iter();
    values.map(|(name, value)| (name, of(&value))).collect()
}

#[test]
fn an_output_begins_on_the_way_of_another() {
    let bytes = onnx::to_bytes(&*random::<Pose>()).unwrap();
    let mut model = Model::decode(&*bytes).unwrap();
    // Which the nodes are to tell, whichever output is the first.
    model.metadata.clear();
    for _ in 0..3 {
        model.graph.as_mut().unwrap().output.rotate_left(1);
        let bytes = model.encode_to_vec();
        let imported = Imported::from_bytes(&bytes, &Options::default()).unwrap();
        let declaration = imported.declaration("Pose");
        let found = meaning(&imported.onnx().unwrap());
        assert_eq!(found, meaning(&bytes), "{declaration}");
    }
}

fn of_output(bytes: &[u8], output: &str) -> Result<Imported, ImportError> {
    let options = Options {
        output: Some(output.to_owned()),
        ..Options::default()
    };
    Imported::from_bytes(bytes, &options)
}

/// The declaration up to a line, or of one output, by the names that it has in the whole.
fn up_to<N: Network<Scalar = f32> + OnHeap>(name: &str, end: &str) -> String {
    let bytes = onnx::to_bytes(&*random::<N>()).unwrap();
    let imported = of_output(&bytes, end).unwrap();
    let declaration = imported.declaration(name);
    let found = meaning(&imported.onnx().unwrap());
    assert_eq!(found, [values(&bytes)[end]], "{declaration}");
    let weights = imported.weights().unwrap();
    let file = safetensors::SafeTensors::deserialize(&weights).unwrap();
    for tensor in file.names() {
        let mut names = N::TENSORS.iter().map(|it| it.name);
        assert!(names.any(|it| it == tensor), "{tensor}\n{declaration}");
    }
    declaration
}

#[test]
fn of_one_output_the_lines_up_to_it_come_back() {
    macro_rules! each_output {
        ($($net:ident)*) => {$({
            let bytes = onnx::to_bytes(&*random::<$net>()).unwrap();
            let all = Imported::from_bytes(&bytes, &Options::default()).unwrap();
            assert!(all.outputs().len() > 1);
            for output in all.outputs() {
                up_to::<$net>(stringify!($net), output);
            }
        })*};
    }
    each_output!(Several Down Up Pose Heads Pan Tangle Gates);
    up_to::<Beside>("Beside", "scores");
    // Lines in a `shortcut` have names that none outside has.
    let bytes = onnx::to_bytes(&*random::<Beside>()).unwrap();
    let short = of_output(&bytes, "short").unwrap();
    let found = meaning(&short.onnx().unwrap());
    assert_eq!(found, [values(&bytes)["short"]]);
    let all = [
        up_to::<Pan>("PanMiddle", "middle"),
        up_to::<Down>("DownMiddle", "middle"),
        up_to::<Up>("UpCoarse", "coarse"),
        up_to::<UNet>("Bottom", "bottom.relu1"),
        up_to::<Beside>("Seen", "seen"),
        up_to::<Tangle>("Thin", "thin"),
        up_to::<Tangle>("On", "on"),
        up_to::<Tangle>("Gate", "gate"),
    ];
    let expected = include_str!("export/outputs.rs");
    expect(&all.join("\n"), expected, "outputs.rs");
    assert_eq!(outputs::Gate::<f32>::INPUT, Tangle::<f32>::INPUT);
}

/// Whatever a file says of its lines, it computes what its nodes do, or is refused.
fn mangled<N: Network<Scalar = f32> + OnHeap>() {
    let bytes = onnx::to_bytes(&*random::<N>()).unwrap();
    let expected = meaning(&bytes);
    let model = Model::decode(&*bytes).unwrap();
    let first = model.graph.as_ref().unwrap().output[0].name.clone();
    let of_first = [values(&bytes)[&first]];
    let lines: Vec<&str> = model.metadata[0].value.lines().collect();
    let mut others: Vec<Vec<String>> =
        vec![Vec::new(), vec!["x ".into()], vec!["from 1 2 3 4".into()]];
    let owned = |lines: &[&str]| lines.iter().map(|&it| it.to_owned()).collect::<Vec<_>>();
    for at in 0..lines.len() {
        let mut without = owned(&lines);
        without.remove(at);
        let mut twice = owned(&lines);
        twice.insert(at, lines[at].to_owned());
        others.extend([without, twice]);
        for other in [at.saturating_sub(1), at / 2, 0] {
            let mut turned = owned(&lines);
            turned.swap(at, other);
            others.push(turned);
        }
        // Every number, and what is none.
        let words: Vec<&str> = lines[at].split(' ').collect();
        for place in (0..words.len()).filter(|&it| words[it].parse::<usize>().is_ok()) {
            let numbers = (0..=lines.len() + 1).step_by(1 + lines.len() / 16);
            let numbers = numbers.map(|number| number.to_string());
            for number in numbers.chain(["-1".into(), "99999999999999999999".into()]) {
                let mut words = words.clone();
                words[place] = &number;
                let mut changed = owned(&lines);
                changed[at] = words.join(" ");
                others.push(changed);
            }
        }
        for word in ["residual", "scale", "concat", "outputs"] {
            let mut changed = owned(&lines);
            changed[at] = format!("{} {word} 1 0", words[0]);
            others.push(changed);
        }
    }
    let mut taken = 0;
    for other in &others {
        let mut model = model.clone();
        model.metadata[0].value = other.join("\n");
        let bytes = model.encode_to_vec();
        if let Ok(imported) = of_output(&bytes, &first) {
            assert_eq!(meaning(&imported.onnx().unwrap()), of_first, "{other:#?}");
        }
        let imported = Imported::from_bytes(&bytes, &Options::default());
        // Some layers come back as others that compute the same.
        if let Ok(imported) = imported {
            assert_eq!(meaning(&imported.onnx().unwrap()), expected, "{other:#?}");
            taken += 1;
        }
    }
    assert!(taken > 0);
}

#[test]
fn lines_that_are_not_the_nodes_are_not_believed() {
    mangled::<Pyramid>();
    mangled::<Heads>();
    mangled::<ByName>();
    mangled::<Several>();
}

#[test]
fn what_onnx_has_not_is_named() {
    convnet! {
        struct Mine {
            input(2x2x3),
            first: layer(Twice, 2x2x3),
            relu,
            network(Inner),
        }
    }
    convnet! {
        struct Inner {
            input(2x2x3),
            second: layer(Twice, 2x2x3),
        }
    }
    use convnet::Volume;
    use convnet::layer::Layer;

    struct Twice;

    impl<T: Real> Layer<Volume<T, 2, 2, 3>, Volume<T, 2, 2, 3>> for Twice {
        fn forward(&self, x: &Volume<T, 2, 2, 3>, y: &mut Volume<T, 2, 2, 3>) {
            y.as_mut_slice().copy_from_slice(x.as_slice());
        }

        fn backward(
            &self,
            _: &Volume<T, 2, 2, 3>,
            _: &mut Volume<T, 2, 2, 3>,
            _: &Volume<T, 2, 2, 3>,
            _: &mut Self,
        ) {
        }

        fn backward_parameters(
            &self,
            _: &Volume<T, 2, 2, 3>,
            _: &Volume<T, 2, 2, 3>,
            _: &mut Self,
        ) {
        }
    }

    let error = onnx::to_bytes(&*Mine::<f32>::boxed()).unwrap_err();
    let OnnxError::ByHand(names) = &error else {
        panic!("{error}");
    };
    assert_eq!(names, &["first", "network1.second"], "{error}");
}

#[test]
fn nothing_is_a_model_too() {
    let bytes = onnx::to_bytes(&*Nothing::<f32>::boxed()).unwrap();
    // Which has no layers, so it is no declaration.
    let error = Imported::from_bytes(&bytes, &Options::default()).unwrap_err();
    assert!(
        error.to_string().contains("is not what a layer writes"),
        "{error}"
    );
}
