//! Runs a plan on memory in which every four bytes remember what was last written there, and fails
//! where something reads what is no longer there. It knows the meaning of the layers and nothing of
//! lifetimes.

use std::collections::HashMap;
use std::ops::Range;
use std::vec::Vec;

use super::super::{Flow, Group, How, Op, Pass, Place, Step};
use crate::memory::overlay::LINE;

/// What four bytes hold; volumes are counted as in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holds {
    Nothing,
    /// A volume.
    Y(usize),
    /// The concatenation begun at a layer, with so many slices.
    Slices(usize, usize),
    /// So many shares of the gradient on a volume.
    D(usize, usize),
    Mask(usize),
}
use Holds::{D, Mask, Nothing, Slices, Y};

/// `image` is how many bytes the image takes. Where a pool asks for rows, it reads what the first layer of its
/// group reads.
pub(super) fn infer(image: usize, ops: &[Op], steps: &[Step], bytes: usize) {
    let layers = steps.iter().map(|step| Layer {
        pass: step.arena,
        scratch: step.scratch,
        group: step
            .group
            .filter(|group| step.row_pool == group.pool && step.row_pool.is_some()),
        rows: step.rows,
        pool_reads: true,
        adds: None,
    });
    forward(image, ops, steps, &layers.collect::<Vec<_>>(), bytes);
}

/// The layers of a group but for its first are skipped, and a pool that takes rows as they come
/// reads what the first one reads.
pub(super) fn infer_prepared(image: usize, ops: &[Op], steps: &[Step], bytes: usize) {
    let layers = steps.iter().map(|step| Layer {
        pass: step.prepared.pass,
        scratch: step.prepared.scratch,
        group: step.group,
        rows: step.prepared.rows,
        pool_reads: step.prepared.x_rows > 0,
        adds: step.prepared.adds,
    });
    forward(image, ops, steps, &layers.collect::<Vec<_>>(), bytes);
}

/// What one layer does at inference.
struct Layer {
    pass: Pass,
    /// Where a network inside has its arena.
    scratch: usize,
    /// What is computed with it.
    group: Option<Group>,
    /// How many rows it writes.
    rows: usize,
    /// Whether the pool of the group reads what it reads.
    pool_reads: bool,
    /// Whether the group is added to the other volume of the sum behind it, and how many clamps follow.
    adds: Option<usize>,
}

impl Layer {
    /// What is computed with it, a sum among them.
    fn computed(&self) -> Range<usize> {
        let sum = self.adds.map_or(0, |clamps| 1 + clamps);
        self.group
            .map_or(0..0, |it| it.first + 1..it.last() + 1 + sum)
    }
}

fn forward(image: usize, ops: &[Op], steps: &[Step], layers: &[Layer], bytes: usize) {
    let mut memory = Memory::new(bytes, image, ops, steps);
    let places: Vec<Place> = layers.iter().map(|layer| layer.pass.to).collect();
    for (i, (step, layer)) in steps.iter().zip(layers).enumerate() {
        let [_, width, depth] = step.volume;
        memory.sizes[i + 1] = layer.rows * width * depth * step.element.bytes();
    }
    let groups = || layers.iter().filter_map(|layer| layer.group);
    for group in groups() {
        for i in group.first..=group.last() {
            memory.sizes[i + 1] = memory.sizes[group.first + 1];
        }
    }
    for i in 0..ops.len() {
        let skipped = layers.iter().any(|layer| layer.computed().contains(&i));
        let works = !matches!(ops[i], Op::Dropout { .. } | Op::Flatten | Op::Branch { .. });
        let apart = apart(&ops[i]) && !matches!(ops[i], Op::HardSwish | Op::BatchNorm { .. });
        let own = memory.own(i, layers[i].scratch, false);
        if let (Some(group), Some(_)) = (layers[i].group, layers[i].adds) {
            let with = ops[group.last() + 1].names().expect("a sum");
            assert_eq!(layers[i].pass.to, places[with - 1]);
            memory.expect_volume(places[with - 1], with);
        }
        memory.forward(i, layers[i].pass, &places, works && !skipped, apart);
        memory.expect_own(i, own);
        let pooled = groups().find(|it| it.pool == Some(i)).map(|it| it.first);
        if let Some(conv) = pooled.filter(|&conv| layers[conv].pool_reads) {
            // Only now has the convolution read all that it reads.
            let x = layers[conv].pass.from;
            memory.expect_volume(x, conv);
            disjoint(
                x,
                memory.sizes[conv],
                layers[i].pass.to,
                memory.sizes[i + 1],
            );
        }
    }
    memory.expect_volume(layers[ops.len() - 1].pass.to, ops.len());
}

/// Returns the most that was alive at a moment, counted from what was in fact read.
pub(super) fn train(image: usize, ops: &[Op], steps: &[Step], bytes: usize) -> usize {
    let mut memory = Memory::new(bytes, image, ops, steps);
    let places: Vec<Place> = steps.iter().map(|step| step.tape.to).collect();
    for i in 0..ops.len() {
        let works = !matches!(ops[i], Op::Flatten | Op::Branch { .. });
        let own = memory.own(i, steps[i].mask, true);
        memory.forward(i, steps[i].tape, &places, works, apart(&ops[i]));
        memory.expect_own(i, own);
        memory.moment += 1;
    }
    memory.expect_volume(steps[ops.len() - 1].tape.to, ops.len());
    memory.moment += 1;

    memory.input = Nothing;
    memory.output = D(ops.len(), 1);
    for i in (0..ops.len()).rev() {
        memory.backward(i, &steps[i], &places);
        memory.moment += 1;
    }
    assert_eq!(memory.input, D(0, memory.shares(0)), "the caller's d_input");
    memory.most_alive()
}

struct Memory<'a> {
    ops: &'a [Op],
    /// How many bytes each volume takes.
    sizes: Vec<usize>,
    /// How many bytes the moments of each layer take, if it has any.
    moments: Vec<usize>,
    /// Whether each volume depends on parameters.
    learned: Vec<bool>,
    words: Vec<Holds>,
    /// What the caller's image (in backward, `d_input`) holds.
    input: Holds,
    /// What the caller's `d_output` holds; a skipped layer gives it another name.
    output: Holds,
    moment: usize,
    /// What each volume is called: a skipped layer leaves what it finds.
    names: Vec<Holds>,
    /// First write and last read of each content, with its place and size.
    lives: HashMap<(usize, usize, usize), usize>,
    /// Which buffer, by the moment of its first write, a place belongs to now.
    born: HashMap<usize, (usize, usize)>,
}

impl<'a> Memory<'a> {
    fn new(bytes: usize, image: usize, ops: &'a [Op], steps: &[Step]) -> Self {
        let volumes = steps
            .iter()
            .map(|step| len(step.volume) * step.element.bytes());
        let sizes = std::iter::once(image).chain(volumes).collect();
        let mut learned = Vec::from([false]);
        for (i, op) in ops.iter().enumerate() {
            learned.push(match *op {
                op if learns(&op) => true,
                Op::Branch { from } => learned[from],
                Op::Add { with: v, .. }
                | Op::Scale { with: v }
                | Op::Concat { onto: Some(v), .. } => learned[i] || learned[v],
                _ => learned[i],
            });
        }
        Self {
            ops,
            sizes,
            moments: steps
                .iter()
                .map(|step| 6 * step.volume[2] * step.element.bytes())
                .collect(),
            learned,
            words: Vec::from_iter(std::iter::repeat_n(Nothing, bytes / 4)),
            input: Y(0),
            output: Nothing,
            names: Vec::from([Y(0)]),
            moment: 0,
            lives: HashMap::new(),
            born: HashMap::new(),
        }
    }

    /// How many layers read volume `v`.
    fn shares(&self, v: usize) -> usize {
        let named = self.ops.iter().filter(|op| {
            matches!(op, Op::Branch { from: named } | Op::Add { with: named, .. } | Op::Scale { with: named }
                | Op::Concat { onto: Some(named), .. } if *named == v)
        });
        let next = self.ops.get(v);
        named.count() + usize::from(next.is_none_or(|op| !matches!(op, Op::Branch { .. })))
    }

    fn forward(&mut self, i: usize, pass: Pass, places: &[Place], works: bool, apart: bool) {
        let Pass { from, to, how } = pass;
        let op = self.ops[i];
        let place = |v: usize| v.checked_sub(1).map_or(Place::Input, |at| places[at]);
        let read = match op {
            Op::Branch { from } => from,
            _ => i,
        };
        assert_eq!(from, place(read));
        let (x, y) = (self.sizes[read], self.sizes[i + 1]);
        if !matches!(op, Op::Branch { .. }) {
            self.expect(from, x, self.names[read]);
        }
        let name = match op {
            _ if how == How::Skip => self.names[read],
            Op::Concat {
                last: false, onto, ..
            } => match onto.map(|v| self.names[v]) {
                Some(Slices(first, slices)) => Slices(first, slices + 1),
                _ => Slices(i, 1),
            },
            _ => Y(i + 1),
        };
        self.names.push(name);
        match how {
            How::Skip => assert!(!works && from == to),
            How::InPlace => assert!(works && !apart && from == to && from != Place::Input),
            How::Copy => assert!(!apart),
            How::Apart => assert!(apart),
        }
        if let How::Copy | How::Apart = how {
            disjoint(from, x, to, y);
        }
        match op {
            Op::Add { with, .. } if how != How::Skip => {
                self.expect(place(with), y, self.names[with]);
                disjoint(place(with), y, to, y);
            }
            Op::Scale { with } => {
                self.expect(place(with), self.sizes[with], self.names[with]);
                disjoint(place(with), y, to, y);
            }
            Op::Concat { onto: Some(v), .. } => {
                assert_eq!(to, place(v));
                self.expect(to, y, self.names[v]);
                return self.rename(to, y, name);
            }
            _ => {}
        }
        match how {
            How::Skip => {}
            How::InPlace => self.rename(to, y, name),
            How::Copy | How::Apart => self.write(to, y, name),
        }
    }

    /// Where a dropout's mask or the memory of a network lies.
    fn own_place(&self, i: usize, at: usize, training: bool) -> Option<(Place, usize)> {
        // A prepared network's is as large in these tests.
        let len = match self.ops[i] {
            Op::Dropout { .. } if training => self.sizes[i + 1],
            Op::BatchNorm { .. } if training => self.moments[i],
            Op::Network { what } if training => what.nested.tape,
            Op::Network { what } => what.nested.arena,
            _ => return None,
        };
        Some((Place::At(at), len))
    }

    /// It is written while the layer works,
    fn own(&mut self, i: usize, at: usize, training: bool) -> Option<(Place, usize)> {
        let own = self.own_place(i, at, training);
        if let Some((at, len)) = own {
            self.write(at, len, Mask(i));
        }
        own
    }

    /// and what the layer writes besides lies elsewhere.
    fn expect_own(&mut self, i: usize, own: Option<(Place, usize)>) {
        if let Some((at, len)) = own {
            self.expect(at, len, Mask(i));
        }
    }

    fn backward(&mut self, i: usize, step: &Step, places: &[Place]) {
        let (op, dy) = (self.ops[i], step.backward.pass.from);
        let y = self.sizes[i + 1];
        self.expect(dy, y, D(i + 1, self.shares(i + 1)));
        if let Op::Add { with, .. } = op {
            assert!(matches!(step.shortcut.pass.how, How::Copy | How::Skip));
            assert!(step.shortcut.pass.how == How::Copy || step.shortcut.sum.is_some());
            self.flow(&step.shortcut, i, with);
        }
        let v = match op {
            Op::Branch { from } => from,
            _ => i,
        };
        // What else it reads.
        let (x, to) = (self.sizes[v], step.backward.pass.to);
        let reads_x = learns(&op)
            || matches!(
                op,
                Op::MaxPool { .. }
                    | Op::GlobalMaxPool
                    | Op::HardSwish
                    | Op::Own { .. }
                    | Op::Scale { .. }
            );
        if reads_x && step.tape.from != Place::Input {
            self.expect(step.tape.from, x, self.names[i]);
            disjoint(step.tape.from, x, to, x);
        }
        if matches!(op, Op::Tanh | Op::HardSigmoid | Op::Relu) {
            self.expect(step.tape.to, y, Y(i + 1));
            disjoint(step.tape.to, y, to, x);
        }
        if let Some((at, len)) = self.own_place(i, step.mask, true) {
            self.expect(at, len, Mask(i));
            disjoint(at, len, to, x);
        }
        let idle = matches!(op, Op::Flatten | Op::Branch { .. } | Op::Add { .. });
        match step.backward.pass.how {
            How::Skip => assert!(idle && dy == to),
            How::InPlace => assert!(!idle && !apart(&op) && dy == to && dy != Place::Output),
            How::Copy => assert!(!apart(&op)),
            How::Apart => assert!(apart(&op)),
        }
        self.flow(&step.backward, i, v);
        if let Op::Scale { with } = op {
            let (how, to) = (step.shortcut.pass.how, step.shortcut.pass.to);
            assert_ne!(how, How::Apart);
            assert!(how != How::Skip || step.shortcut.sum.is_some());
            assert!(how != How::InPlace || dy == to && dy != Place::Output);
            // The other volume and the gate, which are read last.
            let x = with.checked_sub(1).map_or(Place::Input, |at| places[at]);
            for (place, v) in [(x, with), (step.tape.from, i)] {
                if let Place::At(_) = place {
                    self.expect(place, self.sizes[v], self.names[v]);
                    disjoint(place, self.sizes[v], to, y);
                    disjoint(place, self.sizes[v], step.backward.pass.to, self.sizes[i]);
                }
            }
            self.flow(&step.shortcut, i, with);
        }
        if let Op::Concat { onto: Some(v), .. } = op {
            self.rename(dy, y, D(v, 1));
        }
    }

    /// A share of the gradient on volume `v` is written, and added to the others.
    fn flow(&mut self, flow: &Flow, i: usize, v: usize) {
        let Pass { from, to, how } = flow.pass;
        let x = self.sizes[v];
        assert_eq!(flow.on_request, !self.learned[v]);
        if let How::Copy | How::Apart = how {
            disjoint(from, self.sizes[i + 1], to, x);
            self.write(to, x, D(v, 1));
        }
        match flow.sum {
            None => self.rename(to, x, D(v, 1)),
            Some(sum) => {
                let shares = (1..).find(|&shares| self.holds(sum, D(v, shares)));
                self.expect(sum, x, D(v, shares.expect("a sum")));
                if how != How::Skip {
                    self.expect(
                        to,
                        x,
                        if how == How::InPlace {
                            self.content(to)
                        } else {
                            D(v, 1)
                        },
                    );
                }
                disjoint(sum, x, to, x);
                assert_ne!(sum, Place::Output);
                self.rename(sum, x, D(v, shares.expect("a sum") + 1));
            }
        }
    }

    fn content(&self, place: Place) -> Holds {
        match place {
            Place::Output => self.output,
            Place::Input => self.input,
            Place::At(at) => self.words[at / 4],
        }
    }

    fn holds(&self, place: Place, what: Holds) -> bool {
        if let D(_, shares) = what {
            assert!(shares <= self.ops.len() + 1, "no share lies at {place:?}");
        }
        self.content(place) == what
    }

    fn expect_volume(&mut self, place: Place, v: usize) {
        self.expect(place, self.sizes[v], self.names[v]);
    }

    /// A read.
    fn expect(&mut self, place: Place, len: usize, what: Holds) {
        match place {
            Place::Output => assert_eq!(self.output, what),
            Place::Input => assert_eq!(self.input, what),
            Place::At(at) => {
                let found = &self.words[words(at, len)];
                assert!(found.iter().all(|&holds| holds == what), "{what:?} at {at}");
                let (born, size) = self.born[&at];
                self.lives.insert((at, born, size), self.moment);
            }
        }
    }

    fn write(&mut self, place: Place, len: usize, what: Holds) {
        match place {
            Place::Output => panic!("d_output cannot be written"),
            Place::Input => self.input = what,
            Place::At(at) => {
                assert_eq!(at % LINE, 0);
                self.words[words(at, len)].fill(what);
                self.born
                    .insert(at, (self.moment, len.next_multiple_of(LINE)));
                self.lives
                    .insert((at, self.moment, len.next_multiple_of(LINE)), self.moment);
            }
        }
    }

    /// The same memory under its next name: in place, or skipped.
    fn rename(&mut self, place: Place, len: usize, what: Holds) {
        match place {
            Place::Output => self.output = what,
            Place::Input => self.input = what,
            Place::At(at) => self.words[words(at, len)].fill(what),
        }
    }

    fn most_alive(&self) -> usize {
        let alive = |moment: usize| {
            let lives = self.lives.iter();
            let alive = lives.filter(|((_, born, _), last)| *born <= moment && moment <= **last);
            alive.map(|((_, _, size), _)| size).sum()
        };
        (0..=self.moment).map(alive).max().unwrap_or(0)
    }
}

/// The words in which `len` bytes from `at` on lie.
fn words(at: usize, len: usize) -> Range<usize> {
    at / 4..(at + len).div_ceil(4)
}

fn disjoint(a: Place, a_len: usize, b: Place, b_len: usize) {
    if let (Place::At(a), Place::At(b)) = (a, b) {
        let (a, b): (Range<usize>, Range<usize>) = (a..a + a_len, b..b + b_len);
        assert!(a.end <= b.start || b.end <= a.start, "{a:?} meets {b:?}");
    } else {
        assert!(a != b || matches!(a, Place::At(_)));
    }
}

pub(super) fn len(volume: [usize; 3]) -> usize {
    volume.iter().product()
}

/// Whether it writes another volume than the one that it reads.
fn apart(op: &Op) -> bool {
    !matches!(
        op,
        Op::Tanh
            | Op::HardSigmoid
            | Op::Relu
            | Op::Dropout { .. }
            | Op::Flatten
            | Op::Branch { .. }
            | Op::Add { .. }
    )
}

fn learns(op: &Op) -> bool {
    matches!(
        op,
        Op::Conv { .. }
            | Op::Depthwise { .. }
            | Op::ConvTranspose { .. }
            | Op::BatchNorm { .. }
            | Op::Fc { .. }
            | Op::Own { learns: true, .. }
            | Op::Network { .. }
    )
}
