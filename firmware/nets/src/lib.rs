//! # The networks of the firmware, with their weights and images, for every target
//!
//! [`digits`] reads handwritten digits. [`cifar`] has three networks whose multiply-adds have been
//! counted elsewhere; their weights are random, since only their work is of interest. [`Words`] is
//! how a program tells its results without formatting a number.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod cifar;
#[cfg(feature = "weights")]
pub mod cifar8;
pub mod digits;
#[cfg(feature = "weights")]
pub mod digits8;
#[cfg(feature = "weights")]
pub mod tune;

/// Where results go, bit for bit, and who counts instructions.
pub trait Words {
    /// What is counted begins.
    fn begin(&mut self);

    /// What is counted ends.
    fn end(&mut self);

    /// The next result.
    fn word(&mut self, bits: u32);

    /// Each scalar as a result.
    fn scalars(&mut self, scalars: &[f32]) {
        for scalar in scalars {
            self.word(scalar.to_bits());
        }
    }
}
