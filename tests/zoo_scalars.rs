//! Networks of the zoo at a quarter of their side: `f32` at every level, as declared and prepared, against
//! `f64`, which no kernel computes; scores, and the gradients on the image and on every tensor.
//!
//! A sum of n terms is off by about √n·u of their size, u = 2⁻²⁴, with high probability (Higham and Mary,
//! *A New Approach to Probabilistic Rounding Error Analysis*, 2019), and layers with Kaiming's filters pass
//! on what they are given at the size that it has. So scores may be off by the sum of √n·u over all layers,
//! of the largest of them; by 8 times as much where Winograd's algorithm is used, whose largest tiles are
//! 7.5 times less exact ([`Winograd`](convnet::generated::kernel::Winograd)). Measured: a sixtieth of that.
//!
//! Gradients jump where rounding moves a scalar across zero in front of a relu, or makes another one the
//! largest of its window: a millionth of all scalars, one or two in a network. Each moves the gradients in
//! front of it by about 1/√N of their norm, where N scalars are in its map: by a hundredth, of ten
//! thousand. Measured, where none does: two millionths. What a kernel gets wrong is a scalar in some
//! hundreds, and more than that.

#[macro_use]
#[allow(dead_code, reason = "those at full size")]
#[path = "../examples/zoo/networks/googlenet.rs"]
mod googlenet;
#[macro_use]
#[allow(dead_code, reason = "those at full size")]
#[path = "../examples/zoo/networks/resnet.rs"]
mod resnet;
#[macro_use]
#[allow(dead_code, reason = "those at full size")]
#[path = "../examples/zoo/networks/squeezenet.rs"]
mod squeezenet;

use convnet::init::Init;
use convnet::kernel::{levels, with_level};
use convnet::prepare::{Precision, Prepare};
use convnet::{AnyVolume, Prepared, Real, Rng, Trainable, convnet};

squeezenet! {
    /// 15 pixels a side behind the first pool, so that the others fit.
    SqueezeNet: 63x63x3 (64, 3x3)
    { fire2 16 64 64, fire3 16 64 64 } { max_pool(3x3, stride = 2) }
    { fire4 32 128 128, fire5 32 128 128 } { max_pool(3x3, stride = 2) }
    { fire6 48 192 192, fire7 48 192 192, fire8 64 256 256, fire9 64 256 256 } { dropout(0.5) }
}

googlenet! {
    GoogLeNet: 64x64x3
    { inception3a 64 (96 128) (16 32) 32, inception3b 128 (128 192) (32 96) 64 }
    { pool3: max_pool(3x3, stride = 2, fit = pad) }
    {
        inception4a 192 (96 208) (16 48) 64, inception4b 160 (112 224) (24 64) 64,
        inception4c 128 (128 256) (24 64) 64, inception4d 112 (144 288) (32 64) 64,
        inception4e 256 (160 320) (32 128) 128
    }
    { pool4: max_pool(2x2) }
    { inception5a 256 (160 320) (32 128) 128, inception5b 384 (192 384) (48 128) 128 }
    { global_avg_pool }
}

resnet! {
    ResNet: 56x56x3, 2 { layer2 128 1 } { layer3 256 1 } { layer4 512 1 }
}

convnet! {
    /// The layers of `AlexNet`.
    struct AlexNet {
        input(67x67x3),
        conv(96, 11x11, stride = 4),
        relu,
        lrn(5, alpha = 5e-4, k = 2.0),
        max_pool(3x3, stride = 2),
        conv(256, 5x5, pad = 2, groups = 2),
        relu,
        lrn(5, alpha = 5e-4, k = 2.0),
        max_pool(3x3, stride = 2),
        conv(384, 3x3, pad = 1),
        relu,
        conv(384, 3x3, pad = 1, groups = 2),
        relu,
        conv(256, 3x3, pad = 1, groups = 2),
        relu,
        max_pool(3x3, stride = 2),
        fc(4096),
        relu,
        dropout(0.5),
        fc(4096),
        relu,
        dropout(0.5),
        fc(1000),
    }
}

/// The gradients of ⟨scores, `d_scores`⟩ on the image, and on every tensor.
fn gradients<N: Trainable>(net: &N, image: &N::Input) -> (Box<N::Input>, Box<N>) {
    let (mut d_image, mut gradient): (Box<N::Input>, Box<N>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let mut tape: Box<N::Tape> = bytemuck::zeroed_box();
    let mut d_scores: Box<N::Output> = bytemuck::zeroed_box();
    draw(d_scores.as_mut_slice(), 3);
    net.forward_train(image, &mut tape, 5);
    net.backward(
        image,
        Some(&mut d_image),
        &mut tape,
        &d_scores,
        &mut gradient,
    );
    (d_image, gradient)
}

/// Numbers that `f32` holds.
fn draw<T: Real>(values: &mut [T], seed: u64) {
    let mut rng = Rng::new(seed);
    values.fill_with(|| T::of(f64::from(rng.normal() as f32)));
}

/// The largest difference, over the largest.
fn largest(fast: &[f32], exact: &[f64]) -> f64 {
    let most = exact.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let pairs = fast.iter().zip(exact);
    pairs.fold(0.0, |off: f64, (&a, b)| off.max((f64::from(a) - b).abs())) / most
}

/// The norm of the difference, over the norm.
fn norm(fast: &[f32], exact: &[f64]) -> f64 {
    let pairs = fast.iter().zip(exact);
    let (off, all) = pairs.fold((0.0, 0.0), |(off, all), (&a, b)| {
        let d = f64::from(a) - b;
        (off + d * d, all + b * b)
    });
    f64::sqrt(off / all)
}

fn check<Fast, Exact>(name: &str)
where
    Fast: Trainable<Scalar = f32> + Prepare,
    Exact: Trainable<Scalar = f64>,
{
    let (mut net, mut exact): (Box<Fast>, Box<Exact>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    Init::default().fill(&mut *net, 231);
    let (mut image, mut exact_image): (Box<Fast::Input>, Box<Exact::Input>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    draw(image.as_mut_slice(), 2);
    draw(exact_image.as_mut_slice(), 2);
    let mut rounding = 0.0;
    for (index, tensor) in Fast::TENSORS.iter().enumerate() {
        let pairs = exact.tensor_mut(index).iter_mut().zip(net.tensor(index));
        pairs.for_each(|(exact, &w)| *exact = w.into());
        if let [taps @ .., _] = tensor.shape
            && !taps.is_empty()
        {
            let n: usize = taps.iter().product();
            rounding += (n as f64).sqrt() * f64::from(f32::EPSILON) / 2.0;
        }
    }
    let mut arena: Box<Exact::Arena> = bytemuck::zeroed_box();
    let scores = exact.forward(&exact_image, &mut arena).as_slice();
    let (d_image, gradient) = gradients(&*exact, &exact_image);
    for level in levels() {
        with_level(level, || {
            let near = |of: &str, off: f64, most: f64| {
                println!("{name} at {level:?}, {of}: {off:.1e} of {most:.1e}");
                assert!(
                    off <= most,
                    "{name} at {level:?}, {of}: {off:e}, at most {most:e}"
                );
            };
            let mut arena: Box<Fast::Arena> = bytemuck::zeroed_box();
            let fast = net.forward(&image, &mut arena).as_slice();
            near("scores", largest(fast, scores), rounding);
            for (precision, worse) in [(Precision::HIGHEST, 1.0), (Precision::default(), 8.0)] {
                let prepared = Prepared::with(&*net, precision);
                let mut arena = prepared.arena();
                let fast = prepared.forward(&image, &mut arena).as_slice();
                near("prepared", largest(fast, scores), worse * rounding);
            }
            let (d_fast, fast) = gradients(&*net, &image);
            near("image", norm(d_fast.as_slice(), d_image.as_slice()), 1e-2);
            for (index, tensor) in Fast::TENSORS.iter().enumerate() {
                if tensor.role.is_learned() {
                    let off = norm(fast.tensor(index), gradient.tensor(index));
                    near(tensor.name, off, 1e-2);
                }
            }
        });
    }
}

#[test]
fn a_squeezenet_is_that_in_f64() {
    check::<SqueezeNet<f32>, SqueezeNet<f64>>("SqueezeNet");
}

#[test]
fn a_googlenet_is_that_in_f64() {
    check::<GoogLeNet<f32>, GoogLeNet<f64>>("GoogLeNet");
}

#[test]
fn a_resnet_is_that_in_f64() {
    check::<ResNet<f32>, ResNet<f64>>("ResNet-18");
}

#[test]
fn an_alexnet_is_that_in_f64() {
    check::<AlexNet<f32>, AlexNet<f64>>("AlexNet");
}
