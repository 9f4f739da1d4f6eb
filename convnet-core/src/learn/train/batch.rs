//! One mini-batch over the cores.
//!
//! ```text
//!  batch  │ 17 4 │ 99 8 │ 23 │ 42 5 │      the same cut whatever the number of threads
//!            │      │      │     │         each shard: its images in order, on its own tape,
//!            ▼      ▼      ▼     ▼         into its own gradient
//!           dW     dW     dW    dW
//!            └─ + ──┘      └─ + ─┘         1. sum: in halves, and halves of halves
//!               └───── + ────┘             2. reduce: over the machines, if there are many
//!                      ▼                   3. update, by the optimizer
//!                      W
//! ```
//!
//! On one machine there is nothing to reduce, and each piece of a sum goes straight on to the optimizer. Of
//! many machines each sums the largest halves of the shards that it has whole, and the gradient goes over the
//! wire in [buckets](super::gradient), the last layers first.
//!
//! Where a network has a large `fc`, a shard takes [several](MICRO_BATCH) images at a time, each on a
//! tape of its own, up to it, through it at once, and on. Where it has `batch_norm`, the images of a
//! batch wait for each other: then all shards run a [segment](Trainable::SEGMENTS), and the tapes'
//! [moments](crate::moments) are merged, image by image, before the next:
//!
//! ```text
//!  │ 17 4 │ 99 8 │ 23 │ 42 5 │  segment 0  ─▶ merge ─▶  segment 1, loss, segment 1  ─▶ merge ─▶  segment 0
//! ```
//!
//! So do shards of many machines where there is a large `fc` only, as many as have [room](HELD_BYTES): the
//! gradient of the last segment travels while the others are at work. Which of them do changes no bit.
//!
//! **Invariant:** every sum has an order that depends on the batch only, so the weights are the same
//! to the bit on one thread and on many.

use std::mem;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use num_traits::ConstZero;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::finish::Finish;
use super::gradient::{Beside, PIECE, Way, add_up, sum};
use super::history::Metrics;
use super::pass::{Cut, Place, Through};
use super::reduce::{self, Parts, Post, Reduce};
use super::{LossFor, TrainError};
use crate::data::{Samples, Target};
use crate::kernel::{MICRO_BATCH, tasks};
use crate::learn::loss::LossError;
use crate::learn::optim::{self, Optimizer, Step};
use crate::memory::heap::zeroed_box;
use crate::memory::moments;
use crate::{AnyVolume, Real, Rng, Trainable, network};

use moments::{Here, Row};

/// What a network did on the images seen so far; their sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Totals {
    pub(super) loss: f64,
    /// How many answers were right.
    pub(super) right: usize,
    /// Of how many: images, or pixels, or labels.
    pub(super) answers: usize,
    pub(super) images: usize,
}

impl Totals {
    pub(super) fn add(&mut self, more: Self) {
        self.loss += more.loss;
        self.right += more.right;
        self.answers += more.answers;
        self.images += more.images;
    }

    fn and(mut self, more: Self) -> Self {
        self.add(more);
        self
    }

    pub(super) fn means(&self) -> Metrics {
        let share = self.right as f64 / self.answers as f64;
        Metrics {
            loss: self.loss / self.images as f64,
            accuracy: (self.answers > 0).then_some(share),
        }
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
    /// Whether there is a gradient of other images, to be added to.
    pub(super) more: bool,
    /// Whether the gradient is whole with these.
    pub(super) last: bool,
}

/// What the shards of every batch work with.
pub(super) struct Shards<'a, N: Trainable, Y> {
    /// Those of this machine.
    shards: Vec<Shard<N>>,
    /// Which of all shards is its first.
    first: usize,
    /// How many there are on all machines.
    count: usize,
    /// Of them, each machine's.
    parts: Parts,
    reduce: &'a dyn Reduce,
    /// Whether the first has the sum of all.
    summed: bool,
    /// By which the gradient goes to other machines.
    way: Way<N>,
    /// Over which some of it goes while backward is at work.
    line: Option<Box<dyn Reduce>>,
    /// How long that took longer than backward.
    waited: Duration,
    /// As many as threads were ever at work, so that a tape stays in its core's cache, and a large
    /// one is not there once a shard.
    spaces: Mutex<Vec<Vec<Space<N, Y>>>>,
    /// One for each image of a batch, where all wait for each other.
    batch: Vec<Space<N, Y>>,
}

pub(super) struct Shard<N> {
    pub(super) gradient: Box<N>,
    outcome: Result<Totals, LossError>,
}

struct Space<N: Trainable, Y> {
    tape: Box<N::Tape>,
    image: Box<N::Input>,
    d_scores: Box<N::Output>,
    /// What is to be answered to the image, as it is shown.
    label: Option<Y>,
    /// What dropout drops.
    seed: u64,
    /// What a pass notes on its way forward.
    cut: Cut,
}

impl<'a, N: Trainable + Send + Sync, Y: Target> Shards<'a, N, Y> {
    /// `count` of them on all machines that `reduce` stands for.
    pub(super) fn new(count: usize, reduce: &'a dyn Reduce) -> Self {
        let shard = |_| Shard {
            gradient: zeroed_box(),
            outcome: Ok(Totals::default()),
        };
        let parts = Parts::new(reduce, count, |machine| machine * count / reduce.machines());
        let here = parts.of(reduce.machine());
        let way = Way::new(&parts, reduce.machine());
        Self {
            line: reduce
                .second_line()
                .filter(|_| reduce.machines() > 1 && way.has_early()),
            way,
            waited: Duration::ZERO,
            first: here.start,
            shards: here.map(shard).collect(),
            count,
            parts,
            reduce,
            summed: false,
            spaces: Mutex::default(),
            batch: Vec::new(),
        }
    }

    /// Of so many images, those of this machine.
    pub(super) fn share(&self, images: usize) -> Range<usize> {
        let cut = |number| number * images / self.count;
        cut(self.first)..cut(self.first + self.shards.len())
    }

    /// How many there are on all machines.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Seconds that were waited, since this was asked last, for what is on its way beside backward.
    pub(super) fn waited(&mut self) -> f64 {
        mem::take(&mut self.waited).as_secs_f64()
    }

    /// Fills the gradients, each with the sum over its part of `batch`, or adds it to what is there; what comes
    /// back is of the whole.
    pub(super) fn run<S, L>(
        &mut self,
        net: Through<'_, N>,
        batch: &Batch<'_, S, L>,
    ) -> Result<Totals, TrainError>
    where
        S: Samples<Y>,
        L: LossFor<N::Scalar, Y> + Sync,
    {
        let (first, count, images, spaces) = (self.first, self.count, batch.images, &self.spaces);
        let cut = |number| (first + number) * images.len() / count;
        self.summed = false;
        let early = batch.last && self.line.is_some();
        let alone = self.shards.len() - self.held(images.len(), early, net.pass.exchanges());
        let at_once = if N::SEGMENTS > 1 { MICRO_BATCH } else { 1 };
        let finish = Finish::of(alone);
        let work = |number, shard: &mut Shard<N>| {
            let images = &images[cut(number)..cut(number + 1)];
            let pool = || spaces.lock().unwrap_or_else(PoisonError::into_inner);
            let mut spaces = pool().pop().unwrap_or_default();
            let count = spaces.len().max(at_once.min(images.len()));
            spaces.resize_with(count, Space::new);
            if !batch.more {
                shard.gradient.fill_zero();
            }
            shard.outcome = run(&mut spaces, net, batch, images, &mut shard.gradient);
            pool().push(spaces);
        };
        tasks::each(&mut self.shards[..alone], 1, |number, shard| {
            finish.run(|| work(number, shard));
        });
        match net.pass.exchanges() || early {
            true => self.run_segments(net, batch, alone, cut),
            false => totals(self.reduce, &self.parts, &self.shards),
        }
    }

    /// How many of the last shards run segment by segment: all, where images wait for each other; and as many as
    /// have room, where the gradient travels `early`.
    fn held(&self, images: usize, early: bool, exchanges: bool) -> usize {
        let all = self.shards.len();
        if exchanges || !early {
            return if exchanges { all } else { 0 };
        }
        let image = size_of::<N::Tape>() + size_of::<N::Input>() + size_of::<N::Output>();
        let shard = image * images.div_ceil(self.count);
        let alone = all.saturating_sub(HELD_BYTES / shard.max(1));
        // As many on each thread.
        all.saturating_sub(alone.next_multiple_of(rayon::current_num_threads()))
    }

    /// The shards from `alone` on segment by segment, all others being done; shard `number` of this machine has
    /// the images from `cut(number)` on.
    fn run_segments<S, L>(
        &mut self,
        net: Through<'_, N>,
        batch: &Batch<'_, S, L>,
        alone: usize,
        cut: impl Fn(usize) -> usize,
    ) -> Result<Totals, TrainError>
    where
        S: Samples<Y>,
        L: LossFor<N::Scalar, Y> + Sync,
    {
        let Self {
            shards,
            batch: spaces,
            count,
            parts: shard_parts,
            reduce,
            way,
            line,
            waited,
            summed,
            ..
        } = self;
        let (reduce, shard_parts) = (*reduce, &*shard_parts);
        let exchanges = net.pass.exchanges();
        let held = cut(alone)..cut(shards.len());
        let images = &batch.images[held.clone()];
        let start_of = |number| cut(alone + number) - held.start;
        let here = Here {
            first: held.start,
            images: images.len(),
            batch: batch.images.len(),
        };
        let (count, all) = (*count, batch.images.len());
        let parts = Parts::new(reduce, all, |machine| {
            let shard = machine * count / reduce.machines();
            shard * all / count
        });
        let sum = |spaces: &mut [Space<N, Y>], row: &Row<'_, Space<N, Y>, N::Scalar>| {
            sum_rows(reduce, &parts, spaces, row)
        };
        // Where there is no image, there is a tape all the same, for what the others say.
        let least = usize::from(exchanges);
        spaces.resize_with(spaces.len().max(images.len()).max(least), Space::new);
        // An `fc` adds the gradients of as many images at once as if the shard ran alone.
        let at_once = if exchanges { usize::MAX } else { MICRO_BATCH };
        let last = N::SEGMENTS - 1;
        for segment in 0..N::SEGMENTS {
            let spaces = &mut spaces[..];
            each(
                &mut shards[alone..],
                &mut spaces[..images.len()],
                start_of,
                |shard, spaces, start| {
                    let images = &images[start..start + spaces.len()];
                    let chunks = spaces.chunks_mut(at_once).zip(images.chunks(at_once));
                    shard.outcome = chunks
                        .map(|(spaces, images)| forward(spaces, net, batch, images, segment))
                        .try_fold(Totals::default(), |sum, more| Ok(sum.and(more?)));
                },
            );
            if exchanges && segment < last {
                moments::merge_forward_across(spaces, here, sum, |space| {
                    N::moments(&mut space.tape, segment)
                })?;
            }
        }
        let totals = totals(reduce, shard_parts, shards)?;
        thread::scope(|scope| {
            let line = line.as_deref().filter(|_| batch.last);
            let beside = line.map(|line| Beside::new(scope, line, shard_parts));
            for segment in (0..N::SEGMENTS).rev() {
                let spaces = &mut spaces[..];
                each(
                    &mut shards[alone..],
                    &mut spaces[..images.len()],
                    start_of,
                    |shard, spaces, _| {
                        if segment == last && !batch.more {
                            shard.gradient.fill_zero();
                        }
                        for spaces in spaces.chunks_mut(at_once) {
                            backward(spaces, net, segment, &mut shard.gradient);
                        }
                    },
                );
                if let Some(beside) = &beside {
                    beside.after(segment, way, shards);
                }
                if let Some(before) = segment.checked_sub(1).filter(|_| exchanges) {
                    moments::merge_backward_across(spaces, here, sum, |space| {
                        N::moments(&mut space.tape, before)
                    })?;
                }
            }
            if let Some(beside) = beside {
                way.reduce(reduce, shard_parts, shards, true)?;
                let start = Instant::now();
                beside.finish(way, shards)?;
                *waited += start.elapsed();
                *summed = true;
            }
            Ok(totals)
        })
    }

    /// Adds the gradients that are not added yet: over the shards, then over the machines. On one machine that is
    /// left to [`step`](Self::step), which uses up each piece of a sum while it is in the cache; unless the
    /// `whole` sum is asked for.
    pub(super) fn reduce(&mut self, whole: bool) -> Result<(), TrainError> {
        if self.reduce.machines() == 1 {
            if let (true, Some((first, others))) = (whole, self.shards.split_first_mut()) {
                self.summed = true;
                let alone = others.is_empty();
                for index in 0..if alone { 0 } else { N::TENSORS.len() } {
                    let add = |at, sum: &mut [N::Scalar], _: [&mut [N::Scalar]; 2]| {
                        add_up(others, index, at, sum);
                    };
                    let sum = first.gradient.tensor_mut(index);
                    pieces(&add, 0, sum, [&mut [], &mut []]);
                }
            }
            return Ok(());
        }
        if !self.summed {
            self.way
                .reduce(self.reduce, &self.parts, &mut self.shards, false)?;
            self.summed = true;
        }
        Ok(())
    }

    /// Of each tensor the L2 norm of the mean gradient over `images` images, once the whole was asked for. In
    /// an order that does not depend on the threads.
    pub(super) fn norms(&self, images: usize) -> Vec<f64> {
        let Some(first) = self.summands().first() else {
            return Vec::new();
        };
        let norm = |index| norm(first.gradient.tensor(index)) / images as f64;
        (0..N::TENSORS.len()).map(norm).collect()
    }

    /// One step along `share` times the gradient: the mean is one part in so many images.
    ///
    /// Every tensor is halved until a piece fits the fastest cache; there the gradients are added
    /// and at once used up.
    pub(super) fn step<O>(
        &self,
        net: &mut N,
        slots: &mut [Box<N>],
        optimizer: &O,
        step: Step,
        factors: &[f64],
        share: f64,
    ) where
        O: Optimizer<N::Scalar> + Sync,
    {
        let (shards, share) = (self.summands(), N::Scalar::of(share));
        for ((index, tensor), factor) in N::TENSORS.iter().enumerate().zip(factors) {
            // Frozen: neither a gradient nor a decay, nor a statistic that moves.
            if *factor == 0.0 {
                continue;
            }
            let step = Step {
                rate: step.rate * factor,
                ..step
            };
            let update = |at: usize, w: &mut [N::Scalar], slots: [&mut [N::Scalar]; 2]| {
                let mut dw = [N::Scalar::ZERO; PIECE];
                let dw = &mut dw[..w.len()];
                sum(shards, index, at, dw);
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

    /// The mean over `images` images of the gradient of tensor `index`.
    pub(super) fn mean(&self, index: usize, images: usize) -> Vec<N::Scalar> {
        let share = N::Scalar::of(1.0 / images as f64);
        let mut mean = vec![N::Scalar::ZERO; N::TENSORS[index].len()];
        for (number, piece) in mean.chunks_mut(PIECE).enumerate() {
            sum(self.summands(), index, number * PIECE, piece);
        }
        mean.iter_mut().for_each(|sum| *sum *= share);
        mean
    }

    /// Those whose gradients add up to the batch's.
    fn summands(&self) -> &[Shard<N>] {
        match self.summed {
            true => self.shards.get(..1).unwrap_or_default(),
            false => &self.shards,
        }
    }
}

/// What the shards of all machines came to; an error if one of any machine did not.
fn totals<N>(
    reduce: &dyn Reduce,
    parts: &Parts,
    shards: &[Shard<N>],
) -> Result<Totals, TrainError> {
    if reduce.machines() == 1 {
        return Ok(total(shards)?);
    }
    let (nodes, first) = (
        parts.nodes(reduce.machine()),
        parts.of(reduce.machine()).start,
    );
    let of_node = |node: &Range<usize>| total(&shards[node.start - first..node.end - first]);
    let mine: Result<Vec<Totals>, LossError> = nodes.iter().map(of_node).collect();
    // Whether it failed, three counts, the loss of each node.
    let mut record = vec![0.0; 4 + nodes.len()];
    record[0] = if mine.is_err() { 1.0 } else { 0.0 };
    for (number, totals) in mine.iter().flatten().enumerate() {
        let counts = [totals.right, totals.answers, totals.images];
        let sums = record[1..4].iter_mut().zip(counts);
        sums.for_each(|(sum, count)| *sum += count as f64);
        record[4 + number] = totals.loss;
    }
    let all = reduce::gather(reduce, &record, |m| 4 + parts.nodes(m).len())?;
    if all.iter().any(|record| record[0] > 0.0) {
        let failed = reduce::all_well(reduce, mine.map_err(TrainError::from));
        return failed.map(|_| Totals::default());
    }
    let mut losses = Vec::new();
    for (m, record) in all.iter().enumerate() {
        let nodes = parts.nodes(m).into_iter().zip(record[4..].chunks(1));
        losses.extend(nodes.map(|(node, loss)| (node.start, loss)));
    }
    let mut loss = [0.0];
    reduce::add(&(0..parts.count()), &losses, 0, &mut loss);
    // Counts: exact, and whole.
    let count = |at: usize| all.iter().map(|record| record[at]).sum::<f64>() as usize;
    Ok(Totals {
        loss: loss[0],
        right: count(1),
        answers: count(2),
        images: count(3),
    })
}

/// The sum over all machines of a row of each image, of which the first image of a node has the node's; the
/// first image of all gets it.
fn sum_rows<N: Trainable, Y>(
    reduce: &dyn Reduce,
    parts: &Parts,
    spaces: &mut [Space<N, Y>],
    row: &Row<'_, Space<N, Y>, N::Scalar>,
) -> Result<(), TrainError> {
    if reduce.machines() == 1 {
        return Ok(());
    }
    let (nodes, here) = (parts.nodes(reduce.machine()), parts.of(reduce.machine()));
    let mine: Vec<Vec<N::Scalar>> = nodes
        .iter()
        .map(|node| row(&mut spaces[node.start - here.start]).to_vec())
        .collect();
    let mine: Vec<&[N::Scalar]> = mine.iter().map(|row| &**row).collect();
    let (sum, post) = (row(&mut spaces[0]), &mut Post::default());
    reduce::sum(reduce, parts, &mine, sum, post)
}

/// The L2 norm, piece by piece: the sum of a piece is taken in f64, where the square of no f32 overflows.
pub(super) fn norm<T: Real>(values: &[T]) -> f64 {
    let square = |piece: &[T]| -> f64 { piece.iter().map(|&v| v.widen() * v.widen()).sum() };
    let squares: Vec<f64> = values.par_chunks(PIECE).map(square).collect();
    squares.iter().sum::<f64>().sqrt()
}

/// What shards came to, added in the same way; the first error, if there is one.
fn total<N>(shards: &[Shard<N>]) -> Result<Totals, LossError> {
    match shards {
        [] => Ok(Totals::default()),
        [shard] => shard.outcome,
        _ => {
            let (one, other) = shards.split_at(shards.len() / 2);
            let mut totals = total(one)?;
            totals.add(total(other)?);
            Ok(totals)
        }
    }
}

impl<N: Trainable, Y: Target> Space<N, Y> {
    fn new() -> Self {
        Self {
            tape: zeroed_box(),
            image: zeroed_box(),
            d_scores: zeroed_box(),
            label: None,
            seed: 0,
            cut: Cut::new(),
        }
    }

    /// The image, as training is to see it.
    fn show<S: Samples<Y>, L>(&mut self, batch: &Batch<'_, S, L>, index: usize) {
        let mut rng = Rng::stream(batch.seed, index as u64);
        self.seed = rng.next_u64();
        let image = self.image.as_mut_slice();
        self.label = Some(batch.samples.show(index, image, &mut rng));
    }

    /// A segment of forward; after the last one, the loss.
    fn forward<S, L: LossFor<N::Scalar, Y>>(
        &mut self,
        net: Through<'_, N>,
        batch: &Batch<'_, S, L>,
        segment: usize,
    ) -> Result<Totals, LossError> {
        let seed = self.seed;
        let place = Place {
            image: &mut *self.image,
            tape: &mut *self.tape,
            cut: &mut self.cut,
        };
        let scores = net.pass.forward(net.net, segment, seed, place);
        if segment + 1 < N::SEGMENTS {
            return Ok(Totals::default());
        }
        let (scores, d_scores) = (scores.as_slice(), self.d_scores.as_mut_slice());
        let mut totals = Totals::default();
        if let Some(label) = &self.label {
            totals.images = 1;
            totals.loss = batch.loss.loss_for(scores, label, d_scores)?.widen();
            label.answers(scores, &mut |label, answer| {
                totals.answers += 1;
                totals.right += usize::from(label == answer);
            });
        }
        Ok(totals)
    }
}

/// Forward and backward for `images`, as many at a time as there are `spaces`; their sum is added to
/// `gradient`.
fn run<N: Trainable, S: Samples<Y>, L: LossFor<N::Scalar, Y>, Y: Target>(
    spaces: &mut [Space<N, Y>],
    net: Through<'_, N>,
    batch: &Batch<'_, S, L>,
    images: &[usize],
    gradient: &mut N,
) -> Result<Totals, LossError> {
    let mut totals = Totals::default();
    for images in images.chunks(spaces.len().max(1)) {
        let spaces = &mut spaces[..images.len()];
        for segment in 0..N::SEGMENTS {
            totals.add(forward(spaces, net, batch, images, segment)?);
        }
        for segment in (0..N::SEGMENTS).rev() {
            backward(spaces, net, segment, gradient);
        }
    }
    Ok(totals)
}

/// A segment of forward for `images`, and the `fc` behind it.
fn forward<N: Trainable, S: Samples<Y>, L: LossFor<N::Scalar, Y>, Y: Target>(
    spaces: &mut [Space<N, Y>],
    net: Through<'_, N>,
    batch: &Batch<'_, S, L>,
    images: &[usize],
    segment: usize,
) -> Result<Totals, LossError> {
    let mut totals = Totals::default();
    for (space, &index) in spaces.iter_mut().zip(images) {
        if segment == 0 {
            space.show(batch, index);
        }
        totals.add(space.forward(net, batch, segment)?);
    }
    if segment + 1 < N::SEGMENTS {
        let images = spaces.iter_mut().map(|space| network::Forward {
            input: &*space.image,
            tape: &mut *space.tape,
        });
        net.net.forward_fc(segment, &mut images.collect::<Vec<_>>());
    }
    Ok(totals)
}

/// A segment of backward, and the `fc` before it.
fn backward<N: Trainable, Y>(
    spaces: &mut [Space<N, Y>],
    net: Through<'_, N>,
    segment: usize,
    gradient: &mut N,
) {
    for space in &mut *spaces {
        let place = Place {
            image: &mut *space.image,
            tape: &mut *space.tape,
            cut: &mut space.cut,
        };
        let d_scores = &mut *space.d_scores;
        net.pass
            .backward(net.net, segment, place, d_scores, gradient);
    }
    if let Some(before) = segment.checked_sub(1) {
        let images = spaces.iter_mut().map(|space| network::Backward {
            input: &*space.image,
            d_input: None,
            tape: &mut *space.tape,
            d_output: &*space.d_scores,
        });
        net.net
            .backward_fc(before, &mut images.collect::<Vec<_>>(), gradient);
    }
}

/// Calls `run` for each shard with its spaces and the number of the first of them.
fn each<N: Trainable + Send + Sync, Y: Target>(
    shards: &mut [Shard<N>],
    spaces: &mut [Space<N, Y>],
    cut: impl Fn(usize) -> usize,
    run: impl Fn(&mut Shard<N>, &mut [Space<N, Y>], usize) + Sync,
) {
    let (mut rest, mut work) = (spaces, Vec::with_capacity(shards.len()));
    for (number, shard) in shards.iter_mut().enumerate() {
        let start = cut(number);
        let (mine, more) = rest.split_at_mut(cut(number + 1) - start);
        rest = more;
        work.push((shard, mine, start));
    }
    let finish = Finish::of(work.len());
    tasks::each(&mut work, 1, |_, (shard, spaces, start)| {
        finish.run(|| run(shard, spaces, *start));
    });
}

/// Bytes of tapes and images in which a machine may keep all images of shards until the gradient of the last
/// layers is on its way: they stay in the cache of a processor, or nearly so.
const HELD_BYTES: usize = 64 << 20;

/// What is done with a piece of a tensor, which begins at this scalar of it, and of its slots.
type Update<'a, T> = dyn Fn(usize, &mut [T], [&mut [T]; 2]) + Sync + 'a;

/// Hands pieces of `w`, which begins at scalar `at` of its tensor, to `update`, on many threads.
pub(super) fn pieces<T: Real>(
    update: &Update<'_, T>,
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
