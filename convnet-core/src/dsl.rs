//! # The words of a declaration
//!
//! `convnet!` mentions these types where the words stand, so that an editor shows their
//! documentation, completes their arguments and jumps here. Nothing else uses them.
//!
//! A filter that slides has (W − F + 2P)/S + 1 positions along each axis, and that must be an
//! integer (CS231n, *Spatial arrangement*): see [`Fit`](crate::shape::Fit).
#![allow(non_camel_case_types, missing_debug_implementations)]

pub use crate::graph::input::input;
pub use crate::graph::op::names::*;
pub use crate::layer::concat::concat;
pub use crate::layer::outputs::outputs;
pub use crate::layer::residual::{residual, shortcut};
pub use crate::layer::scale::scale;

/// `#[budget(ram = 64 KiB, flash = 256 KiB)]`: what a network may take. More is an error.
pub struct budget {
    /// For the planned activations of inference, in `f32`: `64 KiB`.
    pub ram: usize,
    /// For the parameters, in `f32`: `256 KiB`.
    pub flash: usize,
}
