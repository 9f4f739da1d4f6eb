//! The networks of [`cifar`](crate::cifar) in bytes: the same declarations and weights.

use convnet::{Volume, int8_weights};

use crate::cifar::{Net0, Net1, Net2};

int8_weights! {
    /// Quantised by one image.
    pub static NET0: Net0 = "../../target/weights/net0-int8.safetensors";
}

int8_weights! {
    /// Quantised by one image.
    pub static NET1: Net1 = "../../target/weights/net1-int8.safetensors";
}

int8_weights! {
    /// Quantised by one image.
    pub static NET2: Net2 = "../../target/weights/net2-int8.safetensors";
}

/// An image.
pub type Image = Volume<i8, 32, 32, 3>;

/// A pattern without order.
pub static IMAGE: Image = Volume(crate::bytes());
