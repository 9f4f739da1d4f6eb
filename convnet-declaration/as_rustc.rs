//! What is said of a declaration outside the compiler, and of which tokens, is what rustc says: the messages of
//! `tests/ui/fail` are rustc's own.

use std::fs;
use std::path::{Path, PathBuf};

use convnet_declaration::{Mistake, declared, read};
use proc_macro2::{TokenStream, TokenTree};

/// An error: its text, its line, its column and how many columns are underlined, if they are in one line.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    text: String,
    line: usize,
    column: usize,
    wide: Option<usize>,
}

impl From<Mistake> for Said {
    fn from(mistake: Mistake) -> Self {
        let Mistake {
            message,
            start,
            end,
        } = mistake;
        Self {
            text: message,
            line: start.line,
            column: start.column + 1,
            wide: (start.line == end.line).then(|| end.column - start.column),
        }
    }
}

/// The folder of the declarations that are wrong.
fn fail() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui/fail")
}

/// The errors without a code in what rustc has printed: those of macros, and some of its own.
fn said_by_rustc(stderr: &str) -> Vec<Said> {
    let mut said: Vec<Said> = Vec::new();
    let mut lines = stderr.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(first) = line.strip_prefix("error: ") else {
            continue;
        };
        let mut text = first.to_owned();
        while let Some(more) = lines.next_if(|line| !line.trim_start().starts_with("--> ")) {
            text.push('\n');
            text.push_str(more.strip_prefix("       ").unwrap_or(more));
        }
        let Some(place) = lines.next() else { break };
        let mut place = place.rsplit(':').map(|it| it.parse().expect("a number"));
        let (column, line) = (place.next().unwrap(), place.next().unwrap());
        let underlined = lines.find(|line| line.contains('^')).expect("tokens");
        let whole = underlined.trim_start_matches([' ', '|']);
        said.push(Said {
            text,
            line,
            column,
            wide: (!whole.contains('_')).then(|| whole.matches('^').count()),
        });
    }
    said
}

/// What is said of each `convnet! { … }` in a file.
fn said_of(tokens: TokenStream) -> Vec<Said> {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    let mut said = Vec::new();
    for (at, tree) in all.iter().enumerate() {
        let TokenTree::Group(group) = tree else {
            continue;
        };
        let is_macro =
            at >= 2 && all[at - 1].to_string() == "!" && all[at - 2].to_string() == "convnet";
        match is_macro {
            true => said.extend(
                read(group.stream())
                    .err()
                    .into_iter()
                    .flatten()
                    .map(Said::from),
            ),
            false => said.extend(said_of(group.stream())),
        }
    }
    said
}

#[test]
fn every_message_and_its_tokens_are_those_of_rustc() {
    let (mut files, mut messages, mut wrong) = (0, 0, Vec::new());
    for entry in fs::read_dir(fail()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "rs") {
            continue;
        }
        let stderr = fs::read_to_string(path.with_extension("stderr")).unwrap();
        // What the compiler refuses to cut into tokens, the macro does not see.
        let Ok(tokens) = fs::read_to_string(&path).unwrap().parse() else {
            continue;
        };
        let rustc = said_by_rustc(&stderr);
        let here = said_of(tokens);
        for said in &here {
            if !rustc.contains(said) {
                wrong.push(format!("{}: {said:#?}", path.display()));
            }
        }
        files += usize::from(!here.is_empty());
        messages += here.len();
    }
    println!("{messages} messages in {files} files");
    assert!(
        wrong.is_empty(),
        "rustc says otherwise: {}",
        wrong.join("\n")
    );
    assert!(
        files > 90 && messages > 110,
        "{messages} messages in {files} files"
    );
}

#[test]
fn what_is_right_is_drawn() {
    let text = "convnet! {\n    pub struct Small {\n        input(8x8x1),\n        conv1: conv(4, 3x3, pad = 1),\n        \
                relu,\n        residual { conv(4, 3x3, pad = 1) },\n        scores: fc(10),\n    }\n}";
    let small = declared(text).expect("it is right");
    assert_eq!(small.name, "Small");
    let drawn = small.drawn.expect("every size is written");
    assert!(drawn.table.starts_with("Small\n"), "{}", drawn.table);
    assert!(drawn.table.contains("conv1"), "{}", drawn.table);
    assert!(drawn.graph.contains("scores") && drawn.solids.contains("8×8×4"));
}

#[test]
fn what_a_constant_names_only_the_compiler_draws() {
    let named = declared("struct A { input(8x8x1), fc(CLASSES) }").expect("it is right");
    assert_eq!((named.name.as_str(), named.drawn), ("A", None));
}

#[test]
fn what_are_no_tokens_is_said_where_they_end() {
    let mistakes = declared("struct A {\n    input(8x8x1,\n").expect_err("a bracket is open");
    assert_eq!(mistakes.len(), 1);
    assert!(mistakes[0].message.contains("bracket"), "{mistakes:?}");
}
