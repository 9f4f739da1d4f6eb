//! The `convnet!` macro.
