//! The network of the demo, and what it makes of an image.

use convnet::loss::softmax;
use convnet::{Volume, weights};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::inside::{Inside, Layer, Neuron};
pub use crate::tiny_vgg::TinyVgg;
use crate::{all_ts, ts};

/// A class, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Class {
    /// Its number, from 0.
    pub number: usize,
    /// Its score.
    pub score: f32,
    /// By softmax over all scores.
    pub probability: f64,
}

/// [`TinyVgg`] with its weights, and the volumes of the image that it saw last.
#[wasm_bindgen]
pub struct Demo {
    net: Box<TinyVgg>,
    /// Mean and deviation of each slice of the images that it learnt from.
    mean: Vec<f64>,
    deviation: Vec<f64>,
    inside: Inside,
}

#[wasm_bindgen]
impl Demo {
    /// Reads a weight file. The mean and the deviation of the images, and the names of their classes, stand in it
    /// too, as JSON, which JavaScript reads by itself.
    ///
    /// # Errors
    ///
    /// If it is not one of this network, or there are no three means and deviations.
    #[wasm_bindgen(constructor)]
    pub fn new(file: &[u8], mean: Vec<f64>, deviation: Vec<f64>) -> Result<Self, String> {
        if [mean.len(), deviation.len()] != [3; 2] {
            return Err("an image has three slices, with a mean and a deviation each".into());
        }
        let mut net = TinyVgg::boxed();
        weights::from_bytes(&mut *net, file).map_err(|error| error.to_string())?;
        Ok(Self {
            net,
            mean,
            deviation,
            inside: Inside::default(),
        })
    }

    /// As [`look`](Self::look), for JavaScript.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn see(&mut self, pixels: &[u8]) -> Result<Vec<Ts<Class>>, String> {
        all_ts(&self.look(pixels)?)
    }

    /// The layers, in order.
    ///
    /// # Errors
    ///
    /// None that a caller could make.
    pub fn layers(&self) -> Result<Vec<Ts<Layer>>, String> {
        all_ts(&Layer::all::<TinyVgg>())
    }

    /// Volume `index`, depth innermost: 0 is the image, the others are what layers write; empty past the last.
    #[must_use]
    pub fn volume(&self, index: usize) -> Vec<f32> {
        self.inside.volume(index).to_vec()
    }

    /// As [`cell`](Self::cell), for JavaScript.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn neuron(&self, index: usize, y: usize, x: usize, d: usize) -> Result<Ts<Neuron>, String> {
        ts(&self.cell(index, [y, x, d])?)
    }
}

impl Demo {
    /// Looks at an image of bytes, height by width by depth; all classes, the most probable first.
    ///
    /// # Errors
    ///
    /// If it has another size than the network reads.
    pub fn look(&mut self, pixels: &[u8]) -> Result<Vec<Class>, String> {
        let mut image = Volume::<f32, 32, 32, 3>::boxed();
        let numbers = image.as_mut_slice();
        if pixels.len() != numbers.len() {
            return Err(format!("an image has {} bytes", numbers.len()));
        }
        let slices = self.mean.iter().zip(&self.deviation).cycle();
        for ((number, &pixel), (mean, deviation)) in numbers.iter_mut().zip(pixels).zip(slices) {
            *number = ((f64::from(pixel) - mean) / deviation) as f32;
        }
        let scores = self.inside.see(&*self.net, &image);
        let mut shares = [0.0; 10];
        softmax(scores, &mut shares);
        let shares = scores.iter().zip(shares).enumerate();
        let class = |(number, (&score, probability))| Class {
            number,
            score,
            probability: f64::from(probability),
        };
        let mut classes: Vec<_> = shares.map(class).collect();
        // Of equals the first stays first.
        classes.sort_by(|a, b| b.score.total_cmp(&a.score));
        Ok(classes)
    }

    /// How a cell of volume `index`, `[row, column, slice]`, came about.
    ///
    /// # Errors
    ///
    /// If there is no such cell.
    pub fn cell(&self, index: usize, cell: [usize; 3]) -> Result<Neuron, String> {
        self.inside.neuron(&*self.net, index, cell)
    }
}
