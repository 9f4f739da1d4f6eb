//! A classifier: what it answers, what its file says, and what it refuses.
#![cfg(feature = "train")]

use convnet::classify::{Classifier, ClassifierError, Normalisation, Sizing};
use convnet::data::{Images, Samples};
use convnet::loss::{SoftmaxCrossEntropy, softmax};
use convnet::train::evaluate;
use convnet::{Volume, convnet, weights};

convnet! {
    struct Pets {
        input(3x2x2),
        scores: fc(3),
    }
}

convnet! {
    struct Sure {
        input(3x2x2),
        scores: fc(3),
        softmax,
    }
}

const NAMES: [&str; 3] = ["cat", "dog", "\"Ж\""];

/// Three images; the depth slices have other means and deviations.
fn images() -> Images {
    let pixels = (0..36).map(|at| (at * at * 7 % 256) as u8).collect();
    let images = Images::new([2, 3, 2], 3, pixels, vec![0, 1, 2]).unwrap();
    let statistics = images.statistics();
    images.normalised(&statistics).unwrap()
}

fn classifier() -> Classifier<Pets> {
    let images = images().named(NAMES).unwrap();
    Classifier::new(Pets::random(231), &images).unwrap()
}

#[test]
fn answers_are_those_of_the_network_and_its_training_data() {
    let (images, net, classifier) = (images(), Pets::random(231), classifier());
    let (mut image, mut arena) = (Volume::boxed(), Pets::arena());
    for index in 0..3 {
        images.image(index, image.as_mut_slice());
        let scores = net.forward(&image, &mut arena);
        let mut expected = [0.0; 3];
        softmax(scores.as_slice(), &mut expected);
        let answer = classifier.classify(images.pixels(index)).unwrap();
        assert_eq!(answer[0].0, NAMES[scores.best()]);
        assert!(answer.is_sorted_by(|a, b| a.1 >= b.1));
        for (name, probability) in answer {
            let class = NAMES.iter().position(|it| *it == name).unwrap();
            assert!((probability - f64::from(expected[class])).abs() < 1e-6);
        }
        let top: Vec<_> = scores.top(2).map(|(class, _)| class).collect();
        assert_eq!(top[0], scores.best());
        assert!(
            scores
                .probabilities()
                .zip(expected)
                .all(|(a, b): (f32, f32)| (a - b).abs() < 1e-6)
        );
    }
}

#[test]
fn a_softmax_at_the_end_is_not_taken_twice() {
    let (images, net) = (images(), Sure::random(231));
    let (mut image, mut arena) = (Volume::boxed(), Sure::arena());
    images.image(0, image.as_mut_slice());
    let best = net.forward(&image, &mut arena).top(1).next().unwrap();
    let classifier = Classifier::new(net, &images).unwrap();
    let answer = classifier.classify(images.pixels(0)).unwrap();
    // Without names, numbers.
    assert_eq!(answer[0].0, best.0.to_string());
    assert!((answer[0].1 - f64::from(best.1)).abs() < 1e-6);
}

#[test]
fn a_file_says_all_that_was_known() {
    let path =
        std::env::temp_dir().join(format!("convnet-pets-{}.safetensors", std::process::id()));
    let classifier = classifier();
    classifier.save(&path).unwrap();
    assert_eq!(
        std::fs::read(&path).unwrap(),
        classifier.to_bytes().unwrap()
    );
    let again = Classifier::<Pets>::load(&path).unwrap();
    assert_eq!(again.class_names(), NAMES);
    assert_eq!(again.normalisation(), classifier.normalisation());
    assert_eq!(again.sizing(), classifier.sizing());
    let pixels = images().pixels(1).to_vec();
    assert_eq!(
        again.classify(&pixels).unwrap(),
        classifier.classify(&pixels).unwrap()
    );

    // And is a weight file as before.
    let mut net = Pets::boxed();
    weights::load(&mut *net, &path).unwrap();
    assert_eq!(net.scores.bias, classifier.network().scores.bias);
    let matching = weights::load_matching(&mut *Pets::random(1), &path).unwrap();
    assert!(matching.extra.is_empty() && matching.missing.is_empty());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn a_file_that_says_nothing_is_no_classifier_and_what_is_missing_can_be_said() {
    let bytes = weights::to_bytes(&*Pets::random(231)).unwrap();
    let error = Classifier::<Pets>::from_bytes(&bytes).unwrap_err();
    assert!(matches!(error, ClassifierError::Unsaid), "{error}");

    let mut net = Pets::boxed();
    weights::from_bytes(&mut *net, &bytes).unwrap();
    let statistics = images().statistics();
    let said = Classifier::with(net, &statistics, Sizing::Stretch, NAMES).unwrap();
    assert_eq!(said.to_bytes().unwrap(), classifier().to_bytes().unwrap());
}

#[test]
fn many_threads_use_one_classifier() {
    let (classifier, images) = (classifier(), images());
    let alone = classifier.classify(images.pixels(2)).unwrap();
    std::thread::scope(|scope| {
        let answers =
            [(); 4].map(|()| scope.spawn(|| classifier.classify(images.pixels(2)).unwrap()));
        for answer in answers {
            assert_eq!(answer.join().unwrap(), alone);
        }
    });
}

#[test]
fn what_does_not_fit_is_refused() {
    let with = |normalisation: &Normalisation, names: &[&str]| {
        Classifier::with(
            Pets::random(1),
            normalisation,
            Sizing::Crop,
            names.iter().copied(),
        )
    };
    let divide = Normalisation::divide(255.0, 2);
    let error = with(&divide, &NAMES[..2]).unwrap_err();
    assert!(
        matches!(
            error,
            ClassifierError::Names {
                names: 2,
                scores: 3
            }
        ),
        "{error}"
    );
    let error = with(&Normalisation::divide(0.0, 2), &NAMES).unwrap_err();
    assert!(
        matches!(error, ClassifierError::Normalisation { depth: 2, .. }),
        "{error}"
    );
    let error = with(&Normalisation::divide(255.0, 3), &NAMES).unwrap_err();
    assert!(
        matches!(error, ClassifierError::Normalisation { depth: 2, .. }),
        "{error}"
    );

    let classifier = with(&divide, &NAMES).unwrap();
    let error = classifier.classify(&[0; 11]).unwrap_err();
    assert!(
        matches!(error, ClassifierError::Pixels { found: 11, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("3x2x2, which has 12"), "{error}");
    let mut net = Pets::random(1);
    net.scores.bias[1] = f32::NAN;
    let classifier = Classifier::with(net, &divide, Sizing::Crop, NAMES).unwrap();
    let error = classifier.classify(&[0; 12]).unwrap_err();
    assert!(
        matches!(&error, ClassifierError::Nan { class } if class == "dog"),
        "{error}"
    );
}

#[test]
fn an_evaluation_shows_the_names() {
    let images = images().named(NAMES).unwrap();
    let (training, _) = convnet::data::split(&images, 0.4, 1).unwrap();
    let seen = evaluate(
        &*Pets::random(231),
        &training.random_flips(),
        &SoftmaxCrossEntropy::default(),
    );
    let text = seen.unwrap().to_string();
    assert!(NAMES.iter().all(|name| text.contains(name)), "{text}");
    let error = images.named(["cat"]).unwrap_err().to_string();
    assert!(error.contains("3 classes and 1 names"), "{error}");
}

#[cfg(feature = "image")]
#[test]
fn an_image_file_is_brought_to_size() {
    let folder = std::env::temp_dir().join(format!("convnet-pet-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    convnet! {
        struct Gray {
            input(2x2x1),
            scores: fc(2),
        }
    }
    let mut net = Gray::boxed();
    net.scores.filters[0][0][0] = [0.0, 4.0];
    let normalisation = Normalisation {
        mean: vec![127.5],
        deviation: vec![127.5],
    };
    let classifier =
        Classifier::with(net, &normalisation, Sizing::Refuse, ["dark", "bright"]).unwrap();
    for (name, pixel, probability) in [("dark", 0, 0.982), ("bright", 255, 0.982)] {
        let file = [b"P5 2 2 255\n".as_slice(), &[pixel; 4]].concat();
        let path = folder.join(name);
        std::fs::write(&path, &file).unwrap();
        let answer = classifier.classify_file(&path).unwrap();
        assert_eq!(answer[0].0, name);
        assert!((answer[0].1 - probability).abs() < 1e-3, "{answer:?}");
        assert_eq!(classifier.classify_encoded(&file).unwrap(), answer);
    }
    let path = folder.join("large");
    std::fs::write(&path, [b"P5 3 2 255\n".as_slice(), &[0; 6]].concat()).unwrap();
    let error = classifier.classify_file(&path).unwrap_err().to_string();
    assert!(
        error.contains("large: 3x2, where 2x2 is expected"),
        "{error}"
    );
    let error = classifier
        .classify_file(folder.join("nothing"))
        .unwrap_err();
    assert!(matches!(error, ClassifierError::Io { .. }), "{error}");
    let error = classifier.classify_encoded(b"<html>").unwrap_err();
    assert!(
        matches!(error, ClassifierError::Picture { path: None, .. }),
        "{error}"
    );
    std::fs::remove_dir_all(&folder).unwrap();
}
