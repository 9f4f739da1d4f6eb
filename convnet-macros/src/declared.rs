//! # Declared: what a text declares, outside the compiler
//!
//! ```text
//! text ──▶ tokens ──▶ syntax ──▶ plan ──▶ the table and drawings, or mistakes with their places
//! ```
//!
//! The compiler would say the same of the same tokens: it is said by the same functions.

use convnet_core::draw;
use proc_macro2::{LineColumn, Span, TokenStream, TokenTree};

use crate::report::Errors;
use crate::{plan, syntax};

/// What is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The network's name.
    pub name: String,
    /// What it looks like; nothing where only the compiler knows all sizes: those that `const`s name, or those of
    /// a type that is declared elsewhere.
    pub drawn: Option<Drawn>,
}

/// What a network looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The table, as [`Summary`](convnet_core::Summary) prints it.
    pub table: String,
    /// The [graph](draw::graph()).
    pub graph: String,
    /// The [volumes, to scale](draw::solids()).
    pub solids: String,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What the compiler says.
    pub message: String,
    /// Where the tokens begin that it says it of: lines count from 1, columns, in characters, from 0.
    pub start: LineColumn,
    /// Where they end.
    pub end: LineColumn,
}

/// What `text` declares: what stands between the braces of `convnet! { … }`, or that with them.
///
/// # Errors
///
/// Whatever the compiler would say of it, in its order.
pub fn declared(text: &str) -> Result<Declared, Vec<Mistake>> {
    let declared = match text.parse() {
        Ok(tokens) => read(inside(tokens)),
        Err(error) => Err(vec![Mistake::new(
            "these are no tokens of Rust: a bracket or a quote has no partner, or a character no meaning",
            error.span(),
        )]),
    };
    // Or else every text that was ever read stays in memory, so that its spans keep their places.
    proc_macro2::extra::invalidate_current_thread_spans();
    declared
}

/// As [`declared`], of tokens.
///
/// # Errors
///
/// As there.
pub fn read(tokens: TokenStream) -> Result<Declared, Vec<Mistake>> {
    let mut errors = Errors::default();
    let declaration = syntax::parse(tokens, &mut errors);
    let network = declaration.and_then(|it| plan::plan(TokenStream::new(), &it, &mut errors));
    let mistakes = errors.into_all();
    let mistakes: Vec<_> = mistakes
        .map(|error| Mistake::new(&error.to_string(), error.span()))
        .collect();
    match network {
        Some(network) if mistakes.is_empty() => Ok(Declared {
            name: network.name.to_string(),
            drawn: network.plan.is_none().then(|| {
                let nodes = plan::nodes(&network);
                plan::summarise(&network, |summary| Drawn {
                    table: summary.to_string(),
                    graph: draw::graph(network.image, &nodes).unwrap_or_default(),
                    solids: draw::solids(network.image, summary.layers),
                })
            }),
        }),
        _ => Err(mistakes),
    }
}

/// What stands in the braces of `convnet! { … }`, if nothing else is there.
fn inside(tokens: TokenStream) -> TokenStream {
    let all: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match &all[..] {
        [
            TokenTree::Ident(name),
            TokenTree::Punct(bang),
            TokenTree::Group(group),
        ] if name == "convnet" && bang.as_char() == '!' => group.stream(),
        _ => tokens,
    }
}

impl Mistake {
    fn new(message: &str, span: Span) -> Self {
        Self {
            message: message.to_owned(),
            start: span.start(),
            end: span.end(),
        }
    }
}
