//! Networks inside networks and layers written by hand with parameters: forward against the same
//! layers written out, every gradient against central differences, names, figures, weight files.

mod common;

use common::check;
use convnet::flash;
use convnet::{
    Layer, Parameters, Prepared, Real, Rng, Role, Trainable, Volume, convnet, parameters, weights,
};

parameters! {
    /// γ·x + β, depth slice by depth slice.
    struct Affine<T, const D: usize> {
        gamma: Gain [D],
        beta: Bias [D],
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Affine<T, D>
{
    const MACS: u64 = (H * W * D) as u64;

    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
            for d in 0..D {
                y[d] = self.gamma[d] * x[d] + self.beta[d];
            }
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        for (dx, dy) in dx.iter_mut().flatten().zip(dy.iter().flatten()) {
            for d in 0..D {
                dx[d] = self.gamma[d] * dy[d];
            }
        }
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        for (x, dy) in x.iter().flatten().zip(dy.iter().flatten()) {
            for d in 0..D {
                gradient.gamma[d] += dy[d] * x[d];
                gradient.beta[d] += dy[d];
            }
        }
    }
}

mod blocks {
    use convnet::convnet;

    convnet! {
        /// Begins on the image.
        pub(super) struct Stem {
            input(8x6x2),
            conv1: conv(3, 3x3, pad = 1),
            relu,
            max_pool(2x2, stride = 2),
        }
    }

    convnet! {
        /// A block with others in it.
        pub struct Mixed {
            input(4x3x3),
            squeeze: conv(2, 1x1),
            scale: layer(super::Affine<T, 2>, 4x3x2),
            concat { [], [network(Tail)] },
            dropout(0.3),
        }
    }

    convnet! {
        pub struct Tail { input(4x3x2), conv(1, 3x3, pad = 1), batch_norm, tanh }
    }
}
use blocks::Stem;

convnet! {
    /// A network of networks: at the image, in a block, in a repetition.
    struct Outer {
        input(8x6x2),
        stem: network(Stem),
        /// In a block.
        residual { mixed: network(blocks::Mixed) },
        [network(blocks::Mixed), relu] * 2,
        scale: layer(Affine<T, 3>, 4x3x3),
        scores: fc(4),
    }
}

convnet! {
    /// The same, written out.
    struct WrittenOut {
        input(8x6x2),
        stem: [conv1: conv(3, 3x3, pad = 1), relu, max_pool(2x2, stride = 2)],
        residual {
            mixed: [
                squeeze: conv(2, 1x1),
                scale: layer(Affine<T, 2>, 4x3x2),
                concat { [], [network1: [conv(1, 3x3, pad = 1), batch_norm, tanh]] },
                dropout(0.3),
            ],
        },
        network2: [
            squeeze: conv(2, 1x1),
            scale: layer(Affine<T, 2>, 4x3x2),
            concat { [], [network1: [conv(1, 3x3, pad = 1), batch_norm, tanh]] },
            dropout(0.3),
        ],
        relu,
        network3: [
            squeeze: conv(2, 1x1),
            scale: layer(Affine<T, 2>, 4x3x2),
            concat { [], [network1: [conv(1, 3x3, pad = 1), batch_norm, tanh]] },
            dropout(0.3),
        ],
        relu,
        scale: layer(Affine<T, 3>, 4x3x3),
        scores: fc(4),
    }
}

convnet! {
    /// A network behind a layer that does nothing at the image, and a network last.
    struct Ends {
        input(8x6x2),
        tanh,
        residual { scale: layer(Affine<T, 2>, 8x6x2) },
        network(Stem),
        network(blocks::Mixed),
    }
}

convnet! {
    /// The image goes into two networks.
    struct Twice {
        input(8x6x2),
        concat { [network(Stem)], [network(Stem)], [max_pool(2x2)] },
    }
}

#[test]
fn every_gradient_through_networks_inside() {
    check::<Outer<f64>>(1);
    check::<Ends<f64>>(2);
    check::<Twice<f64>>(3);
}

#[test]
fn names_and_figures_are_those_of_the_layers_written_out() {
    let names = |tensors: &[convnet::Tensor]| -> Vec<_> {
        tensors
            .iter()
            .map(|it| (it.name, it.role, it.shape))
            .collect()
    };
    let (nested, flat) = (
        names(Outer::<f32>::TENSORS),
        names(WrittenOut::<f32>::TENSORS),
    );
    assert_eq!(nested.len(), flat.len());
    assert_eq!(nested[0].0, "stem.conv1.filters");
    assert_eq!(
        nested[4],
        ("residual1.mixed.scale.gamma", Role::Gain, &[2][..])
    );
    assert_eq!(
        nested[6].0,
        "residual1.mixed.concat1.network1.conv1.filters"
    );
    for (nested, flat) in nested.iter().zip(&flat) {
        assert_eq!((nested.1, nested.2), (flat.1, flat.2));
    }
    assert_eq!(Outer::PARAMETERS, WrittenOut::PARAMETERS);
    assert_eq!(Outer::MACS, WrittenOut::MACS);
    assert_eq!(Outer::summary().macs(), Outer::MACS);
    assert_eq!(Outer::summary().parameters(), Outer::PARAMETERS);
    assert_eq!(Outer::summary().fixed(), WrittenOut::summary().fixed());
    let lines = |layers: &[convnet::plan::LayerInfo<'_>]| -> Vec<_> {
        let line = |it: &convnet::plan::LayerInfo<'_>| (it.volume, it.field, it.jump, it.macs);
        layers.iter().map(line).collect()
    };
    assert_eq!(lines(Outer::LAYERS), lines(WrittenOut::LAYERS));
}

/// Both with the same parameters, drawn at random, and an image.
fn both() -> (Box<Outer>, Box<WrittenOut>, Box<Volume<f32, 6, 8, 2>>) {
    let mut rng = Rng::new(7);
    let mut draw = |values: &mut [f32]| values.iter_mut().for_each(|v| *v = rng.uniform() as f32);
    let (mut nested, mut flat) = (Outer::boxed(), WrittenOut::boxed());
    for index in 0..Outer::<f32>::TENSORS.len() {
        draw(nested.tensor_mut(index));
        flat.tensor_mut(index).copy_from_slice(nested.tensor(index));
    }
    let mut image = Volume::boxed();
    draw(image.as_mut_slice());
    (nested, flat, image)
}

#[test]
fn scores_are_those_of_the_layers_written_out() {
    let (nested, flat, image) = both();
    let (mut arena, mut flat_arena) = (Outer::arena(), WrittenOut::arena());
    let scores = nested.forward(&image, &mut arena);
    assert_eq!(scores, flat.forward(&image, &mut flat_arena));
    // Arenas begin as the last image left them.
    assert_eq!(*scores.clone(), **nested.forward(&image, &mut arena));

    let (nested, flat) = (Prepared::new(nested), Prepared::new(flat));
    let (mut arena, mut flat_arena) = (nested.arena(), flat.arena());
    let scores = nested.forward(&image, &mut arena);
    assert_eq!(scores, flat.forward(&image, &mut flat_arena));
    let lines = |text: String| {
        text.lines()
            .map(|it| it.split("  ").count())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        lines(nested.to_string()).len(),
        lines(flat.to_string()).len()
    );
    assert!(
        nested
            .to_string()
            .contains("network2.concat1.network1.conv1")
    );
}

#[test]
fn weight_files_name_the_tensors_inside() {
    let (nested, _, image) = both();
    let bytes = weights::to_bytes(&*nested).unwrap();
    let mut copy = Outer::boxed();
    weights::from_bytes(&mut *copy, &bytes).unwrap();
    let expected = nested.forward(&image, &mut Outer::arena()).clone();
    assert_eq!(*copy.forward(&image, &mut Outer::arena()), expected);
    // As `weights!` does.
    let copy = flash::read::<Outer>(&bytes).unwrap_or_else(|e| panic!("{}", e.as_str()));
    assert_eq!(*copy.forward(&image, &mut Outer::arena()), expected);
    assert_eq!(copy.stem.conv1.bias, nested.stem.conv1.bias);
}

/// Dropout in two uses of one network, or in two of its steps, is not the same.
#[test]
fn each_network_inside_drops_on_its_own() {
    mod inner {
        convnet::convnet! { pub struct Dropped { input(8x8x2), dropout(0.5) } }
    }
    convnet! {
        struct Net { input(8x8x2), concat { [network(inner::Dropped)], [network(inner::Dropped)] } }
    }
    let (net, mut tape) = (Net::boxed(), Net::tape());
    let mut image = Volume::boxed();
    image.as_mut_slice().fill(1.0);
    let y = Trainable::forward_train(&*net, &image, &mut tape, 3).clone();
    let halves = |half: usize| -> Vec<f32> {
        y.iter()
            .flatten()
            .flat_map(|column| column[2 * half..][..2].to_vec())
            .collect()
    };
    assert_ne!(halves(0), halves(1));
    assert!(halves(0).contains(&0.0) && halves(0).contains(&2.0));
    assert_eq!(y, *net.forward_train(&image, &mut tape, 3));
    assert_ne!(y, *net.forward_train(&image, &mut tape, 4));
    assert!(
        net.forward(&image, &mut Net::arena())
            .as_slice()
            .iter()
            .all(|&v| v == 1.0)
    );
}
