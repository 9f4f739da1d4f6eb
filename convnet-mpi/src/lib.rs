//! # Training on many machines, over MPI
//!
//! ```text
//!  mpirun -n 3 ./digits
//!     ├── rank 0: fit ──┐   each has a part of every batch; what they find goes over MPI,
//!     ├── rank 1: fit ──┼── and is added in the order in which one machine adds:
//!     └── rank 2: fit ──┘   all come out with the network of one machine, to the bit
//! ```
//!
//! A program becomes one of many ranks by [`run`], and a trainer by
//! [`Trainer::reduce`](convnet::train::Trainer::reduce):
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use convnet::convnet;
//! use convnet::data;
//! use convnet::optim::Adam;
//! use convnet::train::{TrainError, Trainer};
//!
//! convnet! {
//!     struct Digits { input(8x8x1), conv(16, 3x3, pad = 1), relu, max_pool(2x2), fc(10) }
//! }
//!
//! fn main() -> ExitCode {
//!     convnet_mpi::run(|ranks| {
//!         let digits = data::digits("digits.csv.gz")?;
//!         let mut net = Digits::random(231);
//!         Trainer::new(Adam::default()).threads(1).reduce(ranks.clone()).fit(&mut *net, &digits)?;
//!         if ranks.rank() == 0 {
//!             convnet::weights::save(&*net, "digits.safetensors")?;
//!         }
//!         Ok::<_, Box<dyn std::error::Error>>(())
//!     })
//! }
//! ```
//!
//! Where a network has `batch_norm` or a large `fc`, the gradient of its last layers travels
//! [while backward is at work](Reduce::second_line) on those before.
//!
//! | what goes wrong | what happens |
//! |---|---|
//! | a rank comes to an error, or panics | it says which it is, on which host, and why; the job ends |
//! | a rank is killed | `mpirun` says which, and ends the job; start it again, and it goes on from the checkpoint |
//! | the ranks run different programs | [`run`] refuses, with both checksums |
//! | their networks, images, seeds or settings differ | [`fit`](convnet::train::Trainer::fit) refuses, with both values |
//! | a rank's weights are no longer those of the others | [`compare_every`](convnet::train::Trainer::compare_every) names it |
//! | a rank is slow | [`Epoch::waits`](convnet::train::Epoch::waits); after half a minute whoever waits says for whom |
//!
//! Debian has what it takes to build: `libopenmpi-dev openmpi-bin libclang-dev`.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt::{self, Display};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use convnet::train::{Reduce, ReduceError, Summands};
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::environment::Universe;
use mpi::request::{LocalScope, Request};
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Equivalence, Source};

/// All ranks of a job, seen from one of them. A clone is the same.
#[derive(Clone)]
pub struct Ranks {
    world: Arc<World>,
    any_order: bool,
    overlapped: Option<bool>,
    line: Line,
}

/// Over which messages go: each of them has a tag of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    First = 231,
    /// Beside backward: whoever waits on it sleeps, for others need the core.
    Second = 232,
}

struct World {
    /// Ends MPI when it is dropped.
    _universe: Universe,
    rank: usize,
    /// Where each rank runs.
    hosts: Vec<String>,
    /// Whoever has it may call MPI, which takes one thread at a time.
    calls: Mutex<()>,
}

/// Why a program could not become a rank.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// MPI was started by somebody else in this process.
    Twice,
    /// The MPI library may be called by one thread only.
    Threads,
    /// The program could not be read, to compare it with the others'.
    Program(io::Error),
    /// The ranks run different programs.
    Programs {
        /// The first that differs from rank 0.
        rank: usize,
        /// Where it runs.
        host: String,
        /// A checksum of its program.
        found: u32,
        /// One of rank 0's.
        expected: u32,
    },
}

/// Starts MPI, does the `work`, and ends the whole job if it comes to an error: of whatever rank, with a
/// message that names it, and a status that is not 0. A rank that just left would be waited for.
///
/// Without `mpirun`, there is one rank.
pub fn run<E: Display>(work: impl FnOnce(&Ranks) -> Result<(), E>) -> ExitCode {
    let ranks = match Ranks::start() {
        Ok(ranks) => ranks,
        Err(error) => {
            eprintln!("error: {error}");
            end(Duration::ZERO)
        }
    };
    match work(&ranks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (rank, host) = (ranks.rank(), ranks.host(ranks.rank()));
            eprintln!("error: rank {rank} on {host}: {error}");
            // Others have something to say, too, and one of them why.
            end(Duration::from_millis(500))
        }
    }
}

/// Ends all ranks.
fn end(after: Duration) -> ! {
    thread::sleep(after);
    SimpleCommunicator::world().abort(1)
}

impl Ranks {
    /// Starts MPI, once a process, and compares the programs of all ranks. [`run`] does so, and sees to it
    /// that nobody waits for a rank that has failed.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub fn start() -> Result<Self, StartError> {
        let started = mpi::initialize_with_threading(Threading::Serialized);
        let (universe, threading) = started.ok_or(StartError::Twice)?;
        if threading < Threading::Serialized {
            return Err(StartError::Threads);
        }
        let world = universe.world();
        let (rank, count) = (index(world.rank()), index(world.size()));
        let program = env::current_exe().and_then(fs::read);
        let program = crc32fast::hash(&program.map_err(StartError::Program)?);
        let mut programs = vec![0u32; count];
        world.all_gather_into(&program, &mut programs[..]);

        let mut name = mpi::environment::processor_name()
            .unwrap_or_default()
            .into_bytes();
        name.resize(NAME, 0);
        let mut names = vec![0u8; count * NAME];
        world.all_gather_into(&name[..], &mut names[..]);
        let name = |name: &[u8]| {
            String::from_utf8_lossy(name)
                .trim_end_matches('\0')
                .to_owned()
        };
        let hosts: Vec<String> = names.chunks_exact(NAME).map(name).collect();
        if let Some(rank) = programs.iter().position(|&it| it != programs[0]) {
            return Err(StartError::Programs {
                rank,
                host: hosts[rank].clone(),
                found: programs[rank],
                expected: programs[0],
            });
        }
        let world = World {
            _universe: universe,
            rank,
            hosts,
            calls: Mutex::default(),
        };
        Ok(Self {
            world: Arc::new(world),
            any_order: false,
            overlapped: None,
            line: Line::First,
        })
    }

    /// Lets MPI add gradients and moments in an order of its own, which may be faster on many machines; but what
    /// of the gradient travels during backward. All ranks still have the same weights, but another number of
    /// ranks gives other roundings: the network is no longer that of one machine to the bit, nor one that was
    /// resumed on fewer.
    ///
    /// ```no_run
    /// use convnet::optim::Adam;
    /// use convnet::train::Trainer;
    ///
    /// # fn main() -> Result<(), convnet_mpi::StartError> {
    /// let ranks = convnet_mpi::Ranks::start()?;
    /// let trainer = Trainer::new(Adam::default()).reduce(ranks.in_any_order());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn in_any_order(self) -> Self {
        Self {
            any_order: true,
            ..self
        }
    }

    /// Whether what is whole of the gradient travels while backward is at work on the layers before, which takes
    /// tapes that are kept for it. Unless it is said, it does where there is more than one host: within one, memory
    /// is so fast that there is less to be won than what the tapes cost. No bit depends on it. All ranks say the
    /// same.
    #[must_use]
    pub fn overlapped(self, overlapped: bool) -> Self {
        Self {
            overlapped: Some(overlapped),
            ..self
        }
    }

    /// Which of them this one is, counted from 0.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.world.rank
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.world.hosts.len()
    }

    /// On which machine a rank runs; empty if there is no such rank.
    #[must_use]
    pub fn host(&self, rank: usize) -> &str {
        self.world.hosts.get(rank).map_or("", String::as_str)
    }

    /// Until all that is on its way has come. Whoever has nothing to do leaves the core to others.
    fn wait<'a>(&self, mut pending: VecDeque<Pending<'a, '_>>) {
        let (start, mut said) = (Instant::now(), self.line == Line::Second);
        loop {
            let calls = self.world.calls();
            for _ in 0..pending.len() {
                if let Some((rank, request)) = pending.pop_front()
                    && let Err(request) = request.test()
                {
                    pending.push_back((rank, request));
                }
            }
            drop(calls);
            let waited = start.elapsed();
            match () {
                () if pending.is_empty() => return,
                () if self.line == Line::Second => thread::sleep(NAP),
                () if waited < AWAKE => std::hint::spin_loop(),
                () if waited < DROWSY => thread::yield_now(),
                // Where cores are scarce, who sleeps is woken before those who never do.
                () => thread::sleep(AWAKE),
            }
            if !said && waited > LONG {
                said = true;
                let (rank, seconds) = (self.rank(), waited.as_secs());
                let mut late: Vec<usize> = pending.iter().map(|(rank, _)| *rank).collect();
                late.sort_unstable();
                late.dedup();
                let late = late
                    .into_iter()
                    .map(|rank| format!("{rank} on {}", self.host(rank)));
                let late = late.collect::<Vec<_>>().join(", ");
                eprintln!("rank {rank} has waited {seconds} s for rank {late}");
            }
        }
    }
}

/// A message on its way from or to a rank.
type Pending<'a, 'b> = (usize, Request<'a, [u8], &'b LocalScope<'a>>);

impl Reduce for Ranks {
    fn machines(&self) -> usize {
        self.count()
    }

    fn machine(&self) -> usize {
        self.rank()
    }

    fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError> {
        let world = SimpleCommunicator::world();
        let others = |&rank: &usize| rank != self.rank();
        mpi::request::scope(|scope| {
            let (mut pending, tag) = (VecDeque::new(), self.line as mpi::Tag);
            let calls = self.world.calls();
            for (rank, from) in from.iter_mut().enumerate().filter(|(rank, _)| others(rank)) {
                let process = world.process_at_rank(number(rank));
                for part in from.chunks_mut(MOST_BYTES) {
                    let request = process.immediate_receive_into_with_tag(scope, part, tag);
                    pending.push_back((rank, request));
                }
            }
            for (rank, to) in to.iter().enumerate().filter(|(rank, _)| others(rank)) {
                let process = world.process_at_rank(number(rank));
                for part in to.chunks(MOST_BYTES) {
                    let request = process.immediate_send_with_tag(scope, part, tag);
                    pending.push_back((rank, request));
                }
            }
            drop(calls);
            self.wait(pending);
        });
        Ok(())
    }

    fn sum(&self, values: Summands<'_>) -> Result<bool, ReduceError> {
        let world = SimpleCommunicator::world();
        let _calls = self.world.calls();
        match values {
            // Of two threads that ask all ranks for a sum, nobody knows which comes first.
            _ if !self.any_order || self.line == Line::Second => return Ok(false),
            Summands::F32(values) => all_reduce(&world, values),
            Summands::F64(values) => all_reduce(&world, values),
        }
        Ok(true)
    }

    fn second_line(&self) -> Option<Box<dyn Reduce>> {
        let mut hosts = self.world.hosts.iter();
        let apart = || hosts.any(|host| *host != self.world.hosts[0]);
        let line = Line::Second;
        let overlapped = self.overlapped.unwrap_or_else(apart);
        overlapped.then(|| -> Box<dyn Reduce> {
            Box::new(Self {
                line,
                ..self.clone()
            })
        })
    }
}

impl World {
    fn calls(&self) -> MutexGuard<'_, ()> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // To end MPI is to wait for all, who wait for this one.
        if thread::panicking() {
            eprintln!(
                "error: rank {} on {} panicked",
                self.rank, self.hosts[self.rank]
            );
            end(Duration::ZERO);
        }
    }
}

/// MPI counts in 31 bits.
const MOST_BYTES: usize = 1 << 30;
/// Bytes of the name of a host that are kept.
const NAME: usize = 64;
/// What is on its way for longer lets others have the core.
const AWAKE: Duration = Duration::from_micros(50);
/// Who waits for longer sleeps, and what is on its way stands still: longer than a few megabytes take.
const DROWSY: Duration = Duration::from_millis(2);
/// Who waits beside others looks so often what there is to pass on.
const NAP: Duration = Duration::from_micros(100);
/// Who waits for longer says so.
const LONG: Duration = Duration::from_secs(30);

fn all_reduce<T: Equivalence + Copy>(world: &SimpleCommunicator, values: &mut [T]) {
    for part in values.chunks_mut(MOST_BYTES / size_of::<T>()) {
        world.all_reduce_into(&part.to_vec()[..], part, SystemOperation::sum());
    }
}

/// MPI's numbers are not negative.
fn index(number: mpi::Rank) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn number(rank: usize) -> mpi::Rank {
    mpi::Rank::try_from(rank).unwrap_or(mpi::Rank::MAX)
}

impl Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice => f.write_str(
                "MPI is there already\nstart the ranks once a process, before whoever else starts MPI",
            ),
            Self::Threads => f.write_str(
                "the MPI library may be called by one thread only\n\
                 one is expected that knows MPI_THREAD_SERIALIZED, such as Debian's Open MPI",
            ),
            Self::Program(error) => write!(f, "the program could not be compared: {error}"),
            Self::Programs {
                rank,
                host,
                found,
                expected,
            } => write!(
                f,
                "the ranks run different programs: rank {rank} on {host} has one of checksum \
                 #{found:08x}, and rank 0 #{expected:08x}\ncopy the same file to all hosts"
            ),
        }
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Program(error) => Some(error),
            _ => None,
        }
    }
}
