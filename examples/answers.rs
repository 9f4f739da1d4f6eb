//! Lesson 11, other answers than a class: numbers, an image, several labels, a class a pixel.
//!
//! `cargo run --release --example answers`
//!
//! Four small networks look at the same handwritten digits, and each is asked something else. What
//! changes from one to the next is the target of an image, the loss, and the last layer.

use std::error::Error;
use std::fmt::Display;

use convnet::data::{self, ClassMap, Images, Labels, Normalisation, Samples, Target, Values};
use convnet::loss::{BinaryCrossEntropy, MeanSquaredError, PerPixel};
use convnet::optim::Adam;
use convnet::train::{LossFor, Trainer, evaluate};
use convnet::{Trainable, Volume, convnet};

convnet! {
    /// Two numbers: the column and the row where the middle of the ink is.
    pub struct Centre {
        input(8x8x1),
        conv(8, 3x3, pad = 1),
        relu,
        fc(32),
        relu,
        centre: fc(2),
    }
}

convnet! {
    /// An image of 8x8 through eight numbers, and back.
    pub struct Autoencoder {
        input(8x8x1),
        conv(16, 2x2, stride = 2),
        relu,
        code: conv(8, 4x4),
        conv_transpose(16, 4x4),
        relu,
        image: conv_transpose(1, 2x2, stride = 2),
    }
}

convnet! {
    /// A score for each of three labels, above 0 where the digit has it.
    pub struct Traits {
        input(8x8x1),
        conv(16, 3x3, pad = 1),
        relu,
        max_pool(2x2),
        fc(32),
        relu,
        traits: fc(3),
    }
}

convnet! {
    /// A depth column of scores for each pixel: no ink, or the class of the digit.
    pub struct Segments {
        input(8x8x1),
        conv(32, 3x3, pad = 1),
        relu,
        conv(32, 5x5, pad = 2),
        relu,
        conv(32, 5x5, pad = 2),
        relu,
        classes: conv(11, 1x1),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.csv.gz");
    let digits = data::digits(path)?;

    println!("Where is the middle of the ink? Numbers, mean squared error");
    let mut net = Centre::random(231);
    let set = with(&digits, centre)?;
    train(&mut *net, &set, MeanSquaredError)?;
    let (mut image, mut arena) = (Volume::boxed(), Centre::arena());
    set.image(0, image.as_mut_slice());
    let [x, y] = net.forward(&image, &mut arena)[0][0];
    let right = set.label(0).values;
    println!(
        "  of the first digit {x:.2}, {y:.2}; it is {:.2}, {:.2}\n",
        right[0], right[1]
    );

    println!("What does it look like, through eight numbers? An image, mean squared error");
    let mut net = Autoencoder::random(231);
    train(&mut *net, &(&digits).autoencoder(), MeanSquaredError)?;
    let mut arena = Autoencoder::arena();
    let seen = net.forward(&image, &mut arena);
    for (before, after) in image.iter().zip(seen.iter()) {
        println!("  {}   {}", shades(before), shades(after));
    }

    println!("\nIs it odd, above four, has it a hole? Labels, binary cross-entropy");
    let traits = |_: &[u8], digit: usize| {
        Labels(vec![
            digit % 2 == 1,
            digit > 4,
            [0, 6, 8, 9].contains(&digit),
        ])
    };
    train(
        &mut *Traits::random(231),
        &with(&digits, traits)?,
        BinaryCrossEntropy,
    )?;

    println!("Of which digit is each pixel, if of any? Classes a pixel, softmax cross-entropy");
    let segments = |pixels: &[u8], digit: usize| ClassMap {
        shape: [8, 8],
        classes: pixels
            .iter()
            .map(|&p| if p > 4 { digit } else { NO_INK })
            .collect(),
    };
    let mut net = Segments::random(231);
    train(
        &mut *net,
        &with(&digits, segments)?.of_classes(11),
        PerPixel::default(),
    )?;
    let mut arena = Segments::arena();
    let scores = net.forward(&image, &mut arena);
    for (before, after) in image.iter().zip(scores.iter()) {
        let classes: String = after.iter().map(class).collect();
        println!("  {}   {classes}", shades(before));
    }
    Ok(())
}

/// The class of a pixel without ink.
const NO_INK: usize = 10;

/// The digits, with the target that `of` makes of the pixels and the class of each.
fn with<Y: Target + Clone>(
    digits: &Images,
    of: impl Fn(&[u8], usize) -> Y,
) -> Result<data::Targets<Y>, data::DataError> {
    let all = 0..digits.len();
    let pixels = all.clone().flat_map(|index| digits.pixels(index).to_vec());
    let targets = all.map(|index| of(digits.pixels(index), digits.label(index)));
    Images::unlabelled([8, 8, 1], pixels.collect())?
        .normalised(&Normalisation::divide(16.0, 1))?
        .with_targets(targets.collect())
}

/// Trains on four fifths, and tells how it went on the others.
fn train<N, S, Y, L>(net: &mut N, set: &S, loss: L) -> Result<(), Box<dyn Error>>
where
    N: Trainable<Scalar = f32> + Send + Sync,
    Y: Target,
    S: Samples<Y>,
    L: LossFor<f32, Y> + Display + Clone + Sync,
{
    let (training, test) = data::split(set, 0.2, 231)?;
    Trainer::new(Adam::default())
        .loss(loss.clone())
        .learning_rate(3e-3)
        .epochs(15)
        .fit(net, &training)?;
    let seen = evaluate(net, &test, &loss)?.to_string();
    println!("  {}", seen.lines().next().unwrap_or_default());
    Ok(())
}

/// Column and row of the middle of the ink.
fn centre(pixels: &[u8], _: usize) -> Values {
    let ink: f32 = pixels.iter().map(|&p| f32::from(p)).sum();
    let mean = |place: fn(usize) -> usize| {
        let all = pixels.iter().enumerate();
        all.map(|(at, &p)| f32::from(p) * place(at) as f32)
            .sum::<f32>()
            / ink
    };
    Values::vector([mean(|at| at % 8), mean(|at| at / 8)])
}

/// A row of pixels from 0 to 1.
fn shades(row: &[[f32; 1]; 8]) -> String {
    let shade =
        |&[p]: &[f32; 1]| [" ", "░", "▒", "▓", "█"][(p * 4.0).round().clamp(0.0, 4.0) as usize];
    row.iter().map(|pixel| shade(pixel).repeat(2)).collect()
}

/// The class with the highest score.
fn class(scores: &[f32; 11]) -> String {
    let best = (0..11).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    match best.unwrap_or(NO_INK) {
        NO_INK => " .".to_owned(),
        digit => format!("{digit:>2}"),
    }
}
