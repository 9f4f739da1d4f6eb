//! A network as a block of another, and layers with parameters that are written by hand: from another
//! module, with sizes by name, with a budget, in a crate that forbids unsafe code and has no std.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

use convnet::{Layer, OnHeap, Prepared, Real, Volume, convnet, parameters};

parameters! {
    /// One number for all.
    pub struct Bias<T> {
        /// It is added.
        pub bias: Bias [1],
    }
}

impl<T: Real, const H: usize, const W: usize, const D: usize>
    Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for Bias<T>
{
    fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
        for (y, &x) in y.as_mut_slice().iter_mut().zip(x.as_slice()) {
            *y = x + self.bias[0];
        }
    }

    fn backward(
        &self,
        x: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        dx.copy_from(dy);
        self.backward_parameters(x, dy, gradient);
    }

    fn backward_parameters(
        &self,
        _: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        gradient: &mut Self,
    ) {
        gradient.bias[0] += dy.as_slice().iter().copied().sum();
    }
}

/// Blocks.
pub mod blocks {
    const SIZE: usize = 4;

    convnet::convnet! {
        /// With a size by name.
        pub struct Half { input(SIZE x SIZE x 2), max_pool(2x2), shift: layer(super::Bias<T>, 2x2x2) }
    }
}

convnet! {
    /// With a block inside.
    #[budget(ram = 1 KiB, flash = 1 KiB)]
    pub struct Net { input(4x4x2), half: network(blocks::Half), fc(3) }
}

convnet! {
    /// Another one: nothing but a network, and that one has no parameters.
    pub struct Outer { input(4x4x2), network(inner::Empty) }
}

mod inner {
    convnet::convnet! {
        /// Private to this file.
        pub struct Empty { input(4x4x2), relu }
    }
}

fn generic<T: Real>(net: &Net<T>, arena: &mut convnet::Arena<Net<T>>) -> usize {
    net.forward(&Volume::ZERO, arena).best()
}

fn main() {
    static NET: Net = Net::ZERO;
    let mut arena = convnet::Arena::<Net>::ZERO;
    assert_eq!(generic(&NET, &mut arena), 0);
    let mut net = Net::<f64>::boxed();
    net.half.shift.bias = [1.0];
    net.fc1.filters[1][1][1][2] = 3.0;
    assert_eq!(generic(&net, &mut Net::<f64>::arena()), 2);
    assert_eq!(Prepared::new(&*net).forward(&Volume::ZERO, &mut Prepared::new(&*net).arena())[0][0], [0.0, 0.0, 3.0]);

    assert_eq!(Net::PARAMETERS, 1 + 2 * 2 * 2 * 3 + 3);
    let names = [Net::LAYERS[0].name, Net::LAYERS[1].name, Net::LAYERS[2].name];
    assert_eq!(names, ["half.max_pool1", "half.shift", "fc1"]);
    let by_hand = |op: &convnet::graph::Op| matches!(op, convnet::graph::Op::Own { what, .. } if what.path == "super::Bias<T>");
    assert!(by_hand(Net::LAYERS[1].op));
    assert_eq!((Outer::PARAMETERS, Outer::LAYERS.len()), (0, 1));
    assert_eq!(Outer::<f32>::boxed().forward(&Volume::ZERO, &mut Outer::arena()), &Volume::ZERO);
}
