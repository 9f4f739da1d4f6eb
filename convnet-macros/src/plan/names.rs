//! Repetitions written out, and a name for every layer.

use std::collections::HashMap;

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::report::Errors;
use crate::syntax::{Declaration, Item, Layer};

/// A layer that has its name.
pub(super) struct Named<'a> {
    /// Its own name, or its word and a count; spanned where that is written.
    pub(super) name: Ident,
    /// The layer.
    pub(super) layer: &'a Layer,
}

/// More than any network has, and few enough that a slip in `* 1000000` ends in an error.
const MOST_LAYERS: usize = 2048;

/// The layers in the order of their run.
///
/// A layer without a name is called by its word and how many of that word there are so far. One
/// with a name, in a repetition, is called by that and how often it was there: `[block: conv(…)] *
/// 2` gives `block1` and `block2`.
pub(super) fn name<'a>(declaration: &'a Declaration, errors: &mut Errors) -> Vec<Named<'a>> {
    let mut names = Names::default();
    names.walk(&declaration.items, false, errors);
    names.layers
}

#[derive(Default)]
struct Names<'a> {
    layers: Vec<Named<'a>>,
    /// How many layers of a word.
    words: HashMap<&'a str, usize>,
    /// How often a line was there.
    lines: HashMap<*const Layer, usize>,
    /// Who has a name: the index of the layer.
    taken: HashMap<String, usize>,
    full: bool,
}

impl<'a> Names<'a> {
    fn walk(&mut self, items: &'a [Item], repeated: bool, errors: &mut Errors) {
        for item in items {
            match item {
                Item::Layer(layer) => self.push(layer, repeated, errors),
                Item::Repeat { items, count } => {
                    for _ in 0..count.value {
                        self.walk(items, true, errors);
                        if self.full || items.is_empty() {
                            break;
                        }
                    }
                    if self.full {
                        let message = format!("a network has at most {MOST_LAYERS} layers");
                        errors.push(&count.tokens, message);
                        self.full = false;
                        return;
                    }
                }
            }
        }
    }

    fn push(&mut self, layer: &'a Layer, repeated: bool, errors: &mut Errors) {
        if self.layers.len() == MOST_LAYERS {
            self.full = true;
            return;
        }
        let of_word = self.words.entry(layer.canonical).or_default();
        *of_word += 1;
        let line = self.lines.entry(layer).or_default();
        *line += 1;
        let text = match &layer.name {
            None => format!("{}{of_word}", layer.canonical),
            Some(name) if repeated => format!("{}{line}", name.unraw()),
            Some(name) => name.to_string(),
        };
        let text = self.unique(text, layer, errors);
        self.taken.insert(text.clone(), self.layers.len());
        let span = layer.name.as_ref().unwrap_or(&layer.mention.word).span();
        let name = match text.strip_prefix("r#") {
            Some(raw) => Ident::new_raw(raw, span),
            None => Ident::new(&text, span),
        };
        self.layers.push(Named { name, layer });
    }

    /// The name, if nobody has it; else another, and an error under the name that was written.
    fn unique(&self, text: String, layer: &Layer, errors: &mut Errors) -> String {
        let Some(&other) = self.taken.get(&text) else {
            return text;
        };
        let other = self.layers[other].layer;
        match (&layer.name, &other.name) {
            (Some(name), Some(_)) => errors.push(name, format!("a second layer named `{text}`")),
            (Some(name), None) | (None, Some(name)) => {
                let unnamed = if layer.name.is_none() { layer } else { other };
                let word = &unnamed.mention.word;
                let message = format!(
                    "a layer named `{text}`, which is what a `{word}` without a name is called\n\
                     choose another name, or name that one too"
                );
                errors.push(name, message);
            }
            // Words with counts differ.
            (None, None) => {}
        }
        (2..)
            .map(|n| format!("{text}_{n}"))
            .find(|name| !self.taken.contains_key(name))
            .unwrap_or(text)
    }
}
