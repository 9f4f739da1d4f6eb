//! Backward is the adjoint of forward: ⟨A x, dy⟩ = ⟨x, Aᵀ dy⟩ for every x and dy.
//!
//! One line that fails if stride, padding or an index differs between the two directions. Layers
//! that choose (`max_pool`, `relu`, `leaky_relu`) are linear once x has chosen, so it holds for
//! them at that x. The list below crosses odd and even filters, strides above and below the
//! filter, padding on one side only, depths around the vector widths, and sizes of one.

use convnet_core::kernel::{self, Sizes};
use convnet_core::layer::{
    Activation, AvgPool, Conv, ConvTranspose, Depthwise, Fc, GlobalAvgPool, GlobalMaxPool, Layer,
    LeakyRelu, MaxPool, Relu, Slide,
};
use convnet_core::{AnyVolume, Real, Volume};
use proptest::prelude::*;

/// Numbers in [−1, 1) from a seed: proptest varies the seed, the layer's type says how many.
fn fill<T: Real>(values: &mut [T], seed: u64, stream: u64) {
    let mut state = seed ^ stream.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    for value in values {
        // Knuth's MMIX generator; the high bits.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *value = T::of(f64::from((state >> 33) as u32) / f64::from(1_u32 << 30) - 1.0);
    }
}

fn inner<T: Real>(a: &[T], b: &[T]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| a.widen() * b.widen()).sum()
}

/// Each side is a sum of products of magnitude at most `terms`, each rounded once more than it has
/// terms; a few units in the last place of their absolute sum is the most that rounding explains
/// (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.1).
fn same<T: Real>(left: f64, right: f64, terms: usize) {
    let bound = T::epsilon().widen() * (terms as f64).powf(1.5);
    assert!(
        (left - right).abs() <= bound,
        "{left} is not {right}, within {bound}"
    );
}

/// Checks the gradient on x; and the one on the parameters, in which a layer is linear as well.
fn check<L: Layer<X, Y> + Clone, X, Y>(
    zero: L,
    seed: u64,
    parameters: impl Fn(&mut L) -> [&mut [X::Scalar]; 2],
) where
    X: AnyVolume<Scalar: Real>,
    Y: AnyVolume<Scalar = X::Scalar>,
{
    let (mut layer, mut gradient) = (zero.clone(), zero);
    let (mut x, mut dx, mut y, mut dy) = (X::zeroed(), X::zeroed(), Y::zeroed(), Y::zeroed());
    let [weights, _] = parameters(&mut layer);
    fill(weights, seed, 1);
    fill(x.as_mut_slice(), seed, 2);
    fill(dy.as_mut_slice(), seed, 3);
    fill(dx.as_mut_slice(), seed, 4); // backward must overwrite this

    let terms = (x.as_slice().len() + weights.len()) * y.as_slice().len();
    layer.forward(&x, &mut y);
    layer.backward(&x, &mut dx, &dy, &mut gradient);
    let output = inner(y.as_slice(), dy.as_slice());
    same::<X::Scalar>(output, inner(x.as_slice(), dx.as_slice()), terms);

    let [weights, bias] = parameters(&mut layer);
    let [d_weights, d_bias] = parameters(&mut gradient);
    if !weights.is_empty() {
        same::<X::Scalar>(output, inner(weights, d_weights), terms);
        // With a bias of e_k, the output grows by one at filter k of every position.
        for (k, d) in d_bias.iter().enumerate() {
            let sum = dy
                .as_slice()
                .iter()
                .skip(k)
                .step_by(bias.len())
                .map(|d| d.widen())
                .sum();
            same::<X::Scalar>(d.widen(), sum, terms);
        }
        // A second image adds to the gradient.
        let once: Vec<f64> = d_weights.iter().map(|d| d.widen()).collect();
        layer.backward_parameters(&x, &dy, &mut gradient);
        let [d_weights, _] = parameters(&mut gradient);
        for (&once, twice) in once.iter().zip(d_weights) {
            same::<X::Scalar>(2.0 * once, twice.widen(), terms);
        }
    }
}

fn check_activation<A: Activation<V>, V: AnyVolume<Scalar: Real>>(activation: &A, seed: u64) {
    let (mut x, mut y, mut dx, mut dy) = (V::zeroed(), V::zeroed(), V::zeroed(), V::zeroed());
    fill(x.as_mut_slice(), seed, 1);
    fill(dy.as_mut_slice(), seed, 2);
    y.as_mut_slice().copy_from_slice(x.as_slice());
    dx.as_mut_slice().copy_from_slice(dy.as_slice());
    activation.forward(&mut y);
    activation.backward(&y, &mut dx);
    let terms = x.as_slice().len();
    same::<V::Scalar>(
        inner(y.as_slice(), dy.as_slice()),
        inner(x.as_slice(), dx.as_slice()),
        terms,
    );
}

/// `[H, W, D] -> [HO, WO, K], filter FHxFW, slide`
macro_rules! conv {
    ($seed:ident: $([$h:literal, $w:literal, $d:literal] -> [$ho:literal, $wo:literal, $k:literal],
        $fh:literal x $fw:literal, $slide:ty;)*) => {$(
        conv!(@ $seed f32 [$h, $w, $d] [$ho, $wo, $k] $fh $fw $slide);
        conv!(@ $seed f64 [$h, $w, $d] [$ho, $wo, $k] $fh $fw $slide);
    )*};
    (@ $seed:ident $t:ident [$h:literal, $w:literal, $d:literal] [$ho:literal, $wo:literal, $k:literal]
        $fh:literal $fw:literal $slide:ty) => {
        check::<Conv<$t, $fh, $fw, $d, $k, $slide>, Volume<$t, $h, $w, $d>, Volume<$t, $ho, $wo, $k>>(
            Conv::ZERO,
            $seed,
            |conv| [
                conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                &mut conv.bias,
            ],
        );
    };
}

/// `[H, W, G·D] -> [HO, WO, K], filter FHxFWxD, slide`
macro_rules! grouped_conv {
    ($seed:ident: $([$h:literal, $w:literal, $dx:literal] -> [$ho:literal, $wo:literal, $k:literal],
        $fh:literal x $fw:literal x $d:literal, $slide:ty;)*) => {$(
        grouped_conv!(@ $seed f32 [$h, $w, $dx] [$ho, $wo, $k] $fh $fw $d $slide);
        grouped_conv!(@ $seed f64 [$h, $w, $dx] [$ho, $wo, $k] $fh $fw $d $slide);
    )*};
    (@ $seed:ident $t:ident [$h:literal, $w:literal, $dx:literal] [$ho:literal, $wo:literal, $k:literal]
        $fh:literal $fw:literal $d:literal $slide:ty) => {
        check::<
            Conv<$t, $fh, $fw, $dx, $k, $slide, $d>,
            Volume<$t, $h, $w, $dx>,
            Volume<$t, $ho, $wo, $k>,
        >(Conv::ZERO, $seed, |conv| [
            conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
            &mut conv.bias,
        ]);
    };
}

/// `[H, W, D] -> [HO, WO], filter FHxFW, slide`
macro_rules! depthwise {
    ($seed:ident: $([$h:literal, $w:literal, $d:literal] -> [$ho:literal, $wo:literal],
        $fh:literal x $fw:literal, $slide:ty;)*) => {$(
        depthwise!(@ $seed f32 [$h, $w, $d] [$ho, $wo] $fh $fw $slide);
        depthwise!(@ $seed f64 [$h, $w, $d] [$ho, $wo] $fh $fw $slide);
    )*};
    (@ $seed:ident $t:ident [$h:literal, $w:literal, $d:literal] [$ho:literal, $wo:literal]
        $fh:literal $fw:literal $slide:ty) => {
        check::<Depthwise<$t, $fh, $fw, $d, $slide>, Volume<$t, $h, $w, $d>, Volume<$t, $ho, $wo, $d>>(
            Depthwise::ZERO,
            $seed,
            |conv| [
                conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                &mut conv.bias,
            ],
        );
    };
}

macro_rules! pools {
    ($seed:ident: $($pool:ident [$h:literal, $w:literal, $d:literal] -> [$ho:literal, $wo:literal],
        $fh:literal x $fw:literal, $slide:ty;)*) => {$(
        check::<$pool<$fh, $fw, $slide>, Volume<f32, $h, $w, $d>, Volume<f32, $ho, $wo, $d>>(
            $pool::new(), $seed, |_| [&mut [], &mut []]);
        check::<$pool<$fh, $fw, $slide>, Volume<f64, $h, $w, $d>, Volume<f64, $ho, $wo, $d>>(
            $pool::new(), $seed, |_| [&mut [], &mut []]);
    )*};
}

/// Any convolution on up to 9x9, with up to 20 filters on up to 9 depths.
fn any_sizes() -> impl Strategy<Value = Sizes> {
    let axis = (1_usize..10, 1_usize..6, 1_usize..4, 0_usize..3, 0_usize..3);
    (axis.clone(), axis, 1_usize..10, 1_usize..21).prop_map(|(rows, columns, d, k)| {
        let [rows, columns] = [rows, columns].map(|(x, filter, stride, before, after)| {
            let filter = filter.min(x + before + after);
            let y = (x + before + after - filter) / stride + 1;
            [x, filter, stride, before, y]
        });
        let [xs, filter, stride, before, ys] = core::array::from_fn(|i| [rows[i], columns[i]]);
        Sizes {
            x: [xs[0], xs[1], d],
            filter,
            stride,
            dilation: [1, 1],
            groups: 1,
            before,
            y: [ys[0], ys[1], k],
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn conv(seed: u64) {
        conv! { seed:
            [5, 5, 3] -> [5, 5, 2], 3 x 3, Slide<1, 1, 1, 1>;
            [5, 5, 3] -> [3, 3, 2], 3 x 3, Slide<2, 2, 1, 1>;
            [7, 7, 1] -> [5, 5, 1], 3 x 3, Slide<1, 1, 0, 0>;
            [7, 7, 1] -> [3, 3, 9], 3 x 3, Slide<2, 2, 0, 0>;
            [8, 8, 3] -> [8, 8, 12], 5 x 5, Slide<1, 1, 2, 2>;
            [9, 4, 5] -> [3, 2, 7], 1 x 3, Slide<4, 1, 0, 0>;
            [4, 9, 8] -> [4, 9, 16], 2 x 2, Slide<1, 1, 0, 1>;
            [6, 6, 2] -> [3, 4, 17], 4 x 3, Slide<2, 2, 1, 2>;
            [1, 1, 6] -> [1, 1, 5], 1 x 1, Slide<1, 1, 0, 0>;
            [1, 1, 2] -> [1, 1, 8], 3 x 3, Slide<1, 1, 1, 1>;
            [3, 3, 16] -> [3, 3, 24], 3 x 3, Slide<1, 1, 1, 1>;
            [11, 11, 3] -> [3, 3, 32], 5 x 5, Slide<3, 3, 0, 0>;
            [4, 14, 4] -> [4, 14, 33], 3 x 3, Slide<1, 1, 1, 1>;
            [7, 7, 2] -> [7, 7, 16], 3 x 3, Slide<1, 1, 2, 2, 2, 2>;
            [9, 8, 3] -> [3, 2, 5], 3 x 2, Slide<2, 3, 0, 1, 2, 4>;
        }
    }

    #[test]
    fn grouped_conv(seed: u64) {
        grouped_conv! { seed:
            [5, 5, 4] -> [5, 5, 6], 3 x 3 x 2, Slide<1, 1, 1, 1>;
            [7, 6, 9] -> [3, 5, 3], 3 x 2 x 3, Slide<2, 1, 0, 0>;
            [4, 4, 16] -> [4, 4, 32], 1 x 1 x 4, Slide<1, 1, 0, 0>;
            [6, 6, 5] -> [6, 6, 10], 3 x 3 x 1, Slide<1, 1, 1, 1>;
            [3, 3, 3] -> [3, 3, 2], 3 x 3 x 3, Slide<1, 1, 1, 1>;
            [8, 8, 4] -> [3, 3, 4], 2 x 3 x 2, Slide<2, 2, 0, 0, 3, 2>;
        }
        depthwise! { seed:
            [5, 5, 3] -> [5, 5], 3 x 3, Slide<1, 1, 1, 1>;
            [7, 4, 17] -> [3, 2], 3 x 2, Slide<2, 2, 0, 0>;
            [6, 6, 8] -> [6, 6], 3 x 3, Slide<1, 1, 2, 2, 2, 2>;
            [1, 1, 4] -> [1, 1], 3 x 3, Slide<1, 1, 1, 1>;
        }
    }

    #[test]
    fn conv_transpose(seed: u64) {
        macro_rules! transpose {
            ($($t:ident [$h:literal, $w:literal, $d:literal] -> [$ho:literal, $wo:literal, $k:literal],
                $fh:literal x $fw:literal $(x $kg:literal)?, $slide:ty;)*) => {$(
                check::<
                    ConvTranspose<$t, $fh, $fw, $d, $k, $slide $(, $kg)?>,
                    Volume<$t, $h, $w, $d>,
                    Volume<$t, $ho, $wo, $k>,
                >(ConvTranspose::ZERO, seed, |conv| [
                    conv.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                    &mut conv.bias,
                ]);
            )*};
        }
        transpose! {
            f32 [3, 4, 5] -> [6, 8, 16], 4 x 4, Slide<2, 2, 1, 1>;
            f64 [3, 4, 5] -> [6, 8, 16], 4 x 4, Slide<2, 2, 1, 1>;
            f32 [2, 2, 3] -> [4, 4, 2], 2 x 2, Slide<2, 2, 0, 0>;
            f64 [2, 2, 3] -> [4, 4, 2], 2 x 2, Slide<2, 2, 0, 0>;
            f32 [3, 1, 8] -> [7, 3, 7], 3 x 3, Slide<2, 1, 0, 0>;
            f64 [3, 1, 8] -> [7, 3, 7], 3 x 3, Slide<2, 1, 0, 0>;
            f32 [1, 1, 17] -> [5, 5, 9], 5 x 5, Slide<1, 1, 0, 0>;
            // In groups, with gaps, and with rows and columns behind the last stamp.
            f32 [3, 4, 6] -> [6, 8, 4], 4 x 4 x 2, Slide<2, 2, 1, 1>;
            f64 [3, 4, 6] -> [6, 8, 4], 4 x 4 x 2, Slide<2, 2, 1, 1>;
            f32 [2, 3, 32] -> [4, 6, 48], 2 x 2 x 3, Slide<2, 2, 0, 0>;
            f32 [3, 2, 3] -> [8, 6, 20], 3 x 3, Slide<1, 1, 0, 0, 2, 2>;
            f64 [3, 2, 3] -> [7, 7, 20], 3 x 3, Slide<1, 2, 0, 0, 2, 2>;
            f32 [3, 3, 8] -> [6, 7, 16], 1 x 2 x 8, Slide<2, 3, 0, 0>;
            f64 [3, 3, 8] -> [6, 7, 16], 1 x 2 x 8, Slide<2, 3, 0, 0>;
            f32 [2, 2, 4] -> [8, 9, 2], 3 x 3 x 1, Slide<3, 2, 0, 0, 2, 3>;
        }
    }

    /// The vector kernels take their shape as numbers, so here it is random too.
    #[test]
    fn conv_of_any_shape(sizes in any_sizes(), seed: u64) {
        let Sizes { x, filter, y, .. } = sizes;
        let taps = filter[0] * filter[1];
        let numbers = |len, stream| {
            let mut numbers = vec![0.0_f32; len];
            fill(&mut numbers, seed, stream);
            numbers
        };
        let volume = |shape: [usize; 3]| shape.iter().product::<usize>();
        let (input, dy) = (numbers(volume(x), 1), numbers(volume(y), 2));
        let filters = numbers(taps * x[2] * y[2], 3);
        for level in kernel::levels() {
            kernel::with_level(level, || {
                let (mut output, mut dx) = (vec![0.0; dy.len()], vec![0.0; input.len()]);
                let (mut d_filters, mut d_bias) = (vec![0.0; filters.len()], vec![0.0; y[2]]);
                let no_bias = vec![0.0; y[2]];
                assert!(kernel::conv_forward(&sizes, &input, &filters, &no_bias, &mut output));
                assert!(kernel::conv_backward_input(&sizes, &mut dx, &dy, &filters));
                assert!(kernel::conv_add_gradient(&sizes, &input, &dy, &mut d_filters, &mut d_bias));
                let terms = (taps * x[2] + 1) * dy.len();
                let seen = inner(&output, &dy);
                same::<f32>(seen, inner(&input, &dx), terms);
                same::<f32>(seen, inner(&filters, &d_filters), terms);
            });
        }
    }

    #[test]
    fn fc(seed: u64) {
        macro_rules! fc {
            ($($t:ident [$h:literal, $w:literal, $d:literal] -> $k:literal;)*) => {$(
                check::<Fc<$t, $h, $w, $d, $k>, Volume<$t, $h, $w, $d>, Volume<$t, 1, 1, $k>>(
                    Fc::ZERO,
                    seed,
                    |fc| [
                        fc.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
                        &mut fc.bias,
                    ],
                );
            )*};
        }
        fc! {
            f32 [3, 4, 5] -> 10; f64 [3, 4, 5] -> 10;
            f32 [1, 1, 1] -> 1; f64 [1, 1, 1] -> 1;
            f32 [1, 1, 40] -> 64; f64 [1, 1, 40] -> 64;
            f32 [2, 2, 7] -> 17; f64 [2, 2, 7] -> 17;
        }
    }

    #[test]
    fn pool(seed: u64) {
        pools! { seed:
            MaxPool [4, 4, 3] -> [2, 2], 2 x 2, Slide<2, 2, 0, 0>;
            MaxPool [7, 7, 9] -> [3, 3], 3 x 3, Slide<2, 2, 0, 0>;
            MaxPool [7, 5, 8] -> [4, 3], 3 x 3, Slide<2, 2, 1, 1>;
            MaxPool [5, 5, 1] -> [3, 3], 2 x 2, Slide<2, 2, 0, 0>;
            MaxPool [4, 6, 17] -> [4, 2], 1 x 3, Slide<1, 3, 0, 0>;
            AvgPool [4, 4, 3] -> [2, 2], 2 x 2, Slide<2, 2, 0, 0>;
            AvgPool [7, 5, 8] -> [4, 3], 3 x 3, Slide<2, 2, 1, 1>;
            AvgPool [5, 5, 1] -> [3, 3], 2 x 2, Slide<2, 2, 0, 0>;
        }
        check::<GlobalAvgPool, Volume<f32, 3, 5, 7>, Volume<f32, 1, 1, 7>>(GlobalAvgPool, seed, |_| [&mut [], &mut []]);
        check::<GlobalAvgPool, Volume<f64, 3, 5, 7>, Volume<f64, 1, 1, 7>>(GlobalAvgPool, seed, |_| [&mut [], &mut []]);
        check::<GlobalMaxPool, Volume<f32, 3, 5, 7>, Volume<f32, 1, 1, 7>>(GlobalMaxPool, seed, |_| [&mut [], &mut []]);
        check::<GlobalMaxPool, Volume<f64, 3, 5, 7>, Volume<f64, 1, 1, 7>>(GlobalMaxPool, seed, |_| [&mut [], &mut []]);
    }

    #[test]
    fn piecewise_linear_activations(seed: u64) {
        check_activation::<_, Volume<f32, 3, 5, 7>>(&Relu, seed);
        check_activation::<_, Volume<f64, 3, 5, 7>>(&Relu, seed);
        check_activation::<_, Volume<f32, 3, 5, 7>>(&LeakyRelu::default(), seed);
        check_activation::<_, Volume<f64, 3, 5, 7>>(&LeakyRelu { slope: 0.2 }, seed);
    }
}
