//! Which buffer lies where: those that are alive together apart, the rest on top of each other.
//!
//! ```text
//!    byte │        ┌────┐
//!         │  ┌────┐│ 2  │┌──────┐      a rectangle is a buffer:
//!         │  │ 0  │└────┘│  4   │      as wide as it lives,
//!         │  └────┴─────┐└──────┘      as high as it is large;
//!         │       │  1  ┤  3  │        none overlap
//!         └──────────────────────▶ moment
//! ```
//!
//! This is dynamic storage allocation, which is NP-hard; a greedy choice in a good order comes near
//! the lower bound, the most that is alive at a moment. Several orders are tried and the best is
//! kept. For a chain, where only neighbours live together, buffers laid in turn on the floor and
//! under the ceiling reach the bound.

use super::MOST_BYTES;
use super::block::Readers;
use super::elements::lines;
use free::Span;

mod free;

/// A buffer of `size` bytes, alive at the moments `from ..= until`. Size 0: there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    pub(super) size: usize,
    pub(super) from: usize,
    pub(super) until: usize,
    /// Where it lies, once assigned.
    pub(super) at: usize,
    /// One more than the last layer that names a volume in it.
    named: usize,
    /// Where it lies in the order that is tried.
    trial: usize,
    /// What it is put in order by, the least first.
    key: usize,
    /// Where it ends then.
    end: usize,
    /// The next higher one of those that lie already; in the order of birth, another one that lives as
    /// long.
    above: usize,
    /// `buffers[k].dying` is one of those that are needed at moment k and not after it.
    dying: usize,
    /// `buffers[k].free` is the k-th span that is free, in the order of birth.
    free: Span,
    /// `buffers[k].order` is the buffer that comes k-th in the order that is tried.
    order: usize,
    /// What `order` is sorted into.
    sorted: usize,
    /// `buffers[k].live` is how many bytes are alive at moment k: there are more buffers than
    /// moments, and more bytes than a `usize` counts, perhaps.
    live: u128,
}

impl Buffer {
    pub(super) const EMPTY: Self = Self {
        size: 0,
        from: 0,
        until: 0,
        at: 0,
        named: 0,
        trial: 0,
        key: 0,
        end: 0,
        above: NONE,
        dying: NONE,
        free: Span::ALL,
        order: 0,
        sorted: 0,
        live: 0,
    };

    /// `bytes` rounded up to whole lines, from a moment on.
    pub(super) const fn new(bytes: usize, from: usize) -> Self {
        Self {
            size: lines(bytes),
            from,
            until: from,
            ..Self::EMPTY
        }
    }

    /// Is needed at this moment too.
    pub(super) const fn keep(&mut self, until: usize) {
        if until > self.until {
            self.until = until;
        }
    }

    /// Whether it is needed after this moment.
    pub(super) const fn is_kept(&self, moment: usize) -> bool {
        self.until > moment
    }

    /// Holds a volume that these name.
    pub(super) const fn name(&mut self, readers: Readers) {
        if readers.end > self.named {
            self.named = readers.end;
        }
    }

    /// Whether layer `i` or a later one names a volume that it holds. (What lay there earlier nobody
    /// names any more, or it would not have been overwritten.)
    pub(super) const fn is_named(&self, i: usize) -> bool {
        self.named > i
    }
}

/// The moment before `end` at which the most is alive; the first of equals.
pub(super) const fn peak(buffers: &mut [Buffer], end: usize) -> usize {
    count(buffers);
    most(buffers, end)
}

/// Sets every `at`, and returns how many bytes that takes; `None` if it is too much to address.
pub(super) const fn assign(buffers: &mut [Buffer]) -> Option<usize> {
    count(buffers);
    let bound = buffers[most(buffers, buffers.len())].live;
    if bound > MOST_BYTES as u128 {
        return None;
    }
    let bound = bound as usize;
    let mut best = usize::MAX;
    let mut trial = 0;
    while trial < TRIALS.len() && best > bound {
        let (order, side) = TRIALS[trial];
        let count = sort(buffers, order);
        let total = lay(buffers, count, (order, side), (bound, best));
        if total < best {
            best = total;
            let mut k = 0;
            while k < buffers.len() {
                buffers[k].at = buffers[k].trial;
                k += 1;
            }
        }
        trial += 1;
    }
    if best <= MOST_BYTES { Some(best) } else { None }
}

const NONE: usize = usize::MAX;

#[derive(Clone, Copy)]
enum Order {
    /// Who is born first.
    Birth,
    /// Who is larger.
    Size,
    /// Who lives longer.
    Life,
}

#[derive(Clone, Copy)]
enum Side {
    /// As low as possible.
    Floor,
    /// In turn as low as possible and as high as the bound allows.
    Turn,
}

const TRIALS: [(Order, Side); 5] = [
    (Order::Birth, Side::Turn),
    (Order::Birth, Side::Floor),
    (Order::Size, Side::Floor),
    (Order::Life, Side::Floor),
    (Order::Size, Side::Turn),
];

/// Counts what is alive at each moment: by what begins to live, less what has ceased to.
const fn count(buffers: &mut [Buffer]) {
    let mut k = 0;
    while k < buffers.len() {
        buffers[k].live = 0;
        k += 1;
    }
    k = 0;
    while k < buffers.len() {
        let Buffer {
            size, from, until, ..
        } = buffers[k];
        if size > 0 {
            let size = size as u128;
            buffers[from].live = buffers[from].live.wrapping_add(size);
            if until + 1 < buffers.len() {
                buffers[until + 1].live = buffers[until + 1].live.wrapping_sub(size);
            }
        }
        k += 1;
    }
    k = 1;
    while k < buffers.len() {
        buffers[k].live = buffers[k].live.wrapping_add(buffers[k - 1].live);
        k += 1;
    }
}

/// The moment before `end` at which the most is alive, once that is counted; the first of equals.
const fn most(buffers: &[Buffer], end: usize) -> usize {
    let (mut most, mut moment) = (0, 1);
    while moment < end {
        if buffers[moment].live > buffers[most].live {
            most = moment;
        }
        moment += 1;
    }
    most
}

/// Puts the buffers that there are in order, and returns how many they are. Runs twice as long are
/// merged each time: stable, and in few steps, for a compiler takes them one by one.
const fn sort(buffers: &mut [Buffer], order: Order) -> usize {
    let (mut count, mut k) = (0, 0);
    while k < buffers.len() {
        let it = &mut buffers[k];
        it.key = match order {
            Order::Birth => it.from,
            Order::Size => usize::MAX - it.size,
            Order::Life => usize::MAX - (it.until - it.from),
        };
        if it.size > 0 {
            buffers[count].order = k;
            count += 1;
        }
        k += 1;
    }
    let mut run = 1;
    while run < count {
        let (mut to, mut start) = (0, 0);
        while to < count {
            let middle = least(start + run, count);
            let end = least(middle + run, count);
            let (mut left, mut right) = (start, middle);
            while to < end {
                let takes_left = right == end
                    || left < middle
                        && buffers[buffers[left].order].key <= buffers[buffers[right].order].key;
                buffers[to].sorted = match takes_left {
                    true => buffers[left].order,
                    false => buffers[right].order,
                };
                left += takes_left as usize;
                right += !takes_left as usize;
                to += 1;
            }
            start = end;
        }
        k = 0;
        while k < count {
            buffers[k].order = buffers[k].sorted;
            k += 1;
        }
        run *= 2;
    }
    count
}

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// Lays the first `count` buffers in order, sets every `trial` and returns the height of the pile; or,
/// once that is no lower than the best, the height so far.
const fn lay(
    buffers: &mut [Buffer],
    count: usize,
    (order, side): (Order, Side),
    (ceiling, best): (usize, usize),
) -> usize {
    if let Order::Birth = order {
        return free::lay(buffers, count, side, (ceiling, best));
    }
    let (mut lowest, mut total, mut up, mut k) = (NONE, 0, false, 0);
    while k < count && total < best {
        let it = buffers[k].order;
        k += 1;
        let Gaps { low, high } = gaps(buffers, lowest, it, side, ceiling);
        let gap = match high {
            Some(high) if up => high,
            _ => low,
        };
        let end = gap.at + buffers[it].size;
        (buffers[it].trial, buffers[it].end) = (gap.at, end);
        up = matches!(side, Side::Turn) && !up;
        lowest = insert(buffers, lowest, it, gap.below);
        if end > total {
            total = end;
        }
    }
    total
}

/// A place, and one of those that lie below it, if there is one.
#[derive(Clone, Copy)]
struct Gap {
    at: usize,
    below: usize,
}

/// The lowest place where a buffer fits between those that lie already and live with it, and the
/// highest one below the ceiling.
struct Gaps {
    low: Gap,
    high: Option<Gap>,
}

const fn gaps(buffers: &[Buffer], lowest: usize, it: usize, side: Side, ceiling: usize) -> Gaps {
    let Buffer {
        size, from, until, ..
    } = buffers[it];
    let (mut low, mut high) = (None, None);
    // What fits ends at `end`, if it begins at the floor.
    let (mut floor, mut end, mut below, mut other) = (0, size, NONE, lowest);
    while other != NONE {
        let lying = &buffers[other];
        if lying.from <= until && from <= lying.until {
            if lying.trial >= end {
                let gap = Gap { at: floor, below };
                if let Side::Floor = side {
                    return Gaps {
                        low: gap,
                        high: None,
                    };
                }
                if low.is_none() {
                    low = Some(gap);
                }
                high = Some(Gap {
                    at: lying.trial - size,
                    below,
                });
            }
            if lying.end > floor {
                (floor, end, below) = (lying.end, lying.end + size, other);
            }
        }
        other = lying.above;
    }
    if end <= ceiling {
        high = Some(Gap {
            at: ceiling - size,
            below,
        });
    }
    let low = match low {
        Some(low) => low,
        None => Gap { at: floor, below },
    };
    Gaps { low, high }
}

/// Links buffer `it` into the list by place, above `below`; returns the list's new head.
const fn insert(buffers: &mut [Buffer], lowest: usize, it: usize, mut below: usize) -> usize {
    let at = buffers[it].trial;
    if below == NONE {
        if lowest == NONE || at < buffers[lowest].trial {
            buffers[it].above = lowest;
            return it;
        }
        below = lowest;
    }
    loop {
        let above = buffers[below].above;
        if above == NONE || buffers[above].trial > at {
            break;
        }
        below = above;
    }
    buffers[it].above = buffers[below].above;
    buffers[below].above = it;
    lowest
}
