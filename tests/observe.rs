//! What an observer is shown: each layer's volume, computed anew from those that it reads; each gradient, against
//! those on the biases; every line of the table once, in its order.

use std::collections::BTreeMap;

use convnet::graph::{Node, Op};
use convnet::{AnyVolume, Network, OnHeap, Real, Rng, Trainable, Volume, convnet, parameters};

const FILTERS: usize = 5;

convnet! {
    /// Blocks in blocks, what works in place and apart, and a layer without parameters at the image.
    struct Blocks {
        input(8x6x3),
        flatten,
        relu,
        first: conv(4, 3x3, pad = 1),
        relu,
        residual {
            conv(4, 3x3, pad = 1), sigmoid,
            residual { depthwise(3x3, pad = 1), relu },
        },
        relu,
        concat {
            [conv(3, 1x1), relu],
            [conv(2, 1x1), residual { conv(2, 3x3, pad = 1) }],
            [],
        },
        batch_norm,
        relu6,
        max_pool(2x2),
        dropout(0.4),
        [conv(FILTERS, 1x1), hard_swish] * 2,
        avg_pool(2x3, stride = 1),
        scores: fc(4),
    }
}

convnet! {
    /// The same sizes, of which the macro sees all.
    struct Plain {
        input(8x6x3),
        conv1: conv(4, 3x3, pad = 1),
        relu,
        residual { conv(4, 1x1), leaky_relu },
        batch_norm,
        max_pool(2x2),
        scores: fc(3),
        softmax,
    }
}

convnet! {
    /// An `fc` that takes several images at once, in the middle and at the end.
    struct Large {
        input(16x16x4),
        conv(4, 3x3, pad = 1),
        relu,
        hidden: fc(600),
        relu,
        scores: fc(600),
    }
}

convnet! {
    struct Inner { input(4x3x2), conv1: conv(2, 3x3, pad = 1), batch_norm, relu, conv2: conv(2, 1x1) }
}

convnet! {
    struct Outer {
        input(4x3x2),
        relu,
        a: network(Inner),
        residual { b: network(Inner), tanh },
        c: network(Inner),
    }
}

convnet! {
    #[row_by_row]
    struct Rows {
        input(16x12x3),
        conv1: conv(8, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(4),
    }
}

/// Line by line: the name, the volume.
type Shown = Vec<(&'static str, Vec<f64>)>;

/// A network with some parameters, and an image.
fn setting<N: Network<Scalar = f64> + OnHeap>(seed: u64) -> (Box<N>, Box<N::Input>) {
    let (mut net, mut rng) = (N::random(seed), Rng::new(seed));
    for (at, tensor) in N::TENSORS.iter().enumerate() {
        if tensor.name.ends_with(".bias") {
            net.tensor_mut(at)
                .fill_with(|| f64::from(rng.normal() as f32));
        }
    }
    let mut image: Box<N::Input> = bytemuck::zeroed_box();
    image
        .as_mut_slice()
        .fill_with(|| f64::from(rng.normal() as f32));
    (net, image)
}

/// Inference, training and its way back, each looked at; `d_input` asked for or not.
fn look<N>(net: &N, image: &N::Input, asked: bool) -> ([Shown; 3], Box<N>)
where
    N: Trainable<Scalar = f64> + OnHeap,
{
    let [mut inference, mut training, mut back] = [Shown::new(), Shown::new(), Shown::new()];
    let mut arena = N::arena();
    let scores = net.observe(image, &mut arena, |layer, volume| {
        assert_eq!(volume.shape(), layer.volume, "{}", layer.name);
        inference.push((layer.name, volume.as_slice().to_vec()));
    });
    assert_eq!(
        scores.as_slice(),
        net.forward(image, &mut N::arena()).as_slice()
    );

    let (mut tape, mut plain) = (N::tape(), N::tape());
    let scores = net.observe_train(image, &mut tape, 7, |layer, volume| {
        training.push((layer.name, volume.as_slice().to_vec()));
    });
    let mut d_scores: Box<N::Output> = bytemuck::zeroed_box();
    for (at, d) in d_scores.as_mut_slice().iter_mut().enumerate() {
        *d = 1.0 / (at + 1) as f64;
    }
    assert_eq!(
        scores.as_slice(),
        net.forward_train(image, &mut plain, 7).as_slice()
    );

    let [mut gradient, mut expected] = [N::boxed(), N::boxed()];
    let [mut dx, mut d_image]: [Box<N::Input>; 2] =
        [bytemuck::zeroed_box(), bytemuck::zeroed_box()];
    let to = asked.then_some(&mut *dx);
    net.observe_backward(
        image,
        to,
        &mut tape,
        &d_scores,
        &mut gradient,
        |layer, d| {
            assert_eq!(d.shape(), layer.volume, "{}", layer.name);
            back.push((layer.name, d.as_slice().to_vec()));
        },
    );
    let to = asked.then_some(&mut *d_image);
    net.backward(image, to, &mut plain, &d_scores, &mut expected);
    assert_eq!(dx.as_slice(), d_image.as_slice());
    for at in 0..N::TENSORS.len() {
        assert_eq!(gradient.tensor(at), expected.tensor(at));
    }
    ([inference, training, back], gradient)
}

fn names<N: Network>() -> Vec<&'static str> {
    N::LAYERS.iter().map(|layer| layer.name).collect()
}

/// Those of what was shown.
fn of(shown: &Shown) -> Vec<&'static str> {
    shown.iter().map(|(name, _)| *name).collect()
}

/// What op `at` writes, of what it reads, where that is easily said.
fn expected(
    op: &Op<usize, convnet::shape::Window, f64, convnet::graph::Elsewhere<'_>>,
    x: &[f64],
    with: Option<&[f64]>,
) -> Option<Vec<f64>> {
    let map = |f: &dyn Fn(f64) -> f64| Some(x.iter().map(|&x| f(x)).collect());
    match op {
        Op::Relu => map(&|x| x.max(0.0)),
        Op::Relu6 => map(&|x| x.clamp(0.0, 6.0)),
        Op::Tanh => map(&f64::tanh),
        Op::Sigmoid => map(&|x| 1.0 / (1.0 + (-x).exp())),
        Op::HardSwish => map(&|x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0),
        Op::Flatten => map(&|x| x),
        Op::Add { .. } => with.map(|with| x.iter().zip(with).map(|(x, y)| x + y).collect()),
        _ => None,
    }
}

/// Each layer's volume against what it reads; says of how many.
fn compare<N: Network<Scalar = f64>>(shown: &Shown, image: &[f64]) -> usize {
    let known: BTreeMap<&str, &Vec<f64>> = shown.iter().map(|(name, v)| (*name, v)).collect();
    let volume = |graph: &[Node<'_>], mut v: usize| loop {
        // Where a way begins is the volume that it begins on.
        match v.checked_sub(1).map(|at| &graph[at]) {
            None => return image.to_vec(),
            Some(Node {
                op: Op::Branch { from },
                ..
            }) => v = *from,
            Some(node) => return known.get(node.name).map_or_else(Vec::new, |v| (*v).clone()),
        }
    };
    let mut compared = 0;
    for (at, node) in N::GRAPH.iter().enumerate() {
        let (x, with) = node.op.reads(at);
        let (x, with) = (volume(N::GRAPH, x), with.map(|v| volume(N::GRAPH, v)));
        if let Some(expected) = expected(&node.op, &x, with.as_deref()) {
            let found = known[node.name];
            assert_eq!(found.len(), expected.len(), "{}", node.name);
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-12,
                    "{}: {found}, not {expected}",
                    node.name
                );
            }
            compared += 1;
        }
    }
    compared
}

/// The gradient on a bias, and on the β of a `batch_norm`, is the sum of that on what the layer writes.
fn add_up<N: Network<Scalar = f64>>(back: &Shown, gradient: &N) -> usize {
    let mut compared = 0;
    for (at, tensor) in N::TENSORS.iter().enumerate() {
        let ends = [".bias", ".beta"];
        let Some(layer) = ends.iter().find_map(|end| tensor.name.strip_suffix(end)) else {
            continue;
        };
        let shown = back.iter().find(|(name, _)| *name == layer);
        let (_, d) = shown.unwrap_or_else(|| panic!("{layer} is not shown"));
        let bias = gradient.tensor(at);
        for (k, bias) in bias.iter().enumerate() {
            let sum: f64 = d.iter().skip(k).step_by(gradient.tensor(at).len()).sum();
            assert!(
                (sum - bias).abs() < 1e-9 * (1.0 + sum.abs()),
                "{layer}: {sum}, not {bias}"
            );
        }
        compared += 1;
    }
    compared
}

fn reversed(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().rev().copied().collect()
}

#[test]
fn every_volume_is_shown_while_it_is_alive() {
    let (net, image) = setting::<Blocks<f64>>(1);
    for asked in [false, true] {
        let ([inference, training, back], gradient) = look(&*net, &image, asked);
        let lines = names::<Blocks>();
        assert_eq!(
            (of(&inference), of(&training)),
            (lines.clone(), lines.clone())
        );
        // Nothing is learned before `first`: the gradient on what stands there serves the image's only.
        let first = lines
            .iter()
            .position(|&name| name == "first")
            .expect("it has a line");
        let there = if asked { &lines[..] } else { &lines[first..] };
        assert_eq!(of(&back), reversed(there));
        assert_eq!(compare::<Blocks<f64>>(&inference, image.as_slice()), 13);
        assert_eq!(compare::<Blocks<f64>>(&training, image.as_slice()), 13);
        assert_eq!(add_up(&back, &*gradient), 10);
    }
}

#[test]
fn where_the_macro_sees_all_sizes_too() {
    let (net, image) = setting::<Plain<f64>>(2);
    let ([inference, training, back], gradient) = look(&*net, &image, false);
    let lines = names::<Plain>();
    assert_eq!(
        (of(&inference), of(&training)),
        (lines.clone(), lines.clone())
    );
    assert_eq!(of(&back), reversed(&lines));
    assert_eq!(compare::<Plain<f64>>(&inference, image.as_slice()), 2);
    for ((name, arena), (_, tape)) in inference.iter().zip(&training) {
        let far = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-12;
        assert!(!arena.iter().zip(tape).any(far), "{name}");
    }
    assert_eq!(add_up(&back, &*gradient), 4);
}

#[test]
fn a_large_fc_is_seen_where_its_images_have_waited() {
    assert_eq!(<Large as Trainable>::SEGMENTS, 3);
    let (net, image) = setting::<Large<f64>>(3);
    let ([inference, training, back], gradient) = look(&*net, &image, true);
    let lines = names::<Large>();
    assert_eq!(
        (of(&inference), of(&training)),
        (lines.clone(), lines.clone())
    );
    assert_eq!(of(&back), reversed(&lines));
    assert_eq!(compare::<Large<f64>>(&training, image.as_slice()), 2);
    assert_eq!(add_up(&back, &*gradient), 3);
}

#[test]
fn a_network_inside_has_its_lines_of_the_outer_table() {
    let (net, image) = setting::<Outer<f64>>(4);
    let ([inference, training, back], gradient) = look(&*net, &image, false);
    let lines = names::<Outer>();
    assert_eq!(lines[1..3], ["a.conv1", "a.batch_norm1"]);
    assert_eq!(
        (of(&inference), of(&training)),
        (lines.clone(), lines.clone())
    );
    assert_eq!(of(&back), reversed(&lines[1..]));
    assert_eq!(add_up(&back, &*gradient), 9);
    // The sum behind the block is of what `a` wrote and of what the block did.
    let shown: BTreeMap<_, _> = inference.into_iter().collect();
    let sum = shown["a.conv2"].iter().zip(&shown["residual1.tanh1"]);
    assert!(
        sum.map(|(a, b)| a + b)
            .eq(shown["residual1"].iter().copied())
    );
}

#[test]
fn what_is_never_there_as_a_whole_is_not_shown() {
    let (net, mut seen) = (Rows::random(5), Vec::new());
    net.observe(&Volume::boxed(), &mut Rows::arena(), |layer, _| {
        seen.push(layer.name)
    });
    assert_eq!(seen, ["max_pool1", "scores"]);
    seen.clear();
    net.observe_train(&Volume::boxed(), &mut Rows::tape(), 0, |layer, _| {
        seen.push(layer.name)
    });
    assert_eq!(seen, names::<Rows>());
}

#[test]
fn of_a_network_by_hand_the_scores_are_shown() {
    parameters! {
        /// The image is the scores.
        struct Hand<T, const D: usize> {
            unused: Bias [D],
        }
    }

    impl<T: Real> Network for Hand<T, 2> {
        type Input = Volume<T, 1, 1, 2>;
        type Output = Volume<T, 1, 1, 2>;
        type Arena = Volume<T, 1, 1, 2>;
        const LAYERS: &'static [convnet::plan::LayerInfo<'static>] = &[convnet::plan::LayerInfo {
            name: "copy",
            op: &Op::Flatten,
            volume: [1, 1, 2],
            lost: [0; 2],
            added: [0; 2],
            field: [1; 2],
            jump: [1; 2],
            parameters: 0,
            fixed: 0,
            macs: 0,
        }];

        fn forward<'a>(&self, input: &Self::Input, arena: &'a mut Self::Arena) -> &'a Self::Output {
            arena.copy_from(input);
            arena
        }
    }
    let (mut arena, mut seen) = (Volume::ZERO, Vec::new());
    let net = Hand { unused: [0.0; 2] };
    net.observe(&Volume([[[1.0_f32, 2.0]]]), &mut arena, |layer, volume| {
        seen.push((layer.name, volume.as_slice().to_vec()));
    });
    assert_eq!(seen, [("copy", vec![1.0, 2.0])]);
}
