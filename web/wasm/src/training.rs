//! A network that learns to read digits, a step at a time.

use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::{Adagrad, Adam, AdamW, OptimError, RmsProp, Sgd, Step};
use convnet::{Loss, Optimizer, Parameters, Rng, Tape, Volume, convnet, weights};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::inside::{Inside, Layer};
use crate::{all_ts, ts};

convnet! {
    /// Reads a digit of 8x8 pixels.
    pub struct Digits {
        input(8x8x1),
        conv1: conv(16, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        conv2: conv(32, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

/// The optimizers, with the hyperparameters that are usual.
const OPTIMIZERS: [(&str, f64); 6] = [
    ("Momentum", 0.03),
    ("SGD", 0.1),
    ("Adam", 0.003),
    ("AdamW", 0.003),
    ("RMSProp", 0.001),
    ("Adagrad", 0.02),
];

/// Of five images one is kept for the test.
const TEST: usize = 5;

/// A handwritten digit.
struct Image {
    pixels: Volume<f32, 8, 8, 1>,
    label: usize,
}

/// What a few steps did.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Progress {
    /// How many steps were made in all.
    pub steps: u32,
    /// How often each image was seen in all.
    pub epochs: f64,
    /// The mean loss of each batch.
    pub losses: Vec<f64>,
    /// How much of each batch was right.
    pub right: Vec<f64>,
    /// Of the test images, how much is right; each time an epoch ended.
    pub tested: Option<f64>,
}

/// An optimizer, and a rate that suits it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Choice {
    /// Its name.
    pub name: String,
    /// The learning rate.
    pub rate: f64,
}

/// The network, the images, and what the optimizer remembers.
#[wasm_bindgen]
pub struct Learner {
    net: Box<Digits>,
    gradient: Box<Digits>,
    slots: [Box<Digits>; 2],
    tape: Box<Tape<Digits>>,
    training: Vec<Image>,
    test: Vec<Image>,
    /// The training images in the order of this epoch, and how many of them were seen.
    order: Vec<usize>,
    seen: usize,
    epochs: usize,
    steps: u64,
    updates: u64,
    optimizer: usize,
    rng: Rng,
    inside: Inside,
}

#[wasm_bindgen]
impl Learner {
    /// A new network, and images of 64 pixels from 0 to 16 with a digit each.
    ///
    /// # Errors
    ///
    /// If these do not belong together.
    #[wasm_bindgen(constructor)]
    pub fn new(pixels: &[u8], labels: &[u8], seed: u32) -> Result<Self, String> {
        if pixels.len() != 64 * labels.len() || labels.iter().any(|&label| label > 9) {
            return Err(format!(
                "{} pixels and {} labels: 64 pixels an image, and a digit from 0 to 9",
                pixels.len(),
                labels.len()
            ));
        }
        let mut rng = Rng::new(u64::from(seed));
        let images = pixels.chunks_exact(64).zip(labels);
        let mut images: Vec<_> = images
            .map(|(pixels, &label)| Image::of(pixels, usize::from(label)))
            .collect();
        rng.shuffle(&mut images);
        let training = images.split_off(images.len() / TEST);
        Ok(Self {
            net: Digits::random(u64::from(seed)),
            gradient: Digits::boxed(),
            slots: [Digits::boxed(), Digits::boxed()],
            tape: Digits::tape(),
            order: (0..training.len()).collect(),
            seen: training.len(),
            training,
            test: images,
            epochs: 0,
            steps: 0,
            updates: 0,
            optimizer: 0,
            rng,
            inside: Inside::default(),
        })
    }

    /// As [`learn`](Self::learn), for JavaScript.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn step(&mut self, batch: usize, rate: f64) -> Result<Ts<Progress>, String> {
        ts(&self.learn(batch, rate)?)
    }

    /// Chooses an optimizer by its number; what the one before remembered is forgotten.
    pub fn choose(&mut self, optimizer: usize) {
        self.optimizer = optimizer;
        self.updates = 0;
        self.slots = [Digits::boxed(), Digits::boxed()];
    }

    /// The optimizers.
    ///
    /// # Errors
    ///
    /// None that a caller could make.
    pub fn optimizers() -> Result<Vec<Ts<Choice>>, String> {
        let choice = |(name, rate): (&str, f64)| Choice {
            name: name.into(),
            rate,
        };
        all_ts(&OPTIMIZERS.map(choice))
    }

    /// How many images it learns from, and how many are kept for the test.
    #[must_use]
    pub fn images(&self) -> Vec<usize> {
        vec![self.training.len(), self.test.len()]
    }

    /// A test image by its number, which may be any: 64 pixels from 0 to 16, and the digit.
    #[must_use]
    pub fn image(&self, number: usize) -> Vec<u8> {
        let count = self.test.len().max(1);
        let image = self.test.get(number % count);
        image.map_or_else(Vec::new, |Image { pixels, label }| {
            let pixels = pixels.as_slice().iter().map(|&it| (it * 16.0) as u8);
            pixels.chain([*label as u8]).collect()
        })
    }

    /// One more image to learn from.
    ///
    /// # Errors
    ///
    /// If it has no 64 pixels, or the label is no digit.
    pub fn add(&mut self, pixels: &[u8], label: usize) -> Result<(), String> {
        if pixels.len() != 64 || label > 9 {
            return Err("64 pixels and a digit from 0 to 9 are one image".into());
        }
        self.order.push(self.training.len());
        self.training.push(Image::of(pixels, label));
        Ok(())
    }

    /// The filters of `conv1` or `conv2`: rows, columns, depth, filters.
    ///
    /// # Errors
    ///
    /// If there is no such layer.
    pub fn filters(&self, layer: &str) -> Result<Vec<f32>, String> {
        filters(&self.net, layer)
    }

    /// The gradient on them, of the last batch.
    ///
    /// # Errors
    ///
    /// If there is no such layer.
    pub fn gradients(&self, layer: &str) -> Result<Vec<f32>, String> {
        filters(&self.gradient, layer)
    }

    /// The weights, as a safetensors file.
    ///
    /// # Errors
    ///
    /// If they are not finite.
    pub fn save(&self) -> Result<Vec<u8>, String> {
        weights::to_bytes(&*self.net).map_err(|error| error.to_string())
    }

    /// Takes the weights of a safetensors file; what the optimizer remembered is forgotten.
    ///
    /// # Errors
    ///
    /// If it is not one of this network.
    pub fn load(&mut self, file: &[u8]) -> Result<(), String> {
        weights::from_bytes(&mut *self.net, file).map_err(|error| error.to_string())?;
        self.choose(self.optimizer);
        Ok(())
    }

    /// The scores of an image; its volumes are kept.
    ///
    /// # Errors
    ///
    /// If it has no 64 pixels.
    pub fn see(&mut self, pixels: &[u8]) -> Result<Vec<f32>, String> {
        match pixels.len() {
            64 => {
                let image = Image::of(pixels, 0).pixels;
                Ok(self.inside.see(&*self.net, &image).to_vec())
            }
            found => Err(format!("{found} pixels: an image has 64")),
        }
    }

    /// Volume `index` of the image that was seen last, depth innermost.
    #[must_use]
    pub fn volume(&self, index: usize) -> Vec<f32> {
        self.inside.volume(index).to_vec()
    }

    /// The layers, in order.
    ///
    /// # Errors
    ///
    /// None that a caller could make.
    pub fn layers() -> Result<Vec<Ts<Layer>>, String> {
        all_ts(&Layer::all::<Digits>())
    }

    /// How much of the test images it reads right.
    #[must_use]
    pub fn accuracy(&self) -> f64 {
        let mut arena = Digits::arena();
        let read =
            |image: &&Image| self.net.forward(&image.pixels, &mut arena).best() == image.label;
        self.test.iter().filter(read).count() as f64 / self.test.len() as f64
    }
}

impl Learner {
    /// One step, on a batch of so many images at a rate; at the end of an epoch, the test.
    ///
    /// # Errors
    ///
    /// If there are no images, or the rate makes no sense.
    pub fn learn(&mut self, batch: usize, rate: f64) -> Result<Progress, String> {
        if self.training.is_empty() {
            return Err("there are no images to learn from".into());
        }
        if self.seen >= self.order.len() {
            self.rng.shuffle(&mut self.order);
            (self.seen, self.epochs) = (0, self.epochs + 1);
        }
        // The last batch of an epoch is what is left.
        let batch = batch.clamp(1, self.order.len() - self.seen);
        *self.gradient = Digits::ZERO;
        let (mut loss, mut right) = (0.0, 0);
        for &index in &self.order[self.seen..self.seen + batch] {
            let Image { pixels, label } = &self.training[index];
            let scores = self.net.forward_train(pixels, &mut self.tape, self.steps);
            right += usize::from(scores.best() == *label);
            let mut d_scores = Volume::ZERO;
            let of_image = SoftmaxCrossEntropy::default()
                .loss(scores.as_slice(), *label, d_scores.as_mut_slice())
                .map_err(|error| error.to_string())?;
            loss += f64::from(of_image);
            // The loss of a batch is the mean over its images.
            d_scores
                .as_mut_slice()
                .iter_mut()
                .for_each(|d| *d /= batch as f32);
            self.net
                .backward(pixels, None, &mut self.tape, &d_scores, &mut self.gradient);
        }
        let step = Step {
            rate,
            count: self.updates,
        };
        self.update(step).map_err(|error| error.to_string())?;
        self.seen += batch;
        self.steps += 1;
        self.updates += 1;
        let ended = self.seen >= self.order.len();
        Ok(Progress {
            steps: self.steps as u32,
            epochs: (self.epochs - 1) as f64 + self.seen as f64 / self.order.len() as f64,
            losses: vec![loss / batch as f64],
            right: vec![right as f64 / batch as f64],
            tested: ended.then(|| self.accuracy()),
        })
    }

    fn update(&mut self, step: Step) -> Result<(), OptimError> {
        let Self {
            net,
            gradient,
            slots: [first, second],
            ..
        } = self;
        let (net, slots) = (&mut **net, &mut [&mut **first, &mut **second]);
        let momentum = Sgd {
            momentum: 0.9,
            ..Sgd::default()
        };
        match OPTIMIZERS.get(self.optimizer).map(|(name, _)| *name) {
            Some("SGD") => Sgd::default().step(step, net, gradient, slots),
            Some("Adam") => Adam::default().step(step, net, gradient, slots),
            Some("AdamW") => AdamW::default().step(step, net, gradient, slots),
            Some("RMSProp") => RmsProp::default().step(step, net, gradient, slots),
            Some("Adagrad") => Adagrad::default().step(step, net, gradient, slots),
            _ => momentum.step(step, net, gradient, slots),
        }
    }
}

impl Image {
    /// Of 64 pixels from 0 to 16.
    fn of(pixels: &[u8], label: usize) -> Self {
        let mut image = Volume::ZERO;
        for (to, &pixel) in image.as_mut_slice().iter_mut().zip(pixels) {
            *to = f32::from(pixel) / 16.0;
        }
        Self {
            pixels: image,
            label,
        }
    }
}

/// The filters of a layer.
fn filters(net: &Digits, layer: &str) -> Result<Vec<f32>, String> {
    let name = format!("{layer}.filters");
    let index = Digits::<f32>::TENSORS
        .iter()
        .position(|tensor| tensor.name == name);
    let index = index.ok_or_else(|| format!("there is no {name}"))?;
    Ok(net.tensor(index).to_vec())
}

#[cfg(test)]
mod tests {
    use super::{Digits, Learner, OPTIMIZERS};

    /// A bar that stands or lies, for 1 and 0.
    fn bars() -> (Vec<u8>, Vec<u8>) {
        let (mut pixels, mut labels) = (Vec::new(), Vec::new());
        for index in 0..80 {
            let (stands, at) = (index % 2 == 1, index / 2 % 8);
            let pixel = |cell: usize| {
                if stands {
                    cell % 8 == at
                } else {
                    cell / 8 == at
                }
            };
            pixels.extend((0..64).map(|cell| 16 * u8::from(pixel(cell))));
            labels.push(u8::from(stands));
        }
        (pixels, labels)
    }

    #[test]
    fn every_optimizer_learns_at_its_rate() {
        let (pixels, labels) = bars();
        for (optimizer, (name, rate)) in OPTIMIZERS.into_iter().enumerate() {
            let mut learner = Learner::new(&pixels, &labels, 7).unwrap();
            learner.choose(optimizer);
            let mut last = None;
            for _ in 0..40 {
                last = learner.learn(16, rate).unwrap().tested.or(last);
            }
            assert!(last.is_some_and(|right| right > 0.8), "{name}: {last:?}");
        }
    }

    #[test]
    fn an_epoch_sees_each_image_once_and_its_end_is_a_test() {
        let (pixels, labels) = bars();
        let mut learner = Learner::new(&pixels, &labels, 7).unwrap();
        assert_eq!(learner.images(), [64, 16]);
        let seen: Vec<_> = (0..4).map(|_| learner.learn(16, 0.0).unwrap()).collect();
        assert_eq!(seen[1].epochs, 0.5);
        assert_eq!(seen[3].epochs, 1.0);
        assert!(seen[2].tested.is_none() && seen[3].tested.is_some());
        let rest = learner.learn(48, 0.0).unwrap();
        assert_eq!(
            (rest.epochs, learner.learn(48, 0.0).unwrap().epochs),
            (1.75, 2.0)
        );
        let mut order = learner.order.clone();
        order.sort_unstable();
        assert_eq!(order, (0..64).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_saved_is_loaded_and_other_files_are_refused() {
        let (pixels, labels) = bars();
        let mut learner = Learner::new(&pixels, &labels, 7).unwrap();
        let file = learner.save().unwrap();
        let before = learner.see(&pixels[..64]).unwrap();
        learner.learn(16, 0.1).unwrap();
        assert_ne!(learner.see(&pixels[..64]).unwrap(), before);
        learner.load(&file).unwrap();
        assert_eq!(learner.see(&pixels[..64]).unwrap(), before);
        assert!(learner.load(&file[1..]).is_err());
        let image = learner.image(1000);
        assert_eq!(image.iter().filter(|&&pixel| pixel == 16).count(), 8);
        assert!(image[64] < 2);
        assert!(learner.see(&pixels[..63]).is_err() && Learner::new(&pixels, &[1], 7).is_err());
        assert_eq!(learner.filters("conv1").unwrap().len(), 144);
        assert!(learner.filters("relu1").is_err());
        let layers = crate::inside::Layer::all::<Digits>();
        assert_eq!(learner.volume(layers.len()).len(), 10);
    }
}
