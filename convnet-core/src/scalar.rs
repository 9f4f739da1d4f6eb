//! # Scalars: the numbers that a network computes with, and how random ones are drawn

pub mod element;
pub mod real;
pub mod rng;
