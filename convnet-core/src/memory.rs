//! # Memory: what a network is made of while it exists
//!
//! [`volume`] holds activations, [`parameters`] what is learned, and an [`overlay`] is one piece of
//! memory in which volumes lie where the plan has put them.

pub mod overlay;
pub mod parameters;
pub mod volume;
