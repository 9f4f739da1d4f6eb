//! A model with operators that no layer computes: what is imported names layers written by hand, compiles with them,
//! and gives the scores of ONNX Runtime. `models/README.md` says where the file comes from.

mod scores;

use convnet_import::{Imported, Options};
use scores::differs;

/// What stands here as somebody wrote it.
pub mod layers {
    use convnet::{Layer, Real, Volume, parameters};

    /// x · tanh(ln(1 + eˣ)).
    pub const MISH: Each = Each(|x| x * x.exp().ln_1p().tanh());
    /// |x|.
    pub const ABS: Each = Each(f32::abs);

    /// A function of each number.
    pub struct Each(fn(f32) -> f32);

    impl<T: Real, const H: usize, const W: usize, const D: usize>
        Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Each
    {
        fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
            for (y, &x) in y.as_mut_slice().iter_mut().zip(x.as_slice()) {
                *y = T::of(f64::from(self.0(x.widen() as f32)));
            }
        }

        fn backward(
            &self,
            _: &Volume<T, H, W, D>,
            _: &mut Volume<T, H, W, D>,
            _: &Volume<T, H, W, D>,
            _: &mut Self,
        ) {
            unreachable!("nobody learns here");
        }

        fn backward_parameters(
            &self,
            _: &Volume<T, H, W, D>,
            _: &Volume<T, H, W, D>,
            _: &mut Self,
        ) {
        }
    }

    parameters! {
        /// x to the power of a number for each depth slice.
        pub struct Power<T, const D: usize> {
            pub exponent: Gain [D, 1, 1],
        }
    }

    impl<T: Real, const H: usize, const W: usize, const D: usize>
        Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Power<T, D>
    {
        fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
            for (y, x) in y.iter_mut().flatten().zip(x.iter().flatten()) {
                for ((y, x), [[by]]) in y.iter_mut().zip(x).zip(&self.exponent) {
                    *y = x.powf(*by);
                }
            }
        }

        fn backward(
            &self,
            _: &Volume<T, H, W, D>,
            _: &mut Volume<T, H, W, D>,
            _: &Volume<T, H, W, D>,
            _: &mut Self,
        ) {
            unreachable!("nobody learns here");
        }

        fn backward_parameters(
            &self,
            _: &Volume<T, H, W, D>,
            _: &Volume<T, H, W, D>,
            _: &mut Self,
        ) {
        }
    }
}

include!("models/custom.rs");

const MODEL: &[u8] = include_bytes!("models/custom.onnx");

fn options() -> Options {
    let pairs = [
        // Every node of the operator; one node, by its name; with the node's constant.
        ("Mish", "layers::MISH"),
        ("/abs/Abs", "layers::ABS"),
        ("Pow", "layers::Power<T, 8>"),
    ];
    Options {
        custom: pairs.map(|(of, layer)| (of.into(), layer.into())).into(),
        ..Options::default()
    }
}

#[test]
fn the_declaration_names_the_layers() {
    let model = Imported::from_bytes(MODEL, &options()).expect("layers for all nodes");
    scores::declares(&model, "Custom", include_str!("models/custom.rs"));
}

#[test]
fn the_scores_are_those_of_the_runtime() {
    let model = Imported::from_bytes(MODEL, &options()).expect("layers for all nodes");
    let differs = differs!(Custom, model, "models/custom.expected.safetensors");
    assert!(differs <= 1e-6, "{differs}");
}

#[test]
fn without_layers_each_is_named_and_what_to_write() {
    let error = Imported::from_bytes(MODEL, &Options::default()).expect_err("no layers");
    let text = error.to_string();
    for (operator, node) in [
        ("Mish", "/act/Mish"),
        ("Abs", "/abs/Abs"),
        ("Pow", "/bend/Pow"),
    ] {
        let line = text
            .lines()
            .find(|line| line.contains(&format!("{operator} `{node}`: ")));
        let line = line.expect("a line for each");
        assert!(
            line.contains(&format!("`--custom {operator}=path::To::LAYER`")),
            "{line}"
        );
    }
}
