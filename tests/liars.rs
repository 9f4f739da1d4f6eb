//! What safe code may get wrong, it may get wrong: traits that say what is not so, layers that do what they
//! should not. The answer is a wrong number or a panic, and nothing else.

#![forbid(unsafe_code)]

use convnet::generated::kernel::{self, Algorithm, Clamp, Packed, Sizes, Winograd};
use convnet::generated::layer::repack::{Choices, Repack};
use convnet::generated::prepare::{Group, Image, Packer, Packing, Prepare, Reader};
use convnet::plan::LayerInfo;
use convnet::{Layer, Network, Overlay, Prepared, Real, Volume, convnet, parameters};

/// Replaces the volume that it should write, and leaves the first one that it is asked for as it was.
#[derive(Clone, Copy)]
struct Replaces;

const REPLACES: Replaces = Replaces;

impl<T: Real> Layer<Volume<T, 1, 1, 3>, Volume<T, 1, 1, 3>> for Replaces {
    fn forward(&self, x: &Volume<T, 1, 1, 3>, y: &mut Volume<T, 1, 1, 3>) {
        *y = Volume(x.0);
        let mut other = y.clone();
        core::mem::swap(y, &mut other);
    }

    fn backward(
        &self,
        x: &Volume<T, 1, 1, 3>,
        dx: &mut Volume<T, 1, 1, 3>,
        dy: &Volume<T, 1, 1, 3>,
        _: &mut Self,
    ) {
        *dx = Volume(dy.0);
        let _ = core::mem::replace(dx, Volume(x.0));
    }

    fn backward_parameters(&self, _: &Volume<T, 1, 1, 3>, _: &Volume<T, 1, 1, 3>, _: &mut Self) {}
}

/// Does nothing: what it should write is what lies there.
#[derive(Clone, Copy)]
struct Idle;

const IDLE: Idle = Idle;

impl<X, Y> Layer<X, Y> for Idle {
    fn forward(&self, _: &X, _: &mut Y) {}

    fn backward(&self, _: &X, _: &mut X, _: &Y, _: &mut Self) {}

    fn backward_parameters(&self, _: &X, _: &Y, _: &mut Self) {}
}

/// Copies, and lets its thread do something else for the pool, as waiting for other threads does.
#[derive(Clone, Copy)]
struct Waits;

const WAITS: Waits = Waits;

impl<T: Real> Layer<Volume<T, 1, 1, 3>, Volume<T, 1, 1, 3>> for Waits {
    fn forward(&self, x: &Volume<T, 1, 1, 3>, y: &mut Volume<T, 1, 1, 3>) {
        *y = Volume(x.0);
        rayon::yield_now();
    }

    fn backward(
        &self,
        _: &Volume<T, 1, 1, 3>,
        dx: &mut Volume<T, 1, 1, 3>,
        dy: &Volume<T, 1, 1, 3>,
        _: &mut Self,
    ) {
        *dx = Volume(dy.0);
    }

    fn backward_parameters(&self, _: &Volume<T, 1, 1, 3>, _: &Volume<T, 1, 1, 3>, _: &mut Self) {}
}

convnet! {
    struct Patient { input(1x1x3), layer(WAITS, 1x1x3), fc(2) }
}

/// While a layer waits for the pool, its thread begins with another image.
#[test]
fn a_layer_that_waits_for_the_pool_holds_no_image_up() {
    let net = Patient::<f32>::random(7);
    let images: Vec<_> = (0..9).map(|n| Volume([[[n as f32, 1.0, -2.0]]])).collect();
    let fast = Prepared::new(&*net);
    let mut arena = fast.arena();
    let one = |image| Box::new(fast.forward(image, &mut arena).clone());
    let expected: Vec<_> = images.iter().map(one).collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let batch = pool
        .expect("threads")
        .install(|| fast.forward_batch(&images));
    assert_eq!(batch, expected);
}

convnet! {
    /// Small volumes lie where a larger one lies later, which nobody writes.
    struct Careless {
        input(2x2x3),
        max_pool(2x2),
        layer(REPLACES, 1x1x3),
        layer(IDLE, 4x4x3),
        relu,
        fc(2),
    }
}

#[test]
fn a_layer_may_replace_a_volume_or_leave_it() {
    let (net, mut arena, mut tape) = (
        Careless::<f32>::random(1),
        Careless::arena(),
        Careless::tape(),
    );
    let image = Volume([[[1.0, 2.0, 3.0]; 2]; 2]);
    let scores = net.forward(&image, &mut arena).clone();
    assert!(scores.as_slice().iter().all(|score| score.is_finite()));
    net.forward_train(&image, &mut tape, 0);
    let (mut gradient, mut dx) = (Careless::boxed(), Volume::ZERO);
    net.backward(&image, Some(&mut dx), &mut tape, &scores, &mut gradient);
    assert!(dx.as_slice().iter().all(|dx| dx.is_finite()));
}

parameters! {
    /// Eight filters of 3x3x8; or so it says.
    struct Boasts<T> {
        filters: Filters [3, 3, 8, 8],
        bias: Bias [8],
    }
}

type X<T> = Volume<T, 4, 4, 8>;

impl<T: Real> Layer<X<T>, X<T>> for Boasts<T> {
    const MACS: u64 = u64::MAX;

    fn forward(&self, x: &X<T>, y: &mut X<T>) {
        y.copy_from(x);
    }

    fn backward(&self, _: &X<T>, _: &mut X<T>, _: &X<T>, _: &mut Self) {}

    fn backward_parameters(&self, _: &X<T>, _: &X<T>, _: &mut Self) {}
}

/// Larger than the volumes and the filters are.
const BOASTED: Sizes = Sizes {
    x: [64, 64, 64],
    filter: [3, 3],
    stride: [1, 1],
    dilation: [1, 1],
    groups: 1,
    before: [1, 1],
    y: [64, 64, 64],
};

impl<T: Real> Repack<X<T>, X<T>> for Boasts<T> {
    const SIZES: Sizes = BOASTED;
    const FILTERS: usize = 3 * 3 * 64 * 64;
    const CHOICES: Choices = Choices::of_conv(&BOASTED);

    fn declared(&self) -> [&[T]; 2] {
        [
            self.filters.as_flattened().as_flattened().as_flattened(),
            &[],
        ]
    }

    fn pack(algorithm: Algorithm, filters: &[T], scale: &[T], packed: &mut [T]) -> bool {
        kernel::conv_pack(&BOASTED, algorithm, filters, scale, packed)
    }

    fn forward_packed(from: &Packed<'_, T>, x: &[T], scratch: &mut [T], y: &mut [T]) -> bool {
        let algorithms = [
            Algorithm::Direct,
            Algorithm::Panels,
            Algorithm::Rows,
            Algorithm::Winograd(Winograd::Column),
            Algorithm::Bfloat16,
            from.algorithm,
        ];
        algorithms.into_iter().any(|algorithm| {
            let from = Packed { algorithm, ..*from };
            kernel::conv_forward_packed(&from, x, scratch, y)
                || kernel::fc_forward_packed(&from, x, y)
        })
    }
}

/// A network that has packed nothing, or so it says.
impl<T: Real> Network for Boasts<T> {
    type Input = X<T>;
    type Output = X<T>;
    type Arena = Overlay<T, 128>;
    const LAYERS: &'static [LayerInfo<'static>] = &[];

    fn forward<'a>(&self, input: &X<T>, arena: &'a mut Self::Arena) -> &'a X<T> {
        let y = arena.at_mut::<X<T>, 0>();
        Layer::forward(self, input, y);
        y
    }
}

impl<T: Real> Prepare for Boasts<T> {
    type Overlay = Overlay<T, 128>;
    const PACKING: &'static [Packing] = &[];
    const MICRO_BATCHES: bool = true;

    fn pack(&self, packer: &mut Packer<'_, T>) {
        for clamp in [Clamp::None, Clamp::Relu, Clamp::Relu6] {
            packer.pack::<X<T>, X<T>, _, _>(&Group {
                filters: self,
                norm: &(),
                clamp,
            });
        }
    }

    fn forward_packed(&self, packed: &mut Reader<'_, T>, images: &mut [Image<'_, Self>]) {
        for image in images {
            let y = image.memory.at_mut::<X<T>, 0>();
            let group = Group {
                filters: self,
                norm: &(),
                clamp: Clamp::Relu,
            };
            packed.forward(&group, image.input, y);
        }
    }

    fn output_in(memory: &Self::Overlay) -> &X<T> {
        memory.at::<X<T>, 0>()
    }
}

#[test]
fn a_prepared_network_may_lie_about_all_its_sizes() {
    let net = Box::new(Boasts::<f32>::ZERO);
    let prepared = Prepared::new(&*net);
    let mut x = X::<f32>::ZERO;
    x[1][2] = [3.0; 8];
    // No kernel takes such sizes for these slices: the layer computes as it is declared.
    let mut arena = prepared.arena();
    assert_eq!(prepared.forward(&x, &mut arena)[1][2], [3.0; 8]);
    let mut memory = Overlay::ZERO;
    assert_eq!(*Network::forward(&*net, &x, &mut memory), x);
    // Memory of its own is as good as none.
    let (mut packed, mut scratch) = ([0.0; 100], [0.0; 10]);
    net.pack(&mut Packer::new(Default::default(), &mut packed));
    let mut reader = Reader::new(Default::default(), &packed, &mut scratch).on_threads(1000);
    let mut memory = Overlay::ZERO;
    net.forward_packed(
        &mut reader,
        &mut [Image {
            input: &x,
            memory: &mut memory,
        }],
    );
    assert_eq!(Boasts::output_in(&memory)[1][2], [3.0; 8]);
}

/// For every scalar: neither name is ambiguous.
fn halves<T: Real>(values: &[T]) -> f64 {
    values
        .iter()
        .map(|&v| T::widen(v) + v.widen())
        .map(|v| T::widen(T::of(v)))
        .sum::<f64>()
        / 4.0
}

/// num-traits' function of this name can be called.
fn option<T: Real>(value: T) -> Option<f64> {
    T::to_f64(&value)
}

#[test]
fn what_real_adds_has_names_of_its_own() {
    assert_eq!(halves(&[1.0_f32, 3.0]), 2.0);
    assert_eq!(option(1.5_f64), Some(1.5));
}
