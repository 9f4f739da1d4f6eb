//! Weights that are stored without their zeros.
//!
//! Axes are walked one after the other, in an order of their own; blocks, which cut an axis into pieces, come last.
//! Of a dense axis there is every index, of a sparse one those that are listed for the index before:
//!
//! ```text
//!  index before   0        1     2           ends   0  2  3  5
//!  here           1  4     0     2  3        these  1  4  0  2  3
//! ```

use super::table::Table;

const MOST_AXES: usize = 8;

/// An axis, or a block of one.
struct Level {
    /// How far a step along it goes in the dense tensor.
    step: usize,
    walk: Walk,
}

enum Walk {
    Dense(usize),
    Sparse { ends: Vec<usize>, these: Vec<usize> },
}

/// Where each value that is stored lies in a tensor of that shape; `None` if that is not said.
pub(super) fn places(sparsity: Table<'_>, shape: &[usize]) -> Option<Vec<usize>> {
    let len = shape.iter().product();
    // Where one is, and which index it is of the level before.
    let mut all = vec![(0_usize, 0_usize)];
    for Level { step, walk } in levels(sparsity, shape)? {
        let mut next = Vec::new();
        for (place, before) in all {
            let mut goes = |here: usize, index: usize| {
                let place = place.checked_add(here.checked_mul(step)?)?;
                (place < len && next.len() < len).then(|| next.push((place, index)))
            };
            match &walk {
                Walk::Dense(size) => {
                    for here in 0..*size {
                        goes(here, before.checked_mul(*size)?.checked_add(here)?)?;
                    }
                }
                Walk::Sparse { ends, these } => {
                    let &[from, to] = ends.get(before..before.checked_add(2)?)? else {
                        return None;
                    };
                    for (at, &here) in these.get(from..to)?.iter().enumerate() {
                        goes(here, from + at)?;
                    }
                }
            }
        }
        all = next;
    }
    Some(all.into_iter().map(|(place, _)| place).collect())
}

fn levels(sparsity: Table<'_>, shape: &[usize]) -> Option<Vec<Level>> {
    let sizes = |id: usize| -> Option<Vec<usize>> {
        let all = sparsity.ints(id).into_iter();
        all.map(|it| usize::try_from(it).ok()).collect()
    };
    let (order, blocks, walks) = (sizes(0)?, sizes(1)?, sparsity.tables(2));
    let rank = shape.len();
    let fits = rank <= MOST_AXES && blocks.len() <= rank && order.len() == rank + blocks.len();
    if !fits || walks.len() != order.len() {
        return None;
    }
    let walks: Vec<Walk> = walks.into_iter().map(walk).collect::<Option<_>>()?;
    // The axis of a level, if it is a block of one.
    let block = |level: usize| Some(*blocks.get(order[level].checked_sub(rank)?)?);
    let mut steps = Vec::new();
    for (level, &whole) in order.iter().enumerate() {
        let axis = block(level).unwrap_or(whole);
        let mut step: usize = shape.get(axis + 1..)?.iter().product();
        if block(level).is_none() {
            // A step along a whole axis goes over a block.
            for (other, walk) in walks.iter().enumerate() {
                match walk {
                    Walk::Dense(size) if block(other) == Some(axis) => {
                        step = step.checked_mul(*size)?
                    }
                    Walk::Sparse { .. } if block(other) == Some(axis) => return None,
                    Walk::Dense(_) | Walk::Sparse { .. } => {}
                }
            }
        }
        steps.push(step);
    }
    let levels = steps.into_iter().zip(walks);
    Some(levels.map(|(step, walk)| Level { step, walk }).collect())
}

fn walk(axis: Table<'_>) -> Option<Walk> {
    match axis.byte(0) {
        0 => Some(Walk::Dense(usize::try_from(axis.int(1, 0)).ok()?)),
        1 => Some(Walk::Sparse {
            ends: indices(axis, 2)?,
            these: indices(axis, 4)?,
        }),
        _ => None,
    }
}

/// A list of numbers of 32, 16 or 8 bits; field `id` says of which.
fn indices(axis: Table<'_>, id: usize) -> Option<Vec<usize>> {
    let list = axis.table(id + 1)?;
    match axis.byte(id) {
        1 => {
            let all = list.ints(0).into_iter();
            all.map(|it| usize::try_from(it).ok()).collect()
        }
        2 => {
            let all = list.vector(0)?.iter();
            Some(all.map(|it| u16::from_le_bytes(*it).into()).collect())
        }
        3 => {
            let all = list.vector(0)?.iter();
            Some(all.map(|it| u8::from_le_bytes(*it).into()).collect())
        }
        _ => None,
    }
}
