//! Declared layers, forward and backward, beside PyTorch's: `tests/vectors/layers.py` made what is expected.
//!
//! Scores and gradients in `f64` are within 1e-10 of the largest of their tensor, as `tests/vectors/README.md` says;
//! in `f32` within 1e-5.

use std::collections::HashMap;
use std::path::Path;

use convnet::weights;
use convnet::{AnyVolume, OnHeap, Parameters, Real, Trainable, convnet};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// `name: WxHxD { lines }`, each a network of that name in a module of its own.
macro_rules! cases {
    ($($name:ident: $input:literal { $($lines:tt)* })*) => {
        $(mod $name {
            super::convnet! {
                pub(super) struct Net {
                    input($input),
                    $($lines)*
                }
            }
        })*

        /// The names, and both precisions of each.
        const CASES: &[(&str, fn(&str, &[u8]), fn(&str, &[u8]))] = &[$(
            (stringify!($name), check::<$name::Net<f64>>, check::<$name::Net<f32>>),
        )*];
    };
}

cases! {
    grouped: 2x3x4 { it: conv_transpose(6, 3x3, stride = 2, pad = 1, output_pad = 1, groups = 2) }
    dilated: 3x2x3 {
        it: conv_transpose(2, 3x2, stride = 2x1, dilation = 2x3, pad = (0, 0, 1, 1)),
    }
    more_than_cut: 3x2x2 { it: conv_transpose(3, 2x2, stride = 3, output_pad = 2) }
    // One more row, and no more column: that is cut off again.
    more_rows: 2x3x2 {
        it: conv_transpose(4, 2x3, stride = 1x2, pad = (0, 0, 0, 1), output_pad = 1, bias = none),
    }
    of_each_slice: 3x3x3 {
        it: conv_transpose(3, 3x3, dilation = 2, pad = 2, output_pad = 1, groups = 3),
    }
    two_of_each_slice: 2x2x3 { it: conv_transpose(6, 4x4, stride = 2, pad = 1, groups = 3) }
    max_pool_dilated: 8x9x3 {
        max_pool(2x3, stride = 2, pad = (1, 1, 0, 0), dilation = 3x2, fit = crop),
    }
    max_pool_dilated_ceil: 7x6x2 { max_pool(2x2, stride = 2, dilation = 2, fit = pad) }
    avg_pool_counts: 7x5x2 { pad(1), avg_pool(3x3, stride = 2) }
    avg_pool_counts_not: 7x5x2 { avg_pool(3x3, stride = 2, pad = 1) }
    prelu: 2x3x4 { it: prelu }
    elu: 2x3x2 { elu(0.7) }
    gelu: 2x3x2 { gelu }
    gelu_tanh: 2x3x2 { gelu_tanh }
    silu: 2x3x2 { silu }
    hard_sigmoid: 2x3x2 { residual { flatten }, hard_sigmoid }
    hard_swish: 2x3x2 { residual { flatten }, hard_swish }
    softplus: 2x3x2 { softplus }
    clamp: 2x3x2 { clamp(-0.5, 1.25) }
    log_softmax: 2x2x4 { log_softmax }
    group_norm: 2x3x6 { it: group_norm(3, eps = 1e-3) }
    whole_norm: 2x3x6 { it: group_norm(1) }
    instance_norm: 2x3x3 { it: group_norm(3) }
    layer_norm: 2x3x5 { it: layer_norm(eps = 1e-6) }
    layer_norm_volume: 2x3x4 { it: layer_norm_volume(eps = 1e-3) }
    normalize: 2x4x3 { normalize(mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]) }
    normalize_all: 2x3x2 { normalize(mean = -0.25, std = 2.0) }
    batch_norm_plain: 2x3x4 { it: batch_norm(eps = 1e-3, momentum = 0.25, affine = none) }
    nearest: 2x3x2 { upsample(3x2) }
    bilinear: 2x3x2 { upsample_aligned(2x2) }
    bilinear_squares: 2x3x2 { upsample_bilinear(2x2) }
    padded: 2x3x2 { pad((2, 3, 1, 0)) }
    cropped: 5x4x2 { crop((0, 1, 1, 2)) }
    deeper: 3x2x2 { pad_depth(5) }
    // PyTorch takes the pixels of a slice in turn, as `depth_to_space` says.
    pixel_shuffle: 3x2x12 { channel_shuffle(3), depth_to_space(2x2) }
    pixel_unshuffle: 6x4x3 { space_to_depth(2x2), channel_shuffle(4) }
    channel_shuffle: 3x2x6 { channel_shuffle(3) }
    excite: 2x3x4 { scale { global_avg_pool, sigmoid } }
}

#[test]
fn layers_are_those_of_pytorch() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/layers.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let mut stored: Vec<&str> = file
        .names()
        .iter()
        .filter_map(|name| name.strip_suffix("/x"))
        .collect();
    let mut declared: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    stored.sort_unstable();
    declared.sort_unstable();
    assert_eq!(declared, stored);
    for (name, double, single) in CASES {
        double(name, &bytes);
        single(name, &bytes);
    }
}

fn check<N: Trainable + OnHeap>(case: &str, bytes: &[u8]) {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let of = |field: &str| file.tensor(&format!("{case}/{field}")).unwrap();
    let tolerance = match size_of::<N::Scalar>() {
        8 => 1e-10,
        _ => 1e-5,
    };
    let (net, mut gradient) = (parameters::<N>(&file, case, "it."), N::boxed());
    let [x, dy] = [volume(&of("x")), volume(&of("dy"))];
    let (mut image, mut d_image): (Box<N::Input>, Box<N::Input>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let mut d_scores: Box<N::Output> = bytemuck::zeroed_box();
    fill(image.as_mut_slice(), &x);
    fill(d_scores.as_mut_slice(), &dy);
    let same = |what: &str, found: &[N::Scalar], expected: &[f64]| {
        assert_eq!(found.len(), expected.len(), "{case}: {what}");
        let largest = expected.iter().fold(1.0_f64, |most, it| most.max(it.abs()));
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            let found = found.widen();
            let off = (found - expected).abs();
            assert!(
                off <= tolerance * largest,
                "{case}: {what}[{i}] is {found}, not {expected}"
            );
        }
    };
    let y = volume(&of("y"));
    same("y", net.forward(&image, &mut N::arena()).as_slice(), &y);
    let mut tape = N::tape();
    same(
        "y, in training",
        net.forward_train(&image, &mut tape, 0).as_slice(),
        &y,
    );
    net.backward(
        &image,
        Some(&mut d_image),
        &mut tape,
        &d_scores,
        &mut gradient,
    );
    same("dx", d_image.as_slice(), &volume(&of("dx")));
    let expected = parameters::<N>(&file, case, "grad.it.");
    for (i, tensor) in N::TENSORS.iter().enumerate() {
        let expected = expected.tensor(i).iter().map(|it| it.widen());
        same(
            tensor.name,
            gradient.tensor(i),
            &expected.collect::<Vec<_>>(),
        );
    }
}

/// The tensors behind `prefix`, put into our order as a user's would be.
fn parameters<N: Parameters + OnHeap>(file: &SafeTensors<'_>, case: &str, prefix: &str) -> Box<N> {
    let of_case = format!("{case}/{prefix}");
    let tensors = file.tensors();
    let own = tensors.iter().filter_map(|(name, view)| {
        let field = name.strip_prefix(&of_case)?;
        let view = TensorView::new(view.dtype(), view.shape().to_vec(), view.data()).unwrap();
        Some((format!("it.{field}"), view))
    });
    let own: HashMap<_, _> = own.collect();
    let mut net = N::boxed();
    if !N::TENSORS.is_empty() {
        let bytes = safetensors::serialize(own, None).unwrap();
        weights::from_pytorch(&mut *net, &bytes, &[]).unwrap();
    }
    net
}

/// Depth first as ours: depth last.
fn volume(view: &TensorView<'_>) -> Vec<f64> {
    assert_eq!(view.dtype(), Dtype::F64);
    let values = view.data().as_chunks::<8>().0;
    let values: Vec<f64> = values.iter().map(|it| f64::from_le_bytes(*it)).collect();
    let &[1, depth, height, width] = view.shape() else {
        panic!("{:?} is no image", view.shape());
    };
    let pixels = height * width;
    let at = |i: usize| values[i % depth * pixels + i / depth];
    (0..values.len()).map(at).collect()
}

fn fill<T: Real>(to: &mut [T], from: &[f64]) {
    assert_eq!(to.len(), from.len());
    to.iter_mut()
        .zip(from)
        .for_each(|(to, from)| *to = T::of(*from));
}
