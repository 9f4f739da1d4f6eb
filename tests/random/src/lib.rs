//! # Whole networks at random, computed by every path
//!
//! ```text
//!  seed ─▶ draw ─▶ Network ─┬─▶ declare ─▶ convnet! ─▶ f32, f64, prepared, training, batches
//!                           └─▶ reference: plain loops in f64           │
//!                                              └──────── equal ─────────┘
//! ```
//!
//! The build script draws networks and declares them; the test draws the same ones again and compares.
//! Neither `network`, where shapes are computed, nor `reference` knows anything of the library.
//!
//! `cargo test -p random-networks` computes forty, `tests/random/many 1000 3000` those of the seeds from
//! 1000 to 2999. A network that fails prints its declaration, and is computed again by
//! `RANDOM_NETWORKS=1 RANDOM_SEED=1234 cargo test -p random-networks`.

#[cfg(test)]
use convnet::Rng;

#[cfg(test)]
mod check;
#[cfg(test)]
mod declare;
#[cfg(test)]
mod draw;
#[cfg(test)]
mod network;
#[cfg(test)]
mod own;
#[cfg(test)]
mod reference;

#[cfg(test)]
mod networks {
    use crate::own::{Negate, Scale};

    include!(concat!(env!("OUT_DIR"), "/networks.rs"));
}
