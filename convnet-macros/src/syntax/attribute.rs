//! `#[budget(ram = 64 KiB)]`: an attribute, of which only the name is read here; the rest is the compiler's, or a line's.
//!
//! syn's own would bring its types and expressions with it, which are a tenth of the library in a browser.

use proc_macro2::{Group, TokenStream};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Lit, Path, Result, Token, parenthesized, token};

/// An attribute in front of something.
pub(crate) struct Attribute {
    /// `budget`.
    pub(super) path: Path,
    /// What stands behind its name.
    rest: TokenStream,
    tokens: TokenStream,
}

impl Attribute {
    /// All that stand here.
    pub(super) fn parse_outer(input: ParseStream) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        while input.peek(Token![#]) {
            let mut tokens = input.parse::<Token![#]>()?.into_token_stream();
            if !input.peek(token::Bracket) {
                return Err(input.error("expected square brackets"));
            }
            let group: Group = input.parse()?;
            let (path, rest) = meta.parse2(group.stream())?;
            group.to_tokens(&mut tokens);
            all.push(Self { path, rest, tokens });
        }
        Ok(all)
    }

    /// Whether nothing stands behind its name.
    pub(super) fn is_word(&self) -> bool {
        self.rest.is_empty()
    }

    /// What `parse` makes of what stands in parentheses behind its name, if that is all.
    pub(super) fn arguments<T>(
        &self,
        parse: impl FnOnce(ParseStream) -> Result<T>,
    ) -> Option<Result<T>> {
        let is_list = |input: ParseStream| {
            input.parse::<Group>()?;
            Ok(())
        };
        is_list.parse2(self.rest.clone()).ok()?;
        let inside = |input: ParseStream| {
            let content;
            parenthesized!(content in input);
            parse(&content)
        };
        Some(inside.parse2(self.rest.clone()))
    }
}

/// `doc = "…"`, `doc = include_str!("…")`, `budget(…)`, `row_by_row`: the name, and what stands behind it.
fn meta(input: ParseStream) -> Result<(Path, TokenStream)> {
    let path = Path::parse_mod_style(input)?;
    let rest = input.fork().parse()?;
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        if input.peek(Lit) {
            input.parse::<Lit>()?;
        } else {
            Path::parse_mod_style(input)?;
            input.parse::<Token![!]>()?;
            input.parse::<Group>()?;
        }
    } else if !input.is_empty() {
        input.parse::<Group>()?;
    }
    Ok((path, rest))
}

impl ToTokens for Attribute {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}
