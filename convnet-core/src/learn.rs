//! # Learning: from a network, images and labels to trained parameters
//!
//! ```text
//!  init ──▶ parameters ──▶ loss ──▶ gradient ──▶ optim ──▶ parameters …      train runs the loop
//!                                      ▲           ▲
//!                               gradient_check   schedule
//! ```

pub mod gradient_check;
pub mod init;
pub mod loss;
#[cfg(feature = "alloc")]
mod on_heap;
pub mod optim;
#[cfg(feature = "report")]
pub mod report;
pub mod schedule;
#[cfg(feature = "train")]
pub mod train;

#[cfg(feature = "alloc")]
pub use on_heap::OnHeap;
