//! Repetitions and blocks written out, and a name for every layer.

use std::collections::{HashMap, HashSet};

use convnet_core::text::counted;
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;

use super::volumes::Volumes;
use crate::report::Errors;
use crate::syntax::{Block, Branch, Declaration, Item, Kind, Layer, Ways};

/// A layer that has its name.
pub(super) struct Named<'a> {
    /// The name of its field; spanned where its own name, or its word, is written.
    pub(super) name: Ident,
    /// The same behind the names of the blocks that it lies in, `block1.conv1`.
    pub(super) path: String,
    /// What is said of it, and of what it lies in.
    pub(super) docs: TokenStream,
    /// What it is.
    pub(super) what: What<'a>,
    /// Whether it begins a way of which nobody knows where it should begin.
    pub(super) is_lost: bool,
}

/// A layer that was written, or one that a block needs.
pub(super) enum What<'a> {
    /// The layer.
    Layer(&'a Layer),
    /// Where the ways of a block begin or meet.
    Block(&'a Block, Box<Kind>),
}

impl<'a> Named<'a> {
    /// A layer that nobody wrote.
    pub(super) fn nothing(layer: &'a Layer) -> Self {
        Self {
            name: layer.mention.word.clone(),
            path: layer.canonical.into(),
            docs: TokenStream::new(),
            what: What::Layer(layer),
            is_lost: false,
        }
    }

    /// The word to underline.
    pub(super) fn word(&self) -> &'a Ident {
        match self.what {
            What::Layer(layer) => &layer.mention.word,
            What::Block(block, _) => &block.mention.word,
        }
    }

    /// Whether its numbers are known to the compiler only: a network, or, of a layer written by
    /// hand, how many parameters it has.
    pub(super) fn is_elsewhere(&self) -> bool {
        let kind = self.layer().map(|layer| &layer.kind);
        self.is_network() || matches!(kind, Some(Kind::Own { learns: true, .. }))
    }

    /// Whether it is a network.
    pub(super) fn is_network(&self) -> bool {
        matches!(self.layer(), Some(layer) if matches!(layer.kind, Kind::Network { .. }))
    }

    /// What it does.
    pub(super) fn kind(&self) -> &Kind {
        match &self.what {
            What::Layer(layer) => &layer.kind,
            What::Block(_, kind) => kind,
        }
    }

    /// The layer, if it is one.
    pub(super) fn layer(&self) -> Option<&'a Layer> {
        match self.what {
            What::Layer(layer) => Some(layer),
            What::Block(..) => None,
        }
    }
}

/// More than any network has, and few enough that a slip in `* 1000000` ends in an error.
const MOST_LAYERS: usize = 2048;

/// The layers in the order of their run.
///
/// A layer or block without a name is called by its word and how many of that word there are so
/// far. One with a name, in a repetition, is called by that and how often it was there: `[block:
/// conv(…)] * 2` gives `block1` and `block2`. What has a name and brackets or braces begins to
/// count anew inside, and its name stands before those inside.
pub(super) fn name<'a>(declaration: &'a Declaration, errors: &mut Errors) -> Vec<Named<'a>> {
    let blame = match count(&declaration.items) {
        Ok(..=MOST_LAYERS) => None,
        Ok(_) => Some(declaration.name.to_token_stream()),
        Err(times) => Some(times.clone()),
    };
    if let Some(blame) = blame {
        errors.push(blame, format!("a network has at most {MOST_LAYERS} layers"));
        return Vec::new();
    }
    let mut names = Names {
        layers: Vec::new(),
        taken: HashMap::new(),
        blamed: HashSet::new(),
        volumes: Volumes::new(),
        outputs: Scope::default(),
        given: None,
        repetitions: 0,
    };
    let mut scope = Scope::default();
    names.walk(&declaration.items, &mut scope, false, errors);
    names.end();
    names.volumes.report(errors);
    names.nothing_unread(errors);
    names.layers
}

/// How many layers these become; or how often too many are repeated.
fn count(items: &[Item]) -> Result<usize, &TokenStream> {
    let mut sum = 0_usize;
    for item in items {
        let layers = match item {
            Item::Layer(_) => 1,
            Item::Block(block) => match &block.ways {
                Ways::Residual { body, shortcut } => {
                    let shortcut = shortcut.as_ref().map(|branch| count(&branch.items));
                    count(body)?.saturating_add(1 + shortcut.transpose()?.map_or(0, |it| it + 1))
                }
                Ways::Scale(body) => count(body)?.saturating_add(1),
                Ways::Concat(branches) | Ways::Outputs(branches) => {
                    // Behind the last branch of a concat nothing begins anew.
                    let last = usize::from(matches!(block.ways, Ways::Concat(_)));
                    let first = branches.first().is_some_and(|branch| branch.from.is_some());
                    let mut layers = (2 * branches.len() + usize::from(first)).saturating_sub(last);
                    for branch in branches {
                        layers = layers.saturating_add(count(&branch.items)?);
                    }
                    layers
                }
            },
            Item::Repeat {
                items,
                count: times,
                ..
            } => match count(items)?.saturating_mul(times.value) {
                layers @ ..=MOST_LAYERS => layers,
                _ => return Err(&times.tokens),
            },
        };
        sum = sum.saturating_add(layers);
    }
    Ok(sum)
}

struct Names<'a> {
    layers: Vec<Named<'a>>,
    /// Who has a field's name.
    taken: HashMap<String, Called<'a>>,
    /// The lines whose name is said to be another's.
    blamed: HashSet<*const ()>,
    /// What each line writes.
    volumes: Volumes<'a>,
    /// Where outputs have their names, wherever they stand: around all.
    outputs: Scope<'a>,
    /// The volume that holds those so far, and the block of the last one.
    given: Option<(usize, &'a Block)>,
    /// How many repetitions lie around.
    repetitions: usize,
}

/// What stands between the brackets or braces of something with a name, or around all.
#[derive(Default)]
struct Scope<'a> {
    /// The names around it: `stage2.block1`.
    path: String,
    /// What is said of it.
    docs: TokenStream,
    /// How many layers of a word.
    words: HashMap<&'a str, usize>,
    /// How often a line was there.
    lines: HashMap<*const (), usize>,
}

/// What a line says of its name.
#[derive(Clone, Copy)]
struct Called<'a> {
    line: *const (),
    name: Option<&'a Ident>,
    word: &'a Ident,
    canonical: &'a str,
}

impl<'a> Names<'a> {
    fn walk(
        &mut self,
        items: &'a [Item],
        scope: &mut Scope<'a>,
        repeated: bool,
        errors: &mut Errors,
    ) {
        for item in items {
            match item {
                Item::Layer(layer) => self.layer(layer, scope, repeated, errors),
                Item::Block(block) => self.block(block, scope, repeated, errors),
                Item::Repeat {
                    docs,
                    name,
                    items,
                    count,
                } => {
                    let outer = scope.docs.clone();
                    scope.docs.extend(docs.clone());
                    let rounds = self.volumes.rounds();
                    let mut inner = name.as_ref().map(|name| {
                        let called = Called::by_name(name);
                        let path = self.call(called, scope, repeated, errors).1;
                        scope.inside(path, &TokenStream::new())
                    });
                    let within = inner.is_none() || count.value > 1;
                    let repeats = usize::from(count.value > 1);
                    self.repetitions += repeats;
                    for _ in 0..count.value {
                        self.walk(items, inner.as_mut().unwrap_or(scope), within, errors);
                        if items.is_empty() {
                            break;
                        }
                    }
                    self.repetitions -= repeats;
                    scope.docs = outer;
                    if within {
                        self.volumes.leave(rounds);
                    }
                    if let Some(inner) = &inner {
                        self.written(&inner.path, name.as_ref(), scope);
                    }
                }
            }
        }
    }

    fn layer(
        &mut self,
        layer: &'a Layer,
        scope: &mut Scope<'a>,
        repeated: bool,
        errors: &mut Errors,
    ) {
        let called = Called {
            line: core::ptr::from_ref(layer).cast(),
            name: layer.name.as_ref(),
            word: &layer.mention.word,
            canonical: layer.canonical,
        };
        let (name, path) = self.call(called, scope, repeated, errors);
        let docs = scope.inside(String::new(), &layer.docs).docs;
        let what = What::Layer(layer);
        self.layers.push(Named {
            name,
            path: path.clone(),
            docs,
            what,
            is_lost: false,
        });
        self.written(&path, layer.name.as_ref(), scope);
    }

    /// A line is whole.
    fn written(&mut self, path: &str, name: Option<&Ident>, scope: &Scope<'a>) {
        let volume = self.layers.len();
        self.volumes.end(path, name, &scope.path, volume);
    }

    fn block(
        &mut self,
        block: &'a Block,
        scope: &mut Scope<'a>,
        repeated: bool,
        errors: &mut Errors,
    ) {
        let called = Called {
            line: core::ptr::from_ref(block).cast(),
            name: block.name.as_ref(),
            word: &block.mention.word,
            canonical: block.word(),
        };
        let (name, path) = self.call(called, scope, repeated, errors);
        let push_as = |names: &mut Self, (name, path), op| {
            names.layers.push(Named {
                name,
                path,
                docs: TokenStream::new(),
                what: What::Block(block, Box::new(op)),
                is_lost: false,
            });
        };
        let own = || (name.clone(), path.clone());
        let push = |names: &mut Self, op| push_as(names, own(), op);
        // A way, at that volume if it was found.
        let begin = |names: &mut Self, from, found: bool| {
            push(names, Kind::Branch { from });
            names.lose(!found);
        };
        let mut inner = scope.inside(path.clone(), &block.docs);
        let input = self.layers.len();
        match &block.ways {
            Ways::Residual { body, shortcut } => {
                self.walk(body, &mut inner, false, errors);
                let mut with = input;
                if let Some(shortcut) = shortcut {
                    let (from, found) = self.start(shortcut, input, &inner);
                    if found && from <= input && shortcut.items.is_empty() {
                        with = from;
                    } else {
                        with = self.layers.len();
                        begin(self, from, found);
                        self.branch(shortcut, &mut inner, errors);
                    }
                }
                push(self, Kind::Add { with, input });
            }
            Ways::Scale(body) => {
                self.walk(body, &mut inner, false, errors);
                push(self, Kind::Scale { with: input });
            }
            Ways::Outputs(branches) => {
                for (i, branch) in branches.iter().enumerate() {
                    let (from, found) = self.start(branch, input, &inner);
                    if i > 0 {
                        // The last output has begun a way at the block's input.
                        self.layers.pop();
                    }
                    if i > 0 || from != input || !found {
                        begin(self, from, found);
                    }
                    let called = self.output(branch, errors).unwrap_or_else(own);
                    let onto = self.given.map(|(volume, _)| volume);
                    let last = false;
                    push_as(self, called, Kind::Outputs { onto, input, last });
                    self.given = Some((self.layers.len(), block));
                    push(self, Kind::Branch { from: input });
                }
            }
            Ways::Concat(branches) => {
                let mut onto = None;
                for (i, branch) in branches.iter().enumerate() {
                    let (from, found) = self.start(branch, input, &inner);
                    if i > 0 || from != input || !found {
                        begin(self, from, found);
                    }
                    let last = i + 1 == branches.len();
                    self.branch(branch, &mut inner, errors);
                    push(self, Kind::Concat { onto, input, last });
                    onto = Some(self.layers.len());
                }
            }
        }
        self.written(&path, block.name.as_ref(), scope);
    }

    /// The volume at which a way of a block begins, and whether that is what was meant.
    fn start(&mut self, way: &'a Branch, input: usize, scope: &Scope<'a>) -> (usize, bool) {
        let Some(start) = &way.from else {
            return (input, true);
        };
        let found = self.volumes.find(start, &scope.path);
        (found.unwrap_or(input), found.is_some())
    }

    /// Where the last layer begins a way may not be what was meant.
    fn lose(&mut self, is_lost: bool) {
        if let Some(layer) = self.layers.last_mut() {
            layer.is_lost = is_lost;
        }
    }

    /// Every volume is read: by the next layer, or by one that names it.
    fn nothing_unread(&mut self, errors: &mut Errors) {
        let named: HashSet<usize> = self
            .layers
            .iter()
            .filter_map(|it| it.kind().names())
            .collect();
        let (mut before, mut blamed) = ("the input".to_owned(), HashSet::new());
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let unread = i > 0 && !named.contains(&i);
            if let What::Block(block, kind) = &mut layer.what
                && let Kind::Branch { from } = &mut **kind
                && *from != i
                && unread
            {
                // Once, however often it is repeated.
                if blamed.insert(core::ptr::from_ref(*block)) {
                    let word = block.word();
                    let message = format!(
                        "nobody reads what `{before}` writes: each way of this `{word}` begins elsewhere\n\
                         one without `from` begins there"
                    );
                    errors.push(&block.mention.word, message);
                }
                (*from, layer.is_lost) = (i, true);
            }
            before.clone_from(&layer.path);
        }
    }

    /// The name of an output, which is one of the network's, and its path.
    fn output(&mut self, branch: &'a Branch, errors: &mut Errors) -> Option<(Ident, String)> {
        let mut scope = core::mem::take(&mut self.outputs);
        let called = branch.name.as_ref().map(|name| {
            let repeated = self.repetitions > 0;
            self.call(Called::by_name(name), &mut scope, repeated, errors)
        });
        let path = called.as_ref().map_or("", |(_, path)| path);
        let mut inner = scope.inside(path.to_owned(), &TokenStream::new());
        self.outputs = scope;
        self.walk(&branch.items, &mut inner, false, errors);
        self.written(&inner.path, None, &Scope::default());
        called
    }

    /// The last output makes the vector of all whole. Where the network goes on behind it, which is an error,
    /// the last volume is one.
    fn end(&mut self) {
        let Some((volume, block)) = self.given else {
            return;
        };
        if self.layers.len() == volume + 1 {
            self.layers.pop();
        } else {
            let (onto, input) = (Some(volume), self.layers.len());
            let op = Kind::Outputs {
                onto,
                input,
                last: false,
            };
            self.layers.push(Named {
                name: format_ident!("output_of_the_last_line"),
                path: "output_of_the_last_line".into(),
                docs: TokenStream::new(),
                what: What::Block(block, Box::new(op)),
                is_lost: false,
            });
        }
        if let Some(Named {
            what: What::Block(_, kind),
            ..
        }) = self.layers.last_mut()
            && let Kind::Outputs { last, .. } = &mut **kind
        {
            *last = true;
        }
    }

    /// Its name and path, if it has them.
    fn branch(
        &mut self,
        branch: &'a Branch,
        scope: &mut Scope<'a>,
        errors: &mut Errors,
    ) -> Option<(Ident, String)> {
        let Some(name) = &branch.name else {
            self.walk(&branch.items, scope, false, errors);
            return None;
        };
        let (name, path) = self.call(Called::by_name(name), scope, false, errors);
        let mut inner = scope.inside(path.clone(), &TokenStream::new());
        self.walk(&branch.items, &mut inner, false, errors);
        self.written(&path, branch.name.as_ref(), scope);
        Some((name, path))
    }

    /// The name of a line's field, and its path.
    fn call(
        &mut self,
        called: Called<'a>,
        scope: &mut Scope<'a>,
        repeated: bool,
        errors: &mut Errors,
    ) -> (Ident, String) {
        let of_word = scope.words.entry(called.canonical).or_default();
        *of_word += 1;
        let line = scope.lines.entry(called.line).or_default();
        *line += 1;
        let text = match called.name {
            None => counted(called.canonical, *of_word).to_string(),
            Some(name) if repeated => format!("{}{line}", name.unraw()),
            Some(name) => name.unraw().to_string(),
        };
        let path = match scope.path.as_str() {
            "" => text,
            path => format!("{path}.{text}"),
        };
        let path = self.unique(path, called, errors);
        self.volumes.begin(&path, called.name, &scope.path);
        let field = path.replace('.', "_");
        self.taken.insert(field.clone(), called);
        let span = called.name.unwrap_or(called.word).span();
        let name = match called.name {
            Some(name) if *name == format!("r#{field}") => Ident::new_raw(&field, span),
            _ => Ident::new(&field, span),
        };
        (name, path)
    }

    /// The path, if nobody has a field of that name; else another, and an error under the name
    /// that was written.
    fn unique(&mut self, path: String, called: Called<'a>, errors: &mut Errors) -> String {
        let field = |path: &str| path.replace('.', "_");
        let Some(other) = self.taken.get(&field(&path)) else {
            return path;
        };
        // Once, however often it is repeated.
        let first = self.blamed.insert(called.line);
        match (called.name, other.name) {
            _ if !first => {}
            (Some(name), Some(_)) => errors.push(name, format!("a second layer named `{path}`")),
            (Some(name), None) | (None, Some(name)) => {
                let unnamed = if called.name.is_none() {
                    called.word
                } else {
                    other.word
                };
                let message = format!(
                    "a layer named `{path}`, which is what a `{unnamed}` without a name is called\n\
                     choose another name, or name that one too"
                );
                errors.push(name, message);
            }
            // Words with counts differ.
            (None, None) => {}
        }
        (2..)
            .map(|n| format!("{path}_{n}"))
            .find(|path| !self.taken.contains_key(&field(path)))
            .unwrap_or(path)
    }
}

impl Scope<'_> {
    /// One that lies in this one.
    fn inside(&self, path: String, docs: &TokenStream) -> Self {
        Self {
            path,
            docs: self.docs.clone().into_iter().chain(docs.clone()).collect(),
            ..Self::default()
        }
    }
}

impl<'a> Called<'a> {
    /// Brackets with a name.
    fn by_name(name: &'a Ident) -> Self {
        Self {
            line: core::ptr::from_ref(name).cast(),
            name: Some(name),
            word: name,
            canonical: "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of `struct N { input(8x8x1), … }`, and how many layers it has.
    fn said(lines: &str) -> (usize, Vec<String>) {
        let mut errors = Errors::default();
        let text = format!("struct N {{ input(8x8x1), {lines} }}");
        let declaration = crate::syntax::parse(text.parse().expect("tokens"), &mut errors);
        let layers = name(&declaration.expect("a declaration"), &mut errors).len();
        (layers, errors.texts())
    }

    #[test]
    fn a_count_behind_a_digit_is_told_from_it() {
        let mut errors = Errors::default();
        let text = "struct N { input(8x8x1), relu6, conv(2, 1x1), relu, [relu6] * 9, }";
        let declaration = crate::syntax::parse(text.parse().expect("tokens"), &mut errors);
        let declaration = declaration.expect("a declaration");
        let layers = name(&declaration, &mut errors);
        let names: Vec<_> = layers.iter().map(|layer| &*layer.path).collect();
        assert_eq!(names[..4], ["relu6_1", "conv1", "relu1", "relu6_2"]);
        assert_eq!(names.last(), Some(&"relu6_10"));
    }

    #[test]
    fn layers_are_counted_before_they_are_written_out() {
        const MOST: &str = "a network has at most 2048 layers";
        let most = "[[relu, tanh] * 256] * 4";
        assert_eq!(said(most), (2048, vec![]));
        assert_eq!(said(&format!("{most}, relu")), (0, vec![MOST.into()]));
        // Written out, these would take longer than anybody waits.
        for many in [
            "[[relu] * 4294967296] * 4294967296",
            "[[[relu, fc(1)] * 9999999999] * 9999999999] * 9999999999",
            "residual { concat { [[relu] * 2000], [[relu] * 46, tanh] }, shortcut { relu } }",
        ] {
            assert_eq!(said(many), (0, vec![MOST.into()]), "{many}");
        }
        let blocks = "residual { concat { [[relu] * 2000], [[relu] * 42] }, shortcut { relu } }";
        assert_eq!(said(blocks), (2048, vec![]));
        assert_eq!(said("[] * 9999999999, relu"), (1, vec![]));
    }

    #[test]
    fn a_way_begins_at_an_earlier_line() {
        let lines = "stem: conv(2, 1x1), a: [relu, tanh], ";
        for (line, message) in [
            (
                "residual { relu, shortcut { from = stm } }",
                "no line is called `stm`; did you mean `stem`?",
            ),
            ("concat { [], [from = c] }, c: relu", "`c` comes later\n"),
            (
                "b: residual { relu, shortcut { from = b } }",
                "`b` is what this line lies in",
            ),
            (
                "b: [concat { [], [from = b] }]",
                "`b` is what this line lies in",
            ),
            (
                "c: concat { d: [], [from = c, tanh] }",
                "`c` is what this line lies in",
            ),
            (
                "[c: relu] * 2, concat { [], [from = c] }",
                "no line is called `c`; did you mean `c2`?",
            ),
            (
                "concat { [], [from = ] }",
                "expected the name of an earlier line",
            ),
            (
                "concat { [], [from = conv(2, 1x1)] }",
                "expected the name of an earlier line",
            ),
            (
                "concat { [], [relu, from = stem] }",
                "`from` stands first in a branch",
            ),
            ("from = stem, relu", "`from` stands first in a branch"),
            (
                "residual { from = stem, relu }",
                "`from` stands first in a branch",
            ),
            (
                "concat { [from = stem], [from = input] }",
                "nobody reads what `a.tanh1` writes",
            ),
            (
                "outputs { c: [from = stem], d: [from = a.relu1] }",
                "nobody reads what `a.tanh1` writes",
            ),
        ] {
            let (_, errors) = said(&format!("{lines}{line}"));
            let [error] = errors.as_slice() else {
                panic!("{line}: {errors:?}")
            };
            assert!(error.starts_with(message), "{line}: {error}");
        }
        for line in [
            "residual { relu, shortcut { from = stem } }",
            "residual { relu, shortcut { from = stem, tanh } }",
            "concat { [from = stem], [], [from = a.relu1] }",
            "[c: relu, concat { [], [from = c] }] * 3",
            "concat { [from = stem], [from = stem] }, residual { relu, shortcut { from = a } }",
            "outputs { c: [from = stem], d: [] }",
        ] {
            assert_eq!(said(&format!("{lines}{line}")).1, [""; 0], "{line}");
        }
    }

    #[test]
    fn a_second_name_is_a_mistake_once() {
        let (layers, errors) = said("[a: relu, a: tanh] * 200");
        assert_eq!(
            (layers, errors),
            (400, vec!["a second layer named `a1`".into()])
        );
    }
}
