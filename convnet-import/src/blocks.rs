//! From a graph to lines, with blocks where ways part and meet.
//!
//! ```text
//!   ┌──▶ a ──▶ b ──┐
//!  v                Add ──▶ c      v, residual { a, b, shortcut { d } }, c
//!   └─────▶ d ─────┘
//! ```
//!
//! Where ways meet, they began at the last volume that all of them come from: the one that dominates the
//! meeting. Where they share more on the way, blocks in blocks cannot say it: the longest way is a line behind
//! the other, and a block behind it has the other ways, which begin at any line, `from = name`.

pub(crate) mod declared;
mod outputs;

use crate::ImportError;
use crate::network::{Network, What};

/// A line of a declaration.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// The layer that is that step.
    Layer(usize),
    /// Two ways that meet in a sum; the second one may be empty, or the first if the second begins elsewhere.
    Residual {
        step: usize,
        body: Vec<Item>,
        shortcut: Way,
    },
    /// A volume, times what layers make of it.
    Scale { step: usize, body: Vec<Item> },
    /// Ways that meet side by side.
    Concat { step: usize, ways: Vec<Way> },
    /// What the network gives, each by its number among them; the volume goes on to the next line, if there is one.
    Outputs {
        step: usize,
        ways: Vec<(usize, Way)>,
    },
    /// Lines between brackets that have a name.
    Group { name: String, items: Vec<Item> },
}

/// One way through a block.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    /// The volume at which it begins, if that is not the block's input.
    pub(crate) from: Option<usize>,
    pub(crate) items: Vec<Item>,
}

impl Way {
    /// Whether it is the block's input.
    pub(crate) fn is_nothing(&self) -> bool {
        self.from.is_none() && self.items.is_empty()
    }

    fn map(self, lines: impl FnOnce(Vec<Item>) -> Vec<Item>) -> Self {
        let items = lines(self.items);
        Self { items, ..self }
    }
}

impl Item {
    /// The step that writes what the line writes.
    pub(crate) fn step(&self) -> Option<usize> {
        match self {
            Self::Layer(step)
            | Self::Residual { step, .. }
            | Self::Scale { step, .. }
            | Self::Concat { step, .. } => Some(*step),
            Self::Outputs { .. } | Self::Group { .. } => None,
        }
    }
}

/// The lines of a network: those of its declaration, if the file says them; else blocks in blocks, if they can say it,
/// or with ways that cross.
pub(crate) fn lines(network: &Network) -> Result<Vec<Item>, ImportError> {
    if let Some(items) = &network.declared {
        return Ok(grouped(network, items.clone(), ""));
    }
    let mut finder = Finder {
        network,
        dominators: dominators(network),
        written: vec![false; network.steps.len()],
        crosses: false,
        begun: 0,
    };
    let end = network.output.checked_sub(1);
    let outputs = end.filter(|&step| network.outputs(step).is_some());
    let find = |finder: &mut Finder<'_>| match outputs {
        Some(step) => outputs::lines(finder, step),
        None => finder.lines(0, network.output),
    };
    let mut found = find(&mut finder);
    if found.is_err() {
        finder.crosses = true;
        finder.written.fill(false);
        found = find(&mut finder);
    }
    found
}

/// The volumes at which ways begin that do not begin at their block's input.
pub(crate) fn named(items: &[Item]) -> Vec<usize> {
    fn way(way: &Way, all: &mut Vec<usize>) {
        all.extend(way.from);
        walk(&way.items, all);
    }
    fn walk(items: &[Item], all: &mut Vec<usize>) {
        for item in items {
            match item {
                Item::Layer(_) => {}
                Item::Residual { body, shortcut, .. } => {
                    walk(body, all);
                    way(shortcut, all);
                }
                Item::Scale { body: items, .. } | Item::Group { items, .. } => walk(items, all),
                Item::Concat { ways, .. } => ways.iter().for_each(|it| way(it, all)),
                Item::Outputs { ways, .. } => ways.iter().for_each(|(_, it)| way(it, all)),
            }
        }
    }
    let mut all = Vec::new();
    walk(items, &mut all);
    all
}

/// The same with brackets around neighbours whose names say that they lie in some, `fire2.squeeze` and
/// `fire2.expand`; the names of all begin with `path`.
fn grouped(network: &Network, items: Vec<Item>, path: &str) -> Vec<Item> {
    let group_of = |item: &Item| {
        let name = network.steps[item.step()?].name.as_deref()?;
        // What is called otherwise lies in no brackets.
        let own = name.strip_prefix(path)?;
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
                shortcut: shortcut.map(|it| grouped(network, it, &format!("{path}shortcut."))),
            }
        }
        Item::Scale { step, body } => {
            let body = grouped(network, body, &inside(network, step));
            Item::Scale { step, body }
        }
        Item::Concat { step, ways } => {
            let path = inside(network, step);
            let ways = ways
                .into_iter()
                .map(|way| way.map(|it| grouped(network, it, &path)));
            Item::Concat {
                step,
                ways: ways.collect(),
            }
        }
        Item::Outputs { step, ways } => {
            let names = network.outputs(step).unwrap_or_default();
            let ways = ways.into_iter().map(|(at, way)| {
                let path = format!("{}.", names[at]);
                (at, way.map(|it| grouped(network, it, &path)))
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
    /// Whether a way may begin at a line of another one.
    crosses: bool,
    /// How many do.
    begun: usize,
}

impl Finder<'_> {
    /// The lines from volume `from` to volume `to`, which it dominates, and which nobody wrote yet.
    fn lines(&mut self, from: usize, to: usize) -> Result<Vec<Item>, ImportError> {
        let way = self.between(from, to)?;
        match way.from {
            None => Ok(way.items),
            Some(volume) => Err(self.twice(volume - 1)),
        }
    }

    /// The way from volume `from` to volume `to`, which it dominates; from a line that is there already, if
    /// there is one on it.
    fn between(&mut self, from: usize, to: usize) -> Result<Way, ImportError> {
        let (mut way, mut at) = (Way::default(), to);
        while at > from {
            let step = at - 1;
            if std::mem::replace(&mut self.written[step], true) {
                if !self.crosses {
                    return Err(self.twice(step));
                }
                self.begun += 1;
                way.from = Some(at);
                break;
            }
            let it = &self.network.steps[step];
            if let (What::Layer(_), &[read]) = (&it.what, it.reads.as_slice()) {
                way.items.push(Item::Layer(step));
                at = read;
                continue;
            }
            let before = self.written.clone();
            let crosses = std::mem::replace(&mut self.crosses, false);
            let nested = self.nested(step);
            self.crosses = crosses;
            match nested {
                Ok(item) => {
                    way.items.push(item);
                    at = self.dominators[step + 1];
                }
                Err(_) if crosses => {
                    self.written = before;
                    let (first, item) = self.crossing(from, step)?;
                    way.items.push(item);
                    way.items.extend(first.items.into_iter().rev());
                    way.from = first.from;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        way.items.reverse();
        Ok(way)
    }

    /// The block whose ways meet in a step, from where they part.
    fn nested(&mut self, step: usize) -> Result<Item, ImportError> {
        let it = &self.network.steps[step];
        let fork = self.dominators[step + 1];
        let ways = it.reads.iter().map(|&way| self.lines(fork, way));
        let ways = ways.collect::<Result<Vec<_>, _>>()?;
        match it.what {
            What::Add => self.residual(step, ways),
            What::Mul => self.scale(step, ways),
            What::Layer(_) | What::Concat | What::Outputs(_) => {
                let way = |items| Way { from: None, items };
                let ways = ways.into_iter().map(way).collect();
                Ok(Item::Concat { step, ways })
            }
        }
    }

    /// The lines of the longest way to a step from volume `from` on; and the block behind them, whose other ways begin
    /// wherever a line is.
    fn crossing(&mut self, from: usize, step: usize) -> Result<(Way, Item), ImportError> {
        let it = &self.network.steps[step];
        let longest = |&at: &usize| outputs::count(self.network, it.reads[at]);
        let main = match it.what {
            What::Mul => 0,
            // The first of equals.
            _ => (0..it.reads.len()).rev().max_by_key(longest).unwrap_or(0),
        };
        let Some(&input) = it.reads.get(main) else {
            return Err(self.twice(step));
        };
        let first = self.between(from, input)?;
        let mut ways = Vec::new();
        for &read in &it.reads {
            let mut way = self.between(0, read)?;
            // What reaches the image begins there.
            way.from = Some(way.from.unwrap_or(0)).filter(|volume| *volume != input);
            ways.push(way);
        }
        if matches!(it.what, What::Concat) {
            return Ok((first, Item::Concat { step, ways }));
        }
        let other = ways.swap_remove(usize::from(main == 0));
        let (body, shortcut) = match other.from {
            None => (other.items, Way::default()),
            Some(_) => (Vec::new(), other),
        };
        let item = match it.what {
            What::Add if !body.is_empty() || shortcut.from.is_some() => Item::Residual {
                step,
                body,
                shortcut,
            },
            What::Add => return Err(self.doubled(step)),
            _ => self.scale(step, vec![Vec::new(), body])?,
        };
        Ok((first, item))
    }

    fn residual(&self, step: usize, ways: Vec<Vec<Item>>) -> Result<Item, ImportError> {
        let mut ways = ways.into_iter();
        let (first, second) = (
            ways.next().unwrap_or_default(),
            ways.next().unwrap_or_default(),
        );
        // What the block is about is the longer way.
        let (body, items) = match first.len() >= second.len() {
            true => (first, second),
            false => (second, first),
        };
        match body.is_empty() {
            true => Err(self.doubled(step)),
            false => Ok(Item::Residual {
                step,
                body,
                shortcut: Way { from: None, items },
            }),
        }
    }

    fn doubled(&self, step: usize) -> ImportError {
        ImportError::Unfit(format!(
            "volume {} is added to itself: `residual` has layers on one way at least",
            self.dominators[step + 1]
        ))
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
            "what `{what}` ({name}) writes is read inside and outside of a block, and no way of one can begin there"
        ))
    }
}
