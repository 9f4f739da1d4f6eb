//! The words of a declaration, and which of them is meant by one that is none.

use convnet_core::graph::{BLOCKS, INPUT, WORDS, Word};

use super::foreign;

/// Whether a line with this word is the input, perhaps with a slip.
pub(super) fn is_input(word: &str) -> bool {
    let close = || strsim::damerau_levenshtein(&word.to_ascii_lowercase(), INPUT.name) <= 1;
    word == INPUT.name || (meant(word).is_empty() && close())
}

/// Whether some layer has an argument of that name.
pub(super) fn is_key(name: &str) -> bool {
    WORDS.iter().any(|word| word.arg(name).is_some())
}

/// The word of that name.
pub(super) fn find(name: &str) -> Option<&'static Word> {
    WORDS.iter().find(|word| word.name == name).copied()
}

/// Whether layers stand in braces behind that word.
pub(super) fn is_block(name: &str) -> bool {
    BLOCKS.iter().any(|word| word.name == name)
}

/// The layers that are meant by a word that is none.
pub(super) fn meant(name: &str) -> Vec<&'static str> {
    let plain = foreign::plain(name);
    let elsewhere = WORDS
        .iter()
        .filter(|word| word.elsewhere.contains(&&*plain));
    let elsewhere: Vec<_> = elsewhere.map(|word| word.name).collect();
    if !elsewhere.is_empty() {
        return elsewhere;
    }
    let names = || WORDS.iter().map(|word| word.name);
    names()
        .find(|word| word.replace('_', "") == plain)
        .or_else(|| nearest(&name.to_ascii_lowercase(), names()))
        .into_iter()
        .collect()
}

/// The block that is meant by a word that is none.
pub(super) fn block_meant(name: &str) -> Option<&'static str> {
    let plain = foreign::plain(name);
    let elsewhere = BLOCKS.iter().find(|word| word.elsewhere.contains(&&*plain));
    elsewhere.map(|word| word.name).or_else(|| {
        let names = BLOCKS.iter().map(|word| word.name);
        nearest(&name.to_ascii_lowercase(), names)
    })
}

/// The name that was probably meant: at most a third of its letters are wrong.
pub(crate) fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    names
        .map(|name| (strsim::damerau_levenshtein(text, name), name))
        .filter(|(distance, name)| distance * 3 <= name.len().max(3))
        .min()
        .map(|(_, name)| name)
}
