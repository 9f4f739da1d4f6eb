//! What people write who come from other libraries, and what helps: one error each.

use super::error;

#[test]
fn each_mistake_is_one_error_that_says_what_to_write() {
    let cases = [
        ("conv1 = conv(4, 3x3), fc(10)", "`conv1: `"),
        ("conv-1: conv(4, 3x3), fc(10)", "`conv_1: `"),
        ("match: conv(4, 3x3), fc(10)", "`r#match: `"),
        ("let conv1 = conv(4, 3x3), fc(10)", "without `let`"),
        (
            "\"conv1\": conv(4, 3x3), fc(10)",
            "without quotes: `conv1: `",
        ),
        ("conv(4, 3x3); relu; fc(10)", "separated by commas"),
        ("conv(4, 3x3) | relu | fc(10)", "separated by commas"),
        ("conv(4, 3x3) => relu => fc(10)", "separated by commas"),
        ("conv(4, 3x3) * 2, fc(10)", "in brackets: `["),
        ("residual { relu } * 3, fc(10)", "in brackets: `["),
        ("2 * [relu], fc(10)", "] * 2`"),
        ("[relu; 2], fc(10)", "] * 2`"),
        ("[relu] x3, fc(10)", "] * 2`"),
        ("stage1: { relu }, fc(10)", "brackets: `["),
        ("conv3-64, fc(10)", "`conv3` is not a layer"),
        ("conv3x3(64), fc(10)", "`conv(64, 3x3)`"),
        ("conv(4, (3, 3)), fc(10)", "write `3x3`"),
        ("conv(4, 3*3), fc(10)", "`3x3`"),
        ("conv(3, 96, 3), fc(10)", "write `conv(96, 3x3)`"),
        ("conv(3, 96, 3, 1, 1), fc(10)", "stride = 1, pad = 1)`"),
        (
            "max_pool(2, 2), fc(10)",
            "write `max_pool(2x2, stride = 2)`",
        ),
        ("conv(4, 3x3, padding = 1), fc(10)", "write `pad = 1`"),
        (
            "conv(4, 3x3, padding = \"same\"), fc(10)",
            "write `pad = same`",
        ),
        ("conv(4, kernel_size = 3), fc(10)", "`3x3`"),
        ("conv(4, 3x3, bias = False), fc(10)", "`bias = none`"),
        ("max_pool(2x2, ceil_mode = true), fc(10)", "`fit = pad`"),
        ("conv(4, 3x3, trainable = false), fc(10)", "no argument"),
        (
            "conv_transpose(4, 3x3, output_padding = 1), fc(10)",
            "write `output_pad = 1`",
        ),
        (
            "depthwise(3x3, depth_multiplier = 2), fc(10)",
            "groups = 12",
        ),
        (
            "AdaptiveAvgPool2d(1), fc(10)",
            "did you mean `global_avg_pool`?",
        ),
        (
            "GlobalAveragePooling2D(), fc(10)",
            "did you mean `global_avg_pool`?",
        ),
        ("mish, fc(10)", "by hand"),
        ("rrelu, fc(10)", "by hand"),
        ("ZeroPadding2D(1), fc(10)", "did you mean `pad`?"),
        ("split(2), fc(10)", "did you mean `slices`?"),
        ("PixelShuffle(2), fc(10)", "did you mean `depth_to_space`?"),
        ("InstanceNorm2d(8), fc(10)", "did you mean `group_norm`?"),
        ("Cropping2D(1), fc(10)", "did you mean `crop`?"),
        ("swish, fc(10)", "did you mean `silu`?"),
        ("upsampling2d(2x2), fc(10)", "did you mean `upsample`?"),
        ("add(a), fc(10)", "`residual {"),
        ("stem: Stem, fc(10)", "`network(path::To::Stem)`"),
        ("conv1d(4, 3), fc(10)", "`conv(4, 3x1)`"),
        ("dropout(.5), fc(10)", "`0.5`"),
        ("fc(n)", "`const N: usize"),
        ("fc(10.0)", "write `10`"),
        ("fc(LABELS.len())", "`const N: usize = LABELS"),
        ("fc(2 * N)", "`const COUNT: usize = 2 * N;`"),
        ("fc = 10", "in brackets: `fc(10)`"),
    ];
    for (lines, help) in cases {
        let error = error(lines);
        assert!(error.contains(help), "{lines}: {error}");
    }
}
