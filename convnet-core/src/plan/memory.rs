//! Which buffer lies where: those that are alive together apart, the rest on top of each other.
//!
//! ```text
//!  scalar │        ┌────┐
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

use super::MOST_SCALARS;
use crate::overlay::LINE;

/// A buffer of `size` scalars, alive at the moments `from ..= until`. Size 0: there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    pub(super) size: usize,
    pub(super) from: usize,
    pub(super) until: usize,
    /// Where it lies, once assigned.
    pub(super) at: usize,
    /// Where it lies in the order that is tried.
    trial: usize,
    /// `buffers[k].order` is the buffer that comes k-th in the order that is tried.
    order: usize,
    /// The next higher one of those that lie already.
    above: usize,
}

impl Buffer {
    pub(super) const EMPTY: Self = Self {
        size: 0,
        from: 0,
        until: 0,
        at: 0,
        trial: 0,
        order: 0,
        above: NONE,
    };

    /// `scalars` rounded up to whole lines, from a moment on.
    pub(super) const fn new(scalars: usize, from: usize) -> Self {
        Self {
            size: scalars.next_multiple_of(LINE),
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

    const fn alive_at(&self, moment: usize) -> bool {
        self.size > 0 && self.from <= moment && moment <= self.until
    }

    const fn alive_with(&self, other: &Self) -> bool {
        self.from <= other.until && other.from <= self.until
    }
}

/// The moment before `end` at which the most is alive; the first of equals.
pub(super) const fn peak(buffers: &[Buffer], end: usize) -> usize {
    let (mut peak, mut most, mut moment) = (0, 0, 0);
    while moment < end {
        let live = live(buffers, moment);
        if live > most {
            (peak, most) = (moment, live);
        }
        moment += 1;
    }
    peak
}

/// Sets every `at`, and returns how many scalars that takes; `None` if it is too much to address.
pub(super) const fn assign(buffers: &mut [Buffer]) -> Option<usize> {
    let bound = match bound(buffers) {
        Some(bound) => bound,
        None => return None,
    };
    let mut best = usize::MAX;
    let mut trial = 0;
    while trial < TRIALS.len() && best > bound {
        let (order, side) = TRIALS[trial];
        sort(buffers, order);
        let total = lay(buffers, side, bound);
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
    if best <= MOST_SCALARS {
        Some(best)
    } else {
        None
    }
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

/// The most that is alive at a moment. It is reached where a buffer is born.
const fn bound(buffers: &[Buffer]) -> Option<usize> {
    let (mut bound, mut k) = (0, 0);
    while k < buffers.len() {
        let live = live(buffers, buffers[k].from);
        if live > bound {
            bound = live;
        }
        k += 1;
    }
    if bound <= MOST_SCALARS {
        Some(bound)
    } else {
        None
    }
}

const fn live(buffers: &[Buffer], moment: usize) -> usize {
    let (mut live, mut k) = (0usize, 0);
    while k < buffers.len() {
        if buffers[k].alive_at(moment) {
            live = live.saturating_add(buffers[k].size);
        }
        k += 1;
    }
    live
}

/// Insertion sort, stable: a `const fn` has no other.
const fn sort(buffers: &mut [Buffer], order: Order) {
    let mut k = 0;
    while k < buffers.len() {
        let mut slot = k;
        while slot > 0 && earlier(&buffers[k], &buffers[buffers[slot - 1].order], order) {
            buffers[slot].order = buffers[slot - 1].order;
            slot -= 1;
        }
        buffers[slot].order = k;
        k += 1;
    }
}

const fn earlier(a: &Buffer, b: &Buffer, order: Order) -> bool {
    match order {
        Order::Birth => a.from < b.from,
        Order::Size => a.size > b.size,
        Order::Life => a.until - a.from > b.until - b.from,
    }
}

/// Lays all buffers in order, sets every `trial` and returns the height of the pile.
const fn lay(buffers: &mut [Buffer], side: Side, ceiling: usize) -> usize {
    let (mut lowest, mut total, mut up, mut k) = (NONE, 0, false, 0);
    while k < buffers.len() {
        let it = buffers[k].order;
        k += 1;
        if buffers[it].size == 0 {
            continue;
        }
        let (low, high) = gaps(buffers, lowest, it, ceiling);
        buffers[it].trial = match high {
            Some(high) if up => high,
            _ => low,
        };
        up = matches!(side, Side::Turn) && !up;
        lowest = insert(buffers, lowest, it);
        let end = buffers[it].trial + buffers[it].size;
        if end > total {
            total = end;
        }
    }
    total
}

/// The lowest place where buffer `it` fits between those that lie already and live with it, and
/// the highest one below the ceiling.
const fn gaps(
    buffers: &[Buffer],
    lowest: usize,
    it: usize,
    ceiling: usize,
) -> (usize, Option<usize>) {
    let size = buffers[it].size;
    let (mut low, mut high) = (None, None);
    let (mut floor, mut other) = (0, lowest);
    while other != NONE {
        let lying = &buffers[other];
        if lying.alive_with(&buffers[it]) {
            if lying.trial >= floor + size {
                if low.is_none() {
                    low = Some(floor);
                }
                high = Some(lying.trial - size);
            }
            if lying.trial + lying.size > floor {
                floor = lying.trial + lying.size;
            }
        }
        other = lying.above;
    }
    if floor + size <= ceiling {
        high = Some(ceiling - size);
    }
    match low {
        Some(low) => (low, high),
        None => (floor, high),
    }
}

/// Links buffer `it` into the list by place; returns the list's new head.
const fn insert(buffers: &mut [Buffer], lowest: usize, it: usize) -> usize {
    let at = buffers[it].trial;
    if lowest == NONE || at < buffers[lowest].trial {
        buffers[it].above = lowest;
        return it;
    }
    let mut below = lowest;
    while buffers[below].above != NONE && buffers[buffers[below].above].trial <= at {
        below = buffers[below].above;
    }
    buffers[it].above = buffers[below].above;
    buffers[below].above = it;
    lowest
}
