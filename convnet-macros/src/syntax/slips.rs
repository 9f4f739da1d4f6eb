//! What stands before a layer and should not, or not so: `pub`, `conv-1:`, `conv1 =`, `type:`,
//! `nn.Conv2d`. It is reported once, and the line is read as it was meant.

use proc_macro2::{Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseBuffer, ParseStream};
use syn::{Result, Token, token};

use super::words;
use crate::report::Errors;

/// What an `=`, a `let` or a `self.` is answered with.
const COLON: &str = "a layer's name stands before a colon";

/// The name of a line, if it has one, as it should have been written; its word follows.
///
/// ```text
/// name  :=  NAME ":"
/// ```
pub(super) fn name(input: ParseStream, errors: &mut Errors) -> Result<Option<Ident>> {
    let name = only_name(input, errors)?;
    if name.is_some()
        && let Some(joined) = joined(input)
    {
        compound(input, &joined, errors)?;
    }
    Ok(name)
}

fn only_name(input: ParseStream, errors: &mut Errors) -> Result<Option<Ident>> {
    let before = errors.count();
    modifiers(input, errors)?;
    // One mistake a line: `let conv1 = conv(…)`.
    let mut unsaid = Errors::default();
    let errors = match errors.count() == before {
        true => errors,
        false => &mut unsaid,
    };
    if input.peek(Token![_]) && input.peek2(Token![:]) {
        let line: Token![_] = input.parse()?;
        let message = "`_` is no name\nleave it out: a layer without a name is called by its word";
        errors.push(line, message);
        input.parse::<Token![:]>()?;
        return Ok(None);
    }
    if input.peek(syn::Lit) && input.peek2(Token![:]) {
        return quoted(input, errors);
    }
    if !input.peek(Ident::peek_any) {
        return Ok(None);
    }
    if is_called(input) {
        let name = Ident::parse_any(input)?;
        input.parse::<Token![:]>()?;
        return Ok(Some(plain(name, errors)));
    }
    if let Some(joined) = joined(input) {
        return compound(input, &joined, errors);
    }
    if is_assigned(input) {
        let name = Ident::parse_any(input)?;
        let equals: Token![=] = input.parse()?;
        errors.push(equals, format!("{COLON}: `{name}: `"));
        return Ok(Some(plain(name, &mut Errors::default())));
    }
    if lacks_colon(input) {
        let name: Ident = input.parse()?;
        errors.push(&name, format!("{COLON}: `{name}: `"));
        return Ok(Some(name));
    }
    Ok(None)
}

/// `pub`, `let`, `self.` before a layer.
fn modifiers(input: ParseStream, errors: &mut Errors) -> Result<()> {
    if input.peek(Token![pub]) {
        let word: Token![pub] = input.parse()?;
        errors.push(word, "every layer is public: leave `pub` out");
        if input.peek(token::Paren) {
            input.parse::<TokenTree>()?;
        }
    } else if input.peek(Token![let]) {
        let word: Token![let] = input.parse()?;
        errors.push(word, format!("{COLON}, without `let`: `conv1: `"));
        input.parse::<Option<Token![mut]>>()?;
    } else if input.peek(Token![self]) && input.peek2(Token![.]) {
        let word: Token![self] = input.parse()?;
        errors.push(word, format!("{COLON}, without `self`: `conv1: `"));
        input.parse::<Token![.]>()?;
    }
    Ok(())
}

/// `"conv1": conv(12, 5x5)`, `1: conv(12, 5x5)`.
fn quoted(input: ParseStream, errors: &mut Errors) -> Result<Option<Ident>> {
    let literal: Literal = input.parse()?;
    let text = literal.to_string();
    let name = syn::parse_str::<Ident>(text.trim_matches('"')).ok();
    errors.push(
        &literal,
        match &name {
            Some(name) => format!("a name stands without quotes: `{name}: `"),
            None => format!("{literal} is no name: one begins with a letter, such as `conv1: `"),
        },
    );
    input.parse::<Token![:]>()?;
    Ok(name.map(|mut name| {
        name.set_span(literal.span());
        name
    }))
}

/// The name, or, of a keyword, one that can be a field's.
fn plain(name: Ident, errors: &mut Errors) -> Ident {
    let text = name.to_string();
    if syn::parse_str::<Ident>(&text).is_ok() {
        return name;
    }
    let bare = matches!(&*text, "self" | "Self" | "super" | "crate" | "_");
    let instead = match bare {
        true => format!("{}_", text.to_ascii_lowercase()),
        false => format!("r#{text}"),
    };
    let message = format!(
        "`{text}` is a word of Rust's own, and no name\n\
         write `{instead}: `, or another name"
    );
    errors.push(&name, message);
    match bare {
        true => Ident::new(&instead, name.span()),
        false => Ident::new_raw(&text, name.span()),
    }
}

/// Words that are joined by what joins no name.
struct Joined<'a> {
    parts: Vec<String>,
    tokens: TokenStream,
    /// Where the last of them begins.
    last: ParseBuffer<'a>,
    /// Where they end.
    end: ParseBuffer<'a>,
}

/// `conv-1`, `stage1.conv1`, `nn.Conv2d`, `nn::Conv2d`.
fn joined<'a>(input: ParseStream<'a>) -> Option<Joined<'a>> {
    let (mut parts, mut tokens) = (Vec::new(), TokenStream::new());
    let end = input.fork();
    loop {
        let last = end.fork();
        let part: TokenTree = end.parse().ok()?;
        match &part {
            TokenTree::Ident(word) => parts.push(word.to_string()),
            TokenTree::Literal(literal) if !parts.is_empty() => parts.push(literal.to_string()),
            _ => return None,
        }
        tokens.extend([part]);
        if end.peek(Token![::]) {
            tokens.extend(end.parse::<Token![::]>().ok()?.into_token_stream());
        } else if end.peek(Token![.]) || end.peek(Token![-]) && !end.peek(Token![->]) {
            tokens.extend([end.parse::<TokenTree>().ok()?]);
        } else {
            return (parts.len() > 1).then_some(Joined {
                parts,
                tokens,
                last,
                end,
            });
        }
    }
}

/// A name or a word of several parts.
fn compound(input: ParseStream, joined: &Joined, errors: &mut Errors) -> Result<Option<Ident>> {
    let Joined {
        parts,
        tokens,
        last,
        end,
    } = joined;
    let one = parts.join("_");
    if end.peek(Token![:])
        && let Ok(mut name) = syn::parse_str::<Ident>(&one)
    {
        let message = format!("a name is letters, digits and `_`: `{name}: `");
        errors.push(tokens, message);
        name.set_span(last.span());
        input.advance_to(end);
        input.parse::<Token![:]>()?;
        return Ok(Some(name));
    }
    if words::find(&one).is_some() {
        let message = format!("a layer's word has `_`: `{one}`");
        return Err(syn::Error::new_spanned(tokens, message));
    }
    let [packages @ .., word] = parts.as_slice() else {
        return Ok(None);
    };
    if words::find(word).is_some() {
        errors.push(tokens, format!("a layer's word stands alone: `{word}`"));
    } else if !packages.iter().all(|part| is_package(part)) {
        return Ok(None);
    }
    // What the word should be is the layer's to say.
    input.advance_to(last);
    Ok(None)
}

/// What stands before `Conv2d` elsewhere.
fn is_package(part: &str) -> bool {
    const PACKAGES: [&str; 8] = [
        "nn",
        "F",
        "L",
        "torch",
        "functional",
        "tf",
        "keras",
        "layers",
    ];
    PACKAGES.contains(&part)
}

/// `conv1: `; but not `input: 32x32x3`.
fn is_called(input: ParseStream) -> bool {
    let ahead = input.fork();
    ahead.call(Ident::parse_any).is_ok()
        && !ahead.peek(Token![::])
        && ahead.parse::<Token![:]>().is_ok()
        && !ahead.peek(syn::Lit)
}

/// `conv1 = conv(12, 5x5)`; but not `input = 32x32x3`.
fn is_assigned(input: ParseStream) -> bool {
    let ahead = input.fork();
    let equals = ahead.call(Ident::parse_any).is_ok()
        && !ahead.peek(Token![==])
        && !ahead.peek(Token![=>])
        && ahead.parse::<Token![=]>().is_ok();
    equals && (ahead.peek(Ident::peek_any) || ahead.peek(token::Bracket))
}

/// `conv1 conv(12, 5x5)`: a word that is none before one that is.
fn lacks_colon(input: ParseStream) -> bool {
    let ahead = input.fork();
    let is_word = |word: &Ident| {
        let word = word.to_string();
        words::find(&word).is_some() || words::is_block(&word)
    };
    let (Ok(name), Ok(word)) = (ahead.parse::<Ident>(), ahead.parse::<Ident>()) else {
        return false;
    };
    let opens = ahead.peek(token::Paren) || ahead.peek(token::Brace);
    let text = name.to_string();
    let is_name = text.ends_with(|c: char| c.is_ascii_digit()) || words::meant(&text).is_empty();
    !is_word(&name) && is_name && is_word(&word) && opens
}
