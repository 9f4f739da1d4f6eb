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
mod attribute;
mod block;
mod budget;
mod foreign;
mod group;
mod layer;
mod list;
mod number;
mod odd;
mod read;
mod slips;
mod start;
mod window;
mod words;
mod written;

#[cfg(test)]
mod tests;

use convnet_core::graph::INPUT;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{ParseStream, Parser};
use syn::{Result, Token, Visibility, braced};

pub(crate) use block::{Block, Branch, Ways, check_outputs};
pub(crate) use budget::Limit;
pub(crate) use layer::{Decimal, Kind, Layer};
pub(crate) use number::Number;
pub(crate) use start::Start;
pub(crate) use window::{Pad, Window};
pub(crate) use words::nearest;

use crate::report::Errors;
use args::Args;
use attribute::Attribute;
use block::Shortcut;
use list::{Listed, list};

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
    /// All of it but attributes, as text.
    pub(crate) written: String,
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

impl<T> Written<T> {
    /// One with nothing to underline.
    pub(crate) fn unwritten(value: T) -> Self {
        Self {
            value,
            tokens: TokenStream::new(),
        }
    }
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
/// block    :=  [ NAME ":" ] "residual" "{" ( item "," )* [ "shortcut" "{" way "}" ] "}"
///           |  [ NAME ":" ] "scale" "{" ( item "," )* "}"
///           |  [ NAME ":" ] "concat" "{" ( [ NAME ":" ] "[" way "]" "," )* "}"
///           |  [ NAME ":" ] "outputs" "{" ( NAME ":" "[" way "]" "," )* "}"
/// way      :=  [ "from" "=" NAME ( "." NAME )* "," ] ( item "," )*
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
    let parsed = parser.parse2(tokens.clone());
    let declaration = errors.ok(parsed).or_else(|| name_alone(tokens.clone()))?;
    Some(Declaration {
        written: written::text(tokens),
        ..declaration
    })
}

/// What can be read of a declaration that cannot: that there is a type of this name.
fn name_alone(tokens: TokenStream) -> Option<Declaration> {
    let mut trees = tokens.into_iter();
    let is_keyword = |tree: &TokenTree| matches!(tree, TokenTree::Ident(word) if word == "struct" || word == "enum" || word == "fn");
    let before: TokenStream = trees
        .by_ref()
        .take_while(|tree| !is_keyword(tree))
        .collect();
    let Some(TokenTree::Ident(name)) = trees.next() else {
        return None;
    };
    // No keyword.
    let name: Ident = syn::parse2(name.into_token_stream()).ok()?;
    let visible = |input: ParseStream| {
        let before = (Attribute::parse_outer(input)?, input.parse()?);
        input.parse::<TokenStream>()?;
        Ok(before)
    };
    let (_, vis) = visible
        .parse2(before)
        .unwrap_or((Vec::new(), Visibility::Inherited));
    (name != "T").then_some(Declaration {
        attrs: Vec::new(),
        budget: Vec::new(),
        row_by_row: false,
        direct_training: false,
        vis,
        name,
        input: None,
        items: Vec::new(),
        mentions: Vec::new(),
        written: String::new(),
    })
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
    let name: Ident = input.parse()?;
    if name == "T" {
        let message = "`T` is what a network calls its scalar: choose another name";
        return Err(syn::Error::new_spanned(name, message));
    }
    generics(input, &name, errors)?;
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
        written: String::new(),
    })
}

/// `<T>`, `<const CLASSES: usize>`: there are none to be declared.
fn generics(input: ParseStream, name: &Ident, errors: &mut Errors) -> Result<()> {
    if !input.peek(Token![<]) {
        return Ok(());
    }
    let generics = input.fork();
    generics.parse::<Token![<]>()?;
    let mut message =
        format!("a network is generic over its scalar already: write `struct {name}`");
    if generics.peek(Token![const]) {
        generics.parse::<Token![const]>()?;
        let size: Ident = generics.parse()?;
        message = format!(
            "a size that has a name is a constant of the program: write `struct {name}`\n\
             and beside the network `const {size}: usize = 10;`"
        );
    }
    errors.push(input.fork().parse::<TokenTree>()?, message);
    while !input.is_empty() && !input.peek(syn::token::Brace) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
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
    let before = errors.count();
    for line in lines(body, 0, errors) {
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
    } else if items.is_empty() && errors.count() == before {
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
    start::misplaced(input)?;
    let name = slips::name(input, errors)?;
    block::no_word(&name)?;
    let doubled = group::count_in_front(input, errors)?;
    let braces = group::in_braces(input, errors)?;
    if input.peek(syn::token::Bracket) || braces {
        let once = name.is_some() || doubled || braces;
        let item = group::repeat(input, docs, name, (depth, once), errors)?;
        return Ok(Line::Item(item));
    }
    if let Ok(word) = input.fork().parse::<Ident>()
        && words::is_input(&word.to_string())
    {
        if let Some(name) = name {
            errors.push(name, "the input has no name: `input(32x32x3)`");
        }
        let line = self::input(input, errors)?;
        if depth > 0 {
            let message = "the input stands once, before the layers";
            return Err(syn::Error::new_spanned(word, message));
        }
        return Ok(line);
    }
    let line = match block::line(input, &docs, &name, depth, errors) {
        Some(block) => block?,
        None => {
            let layer = layer::layer(input, docs, name, errors)?;
            Line::Item(Item::Layer(Box::new(layer)))
        }
    };
    group::no_count(input, errors)?;
    Ok(line)
}

const LINES: Listed = Listed {
    what: "layers",
    begins: |input| input.peek(syn::Ident) || input.peek(syn::token::Bracket),
};

/// The lines between brackets or braces; what stands for one that cannot be read has no shape that
/// anybody could rely on.
fn lines(input: ParseStream, depth: usize, errors: &mut Errors) -> Vec<Line> {
    let read = list(input, &LINES, errors, |input, errors| {
        line(input, depth, errors)
    });
    let lost = || {
        let word = Ident::new("flatten", Span::call_site());
        let stub = layer::stub(TokenStream::new(), None, word);
        Line::Item(Item::Layer(Box::new(stub)))
    };
    read.into_iter()
        .map(|line| line.unwrap_or_else(lost))
        .collect()
}

/// `/// like this`; nothing else can stand on a layer.
fn docs(input: ParseStream, errors: &mut Errors) -> Result<TokenStream> {
    let mut docs = TokenStream::new();
    for attr in Attribute::parse_outer(input)? {
        if attr.path.is_ident("doc") {
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
    let mut args = Args::parse(input, &word, INPUT, errors)?;
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
