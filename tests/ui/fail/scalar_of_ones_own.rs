//! Networks are made of `f32` or `f64`: what would make a type of one's own a scalar cannot be named.

struct Half(u16);

impl convnet::generated::real::sealed::Sealed for Half {}

fn main() {
    let _ = Half(0).0;
}
