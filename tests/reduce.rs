//! A training that many machines share, here threads with a rayon pool each: the same network as of one
//! machine, to the bit where sums are taken in the same order; and whatever goes wrong on one machine stops
//! all.
#![cfg(feature = "train")]

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;

use convnet::data::{self, Images, Samples, Subset};
use convnet::loss::{LossError, SoftmaxCrossEntropy};
use convnet::optim::{Adam, Sgd};
use convnet::train::{History, Progress, Reduce, TrainError, Trainer};
use convnet::{Loss, Parameters, Trainable, convnet};

convnet! {
    struct Plain {
        input(8x8x1),
        conv(4, 3x3, pad = 1),
        relu,
        max_pool(2x2),
        dropout(0.25),
        fc(10),
    }
}

convnet! {
    /// Images of a batch exchange moments at two batch norms.
    struct Normed {
        input(8x8x1),
        conv(18, 3x3, pad = 1, bias = none),
        batch_norm,
        relu,
        max_pool(2x2),
        residual { conv(18, 3x3, pad = 1, bias = none), batch_norm },
        relu,
        fc(10),
    }
}

convnet! {
    /// A few images at a time go through a large `fc`.
    struct Large { input(8x8x1), conv(4, 3x3, pad = 1), relu, fc(512), relu, fc(10) }
}

/// A machine among others that are threads: all lay down what they have, and each adds it up in halves.
#[derive(Clone)]
struct Machine {
    number: usize,
    all: Arc<(Barrier, Vec<Mutex<Vec<f64>>>)>,
}

impl Machine {
    fn new(machines: usize) -> Vec<Self> {
        let values = (0..machines).map(|_| Mutex::default()).collect();
        let all = Arc::new((Barrier::new(machines), values));
        let machine = |number| Self {
            number,
            all: all.clone(),
        };
        (0..machines).map(machine).collect()
    }

    fn gather(&self, mine: impl Iterator<Item = f64>) -> Vec<Vec<f64>> {
        let (together, values) = &*self.all;
        *values[self.number].lock().unwrap() = mine.collect();
        together.wait();
        let all = values.iter().map(|values| values.lock().unwrap().clone());
        let all = all.collect();
        together.wait();
        all
    }
}

/// `add` in the type of the scalars.
fn halves(values: &[Vec<f64>], index: usize, add: fn(f64, f64) -> f64) -> f64 {
    match values {
        [one] => one[index],
        _ => {
            let (one, other) = values.split_at(values.len() / 2);
            add(halves(one, index, add), halves(other, index, add))
        }
    }
}

impl Reduce for Machine {
    fn machines(&self) -> usize {
        self.all.1.len()
    }

    fn machine(&self) -> usize {
        self.number
    }

    fn sum_f32(&self, values: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let all = self.gather(values.iter().map(|&value| f64::from(value)));
        for (index, value) in values.iter_mut().enumerate() {
            *value = halves(&all, index, |a, b| f64::from(a as f32 + b as f32)) as f32;
        }
        Ok(())
    }

    fn sum_f64(&self, values: &mut [f64]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let all = self.gather(values.iter().copied());
        for (index, value) in values.iter_mut().enumerate() {
            *value = halves(&all, index, |a, b| a + b);
        }
        Ok(())
    }
}

/// What `run` comes to on each machine.
fn on_each<M: Reduce + 'static, R: Send>(
    machines: Vec<M>,
    run: impl Fn(usize, M) -> R + Sync,
) -> Vec<R> {
    thread::scope(|scope| {
        let run = &run;
        let machines = machines.into_iter().enumerate();
        let started: Vec<_> = machines
            .map(|(number, machine)| scope.spawn(move || run(number, machine)))
            .collect();
        started.into_iter().map(|it| it.join().unwrap()).collect()
    })
}

fn digits() -> Images {
    data::digits(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/data/digits.csv.gz"
    ))
    .unwrap()
}

/// So many that the last of batches of 24 has one image: one of two machines has none of it.
fn some(digits: &Images) -> Subset<&Images> {
    let (_, some) = data::split(digits, 97.0 / digits.len() as f64, 9).unwrap();
    assert_eq!(some.len(), 97);
    some
}

fn trainer(shards: usize) -> Trainer<Adam> {
    Trainer::new(Adam::default())
        .learning_rate(3e-3)
        .batch_size(24)
        .shards(shards)
        .seed(7)
        .epochs(2)
        .threads(1)
        .progress(Progress::Silent)
}

fn bits<P: Parameters<Scalar = f32>>(net: &P) -> Vec<u32> {
    let tensors = (0..P::TENSORS.len()).map(|index| net.tensor(index));
    tensors.flatten().map(|scalar| scalar.to_bits()).collect()
}

fn timeless(mut history: History) -> History {
    let epochs = history.epochs.iter_mut();
    epochs.for_each(|epoch| epoch.images_per_second = 0.0);
    history
}

fn train<N>(trainer: &Trainer<Adam>, net: fn() -> Box<N>) -> (Vec<u32>, History)
where
    N: Trainable<Scalar = f32> + Send + Sync,
{
    let (digits, mut net) = (digits(), net());
    let set = some(&digits).random_shifts(1);
    let history = trainer
        .fit_validated(&mut *net, &set, &some(&digits))
        .unwrap();
    (bits(&*net), timeless(history))
}

#[test]
fn two_or_four_machines_are_one_to_the_bit() {
    fn check<N>(net: fn() -> Box<N>)
    where
        N: Trainable<Scalar = f32> + Send + Sync,
    {
        for (machines, shards) in [(2, 6), (4, 12)] {
            let one = train(&trainer(shards), net);
            let each = on_each(Machine::new(machines), |_, machine| {
                train(&trainer(shards).reduce(machine), net)
            });
            assert!(each.iter().all(|it| *it == one), "{machines} machines");
        }
    }
    check(|| Plain::<f32>::random(3));
    check(|| Normed::<f32>::random(3));
    check(|| Large::<f32>::random(3));
}

/// Thirds are no halves: the sums have another order.
#[test]
fn three_machines_are_one_but_for_rounding() {
    let net = || Normed::<f32>::random(3);
    let (one, _) = train(&trainer(7), net);
    let each = on_each(Machine::new(3), |_, machine| {
        train(&trainer(7).reduce(machine), net)
    });
    assert!(each.iter().all(|it| *it == each[0]), "all have the same");
    let value = |bits: &u32| f32::from_bits(*bits);
    let off = one
        .iter()
        .zip(&each[0].0)
        .map(|(a, b)| (value(a) - value(b)).abs());
    let off = off.fold(0.0, f32::max);
    assert!(off < 2e-3, "{off}");
}

#[test]
fn a_checkpoint_is_one_of_any_number_of_machines() {
    let path = std::env::temp_dir().join(format!("convnet-reduce-{}", std::process::id()));
    let with = |epochs| trainer(6).epochs(epochs).checkpoint(&path);
    let net = || Normed::<f32>::random(3);
    on_each(Machine::new(2), |_, machine| {
        train(&with(1).reduce(machine), net)
    });
    let (alone, _) = train(&with(2), net);
    let each = on_each(Machine::new(2), |_, machine| {
        train(&with(3).reduce(machine), net)
    });
    std::fs::remove_file(&path).unwrap();
    assert_eq!(alone, train(&trainer(6), net).0);
    assert_eq!(each[1], train(&trainer(6).epochs(3), net));
}

#[test]
fn machines_that_do_not_begin_alike_do_not_begin() {
    let digits = digits();
    let check =
        |what: &str, trainer: &(dyn Fn(usize) -> Trainer<Adam> + Sync), seed: fn(usize) -> u64| {
            let errors = on_each(Machine::new(3), |number, machine| {
                let mut net = Plain::<f32>::random(seed(number));
                let trainer = trainer(number).reduce(machine);
                trainer.fit(&mut *net, &some(&digits)).unwrap_err()
            });
            for error in errors {
                let TrainError::Unlike { what: found } = error else {
                    panic!("{error}")
                };
                assert_eq!(found, what);
            }
        };
    check("the weights", &|_| trainer(6), |number| {
        7 + number as u64 / 2
    });
    check(
        "the settings or the images",
        &|number| trainer(6).epochs(1 + number % 2),
        |_| 7,
    );
    let path = |number| -> PathBuf {
        std::env::temp_dir().join(format!("convnet-alike-{}-{number}", std::process::id()))
    };
    let with = |number| trainer(6).checkpoint(path(number));
    let mut net = Plain::<f32>::random(7);
    let _ = with(0).epochs(1).fit(&mut *net, &some(&digits)).unwrap();
    check("the checkpoint", &with, |_| 7);
    // What only one of them can know.
    let errors = on_each(Machine::new(2), |number, machine| {
        let (mut net, set) = (Plain::<f32>::random(7), some(&digits));
        let trainer = with(number).seed(8).reduce(machine);
        trainer.fit(&mut *net, &set).unwrap_err()
    });
    std::fs::remove_file(path(0)).unwrap();
    assert!(
        matches!(errors[0], TrainError::Checkpoint(_)),
        "{}",
        errors[0]
    );
    assert!(matches!(errors[1], TrainError::Elsewhere), "{}", errors[1]);
}

/// One of two machines, over a wire that may be cut.
struct OneOfTwo {
    number: usize,
    to: Sender<Vec<f64>>,
    from: Mutex<Receiver<Vec<f64>>>,
    sums: Mutex<usize>,
}

impl OneOfTwo {
    /// After so many sums the wire is cut.
    fn new(sums: usize) -> Vec<Self> {
        let ((to_0, from_1), (to_1, from_0)) = (channel(), channel());
        let machine = |(number, to, from): (_, _, Receiver<_>)| Self {
            number,
            to,
            from: from.into(),
            sums: sums.into(),
        };
        [(0, to_1, from_1), (1, to_0, from_0)].map(machine).into()
    }
}

impl Reduce for OneOfTwo {
    fn machines(&self) -> usize {
        2
    }

    fn machine(&self) -> usize {
        self.number
    }

    fn sum_f32(&self, values: &mut [f32]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut wide: Vec<f64> = values.iter().map(|&value| value.into()).collect();
        self.sum_f64(&mut wide)?;
        values
            .iter_mut()
            .zip(wide)
            .for_each(|(value, sum)| *value = sum as f32);
        Ok(())
    }

    fn sum_f64(&self, values: &mut [f64]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut left = self.sums.lock().unwrap();
        *left = left.checked_sub(1).ok_or("the wire is cut")?;
        self.to.send(values.to_vec())?;
        let theirs = self.from.lock().unwrap().recv()?;
        values
            .iter_mut()
            .zip(theirs)
            .for_each(|(value, more)| *value += more);
        Ok(())
    }
}

#[test]
fn a_wire_that_is_cut_stops_the_training() {
    let digits = digits();
    // At the start, at the totals of the first batch, at its gradient, at a moment.
    for sums in [0, 6, 8, 30] {
        let errors = on_each(OneOfTwo::new(sums), |_, machine| {
            let mut net = Normed::<f32>::random(3);
            trainer(6)
                .reduce(machine)
                .fit(&mut *net, &some(&digits))
                .unwrap_err()
        });
        for error in errors {
            assert!(matches!(error, TrainError::Reduce(_)), "{error}");
            let text = error.to_string();
            assert!(
                text.starts_with("the machines could not add up what they found: "),
                "{text}"
            );
        }
    }
}

/// Refuses the images of one machine, as a loss of one's own may.
#[derive(Clone, Copy)]
struct Refuses(bool);

impl Loss<f32> for Refuses {
    fn loss(&self, scores: &[f32], label: usize, d_scores: &mut [f32]) -> Result<f32, LossError> {
        let label = if self.0 { usize::MAX } else { label };
        SoftmaxCrossEntropy::default().loss(scores, label, d_scores)
    }
}

impl fmt::Display for Refuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refuses")
    }
}

#[test]
fn what_goes_wrong_on_one_machine_stops_all() {
    let digits = digits();
    let errors = on_each(Machine::new(2), |number, machine| {
        let mut net = Normed::<f32>::random(3);
        let trainer = trainer(6).loss(Refuses(number == 1)).reduce(machine);
        trainer.fit(&mut *net, &some(&digits)).unwrap_err()
    });
    assert!(matches!(errors[0], TrainError::Elsewhere), "{}", errors[0]);
    assert!(matches!(errors[1], TrainError::Loss(_)), "{}", errors[1]);
    let diverged = on_each(Machine::new(2), |_, machine| {
        let mut net = Plain::<f32>::random(3);
        let trainer = Trainer::new(Sgd::default()).learning_rate(1e30).threads(1);
        let trainer = trainer.progress(Progress::Silent).reduce(machine);
        trainer.fit(&mut *net, &some(&digits)).unwrap_err()
    });
    for error in diverged {
        assert!(matches!(error, TrainError::Diverged { .. }), "{error}");
    }
}

#[test]
fn too_few_shards_and_a_machine_too_many_are_refused() {
    let refuse = |trainer: Trainer<Adam>, what: &str| {
        let (digits, mut net) = (digits(), Plain::<f32>::random(3));
        let error = trainer.fit(&mut *net, &some(&digits)).unwrap_err();
        assert!(error.to_string().starts_with(what), "{error}");
    };
    let machine = Machine::new(3).remove(1);
    refuse(
        trainer(2).reduce(machine),
        "the number of shards is 2, on 3 machines\none for each",
    );
    let mut machine = Machine::new(3).remove(1);
    Arc::get_mut(&mut machine.all).unwrap().1.truncate(1);
    refuse(
        trainer(2).reduce(machine),
        "the number of this machine is 1 of 1\none that counts from 0",
    );
}
