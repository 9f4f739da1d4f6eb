//! # Files: parameters in a weight file, read when the program runs or while it is compiled
//!
//! ```text
//!  header ◀── flash      into a `static`, by const fns
//!     ▲
//!     └────── weights    load and save, and PyTorch's layouts
//! ```

pub mod flash;
pub(crate) mod header;
#[cfg(feature = "safetensors")]
pub mod weights;
