//! The budget: planned bytes against declared ones.

use super::deferred::any_stands_in;
use super::{Message, Op, Place, Step, Totals};

/// Which memory a budget is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// For the planned activations.
    Ram,
    /// For the parameters.
    Flash,
}

/// A network that is placed, with the names of its layers: what a message about its bytes needs.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// Height, width, depth.
    pub input: [usize; 3],
    /// The layers,
    pub ops: &'a [Op],
    /// their names,
    pub names: &'a [&'a str],
    /// and what was planned for them.
    pub steps: &'a [Step],
    /// The whole.
    pub totals: Totals,
}

impl Account<'_> {
    /// What is to be said if more than `limit` bytes of `memory` are needed in `f32`; `text` is
    /// the limit as it was written.
    #[must_use]
    pub const fn over(&self, memory: Memory, text: &str, limit: u64) -> Option<Message> {
        let bytes = match memory {
            Memory::Ram => self.totals.arena,
            Memory::Flash => self.totals.flash,
        };
        let Some(mut message) = exceeds(memory, bytes, text, limit) else {
            return None;
        };
        if any_stands_in(self.ops) {
            return None;
        }
        match memory {
            Memory::Ram => self.write_peak(&mut message),
            Memory::Flash => self.write_largest(&mut message),
        }
        Some(message)
    }

    /// Who is alive when most is.
    const fn write_peak(&self, message: &mut Message) {
        let peak = self.totals.peak;
        message
            .push_str("\nthe peak is at ")
            .push_str(self.names[peak])
            .push_str(": it reads ");
        let x = self.source(peak);
        self.write_volume(message, x);
        if let Op::Network { what } = self.ops[peak] {
            message
                .push_str(", works in ")
                .push_number(what.nested.arena)
                .push_str(" bytes,");
        } else if x == 0 {
            message.push_str(",");
        }
        message
            .push_str(" and writes ")
            .push_volume(self.steps[peak].present());
        write_bytes(message, self.steps[peak].present_bytes());
        let mut at = peak;
        while at < self.ops.len() {
            if let Some(v) = self.waits_for(at, peak) {
                message.push_str("\nmeanwhile ");
                self.write_volume(message, self.source(v));
                message.push_str(" waits");
            }
            at += 1;
        }
    }

    /// Who has the most parameters.
    const fn write_largest(&self, message: &mut Message) {
        let (mut largest, mut at) = (0, 1);
        while at < self.steps.len() {
            if self.steps[at].parameters >= self.steps[largest].parameters {
                largest = at;
            }
            at += 1;
        }
        let parameters = self.steps[largest].parameters;
        message
            .push_str("\nthe largest is ")
            .push_str(self.names[largest])
            .push_str(": ")
            .push_number(parameters)
            .push_str(" parameters, ")
            .push_number(self.steps[largest].flash)
            .push_str(" bytes");
    }

    /// Volume `v`, which layer `v − 1` wrote: `32x32x12 of relu1 (49152 bytes)`.
    const fn write_volume(&self, message: &mut Message, v: usize) {
        match v.checked_sub(1) {
            None => {
                message.push_str("the input, ").push_volume(self.input);
            }
            Some(at) => {
                message
                    .push_volume(self.steps[at].present())
                    .push_str(" of ")
                    .push_str(self.names[at]);
                write_bytes(message, self.steps[at].present_bytes());
            }
        }
    }

    /// Volume `v`, or the one that it is where a branch hands that on.
    const fn source(&self, mut v: usize) -> usize {
        while v > 0
            && let Op::Branch { from } = self.ops[v - 1]
        {
            v = from;
        }
        v
    }

    /// The volume that layer `at` reads beside the one before it, if that lies in the arena while
    /// layer `peak` reads and writes others, and no layer between them waits for it too.
    const fn waits_for(&self, at: usize, peak: usize) -> Option<usize> {
        let Some((v, place)) = self.reads_earlier(at, peak) else {
            return None;
        };
        let pass = self.steps[peak].arena;
        if lies_at(pass.from, place) || lies_at(pass.to, place) {
            return None;
        }
        let mut before = peak;
        while before < at {
            if let Some((_, other)) = self.reads_earlier(before, peak)
                && other == place
            {
                return None;
            }
            before += 1;
        }
        Some(v)
    }

    /// The volume that layer `at` names, and where it lies, if layer `peak` or one before wrote it.
    const fn reads_earlier(&self, at: usize, peak: usize) -> Option<(usize, usize)> {
        match self.ops[at].names() {
            Some(v) if 0 < v && v <= peak => match self.steps[v - 1].arena.to {
                Place::At(place) => Some((v, place)),
                Place::Input | Place::Output => None,
            },
            _ => None,
        }
    }
}

/// What is to be said if so many `bytes` are more than the limit.
pub(crate) const fn exceeds(
    memory: Memory,
    bytes: usize,
    text: &str,
    limit: u64,
) -> Option<Message> {
    let (what, key) = match memory {
        Memory::Ram => ("planned activations", "ram"),
        Memory::Flash => ("parameters", "flash"),
    };
    let over = (bytes as u64).saturating_sub(limit);
    if over == 0 {
        return None;
    }
    let mut message = Message::new();
    message
        .push_str("the ")
        .push_str(what)
        .push_str(" take ")
        .push_number(bytes)
        .push_str(" bytes, ")
        .push_number(over as usize)
        .push_str(" more than ")
        .push_str(key)
        .push_str(" = ")
        .push_str(text);
    Some(message)
}

const fn write_bytes(message: &mut Message, bytes: usize) {
    message
        .push_str(" (")
        .push_number(bytes)
        .push_str(" bytes)");
}

const fn lies_at(place: Place, byte: usize) -> bool {
    matches!(place, Place::At(at) if at == byte)
}
