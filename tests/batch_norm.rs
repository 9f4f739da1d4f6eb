//! A network with `batch_norm` learns, the same on any number of threads; calibration is exact; and
//! PyTorch's weights are read.
#![cfg(feature = "train")]

use convnet::data::{self, Samples};
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::train::{Progress, TrainError, Trainer, calibrate, evaluate};
use convnet::weights::{self, WeightsError};
use convnet::{Layer, Parameters, Real, Role, Volume, convnet};

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
            Role::Filters | Role::Grouped(_) | Role::Weights | Role::Gain => {
                format!("{layer}.weight")
            }
            Role::Bias => format!("{layer}.bias"),
            Role::Mean => format!("{layer}.running_mean"),
            Role::Variance => format!("{layer}.running_var"),
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
    assert!(matches!(error, WeightsError::Extra { .. }), "{error}");
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
