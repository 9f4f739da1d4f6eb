//! Where the primitive types, the prelude and the familiar macros are something else, and where sizes are
//! called as a macro might call its own constants.
#![deny(warnings)]
#![allow(non_camel_case_types, dead_code, unused_macros)]

use convnet::{Layer, Parameters, Real, Volume};

impl<T: Real, const SLICES: usize> Layer<Volume<T, 4, 4, SLICES>, Volume<T, 4, 4, SLICES>>
    for shadowed::Scale<T, SLICES>
{
    fn forward(&self, x: &Volume<T, 4, 4, SLICES>, y: &mut Volume<T, 4, 4, SLICES>) {
        y.copy_from(x);
    }

    fn backward(
        &self,
        _: &Volume<T, 4, 4, SLICES>,
        dx: &mut Volume<T, 4, 4, SLICES>,
        dy: &Volume<T, 4, 4, SLICES>,
        _: &mut Self,
    ) {
        dx.copy_from(dy);
    }

    fn backward_parameters(
        &self,
        _: &Volume<T, 4, 4, SLICES>,
        _: &Volume<T, 4, 4, SLICES>,
        _: &mut Self,
    ) {
    }
}

mod shadowed {
    macro_rules! nothing {
        ($($name:ident)*) => { $( pub struct $name; )* };
    }
    nothing! {
        bool char str u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64
        Option Some None Result Ok Err Box Vec String ToOwned ToString Default Clone Copy Send Sync
        Sized Drop Fn FnMut FnOnce Iterator IntoIterator Extend From Into TryFrom AsRef AsMut
        PhantomData Real Network Trainable Parameters Layer Prepare Volume Overlay Tensor Role D
    }
    pub mod core {}
    pub mod std {}
    pub mod convnet {}

    macro_rules! something_else {
        ($($name:ident)*) => { $( macro_rules! $name { () => {}; } )* };
    }
    something_else! {
        panic assert assert_eq debug_assert matches unreachable todo vec format concat stringify
        include_bytes env offset_of write println
    }

    /// As parameters, constants and their kind are called.
    mod sizes {
        pub const OPS: ::core::primitive::usize = 2;
        pub const NAMES: ::core::primitive::usize = OPS;
        pub const NAMED: ::core::primitive::usize = OPS;
        pub const COUNT: ::core::primitive::usize = OPS;
        pub const LONGEST: ::core::primitive::usize = OPS;
        pub const PLAN: ::core::primitive::usize = OPS;
        pub const FILE: ::core::primitive::usize = OPS;
        pub const INPUT: ::core::primitive::usize = 4;
        pub const TENSORS: ::core::primitive::usize = OPS;
        pub const LAYERS: ::core::primitive::usize = OPS;
        pub const ZERO: ::core::primitive::usize = 0;
        pub const SEGMENTS: ::core::primitive::usize = 1;
        pub const T: ::core::primitive::usize = 1;
        pub const RATE: ::core::primitive::f64 = 0.5;
    }
    use sizes::*;

    ::convnet::parameters! {
        pub struct Scale<T, const D: usize> {
            pub gamma: Gain [D],
            pub filters: Grouped(1) [T, T, D, D],
        }
    }

    ::convnet::convnet! {
        /// Sizes by number.
        pub struct Plain {
            input(4x4x2),
            residual {
                conv(2, 3x3, pad = 1),
                batch_norm(eps = 1e-3),
                relu,
                shortcut { conv(2, 1x1, groups = 2, bias = none) },
            },
            concat { [depthwise(3x3, pad = 1)], [max_pool(3x3, stride = 1, pad = 1), hard_swish], [] },
            avg_pool(2x2),
            conv_transpose(2, 2x2, stride = 2),
            lrn(5),
            dropout(0.5),
            fc(4),
            softmax,
        }
    }

    ::convnet::convnet! {
        /// A network of one activation.
        pub struct Empty { input(4x4x2), leaky_relu(RATE) }
    }

    ::convnet::convnet! {
        /// Sizes by name, a network and a layer by hand inside, and limits.
        #[budget(ram = 64 KiB, flash = 64 KiB)]
        #[row_by_row]
        pub struct Named {
            input(INPUT x INPUT x OPS),
            residual {
                conv(NAMES, T x T, groups = NAMED, pad = ZERO),
                batch_norm(eps = RATE),
                shortcut { conv(COUNT, T x T, dilation = SEGMENTS), relu6 },
            },
            layer(Scale<T, 2>, INPUT x INPUT x LONGEST),
            network(Empty),
            concat { [conv(PLAN, T x T)], [avg_pool(T x T)] },
            conv(FILE, T x T), relu, max_pool(OPS x OPS),
            fc(TENSORS),
            dropout(RATE),
            fc(LAYERS),
        }
    }

    ::convnet::convnet! {
        /// One whose parameters lie in a file.
        pub struct Filed { input(4x4x1), conv1: conv(2, 3x3), scores: fc(3) }
    }

    ::convnet::weights! {
        /// They do.
        pub static FILED: Filed = "../weights/right.safetensors";
    }

    pub type Single = Named<::core::primitive::f32>;
}

fn main() {
    use convnet::{Prepared, Volume};

    let (net, image) = (shadowed::Plain::<f32>::random(1), Volume::ZERO);
    let mut arena = shadowed::Plain::arena();
    let scores = net.forward(&image, &mut arena);
    assert!((scores[0][0].iter().sum::<f32>() - 1.0).abs() < 1e-6);

    let net = shadowed::Single::random(1);
    let prepared = Prepared::new(&*net);
    let (mut arena, mut own) = (shadowed::Single::arena(), prepared.arena());
    assert_eq!(net.forward(&image, &mut arena), prepared.forward(&image, &mut own));
    assert_eq!(shadowed::Single::TENSORS.len(), 18);
    assert!(net.to_string().contains("Scale<T, 2>"));
    let mut gradient = shadowed::Single::boxed();
    let mut tape = shadowed::Single::tape();
    net.forward_train(&image, &mut tape, 1);
    net.backward(&image, None, &mut tape, &Volume([[[1.0; 2]]]), &mut gradient);
    assert_eq!(gradient.fc2.bias, [1.0; 2]);
    assert_eq!(shadowed::FILED.conv1.bias, [18.0 / 8.0, 19.0 / 8.0]);
}
