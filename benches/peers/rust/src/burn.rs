//! burn's operations on tensors of its backend for processors, flex.

use burn_tensor::module::{conv2d, max_pool2d};
use burn_tensor::ops::{ConvOptions, MaxPoolOptions};
use burn_tensor::{Device, Tensor, TensorData, activation};

use crate::model::{self, Array, Op, Step, Window};
use crate::{Images, Run};

/// What is flat has a height and width of 1.
type Volume = Tensor<4>;

pub fn ready(steps: Vec<Step>, images: Images) -> Run {
    let device = Device::flex();
    let image = Volume::from_data(
        TensorData::new(images.data.clone(), images.shape()),
        &device,
    );
    let steps: Vec<_> = steps
        .into_iter()
        .map(|it| (it.reads, step(it.op, &device)))
        .collect();
    Box::new(move || {
        let scores = model::run(&steps, image.clone()).into_data();
        scores.try_to_vec().expect("scores in f32")
    })
}

fn step(op: Op, device: &Device) -> Box<dyn Fn(Vec<Volume>) -> Volume> {
    match op {
        Op::Conv {
            filters,
            bias,
            window,
            groups,
        } => {
            let filters = Volume::from_data(TensorData::new(filters.data, filters.shape), device);
            let bias = Tensor::<1>::from_data(&*bias, device);
            let Window {
                stride,
                pads,
                dilation,
                ..
            } = window;
            let options = ConvOptions {
                stride,
                padding: pads,
                dilation,
                groups,
            };
            Box::new(move |x| conv2d(one(x), filters.clone(), Some(bias.clone()), options.clone()))
        }
        Op::MaxPool(Window {
            size,
            stride,
            dilation,
            pads,
            rounds_up,
        }) => {
            let options = MaxPoolOptions {
                kernel_size: size,
                stride,
                padding: pads,
                dilation,
                ceil_mode: rounds_up,
            };
            Box::new(move |x| max_pool2d(one(x), options.clone()))
        }
        Op::Mean => Box::new(|x| one(x).mean_dim(3).mean_dim(2)),
        Op::Gemm {
            matrix: Array { shape, data },
            bias,
        } => {
            let classes = shape[0];
            let matrix = Tensor::<2>::from_data(TensorData::new(data, shape), device).transpose();
            let bias = Tensor::<2>::from_data(TensorData::new(bias, [1, classes]), device);
            Box::new(move |x| {
                let x = one(x);
                let [images, depth, ..] = x.dims();
                let scores = x.reshape([images, depth]).matmul(matrix.clone()) + bias.clone();
                scores.reshape([images, classes, 1, 1])
            })
        }
        Op::Relu => Box::new(|x| activation::relu(one(x))),
        Op::Clip(low, high) => Box::new(move |x| one(x).clamp(low, high)),
        Op::Sigmoid => Box::new(|x| activation::sigmoid(one(x))),
        Op::Add => Box::new(|x| x.into_iter().reduce(|x, y| x + y).expect("a sum of some")),
        Op::Mul => Box::new(|x| {
            x.into_iter()
                .reduce(|x, y| x * y)
                .expect("a product of some")
        }),
        Op::Concat => Box::new(|x| Tensor::cat(x, 1)),
        Op::Flatten => Box::new(|x| {
            let x = one(x);
            let [images, depth, height, width] = x.dims();
            x.reshape([images, depth * height * width, 1, 1])
        }),
    }
}

fn one(mut x: Vec<Volume>) -> Volume {
    x.pop().expect("a step reads a volume")
}
