//! Entries by name, or by place.

use super::{Entry, Header};

/// What entries are sorted by.
#[derive(Clone, Copy)]
pub(super) enum Key {
    /// Equal names side by side.
    Name,
    Place,
}

/// Heapsort: without memory of its own, and not slow on any file. A file as it is usually written is
/// sorted by place already, and left as it is.
pub(super) const fn sort(header: &Header<'_>, entries: &mut [Entry], key: Key) {
    if is_sorted(header, entries, key) {
        return;
    }
    let mut root = entries.len() / 2;
    while root > 0 {
        root -= 1;
        sink(header, entries, root, key);
    }
    let mut end = entries.len();
    while end > 1 {
        end -= 1;
        entries.swap(0, end);
        sink(header, entries.split_at_mut(end).0, 0, key);
    }
}

const fn is_sorted(header: &Header<'_>, entries: &[Entry], key: Key) -> bool {
    let mut index = 1;
    while index < entries.len() {
        if is_before(header, &entries[index], &entries[index - 1], key) {
            return false;
        }
        index += 1;
    }
    true
}

/// Lets the entry at `root` sink until none below it comes behind it.
const fn sink(header: &Header<'_>, heap: &mut [Entry], mut root: usize, key: Key) {
    loop {
        let mut last = root;
        let mut child = 2 * root + 1;
        while child <= 2 * root + 2 && child < heap.len() {
            if is_before(header, &heap[last], &heap[child], key) {
                last = child;
            }
            child += 1;
        }
        if last == root {
            return;
        }
        heap.swap(root, last);
        root = last;
    }
}

const fn is_before(header: &Header<'_>, a: &Entry, b: &Entry, key: Key) -> bool {
    match key {
        Key::Name if a.hash != b.hash => a.hash < b.hash,
        Key::Name => a.name(header).compare(b.name(header)) < 0,
        Key::Place => a.from < b.from || a.from == b.from && a.until < b.until,
    }
}
