//! Many machines that train one network: each has a part of every batch, and what they find is added.
//!
//! ```text
//!  batch      │ 17 4 │ 99 8 ║ 23 │ 42 5 │     machine 0 has the first half of the shards, 1 the other
//!                 │      │       │     │
//!               0 └── + ─┘     1 └─ + ─┘       1. each sums the gradients of its shards
//!                     └───── + ────┘           2. Reduce: the sums of all machines, on all machines
//!                      W           W           3. each makes the same step
//! ```
//!
//! A batch with `batch_norm` is reduced at each of them, too, on the way forward and on the way back: its
//! [moments](crate::moments) are those of the whole batch.

use std::error::Error;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytemuck::Pod;
use rayon::prelude::*;

use super::TrainError;
use crate::Real;
use crate::memory::halves;

/// Why machines could not talk to each other.
pub type ReduceError = Box<dyn Error + Send + Sync>;

/// How the machines of a training hear what each of them has found: [`Trainer::reduce`].
///
/// A training of many machines is one program that runs on each, with the same settings, the same
/// weights to begin with and the same images (each reads only those of its part of a batch, and of what is
/// validated on; all read all labels). Each machine calls [`fit`](super::Trainer::fit), and all come out
/// with the same network. All call these methods in the same order, one at a time, but on any thread of the
/// pool that trains. A [second line](Self::second_line) has an order of its own.
///
/// # The same to the bit
///
/// A batch is cut into [shards](super::Trainer::shards), and what they found is added in halves, and
/// halves of halves. A machine has as many shards as the others, or one more. It sends the sums of the
/// largest halves that it has whole, and whoever gets them all adds them as one machine would. So any number
/// of machines gives the same network, to the bit, whatever the order in which messages come.
///
/// Numbers go round once where they are few, or where there are two machines. Otherwise each machine adds up
/// a part of them, and sends the sums.
///
/// # Checkpoints
///
/// Machine 0 writes [checkpoints](super::Trainer::checkpoint), and all read them: the path is one that
/// all see. A training may go on from it on another number of machines, and comes out the same.
///
/// # Example
///
/// Two machines that are threads, and send each other what they found:
///
/// ```
/// # use convnet_core as convnet;
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/digit.rs"));
/// use std::sync::Mutex;
/// use std::sync::mpsc::{Receiver, Sender, channel};
///
/// use convnet::data;
/// use convnet::init::Init;
/// use convnet::optim::Adam;
/// use convnet::train::{Reduce, ReduceError, TrainError, Trainer};
///
/// struct OneOfTwo { number: usize, to: Sender<Vec<u8>>, from: Mutex<Receiver<Vec<u8>>> }
///
/// impl Reduce for OneOfTwo {
///     fn machines(&self) -> usize {
///         2
///     }
///
///     fn machine(&self) -> usize {
///         self.number
///     }
///
///     fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError> {
///         let other = 1 - self.number;
///         self.to.send(to[other].to_vec())?;
///         let theirs = self.from.lock().map_err(|_| "a machine panicked")?.recv()?;
///         from[other].copy_from_slice(&theirs);
///         Ok(())
///     }
/// }
///
/// # fn main() -> Result<(), TrainError> {
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/data/digits.csv.gz");
/// let digits = data::digits(path)?;
/// let (_, few) = data::split(&digits, 0.1, 0)?;
/// let train = |machine: Option<OneOfTwo>| {
///     let mut net: Box<Digit> = bytemuck::zeroed_box();
///     Init::default().fill(&mut *net, 231);
///     let mut trainer = Trainer::new(Adam::default()).epochs(2).threads(1);
///     if let Some(machine) = machine {
///         trainer = trainer.reduce(machine);
///     }
///     trainer.fit(&mut *net, &few)?;
///     Ok::<_, TrainError>(net.scores.bias)
/// };
/// let ((to_0, from_1), (to_1, from_0)) = (channel(), channel());
/// let machine_0 = OneOfTwo { number: 0, to: to_1, from: from_1.into() };
/// let machine_1 = OneOfTwo { number: 1, to: to_0, from: from_0.into() };
/// let (one, other) = std::thread::scope(|scope| {
///     let other = scope.spawn(|| train(Some(machine_1)));
///     (train(Some(machine_0)), other.join().expect("it does not panic"))
/// });
/// let alone = train(None)?;
/// assert_eq!((one?, other?), (alone, alone)); // to the bit
/// # Ok(())
/// # }
/// ```
///
/// [`Trainer::reduce`]: super::Trainer::reduce
pub trait Reduce: Send + Sync {
    /// How many machines there are, one at least.
    fn machines(&self) -> usize;

    /// Which of them this one is, counted from 0.
    fn machine(&self) -> usize;

    /// Sends each machine `m` the bytes `to[m]`, and fills `from[m]` with those that it sends to this one, as
    /// many as there is room for: all know how many that are. This machine's own places are left alone.
    ///
    /// # Errors
    ///
    /// If the machines cannot talk to each other. The training stops.
    fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError>;

    /// Replaces numbers by their sums over all machines, by the same bits on each, in whatever order is the
    /// fastest; and says `true`, on all machines. `false`, as long as it is not said otherwise: sums are taken
    /// in the order that gives the bits of one machine. Which of the two, it is asked with no numbers.
    ///
    /// # Errors
    ///
    /// As [`exchange`](Self::exchange).
    fn sum(&self, values: Summands<'_>) -> Result<bool, ReduceError> {
        let _ = values;
        Ok(false)
    }

    /// A second line to the same machines, which is used while this one is, by another thread: over it the
    /// gradient of the last layers travels while backward is at work on those before. What is sent on one line
    /// is not received on the other. All machines have one, or none: then the gradient travels after backward,
    /// and that is so unless it is said otherwise.
    ///
    /// It is asked for once a training. There is something to gain where a network is cut into
    /// [segments](crate::Trainable::SEGMENTS).
    fn second_line(&self) -> Option<Box<dyn Reduce>> {
        None
    }
}

/// Numbers to be added to those of other machines.
#[derive(Debug)]
pub enum Summands<'a> {
    /// In single precision.
    F32(&'a mut [f32]),
    /// In double precision.
    F64(&'a mut [f64]),
}

/// One machine, whose sums are those of all: what a trainer has unless it is told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Local;

impl Reduce for Local {
    fn machines(&self) -> usize {
        1
    }

    fn machine(&self) -> usize {
        0
    }

    fn exchange(&self, _: &[&[u8]], _: &mut [&mut [u8]]) -> Result<(), ReduceError> {
        Ok(())
    }
}

/// Knows how long it waited for the others.
pub(super) struct Timed {
    inner: Box<dyn Reduce>,
    nanoseconds: AtomicU64,
}

impl Timed {
    pub(super) fn new(inner: impl Reduce + 'static) -> Self {
        Self {
            inner: Box::new(inner),
            nanoseconds: AtomicU64::new(0),
        }
    }

    /// Seconds since it was last asked.
    pub(super) fn waited(&self) -> f64 {
        self.nanoseconds.swap(0, Ordering::Relaxed) as f64 * 1e-9
    }

    fn clock<R>(&self, run: impl FnOnce(&dyn Reduce) -> R) -> R {
        let start = Instant::now();
        let result = run(&*self.inner);
        let spent = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(spent, Ordering::Relaxed);
        result
    }
}

impl Reduce for Timed {
    fn machines(&self) -> usize {
        self.inner.machines()
    }

    fn machine(&self) -> usize {
        self.inner.machine()
    }

    fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError> {
        self.clock(|inner| inner.exchange(to, from))
    }

    fn sum(&self, values: Summands<'_>) -> Result<bool, ReduceError> {
        self.clock(|inner| inner.sum(values))
    }

    /// Nobody waits for it as long as there is work.
    fn second_line(&self) -> Option<Box<dyn Reduce>> {
        self.inner.second_line()
    }
}

/// What is added over all machines, in halves, and which part of it each machine has.
pub(super) struct Parts {
    count: usize,
    /// Where the part of each machine begins, and the last ends.
    cuts: Vec<usize>,
}

impl Parts {
    /// `cut(m)` is where the part of machine `m` begins, and that of the one before ends.
    pub(super) fn new(reduce: &dyn Reduce, count: usize, cut: impl Fn(usize) -> usize) -> Self {
        let cuts = (0..=reduce.machines()).map(cut).collect();
        Self { count, cuts }
    }

    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn of(&self, machine: usize) -> Range<usize> {
        self.cuts[machine]..self.cuts[machine + 1]
    }

    /// The subtrees whose sums a machine gives.
    pub(super) fn nodes(&self, machine: usize) -> Vec<Range<usize>> {
        let mut nodes = Vec::new();
        let found = &mut |node| nodes.push(node);
        halves::nodes(0..self.count, &self.of(machine), found);
        nodes
    }
}

/// What messages lie in: memory that is asked for once, where a sum is taken at every step.
#[derive(Default)]
pub(super) struct Post<T> {
    sent: Vec<Vec<T>>,
    received: Vec<Vec<T>>,
}

/// The sum over all machines, of as many numbers as `sum` has room for. `mine` has those of each of this
/// machine's nodes.
pub(super) fn sum<T: Real>(
    reduce: &dyn Reduce,
    parts: &Parts,
    mine: &[&[T]],
    sum: &mut [T],
    post: &mut Post<T>,
) -> Result<(), TrainError> {
    let (machines, me, len) = (reduce.machines(), reduce.machine(), sum.len());
    if let Some(done) = any_order(reduce, mine, sum) {
        return done.map_err(TrainError::Reduce);
    }
    let nodes: Vec<_> = (0..machines).map(|m| parts.nodes(m)).collect();
    let numbers = len * nodes.iter().map(Vec::len).sum::<usize>();
    let once = machines == 2 || size_of::<T>() * numbers <= FEW_BYTES;
    // What of the numbers a machine adds up.
    let share = |m: usize| match once {
        true => 0..len,
        false => m * len / machines..(m + 1) * len / machines,
    };
    let Post { sent, received } = post;
    sent.resize_with(machines, Vec::new);
    received.resize_with(machines, Vec::new);
    let out: Vec<&[T]> = match (once, mine) {
        // As it lies there.
        (true, [all]) => vec![*all; machines],
        _ => {
            for (m, sent) in sent.iter_mut().enumerate() {
                sent.clear();
                if m == me || !once {
                    mine.iter()
                        .for_each(|part| sent.extend_from_slice(&part[share(m)]));
                }
            }
            let all = |m| &*sent[if once { me } else { m }];
            (0..machines).map(all).collect()
        }
    };
    for (m, received) in received.iter_mut().enumerate() {
        let room = if m == me {
            0
        } else {
            nodes[m].len() * share(me).len()
        };
        received.resize(room, T::ZERO);
    }
    exchange(reduce, &out, received)?;

    let width = share(me).len();
    let mut all = Vec::with_capacity(nodes.iter().map(Vec::len).sum());
    for m in 0..machines {
        let values = if m == me { out[m] } else { &received[m] };
        let of_node = |(number, node): (usize, &Range<usize>)| {
            (node.start, &values[number * width..(number + 1) * width])
        };
        all.extend(nodes[m].iter().enumerate().map(of_node));
    }
    let added = &mut sum[share(me)];
    let add = |(number, piece): (usize, &mut [T])| {
        add(&(0..parts.count), &all, number * PIECE, piece);
    };
    // Who is not of the pool leaves it alone: it has other work.
    match rayon::current_thread_index() {
        Some(_) => added.par_chunks_mut(PIECE).enumerate().for_each(add),
        None => added.chunks_mut(PIECE).enumerate().for_each(add),
    }
    if once {
        return Ok(());
    }
    let mine = sum[share(me)].to_vec();
    let out = vec![&*mine; machines];
    let mut rest = sum;
    let mut others = Vec::with_capacity(machines);
    for m in 0..machines {
        let (part, more) = rest.split_at_mut(share(m).len());
        rest = more;
        others.push(if m == me { &mut [] } else { part });
    }
    exchange(reduce, &out, &mut others)
}

/// The sum in the machines' own order, if they have one. What this machine found is added as always.
fn any_order<T: Real>(
    reduce: &dyn Reduce,
    own: &[&[T]],
    sum: &mut [T],
) -> Option<Result<(), ReduceError>> {
    // Nothing to add tells whether there is one.
    match reduce.sum(Summands::F64(&mut [])) {
        Ok(false) => return None,
        Ok(true) => (),
        Err(error) => return Some(Err(error)),
    }
    sum.fill(T::ZERO);
    for node in own {
        let pairs = sum.iter_mut().zip(*node);
        pairs.for_each(|(sum, &more)| *sum += more);
    }
    let summands = match T::as_f32_mut(sum) {
        Some(sum) => Summands::F32(sum),
        None => Summands::F64(bytemuck::cast_slice_mut(sum)),
    };
    Some(reduce.sum(summands).map(|_| ()))
}

/// Adds the nodes of all machines up the tree, from number `at` of each on.
pub(super) fn add<T: Real>(tree: &Range<usize>, nodes: &[(usize, &[T])], at: usize, sum: &mut [T]) {
    match nodes {
        [] => sum.fill(T::ZERO),
        [(_, node)] => sum.copy_from_slice(&node[at..][..sum.len()]),
        _ => {
            let middle = halves::middle(tree);
            let (one, other) = nodes.split_at(nodes.partition_point(|node| node.0 < middle));
            let mut more = [T::ZERO; PIECE];
            let more = &mut more[..sum.len()];
            add(&(tree.start..middle), one, at, sum);
            add(&(middle..tree.end), other, at, more);
            sum.iter_mut()
                .zip(more)
                .for_each(|(sum, more)| *sum += *more);
        }
    }
}

/// Numbers that are added at once: two of them lie on the stack a level of the tree.
const PIECE: usize = 256;

/// Of fewer bytes than these, a second message would cost more than adding all.
const FEW_BYTES: usize = 1 << 16;

/// [`Reduce::exchange`] of numbers.
fn exchange<T: Pod, V: AsMut<[T]>>(
    reduce: &dyn Reduce,
    to: &[&[T]],
    from: &mut [V],
) -> Result<(), TrainError> {
    let to: Vec<&[u8]> = to.iter().map(|to| bytemuck::cast_slice(to)).collect();
    let from = from.iter_mut();
    let mut from: Vec<&mut [u8]> = from
        .map(|it| bytemuck::cast_slice_mut(it.as_mut()))
        .collect();
    reduce.exchange(&to, &mut from).map_err(TrainError::Reduce)
}

/// What each machine has, in their order; `len` of machine `m` are known to all.
pub(super) fn gather<T: Pod>(
    reduce: &dyn Reduce,
    mine: &[T],
    len: impl Fn(usize) -> usize,
) -> Result<Vec<Vec<T>>, TrainError> {
    let (machines, me) = (reduce.machines(), reduce.machine());
    let room = |m| if m == me { 0 } else { len(m) };
    let mut all: Vec<Vec<T>> = (0..machines).map(|m| vec![T::zeroed(); room(m)]).collect();
    exchange(reduce, &vec![mine; machines], &mut all)?;
    all[me] = mine.to_vec();
    Ok(all)
}

/// The same where nobody knows how many the others have.
pub(super) fn gather_any<T: Pod>(
    reduce: &dyn Reduce,
    mine: &[T],
) -> Result<Vec<Vec<T>>, TrainError> {
    let lens = gather(reduce, &[mine.len() as u64], |_| 1)?;
    let len = |m: usize| usize::try_from(lens[m][0]).unwrap_or(usize::MAX);
    match (0..lens.len()).all(|m| len(m) == 0) {
        true => Ok(lens.iter().map(|_| Vec::new()).collect()),
        false => gather(reduce, mine, len),
    }
}

/// What each machine says.
fn say(reduce: &dyn Reduce, text: &str) -> Result<Vec<String>, TrainError> {
    let all = gather_any(reduce, text.as_bytes())?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(all.into_iter().map(text).collect())
}

/// What this machine came to, unless another came to an error: then that is one here, too.
pub(super) fn all_well<T>(
    reduce: &dyn Reduce,
    result: Result<T, TrainError>,
) -> Result<T, TrainError> {
    if reduce.machines() == 1 {
        return result;
    }
    let mine = result.as_ref().err().map(ToString::to_string);
    let all = say(reduce, &mine.unwrap_or_default());
    let result = result?;
    let mut failed = all?.into_iter().enumerate();
    match failed.find(|(_, error)| !error.is_empty()) {
        Some((machine, error)) => Err(TrainError::Elsewhere { machine, error }),
        None => Ok(result),
    }
}

/// Asks whether all machines have the same of `what`: all come to the same answer.
pub(super) fn agree(reduce: &dyn Reduce, what: &str, text: &str) -> Result<(), TrainError> {
    let mut all = say(reduce, text)?;
    match all.iter().position(|text| *text != all[0]) {
        None => Ok(()),
        Some(machine) => Err(TrainError::Unlike {
            what: what.to_owned(),
            machine,
            found: all.swap_remove(machine),
            expected: all.swap_remove(0),
        }),
    }
}

/// Asks whether all machines have weights of the same `checksum` after `step` steps. Where most have the same,
/// another has strayed.
pub(super) fn compare(reduce: &dyn Reduce, step: u64, checksum: u32) -> Result<(), TrainError> {
    let all: Vec<u32> = gather(reduce, &[checksum], |_| 1)?.concat();
    let votes = |checksum: u32| all.iter().filter(|&&it| it == checksum).count();
    // Of equals the first: `max_by_key` would take the last.
    let most = all.iter().copied().map(votes).max().unwrap_or(0);
    let expected = all.iter().copied().find(|&it| votes(it) == most);
    let strayed = all.iter().position(|&it| Some(it) != expected);
    match (strayed, expected) {
        (Some(machine), Some(expected)) => Err(TrainError::Strayed {
            machine,
            step,
            found: all[machine],
            expected,
        }),
        _ => Ok(()),
    }
}
