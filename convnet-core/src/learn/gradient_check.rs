//! Whether backward is right: its gradient against slopes measured on the loss itself (CS231n,
//! *Gradient checks*).
//!
//! ```text
//!  analytic  a = backward                                     error = |a − n| / max(1e-8, |a| + |n|)
//!  numeric   n = (8·(L(+h) − L(−h)) − (L(+2h) − L(−2h))) / 12h
//! ```
//!
//! Only in `f64`: in `f32` the difference of two losses is mostly rounding. An error below 1e-7 is
//! right; above 1e-2, wrong; between them, for a network with `relu` or `max_pool`, look closer.
//!
//! **Kinks.** `relu` and `max_pool` bend the loss, and a difference that straddles a bend measures
//! neither side of it. So where a central difference disagrees, smaller steps are tried, then the
//! slopes to either side, of which one does not cross a bend nearby; the one that agrees best
//! counts. A gradient that is wrong agrees with none of them.

use core::fmt;

use crate::learn::loss::LossError;
use crate::{AnyVolume, Loss, Rng, Tape, Trainable};

/// What to check: [`run`](Self::run) does it, and a [`Report`] prints what it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GradientCheck {
    /// How many numbers of each tensor, and of the image, to check: all of them by default. Each
    /// costs 4 to 48 forward passes.
    pub samples: usize,
    /// Which numbers, if not all; and what dropout drops.
    pub seed: u64,
}

impl Default for GradientCheck {
    fn default() -> Self {
        Self {
            samples: usize::MAX,
            seed: 0,
        }
    }
}

/// What a check found, at the number with the largest error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// |a − n| / max(1e-8, |a| + |n|); infinite if either is not finite.
    pub error: f64,
    /// The name of the tensor, `conv1.filters`, or `input`.
    pub tensor: &'static str,
    /// Which scalar of it.
    pub index: usize,
    /// What backward says.
    pub analytic: f64,
    /// What the losses say.
    pub numeric: f64,
    /// How many numbers were checked.
    pub checked: usize,
    /// How many of them agree with the slope to one side only.
    pub kinks: usize,
}

/// The memory of a check, all of it overwritten.
pub struct Memory<'a, N: Trainable> {
    /// A tape.
    pub tape: &'a mut Tape<N>,
    /// The gradient on the parameters.
    pub gradient: &'a mut N,
    /// The gradient on the image.
    pub d_input: &'a mut N::Input,
    /// The gradient on the scores.
    pub d_output: &'a mut N::Output,
}

impl GradientCheck {
    /// Checks the gradient on the parameters and on the image, in memory from the heap, of the loss of
    /// class `label`, or of another target. Parameters and image are varied, and restored to the bit.
    ///
    /// # Errors
    ///
    /// If there is no class `label`, or the loss refuses another target.
    #[cfg(feature = "alloc")]
    pub fn run<N: Trainable<Scalar = f64>, Y: Copy>(
        &self,
        net: &mut N,
        input: &mut N::Input,
        label: Y,
        loss: &impl Loss<f64, Y>,
    ) -> Result<Report, LossError> {
        let memory = Memory::<N> {
            tape: &mut bytemuck::zeroed_box(),
            gradient: &mut bytemuck::zeroed_box(),
            d_input: &mut bytemuck::zeroed_box(),
            d_output: &mut bytemuck::zeroed_box(),
        };
        self.run_in(memory, net, input, label, loss)
    }

    /// As [`run`](Self::run), in memory that is lent.
    ///
    /// # Errors
    ///
    /// If there is no class `label`, or the loss refuses another target.
    pub fn run_in<N: Trainable<Scalar = f64>, Y: Copy>(
        &self,
        memory: Memory<'_, N>,
        net: &mut N,
        input: &mut N::Input,
        label: Y,
        loss: &impl Loss<f64, Y>,
    ) -> Result<Report, LossError> {
        let Memory {
            tape,
            gradient,
            d_input,
            d_output,
        } = memory;
        let scores = net.forward_train(input, tape, self.seed);
        loss.loss(scores.as_slice(), label, d_output.as_mut_slice())?;
        gradient.fill_zero();
        net.backward(input, Some(d_input), tape, d_output, gradient);

        let mut loss_now = |net: &N, input: &N::Input| {
            let scores = net.forward_train(input, tape, self.seed);
            let loss = loss.loss(scores.as_slice(), label, d_output.as_mut_slice());
            loss.unwrap_or(f64::NAN) // not with a label that was right before
        };
        let mut report = Report::NOTHING;
        let tensors = (0..).zip(N::TENSORS.iter().enumerate());
        let learned = tensors.filter(|(_, (_, tensor))| tensor.role.is_learned());
        for (id, (index, tensor)) in learned {
            for at in self.places(tensor.len(), id) {
                let w = net.tensor(index)[at];
                let slope = slope(gradient.tensor(index)[at], |h| {
                    net.tensor_mut(index)[at] = w + h;
                    loss_now(net, input)
                });
                net.tensor_mut(index)[at] = w;
                report.add(tensor.name, at, slope);
            }
        }
        for at in self.places(d_input.as_slice().len(), u64::MAX) {
            let x = input.as_slice()[at];
            let slope = slope(d_input.as_slice()[at], |h| {
                input.as_mut_slice()[at] = x + h;
                loss_now(net, input)
            });
            input.as_mut_slice()[at] = x;
            report.add("input", at, slope);
        }
        Ok(report)
    }

    /// Which scalars of a tensor of `len` are checked.
    fn places(self, len: usize, id: u64) -> impl Iterator<Item = usize> {
        let mut rng = Rng::stream(self.seed, id);
        let all = self.samples >= len;
        (0..len.min(self.samples)).map(move |at| if all { at } else { rng.below(len) })
    }
}

/// One number of a gradient, both ways.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slope {
    /// |a − n| / max(1e-8, |a| + |n|); infinite if either is not finite.
    pub error: f64,
    /// What backward says.
    pub analytic: f64,
    /// What the function says.
    pub numeric: f64,
    /// Whether only the slope to one side agrees.
    pub kink: bool,
}

/// Compares `analytic` with the slope at 0 of `f`, which is called with small numbers.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::gradient_check::slope;
///
/// assert!(slope(6.0, |h| (3.0 + h).powi(2)).error < 1e-9);
/// assert!(slope(6.1, |h| (3.0 + h).powi(2)).error > 1e-3);
/// ```
pub fn slope(analytic: f64, mut f: impl FnMut(f64) -> f64) -> Slope {
    let mut best = Slope {
        error: f64::INFINITY,
        analytic,
        numeric: f64::NAN,
        kink: false,
    };
    let steps = [1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7];
    let central = steps.map(|h| (h, false));
    let sides = [1e-4, -1e-4, 1e-5, -1e-5, 1e-6, -1e-6].map(|h| (h, true));
    for (h, kink) in central.into_iter().chain(sides) {
        let numeric = if kink {
            (18.0 * f(h) - 9.0 * f(2.0 * h) + 2.0 * f(3.0 * h) - 11.0 * f(0.0)) / (6.0 * h)
        } else {
            (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
        };
        let error = (analytic - numeric).abs() / (analytic.abs() + numeric.abs()).max(1e-8);
        // One side must be clearly better: where there is no kink it is the less accurate.
        if error < best.error * if kink { 0.1 } else { 1.0 } {
            best = Slope {
                error,
                analytic,
                numeric,
                kink,
            };
        }
        if error < 1e-8 {
            break;
        }
    }
    best
}

impl Report {
    const NOTHING: Self = Self {
        error: 0.0,
        tensor: "input",
        index: 0,
        analytic: 0.0,
        numeric: 0.0,
        checked: 0,
        kinks: 0,
    };

    fn add(&mut self, tensor: &'static str, index: usize, slope: Slope) {
        self.checked += 1;
        self.kinks += usize::from(slope.kink);
        if slope.error > self.error {
            let Slope {
                error,
                analytic,
                numeric,
                ..
            } = slope;
            *self = Self {
                error,
                tensor,
                index,
                analytic,
                numeric,
                ..*self
            };
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} numbers checked, {} of them beside a kink; largest relative error {:.1e}, at \
             {}[{}]: {} by backward, {} by the losses",
            self.checked,
            self.kinks,
            self.error,
            self.tensor,
            self.index,
            self.analytic,
            self.numeric
        )
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;

    use super::*;
    use crate::learn::loss::SoftmaxCrossEntropy;
    use crate::memory::volume::Scores;
    use crate::plan::LayerInfo;
    use crate::{Network, Parameters, Role, Tensor, Volume};

    /// Two weights, and a fault: what backward gets wrong on the second of them.
    type Net = [f64; 3];

    impl Parameters for Net {
        type Scalar = f64;
        const TENSORS: &'static [Tensor] = &[
            Tensor {
                name: "fc.filters",
                role: Role::Weights,
                shape: &[1, 1, 1, 2],
            },
            Tensor {
                name: "fault",
                role: Role::Bias,
                shape: &[1],
            },
        ];

        fn tensor(&self, index: usize) -> &[f64] {
            &self[[0..2, 2..3][index].clone()]
        }

        fn tensor_mut(&mut self, index: usize) -> &mut [f64] {
            &mut self[[0..2, 2..3][index].clone()]
        }
    }

    /// Scores w₀x and relu(w₁x).
    impl Network for Net {
        type Input = Volume<f64, 1, 1, 1>;
        type Output = Scores<f64, 2>;
        type Arena = Scores<f64, 2>;
        const LAYERS: &'static [LayerInfo<'static>] = &[];

        fn forward<'a>(&self, input: &Self::Input, arena: &'a mut Self::Arena) -> &'a Self::Output {
            let x = input[0][0][0];
            arena[0][0] = [self[0] * x, (self[1] * x).max(0.0)];
            arena
        }
    }

    impl Trainable for Net {
        type Tape = Scores<f64, 2>;

        fn forward_train<'a>(
            &self,
            input: &Self::Input,
            tape: &'a mut Self::Tape,
            _: u64,
        ) -> &'a Self::Output {
            self.forward(input, tape)
        }

        fn backward(
            &self,
            input: &Self::Input,
            d_input: Option<&mut Self::Input>,
            tape: &mut Self::Tape,
            d_output: &Self::Output,
            gradient: &mut Self,
        ) {
            let x = input[0][0][0];
            let mut d = d_output[0][0];
            if tape[0][0][1] <= 0.0 {
                d[1] = 0.0;
            }
            gradient[0] += d[0] * x;
            gradient[1] += d[1] * x + self[2];
            if let Some(d_input) = d_input {
                d_input[0][0][0] = d[0] * self[0] + d[1] * self[1];
            }
        }
    }

    fn check(net: Net) -> Report {
        let (mut checked, mut input) = (net, Volume([[[1.5]]]));
        let loss = SoftmaxCrossEntropy::default();
        let report = GradientCheck::default()
            .run(&mut checked, &mut input, 1, &loss)
            .unwrap();
        assert_eq!(checked.map(f64::to_bits), net.map(f64::to_bits), "restored");
        assert_eq!(input[0][0][0], 1.5);
        report
    }

    #[test]
    fn a_right_gradient_passes() {
        let report = check([0.3, 0.7, 0.0]);
        assert!(report.error < 1e-8, "{report}");
        assert_eq!((report.checked, report.kinks), (4, 0));
    }

    #[test]
    fn a_wrong_gradient_is_found_where_it_is() {
        let report = check([0.3, 0.7, 0.01]);
        assert!(report.error > 1e-3, "{report}");
        assert_eq!((report.tensor, report.index), ("fc.filters", 1));
        let text = report.to_string();
        assert!(
            text.starts_with("4 numbers checked, 0 of them beside a kink"),
            "{text}"
        );
        assert!(text.contains("fc.filters[1]"), "{text}");
    }

    /// At w₁ = 0 relu has a slope to each side; backward takes the flat one.
    #[test]
    fn a_kink_is_no_error() {
        let report = check([0.3, 0.0, 0.0]);
        assert!(report.error < 1e-8, "{report}");
        assert_eq!(report.kinks, 1);
    }

    #[test]
    fn what_is_not_finite_is_an_error() {
        assert_eq!(check([f64::NAN, 0.7, 0.0]).error, f64::INFINITY);
        assert_eq!(slope(f64::NAN, |h| h).error, f64::INFINITY);
    }

    #[test]
    fn a_sample_is_a_part() {
        let (mut net, mut input) = ([0.3, 0.7, 0.0], Volume([[[1.5]]]));
        let one = GradientCheck {
            samples: 1,
            seed: 3,
        };
        let loss = SoftmaxCrossEntropy::default();
        assert_eq!(one.run(&mut net, &mut input, 0, &loss).unwrap().checked, 3);
        assert!(one.run(&mut net, &mut input, 2, &loss).is_err());
    }
}
