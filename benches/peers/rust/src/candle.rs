//! candle's operations. Its pools know no padding: zeros around them are none of theirs, and change nothing behind
//! a `relu`; every row's scores are compared.

use candle_core::{Device, Result, Tensor};

use crate::model::{self, Op, Step, Window};
use crate::{Images, Run};

pub fn ready(steps: Vec<Step>, images: Images) -> Result<Run> {
    let image = Tensor::from_vec(images.data.clone(), &images.shape(), &Device::Cpu)?;
    let steps = steps.into_iter().map(|it| Ok((it.reads, step(it.op)?)));
    let steps: Vec<_> = steps.collect::<Result<_>>()?;
    Ok(Box::new(move || {
        let scores = model::run(&steps, image.clone()).flatten_all();
        scores
            .and_then(|scores| scores.to_vec1())
            .expect("scores in f32")
    }))
}

fn step(op: Op) -> Result<Box<dyn Fn(Vec<Tensor>) -> Tensor>> {
    let step = of(op)?;
    Ok(Box::new(move |x| step(x).expect("sizes that fit")))
}

fn of(op: Op) -> Result<Box<dyn Fn(Vec<Tensor>) -> Result<Tensor>>> {
    Ok(match op {
        Op::Conv {
            filters,
            bias,
            window,
            groups,
        } => {
            let filters = Tensor::from_vec(filters.data, filters.shape, &Device::Cpu)?;
            let count = bias.len();
            let bias = Tensor::from_vec(bias, (1, count, 1, 1), &Device::Cpu)?;
            let Window {
                stride: [stride, _],
                dilation: [dilation, _],
                pads: [(pad, _), _],
                ..
            } = window;
            let same = window.pads == [(pad, pad); 2];
            Box::new(move |x| {
                let [x] = &x[..] else {
                    unreachable!("a conv reads one volume")
                };
                let x = match same {
                    true => x.conv2d(&filters, pad, stride, dilation, groups)?,
                    false => {
                        padded(x, window.pads)?.conv2d(&filters, 0, stride, dilation, groups)?
                    }
                };
                x.broadcast_add(&bias)
            })
        }
        Op::MaxPool(window) => Box::new(move |x| {
            let mut window = window;
            if window.rounds_up {
                let (_, _, height, width) = x[0].dims4()?;
                for (axis, size) in [height, width].into_iter().enumerate() {
                    let (before, after) = window.pads[axis];
                    let rest = (size + before + after - window.size[axis]) % window.stride[axis];
                    window.pads[axis].1 =
                        after + (window.stride[axis] - rest) % window.stride[axis];
                }
            }
            let [size, stride]: [(usize, usize); 2] = [window.size.into(), window.stride.into()];
            padded(&x[0], window.pads)?.max_pool2d_with_stride(size, stride)
        }),
        Op::Mean => Box::new(|x| x[0].mean_keepdim((2, 3))),
        Op::Gemm { matrix, bias } => {
            let matrix = Tensor::from_vec(matrix.data, matrix.shape, &Device::Cpu)?.t()?;
            let count = bias.len();
            let bias = Tensor::from_vec(bias, (1, count), &Device::Cpu)?;
            Box::new(move |x| x[0].matmul(&matrix)?.broadcast_add(&bias))
        }
        Op::Relu => Box::new(|x| x[0].relu()),
        Op::Clip(low, high) => Box::new(move |x| x[0].clamp(low, high)),
        Op::Sigmoid => Box::new(|x| (x[0].neg()?.exp()? + 1.)?.recip()),
        Op::Add => Box::new(|x| &x[0] + &x[1]),
        Op::Mul => Box::new(|x| x[0].broadcast_mul(&x[1])),
        Op::Concat => Box::new(|x| Tensor::cat(&x, 1)),
        Op::Flatten => Box::new(|x| x[0].flatten_from(1)),
    })
}

fn padded(x: &Tensor, [rows, columns]: [(usize, usize); 2]) -> Result<Tensor> {
    x.pad_with_zeros(2, rows.0, rows.1)?
        .pad_with_zeros(3, columns.0, columns.1)
}
