//! Networks whose ways cross.

use convnet::convnet;

convnet! {
    /// A pyramid of features from coarse to fine and back: two sums and two concatenations that cross.
    pub(crate) struct Pyramid {
        input(8x8x3),
        c2: [conv(4, 3x3, pad = 1), relu],
        c3: [conv(5, 2x2, stride = 2), relu],
        conv(6, 2x2, stride = 2),
        relu,
        lateral: conv(3, 1x1),
        p3: residual { upsample(2x2), shortcut { from = c3, conv(3, 1x1) } },
        p2: residual { upsample(2x2), shortcut { from = c2, conv(3, 1x1), relu } },
        n3: concat { [conv(2, 2x2, stride = 2), relu], [from = p3] },
        squeeze: conv(3, 1x1),
        n4: residual { max_pool(2x2), shortcut { from = lateral } },
        concat {
            [from = relu1, conv(2, 1x1), relu],
            [],
            [from = input, avg_pool(4x4)],
        },
        scores: fc(4),
    }
}

convnet! {
    /// Names from the inside out, in repetitions, in blocks; the image; volumes read by three later lines;
    /// works in place on both sides of each of them.
    pub(crate) struct Names {
        input(4x4x2),
        sigmoid,
        stem: [a: conv(3, 3x3, pad = 1), tanh, b: conv(3, 1x1)],
        [
            a: conv(3, 1x1),
            relu,
            residual { conv(3, 1x1), shortcut { from = a, tanh } },
        ] * 2,
        way: residual {
            a: conv(3, 1x1),
            concat { [from = way.a], [from = stem.a, tanh], [conv(1, 1x1), residual { relu, shortcut { from = way.a, conv(1, 1x1) } }] },
            conv(3, 1x1),
            shortcut { from = a2 },
        },
        batch_norm,
        residual { relu, shortcut { from = stem } },
        dropout(0.3),
        residual { shortcut { from = stem.a } },
        residual { shortcut { from = residual5, tanh } },
        concat { [from = way, relu], [from = input, tanh], [] },
        scale { global_avg_pool, conv(8, 1x1), residual { sigmoid, shortcut { from = residual2, global_avg_pool, conv(8, 1x1) } } },
        fc(3),
    }
}

convnet! {
    /// Heads of two scales.
    pub(crate) struct Heads {
        input(4x4x2),
        fine: [conv(3, 3x3, pad = 1), relu],
        coarse: conv(4, 2x2, stride = 2),
        relu,
        up: residual { conv(3, 1x1), upsample(2x2), shortcut { from = fine } },
        outputs {
            large: [from = coarse, conv(2, 1x1)],
            image: [from = input, tanh],
            small: [conv(2, 1x1)],
        },
    }
}

const DEPTH: usize = 3;

convnet! {
    /// Planned by the compiler.
    pub(crate) struct ByName {
        input(4x4x2),
        fine: conv(DEPTH, 3x3, pad = 1),
        max_pool(2x2),
        residual { upsample(2x2), shortcut { from = fine } },
        fc(DEPTH),
    }
}
