use super::*;
use crate::graph::{Decimals, Manner};
use crate::memory::overlay::LINE;
use crate::shape::Padding;
use proptest::prelude::*;
use std::vec;

mod blocks;
mod interpreter;

const fn conv(filters: usize, size: usize, stride: usize, pad: usize) -> Op {
    Op::conv(filters, Window::square(size, stride, pad))
}

const fn pool(size: usize, stride: usize) -> Op {
    Op::MaxPool {
        window: Window::square(size, stride, 0),
    }
}

const BATCH_NORM: Op = Op::BATCH_NORM;
const DROPOUT: Op = Op::Dropout { rate: 0.5 };

const fn fc(filters: usize) -> Op {
    Op::fc(filters)
}

/// CS231n's example network for CIFAR-10; its figures by hand: 32·32·12 outputs of 5·5·3
/// multiply-adds each, and 16·16·12·10.
#[test]
fn the_figures_of_cs231n_s_network_for_cifar() {
    let ops = [conv(12, 5, 1, 2), Op::Relu, pool(2, 2), fc(10)];
    let plan = Plan::new([32, 32, 3], &ops).unwrap();
    assert_eq!(
        plan.steps.map(|step| step.volume),
        [[32, 32, 12], [32, 32, 12], [16, 16, 12], [1, 1, 10]]
    );
    assert_eq!(plan.steps.map(|step| step.parameters), [912, 0, 0, 30_730]);
    assert_eq!(
        plan.steps.map(|step| step.field),
        [[5, 5], [5, 5], [6, 6], [32, 32]]
    );
    assert_eq!(plan.totals.macs, 952_320);
    assert_eq!(plan.totals.parameters, 31_642);
    // The pool reads 32·32·12 and writes 16·16·12.
    assert_eq!(plan.totals.arena, 4 * (12_288 + 3_072));
    assert_eq!(plan.totals.peak, 2);
    // The pool's backward reads what it read and the gradient on what it wrote, and writes the one
    // on what it read.
    assert_eq!(plan.totals.tape, 4 * (12_288 + 3_072 + 12_288));
}

fn vgg16() -> std::vec::Vec<Op> {
    let mut ops = std::vec::Vec::new();
    for (filters, convs) in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)] {
        for _ in 0..convs {
            ops.extend([conv(filters, 3, 1, 1), Op::Relu]);
        }
        ops.push(pool(2, 2));
    }
    ops.extend([fc(4096), Op::Relu, fc(4096), Op::Relu, fc(1000)]);
    ops
}

/// Parameters as Simonyan & Zisserman 2014 (table 2) and torchvision count them; receptive fields
/// as Araujo et al. 2019, *Computing Receptive Fields of Convolutional Neural Networks*.
#[test]
fn the_figures_of_vgg_16() {
    let (steps, totals) = place([224, 224, 3], &vgg16()).unwrap();
    assert_eq!(totals.parameters, 138_357_544);
    assert_eq!(totals.macs, 15_470_264_320);
    let last_pool = &steps[vgg16().len() - 6];
    assert_eq!(
        (last_pool.volume, last_pool.field),
        ([7, 7, 512], [212, 212])
    );
    // CS231n, Case studies, VGGNet in detail: conv1_1 and conv1_2 weigh most, 3.2 M each.
    assert_eq!((totals.arena, totals.peak), (4 * 2 * 224 * 224 * 64, 2));
}

/// Zeiler & Fergus's reading of Krizhevsky et al. 2012, as Araujo et al. 2019 count it.
#[test]
fn the_receptive_fields_of_alex_net() {
    let ops = [
        conv(96, 11, 4, 0),
        pool(3, 2),
        conv(256, 5, 1, 2),
        pool(3, 2),
        conv(384, 3, 1, 1),
        conv(384, 3, 1, 1),
        conv(256, 3, 1, 1),
        pool(3, 2),
        Op::GlobalAvgPool,
    ];
    let fields = Plan::new([227, 227, 3], &ops)
        .unwrap()
        .steps
        .map(|step| step.field[0]);
    assert_eq!(fields, [11, 19, 51, 67, 99, 131, 163, 195, 227]);
}

/// Slices and zeros change one axis each, and a `pad` may have them on one side only.
#[test]
fn what_moves_numbers_has_other_sizes() {
    let window = |size: usize, padding: Padding| Window {
        size: [size; 2],
        stride: [size; 2],
        padding,
        ..Window::square(1, 1, 0)
    };
    let padding = Padding::Zeros {
        top: 0,
        bottom: 2,
        left: 1,
        right: 0,
    };
    let ops = [
        slices(4, 2),
        Op::PadDepth { filters: 7 },
        Op::Pad {
            window: window(1, padding),
        },
        Op::UpsampleBilinear {
            window: window(3, Padding::NONE),
        },
    ];
    let (steps, totals) = place([5, 6, 8], &ops).unwrap();
    let volumes: Vec<_> = steps.iter().map(|step| step.volume).collect();
    assert_eq!(volumes, [[5, 6, 4], [5, 6, 7], [7, 7, 7], [21, 21, 7]]);
    assert_eq!(steps[2].before, [0, 1]);
    assert_eq!((totals.parameters, totals.macs), (0, 0));
    assert_eq!(steps[3].field, [2, 2]);
}

/// What is cut off, and pixels that become depth or the other way round.
#[test]
fn what_is_cut_comes_out_even() {
    let window = |size: [usize; 2]| Window {
        size,
        stride: size,
        ..Window::square(1, 1, 0)
    };
    let crop = |zeros: usize| Op::Crop {
        window: Window::square(1, 1, zeros),
    };
    let ops = [
        crop(1),
        Op::SpaceToDepth {
            window: window([2, 3]),
        },
        Op::GroupNorm {
            groups: 4,
            eps: 1e-5,
        },
        Op::LayerNorm { eps: 1e-5 },
        Op::LayerNormVolume { eps: 1e-5 },
        Op::BatchNorm {
            eps: 1e-5,
            momentum: 0.5,
            affine: false,
        },
        Op::DepthToSpace {
            window: window([3, 2]),
        },
    ];
    let (steps, totals) = place([6, 8, 4], &ops).unwrap();
    let volumes: Vec<_> = steps.iter().map(|step| step.volume).collect();
    let deep = [2, 2, 24];
    assert_eq!(
        volumes,
        [[4, 6, 4], deep, deep, deep, deep, deep, [6, 4, 4]]
    );
    assert_eq!((steps[0].before, steps[2].filter_depth), ([1, 1], 6));
    assert_eq!(
        (totals.parameters, totals.macs),
        (4 * 24 + 2 * 2 * 2 * 24, 0)
    );
    // Statistics, and what counts as 1 and 0.
    assert_eq!(totals.fixed, 2 * 24 + 2 * 24);
    assert_eq!(steps[1].field, [2, 3]);
    for (op, text) in [
        (crop(3), "of 6 rows or columns nothing is left without 6"),
        (
            ops[1],
            "its input has a width of 8, which is no multiple of 3",
        ),
        (
            ops[6],
            "its input has a depth of 4, which is no multiple of 6",
        ),
    ] {
        let failure = place([6, 8, 4], &[op]).unwrap_err();
        assert_eq!(failure.misfit.to_string(), text);
    }
}

const fn slices(filters: usize, from: usize) -> Op {
    Op::Slices { filters, from }
}

#[test]
fn a_failure_names_the_first_layer_that_does_not_fit() {
    let fail = |input, ops: &[Op]| {
        let failure = place(input, ops).unwrap_err();
        (failure.layer, failure.input, failure.misfit)
    };
    let (layer, input, misfit) = fail([9, 9, 1], &[conv(4, 3, 1, 0), pool(2, 2), pool(2, 2)]);
    assert_eq!((layer, input), (1, [7, 7, 4]));
    assert!(matches!(misfit, Misfit::Remainder(axis) if axis.size == 7));
    let (layer, _, misfit) = fail([9, 9, 1], &[fc(10), Op::Relu, conv(4, 3, 1, 0)]);
    assert!(matches!((layer, misfit), (2, Misfit::AfterFc(_))));
    assert_eq!(fail([9, 0, 1], &[fc(10)]).2, Misfit::NoInput);
    assert_eq!(fail([9, 9, 1], &[fc(0)]).2, Misfit::NoFilters);
    assert_eq!(fail([9, 9, 1], &[conv(0, 3, 1, 1)]).2, Misfit::NoFilters);
    let misfit = fail([9, 9, 8], &[slices(4, 5)]).2;
    let text = "slices 5 to 9 are not all there: its input has a depth of 8";
    assert_eq!(misfit.to_string(), text);
    let misfit = fail([9, 9, 8], &[Op::PadDepth { filters: 7 }]).2;
    let text = "its input has a depth of 8, which is more than 7";
    assert_eq!(misfit.to_string(), text);
    let normalize = |count| Op::Normalize {
        mean: Decimals::of([0.5]),
        std: Decimals::first(count, |_| 0.25),
    };
    assert!(place([9, 9, 8], &[normalize(8), normalize(1)]).is_ok());
    let misfit = fail([9, 9, 8], &[normalize(3)]).2;
    let text = "its std has 3 numbers, and its input a depth of 8: one for each slice is needed, or one for all";
    assert_eq!(misfit.to_string(), text);
    assert_eq!(fail([9, 9, 8], &[slices(0, 5)]).2, Misfit::NoFilters);
    // A 1x1 conv on scores is an fc, and legal.
    assert!(place([9, 9, 1], &[fc(10), conv(4, 1, 1, 0)]).is_ok());
}

#[test]
fn numbers_too_large_are_a_failure_and_no_overflow() {
    const HUGE: usize = usize::MAX / 2;
    let too_large = |input, ops: &[Op]| {
        matches!(
            place(input, ops),
            Err(Failure {
                misfit: Misfit::TooLarge(_),
                ..
            })
        )
    };
    assert!(too_large([HUGE, HUGE, 3], &[Op::Relu]));
    assert!(too_large([8, 8, 1], &[fc(HUGE)]));
    assert!(too_large([8, 8, 1], &[conv(HUGE, 3, 1, 1)]));
    assert!(too_large([8, 8, 1], &[conv(1, 3, 1, HUGE)]));
    assert!(too_large([8, 8, 1], &[conv(1, HUGE, 1, 0)]));
    assert!(too_large([8, 8, 1], &[conv(1, 3, HUGE, 0)]));
    assert!(too_large(
        [8, 8, 1],
        &[conv(usize::MAX / 128 / 64, 1, 1, 0), fc(1 << 20)]
    ));
    // Each of them can be addressed, but not all of them.
    let each = MOST_SCALARS / 2;
    assert!(too_large([1, 1, each], &[Op::Relu, DROPOUT, Op::Relu]));
}

#[test]
fn the_filters_of_vgg_are_not_too_many_for_32_bits() {
    let ops = [fc(4096), fc(4096), fc(1000)];
    let (_, totals) = place([7, 7, 512], &ops).expect("it fits");
    assert_eq!(totals.parameters, 123_642_856);
}

/// What a chain needs: the most that two neighbours take.
fn chain_bound(ops: &[Op], steps: &[Step]) -> usize {
    let written = ops.iter().zip(steps).enumerate().filter(|(i, (op, _))| {
        let lead = ops[..*i]
            .iter()
            .all(|op| matches!(op, Op::Dropout { .. } | Op::Flatten));
        match op {
            Op::Dropout { .. } | Op::Flatten => lead && i + 1 == ops.len(),
            Op::Tanh | Op::HardSigmoid | Op::Relu | Op::HardSwish | Op::BatchNorm { .. } => lead,
            _ => true,
        }
    });
    let sizes: std::vec::Vec<usize> = written
        .map(|(_, (_, step))| step.bytes().next_multiple_of(LINE))
        .collect();
    let pairs = sizes.windows(2).map(|pair| pair[0] + pair[1]).max();
    pairs.unwrap_or_else(|| sizes.iter().sum())
}

fn check(input: [usize; 3], ops: &[Op]) {
    check_of(input, ops, Elements::F32);
}

fn of(elements: Elements<'_>) -> Options<'_> {
    Options {
        elements,
        ..Options::DEFAULT
    }
}

fn check_of(input: [usize; 3], ops: &[Op], elements: Elements) {
    let Ok((steps, totals)) = place_of(input, ops, of(elements)) else {
        return;
    };
    assert_eq!(totals.arena, chain_bound(ops, &steps), "{ops:?}");
    let image = elements.image(input);
    interpreter::infer(image, ops, &steps, totals.arena);
    interpreter::infer_prepared(image, ops, &steps, totals.prepared);
    assert!(totals.prepared <= totals.arena, "{ops:?}");
    let tape = totals.tape - totals.tape_scratch;
    let bound = interpreter::train(image, ops, &steps, tape);
    assert!(bound <= tape && tape <= bound + bound / 2);
}

const BY_ROWS: Options = Options {
    row_by_row: true,
    ..Options::DEFAULT
};

fn check_by_rows(input: [usize; 3], ops: &[Op]) {
    if let Ok((steps, totals)) = place_of(input, ops, BY_ROWS) {
        let image = Elements::F32.image(input);
        interpreter::infer(image, ops, &steps, totals.arena);
        interpreter::infer_prepared(image, ops, &steps, totals.prepared);
        interpreter::train(image, ops, &steps, totals.tape);
        let (whole, plain) = place(input, ops).expect("as above");
        assert_eq!((totals.prepared, totals.tape), (plain.prepared, plain.tape));
        for (step, whole) in steps.iter().zip(&whole) {
            assert_eq!((step.prepared, step.tape), (whole.prepared, whole.tape));
        }
    }
}

/// As above, by hand: three volumes live together, of the conv's map the two rows that the pool
/// sees.
#[test]
fn row_by_row_the_map_of_cs231n_s_network_is_never_whole() {
    let ops = [conv(12, 5, 1, 2), Op::Relu, pool(2, 2), fc(10)];
    let plan = Plan::of([32, 32, 3], &ops, BY_ROWS).unwrap();
    assert_eq!(
        plan.steps.map(|step| step.row_pool),
        [Some(2), None, None, None]
    );
    assert_eq!(plan.steps.map(|step| step.rows), [2, 2, 16, 1]);
    assert_eq!(plan.totals.arena, 4 * (2 * 32 * 12 + 3_072));
    assert_eq!(plan.totals.tape, 4 * (12_288 + 3_072 + 12_288));
}

/// As above, by hand: row by row because the kernel for few filters can; and all of the map where
/// another one wants it.
#[test]
fn prepared_the_map_of_few_filters_is_never_whole() {
    let net = |filters| {
        [
            conv(filters, 5, 1, 2),
            BATCH_NORM,
            Op::Relu,
            pool(2, 2),
            fc(10),
        ]
    };
    let plan = Plan::new([32, 32, 3], &net(12)).unwrap();
    let group = Group {
        first: 0,
        norm: Some(1),
        clamps: 1,
        pool: Some(3),
    };
    assert_eq!(plan.steps[0].group, Some(group));
    assert_eq!((plan.steps[0].rows, plan.steps[0].prepared.rows), (32, 2));
    assert_eq!(plan.totals.prepared, 4 * (2 * 32 * 12 + 3_072));
    let plan = Plan::new([32, 32, 3], &net(16)).unwrap();
    assert_eq!(plan.steps[0].group, Some(group));
    assert_eq!(plan.steps[0].prepared.rows, 32);
    assert_eq!(plan.totals.prepared, plan.totals.arena);
}

/// A group is added to the other volume of a sum where that lies, unless the group or somebody behind the sum reads it.
#[test]
fn a_sum_is_computed_with_the_group_before_it() {
    let block = |with| {
        [
            conv(16, 3, 1, 1),
            Op::Relu,
            conv(16, 3, 1, 1),
            Op::Relu,
            conv(16, 3, 1, 1),
            BATCH_NORM,
            Op::Add { with, input: with },
            Op::Relu,
        ]
    };
    let ops = block(2);
    let plan = Plan::new([8, 8, 3], &ops).unwrap();
    assert_eq!(plan.steps[4].prepared.adds, Some(1));
    assert_eq!(
        plan.steps[4].prepared.pass.to,
        plan.steps[0].prepared.pass.to
    );
    assert_eq!(plan.totals.prepared, 2 * 4 * 8 * 8 * 16);
    let reads_it = Plan::new([8, 8, 3], &block(4)).unwrap();
    assert_eq!(reads_it.steps[4].prepared.adds, None);
    let mut ops_again = [Op::Add { with: 2, input: 2 }; 9];
    ops_again[..8].copy_from_slice(&ops);
    let again = Plan::new([8, 8, 3], &ops_again).unwrap();
    assert_eq!(again.steps[4].prepared.adds, None);
}

/// What a norm reads and others too cannot be folded.
#[test]
fn a_group_ends_where_somebody_else_reads() {
    let ops = [
        conv(3, 3, 1, 1),
        BATCH_NORM,
        conv(3, 3, 1, 1),
        BATCH_NORM,
        Op::Add { with: 2, input: 2 },
        Op::Relu,
        conv(3, 3, 1, 1),
        BATCH_NORM,
        Op::Add { with: 7, input: 6 },
    ];
    let plan = Plan::new([8, 8, 3], &ops).unwrap();
    let group = |i: usize| plan.steps[i].group.map(|it| (it.norm, it.clamps));
    assert_eq!(group(0), Some((Some(1), 0)));
    assert_eq!(group(2), Some((Some(3), 0)));
    // Volume 7 is what the conv writes.
    assert_eq!(group(6), Some((None, 0)));
}

/// Every sequence of up to five layers of every kind.
#[test]
fn every_small_network_keeps_what_it_needs() {
    let words = [
        conv(3, 3, 1, 1),
        conv(40, 1, 1, 0),
        pool(2, 2),
        Op::GlobalMaxPool,
        fc(7),
        Op::Relu,
        BATCH_NORM,
        DROPOUT,
        Op::Flatten,
    ];
    for len in 1..=5 {
        for code in 0..words.len().pow(len) {
            let ops: std::vec::Vec<Op> = (0..len)
                .map(|i| words[code / words.len().pow(i) % words.len()])
                .collect();
            check([4, 4, 2], &ops);
            check_by_rows([4, 4, 2], &ops);
        }
    }
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (1..200usize, 0..3usize).prop_map(|(filters, pad)| conv(filters, 2 * pad + 1, 1, pad)),
        (1..200usize).prop_map(|filters| conv(filters, 2, 2, 0)),
        Just(pool(2, 2)),
        Just(Op::AvgPool {
            window: Window::square(2, 2, 0)
        }),
        (1..500usize).prop_map(fc),
        Just(Op::Tanh),
        Just(Op::Relu),
        Just(Op::HardSwish),
        Just(Op::HardSigmoid),
        Just(BATCH_NORM),
        (1..40usize, 0..2usize).prop_map(|(filters, output_pad)| Op::ConvTranspose {
            filters,
            output_pad,
            groups: 1,
            bias: true,
            window: Window::square(2, 2, 0),
        }),
        Just(Op::GlobalMaxPool),
        Just(DROPOUT),
        Just(Op::Flatten),
    ]
}

proptest! {
    #[test]
    fn every_network_keeps_what_it_needs(ops in prop::collection::vec(any_op(), 1..24)) {
        check([16, 32, 3], &ops);
        check_by_rows([16, 32, 3], &ops);
    }

    #[test]
    fn every_network_of_other_elements_keeps_what_it_needs(
        image in any_element(),
        layers in prop::collection::vec((any_op(), any_element()), 1..24),
    ) {
        let (mut ops, mut written, mut before) = (vec![], vec![], image);
        for (op, element) in layers {
            if matches!(op.manner(), Manner::Filters | Manner::Selects | Manner::Averages) {
                before = element;
            }
            ops.push(op);
            written.push(before);
        }
        check_of([16, 32, 3], &ops, Elements::Each { image, written: &written });
    }
}

fn any_element() -> impl Strategy<Value = ElementType> {
    use ElementType::{Bf16, F32, F64, I8, I32, U8};
    prop::sample::select(vec![F32, F64, I8, U8, I32, Bf16])
}

/// By hand: 32·32·12 bytes of `i8`, and 16·16·12 that the pool makes of them; four times that in `f32`.
#[test]
fn a_volume_takes_the_bytes_of_its_element() {
    let ops = [conv(12, 5, 1, 2), Op::Relu, pool(2, 2), fc(10)];
    let plan = Plan::of([32, 32, 3], &ops, of(Elements::All(ElementType::I8))).unwrap();
    assert_eq!(plan.totals.arena, 12_288 + 3_072);
    // 5·5·3·12 filters of a byte, 12 biases of four; 16·16·12·10 and 10.
    assert_eq!(plan.totals.flash, 900 + 4 * 12 + 30_720 + 4 * 10);
    let plan = Plan::new([32, 32, 3], &ops).unwrap();
    assert_eq!(plan.totals.flash, 4 * 31_642);
}

/// By hand: a pool that writes four bytes for each it reads would, row by row, make the arena larger: 6,144 bytes
/// stay for it, and beside them 512 that it writes and 64 of two rows, for 512 of a map.
#[test]
fn a_pool_takes_rows_only_where_that_saves_bytes() {
    use ElementType::{F32, I8, I32};
    let ops = [conv(3, 1, 1, 0), conv(1, 1, 1, 0), pool(2, 2), fc(1)];
    for (pooled, rows) in [(I8, 2), (F32, 16)] {
        let written = [I32, I8, pooled, F32];
        let image = F32;
        let elements = Elements::Each {
            image,
            written: &written,
        };
        let plan = Plan::of([16, 32, 3], &ops, of(elements)).unwrap();
        assert_eq!(plan.steps[1].prepared.rows, rows);
        assert!(plan.totals.prepared <= 6_144 + 512);
    }
}

#[test]
fn what_works_in_place_keeps_the_element() {
    use ElementType::{F32, I8};
    let ops = [
        conv(4, 3, 1, 1),
        Op::Relu,
        conv(4, 1, 1, 0),
        Op::Add { with: 2, input: 0 },
    ];
    let misfit = |written: &[ElementType]| {
        let elements = Elements::Each { image: I8, written };
        place_of([8, 8, 4], &ops, of(elements))
            .map(|_| ())
            .map_err(|failure| (failure.layer, failure.misfit.to_string()))
    };
    let in_place = "it works in place on i8 and cannot write f32";
    assert_eq!(misfit(&[I8, I8, I8, I8]), Ok(()));
    assert_eq!(misfit(&[I8, F32, I8, I8]), Err((1, in_place.into())));
    assert_eq!(misfit(&[I8, I8, F32, F32]), Err((3, in_place.into())));
    let silent = "nothing says of what it writes its volume";
    assert_eq!(misfit(&[I8, I8]), Err((2, silent.into())));
}
