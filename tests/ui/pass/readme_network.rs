//! The first program of the README, as it stands there.

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

fn main() {
    let net = Cifar::random(231);             // parameters, in place on the heap
    let mut arena = Cifar::arena();           // activations, ditto
    let image = convnet::Volume::boxed();     // 32x32x3
    let scores = net.forward(&image, &mut arena);
    println!("class {}", scores.best());
    println!("{net}");
}
