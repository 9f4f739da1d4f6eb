//! Blocks: layers that a volume goes through in two or more ways.

use convnet_core::dsl;
use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::format_ident;
use syn::parse::ParseStream;
use syn::{Result, braced, bracketed, token};

use super::{Item, Line, Listed, Mention, Start, group, layer, lines, list, slips, start, words};
use crate::report::Errors;

/// `block1: residual { … }`.
pub(crate) struct Block {
    /// What is said of it, and so of each of its layers.
    pub(crate) docs: TokenStream,
    /// The name the user gave it.
    pub(crate) name: Option<Ident>,
    /// Its word.
    pub(crate) mention: Mention,
    /// Its layers.
    pub(crate) ways: Ways,
}

impl Block {
    /// Its word.
    pub(crate) fn word(&self) -> &'static str {
        match self.ways {
            Ways::Residual { .. } => "residual",
            Ways::Concat(_) => "concat",
            Ways::Outputs(_) => "outputs",
            Ways::Scale(_) => "scale",
        }
    }
}

/// The ways through a block.
pub(crate) enum Ways {
    /// Their sum.
    Residual {
        /// The layers.
        body: Vec<Item>,
        /// Those on the other way; none hand the input on.
        shortcut: Option<Branch>,
    },
    /// Side by side in the depth.
    Concat(Vec<Branch>),
    /// What the network gives, each by its name; the volume goes on to the next line, if there is one.
    Outputs(Vec<Branch>),
    /// The input, times what these layers make of it.
    Scale(Vec<Item>),
}

/// One way.
pub(crate) struct Branch {
    /// Its name, if it has one.
    pub(crate) name: Option<Ident>,
    /// Where it begins, if that is not the block's input.
    pub(crate) from: Option<Start>,
    /// Its layers.
    pub(crate) items: Vec<Item>,
}

/// `shortcut { … }`, wherever it stands.
pub(super) struct Shortcut {
    word: Ident,
    from: Option<Start>,
    items: Vec<Item>,
}

impl Shortcut {
    /// It stands where it should not.
    pub(super) fn misplaced(&self, errors: &mut Errors) {
        let message = format!("a shortcut is the last line of a residual\n`{RESIDUAL}`");
        errors.push(&self.word, message);
    }
}

const RESIDUAL: &str = dsl::residual::WORD.example;
const CONCAT: &str = dsl::concat::WORD.example;
const SCALE: &str = dsl::scale::WORD.example;
const OUTPUTS: &str = dsl::outputs::WORD.example;

/// Whether a name is none that a block has as its word: `residual: [ … ]`, `shortcut: conv(64, 1x1)`.
pub(super) fn no_word(name: &Option<Ident>) -> Result<()> {
    let Some(word) = name else { return Ok(()) };
    let example = match word.to_string().as_str() {
        "concat" => CONCAT,
        "outputs" => OUTPUTS,
        "residual" | "shortcut" => RESIDUAL,
        _ => return Ok(()),
    };
    let message = format!(
        "`{word}` is the word of a block, and no name: its layers stand in braces\n`{example}`"
    );
    Err(syn::Error::new_spanned(word, message))
}

/// A line that is a block, if that is what comes.
///
/// ```text
/// residual { conv(64, 3x3, pad = 1), relu, shortcut { conv(64, 1x1) } }
/// concat { [conv(64, 1x1)], [conv(32, 1x1), conv(64, 3x3, pad = 1)], [] }
/// scale { global_avg_pool, conv(8, 1x1), relu, conv(32, 1x1), hard_sigmoid }
/// outputs { boxes: [conv(16, 1x1)], scores: [conv(2, 1x1), sigmoid] }
/// ```
pub(super) fn line(
    input: ParseStream,
    docs: &TokenStream,
    name: &Option<Ident>,
    depth: usize,
    errors: &mut Errors,
) -> Option<Result<Line>> {
    let ahead = input.fork();
    let word: Ident = ahead.parse().ok()?;
    let text = word.to_string();
    if !ahead.peek(token::Brace) && !words::is_block(&text) {
        return None;
    }
    let line = block(input, docs, name, depth, errors);
    // What stands for a block that is wrong has no shape that anybody could rely on.
    Some(line.map(|line| {
        line.unwrap_or_else(|| {
            let stub = layer::stub(docs.clone(), name.clone(), word);
            Line::Item(Item::Layer(Box::new(stub)))
        })
    }))
}

/// `None` is reported.
fn block(
    input: ParseStream,
    docs: &TokenStream,
    name: &Option<Ident>,
    depth: usize,
    errors: &mut Errors,
) -> Result<Option<Line>> {
    let word: Ident = input.parse()?;
    let text = word.to_string();
    let example = match text.as_str() {
        "concat" => CONCAT,
        "scale" => SCALE,
        "outputs" => OUTPUTS,
        _ => RESIDUAL,
    };
    let mut name = name.clone();
    if name.is_none() && input.peek(syn::Ident) && input.peek2(token::Brace) {
        let behind: Ident = input.parse()?;
        let message = format!("a block's name stands before a colon: `{behind}: {word} {{ … }}`");
        errors.push(&behind, message);
        name = Some(behind);
    }
    if !input.peek(token::Brace) {
        errors.push(
            &word,
            format!("the layers of `{word}` stand in braces\n`{example}`"),
        );
        if input.peek(token::Paren) || input.peek(token::Bracket) {
            input.parse::<Group>()?;
        }
        return Ok(None);
    }
    let content;
    let braces = braced!(content in input).span.join();
    let start = errors.count();
    let ways = match text.as_str() {
        "residual" => residual(&content, braces, &word, depth, errors)?,
        "concat" => branches(&content, &word, (CONCAT, 2), depth, errors)?.map(Ways::Concat),
        "outputs" => outputs(&content, &word, depth, errors)?,
        "scale" => scale(&content, braces, &word, depth, errors)?,
        "shortcut" => {
            let from = start::read(&content, errors)?;
            let items = group::items(&content, braces, depth, errors)?;
            if let Some(name) = &name {
                errors.push(
                    name,
                    "a shortcut has no name: its layers are `shortcut.conv1`…",
                );
            }
            return Ok(Some(Line::Shortcut(Shortcut { word, from, items })));
        }
        _ => {
            content.parse::<TokenStream>()?;
            errors.push(&word, unknown(&text));
            None
        }
    };
    let mention = Mention {
        word,
        keys: Vec::new(),
        right: errors.count() == start,
    };
    let docs = docs.clone();
    Ok(ways.map(|ways| {
        Line::Item(Item::Block(Box::new(Block {
            docs,
            name,
            mention,
            ways,
        })))
    }))
}

fn unknown(text: &str) -> String {
    let mut message = format!("`{text}` is not a block");
    let meant = words::block_meant(text);
    match meant {
        Some(meant) => message += &format!("; did you mean `{meant}`?"),
        None if words::find(text).is_some() => {
            message += ": its arguments stand in brackets, `(…)`"
        }
        None => {}
    }
    message + &format!("\nthe blocks: `{RESIDUAL}`, `{CONCAT}`, `{SCALE}`, `{OUTPUTS}`")
}

fn scale(
    content: ParseStream,
    braces: Span,
    word: &Ident,
    depth: usize,
    errors: &mut Errors,
) -> Result<Option<Ways>> {
    let start = errors.count();
    let items = group::items(content, braces, depth, errors)?;
    if items.is_empty() {
        if errors.count() == start {
            errors.push(word, format!("`{word}` has no layers\n`{SCALE}`"));
        }
        return Ok(None);
    }
    Ok(Some(Ways::Scale(items)))
}

fn residual(
    content: ParseStream,
    braces: Span,
    word: &Ident,
    depth: usize,
    errors: &mut Errors,
) -> Result<Option<Ways>> {
    let start = errors.count();
    let (mut body, mut shortcut): (Vec<Item>, Option<Shortcut>) = (Vec::new(), None);
    group::deeper(content, braces, depth)?;
    for line in lines(content, depth + 1, errors) {
        match (line, &shortcut) {
            (Line::Shortcut(second), Some(_)) => {
                errors.push(second.word, "a second shortcut: a residual has one at most");
            }
            (Line::Shortcut(first), None) => shortcut = Some(first),
            (Line::Item(_), Some(before)) => before.misplaced(errors),
            (Line::Item(item), None) => body.push(item),
            (Line::Input { .. }, _) => {}
        }
    }
    if let Some(Shortcut { word, from, items }) = &shortcut
        && items.is_empty()
        && from.is_none()
        && errors.count() == start
    {
        let message = "an empty shortcut hands the input on, and so does none: remove it";
        errors.push(word, message);
    }
    let adds = matches!(&shortcut, Some(shortcut) if shortcut.from.is_some());
    if body.is_empty() && !adds {
        if errors.count() == start {
            let message = format!("`{word}` has no layers\n`{RESIDUAL}`");
            errors.push(word, message);
        }
        return Ok(None);
    }
    let shortcut = shortcut.map(|Shortcut { word, from, items }| Branch {
        name: Some(word),
        from,
        items,
    });
    Ok(Some(Ways::Residual { body, shortcut }))
}

/// Each needs a name.
fn outputs(
    content: ParseStream,
    word: &Ident,
    depth: usize,
    errors: &mut Errors,
) -> Result<Option<Ways>> {
    let start = errors.count();
    let Some(mut branches) = branches(content, word, (OUTPUTS, 1), depth, errors)? else {
        return Ok(None);
    };
    let unnamed = branches.iter_mut().enumerate();
    let unnamed = unnamed.filter(|(_, branch)| branch.name.is_none());
    for (i, branch) in unnamed.collect::<Vec<_>>() {
        if errors.count() == start {
            let message = format!("each of several outputs has a name\n`{OUTPUTS}`");
            errors.push(word, message);
        }
        branch.name = Some(format_ident!("output{i}", span = word.span()));
    }
    Ok(Some(Ways::Outputs(branches)))
}

/// So many at least.
fn branches(
    content: ParseStream,
    word: &Ident,
    (example, least): (&str, usize),
    depth: usize,
    errors: &mut Errors,
) -> Result<Option<Vec<Branch>>> {
    let start = errors.count();
    if !content.is_empty() {
        // Once, and not for every layer that should stand in a branch.
        starts_branch(&content.fork(), example, &mut Errors::default()).or_else(|error| {
            content.parse::<TokenStream>()?;
            Err(error)
        })?;
    }
    let branches = list(content, &BRANCHES, errors, |input, errors| {
        branch(input, example, depth, errors)
    });
    let lost = branches.iter().any(Option::is_none);
    let branches: Vec<Branch> = branches.into_iter().flatten().collect();
    if branches.len() < least && !lost && errors.count() == start {
        errors.push(word, too_few(word, branches.len(), example));
    }
    let there = branches.len() >= least && !lost;
    Ok(there.then_some(branches))
}

fn too_few(word: &Ident, branches: usize, example: &str) -> String {
    let found = match branches {
        0 => "no branches",
        _ => "one branch",
    };
    format!("`{word}` has {found}, and needs two at least\n`{example}`")
}

/// That there are several outputs, and that what the last lines write is among them.
pub(crate) fn check_outputs(items: &[Item], errors: &mut Errors) {
    let mut all = Vec::new();
    find_outputs(items, &mut all);
    let Some((word, branches)) = all.last() else {
        return;
    };
    if !ends_in_outputs(items) {
        let message = "a network that has outputs ends in some: what its last lines write has a name, too\n\
                       `outputs { scores: [fc(10)] }`";
        errors.push(word, message);
    } else if all.len() == 1 && *branches == 1 {
        errors.push(word, too_few(word, 1, OUTPUTS));
    }
}

/// The word of each block of outputs, and how many it has.
fn find_outputs<'a>(items: &'a [Item], all: &mut Vec<(&'a Ident, usize)>) {
    for item in items {
        let block = match item {
            Item::Layer(_) => continue,
            Item::Repeat { items, .. } => {
                find_outputs(items, all);
                continue;
            }
            Item::Block(block) => block,
        };
        match &block.ways {
            Ways::Residual { body, shortcut } => {
                find_outputs(body, all);
                let items = shortcut.as_ref().map(|branch| &branch.items);
                items.into_iter().for_each(|it| find_outputs(it, all));
            }
            Ways::Scale(body) => find_outputs(body, all),
            Ways::Concat(branches) => {
                let items = branches.iter().map(|branch| &branch.items);
                items.for_each(|it| find_outputs(it, all));
            }
            Ways::Outputs(branches) => {
                let items = branches.iter().map(|branch| &branch.items);
                items.for_each(|it| find_outputs(it, all));
                all.push((&block.mention.word, branches.len()));
            }
        }
    }
}

fn ends_in_outputs(items: &[Item]) -> bool {
    match items.last() {
        Some(Item::Block(block)) => matches!(block.ways, Ways::Outputs(_)),
        Some(Item::Repeat { items, .. }) => ends_in_outputs(items),
        Some(Item::Layer(_)) | None => false,
    }
}

const BRANCHES: Listed = Listed {
    what: "branches",
    begins: |input| input.peek(token::Bracket),
};

/// `[conv(64, 1x1)]`, `pooled: [max_pool(3x3, stride = 1, pad = 1)]`, `[from = stem, conv(64, 1x1)]`, `[]`.
fn branch(input: ParseStream, example: &str, depth: usize, errors: &mut Errors) -> Result<Branch> {
    let name = starts_branch(input, example, errors)?;
    let content;
    let brackets = bracketed!(content in input).span.join();
    let from = start::read(&content, errors)?;
    let items = group::items(&content, brackets, depth, errors)?;
    Ok(Branch { name, from, items })
}

/// The name of a branch, if it has one; brackets follow.
fn starts_branch(input: ParseStream, example: &str, errors: &mut Errors) -> Result<Option<Ident>> {
    let name = slips::name(input, errors)?;
    no_word(&name)?;
    if !input.peek(token::Bracket) {
        let message = format!("a branch stands in brackets\n`{example}`");
        return Err(input.error(message));
    }
    Ok(name)
}
