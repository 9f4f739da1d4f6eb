//! Patterns of names: `stage*.residual#` fits `stage1.residual2.conv1`, and `.conv1` is left.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What a pattern found in a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Caught<'a> {
    /// The text of each `*`.
    texts: Vec<&'a str>,
    /// The number of each `#`.
    numbers: Vec<usize>,
    /// The parts behind, `conv1`; nothing, if the pattern was of the whole name.
    pub(super) rest: &'a str,
}

/// How many parts a name has, between dots.
pub(super) fn parts(name: &str) -> usize {
    name.split('.').count()
}

/// Whether `name` begins with parts as `pattern` says them. A dot at the end of a pattern says nothing.
pub(super) fn fit<'a>(pattern: &str, name: &'a str) -> Option<Caught<'a>> {
    let mut caught = Caught {
        texts: Vec::new(),
        numbers: Vec::new(),
        rest: name,
    };
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    let mut ended = false;
    for wanted in pattern.split('.') {
        if ended {
            return None;
        }
        let (part, rest) = match caught.rest.split_once('.') {
            Some(both) => both,
            None => (caught.rest, ""),
        };
        ended = part.len() == caught.rest.len();
        if !fit_part(wanted, part, &mut caught) {
            return None;
        }
        caught.rest = rest;
    }
    Some(caught)
}

/// One part; a `*` takes as much as it can.
fn fit_part<'a>(pattern: &str, part: &'a str, caught: &mut Caught<'a>) -> bool {
    let Some(at) = pattern.find(['*', '#']) else {
        return pattern == part;
    };
    let (before, behind) = (&pattern[..at], &pattern[at + 1..]);
    let Some(part) = part.strip_prefix(before) else {
        return false;
    };
    let (texts, numbers) = (caught.texts.len(), caught.numbers.len());
    let is_text = pattern[at..].starts_with('*');
    let ends = (1..=part.len())
        .rev()
        .filter(|&end| part.is_char_boundary(end));
    for end in ends {
        let (text, rest) = part.split_at(end);
        caught.texts.truncate(texts);
        caught.numbers.truncate(numbers);
        match text.parse::<usize>() {
            _ if is_text => caught.texts.push(text),
            Ok(number) if text.bytes().all(|it| it.is_ascii_digit()) => caught.numbers.push(number),
            _ => continue,
        }
        if fit_part(behind, rest, caught) {
            return true;
        }
    }
    false
}

impl Caught<'_> {
    /// `theirs`, with what was found for its `*` and `#`, in order.
    pub(super) fn fill(&self, theirs: &str) -> String {
        let (mut texts, mut numbers) = (self.texts.iter(), self.numbers.iter());
        let mut name = String::new();
        for letter in theirs.strip_suffix('.').unwrap_or(theirs).chars() {
            match letter {
                '*' => match texts.next() {
                    Some(text) => name.push_str(text),
                    None => name.push(letter),
                },
                '#' => match numbers.next() {
                    Some(number) => name.push_str(&number.saturating_sub(1).to_string()),
                    None => name.push(letter),
                },
                _ => name.push(letter),
            }
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_whole_parts() {
        let fill = |pattern, name, theirs| {
            fit(pattern, name).map(|caught| (caught.fill(theirs), caught.rest.to_string()))
        };
        for (pattern, name, theirs, found) in [
            ("conv1", "conv1.filters", "c", Some(("c", "filters"))),
            ("conv1", "conv11.filters", "c", None),
            ("conv1.filters", "conv1.filters", "c", Some(("c", ""))),
            ("conv1.filters.x", "conv1.filters", "c", None),
            (
                "layer1.",
                "layer1.conv1.bias",
                "l.",
                Some(("l", "conv1.bias")),
            ),
            (
                "layer*.residual#",
                "layer2.residual10.conv1.bias",
                "layer*.#",
                Some(("layer2.9", "conv1.bias")),
            ),
            ("*.*", "a.b.c", "*.x.*", Some(("a.x.b", "c"))),
            ("a*b*", "axbbc.d", "*_*", Some(("xb_c", "d"))),
            ("residual#", "residual.d", "#", None),
            ("residual#", "residual1x.d", "#", None),
            ("r#_#", "r1_22", "#.#.#", Some(("0.21.#", ""))),
            ("*", "", "*", None),
            ("é*", "éé", "*", Some(("é", ""))),
        ] {
            let found = found.map(|(filled, rest)| (filled.to_string(), rest.to_string()));
            assert_eq!(fill(pattern, name, theirs), found, "{pattern} {name}");
        }
    }
}
