//! Transfer learning: what fits of a file is loaded, with a report of what does not; frozen tensors stay to
//! the bit, statistics too; learning rates by tensor.
#![cfg(feature = "train")]

use convnet::data::{self, Samples};
use convnet::optim::{Adam, Sgd};
use convnet::train::{Progress, TrainError, Trainer};
use convnet::{Parameters, Role, convnet, weights};

mod parts {
    convnet::convnet! {
        pub struct Stem { input(8x8x1), conv1: conv(4, 3x3, pad = 1), bn1: batch_norm, relu }
    }
}

convnet! {
    struct Digits { input(8x8x1), stem: network(parts::Stem), max_pool(2x2), scores: fc(10) }
}

convnet! {
    struct Holes { input(8x8x1), stem: network(parts::Stem), max_pool(2x2), holes: fc(3), scores: fc(10) }
}

fn digits() -> impl Samples {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz");
    data::digits(path).unwrap()
}

fn bits<P: Parameters<Scalar = f32>>(net: &P) -> Vec<Vec<u32>> {
    let tensors = (0..P::TENSORS.len()).map(|index| net.tensor(index));
    tensors
        .map(|tensor| tensor.iter().map(|w| w.to_bits()).collect())
        .collect()
}

fn trainer() -> Trainer<Adam> {
    Trainer::new(Adam {
        weight_decay: 0.1,
        ..Adam::default()
    })
    .epochs(1)
    .progress(Progress::Silent)
}

#[test]
fn what_fits_is_loaded_and_the_rest_is_told() {
    let (trained, mut net) = (Digits::random(1), Holes::random(2));
    let bytes = weights::to_bytes(&*trained).unwrap();
    let before = bits(&*net);
    let matching = weights::from_bytes_matching(&mut *net, &bytes).unwrap();
    assert_eq!(matching.loaded.len(), 7, "{matching}"); // two of conv1, four of bn1, a bias of scores
    assert_eq!(matching.missing, ["holes.filters", "holes.bias"]);
    assert_eq!(matching.reshaped[0].0, "scores.filters");
    assert_eq!(matching.reshaped[0].2, [4, 4, 4, 10]);
    assert!(matching.extra.is_empty());
    assert_eq!(net.stem.conv1.filters, trained.stem.conv1.filters);
    for (index, tensor) in Holes::<f32>::TENSORS.iter().enumerate() {
        if !matching.loaded.contains(&tensor.name) {
            assert_eq!(bits(&*net)[index], before[index], "{}", tensor.name);
        }
    }
    let text = matching.to_string();
    assert!(
        text.starts_with("7 tensors loaded\n`holes.filters` is not in the file"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "`scores.filters` is [1, 1, 3, 10], in the file [4, 4, 4, 10], and as it was"
        ),
        "{text}"
    );
    // The other way there are tensors too many; and a file that cannot be read changes nothing.
    let bytes = weights::to_bytes(&*net).unwrap();
    let mut other = Digits::random(3);
    let matching = weights::from_bytes_matching(&mut *other, &bytes).unwrap();
    assert_eq!(matching.extra, ["holes.filters", "holes.bias"]);
    let before = bits(&*other);
    assert!(weights::from_bytes_matching(&mut *other, &bytes[..bytes.len() - 4]).is_err());
    assert_eq!(bits(&*other), before);
}

#[test]
fn a_body_comes_out_of_a_whole_networks_file_and_goes_back() {
    let whole = Digits::random(1);
    let path = std::env::temp_dir().join(format!("convnet-transfer-{}", std::process::id()));
    weights::save(&*whole, &path).unwrap();
    let mut body = parts::Stem::random(2);
    weights::load_part(&mut *body, &path, "stem").unwrap();
    assert_eq!(bits(&*body), bits(&whole.stem));
    let error = weights::load_part(&mut *body, &path, "trunk").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the file has no tensor `trunk.conv1.filters`"),
        "{error}"
    );
    weights::save(&*body, &path).unwrap();
    let mut other = Holes::random(3);
    weights::load(&mut other.stem, &path).unwrap();
    assert_eq!(bits(&other.stem), bits(&whole.stem));
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn what_is_frozen_stays_to_the_bit() {
    let (digits, mut net) = (digits(), Digits::random(1));
    let before = bits(&*net);
    let trainer = trainer().only(|tensor| tensor.name.starts_with("scores."));
    trainer.fit(&mut *net, &digits).unwrap();
    for (index, tensor) in Digits::<f32>::TENSORS.iter().enumerate() {
        let stays = bits(&*net)[index] == before[index];
        assert_eq!(
            stays,
            !tensor.name.starts_with("scores."),
            "{}",
            tensor.name
        );
    }
    // By role: biases only.
    let before = bits(&*net);
    let trainer = self::trainer().only(|tensor| tensor.role == Role::Bias);
    trainer.fit(&mut *net, &digits).unwrap();
    for (index, tensor) in Digits::<f32>::TENSORS.iter().enumerate() {
        let stays = bits(&*net)[index] == before[index];
        assert_eq!(stays, tensor.role != Role::Bias, "{}", tensor.name);
    }
}

/// A step of plain descent is the rate times the gradient.
#[test]
fn a_tensor_may_learn_at_a_tenth_of_the_rate() {
    let digits = digits();
    let step = |factor: f64| {
        let mut net = Digits::random(1);
        let start = net.scores.bias;
        let trainer = Trainer::new(Sgd::default())
            .epochs(1)
            .batch_size(digits.len());
        let trainer = trainer.progress(Progress::Silent).learning_rate(0.1);
        let trainer = trainer.rates(move |tensor| {
            if tensor.name == "scores.bias" {
                factor
            } else {
                1.0
            }
        });
        trainer.fit(&mut *net, &digits).unwrap();
        (net.scores.bias[3] - start[3], net.stem.conv1.filters)
    };
    let ((whole, filters), (tenth, same)) = (step(1.0), step(0.1));
    assert!((whole / tenth - 10.0).abs() < 1e-3, "{whole} {tenth}");
    assert_eq!(filters, same);
}

#[test]
fn rates_that_make_no_sense_are_refused() {
    let refuse = |trainer: Trainer<Adam>, expected: &str| {
        let error = trainer.fit(&mut *Digits::random(1), &digits()).unwrap_err();
        assert!(matches!(error, TrainError::Setting { .. }), "{error}");
        assert!(error.to_string().starts_with(expected), "{error}");
    };
    refuse(
        trainer().rates(|_| -1.0),
        "the factor of a learning rate is -1 for stem.conv1.filters",
    );
    refuse(
        trainer().only(|tensor| tensor.name == "scores"),
        "what is learned is nothing\none tensor",
    );
}
