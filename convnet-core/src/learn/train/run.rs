//! A training while it runs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::mem;
use std::time::Instant;

use num_traits::Float;

use super::batch::{self, Batch, Shards, Totals};
use super::checkpoint::{self, State, Tensors};
use super::history::{Epoch, Metrics};
use super::pass::{Pass, Plain, Through};
use super::trainer::AnySchedule;
use super::{History, LossFor, Progress, Reduce, TrainError, Trainer, evaluate_across};
use super::{identity, progress, reduce};
use crate::data::{Samples, Target};
use crate::file::weights;
use crate::learn::optim::{OptimError, Step};
use crate::memory::heap::zeroed_box;
use crate::{Optimizer, Parameters, Real, Rng, Tensor, Trainable};

/// Everything is allocated when it is made, on the heap.
pub(super) struct Run<'a, N: Trainable, O, L, S, V, Y> {
    trainer: &'a Trainer<O, L>,
    training: &'a S,
    validation: Option<&'a V>,
    schedule: Box<dyn AnySchedule>,
    net: &'a mut N,
    pass: &'a dyn Pass<N>,
    /// The weights that images meet, if they are others than the network's.
    met: Option<Box<N>>,
    /// The weights with the lowest validation loss.
    best: Option<Box<N>>,
    slots: Vec<Box<N>>,
    /// The average of the weights.
    average: Option<Box<N>>,
    /// What each tensor's learning rate is multiplied by.
    factors: Vec<f64>,
    shards: Shards<'a, N, Y>,
    /// The training images in this epoch's order.
    order: Vec<usize>,
    state: State,
    /// How many this process made in this epoch.
    steps: u64,
    display: progress::Display,
    /// What validation found last.
    #[cfg(feature = "report")]
    seen: Option<super::Evaluation>,
}

impl<'a, N, O, L, S, V, Y> Run<'a, N, O, L, S, V, Y>
where
    N: Trainable + Send + Sync,
    Y: Target,
    S: Samples<Y>,
    V: Samples<Y>,
    O: Optimizer<N::Scalar> + Display + Sync,
    L: LossFor<N::Scalar, Y> + Display + Sync,
{
    /// Checks all there is to check, and goes to where the checkpoint is, if there is one.
    pub(super) fn new(
        trainer: &'a Trainer<O, L>,
        (net, pass): (&'a mut N, &'a dyn Pass<N>),
        training: &'a S,
        validation: Option<&'a V>,
    ) -> Result<Self, TrainError> {
        let reduce = &trainer.reduce;
        let patience = trainer.check_patience(validation.is_some());
        let mut run = Self::at_start(trainer, (net, pass), training, validation, patience)?;
        let resumed = run.resume();
        reduce::all_well(reduce, resumed)?;
        // All have looked at some images by now.
        let faults = [training.fault(), validation.and_then(Samples::fault)];
        let fault = faults.into_iter().flatten().next();
        reduce::all_well(reduce, fault.map_or(Ok(()), |fault| Err(fault.into())))?;
        run.agree()?;
        run.display.unoptimized();
        Ok(run)
    }

    /// As the settings say, whatever was saved; not if they are wrong, or what was checked `further` is.
    fn at_start(
        trainer: &'a Trainer<O, L>,
        (net, pass): (&'a mut N, &'a dyn Pass<N>),
        training: &'a S,
        validation: Option<&'a V>,
        further: Result<(), TrainError>,
    ) -> Result<Self, TrainError> {
        trainer.check_machines()?;
        let check = || {
            trainer.check()?;
            trainer.optimizer.check()?;
            TrainError::check_samples::<N, _, _>("training", training)?;
            if let Some(validation) = validation {
                TrainError::check_samples::<N, _, _>("validation", validation)?;
            }
            TrainError::check_loss::<N, Y>(&trainer.loss)?;
            let (size, parts) = (trainer.batch_size, trainer.accumulate);
            TrainError::check_batches::<N>(training.len(), size, parts)?;
            further?;
            trainer.factors(N::TENSORS)
        };
        let reduce: &dyn Reduce = &trainer.reduce;
        let mut factors = reduce::all_well(reduce, check())?;
        if !pass.exchanges() {
            let all = N::TENSORS.iter().zip(&mut factors);
            all.filter(|(tensor, _)| !tensor.role.is_learned())
                .for_each(|(_, factor)| *factor = 0.0);
        }
        let batches = training.len().div_ceil(trainer.batch_size);
        let schedule = (trainer.schedule)((trainer.epochs * batches) as u64);
        let progress = match reduce.machine() {
            0 => trainer.progress,
            _ => Progress::Silent,
        };
        Ok(Self {
            schedule,
            best: trainer.patience.map(|_| zeroed_box()),
            average: trainer.average.map(|_| zeroed_box()),
            slots: (0..trainer.optimizer.slots())
                .map(|_| zeroed_box())
                .collect(),
            shards: Shards::new(trainer.shard_count(), reduce),
            factors,
            order: Vec::with_capacity(training.len()),
            state: State::default(),
            steps: 0,
            display: progress::Display::new(progress, trainer.epochs, training.len()),
            trainer,
            training,
            validation,
            net,
            pass,
            met: None,
            #[cfg(feature = "report")]
            seen: None,
        })
    }

    /// Tries the rates of `schedule`, one a step, until `enough` of rate and loss says so, or the loss is no number.
    pub(super) fn try_rates(
        trainer: &'a Trainer<O, L>,
        net: &'a mut N,
        training: &'a S,
        schedule: Result<Box<dyn AnySchedule>, TrainError>,
        mut enough: impl FnMut(f64, f64) -> bool,
    ) -> Result<(), TrainError> {
        let (schedule, sound) = match schedule {
            Ok(schedule) => (Some(schedule), Ok(())),
            Err(error) => (None, Err(error)),
        };
        let mut run = Self::at_start(trainer, (net, &Plain), training, None, sound)?;
        run.schedule = schedule.unwrap_or(run.schedule);
        run.agree()?;
        for epoch in 0.. {
            let seed = run.shuffle(epoch);
            for batch in 0..run.batches() {
                run.state.batch = batch;
                let loss = match run.batch(epoch, seed) {
                    Ok(totals) => totals.means().loss,
                    Err(TrainError::Diverged { .. }) => return Ok(()),
                    Err(error) => return Err(error),
                };
                if enough(run.step(epoch, batch).rate, loss) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// All epochs that are left.
    pub(super) fn finish(mut self) -> Result<History, TrainError> {
        while self.state.history.epochs.len() < self.trainer.epochs && !self.stopped() {
            self.epoch()?;
            self.save()?;
            #[cfg(feature = "report")]
            self.report()?;
        }
        match (&self.best, self.state.history.best, &self.average) {
            (Some(best), Some(_), _) => {
                copy(&**best, self.net);
                #[cfg(feature = "report")]
                if self.trainer.report.is_some() {
                    // Of what the network is now.
                    self.average = None;
                    self.validate()?;
                    self.report()?;
                }
            }
            (_, _, Some(average)) => copy(&**average, self.net),
            _ => (),
        }
        Ok(self.state.history)
    }

    /// Whether patience has run out.
    fn stopped(&self) -> bool {
        let History { epochs, best, .. } = &self.state.history;
        match (self.trainer.patience, best) {
            (Some(patience), Some(best)) => epochs.len() - 1 - best >= patience,
            _ => false,
        }
    }

    fn epoch(&mut self) -> Result<(), TrainError> {
        let epoch = self.state.history.epochs.len();
        let seed = self.shuffle(epoch);
        while self.state.batch < self.batches() {
            let clock = Instant::now();
            self.batch(epoch, seed)?;
            self.state.seconds += clock.elapsed().as_secs_f64();
            self.display
                .batch(epoch, &self.state.totals, self.state.seconds);
            let every = self.trainer.checkpoint_every;
            if every.is_some_and(|every| self.state.batch.is_multiple_of(every)) {
                self.check(epoch)?;
                self.save()?;
            }
        }
        self.check(epoch)?;
        self.record(epoch)
    }

    /// Puts the images into the epoch's order, and gives its seed.
    fn shuffle(&mut self, epoch: usize) -> u64 {
        let seed = Rng::stream(self.trainer.seed, epoch as u64).next_u64();
        let (images, window) = (self.training.len(), self.training.window());
        shuffle(&mut self.order, images, window, seed);
        seed
    }

    /// Whether there is something to go on from.
    fn check(&self, epoch: usize) -> Result<(), TrainError> {
        weights::check_values(self.net)?;
        for (slot, kept) in self.slots.iter().enumerate() {
            for (number, tensor) in N::TENSORS.iter().enumerate() {
                let scalars = kept.tensor(number);
                if let Some(index) = scalars.iter().position(|kept| !kept.is_finite()) {
                    let (tensor, value) = (tensor.name, scalars[index].widen());
                    return Err(TrainError::Slot {
                        slot,
                        tensor,
                        index,
                        value,
                        epoch,
                    });
                }
            }
        }
        Ok(())
    }

    /// One step; what the network did on its images before.
    fn batch(&mut self, epoch: usize, seed: u64) -> Result<Totals, TrainError> {
        let number = self.state.batch;
        let size = self.trainer.batch_size;
        let images = &self.order[number * size..self.order.len().min((number + 1) * size)];
        let (parts, mut totals) = (self.trainer.accumulate, Totals::default());
        let batches = self.order.chunks(size).skip(number);
        let upcoming = batches.flat_map(|images| parts_of(images, parts));
        let mut upcoming = upcoming.flat_map(|images| &images[self.shards.share(images.len())]);
        self.training.prefetch(&mut upcoming.by_ref().copied());
        let through = Through {
            net: self.pass.weights(&*self.net, &mut self.met),
            pass: self.pass,
        };
        for part in parts_of(images, parts).filter(|part| !part.is_empty()) {
            let batch = Batch {
                samples: self.training,
                loss: &self.trainer.loss,
                images: part,
                seed,
                more: totals.images > 0,
                last: totals.images + part.len() == images.len(),
            };
            totals.add(self.shards.run(through, &batch)?);
        }

        let step = self.step(epoch, number);
        if !(step.rate.is_finite() && step.rate >= 0.0) {
            return Err(TrainError::Setting {
                name: "the learning rate",
                found: format!("{} at step {}", step.rate, step.count),
                expected: "a schedule of finite numbers, none below 0,",
            });
        }
        let mut sum = self.state.totals;
        sum.add(totals);
        if !sum.loss.is_finite() {
            // On all machines, as the sum is that of all; one of them may know why.
            let fault = self
                .training
                .fault()
                .map_or(Ok(()), |fault| Err(fault.into()));
            reduce::all_well(&self.trainer.reduce, fault)?;
            let loss = totals.loss / totals.images as f64;
            let learning_rate = step.rate;
            return Err(TrainError::Diverged {
                epoch,
                batch: number,
                learning_rate,
                loss,
            });
        }
        let optimizer = &self.trainer.optimizer;
        let (clip, by_norms) = (self.trainer.clip_norm, optimizer.by_norms());
        self.shards.reduce(clip.is_some() || by_norms)?;
        let mut share = 1.0 / images.len() as f64;
        let mut factors = Cow::from(&self.factors);
        if clip.is_some() || by_norms {
            let norms = self.shards.norms(images.len());
            let clipped = clip_by(clip, N::TENSORS, &factors, &norms)?;
            share *= clipped;
            for (index, factor) in factors.to_mut().iter_mut().enumerate() {
                let role = N::TENSORS[index].role;
                if by_norms && role.is_learned() {
                    let w = batch::norm(self.net.tensor(index));
                    *factor *= optimizer.factor(role, w, clipped * norms[index]);
                }
            }
        }
        let slots = &mut self.slots;
        self.shards
            .step(self.net, slots, optimizer, step, &factors, share);
        if let (Some(average), Some(decay)) = (&mut self.average, self.trainer.average) {
            let keep = if step.count == 0 { 0.0 } else { decay };
            blend(&mut **average, &*self.net, keep);
        }
        self.state.totals = sum;
        self.state.batch += 1;
        self.steps += 1;
        self.compare(step.count + 1)?;
        Ok(totals)
    }

    /// Whether all machines still have the same weights, now and then.
    fn compare(&self, step: u64) -> Result<(), TrainError> {
        let (reduce, every) = (&self.trainer.reduce, self.trainer.compare_every);
        match reduce.machines() > 1 && every > 0 && step.is_multiple_of(every) {
            true => reduce::compare(reduce, step, identity::parameters(&*self.net)),
            false => Ok(()),
        }
    }

    /// Seconds a step that each machine waited for the others, since this was asked last; empty on one.
    fn waits(&mut self) -> Result<Vec<f64>, TrainError> {
        let reduce = &self.trainer.reduce;
        let waited = reduce.waited() + self.shards.waited();
        let mine = waited / mem::take(&mut self.steps).max(1) as f64;
        match reduce.machines() {
            1 => Ok(Vec::new()),
            _ => Ok(reduce::gather(reduce, &[mine], |_| 1)?.concat()),
        }
    }

    /// Ends an epoch: validates, keeps the best, writes history.
    fn record(&mut self, number: usize) -> Result<(), TrainError> {
        let totals = self.state.totals;
        let waits = self.waits()?;
        let epoch = Epoch {
            training: totals.means(),
            validation: self.validate()?,
            learning_rate: self.step(number, self.batches() - 1).rate,
            // A clock may stand still; an infinite speed is no JSON.
            images_per_second: totals.images as f64 / self.state.seconds.max(1e-9),
            waits,
        };
        self.display.epoch(number, &epoch);
        let history = &mut self.state.history;
        let loss = |epoch: &Epoch| {
            epoch
                .validation
                .map_or(f64::INFINITY, |metrics| metrics.loss)
        };
        let lowest = history
            .best
            .map_or(f64::INFINITY, |best| loss(&history.epochs[best]));
        if let Some(best) = &mut self.best
            && loss(&epoch) < lowest
        {
            copy(self.average.as_deref().unwrap_or(self.net), &mut **best);
            history.best = Some(number);
        }
        history.epochs.push(epoch);
        (self.state.batch, self.state.totals, self.state.seconds) = (0, Totals::default(), 0.0);
        Ok(())
    }

    /// Writes the report, if one is asked for.
    #[cfg(feature = "report")]
    fn report(&self) -> Result<(), TrainError> {
        use crate::learn::report::Report;

        /// What it makes of so many images is drawn.
        const IMAGES: usize = 3;

        let Some(path) = &self.trainer.report else {
            return Ok(());
        };
        let reduce = &self.trainer.reduce;
        let write = || {
            let net = self.average.as_deref().unwrap_or(self.net);
            let report = Report::new(net).history(&self.state.history);
            let report = match (self.validation, &self.seen) {
                (Some(samples), Some(seen)) => {
                    report.evaluation(seen, samples).images(samples, 0..IMAGES)
                }
                _ => report.images(self.training, 0..IMAGES),
            };
            let path = path.clone();
            let written = report.write(&path);
            written.map_err(|error| TrainError::Report { path, error })
        };
        let written = if reduce.machine() == 0 {
            write()
        } else {
            Ok(())
        };
        reduce::all_well(reduce, written)
    }

    fn validate(&mut self) -> Result<Option<Metrics>, TrainError> {
        let Some(validation) = self.validation else {
            return Ok(None);
        };
        let Trainer { loss, reduce, .. } = self.trainer;
        let net = self.average.as_deref().unwrap_or(self.net);
        let seen = evaluate_across(net, validation, loss, reduce)?;
        let metrics = Metrics {
            loss: seen.loss(),
            // NaN where there is none.
            accuracy: Some(seen.accuracy()).filter(|share| !share.is_nan()),
        };
        #[cfg(feature = "report")]
        {
            self.seen = Some(seen);
        }
        Ok(Some(metrics))
    }

    fn batches(&self) -> usize {
        self.training.len().div_ceil(self.trainer.batch_size)
    }

    fn step(&self, epoch: usize, batch: usize) -> Step {
        Step::at(&*self.schedule, (epoch * self.batches() + batch) as u64)
    }

    fn save(&mut self) -> Result<(), TrainError> {
        let Some(path) = &self.trainer.checkpoint else {
            return Ok(());
        };
        let best = self
            .best
            .as_deref_mut()
            .filter(|_| self.state.history.best.is_some());
        let tensors = Tensors {
            net: self.net,
            slots: &mut self.slots,
            best,
            average: self.average.as_deref_mut(),
        };
        let reduce: &dyn Reduce = &self.trainer.reduce;
        let saved = match reduce.machine() {
            0 => checkpoint::save(path, &self.state, &tensors).map_err(TrainError::from),
            _ => Ok(()),
        };
        reduce::all_well(reduce, saved)
    }

    /// Whether all machines are about to do the same.
    fn agree(&mut self) -> Result<(), TrainError> {
        let reduce: &dyn Reduce = &self.trainer.reduce;
        if reduce.machines() == 1 {
            return Ok(());
        }
        for (what, value) in &self.identity() {
            reduce::agree(reduce, what, value)?;
        }
        let State { history, batch, .. } = &self.state;
        let rest = [
            ("number of epochs", self.trainer.epochs.to_string()),
            (
                "steps between comparisons",
                self.trainer.compare_every.to_string(),
            ),
            (
                "checkpoint",
                format!(
                    "{} epochs and {batch} batches, #{:08x}",
                    history.epochs.len(),
                    identity::checksum(format!("{:?}", self.state).as_bytes())
                ),
            ),
            (
                "checksum of the weights",
                format!("#{:08x}", identity::parameters(&*self.net)),
            ),
        ];
        rest.into_iter()
            .try_for_each(|(what, value)| reduce::agree(reduce, what, &value))
    }

    fn resume(&mut self) -> Result<(), TrainError> {
        let Some(path) = &self.trainer.checkpoint else {
            return Ok(());
        };
        if self.trainer.reduce.machine() == 0 {
            checkpoint::probe(path)?;
        }
        self.state.identity = self.identity();
        self.state.epochs = self.trainer.epochs;
        let (batches, images) = (self.batches(), self.training.len());
        let (epochs, size) = (self.trainer.epochs, self.trainer.batch_size);
        let check = |state: &State| {
            let History {
                epochs: done, best, ..
            } = &state.history;
            let seen = images.min(state.batch.saturating_mul(size));
            match () {
                () if done.len() > epochs => Err(format!(
                    "{} epochs are done, and {epochs} are asked for",
                    done.len()
                )),
                () if state.batch > batches => Err(format!("batch {} of {batches}", state.batch)),
                () if state.totals.images != seen || state.totals.right > state.totals.answers => {
                    Err(format!("{:?} after {seen} images", state.totals))
                }
                () if best.is_some_and(|best| best >= done.len()) => {
                    Err(format!("the best epoch is {best:?} of {}", done.len()))
                }
                () => Ok(()),
            }
        };
        let best = self.best.as_deref_mut();
        let mut tensors = Tensors {
            net: self.net,
            slots: &mut self.slots,
            best,
            average: self.average.as_deref_mut(),
        };
        let mine = &self.state.identity;
        let of = |epochs: usize| {
            // The same setting may be another schedule, where it is told how long the training is.
            let steps = epochs.saturating_mul(batches) as u64;
            let schedule = (self.trainer.schedule)(steps);
            let mut identity = mine.clone();
            identity.insert(LEARNING_RATE.to_owned(), schedule.to_string());
            identity
        };
        if let Some(state) = checkpoint::load(path, &of, &check, &mut tensors)? {
            let then = &state.identity[LEARNING_RATE];
            let epochs = &state.history.epochs;
            let rate = |epoch| Step::at(&*self.schedule, ((epoch + 1) * batches - 1) as u64).rate;
            let other =
                (0..epochs.len()).rfind(|&epoch| epochs[epoch].learning_rate != rate(epoch));
            let rescheduled = other.map_or(0, |last| last + 1);
            if rescheduled > 0 {
                self.display.rescheduled(rescheduled, then);
            }
            let (identity, epochs) = (mem::take(&mut self.state.identity), self.trainer.epochs);
            self.state = State {
                identity,
                epochs,
                ..state
            };
            self.state.history.rescheduled = rescheduled;
        }
        Ok(())
    }

    /// What must be the same for the training to be the same.
    fn identity(&self) -> BTreeMap<String, String> {
        let Trainer {
            optimizer,
            loss,
            seed,
            batch_size,
            patience,
            ..
        } = self.trainer;
        let schedule = &self.schedule;
        let clip = self.trainer.clip_norm.map(|max| max.to_string());
        let average = self.trainer.average.map(|decay| decay.to_string());
        let parts = (self.trainer.accumulate > 1).then(|| self.trainer.accumulate.to_string());
        let window = Some(self.training.window()).filter(|&window| window > 0);
        let window = window.map(|window| window.to_string());
        // What is said only where it is asked for, so that older checkpoints can be read.
        let asked = [
            ("parts of a batch", parts),
            ("longest gradient", clip),
            ("decay of the average", average),
            ("shuffled within", window),
            ("rounded as", self.pass.name().map(str::to_owned)),
        ];
        let asked = asked.into_iter();
        let asked = asked.filter_map(|(what, value)| value.map(|value| (what, value)));
        let always = [
            ("network", identity::network::<N>()),
            ("optimizer", optimizer.to_string()),
            ("loss", loss.to_string()),
            (LEARNING_RATE, schedule.to_string()),
            (
                "learning rates of tensors",
                identity::factors(&self.factors),
            ),
            ("seed", seed.to_string()),
            ("batch size", batch_size.to_string()),
            ("number of shards", self.shards.count().to_string()),
            (
                "early stopping",
                if patience.is_some() { "on" } else { "off" }.to_owned(),
            ),
            ("training set", identity::samples(self.training)),
            (
                "training set's checksum of pixels",
                identity::pixels::<N::Scalar, _, _>(self.training, true),
            ),
            (
                "validation set",
                self.validation.map_or("none".to_owned(), identity::samples),
            ),
            (
                "validation set's checksum of pixels",
                self.validation.map_or("none".to_owned(), |validation| {
                    identity::pixels::<N::Scalar, _, _>(validation, false)
                }),
            ),
        ];
        let all = always.into_iter().chain(asked);
        all.map(|(what, value)| (what.to_owned(), value)).collect()
    }
}

/// A batch in so many parts.
fn parts_of(images: &[usize], parts: usize) -> impl Iterator<Item = &[usize]> {
    let cut = move |part| part * images.len() / parts;
    (0..parts).map(move |part| &images[cut(part)..cut(part + 1)])
}

const LEARNING_RATE: &str = "learning rate";

/// The order of so many images: any; or, within a `window` of so many, blocks of neighbours in any order, and
/// then the images of each window.
fn shuffle(order: &mut Vec<usize>, images: usize, window: usize, seed: u64) {
    order.clear();
    let mut rng = Rng::stream(seed, u64::MAX);
    if window == 0 {
        order.extend(0..images);
        return rng.shuffle(order);
    }
    let size = window.div_ceil(BLOCKS_A_WINDOW);
    let mut blocks: Vec<usize> = (0..images.div_ceil(size)).collect();
    rng.shuffle(&mut blocks);
    let of = |block: usize| block * size..images.min((block + 1) * size);
    order.extend(blocks.into_iter().flat_map(of));
    order
        .chunks_mut(window)
        .for_each(|window| rng.shuffle(window));
}

const BLOCKS_A_WINDOW: usize = 16;

/// What a gradient is multiplied by, whose tensors are so long, to be no longer than was asked for.
fn clip_by(
    max: Option<f64>,
    tensors: &[Tensor],
    factors: &[f64],
    norms: &[f64],
) -> Result<f64, TrainError> {
    let Some(max) = max else {
        return Ok(1.0);
    };
    let mut sum = 0.0;
    for ((tensor, factor), norm) in tensors.iter().zip(factors).zip(norms) {
        if tensor.role.is_learned() && *factor > 0.0 {
            sum += norm * norm;
            if !sum.is_finite() {
                let tensor = tensor.name;
                return Err(OptimError::NotFinite { tensor }.into());
            }
        }
    }
    let norm = sum.sqrt();
    Ok(if norm > max { max / norm } else { 1.0 })
}

/// average = keep·average + (1 − keep)·net.
fn blend<P: Parameters>(average: &mut P, net: &P, keep: f64) {
    let take = P::Scalar::of(1.0 - keep);
    for index in 0..P::TENSORS.len() {
        let pairs = average.tensor_mut(index).iter_mut().zip(net.tensor(index));
        pairs.for_each(|(average, &w)| *average += take * (w - *average));
    }
}

pub(super) fn copy<P: Parameters>(from: &P, to: &mut P) {
    for index in 0..P::TENSORS.len() {
        to.tensor_mut(index).copy_from_slice(from.tensor(index));
    }
}
