//! CS231n's CIFAR-10 network, written by hand against the traits: what `convnet!` saves you.
//!
//! The macro's output for the same network has this form, item for item.

use bytemuck::Zeroable;
use convnet_core::layer::{Activation, Conv, Fc, Layer, MaxPool, Relu, Slide};
use convnet_core::plan::LayerInfo;
use convnet_core::volume::Scores;
use convnet_core::{Network, Overlay, Parameters, Real, Role, Tensor, Trainable, Volume};

/// input(32x32x3), conv1: conv(12, 5x5, pad = 2), relu, max_pool(2x2, stride = 2), scores: fc(10)
#[repr(C)]
struct Cifar<T = f32> {
    conv1: Conv<T, 5, 5, 3, 12, Slide<1, 1, 2, 2>>,
    scores: Fc<T, 16, 16, 12, 10>,
}

#[expect(unsafe_code, reason = "by hand: zeros are a network")]
// SAFETY: every field is zeroable, says the where clause.
unsafe impl<T: Real> Zeroable for Cifar<T>
where
    Conv<T, 5, 5, 3, 12, Slide<1, 1, 2, 2>>: Zeroable,
    Fc<T, 16, 16, 12, 10>: Zeroable,
{
}

impl<T: Real> Parameters for Cifar<T> {
    type Scalar = T;
    const TENSORS: &'static [Tensor] = &[
        Tensor {
            name: "conv1.filters",
            role: Role::Filters,
            shape: &[5, 5, 3, 12],
        },
        Tensor {
            name: "conv1.bias",
            role: Role::Bias,
            shape: &[12],
        },
        Tensor {
            name: "scores.filters",
            role: Role::Weights,
            shape: &[16, 16, 12, 10],
        },
        Tensor {
            name: "scores.bias",
            role: Role::Bias,
            shape: &[10],
        },
    ];

    fn tensor(&self, index: usize) -> &[T] {
        match index {
            0 => self
                .conv1
                .filters
                .as_flattened()
                .as_flattened()
                .as_flattened(),
            1 => &self.conv1.bias,
            2 => self
                .scores
                .filters
                .as_flattened()
                .as_flattened()
                .as_flattened(),
            3 => &self.scores.bias,
            _ => &[],
        }
    }

    fn tensor_mut(&mut self, index: usize) -> &mut [T] {
        match index {
            0 => self
                .conv1
                .filters
                .as_flattened_mut()
                .as_flattened_mut()
                .as_flattened_mut(),
            1 => &mut self.conv1.bias,
            2 => self
                .scores
                .filters
                .as_flattened_mut()
                .as_flattened_mut()
                .as_flattened_mut(),
            3 => &mut self.scores.bias,
            _ => &mut [],
        }
    }
}

type Conv1<T> = Volume<T, 32, 32, 12>;
type Pool1<T> = Volume<T, 16, 16, 12>;
const POOL: MaxPool<2, 2, Slide<2, 2, 0, 0>> = MaxPool::new();

impl<T: Real> Network for Cifar<T> {
    type Input = Volume<T, 32, 32, 3>;
    type Output = Scores<T, 10>;
    type Arena = Overlay<T, 15_360>;
    const LAYERS: &'static [LayerInfo<'static>] = &[];

    fn forward<'a>(&self, input: &Self::Input, arena: &'a mut Self::Arena) -> &'a Self::Output {
        self.conv1.forward(input, arena.at_mut::<Conv1<T>, 0>());
        Relu.forward(arena.at_mut::<Conv1<T>, 0>());
        {
            let (x, y) = arena.pair::<Conv1<T>, 0, Pool1<T>, 12_288>();
            POOL.forward(x, y);
        }
        {
            let (x, y) = arena.pair::<Pool1<T>, 12_288, Scores<T, 10>, 0>();
            self.scores.forward(x, y);
        }
        arena.at::<Scores<T, 10>, 0>()
    }
}

/// ```text
/// scalar    0           12288        15360    15376      24576         27648
/// forward   │ conv1     │ max_pool1  │ scores │          │             │
/// backward  │ conv1     │ d_conv1                        │ d_max_pool1 │
/// ```
impl<T: Real> Trainable for Cifar<T> {
    type Tape = Overlay<T, 27_648>;

    fn forward_train<'a>(
        &self,
        input: &Self::Input,
        tape: &'a mut Self::Tape,
        _seed: u64,
    ) -> &'a Self::Output {
        self.conv1.forward(input, tape.at_mut::<Conv1<T>, 0>());
        Relu.forward(tape.at_mut::<Conv1<T>, 0>());
        {
            let (x, y) = tape.pair::<Conv1<T>, 0, Pool1<T>, 12_288>();
            POOL.forward(x, y);
        }
        {
            let (x, y) = tape.pair::<Pool1<T>, 12_288, Scores<T, 10>, 15_360>();
            self.scores.forward(x, y);
        }
        tape.at::<Scores<T, 10>, 15_360>()
    }

    fn backward(
        &self,
        input: &Self::Input,
        d_input: Option<&mut Self::Input>,
        tape: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
    ) {
        {
            let (x, dx) = tape.pair::<Pool1<T>, 12_288, Pool1<T>, 24_576>();
            self.scores.backward(x, dx, d_output, &mut gradient.scores);
        }
        {
            let (x, dy, dx) = tape.triple::<Conv1<T>, 0, Pool1<T>, 24_576, Conv1<T>, 12_288>();
            POOL.backward(x, dx, dy, &mut { POOL });
        }
        {
            let (y, dv) = tape.pair::<Conv1<T>, 0, Conv1<T>, 12_288>();
            Relu.backward(y, dv);
        }
        let dy = tape.at::<Conv1<T>, 12_288>();
        match d_input {
            Some(dx) => self.conv1.backward(input, dx, dy, &mut gradient.conv1),
            None => self
                .conv1
                .backward_parameters(input, dy, &mut gradient.conv1),
        }
    }
}

/// A few slopes, along the image and along the parameters, against central differences.
#[test]
fn the_gradient_is_the_slope_of_the_scores() {
    let mut net: Box<Cifar<f64>> = bytemuck::zeroed_box();
    let mut state = 1_u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223); // Numerical Recipes, ranqd1
        f64::from(state) / f64::from(u32::MAX) - 0.5
    };
    for index in 0..Cifar::<f64>::TENSORS.len() {
        net.tensor_mut(index)
            .iter_mut()
            .for_each(|w| *w = 0.2 * draw());
    }
    let mut image = Volume::<f64, 32, 32, 3>::boxed();
    image.as_mut_slice().iter_mut().for_each(|x| *x = draw());
    let mut d_scores = Scores::<f64, 10>::ZERO;
    d_scores.as_mut_slice().iter_mut().for_each(|d| *d = draw());

    let mut tape = Overlay::boxed();
    let mut gradient: Box<Cifar<f64>> = bytemuck::zeroed_box();
    let mut d_image = Volume::boxed();
    net.forward_train(&image, &mut tape, 0);
    net.backward(
        &image,
        Some(&mut d_image),
        &mut tape,
        &d_scores,
        &mut gradient,
    );

    let mut arena = Overlay::boxed();
    let mut objective = |net: &Cifar<f64>, image: &Volume<f64, 32, 32, 3>| -> f64 {
        let scores = net.forward(image, &mut arena);
        scores
            .as_slice()
            .iter()
            .zip(d_scores.as_slice())
            .map(|(s, d)| s * d)
            .sum()
    };
    let h = 1e-5;
    let check = |analytic: f64, up: f64, down: f64| {
        let numeric = (up - down) / (2.0 * h);
        let error = (analytic - numeric).abs() / (analytic.abs() + numeric.abs()).max(1e-8);
        assert!(error < 1e-6, "{analytic} is not {numeric}");
    };
    for at in [0, 1000, 3071] {
        let x = image.as_slice()[at];
        image.as_mut_slice()[at] = x + h;
        let up = objective(&net, &image);
        image.as_mut_slice()[at] = x - h;
        let down = objective(&net, &image);
        image.as_mut_slice()[at] = x;
        check(d_image.as_slice()[at], up, down);
    }
    for (index, at) in [(0, 0), (0, 517), (1, 5), (2, 9000), (3, 7)] {
        let w = net.tensor(index)[at];
        net.tensor_mut(index)[at] = w + h;
        let up = objective(&net, &image);
        net.tensor_mut(index)[at] = w - h;
        let down = objective(&net, &image);
        net.tensor_mut(index)[at] = w;
        check(gradient.tensor(index)[at], up, down);
    }
}
