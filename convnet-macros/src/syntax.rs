//! # Syntax: what was written, with its spans; no arithmetic
//!
//! ```text
//! network := #[attr]* #[budget(ram = 64 KiB, flash = 256 KiB)]? vis struct Name { input(32x32x3), layer, … }
//! layer   := [name ":"] word [ "(" argument, … ")" ]
//!          | "[" layer, … "]" "*" N
//! argument := value | key = value                positional ones first
//! value   := 12 | 5x5 | NAME | NAMExNAME         a number, a size (width first), or consts that hold them
//!          | 0.5                                 dropout's rate, leaky_relu's slope
//!          | same | (1, 2) | (1, 2, 0, 0)        padding: (before, after), (top, bottom, left, right)
//!          | exact | crop | pad                  fit
//! ```
//!
//! What one line shows is checked here, for all lines; what needs the line above is checked in
//! [`plan`](crate::plan).

mod args;
mod budget;
mod number;
mod word;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Result, Token, Visibility, bracketed, parenthesized};

pub(crate) use budget::Budget;
pub(crate) use number::{Number, Value};
pub(crate) use word::{Fit, Kind, Pad, Window};

use crate::report::Report;

/// One `struct Name { … }`.
pub(crate) struct Declaration {
    /// The path of the facade crate: `$crate`.
    pub(crate) krate: TokenStream,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    pub(crate) budget: Budget,
    /// Width, height, depth; `None` if it is missing or wrong.
    pub(crate) input: Option<[Number; 3]>,
    pub(crate) layers: Vec<Layer>,
}

/// One layer, repetitions unrolled.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) name: Ident,
    /// Whether the user named it.
    pub(crate) named: bool,
    pub(crate) word: Ident,
    /// The arguments that were named: for the editor.
    pub(crate) keys: Vec<Ident>,
    pub(crate) kind: Kind,
}

/// Parses a declaration; `None` if there is not even a name to speak of.
pub(crate) fn parse(tokens: TokenStream, report: &mut Report) -> Option<Declaration> {
    let head = match Head::parse.parse2(tokens) {
        Ok(head) => head,
        Err(error) => {
            report.add(error);
            return None;
        }
    };
    let mut attributes = head.attributes;
    let budget = Budget::take(&mut attributes, report);
    let mut items = Items::default();
    items.read(head.body, report);
    if items.inputs == 0 {
        report.push(&head.name, "the network has no input: begin with `input(WIDTHxHEIGHTxDEPTH)`");
    } else if items.layers.is_empty() && report.is_empty() {
        report.push(&head.name, "the network is empty: add layers after the input, `fc(10)` for one");
    }
    name_layers(&mut items.layers, report);
    Some(Declaration {
        krate: head.krate,
        attributes,
        visibility: head.visibility,
        name: head.name,
        budget,
        input: items.input,
        layers: items.layers,
    })
}

/// Everything but the layers.
struct Head {
    krate: TokenStream,
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    body: TokenStream,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let krate = {
            let content;
            bracketed!(content in input);
            content.parse()?
        };
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        input.parse::<Token![struct]>()?;
        let name = input.parse()?;
        let body;
        syn::braced!(body in input);
        let body = body.parse()?;
        if !input.is_empty() {
            return Err(input.error("one network a `convnet!`: write another `convnet! { … }`"));
        }
        Ok(Self { krate, attributes, visibility, name, body })
    }
}

/// The comma-separated items of a body or a repetition.
#[derive(Default)]
struct Items {
    inputs: usize,
    input: Option<[Number; 3]>,
    layers: Vec<Layer>,
}

impl Items {
    /// Reads item by item, so that a mistake in one does not hide the next.
    fn read(&mut self, tokens: TokenStream, report: &mut Report) {
        for item in split_at_commas(tokens) {
            let parser = |input: ParseStream<'_>| self.item(input, report);
            if let Err(error) = parser.parse2(item) {
                report.add(error);
            }
        }
    }

    fn item(&mut self, input: ParseStream<'_>, report: &mut Report) -> Result<()> {
        if input.peek(syn::token::Bracket) {
            return self.repetition(input, report);
        }
        let first: Ident = input.parse().map_err(|error| {
            syn::Error::new(error.span(), "expected a layer, such as `conv(12, 5x5)` or `relu`")
        })?;
        let (name, word) = match input.parse::<Option<Token![:]>>()? {
            Some(_) => (Some(first), input.parse()?),
            None => (None, first),
        };
        let arguments = if input.peek(syn::token::Paren) {
            let content;
            parenthesized!(content in input);
            content.parse()?
        } else {
            TokenStream::new()
        };
        if input.peek(Token![?]) {
            return Err(syn::Error::new_spanned(
                input.parse::<Token![?]>()?,
                format!("a layer is there or not: write `{word}` or leave it out"),
            ));
        }
        if !input.is_empty() {
            return Err(input.error("expected a comma after the layer"));
        }
        if word == "input" {
            return self.input(word, arguments);
        }
        let (kind, keys) = word::parse(&word, arguments)?;
        let named = name.is_some();
        let name = name.unwrap_or_else(|| word.clone());
        self.layers.push(Layer { name, named, word, keys, kind });
        Ok(())
    }

    fn input(&mut self, word: Ident, arguments: TokenStream) -> Result<()> {
        self.inputs += 1;
        if self.inputs > 1 {
            return Err(syn::Error::new_spanned(word, "a second input: a network has one, and it comes first"));
        }
        if !self.layers.is_empty() {
            return Err(syn::Error::new_spanned(word, "the input comes first"));
        }
        self.input = Some(word::volume(&word, arguments)?);
        Ok(())
    }

    fn repetition(&mut self, input: ParseStream<'_>, report: &mut Report) -> Result<()> {
        let content;
        let bracket = bracketed!(content in input);
        let body: TokenStream = content.parse()?;
        if !input.peek(Token![*]) {
            return Err(syn::Error::new(bracket.span.close(), "how often? a repetition is written `[ … ] * 2`"));
        }
        input.parse::<Token![*]>()?;
        let times: syn::LitInt = input.parse()?;
        if !input.is_empty() {
            return Err(input.error("expected a comma after the repetition"));
        }
        let mut inner = Self::default();
        inner.read(body, report);
        if inner.inputs > 0 {
            return Err(syn::Error::new(bracket.span.open(), "the input cannot be repeated: put it first, outside"));
        }
        let most = MOST_LAYERS / inner.layers.len().max(1);
        match times.base10_parse::<usize>() {
            Ok(0) => Err(syn::Error::new_spanned(times, "zero times: leave the layers out instead")),
            Ok(times) if times <= most => {
                if let Some(layer) = inner.layers.iter().find(|layer| layer.named && times > 1) {
                    let (name, word) = (&layer.name, &layer.word);
                    let message = format!(
                        "`{name}` would name {times} layers: leave the name out, and they are numbered ({word}1, {word}2, …)"
                    );
                    return Err(syn::Error::new_spanned(name, message));
                }
                for _ in 0..times {
                    self.layers.extend_from_slice(&inner.layers);
                }
                Ok(())
            }
            _ => Err(syn::Error::new_spanned(times, format!("too often: a network has {MOST_LAYERS} layers at most"))),
        }
    }
}

/// No known network comes near; a number beyond it is a slip.
const MOST_LAYERS: usize = 4096;

fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let items = tokens.split(is_comma).map(|item| item.iter().cloned().collect::<TokenStream>());
    items.filter(|item| !item.is_empty()).collect()
}

/// Unnamed layers are named by their word and a count; names are field names, so they differ.
fn name_layers(layers: &mut [Layer], report: &mut Report) {
    use std::collections::{HashMap, HashSet};

    let mut names: HashSet<String> = HashSet::new();
    for layer in layers.iter().filter(|layer| layer.named) {
        if !names.insert(layer.name.to_string()) {
            report.push(&layer.name, format!("a second layer called `{}`: names differ", layer.name));
        }
    }
    let mut counts: HashMap<String, usize> = HashMap::new();
    for layer in layers {
        let word = layer.word.to_string();
        let count = counts.entry(word.clone()).or_default();
        *count += 1;
        if !layer.named {
            while names.contains(&format!("{word}{count}")) && *count < 2 * MOST_LAYERS {
                *count += 1;
            }
            let span = Span::mixed_site().located_at(layer.word.span());
            layer.name = Ident::new(&format!("{word}{count}"), span);
        }
    }
}
