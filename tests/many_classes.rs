//! Networks of more classes than a confusion matrix has room for.
#![cfg(feature = "train")]

use convnet::data::Samples;
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::RmsProp;
use convnet::train::{Progress, Trainer, evaluate};
use convnet::{Real, convnet};

convnet! {
    struct Many { input(1x1x1), fc(100000) }
}

convnet! {
    struct Map { input(256x256x1), conv(1, 1x1) }
}

/// A confusion matrix of all classes would be 80 GB, and 34 GB.
#[test]
fn many_classes_are_evaluated() {
    struct Last([usize; 3], usize);
    impl Samples for Last {
        fn len(&self) -> usize {
            3
        }

        fn shape(&self) -> [usize; 3] {
            self.0
        }

        fn classes(&self) -> usize {
            self.1
        }

        fn label(&self, index: usize) -> usize {
            self.1 - 1 - index % 2
        }

        fn image<T: Real>(&self, _: usize, image: &mut [T]) {
            image.fill(T::ONE);
            if let Some(last) = image.last_mut() {
                *last = T::of(2.0);
            }
        }
    }
    let mut net = Many::<f32>::boxed();
    let last = 99_999;
    net.fc1.bias[last] = 1.0;
    let set = Last([1, 1, 1], 100_000);
    let seen = evaluate(&*net, &set, &SoftmaxCrossEntropy::default()).unwrap();
    assert_eq!(
        (
            seen.images(),
            seen.count(last, last),
            seen.count(last - 1, last)
        ),
        (3, 2, 1)
    );
    assert_eq!((seen.count(last, 0), seen.count(usize::MAX, 7)), (0, 0));
    assert_eq!(seen.accuracy(), 2.0 / 3.0);
    let classes: Vec<_> = seen.class_accuracies().collect();
    assert_eq!(
        (classes.len(), classes[last], classes[last - 1], classes[0]),
        (100_000, Some(1.0), Some(0.0), None)
    );
    let text = seen.to_string();
    assert!(
        text.starts_with("3 images, accuracy 66.67 %")
            && text.ends_with("100000 classes are too many to draw")
    );
    let trainer = Trainer::new(RmsProp::default())
        .epochs(1)
        .progress(Progress::Silent);
    trainer.fit_validated(&mut *net, &set, &set).unwrap();

    let mut map = Map::<f32>::boxed();
    map.conv1.filters = [[[[1.0]]]];
    let set = Last([256, 256, 1], 65_536);
    let seen = evaluate(&*map, &set, &SoftmaxCrossEntropy::default()).unwrap();
    assert_eq!((seen.count(65_535, 65_535), seen.images()), (2, 3));
}
