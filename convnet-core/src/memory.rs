//! # Memory: what a network is made of while it exists
//!
//! [`volume`] holds activations, [`parameters`] what is learned, and an [`overlay`] is one piece of
//! memory in which volumes lie where the plan has put them. [`moments`] are what the images of a batch
//! tell each other.

pub(crate) mod halves;
pub mod moments;
pub mod overlay;
pub(crate) mod parameters;
pub mod volume;
