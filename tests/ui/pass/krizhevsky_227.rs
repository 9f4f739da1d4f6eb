//! (227 − 11 + 2·0)/4 + 1 = 55: the first layer of AlexNet, as CS231n reads it.

use convnet::convnet;

convnet! { struct Net { input(227x227x3), conv(96, 11x11, stride = 4) } }

fn main() {
    const { assert!(Net::OUTPUT[0] == 55 && Net::OUTPUT[1] == 55 && Net::OUTPUT[2] == 96) };
}
