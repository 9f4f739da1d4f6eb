//! What is planned, and not computed: how filters are arranged, and what a declaration that somebody types looks like, or
//! what the compiler would say of it.

#![deny(missing_docs)]
#![forbid(unsafe_code)]

pub mod arrangement;

use convnet_declaration::declared;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::wasm_bindgen;

/// What a text declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Declaration {
    /// The network's name; empty if something is wrong.
    pub name: String,
    /// The table; empty if something is wrong, or only the compiler knows all sizes.
    pub table: String,
    /// The graph, as SVG.
    pub graph: String,
    /// Its volumes to scale, as SVG.
    pub solids: String,
    /// What is wrong.
    pub mistakes: Vec<Mistake>,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Mistake {
    /// What the compiler says.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// Where its tokens begin and end in the text, as JavaScript counts.
    pub range: [usize; 2],
}

/// As [`read`], for JavaScript.
///
/// # Errors
///
/// None that a caller could make.
#[wasm_bindgen]
pub fn declare(text: &str) -> Result<Ts<Declaration>, String> {
    read(text).into_ts().map_err(|error| error.to_string())
}

/// Reads a declaration.
#[must_use]
pub fn read(text: &str) -> Declaration {
    let (name, drawn, mistakes) = match declared(text) {
        Ok(declared) => (declared.name, declared.drawn, Vec::new()),
        Err(mistakes) => (String::new(), None, mistakes),
    };
    let (table, graph, solids) = drawn.map_or_else(Default::default, |drawn| {
        (drawn.table, drawn.graph, drawn.solids)
    });
    let mistakes = mistakes.into_iter().map(|mistake| {
        let range = [mistake.start, mistake.end].map(|at| offset(text, at.line, at.column));
        Mistake {
            message: mistake.message,
            line: mistake.start.line,
            column: mistake.start.column + 1,
            range,
        }
    });
    Declaration {
        name,
        table,
        graph,
        solids,
        mistakes: mistakes.collect(),
    }
}

/// How many UTF-16 units stand before a character of a line, which is counted from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut lines = text.split_inclusive('\n');
    let above: usize = lines.by_ref().take(line.saturating_sub(1)).map(units).sum();
    let before = lines.next().unwrap_or_default().chars().take(column);
    above + before.map(char::len_utf16).sum::<usize>()
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_mistake_is_where_javascript_looks_for_it() {
        let text = "/// 😀\nstruct A {\n    input(224x224x3),\n    conv(96, 11x11, stride = 4),\n}";
        let declaration = read(text);
        let [mistake] = &declaration.mistakes[..] else {
            panic!("{declaration:?}")
        };
        let units: Vec<u16> = text.encode_utf16().collect();
        let [from, to] = mistake.range;
        assert_eq!(String::from_utf16_lossy(&units[from..to]), "11x11");
        assert_eq!((mistake.line, mistake.column), (4, 14));
        assert!(mistake.message.contains("= 54.25 is not an integer"));
    }

    #[test]
    fn what_is_right_is_drawn() {
        let declaration = read("struct A { input(8x8x1), conv(4, 3x3), fc(10) }");
        assert_eq!(declaration.name, "A");
        assert!(declaration.table.contains("fc 10"), "{}", declaration.table);
        assert!(declaration.graph.contains("<svg") && declaration.solids.contains("<svg"));
    }
}
