//! Runs a plan on memory in which every scalar remembers what was last written there, and fails
//! where something reads what is no longer there. It knows the meaning of the layers and nothing of
//! lifetimes.

use std::collections::HashMap;
use std::ops::Range;
use std::vec::Vec;

use super::super::{How, Op, Pass, Place, Step};
use crate::overlay::LINE;

/// What a scalar holds: `Y(i)` is the output of layer `i` (`Y(-1)` is the image), `D(i)` the
/// gradient on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holds {
    Nothing,
    Y(isize),
    D(isize),
    Mask(usize),
}
use Holds::{D, Mask, Nothing, Y};

pub(super) fn infer(input: [usize; 3], ops: &[Op], steps: &[Step], scalars: usize) {
    let mut memory = Memory::new(scalars);
    let mut x = len(input);
    for (i, step) in steps.iter().enumerate() {
        let works = !matches!(ops[i], Op::Dropout | Op::Flatten);
        let apart = apart(&ops[i]) && !matches!(ops[i], Op::InputActivation);
        memory.forward(i, step.arena, x, len(step.volume), works, apart);
        x = len(step.volume);
    }
    memory.expect(
        steps[steps.len() - 1].arena.to,
        x,
        memory.names[steps.len()],
    );
}

/// Returns the most that was alive at a moment, counted from what was in fact read.
pub(super) fn train(input: [usize; 3], ops: &[Op], steps: &[Step], scalars: usize) -> usize {
    let mut memory = Memory::new(scalars);
    let mut volumes = Vec::from([len(input)]);
    for (i, step) in steps.iter().enumerate() {
        let (x, y) = (volumes[i], len(step.volume));
        let works = !matches!(ops[i], Op::Flatten);
        memory.forward(i, step.tape, x, y, works, apart(&ops[i]));
        if matches!(ops[i], Op::Dropout) {
            memory.write(Place::At(step.mask), y, Mask(i));
        }
        volumes.push(y);
        memory.moment += 1;
    }
    memory.expect(
        steps[steps.len() - 1].tape.to,
        volumes[steps.len()],
        memory.names[steps.len()],
    );
    memory.moment += 1;

    memory.input = Nothing;
    memory.output = D(index(steps.len()) - 1);
    for (i, step) in steps.iter().enumerate().rev() {
        memory.backward(i, step, volumes[i], volumes[i + 1], &ops[i]);
        memory.moment += 1;
        assert_eq!(step.on_request, !ops[..i].iter().any(learns));
    }
    assert_eq!(memory.input, D(-1), "the caller's d_input");
    memory.most_alive()
}

struct Memory {
    scalars: Vec<Holds>,
    /// What the caller's image (in backward, `d_input`) holds.
    input: Holds,
    /// What the caller's `d_output` holds; a skipped layer gives it another name.
    output: Holds,
    moment: usize,
    /// What the output of layer `i − 1` is called: a skipped layer leaves what it finds.
    names: Vec<Holds>,
    /// First write and last read of each content, with its place and size.
    lives: HashMap<(usize, usize, usize), usize>,
    /// Which buffer, by the moment of its first write, a place belongs to now.
    born: HashMap<usize, (usize, usize)>,
}

impl Memory {
    fn new(scalars: usize) -> Self {
        Self {
            scalars: Vec::from_iter(std::iter::repeat_n(Nothing, scalars)),
            input: Y(-1),
            output: Nothing,
            names: Vec::from([Y(-1)]),
            moment: 0,
            lives: HashMap::new(),
            born: HashMap::new(),
        }
    }

    fn forward(&mut self, i: usize, pass: Pass, x: usize, y: usize, works: bool, apart: bool) {
        let Pass { from, to, how } = pass;
        self.expect(from, x, self.names[i]);
        self.names.push(if how == How::Skip {
            self.names[i]
        } else {
            Y(index(i))
        });
        match how {
            How::Skip => assert!(!works && from == to),
            How::InPlace => assert!(works && !apart && from == to && from != Place::Input),
            How::Copy => assert!(!apart),
            How::Apart => assert!(apart),
        }
        match how {
            How::Skip => {}
            How::InPlace => self.rename(to, y, Y(index(i))),
            How::Copy | How::Apart => {
                disjoint(from, x, to, y);
                self.write(to, y, Y(index(i)));
            }
        }
    }

    fn backward(&mut self, i: usize, step: &Step, x: usize, y: usize, op: &Op) {
        let Pass { from, to, how } = step.backward;
        let apart = apart(op);
        self.expect(from, y, D(index(i)));
        // What else it reads.
        let reads_x =
            learns(op) || matches!(op, Op::MaxPool(_) | Op::GlobalMaxPool | Op::InputActivation);
        if reads_x && step.tape.from != Place::Input {
            self.expect(step.tape.from, x, self.names[i]);
            disjoint(step.tape.from, x, to, x);
        }
        if matches!(op, Op::Activation) {
            self.expect(step.tape.to, y, Y(index(i)));
            disjoint(step.tape.to, y, to, x);
        }
        if matches!(op, Op::Dropout) {
            self.expect(Place::At(step.mask), y, Mask(i));
            disjoint(Place::At(step.mask), y, to, x);
        }
        match how {
            How::Skip => assert!(matches!(op, Op::Flatten) && from == to),
            How::InPlace => assert!(!apart && from == to && from != Place::Output),
            How::Copy => assert!(!apart),
            How::Apart => assert!(apart),
        }
        match how {
            How::Skip | How::InPlace => self.rename(to, x, D(index(i) - 1)),
            How::Copy | How::Apart => {
                disjoint(from, y, to, x);
                self.write(to, x, D(index(i) - 1));
            }
        }
    }

    /// A read.
    fn expect(&mut self, place: Place, len: usize, what: Holds) {
        match place {
            Place::Output => assert_eq!(self.output, what),
            Place::Input => assert_eq!(self.input, what),
            Place::At(at) => {
                let found = &self.scalars[at..at + len];
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
                self.scalars[at..at + len].fill(what);
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
            Place::At(at) => self.scalars[at..at + len].fill(what),
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

fn learns(op: &Op) -> bool {
    matches!(op, Op::Conv { .. } | Op::Depthwise { .. } | Op::Fc { .. })
}

/// Whether a layer writes another volume than it reads, in training.
fn apart(op: &Op) -> bool {
    !matches!(op, Op::Activation | Op::Dropout | Op::Flatten)
}

fn disjoint(a: Place, a_len: usize, b: Place, b_len: usize) {
    if let (Place::At(a), Place::At(b)) = (a, b) {
        let (a, b): (Range<usize>, Range<usize>) = (a..a + a_len, b..b + b_len);
        assert!(a.end <= b.start || b.end <= a.start, "{a:?} meets {b:?}");
    } else {
        assert!(a != b || matches!(a, Place::At(_)));
    }
}

fn len(volume: [usize; 3]) -> usize {
    volume.iter().product()
}

fn index(i: usize) -> isize {
    isize::try_from(i).unwrap()
}
