//! `residual`, `concat` and `shortcut` are words before braces, and no names.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32x32x3),
        residual: [conv(3, 3x3, pad = 1), relu],
        residual {
            conv(16, 3x3, pad = 1),
            shortcut: conv(16, 1x1),
        },
        concat {
            concat: [conv(16, 1x1)],
            [],
        },
        fc(10),
    }
}

fn main() {
    // No second error: the type is there all the same.
    let _ = core::mem::size_of::<Net>();
}
