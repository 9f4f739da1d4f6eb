//! What can be wrong with a header.

use super::Name;
use crate::text::Text;

/// Why a file is no sound safetensors file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Defect<'a> {
    /// It is shorter or longer than it says.
    Length { expected: usize, found: usize },
    /// Two tensors have this name.
    Twice(Name<'a>),
    /// This tensor is not as one has to be.
    Tensor(Name<'a>, &'static str),
    /// The text has something else at this byte.
    Json { expected: &'static str, at: usize },
    /// It does not even begin as one.
    File(&'static str),
}

/// What is wrong, in words.
type Reason = Text<512>;

impl Defect<'_> {
    /// What is damaged.
    pub(crate) const fn reason(&self) -> Reason {
        let mut text = Reason::new();
        match *self {
            Self::Length { .. } => {
                text.push_str("its length");
            }
            Self::Twice(name) => {
                text.push_str("two tensors are called `");
                name.push_to(&mut text);
                text.push_str("`");
            }
            Self::Tensor(name, reason) => {
                text.push_str("`");
                name.push_to(&mut text);
                text.push_str("` ").push_str(reason);
            }
            Self::Json { expected, at } => {
                text.push_str("expected ")
                    .push_str(expected)
                    .push_str(" at byte ")
                    .push_number(at)
                    .push_str(" of its header");
            }
            Self::File(reason) => {
                text.push_str(reason);
            }
        }
        text
    }
}
