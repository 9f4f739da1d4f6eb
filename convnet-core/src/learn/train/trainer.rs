//! The settings of a training.

use std::fmt::Display;
use std::path::PathBuf;

use super::pass::{Pass, Plain};
use super::reduce::Timed;
use super::run::Run;
use super::{History, Local, LossFor, Progress, Reduce, TrainError};
use crate::data::{self, Samples, Subset, Target};
use crate::int8::{Fake, Quantize, refill};
use crate::learn::loss::SoftmaxCrossEntropy;
use crate::learn::schedule::Constant;
use crate::{Optimizer, Schedule, Tensor, Trainable};

/// How a network is trained: the settings, and [`fit`](Self::fit).
///
/// | setting | if not said |
/// |---|---|
/// | [`loss`](Self::loss) | softmax cross-entropy |
/// | [`schedule`](Self::schedule), [`learning_rate`](Self::learning_rate) | 0.001, constant |
/// | [`epochs`](Self::epochs) | 10 |
/// | [`batch_size`](Self::batch_size) | 32 images |
/// | [`accumulate`](Self::accumulate) | a batch at once |
/// | [`clip_norm`](Self::clip_norm) | a gradient may be of any length |
/// | [`average`](Self::average) | the weights are the last step's |
/// | [`shards`](Self::shards) | a quarter of the batch, 16 at most |
/// | [`seed`](Self::seed) | 0 |
/// | [`validation_share`](Self::validation_share) | nothing is set apart |
/// | [`patience`](Self::patience) | all epochs are run |
/// | [`checkpoint`](Self::checkpoint) | none |
/// | [`threads`](Self::threads) | the current rayon pool's |
/// | [`only`](Self::only), [`rates`](Self::rates) | every tensor learns, at the same rate |
/// | [`reduce`](Self::reduce) | this machine alone |
/// | [`compare_every`](Self::compare_every) | 100 steps, of many machines |
/// | [`report`](Self::report), with the feature `report` | none |
/// | [`progress`](Self::progress) | a line an epoch, and a bar on a terminal |
///
/// The weights that come out depend on the settings and the images only: not on the threads, and
/// not on how often the training was killed and resumed.
pub struct Trainer<O, L = SoftmaxCrossEntropy> {
    pub(super) optimizer: O,
    pub(super) loss: L,
    pub(super) schedule: Box<dyn Fn(u64) -> Box<dyn AnySchedule> + Send + Sync>,
    pub(super) epochs: usize,
    pub(super) batch_size: usize,
    pub(super) accumulate: usize,
    pub(super) clip_norm: Option<f64>,
    pub(super) average: Option<f64>,
    pub(super) shards: Option<usize>,
    pub(super) seed: u64,
    pub(super) validation_share: Option<f64>,
    pub(super) patience: Option<usize>,
    pub(super) checkpoint: Option<PathBuf>,
    pub(super) checkpoint_every: Option<usize>,
    #[cfg(feature = "report")]
    pub(super) report: Option<PathBuf>,
    pub(super) threads: Option<usize>,
    pub(super) reduce: Timed,
    pub(super) compare_every: u64,
    pub(super) factor: Box<dyn Fn(&Tensor) -> f64 + Send + Sync>,
    pub(super) progress: Progress,
}

/// A schedule that can be named in a checkpoint.
pub(super) trait AnySchedule: Schedule + Display {}

impl<S: Schedule + Display> AnySchedule for S {}

impl<O> Trainer<O> {
    /// Trains by `optimizer`.
    #[must_use]
    pub fn new(optimizer: O) -> Self {
        Self {
            optimizer,
            loss: SoftmaxCrossEntropy::default(),
            schedule: Box::new(|_| Box::new(Constant(1e-3))),
            epochs: 10,
            batch_size: 32,
            accumulate: 1,
            clip_norm: None,
            average: None,
            shards: None,
            seed: 0,
            validation_share: None,
            patience: None,
            checkpoint: None,
            checkpoint_every: None,
            #[cfg(feature = "report")]
            report: None,
            threads: None,
            reduce: Timed::new(Local),
            compare_every: 100,
            factor: Box::new(|_| 1.0),
            progress: Progress::default(),
        }
    }
}

impl<O, L> Trainer<O, L> {
    /// Another loss: what there is stands in the table of [`loss`](crate::loss). One of classes goes with
    /// images that have classes, one of numbers with those that have [`Values`](crate::data::Values), and
    /// so on. Weight decay is the optimizer's.
    #[must_use]
    pub fn loss<M>(self, loss: M) -> Trainer<O, M> {
        Trainer {
            loss,
            optimizer: self.optimizer,
            schedule: self.schedule,
            epochs: self.epochs,
            batch_size: self.batch_size,
            accumulate: self.accumulate,
            clip_norm: self.clip_norm,
            average: self.average,
            shards: self.shards,
            seed: self.seed,
            validation_share: self.validation_share,
            patience: self.patience,
            checkpoint: self.checkpoint,
            checkpoint_every: self.checkpoint_every,
            #[cfg(feature = "report")]
            report: self.report,
            threads: self.threads,
            reduce: self.reduce,
            compare_every: self.compare_every,
            factor: self.factor,
            progress: self.progress,
        }
    }

    /// The same learning rate at every step.
    #[must_use]
    pub fn learning_rate(self, rate: f64) -> Self {
        self.schedule(move |_| Constant(rate))
    }

    /// A learning rate that changes: `schedule` is told how many steps (batches) the whole training
    /// has.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::optim::Sgd;
    /// use convnet::schedule::{Cosine, WarmUp};
    /// use convnet::train::Trainer;
    ///
    /// let trainer = Trainer::new(Sgd::default()).schedule(|steps| {
    ///     let warm = steps / 20;
    ///     WarmUp { steps: warm, then: Cosine { rate: 0.1, floor: 0.0, steps: steps - warm } }
    /// });
    /// ```
    #[must_use]
    pub fn schedule<S: Schedule + Display + 'static>(
        mut self,
        schedule: impl Fn(u64) -> S + Send + Sync + 'static,
    ) -> Self {
        self.schedule = Box::new(move |steps| Box::new(schedule(steps)));
        self
    }

    /// How often every training image is seen.
    #[must_use]
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// How many images a step looks at. An epoch's last batch may be smaller. A network with
    /// `batch_norm` needs a tape for each of them, another one only a tape a thread, or, with a large
    /// `fc`, [a few](crate::kernel::MICRO_BATCH); there each of many [machines](Self::reduce) takes up to 64 MB
    /// more, so that the gradient of the `fc` can travel early.
    #[must_use]
    pub fn batch_size(mut self, images: usize) -> Self {
        self.batch_size = images;
        self
    }

    /// Takes a batch in so many parts, one after the other, and makes one step with the gradient of all: a network
    /// with `batch_norm` then needs tapes for the images of a part only. It is normalised by the statistics of
    /// its part, and the running ones move once a step. A network without needs none of this.
    #[must_use]
    pub fn accumulate(mut self, parts: usize) -> Self {
        self.accumulate = parts;
        self
    }

    /// Scales the gradient of a batch down to an L2 norm of `max` over all tensors that learn, if it is longer:
    /// [`clip_norm`](crate::optim::clip_norm). PyTorch's `clip_grad_norm_` adds 1e-6 to the norm.
    #[must_use]
    pub fn clip_norm(mut self, max: f64) -> Self {
        self.clip_norm = Some(max);
        self
    }

    /// Keeps an exponential moving average of all weights and statistics, average = `decay`·average +
    /// (1 − `decay`)·weights after each step (the first: the weights), as PyTorch's `get_ema_multi_avg_fn`. It is
    /// what is validated, and in the end the network. 0.999 is usual.
    #[must_use]
    pub fn average(mut self, decay: f64) -> Self {
        self.average = Some(decay);
        self
    }

    /// Into how many shards a batch is cut. No more threads than this can help (on all
    /// [machines](Self::reduce) together), each shard needs a gradient of its own, and another number
    /// gives other roundings.
    #[must_use]
    pub fn shards(mut self, shards: usize) -> Self {
        self.shards = Some(shards);
        self
    }

    /// Decides the order of the images, what augmentation does, what dropout drops and which images
    /// are set apart. The first weights are yours: see [`Init`](crate::init::Init).
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets a share of the images apart at random, 0.1 say, and validates on them after each epoch.
    #[must_use]
    pub fn validation_share(mut self, share: f64) -> Self {
        self.validation_share = Some(share);
        self
    }

    /// Stops early, when the validation loss has not fallen for so many epochs, and in the end gives
    /// the network its weights of the epoch with the lowest.
    #[must_use]
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = Some(epochs);
        self
    }

    /// Saves the whole training to `path` after each epoch. If the file is there already, the
    /// training goes on from it, and comes out the same to the bit as if it had never stopped.
    ///
    /// The file is replaced as a whole: whenever the process is killed, the last checkpoint is
    /// sound. A symbolic link stays, and what it leads to is replaced. A checksum tells a damaged file.
    ///
    /// More [`epochs`](Self::epochs) can be asked for later. A [`schedule`](Self::schedule) that is told
    /// how long the training is then begins anew in the middle: the rates that come are those of the
    /// longer training, and [`History::rescheduled`] says how many epochs had others. Every other setting
    /// must stay, and so must the images: up to some four million of their numbers are compared, as
    /// training sees them, so that another normalisation or augmentation is noticed. A set must show the
    /// same image to the same random numbers.
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// Also saves the training after every so many batches of an epoch.
    #[must_use]
    pub fn checkpoint_every(mut self, batches: usize) -> Self {
        self.checkpoint_every = Some(batches);
        self
    }

    /// Writes a [report](crate::report) to `path`, an HTML file, after each epoch: the network as it is then, the
    /// curves so far, what it makes of three images, and, if there is validation, what was taken for what. A browser
    /// that has the page open shows the next one when it loads it again.
    ///
    /// ```no_run
    /// # use convnet_core as convnet;
    /// use convnet::optim::Adam;
    /// use convnet::train::Trainer;
    ///
    /// let trainer = Trainer::new(Adam::default()).validation_share(0.1).report("run.html");
    /// ```
    #[cfg(feature = "report")]
    #[must_use]
    pub fn report(mut self, path: impl Into<PathBuf>) -> Self {
        self.report = Some(path.into());
        self
    }

    /// Trains on so many threads of its own, instead of on the current rayon pool.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Trains the tensors that `learns` says, by name or [role](crate::Role), and freezes all others: they
    /// stay as they are to the bit, the running statistics of a frozen `batch_norm` too. (While it trains
    /// it normalises by the batch's own all the same.)
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::optim::Adam;
    /// use convnet::train::Trainer;
    ///
    /// let head = Trainer::new(Adam::default()).only(|tensor| tensor.name.starts_with("scores."));
    /// ```
    #[must_use]
    pub fn only(self, learns: impl Fn(&Tensor) -> bool + Send + Sync + 'static) -> Self {
        self.rates(move |tensor| if learns(tensor) { 1.0 } else { 0.0 })
    }

    /// Multiplies the learning rate of each tensor by what `factor` says; 0 freezes it, as
    /// [`only`](Self::only) does. The last of these two that is called holds.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::optim::Adam;
    /// use convnet::train::Trainer;
    ///
    /// // The head at full speed, what has learned before at a tenth.
    /// let tuned = Trainer::new(Adam::default())
    ///     .rates(|tensor| if tensor.name.starts_with("scores.") { 1.0 } else { 0.1 });
    /// ```
    #[must_use]
    pub fn rates(mut self, factor: impl Fn(&Tensor) -> f64 + Send + Sync + 'static) -> Self {
        self.factor = Box::new(factor);
        self
    }

    /// Trains together with other machines: each has a part of every batch, and `reduce` adds what they
    /// find. [`Reduce`] says what the machines have to have in common.
    #[must_use]
    pub fn reduce(mut self, reduce: impl Reduce + 'static) -> Self {
        self.reduce = Timed::new(reduce);
        self
    }

    /// Of many machines, compares a checksum of all weights after every so many steps: one whose memory or
    /// arithmetic is not that of the others stops the training, and is named. 0: never.
    #[must_use]
    pub fn compare_every(mut self, steps: u64) -> Self {
        self.compare_every = steps;
        self
    }

    /// What is shown on standard error; of many machines, on that of the first.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Trains `net` on `samples`, less the [share](Self::validation_share) that is set apart.
    ///
    /// # Errors
    ///
    /// [`TrainError`]. What can be found out before the first step is: sizes, labels (where they are maps
    /// or images, a part of them), whether the loss fits the last layer, settings, a
    /// checkpoint that is bad, belongs to another training or could not be written; the network is then
    /// as it was.
    pub fn fit<N, S, Y>(&self, net: &mut N, samples: &S) -> Result<History, TrainError>
    where
        N: Trainable + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        O: Optimizer<N::Scalar> + Display + Sync,
        L: LossFor<N::Scalar, Y> + Display + Sync,
    {
        self.fit_by(net, &Plain, samples)
    }

    /// Trains `net` on, with what int8 makes of its numbers in view, and fills its `twin` anew: for what
    /// [`quantize`](crate::int8::Quantize::quantize) loses. A tenth of the learning rate of the training and an epoch or
    /// two are usual.
    ///
    /// Filters and volumes are rounded to what the twin's bytes stand for, and the gradient passes as if they were not,
    /// but where a number is cut off (Jacob et al., 2018). The ranges are those of the twin; a `batch_norm`
    /// normalises by its running statistics, which stay, as those that are folded into filters do. `net` itself stays
    /// in `f32`, and is what is validated.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::data::Samples;
    /// use convnet::int8::Quantize;
    /// use convnet::optim::Adam;
    /// use convnet::train::{TrainError, Trainer};
    /// use convnet::Trainable;
    ///
    /// fn tune<N: Quantize + Trainable + Send + Sync>(
    ///     net: &mut N,
    ///     twin: &mut N::Int8,
    ///     training: &impl Samples,
    /// ) -> Result<(), TrainError> {
    ///     let trainer = Trainer::new(Adam::default()).learning_rate(1e-4).epochs(1);
    ///     trainer.fine_tune(net, twin, training)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit).
    pub fn fine_tune<N, S, Y>(
        &self,
        net: &mut N,
        twin: &mut N::Int8,
        samples: &S,
    ) -> Result<History, TrainError>
    where
        N: Quantize + Trainable + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        O: Optimizer<f32> + Display + Sync,
        L: LossFor<f32, Y> + Display + Sync,
    {
        let fake = Fake::new::<N>(twin);
        let history = self.fit_by(net, &fake, samples)?;
        refill(net, twin);
        Ok(history)
    }

    fn fit_by<N, S, Y>(
        &self,
        net: &mut N,
        pass: &dyn Pass<N>,
        samples: &S,
    ) -> Result<History, TrainError>
    where
        N: Trainable + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        O: Optimizer<N::Scalar> + Display + Sync,
        L: LossFor<N::Scalar, Y> + Display + Sync,
    {
        // One type of set, whichever it is: a training is much code.
        let (training, validation) = match self.validation_share {
            None => (Subset::whole(samples), None),
            Some(share) => {
                let (training, validation) = data::split(samples, share, self.seed)?;
                (training, Some(validation))
            }
        };
        self.run((net, pass), &training, validation.as_ref())
    }

    /// Trains `net` on `training` and validates it on `validation` after each epoch.
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit); and if a [share](Self::validation_share) is asked for, too.
    pub fn fit_validated<N, S, V, Y>(
        &self,
        net: &mut N,
        training: &S,
        validation: &V,
    ) -> Result<History, TrainError>
    where
        N: Trainable + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        V: Samples<Y>,
        O: Optimizer<N::Scalar> + Display + Sync,
        L: LossFor<N::Scalar, Y> + Display + Sync,
    {
        match self.validation_share {
            None => self.run((net, &Plain), training, Some(validation)),
            Some(share) => Err(TrainError::Setting {
                name: "the validation share",
                found: format!("{share}, and a validation set is given"),
                expected: "one of the two",
            }),
        }
    }

    pub(super) fn shard_count(&self) -> usize {
        self.shards.unwrap_or((self.batch_size / 4).clamp(1, 16))
    }

    /// The settings that need no look at the network or the images.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        let or_one = |setting: Option<usize>| setting.unwrap_or(1);
        let positive = [
            ("the number of epochs", self.epochs),
            ("the batch size", self.batch_size),
            ("the number of parts of a batch", self.accumulate),
            ("the number of shards", or_one(self.shards)),
            ("patience", or_one(self.patience)),
            (
                "the number of batches between checkpoints",
                or_one(self.checkpoint_every),
            ),
        ];
        if let Some((name, _)) = positive.into_iter().find(|(_, setting)| *setting == 0) {
            let (found, expected) = ("0".to_owned(), "1 or more");
            return Err(TrainError::Setting {
                name,
                found,
                expected,
            });
        }
        let longest = self.clip_norm.unwrap_or(1.0);
        let decay = self.average.unwrap_or(0.5);
        let others = [
            (
                "the longest gradient",
                longest,
                longest > 0.0 && longest.is_finite(),
                "a finite number above 0",
            ),
            (
                "the decay of the average",
                decay,
                (0.0..1.0).contains(&decay),
                "0 or more, and less than 1,",
            ),
        ];
        if let Some((name, found, _, expected)) = others.into_iter().find(|it| !it.2) {
            return Err(TrainError::Setting {
                name,
                found: found.to_string(),
                expected,
            });
        }
        if let (Some(every), None) = (self.checkpoint_every, &self.checkpoint) {
            return Err(TrainError::Setting {
                name: "the number of batches between checkpoints",
                found: format!("{every}, without a checkpoint"),
                expected: "the path of a checkpoint",
            });
        }
        Ok(())
    }

    /// Whether there is something to be patient with.
    pub(super) fn check_patience(&self, validated: bool) -> Result<(), TrainError> {
        match self.patience {
            Some(patience) if !validated => Err(TrainError::Setting {
                name: "patience",
                found: format!("{patience}, without validation"),
                expected: "a validation set or share",
            }),
            _ => Ok(()),
        }
    }

    /// What each tensor's learning rate is multiplied by.
    pub(super) fn factors(&self, tensors: &[Tensor]) -> Result<Vec<f64>, TrainError> {
        let factors: Vec<f64> = tensors.iter().map(|tensor| (self.factor)(tensor)).collect();
        let sound = |factor: f64| factor.is_finite() && factor >= 0.0;
        let tensor = |at: usize| tensors[at].name;
        if let Some(at) = factors.iter().position(|&factor| !sound(factor)) {
            return Err(TrainError::Setting {
                name: "the factor of a learning rate",
                found: format!("{} for {}", factors[at], tensor(at)),
                expected: "a finite number, 0 or more,",
            });
        }
        let mut learned = tensors.iter().zip(&factors);
        if learned.all(|(tensor, &factor)| !tensor.role.is_learned() || factor == 0.0) {
            return Err(TrainError::Setting {
                name: "what is learned",
                found: "nothing".to_owned(),
                expected: "one tensor at least, by its name in `TENSORS`,",
            });
        }
        Ok(factors)
    }

    /// Whether there is something to do for this machine.
    pub(super) fn check_machines(&self) -> Result<(), TrainError> {
        let (machines, machine) = (self.reduce.machines(), self.reduce.machine());
        if machine >= machines {
            return Err(TrainError::Setting {
                name: "the number of this machine",
                found: format!("{machine} of {machines}"),
                expected: "one that counts from 0, below the number of machines,",
            });
        }
        let shards = self.shard_count();
        if shards < machines {
            return Err(TrainError::Setting {
                name: "the number of shards",
                found: format!("{shards}, on {machines} machines"),
                expected: "one for each machine, or more,",
            });
        }
        Ok(())
    }

    fn run<N, S, V, Y>(
        &self,
        through: (&mut N, &dyn Pass<N>),
        training: &S,
        validation: Option<&V>,
    ) -> Result<History, TrainError>
    where
        N: Trainable + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        V: Samples<Y>,
        O: Optimizer<N::Scalar> + Display + Sync,
        L: LossFor<N::Scalar, Y> + Display + Sync,
    {
        self.in_pool(Box::new(|| {
            Run::new(self, through, training, validation)?.finish()
        }))
    }

    /// From inside the pool: entering it anew for each batch would cost a small network dear.
    pub(super) fn in_pool<R: Send>(
        &self,
        run: Box<dyn FnOnce() -> Result<R, TrainError> + Send + '_>,
    ) -> Result<R, TrainError> {
        match self.threads {
            None => rayon::scope(|_| run()),
            Some(threads) => rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()?
                .install(run),
        }
    }
}
