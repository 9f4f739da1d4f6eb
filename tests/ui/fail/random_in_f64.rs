//! `random` is `f32`'s; of other scalars the trait `OnHeap` has it, which the compiler proposes.

use convnet::convnet;

convnet! {
    struct Net {
        input(4x4x1),
        fc(2),
    }
}

fn main() {
    let _ = Net::<f64>::random(231);
}
