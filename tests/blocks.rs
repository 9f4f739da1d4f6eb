//! Blocks as `convnet!` writes them: forward against the layers called one by one, every gradient
//! against central differences, names and tables.

mod common;

use common::check;
use convnet::layer::{MaxPool, Relu, Slide};
use convnet::{Activation, AnyVolume, Layer, Network, Parameters, Rng, Volume, convnet};

convnet! {
    /// Two blocks of a ResNet, with names and without.
    struct ResNet {
        input(6x6x2),
        stem: conv(3, 3x3, pad = 1),
        relu,
        residual { conv(3, 3x3, pad = 1), relu, conv(3, 3x3, pad = 1) },
        relu,
        stage2: [
            block: residual {
                conv1: conv(4, 3x3, stride = 2, pad = 1, fit = crop),
                relu,
                conv(4, 3x3, pad = 1),
                shortcut { conv(4, 1x1, stride = 2, fit = crop) },
            },
            relu,
            [residual { conv(4, 3x3, pad = 1), tanh }] * 2,
        ],
        global_avg_pool,
        scores: fc(3),
    }
}

convnet! {
    /// One module of GoogLeNet.
    struct Inception {
        input(5x4x3),
        inception: concat {
            [conv(2, 1x1), relu],
            [conv(2, 1x1), relu, conv(3, 3x3, pad = 1), relu],
            pooled: [max_pool(3x3, stride = 1, pad = 1), conv(1, 1x1)],
        },
        scores: fc(4),
    }
}

convnet! {
    /// Fire modules, in a repetition.
    struct Fire {
        input(4x4x2),
        conv(3, 3x3, pad = 1),
        [
            conv(2, 1x1),
            relu,
            concat { [conv(2, 1x1), relu], [conv(2, 3x3, pad = 1), relu] },
        ] * 2,
        global_avg_pool,
    }
}

convnet! {
    /// Dense connections, blocks in blocks, and ways on which nothing happens; a block first and
    /// a block last.
    struct Nested {
        input(3x3x2),
        concat { [], [sigmoid], [residual { tanh }, dropout(0.5)] },
        residual {
            concat { [], [conv(2, 3x3, pad = 1), residual { residual { conv(2, 1x1) } }] },
            conv(6, 1x1),
            dropout(0.3),
        },
        residual { relu, shortcut { flatten } },
        concat { [avg_pool(3x3)], [fc(2), residual { fc(2), shortcut { tanh } }], [global_avg_pool] },
        residual { concat { [conv(7, 1x1)], [conv(7, 1x1)] }, shortcut { dropout(0.0) } },
    }
}

convnet! {
    /// No parameters: every gradient is only there on request.
    struct Still {
        input(3x2x2),
        residual { max_pool(3x3, stride = 1, pad = 1), relu },
        concat { [flatten], [tanh, residual { sigmoid }] },
    }
}

#[test]
fn every_gradient_of_a_resnet() {
    check::<ResNet<f64>>(1);
}

#[test]
fn every_gradient_of_an_inception() {
    check::<Inception<f64>>(2);
}

#[test]
fn every_gradient_of_fire_modules() {
    check::<Fire<f64>>(3);
}

#[test]
fn every_gradient_of_blocks_in_blocks() {
    check::<Nested<f64>>(4);
    check::<Nested<f64>>(5);
}

#[test]
fn the_gradient_of_blocks_without_parameters() {
    check::<Still<f64>>(6);
}

#[test]
fn a_name_stands_before_those_inside() {
    let names: Vec<_> = ResNet::<f32>::TENSORS.iter().map(|it| it.name).collect();
    let filters: Vec<_> = names
        .iter()
        .filter_map(|it| it.strip_suffix(".filters"))
        .collect();
    assert_eq!(
        filters,
        [
            "stem",
            "residual1.conv1",
            "residual1.conv2",
            "stage2.block.conv1",
            "stage2.block.conv2",
            "stage2.block.shortcut.conv1",
            "stage2.residual2.conv1",
            "stage2.residual3.conv1",
            "scores",
        ]
    );
    let layers = Inception::LAYERS
        .iter()
        .map(|layer| (layer.name, layer.volume[2]));
    let expected = [
        ("inception.conv1", 2),
        ("inception.relu1", 2),
        ("inception.conv2", 2),
        ("inception.relu2", 2),
        ("inception.conv3", 3),
        ("inception.relu3", 3),
        ("inception.pooled.max_pool1", 3),
        ("inception.pooled.conv1", 1),
        ("inception", 6),
        ("scores", 4),
    ];
    assert!(layers.eq(expected));
}

/// The same layers, called one by one.
#[test]
fn a_residual_is_its_layers_plus_its_input() {
    convnet! {
        struct Net {
            input(5x4x3),
            block: residual { conv(3, 3x3, pad = 1), relu, shortcut { conv(3, 1x1) } },
        }
    }
    let (net, x) = random::<Net>(7);
    let mut y = Volume::<f32, 4, 5, 3>::ZERO;
    net.block_conv1.forward(&x, &mut y);
    Relu.forward(&mut y);
    let mut shortcut = Volume::<f32, 4, 5, 3>::ZERO;
    net.block_shortcut_conv1.forward(&x, &mut shortcut);
    y.as_mut_slice()
        .iter_mut()
        .zip(shortcut.as_slice())
        .for_each(|(y, x)| *y += x);
    assert_eq!(*net.forward(&x, &mut Net::arena()), y);
}

/// The same layers, called one by one.
#[test]
fn a_concat_is_its_branches_side_by_side() {
    let (net, x) = random::<Inception>(8);
    let mut one = Volume::<f32, 4, 5, 2>::ZERO;
    net.inception_conv1.forward(&x, &mut one);
    Relu.forward(&mut one);
    let (mut squeezed, mut two) = (Volume::<f32, 4, 5, 2>::ZERO, Volume::<f32, 4, 5, 3>::ZERO);
    net.inception_conv2.forward(&x, &mut squeezed);
    Relu.forward(&mut squeezed);
    net.inception_conv3.forward(&squeezed, &mut two);
    Relu.forward(&mut two);
    let (mut pooled, mut three) = (Volume::<f32, 4, 5, 3>::ZERO, Volume::<f32, 4, 5, 1>::ZERO);
    MaxPool::<3, 3, Slide<1, 1, 1, 1>>::new().forward(&x, &mut pooled);
    net.inception_pooled_conv1.forward(&pooled, &mut three);
    let mut all = Volume::<f32, 4, 5, 6>::ZERO;
    for (y, row) in all.iter_mut().enumerate() {
        for (x, column) in row.iter_mut().enumerate() {
            let [a, b] = one[y][x];
            let [c, d, e] = two[y][x];
            *column = [a, b, c, d, e, three[y][x][0]];
        }
    }
    let mut scores = Volume::ZERO;
    net.scores.forward(&all, &mut scores);
    assert_eq!(*net.forward(&x, &mut Inception::arena()), scores);
}

fn random<N: Network<Scalar = f32>>(seed: u64) -> (Box<N>, Box<N::Input>) {
    let mut rng = Rng::new(seed);
    let mut draw = |values: &mut [f32]| values.iter_mut().for_each(|v| *v = rng.normal() as f32);
    let (mut net, mut x): (Box<N>, Box<N::Input>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    for index in 0..N::TENSORS.len() {
        draw(net.tensor_mut(index));
    }
    draw(x.as_mut_slice());
    (net, x)
}
