//! An int8 network whose filters are packed for the vectors of this machine.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;

use super::Quantize;
use super::program::{Kind, Task};
use super::quantized::{KindsOf, Parameters, Quantized};
use super::run::{Parts, apart, compute, copy, part, parted, product_of, sum_of, three, two};
use crate::AnyVolume;
use crate::kernel::i8::quads::winograd::Tile;
use crate::kernel::i8::quads::{self, Block, Conv, Depthwise, Ends, Machine, Winograd};
use crate::kernel::i8::{Pool, Table, by_rows, rescaled};
use crate::memory::overlay::Lines;

/// An int8 network, with filters packed once: for desktops. The bytes are those of
/// [`forward`](Quantized::forward), and where there are no vectors so is the speed.
///
/// ```text
/// let fast = twin.prepare();
/// let mut arena = fast.arena();
/// let scores = fast.forward(&image, &mut arena);
/// ```
pub struct Prepared<'a, N> {
    parts: Parts<'a>,
    machine: Option<Machine>,
    /// One a task.
    packed: Vec<Option<Packed>>,
    /// Blocks that a layer works in at most.
    scratch: usize,
    of: PhantomData<fn() -> N>,
}

/// What [`Prepared::forward`] works in.
pub struct PreparedArena<N: Quantize> {
    volumes: Box<N::Overlay>,
    scratch: Lines<f32>,
}

/// What is made of a task beforehand.
enum Packed {
    Filters(PackedFilters),
    /// What each byte becomes.
    Table(Box<Table>),
}

/// The filters of a task.
struct PackedFilters {
    blocks: Lines<f32>,
    ends: Vec<Ends>,
    /// What they are packed for, if not for the direct sum.
    tile: Option<Tile>,
}

impl<N: Quantize, const F: usize, const C: usize, const V: usize> Quantized<N, F, C, V> {
    /// With its filters packed for this machine.
    #[must_use]
    pub fn prepare(&self) -> Prepared<'_, N> {
        self.prepare_for(Machine::best())
    }

    /// The same for one of [`Machine::all`]: how a test, or a bench, reaches what this machine would not choose.
    #[doc(hidden)]
    #[must_use]
    pub fn prepare_for(&self, machine: Option<Machine>) -> Prepared<'_, N> {
        let (filters, channels, volumes) = self.parts();
        let parts = Parts {
            filters,
            channels,
            volumes,
        };
        let mut scratch = 0;
        let packed = N::PROGRAM.tasks.iter().map(|task| {
            let (packed, room) = pack(machine?, task, parts)?;
            scratch = room.max(scratch);
            Some(packed)
        });
        Prepared {
            parts,
            machine,
            packed: packed.collect(),
            scratch,
            of: PhantomData,
        }
    }
}

impl<N: Quantize> Prepared<'_, N> {
    /// What [`forward`](Self::forward) works in, zeroed.
    #[must_use]
    pub fn arena(&self) -> PreparedArena<N> {
        PreparedArena {
            volumes: bytemuck::zeroed_box(),
            scratch: Lines::zeroed(self.scratch * BLOCK),
        }
    }

    /// The scores of `image`, in bytes: allocates nothing, computes with integers only.
    pub fn forward<'a>(&self, image: &N::Image, arena: &'a mut PreparedArena<N>) -> &'a N::Scores {
        let (volumes, scratch) = (arena.volumes.as_mut_slice(), arena.scratch.as_mut_slice());
        let scratch = bytemuck::cast_slice_mut::<f32, Block>(scratch);
        for (task, packed) in N::PROGRAM.tasks.iter().zip(&self.packed) {
            // Never `None`: every place is inside, as the plan says.
            let _ = self.compute(task, packed.as_ref(), image.as_slice(), volumes, scratch);
        }
        N::scores_in(&arena.volumes)
    }

    /// How bytes are multiplied; `None` if there are no vectors that do.
    #[must_use]
    pub fn machine(&self) -> Option<Machine> {
        self.machine
    }

    fn compute(
        &self,
        task: &Task,
        packed: Option<&Packed>,
        image: &[i8],
        volumes: &mut [i8],
        scratch: &mut [Block],
    ) -> Option<()> {
        let Some(machine) = self.machine else {
            return compute::<KindsOf<N>>(task, self.parts, image, volumes);
        };
        let [x_is, with_is, y_is] = task.volumes;
        let (x_is, y) = (
            self.parts.volumes.get(x_is)?,
            *self.parts.volumes.get(y_is)?,
        );
        let sizes = &task.sizes;
        let channels = part(self.parts.channels, task.channels)?;
        let zeros = || Some([x_is.zero, self.parts.volumes.get(with_is)?.zero]);
        match packed {
            Some(Packed::Table(table)) if task.is_slice() => {
                let (x, to) = apart(task, image, volumes)?;
                let to = (to.get_mut(task.slice..)?, sizes.y[2]);
                quads::columns(machine, table, (x, sizes.x[2]), to);
                Some(())
            }
            Some(Packed::Table(table)) => {
                copy(task, image, volumes)?;
                let v = volumes.get_mut(task.y..)?;
                quads::lookup(machine, table, v.get_mut(..sizes.y.iter().product())?);
                Some(())
            }
            Some(Packed::Filters(packed)) if task.kind == Kind::Depthwise => {
                let layer = Depthwise::new(machine, sizes, packed.parts(), x_is.zero, y)?;
                let (x, y) = apart(task, image, volumes)?;
                layer.forward(x, scratch, y)
            }
            Some(Packed::Filters(packed)) if packed.tile.is_some() => {
                let own = (machine, packed.tile?);
                let layer = Winograd::new(own, sizes, packed.parts(), x_is.zero, y)?;
                let (x, y, ..) = parted(task, image, volumes)?;
                layer.forward(x, task.pool.as_ref(), scratch, y)
            }
            Some(Packed::Filters(packed)) => {
                let layer = Conv::new(machine, sizes, packed.parts(), x_is.zero, y)?;
                let (x, to, map, _) = parted(task, image, volumes)?;
                let scratch = scratch.as_flattened_mut().as_flattened_mut();
                let x = layer.laid_out(x, scratch)?;
                match &task.pool {
                    None => layer.rows(x, 0, to),
                    Some(pool) if layer.pools(pool) => layer.pooled(x, pool, to),
                    Some(pool) => machine.vectorize(
                        #[inline(always)]
                        || {
                            let pool = Pool { sizes: pool, y };
                            by_rows(sizes, Some(pool), map, to, |oy, y| layer.rows(x, oy, y))
                        },
                    ),
                }
            }
            None if task.kind == Kind::Add => {
                copy(task, image, volumes)?;
                let (with, v) = two(task, image, volumes)?;
                quads::Add::new(sum_of(channels)?, zeros()?, y).accumulate(machine, v, with);
                Some(())
            }
            None if task.kind == Kind::Product => {
                let (x, with, to) = three(task, image, volumes)?;
                let product = quads::Product::new(product_of(channels)?, zeros()?, y);
                product.forward(machine, x, with, to);
                Some(())
            }
            None if task.kind == Kind::Mean && sizes.filter == [sizes.x[0], sizes.x[1]] => {
                let by = channels.first()?.by;
                let (x, to) = apart(task, image, volumes)?;
                let pool = Pool { sizes, y };
                quads::Mean::new(sizes.x[0] * sizes.x[1], by, x_is.zero, y)
                    .and_then(|mean| mean.forward(machine, x, to))
                    .or_else(|| pool.mean((x, x_is.zero), by, to))
            }
            None => machine.vectorize(
                #[inline(always)]
                || compute::<KindsOf<N>>(task, self.parts, image, volumes),
            ),
        }
    }
}

/// Scalars of a block.
const BLOCK: usize = size_of::<Block>() / size_of::<f32>();

impl PackedFilters {
    fn parts(&self) -> (&[Block], &[Ends]) {
        (bytemuck::cast_slice(self.blocks.as_slice()), &self.ends)
    }
}

/// What is made of a task beforehand, if anything, and the blocks that it works in.
fn pack(machine: Machine, task: &Task, parts: Parts<'_>) -> Option<(Packed, usize)> {
    let filters = part(parts.filters, task.filters)?;
    let channels = part(parts.channels, task.channels)?;
    let [x, _, y] = task.volumes;
    let (x, y) = (parts.volumes.get(x)?, parts.volumes.get(y)?);
    let len = task.elements() / task.sizes.y[2].max(1);
    let filter = |k: usize, at: usize| filters[task.place(k * len + at)];
    let mut tile = None;
    let [blocks, ends, scratch] = match task.kind {
        Kind::Depthwise => quads::depthwise::memory(machine, &task.sizes)?,
        Kind::Conv | Kind::Dense | Kind::Tiles | Kind::Rows => {
            tile = Tile::choose(machine, &task.sizes, task.pool.as_ref(), filter);
            match tile {
                Some(tile) => quads::winograd::memory(&task.sizes, tile),
                None => {
                    let [blocks, ends, bytes] = quads::conv::memory(machine, &task.sizes)?;
                    [blocks, ends, bytes.div_ceil(size_of::<Block>())]
                }
            }
        }
        Kind::Table => {
            let table = Packed::Table(Box::new(filters.try_into().ok()?));
            return Some((table, 0));
        }
        Kind::Rescale => {
            let table = rescaled(x, y, channels.first()?.by);
            return Some((Packed::Table(Box::new(table)), 0));
        }
        Kind::Scale
        | Kind::MaxPool
        | Kind::AvgPool
        | Kind::Mean
        | Kind::Softmax
        | Kind::Add
        | Kind::Product
        | Kind::Move
        | Kind::Copy => return None,
    };
    let mut packed = PackedFilters {
        blocks: Lines::zeroed(blocks * BLOCK),
        ends: vec![Ends::ZERO; ends],
        tile,
    };
    let to = (
        bytemuck::cast_slice_mut(packed.blocks.as_mut_slice()),
        &mut packed.ends[..],
    );
    let own = (channels, [x.zero, y.zero]);
    match tile {
        Some(tile) => Winograd::pack((machine, tile), &task.sizes, filter, own, to)?,
        None if task.kind == Kind::Depthwise => {
            Depthwise::pack(machine, &task.sizes, filters, own, to)?;
        }
        None => Conv::pack(machine, &task.sizes, filter, own, to)?,
    }
    Some((Packed::Filters(packed), scratch))
}
