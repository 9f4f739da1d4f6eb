//! Sums in halves, and halves of halves: a tree that depends on how many there are to add, and on nothing else.
//!
//! ```text
//!               0..7                 machine 0 has 0..3, and gives one number: 0..3
//!         0..3        3..7           machine 1 has 3..6, and gives two: 3..5 and 5..6
//!        0  1..3    3..5  5..7       machine 2 has 6..7, and gives one
//! ```
//!
//! Whoever has a part gives the sums of the largest subtrees that lie in it, its *nodes*; whoever has the
//! nodes of all adds them up the tree. So the sum is the same to the bit however the parts are cut.

use core::ops::Range;

/// Calls `found` with each node of the tree over `tree` that `part` gives, in order.
pub(crate) fn nodes(tree: Range<usize>, part: &Range<usize>, found: &mut dyn FnMut(Range<usize>)) {
    let apart = tree.end <= part.start || part.end <= tree.start;
    if apart || part.is_empty() || tree.is_empty() {
        return;
    }
    if part.start <= tree.start && tree.end <= part.end {
        return found(tree);
    }
    let middle = middle(&tree);
    nodes(tree.start..middle, part, found);
    nodes(middle..tree.end, part, found);
}

/// Where a tree of two or more parts: the second half is the larger, if one is.
pub(crate) fn middle(tree: &Range<usize>) -> usize {
    tree.start + tree.len() / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn of(count: usize, part: Range<usize>) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        nodes(0..count, &part, &mut |node| all.push(node));
        all
    }

    #[test]
    fn a_part_gives_its_largest_subtrees() {
        assert_eq!(of(7, 2..6), [2..3, 3..5, 5..6]);
        assert_eq!(of(7, 0..6), [0..3, 3..5, 5..6]);
        assert_eq!((of(7, 0..7).len(), of(7, 6..7).len()), (1, 1));
        assert!(of(7, 4..4).is_empty() && of(0, 0..0).is_empty());
    }

    #[test]
    fn nodes_cover_each_part_and_no_more() {
        for count in 0..40 {
            for start in 0..=count {
                for end in start..=count {
                    let nodes = of(count, start..end);
                    let all: Vec<usize> = nodes.into_iter().flatten().collect();
                    assert!(all.into_iter().eq(start..end));
                }
            }
        }
    }
}
