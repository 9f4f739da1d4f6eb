//! The volumes by the names of the lines that write them: where `from = name` finds its own.

use std::collections::{HashMap, HashSet};

use proc_macro2::Ident;
use syn::ext::IdentExt;

use crate::report::Errors;
use crate::syntax::{Start, nearest};

/// Those that are there so far.
pub(super) struct Volumes<'a> {
    /// By path, as tables have it; in a repetition also by the name as it is written, without a count.
    of: HashMap<String, usize>,
    /// The names that a declaration writes, behind those of what they lie in; not what lines without a
    /// name are called.
    written: HashSet<String>,
    /// What names without a count stood for before this round of a repetition.
    rounds: Vec<(String, Option<usize>)>,
    /// What was not found, and in which scope.
    missed: Vec<(&'a Start, String)>,
}

impl<'a> Volumes<'a> {
    /// The image.
    pub(super) fn new() -> Self {
        Self {
            of: HashMap::from([(convnet_core::graph::INPUT.name.to_owned(), 0)]),
            written: HashSet::new(),
            rounds: Vec::new(),
            missed: Vec::new(),
        }
    }

    /// A line has this name, if it writes one, in the scope at `around`.
    pub(super) fn begin(&mut self, path: &str, name: Option<&Ident>, around: &str) {
        if let Some(name) = name {
            self.written.insert(path.to_owned());
            self.written.insert(join(around, &name.unraw().to_string()));
        }
    }

    /// The line is whole, and has written `volume`.
    pub(super) fn end(&mut self, path: &str, name: Option<&Ident>, around: &str, volume: usize) {
        self.of.insert(path.to_owned(), volume);
        let short = name.map(|name| join(around, &name.unraw().to_string()));
        if let Some(short) = short.filter(|short| short != path) {
            let before = self.of.insert(short.clone(), volume);
            self.rounds.push((short, before));
        }
    }

    /// Where [`leave`](Self::leave) goes back to.
    pub(super) fn rounds(&self) -> usize {
        self.rounds.len()
    }

    /// Behind a repetition, names are counted.
    pub(super) fn leave(&mut self, rounds: usize) {
        for (short, before) in self.rounds.drain(rounds..).rev() {
            match before {
                Some(volume) => _ = self.of.insert(short, volume),
                None => _ = self.of.remove(&short),
            }
        }
    }

    /// The volume at which a way begins, in the scope at `around`; what is missing is told in the end.
    pub(super) fn find(&mut self, start: &'a Start, around: &str) -> Option<usize> {
        let found = self.at(&start.path, around);
        if found.is_none() && !start.path.is_empty() {
            self.missed.push((start, around.to_owned()));
        }
        found
    }

    /// First a name that is written, from the inside out; then one of the table.
    fn at(&self, path: &str, around: &str) -> Option<usize> {
        let first = path.split('.').next().unwrap_or_default();
        let is_written = |scope: &&str| self.written.contains(&join(scope, first));
        let mut written = scopes(around).filter(is_written);
        written
            .find_map(|scope| self.of.get(&join(scope, path)))
            .or_else(|| self.of.get(path))
            .copied()
    }

    /// Tells what was not found, when all names are there.
    pub(super) fn report(&mut self, errors: &mut Errors) {
        let mut told = HashSet::new();
        for (start, around) in core::mem::take(&mut self.missed) {
            // Once, however often it is repeated.
            if told.insert(core::ptr::from_ref(start)) {
                errors.push(&start.tokens, self.missing(&start.path, &around));
            }
        }
    }

    fn missing(&self, path: &str, around: &str) -> String {
        const EARLIER: &str = "a way begins at an earlier line";
        let is_around = |scope: &str| around == scope || around.starts_with(&format!("{scope}."));
        if scopes(around).any(|scope| is_around(&join(scope, path))) {
            return format!("`{path}` is what this line lies in, and not whole yet\n{EARLIER}");
        }
        if self.at(path, around).is_some() {
            return format!("`{path}` comes later\n{EARLIER}");
        }
        let mut message = format!("no line is called `{path}`");
        let names = || self.of.keys().map(String::as_str);
        // In a repetition, and counted.
        let is_pass = |name: &&str| {
            let count = name.strip_prefix(path).unwrap_or_default();
            count.parse::<usize>().is_ok()
        };
        let last = names()
            .filter(is_pass)
            .max_by_key(|name| (name.len(), *name));
        if let Some(near) = last.or_else(|| nearest(path, names())) {
            message += &format!("; did you mean `{near}`?");
        }
        message + "\n" + EARLIER + ", by the name that it has in the table: `from = stage1.conv2`"
    }
}

fn join(scope: &str, path: &str) -> String {
    match scope {
        "" => path.to_owned(),
        scope => format!("{scope}.{path}"),
    }
}

/// The scope at a path, and those around it: `stage1.block1`, `stage1`, and all.
fn scopes(around: &str) -> impl Iterator<Item = &str> {
    core::iter::successors(Some(around), move |scope| {
        scope
            .rsplit_once('.')
            .map(|(outer, _)| outer)
            .or_else(|| (!scope.is_empty()).then_some(""))
    })
}
