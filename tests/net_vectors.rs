//! 16 whole networks of PyTorch, written with `convnet!`: scores, loss, and every gradient.

#[path = "../convnet-core/tests/vectors/case.rs"]
#[allow(dead_code)] // what the cases of layers and optimizers use
mod case;

use case::{assert_close, cases, of, places};
use convnet::gradient_check::GradientCheck;
use convnet::loss::{Loss, SoftmaxCrossEntropy};
use convnet::{AnyVolume, Parameters, Real, Trainable, convnet};

/// `[CONV3x3s1p1-RELU-POOL2x2s2]*2-FC-RELU-FC`: the image, and the filters of each layer.
macro_rules! nets {
    ($($id:literal $name:ident $image:tt $conv1:tt $conv2:tt $fc1:tt $scores:tt;)*) => {
        $(convnet! {
            struct $name {
                input($image),
                conv1: conv($conv1, 3x3, pad = 1), relu, max_pool(2x2, stride = 2),
                conv2: conv($conv2, 3x3, pad = 1), relu, max_pool(2x2, stride = 2),
                fc1: fc($fc1), relu,
                scores: fc($scores),
            }
        })*

        fn every<T: Real>() -> Vec<&'static str> {
            $(check::<$name<T>>($id);)*
            vec![$($id),*]
        }
    };
}

nets! {
    "184" Net184 12x12x1 3 2 7 8;
    "185" Net185 16x16x3 3 5 6 7;
    "186" Net186 8x8x2 4 3 4 10;
    "187" Net187 12x12x2 2 5 8 9;
    "188" Net188 12x12x3 2 3 8 6;
    "189" Net189 16x16x3 3 5 8 2;
    "190" Net190 8x8x2 2 3 8 2;
    "191" Net191 12x12x3 4 2 8 3;
    "192" Net192 16x16x1 3 2 7 5;
    "193" Net193 16x16x2 4 4 5 4;
    "194" Net194 8x8x1 4 2 5 8;
    "195" Net195 16x16x1 3 4 4 3;
    "196" Net196 8x8x3 2 3 7 6;
    "197" Net197 16x16x2 3 3 4 10;
    "198" Net198 16x16x2 2 2 7 3;
    "199" Net199 16x16x2 3 4 7 3;
}

#[test]
fn networks() {
    let all: Vec<_> = cases("net_cs231n").map(|case| case.id.as_str()).collect();
    assert_eq!(all.len(), 16);
    assert_eq!(every::<f64>(), all);
    assert_eq!(every::<f32>(), all);
}

/// Every parameter and every pixel, of the smallest.
#[test]
fn finite_differences() {
    let case = case::case("194");
    let mut net = net::<Net194<f64>>("194");
    let mut image: Box<<Net194<f64> as convnet::Network>::Input> = bytemuck::zeroed_box();
    image
        .as_mut_slice()
        .copy_from_slice(&case.tensor("x").image::<f64>(0));
    let check = GradientCheck::default();
    let loss = SoftmaxCrossEntropy::default();
    let report = check
        .run(&mut *net, &mut *image, case.labels()[0], &loss)
        .unwrap();
    println!("{report}");
    assert_eq!(
        report.checked,
        4 * 9 + 4 + 2 * 36 + 2 + 5 * 8 + 5 + 8 * 5 + 8 + 64
    );
    assert!(report.error < 1e-6, "{report}");
}

/// The loss is the mean over the images, so each gives its share of the gradient.
fn check<N: Trainable>(id: &str) {
    let (case, net) = (case::case(id), net::<N>(id));
    let mut gradient: Box<N> = bytemuck::zeroed_box();
    let mut tape: Box<N::Tape> = bytemuck::zeroed_box();
    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    let (mut x, mut dx): (Box<N::Input>, Box<N::Input>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let mut d_scores: Box<N::Output> = bytemuck::zeroed_box();
    let images = case.tensor("x").shape[0];
    let share = N::Scalar::of(1.0 / images as f64);
    let mut sum = N::Scalar::of(0.0);
    for (n, label) in case.labels().into_iter().enumerate() {
        x.as_mut_slice()
            .copy_from_slice(&case.tensor("x").image::<N::Scalar>(n));
        let expected = case.tensor("scores").row::<f64>(n);
        let inferred = net.forward(&x, &mut arena);
        assert_close(
            &format!("{id}.scores[{n}] of forward"),
            inferred.as_slice(),
            &expected,
        );
        let scores = net.forward_train(&x, &mut tape, 0);
        assert_close(&format!("{id}.scores[{n}]"), scores.as_slice(), &expected);
        let loss = SoftmaxCrossEntropy::default();
        sum += loss
            .loss(scores.as_slice(), label, d_scores.as_mut_slice())
            .unwrap();
        d_scores.as_mut_slice().iter_mut().for_each(|d| *d *= share);
        net.backward(&x, Some(&mut dx), &mut tape, &d_scores, &mut gradient);
        let expected = case.tensor("dx").image::<f64>(n);
        assert_close(&format!("{id}.dx[{n}]"), dx.as_slice(), &expected);
    }
    assert_close(
        &format!("{id}.loss"),
        &[sum * share],
        &case.tensor("loss").values,
    );
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        let name = format!("d{}", theirs(index));
        let ours = gradient.tensor(index);
        let ours: Vec<_> = places(tensor)
            .into_iter()
            .map(|place| ours[place])
            .collect();
        assert_close(&format!("{id}.{name}"), &ours, &case.tensor(&name).values);
    }
}

/// The network with the weights of the case.
fn net<N: Parameters>(id: &str) -> Box<N> {
    let mut net: Box<N> = bytemuck::zeroed_box();
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        let weights = of::<N::Scalar>(&case::case(id).tensor(&theirs(index)).values);
        let (places, ours) = (places(tensor), net.tensor_mut(index));
        assert_eq!(places.len(), weights.len(), "{}", tensor.name);
        places
            .into_iter()
            .zip(weights)
            .for_each(|(place, weight)| ours[place] = weight);
    }
    net
}

/// `w1`, `b1`, `w2`…
fn theirs(index: usize) -> String {
    format!("{}{}", ["w", "b"][index % 2], index / 2 + 1)
}
