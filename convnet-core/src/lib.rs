//! # Volumes, layers, kernels and training behind the `convnet` crate
//!
//! ```text
//! shape ◀ volume ◀ kernel ◀ layer ◀ loss, optim ◀ train          (◀ = is used by)
//! ```
//!
//! Read [`volume`] first, then [`layer`]; [`plan`](mod@plan) is where every size is computed, by
//! [`shape`]'s one formula. Inference and `backward` need neither `alloc` nor `std`:
//!
//! | feature | adds |
//! |---|---|
//! | (none) | every layer, forward and backward, losses, optimizers, static arenas |
//! | `alloc` | big values built in place on the heap |
//! | `std` | run-time choice of the instruction set |
//! | `safetensors` | weight files |
//! | `train` | the trainer, data sets, checkpoints |
//! | `report` | a network as a page of pictures |
//! | `image` | image files |
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))] // on docs.rs, which feature an item needs
#![deny(missing_docs)]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "safetensors")]
pub mod classify;
#[cfg(feature = "train")]
pub mod data;
#[cfg(feature = "alloc")]
pub mod draw;
pub mod dsl;
mod file;
pub mod graph;
pub mod int8;
pub mod kernel;
pub mod layer;
mod learn;
mod memory;
pub mod network;
#[cfg(feature = "safetensors")]
mod picture;
pub mod plan;
mod scalar;
pub mod shape;
pub mod text;

pub use file::flash;
#[cfg(feature = "safetensors")]
pub use file::weights;
#[cfg(feature = "report")]
pub use learn::report;
#[cfg(feature = "train")]
pub use learn::train;
pub use learn::{gradient_check, init, loss, optim, schedule};
pub use memory::{moments, overlay, volume};
#[doc(hidden)]
pub use network::join;
pub use network::{prepare, summary};
pub use scalar::{element, real, rng};

#[cfg(feature = "safetensors")]
pub use classify::Classifier;
pub use element::{Element, ElementType};
pub use layer::{Activation, InPlace, Layer};
#[cfg(feature = "alloc")]
pub use learn::OnHeap;
pub use loss::Loss;
pub use memory::parameters::{Parameters, Role, Tensor};
pub use memory::seen::Seen;
pub use network::{Arena, Network, OutputOf, Tape, Trainable};
pub use optim::Optimizer;
pub use overlay::Overlay;
#[cfg(feature = "alloc")]
pub use prepare::Prepared;
pub use real::Real;
pub use rng::Rng;
pub use schedule::Schedule;
pub use summary::Summary;
pub use volume::{AnyVolume, Scores, Volume};

#[doc(hidden)]
pub mod __private {
    pub use crate::layer::by_hand::{AnyLayer, OrAny, after};
    pub use crate::memory::parameters::{InFlash, zeroed};
    #[cfg(feature = "alloc")]
    pub use alloc::boxed::Box;
    pub use bytemuck::Zeroable;
}

/// Whether there is a heap is known here, not in the crate in which a macro expands.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_alloc {
    ($($item:item)*) => { $($item)* };
}

/// Whether there is a heap is known here, not in the crate in which a macro expands.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __if_alloc {
    ($($item:item)*) => {};
}
