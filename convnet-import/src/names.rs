//! Names that a declaration can have, made of the model's.

use std::collections::{BTreeMap, HashMap, HashSet};

use convnet_core::graph::{BLOCKS, INPUT, WORDS};
use convnet_core::text::counted;

use crate::ImportError;
use crate::blocks::{Item, Way, named};
use crate::network::{Network, What};

/// What the steps are called in a declaration.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// What stands in front of a line, if it has a name.
    pub(crate) written: HashMap<usize, String>,
    /// By which name tensors and tables call it, `layer1_0.conv1`.
    pub(crate) paths: BTreeMap<usize, String>,
    /// Those of several outputs, as they stand in the declaration.
    pub(crate) outputs: Vec<String>,
    /// Which of the model's each is.
    order: Vec<usize>,
    /// What the blocks are called in which they stand.
    pub(crate) given: Vec<String>,
    /// By which names ways begin that do so elsewhere, in their order.
    pub(crate) starts: Vec<String>,
    /// The paths of lines that do nothing, but have names by which ways begin, by the step behind which each stands.
    pub(crate) forks: HashMap<usize, String>,
}

impl Names {
    /// The name of the model's output `at`.
    pub(crate) fn output(&self, at: usize) -> &str {
        let place = self.order.iter().position(|it| *it == at);
        place.map_or("", |place| &self.outputs[place])
    }
}

/// Names every line: a layer with weights by the model's name, what has none by its word; where a way begins and
/// another line has that name, one behind it, `fork1`.
///
/// # Errors
///
/// [`ImportError::Unfit`], if another line has this name, too.
pub(crate) fn name(network: &Network, items: &[Item]) -> Result<Names, ImportError> {
    let begun = named(items).into_iter().collect();
    let mut forks = Vec::new();
    loop {
        let mut naming = Naming {
            network,
            forks: &forks,
            begun: &begun,
            names: Names::default(),
            taken: HashSet::new(),
            said: HashSet::new(),
            whole: HashSet::new(),
            groups: HashMap::new(),
            hidden: None,
        };
        naming.walk(items, &mut Scope::default());
        match naming.hidden {
            None => return Ok(naming.names),
            Some((volume, said)) if forks.contains(&volume) => {
                return Err(ImportError::Unfit(said));
            }
            Some((volume, _)) => forks.push(volume),
        }
    }
}

struct Naming<'a> {
    network: &'a Network,
    /// Volumes at which ways begin, and whose own names these do not find.
    forks: &'a [usize],
    names: Names,
    /// Fields: paths with `_` for `.`.
    taken: HashSet<String>,
    /// The volumes at which ways begin.
    begun: &'a HashSet<usize>,
    /// The paths of what has its name written in front of it.
    said: HashSet<String>,
    /// Those of what is written to its end.
    whole: HashSet<String>,
    /// The paths of brackets that are, by their last volumes; inner ones first.
    groups: HashMap<usize, Vec<String>>,
    /// The volume of a line at which a way begins, where another is found by its name, and what is said of it.
    hidden: Option<(usize, String)>,
}

/// What lies in one block.
#[derive(Default)]
struct Scope {
    /// The declaration's names around it, `layer1_0.`.
    path: String,
    /// What the model's names here begin with, `layer1.0.`.
    model: String,
    words: HashMap<&'static str, usize>,
}

impl Scope {
    /// What the next line of a word is called, if it has no name.
    fn next(&self, word: &str) -> String {
        let count = self.words.get(word).map_or(1, |count| count + 1);
        counted(word, count).to_string()
    }
}

impl Naming<'_> {
    fn walk(&mut self, items: &[Item], scope: &mut Scope) {
        for item in items {
            match item {
                Item::Layer(step) => {
                    let it = &self.network.steps[*step];
                    let What::Layer(op) = &it.what else { continue };
                    let word = op.word().name;
                    let counted = scope.next(word);
                    let wanted = it.name.as_deref().map(|name| {
                        let own = name.strip_prefix(scope.model.as_str()).unwrap_or(name);
                        // Lines in front of it may be gone.
                        let was_counted = it.tensors.is_empty() && self.is_counted(own, word);
                        match own == counted || was_counted {
                            true => counted.clone(),
                            false => identifier(own, word),
                        }
                    });
                    // What has weights is named, so that a line more or less in front does not change that.
                    let wanted = match it.tensors.is_empty() || self.network.declared.is_some() {
                        true => wanted.filter(|wanted| *wanted != counted),
                        false => wanted.or(Some(counted)),
                    };
                    self.call(*step, wanted, word, scope);
                }
                Item::Residual {
                    step,
                    body,
                    shortcut,
                } => {
                    let mut inner = self.block(*step, "residual", &[body, &shortcut.items], scope);
                    self.walk(body, &mut inner);
                    self.begin(shortcut, &inner.path);
                    // It has a name: layers are counted anew inside.
                    let mut inside = Scope {
                        path: format!("{}shortcut.", inner.path),
                        model: match self.network.steps[*step].name {
                            Some(_) => format!("{}shortcut.", inner.model),
                            None => inner.model,
                        },
                        words: HashMap::new(),
                    };
                    self.walk(&shortcut.items, &mut inside);
                }
                Item::Group { name, items } => {
                    let path = format!("{}{name}", scope.path);
                    self.said.insert(path.clone());
                    let mut inner = Scope {
                        path: format!("{path}."),
                        model: format!("{}{name}.", scope.model),
                        words: HashMap::new(),
                    };
                    self.walk(items, &mut inner);
                    if let Some(step) = last(items) {
                        let groups = self.groups.entry(step + 1).or_default();
                        groups.push(path.clone());
                    }
                    self.whole.insert(path);
                }
                Item::Scale { step, body } => {
                    let mut inner = self.block(*step, "scale", &[body], scope);
                    self.walk(body, &mut inner);
                }
                Item::Outputs { step, ways } => {
                    self.call(*step, None, "outputs", scope);
                    let path = self.names.paths[step].clone();
                    self.names.given.push(path.clone());
                    self.outputs(*step, ways, &format!("{path}."));
                    self.whole.insert(path);
                }
                Item::Concat { step, ways } => {
                    let all: Vec<&[Item]> = ways.iter().map(|way| way.items.as_slice()).collect();
                    let mut inner = self.block(*step, "concat", &all, scope);
                    for way in ways {
                        self.begin(way, &inner.path);
                        self.walk(&way.items, &mut inner);
                    }
                }
            }
            if let Some(step) = item.step() {
                self.whole.insert(self.names.paths[&step].clone());
                self.fork(step, scope);
            }
        }
    }

    /// Notes by which name a way begins, in a block whose names begin with `path`: that of the brackets whose last
    /// line it is, or the line's own. What is written in front of a line is looked up from the inside out: none of that
    /// name may be nearer.
    fn begin(&mut self, way: &Way, path: &str) {
        let Some(volume) = way.from else { return };
        let own = match volume.checked_sub(1) {
            Some(step) => {
                let fork = self.names.forks.get(&step);
                let own = fork.or_else(|| self.names.paths.get(&step));
                own.map_or("", String::as_str)
            }
            None => INPUT.name,
        };
        let nearer = |name: &str| {
            let first = name.split('.').next().unwrap_or_default();
            let is_there = |scope: &&str| {
                let is_said = self.said.contains(&format!("{scope}{first}"));
                is_said && self.whole.contains(&format!("{scope}{name}"))
            };
            let mut scopes = path.match_indices('.').map(|(at, _)| &path[..=at]);
            scopes.find(is_there)
        };
        let groups = self.groups.get(&volume).into_iter().flatten().rev();
        let mut names = groups.map(String::as_str).chain([own]);
        let free = names.find(|name| nearer(name).is_none());
        if let (None, Some(scope)) = (free, nearer(own)) {
            let said =
                format!("a way begins at `{own}`, which is the name of `{scope}{own}` there");
            self.hidden.get_or_insert((volume, said));
        }
        let name = free.unwrap_or(own).to_owned();
        self.names.starts.push(name);
    }

    /// Names a line behind a step, if the step's own name does not find what it writes: what has weights keeps its.
    fn fork(&mut self, step: usize, scope: &Scope) {
        let Some(at) = self.forks.iter().position(|volume| *volume == step + 1) else {
            return;
        };
        let text = self.free(format!("fork{}", at + 1), &scope.path);
        self.taken.insert(field(&scope.path, &text));
        let path = format!("{}{text}", scope.path);
        self.said.insert(path.clone());
        self.whole.insert(path.clone());
        self.names.forks.insert(step, path);
    }

    /// Their names are those of the network.
    fn outputs(&mut self, step: usize, ways: &[(usize, Way)], path: &str) {
        let names = self.network.outputs(step).unwrap_or_default();
        for (at, way) in ways {
            let name = &names[*at];
            let free = self.free(identifier(name, "output"), "");
            self.taken.insert(free.clone());
            self.said.insert(free.clone());
            self.begin(way, path);
            let mut inner = Scope {
                path: format!("{free}."),
                model: format!("{name}."),
                words: HashMap::new(),
            };
            self.walk(&way.items, &mut inner);
            self.whole.insert(free.clone());
            // Behind those that are taken on its way.
            self.names.outputs.push(free);
            self.names.order.push(*at);
        }
    }

    /// A block is called by what the names inside have in common.
    fn block<'b>(
        &mut self,
        step: usize,
        word: &'static str,
        ways: &[impl AsRef<[Item]> + 'b],
        scope: &mut Scope,
    ) -> Scope {
        let model = match &self.network.steps[step].name {
            Some(name) => name.clone(),
            None => {
                let mut common: Option<Vec<&str>> = None;
                for way in ways {
                    self.common(way.as_ref(), &mut common);
                }
                common.unwrap_or_default().join(".")
            }
        };
        let own = model.strip_prefix(scope.model.as_str()).unwrap_or(&model);
        let counted = own == scope.next(word);
        let wanted = (!own.is_empty() && !counted).then(|| match self.is_counted(own, word) {
            true => own.to_owned(),
            false => identifier(own, word),
        });
        let inside = match own.is_empty() {
            true => scope.model.clone(),
            false => format!("{model}."),
        };
        self.call(step, wanted, word, scope);
        Scope {
            path: format!("{}.", self.names.paths[&step]),
            model: inside,
            words: HashMap::new(),
        }
    }

    /// Whether the declaration had a line of that word without a name there.
    fn is_counted(&self, name: &str, word: &str) -> bool {
        let is_it = |nth| counted(word, nth).as_str() == name;
        self.network.declared.is_some() && numbered(name).1.is_some_and(is_it)
    }

    /// The parts with which all names in `items` begin, their own last ones left out.
    fn common<'n>(&'n self, items: &[Item], common: &mut Option<Vec<&'n str>>) {
        for item in items {
            match item {
                Item::Layer(step) => {
                    let Some(name) = &self.network.steps[*step].name else {
                        continue;
                    };
                    let parts = name.split('.').collect::<Vec<_>>();
                    let parts = &parts[..parts.len() - 1];
                    match common {
                        None => *common = Some(parts.to_vec()),
                        Some(common) => {
                            let same = common.iter().zip(parts).take_while(|(a, b)| a == b);
                            let same = same.count();
                            common.truncate(same);
                        }
                    }
                }
                Item::Residual { body, shortcut, .. } => {
                    self.common(body, common);
                    self.common(&shortcut.items, common);
                }
                Item::Group { items, .. } => self.common(items, common),
                Item::Scale { body, .. } => self.common(body, common),
                Item::Concat { ways, .. } => {
                    ways.iter().for_each(|way| self.common(&way.items, common));
                }
                // Their names are not those around them.
                Item::Outputs { .. } => {}
            }
        }
    }

    /// The name, or with a number behind it, that nothing behind `path` has yet.
    fn free(&self, wanted: String, path: &str) -> String {
        let numbered = (2..).map(|n| format!("{wanted}_{n}"));
        let mut names = [wanted.clone()].into_iter().chain(numbered);
        let free = names.find(|name| !self.taken.contains(&field(path, name)));
        free.unwrap_or(wanted)
    }

    /// Notes the name of a line; what has none is called by its word and how many of it there were.
    fn call(&mut self, step: usize, wanted: Option<String>, word: &'static str, scope: &mut Scope) {
        let count = scope.words.entry(word).or_default();
        *count += 1;
        let (text, written) = match wanted {
            // A way begins by a name that a line more or less in front does not change; of a declaration, by the one
            // that it has.
            None => (
                counted(word, *count).to_string(),
                self.begun.contains(&(step + 1)) && self.network.declared.is_none(),
            ),
            Some(wanted) => (self.free(wanted, &scope.path), true),
        };
        self.taken.insert(field(&scope.path, &text));
        let path = format!("{}{text}", scope.path);
        if written {
            self.said.insert(path.clone());
            self.names.written.insert(step, text);
        }
        self.names.paths.insert(step, path);
    }
}

/// The step that writes what lines do at their end.
fn last(items: &[Item]) -> Option<usize> {
    match items.last()? {
        Item::Group { items, .. } => last(items),
        item => item.step(),
    }
}

/// The field of what is called `text` behind `path`.
fn field(path: &str, text: &str) -> String {
    format!("{path}{text}").replace('.', "_")
}

/// A name that Rust and the declaration allow.
fn identifier(name: &str, word: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        match letter {
            'a'..='z' | '0'..='9' => text.push(letter),
            'A'..='Z' => text.push(letter.to_ascii_lowercase()),
            _ if text.ends_with('_') || text.is_empty() => {}
            _ => text.push('_'),
        }
    }
    let text = text.trim_end_matches('_');
    match text.chars().next() {
        None => word.to_owned(),
        Some('0'..='9') => format!("{word}_{text}"),
        Some(_) if is_reserved(text) => format!("{text}_"),
        Some(_) => text.to_owned(),
    }
}

/// Names of Rust's and of blocks; and those that a line without a name may get, `relu2`.
fn is_reserved(name: &str) -> bool {
    const RUST: &[&str] = &[
        "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
        "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
        "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
        "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type",
        "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
    ];
    let (stem, nth) = numbered(name);
    let is_counted = nth.is_some_and(|nth| {
        let mut without = WORDS.iter().filter(|word| word.tensors.is_empty());
        without.any(|word| counted(word.name, nth).as_str() == name)
    });
    RUST.contains(&name) || is_counted || BLOCKS.iter().any(|word| word.name == stem)
}

/// A name without the number at its end, and that.
fn numbered(name: &str) -> (&str, Option<usize>) {
    let stem = name.trim_end_matches(|it: char| it.is_ascii_digit());
    (stem, name[stem.len()..].parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_an_identifier() {
        for (name, expected) in [
            ("conv1", "conv1"),
            ("layer1.0.conv1", "layer1_0_conv1"),
            ("0", "conv_0"),
            ("features.0", "features_0"),
            ("Convolution28", "convolution28"),
            ("match", "match_"),
            ("relu2", "relu2_"),
            ("relu6_2", "relu6_2_"),
            ("residual", "residual_"),
            ("é", "conv"),
            ("a--b-", "a_b"),
        ] {
            assert_eq!(identifier(name, "conv"), expected, "{name}");
        }
    }
}
