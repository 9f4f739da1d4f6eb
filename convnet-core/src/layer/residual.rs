//! Where two ways through a block meet in a sum.

use super::word::word;

word! {
    /// `residual { conv(64, 3x3, pad = 1), relu, conv(64, 3x3, pad = 1) }`: what its layers make of the
    /// volume, plus the volume itself.
    ///
    /// Both must be equal in width, height and depth. Where the layers change them, a [`shortcut`]
    /// changes the volume, too.
    #[doc(alias = "skip")]
    #[doc(alias = "bottleneck")]
    residual {}
    Manner::Adds, Sees::Pixel;
    example: "residual { conv(64, 3x3, pad = 1), relu, shortcut { conv(64, 1x1) } }",
    elsewhere: &["res", "resblock", "basicblock", "bottleneck"],
}

word! {
    /// `shortcut { conv(128, 1x1, stride = 2, fit = crop) }`: the last line of a [`residual`], the
    /// layers on its other way.
    ///
    /// It may begin at any earlier line: `shortcut { from = stem, conv(128, 1x1) }`.
    shortcut {}
    Manner::Branches, Sees::Pixel;
    example: "residual { conv(64, 3x3, pad = 1), relu, shortcut { conv(64, 1x1) } }",
    elsewhere: &["skip", "projection", "downsample", "identity"],
}
