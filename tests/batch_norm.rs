//! A network with `batch_norm` learns, the same on any number of threads; calibration is exact; and
//! PyTorch's weights are read.
#![cfg(feature = "train")]

use convnet::data::{self, Samples};
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::train::{Progress, TrainError, Trainer, calibrate, evaluate};
use convnet::weights::{self, WeightsError};
use convnet::{Parameters, Real, Role, convnet};

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
        calibrate(&mut *net, &training, 0).unwrap();
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

/// Over the images that it was calibrated on, every `batch_norm` writes what γ and β say: the
/// statistics' own gradient, how far they are off, is zero.
#[test]
fn calibrated_statistics_are_those_of_the_images() {
    let digits = digits();
    let (some, _) = data::split(&digits, 0.9, 1).unwrap();
    let mut net = Digits::<f64>::random(231);
    let off = |net: &Digits<f64>| -> f64 {
        let (mut tape, mut gradient) = (Digits::tape(), Digits::boxed());
        let mut image = convnet::Volume::boxed();
        let d_scores = convnet::Volume::boxed();
        for index in 0..some.len() {
            let mut pixels = [0.0; 64];
            some.image(index, &mut pixels);
            image.as_mut_slice().copy_from_slice(&pixels);
            net.forward_train(&image, &mut tape, 0);
            net.backward(&image, None, &mut tape, &d_scores, &mut gradient);
        }
        let tensors = Digits::<f64>::TENSORS.iter().enumerate();
        let statistics = tensors.filter(|(_, tensor)| !tensor.role.is_learned());
        let scalars = statistics.flat_map(|(index, _)| gradient.tensor(index));
        let share = 1.0 / some.len() as f64;
        scalars.fold(0.0, |most, off| f64::max(most, (off * share).abs()))
    };
    assert!(off(&net) > 0.1);
    let filters = net.conv1.filters;
    calibrate(&mut *net, &some, 0).unwrap();
    assert!(off(&net) < 1e-9, "{}", off(&net));
    assert_eq!((net.conv1.filters, net.bn1.gamma), (filters, [1.0; 8]));
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

impl Digits {
    fn clone_of(&self) -> Box<Self> {
        let mut copy = Self::boxed();
        for index in 0..Self::TENSORS.len() {
            copy.tensor_mut(index).copy_from_slice(self.tensor(index));
        }
        copy
    }
}
