//! The page around the sections: its head, its colours, what leads to each.

use std::fmt::Write as _;

use crate::draw::escaped;

/// A part of the page.
pub(super) struct Section<'a> {
    id: &'a str,
    title: &'a str,
    body: String,
}

impl<'a> Section<'a> {
    pub(super) const fn new(id: &'a str, title: &'a str, body: String) -> Self {
        Self { id, title, body }
    }
}

/// Well-formed XML, in the words of HTML.
pub(super) fn page(title: &str, lead: &str, sections: &[Section<'_>]) -> String {
    let (title, lead) = (escaped(title), escaped(lead));
    let mut links = String::new();
    let mut bodies = String::new();
    for Section { id, title, body } in sections {
        let _ = write!(links, "<a href=\"#{id}\">{title}</a>");
        let _ = writeln!(
            bodies,
            "<section id=\"{id}\"><h2>{title}</h2>{body}</section>"
        );
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\
         <title>{title}</title><style>{STYLE}</style></head>\n\
         <body><header><h1>{title}</h1><p>{lead}</p><nav>{links}</nav></header>\n\
         <main>\n{bodies}</main></body></html>\n"
    )
}

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_markup() {
        assert_eq!(
            escaped("a<b> & \"c\"\u{1}"),
            "a&lt;b&gt; &amp; &quot;c&quot;\u{fffd}"
        );
    }
}
