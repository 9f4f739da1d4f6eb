//! Every layer's backward against slopes measured on its forward, in `f64`: CS231n's relative
//! error is at most 1e-6 for every input and every parameter.

use convnet_core::gradient_check::slope;
use convnet_core::graph::Decimals;
use convnet_core::layer::{
    Activation, Affine, AvgPool, BatchNorm, ChannelShuffle, Clamp, Conv, ConvTranspose, Crop,
    DepthToSpace, Depthwise, Dropout, Elu, Fc, Gelu, GeluTanh, GlobalAvgPool, GlobalMaxPool,
    GroupNorm, HardSigmoid, HardSwish, InPlace, Layer, LayerNorm, LayerNormVolume, LeakyRelu,
    LogSoftmax, Lrn, MaxPool, Normalize, Pad, PadDepth, Prelu, Relu, Relu6, Sigmoid, Silu, Slices,
    Slide, Softmax, Softplus, SpaceToDepth, Tanh, Upsample, UpsampleAligned, UpsampleBilinear,
};
use convnet_core::{AnyVolume, Real, Rng, Volume};

const LIMIT: f64 = 1e-6;

#[test]
fn conv() {
    macro_rules! conv {
        ($([$h:literal, $w:literal, $d:literal] -> [$ho:literal, $wo:literal, $k:literal],
            $fh:literal x $fw:literal, $slide:ty;)*) => {$(
            check::<Conv<f64, $fh, $fw, $d, $k, $slide>, Volume<f64, $h, $w, $d>, Volume<f64, $ho, $wo, $k>>(
                Conv::ZERO,
                |conv| [
                    conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                    &mut conv.bias,
                ],
            );
        )*};
    }
    conv! {
        [5, 5, 3] -> [5, 5, 2], 3 x 3, Slide<1, 1, 1, 1>;
        [7, 6, 2] -> [3, 2, 3], 3 x 4, Slide<2, 2, 0, 0>;
        [4, 3, 2] -> [2, 4, 2], 2 x 1, Slide<3, 1, 1, 1>;
        [3, 3, 3] -> [3, 3, 2], 1 x 1, Slide<1, 1, 0, 0>;
        [7, 6, 2] -> [3, 3, 2], 3 x 2, Slide<2, 1, 1, 0, 2, 3>;
    }
}

#[test]
fn grouped_conv() {
    type X = Volume<f64, 5, 4, 6>;
    type Three = Conv<f64, 3, 3, 6, 9, Slide<1, 1, 1, 1>, 2>;
    check::<Three, X, Volume<f64, 5, 4, 9>>(Three::ZERO, |conv| {
        let filters = conv.filters.as_flattened_mut().as_flattened_mut();
        [filters.as_flattened_mut(), &mut conv.bias]
    });
    type Each = Depthwise<f64, 3, 2, 6, Slide<2, 1, 0, 0>>;
    check::<Each, X, Volume<f64, 2, 3, 6>>(Each::ZERO, |conv| {
        let filters = conv.filters.as_flattened_mut().as_flattened_mut();
        [filters.as_flattened_mut(), &mut conv.bias]
    });
}

#[test]
fn fc() {
    check::<Fc<f64, 3, 2, 4, 5>, Volume<f64, 3, 2, 4>, Volume<f64, 1, 1, 5>>(Fc::ZERO, |fc| {
        let Fc { filters, bias } = fc;
        [
            filters
                .as_flattened_mut()
                .as_flattened_mut()
                .as_flattened_mut(),
            bias,
        ]
    });
}

#[test]
fn pool() {
    fn none<L>(_: &mut L) -> [&mut [f64]; 2] {
        [&mut [], &mut []]
    }
    type X = Volume<f64, 5, 6, 3>;
    type Whole = Slide<2, 2, 0, 0>;
    type Bordered = Slide<2, 1, 1, 1>;
    check::<MaxPool<2, 2, Whole>, X, Volume<f64, 2, 3, 3>>(MaxPool::new(), none);
    check::<MaxPool<3, 2, Bordered>, X, Volume<f64, 3, 7, 3>>(MaxPool::new(), none);
    check::<AvgPool<2, 2, Whole>, X, Volume<f64, 2, 3, 3>>(AvgPool::new(), none);
    check::<AvgPool<3, 2, Bordered>, X, Volume<f64, 3, 7, 3>>(AvgPool::new(), none);
    check::<GlobalAvgPool, X, Volume<f64, 1, 1, 3>>(GlobalAvgPool, none);
    check::<GlobalMaxPool, X, Volume<f64, 1, 1, 3>>(GlobalMaxPool, none);
}

/// What PyTorch's `hardswish` gives at the bends themselves.
#[test]
fn hard_swish() {
    check::<HardSwish, Volume<f64, 2, 3, 4>, Volume<f64, 2, 3, 4>>(HardSwish, |_| {
        [&mut [], &mut []]
    });
    let x = Volume([[-4.0, -3.0, -1.5, 0.0, 3.0, 4.0].map(|x| [x])]);
    let (mut y, mut dx) = (x.clone(), Volume::ZERO);
    HardSwish.forward_in_place(&mut y);
    assert_eq!(y.as_slice(), [0.0, 0.0, -0.375, 0.0, 3.0, 4.0]);
    let ones = Volume([[[1.0]; 6]]);
    HardSwish.backward(&x, &mut dx, &ones, &mut HardSwish);
    assert_eq!(dx.as_slice(), [0.0, -0.5, 0.0, 0.5, 1.5, 1.0]);
}

/// What a formula gives, in `f64`, for numbers from afar to near.
fn computes<L>(layer: L, formula: impl Fn(f64) -> f64)
where
    L: InPlace<Volume<f64, 1, 1, 9>> + InPlace<Volume<f32, 1, 1, 9>>,
{
    let x = [-40.0, -3.0, -1.0, -0.25, 0.0, 0.125, 1.0, 5.0, 90.0];
    let mut y = Volume([[x]]);
    layer.forward_in_place(&mut y);
    let mut single = Volume([[x.map(|x| x as f32)]]);
    layer.forward_in_place(&mut single);
    for (at, x) in x.into_iter().enumerate() {
        let (y, single, expected) = (y.as_slice()[at], single.as_slice()[at], formula(x));
        assert!(
            (y - expected).abs() <= 1e-12 * expected.abs().max(1.0),
            "{x}: {y}, {expected}"
        );
        let differs = (f64::from(single) - expected).abs();
        assert!(
            differs <= 4e-7 * expected.abs().max(1.0),
            "{x}: {single}, {expected}"
        );
    }
}

#[test]
fn what_only_moves_numbers() {
    type X = Volume<f64, 2, 3, 6>;
    check::<ChannelShuffle, X, X>(ChannelShuffle { groups: 2 }, |_| [&mut [], &mut []]);
    check::<ChannelShuffle, X, X>(ChannelShuffle { groups: 3 }, |_| [&mut [], &mut []]);
    check::<ChannelShuffle, X, X>(ChannelShuffle { groups: 6 }, |_| [&mut [], &mut []]);
    check::<Upsample<3, 2>, X, Volume<f64, 6, 6, 6>>(Upsample::new(), |_| [&mut [], &mut []]);
    type Around = Slide<1, 1, 1, 2>;
    check::<Pad<Around>, X, Volume<f64, 4, 5, 6>>(Pad::new(), |_| [&mut [], &mut []]);
    check::<PadDepth<7>, X, Volume<f64, 2, 3, 7>>(PadDepth::new(), |_| [&mut [], &mut []]);
    let some = Slices {
        filters: 2,
        from: 3,
    };
    check::<Slices, X, Volume<f64, 2, 3, 2>>(some, |_| [&mut [], &mut []]);
}

#[test]
fn pixels_between_pixels() {
    type X = Volume<f64, 3, 2, 2>;
    type Y = Volume<f64, 9, 4, 2>;
    check::<UpsampleBilinear<3, 2>, X, Y>(UpsampleBilinear::new(), |_| [&mut [], &mut []]);
    check::<UpsampleAligned<3, 2>, X, Y>(UpsampleAligned::new(), |_| [&mut [], &mut []]);
    // One pixel has no neighbours.
    type One = Volume<f64, 1, 1, 2>;
    check::<UpsampleBilinear<2, 2>, One, Volume<f64, 2, 2, 2>>(UpsampleBilinear::new(), |_| {
        [&mut [], &mut []]
    });
    check::<UpsampleAligned<1, 1>, One, One>(UpsampleAligned::new(), |_| [&mut [], &mut []]);
    // PyTorch's numbers.
    let x = Volume([[[1.0], [2.0]], [[3.0], [5.0]]]);
    let mut y = Volume::<f64, 4, 4, 1>::ZERO;
    UpsampleBilinear::<2, 2>::new().forward(&x, &mut y);
    let expected = [
        [1.0, 1.25, 1.75, 2.0],
        [1.5, 1.8125, 2.4375, 2.75],
        [2.5, 2.9375, 3.8125, 4.25],
        [3.0, 3.5, 4.5, 5.0],
    ];
    assert_eq!(y, Volume(expected.map(|row| row.map(|it| [it]))));
}

#[test]
fn factors_of_slices() {
    type X = Volume<f64, 2, 3, 4>;
    check::<Prelu<f64, 4>, X, X>(Prelu::ZERO, |prelu| [&mut prelu.slope, &mut []]);
    check::<Affine<f64, 4>, X, X>(Affine::ZERO, |affine| [&mut affine.gamma, &mut affine.beta]);
    let [one, all] = [Decimals::of([0.3]), Decimals::of([0.485, -1.5, 0.25, 2.0])];
    for (mean, std) in [(one, one), (all, Decimals::of([0.2, 1.0, 0.5, 4.0]))] {
        check::<Normalize, X, X>(Normalize { mean, std }, |_| [&mut [], &mut []]);
    }
}

/// PyTorch's own numbers too.
#[test]
fn norms_of_one_image() {
    type X = Volume<f64, 2, 3, 6>;
    macro_rules! norms {
        ($($norm:ty),*) => {$(
            check::<$norm, X, X>(<$norm>::ZERO, |norm| [&mut norm.gamma, &mut norm.beta]);
        )*};
    }
    norms!(GroupNorm<f64, 6, 3>, GroupNorm<f64, 6, 1>, GroupNorm<f64, 6, 6>, LayerNorm<f64, 6>);
    check::<LayerNormVolume<f64, 2, 3, 6>, X, X>(LayerNormVolume::ZERO, |norm| {
        [&mut norm.gamma, &mut norm.beta].map(|it| it.as_flattened_mut().as_flattened_mut())
    });
    let x = Volume([[[1.0, 4.0, 0.5, 2.0], [2.0, -3.0, 7.0, 2.5]]]);
    let (gamma, beta) = ([1.0, 2.0, -1.0, 0.5], [0.0, 0.1, 0.2, 0.3]);
    let mut y = Volume::<f64, 1, 2, 4>::ZERO;
    GroupNorm::<f64, 4, 2> { gamma, beta }.forward(&x, &mut y);
    near(
        &y,
        [
            [0.0, 2.4533918114, 1.2314203685, 0.0937159263],
            [0.3922319686, -3.0378557485, -1.4502725895, 0.1968579632],
        ],
    );
    LayerNorm::<f64, 4> { gamma, beta }.forward(&x, &mut y);
    near(
        &y,
        [
            [-0.6527515494, 3.2705075257, 1.2257524348, 0.3466251107],
            [-0.0352892196, -2.7937160071, -1.1762795644, 0.3529338294],
        ],
    );
    let mut y = x;
    LogSoftmax.forward(&mut y);
    near(
        &y,
        [
            [-3.1950071986, -0.1950071986, -3.6950071986, -2.1950071986],
            [-5.0177341596, -10.0177341596, -0.0177341596, -4.5177341596],
        ],
    );
}

fn near(found: &Volume<f64, 1, 2, 4>, expected: [[f64; 4]; 2]) {
    let pairs = found.as_slice().iter().zip(expected.as_flattened());
    for (found, expected) in pairs {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }
}

#[test]
fn pixels_that_are_depth() {
    type X = Volume<f64, 2, 3, 12>;
    type Y = Volume<f64, 4, 9, 2>;
    check::<DepthToSpace<2, 3>, X, Y>(DepthToSpace::new(), |_| [&mut [], &mut []]);
    check::<SpaceToDepth<2, 3>, Y, X>(SpaceToDepth::new(), |_| [&mut [], &mut []]);
    type Cut = Slide<1, 1, 1, 2>;
    check::<Crop<Cut>, Y, Volume<f64, 2, 5, 2>>(Crop::new(), |_| [&mut [], &mut []]);
    // PyTorch's `PixelShuffle`: slices are taken in turn.
    let x = Volume([[core::array::from_fn(|at| at as f64)]]);
    let (mut turned, mut y) = (Volume::<f64, 1, 1, 8>::ZERO, Volume::<f64, 2, 2, 2>::ZERO);
    ChannelShuffle { groups: 2 }.forward(&x, &mut turned);
    DepthToSpace::<2, 2>::new().forward(&turned, &mut y);
    assert_eq!(
        y,
        Volume([[[0.0, 4.0], [1.0, 5.0]], [[2.0, 6.0], [3.0, 7.0]]])
    );
}

/// PyTorch's own formulas.
#[test]
fn bent_activations() {
    type V = Volume<f64, 2, 3, 4>;
    check::<Silu, V, V>(Silu, |_| [&mut [], &mut []]);
    check::<Gelu, V, V>(Gelu, |_| [&mut [], &mut []]);
    check::<GeluTanh, V, V>(GeluTanh, |_| [&mut [], &mut []]);
    computes(Silu, |x| x * (1.0 / (1.0 + (-x).exp())));
    computes(Gelu, |x| x * normal(x));
    computes(GeluTanh, |x| {
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3));
        0.5 * x * (1.0 + inner.tanh())
    });
}

/// Φ(x): half, and the integral of the density from 0 to x, by Simpson's rule.
fn normal(x: f64) -> f64 {
    let x = x.clamp(-9.0, 9.0);
    let density = |t: f64| (-0.5 * t * t).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let step = x / 20_000.0;
    let inner =
        (1..20_000).map(|i| density(f64::from(i) * step) * if i % 2 == 1 { 4.0 } else { 2.0 });
    0.5 + (density(0.0) + inner.sum::<f64>() + density(x)) * step / 3.0
}

/// At the bends and far off; a gradient of one comes back as the slope.
#[test]
fn elu_softplus_and_clamp() {
    fn one<L: Activation<Volume<f64, 1, 1, 5>>>(layer: &L, x: [f64; 5]) -> [[f64; 5]; 2] {
        let mut v = Volume([[x]]);
        layer.forward(&mut v);
        let mut dv = Volume([[[1.0; 5]]]);
        layer.backward(&v, &mut dv);
        [v[0][0], dv[0][0]]
    }
    fn near(found: [[f64; 5]; 2], expected: [[f64; 5]; 2]) {
        let pairs = found.as_flattened().iter().zip(expected.as_flattened());
        pairs.for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{a} {b}"));
    }
    let x = [-1e3, -1.0, 0.0, 2.0, 1e3];
    near(
        one(&Elu { alpha: 0.5 }, x),
        [
            [-0.5, 0.5 * ((-1.0_f64).exp() - 1.0), 0.0, 2.0, 1e3],
            [0.0, 0.5 * (-1.0_f64).exp(), 0.5, 1.0, 1.0],
        ],
    );
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    near(
        one(&Softplus, x),
        [
            [
                0.0,
                (1.0 + (-1.0_f64).exp()).ln(),
                2.0_f64.ln(),
                (1.0 + 2.0_f64.exp()).ln(),
                1e3,
            ],
            x.map(logistic),
        ],
    );
    let clamp = Clamp {
        low: -1.0,
        high: 2.0,
    };
    near(
        one(&clamp, x),
        [[-1.0, -1.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 0.0, 0.0]],
    );
    // The maximum is the last word, as in ONNX.
    let crossed = Clamp {
        low: 3.0,
        high: 2.0,
    };
    near(one(&crossed, x), [[2.0; 5], [0.0; 5]]);
    let nan = [f64::NAN; 5];
    assert!(one(&clamp, nan)[0].iter().all(|v| v.is_nan()));
    assert!(one(&Softplus, nan)[0].iter().all(|v| v.is_nan()));
    assert!(one(&Elu { alpha: 0.5 }, nan)[0].iter().all(|v| v.is_nan()));
}

/// What PyTorch's `hardsigmoid` gives, at the ends too, where random numbers never come.
#[test]
fn hard_sigmoid_is_flat_at_both_ends() {
    let mut v = Volume([[-4.0, -3.0, -1.5, 0.0, 2.25, 3.0, 4.0].map(|v| [v])]);
    HardSigmoid.forward(&mut v);
    assert_eq!(v.as_slice(), [0.0, 0.0, 0.25, 0.5, 0.875, 1.0, 1.0]);
    let mut dv = Volume([[[6.0]; 7]]);
    HardSigmoid.backward(&v, &mut dv);
    assert_eq!(dv.as_slice(), [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]);
    let mut nan = Volume([[[f64::NAN]]]);
    HardSigmoid.forward(&mut nan);
    assert!(nan.as_slice()[0].is_nan());
}

/// Random numbers never reach 6.
#[test]
fn relu6_is_flat_at_both_ends() {
    let mut v = Volume([[-1.0, 0.0, 0.5, 5.5, 6.0, 7.0].map(|v| [v])]);
    Relu6.forward(&mut v);
    assert_eq!(v.as_slice(), [0.0, 0.0, 0.5, 5.5, 6.0, 6.0]);
    let mut dv = Volume([[[1.0]; 6]]);
    Relu6.backward(&v, &mut dv);
    assert_eq!(dv.as_slice(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
}

#[test]
fn conv_transpose() {
    type Up = ConvTranspose<f64, 3, 4, 2, 5, Slide<2, 3, 1, 0>>;
    check::<Up, Volume<f64, 3, 2, 2>, Volume<f64, 5, 7, 5>>(Up::ZERO, |up| {
        let filters = up.filters.as_flattened_mut().as_flattened_mut();
        [filters.as_flattened_mut(), &mut up.bias]
    });
    // In two groups, with gaps, and a row and a column behind the last stamp.
    type Grouped = ConvTranspose<f64, 3, 2, 4, 6, Slide<2, 2, 1, 0, 2, 1>, 3>;
    check::<Grouped, Volume<f64, 2, 3, 4>, Volume<f64, 6, 7, 6>>(Grouped::ZERO, |up| {
        let filters = up.filters.as_flattened_mut().as_flattened_mut();
        [filters.as_flattened_mut(), &mut up.bias]
    });
}

/// The statistics stand still, and are no slope: they are not among the parameters. 70 depth
/// slices are more than are done at a time.
#[test]
fn batch_norm() {
    type X = Volume<f64, 2, 3, 70>;
    let mut norm = BatchNorm::<f64, 70>::ZERO;
    let mut rng = Rng::new(231);
    norm.mean.fill_with(|| rng.normal());
    norm.variance.fill_with(|| rng.uniform() + 0.5);
    let plain = BatchNorm::<f64, 70, { f64::to_bits(1e-3) }, false> {
        gamma: norm.gamma,
        beta: norm.beta,
        mean: norm.mean,
        variance: norm.variance,
    };
    check::<_, X, X>(norm, |norm| [&mut norm.gamma, &mut norm.beta]);
    // Its factors and summands, of 0, count as 1 and 0.
    let (mut x, mut y) = (X::ZERO, X::ZERO);
    x.as_mut_slice().fill_with(|| rng.normal());
    plain.forward(&x, &mut y);
    let expected = (x[1][2][69] - plain.mean[69]) / (plain.variance[69] + 1e-3).sqrt();
    assert!((y[1][2][69] - expected).abs() < 1e-12);
    check::<_, X, X>(plain, |_| [&mut [], &mut []]);
}

#[test]
fn lrn() {
    type X = Volume<f64, 2, 3, 7>;
    for (size, alpha, beta, k) in [
        (5, 0.7, 0.75, 2.0),
        (2, 1.3, 0.5, 1.0),
        (1, 0.2, 2.0, 0.5),
        (9, 1.0, 0.75, 1.0),
    ] {
        let lrn = Lrn {
            size,
            alpha,
            beta,
            k,
        };
        check::<Lrn, X, X>(lrn, |_| [&mut [], &mut []]);
        let mut rng = Rng::new(5);
        let mut x = X::ZERO;
        x.as_mut_slice().fill_with(|| rng.normal());
        let (mut y, mut v) = (X::ZERO, x.clone());
        lrn.forward(&x, &mut y);
        lrn.forward_in_place(&mut v);
        assert_eq!(y, v);
        // The definition, written down once more, with PyTorch's neighbours.
        for (x, y) in x.iter().flatten().zip(y.iter().flatten()) {
            for d in 0..7_usize {
                let near = (0..7).filter(|&i| i + size / 2 >= d && i <= d + (size - 1) / 2);
                let sum: f64 = near.map(|i| x[i] * x[i]).sum();
                let expected = x[d] / (k + alpha / size as f64 * sum).powf(beta);
                assert!((y[d] - expected).abs() < 1e-12, "{lrn:?}");
            }
        }
    }
}

#[test]
fn activations() {
    check_activation(&Relu);
    check_activation(&Relu6);
    check_activation(&LeakyRelu::default());
    check_activation(&LeakyRelu { slope: 0.2 });
    check_activation(&Sigmoid);
    check_activation(&HardSigmoid);
    check_activation(&Elu::default());
    check_activation(&Elu { alpha: 0.3 });
    check_activation(&Softplus);
    check_activation(&Clamp {
        low: -0.5,
        high: 0.25,
    });
    check_activation(&Tanh);
    check_activation(&Softmax);
    check_activation(&LogSoftmax);
}

/// With the same seed the same values are dropped.
#[test]
fn dropout() {
    let (mut x, mut dy) = (Volume::<f64, 2, 3, 4>::ZERO, Volume::ZERO);
    let mut rng = Rng::new(231);
    x.as_mut_slice().fill_with(|| rng.normal());
    dy.as_mut_slice().fill_with(|| rng.normal());
    let (mut y, mut mask, dropout) = (x.clone(), Volume::ZERO, Dropout { rate: 0.3 });
    dropout.forward(&mut y, &mut mask, Rng::new(1));
    let mut dx = dy.clone();
    dropout.backward(&mask, &mut dx);
    assert!(dx.as_slice().contains(&0.0), "something is dropped");
    for (at, &analytic) in dx.as_slice().iter().enumerate() {
        let slope = slope(analytic, |h| {
            y.clone_from(&x);
            y.as_mut_slice()[at] += h;
            dropout.forward(&mut y, &mut mask, Rng::new(1));
            inner(&y, &dy)
        });
        assert!(slope.error < LIMIT, "{at}: {slope:?}");
    }
}

/// No slope decides this, and none of the stored cases has a tie: PyTorch's rule is written out.
/// One depth slice for the plain loops, 16 for the vector kernels.
#[test]
fn of_equals_the_first_gets_the_gradient() {
    fn check<T: Real, const D: usize>() {
        let pool = MaxPool::<2, 2, Slide<2, 2, 0, 0>>::new();
        let tied = |value: f64| [T::of(value); D];
        let x = Volume([[tied(1.0), tied(5.0)], [tied(5.0), tied(5.0)]]);
        let mut dx = Volume([[tied(9.0); 2]; 2]);
        pool.backward(&x, &mut dx, &Volume([[tied(3.0)]]), &mut { pool });
        let (none, all) = (tied(0.0), tied(3.0));
        assert_eq!(dx, Volume([[none, all], [none, none]]));
    }
    check::<f64, 1>();
    check::<f64, 16>();
    check::<f32, 1>();
    check::<f32, 16>();
}

/// Checks ⟨y, dy⟩ along every number of x and of the parameters.
fn check<L, X, Y>(zero: L, parameters: impl Fn(&mut L) -> [&mut [f64]; 2])
where
    L: Layer<X, Y> + Clone,
    X: AnyVolume<Scalar = f64>,
    Y: AnyVolume<Scalar = f64>,
{
    let (mut layer, mut gradient) = (zero.clone(), zero);
    let (mut x, mut dx, mut y, mut dy) = (X::zeroed(), X::zeroed(), Y::zeroed(), Y::zeroed());
    let mut rng = Rng::new(231);
    let mut draw = |numbers: &mut [f64]| numbers.fill_with(|| rng.normal());
    parameters(&mut layer).into_iter().for_each(&mut draw);
    draw(x.as_mut_slice());
    draw(dy.as_mut_slice());
    layer.backward(&x, &mut dx, &dy, &mut gradient);

    let mut objective = |layer: &L, x: &X| {
        layer.forward(x, &mut y);
        inner(&y, &dy)
    };
    for (at, &analytic) in dx.as_slice().iter().enumerate() {
        let middle = x.as_slice()[at];
        let slope = slope(analytic, |h| {
            x.as_mut_slice()[at] = middle + h;
            objective(&layer, &x)
        });
        x.as_mut_slice()[at] = middle;
        assert!(slope.error < LIMIT, "x[{at}]: {slope:?}");
    }
    for (which, gradient) in parameters(&mut gradient).into_iter().enumerate() {
        for (at, &mut analytic) in gradient.iter_mut().enumerate() {
            let middle = parameters(&mut layer)[which][at];
            let slope = slope(analytic, |h| {
                parameters(&mut layer)[which][at] = middle + h;
                objective(&layer, &x)
            });
            parameters(&mut layer)[which][at] = middle;
            assert!(slope.error < LIMIT, "parameters[{which}][{at}]: {slope:?}");
        }
    }
}

fn check_activation<A: Activation<Volume<f64, 2, 3, 4>>>(activation: &A) {
    let (mut x, mut dy) = (Volume::<f64, 2, 3, 4>::ZERO, Volume::ZERO);
    let mut rng = Rng::new(231);
    x.as_mut_slice().fill_with(|| rng.normal());
    dy.as_mut_slice().fill_with(|| rng.normal());
    let mut y = x.clone();
    activation.forward(&mut y);
    let mut dx = dy.clone();
    activation.backward(&y, &mut dx);
    for (at, &analytic) in dx.as_slice().iter().enumerate() {
        let slope = slope(analytic, |h| {
            y.clone_from(&x);
            y.as_mut_slice()[at] += h;
            activation.forward(&mut y);
            inner(&y, &dy)
        });
        assert!(slope.error < LIMIT, "{at}: {slope:?}");
    }
}

fn inner<V: AnyVolume<Scalar = f64>>(a: &V, b: &V) -> f64 {
    a.as_slice()
        .iter()
        .zip(b.as_slice())
        .map(|(a, b)| a * b)
        .sum()
}
