use crate::flatbuffer::{Table, Value, file};
use crate::model::{ADD, CONV_2D, Data, MUL, Model, RELU};

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
        Data::Computed | Data::Ints(_) => Vec::new(),
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
