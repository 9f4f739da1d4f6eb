//! Nothing at all.

use super::word::word;

word! {
    /// `flatten`: nothing at all, for [`fc`](crate::dsl::fc) reads a volume of any shape.
    flatten {}
    Manner::Passes, Sees::Pixel;
}
