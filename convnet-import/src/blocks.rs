//! From a graph to lines, with blocks where ways part and meet.
//!
//! ```text
//!   ┌──▶ a ──▶ b ──┐
//!  v                Add ──▶ c      v, residual { a, b, shortcut { d } }, c
//!   └─────▶ d ─────┘
//! ```
//!
//! Where ways meet, they began at the last volume that all of them come from: the one that dominates the
//! meeting.

mod outputs;

use crate::ImportError;
use crate::network::{Network, What};

/// A line of a declaration.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// The layer that is that step.
    Layer(usize),
    /// Two ways that meet in a sum; the second one may be empty.
    Residual {
        step: usize,
        body: Vec<Item>,
        shortcut: Vec<Item>,
    },
    /// A volume, times what layers make of it.
    Scale { step: usize, body: Vec<Item> },
    /// Ways that meet side by side.
    Concat { step: usize, ways: Vec<Vec<Item>> },
    /// What the network gives, each by its number among them; the volume goes on to the next line, if there is one.
    Outputs {
        step: usize,
        ways: Vec<(usize, Vec<Item>)>,
    },
    /// Lines between brackets that have a name.
    Group { name: String, items: Vec<Item> },
}

impl Item {
    /// The step that writes what the line writes.
    fn step(&self) -> Option<usize> {
        match self {
            Self::Layer(step)
            | Self::Residual { step, .. }
            | Self::Scale { step, .. }
            | Self::Concat { step, .. } => Some(*step),
            Self::Outputs { .. } | Self::Group { .. } => None,
        }
    }
}

/// The lines of a network.
pub(crate) fn lines(network: &Network) -> Result<Vec<Item>, ImportError> {
    let mut finder = Finder {
        network,
        dominators: dominators(network),
        written: vec![false; network.steps.len()],
    };
    let end = network.output.checked_sub(1);
    let items = match end.filter(|&step| network.outputs(step).is_some()) {
        Some(step) => outputs::lines(&mut finder, step)?,
        None => finder.between(0, network.output)?,
    };
    Ok(match network.declared {
        true => grouped(network, items, ""),
        false => items,
    })
}

/// The same with brackets around neighbours whose names say that they lie in some, `fire2.squeeze` and
/// `fire2.expand`; the names of all begin with `path`.
fn grouped(network: &Network, items: Vec<Item>, path: &str) -> Vec<Item> {
    let group_of = |item: &Item| {
        let name = network.steps[item.step()?].name.as_deref()?;
        let own = name.strip_prefix(path).unwrap_or(name);
        own.split_once('.').map(|(group, _)| group.to_owned())
    };
    let mut lines: Vec<Item> = Vec::new();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        let group = match item {
            // Outputs are taken where the volume is: in brackets that go on behind them.
            Item::Outputs { .. } => items.peek().and_then(group_of).filter(
                |next| matches!(lines.last(), Some(Item::Group { name, .. }) if name == next),
            ),
            _ => group_of(&item),
        };
        match (group, lines.last_mut()) {
            (Some(group), Some(Item::Group { name, items })) if *name == group => items.push(item),
            (Some(name), _) => lines.push(Item::Group {
                name,
                items: vec![item],
            }),
            (None, _) => lines.push(item),
        }
    }
    let lines = lines.into_iter().map(|item| match item {
        Item::Layer(step) => Item::Layer(step),
        Item::Group { name, items } => {
            let items = grouped(network, items, &format!("{path}{name}."));
            Item::Group { name, items }
        }
        Item::Residual {
            step,
            body,
            shortcut,
        } => {
            let path = inside(network, step);
            Item::Residual {
                step,
                body: grouped(network, body, &path),
                shortcut: grouped(network, shortcut, &format!("{path}shortcut.")),
            }
        }
        Item::Scale { step, body } => {
            let body = grouped(network, body, &inside(network, step));
            Item::Scale { step, body }
        }
        Item::Concat { step, ways } => {
            let path = inside(network, step);
            let ways = ways.into_iter().map(|way| grouped(network, way, &path));
            Item::Concat {
                step,
                ways: ways.collect(),
            }
        }
        Item::Outputs { step, ways } => {
            let names = network.outputs(step).unwrap_or_default();
            let ways = ways.into_iter().map(|(at, way)| {
                let path = format!("{}.", names[at]);
                (at, grouped(network, way, &path))
            });
            Item::Outputs {
                step,
                ways: ways.collect(),
            }
        }
    });
    lines.collect()
}

/// What the names in a block begin with.
fn inside(network: &Network, step: usize) -> String {
    let name = network.steps[step].name.as_deref();
    format!("{}.", name.unwrap_or_default())
}

/// For each volume the last one, but itself, that every way from the image to it passes.
fn dominators(network: &Network) -> Vec<usize> {
    let mut dominators = vec![0; network.steps.len() + 1];
    for (step, it) in network.steps.iter().enumerate() {
        dominators[step + 1] = fork(&dominators, &it.reads);
    }
    dominators
}

/// The last volume that all of them come from; the image, if there are none.
pub(crate) fn fork(dominators: &[usize], volumes: &[usize]) -> usize {
    let volumes = volumes.iter().copied();
    let both = |mut a: usize, mut b: usize| {
        // The one with the greater number lies later.
        while a != b {
            if a > b {
                a = dominators[a];
            } else {
                b = dominators[b];
            }
        }
        a
    };
    volumes.reduce(both).unwrap_or(0)
}

struct Finder<'a> {
    network: &'a Network,
    dominators: Vec<usize>,
    /// Which steps are lines already: each is one once.
    written: Vec<bool>,
}

impl Finder<'_> {
    /// The lines from volume `from` to volume `to`, which it dominates.
    fn between(&mut self, from: usize, to: usize) -> Result<Vec<Item>, ImportError> {
        let (mut items, mut at) = (Vec::new(), to);
        while at > from {
            let step = at - 1;
            if std::mem::replace(&mut self.written[step], true) {
                return Err(self.twice(step));
            }
            let it = &self.network.steps[step];
            match (&it.what, it.reads.as_slice()) {
                (What::Layer(_), &[read]) => {
                    items.push(Item::Layer(step));
                    at = read;
                }
                (what, reads) => {
                    let fork = self.dominators[at];
                    let ways = reads.iter().map(|&way| self.between(fork, way));
                    let ways = ways.collect::<Result<Vec<_>, _>>()?;
                    items.push(match what {
                        What::Add => self.residual(step, ways)?,
                        What::Mul => self.scale(step, ways)?,
                        What::Layer(_) | What::Concat | What::Outputs(_) => {
                            Item::Concat { step, ways }
                        }
                    });
                    at = fork;
                }
            }
        }
        items.reverse();
        Ok(items)
    }

    fn residual(&self, step: usize, ways: Vec<Vec<Item>>) -> Result<Item, ImportError> {
        let mut ways = ways.into_iter();
        let (first, second) = (
            ways.next().unwrap_or_default(),
            ways.next().unwrap_or_default(),
        );
        // What the block is about is the longer way.
        let is_longer = first.len() >= second.len() || self.network.declared && !first.is_empty();
        let (body, shortcut) = match is_longer {
            true => (first, second),
            false => (second, first),
        };
        match body.is_empty() {
            true => Err(ImportError::Unfit(format!(
                "volume {} is added to itself: `residual` has layers on one way at least",
                self.dominators[step + 1]
            ))),
            false => Ok(Item::Residual {
                step,
                body,
                shortcut,
            }),
        }
    }

    fn scale(&self, step: usize, ways: Vec<Vec<Item>>) -> Result<Item, ImportError> {
        let [scaled, gate] = ways.as_slice() else {
            return Err(self.product(step));
        };
        let same = match self.network.steps[step].reads.as_slice() {
            &[scaled, gate] => self.network.volume(scaled) == self.network.volume(gate),
            _ => false,
        };
        let body = match (scaled.as_slice(), gate.as_slice()) {
            ([], [_, ..]) => gate,
            // The other way round, where both are as large.
            ([_, ..], []) if same => scaled,
            _ => return Err(self.product(step)),
        };
        Ok(Item::Scale {
            step,
            body: body.clone(),
        })
    }

    fn product(&self, step: usize) -> ImportError {
        ImportError::Unfit(format!(
            "volume {} is the product of two ways that both have layers, or of a volume and itself: `scale` \
             multiplies a volume by what its layers make of it",
            step + 1
        ))
    }

    fn twice(&self, step: usize) -> ImportError {
        let it = &self.network.steps[step];
        let what = match &it.what {
            What::Layer(op) => op.to_string(),
            What::Add => "a sum".into(),
            What::Mul => "a product".into(),
            What::Concat => "a concatenation".into(),
            What::Outputs(_) => "the outputs".into(),
        };
        let name = it.name.as_deref().unwrap_or("without a name");
        ImportError::Unfit(format!(
            "what `{what}` ({name}) writes is read inside and outside of a block: blocks lie in each other, \
             and ways do not cross"
        ))
    }
}
