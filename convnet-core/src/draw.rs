//! # Drawings: a network as SVG, from its list of layers
//!
//! ```text
//!  &[Node] ──▶ graph    boxes and edges, from the image down
//!          └─▶ solids   volumes to scale, as CS231n draws them
//! ```
//!
//! What is drawn has the colours of the page around it: `--one` to `--four` for kinds of layers, each with a
//! `-soft` one, `--line` and `--soft`; and text of the class `soft`.

mod graph;
mod solids;

use alloc::string::{String, ToString};
use core::fmt::Display;

pub use graph::graph;
pub use solids::solids;

/// Text in a drawing, or in a page.
pub(crate) fn text(it: impl Display) -> String {
    escaped(&it.to_string())
}

/// Text, so that no character of it is markup.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no other control characters.
            '\u{0}'..='\u{8}'
            | '\u{b}'
            | '\u{c}'
            | '\u{e}'..='\u{1f}'
            | '\u{fffe}'
            | '\u{ffff}' => {
                escaped.push('\u{fffd}');
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
