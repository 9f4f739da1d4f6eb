//! What is free between the buffers that are alive, when they are laid in the order of birth.
//!
//! ```text
//!  │▓▓▓▓▓▓│      │▓▓▓▓│   │▓▓▓▓▓▓▓▓▓▓│            …     ▓ alive: all at this moment, so all apart
//!  0      └ span ┘    └ … ┘          └ the last span ∞
//! ```
//!
//! Those that are dead take no room, and there are far fewer spans than buffers.

use super::{Buffer, NONE, Side};

/// Bytes from `at` to `end`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    at: usize,
    end: usize,
}

impl Span {
    /// All there is.
    pub(super) const ALL: Self = Self {
        at: 0,
        end: usize::MAX,
    };

    const fn holds(&self, size: usize) -> bool {
        self.end - self.at >= size
    }
}

/// As [`super::lay`], for buffers in the order of birth. `buffers[k].free` are the spans, the lowest
/// first: no more than buffers, for each but the last ends where a buffer begins, and the first buffer
/// leaves nothing below it.
pub(super) const fn lay(
    buffers: &mut [Buffer],
    count: usize,
    side: Side,
    (ceiling, best): (usize, usize),
) -> usize {
    let mut k = 0;
    while k < buffers.len() {
        buffers[k].dying = NONE;
        k += 1;
    }
    if count > 0 {
        buffers[0].free = Span::ALL;
    }
    let (mut spans, mut total, mut up, mut moment) = (1, 0, false, 0);
    k = 0;
    while k < count && total < best {
        let it = buffers[k].order;
        let Buffer {
            size, from, until, ..
        } = buffers[it];
        while moment < from {
            let mut dead = buffers[moment].dying;
            while dead != NONE {
                let (at, size) = (buffers[dead].trial, buffers[dead].size);
                give(buffers, &mut spans, at, at + size);
                dead = buffers[dead].above;
            }
            moment += 1;
        }
        let at = match up {
            true => take_high(buffers, &mut spans, size, ceiling),
            false => take_low(buffers, &mut spans, size),
        };
        buffers[it].trial = at;
        buffers[it].above = buffers[until].dying;
        buffers[until].dying = it;
        up = matches!(side, Side::Turn) && !up;
        if at + size > total {
            total = at + size;
        }
        k += 1;
    }
    total
}

/// From the lowest span that is large enough, its lowest part.
const fn take_low(buffers: &mut [Buffer], spans: &mut usize, size: usize) -> usize {
    let mut k = 0;
    while !buffers[k].free.holds(size) {
        k += 1;
    }
    let at = buffers[k].free.at;
    buffers[k].free.at += size;
    drop_if_empty(buffers, spans, k);
    at
}

/// Below the ceiling, if the last span begins so far below it; or from the highest other span that is
/// large enough, its highest part; or as low as possible.
const fn take_high(
    buffers: &mut [Buffer],
    spans: &mut usize,
    size: usize,
    ceiling: usize,
) -> usize {
    let mut k = *spans - 1;
    if buffers[k].free.at + size <= ceiling {
        let at = ceiling - size;
        buffers[k].free.end = at;
        let rest = Span {
            at: ceiling,
            ..Span::ALL
        };
        match buffers[k].free.at < at {
            true => {
                buffers[*spans].free = rest;
                *spans += 1;
            }
            false => buffers[k].free = rest,
        }
        return at;
    }
    while k > 0 {
        k -= 1;
        if buffers[k].free.holds(size) {
            buffers[k].free.end -= size;
            let at = buffers[k].free.end;
            drop_if_empty(buffers, spans, k);
            return at;
        }
    }
    take_low(buffers, spans, size)
}

const fn drop_if_empty(buffers: &mut [Buffer], spans: &mut usize, mut k: usize) {
    if buffers[k].free.holds(1) {
        return;
    }
    *spans -= 1;
    while k < *spans {
        buffers[k].free = buffers[k + 1].free;
        k += 1;
    }
}

/// What lay there lives no more.
const fn give(buffers: &mut [Buffer], spans: &mut usize, at: usize, end: usize) {
    let mut k = 0;
    while buffers[k].free.at < at {
        k += 1;
    }
    let below = k > 0 && buffers[k - 1].free.end == at;
    match (below, buffers[k].free.at == end) {
        (true, true) => {
            buffers[k].free.at = buffers[k - 1].free.at;
            buffers[k - 1].free.end = at;
            buffers[k - 1].free.at = at;
            drop_if_empty(buffers, spans, k - 1);
        }
        (true, false) => buffers[k - 1].free.end = end,
        (false, true) => buffers[k].free.at = at,
        (false, false) => {
            let mut to = *spans;
            while to > k {
                buffers[to].free = buffers[to - 1].free;
                to -= 1;
            }
            buffers[k].free = Span { at, end };
            *spans += 1;
        }
    }
}
