//! How large caches are taken to be: one model for every kernel, and for the plan.
//!
//! ```text
//!  registers ◀── L1 ◀──── L2 ◀───── L3 ◀──── memory
//!                32 KiB   512 KiB   4 MiB
//! ```
//!
//! Processors are not asked for theirs: what is chosen by a size of a cache, such as an algorithm or the
//! order of a sum, is chosen when a program is compiled (an algorithm for each width of vectors), and scores depend
//! on nothing else of the machine. So these are what most desktops and servers have for one core at least. A
//! smaller cache costs speed only.
//!
//! A kernel says which share of a level it counts on: half of L2 for a block that stays there while
//! everything else passes through the other half.

/// Bytes of a cache line.
pub(crate) const LINE: usize = 64;

/// Bytes of the first-level cache.
pub(crate) const L1: usize = 32 << 10;

/// Lines of the first-level cache that can stand in the place of each other.
const WAYS: usize = 8;

/// Bytes of the second-level cache.
pub(crate) const L2: usize = 512 << 10;

/// Bytes of the last cache before memory, of which cores have a share each.
pub(crate) const L3: usize = 4 << 20;

/// How many scalars fit into so many bytes.
pub(crate) const fn scalars<T>(bytes: usize) -> usize {
    bytes / size_of::<T>()
}

/// Whether the first-level cache keeps `count` lines that are `pitch` bytes from each other. Where a line can be there
/// is told by the lower bits of its address, of which a multiple of a power of two uses few.
pub(crate) const fn keeps(count: usize, pitch: usize) -> bool {
    let apart = pitch & pitch.wrapping_neg();
    let taken = match apart {
        ..LINE => LINE,
        apart if apart > L1 / WAYS => L1 / WAYS,
        apart => apart,
    };
    count.saturating_mul(taken) <= L1
}
