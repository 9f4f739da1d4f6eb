//! A network is computed: each task by its kernel, in the arena.

use super::program::{KINDS, Kind, Program, Task};
use crate::kernel::i8::{
    Add, Channel, Filters, Pool, Product, Quantization, Softmax, Tiles, Walk, by_rows, lookup,
    rescale,
};
use crate::kernel::pieces::{pieces, pieces_mut};

/// What a network keeps.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    pub(super) filters: &'a [i8],
    pub(super) channels: &'a [Channel],
    pub(super) volumes: &'a [Quantization],
}

/// Which kinds of tasks a network has: no other is compiled into the program. How the tiles of its first layer step.
pub(super) trait Kinds: Walk {
    const KINDS: [bool; KINDS];
    /// Whether any copies what it reads.
    const COPIES: bool;
}

/// Computes all tasks; `after` sees the arena after each. `None` if a place lies outside, which places of a
/// plan do not.
#[inline(always)]
pub(super) fn run<K: Kinds>(
    program: &Program<'_>,
    parts: Parts<'_>,
    image: &[i8],
    arena: &mut [i8],
    mut after: impl FnMut(&Task, &[i8]),
) -> Option<()> {
    for task in program.tasks {
        compute::<K>(task, parts, image, arena)?;
        after(task, arena);
    }
    Some(())
}

#[inline(always)]
pub(super) fn compute<K: Kinds>(
    task: &Task,
    parts: Parts<'_>,
    image: &[i8],
    arena: &mut [i8],
) -> Option<()> {
    let is = |kind: Kind| K::KINDS[kind as usize] && task.kind as usize == kind as usize;
    let [of_x, of_with, of_y] = task.volumes;
    let (x_is, y_is) = (parts.volumes.get(of_x)?, parts.volumes.get(of_y)?);
    let channels = part(parts.channels, task.channels)?;
    let filters = part(parts.filters, task.filters)?;
    let layer = Filters {
        sizes: &task.sizes,
        filters,
        channels,
        x_zero: x_is.zero,
        y: *y_is,
    };
    let pool = Pool {
        sizes: &task.sizes,
        y: *y_is,
    };
    let behind = task.pool.as_ref().map(|sizes| Pool { sizes, y: *y_is });
    if is(Kind::Conv) {
        let (x, y, map, _) = parted(task, image, arena)?;
        let (sizes, behind, side) = match &task.pool {
            Some(pool) if layer.pools(Some(pool)) => (pool, None, 2),
            _ => (&task.sizes, behind, 1),
        };
        return by_rows(sizes, behind, map, y, |oy, y| layer.row(x, oy, side, y));
    }
    if is(Kind::Dense) {
        let (x, y) = apart(task, image, arena)?;
        return Tiles::<K>::new(layer).dense(x, y);
    }
    if is(Kind::Tiles) {
        let (x, y, map, work) = parted(task, image, arena)?;
        return Tiles::<K>::new(layer).conv(x, behind, (work, map), y);
    }
    if is(Kind::Rows) {
        let (x, y, map, work) = parted(task, image, arena)?;
        return Tiles::<K>::new(layer).conv_in_rows(x, behind, (work, map), y);
    }
    if is(Kind::Depthwise) {
        let (x, y) = apart(task, image, arena)?;
        return layer.depthwise(x, y);
    }
    if is(Kind::MaxPool) {
        let (x, y) = apart(task, image, arena)?;
        return pool.max(x, y);
    }
    if is(Kind::AvgPool) {
        let (x, y) = apart(task, image, arena)?;
        return pool.avg(x, y);
    }
    if is(Kind::Mean) {
        let (x, y) = apart(task, image, arena)?;
        return pool.mean((x, x_is.zero), channels.first()?.by, y);
    }
    if is(Kind::Move) {
        let (x, y) = apart(task, image, arena)?;
        return task.sizes.moved(x, y);
    }
    if is(Kind::Rescale) && task.is_slice() {
        let (x, y) = apart(task, image, arena)?;
        return slice(task, layer.channels.first()?, (x, x_is), (y, y_is));
    }
    if is(Kind::Product) {
        let (x, with, y) = three(task, image, arena)?;
        let with = (with, parts.volumes.get(of_with)?.zero);
        product_of(channels)?.forward((x, x_is.zero), with, (y, y_is));
        return Some(());
    }
    if K::COPIES {
        copy(task, image, arena)?;
    }
    let [height, width, depth] = task.sizes.y;
    if is(Kind::Add) {
        let (with, v) = two(task, image, arena)?;
        let other = (with, parts.volumes.get(of_with)?.zero);
        sum_of(channels)?.accumulate(v, x_is.zero, other, y_is);
        return Some(());
    }
    let v = arena.get_mut(task.y..)?.get_mut(..height * width * depth)?;
    if is(Kind::Scale) {
        return layer.scale(v);
    }
    if is(Kind::Rescale) {
        let by = channels.first()?.by;
        v.iter_mut()
            .for_each(|v| *v = rescale(*v, x_is.zero, by, y_is));
    }
    if is(Kind::Table) {
        lookup(v, filters.try_into().ok()?);
    }
    if is(Kind::Softmax) {
        let &Channel { bias: least, by } = channels.first()?;
        if depth > 0 {
            pieces_mut(v, depth).for_each(|v| Softmax { by, least }.forward(v));
        }
    }
    Some(())
}

/// Copies x to y, if that is where it is worked on.
pub(super) fn copy(task: &Task, image: &[i8], arena: &mut [i8]) -> Option<()> {
    if task.copies {
        let (x, y) = apart(task, image, arena)?;
        y.iter_mut().zip(x).for_each(|(y, x)| *y = *x);
    }
    Some(())
}

/// The `Add` of its channels.
pub(super) fn sum_of(channels: &[Channel]) -> Option<Add> {
    let [x, other, sum] = channels else {
        return None;
    };
    Some(Add {
        by: [x.by, other.by, sum.by],
    })
}

/// The `Product` of its channel.
pub(super) fn product_of(channels: &[Channel]) -> Option<Product> {
    Some(Product {
        by: channels.first()?.by,
    })
}

pub(super) fn part<T>(all: &[T], [start, end]: [usize; 2]) -> Option<&[T]> {
    all.get(start..end)
}

fn count([height, width, depth]: [usize; 3]) -> usize {
    height * width * depth
}

/// x to read, and y to write.
pub(super) fn apart<'a>(
    task: &Task,
    image: &'a [i8],
    arena: &'a mut [i8],
) -> Option<(&'a [i8], &'a mut [i8])> {
    let [x, y] = [task.sizes.x, task.sizes.y].map(count);
    ranges(image, arena, (task.x, x), (task.y, y))
}

/// x to read, y to write, the rows that there are for a pool, and what is worked in.
pub(super) type Parted<'a> = (&'a [i8], &'a mut [i8], &'a mut [i8], &'a mut [i8]);

pub(super) fn parted<'a>(task: &Task, image: &'a [i8], arena: &'a mut [i8]) -> Option<Parted<'a>> {
    let x = count(task.sizes.x);
    let y = task.y..task.y + count(task.pool.as_ref().unwrap_or(&task.sizes).y);
    let [map, work] = [task.map, task.work].map(|[start, end]| start..end);
    let Some(at) = task.x else {
        let [y, map, work] = arena.get_disjoint_mut([y, map, work]).ok()?;
        return Some((image.get(..x)?, y, map, work));
    };
    let [x, y, map, work] = arena.get_disjoint_mut([at..at + x, y, map, work]).ok()?;
    Some((x, y, map, work))
}

/// The other volume of an `Add`, and the one that becomes the sum.
pub(super) fn two<'a>(
    task: &Task,
    image: &'a [i8],
    arena: &'a mut [i8],
) -> Option<(&'a [i8], &'a mut [i8])> {
    let len = count(task.sizes.y);
    ranges(image, arena, (task.with, len), (task.y, len))
}

/// The factors of a `Product`, which may lie in one another, and where it is written.
pub(super) fn three<'a>(
    task: &Task,
    image: &'a [i8],
    arena: &'a mut [i8],
) -> Option<(&'a [i8], &'a [i8], &'a mut [i8])> {
    let [x, y] = [task.sizes.x, task.sizes.y].map(count);
    let (low, rest) = arena.split_at_mut_checked(task.y)?;
    let (to, high) = rest.split_at_mut_checked(y)?;
    let (low, high) = (&*low, &*high);
    let read = |at: Option<usize>, len: usize| match at {
        None => image.get(..len),
        Some(at) if at < task.y => low.get(at..)?.get(..len),
        Some(at) => high.get(at.checked_sub(task.y + y)?..)?.get(..len),
    };
    Some((read(task.x, x)?, read(task.with, y)?, to))
}

/// Where a volume of so many bytes lies, in the arena or in the image, and another in the arena.
fn ranges<'a>(
    image: &'a [i8],
    arena: &'a mut [i8],
    (x, x_len): (Option<usize>, usize),
    (y, y_len): (usize, usize),
) -> Option<(&'a [i8], &'a mut [i8])> {
    let Some(x) = x else {
        return Some((image.get(..x_len)?, arena.get_mut(y..)?.get_mut(..y_len)?));
    };
    if x < y {
        let (low, high) = arena.split_at_mut_checked(y)?;
        Some((low.get(x..)?.get(..x_len)?, high.get_mut(..y_len)?))
    } else {
        let (low, high) = arena.split_at_mut_checked(x)?;
        Some((high.get(..x_len)?, low.get_mut(y..)?.get_mut(..y_len)?))
    }
}

/// A branch of a `concat` becomes a slice.
fn slice(
    task: &Task,
    by: &Channel,
    (x, x_is): (&[i8], &Quantization),
    (y, y_is): (&mut [i8], &Quantization),
) -> Option<()> {
    let [own, all] = [task.sizes.x[2], task.sizes.y[2]];
    if own == 0 || all == 0 {
        return None;
    }
    for (x, y) in pieces(x, own).zip(pieces_mut(y, all)) {
        for (y, x) in y.get_mut(task.slice..)?.iter_mut().zip(x) {
            *y = rescale(*x, x_is.zero, by.by, y_is);
        }
    }
    Some(())
}
