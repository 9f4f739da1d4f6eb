//! Lesson 2, forward: what a layer computes, with numbers small enough to follow.
//!
//! `cargo run --example forward_by_hand`
#![forbid(unsafe_code)]

use convnet::{Arena, Volume, convnet};

convnet! {
    /// CS231n's one-dimensional example: the filter [1, 0, −1] slides over five numbers.
    pub struct Line {
        input(5x1x1),
        edge: conv(1, 3x1),
        relu,
    }
}

fn main() {
    // A network is a struct of its parameters and nothing else. This one fits on the stack.
    let mut line = Line::ZERO;
    line.edge.filters = [[[[1.0]], [[0.0]], [[-1.0]]]]; // [row][column][depth][filter]
    line.edge.bias = [0.0];

    // A volume is rows of columns of depth: image[y][x][d].
    let image = Volume([[[0.0], [1.0], [2.0], [-1.0], [1.0]]]);

    // Activations live in an arena that the caller owns: here on the stack, on a microcontroller in
    // a static, on a desktop in a box (`Line::arena()`).
    let mut arena = Arena::<Line>::ZERO;
    let scores = line.forward(&image, &mut arena);

    println!("x           {:?}", image.as_slice());
    println!("x * w       [0 − 2, 1 − (−1), 2 − 1] = [-2, 2, 1]");
    println!("relu(x * w) {:?}", scores.as_slice());
    assert_eq!(scores.as_slice(), [0.0, 2.0, 1.0]);
}
