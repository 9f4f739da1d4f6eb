//! CS231n's filter [1, 0, −1] on five numbers.

use convnet::convnet;

convnet! { struct Line { input(5x1x1), edge: conv(1, 3x1) } }

fn main() {
    let mut line = Line::ZERO;
    line.edge.filters = [[[[1.0]], [[0.0]], [[-1.0]]]];
    let mut arena = convnet::Arena::<Line>::ZERO;
    let image = convnet::Volume([[[0.0], [1.0], [2.0], [-1.0], [1.0]]]);
    assert_eq!(line.forward(&image, &mut arena).as_slice(), [-2.0, 2.0, 1.0]);
}
