//! What is declared elsewhere: layers written by hand, and other networks.

use super::Written;
use super::args::Args;
use super::layer::Kind;
use super::number::{self, Value};
use crate::report::Errors;

/// `layer(path::To::SHIFT, 32x32x12)`, `layer(path::To::Scale<T>, 32x32x12)`.
pub(super) fn own(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let before = errors.count();
    let what = args.need("what", errors);
    let volume = args.need("volume", errors);
    let what = what.and_then(|Written { value, tokens }| {
        let own = match value {
            Value::Type(path) => Some((path, true)),
            value => value.path().map(|path| (path, false)),
        };
        if own.is_none() {
            errors.push(tokens, NOT_A_LAYER);
        }
        own
    });
    let volume = volume.and_then(|volume| number::volume(volume, errors));
    match (what, volume) {
        (Some((what, learns)), Some(volume)) if errors.count() == before => {
            let kind = Kind::Own {
                what,
                learns,
                volume: volume.map(Written::unwritten),
            };
            (kind, true)
        }
        _ => (Kind::Flatten, false),
    }
}

const NOT_A_LAYER: &str =
    "a layer written by hand is named by its path: a unit struct or a `const`; or a type with parameters
for example `layer(path::To::SHIFT, 32x32x12)`, `layer(path::To::Scale<T>, 32x32x12)`";

/// `network(path::To::Stem)`.
pub(super) fn network(args: &mut Args, errors: &mut Errors) -> (Kind, bool) {
    let what = args.need("what", errors).and_then(|what| {
        let path = what.value.path();
        if path.is_none() {
            let message = "a network is named by the path of its struct, without `<…>`: \
                           it takes over the scalar\nfor example `network(path::To::Stem)`";
            errors.push(what.tokens, message);
        }
        path
    });
    match what {
        Some(what) => (Kind::Network { what }, true),
        None => (Kind::Flatten, false),
    }
}
