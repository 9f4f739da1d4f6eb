//! ConvNets declared in one macro, proved by the compiler, trained on a desktop, run anywhere.
#![cfg_attr(not(feature = "std"), no_std)]
#![deny(missing_docs)]

pub use convnet_core::*;

#[doc(hidden)]
pub use convnet_macros::convnet as __convnet;

/// Declares a network.
#[macro_export]
macro_rules! convnet {
    ($($declaration:tt)*) => { $crate::__convnet! { [$crate] $($declaration)* } };
}
