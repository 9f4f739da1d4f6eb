//! What can be wrong with an optimizer.

use core::fmt;

/// Why an optimizer makes no step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OptimError {
    /// A hyperparameter makes no sense.
    Hyperparameter {
        /// Its name.
        name: &'static str,
        /// Its value.
        found: f64,
        /// What it should be.
        expected: &'static str,
    },
    /// The optimizer was lent too little memory.
    Slots {
        /// How many slots there are.
        found: usize,
        /// How many it needs.
        needed: usize,
    },
    /// The gradient holds an infinity or NaN.
    NotFinite {
        /// The first tensor that does.
        tensor: &'static str,
    },
}

impl fmt::Display for OptimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Hyperparameter {
                name,
                found,
                expected,
            } => {
                write!(f, "the {name} is {found}: it should be {expected}")
            }
            Self::Slots { found, needed } => write!(
                f,
                "the optimizer needs {needed} slots and was lent {found}: \
                 lend zeroed values of the network's type, and keep them between steps"
            ),
            Self::NotFinite { tensor } => write!(
                f,
                "the gradient on {tensor} is not finite: \
                 lower the learning rate, or look for NaN in the images"
            ),
        }
    }
}

impl core::error::Error for OptimError {}

/// A learning rate or a weight decay.
pub(super) fn not_negative(name: &'static str, found: f64) -> Result<(), OptimError> {
    expect(
        found >= 0.0 && found.is_finite(),
        name,
        found,
        "finite, and 0 or more",
    )
}

/// An ε: with 0, a gradient of 0 would be divided by 0.
pub(super) fn positive(name: &'static str, found: f64) -> Result<(), OptimError> {
    expect(
        found > 0.0 && found.is_finite(),
        name,
        found,
        "finite, and more than 0",
    )
}

/// A momentum, or the share that an average keeps.
pub(super) fn share(name: &'static str, found: f64) -> Result<(), OptimError> {
    expect(
        (0.0..1.0).contains(&found),
        name,
        found,
        "0 or more, and less than 1",
    )
}

pub(super) fn expect(
    holds: bool,
    name: &'static str,
    found: f64,
    expected: &'static str,
) -> Result<(), OptimError> {
    if holds {
        Ok(())
    } else {
        Err(OptimError::Hyperparameter {
            name,
            found,
            expected,
        })
    }
}
