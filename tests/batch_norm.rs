//! A network with `batch_norm` learns, the same on any number of threads; calibration is exact; and
//! PyTorch's weights are read.
#![cfg(feature = "train")]

use convnet::data::{self, Samples};
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::train::{Progress, TrainError, Trainer, calibrate, evaluate};
use convnet::weights::{self, WeightsError};
use convnet::{Layer, OnHeap, Parameters, Real, Role, Volume, convnet};

convnet! {
    /// Reads a digit of 8x8 pixels.
    struct Digits {
        input(8x8x1),
        conv1: conv(8, 3x3, pad = 1, bias = none),
        bn1: batch_norm,
        relu,
        max_pool(2x2),
        conv2: conv(16, 3x3, pad = 1, bias = none),
        bn2: batch_norm,
        relu,
        max_pool(2x2),
        scores: fc(10),
    }
}

fn digits() -> impl Samples {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz");
    data::digits(path).expect("the digits are in the repository")
}

fn bits<P: Parameters<Scalar = f32>>(net: &P) -> Vec<u32> {
    let tensors = (0..P::TENSORS.len()).map(|index| net.tensor(index));
    tensors.flatten().map(|scalar| scalar.to_bits()).collect()
}

#[test]
fn it_learns_and_threads_change_no_bit() {
    let digits = digits();
    let (training, test) = data::split(&digits, 0.2, 1).unwrap();
    let train = |threads| {
        let mut net = Digits::<f32>::random(231);
        let trainer = Trainer::new(Adam::default()).learning_rate(1e-2).epochs(4);
        let trainer = trainer.threads(threads).progress(Progress::Silent);
        trainer.fit(&mut *net, &training).unwrap();
        net
    };
    let net = train(1);
    assert_eq!(bits(&*net), bits(&*train(3)));
    let seen = evaluate(&*net, &test, &SoftmaxCrossEntropy::default()).unwrap();
    assert!(seen.accuracy() > 0.92, "{seen}");
    // The statistics have followed the weights, which are others by now.
    let untrained = Digits::<f32>::random(231);
    assert_ne!(net.bn2.mean, untrained.bn2.mean);
    assert!(net.bn2.variance.iter().all(|&variance| variance > 0.0));
}

/// Two batches of 24 and 25 images: the means are those of all, the variances those of the batches.
#[test]
fn calibrated_statistics_are_those_of_the_images() {
    let digits = digits();
    let (_, some) = data::split(&digits, 49.0 / digits.len() as f64, 1).unwrap();
    assert_eq!(some.len(), 49);
    let mut net = Digits::<f64>::random(231);
    let filters = net.conv1.filters;
    calibrate(&mut *net, &some, 0).unwrap();
    assert_eq!((net.conv1.filters, net.bn1.gamma), (filters, [1.0; 8]));
    let maps = (0..some.len()).map(|index| {
        let (mut image, mut map) = (Volume::<f64, 8, 8, 1>::ZERO, Volume::<f64, 8, 8, 8>::ZERO);
        some.image(index, image.as_mut_slice());
        net.conv1.forward(&image, &mut map);
        map
    });
    let maps: Vec<_> = maps.collect();
    for d in 0..8 {
        let [first, second] = [&maps[..24], &maps[24..]].map(|maps| {
            let of = || {
                maps.iter()
                    .flat_map(|map| map.as_flattened())
                    .map(|column| column[d])
            };
            let n = of().count() as f64;
            let mean = of().sum::<f64>() / n;
            let variance = of().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
            (mean, variance)
        });
        let all = |first, second| (24.0 * first + 25.0 * second) / 49.0;
        let off = [
            net.bn1.mean[d] - all(first.0, second.0),
            net.bn1.variance[d] - all(first.1, second.1),
        ];
        assert!(off.iter().all(|off| off.abs() < 1e-12), "{off:?}");
    }
    // They do not depend on those before.
    let before = net.clone_of();
    net.bn1.mean = [7.0; 8];
    net.bn2.variance = [0.3; 16];
    calibrate(&mut *net, &some, 0).unwrap();
    for d in 0..16 {
        let (a, b) = (net.bn2.variance[d], before.bn2.variance[d]);
        assert!((a - b).abs() < 1e-12 * b, "{a} {b}");
    }
}

/// Right to f32's rounding whatever stood there, against means and variances that are taken here in f64.
#[test]
fn calibration_does_not_know_what_stood_there() {
    let digits = digits();
    let (_, some) = data::split(&digits, 64.0 / digits.len() as f64, 1).unwrap();
    let mut net = Digits::<f32>::random(231);
    let maps = (0..some.len()).map(|index| {
        let (mut image, mut map) = (Volume::<f64, 8, 8, 1>::ZERO, Volume::<f64, 8, 8, 8>::ZERO);
        some.image(index, image.as_mut_slice());
        wide(&net).conv1.forward(&image, &mut map);
        map
    });
    let maps: Vec<_> = maps.collect();
    let [means, variances] = statistics(&maps);
    for start in [1.0, 1e6, 1e8, 1e10, 1.37e8, f32::MAX, f32::NAN] {
        (net.bn1.mean, net.bn1.variance) = ([-start; 8], [start; 8]);
        (net.bn2.mean, net.bn2.variance) = ([start; 16], [start; 16]);
        calibrate(&mut *net, &some, 0).unwrap();
        for d in 0..8 {
            let mean = f64::from(net.bn1.mean[d]) - means[d];
            let variance = f64::from(net.bn1.variance[d]) / variances[d] - 1.0;
            assert!(
                mean.abs() < 1e-6 && variance.abs() < 1e-6,
                "from {start}: {mean:e} {variance:e}"
            );
        }
        // Behind a normalised one, so they tell whether that one was right.
        assert!(net.bn2.variance.iter().all(|v| *v > 0.0 && *v < 10.0));
    }
}

/// The same filters in f64.
fn wide(net: &Digits<f32>) -> Box<Digits<f64>> {
    let mut wide = Digits::<f64>::random(1);
    for index in 0..Digits::<f32>::TENSORS.len() {
        let of = net.tensor(index).iter().map(|&w| f64::from(w));
        wide.tensor_mut(index)
            .iter_mut()
            .zip(of)
            .for_each(|(to, w)| *to = w);
    }
    wide
}

/// Means over two batches of 32 maps, of the means and of the unbiased variances.
fn statistics(maps: &[Volume<f64, 8, 8, 8>]) -> [[f64; 8]; 2] {
    let mut statistics = [[0.0; 8]; 2];
    for batch in maps.chunks(32) {
        for d in 0..8 {
            let of = || {
                batch
                    .iter()
                    .flat_map(|map| map.as_flattened())
                    .map(|column| column[d])
            };
            let n = of().count() as f64;
            let mean = of().sum::<f64>() / n;
            statistics[0][d] += mean / 2.0;
            statistics[1][d] += of().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / 2.0;
        }
    }
    statistics
}

/// What a set would make infinite, or no number, or of one number, leaves the statistics as they were.
#[test]
fn a_set_without_statistics_calibrates_nothing() {
    convnet! { struct Flat { input(2x2x1), bn1: batch_norm, conv(3, 2x2), bn2: batch_norm } }
    let mut net = Flat::<f32>::random(1);
    (net.bn1.mean, net.bn2.variance) = ([3.0], [5.0, 6.0, 7.0]);
    let before = bits(&*net);
    let error = calibrate(&mut *net, &Pixels(vec![0.5]), 0).unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::OneNumber {
                layer: "bn2",
                images: 1,
                ..
            }
        ),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .ends_with("there is one image\nmore images are expected")
    );
    assert_eq!(bits(&*net), before);
    for bad in [f64::NAN, f64::INFINITY, 1e30] {
        // In the second batch.
        let mut images = vec![0.5; 40];
        images[33] = bad;
        let error = calibrate(&mut *net, &Pixels(images), 0).unwrap_err();
        let TrainError::Statistic {
            tensor,
            ref images,
            value,
        } = error
        else {
            panic!("{error}")
        };
        assert!(
            tensor.starts_with("bn1.") && *images == (20..40) && !value.is_finite(),
            "{error}"
        );
        assert_eq!(bits(&*net), before);
    }
    calibrate(&mut *net, &Pixels(vec![0.5, 1.0]), 0).unwrap();
    assert_ne!(bits(&*net), before);
}

/// As PyTorch moves them, by the momentum of each layer, to the mean and the unbiased variance of the batch.
#[test]
fn statistics_move_by_the_momentum_of_their_layer() {
    convnet! {
        struct Moves {
            input(2x2x1),
            slow: batch_norm(momentum = 0.25, affine = none),
            fast: batch_norm(momentum = 1.0),
            fc(1),
        }
    }
    let mut net = Moves::<f64>::random(1);
    let trainer = Trainer::new(Adam::default()).batch_size(2).epochs(1);
    let trainer = trainer.progress(Progress::Silent);
    // Pixels of 0 to 3 and 1 to 4.
    trainer.fit(&mut *net, &Pixels(vec![0.0, 1.0])).unwrap();
    let near = |found: [f64; 1], expected: f64| {
        assert!((found[0] - expected).abs() < 1e-9, "{found:?} {expected}");
    };
    near(net.slow.mean, 0.25 * 2.0);
    near(net.slow.variance, 0.75 + 0.25 * 12.0 / 7.0);
    near(net.fast.mean, 0.0);
    near(net.fast.variance, 1.5 / (1.5 + 1e-5) * 8.0 / 7.0);
    // What is not learned is no tensor, and its type says so.
    let names: Vec<_> = Moves::<f64>::TENSORS.iter().map(|it| it.name).collect();
    assert_eq!(
        names[..4],
        ["slow.mean", "slow.variance", "fast.gamma", "fast.beta"]
    );
    assert_eq!(Moves::<f32>::PARAMETERS, 2 + 4 + 1);
}

/// Images of 2x2x1 whose pixels are i, i + 1, …; of class 0.
struct Pixels(Vec<f64>);

impl Samples for Pixels {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn shape(&self) -> [usize; 3] {
        [2, 2, 1]
    }

    fn classes(&self) -> usize {
        1
    }

    fn label(&self, _: usize) -> usize {
        0
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        let pixels = (0..).map(|i| T::of(self.0[index] + f64::from(i)));
        image
            .iter_mut()
            .zip(pixels)
            .for_each(|(to, pixel)| *to = pixel);
    }
}

#[test]
fn a_set_that_does_not_fit_calibrates_nothing() {
    convnet! { struct Other { input(4x4x1), bn: batch_norm, scores: fc(10) } }
    let mut net = Other::<f32>::random(1);
    let error = calibrate(&mut *net, &digits(), 0).unwrap_err();
    assert!(matches!(error, TrainError::Shape { .. }), "{error}");
    assert_eq!(net.bn.mean, [0.0]);
}

/// `state_dict` of `nn.Sequential(nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), …)`, written
/// with our own writer under PyTorch's names.
#[test]
fn pytorchs_names_and_its_counter() {
    let net = Digits::<f32>::random(4);
    let mut header = String::from("{");
    let mut scalars: Vec<u8> = Vec::new();
    let mut put = |name: &str, dtype: &str, shape: &[usize], bytes: Vec<u8>| {
        let end = scalars.len() + bytes.len();
        let comma = if scalars.is_empty() { "" } else { "," };
        header += &format!(
            r#"{comma}"{name}":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{},{end}]}}"#,
            scalars.len()
        );
        scalars.extend(bytes);
    };
    let mut value = 0.0_f32;
    for tensor in Digits::<f32>::TENSORS {
        let (layer, _) = tensor.name.split_once('.').unwrap();
        let name = match tensor.role {
            Role::Filters | Role::Grouped(_) | Role::Weights | Role::Gain | Role::Slope => {
                format!("{layer}.weight")
            }
            Role::Bias => format!("{layer}.bias"),
            Role::Mean(_) => format!("{layer}.running_mean"),
            Role::Variance(..) => format!("{layer}.running_var"),
        };
        let shape = match *tensor.shape {
            [h, w, d, k] => vec![k, d, h, w],
            _ => tensor.shape.to_vec(),
        };
        let values = (0..tensor.len()).flat_map(|_| {
            value += 1.0;
            value.to_le_bytes()
        });
        put(&name, "F32", &shape, values.collect());
    }
    put(
        "bn1.num_batches_tracked",
        "I64",
        &[],
        7_i64.to_le_bytes().to_vec(),
    );
    header.push('}');
    let file = |header: &str| {
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header.as_bytes(), &scalars].concat()
    };
    let mut read = Digits::<f32>::boxed();
    weights::from_pytorch(&mut *read, &file(&header), &[]).unwrap();
    // 72 filters come first; then weight, bias, mean and variance of bn1, 8 numbers each.
    let from =
        |first: u16| -> [f32; 8] { std::array::from_fn(|i| f32::of(f64::from(first) + i as f64)) };
    assert_eq!((read.bn1.gamma, read.bn1.beta), (from(73), from(81)));
    assert_eq!((read.bn1.mean, read.bn1.variance), (from(89), from(97)));
    // Another tensor is one too many.
    let other = header.replace("bn1.num_batches_tracked", "bn1.number_of_batches_x");
    let mut unread = net.clone_of();
    let error = weights::from_pytorch(&mut *unread, &file(&other), &[]).unwrap_err();
    assert!(matches!(error, WeightsError::Unused { .. }), "{error}");
    assert_eq!(bits(&*unread), bits(&*net));
}

impl<T: Real> Digits<T> {
    fn clone_of(&self) -> Box<Self> {
        let mut copy = Self::boxed();
        for index in 0..Self::TENSORS.len() {
            copy.tensor_mut(index).copy_from_slice(self.tensor(index));
        }
        copy
    }
}
