//! What follows the sums before they are stored.

use crate::Real;

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
    /// The activation of every scalar, in the plainest way. `-0.0` and NaN become zero and NaN.
    pub fn apply<T: Real>(self, v: &mut [T]) {
        if let Some([low, high]) = self.bounds() {
            let [low, high] = [low, high].map(|bound| T::of(bound.into()));
            for v in v {
                *v = if *v <= low { low } else { *v };
                *v = if *v > high { high } else { *v };
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
