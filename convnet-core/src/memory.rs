//! # Memory: what a network is made of while it exists
//!
//! [`volume`] holds activations, [`parameters`] what is learned, and an [`overlay`] is one piece of
//! memory in which volumes lie where the plan has put them; on the [`heap`] in large pages, if they are large. What an observer is shown is a `seen` one. [`moments`] are what the images of a batch
//! tell each other.

pub(crate) mod halves;
#[cfg(feature = "alloc")]
pub(crate) mod heap;
pub mod moments;
pub mod overlay;
pub(crate) mod parameters;
pub(crate) mod seen;
pub mod volume;
