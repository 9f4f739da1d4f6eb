//! CS231n's small examples: W = 7, F = 3, S = 1 and 2; W = 5, F = 3, P = 1, S = 1 and 2.

use convnet::convnet;

convnet! { struct A { input(7x7x1), conv(1, 3x3) } }
convnet! { struct B { input(7x7x1), conv(1, 3x3, stride = 2) } }
convnet! { struct C { input(5x5x1), conv(1, 3x3, pad = 1) } }
convnet! { struct D { input(5x5x1), conv(1, 3x3, stride = 2, pad = 1) } }

fn main() {
    assert_eq!([A::OUTPUT, B::OUTPUT, C::OUTPUT, D::OUTPUT], [[5, 5, 1], [3, 3, 1], [5, 5, 1], [3, 3, 1]]);
}
