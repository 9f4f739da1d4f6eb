//! A model as a list of layers, before it has blocks and names.
//!
//! Volumes are counted as in `convnet_core::graph`: 0 is the image, i + 1 is what step i writes.

use std::borrow::Cow;
use std::collections::HashMap;

use convnet_core::graph::Op;
use convnet_core::int8::Scales;
use convnet_core::kernel::i8::Quantization;

use crate::blocks::Item;

/// A whole model.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// Height, width, depth of the image.
    pub(crate) input: [usize; 3],
    pub(crate) steps: Vec<Step>,
    /// The volume of the scores.
    pub(crate) output: usize,
    /// The lines of the declaration that it was written from, whose names are those of the steps.
    pub(crate) declared: Option<Vec<Item>>,
    /// Which volume each name of the model is.
    pub(crate) volumes: HashMap<String, usize>,
    /// With what it computes, if its image is of bytes.
    pub(crate) int8: Option<Int8>,
}

/// What a model in bytes says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Int8 {
    /// Volumes by their names in the model, and what their bytes stand for; who writes one before who reads it.
    pub(crate) volumes: Vec<(usize, String, Quantization)>,
    /// Of the steps that have filters.
    pub(crate) layers: HashMap<usize, Layer>,
}

/// The integers of a layer, beside its filters, which are multiples of their scales.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) scales: Scales,
    pub(crate) biases: Vec<i32>,
}

impl Network {
    /// Height, width and depth of a volume.
    pub(crate) fn volume(&self, v: usize) -> [usize; 3] {
        match v.checked_sub(1) {
            Some(step) => self.steps[step].volume,
            None => self.input,
        }
    }

    /// The names of several outputs, if they meet at that step.
    pub(crate) fn outputs(&self, step: usize) -> Option<&[String]> {
        match &self.steps[step].what {
            What::Outputs(names) => Some(names),
            What::Layer(_) | What::Add | What::Mul | What::Concat => None,
        }
    }
}

/// A layer, or where ways meet.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// What the model calls it, `layer1.0.conv1`, if it says so.
    pub(crate) name: Option<String>,
    pub(crate) what: What,
    /// The volumes that it reads.
    pub(crate) reads: Vec<usize>,
    /// Height, width, depth of what it writes.
    pub(crate) volume: [usize; 3],
    pub(crate) tensors: Vec<Tensor>,
}

#[expect(clippy::large_enum_variant, reason = "nearly all of them are layers")]
#[derive(Clone, Debug)]
pub(crate) enum What {
    Layer(Op),
    Add,
    /// The first of the two that it reads, times the second, which is as large, or 1x1 and as deep.
    Mul,
    Concat,
    /// What the model gives, by these names.
    Outputs(Vec<String>),
}

/// A tensor in the axes of the declaration.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    /// The field of the layer's type: `filters`.
    pub(crate) field: Cow<'static, str>,
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

impl Tensor {
    /// One with a single axis.
    pub(crate) fn vector(field: &'static str, data: Vec<f32>) -> Self {
        Self {
            field: field.into(),
            shape: vec![data.len()],
            data,
        }
    }
}
