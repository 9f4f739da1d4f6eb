//! Whether other numbers in one line would fit: the layers are planned once more with them.

use super::{Depth, Op, Step, block, figures, volume};
use crate::shape::Window;

/// How the layers of a list were written, where their numbers do not say it.
///
/// A line in `[…] * n` stands for n layers: who changes it changes all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Written<'a> {
    /// For each layer the first one that the same line stands for: itself, or that of the first
    /// repetition. Empty if nothing is repeated.
    pub firsts: &'a [usize],
    /// The pools whose stride follows their size, since none is written; in ascending order.
    pub unstrided: &'a [usize],
}

/// The layers that a line stands for, to be tried with other numbers.
pub(super) struct Trial<'a> {
    image: [usize; 3],
    /// As written; the line's own are replaced.
    ops: &'a mut [Op],
    /// Up to the line's first layer they are right, and each trial writes the others.
    steps: &'a mut [Step],
    firsts: &'a [usize],
    /// One of the line's layers, as written.
    layer: usize,
    op: Op,
    /// The line's first and last layer.
    first: usize,
    last: usize,
}

impl<'a> Trial<'a> {
    /// Of the line of `layer`, which does not fit. Everything before it does.
    pub(super) const fn new(
        image: [usize; 3],
        ops: &'a mut [Op],
        steps: &'a mut [Step],
        written: &Written<'a>,
        layer: usize,
    ) -> Self {
        let mut trial = Self {
            image,
            firsts: written.firsts,
            layer,
            op: ops[layer],
            first: layer,
            last: layer,
            ops,
            steps,
        };
        let mut at = 0;
        while at < trial.ops.len() {
            if trial.is_of_line(at) {
                trial.first = if at < trial.first { at } else { trial.first };
                trial.last = at;
            }
            at += 1;
        }
        // The first that fails is known: what is before fits.
        _ = trial.fits(image, 0, trial.first);
        trial
    }

    /// Whether the line stands for several layers.
    pub(super) const fn is_repeated(&self) -> bool {
        self.first < self.last
    }

    /// The height and width that the line's first layer reads.
    pub(super) const fn first_input(&self) -> [usize; 3] {
        volume(self.image, self.steps, self.first)
    }

    /// The image.
    pub(super) const fn image(&self) -> [usize; 3] {
        self.image
    }

    /// Whether all layers of the line would fit if it were `op`, and those between them.
    pub(super) const fn holds(&mut self, op: Op) -> bool {
        self.write(op);
        let fits = self.fits(self.image, self.first, self.last + 1);
        self.write(self.op);
        fits
    }

    /// Whether all layers up to the line's last would fit on another image.
    pub(super) const fn holds_on(&mut self, image: [usize; 3]) -> bool {
        let fits = self.fits(image, 0, self.last + 1);
        _ = self.fits(self.image, 0, self.first);
        fits
    }

    /// Whether filters of 1x1 on its shortcut would make the ways of a `residual` meet each time.
    pub(super) const fn meets(&mut self, filters: usize, shortcut: &Window) -> bool {
        let mut from = self.first;
        let mut meets = true;
        while from <= self.last && meets {
            let mut at = from;
            while at < self.last && !self.is_of_line(at) {
                at += 1;
            }
            // What the block's own layers write goes on.
            let sum = self.ops[at];
            let Op::Add { with, input } = sum else {
                return false;
            };
            let [kept, _] = block::summands(self.ops, at, with, input);
            self.ops[at] = Op::Branch { from: kept };
            meets = self.fits(self.image, from, at + 1);
            let [height, width, _] = volume(self.image, self.steps, input);
            let [rows, columns, depth] = self.steps[at].volume;
            meets = meets
                && depth == filters
                && match shortcut.place([height, width]) {
                    Ok([down, across]) => down.output == rows && across.output == columns,
                    Err(_) => false,
                };
            self.ops[at] = sum;
            from = at + 1;
        }
        meets
    }

    const fn is_of_line(&self, at: usize) -> bool {
        let named = at < self.firsts.len() && self.layer < self.firsts.len();
        let same = match named {
            true => self.firsts[at] == self.firsts[self.layer],
            false => at == self.layer,
        };
        // A block stands for layers of several kinds.
        let of_kind = matches!(self.op, Op::Add { .. }) == matches!(self.ops[at], Op::Add { .. });
        same && of_kind
    }

    const fn write(&mut self, op: Op) {
        let mut at = self.first;
        while at <= self.last {
            if self.is_of_line(at) {
                self.ops[at] = op;
            }
            at += 1;
        }
    }

    /// Plans the layers from `from` up to `to`.
    const fn fits(&mut self, image: [usize; 3], from: usize, to: usize) -> bool {
        let mut at = from;
        while at < to {
            match figures::step(image, self.ops, self.steps, at, Depth::Sum) {
                Ok(step) => self.steps[at] = step,
                Err(_) => return false,
            }
            if let Some((_, true)) = self.ops[at].ends_branch() {
                block::deepen(self.ops, self.steps, at);
            }
            at += 1;
        }
        true
    }
}
