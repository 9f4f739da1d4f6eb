//! Deep networks whose plan waits for the compiler, because of a size by name or a network inside: it is
//! computed in so few steps that no lint on long constants speaks, and comes to the same.
#![deny(warnings)]

use convnet::convnet;

const CLASSES: usize = 10;

macro_rules! deep {
    ($named:ident $plain:ident [$($layers:tt)*] * $times:literal) => {
        convnet! { struct $named { input(8x8x4), [$($layers)*] * $times, fc(CLASSES) } }
        convnet! { struct $plain { input(8x8x4), [$($layers)*] * $times, fc(10) } }
    };
}

deep! { Chain ChainPlain [conv(4, 3x3, pad = 1), relu] * 104 }
deep! { Blocks BlocksPlain [
    residual { conv(4, 3x3, pad = 1), batch_norm, relu, conv(4, 3x3, pad = 1), batch_norm },
    relu,
] * 19 }
deep! { Branches BranchesPlain [
    concat { [conv(1, 1x1)], [max_pool(3x3, stride = 1, pad = 1), conv(2, 1x1), sigmoid], [conv(1, 1x1)] },
    conv(4, 1x1),
] * 8 }

convnet! { struct Head { input(8x8x4), fc(10) } }
convnet! { struct Outer { input(8x8x4), [conv(4, 3x3, pad = 1), relu] * 104, network(Head) } }

fn main() {
    macro_rules! figures {
        ($($name:ident)*) => { [$((
            $name::PARAMETERS, $name::MACS, $name::ARENA_BYTES, $name::TAPE_BYTES,
            $name::summary().prepared_bytes, $name::LAYERS.last().map(|line| (line.volume, line.field)),
        )),*] };
    }
    assert_eq!(figures![Chain Blocks Branches], figures![ChainPlain BlocksPlain BranchesPlain]);
    assert_eq!((Outer::PARAMETERS, Outer::MACS), (Chain::PARAMETERS, Chain::MACS));
}
