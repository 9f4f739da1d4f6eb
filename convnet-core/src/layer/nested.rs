//! A network that is a layer of another.

use super::word::word;

word! {
    /// `network(path::To::Stem)`: a network that another `convnet!` declares, as a block of this one.
    ///
    /// It reads the volume that it was declared for, becomes a field, and learns with the rest. Its arena
    /// lies in this one's while it works, and its tape from forward to backward.
    network {
        /// The struct: `path::To::Stem`, without its scalar, which is this network's.
        what: () = first(Takes::Item),
    }
    Manner::Filters, Sees::Inner;
    example: "network(path::To::Stem)",
    elsewhere: &["net", "subnet", "subnetwork", "model", "module", "backbone"],
}
