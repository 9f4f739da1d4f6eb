//! A training that many machines share, here threads with a rayon pool each: the same network as of one
//! machine, to the bit, in whatever order messages come; and whatever goes wrong on one machine stops all.
#![cfg(feature = "train")]

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use convnet::data::{self, Images, Samples, Subset};
use convnet::loss::{LossError, SoftmaxCrossEntropy};
use convnet::optim::{Adam, OptimError, Sgd, Step};
use convnet::train::{
    History, Progress, Reduce, ReduceError, Summands, TrainError, Trainer, evaluate,
    evaluate_across,
};
use convnet::{Loss, Optimizer, Parameters, Real, Rng, Role, Trainable, convnet};

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

/// A machine among others that are threads, whose messages lie in one box, in any order, and come late.
#[derive(Clone)]
struct Machine {
    number: usize,
    machines: usize,
    /// How many exchanges there were; what to be late by.
    state: Arc<Mutex<(usize, Rng)>>,
    post: Post,
    /// The box of the second line.
    beside: Post,
}

type Post = Arc<(Mutex<Vec<Message>>, Condvar)>;

struct Message {
    exchange: usize,
    from: usize,
    to: usize,
    bytes: Vec<u8>,
}

impl Machine {
    fn new(machines: usize) -> Vec<Self> {
        let [post, beside] = [Post::default(), Post::default()];
        let machine = |number| Self {
            number,
            machines,
            state: Arc::new(Mutex::new((0, Rng::new(number as u64)))),
            post: post.clone(),
            beside: beside.clone(),
        };
        (0..machines).map(machine).collect()
    }
}

impl Reduce for Machine {
    fn machines(&self) -> usize {
        self.machines
    }

    fn machine(&self) -> usize {
        self.number
    }

    fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError> {
        let (exchange, rng) = &mut *self.state.lock().unwrap();
        *exchange += 1;
        let others = |rng: &mut Rng| {
            let mut others: Vec<usize> = (0..self.machines).filter(|&m| m != self.number).collect();
            rng.shuffle(&mut others);
            others
        };
        let (post, posted) = &*self.post;
        for other in others(rng) {
            for _ in 0..rng.below(3) {
                thread::yield_now();
            }
            let mut post = post.lock().unwrap();
            let at = rng.below(post.len() + 1);
            let (exchange, from, bytes) = (*exchange, self.number, to[other].to_vec());
            let to = other;
            post.insert(
                at,
                Message {
                    exchange,
                    from,
                    to,
                    bytes,
                },
            );
            posted.notify_all();
        }
        for other in others(rng) {
            let mine =
                |it: &Message| (it.exchange, it.from, it.to) == (*exchange, other, self.number);
            let mut post = post.lock().unwrap();
            let at = loop {
                match post.iter().position(mine) {
                    Some(at) => break at,
                    None => post = posted.wait(post).unwrap(),
                }
            };
            from[other].copy_from_slice(&post.swap_remove(at).bytes);
        }
        Ok(())
    }

    fn second_line(&self) -> Option<Box<dyn Reduce>> {
        Some(Box::new(Self {
            state: Arc::new(Mutex::new((0, Rng::new(99 + self.number as u64)))),
            post: self.beside.clone(),
            ..self.clone()
        }))
    }
}

/// As [`Machine`], which adds in an order of its own: that of the machines, from the last to the first.
struct Backwards(Machine);

impl Reduce for Backwards {
    fn machines(&self) -> usize {
        self.0.machines
    }

    fn machine(&self) -> usize {
        self.0.number
    }

    fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError> {
        self.0.exchange(to, from)
    }

    fn sum(&self, values: Summands<'_>) -> Result<bool, ReduceError> {
        let Summands::F32(values) = values else {
            return Ok(true);
        };
        let mine: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        let mut all = vec![mine.clone(); self.machines()];
        let mut from: Vec<&mut [u8]> = all.iter_mut().map(|it| &mut **it).collect();
        self.exchange(&vec![&mine[..]; self.machines()], &mut from)?;
        values.fill(0.0);
        for bytes in all.iter().rev() {
            let of = bytes
                .chunks_exact(4)
                .map(|it| f32::from_le_bytes(it.try_into().unwrap()));
            values
                .iter_mut()
                .zip(of)
                .for_each(|(sum, value)| *sum += value);
        }
        Ok(true)
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
    for epoch in &mut history.epochs {
        epoch.images_per_second = 0.0;
        epoch.waits.clear();
    }
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
fn any_number_of_machines_is_one_to_the_bit() {
    fn check<N>(shards: usize, net: fn() -> Box<N>)
    where
        N: Trainable<Scalar = f32> + Send + Sync,
    {
        let one = train(&trainer(shards), net);
        for machines in [2, 3, 5] {
            let each = on_each(Machine::new(machines), |number, machine| {
                let trainer = trainer(shards).threads(1 + number % 2).reduce(machine);
                train(&trainer, net)
            });
            assert!(each.iter().all(|it| *it == one), "{machines} machines");
        }
    }
    check(16, || Plain::<f32>::random(3));
    check(7, || Normed::<f32>::random(3));
    check(16, || Large::<f32>::random(3));
}

/// Each adds up a part where there are many numbers: some 33,000 in `Large`, in more than one bucket here.
#[test]
fn a_large_gradient_is_added_part_by_part() {
    convnet! { struct Wide { input(8x8x1), flatten, fc(4096), relu, fc(256), relu, fc(10) } }
    let (digits, net) = (digits(), || Wide::<f32>::random(3));
    let (_, few) = data::split(&digits, 24.0 / digits.len() as f64, 9).unwrap();
    let train = |trainer: Trainer<Adam>| {
        let mut net = net();
        trainer.epochs(1).fit(&mut *net, &few).unwrap();
        bits(&*net)
    };
    let one = train(trainer(7));
    let each = on_each(Machine::new(3), |_, machine| {
        train(trainer(7).reduce(machine))
    });
    assert!(each.iter().all(|it| *it == one));
}

/// One of two machines whose second line stands still until the rest of a gradient is on its way on the first: a
/// message of so many bytes.
struct Held {
    line: Box<dyn Reduce>,
    rest: usize,
    /// How many rests there were.
    rests: Arc<(Mutex<usize>, Condvar)>,
    /// How many messages there were on the second line.
    early: Arc<Mutex<usize>>,
    is_second: bool,
}

impl Reduce for Held {
    fn machines(&self) -> usize {
        2
    }

    fn machine(&self) -> usize {
        self.line.machine()
    }

    fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError> {
        let (rests, more) = &*self.rests;
        if self.is_second {
            let mut early = self.early.lock().unwrap();
            *early += 1;
            let wait =
                more.wait_timeout_while(rests.lock().unwrap(), Duration::from_secs(100), |rests| {
                    *rests < *early
                });
            if wait.unwrap().1.timed_out() {
                return Err("the rest waits for what is on its way".into());
            }
        } else if to[1 - self.machine()].len() == self.rest {
            *rests.lock().unwrap() += 1;
            more.notify_all();
        }
        self.line.exchange(to, from)
    }

    fn second_line(&self) -> Option<Box<dyn Reduce>> {
        Some(Box::new(Self {
            line: self.line.second_line()?,
            rest: self.rest,
            rests: self.rests.clone(),
            early: self.early.clone(),
            is_second: true,
        }))
    }
}

#[test]
fn the_gradient_of_the_last_layers_travels_while_backward_is_at_work() {
    /// `rest` scalars are not whole before backward ends.
    fn check<N>(rest: usize, net: fn() -> Box<N>)
    where
        N: Trainable<Scalar = f32> + Send + Sync,
    {
        let trainer = || trainer(16).accumulate(2);
        let one = train(&trainer(), net);
        let each = on_each(Machine::new(2), |number, machine| {
            let (line, early) = (Box::new(machine), Arc::<Mutex<usize>>::default());
            let held = Held {
                line,
                rest: rest * size_of::<f32>(),
                rests: Arc::default(),
                early: early.clone(),
                is_second: false,
            };
            let trained = train(&trainer().threads(1 + number).reduce(held), net);
            assert_eq!(*early.lock().unwrap(), 2 * 97_usize.div_ceil(24));
            trained
        });
        assert!(each.iter().all(|it| *it == one));
    }
    // A first conv without a bias, and with one.
    check(3 * 3 * 18, || Normed::<f32>::random(3));
    check(3 * 3 * 4 + 4, || Large::<f32>::random(3));
}

#[test]
fn an_order_of_ones_own_is_one_but_for_rounding() {
    let net = || Normed::<f32>::random(3);
    let (one, _) = train(&trainer(7), net);
    let machines = Machine::new(3).into_iter().map(Backwards).collect();
    let each = on_each(machines, |_, machine| {
        train(&trainer(7).reduce(machine), net)
    });
    assert!(each.iter().all(|it| *it == each[0]), "all have the same");
    assert!(one != each[0].0, "the order is another");
    let value = |bits: &u32| f32::from_bits(*bits);
    let off = one
        .iter()
        .zip(&each[0].0)
        .map(|(a, b)| (value(a) - value(b)).abs());
    let off = off.fold(0.0, f32::max);
    assert!(off < 2e-3, "{off}");
}

#[test]
fn an_evaluation_by_many_is_that_of_one() {
    let (digits, net) = (digits(), Normed::<f32>::random(3));
    let (set, loss) = (some(&digits), SoftmaxCrossEntropy::default());
    let one = evaluate(&*net, &set, &loss).unwrap();
    let each = on_each(Machine::new(3), |_, machine| {
        evaluate_across(&*net, &set, &loss, &machine).unwrap()
    });
    assert!(each.iter().all(|it| *it == one));
}

#[test]
fn it_is_said_how_long_each_machine_waits() {
    let digits = digits();
    /// Slow to answer to an image.
    struct Slow<'a>(Subset<&'a Images>, bool);
    impl Samples for Slow<'_> {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn shape(&self) -> [usize; 3] {
            self.0.shape()
        }
        fn label(&self, index: usize) -> usize {
            self.0.label(index)
        }
        fn image<T: Real>(&self, index: usize, image: &mut [T]) {
            if self.1 {
                thread::sleep(Duration::from_millis(2));
            }
            self.0.image(index, image);
        }
    }
    let each = on_each(Machine::new(3), |number, machine| {
        let (mut net, set) = (Plain::<f32>::random(3), Slow(some(&digits), number == 1));
        let trainer = trainer(6).epochs(1).reduce(machine);
        trainer.fit(&mut *net, &set).unwrap()
    });
    let epoch = &each[2].epochs[0];
    let &[a, slow, b] = &*epoch.waits else {
        panic!("{epoch}")
    };
    assert!(slow < a && slow < b && a > 5e-3, "{:?}", epoch.waits);
    let line = format!(
        "; waits a step {:.1}, {:.1}, {:.1} ms",
        1e3 * a,
        1e3 * slow,
        1e3 * b
    );
    assert!(epoch.to_string().ends_with(&line), "{epoch}");
}

/// An optimizer that is another on one machine, from some step on, without saying so.
#[derive(Clone, Copy, Debug)]
struct Strays(bool);

impl fmt::Display for Strays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strays")
    }
}

impl Optimizer<f32> for Strays {
    fn slots(&self) -> usize {
        Optimizer::<f32>::slots(&Sgd::default())
    }

    fn check(&self) -> Result<(), OptimError> {
        Ok(())
    }

    fn update(&self, step: Step, role: Role, w: &mut [f32], dw: &[f32], slots: [&mut [f32]; 2]) {
        let strays = self.0 && step.count == 7;
        let rate = if strays { 1.01 * step.rate } else { step.rate };
        Sgd::default().update(Step { rate, ..step }, role, w, dw, slots);
    }
}

#[test]
fn a_machine_that_strays_is_named() {
    let digits = digits();
    let errors = on_each(Machine::new(3), |number, machine| {
        let mut net = Plain::<f32>::random(3);
        let trainer = Trainer::new(Strays(number == 1)).batch_size(24).threads(1);
        let trainer = trainer
            .progress(Progress::Silent)
            .compare_every(3)
            .reduce(machine);
        trainer.fit(&mut *net, &some(&digits)).unwrap_err()
    });
    for error in errors {
        let TrainError::Strayed {
            machine: 1,
            step: 9,
            found,
            expected,
        } = error
        else {
            panic!("{error}")
        };
        assert!(found != expected);
    }
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
    type Make<'a> = &'a (dyn Fn(usize) -> Trainer<Adam> + Sync);
    let check = |said: [&str; 3], trainer: Make<'_>| {
        let errors = on_each(Machine::new(3), |number, machine| {
            let mut net = Plain::<f32>::random(7);
            let trainer = trainer(number).reduce(machine);
            trainer.fit(&mut *net, &some(&digits)).unwrap_err()
        });
        for error in errors {
            let text = error.to_string();
            let TrainError::Unlike {
                what,
                machine: 1,
                found,
                expected,
            } = error
            else {
                panic!("{error}")
            };
            assert_eq!([&*what, &*found, &*expected], said, "{text}");
        }
    };
    for error in on_each(Machine::new(3), |number, machine| {
        let mut net = Plain::<f32>::random(7 + number as u64 % 2);
        let trainer = trainer(6).reduce(machine);
        trainer.fit(&mut *net, &some(&digits)).unwrap_err()
    }) {
        let TrainError::Unlike {
            what,
            machine: 1,
            found,
            expected,
        } = &error
        else {
            panic!("{error}")
        };
        assert!(
            what == "checksum of the weights" && found != expected,
            "{error}"
        );
    }
    check(["number of epochs", "2", "1"], &|number| {
        trainer(6).epochs(1 + number % 2)
    });
    check(["seed", "1", "0"], &|number| {
        trainer(6).seed(number as u64 % 2)
    });
    let path = |number| -> PathBuf {
        std::env::temp_dir().join(format!("convnet-alike-{}-{number}", std::process::id()))
    };
    let with = |number| trainer(6).checkpoint(path(number));
    let mut net = Plain::<f32>::random(7);
    let _ = with(0).epochs(1).fit(&mut *net, &some(&digits)).unwrap();
    for error in on_each(Machine::new(3), |number, machine| {
        let (mut net, set) = (Plain::<f32>::random(7), some(&digits));
        with(number)
            .reduce(machine)
            .fit(&mut *net, &set)
            .unwrap_err()
    }) {
        let text = error.to_string();
        assert!(
            text.starts_with("the machines differ: checkpoint is 0 epochs and 0 batches, #")
                && text.contains(" on machine 1, and 1 epochs and 0 batches, #"),
            "{text}"
        );
    }
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
    let TrainError::Elsewhere { machine: 0, error } = &errors[1] else {
        panic!("{}", errors[1])
    };
    assert_eq!(*error, errors[0].to_string());
}

/// One of two machines, over a wire that may be cut.
struct OneOfTwo {
    number: usize,
    to: Sender<Vec<u8>>,
    from: Mutex<Receiver<Vec<u8>>>,
    sums: Mutex<usize>,
    /// The second line, until it is asked for.
    beside: Mutex<Option<Box<Self>>>,
}

impl OneOfTwo {
    /// After so many sums the wire is cut, or the second one, if there is one.
    fn new(sums: usize, beside: Option<usize>) -> Vec<Self> {
        let ((to_0, from_1), (to_1, from_0)) = (channel(), channel());
        let machine = |(number, to, from): (_, _, Receiver<_>)| Self {
            number,
            to,
            from: from.into(),
            sums: sums.into(),
            beside: Mutex::default(),
        };
        let both = [(0, to_1, from_1), (1, to_0, from_0)].map(machine);
        if let Some(sums) = beside {
            for (one, beside) in both.iter().zip(Self::new(sums, None)) {
                *one.beside.lock().unwrap() = Some(Box::new(beside));
            }
        }
        both.into()
    }
}

impl Reduce for OneOfTwo {
    fn machines(&self) -> usize {
        2
    }

    fn machine(&self) -> usize {
        self.number
    }

    fn exchange(&self, to: &[&[u8]], from: &mut [&mut [u8]]) -> Result<(), ReduceError> {
        let mut left = self.sums.lock().unwrap();
        *left = left.checked_sub(1).ok_or("the wire is cut")?;
        let other = 1 - self.number;
        self.to.send(to[other].to_vec())?;
        from[other].copy_from_slice(&self.from.lock().unwrap().recv()?);
        Ok(())
    }

    fn second_line(&self) -> Option<Box<dyn Reduce>> {
        Some(self.beside.lock().unwrap().take()?)
    }
}

#[test]
fn a_wire_that_is_cut_stops_the_training() {
    let digits = digits();
    // At the start, at the totals of the first batch, at its gradient, at a moment; while gradients travel.
    let first = [0, 34, 35, 36, 37, 38, 39, 40, 41, 60].map(|sums| (sums, None));
    let both = [36, 40, 41, 42, 60].map(|sums| (sums, Some(1000)));
    let second = [0, 1, 5].map(|sums| (1000, Some(sums)));
    for (sums, beside) in first.into_iter().chain(both).chain(second) {
        let errors = on_each(OneOfTwo::new(sums, beside), |_, machine| {
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
    assert!(matches!(errors[1], TrainError::Loss(_)), "{}", errors[1]);
    let text = errors[0].to_string();
    assert_eq!(text, format!("machine 1 stopped: {}", errors[1]));
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
    machine.machines = 1;
    refuse(
        trainer(2).reduce(machine),
        "the number of this machine is 1 of 1\none that counts from 0",
    );
}
