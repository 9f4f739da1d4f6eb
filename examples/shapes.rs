//! Lesson 1, shapes: everything about a network is known before it exists.
//!
//! `cargo run --example shapes`
//!
//! Change a number below, say `pad = 2` to `pad = 1`, and build again: the compiler says which layer
//! does not fit, why, and what would.
#![forbid(unsafe_code)]

use convnet::convnet;

convnet! {
    /// CS231n's example network for CIFAR-10.
    pub struct Cifar {
        input(32x32x3),
        conv1: conv(12, 5x5, pad = 2),
        relu,
        max_pool(2x2, stride = 2),
        scores: fc(10),
    }
}

convnet! {
    /// The first layer of Krizhevsky's network. The paper prints 224; (224 − 11)/4 + 1 is no
    /// integer, and CS231n reads it as 227.
    pub struct AlexNetHead {
        input(227x227x3),
        conv1: conv(96, 11x11, stride = 4),
    }
}

// Constants are proved by the compiler: these lines cost nothing and cannot fail at run time.
const _: () = assert!(AlexNetHead::OUTPUT[0] == 55 && AlexNetHead::OUTPUT[2] == 96);
const _: () = assert!(Cifar::PARAMETERS == (5 * 5 * 3 * 12 + 12) + (16 * 16 * 12 * 10 + 10));

fn main() {
    println!("{}\n", Cifar::summary());
    println!("{}\n", AlexNetHead::summary());

    println!("The same, layer by layer, for a program to use:");
    for layer in Cifar::LAYERS {
        let [height, width, depth] = layer.volume;
        println!("  {:<10} writes {width}x{height}x{depth}", layer.name);
    }
    println!(
        "Inference needs {} bytes of parameters and {} bytes of arena.",
        Cifar::PARAMETERS * size_of::<f32>(),
        Cifar::ARENA_BYTES
    );
}
