//! Zeros after the image alone, as many as the filter is long: the last position sees no pixel.

convnet::convnet! {
    struct Net {
        input(5x5x1),
        conv1: conv(4, 1x1, pad = (0, 2)),
    }
}

fn main() {
    let _ = core::marker::PhantomData::<Net>;
}
