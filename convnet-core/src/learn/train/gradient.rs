//! The gradient on its way: summed over the shards, then over the machines, in buckets.
//!
//! ```text
//!  backward     │ segment 3 │ segment 2 │ segment 1 │ segment 0 │
//!  second line              └─ 3 ───▶ └─ 2 ─────▶   └─ 1 ───▶   │    what is whole travels while the rest is at work,
//!  first line                                                   └─ 0 ▶ and what is left then
//! ```
//!
//! Where machines have no [second line](Reduce::second_line), or a network has one segment only, all buckets
//! travel after backward. Which line a bucket takes, and when, depends on the network and the batch only: all
//! machines do the same.

use std::mem;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};

use num_traits::ConstZero;

use super::TrainError;
use super::batch::{Shard, pieces};
use super::reduce::{self, Parts, Post, Reduce};
use crate::{Real, Trainable};

/// By which the gradient goes from a machine to the others.
pub(super) struct Way<N: Trainable> {
    /// The last layers first.
    buckets: Vec<Bucket>,
    /// Whose sums this machine gives: shards, counted from its first.
    nodes: Vec<Range<usize>>,
    /// Those that carry nothing.
    idle: Vec<Load<N::Scalar>>,
}

/// Parts of tensors that travel together.
struct Bucket {
    /// Which scalars of which tensors.
    parts: Vec<(usize, Range<usize>)>,
    /// How many scalars they are.
    len: usize,
    /// The segment of backward after which they are whole.
    after: usize,
}

/// What a bucket lies in while it travels.
#[derive(Default)]
struct Load<T> {
    bucket: usize,
    /// Of each node of this machine.
    found: Vec<Vec<T>>,
    /// The sum over all machines.
    added: Vec<T>,
    post: Post<T>,
}

impl<N: Trainable + Send + Sync> Way<N> {
    pub(super) fn new(parts: &Parts, machine: usize) -> Self {
        let first = parts.of(machine).start;
        let nodes = parts.nodes(machine).into_iter();
        Self {
            buckets: buckets::<N>(),
            nodes: nodes
                .map(|node| node.start - first..node.end - first)
                .collect(),
            idle: Vec::new(),
        }
    }

    /// Whether there is something that may travel while backward is at work.
    pub(super) fn has_early(&self) -> bool {
        self.buckets.iter().any(|bucket| bucket.after > 0)
    }

    /// One bucket after the other: their sums, over all machines, into the first shard. All, or only those that
    /// are not whole before backward ends.
    pub(super) fn reduce(
        &mut self,
        reduce: &dyn Reduce,
        parts: &Parts,
        shards: &mut [Shard<N>],
        late_only: bool,
    ) -> Result<(), TrainError> {
        for bucket in 0..self.buckets.len() {
            if late_only && self.buckets[bucket].after > 0 {
                continue;
            }
            let mut load = self.load(bucket, shards);
            load.travel(reduce, parts)?;
            self.unload(load, shards);
        }
        Ok(())
    }

    /// The sums over this machine's nodes.
    fn load(&mut self, bucket: usize, shards: &[Shard<N>]) -> Load<N::Scalar> {
        let mut load = self.idle.pop().unwrap_or_default();
        let Bucket { parts, len, .. } = &self.buckets[bucket];
        load.bucket = bucket;
        load.added.resize(*len, N::Scalar::ZERO);
        load.found.resize_with(self.nodes.len(), Vec::new);
        for (node, found) in self.nodes.iter().zip(&mut load.found) {
            found.resize(*len, N::Scalar::ZERO);
            let (shards, mut rest) = (&shards[node.clone()], &mut found[..]);
            for (index, part) in parts {
                let (to, more) = rest.split_at_mut(part.len());
                rest = more;
                let sum = |at: usize, to: &mut [N::Scalar], _: [&mut [N::Scalar]; 2]| {
                    sum(shards, *index, at, to);
                };
                pieces(&sum, part.start, to, [&mut [], &mut []]);
            }
        }
        load
    }

    /// Leaves the sums where the step finds them: in the first shard.
    fn unload(&mut self, load: Load<N::Scalar>, shards: &mut [Shard<N>]) {
        if let Some(first) = shards.first_mut() {
            let mut rest = &load.added[..];
            for (index, part) in &self.buckets[load.bucket].parts {
                let (from, more) = rest.split_at(part.len());
                rest = more;
                first.gradient.tensor_mut(*index)[part.clone()].copy_from_slice(from);
            }
        }
        self.idle.push(load);
    }
}

impl<T: Real> Load<T> {
    fn travel(&mut self, reduce: &dyn Reduce, parts: &Parts) -> Result<(), TrainError> {
        let mine: Vec<&[T]> = self.found.iter().map(|found| &**found).collect();
        reduce::sum(reduce, parts, &mine, &mut self.added, &mut self.post)
    }
}

/// A thread that carries buckets while others compute.
pub(super) struct Beside<'scope, T> {
    to: Sender<Load<T>>,
    back: Receiver<Load<T>>,
    thread: ScopedJoinHandle<'scope, Result<(), TrainError>>,
}

impl<'scope, T: Real> Beside<'scope, T> {
    pub(super) fn new<'env>(
        scope: &'scope Scope<'scope, 'env>,
        line: &'env dyn Reduce,
        parts: &'env Parts,
    ) -> Self {
        let ((to, loads), (done, back)) = (channel::<Load<T>>(), channel());
        let thread = scope.spawn(move || {
            for mut load in loads {
                load.travel(line, parts)?;
                // Nobody listens any more where training has failed.
                let _ = done.send(load);
            }
            Ok(())
        });
        Self { to, back, thread }
    }

    /// Sends off what is whole after `segment`, and takes what has come.
    pub(super) fn after<N>(&self, segment: usize, way: &mut Way<N>, shards: &mut [Shard<N>])
    where
        N: Trainable<Scalar = T> + Send + Sync,
    {
        if segment == 0 {
            return;
        }
        while let Ok(load) = self.back.try_recv() {
            way.unload(load, shards);
        }
        for bucket in 0..way.buckets.len() {
            if way.buckets[bucket].after == segment {
                // If the thread has ended, it says why in the end.
                let _ = self.to.send(way.load(bucket, shards));
            }
        }
    }

    /// Waits for what is still on its way.
    pub(super) fn finish<N>(
        self,
        way: &mut Way<N>,
        shards: &mut [Shard<N>],
    ) -> Result<(), TrainError>
    where
        N: Trainable<Scalar = T> + Send + Sync,
    {
        drop(self.to);
        let ended = self.thread.join();
        ended.unwrap_or_else(|panic| resume_unwind(panic))?;
        for load in self.back {
            way.unload(load, shards);
        }
        Ok(())
    }
}

/// The gradient in buckets, in the order in which backward is done with them.
fn buckets<N: Trainable>() -> Vec<Bucket> {
    let (mut all, mut parts, mut len) = (Vec::new(), Vec::new(), 0);
    let mut close = |parts: &mut Vec<_>, len: &mut usize, after| {
        let (parts, len) = (mem::take(parts), mem::take(len));
        all.push(Bucket { parts, len, after });
    };
    for after in (0..N::SEGMENTS).rev() {
        let tensors = N::TENSORS.iter().enumerate();
        for (index, tensor) in tensors.filter(|(index, _)| N::whole_after(*index) == after) {
            let mut start = 0;
            while start < tensor.len() {
                let end = tensor.len().min(start + MOST - len);
                parts.push((index, start..end));
                len += end - start;
                start = end;
                if len == MOST {
                    close(&mut parts, &mut len, after);
                }
            }
        }
        if len >= if after == 0 { 1 } else { LEAST } {
            close(&mut parts, &mut len, after);
        }
    }
    all
}

/// Scalars that are on their way at once: so many that nobody waits for messages to begin, so few that a
/// large network needs no copy of its gradient where it travels after backward.
const MOST: usize = 1 << 20;

/// Fewer wait for those of the segment before: a message has its price.
const LEAST: usize = 1 << 12;

/// Scalars of a piece that is added at once.
pub(super) const PIECE: usize = 1024;

/// The sum of the gradients of tensor `index` from scalar `at` on.
pub(super) fn sum<N: Trainable>(
    shards: &[Shard<N>],
    index: usize,
    at: usize,
    sum: &mut [N::Scalar],
) {
    if let Some((first, others)) = shards.split_first() {
        sum.copy_from_slice(first.piece(index, at, sum.len()));
        add_up(others, index, at, sum);
    }
}

/// To a piece of one shard's gradient, adds those of `others`, which come after it: the sums of two halves,
/// and of halves of halves.
pub(super) fn add_up<N: Trainable>(
    others: &[Shard<N>],
    index: usize,
    at: usize,
    sum: &mut [N::Scalar],
) {
    let add = |sum: &mut [N::Scalar], more: &[N::Scalar]| {
        sum.iter_mut()
            .zip(more)
            .for_each(|(sum, &more)| *sum += more);
    };
    if let [other] = others {
        return add(sum, other.piece(index, at, sum.len()));
    }
    let (near, far) = others.split_at(others.len().div_ceil(2).saturating_sub(1));
    if let Some((first, far)) = far.split_first() {
        add_up(near, index, at, sum);
        let mut more = [N::Scalar::ZERO; PIECE];
        let more = &mut more[..sum.len()];
        more.copy_from_slice(first.piece(index, at, sum.len()));
        add_up(far, index, at, more);
        add(sum, more);
    }
}

impl<N: Trainable> Shard<N> {
    /// `len` numbers of its gradient of tensor `index`, from scalar `at` on.
    fn piece(&self, index: usize, at: usize, len: usize) -> &[N::Scalar] {
        &self.gradient.tensor(index)[at..at + len]
    }
}
