//! The blocks of a declaration, as the file of one says them: see [`LINES`](convnet_onnx::proto::LINES).
//!
//! Where ways cross, the nodes alone do not tell how it was written. **Invariant:** what is read here computes what
//! the nodes do, whatever the file says of its lines: each is compared with what its step reads.

use std::collections::HashMap;

use super::{Item, Way};
use crate::network::{Network, What};

/// As deep as blocks may lie: a file may say anything.
const DEEPEST: usize = 64;

/// The lines of a network out of what its file says of them, if they are what its steps compute; those up to one that
/// is `only` to be computed, if the steps are what that rests on.
pub(crate) fn lines(network: &Network, said: &str, only: Option<&str>) -> Option<Vec<Item>> {
    let steps = network.steps.iter().enumerate();
    let mut reader = Reader {
        network,
        steps: steps
            .filter_map(|(step, it)| Some((it.name.as_deref()?, step)))
            .collect(),
        volumes: vec![0],
        open: Vec::new(),
        only,
        goes_on: None,
    };
    let mut lines: Vec<&str> = said.lines().collect();
    if let Some(only) = only {
        let last = lines
            .iter()
            .rposition(|it| it.split(' ').next() == Some(only));
        lines.truncate(last? + 1);
    }
    for line in lines {
        reader.line(line)?;
    }
    let items = match only {
        None => way(reader.open, 0)?.items,
        Some(_) => trunk(network, reader.open)?,
    };
    is_all(network, &items).then_some(items)
}

struct Reader<'a> {
    network: &'a Network,
    /// By name.
    steps: HashMap<&'a str, usize>,
    /// Which volume of the network is what each line writes; the image in front.
    volumes: Vec<usize>,
    /// What lies in no block yet.
    open: Vec<Open>,
    /// The line, or the output, up to which they are read, and on which not all of them need lie.
    only: Option<&'a str>,
    /// The volume, as the file counts, of which an output was taken that is not wanted: the line behind goes on there.
    goes_on: Option<usize>,
}

struct Open {
    /// Which volume stands in front, as the file counts.
    at: usize,
    what: Begun,
    /// How many blocks lie in each other.
    depth: usize,
}

enum Begun {
    Line(Item),
    /// The lines behind it are a way that begins at that volume.
    Way(usize),
}

impl<'a> Reader<'a> {
    fn line(&mut self, line: &'a str) -> Option<()> {
        let before = self.volumes.len() - 1;
        let last = self.volumes[before];
        let goes_on = self.goes_on.take();
        let (at, what, volume, depth) = match *line.split(' ').collect::<Vec<_>>() {
            [name] => match self.steps.get(name) {
                Some(&step) => (before, Begun::Line(Item::Layer(step)), step + 1, 0),
                // It does nothing, `pad(0)`, or is not on the way.
                None => {
                    self.volumes.push(last);
                    return Some(());
                }
            },
            ["from", from] => {
                let (from, volume) = self.volume(from)?;
                if goes_on == Some(from) {
                    self.volumes.push(volume);
                    return Some(());
                }
                (before, Begun::Way(volume), volume, 0)
            }
            [name, word, input, ref other @ ..] => {
                let (at, input) = self.volume(input)?;
                let first = self.open.partition_point(|it| it.at < at);
                let inside = self.open.split_off(first);
                if self.only.is_some() && !self.steps.contains_key(name) {
                    // A block that is not on the way, or whose end is not; or an output.
                    match word == "outputs" && self.only != Some(name) {
                        true => self.goes_on = Some(at),
                        false => self.open.extend(inside),
                    }
                    self.volumes.push(input);
                    return Some(());
                }
                let depth = inside.iter().map(|it| it.depth + 1).max().unwrap_or(1);
                if depth > DEEPEST {
                    return None;
                }
                let with = match *other {
                    [] => None,
                    [with] => Some(self.volume(with)?.1),
                    _ => return None,
                };
                let item = self.block(name, word, inside, input, with)?;
                let volume = item.step().map_or(input, |step| step + 1);
                (at, Begun::Line(item), volume, depth)
            }
            _ => return None,
        };
        self.volumes.push(volume);
        self.open.push(Open { at, what, depth });
        Some(())
    }

    /// A volume as the file counts, and which one of the network it is.
    fn volume(&self, number: &str) -> Option<(usize, usize)> {
        let at = number.parse().ok()?;
        Some((at, *self.volumes.get(at)?))
    }

    /// A block that reads volume `input`, or what is there of it when one of its ways ends.
    fn block(
        &self,
        name: &str,
        word: &str,
        mut inside: Vec<Open>,
        input: usize,
        with: Option<usize>,
    ) -> Option<Item> {
        let step = || self.steps.get(name).copied();
        Some(match (word, with) {
            ("residual", Some(with)) => {
                let step = step()?;
                let begins = (0..inside.len()).find(|&at| begins(&inside, at));
                let other = begins.map(|at| inside.split_off(at));
                let body = way(inside, input)?.items;
                let mut shortcut = match other {
                    Some(other) => way(other, input)?,
                    None => Way {
                        from: (with != input).then_some(with),
                        items: Vec::new(),
                    },
                };
                if body.is_empty() {
                    // It says where it begins: no layers add to nothing.
                    shortcut.from.get_or_insert(input);
                    (!shortcut.items.is_empty() || shortcut.from != Some(input)).then_some(())?;
                }
                Item::Residual {
                    step,
                    body,
                    shortcut,
                }
            }
            ("scale", None) => {
                let (step, body) = (step()?, way(inside, input)?.items);
                (!body.is_empty()).then_some(Item::Scale { step, body })?
            }
            ("concat", None) => {
                let step = step()?;
                let is_own = |it: &Item| it.step() == Some(step);
                let mut ways = match taken(&mut inside, is_own) {
                    Some(Item::Concat { ways, .. }) => ways,
                    _ => Vec::new(),
                };
                ways.push(way(inside, input)?);
                Item::Concat { step, ways }
            }
            ("outputs", None) => {
                let step = self.network.output.checked_sub(1)?;
                let names = self.network.outputs(step)?;
                let output = names.iter().position(|it| it == name)?;
                let is_outputs = |it: &Item| matches!(it, Item::Outputs { .. });
                let mut ways = match taken(&mut inside, is_outputs) {
                    Some(Item::Outputs { ways, .. }) => ways,
                    _ => Vec::new(),
                };
                ways.push((output, way(inside, input)?));
                Item::Outputs { step, ways }
            }
            _ => return None,
        })
    }
}

/// The first line, if it is one of these: the block's earlier ways.
fn taken(inside: &mut Vec<Open>, is_own: impl Fn(&Item) -> bool) -> Option<Item> {
    match inside.first() {
        Some(Open {
            what: Begun::Line(item),
            ..
        }) if is_own(item) => match inside.remove(0).what {
            Begun::Line(item) => Some(item),
            Begun::Way(_) => None,
        },
        _ => None,
    }
}

/// Whether another way begins there. Behind outputs, the way on which they are goes on.
fn begins(inside: &[Open], at: usize) -> bool {
    let before = at.checked_sub(1).map(|at| &inside[at].what);
    let is_outputs = matches!(before, Some(Begun::Line(Item::Outputs { .. })));
    matches!(inside[at].what, Begun::Way(_)) && !is_outputs
}

/// One way through a block that reads volume `input`.
fn way(inside: Vec<Open>, input: usize) -> Option<Way> {
    if (1..inside.len()).any(|at| begins(&inside, at)) {
        return None;
    }
    let mut way = Way::default();
    for (at, open) in inside.into_iter().enumerate() {
        match open.what {
            Begun::Way(from) if at == 0 => way.from = (from != input).then_some(from),
            Begun::Way(_) => {}
            Begun::Line(item) => way.items.push(item),
        }
    }
    Some(way)
}

/// The lines that lead to the last one, out of all blocks in which that lies.
fn trunk(network: &Network, open: Vec<Open>) -> Option<Vec<Item>> {
    let mut items: Vec<Item> = Vec::new();
    let mut open = open.into_iter().map(|it| it.what).peekable();
    while let Some(what) = open.next() {
        match (what, open.peek()) {
            (Begun::Line(item), _) => items.push(item),
            // One on which no line is that is wanted.
            (Begun::Way(_), Some(Begun::Way(_))) => {}
            (Begun::Way(0), _) => items.clear(),
            (Begun::Way(volume), _) => {
                let writes = |it: &Item| it.step().map(|step| step + 1) == Some(volume);
                items.truncate(items.iter().rposition(writes)? + 1);
            }
        }
    }
    // What lies in brackets of that name is no declaration.
    let name = |it: &Item| network.steps[it.step()?].name.as_deref();
    let mut names = items.iter().filter_map(name);
    let is_shortcut = names.any(|name| name.split('.').any(|part| part == "shortcut"));
    (!is_shortcut).then_some(items)
}

/// Whether these lines are all steps of a network, each once, and read what the steps do.
fn is_all(network: &Network, items: &[Item]) -> bool {
    let mut check = Check {
        network,
        written: vec![false; network.steps.len() + 1],
        given: Vec::new(),
    };
    check.written[0] = true;
    let written = check.lines(items, 0);
    let outputs = network.output.checked_sub(1);
    let outputs = outputs.filter(|&step| network.outputs(step).is_some());
    let is_whole = match outputs {
        Some(step) => {
            check.written[step + 1] = true;
            check.given.sort_unstable();
            let all = 0..network.steps[step].reads.len();
            written.is_some() && check.given.iter().copied().eq(all)
        }
        None => written == Some(network.output),
    };
    is_whole && check.written.iter().all(|it| *it)
}

struct Check<'a> {
    network: &'a Network,
    /// The volumes that are there.
    written: Vec<bool>,
    /// The outputs that are.
    given: Vec<usize>,
}

impl Check<'_> {
    /// The volume that these lines make of volume `at`.
    fn lines(&mut self, items: &[Item], mut at: usize) -> Option<usize> {
        for item in items {
            let reads = match item {
                Item::Layer(_) => vec![at],
                Item::Residual { body, shortcut, .. } => {
                    vec![self.lines(body, at)?, self.way(shortcut, at)?]
                }
                Item::Scale { body, .. } => vec![at, self.lines(body, at)?],
                Item::Concat { ways, .. } => {
                    let ways = ways.iter().map(|way| self.way(way, at));
                    ways.collect::<Option<_>>()?
                }
                Item::Outputs { step, ways } => {
                    for (output, way) in ways {
                        let written = self.way(way, at)?;
                        self.given.push(*output);
                        if self.network.steps[*step].reads.get(*output) != Some(&written) {
                            return None;
                        }
                    }
                    continue;
                }
                Item::Group { items, .. } => {
                    at = self.lines(items, at)?;
                    continue;
                }
            };
            let step = item.step()?;
            let it = &self.network.steps[step];
            let is_that = match (item, &it.what) {
                (Item::Layer(_), What::Layer(_)) | (Item::Concat { .. }, What::Concat) => {
                    it.reads == reads
                }
                // Of a sum and a product the order does not matter.
                (Item::Residual { .. }, What::Add) | (Item::Scale { .. }, What::Mul) => {
                    let turned = reads.iter().rev();
                    it.reads == reads || it.reads.iter().eq(turned)
                }
                _ => false,
            };
            at = step + 1;
            let again = std::mem::replace(&mut self.written[at], true);
            if !is_that || again {
                return None;
            }
        }
        Some(at)
    }

    fn way(&mut self, way: &Way, input: usize) -> Option<usize> {
        let from = way.from.unwrap_or(input);
        // At an earlier line.
        self.written[from].then(|| self.lines(&way.items, from))?
    }
}
