//! The declaration as text, for the page of what it becomes.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// A line of the declaration is a line, however it was written. Attributes, documentation among them, and
/// comments are left out.
pub(crate) fn text(declaration: TokenStream) -> String {
    let mut text = String::new();
    lines(declaration, 0, &mut text);
    text.trim_end().to_owned()
}

/// Each line, and what its brackets hold further in.
fn lines(tokens: TokenStream, depth: usize, text: &mut String) {
    let mut tokens = tokens.into_iter().peekable();
    let mut line = String::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Punct(mark) if mark.as_char() == ',' => {
                line.push(',');
                end(&mut line, depth, text);
            }
            TokenTree::Group(group) if holds_lines(&group) => {
                let (open, close) = brackets(group.delimiter());
                space(&mut line);
                line.push_str(open);
                end(&mut line, depth, text);
                lines(group.stream(), depth + 1, text);
                line.push_str(close);
            }
            token => push(token, &mut line),
        }
    }
    if depth > 0 && !line.is_empty() {
        line.push(',');
    }
    end(&mut line, depth, text);
}

/// Whether it is a block, and not an argument: in braces, or a list of layers.
fn holds_lines(group: &Group) -> bool {
    match group.delimiter() {
        Delimiter::Brace => true,
        Delimiter::Bracket => group.stream().into_iter().any(|token| match token {
            TokenTree::Group(inside) => inside.delimiter() != Delimiter::Parenthesis,
            _ => false,
        }),
        _ => false,
    }
}

fn end(line: &mut String, depth: usize, text: &mut String) {
    if !line.trim().is_empty() {
        text.extend(std::iter::repeat_n("    ", depth));
        text.push_str(line.trim());
        text.push('\n');
    }
    line.clear();
}

fn push(token: TokenTree, line: &mut String) {
    match token {
        TokenTree::Group(group) => {
            let (open, close) = brackets(group.delimiter());
            if group.delimiter() != Delimiter::Parenthesis {
                space(line);
            }
            line.push_str(open);
            group
                .stream()
                .into_iter()
                .for_each(|inside| push(inside, line));
            line.truncate(line.trim_end().len());
            line.push_str(close);
        }
        TokenTree::Punct(mark) => match (mark.as_char(), mark.spacing()) {
            (',', _) => line.push_str(", "),
            (':', Spacing::Alone) if !line.ends_with(':') => line.push_str(": "),
            (mark @ ('=' | '*'), _) => {
                space(line);
                line.extend([mark, ' ']);
            }
            (mark, _) => line.push(mark),
        },
        word => {
            space(line);
            line.push_str(&word.to_string());
        }
    }
}

/// Between two words, and between what is in brackets and a word.
fn space(line: &mut String) {
    let touches = |last: char| last.is_alphanumeric() || ['_', ')', ']', '}', '"'].contains(&last);
    if line.ends_with(touches) {
        line.push(' ');
    }
}

fn brackets(delimiter: Delimiter) -> (&'static str, &'static str) {
    match delimiter {
        Delimiter::Parenthesis => ("(", ")"),
        Delimiter::Brace => ("{", "}"),
        Delimiter::Bracket => ("[", "]"),
        Delimiter::None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_line_however_it_was_written() {
        let written = r#"
            #[budget(ram = 8 KiB)] pub(crate) struct Net {
                /// The image.
                input(32x32x3), [conv(12, 5x5, pad = (1, 2)), relu] * 2, block: residual { a: conv(12, 3x3,
                    pad = same), shortcut { conv(12, 1x1) } },
                concat { [conv(FILTERS, SIZE x SIZE)], right: [relu, leaky_relu(0.1)] },
                [[conv(8, 3x3), relu] * 2, max_pool(2x2)] * 3,
                layer(self::Shift<T, 12>, 8x8x12), scores: fc(super::sizes::CLASSES)
            }"#;
        let text = text(written.parse().unwrap());
        let expected = "\
pub(crate) struct Net {
    input(32x32x3),
    [conv(12, 5x5, pad = (1, 2)), relu] * 2,
    block: residual {
        a: conv(12, 3x3, pad = same),
        shortcut {
            conv(12, 1x1),
        },
    },
    concat {
        [conv(FILTERS, SIZE x SIZE)],
        right: [relu, leaky_relu(0.1)],
    },
    [
        [conv(8, 3x3), relu] * 2,
        max_pool(2x2),
    ] * 3,
    layer(self::Shift<T, 12>, 8x8x12),
    scores: fc(super::sizes::CLASSES),
}";
        assert_eq!(text, expected);
        // As it stands on the page, it is a declaration again.
        assert_eq!(super::text(text.parse().unwrap()), text);
    }
}
