//! Networks that answer with something else than a class: numbers, images, several labels, a class a
//! pixel, and what a user makes up. Each is trained by `fit`, its gradient is right through the whole
//! network, and a network that cannot answer is refused before the first step.
#![cfg(feature = "train")]

use std::fmt;

use convnet::data::{self, ClassMap, DataError, Images, Labels, Samples, Target, Targets, Values};
use convnet::gradient_check::GradientCheck;
use convnet::loss::{
    BinaryCrossEntropy, CrossEntropy, Hinge, Huber, LossError, MeanSquaredError, OutputLoss,
    PerOutput, PerPixel, SoftmaxCrossEntropy,
};
use convnet::optim::Adam;
use convnet::train::{LossFor, Progress, TrainError, Trainer, calibrate, evaluate};
use convnet::{AnyVolume, Loss, OnHeap, Rng, Trainable, Volume, convnet};

convnet! {
    /// Where the ink of a digit is, from the middle.
    struct Centre { input(8x8x1), conv(4, 3x3, pad = 1), tanh, fc(16), tanh, fc(2) }
}

convnet! {
    /// A digit through four numbers, and back.
    struct Code { input(8x8x1), fc(32), tanh, fc(4), fc(32), tanh, fc(64) }
}

convnet! {
    /// A score above 0 for each label that a digit has.
    struct Traits { input(8x8x1), conv(8, 3x3, pad = 1), tanh, max_pool(2x2), fc(3) }
}

convnet! {
    /// Which of three shades each pixel has, and each block of 2x2.
    struct Shades { input(8x8x1), conv(6, 3x3, pad = 1), batch_norm, tanh, conv(3, 1x1) }
}

convnet! {
    struct Blocks { input(8x8x1), conv(6, 2x2, stride = 2), tanh, conv(3, 1x1) }
}

fn digits() -> Images {
    data::digits(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/data/digits.csv.gz"
    ))
    .unwrap()
}

/// The first few, and the target that `of` makes of the pixels and the class of each.
fn with<Y: Target + Clone>(of: impl Fn(&[u8], usize) -> Y) -> Result<Targets<Y>, DataError> {
    let digits = digits();
    let pixels = (0..200).flat_map(|index| digits.pixels(index).to_vec());
    let targets = (0..200).map(|index| of(digits.pixels(index), digits.label(index)));
    let images = Images::unlabelled([8, 8, 1], pixels.collect())?;
    let sixteenths = data::Normalisation::divide(16.0, 1);
    images
        .normalised(&sixteenths)?
        .with_targets(targets.collect())
}

fn centre(pixels: &[u8], _: usize) -> Values {
    let ink: f32 = pixels.iter().map(|&p| f32::from(p)).sum();
    let mean = |along: fn(usize) -> usize| {
        let moments = pixels.iter().enumerate();
        let sum: f32 = moments
            .map(|(at, &p)| f32::from(p) * along(at) as f32)
            .sum();
        sum / ink - 3.5
    };
    Values::vector([mean(|at| at % 8), mean(|at| at / 8)])
}

/// Odd, above four, with a hole.
fn traits(_: &[u8], digit: usize) -> Labels {
    Labels(vec![
        digit % 2 == 1,
        digit > 4,
        [0, 6, 8, 9].contains(&digit),
    ])
}

fn shades(pixels: &[u8], _: usize) -> ClassMap {
    ClassMap {
        shape: [8, 8],
        classes: pixels.iter().map(|&p| usize::from(p / 6)).collect(),
    }
}

/// The shade of the pixel above and left of each block of 2x2.
fn blocks(pixels: &[u8], _: usize) -> ClassMap {
    let corners = (0..16).map(|at| pixels[at / 4 * 16 + at % 4 * 2]);
    ClassMap {
        shape: [4, 4],
        classes: corners.map(|p| usize::from(p / 6)).collect(),
    }
}

fn trainer<L>(loss: L) -> Trainer<Adam, L> {
    Trainer::new(Adam::default())
        .loss(loss)
        .learning_rate(1e-2)
        .batch_size(8)
        .epochs(8)
        .progress(Progress::Silent)
}

/// Loss and accuracy of the first and of the last epoch.
fn learn<N, S, Y, L>(net: &mut N, set: &S, loss: L) -> [(f64, Option<f64>); 2]
where
    N: Trainable<Scalar = f32> + Send + Sync,
    Y: Target,
    S: Samples<Y>,
    L: LossFor<f32, Y> + fmt::Display + Clone + Sync,
{
    let trainer = trainer(loss.clone()).validation_share(0.2);
    let history = trainer.fit(net, set).unwrap();
    let seen = evaluate(net, set, &loss).unwrap();
    assert_eq!(seen.images(), 200);
    let epoch = |at: usize| history.epochs[at].validation.unwrap();
    assert_eq!(epoch(7).accuracy.is_none(), seen.accuracy().is_nan());
    [0, 7].map(|at| (epoch(at).loss, epoch(at).accuracy))
}

#[test]
fn a_regression_is_learned() {
    let set = with(centre).unwrap();
    for [first, last] in [
        learn(&mut *Centre::random(1), &set, MeanSquaredError),
        learn(&mut *Centre::random(1), &set, Huber { delta: 0.3 }),
    ] {
        assert!(
            last.0 < 0.4 * first.0 && last.1.is_none(),
            "{first:?} {last:?}"
        );
    }
}

convnet! {
    /// Where the ink is, and which digit it is.
    struct Both {
        input(8x8x1),
        conv(8, 3x3, pad = 1), relu, max_pool(2x2),
        outputs { centre: [fc(2)], digit: [fc(10)] },
    }
}

/// That of the centre, and of the digit.
fn both(
    centre: f64,
) -> PerOutput<(
    OutputLoss<MeanSquaredError>,
    OutputLoss<SoftmaxCrossEntropy>,
)> {
    let [first, second] = [0, 1].map(|at| &Both::OUTPUTS[at]);
    PerOutput((
        OutputLoss::new(first, centre, MeanSquaredError),
        OutputLoss::new(second, 1.0, SoftmaxCrossEntropy::default()),
    ))
}

#[test]
fn two_outputs_are_learned_together_each_by_its_loss() {
    let set = with(|pixels, class| {
        let mut values = centre(pixels, class).values;
        values.extend((0..10).map(|digit| f32::from(u8::from(digit == class))));
        Values::vector(values)
    });
    let set = set.unwrap();
    let mut net = Both::random(1);
    let [first, last] = learn(&mut *net, &set, both(0.5));
    assert!(last.0 < 0.5 * first.0, "{first:?} {last:?}");

    let (mut arena, mut image) = (Both::arena(), Volume::boxed());
    let (mut right, mut off) = (0, 0.0);
    for index in 0..200 {
        set.image(index, image.as_mut_slice());
        let BothOutputs { centre, digit } = Both::outputs(net.forward(&image, &mut arena));
        let expected = set.label(index).values;
        right += usize::from(expected[2 + digit.best()] == 1.0);
        off += f64::from((centre[0][0][0] - expected[0]).abs()) / 200.0;
    }
    assert!(right > 150 && off < 0.2, "{right} right, {off} off");
    assert_eq!(
        both(0.5).to_string(),
        "0.5·(mean squared error) + 1·(softmax cross-entropy)"
    );
}

#[test]
fn an_autoencoder_is_learned_and_may_be_augmented() {
    let set = digits();
    let (_, few) = data::split(&set, 200.0 / 1797.0, 1).unwrap();
    let [first, last] = learn(
        &mut *Code::random(1),
        &(&few).autoencoder(),
        MeanSquaredError,
    );
    assert!(last.0 < 0.7 * first.0, "{first:?} {last:?}");
    let set = few.random_flips().random_shifts(1).autoencoder();
    let [first, last] = learn(&mut *Code::random(1), &set, BinaryCrossEntropy);
    assert!(last.0 < 0.9 * first.0, "{first:?} {last:?}");
}

#[test]
fn several_labels_are_learned() {
    let [first, last] = learn(
        &mut *Traits::random(1),
        &with(traits).unwrap(),
        BinaryCrossEntropy,
    );
    assert!(
        last.0 < first.0 && last.1 > Some(0.85),
        "{first:?} {last:?}"
    );
}

#[test]
fn a_class_a_pixel_is_learned() {
    let set = with(shades).unwrap().of_classes(3);
    let [_, last] = learn(&mut *Shades::random(1), &set, PerPixel::default());
    assert!(last.1 > Some(0.93), "{last:?}");
    let [_, last] = learn(
        &mut *Shades::random(1),
        &set.random_flips().random_shifts(2),
        PerPixel(Hinge::default()),
    );
    assert!(last.1 > Some(0.93), "{last:?}");
    let [_, last] = learn(
        &mut *Blocks::random(1),
        &with(blocks).unwrap(),
        PerPixel::default(),
    );
    assert!(last.1 > Some(0.85), "{last:?}");
}

/// What each pixel is taken for, of all pixels of all images.
#[test]
fn pixels_are_counted_one_by_one() {
    let (net, set) = (Shades::random(1), with(shades).unwrap());
    let seen = evaluate(&*net, &set, &PerPixel::default()).unwrap();
    let counted: usize = (0..9).map(|pair| seen.count(pair / 3, pair % 3)).sum();
    assert_eq!(counted, 200 * 64);
    assert_eq!(seen.class_accuracies().count(), 3);
    assert!(
        seen.to_string()
            .starts_with("200 images, 12800 answers, accuracy "),
        "{seen}"
    );
    // Of three labels: that label, and none.
    let seen = evaluate(
        &*Traits::random(1),
        &with(traits).unwrap(),
        &BinaryCrossEntropy,
    )
    .unwrap();
    let odd = (0..200)
        .filter(|&index| digits().label(index) % 2 == 1)
        .count();
    assert_eq!(seen.count(0, 0) + seen.count(0, 3), odd);
    let all: usize = (0..16).map(|pair| seen.count(pair / 4, pair % 4)).sum();
    assert_eq!(all, 600);
}

/// A mirrored image has its map mirrored; a moved one its map moved, by whole blocks of a coarse one.
#[test]
fn maps_follow_their_images() {
    let check = |set: &dyn Fn(&mut Vec<f32>, u64) -> ClassMap, block: usize| {
        let (mut image, mut moved) = (vec![0.0; 64], 0);
        for draw in 0..200 {
            let map = set(&mut image, draw);
            for (at, &class) in map.classes.iter().enumerate() {
                let across = 8 / block;
                let pixel = image[at / across * block * 8 + at % across * block];
                match class {
                    ClassMap::UNLABELLED => moved += 1,
                    class => assert_eq!(class, (pixel * 16.0) as usize / 6, "draw {draw}, {at}"),
                }
            }
        }
        assert!(moved > 0);
    };
    let fine = with(shades).unwrap().random_flips().random_shifts(3);
    check(
        &|image, draw| fine.show(draw as usize, image, &mut Rng::stream(1, draw)),
        1,
    );
    // A flip of blocks turns their corners, so shifts only.
    let coarse = with(blocks).unwrap().random_shifts(3);
    check(
        &|image, draw| coarse.show(draw as usize, image, &mut Rng::stream(1, draw)),
        2,
    );
    // A vector, and an image that is its own target.
    let set = with(centre).unwrap().random_shifts(3);
    let mut image = [0.0_f64; 64];
    assert_eq!(set.show(5, &mut image, &mut Rng::new(1)), set.label(5));
    let set = digits().random_shifts(3).autoencoder();
    let target = set.show(5, &mut image, &mut Rng::new(1));
    assert!(
        target
            .values
            .iter()
            .zip(image)
            .all(|(&t, x)| f64::from(t) == x)
    );
    assert_ne!(target, set.label(5));
}

/// The gradient through a whole network, of every loss that is not of one class.
#[test]
fn gradients_are_right() {
    fn check<N: Trainable<Scalar = f64>, Y: Copy>(loss: &impl Loss<f64, Y>, target: Y) {
        let (mut net, mut image) = (N::random(3), bytemuck::zeroed_box::<N::Input>());
        let mut rng = Rng::new(4);
        image
            .as_mut_slice()
            .iter_mut()
            .for_each(|x| *x = rng.normal());
        let some = GradientCheck {
            samples: 40,
            seed: 1,
        };
        let report = some.run(&mut *net, &mut image, target, loss).unwrap();
        assert!(report.error < 1e-6, "{report}");
    }
    check::<Centre<f64>, _>(&MeanSquaredError, &[0.5, -1.0]);
    check::<Centre<f64>, _>(&Huber { delta: 0.1 }, &[0.5, -1.0]);
    let shares = [0.5, -1.0, 0.0, 0.1, 0.0, 0.6, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0];
    check::<Both<f64>, _>(&both(3.0), &shares[..]);
    check::<Code<f64>, _>(&MeanSquaredError, &[0.25; 64]);
    check::<Code<f64>, _>(&BinaryCrossEntropy, &[0.25_f32; 64][..]);
    check::<Traits<f64>, _>(&BinaryCrossEntropy, &[true, false, true][..]);
    let map: Vec<usize> = (0..64)
        .map(|at| if at % 7 == 0 { usize::MAX } else { at % 3 })
        .collect();
    check::<Shades<f64>, _>(&PerPixel::default(), &map);
    check::<Blocks<f64>, _>(
        &PerPixel(Hinge {
            squared: true,
            ..Hinge::default()
        }),
        &map[1..7],
    );
}

/// A box around the ink: its target and its loss are the user's.
#[derive(Clone)]
struct Box4([f32; 4]);

impl Target for Box4 {
    fn digest(&self, put: &mut impl FnMut(&[u8])) {
        put(&self.0.map(f32::to_le_bytes).concat());
    }
}

#[derive(Clone)]
struct Corners;

impl LossFor<f32, Box4> for Corners {
    fn loss_for(&self, y: &[f32], target: &Box4, dy: &mut [f32]) -> Result<f32, LossError> {
        MeanSquaredError.loss(y, &target.0, dy)
    }
}

impl fmt::Display for Corners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("corners")
    }
}

#[test]
fn a_target_of_ones_own() {
    convnet! { struct Finds { input(8x8x1), fc(24), tanh, fc(4) } }
    let set = with(|pixels, _| {
        let ink = |at: &usize| pixels[*at] > 4;
        let rows = (0..64).filter(ink).map(|at| at / 8);
        let columns = (0..64).filter(ink).map(|at| at % 8);
        let all = [
            rows.clone().min(),
            rows.max(),
            columns.clone().min(),
            columns.max(),
        ];
        Box4(all.map(|edge| edge.unwrap() as f32 / 4.0 - 1.0))
    });
    let [first, last] = learn(&mut *Finds::random(1), &set.unwrap(), Corners);
    assert!(last.0 < 0.5 * first.0, "{first:?} {last:?}");
}

#[test]
fn a_checkpoint_knows_other_targets() {
    let path = std::env::temp_dir().join(format!("convnet-targets-{}", std::process::id()));
    let run = |epochs, add: f32| {
        let set = with(|pixels, digit| {
            let mut target = centre(pixels, digit);
            target.values[0] += add;
            target
        });
        let trainer = trainer(MeanSquaredError).epochs(epochs).checkpoint(&path);
        trainer.fit(&mut *Centre::random(1), &set.unwrap())
    };
    run(1, 0.0).unwrap();
    assert_eq!(run(2, 0.0).unwrap().epochs.len(), 2);
    let error = run(3, 0.5).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("training set is 200 images of 8x8x1"),
        "{error}"
    );
    std::fs::remove_file(&path).unwrap();
}

/// The statistics need no answers.
#[test]
fn calibration_does_not_ask_for_a_target() {
    let (mut net, set) = (Shades::random(1), digits());
    calibrate(&mut *net, &set, 0).unwrap();
    assert!(
        net.batch_norm1
            .variance
            .iter()
            .all(|&variance| variance != 1.0)
    );
}

#[test]
fn a_network_that_cannot_answer_is_refused_with_advice() {
    fn refused<N, S, Y, L>(net: &mut N, set: &S, loss: L, expected: &str)
    where
        N: Trainable<Scalar = f32> + Send + Sync,
        Y: Target,
        S: Samples<Y>,
        L: LossFor<f32, Y> + fmt::Display + Sync,
    {
        let found = evaluate(net, set, &loss).unwrap_err().to_string();
        let error = trainer(loss).fit(net, set).unwrap_err();
        assert!(
            matches!(
                error,
                TrainError::Target { .. } | TrainError::LastLayer { .. }
            ),
            "{error}"
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(found, expected.replace("training", "evaluation"));
    }
    convnet! { struct Twenty { input(8x8x1), fc(20) } }
    convnet! { struct Map { input(8x8x1), conv(4, 3x3) } }
    convnet! { struct Sure { input(8x8x1), fc(10), softmax } }
    convnet! { struct Ten { input(8x8x1), fc(10) } }
    convnet! { struct Three { input(8x8x1), fc(3), sigmoid } }
    let (digits, softmax) = (digits(), SoftmaxCrossEntropy::default());
    refused(
        &mut *Twenty::random(1),
        &digits,
        softmax,
        "the network gives 20 class scores, and the training set has 10 classes\n\
         let the last layer give 10 scores; or, if the other classes have no images yet, make the set one \
         of 20 classes",
    );
    refused(
        &mut *Map::random(1),
        &digits,
        softmax,
        "the network gives a map of 6x6x4, and the training set one class an image\n\
         end the network in `fc(10)`, or in `conv(10, 1x1), global_avg_pool`; a class a pixel is a set of \
         `ClassMap`s and the loss `PerPixel`",
    );
    refused(
        &mut *Sure::random(1),
        &digits,
        softmax,
        "the network ends in `softmax` (softmax1), which is not for this loss\n\
         leave `softmax` out of the declaration, for this loss takes it itself (`loss::softmax` makes \
         probabilities of scores); or train by `.loss(CrossEntropy)`",
    );
    refused(
        &mut *Ten::random(1),
        &digits,
        CrossEntropy,
        "the network ends in `fc` (fc1), which is not for this loss\n\
         end the network in `softmax`; or, better, train by `SoftmaxCrossEntropy`, which is what a \
         trainer does unless it is told otherwise",
    );
    refused(
        &mut *Three::random(1),
        &with(traits).unwrap(),
        BinaryCrossEntropy,
        "the network ends in `sigmoid` (sigmoid1), which is not for this loss\n\
         leave that layer out of the declaration: this loss takes `sigmoid` itself",
    );
    refused(
        &mut *Ten::random(1),
        &with(centre).unwrap(),
        MeanSquaredError,
        "the target of training image 0 is 1x1x2, and the network gives 1x1x10\n\
         let the last layer give 1x1x2, or bring the targets to that size",
    );
    refused(
        &mut *Blocks::random(1),
        &with(shades).unwrap(),
        PerPixel::default(),
        "the target of training image 0 is 8x8x3, and the network gives 4x4x3\n\
         let the last layer give 8x8x3, or bring the targets to that size",
    );
    let error = with(centre).unwrap().len() + 1;
    let targets = vec![Labels(Vec::new()); error];
    let images = Images::unlabelled([8, 8, 1], vec![0; 200 * 64]).unwrap();
    let error = images.with_targets(targets).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("there are 200 images and 201 labels"),
        "{error}"
    );
    assert!(
        trainer(CrossEntropy)
            .fit(&mut *Sure::random(1), &digits)
            .is_ok()
    );
}
