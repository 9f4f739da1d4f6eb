//! One mini-batch over the cores.
//!
//! ```text
//!  batch  │ 17 4 │ 99 8 │ 23 │ 42 5 │      the same cut whatever the number of threads
//!            │      │      │     │         each shard: its images in order, on its own tape,
//!            ▼      ▼      ▼     ▼         into its own gradient
//!           dW     dW     dW    dW
//!            └──────┴──┬───┴─────┘         added in this order, piece by piece; each piece goes
//!                      ▼                   straight on to the optimizer
//!                      W
//! ```
//!
//! Where a network has a large `fc`, a shard takes [several](MICRO_BATCH) images at a time, each on a
//! tape of its own, up to it, through it at once, and on. Where it has `batch_norm`, the images of a
//! batch have to meet: then all shards run a [part](Trainable::PARTS), and the tapes'
//! [moments](crate::moments) are merged, image by image, before the next:
//!
//! ```text
//!  │ 17 4 │ 99 8 │ 23 │ 42 5 │  part 0  ─▶ merge ─▶  part 1, loss, part 1  ─▶ merge ─▶  part 0
//! ```
//!
//! **Invariant:** every sum has an order that depends on the batch only, so the weights are the same
//! to the bit on one thread and on many.

use std::sync::{Mutex, PoisonError};

use num_traits::ConstZero;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::finish::Finish;
use crate::data::Samples;
use crate::kernel::MICRO_BATCH;
use crate::layer::moments;
use crate::learn::loss::LossError;
use crate::learn::optim::{self, Optimizer, Step};
use crate::scalar::real::place_of_largest;
use crate::{AnyVolume, Loss, Real, Rng, Trainable, network};

/// What a network did on the images seen so far; their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Totals {
    pub(super) loss: f64,
    pub(super) right: usize,
    pub(super) images: usize,
}

impl Totals {
    pub(super) fn add(&mut self, more: Self) {
        self.loss += more.loss;
        self.right += more.right;
        self.images += more.images;
    }
}

/// The images of a batch and how training is to see them.
pub(super) struct Batch<'a, S, L> {
    pub(super) samples: &'a S,
    pub(super) loss: &'a L,
    /// Which images, in order.
    pub(super) images: &'a [usize],
    /// Image `i` is augmented, and its neurons dropped, by stream `i` of this seed.
    pub(super) seed: u64,
}

/// What the shards of every batch work with.
pub(super) struct Shards<N: Trainable> {
    shards: Vec<Shard<N>>,
    /// As many as threads were ever at work, so that a tape stays in its core's cache, and a large
    /// one is not there once a shard.
    spaces: Mutex<Vec<Vec<Space<N>>>>,
    /// One for each image of a batch, where all meet.
    batch: Vec<Space<N>>,
}

struct Shard<N> {
    gradient: Box<N>,
    outcome: Result<Totals, LossError>,
}

struct Space<N: Trainable> {
    tape: Box<N::Tape>,
    image: Box<N::Input>,
    d_scores: Box<N::Output>,
    /// What dropout drops.
    seed: u64,
}

impl<N: Trainable + Send + Sync> Shards<N> {
    pub(super) fn new(count: usize) -> Self {
        let shard = |_| Shard {
            gradient: bytemuck::zeroed_box(),
            outcome: Ok(Totals::default()),
        };
        Self {
            shards: (0..count).map(shard).collect(),
            spaces: Mutex::default(),
            batch: Vec::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.len()
    }

    /// Fills the gradients, each with the sum over its part of `batch`.
    pub(super) fn run<S, L>(
        &mut self,
        net: &N,
        batch: &Batch<'_, S, L>,
    ) -> Result<Totals, LossError>
    where
        S: Samples,
        L: Loss<N::Scalar> + Sync,
    {
        let (count, images, spaces) = (self.len(), batch.images, &self.spaces);
        let cut = |number| number * images.len() / count;
        if N::EXCHANGES {
            return self.run_parts(net, batch, cut);
        }
        let at_once = if N::PARTS > 1 { MICRO_BATCH } else { 1 };
        let shards = self.shards.par_iter_mut().enumerate().with_max_len(1);
        let finish = Finish::of(count);
        let work = |number, shard: &mut Shard<N>| {
            let images = &images[cut(number)..cut(number + 1)];
            let pool = || spaces.lock().unwrap_or_else(PoisonError::into_inner);
            let mut spaces = pool().pop().unwrap_or_default();
            let count = spaces.len().max(at_once.min(images.len()));
            spaces.resize_with(count, Space::new);
            shard.outcome = run(&mut spaces, net, batch, images, &mut shard.gradient);
            pool().push(spaces);
        };
        shards.for_each(|(number, shard)| finish.run(|| work(number, shard)));
        self.totals()
    }

    /// Part by part; shard `number` has the images from `cut(number)` on.
    fn run_parts<S, L>(
        &mut self,
        net: &N,
        batch: &Batch<'_, S, L>,
        cut: impl Fn(usize) -> usize,
    ) -> Result<Totals, LossError>
    where
        S: Samples,
        L: Loss<N::Scalar> + Sync,
    {
        let Self {
            shards,
            batch: spaces,
            ..
        } = self;
        let images = batch.images;
        spaces.resize_with(spaces.len().max(images.len()), Space::new);
        let spaces = &mut spaces[..images.len()];
        let last = N::PARTS - 1;
        for part in 0..N::PARTS {
            each(shards, spaces, &cut, |shard, spaces, start| {
                let images = &images[start..start + spaces.len()];
                shard.outcome = forward(spaces, net, batch, images, part);
            });
            if part < last {
                moments::merge_forward(spaces, |space| N::moments(&mut space.tape, part));
            }
        }
        let totals = self.totals()?;
        let Self { shards, batch, .. } = self;
        let spaces = &mut batch[..images.len()];
        for part in (0..N::PARTS).rev() {
            each(shards, spaces, &cut, |shard, spaces, _| {
                if part == last {
                    shard.gradient.fill_zero();
                }
                backward(spaces, net, part, &mut shard.gradient);
            });
            if let Some(before) = part.checked_sub(1) {
                moments::merge_backward(spaces, |space| N::moments(&mut space.tape, before));
            }
        }
        Ok(totals)
    }

    fn totals(&self) -> Result<Totals, LossError> {
        let mut totals = Totals::default();
        for shard in &self.shards {
            totals.add(shard.outcome?);
        }
        Ok(totals)
    }

    /// The mean over `images` images of the gradient of tensor `index`.
    pub(super) fn mean(&self, index: usize, images: usize) -> Vec<N::Scalar> {
        let share = N::Scalar::of(1.0 / images as f64);
        let mut mean = vec![N::Scalar::ZERO; N::TENSORS[index].len()];
        for shard in &self.shards {
            let part = shard.gradient.tensor(index);
            mean.iter_mut()
                .zip(part)
                .for_each(|(sum, &part)| *sum += part);
        }
        mean.iter_mut().for_each(|sum| *sum *= share);
        mean
    }

    /// One step along the mean gradient of `images` images.
    ///
    /// Every tensor is halved until a piece fits the fastest cache; there the gradients are added
    /// and at once used up.
    pub(super) fn step<O>(
        &self,
        net: &mut N,
        slots: &mut [Box<N>],
        optimizer: &O,
        step: Step,
        images: usize,
    ) where
        O: Optimizer<N::Scalar> + Sync,
    {
        let share = N::Scalar::of(1.0 / images as f64);
        let shards = &self.shards;
        for (index, tensor) in N::TENSORS.iter().enumerate() {
            let update = |at: usize, w: &mut [N::Scalar], slots: [&mut [N::Scalar]; 2]| {
                let mut dw = [N::Scalar::ZERO; PIECE];
                let dw = &mut dw[..w.len()];
                for shard in shards {
                    let part = &shard.gradient.tensor(index)[at..at + w.len()];
                    dw.iter_mut()
                        .zip(part)
                        .for_each(|(sum, &part)| *sum += part);
                }
                dw.iter_mut().for_each(|sum| *sum *= share);
                optim::update(optimizer, step, tensor.role, w, dw, slots);
            };
            let mut slots = slots.iter_mut().map(|slot| slot.tensor_mut(index));
            let slots = [
                slots.next().unwrap_or_default(),
                slots.next().unwrap_or_default(),
            ];
            pieces(&update, 0, net.tensor_mut(index), slots);
        }
    }
}

impl<N: Trainable> Space<N> {
    fn new() -> Self {
        Self {
            tape: bytemuck::zeroed_box(),
            image: bytemuck::zeroed_box(),
            d_scores: bytemuck::zeroed_box(),
            seed: 0,
        }
    }

    /// The image, as training is to see it.
    fn show<S: Samples, L>(&mut self, batch: &Batch<'_, S, L>, index: usize) {
        let mut rng = Rng::stream(batch.seed, index as u64);
        self.seed = rng.next_u64();
        let image = self.image.as_mut_slice();
        batch.samples.augmented(index, image, &mut rng);
    }

    /// A part of forward; after the last one, the loss.
    fn forward<S: Samples, L: Loss<N::Scalar>>(
        &mut self,
        net: &N,
        batch: &Batch<'_, S, L>,
        index: usize,
        part: usize,
    ) -> Result<Totals, LossError> {
        let scores = net.forward_part(part, &self.image, &mut self.tape, self.seed);
        if part + 1 < N::PARTS {
            return Ok(Totals::default());
        }
        let (scores, label) = (scores.as_slice(), batch.samples.label(index));
        let d_scores = self.d_scores.as_mut_slice();
        let loss = batch.loss.loss(scores, label, d_scores)?;
        Ok(Totals {
            loss: loss.widen(),
            right: usize::from(place_of_largest(scores) == label),
            images: 1,
        })
    }
}

/// Forward and backward for `images`, as many at a time as there are `spaces`; `gradient` becomes their
/// sum.
fn run<N: Trainable, S: Samples, L: Loss<N::Scalar>>(
    spaces: &mut [Space<N>],
    net: &N,
    batch: &Batch<'_, S, L>,
    images: &[usize],
    gradient: &mut N,
) -> Result<Totals, LossError> {
    gradient.fill_zero();
    let mut totals = Totals::default();
    for images in images.chunks(spaces.len().max(1)) {
        let spaces = &mut spaces[..images.len()];
        for part in 0..N::PARTS {
            totals.add(forward(spaces, net, batch, images, part)?);
        }
        for part in (0..N::PARTS).rev() {
            backward(spaces, net, part, gradient);
        }
    }
    Ok(totals)
}

/// A part of forward for `images`, and the `fc` behind it.
fn forward<N: Trainable, S: Samples, L: Loss<N::Scalar>>(
    spaces: &mut [Space<N>],
    net: &N,
    batch: &Batch<'_, S, L>,
    images: &[usize],
    part: usize,
) -> Result<Totals, LossError> {
    let mut totals = Totals::default();
    for (space, &index) in spaces.iter_mut().zip(images) {
        if part == 0 {
            space.show(batch, index);
        }
        totals.add(space.forward(net, batch, index, part)?);
    }
    if part + 1 < N::PARTS {
        let images = spaces.iter_mut().map(|space| network::Forward {
            input: &*space.image,
            tape: &mut *space.tape,
        });
        net.forward_fc(part, &mut images.collect::<Vec<_>>());
    }
    Ok(totals)
}

/// A part of backward, and the `fc` before it.
fn backward<N: Trainable>(spaces: &mut [Space<N>], net: &N, part: usize, gradient: &mut N) {
    for space in &mut *spaces {
        let (image, d_scores) = (&space.image, &space.d_scores);
        net.backward_part(part, image, None, &mut space.tape, d_scores, gradient);
    }
    if let Some(before) = part.checked_sub(1) {
        let images = spaces.iter_mut().map(|space| network::Backward {
            input: &*space.image,
            d_input: None,
            tape: &mut *space.tape,
            d_output: &*space.d_scores,
        });
        net.backward_fc(before, &mut images.collect::<Vec<_>>(), gradient);
    }
}

/// Calls `run` for each shard with its spaces and the number of the first of them.
fn each<N: Trainable + Send + Sync>(
    shards: &mut [Shard<N>],
    spaces: &mut [Space<N>],
    cut: impl Fn(usize) -> usize,
    run: impl Fn(&mut Shard<N>, &mut [Space<N>], usize) + Sync,
) {
    let (mut rest, mut work) = (spaces, Vec::with_capacity(shards.len()));
    for (number, shard) in shards.iter_mut().enumerate() {
        let start = cut(number);
        let (mine, more) = rest.split_at_mut(cut(number + 1) - start);
        rest = more;
        work.push((shard, mine, start));
    }
    let finish = Finish::of(work.len());
    let work = work.into_par_iter().with_max_len(1);
    work.for_each(|(shard, spaces, start)| finish.run(|| run(shard, spaces, start)));
}

/// Scalars of a piece.
const PIECE: usize = 1024;

/// Hands pieces of `w`, which begins at scalar `at` of its tensor, to `update`, on many threads.
fn pieces<T: Real>(
    update: &(impl Fn(usize, &mut [T], [&mut [T]; 2]) + Sync),
    at: usize,
    w: &mut [T],
    slots: [&mut [T]; 2],
) {
    if w.len() <= PIECE {
        return update(at, w, slots);
    }
    let middle = (w.len() / 2).next_multiple_of(PIECE);
    let (w, more) = w.split_at_mut(middle);
    // A slot that the optimizer does not need is empty.
    let [(a, more_a), (b, more_b)] = slots.map(|slot| slot.split_at_mut(middle.min(slot.len())));
    rayon::join(
        || pieces(update, at, w, [a, b]),
        || pieces(update, at + middle, more, [more_a, more_b]),
    );
}
