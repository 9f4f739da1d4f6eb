//! A hand-written layer that breaks the rule: a bound, in plain numbers.

use convnet::shape::fits::output;

fn main() {
    output::<224, 11, 4, 0>();
}
