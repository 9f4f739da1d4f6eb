//! Which losses go with which targets.

use crate::data::{ClassMap, Labels, Mixed, Target, Values};
use crate::learn::loss::LossError;
use crate::{Loss, Real};

/// A loss for images whose targets are `Y`s.
///
/// | targets | whatever is a |
/// |---|---|
/// | `usize` | [`Loss<T>`](Loss) |
/// | [`Mixed`] | [`Loss<T>`](Loss), of each of the two classes |
/// | [`Labels`] | `Loss<T, &[bool]>` |
/// | [`Values`] | `Loss<T, &[f32]>` |
/// | [`ClassMap`] | `Loss<T, &[usize]>` |
///
/// For a [`Target`] of your own, implement it yourself.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no loss for targets of type `{Y}`",
    label = "the trainer's loss is for other targets",
    note = "one class an image (`usize`) goes with `SoftmaxCrossEntropy`, `Hinge` or `CrossEntropy`; `Labels` \
            with `BinaryCrossEntropy`; `Values` with `MeanSquaredError` or `Huber`; `ClassMap` with `PerPixel`"
)]
pub trait LossFor<T: Real, Y: Target> {
    /// As [`Loss::loss`].
    ///
    /// # Errors
    ///
    /// As there.
    fn loss_for(&self, outputs: &[T], target: &Y, d_outputs: &mut [T]) -> Result<T, LossError>;

    /// As [`Loss::refuses`].
    fn refuses(&self, last: &str) -> Option<&'static str> {
        let _ = last;
        None
    }
}

impl<T: Real, L: Loss<T>> LossFor<T, usize> for L {
    fn loss_for(&self, outputs: &[T], target: &usize, d_outputs: &mut [T]) -> Result<T, LossError> {
        self.loss(outputs, *target, d_outputs)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        Loss::<T, usize>::refuses(self, last)
    }
}

impl<T: Real, L: Loss<T>> LossFor<T, Mixed> for L {
    fn loss_for(&self, outputs: &[T], target: &Mixed, d_outputs: &mut [T]) -> Result<T, LossError> {
        let [one, other] = target.classes;
        let loss = self.loss(outputs, one, d_outputs)?;
        if target.share >= 1.0 {
            return Ok(loss);
        }
        let mut more = d_outputs.to_vec();
        let [first, second] = [target.share, 1.0 - target.share].map(T::of);
        let other = self.loss(outputs, other, &mut more)?;
        for (d, more) in d_outputs.iter_mut().zip(more) {
            *d = first * *d + second * more;
        }
        Ok(first * loss + second * other)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        Loss::<T, usize>::refuses(self, last)
    }
}

impl<T: Real, L: for<'a> Loss<T, &'a [bool]>> LossFor<T, Labels> for L {
    fn loss_for(
        &self,
        outputs: &[T],
        target: &Labels,
        d_outputs: &mut [T],
    ) -> Result<T, LossError> {
        self.loss(outputs, &target.0[..], d_outputs)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        Loss::<T, &[bool]>::refuses(self, last)
    }
}

impl<T: Real, L: for<'a> Loss<T, &'a [f32]>> LossFor<T, Values> for L {
    fn loss_for(
        &self,
        outputs: &[T],
        target: &Values,
        d_outputs: &mut [T],
    ) -> Result<T, LossError> {
        self.loss(outputs, &target.values[..], d_outputs)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        Loss::<T, &[f32]>::refuses(self, last)
    }
}

impl<T: Real, L: for<'a> Loss<T, &'a [usize]>> LossFor<T, ClassMap> for L {
    fn loss_for(
        &self,
        outputs: &[T],
        target: &ClassMap,
        d_outputs: &mut [T],
    ) -> Result<T, LossError> {
        self.loss(outputs, &target.classes[..], d_outputs)
    }

    fn refuses(&self, last: &str) -> Option<&'static str> {
        Loss::<T, &[usize]>::refuses(self, last)
    }
}
