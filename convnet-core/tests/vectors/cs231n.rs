//! The numbers that CS231n prints in its assignment 2, to the last decimal.

use convnet_core::layer::{Activation, Conv, Fc, Layer, MaxPool, Relu, Slide};
use convnet_core::loss::{Loss, SoftmaxCrossEntropy};
use convnet_core::optim::{Adam, Optimizer, RmsProp, Sgd, Step};
use convnet_core::{Role, Volume};
use serde_json::Value;

use crate::case::{Array, read};

/// `ConvolutionalNetworks.ipynb`, *Convolution: Naive forward pass*.
#[test]
fn conv() {
    let x = nchw([2, 3, 4, 4], -0.1, 0.5);
    let filters = nchw([3, 3, 4, 4], -0.2, 0.3); // OIHW
    let mut conv = Conv::<f64, 4, 4, 3, 3, Slide<2, 2, 1, 1>>::ZERO;
    conv.bias.copy_from_slice(&linspace(-0.1, 0.2, 3));
    for k in 0..3 {
        let filter = filters.image::<f64>(k);
        let rows = conv.filters.as_flattened_mut().as_flattened_mut();
        rows.iter_mut().zip(filter).for_each(|(row, w)| row[k] = w);
    }
    let mut found = Vec::new();
    for n in 0..2 {
        let (mut image, mut y) = (Volume::<f64, 4, 4, 3>::ZERO, Volume::<f64, 2, 2, 3>::ZERO);
        image.as_mut_slice().copy_from_slice(&x.image(n));
        conv.forward(&image, &mut y);
        found.extend(slices(&y));
    }
    printed(&found, "/conv/correct_out", 8);
}

/// The same, *Max pooling: Naive forward*.
#[test]
fn max_pool() {
    let x = nchw([2, 3, 4, 4], -0.3, 0.4);
    let pool = MaxPool::<2, 2, Slide<2, 2, 0, 0>>::new();
    let mut found = Vec::new();
    for n in 0..2 {
        let (mut image, mut y) = (Volume::<f64, 4, 4, 3>::ZERO, Volume::<f64, 2, 2, 3>::ZERO);
        image.as_mut_slice().copy_from_slice(&x.image(n));
        pool.forward(&image, &mut y);
        found.extend(slices(&y));
    }
    printed(&found, "/pool/correct_out", 8);
}

/// `FullyConnectedNets.ipynb`, *Affine layer: forward*. Its rows are our `[4][5][6]` as they stand.
#[test]
fn affine() {
    let mut fc = Fc::<f64, 4, 5, 6, 3>::ZERO;
    let weights = fc
        .filters
        .as_flattened_mut()
        .as_flattened_mut()
        .as_flattened_mut();
    weights.copy_from_slice(&linspace(-0.2, 0.3, 360));
    fc.bias.copy_from_slice(&linspace(-0.3, 0.1, 3));
    let mut found = Vec::new();
    for image in linspace(-0.1, 0.5, 240).chunks(120) {
        let (mut x, mut y) = (Volume::<f64, 4, 5, 6>::ZERO, Volume::<f64, 1, 1, 3>::ZERO);
        x.as_mut_slice().copy_from_slice(image);
        fc.forward(&x, &mut y);
        found.extend(y[0][0]);
    }
    printed(&found, "/affine/correct_out", 8);
}

/// The same, *ReLU activation: forward*.
#[test]
fn relu() {
    let mut v = Volume::<f64, 1, 3, 4>::ZERO;
    v.as_mut_slice().copy_from_slice(&linspace(-0.5, 0.5, 12));
    Relu.forward(&mut v);
    printed(v.as_slice(), "/relu/correct_out", 8);
}

/// The same, *Two-layer network*: affine, relu, affine, softmax; without and with λ = 1.
#[test]
fn two_layer() {
    let (mut fc1, mut fc2) = (Fc::<f64, 1, 1, 5, 50>::ZERO, Fc::<f64, 1, 1, 50, 7>::ZERO);
    let w1 = linspace(-0.7, 0.3, 250);
    let w2 = linspace(-0.3, 0.4, 350);
    fc1.filters[0][0].as_flattened_mut().copy_from_slice(&w1);
    fc2.filters[0][0].as_flattened_mut().copy_from_slice(&w2);
    fc1.bias.copy_from_slice(&linspace(-0.1, 0.9, 50));
    fc2.bias.copy_from_slice(&linspace(-0.9, 0.1, 7));

    let x = linspace(-5.5, 4.5, 15); // [5][3], and transposed
    let (mut all, mut loss) = (Vec::new(), 0.0);
    for (n, label) in [0, 5, 1].into_iter().enumerate() {
        let image = Volume([[std::array::from_fn(|d| x[3 * d + n])]]);
        let (mut hidden, mut scores) = (Volume::ZERO, Volume::ZERO);
        fc1.forward(&image, &mut hidden);
        Relu.forward(&mut hidden);
        fc2.forward(&hidden, &mut scores);
        let softmax = SoftmaxCrossEntropy::default();
        loss += softmax.loss(&scores[0][0], label, &mut [0.0; 7]).unwrap() / 3.0;
        all.extend(scores[0][0]);
    }
    printed(&all, "/two_layer/correct_scores", 8);
    let squares: f64 = w1.iter().chain(&w2).map(|w| w * w).sum();
    printed(&[loss, loss + 0.5 * squares], "/two_layer/correct_loss", 10);
}

/// The same, *SGD+Momentum*. The course's velocity is ours times −rate.
#[test]
fn momentum() {
    let rate = 1e-3;
    let (mut w, dw) = (linspace(-0.4, 0.6, 20), linspace(-0.6, 0.4, 20));
    let mut velocity: Vec<f64> = linspace(0.6, 0.9, 20).iter().map(|v| v / -rate).collect();
    let sgd = Sgd {
        momentum: 0.9,
        ..Sgd::default()
    };
    let step = Step { rate, count: 0 };
    sgd.update(step, Role::Filters, &mut w, &dw, [&mut velocity, &mut []]);
    printed(&w, "/momentum/expected_next_w", 8);
    velocity.iter_mut().for_each(|v| *v *= -rate);
    printed(&velocity, "/momentum/expected_velocity", 8);
}

/// The same, *RMSProp and Adam*.
#[test]
fn rms_prop() {
    let (mut w, dw) = (linspace(-0.4, 0.6, 20), linspace(-0.6, 0.4, 20));
    let mut cache = linspace(0.6, 0.9, 20);
    let step = Step {
        rate: 1e-2,
        count: 0,
    };
    RmsProp::default().update(step, Role::Filters, &mut w, &dw, [&mut cache, &mut []]);
    printed(&w, "/rmsprop/expected_next_w", 8);
    printed(&cache, "/rmsprop/expected_cache", 8);
}

/// The same; five updates were made before.
#[test]
fn adam() {
    let (mut w, dw) = (linspace(-0.4, 0.6, 20), linspace(-0.6, 0.4, 20));
    let (mut m, mut v) = (linspace(0.6, 0.9, 20), linspace(0.7, 0.5, 20));
    let step = Step {
        rate: 1e-2,
        count: 5,
    };
    Adam::default().update(step, Role::Filters, &mut w, &dw, [&mut m, &mut v]);
    printed(&w, "/adam/expected_next_w", 8);
    printed(&m, "/adam/expected_m", 8);
    printed(&v, "/adam/expected_v", 8);
}

/// numpy's: `n` numbers from `first` to `last`.
fn linspace(first: f64, last: f64, n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| first + (last - first) * i as f64 / (n - 1) as f64)
        .collect()
}

fn nchw(shape: [usize; 4], first: f64, last: f64) -> Array {
    Array {
        values: linspace(first, last, shape.iter().product()),
        shape: shape.to_vec(),
    }
}

/// A volume depth slice by depth slice.
fn slices<const H: usize, const W: usize, const D: usize>(v: &Volume<f64, H, W, D>) -> Vec<f64> {
    (0..D)
        .flat_map(|d| v.as_flattened().iter().map(move |column| column[d]))
        .collect()
}

/// Fails unless `found` is what is printed at `pointer`, in every one of its `decimals`.
fn printed(found: &[f64], pointer: &str, decimals: i32) {
    fn flatten(value: &Value, into: &mut Vec<f64>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| flatten(value, into)),
            value => into.push(value.as_f64().expect("a number")),
        }
    }
    let file: Value = serde_json::from_slice(&read("cs231n_vectors.json")).expect("JSON");
    let mut expected = Vec::new();
    flatten(file.pointer(pointer).expect(pointer), &mut expected);
    assert_eq!(found.len(), expected.len(), "{pointer}");
    // Half of the last decimal, and as much again of that as rounding may cost.
    let bound = 0.5 * 10_f64.powi(-decimals) * (1.0 + 1e-4);
    for (index, (x, y)) in found.iter().zip(&expected).enumerate() {
        assert!((x - y).abs() <= bound, "{pointer}[{index}] is {x}, not {y}");
    }
}
