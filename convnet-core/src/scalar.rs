//! # Scalars: the numbers that a network computes with, and how random ones are drawn

pub mod real;
pub mod rng;
