// A network for the UCI digits, written by hand (`//`: an example includes this file):
// input(8x8x1), conv1: conv(4, 3x3, pad = 1), relu, max_pool(2x2, stride = 2), dropout(0.25),
// scores: fc(10).

use bytemuck::Zeroable;
use convnet_core::layer::{Activation, Conv, Fc, Layer, MaxPool, Relu, Slide};
use convnet_core::plan::LayerInfo;
use convnet_core::volume::Scores;
use convnet_core::{Network, Overlay, Parameters, Real, Rng, Role, Tensor, Trainable, Volume};

#[repr(C)]
pub(crate) struct Digit<T = f32> {
    conv1: Conv<T, 3, 3, 1, 4, Slide<1, 1, 1, 1>>,
    scores: Fc<T, 4, 4, 4, 10>,
}

#[expect(unsafe_code, reason = "by hand: zeros are a network")]
// SAFETY: both fields are zeroable, and so is the padding between them.
unsafe impl<T: Real> Zeroable for Digit<T>
where
    Conv<T, 3, 3, 1, 4, Slide<1, 1, 1, 1>>: Zeroable,
    Fc<T, 4, 4, 4, 10>: Zeroable,
{
}

impl<T: Real> Parameters for Digit<T> {
    type Scalar = T;
    const TENSORS: &'static [Tensor] = &[
        Tensor {
            name: "conv1.filters",
            role: Role::Filters,
            shape: &[3, 3, 1, 4],
        },
        Tensor {
            name: "conv1.bias",
            role: Role::Bias,
            shape: &[4],
        },
        Tensor {
            name: "scores.filters",
            role: Role::Weights,
            shape: &[4, 4, 4, 10],
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

type Conv1<T> = Volume<T, 8, 8, 4>;
type Pool1<T> = Volume<T, 4, 4, 4>;
const POOL: MaxPool<2, 2, Slide<2, 2, 0, 0>> = MaxPool::new();

/// Scalars of the tape.
const CONV: usize = 0;
const POOLED: usize = 256;
const MASK: usize = 320;
const D_POOLED: usize = 384;
const D_CONV: usize = 448;
const SCORES: usize = 704;

impl<T: Real> Network for Digit<T> {
    type Input = Volume<T, 8, 8, 1>;
    type Output = Scores<T, 10>;
    type Arena = Overlay<T, 720>;
    const LAYERS: &'static [LayerInfo<'static>] = &[];

    fn forward<'a>(&self, input: &Self::Input, arena: &'a mut Self::Arena) -> &'a Self::Output {
        self.features(input, arena);
        self.classify(arena)
    }
}

impl<T: Real> Trainable for Digit<T> {
    type Tape = Overlay<T, 720>;

    fn forward_train<'a>(
        &self,
        input: &Self::Input,
        tape: &'a mut Self::Tape,
        seed: u64,
    ) -> &'a Self::Output {
        self.features(input, tape);
        let mut rng = Rng::new(seed);
        for mask in tape.at_mut::<Pool1<T>, MASK>().as_mut_slice() {
            *mask = T::of(if rng.uniform() < 0.25 {
                0.0
            } else {
                1.0 / 0.75
            });
        }
        let (mask, v) = tape.pair::<Pool1<T>, MASK, Pool1<T>, POOLED>();
        v.as_mut_slice()
            .iter_mut()
            .zip(mask.as_slice())
            .for_each(|(v, &mask)| *v *= mask);
        self.classify(tape)
    }

    fn backward(
        &self,
        input: &Self::Input,
        d_input: Option<&mut Self::Input>,
        tape: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
    ) {
        let (x, dx) = tape.pair::<Pool1<T>, POOLED, Pool1<T>, D_POOLED>();
        self.scores.backward(x, dx, d_output, &mut gradient.scores);
        let (mask, dv) = tape.pair::<Pool1<T>, MASK, Pool1<T>, D_POOLED>();
        dv.as_mut_slice()
            .iter_mut()
            .zip(mask.as_slice())
            .for_each(|(dv, &mask)| *dv *= mask);
        let (x, dy, dx) = tape.triple::<Conv1<T>, CONV, Pool1<T>, D_POOLED, Conv1<T>, D_CONV>();
        POOL.backward(x, dx, dy, &mut { POOL });
        let (y, dv) = tape.pair::<Conv1<T>, CONV, Conv1<T>, D_CONV>();
        Relu.backward(y, dv);
        let dy = tape.at::<Conv1<T>, D_CONV>();
        match d_input {
            Some(dx) => self.conv1.backward(input, dx, dy, &mut gradient.conv1),
            None => self
                .conv1
                .backward_parameters(input, dy, &mut gradient.conv1),
        }
    }
}

impl<T: Real> Digit<T> {
    fn features(&self, input: &Volume<T, 8, 8, 1>, tape: &mut Overlay<T, 720>) {
        self.conv1.forward(input, tape.at_mut::<Conv1<T>, CONV>());
        Relu.forward(tape.at_mut::<Conv1<T>, CONV>());
        let (x, y) = tape.pair::<Conv1<T>, CONV, Pool1<T>, POOLED>();
        POOL.forward(x, y);
    }

    fn classify<'a>(&self, tape: &'a mut Overlay<T, 720>) -> &'a Scores<T, 10> {
        let (x, y) = tape.pair::<Pool1<T>, POOLED, Scores<T, 10>, SCORES>();
        self.scores.forward(x, y);
        tape.at::<Scores<T, 10>, SCORES>()
    }
}
