//! `T` is the scalar's name.

use convnet::convnet;

convnet! {
    pub struct T {
        input(32x32x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    let net: Box<T> = T::random(231);
    println!("{net}");
}
