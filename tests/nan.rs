//! NaN stays NaN, by every path: what a network makes of an image with a NaN in it is NaN at the same places
//! in `f64`, in `f32` at every level, in training, prepared, and row by row. Winograd's algorithm may
//! spread it over a tile.

#![cfg(feature = "train")]

use convnet::Scores;
use convnet::data::Samples;
use convnet::kernel::{level, levels, with_level};
use convnet::layer::{Activation, GlobalMaxPool, Layer, LeakyRelu, MaxPool, Relu, Relu6, Slide};
use convnet::loss::SoftmaxCrossEntropy;
use convnet::optim::Adam;
use convnet::prepare::{Prepare, Prepared};
use convnet::train::{Progress, TrainError, Trainer, evaluate};
use convnet::{AnyVolume, Network, Parameters, Real, Rng, Role, Trainable, Volume, convnet};

/// The same layers three times: as they are, row by row, and trained by Winograd's algorithm.
macro_rules! networks {
    ($($plain:ident, $rows:ident, $fast:ident { $($layers:tt)* })*) => {$(
        convnet! {
            #[direct_training]
            struct $plain { $($layers)* }
        }
        convnet! {
            #[row_by_row]
            #[direct_training]
            struct $rows { $($layers)* }
        }
        convnet! { struct $fast { $($layers)* } }
    )*};
}

networks! {
    Pairs, PairsByRows, PairsFast {
        input(24x20x3), conv(6, 5x5, pad = 2), relu, max_pool(2x2)
    }
    Overlapping, OverlappingByRows, OverlappingFast {
        input(25x21x3), conv(8, 3x3, pad = 1), batch_norm, relu6, max_pool(3x3, stride = 2)
    }
    PoolFirst, PoolFirstByRows, PoolFirstFast {
        input(27x23x1), conv(5, 3x3), max_pool(3x3, stride = 2, pad = 1), relu, avg_pool(3x3, stride = 2)
    }
    Deep, DeepByRows, DeepFast {
        input(24x24x16),
        conv(16, 3x3, pad = 1), leaky_relu,
        max_pool(2x2),
        conv(32, 3x3, pad = 1), relu, conv(17, 1x1), relu6, max_pool(2x2)
    }
    Large, LargeByRows, LargeFast {
        input(13x13x16), conv(16, 5x5, pad = 2), hard_swish, max_pool(5x5, stride = 4), softmax
    }
    Slices, SlicesByRows, SlicesFast {
        input(20x18x8),
        depthwise(3x3, pad = 1), batch_norm, relu6,
        conv(12, 3x3, pad = 1, groups = 4), relu,
        depthwise(5x5, pad = 2), sigmoid,
        max_pool(2x2),
        lrn(5), tanh
    }
    Blocks, BlocksByRows, BlocksFast {
        input(16x16x4),
        residual { conv(4, 3x3, pad = 1), relu, max_pool(3x3, stride = 1, pad = 1) },
        concat { [conv(2, 1x1), relu6, max_pool(2x2)], [conv(3, 2x2, stride = 2), relu] },
        conv_transpose(3, 2x2, stride = 2)
    }
    All, AllByRows, AllFast { input(18x14x3), conv(6, 3x3), relu, global_max_pool, fc(5) }
    Mean, MeanByRows, MeanFast { input(18x14x3), conv(6, 3x3), hard_swish, max_pool(2x2), global_avg_pool }
}

/// Without a NaN among them.
fn network<N: Network>() -> Box<N> {
    let (mut net, mut rng): (Box<N>, _) = (bytemuck::zeroed_box(), Rng::new(19));
    for (index, tensor) in N::TENSORS.iter().enumerate() {
        let variance = f64::from(u8::from(matches!(tensor.role, Role::Variance(..))));
        let draw = || N::Scalar::of(rng.uniform() - 0.5 + variance);
        net.tensor_mut(index).fill_with(draw);
    }
    net
}

fn image<N: Network>(nan: usize) -> Box<N::Input> {
    let (mut image, mut rng): (Box<N::Input>, _) = (bytemuck::zeroed_box(), Rng::new(7));
    let pixels = image.as_mut_slice();
    pixels.fill_with(|| N::Scalar::of(rng.uniform() - 0.5));
    pixels[nan] = N::Scalar::of(f64::NAN);
    image
}

/// Scalars of `f32` or `f64`.
type Values = Vec<f64>;

fn values<T: Real>(of: &[T]) -> Values {
    of.iter().map(|v| v.widen()).collect()
}

fn nans(of: &Values) -> Vec<bool> {
    of.iter().map(|v| v.is_nan()).collect()
}

fn forward<N: Network>(nan: usize) -> Values {
    let mut arena: Box<N::Arena> = bytemuck::zeroed_box();
    values(
        network::<N>()
            .forward(&image::<N>(nan), &mut arena)
            .as_slice(),
    )
}

fn prepared<N: Prepare>(nan: usize, winograd: bool) -> Values {
    let net = network::<N>();
    let fast = match winograd {
        true => Prepared::new(&*net),
        false => Prepared::without_winograd(&*net),
    };
    values(fast.forward(&image::<N>(nan), &mut fast.arena()).as_slice())
}

/// The scores, the gradient on the image, and those on the parameters.
fn training<N: Trainable>(nan: usize) -> Vec<Values> {
    let (net, image, mut rng) = (network::<N>(), image::<N>(nan), Rng::new(3));
    let (mut tape, mut d_image): (Box<N::Tape>, Box<N::Input>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let scores = values(net.forward_train(&image, &mut tape, 0).as_slice());
    let (mut d_scores, mut gradient): (Box<N::Output>, Box<N>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let d_output = d_scores.as_mut_slice();
    d_output.fill_with(|| N::Scalar::of(rng.uniform() - 0.5));
    net.backward(
        &image,
        Some(&mut d_image),
        &mut tape,
        &d_scores,
        &mut gradient,
    );
    let parameters = (0..N::TENSORS.len()).map(|index| values(gradient.tensor(index)));
    let inputs = [scores, values(d_image.as_slice())];
    inputs.into_iter().chain(parameters).collect()
}

/// NaN at the same places; elsewhere the same numbers.
fn same(found: &Values, expected: &Values, path: &str) {
    assert_eq!(nans(found), nans(expected), "{path}");
    for (found, expected) in found.iter().zip(expected) {
        let off = (found - expected).abs();
        assert!(
            off.is_nan() || off < 1e-4 * (1.0 + expected.abs()),
            "{path}"
        );
    }
}

/// NaN there, and maybe at more places.
fn spread(found: &Values, expected: &Values, path: &str) {
    let pairs = found.iter().zip(expected);
    let lost = pairs.filter(|(found, expected)| expected.is_nan() && !found.is_nan());
    assert_eq!(lost.count(), 0, "{path}");
}

fn check<N, R, F, D>(name: &str)
where
    N: Prepare<Scalar = f32> + Trainable,
    R: Prepare<Scalar = f32>,
    F: Trainable<Scalar = f32>,
    D: Trainable<Scalar = f64>,
{
    let [height, width, depth] = N::Input::SHAPE;
    let corner = height * width * depth - 1;
    let (side, middle) = (width * depth / 2, (height / 2 * width + width / 3) * depth);
    for nan in [0, side, middle, corner] {
        let plain = forward::<D>(nan);
        let trained = training::<D>(nan);
        assert!(
            plain.iter().any(|v| v.is_nan()),
            "{name}, {nan}: it is lost"
        );
        same(&trained[0], &plain, name);
        for each in levels() {
            with_level(each, || {
                let path = |how: &str| format!("{name}, NaN at {nan}, {:?}, {how}", level());
                same(&forward::<N>(nan), &plain, &path("forward"));
                same(&forward::<R>(nan), &plain, &path("row by row"));
                same(&prepared::<N>(nan, false), &plain, &path("prepared"));
                same(
                    &prepared::<R>(nan, false),
                    &plain,
                    &path("prepared, row by row"),
                );
                spread(&prepared::<N>(nan, true), &plain, &path("Winograd"));
                let [direct, fast] = [training::<N>(nan), training::<F>(nan)];
                for (at, expected) in trained.iter().enumerate() {
                    let path = path(&format!("training, {at}"));
                    same(&direct[at], expected, &path);
                    spread(&fast[at], expected, &path);
                }
            });
        }
    }
}

macro_rules! tests {
    ($($name:ident: $plain:ident, $rows:ident, $fast:ident;)*) => {$(
        #[test]
        fn $name() {
            check::<$plain, $rows, $fast, $plain<f64>>(stringify!($plain));
        }
    )*};
}

tests! {
    in_pairs: Pairs, PairsByRows, PairsFast;
    in_windows_that_overlap: Overlapping, OverlappingByRows, OverlappingFast;
    with_the_activation_behind_the_pool: PoolFirst, PoolFirstByRows, PoolFirstFast;
    in_many_filters: Deep, DeepByRows, DeepFast;
    in_large_windows: Large, LargeByRows, LargeFast;
    in_depth_slices: Slices, SlicesByRows, SlicesFast;
    in_blocks: Blocks, BlocksByRows, BlocksFast;
    over_all_pixels: All, AllByRows, AllFast;
    in_means: Mean, MeanByRows, MeanFast;
}

/// By the definition: every window that looks, through a filter, at the pixel.
#[test]
fn each_window_that_sees_it_is_nan_and_no_other() {
    let (y, x) = (11, 9);
    let sees = |o: usize, i: usize| (2 * o..2 * o + 2).any(|c| c.abs_diff(i) <= 2);
    let found = forward::<Pairs>((y * 24 + x) * 3 + 1);
    let windows = (0..10).flat_map(|oy| (0..12).map(move |ox| (oy, ox)));
    for ((oy, ox), found) in windows.zip(found.chunks(6)) {
        let expected = sees(oy, y) && sees(ox, x);
        assert!(
            found.iter().all(|v| v.is_nan() == expected),
            "{oy}, {ox}: {found:?}"
        );
    }
}

convnet! {
    struct Classes {
        input(8x8x1),
        stem: conv(4, 3x3, pad = 1), relu,
        max_pool(2x2),
        scores: fc(3),
    }
}

convnet! {
    /// Were the largest of a window of NaN −∞, the relu would make that 0: a finite loss, and a gradient of
    /// NaN.
    struct Normed {
        input(8x8x1),
        conv(4, 3x3, pad = 1, bias = none), batch_norm,
        max_pool(2x2), relu,
        conv(4, 1x1), batch_norm, relu6,
        global_max_pool,
        scores: fc(3),
    }
}

/// Images of noise, of which some hold a NaN.
struct Noise(fn(usize) -> bool);

impl Samples for Noise {
    fn len(&self) -> usize {
        12
    }

    fn shape(&self) -> [usize; 3] {
        [8, 8, 1]
    }

    fn classes(&self) -> usize {
        3
    }

    fn label(&self, index: usize) -> usize {
        index % 3
    }

    fn image<T: Real>(&self, index: usize, image: &mut [T]) {
        let mut rng = Rng::new(index as u64);
        image.fill_with(|| T::of(rng.normal()));
        if self.0(index) {
            image[42] = T::nan();
        }
    }
}

#[test]
fn an_evaluation_names_the_image_and_the_layer() {
    let loss = SoftmaxCrossEntropy::default();
    let mut net = Classes::<f32>::random(1);
    let error = evaluate(&*net, &Noise(|index| index == 7), &loss).unwrap_err();
    assert_eq!(
        error.to_string(),
        "score 0 of image 7 is NaN, from scores\n\
         scalar 42 of the image is not finite: look at how its pixels are read and normalised"
    );
    assert!(evaluate(&*net, &Noise(|_| false), &loss).is_ok());
    net.stem.filters.as_flattened_mut().as_flattened_mut()[0] = [f32::NAN; 4];
    let error = evaluate(&*net, &Noise(|_| false), &loss).unwrap_err();
    assert!(matches!(
        error,
        TrainError::Nan {
            image: 0,
            score: 0,
            layer: "scores",
            pixel: None
        }
    ));
    assert!(
        error.to_string().contains("the network's weights are not"),
        "{error}"
    );
}

/// The highest, so that it is seen.
#[test]
fn the_best_score_is_the_first_nan() {
    let best = |scores| Volume([[scores]]).best();
    assert_eq!(best([1.0, f32::NAN, 7.0, f32::NAN]), 1);
    assert_eq!(best([f32::NAN, 2.0, f32::INFINITY, 0.0]), 0);
    assert_eq!(best([f32::NEG_INFINITY; 4]), 0);
    assert_eq!(best([-1.0, -0.5, -0.5, -2.0]), 1);
}

/// No step is taken along it: neither the weights nor the running statistics move.
#[test]
fn nan_in_a_batch_stops_a_training_before_its_step() {
    fn bits<N: Parameters<Scalar = f32>>(net: &N) -> Vec<u32> {
        let tensors = (0..N::TENSORS.len()).flat_map(|index| net.tensor(index));
        tensors.map(|w| w.to_bits()).collect()
    }
    fn check<N: Trainable<Scalar = f32> + Send + Sync>(batch_size: usize, set: Noise) {
        let mut net = network::<N>();
        let before = bits(&*net);
        let trainer = Trainer::new(Adam::default()).batch_size(batch_size);
        let error = trainer
            .progress(Progress::Silent)
            .fit(&mut *net, &set)
            .unwrap_err();
        assert!(
            matches!(error, TrainError::Diverged { batch: 0, .. }),
            "{error}"
        );
        assert!(
            error
                .to_string()
                .ends_with("`evaluate` names an image that holds NaN")
        );
        assert_eq!(bits(&*net), before);
    }
    check::<Normed>(12, Noise(|index| index == 7));
    check::<Normed>(4, Noise(|_| true));
    check::<Normed>(1, Noise(|_| true));
    check::<Classes>(12, Noise(|index| index == 7));
    check::<Classes>(1, Noise(|_| true));
}

/// As in PyTorch, where the gradient at NaN is not 0.
#[test]
fn an_activation_lets_the_gradient_pass_where_it_gave_nan() {
    let x = [f32::NAN, -1.0, 1.0, 7.0];
    fn passes(layer: &impl Activation<Scores<f32, 4>>, x: [f32; 4]) -> [f32; 4] {
        let (mut y, mut d) = (Volume([[x]]), Volume([[[2.0; 4]]]));
        layer.forward(&mut y);
        assert!(y[0][0][0].is_nan() && !y[0][0][1].is_nan());
        layer.backward(&y, &mut d);
        d[0][0]
    }
    assert_eq!(passes(&Relu, x), [2.0, 0.0, 2.0, 2.0]);
    assert_eq!(passes(&Relu6, x), [2.0, 0.0, 2.0, 0.0]);
    assert_eq!(passes(&LeakyRelu { slope: 0.5 }, x), [1.0, 1.0, 2.0, 2.0]);
}

/// The first of several; and infinities of both signs are no NaN.
#[test]
fn the_gradient_of_a_pool_goes_to_the_first_nan() {
    fn check<T: Real>() {
        let pool = MaxPool::<2, 2, Slide<2, 2, 0, 0>>::new();
        for (window, winner) in [
            ([1.0, f64::NAN, f64::NAN, 9.0], 1),
            ([f64::NAN, 9.0, 1.0, f64::NAN], 0),
            ([f64::INFINITY, f64::NEG_INFINITY, 1.0, f64::INFINITY], 0),
            ([f64::NEG_INFINITY, 2.0, f64::INFINITY, f64::NAN], 3),
        ] {
            // Enough depths for a vector, of which one is of interest.
            let mut x = Volume::<T, 2, 2, 19>::ZERO;
            let columns = x.iter_mut().flatten().zip(window);
            columns.for_each(|(column, pixel)| column[17] = T::of(pixel));
            let mut dy = Scores::<T, 19>::ZERO;
            dy[0][0][17] = T::of(3.0);
            for layer in [false, true] {
                let mut dx = Volume::<T, 2, 2, 19>::ZERO;
                dx.as_mut_slice().fill(T::of(5.0));
                match layer {
                    true => pool.backward(&x, &mut dx, &dy, &mut MaxPool::new()),
                    false => GlobalMaxPool.backward(&x, &mut dx, &dy, &mut GlobalMaxPool),
                }
                let mut expected = Volume::<T, 2, 2, 19>::ZERO;
                expected[winner / 2][winner % 2][17] = T::of(3.0);
                assert_eq!(dx, expected, "{window:?}");
            }
        }
    }
    check::<f64>();
    for level in levels() {
        with_level(level, check::<f32>);
    }
}
