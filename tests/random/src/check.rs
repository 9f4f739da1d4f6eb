//! One network by every path.

use convnet::data::Samples;
use convnet::gradient_check::slope;
use convnet::kernel::{levels, with_level};
use convnet::optim::Sgd;
use convnet::plan::{Options, place_of};
use convnet::prepare::{Precision, Prepare, Prepared};
use convnet::train::{Progress, Trainer};
use convnet::{AnyVolume, Parameters, Real, Rng, Role, Trainable};

use crate::network::{Layer, Network};
use crate::reference::{self, Tensors, Volume};
use crate::{declare, draw};

/// Of the same sum in another order, in `f64`.
const EXACT: f64 = 1e-10;
/// Of scores in `f32`, of their largest.
const SCORES: f64 = 2e-4;
/// Of a gradient in `f32`, of its length. A kink (a relu at zero, a pool between two equals) may fall
/// to the other side by rounding, so single numbers may differ by more.
const GRADIENT: f64 = 5e-3;
/// What rounding the mean of a batch to `f32` makes of a gradient, of its length, times
/// [`Tensors::condition`]. That mean is taken off each x, so the gradients on these no longer add up to zero,
/// and what lies in front of the `batch_norm` multiplies their sum by the mean of what it reads. Measured on
/// a network whose condition is 4.9e4: with the mean alone rounded and all else in `f64`, a conv's gradient
/// in front is .12 % off, and .17 % with all in `f32`; a bias far in front, whose own sum cancels, .8 %.
const MEAN: f64 = 1.0 / (1 << 22) as f64;
/// The images of a batch.
const BATCH: usize = 5;

/// Fails unless every path through the network of `seed` gives the same: `S` in `f32`, `D` in `f64`.
pub(crate) fn check<S, D>(seed: u64)
where
    S: Prepare<Scalar = f32> + Trainable + Send + Sync,
    D: Prepare<Scalar = f64> + Trainable + Send + Sync,
    S::Output: Send + PartialEq + std::fmt::Debug,
    S::Input: Sync,
    S: Prepare<Overlay: Send>,
{
    let network = draw::network(seed);
    let mut text = String::new();
    declare::declare(&network, &format!("Net{seed}"), &mut text);
    println!("{text}");
    let case = Case::new::<D>(&network, seed);
    planned_again::<D>();
    case.doubles::<D>();
    for level in levels() {
        with_level(level, || case.singles::<S, D>(&format!("{level:?}")));
    }
    case.batches::<S>();
    case.trains::<S, D>();
}

/// The graph holds all that the plan asks: planned again, it gives the same volumes and as much memory.
fn planned_again<N: convnet::Network>() {
    let ops: Vec<_> = N::GRAPH.iter().map(|node| node.op).collect();
    let options = Options {
        row_by_row: N::ROW_BY_ROW,
        ..Options::DEFAULT
    };
    let (steps, totals) = place_of(N::Input::SHAPE, &ops, options).expect("it fits");
    for (step, node) in steps.iter().zip(N::GRAPH) {
        assert_eq!(step.volume, node.volume, "{}", node.name);
    }
    let in_f32 = size_of::<N::Arena>() / size_of::<N::Scalar>() * size_of::<f32>();
    assert_eq!(totals.arena, in_f32);
}

struct Case<'a> {
    network: &'a Network,
    seed: u64,
    tensors: Vec<Vec<f64>>,
    images: Vec<Vec<f64>>,
    /// The gradient on the scores.
    d_scores: Vec<f64>,
    /// What the plain loops make of the first image.
    scores: Vec<f64>,
    drops: bool,
}

impl<'a> Case<'a> {
    fn new<D: Parameters + convnet::Network>(network: &'a Network, seed: u64) -> Self {
        let mut rng = Rng::stream(seed, 1);
        let tensor = |tensor: &convnet::Tensor| {
            let seen = tensor.shape[..tensor.shape.len() - 1]
                .iter()
                .product::<usize>() as f64;
            let draw = |_| match tensor.role {
                Role::Filters | Role::Grouped(_) | Role::Weights => {
                    rng.normal() * (2.0 / seen).sqrt()
                }
                Role::Bias | Role::Mean(_) => 0.3 * rng.normal(),
                Role::Gain => 1.0 + 0.3 * rng.normal(),
                Role::Slope => 0.3 * rng.normal(),
                Role::Variance(..) => 0.5 + rng.uniform(),
            };
            // What f32 holds too.
            let values = (0..tensor.len()).map(draw).map(|w| f64::from(w as f32));
            values.collect::<Vec<_>>()
        };
        let tensors: Vec<_> = D::TENSORS.iter().map(tensor).collect();
        let mut draw = |count: usize| -> Vec<f64> {
            (0..count).map(|_| f64::from(rng.normal() as f32)).collect()
        };
        let size = network.input.iter().product();
        let images: Vec<_> = (0..BATCH).map(|_| draw(size)).collect();
        assert_eq!(D::Input::SHAPE, network.input);
        assert_eq!(D::Output::SHAPE, network.output());
        let d_scores = draw(network.output().iter().product());
        let mut case = Self {
            network,
            seed,
            tensors,
            images,
            d_scores,
            scores: Vec::new(),
            drops: network.any(&Layer::drops),
        };
        case.scores = case.plainly(false, &case.images[..1]).0.remove(0).values;
        case
    }

    /// The scores; and the condition of its batch norms.
    fn plainly(&self, training: bool, images: &[Vec<f64>]) -> (Vec<Volume>, f64) {
        let shape = self.network.input;
        let image = |values: &Vec<f64>| Volume {
            shape,
            values: values.clone(),
        };
        let mut tensors = Tensors::new(&self.tensors);
        let scores = reference::forward(
            self.network,
            &mut tensors,
            training,
            images.iter().map(image).collect(),
        );
        assert!(tensors.rest.len() == 0, "tensors that nobody reads");
        (scores, tensors.condition)
    }

    fn net<N: Parameters>(&self) -> Box<N> {
        let mut net: Box<N> = bytemuck::zeroed_box();
        for (index, tensor) in self.tensors.iter().enumerate() {
            fill(net.tensor_mut(index), tensor);
        }
        net
    }

    fn image<V: AnyVolume<Scalar: Real>>(&self, index: usize) -> Box<V> {
        boxed(&self.images[index])
    }

    /// `f64`: as the plain loops; and every slope as measured.
    fn doubles<D: Prepare<Scalar = f64> + Trainable>(&self) {
        let mut net: Box<D> = self.net();
        let mut image: Box<D::Input> = self.image(0);
        let mut arena: Box<D::Arena> = bytemuck::zeroed_box();
        let scores = net.forward(&image, &mut arena).as_slice().to_vec();
        self.scores("forward, f64", &scores, EXACT);
        let fast = Prepared::new(&*net);
        let prepared = fast.forward(&image, &mut fast.arena()).as_slice().to_vec();
        assert_eq!(prepared, scores, "prepared, f64");

        let run = gradients(&*net, &image, &self.d_scores, self.seed);
        if !self.drops {
            self.scores("forward_train, f64", &run.scores, EXACT);
        }
        let mut tape: Box<D::Tape> = bytemuck::zeroed_box();
        let mut objective = |net: &D, image: &D::Input| -> f64 {
            let scores = net.forward_train(image, &mut tape, self.seed).as_slice();
            scores.iter().zip(&self.d_scores).map(|(s, d)| s * d).sum()
        };
        let mut rng = Rng::stream(self.seed, 2);
        let mut signs = |count: usize| -> Vec<f64> {
            (0..count)
                .map(|_| [-1.0, 1.0][rng.below(2)] / (count as f64).sqrt())
                .collect()
        };
        for index in 0..D::TENSORS.len() {
            if !D::TENSORS[index].role.is_learned() {
                continue;
            }
            let direction = signs(D::TENSORS[index].len());
            let analytic = dot(run.gradient.tensor(index), &direction);
            let before = &self.tensors[index];
            let slope = slope(analytic, |h| {
                let moved = before.iter().zip(&direction).map(|(w, d)| w + h * d);
                net.tensor_mut(index)
                    .iter_mut()
                    .zip(moved)
                    .for_each(|(w, moved)| *w = moved);
                objective(&net, &image)
            });
            fill(net.tensor_mut(index), before);
            self.sloped(D::TENSORS[index].name, slope);
        }
        let direction = signs(self.images[0].len());
        let analytic = dot(run.d_image.as_slice(), &direction);
        let slope = slope(analytic, |h| {
            let moved = self.images[0]
                .iter()
                .zip(&direction)
                .map(|(x, d)| x + h * d);
            image
                .as_mut_slice()
                .iter_mut()
                .zip(moved)
                .for_each(|(x, moved)| *x = moved);
            objective(&net, &image)
        });
        self.sloped("image", slope);
    }

    /// A difference of two losses is known to 1e-16 of the loss, over a step of 1e-5 or more where no kink is
    /// nearer.
    fn sloped(&self, name: &str, slope: convnet::gradient_check::Slope) {
        let loss: f64 = self
            .scores
            .iter()
            .zip(&self.d_scores)
            .map(|(s, d)| (s * d).abs())
            .sum();
        let flat = slope.analytic.abs().max(slope.numeric.abs()) < 1e-8 * (1.0 + loss);
        assert!(flat || slope.error < 1e-5, "slope of {name}: {slope:?}");
    }

    /// `f32` at one level, as `f64`.
    fn singles<S, D>(&self, level: &str)
    where
        S: Prepare<Scalar = f32> + Trainable,
        D: Trainable<Scalar = f64>,
    {
        let net: Box<S> = self.net();
        let image: Box<S::Input> = self.image(0);
        let mut arena: Box<S::Arena> = bytemuck::zeroed_box();
        let scores = net.forward(&image, &mut arena).as_slice();
        self.scores(&format!("forward at {level}"), scores, SCORES);
        for (what, precision) in [
            ("direct", Precision::HIGHEST),
            ("winograd", Precision::default()),
        ] {
            let fast = Prepared::with(&*net, precision);
            let mut arena = fast.arena();
            let scores = fast.forward(&image, &mut arena).as_slice();
            self.scores(&format!("prepared, {what}, at {level}"), scores, SCORES);
        }
        let run = gradients(&*net, &image, &self.d_scores, self.seed);
        let exact = gradients(&*self.net::<D>(), &self.image(0), &self.d_scores, self.seed);
        close(
            &format!("forward_train at {level}"),
            &run.scores,
            &exact.scores,
            SCORES,
        );
        let mut ours = tensors(&*run.gradient);
        ours.push(run.d_image.as_slice());
        self.gradients::<D>(level, &ours, GRADIENT, |at| {
            let run = gradients(&*at.net::<D>(), &at.image(0), &at.d_scores, at.seed);
            let tensors = tensors(&*run.gradient);
            let image = run.d_image.as_slice();
            tensors
                .into_iter()
                .chain([image])
                .map(<[f64]>::to_vec)
                .collect()
        });
    }

    /// `ours` on each tensor, and perhaps on the image, as `exact`. Where something bends within what `f32`
    /// rounds (two numbers of a max pool are one, but for that), the gradient may be that to the other side: of
    /// a network beside this one.
    fn gradients<D: Parameters>(
        &self,
        level: &str,
        ours: &[&[f32]],
        bound: f64,
        exact: impl Fn(&Self) -> Vec<Vec<f64>>,
    ) {
        let here = exact(self);
        // In front of a batch norm the gradient on a bias is zero, but for rounding.
        let longest = here.iter().map(|exact| length(exact)).fold(0.0, f64::max);
        let names = D::TENSORS.iter().map(|tensor| tensor.name);
        let mut beside: Option<Vec<_>> = None;
        for (index, name) in names.chain(["the image"]).take(ours.len()).enumerate() {
            let near =
                |exact: &Vec<Vec<f64>>| near(ours[index], &exact[index], 1e-3 * longest, bound);
            let Err(text) = near(&here) else { continue };
            let beside =
                beside.get_or_insert_with(|| self.beside().map(|case| exact(&case)).collect());
            let any = beside.iter().any(|exact| near(exact).is_ok());
            assert!(any, "gradient on {name} at {level}: {text}");
        }
    }

    /// Networks and images of which each number differs by 1e-6 of itself at most: what `f32` makes of a sum.
    fn beside(&self) -> impl Iterator<Item = Self> {
        (0..16).map(|draw| {
            let mut rng = Rng::stream(self.seed, 3 + draw);
            let mut moved = |lists: &[Vec<f64>]| -> Vec<Vec<f64>> {
                let mut number = |v: &f64| v * (1.0 + 1e-6 * (2.0 * rng.uniform() - 1.0));
                let mut list = |list: &Vec<f64>| list.iter().map(&mut number).collect();
                lists.iter().map(&mut list).collect()
            };
            Self {
                tensors: moved(&self.tensors),
                images: moved(&self.images),
                d_scores: self.d_scores.clone(),
                scores: self.scores.clone(),
                ..*self
            }
        })
    }

    /// Images of a batch, on any number of threads, are what they are alone.
    fn batches<S>(&self)
    where
        S: Prepare<Scalar = f32, Overlay: Send> + Sync,
        S::Output: Send + PartialEq + std::fmt::Debug,
        S::Input: Sync,
    {
        let net: Box<S> = self.net();
        let fast = Prepared::new(&*net);
        let mut arena = fast.arena();
        // In place, next to each other.
        let mut images: Vec<S::Input> = bytemuck::zeroed_vec(BATCH);
        for (image, values) in images.iter_mut().zip(&self.images) {
            fill(image.as_mut_slice(), values);
        }
        let alone: Vec<Vec<f32>> = images
            .iter()
            .map(|image| fast.forward(image, &mut arena).as_slice().to_vec())
            .collect();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().expect("threads");
            pool.install(|| {
                let batch = fast.forward_batch(&images);
                for (scores, alone) in batch.iter().zip(&alone) {
                    assert_eq!(scores.as_slice(), alone, "batch on {threads} threads");
                }
            });
        }
    }

    /// One step on a batch: by its own statistics as the plain loops have them, the same on any number of
    /// threads to the bit, and in `f32` as in `f64`.
    fn trains<S, D>(&self)
    where
        S: Trainable<Scalar = f32> + Send + Sync,
        D: Trainable<Scalar = f64> + Send + Sync,
    {
        let (loss, single) = self.step::<S>(1);
        let threads = self.step::<S>(3);
        assert_eq!(threads.0.to_bits(), loss.to_bits(), "loss on 3 threads");
        let (exact, _) = self.step::<D>(2);
        for index in 0..D::TENSORS.len() {
            let (one, three) = (single.tensor(index), threads.1.tensor(index));
            assert_eq!(one, three, "{} on 3 threads", D::TENSORS[index].name);
        }
        let (scores, condition) = self.plainly(true, &self.images);
        if !self.drops {
            let losses = scores.iter().enumerate().map(|(label, scores)| {
                let scores = &scores.values;
                let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = scores.iter().map(|s| (s - most).exp()).sum();
                most + sum.ln() - scores[label % scores.len()]
            });
            let plain = losses.sum::<f64>() / BATCH as f64;
            close("loss of a batch, f64", &[exact], &[plain], 1e-9);
        }
        close("loss of a batch, f32", &[loss], &[exact], SCORES);
        // A step of rate 1: what is added is the gradient.
        let bound = GRADIENT + MEAN * condition;
        self.gradients::<D>("a batch", &tensors(&*single), bound, |at| {
            let (_, double) = at.step::<D>(2);
            tensors(&*double).into_iter().map(<[f64]>::to_vec).collect()
        });
    }

    /// The loss before a step of rate 1, and what the step added.
    fn step<N: Trainable + Send + Sync>(&self, threads: usize) -> (f64, Box<N>) {
        let mut net: Box<N> = self.net();
        let trainer = Trainer::new(Sgd::default()).learning_rate(1.0).epochs(1);
        let trainer = trainer.batch_size(BATCH).shards(3).seed(self.seed);
        let trainer = trainer.threads(threads).progress(Progress::Silent);
        let history = trainer.fit(&mut *net, self).expect("finite");
        for (index, before) in self.tensors.iter().enumerate() {
            let before = before.iter().map(|&w| N::Scalar::of(w));
            let tensor = net.tensor_mut(index).iter_mut().zip(before);
            tensor.for_each(|(w, before)| *w -= before);
        }
        (history.epochs[0].training.loss, net)
    }

    fn scores<T: Real>(&self, what: &str, scores: &[T], bound: f64) {
        close(what, scores, &self.scores, bound);
    }
}

impl Samples for Case<'_> {
    fn len(&self) -> usize {
        BATCH
    }

    fn shape(&self) -> [usize; 3] {
        self.network.input
    }

    fn classes(&self) -> usize {
        self.d_scores.len()
    }

    fn label(&self, index: usize) -> usize {
        index % self.classes()
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        fill(image, &self.images[index]);
    }
}

struct Run<N: Trainable> {
    scores: Vec<N::Scalar>,
    gradient: Box<N>,
    d_image: Box<N::Input>,
}

fn gradients<N: Trainable>(net: &N, image: &N::Input, d_scores: &[f64], seed: u64) -> Run<N> {
    let mut tape: Box<N::Tape> = bytemuck::zeroed_box();
    let mut gradient: Box<N> = bytemuck::zeroed_box();
    let mut d_image: Box<N::Input> = bytemuck::zeroed_box();
    let scores = net
        .forward_train(image, &mut tape, seed)
        .as_slice()
        .to_vec();
    let d_scores: Box<N::Output> = boxed(d_scores);
    net.backward(
        image,
        Some(&mut d_image),
        &mut tape,
        &d_scores,
        &mut gradient,
    );
    Run {
        scores,
        gradient,
        d_image,
    }
}

fn boxed<V: AnyVolume<Scalar: Real>>(values: &[f64]) -> Box<V> {
    let mut volume: Box<V> = bytemuck::zeroed_box();
    fill(volume.as_mut_slice(), values);
    volume
}

fn fill<T: Real>(to: &mut [T], values: &[f64]) {
    assert_eq!(to.len(), values.len());
    to.iter_mut()
        .zip(values)
        .for_each(|(to, &value)| *to = T::of(value));
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn length(values: &[f64]) -> f64 {
    dot(values, values).sqrt()
}

/// Fails unless each differs by at most `bound` of the largest.
fn close<T: Real>(what: &str, ours: &[T], exact: &[f64], bound: f64) {
    assert_eq!(ours.len(), exact.len());
    let largest = exact
        .iter()
        .fold(1e-3, |largest: f64, v| largest.max(v.abs()));
    for (at, (ours, exact)) in ours.iter().zip(exact).enumerate() {
        let off = (ours.widen() - exact).abs() / largest;
        assert!(
            off <= bound,
            "{what}: [{at}] is {ours:?}, not {exact}; off by {off:.1e}"
        );
    }
}

/// Whether the whole differs by at most `bound` of its length, or of `floor`; if not, by how much.
fn near(ours: &[f32], exact: &[f64], floor: f64, bound: f64) -> Result<(), String> {
    let apart = ours.iter().zip(exact).map(|(a, b)| f64::from(*a) - b);
    let (off, length) = (length(&apart.collect::<Vec<_>>()), length(exact));
    match off <= bound * length.max(floor) {
        true => Ok(()),
        false => Err(format!("off by {off:.1e}, of {length:.1e}")),
    }
}

fn tensors<N: Parameters>(net: &N) -> Vec<&[N::Scalar]> {
    (0..N::TENSORS.len())
        .map(|index| net.tensor(index))
        .collect()
}
