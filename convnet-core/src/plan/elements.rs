//! Of what volumes are made, and how many bytes they take.

use super::Op;
use crate::graph::Manner;
use crate::memory::overlay::LINE;
use crate::scalar::element::ElementType;
use crate::shape::Misfit;

/// Of what the volumes of a network are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elements<'a> {
    /// All of the same.
    All(ElementType),
    /// Each of its own.
    Each {
        /// The image.
        image: ElementType,
        /// What each layer writes.
        written: &'a [ElementType],
    },
}

impl Elements<'_> {
    /// All `f32`.
    pub const F32: Self = Self::All(ElementType::F32);

    /// Of what volume `v` is made, counted as in the plan; `None` if it is not said.
    const fn of(&self, v: usize) -> Option<ElementType> {
        match (self, v.checked_sub(1)) {
            (Self::All(element), _) | (Self::Each { image: element, .. }, None) => Some(*element),
            (Self::Each { written, .. }, Some(layer)) if layer < written.len() => {
                Some(written[layer])
            }
            (Self::Each { .. }, Some(_)) => None,
        }
    }

    /// How many bytes the image takes.
    pub(super) const fn image(&self, input: [usize; 3]) -> usize {
        match self {
            Self::All(element) | Self::Each { image: element, .. } => bytes(input, *element),
        }
    }

    /// Of what layer `layer` writes its volume: what works in place keeps the element of what it reads.
    pub(super) const fn written(&self, ops: &[Op], layer: usize) -> Result<ElementType, Misfit> {
        let (op, writes) = (ops[layer], self.of(layer + 1));
        let Some(element) = writes else {
            return Err(Misfit::Elements {
                reads: None,
                writes,
            });
        };
        if let Manner::Filters | Manner::Selects | Manner::Averages = op.manner() {
            return Ok(element);
        }
        let (first, second) = op.reads(layer);
        let reads = match (self.other(first, element), second) {
            (None, Some(second)) => self.other(second, element),
            (reads, _) => reads,
        };
        match reads {
            Some(_) => Err(Misfit::Elements { reads, writes }),
            None => Ok(element),
        }
    }

    /// What volume `v` is made of, if it is known and not that.
    const fn other(&self, v: usize, element: ElementType) -> Option<ElementType> {
        match self.of(v) {
            Some(other) if other as u8 != element as u8 => Some(other),
            Some(_) | None => None,
        }
    }
}

/// How many bytes a volume takes; `usize::MAX` if that is too many.
pub(super) const fn bytes([height, width, depth]: [usize; 3], element: ElementType) -> usize {
    (height * width * depth).saturating_mul(element.bytes())
}

/// As many bytes as they take in memory: whole lines.
pub(super) const fn lines(bytes: usize) -> usize {
    match bytes.checked_next_multiple_of(LINE) {
        Some(bytes) => bytes,
        None => usize::MAX - usize::MAX % LINE,
    }
}

/// How many scalars of an `f32` network, in which the places of an [`Overlay`](crate::Overlay) are
/// counted, take so many bytes.
#[must_use]
pub const fn scalars(bytes: usize) -> usize {
    bytes / ElementType::F32.bytes()
}
