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

/// By which vectors the kernels compute, nothing if by none: which of the three modules this is.
#[wasm_bindgen]
#[must_use]
pub fn vectors() -> String {
    let vectors = [
        (cfg!(target_feature = "relaxed-simd"), "relaxed-simd"),
        (cfg!(target_feature = "simd128"), "simd128"),
    ];
    let best = vectors.into_iter().find(|(has, _)| *has);
    best.map_or_else(String::new, |(_, name)| name.into())
}

/// A value as JavaScript sees it.
fn ts<T: Tsify + Serialize>(value: &T) -> Result<Ts<T>, String> {
    value.into_ts().map_err(|error| error.to_string())
}

/// Values as JavaScript sees them.
fn all_ts<T: Tsify + Serialize>(values: &[T]) -> Result<Vec<Ts<T>>, String> {
    values.iter().map(ts).collect()
}
