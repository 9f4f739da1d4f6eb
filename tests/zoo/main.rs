//! The zoo: counted, run, and beside PyTorch's own models.

#[path = "../../examples/zoo/networks/mod.rs"]
mod networks;

mod counts;
mod runs;

// Minutes without optimisation, to compile as to run: `cargo test --release --test zoo` has them.
#[cfg(not(debug_assertions))]
#[rustfmt::skip]
mod expected;
#[cfg(not(debug_assertions))]
mod scores;
