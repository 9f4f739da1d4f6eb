//! Plans of graphs: figures by hand, memory by the interpreter.

use std::vec;
use std::vec::Vec;

use super::*;
use crate::graph::Elsewhere;
use crate::shape::Fit;

/// What a declaration may say.
#[expect(clippy::large_enum_variant, reason = "nearly all of them are layers")]
#[derive(Clone, Debug)]
enum Item {
    Layer(Op),
    Residual(Vec<Item>, Vec<Item>),
    Concat(Vec<Vec<Item>>),
    /// With one factor a depth slice, or as many as there are numbers.
    Scale(Vec<Item>, bool),
}
use Item::{Concat, Layer, Residual, Scale};

/// The layers of a declaration in a row, as the macro writes them; where the ways of a residual
/// differ in depth, a conv of 1x1 makes them equal.
#[derive(Default)]
struct Row {
    ops: Vec<Op>,
    depth: usize,
}

impl Row {
    fn of(depth: usize, items: &[Item]) -> Vec<Op> {
        let mut row = Self {
            ops: Vec::new(),
            depth,
        };
        row.walk(items);
        row.ops
    }

    fn walk(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Layer(op) => {
                    let mut op = *op;
                    match &mut op {
                        Op::Conv { filters, .. } => self.depth = *filters,
                        Op::Own { volume, .. } => self.depth = volume[2],
                        Op::Network { what } => {
                            what.nested.input[2] = self.depth;
                            self.depth = what.nested.output[2];
                        }
                        _ => {}
                    }
                    self.ops.push(op);
                }
                Residual(body, shortcut) => self.residual(body, shortcut),
                Concat(branches) => self.concat(branches),
                Scale(body, pooled) => self.scale(body, *pooled),
            }
        }
    }

    fn scale(&mut self, body: &[Item], pooled: bool) {
        let (with, before) = (self.ops.len(), self.depth);
        self.walk(body);
        if self.depth != before {
            self.walk(&[Layer(conv(before, 1, 1, 0))]);
        }
        if pooled {
            self.ops.push(Op::GlobalAvgPool);
        }
        self.ops.push(Op::Scale { with });
    }

    fn residual(&mut self, body: &[Item], shortcut: &[Item]) {
        let (input, before) = (self.ops.len(), self.depth);
        self.walk(body);
        let mut with = input;
        let wanted = match shortcut.is_empty() {
            true => before,
            false => {
                let wanted = self.depth;
                with = self.ops.len();
                self.ops.push(Op::Branch { from: input });
                self.depth = before;
                self.walk(shortcut);
                wanted
            }
        };
        if self.depth != wanted {
            self.walk(&[Layer(conv(wanted, 1, 1, 0))]);
        }
        self.ops.push(Op::Add { with, input });
    }

    fn concat(&mut self, branches: &[Vec<Item>]) {
        let (input, before) = (self.ops.len(), self.depth);
        let (mut onto, mut deep) = (None, 0);
        for (i, branch) in branches.iter().enumerate() {
            if i > 0 {
                self.ops.push(Op::Branch { from: input });
            }
            self.depth = before;
            self.walk(branch);
            deep += self.depth;
            let last = i + 1 == branches.len();
            self.ops.push(Op::Concat { onto, input, last });
            onto = Some(self.ops.len());
        }
        self.depth = deep;
    }
}

fn check(items: &[Item]) {
    let (input, ops) = ([4, 4, 2], Row::of(2, items));
    if ops.is_empty() {
        return;
    }
    let (steps, totals) = place(input, &ops).unwrap_or_else(|e| panic!("{e}: {ops:?}"));
    let image = Elements::F32.image(input);
    interpreter::infer(image, &ops, &steps, totals.arena);
    interpreter::infer_prepared(image, &ops, &steps, totals.prepared);
    // Large enough for rows to be pooled as they come.
    if let Ok((steps, totals)) = place([12, 12, 2], &ops) {
        interpreter::infer_prepared(
            Elements::F32.image([12, 12, 2]),
            &ops,
            &steps,
            totals.prepared,
        );
    }
    let tape = totals.tape - totals.tape_scratch;
    let bound = interpreter::train(image, &ops, &steps, tape);
    assert!(bound <= tape && tape <= 2 * bound, "{ops:?}");
    assert!(placeholder(&ops, Options::DEFAULT).is_some(), "{ops:?}");
    super::check_by_rows(input, &ops);
    let bytes = Elements::All(ElementType::I8);
    let (steps, totals) = place_of(input, &ops, super::of(bytes)).expect("as above");
    interpreter::infer(bytes.image(input), &ops, &steps, totals.arena);
    let tape = totals.tape - totals.tape_scratch;
    interpreter::train(bytes.image(input), &ops, &steps, tape);
}

fn words() -> Vec<Item> {
    vec![
        Layer(conv(3, 3, 1, 1)),
        Layer(Op::MaxPool {
            window: Window::square(3, 1, 1),
        }),
        Layer(Op::AvgPool {
            window: Window::square(3, 1, 1),
        }),
        Layer(Op::Relu),
        Layer(BATCH_NORM),
        Layer(DROPOUT),
        Layer(Op::Flatten),
    ]
}

/// Every list of up to `most` words.
fn lists(words: &[Item], most: u32) -> Vec<Vec<Item>> {
    let mut lists = Vec::new();
    for len in 0..=most {
        for code in 0..words.len().pow(len) {
            let at = |i| words[code / words.len().pow(i) % words.len()].clone();
            lists.push((0..len).map(at).collect());
        }
    }
    lists
}

/// Before and in a block every word and none, after it one that works in place and none.
#[test]
fn every_small_block_keeps_what_it_needs() {
    let (words, pairs) = (words(), lists(&words(), 2));
    for before in lists(&words, 1) {
        for after in [Vec::new(), vec![Layer(Op::Relu)]] {
            for one in &pairs {
                for two in lists(&words, 1) {
                    for block in [
                        Residual(one.clone(), two.clone()),
                        Concat(vec![one.clone(), two.clone()]),
                        Concat(vec![two.clone(), one.clone(), Vec::new()]),
                        Scale([one.clone(), two.clone()].concat(), two.is_empty()),
                        Residual(vec![Scale(one.clone(), true)], two.clone()),
                    ] {
                        check(&[before.clone(), vec![block], after.clone()].concat());
                    }
                }
            }
        }
    }
}

const fn elsewhere(nested: Nested) -> Elsewhere<'static> {
    Elsewhere {
        path: "",
        nested,
        graph: &[],
    }
}

fn any_items() -> impl Strategy<Value = Vec<Item>> {
    let word = prop_oneof![
        prop::sample::select(words()),
        (1..40usize).prop_map(|filters| Layer(conv(filters, 1, 1, 0))),
        prop::sample::select(vec![None, Some([7, 1])]).prop_map(|parameters| {
            let [parameters, fixed] = parameters.unwrap_or_default();
            Layer(Op::Own {
                what: elsewhere(Nested {
                    parameters,
                    fixed,
                    ..Nested::UNKNOWN
                }),
                learns: parameters > 0,
                volume: [4, 4, 5],
            })
        }),
        (1..4usize, 1..400usize, 1..900usize).prop_map(|(depth, arena, tape)| {
            let what = elsewhere(Nested {
                input: [4, 4, 0],
                output: [4, 4, depth],
                arena: 4 * arena,
                prepared: 4 * arena,
                tape: 4 * tape,
                ..Nested::UNKNOWN
            });
            Layer(Op::Network { what })
        }),
    ];
    let items = prop::collection::vec(word, 0..5);
    items.prop_recursive(4, 40, 4, |items| {
        let block = prop_oneof![
            (items.clone(), items.clone()).prop_map(|(body, shortcut)| Residual(body, shortcut)),
            prop::collection::vec(items.clone(), 2..4).prop_map(Concat),
            (items.clone(), any::<bool>()).prop_map(|(body, pooled)| Scale(body, pooled)),
        ];
        (items.clone(), prop::collection::vec(block, 1..3), items)
            .prop_map(|(before, blocks, after)| [before, blocks, after].concat())
    })
}

proptest! {
    #[test]
    fn blocks_in_blocks_keep_what_they_need(items in any_items()) {
        check(&items);
    }
}

/// He et al. 2015: the first block of ResNet-18's second stage. 3·3·64·128 + 128, 3·3·128·128 + 128
/// and 64·128 + 128 parameters; 28·28 positions each.
#[test]
fn the_figures_of_a_residual_with_a_projection() {
    let half = |filters, size, pad| {
        let fit = Fit::Crop;
        let window = Window::square(size, 2, pad);
        Op::conv(filters, Window { fit, ..window })
    };
    let ops = [
        half(128, 3, 1),
        Op::Relu,
        conv(128, 3, 1, 1),
        Op::Branch { from: 0 },
        half(128, 1, 0),
        Op::Add { with: 3, input: 0 },
        Op::Relu,
    ];
    let plan = Plan::new([56, 56, 64], &ops).unwrap();
    let volumes = plan.steps.map(|step| step.volume);
    assert_eq!(volumes[3], [56, 56, 64]);
    assert_eq!(volumes[5..], [[28, 28, 128]; 2]);
    assert_eq!(plan.totals.parameters, 73_856 + 147_584 + 8_320);
    assert_eq!(plan.totals.macs, 784 * (73_728 + 147_456 + 8_192));
    let fields = plan.steps.map(|step| step.field[0]);
    assert_eq!(fields, [3, 3, 7, 1, 1, 7, 7]);
    // The second conv reads one volume and writes another; the shortcut comes from the image.
    assert_eq!(plan.totals.arena, 4 * 2 * 28 * 28 * 128);
    // Added in place, activated in place.
    assert_eq!(plan.steps[5].arena.how, How::InPlace);
    assert_eq!(plan.steps[5].arena.to, plan.steps[4].arena.to);
}

/// Szegedy et al. 2014, table 1: inception (3a) turns 28x28x192 into 28x28x256.
#[test]
fn the_figures_of_an_inception() {
    let (relu, pool) = (
        Layer(Op::Relu),
        Layer(Op::MaxPool {
            window: Window::square(3, 1, 1),
        }),
    );
    let conv = |filters, size, pad| vec![Layer(conv(filters, size, 1, pad)), relu.clone()];
    let ops = Row::of(
        192,
        &[Concat(vec![
            conv(64, 1, 0),
            [conv(96, 1, 0), conv(128, 3, 1)].concat(),
            [conv(16, 1, 0), conv(32, 5, 2)].concat(),
            [vec![pool], conv(32, 1, 0)].concat(),
        ])],
    );
    let (steps, totals) = place([28, 28, 192], &ops).unwrap();
    let slices = ops.iter().zip(&steps);
    let slices = slices.filter(|(op, _)| matches!(op, Op::Concat { .. }));
    let slices: Vec<_> = slices.map(|(_, step)| (step.slice, step.volume)).collect();
    let whole = [28, 28, 256];
    assert_eq!(
        slices,
        [(0, whole), (64, whole), (192, whole), (224, whole)]
    );
    // 163,328 weights, as everybody counts them, and 64 + 96 + 128 + 16 + 32 + 32 biases.
    assert_eq!(totals.parameters, 163_328 + 368);
    assert_eq!(steps[steps.len() - 1].field, [5, 5]);
}

#[test]
fn ways_that_do_not_meet_name_both_volumes() {
    let ops = [conv(8, 3, 1, 1), Op::Add { with: 0, input: 0 }];
    let failure = place([6, 5, 4], &ops).unwrap_err();
    assert_eq!(failure.layer, 1);
    assert_eq!(
        failure.message("block1", &ops[1]).as_str(),
        "block1 does not fit: it turns 5x6x4 into 5x6x8, which cannot be added to its input
shortcut { conv(8, 1x1) } at the end of the block would make them equal"
    );
    let ops = Row::of(4, &[Concat(vec![vec![Layer(conv(8, 3, 1, 0))], vec![]])]);
    let failure = place([6, 5, 4], &ops).unwrap_err();
    assert_eq!(
        failure.message("concat1", &ops[failure.layer]).as_str(),
        "concat1 does not fit: branch 2 writes 5x6x4 beside 3x4x8: height and width must be equal
layers with stride = 1 and pad = same keep 5x6"
    );
}

#[test]
fn a_list_that_is_no_graph_is_a_failure_and_no_panic() {
    let unlinked = |ops: &[Op]| {
        let failure = place([4, 4, 2], ops).unwrap_err();
        assert_eq!(failure.misfit, Misfit::Unlinked, "{ops:?}");
        assert!(placeholder(ops, Options::DEFAULT).is_none());
    };
    let concat = |onto, last| Op::Concat {
        onto,
        input: 0,
        last,
    };
    unlinked(&[Op::Add { with: 1, input: 0 }]);
    unlinked(&[Op::Branch { from: 0 }]);
    unlinked(&[conv(2, 1, 1, 0), Op::Branch { from: 0 }, Op::Relu]);
    unlinked(&[concat(None, false)]);
    unlinked(&[concat(None, false), Op::Relu]);
    unlinked(&[concat(Some(0), true)]);
    unlinked(&[
        concat(None, false),
        Op::Branch { from: 1 },
        concat(Some(1), true),
    ]);
    // A slice of the depth is no part of a vector.
    unlinked(&[
        concat(None, false),
        Op::Branch { from: 0 },
        Op::Outputs {
            onto: Some(1),
            input: 0,
            last: true,
        },
    ]);
}
