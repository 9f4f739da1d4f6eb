//! Where learning starts: filters drawn at random, biases zero, gains one.
//!
//! The scale is all that matters: the variance of the activations should neither die out nor blow
//! up from layer to layer (CS231n, *Weight Initialization*).

use core::fmt;

use num_traits::{ConstOne, ConstZero};

use crate::{Parameters, Real, Rng, Role, Tensor};

/// How filters are drawn. `fan_in` is how many inputs one output sees (H·W·D), `fan_out` how many
/// outputs see one input (K·H·W; in an `fc`, K; of a `conv` in groups, K is that of one group).
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::init::Init;
///
/// assert_eq!(Init::default(), Init::KaimingNormal);
/// assert_eq!(Init::XavierUniform.to_string(), "Xavier uniform");
/// ```
///
/// Sources: X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward
/// neural networks*, 2010; K. He et al., *Delving deep into rectifiers*, 2015.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Init {
    /// Variance 2 / (fan_in + fan_out), uniform: for `tanh` and `sigmoid`.
    XavierUniform,
    /// Variance 2 / (fan_in + fan_out), normal: for `tanh` and `sigmoid`.
    XavierNormal,
    /// Variance 2 / fan_in, uniform: for `relu`.
    KaimingUniform,
    /// Variance 2 / fan_in, normal: for `relu`, as CS231n recommends.
    #[default]
    KaimingNormal,
}

impl Init {
    /// Draws every filter of `parameters` and sets every bias and mean to zero, every gain and
    /// variance to one, every slope below zero to a quarter, in place.
    ///
    /// Tensor number `i` is drawn from [`Rng::stream`]`(seed, i)`: a change to one layer leaves
    /// what the others draw alone, and `f32` gets the rounded numbers of `f64`.
    pub fn fill<P: Parameters>(self, parameters: &mut P, seed: u64) {
        for (index, (id, tensor)) in (0..).zip(P::TENSORS).enumerate() {
            let scalars = parameters.tensor_mut(index);
            match tensor.role {
                Role::Filters | Role::Grouped(_) | Role::Weights => {
                    self.draw(scalars, self.variance(tensor), &mut Rng::stream(seed, id));
                }
                Role::Bias | Role::Mean(_) => scalars.fill(P::Scalar::ZERO),
                Role::Gain | Role::Variance(..) => scalars.fill(P::Scalar::ONE),
                Role::Slope => scalars.fill(P::Scalar::of(0.25)),
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a fan is far below 2⁵³")]
    fn variance(self, tensor: &Tensor) -> f64 {
        let [fan_in, fan_out] = fans(tensor);
        let fan = match self {
            Self::XavierUniform | Self::XavierNormal => fan_in + fan_out,
            Self::KaimingUniform | Self::KaimingNormal => fan_in,
        };
        2.0 / fan.max(1) as f64
    }

    fn draw<T: Real>(self, scalars: &mut [T], variance: f64, rng: &mut Rng) {
        let deviation = libm::sqrt(variance);
        match self {
            Self::XavierNormal | Self::KaimingNormal => {
                for pair in scalars.chunks_mut(2) {
                    for (scalar, normal) in pair.iter_mut().zip(rng.normal_pair()) {
                        *scalar = T::of(deviation * normal);
                    }
                }
            }
            Self::XavierUniform | Self::KaimingUniform => {
                // Uniform in [−a, a) has variance a²/3.
                let bound = deviation * libm::sqrt(3.0);
                for scalar in scalars {
                    *scalar = T::of(bound * (2.0 * rng.uniform() - 1.0));
                }
            }
        }
    }
}

impl fmt::Display for Init {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::XavierUniform => "Xavier uniform",
            Self::XavierNormal => "Xavier normal",
            Self::KaimingUniform => "Kaiming uniform",
            Self::KaimingNormal => "Kaiming normal",
        })
    }
}

/// How many inputs one output sees, and how many outputs see one input.
fn fans(tensor: &Tensor) -> [usize; 2] {
    match *tensor.shape {
        [height, width, depth, filters] => {
            let seen_by = match tensor.role {
                Role::Weights => filters,
                Role::Grouped(groups) => height * width * filters / groups.max(1),
                _ => height * width * filters,
            };
            [height * width * depth, seen_by]
        }
        // No shape of filters: taken as a column of inputs to one output.
        _ => [tensor.len(), 1],
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    const CONV: usize = 3 * 3 * 16 * 32;
    const BIAS: usize = CONV + 32;
    const FC: usize = BIAS + 6 * 6 * 10 * 20;

    impl<T: Real> Parameters for [T; FC] {
        type Scalar = T;
        const TENSORS: &'static [Tensor] = &[
            Tensor {
                name: "conv.filters",
                role: Role::Filters,
                shape: &[3, 3, 16, 32],
            },
            Tensor {
                name: "conv.bias",
                role: Role::Bias,
                shape: &[32],
            },
            Tensor {
                name: "fc.filters",
                role: Role::Weights,
                shape: &[6, 6, 10, 20],
            },
        ];

        fn tensor(&self, index: usize) -> &[T] {
            &self[[0..CONV, CONV..BIAS, BIAS..FC][index].clone()]
        }

        fn tensor_mut(&mut self, index: usize) -> &mut [T] {
            &mut self[[0..CONV, CONV..BIAS, BIAS..FC][index].clone()]
        }
    }

    const ALL: [Init; 4] = [
        Init::XavierUniform,
        Init::XavierNormal,
        Init::KaimingUniform,
        Init::KaimingNormal,
    ];

    fn variance(scalars: &[f64]) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "few")]
        let n = scalars.len() as f64;
        let mean = scalars.iter().sum::<f64>() / n;
        scalars.iter().map(|&w| (w - mean).powi(2)).sum::<f64>() / n
    }

    #[test]
    fn filters_have_the_variance_of_their_papers() {
        // 2 / (fan_in + fan_out) or 2 / fan_in, written out: conv 3·3·16 in and 3·3·32 out, fc 360
        // in and 20 out.
        let expected = [
            [2.0 / 432.0, 2.0 / 380.0],
            [2.0 / 432.0, 2.0 / 380.0],
            [2.0 / 144.0, 2.0 / 360.0],
            [2.0 / 144.0, 2.0 / 360.0],
        ];
        for (init, [conv, fc]) in ALL.into_iter().zip(expected) {
            let mut net = [0_f64; FC];
            init.fill(&mut net, 231);
            // Five standard errors of a variance of 4608 normals: 5·sqrt(2/4608) = 10 %.
            assert!(
                (variance(net.tensor(0)) / conv - 1.0).abs() < 0.10,
                "{init}"
            );
            assert!((variance(net.tensor(2)) / fc - 1.0).abs() < 0.10, "{init}");
            if matches!(init, Init::XavierUniform | Init::KaimingUniform) {
                let bound = (3.0 * conv).sqrt();
                assert!(net.tensor(0).iter().all(|w| w.abs() <= bound), "{init}");
            }
            assert!(net.tensor(1).iter().all(|&b| b == 0.0), "{init}");
        }
    }

    /// A depthwise filter sees one slice and is seen by one; two groups see a half each.
    #[test]
    fn filters_in_groups_are_seen_by_their_own() {
        let fans = |role, shape| {
            let name = "conv.filters";
            super::fans(&Tensor { name, role, shape })
        };
        assert_eq!(fans(Role::Grouped(32), &[3, 3, 1, 32]), [9, 9]);
        assert_eq!(fans(Role::Grouped(2), &[3, 3, 8, 32]), [72, 144]);
        assert_eq!(fans(Role::Filters, &[3, 3, 16, 32]), [144, 288]);
    }

    #[test]
    fn a_seed_is_a_network_in_both_precisions() {
        let (mut double, mut single, mut other) = ([0_f64; FC], [1_f32; FC], [0_f64; FC]);
        for init in ALL {
            init.fill(&mut double, 5);
            init.fill(&mut single, 5);
            init.fill(&mut other, 6);
            assert_ne!(double, other);
            for index in 0..3 {
                let rounded: Vec<f32> = double.tensor(index).iter().map(|&w| f32::of(w)).collect();
                assert_eq!(single.tensor(index), rounded);
            }
        }
    }
}
