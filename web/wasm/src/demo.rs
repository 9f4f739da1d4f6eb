//! The network of the demo, and what it makes of an image.

use convnet::{Classifier, Volume, convnet};
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::inside::{Inside, Layer, Neuron};
use crate::{all_ts, ts};

convnet! {
    /// The network of CS231n's demo: [CONV-RELU-CONV-RELU-POOL]*3-FC, ten filters a conv, on CIFAR-10.
    pub struct TinyVgg {
        input(32x32x3),
        [
            conv(10, 3x3, pad = 1),
            relu,
            conv(10, 3x3, pad = 1),
            relu,
            max_pool(2x2),
        ] * 3,
        scores: fc(10),
    }
}

/// A class, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Class {
    /// What it is called.
    pub name: String,
    /// Its score.
    pub score: f32,
    /// By softmax over all scores.
    pub probability: f64,
}

/// [`TinyVgg`] with its weights, and the volumes of the image that it saw last.
#[wasm_bindgen]
pub struct Demo {
    classifier: Classifier<TinyVgg>,
    inside: Inside,
}

#[wasm_bindgen]
impl Demo {
    /// Reads a weight file that says how images are read.
    ///
    /// # Errors
    ///
    /// If it is not one of this network.
    #[wasm_bindgen(constructor)]
    pub fn new(weights: &[u8]) -> Result<Self, String> {
        let classifier = Classifier::from_bytes(weights).map_err(|error| error.to_string())?;
        Ok(Self {
            classifier,
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

    /// What the classes are called, in the order of the scores.
    #[wasm_bindgen(js_name = classNames)]
    #[must_use]
    pub fn class_names(&self) -> Vec<String> {
        self.classifier.class_names().to_vec()
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
        let ranked = self
            .classifier
            .classify(pixels)
            .map_err(|error| error.to_string())?;
        let normalisation = self.classifier.normalisation();
        let mut image = Volume::boxed();
        let slices = normalisation
            .mean
            .iter()
            .zip(&normalisation.deviation)
            .cycle();
        for ((value, &pixel), (mean, deviation)) in
            image.as_mut_slice().iter_mut().zip(pixels).zip(slices)
        {
            *value = ((f64::from(pixel) - mean) / deviation) as f32;
        }
        let scores = self.inside.see(self.classifier.network(), &image);
        let names = self.classifier.class_names();
        let class = |(name, probability): &(&str, f64)| {
            let at = names.iter().position(|it| it == name).unwrap_or_default();
            Class {
                name: (*name).into(),
                score: scores[at],
                probability: *probability,
            }
        };
        Ok(ranked.iter().map(class).collect())
    }

    /// How a cell of volume `index`, `[row, column, slice]`, came about.
    ///
    /// # Errors
    ///
    /// If there is no such cell.
    pub fn cell(&self, index: usize, cell: [usize; 3]) -> Result<Neuron, String> {
        self.inside.neuron(self.classifier.network(), index, cell)
    }
}
