//! ConvNets declared in one macro, proved by the compiler, trained on a desktop, run anywhere.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))] // on docs.rs, which feature an item needs
#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub use convnet_core::*;

#[cfg(all(doc, feature = "train"))]
pub mod guide;

#[doc(hidden)]
pub use convnet_macros::{convnet as __convnet, weights as __weights};

/// Declares a network: its layers, one a line, each of which reads what the one before it wrote.
///
/// `convnet! { pub struct Net { input(32x32x3), conv(12, 5x5, pad = 2), relu, fc(10) } }`
///
#[cfg_attr(doc, doc = include_str!("guide/links.md"))]
#[cfg_attr(doc, doc = include_str!("../docs/guide/reference.md"))]
#[macro_export]
macro_rules! convnet {
    ($($declaration:tt)*) => { $crate::__convnet! { [$crate] $($declaration)* } };
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
    ($($item:tt)*) => { $crate::__weights! { [$crate] $($item)* } };
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
