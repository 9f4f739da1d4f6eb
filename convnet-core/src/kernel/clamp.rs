//! What follows the sums before they are stored.

use crate::Real;
#[cfg(vfp)]
use crate::kernel::f32::vfp;

/// An activation that a kernel applies to what it stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clamp {
    /// None.
    #[default]
    None,
    /// `max(0, v)`.
    Relu,
    /// `min(max(0, v), 6)`.
    Relu6,
}

impl Clamp {
    /// This one, and the other of what it leaves.
    #[must_use]
    pub const fn then(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, clamp) | (clamp, Self::None) => clamp,
            (Self::Relu, Self::Relu) => Self::Relu,
            (Self::Relu6, _) | (_, Self::Relu6) => Self::Relu6,
        }
    }

    /// The activation of every scalar, in the plainest way. `-0.0` and NaN become zero and NaN.
    ///
    /// Compiled once a scalar, not once a layer.
    #[inline(never)]
    pub fn apply<T: Real>(self, v: &mut [T]) {
        #[cfg(vfp)]
        if let Some(v) = T::as_f32_mut(v) {
            return match self {
                Self::None => {}
                Self::Relu => vfp::relu(v),
                Self::Relu6 => vfp::relu6(v),
            };
        }
        let rectify = |v: T| if v <= T::ZERO { T::ZERO } else { v };
        match self {
            Self::None => {}
            Self::Relu => v.iter_mut().for_each(|v| *v = rectify(*v)),
            Self::Relu6 => {
                let six = T::of(6.0);
                v.iter_mut().for_each(|v| {
                    let above = rectify(*v);
                    *v = if above > six { six } else { above };
                });
            }
        }
    }

    /// The least and the most that is stored.
    pub(super) const fn bounds(self) -> Option<[f32; 2]> {
        match self {
            Self::None => None,
            Self::Relu => Some([0.0, f32::INFINITY]),
            Self::Relu6 => Some([0.0, 6.0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Clamp;

    #[test]
    fn one_clamp_then_another_is_both() {
        const ALL: [Clamp; 3] = [Clamp::None, Clamp::Relu, Clamp::Relu6];
        for (one, other) in ALL.iter().flat_map(|one| ALL.map(|other| (*one, other))) {
            let mut after = [-1.0, 0.0, 5.0, 7.0, f32::INFINITY];
            let mut at_once = after;
            one.apply(&mut after);
            other.apply(&mut after);
            one.then(other).apply(&mut at_once);
            assert_eq!(at_once, after, "{one:?}, {other:?}");
        }
    }
}
