//! The words of a declaration, with their arguments.

use super::args::Args;
use super::layer::{self, Kind};
use super::{elsewhere, foreign};
use crate::report::Errors;

/// A layer's word.
pub(super) struct Word {
    /// What is written.
    pub(super) name: &'static str,
    /// The arguments that may stand without their name, in this order.
    pub(super) positional: &'static [&'static str],
    /// The arguments that need it.
    pub(super) keyed: &'static [&'static str],
    /// How it looks.
    pub(super) example: &'static str,
    /// Reads the arguments: the layer, and whether everything that decides the size of its output is
    /// right; what is wrong is replaced by something harmless.
    pub(super) read: Read,
}

type Read = fn(&mut Args, &mut Errors) -> (Kind, bool);

impl Word {
    /// The names of its arguments.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.positional.iter().chain(self.keyed).copied()
    }
}

const fn bare(name: &'static str, read: Read) -> Word {
    Word {
        name,
        positional: &[],
        keyed: &[],
        example: name,
        read,
    }
}

const SLIDES: &[&str] = &["stride", "pad", "fit"];
const CONV: &[&str] = &["stride", "pad", "fit", "groups", "dilation", "bias"];
const DEPTHWISE: &[&str] = &["stride", "pad", "fit", "dilation", "bias"];

/// Every layer.
pub(super) const WORDS: &[Word] = &[
    Word {
        name: "conv",
        positional: &["filters", "size"],
        keyed: CONV,
        example: "conv(12, 5x5, stride = 1, pad = 2)",
        read: layer::conv,
    },
    Word {
        name: "depthwise",
        positional: &["size"],
        keyed: DEPTHWISE,
        example: "depthwise(3x3, stride = 1, pad = 1)",
        read: layer::depthwise,
    },
    Word {
        name: "conv_transpose",
        positional: &["filters", "size"],
        keyed: &["stride", "pad"],
        example: "conv_transpose(12, 4x4, stride = 2, pad = 1)",
        read: layer::conv_transpose,
    },
    Word {
        name: "batch_norm",
        positional: &[],
        keyed: &["eps"],
        example: "batch_norm(eps = 1e-5)",
        read: layer::batch_norm,
    },
    Word {
        name: "lrn",
        positional: &["size"],
        keyed: &["alpha", "beta", "k"],
        example: "lrn(5, alpha = 1e-4, beta = 0.75, k = 1.0)",
        read: layer::lrn,
    },
    bare("relu", |_, _| (Kind::Relu, true)),
    bare("relu6", |_, _| (Kind::Relu6, true)),
    Word {
        name: "leaky_relu",
        positional: &["slope"],
        keyed: &[],
        example: "leaky_relu(0.01)",
        read: layer::leaky_relu,
    },
    bare("sigmoid", |_, _| (Kind::Sigmoid, true)),
    bare("tanh", |_, _| (Kind::Tanh, true)),
    bare("hard_swish", |_, _| (Kind::HardSwish, true)),
    Word {
        name: "max_pool",
        positional: &["size"],
        keyed: SLIDES,
        example: "max_pool(2x2, stride = 2)",
        read: layer::max_pool,
    },
    Word {
        name: "avg_pool",
        positional: &["size"],
        keyed: SLIDES,
        example: "avg_pool(2x2, stride = 2)",
        read: layer::avg_pool,
    },
    bare("global_avg_pool", |_, _| (Kind::GlobalAvgPool, true)),
    bare("global_max_pool", |_, _| (Kind::GlobalMaxPool, true)),
    Word {
        name: "fc",
        positional: &["filters"],
        keyed: &[],
        example: "fc(10)",
        read: layer::fc,
    },
    Word {
        name: "dropout",
        positional: &["rate"],
        keyed: &[],
        example: "dropout(0.5)",
        read: layer::dropout,
    },
    bare("softmax", |_, _| (Kind::Softmax, true)),
    bare("flatten", |_, _| (Kind::Flatten, true)),
    Word {
        name: "layer",
        positional: &["what", "volume"],
        keyed: &[],
        example: "layer(path::To::SHIFT, 32x32x12)",
        read: elsewhere::own,
    },
    Word {
        name: "network",
        positional: &["what"],
        keyed: &[],
        example: "network(path::To::Stem)",
        read: elsewhere::network,
    },
];

/// The words before braces.
pub(super) const BLOCKS: &[&str] = &["residual", "concat", "shortcut"];

/// The word that stands in front.
pub(super) const INPUT: Word = Word {
    name: "input",
    positional: &["size"],
    keyed: &[],
    example: "input(32x32x3)",
    // No layer: its size is read where the first line is.
    read: |_, _| (Kind::Flatten, true),
};

/// Whether a line with this word is the input, perhaps with a slip.
pub(super) fn is_input(word: &str) -> bool {
    let close = || strsim::damerau_levenshtein(&word.to_lowercase(), INPUT.name) <= 1;
    word == INPUT.name || (meant(word).is_empty() && close())
}

/// Whether some layer has an argument of that name.
pub(super) fn is_key(name: &str) -> bool {
    WORDS.iter().any(|word| word.names().any(|key| key == name))
}

/// The word of that name.
pub(super) fn find(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name)
}

/// The words that are meant by one that is none.
pub(super) fn meant(name: &str) -> Vec<&'static str> {
    let plain = foreign::plain(name);
    match plain.as_str() {
        "pool" | "pooling" | "subsample" => vec!["max_pool", "avg_pool"],
        "convolution" | "convolutional" => vec!["conv"],
        "dense" | "linear" | "fullyconnected" | "affine" | "innerproduct" => vec!["fc"],
        "gap"
        | "globalaveragepool"
        | "globalaveragepooling"
        | "adaptiveavgpool"
        | "adaptiveaveragepool"
        | "globalavgpooling" => vec!["global_avg_pool"],
        "gmp" | "globalmaxpooling" | "adaptivemaxpool" => vec!["global_max_pool"],
        "globalpool" | "globalpooling" => vec!["global_avg_pool", "global_max_pool"],
        "maxpooling" => vec!["max_pool"],
        "depthwiseconv" | "dwconv" | "separableconv" => vec!["depthwise"],
        "deconv" | "deconvolution" | "upconv" | "transposedconv" | "convtranspose"
        | "transposeconv" => vec!["conv_transpose"],
        "bn" | "batchnormalization" | "batchnormalisation" => vec!["batch_norm"],
        "leakyrelu" => vec!["leaky_relu"],
        "hardswish" => vec!["hard_swish"],
        "localresponsenorm" | "localresponsenormalization" => vec!["lrn"],
        "averagepool" | "averagepooling" => vec!["avg_pool"],
        "net" | "subnet" | "subnetwork" | "model" | "module" | "backbone" => vec!["network"],
        _ => {
            let same = |word: &&str| word.replace('_', "") == plain;
            let names = || WORDS.iter().map(|word| word.name);
            names()
                .find(same)
                .or_else(|| nearest(&name.to_lowercase(), names()))
                .into_iter()
                .collect()
        }
    }
}

/// The name that was probably meant: at most a third of its letters are wrong.
pub(super) fn nearest(
    text: &str,
    names: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    names
        .map(|name| (strsim::damerau_levenshtein(text, name), name))
        .filter(|(distance, name)| distance * 3 <= name.len().max(3))
        .min()
        .map(|(_, name)| name)
}
