//! A hand-written layer that keeps the rule.

use convnet::shape::fits::output;

fn main() {
    assert_eq!(output::<227, 11, 4, 0>(), 55);
    assert_eq!((output::<7, 3, 1, 0>(), output::<7, 3, 2, 0>()), (5, 3));
    assert_eq!((output::<5, 3, 1, 1>(), output::<5, 3, 2, 1>()), (5, 3));
}
