//! No big value crosses the stack, in debug builds too: everything here runs in 256 KB.

use convnet::{Volume, convnet};

convnet! {
    /// VGG-16: 138,357,544 parameters, half a gigabyte.
    pub struct Vgg16 {
        input(224x224x3),
        [conv(64, 3x3, pad = 1), relu] * 2,
        max_pool(2x2, stride = 2),
        [conv(128, 3x3, pad = 1), relu] * 2,
        max_pool(2x2, stride = 2),
        [conv(256, 3x3, pad = 1), relu] * 3,
        max_pool(2x2, stride = 2),
        [conv(512, 3x3, pad = 1), relu] * 3,
        max_pool(2x2, stride = 2),
        [conv(512, 3x3, pad = 1), relu] * 3,
        max_pool(2x2, stride = 2),
        [fc(4096), relu, dropout(0.5)] * 2,
        scores: fc(1000),
    }
}

convnet! {
    /// Small, on an image as large.
    pub struct Small {
        input(224x224x3),
        conv1: conv(8, 3x3, pad = 1),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

convnet! {
    /// A network on an image as large, with another one inside.
    pub struct Outer {
        input(224x224x3),
        network(Inner),
        residual { network(Inner) },
        global_avg_pool,
        scores: fc(10),
    }
}

convnet! {
    pub struct Inner { input(224x224x3), conv(8, 3x3, pad = 1), relu, conv(3, 1x1) }
}

convnet! {
    /// Blocks on an image as large: more than a megabyte a volume.
    pub struct Blocks {
        input(224x224x3),
        residual { conv(6, 1x1), relu, shortcut { conv(6, 1x1) } },
        concat { [], [conv(2, 3x3, pad = 1), relu], [residual { relu }] },
        residual { conv(14, 1x1) },
        global_avg_pool,
        scores: fc(10),
    }
}

fn in_256_kilobytes(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(run);
    thread
        .expect("a thread starts")
        .join()
        .expect("256 KB of stack are enough");
}

#[test]
fn vgg16_is_declared_built_and_dropped() {
    assert_eq!(Vgg16::PARAMETERS, 138_357_544);
    assert_eq!(Vgg16::MACS, 15_470_264_320);
    in_256_kilobytes(|| {
        let net: Box<Vgg16> = Vgg16::boxed();
        let (arena, tape) = (Vgg16::<f32>::arena(), Vgg16::<f32>::tape());
        assert_eq!(size_of_val(&*arena), Vgg16::ARENA_BYTES);
        assert_eq!(size_of_val(&*tape), Vgg16::TAPE_BYTES);
        assert!(size_of_val(&*net) >= Vgg16::PARAMETERS * 4);
    });
}

#[test]
fn a_network_on_a_large_image_runs_forward_and_backward() {
    in_256_kilobytes(|| {
        let mut net: Box<Small> = Small::boxed();
        net.scores.bias[3] = 1.0;
        let image = Volume::boxed();
        assert_eq!(net.forward(&image, &mut Small::arena()).best(), 3);

        let mut tape = Small::tape();
        let d_scores = net.forward_train(&image, &mut tape, 0).clone();
        let mut gradient = Small::boxed();
        net.backward(&image, None, &mut tape, &d_scores, &mut gradient);
        assert_eq!(gradient.scores.bias[3], 1.0);
    });
}

#[test]
fn blocks_on_a_large_image_run_forward_and_backward() {
    in_256_kilobytes(|| {
        let mut net: Box<Blocks> = Blocks::boxed();
        net.scores.bias[3] = 1.0;
        let image = Volume::boxed();
        assert_eq!(net.forward(&image, &mut Blocks::arena()).best(), 3);

        let mut tape = Blocks::tape();
        let d_scores = net.forward_train(&image, &mut tape, 0).clone();
        let (mut gradient, mut d_image) = (Blocks::boxed(), Volume::boxed());
        let d_image = Some(&mut *d_image);
        net.backward(&image, d_image, &mut tape, &d_scores, &mut gradient);
        assert_eq!(gradient.scores.bias[3], 1.0);
    });
}

#[test]
fn networks_inside_run_on_a_large_image_forward_and_backward() {
    in_256_kilobytes(|| {
        let mut net: Box<Outer> = Outer::boxed();
        net.scores.bias[3] = 1.0;
        let image = Volume::boxed();
        assert_eq!(net.forward(&image, &mut Outer::arena()).best(), 3);
        let fast = convnet::Prepared::new(&*net);
        assert_eq!(fast.forward(&image, &mut fast.arena()).best(), 3);

        let mut tape = Outer::tape();
        let d_scores = net.forward_train(&image, &mut tape, 0).clone();
        let (mut gradient, mut d_image) = (Outer::boxed(), Volume::boxed());
        let d_image = Some(&mut *d_image);
        net.backward(&image, d_image, &mut tape, &d_scores, &mut gradient);
        assert_eq!(gradient.scores.bias[3], 1.0);
    });
}
