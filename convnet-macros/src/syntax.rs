//! # Syntax: what was written
//!
//! Every part keeps its tokens, so that a later stage can underline it. Rules that need one line
//! of the declaration are checked while it is read, for all lines; those that need several, and
//! all arithmetic, belong to [`plan`](crate::plan).
//!
//! Read [`Declaration`] first, then the grammar above [`parse`].
//!
//! **Invariant:** a mistake gives one error, and what is wrong is replaced by something harmless:
//! the stages after this one always have a network to work on.

mod args;
mod block;
mod budget;
mod elsewhere;
mod group;
mod layer;
mod number;
mod window;
mod words;

#[cfg(test)]
mod tests;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Result, Token, Visibility, braced};

pub(crate) use block::{Block, Branch, Ways};
pub(crate) use budget::Limit;
pub(crate) use layer::{Decimal, Kind, Layer};
pub(crate) use number::Number;
pub(crate) use window::{Pad, Window};

use crate::report::Errors;
use args::Args;
use block::Shortcut;

/// A network, as declared.
pub(crate) struct Declaration {
    /// What stands above the struct, except the next three.
    pub(crate) attrs: Vec<Attribute>,
    /// `#[budget(ram = 64 KiB, flash = 256 KiB)]`.
    pub(crate) budget: Vec<Limit>,
    /// `#[row_by_row]`.
    pub(crate) row_by_row: bool,
    /// `#[direct_training]`.
    pub(crate) direct_training: bool,
    /// Who sees it.
    pub(crate) vis: Visibility,
    /// Its name.
    pub(crate) name: Ident,
    /// The image: height, width, depth. `None` is reported.
    pub(crate) input: Option<Written<[Number; 3]>>,
    /// The layers and repetitions.
    pub(crate) items: Vec<Item>,
    /// The words that are not layers.
    pub(crate) mentions: Vec<Mention>,
}

/// A line of the declaration.
pub(crate) enum Item {
    /// A layer.
    Layer(Box<Layer>),
    /// `residual { … }` or `concat { … }`.
    Block(Box<Block>),
    /// `[ … ] * 2`; with a name perhaps once.
    Repeat {
        /// What is said of each of its layers.
        docs: TokenStream,
        /// The name of all of it.
        name: Option<Ident>,
        /// What is repeated.
        items: Vec<Item>,
        /// How often.
        count: Written<usize>,
    },
}

/// A word and the names of its arguments, where they stand: for the editor.
#[derive(Clone, Debug)]
pub(crate) struct Mention {
    /// The word.
    pub(crate) word: Ident,
    /// The arguments that were named, or may be about to be.
    pub(crate) keys: Vec<Ident>,
    /// Whether all that is right.
    pub(crate) right: bool,
}

impl Mention {
    /// A word without arguments.
    pub(crate) fn word(word: Ident) -> Self {
        Self {
            word,
            keys: Vec::new(),
            right: true,
        }
    }
}

/// A value, and what was written for it: nothing, for a default.
#[derive(Clone, Debug)]
pub(crate) struct Written<T> {
    /// What it means.
    pub(crate) value: T,
    /// What to underline.
    pub(crate) tokens: TokenStream,
}

/// Reads a declaration; `None` if there is too little of one to give it a type.
///
/// ```text
/// network  :=  attr* visibility "struct" NAME "{" input "," ( item "," )* "}"
/// attr     :=  ATTRIBUTE  |  "#[row_by_row]"  |  "#[direct_training]"
///           |  "#[budget(" ( ( "ram" | "flash" ) "=" INTEGER UNIT "," )* ")]"
/// input    :=  "input" "(" size ")"                       width, height, depth: 32x32x3
/// item     :=  DOC* ( layer | block | group )
/// group    :=  "[" ( item "," )* "]" "*" INTEGER
///           |  NAME ":" "[" ( item "," )* "]" [ "*" INTEGER ]
/// block    :=  [ NAME ":" ] "residual" "{" ( item "," )* [ "shortcut" "{" ( item "," )* "}" ] "}"
///           |  [ NAME ":" ] "concat" "{" ( [ NAME ":" ] "[" ( item "," )* "]" "," )* "}"
/// layer    :=  [ NAME ":" ] word [ "(" ( arg "," )* ")" ]
/// arg      :=  value  |  NAME "=" value                   those without a name first
/// value    :=  size  |  DECIMAL  |  "(" ( number "," )* ")"  |  "same" | "exact" | "crop" | "pad"
///           |  path [ "<" arguments ">" ]                 a layer by hand, or another network
/// size     :=  number ( "x" number )*                     5x5; SIZE x SIZE; 5xF
/// number   :=  INTEGER  |  path to a const
/// ```
///
/// The last comma of a list may be left out. No NAME is `residual`, `concat` or `shortcut`.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Option<Declaration> {
    let parser = |input: ParseStream| declaration(input, errors);
    let parsed = parser.parse2(tokens);
    errors.ok(parsed)
}

fn declaration(input: ParseStream, errors: &mut Errors) -> Result<Declaration> {
    let mut attrs = Attribute::parse_outer(input)?;
    let vis = input.parse()?;
    if !input.peek(Token![struct]) {
        let message = "expected `struct`: a network is declared as a struct\n\
                       `struct Cifar { input(32x32x3), conv(12, 5x5), relu, fc(10) }`";
        return Err(input.error(message));
    }
    input.parse::<Token![struct]>()?;
    let name = input.parse()?;
    if input.peek(Token![<]) {
        let message =
            format!("a network is generic over its scalar already: write `struct {name}`");
        return Err(input.error(message));
    }
    if !input.peek(syn::token::Brace) {
        return Err(input.error("expected `{`, then the layers"));
    }
    let content;
    braced!(content in input);
    let mut mentions = Vec::new();
    let budget = budget::take(&mut attrs, &mut mentions, errors);
    let row_by_row = budget::take_word(&mut attrs, "row_by_row", errors);
    let direct_training = budget::take_word(&mut attrs, "direct_training", errors);
    let (size, items) = body(&content, &name, &mut mentions, errors);
    if !input.is_empty() {
        errors.absorb(input.error("one network a `convnet!`: the next one gets its own"));
        input.parse::<TokenStream>()?;
    }
    Ok(Declaration {
        attrs,
        budget,
        row_by_row,
        direct_training,
        vis,
        name,
        input: size,
        items,
        mentions,
    })
}

/// The input, then the layers.
///
/// ```text
/// { input(32x32x3), conv(12, 5x5), relu, fc(10) }
/// ```
fn body(
    body: ParseStream,
    name: &Ident,
    mentions: &mut Vec<Mention>,
    errors: &mut Errors,
) -> (Option<Written<[Number; 3]>>, Vec<Item>) {
    let (mut inputs, mut items) = (Vec::new(), Vec::new());
    let lines = list(body, errors, |input, errors| line(input, 0, errors));
    let lost = lines.iter().any(Option::is_none);
    for line in lines.into_iter().flatten() {
        match line {
            Line::Input { mention, size } => {
                let word = &mention.word;
                match (inputs.is_empty(), items.is_empty()) {
                    (false, _) => errors.push(word, "a second input: a network has one"),
                    (true, false) => errors.push(word, "the input comes first, before the layers"),
                    (true, true) => {}
                }
                mentions.push(mention);
                inputs.push(size);
            }
            Line::Item(item) => items.push(item),
            Line::Shortcut(shortcut) => shortcut.misplaced(errors),
        }
    }
    if inputs.is_empty() {
        let example = "`input(32x32x3)`: width, height, depth";
        errors.push(
            name,
            format!("`{name}` has no input\nits first line: {example}"),
        );
    } else if items.is_empty() && !lost {
        errors.push(
            name,
            format!("`{name}` has no layers\nat least one, such as `fc(10)`"),
        );
    }
    (inputs.into_iter().next().flatten(), items)
}

/// A line of the body.
enum Line {
    /// The size if it is right.
    Input {
        mention: Mention,
        size: Option<Written<[Number; 3]>>,
    },
    Item(Item),
    Shortcut(Shortcut),
}

fn line(input: ParseStream, depth: usize, errors: &mut Errors) -> Result<Line> {
    let docs = docs(input, errors)?;
    let name = name(input)?;
    block::no_word(&name)?;
    if input.peek(syn::token::Bracket) {
        return Ok(Line::Item(group::repeat(input, docs, name, depth, errors)?));
    }
    if let Some(line) = block::line(input, &docs, &name, depth, errors) {
        return line;
    }
    match input.fork().parse::<Ident>() {
        Ok(word) if words::is_input(&word.to_string()) => {
            if let Some(name) = name {
                errors.push(name, "the input has no name: `input(32x32x3)`");
            }
            let line = self::input(input, errors)?;
            if depth > 0 {
                let message = "the input stands once, before the layers";
                return Err(syn::Error::new_spanned(word, message));
            }
            Ok(line)
        }
        _ => {
            let layer = layer::layer(input, docs, name, errors)?;
            Ok(Line::Item(Item::Layer(Box::new(layer))))
        }
    }
}

/// `NAME ":"`, if that is what comes; `a::b` is none.
fn name(input: ParseStream) -> Result<Option<Ident>> {
    if !(input.peek(syn::Ident) && input.peek2(Token![:])) || input.peek2(Token![::]) {
        return Ok(None);
    }
    let name = input.parse()?;
    input.parse::<Token![:]>()?;
    Ok(Some(name))
}

/// `/// like this`; nothing else can stand on a layer.
fn docs(input: ParseStream, errors: &mut Errors) -> Result<TokenStream> {
    let mut docs = TokenStream::new();
    for attr in Attribute::parse_outer(input)? {
        if attr.path().is_ident("doc") {
            attr.to_tokens(&mut docs);
        } else {
            errors.push(attr, "only documentation can stand on a layer");
        }
    }
    Ok(docs)
}

/// `input(32x32x3)`.
fn input(input: ParseStream, errors: &mut Errors) -> Result<Line> {
    let word: Ident = input.parse()?;
    let before = errors.count();
    if word != "input" {
        errors.push(
            &word,
            format!("`{word}` is not a layer; did you mean `input`?"),
        );
    }
    let mut args = Args::parse(input, &word, &words::INPUT, errors)?;
    let size = args
        .need("size", errors)
        .and_then(|size| number::image(size, errors));
    let right = errors.count() == before;
    let mention = Mention {
        word,
        keys: args.keys,
        right,
    };
    Ok(Line::Input { mention, size })
}

/// Reads what stands between brackets, `item, item, …`. What is wrong is reported and gives `None`,
/// and the list goes on after the next comma.
fn list<T>(
    input: ParseStream,
    errors: &mut Errors,
    mut item: impl FnMut(ParseStream, &mut Errors) -> Result<T>,
) -> Vec<Option<T>> {
    let mut items = Vec::new();
    while !input.is_empty() {
        let item = item(input, errors);
        let end = match &item {
            Ok(_) => separator(input, errors),
            Err(_) => skip_to_comma(input),
        };
        items.push(errors.ok(item));
        errors.ok(end);
    }
    items
}

/// A comma, or the end; CS231n's arrow is reported and taken for a comma.
fn separator(input: ParseStream, errors: &mut Errors) -> Result<()> {
    if input.is_empty() || input.parse::<Option<Token![,]>>()?.is_some() {
        return Ok(());
    }
    if input.peek(Token![->]) {
        let arrow = input.parse::<Token![->]>()?;
        errors.push(arrow, "layers are separated by commas: `,`");
        return Ok(());
    }
    let next: TokenTree = input.fork().parse()?;
    let shown = match &next {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => "(".into(),
        TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => "[".into(),
        TokenTree::Group(_) => "{".into(),
        other => other.to_string(),
    };
    errors.push(next, format!("expected `,` before `{shown}`"));
    skip_to_comma(input)
}

fn skip_to_comma(input: ParseStream) -> Result<()> {
    while !input.is_empty() && input.parse::<Option<Token![,]>>()?.is_none() {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}
