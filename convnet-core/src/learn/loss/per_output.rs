//! Several outputs, each with a loss of its own.

use core::fmt;
use core::ops::Range;

use super::{Loss, LossError};
use crate::{OutputOf, Real};

/// The losses of several outputs, each times its weight, added up: for a network that ends in `outputs { … }`.
///
/// The target is one vector, in which what is right for an output lies where the output does
/// ([`OutputOf::range`]). What no loss is about gets a gradient of 0.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::OutputOf;
/// use convnet::loss::{BinaryCrossEntropy, Loss, MeanSquaredError, OutputLoss, PerOutput};
///
/// // As `Detector::OUTPUTS` of `outputs { place: [fc(2)], found: [fc(1)] }`.
/// let place = OutputOf { name: "place", volume: [1, 1, 2], at: 0 };
/// let found = OutputOf { name: "found", volume: [1, 1, 1], at: 2 };
/// let loss = PerOutput((
///     OutputLoss::new(&place, 10.0, MeanSquaredError),
///     OutputLoss::new(&found, 1.0, BinaryCrossEntropy),
/// ));
/// let mut d_outputs = [0.0; 3];
/// let sum = loss.loss(&[0.5_f64, 0.0, 0.0], &[0.5, 1.0, 1.0], &mut d_outputs)?;
/// assert_eq!((sum, d_outputs), (10.0 * 0.5 + 2_f64.ln(), [0.0, -10.0, -0.5]));
/// # Ok::<(), convnet_core::loss::LossError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PerOutput<L>(
    /// One [`OutputLoss`], in a tuple `(…,)`, or up to six.
    pub L,
);

/// The loss of one of the outputs, for [`PerOutput`].
#[derive(Clone, Debug, PartialEq)]
pub struct OutputLoss<L> {
    range: Range<usize>,
    weight: f64,
    loss: L,
}

impl<L> OutputLoss<L> {
    /// That of an output of [`Network::OUTPUTS`](crate::Network::OUTPUTS), which counts `weight` times.
    pub const fn new(output: &OutputOf<'_>, weight: f64, loss: L) -> Self {
        Self {
            range: output.range(),
            weight,
            loss,
        }
    }

    fn add<T: Real>(
        &self,
        outputs: &[T],
        target: &[f32],
        d_outputs: &mut [T],
    ) -> Result<T, LossError>
    where
        L: for<'a> Loss<T, &'a [f32]>,
    {
        let (range, weight) = (self.range.clone(), T::of(self.weight));
        let (expected, found) = (range.end, outputs.len());
        let parts = outputs.get(range.clone()).zip(target.get(range.clone()));
        let Some((outputs, target)) = parts else {
            return Err(LossError::Outputs { found, expected });
        };
        let d_outputs = &mut d_outputs[range];
        let loss = self.loss.loss(outputs, target, d_outputs)?;
        d_outputs.iter_mut().for_each(|d| *d *= weight);
        Ok(weight * loss)
    }
}

macro_rules! tuple {
    ($($loss:ident $field:tt),+) => {
        impl<T: Real, $($loss: for<'a> Loss<T, &'a [f32]>),+> Loss<T, &[f32]> for PerOutput<($(OutputLoss<$loss>,)+)> {
            fn loss(&self, outputs: &[T], target: &[f32], d_outputs: &mut [T]) -> Result<T, LossError> {
                super::same_length(outputs, target, d_outputs)?;
                d_outputs.fill(T::ZERO);
                let mut sum = T::ZERO;
                $(sum += self.0.$field.add(outputs, target, d_outputs)?;)+
                Ok(sum)
            }
        }

        impl<$($loss: fmt::Display),+> fmt::Display for PerOutput<($(OutputLoss<$loss>,)+)> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(
                    f.write_str(if $field > 0 { " + " } else { "" })?;
                    write!(f, "{}·({})", self.0.$field.weight, self.0.$field.loss)?;
                )+
                Ok(())
            }
        }
    };
}
tuple!(A 0);
tuple!(A 0, B 1);
tuple!(A 0, B 1, C 2);
tuple!(A 0, B 1, C 2, D 3);
tuple!(A 0, B 1, C 2, D 3, E 4);
tuple!(A 0, B 1, C 2, D 3, E 4, F 5);

#[cfg(test)]
mod tests {
    use super::super::MeanSquaredError;
    use super::*;

    #[test]
    fn an_output_of_another_network_is_an_error() {
        let far = OutputOf {
            name: "far",
            volume: [1, 1, 4],
            at: 2,
        };
        let loss = PerOutput((OutputLoss::new(&far, 1.0, MeanSquaredError),));
        let error = loss.loss(&[0.0_f32; 3], &[0.0; 3], &mut [0.0; 3]);
        assert_eq!(
            error,
            Err(LossError::Outputs {
                found: 3,
                expected: 6
            })
        );
    }
}
