use convnet::int8::{Int8, Quantize, Settings};
use convnet::{Rng, Volume, convnet, int8};
use convnet_core::int8::{Kind, Parameters};
use convnet_core::kernel::i8::Multiplier;

use crate::export::{Twin, model_of_int8};
use crate::flatbuffer::{Table, Value, file};
use crate::model::{
    ADD, AVERAGE_POOL_2D, CAST, CONCATENATION, CONV_2D, Data, Element, FULLY_CONNECTED, GATHER,
    MAX_POOL_2D, MUL, Model, QUANTIZE, RELU, RELU6, RESHAPE, STRIDED_SLICE, Steps, TANH,
};
use crate::{TfliteError, int8_to_bytes};

fn word(file: &[u8], at: usize) -> usize {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize
}

#[test]
fn bytes_begin_at_multiples_of_sixteen() {
    for text in 0..20 {
        let constant = |byte| vec![(0, Value::Bytes(vec![byte; 5]))];
        let root = vec![
            (3, Value::Text("x".repeat(text))),
            (
                1,
                Value::Tables(vec![constant(7), Table::new(), constant(8)]),
            ),
        ];
        let file = file(&root, *b"TEST");
        assert_eq!(&file[4..8], b"TEST");
        for byte in [7, 8] {
            let at = file.windows(5).position(|it| it == [byte; 5]).unwrap();
            assert_eq!((at % 16, word(&file, at - 4)), (0, 5), "{text}");
        }
        // Of the four fields that the root lists, two are there.
        let root = word(&file, 0);
        let list = root - word(&file, root);
        assert_eq!(file[list..list + 4], [12, 0, 12, 0]);
        assert_eq!(file[list + 4..list + 12], [0, 0, 8, 0, 0, 0, 4, 0]);
    }
}

/// conv + 1, 2 ─▶ · 2, 3 ─▶ + 10, 20 ─▶ relu, of which what the conv writes is perhaps an output, too.
fn chain(seen: bool) -> Model {
    let mut model = Model::default();
    let floats = |model: &mut Model, shape: &[usize], values: &[f32]| {
        model.tensor("constant".into(), shape.into(), Data::Floats(values.into()))
    };
    let volume = || vec![1, 4, 4, 2];
    let image = model.tensor("image".into(), volume(), Data::Computed);
    let filters = floats(&mut model, &[2, 1, 1, 2], &[1.0, 2.0, 3.0, 4.0]);
    let bias = floats(&mut model, &[2], &[1.0, 2.0]);
    let (by, plus) = (
        floats(&mut model, &[2], &[2.0, 3.0]),
        floats(&mut model, &[2], &[10.0, 20.0]),
    );
    let mut push = |kind, inputs| model.push(kind, "x".into(), inputs, volume(), Table::new());
    let conv = push(CONV_2D, vec![image, filters, bias]);
    let scaled = push(MUL, vec![conv, by]);
    let moved = push(ADD, vec![scaled, plus]);
    let relu = push(RELU, vec![moved]);
    model.outputs = if seen { vec![relu, conv] } else { vec![relu] };
    model.fuse();
    model
}

#[test]
fn filters_take_what_follows() {
    let model = chain(false);
    assert_eq!(model.kinds(), [CONV_2D]);
    let of = |at: usize| match &model.tensors[at].data {
        Data::Floats(values) => values.clone(),
        Data::Computed | Data::Ints(_) | Data::Bytes(_) => Vec::new(),
    };
    assert_eq!(of(1), [2.0, 4.0, 9.0, 12.0]);
    assert_eq!(of(2), [12.0, 26.0]);
    assert_eq!((model.tensors.len(), model.outputs), (4, vec![3]));
}

#[test]
fn what_others_read_stays() {
    // The sum takes the activation.
    assert_eq!(chain(true).kinds(), [CONV_2D, MUL, ADD]);
}

#[test]
fn numbers_lie_at_multiples_of_their_size() {
    for text in 0..9 {
        let root = vec![
            (0, Value::Text("x".repeat(text))),
            (1, Value::Longs(vec![-2, 7])),
            (2, Value::Floats(vec![1.5])),
        ];
        let file = file(&root, *b"TEST");
        let long = (-2_i64).to_le_bytes();
        let at = file.windows(8).position(|it| it == long).unwrap();
        assert_eq!((at % 8, word(&file, at - 4)), (0, 2), "{text}");
        let float = 1.5_f32.to_le_bytes();
        assert!(file.chunks(4).any(|it| it == float), "{text}");
    }
}

convnet! {
    struct Twins {
        input(8x9x2),
        first: conv(4, 3x3, pad = same), batch_norm, relu, max_pool(2x2, fit = crop),
        avg_pool(2x2, stride = 1, pad = (1, 0, 0, 1)),
        relu6,
        concat { [conv(3, 1x1), tanh], [], [silu] },
        hidden: fc(5), relu,
        last: fc(1),
    }
}
int8!(Twins);

fn twins(fc_per_tensor: bool) -> Box<Int8<Twins>> {
    let net = Twins::random(231);
    let mut rng = Rng::new(7);
    let images = [0; 3].map(|_| {
        let mut image = Volume::ZERO;
        let numbers = image.as_mut_slice().iter_mut();
        numbers.for_each(|it| *it = rng.normal() as f32);
        image
    });
    let settings = Settings {
        fc_per_tensor,
        ..Settings::default()
    };
    net.quantize_by(&images, settings).unwrap()
}

fn model_of(twin: &Int8<Twins>) -> Result<Model, TfliteError> {
    let (filters, channels, volumes) = twin.parts();
    let twin = Twin {
        graph: Twins::<f32>::GRAPH,
        program: &Twins::PROGRAM,
        filters,
        channels,
        volumes,
    };
    model_of_int8(twin, [8, 9, 2])
}

#[test]
fn tasks_are_operators() {
    let twin = twins(false);
    let model = model_of(&twin).unwrap();
    let expected = [
        &[CONV_2D, MAX_POOL_2D][..],
        // The uppermost row: all columns, of which two are seen at a time, and the last one by itself.
        &[STRIDED_SLICE, AVERAGE_POOL_2D],
        &[STRIDED_SLICE, AVERAGE_POOL_2D, CONCATENATION],
        // All rows, of which two are seen at a time.
        &[AVERAGE_POOL_2D],
        &[STRIDED_SLICE, AVERAGE_POOL_2D, CONCATENATION],
        &[CONCATENATION, QUANTIZE, RELU6],
        &[CONV_2D, TANH, QUANTIZE],
        &[QUANTIZE],
        &[CAST, ADD, GATHER, QUANTIZE, CONCATENATION],
        &[FULLY_CONNECTED, RESHAPE, CONV_2D, RESHAPE],
    ];
    assert_eq!(model.kinds(), expected.concat());
    let [image, scores] = [0, model.outputs[0]].map(|at| &model.tensors[at]);
    for (tensor, name, is) in [
        (image, "image", twin.image()),
        (scores, "last", twin.scores()),
    ] {
        let steps = Steps {
            scales: vec![is.scale],
            zero: is.zero,
            axis: 0,
        };
        assert_eq!((tensor.element, &*tensor.name), (Element::I8, name));
        assert_eq!(tensor.steps.as_ref(), Some(&steps));
    }
    let bytes = int8_to_bytes(&twin).unwrap();
    assert_eq!(&bytes[4..8], b"TFL3");
}

/// What LiteRT makes of the scales in a file are the multipliers of the twin.
#[test]
fn scales_give_the_multipliers() {
    for fc_per_tensor in [false, true] {
        let twin = twins(fc_per_tensor);
        let (_, channels, _) = twin.parts();
        let model = model_of(&twin).unwrap();
        let steps = |at: usize| model.tensors[at].steps.clone().unwrap();
        let mut found = Vec::new();
        for it in model.operators() {
            if ![CONV_2D, FULLY_CONNECTED].contains(&it.kind) {
                continue;
            }
            let (x, y) = (steps(it.inputs[0]).scales[0], steps(it.output).scales[0]);
            let scales = steps(it.inputs[1]).scales;
            let units: Vec<f64> = match (it.kind, &scales[..]) {
                (FULLY_CONNECTED, &[one]) => {
                    assert!(fc_per_tensor);
                    vec![f64::from(x * one); model.tensors[it.output].shape[1]]
                }
                (_, each) => each.iter().map(|w| f64::from(x) * f64::from(*w)).collect(),
            };
            found.extend(units.iter().map(|unit| Multiplier::of(unit / f64::from(y))));
        }
        let own = Twins::PROGRAM
            .tasks
            .iter()
            .filter(|it| it.channels[1] > it.channels[0]);
        let own = own.filter(|it| !matches!(it.kind, Kind::Rescale));
        let own = own.flat_map(|it| &channels[it.channels[0]..it.channels[1]]);
        let own: Vec<Multiplier> = own.map(|it| it.by).collect();
        assert_eq!(found, own);
    }
}

/// A multiplier has more bits than the scales of which it is to come.
#[test]
fn a_multiplier_without_scales_is_named() {
    let mut twin = twins(false);
    let (_, channels, _) = twin.parts_mut();
    channels[2].by = Multiplier::from_parts((1 << 30) + 1, -9).unwrap();
    let error = model_of(&twin).unwrap_err();
    assert!(
        matches!(&error, TfliteError::Foreign(name) if name == "first"),
        "{error}"
    );
}
