//! What the sources say: which room names which, anywhere in a path that begins in a crate, in macros
//! too. Tests and comments do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// For each room, those that it uses.
type Arrows = BTreeMap<String, BTreeSet<String>>;

/// A crate's files, and what its root calls by which name.
pub(crate) struct Crate {
    name: &'static str,
    /// But for those of tests, each with the path of its module.
    files: Vec<(Vec<String>, Vec<TokenTree>)>,
    /// The modules of the root.
    rooms: BTreeSet<String>,
    /// What the root hands on, and from where: `Layer` from `layer`, `optim` from `learn`.
    handed_on: BTreeMap<String, String>,
}

impl Crate {
    pub(crate) fn read(name: &'static str) -> Self {
        let src = super::root().join(name).join("src");
        let mut it = Self {
            name,
            files: Vec::new(),
            rooms: BTreeSet::new(),
            handed_on: BTreeMap::new(),
        };
        for (module, path) in paths_below(&src) {
            let text = fs::read_to_string(&path).unwrap();
            let tokens: TokenStream = text.parse().unwrap();
            let tokens = without_tests(tokens);
            match module.first() {
                None => it.read_root(&tokens),
                Some(room) => {
                    for exported in exported_macros(&tokens) {
                        it.handed_on.insert(exported, room.clone());
                    }
                }
            }
            it.files.push((module, tokens));
        }
        it
    }

    /// What each room uses, of its own crate and of `core`.
    pub(crate) fn arrows(&self, core: Option<&Self>) -> Arrows {
        let mut arrows = Arrows::new();
        for (module, tokens) in &self.files {
            let Some(room) = module.first().map(|room| self.title(room)) else {
                continue;
            };
            let uses = arrows.entry(room.clone()).or_default();
            walk(tokens, module, &mut |path, module| {
                let used = match (path[0].as_str(), core) {
                    ("convnet_core", Some(core)) => {
                        core.room(&path[1..]).map(|room| core.title(&room))
                    }
                    ("convnet_core", None) => None,
                    _ => self
                        .room(&from_the_root(path, module))
                        .map(|room| self.title(&room)),
                };
                uses.extend(used);
            });
            uses.remove(&room);
        }
        arrows
    }

    /// The modules in which `unsafe` is expected, or allowed.
    pub(crate) fn modules_with_unsafe(&self) -> BTreeSet<String> {
        let files = self.files.iter();
        let expecting = files.filter(|(_, tokens)| contain(tokens, "unsafe_code"));
        expecting.map(|(module, _)| module.join("::")).collect()
    }

    /// A room of `convnet-macros` is called `macros::plan`.
    fn title(&self, room: &str) -> String {
        match self.name {
            "convnet-core" => room.to_owned(),
            name => format!("{}::{room}", name.trim_start_matches("convnet-")),
        }
    }

    /// The modules of the root, and what it hands on.
    fn read_root(&mut self, tokens: &[TokenTree]) {
        for (at, token) in tokens.iter().enumerate() {
            match (token.to_string().as_str(), &tokens[at + 1..]) {
                ("mod", [name, TokenTree::Punct(_), ..]) => {
                    self.rooms.insert(name.to_string());
                }
                ("mod", [_, TokenTree::Group(inside), ..]) => {
                    self.read_root(&inside.stream().into_iter().collect::<Vec<_>>());
                }
                ("use", rest) => {
                    for mut path in paths(rest) {
                        path.retain(|part| part != "crate");
                        let name = path.last().unwrap().clone();
                        self.handed_on.insert(name, path.remove(0));
                    }
                }
                _ => {}
            }
        }
    }

    /// The room of a path from the root; none, if it leads to another crate.
    fn room(&self, path: &[String]) -> Option<String> {
        let [first, rest @ ..] = path else {
            return None;
        };
        if self.rooms.contains(first) {
            return Some(first.clone());
        }
        if first.starts_with("__") && !rest.is_empty() {
            return self.room(rest);
        }
        let from = self.handed_on.get(first);
        let from = from.unwrap_or_else(|| panic!("`{first}` in the root of {}?", self.name));
        match self.handed_on.contains_key(from) || self.rooms.contains(from) {
            true => self.room(std::slice::from_ref(from)),
            false => None,
        }
    }
}

/// The files below a folder but for those of tests, each with the path of its module.
fn paths_below(src: &Path) -> Vec<(Vec<String>, PathBuf)> {
    let (mut all, mut folders) = (Vec::new(), vec![(Vec::new(), src.to_owned())]);
    while let Some((above, folder)) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut module = above.clone();
            match stem.as_str() {
                "tests" => continue,
                "lib" => {}
                _ => module.push(stem),
            }
            match path.extension() {
                None => folders.push((module, path)),
                Some(_) => all.push((module, path)),
            }
        }
    }
    all
}

/// `#[macro_export] macro_rules! name`: a name of the root.
fn exported_macros(tokens: &[TokenTree]) -> Vec<String> {
    let named = tokens
        .windows(3)
        .filter(|three| three[0].to_string() == "macro_rules");
    named.map(|three| three[2].to_string()).collect()
}

/// Calls `found` with each path that begins with `crate`, `super` or `convnet_core`, and the module
/// where it stands.
fn walk(tokens: &[TokenTree], module: &[String], found: &mut impl FnMut(&[String], &[String])) {
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        at += 1;
        match rest {
            [TokenTree::Ident(word), name, TokenTree::Group(inside), ..] if word == "mod" => {
                let module: Vec<_> = module.iter().cloned().chain([name.to_string()]).collect();
                walk(
                    &inside.stream().into_iter().collect::<Vec<_>>(),
                    &module,
                    found,
                );
                at += 2;
            }
            [TokenTree::Ident(word), TokenTree::Punct(_), ..]
                if word == "crate" || word == "super" || word == "convnet_core" =>
            {
                let (all, len) = paths_and_len(rest);
                for path in all {
                    found(&path, module);
                }
                at += len - 1;
            }
            [TokenTree::Group(group), ..] => {
                walk(
                    &group.stream().into_iter().collect::<Vec<_>>(),
                    module,
                    found,
                );
            }
            _ => {}
        }
    }
}

/// Whether a word is among them.
fn contain(tokens: &[TokenTree], word: &str) -> bool {
    tokens.iter().any(|token| match token {
        TokenTree::Group(group) => contain(&Vec::from_iter(group.stream()), word),
        token => token.to_string() == word,
    })
}

/// The same without items that are compiled for tests only.
fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let (tokens, mut rest) = (Vec::from_iter(tokens), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [
                TokenTree::Punct(hash),
                TokenTree::Group(attribute),
                item @ ..,
            ] if hash.as_char() == '#' && is_for_tests(attribute.stream()) => {
                at += 2 + item.iter().position(ends_an_item).expect("an item ends");
            }
            [TokenTree::Group(group), ..] => {
                let inside = without_tests(group.stream()).into_iter().collect();
                rest.push(Group::new(group.delimiter(), inside).into());
            }
            [token, ..] => rest.push(token.clone()),
            [] => {}
        }
        at += 1;
    }
    rest
}

/// `cfg(test)`.
fn is_for_tests(attribute: TokenStream) -> bool {
    attribute.to_string().replace(' ', "") == "cfg(test)"
}

fn ends_an_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    }
}

/// A path that begins with `crate` or `super`, without that: as it reads from the root.
fn from_the_root(path: &[String], module: &[String]) -> Vec<String> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    match supers {
        0 => path[1..].to_vec(),
        n => module[..module.len() - n]
            .iter()
            .chain(&path[n..])
            .cloned()
            .collect(),
    }
}

fn paths(tokens: &[TokenTree]) -> Vec<Vec<String>> {
    paths_and_len(tokens).0
}

/// The paths of `a::{b, c::d}` at the beginning of `tokens`, `a::b` and `a::c::d`; and how many tokens
/// those are.
fn paths_and_len(tokens: &[TokenTree]) -> (Vec<Vec<String>>, usize) {
    let (mut path, mut at) = (Vec::new(), 0);
    loop {
        match tokens.get(at) {
            Some(TokenTree::Ident(word)) => path.push(word.to_string()),
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                let inside: Vec<_> = group.stream().into_iter().collect();
                let each = inside.split(|token| token.to_string() == ",");
                let each = each.filter(|tokens| !tokens.is_empty()).flat_map(paths);
                let all = each.map(|rest| path.iter().cloned().chain(rest).collect());
                return (all.collect(), at + 1);
            }
            _ => return (vec![path], at),
        }
        match &tokens[at + 1..] {
            [TokenTree::Punct(a), TokenTree::Punct(b), ..]
                if a.as_char() == ':' && b.as_char() == ':' =>
            {
                at += 3
            }
            _ => return (vec![path], at + 1),
        }
    }
}
