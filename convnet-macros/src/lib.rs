//! The `convnet!` macro.
#![deny(missing_docs)]
