//! Convolutional networks declared in one macro, proved by the compiler, trained on a desktop, run anywhere.
//!
//! ```
//! use convnet::{Volume, convnet};
//!
//! convnet! {
//!     /// CS231n's example network for CIFAR-10.
//!     pub struct Cifar {
//!         input(32x32x3),                 // 32 wide, 32 high; red, green, blue
//!         conv1: conv(12, 5x5, pad = 2),  // 12 filters slide over it
//!         relu,
//!         max_pool(2x2),
//!         scores: fc(10),                 // a score a class
//!     }
//! }
//!
//! let net = Cifar::random(231);           // weights at random
//! println!("{net}");                      // every size, known beforehand
//! let (image, mut memory) = (Volume::boxed(), Cifar::arena());
//! let class = net.forward(&image, &mut memory).best();
//! assert!(class < 10);
//! ```
//!
//! A layer that does not fit is a compile error on the number to change, with the arithmetic, and repairs that
//! were checked to fit.
//!
//! **Begin** with [your first network](guide::first_network), which trains; [the guide](guide) goes on from there.
//! [`convnet!`] has the whole language: every word, argument and error.
//!
//! | to | there is |
//! |---|---|
//! | **declare** | [`convnet!`], a network; [`dsl`], its words one by one; [`parameters!`], a layer of your own with weights |
//! | **train** | [`train`], the trainer; [`data`], images; [`loss`], [`optim`], [`schedule`], [`init`] |
//! | **keep** | [`mod@weights`]: save, load, from PyTorch |
//! | **run** | [`Classifier`], from an image to names and probabilities; [`Prepared`], for speed; [`prepare`]; [`Volume`], what flows through a network; [`Arena`] and [`Tape`], its memory |
//! | **embed** | [`weights!`], a weight file in a `static`; [`Overlay`], memory in a `static`; [`mod@int8`], the network in bytes |
//! | **extend** | [`Layer`], your own; [`layer`], those of the language; [`Network`], [`Trainable`], [`Parameters`], [`Loss`], [`Optimizer`], [`OnHeap`], for generic code; [`gradient_check`] |
//! | **look inside** | `observe` of every [network](Network::observe), its volumes, each a [`Seen`]; [`report`], a page of pictures; [`graph`], the declaration as data; [`plan`] and [`Summary`], every figure; [`shape`], the formula; [`kernel`], the instruction set |
//!
//! | feature | adds | default |
//! |---|---|---|
//! | (none) | every layer, forward and backward, losses, optimizers; `no_std`, no allocator | |
//! | `alloc` | `boxed`, `random`, `arena`, `tape`: in place on the heap | |
//! | `std` | the instruction set chosen at run time | yes |
//! | `rayon` | large layers, and batches, on all cores at inference | yes |
//! | `safetensors` | weight files, PyTorch's layouts in | yes |
//! | `onnx` | networks as ONNX models | |
//! | `train` | the trainer, data sets, checkpoints | yes |
//! | `report` | a network as a page of pictures | yes |
//! | `image` | image files: [folders](data::folder) of them to train on, one at a time to classify | |
//!
//! <style>.docblock td:first-child code { white-space: nowrap }</style>
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))] // on docs.rs, which feature an item needs
#![deny(missing_docs)]
#![forbid(unsafe_code)]

#[doc(inline)]
pub use convnet_core::{
    Activation, AnyVolume, Arena, Element, ElementType, InPlace, Layer, Loss, Network, Optimizer,
    OutputOf, Overlay, Parameters, Real, Rng, Role, Schedule, Scores, Seen, Summary, Tape, Tensor,
    Trainable, Volume, dsl, flash, gradient_check, graph, init, int8, int8_weights, layer, loss,
    optim, parameters, schedule, shape,
};

#[cfg(all(doc, feature = "train"))]
pub mod guide;

#[cfg(feature = "alloc")]
#[doc(inline)]
pub use convnet_core::{OnHeap, Prepared};

#[cfg(feature = "safetensors")]
#[doc(inline)]
pub use convnet_core::{Classifier, classify, weights};

#[cfg(feature = "train")]
#[doc(inline)]
pub use convnet_core::{data, train};

#[cfg(feature = "onnx")]
#[doc(inline)]
pub use convnet_onnx as onnx;

#[cfg(feature = "tflite")]
#[doc(inline)]
pub use convnet_tflite as tflite;

#[cfg(feature = "report")]
#[doc(inline)]
pub use convnet_core::report;

/// Instruction sets: which one the kernels use, and how a test has them use another.
pub mod kernel {
    #[doc(inline)]
    pub use convnet_core::kernel::level;
    #[cfg(feature = "std")]
    #[doc(inline)]
    pub use convnet_core::kernel::{levels, with_level};
}

/// The plan of a network: every size and every figure, from its [graph] alone.
pub mod plan {
    #[cfg(feature = "alloc")]
    #[doc(inline)]
    pub use convnet_core::network::{Draft, Planned, Unfit};
    #[doc(inline)]
    pub use convnet_core::plan::{
        Elements, Failure, LayerInfo, Memory, Options, Plan, Repair, Step, Totals, Written,
    };
    #[cfg(feature = "alloc")]
    #[doc(inline)]
    pub use convnet_core::plan::{Holds, Lifetime};
    #[cfg(feature = "alloc")]
    #[doc(inline)]
    pub use convnet_core::plan::{place, place_of};
}

/// Networks whose weights are repacked once, for speed: [`Prepared`].
pub mod prepare {
    #[doc(inline)]
    pub use convnet_core::prepare::{Precision, Prepare};
    #[cfg(feature = "alloc")]
    #[doc(inline)]
    pub use convnet_core::prepare::{Prepared, PreparedArena};
}

/// What generated code calls. It changes with every version: nothing here is meant for others.
#[doc(hidden)]
pub mod generated {
    pub use convnet_core::network::nested::Nestable;
    pub use convnet_core::*;
    pub use convnet_macros::{convnet, weights};
}

/// Declares a network: its layers, one a line, each of which reads what the one before it wrote.
///
/// `convnet! { pub struct Net { input(32x32x3), conv(12, 5x5, pad = 2), relu, fc(10) } }`
///
#[cfg_attr(doc, doc = include_str!("guide/links.md"))]
#[cfg_attr(doc, doc = include_str!("../docs/guide/reference.md"))]
///
/// <style>.docblock td:first-child code { white-space: nowrap }</style>
#[macro_export]
macro_rules! convnet {
    ($($declaration:tt)*) => { $crate::generated::convnet! { [$crate::generated] $($declaration)* } };
}

/// Puts the parameters of a weight file into a `static`: on a microcontroller, into flash.
///
/// The file is opened while the program is compiled; a change of it compiles anew. Its names,
/// shapes and types are checked against the declaration, and a file that does not fit is a
/// compile error; values that are not finite are not looked for. Nothing is copied or decoded when
/// the program runs.
///
/// A relative name is relative to the source file, as in `include_bytes!`. What
/// `convnet::weights::save` writes is such a file.
///
/// ```
/// use convnet::{convnet, weights};
///
/// convnet! {
///     pub struct Digits {
///         input(8x8x1),
///         conv1: conv(16, 3x3, pad = 1),
///         relu,
///         max_pool(2x2, stride = 2),
///         conv2: conv(32, 3x3, pad = 1),
///         relu,
///         max_pool(2x2, stride = 2),
///         dropout(0.25),
///         scores: fc(10),
///     }
/// }
///
/// weights! {
///     /// Trained by the example `digits`.
///     static NET: Digits = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/digits.safetensors");
/// }
///
/// let image = convnet::Volume([
///     *b"..####..", //
///     *b".##..##.",
///     *b".#....#.",
///     *b".#....#.",
///     *b".#....#.",
///     *b".#....#.",
///     *b".##..##.",
///     *b"..####..",
/// ].map(|row| row.map(|pixel| [f32::from(u8::from(pixel == b'#'))])));
/// let mut arena = convnet::Arena::<Digits>::ZERO;
/// assert_eq!(NET.forward(&image, &mut arena).best(), 0);
/// ```
#[macro_export]
macro_rules! weights {
    ($($item:tt)*) => { $crate::generated::weights! { [$crate::generated] $($item)* } };
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
