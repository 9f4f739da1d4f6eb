//! Training by the batch's own statistics: PyTorch's numbers, slopes through a whole batch, and
//! threads.
#![cfg(feature = "train")]

#[path = "../convnet-core/tests/vectors/case.rs"]
#[allow(dead_code)] // what the cases of layers and optimizers use
mod case;

use case::{Array, array, assert_close, of, places};
use convnet::data::{Images, Samples};
use convnet::generated::moments::{merge_backward, merge_forward};
use convnet::gradient_check::slope;
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::{Optimizer, Sgd, Step};
use convnet::train::{Progress, TrainError, Trainer};
use convnet::{AnyVolume, Loss, OnHeap, Parameters, Real, Rng, Role, Tensor, Trainable, convnet};
use safetensors::SafeTensors;

convnet! {
    /// What `tests/vectors/batch_norm_step.py` trains.
    struct Stepped {
        input(6x6x2),
        conv1: conv(3, 3x3, pad = 1, bias = none),
        bn1: batch_norm,
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(4, 1x1, bias = none),
        bn2: batch_norm(eps = 1e-3),
        scores: fc(5),
    }
}

convnet! {
    /// Batch norms on the image, in blocks, on a shortcut, twice in a row, and on one pixel.
    struct Blocks {
        input(6x5x3),
        batch_norm,
        conv(4, 3x3, pad = 1),
        residual { batch_norm, sigmoid, conv(4, 3x3, pad = 1), batch_norm },
        residual {
            conv(5, 2x1, stride = 2, bias = none), batch_norm, batch_norm,
            shortcut { conv(5, 2x1, stride = 2), batch_norm },
        },
        dropout(0.3),
        concat { [batch_norm, tanh], [], [conv(2, 1x1), batch_norm, sigmoid] },
        fc(6),
        batch_norm,
        scores: fc(3),
    }
}

convnet! {
    /// Has three batch norms, one of them on its image.
    struct Stem {
        input(3x3x4),
        batch_norm,
        residual { conv(4, 3x3, pad = 1, bias = none), batch_norm, tanh },
        batch_norm,
    }
}

convnet! {
    /// Has none.
    struct Plain { input(3x3x4), conv(4, 2x2, pad = same), sigmoid }
}

convnet! {
    /// Has others inside: first on the image, in a row, in a block where gradients are summed.
    struct Outer {
        input(3x3x4),
        first: network(Stem),
        batch_norm,
        residual { second: network(Stem), sigmoid, plain: network(Plain) },
        third: network(Stem),
        batch_norm,
        scores: fc(3),
    }
}

/// The images of a batch, each with its memory.
struct Batch<N: Trainable>(Vec<Image<N>>);

struct Image<N: Trainable> {
    x: Box<N::Input>,
    dx: Box<N::Input>,
    label: usize,
    tape: Box<N::Tape>,
    d_scores: Box<N::Output>,
}

impl<N: Trainable> Batch<N> {
    fn new(images: impl Iterator<Item = (Vec<N::Scalar>, usize)>) -> Self {
        let image = |(pixels, label): (Vec<N::Scalar>, usize)| {
            let mut x: Box<N::Input> = bytemuck::zeroed_box();
            x.as_mut_slice().copy_from_slice(&pixels);
            Image {
                x,
                dx: bytemuck::zeroed_box(),
                label,
                tape: bytemuck::zeroed_box(),
                d_scores: bytemuck::zeroed_box(),
            }
        };
        Self(images.map(image).collect())
    }

    /// The sum of the losses.
    fn forward(&mut self, net: &N) -> N::Scalar {
        let mut sum = N::Scalar::of(0.0);
        for segment in 0..N::SEGMENTS {
            if let Some(before) = segment.checked_sub(1) {
                merge_forward(&mut self.0, |image| N::moments(&mut image.tape, before));
            }
            for (seed, image) in (0..).zip(&mut self.0) {
                let scores = net.forward_segment(segment, &image.x, &mut image.tape, seed);
                if segment + 1 == N::SEGMENTS {
                    let (loss, d_scores) = (SoftmaxCrossEntropy::default(), &mut image.d_scores);
                    let loss = loss.loss(scores.as_slice(), image.label, d_scores.as_mut_slice());
                    sum += loss.unwrap();
                }
            }
        }
        sum
    }

    /// The gradient of that sum on the parameters; those on the images are left in them.
    fn backward(&mut self, net: &N) -> Box<N> {
        let mut gradient: Box<N> = bytemuck::zeroed_box();
        for segment in (0..N::SEGMENTS).rev() {
            for image in &mut self.0 {
                let Image {
                    x,
                    dx,
                    tape,
                    d_scores,
                    ..
                } = image;
                net.backward_segment(segment, x, Some(dx), tape, d_scores, &mut gradient);
            }
            if let Some(before) = segment.checked_sub(1) {
                merge_backward(&mut self.0, |image| N::moments(&mut image.tape, before));
            }
        }
        gradient
    }
}

/// What PyTorch found.
struct Found(Vec<u8>);

impl Found {
    fn tensor(&self, name: &str) -> Array {
        array(&SafeTensors::deserialize(&self.0).unwrap(), name)
    }

    /// A network whose tensors are those with this prefix.
    fn net<N: Parameters>(&self, prefix: &str) -> Box<N> {
        let mut net: Box<N> = bytemuck::zeroed_box();
        for (index, tensor) in N::TENSORS.iter().enumerate() {
            let values = of::<N::Scalar>(&self.tensor(&theirs(prefix, tensor)).values);
            for (place, value) in places(tensor).into_iter().zip(values) {
                net.tensor_mut(index)[place] = value;
            }
        }
        net
    }

    /// Fails unless the tensors of `net`, times `factor`, are those with this prefix.
    fn check<N: Parameters>(&self, prefix: &str, net: &N, factor: f64) {
        let statistics = prefix != "d";
        let tensors = N::TENSORS.iter().enumerate();
        for (index, tensor) in tensors.filter(|(_, it)| statistics || it.role.is_learned()) {
            let name = theirs(prefix, tensor);
            let ours = places(tensor)
                .into_iter()
                .map(|place| net.tensor(index)[place]);
            let ours: Vec<_> = ours.map(|v| v * N::Scalar::of(factor)).collect();
            assert_close(&name, &ours, &self.tensor(&name).values);
        }
    }

    fn images<T: Real>(&self) -> impl Iterator<Item = (Vec<T>, usize)> {
        let (x, labels) = (self.tensor("x"), self.tensor("labels").values);
        (0..)
            .zip(labels)
            .map(move |(n, label)| (x.image(n), label as usize))
    }
}

/// `bn1.mean` is `before.bn1.running_mean`.
fn theirs(prefix: &str, tensor: &Tensor) -> String {
    let (layer, _) = tensor.name.split_once('.').unwrap();
    let name = match tensor.role {
        Role::Filters | Role::Grouped(_) | Role::Weights | Role::Gain | Role::Slope => "weight",
        Role::Bias => "bias",
        Role::Mean(_) => "running_mean",
        Role::Variance(..) => "running_var",
    };
    format!("{prefix}.{layer}.{name}")
}

#[test]
fn a_step_is_pytorchs() {
    check_step::<f64>();
    check_step::<f32>();
}

fn check_step<T: Real>() {
    let found = Found(case::read("batch_norm_step.safetensors"));
    let mut net: Box<Stepped<T>> = found.net("before");
    let mut batch = Batch::<Stepped<T>>::new(found.images());
    let share = 0.25;
    let loss = batch.forward(&net) * T::of(share);
    assert_close("loss", &[loss], &found.tensor("loss").values);
    let scores = found.tensor("scores");
    let last = Stepped::<T>::SEGMENTS - 1;
    for (n, image) in batch.0.iter_mut().enumerate() {
        // Once more the last segment: its scores.
        let ours = net
            .forward_segment(last, &image.x, &mut image.tape, 0)
            .as_slice();
        assert_close(&format!("scores[{n}]"), ours, &scores.row::<f64>(n));
    }
    let mut gradient = batch.backward(&net);
    found.check("d", &*gradient, share);
    let dx = found.tensor("dx");
    for (n, image) in batch.0.iter().enumerate() {
        let ours = image.dx.as_slice().iter().map(|&dx| dx * T::of(share));
        let ours: Vec<T> = ours.collect();
        assert_close(&format!("dx[{n}]"), &ours, &dx.image::<f64>(n));
    }
    for index in 0..Stepped::<T>::TENSORS.len() {
        let tensor = gradient.tensor_mut(index).iter_mut();
        tensor.for_each(|d| *d *= T::of(share));
    }
    let step = Step {
        rate: 0.1,
        count: 0,
    };
    Optimizer::step(&Sgd::default(), step, &mut *net, &gradient, &mut []).unwrap();
    found.check("after", &*net, 1.0);

    // The trainer makes the same of them, however it cuts the batch.
    for (shards, threads) in [(1, 1), (3, 2), (4, 3)] {
        let mut net: Box<Stepped<T>> = found.net("before");
        let trainer = Trainer::new(Sgd::default())
            .learning_rate(0.1)
            .epochs(1)
            .batch_size(4);
        let trainer = trainer
            .shards(shards)
            .threads(threads)
            .progress(Progress::Silent);
        trainer
            .fit(&mut *net, &Set(found.images().collect()))
            .unwrap();
        found.check("after", &*net, 1.0);
    }
}

/// Images of 6x6x2 of 5 classes.
struct Set(Vec<(Vec<f64>, usize)>);

impl Samples for Set {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn shape(&self) -> [usize; 3] {
        [6, 6, 2]
    }

    fn classes(&self) -> usize {
        5
    }

    fn label(&self, index: usize) -> usize {
        self.0[index].1
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        image.copy_from_slice(&of(&self.0[index].0));
    }
}

#[test]
fn slopes_through_a_batch() {
    assert_eq!(Blocks::<f64>::SEGMENTS, 1 + 9);
    assert_eq!(Outer::<f64>::SEGMENTS, 1 + 2 + 3 * 3);
    assert_eq!((Stem::<f64>::SEGMENTS, Plain::<f64>::SEGMENTS), (1 + 3, 1));
    check_slopes(Blocks::<f64>::random(7));
    check_slopes(Outer::<f64>::random(7));
}

/// Of the sum of the losses: on every parameter and on every pixel of every image.
fn check_slopes<N: Trainable<Scalar = f64>>(mut net: Box<N>) {
    let mut rng = Rng::new(231);
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        let spread = if tensor.role.is_learned() { 0.5 } else { 0.0 };
        let tensor = net.tensor_mut(index).iter_mut();
        tensor.for_each(|w| *w += spread * (rng.uniform() - 0.5));
    }
    let [height, width, depth] = N::Input::SHAPE;
    let pixels = height * width * depth;
    let mut draw = |label: usize| ((0..pixels).map(|_| rng.normal()).collect(), label % 3);
    let mut batch = Batch::<N>::new((0..4).map(&mut draw));
    batch.forward(&net);
    let gradient = batch.backward(&net);
    let (mut checked, mut sloped, mut worst) = (0, 0, 0.0_f64);
    let mut check = |name: &str, analytic: f64, f: &mut dyn FnMut(f64) -> f64| {
        let slope = slope(analytic, f);
        // What a batch norm takes off again has no slope: a bias before it, say.
        let flat = analytic.abs().max(slope.numeric.abs()) < 1e-9;
        assert!(flat || slope.error < 1e-6, "{name}: {slope:?}");
        checked += 1;
        sloped += usize::from(!flat);
        worst = worst.max(if flat { 0.0 } else { slope.error });
    };
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        for at in (0..tensor.len()).filter(|_| tensor.role.is_learned()) {
            let w = net.tensor(index)[at];
            check(tensor.name, gradient.tensor(index)[at], &mut |h| {
                net.tensor_mut(index)[at] = w + h;
                batch.forward(&net)
            });
            net.tensor_mut(index)[at] = w;
        }
    }
    for n in 0..batch.0.len() {
        for at in 0..pixels {
            let (x, dx) = (batch.0[n].x.as_slice()[at], batch.0[n].dx.as_slice()[at]);
            check("image", dx, &mut |h| {
                batch.0[n].x.as_mut_slice()[at] = x + h;
                batch.forward(&net)
            });
            batch.0[n].x.as_mut_slice()[at] = x;
        }
    }
    println!("{checked} numbers, {sloped} with a slope, relative error {worst:.1e}");
    assert!(
        sloped > 500 && sloped * 10 > checked * 9,
        "{sloped} of {checked}"
    );
}

/// Images of 6x5x3 in a known order of random pixels.
fn noise(images: usize) -> Images {
    let mut rng = Rng::new(5);
    let pixels = (0..images * 6 * 5 * 3).map(|_| rng.below(256) as u8);
    let pixels = pixels.collect();
    Images::new([5, 6, 3], 3, pixels, (0..images).map(|i| i % 3).collect()).unwrap()
}

/// 37 images in batches of 8, the last of them of 5, in 3 shards.
#[test]
fn threads_change_no_bit() {
    let images = noise(37);
    let train = |threads| {
        let mut net = Blocks::<f32>::random(231);
        let trainer = Trainer::new(Sgd {
            momentum: 0.9,
            ..Sgd::default()
        });
        let trainer = trainer
            .epochs(3)
            .batch_size(8)
            .shards(3)
            .learning_rate(0.05);
        let trainer = trainer.threads(threads).progress(Progress::Silent);
        let history = trainer.fit(&mut *net, &images).unwrap();
        let tensors = (0..Blocks::<f32>::TENSORS.len()).map(|index| net.tensor(index));
        let bits: Vec<u32> = tensors.flatten().map(|w| w.to_bits()).collect();
        (bits, history.epochs.last().unwrap().training.loss)
    };
    let (bits, loss) = train(1);
    assert!(loss.is_finite());
    for threads in [2, 3] {
        assert_eq!(train(threads), (bits.clone(), loss));
    }
}

/// A last batch of one image would leave one number a depth slice of `batch_norm7`, behind `fc`.
#[test]
fn one_number_has_no_variance() {
    let mut net = Blocks::<f32>::random(231);
    let before: Vec<f32> = net.tensor(0).to_vec();
    let fit = |net: &mut Blocks, images, size| {
        let trainer = Trainer::new(Sgd::default()).epochs(1).batch_size(size);
        trainer.progress(Progress::Silent).fit(net, &noise(images))
    };
    for (images, size) in [(9, 8), (1, 8), (3, 1)] {
        let error = fit(&mut net, images, size).unwrap_err();
        let TrainError::OneNumber { layer, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(
            Blocks::<f32>::LAYERS
                .iter()
                .rfind(|it| it.word() == "batch_norm")
                .unwrap()
                .name,
            layer
        );
    }
    assert_eq!(net.tensor(0), before);
    fit(&mut net, 10, 8).unwrap();
}

/// An image alone is normalised as at inference, but for dropout, which this network has none of.
#[test]
fn an_image_alone_takes_the_running_statistics() {
    let found = Found(case::read("batch_norm_step.safetensors"));
    let net: Box<Stepped<f32>> = found.net("after");
    let (mut tape, mut arena) = (Stepped::tape(), Stepped::arena());
    for image in Batch::<Stepped>::new(found.images()).0 {
        let inferred = net.forward(&image.x, &mut arena).clone();
        assert_eq!(net.forward_train(&image.x, &mut tape, 0), &inferred);
    }
}
