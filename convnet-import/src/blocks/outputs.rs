//! Several outputs: ways that begin at one volume, or lines from which others are taken on the way.
//!
//! ```text
//!  v ──▶ a ──▶ b ──▶ c        v, outputs { fine: [a1] }, a, b, outputs { coarse: [c] }
//!  └▶ a1
//! ```

use std::iter;

use super::{Finder, Item, Way, named};
use crate::ImportError;
use crate::network::Network;

/// As many lines behind the last volume from which an output is taken are those of the last output.
const SHORT: usize = 3;

/// The lines of a network whose outputs meet at `step`.
pub(super) fn lines(finder: &mut Finder<'_>, step: usize) -> Result<Vec<Item>, ImportError> {
    let network = finder.network;
    let reads = network.steps[step].reads.as_slice();
    let crosses = std::mem::replace(&mut finder.crosses, false);
    let beside = side_by_side(finder, step);
    finder.crosses = crosses;
    if beside.is_ok() {
        return beside;
    }
    finder.written.fill(false);
    // One with the most behind it.
    let behind: Vec<usize> = reads.iter().map(|&v| count(network, v)).collect();
    let trunk = (0..reads.len()).max_by_key(|&at| behind[at]);
    let trunk = trunk.unwrap_or(0);
    let mut items = finder.lines(0, reads[trunk])?;
    let mut crossing = Vec::new();
    for (at, &v) in reads.iter().enumerate().filter(|(at, _)| *at != trunk) {
        let mut from = v;
        while from > 0 && !finder.written[from - 1] {
            from = finder.dominators[from];
        }
        let before = finder.begun;
        let mut way = finder.between(from, v)?;
        if finder.begun > before {
            // At the end, where all that it begins at is there.
            way.from = way.from.or(Some(from));
            crossing.push((at, way));
            continue;
        }
        // The line that writes it may lie on one of the ways that begin at others.
        let crossed = crossing.iter_mut().map(|(_, way)| &mut way.items);
        let mut lines = iter::once(&mut items).chain(crossed);
        let left = lines.try_fold((at, way), |output, lines| insert(lines, from, step, output));
        match left {
            None => {}
            // Of the image.
            Some(output) if from == 0 => {
                let ways = vec![output];
                items.insert(0, Item::Outputs { step, ways });
            }
            Some(_) => return Err(finder.twice(from - 1)),
        }
    }
    let taken = items
        .iter()
        .rposition(|it| matches!(it, Item::Outputs { .. }));
    let begins = match taken {
        Some(taken) if items.len() - taken - 1 <= SHORT => taken + 1,
        _ => items.len(),
    };
    // Others may begin at lines of its own.
    let begun = crossing.iter().flat_map(|(_, way)| {
        let inside = named(&way.items);
        way.from.into_iter().chain(inside)
    });
    let begun: Vec<usize> = begun.collect();
    let is_apart = |item: &Item| match item {
        Item::Layer(step) => !begun.contains(&(step + 1)),
        _ => begun.is_empty(),
    };
    let begins = match items[begins..].iter().all(is_apart) {
        true => begins,
        false => items.len(),
    };
    let way = Way {
        from: None,
        items: items.split_off(begins),
    };
    for own in crossing.into_iter().chain([(trunk, way)]) {
        match items.last_mut() {
            Some(Item::Outputs { ways, .. }) => put(ways, own),
            _ => items.push(Item::Outputs {
                step,
                ways: vec![own],
            }),
        }
    }
    Ok(items)
}

/// All of them from one volume on, and nothing in common.
fn side_by_side(finder: &mut Finder<'_>, step: usize) -> Result<Vec<Item>, ImportError> {
    let fork = finder.dominators[step + 1];
    let mut items = finder.lines(0, fork)?;
    let reads = finder.network.steps[step].reads.iter().enumerate();
    let ways = reads.map(|(at, &v)| -> Result<_, ImportError> {
        let way = finder.between(fork, v)?;
        Ok((at, way))
    });
    let ways = ways.collect::<Result<Vec<_>, ImportError>>()?;
    items.push(Item::Outputs { step, ways });
    Ok(items)
}

/// How many steps a volume rests on.
pub(super) fn count(network: &Network, v: usize) -> usize {
    let mut seen = vec![false; v + 1];
    seen[v] = true;
    for at in (1..=v).rev() {
        if seen[at] {
            network.steps[at - 1]
                .reads
                .iter()
                .for_each(|&read| seen[read] = true);
        }
    }
    seen.iter().filter(|it| **it).count()
}

/// Puts an output behind the line that writes volume `from`; gives it back if no line does.
fn insert(
    items: &mut Vec<Item>,
    from: usize,
    step: usize,
    mut output: (usize, Way),
) -> Option<(usize, Way)> {
    for at in 0..items.len() {
        if items[at].step().is_some_and(|step| step + 1 == from) {
            match items.get_mut(at + 1) {
                Some(Item::Outputs { ways, .. }) => put(ways, output),
                _ => items.insert(
                    at + 1,
                    Item::Outputs {
                        step,
                        ways: vec![output],
                    },
                ),
            }
            return None;
        }
        let inside: Vec<&mut Vec<Item>> = match &mut items[at] {
            Item::Layer(_) => Vec::new(),
            Item::Residual { body, shortcut, .. } => vec![body, &mut shortcut.items],
            Item::Scale { body, .. } => vec![body],
            Item::Concat { ways, .. } => ways.iter_mut().map(|way| &mut way.items).collect(),
            Item::Outputs { ways, .. } => ways.iter_mut().map(|(_, way)| &mut way.items).collect(),
            Item::Group { items, .. } => vec![items],
        };
        for items in inside {
            output = insert(items, from, step, output)?;
        }
    }
    Some(output)
}

/// In the model's order.
fn put(ways: &mut Vec<(usize, Way)>, output: (usize, Way)) {
    let at = ways.partition_point(|(at, _)| *at < output.0);
    ways.insert(at, output);
}
