//! The blocks of a declaration, by its names: steps stand in its order, `p3.shortcut.conv1` in the shortcut of `p3`.
//!
//! Where ways cross, the volumes alone do not tell how it was written.

use std::cell::Cell;
use std::ops::Range;

use super::{Item, Way, inside};
use crate::network::{Network, What};

/// The lines of a network, if names and volumes say the same.
pub(super) fn lines(network: &Network) -> Option<Vec<Item>> {
    if network.outputs(network.output.checked_sub(1)?).is_some() {
        return None;
    }
    let reader = Reader {
        network,
        depth: Cell::new(0),
        tries: Cell::new(MOST_TRIES),
    };
    reader.lines(0..network.output, 0)
}

/// Whether what lies in a block has a name that says so.
pub(super) fn agrees(network: &Network, items: &[Item]) -> bool {
    let all = |items: &[Item], path: &str| {
        let own = |item: &Item| match item.step() {
            Some(step) => name(network, step).starts_with(path),
            None => true,
        };
        items.iter().all(own) && agrees(network, items)
    };
    items.iter().all(|item| match item {
        Item::Layer(_) => true,
        Item::Residual {
            step,
            body,
            shortcut,
        } => {
            let path = inside(network, *step);
            all(body, &path) && all(&shortcut.items, &path)
        }
        Item::Scale { step, body } => all(body, &inside(network, *step)),
        Item::Concat { step, ways } => {
            let path = inside(network, *step);
            ways.iter().all(|way| all(&way.items, &path))
        }
        Item::Outputs { ways, .. } => ways.iter().all(|(_, way)| agrees(network, &way.items)),
        Item::Group { items, .. } => agrees(network, items),
    })
}

fn name(network: &Network, step: usize) -> &str {
    network.steps[step].name.as_deref().unwrap_or_default()
}

/// As deep as blocks may lie.
const DEEPEST: usize = 8;

/// More are not looked for: a file may say anything.
const MOST_TRIES: usize = 100_000;

struct Reader<'a> {
    network: &'a Network,
    depth: Cell<usize>,
    tries: Cell<usize>,
}

impl Reader<'_> {
    /// The lines that are these steps, the first of which reads volume `at`.
    fn lines(&self, steps: Range<usize>, at: usize) -> Option<Vec<Item>> {
        let depth = self.depth.get();
        self.tries.set(self.tries.get().checked_sub(1)?);
        if depth > DEEPEST {
            return None;
        }
        self.depth.set(depth + 1);
        let lines = self.items(steps, at);
        self.depth.set(depth);
        lines
    }

    fn items(&self, steps: Range<usize>, mut at: usize) -> Option<Vec<Item>> {
        let (mut items, mut next) = (Vec::new(), steps.start);
        while next < steps.end {
            let end = self.end(next..steps.end);
            let it = &self.network.steps[end];
            items.push(match &it.what {
                What::Layer(_) if it.reads == [at] => Item::Layer(end),
                What::Add => self.residual(next..end, at)?,
                What::Mul => {
                    let body = self.lines(next..end, at)?;
                    let is_gate = it.reads == [at, end] && !body.is_empty();
                    is_gate.then_some(Item::Scale { step: end, body })?
                }
                What::Concat => self.concat(next..end, at)?,
                What::Layer(_) | What::Outputs(_) => return None,
            });
            next = end + 1;
            at = next;
        }
        Some(items)
    }

    /// The step that is the outermost block in which the first of these lies, or itself.
    fn end(&self, steps: Range<usize>) -> usize {
        let first = steps.start;
        let holds = |&step: &usize| {
            let is_block = matches!(
                self.network.steps[step].what,
                What::Add | What::Mul | What::Concat
            );
            is_block && name(self.network, first).starts_with(&inside(self.network, step))
        };
        let blocks = steps.filter(holds);
        let outermost = blocks.min_by_key(|&step| name(self.network, step).len());
        outermost.unwrap_or(first)
    }

    /// These steps, and the sum behind them.
    fn residual(&self, steps: Range<usize>, at: usize) -> Option<Item> {
        let step = steps.end;
        let &[a, b] = self.network.steps[step].reads.as_slice() else {
            return None;
        };
        let path = format!("{}shortcut.", inside(self.network, step));
        let is_own = |it: &usize| !name(self.network, *it).starts_with(&path);
        let begins = steps.start + steps.clone().take_while(is_own).count();
        let wrote = |steps: &Range<usize>| match steps.is_empty() {
            true => at,
            false => steps.end,
        };
        let (body, other) = (steps.start..begins, begins..step);
        let end = wrote(&body);
        let with = match (a == end, b == end) {
            (true, _) => b,
            (_, true) => a,
            _ => return None,
        };
        Some(Item::Residual {
            step,
            body: self.lines(body, at)?,
            shortcut: self.way(other, at, with)?,
        })
    }

    fn concat(&self, steps: Range<usize>, at: usize) -> Option<Item> {
        let (step, mut next) = (steps.end, steps.start);
        let mut ways = Vec::new();
        for &read in &self.network.steps[step].reads {
            let end = read.max(next);
            ways.push(self.way(next..end, at, read)?);
            next = end;
        }
        let is_read = ways.iter().any(|way| way.from.is_none());
        (next == step && is_read).then_some(Item::Concat { step, ways })
    }

    /// The way that is these steps, of a block that reads volume `at`, and ends in volume `end`.
    fn way(&self, steps: Range<usize>, at: usize, end: usize) -> Option<Way> {
        let from = |volume: usize| (volume != at).then_some(volume);
        if steps.is_empty() {
            let items = Vec::new();
            return Some(Way {
                from: from(end),
                items,
            });
        }
        if steps.end != end {
            return None;
        }
        let inner = self.network.steps[steps.clone()].iter();
        let read = inner.flat_map(|step| step.reads.iter().copied());
        let mut begins = [at].into_iter().chain(read.filter(|it| *it <= steps.start));
        begins.find_map(|volume| {
            Some(Way {
                from: from(volume),
                items: self.lines(steps.clone(), volume)?,
            })
        })
    }
}
