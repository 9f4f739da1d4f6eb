//! # What the page computes
//!
//! A module for each section of the page. What JavaScript calls is plain: numbers and typed arrays in and out, and
//! structs whose TypeScript `tsify` writes. What is tested natively has a function in Rust types beside it.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod demo;
pub mod inside;
#[path = "../../../examples/tiny_vgg/network.rs"]
mod tiny_vgg;
pub mod training;

use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::wasm_bindgen;

/// Whether the kernels compute with vectors: which of the two modules this is.
#[wasm_bindgen(js_name = hasVectors)]
#[must_use]
pub fn has_vectors() -> bool {
    cfg!(target_feature = "simd128")
}

/// A value as JavaScript sees it.
fn ts<T: Tsify + Serialize>(value: &T) -> Result<Ts<T>, String> {
    value.into_ts().map_err(|error| error.to_string())
}

/// Values as JavaScript sees them.
fn all_ts<T: Tsify + Serialize>(values: &[T]) -> Result<Vec<Ts<T>>, String> {
    values.iter().map(ts).collect()
}
