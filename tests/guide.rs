//! The guide is whole: every chapter can be reached, every link has an end in the book and in rustdoc, and
//! the language reference has every error. Its programs are doctests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use convnet::graph::{Arg, BLOCKS, INPUT, Takes, WORDS};

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|it| it == extension))
        .collect()
}

/// The names of all chapters, `training.md`.
fn chapters() -> BTreeSet<String> {
    let names = files("docs/guide", "md").into_iter().map(|path| {
        let name = path.file_name().expect("a file");
        name.to_str().expect("a name").to_owned()
    });
    names.filter(|name| name != "SUMMARY.md").collect()
}

#[test]
fn every_chapter_is_in_the_book_and_in_rustdoc() {
    let (summary, modules) = (read("docs/guide/SUMMARY.md"), read("src/guide.rs"));
    for chapter in chapters() {
        assert!(
            summary.contains(&format!("]({chapter})")),
            "{chapter} is not in SUMMARY.md"
        );
        // This one is the documentation of the macro.
        if chapter != "reference.md" {
            assert!(
                modules.contains(&format!("{chapter}\"")),
                "{chapter} is not in src/guide.rs"
            );
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let in_rustdoc = definitions(&read("src/guide/links.md"));
    for chapter in chapters() {
        let text = prose(&read(&format!("docs/guide/{chapter}")));
        let here = definitions(&text);
        for (label, target) in &here {
            let is_file = !target.starts_with("https://");
            assert!(
                !is_file || chapters().contains(target),
                "{chapter}: [{label}]: {target}"
            );
        }
        let labels =
            |of: &[(String, String)]| of.iter().map(|it| it.0.clone()).collect::<BTreeSet<_>>();
        let used = used(&text);
        assert_eq!(
            labels(&here),
            used,
            "{chapter}: what is defined, what is used"
        );
        let missing: Vec<_> = used.difference(&labels(&in_rustdoc)).cloned().collect();
        assert!(
            missing.is_empty(),
            "{chapter}: {missing:?} are not in src/guide/links.md"
        );
    }
}

/// `[label]: target`.
fn definitions(text: &str) -> Vec<(String, String)> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.split_once("]: "));
    lines
        .map(|(label, target)| (label.to_owned(), target.to_owned()))
        .collect()
}

/// The labels of `[words][label]`, and of ``[`Type`]``.
fn used(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .filter(|line| !(line.starts_with('[') && line.contains("]: ")));
    let text = lines.collect::<Vec<_>>().join("\n");
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices('[') {
        let rest = &text[at + 1..];
        let Some((label, after)) = rest.split_once(']') else {
            continue;
        };
        let behind = text[..at].ends_with(']');
        let code = label.starts_with('`') && label.ends_with('`') && !after.starts_with(['[', '(']);
        if behind || code {
            used.insert(label.to_owned());
        }
    }
    used
}

/// A chapter without its programs, and without code that has brackets of its own.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    for line in &mut lines {
        // What is a link is one whole piece of code in brackets; other code says nothing here.
        let mut kept = String::new();
        for (index, piece) in line.split('`').enumerate() {
            let link = kept.ends_with('[');
            match index % 2 {
                1 if link => kept += &format!("`{piece}`"),
                1 => {}
                _ => kept += piece,
            }
        }
        *line = kept;
    }
    lines.join("\n")
}

#[test]
fn every_word_is_in_the_reference_with_every_argument() {
    let reference = read("docs/guide/reference.md");
    let words = || WORDS.iter().chain([&INPUT]);
    for word in words() {
        let begins = format!("| `{}` |", word.name);
        let row = reference.lines().find(|line| line.starts_with(&begins));
        let row = row.unwrap_or_else(|| panic!("no row `{}`", word.name));
        let cells: Vec<&str> = row
            .split(" |")
            .map(|cell| cell.trim_matches(['|', ' ']))
            .collect();
        let [_, arguments, _, _, example, ""] = cells[..] else {
            panic!("five cells: {row}");
        };
        let expected: Vec<String> = word.args.iter().map(argument).collect();
        let expected = [expected.join(", "), format!("`{}`", word.example)];
        assert_eq!([arguments, example], expected, "{}", word.name);
    }
    for word in BLOCKS {
        assert!(
            reference.contains(&format!("`{} {{", word.name)),
            "{}",
            word.name
        );
    }
    let (_, table) = reference.split_once("\n## Words\n").expect("a section");
    let (table, _) = table.split_once("\n## ").expect("a section");
    let rows = table.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, words().count());
}

/// An argument, and what it is if it is not written.
fn argument(arg: &Arg) -> String {
    let name = arg.name;
    let default = match arg.takes {
        Takes::Count { default, .. } => default.map(|it| it.to_string()),
        Takes::Decimal { default, .. } => default.map(|it| match it {
            small if small < 1e-2 => format!("{small:e}"),
            plain => format!("{plain:?}"),
        }),
        Takes::Stride(default) => match default {
            Some(default) => Some(default.to_string()),
            None => return format!("`{name} =` (the size)"),
        },
        Takes::Dilation => Some("1".to_owned()),
        // What it is for, where it is the first.
        Takes::Pad => (!arg.positional).then(|| "0".to_owned()),
        Takes::Remainder => Some("exact".to_owned()),
        Takes::Unless(_) => return format!("`{name} =` (there is one)"),
        Takes::Decimals { .. } | Takes::Size | Takes::Item | Takes::Shape => None,
    };
    match (arg.positional, default) {
        (true, None) => format!("`{name}`"),
        (true, Some(default)) => format!("`{name}` ({default})"),
        (false, None) => format!("`{name} =`"),
        (false, Some(default)) => format!("`{name} = {default}`"),
    }
}

#[test]
fn all_that_is_generated_is_in_the_reference() {
    let reference = read("docs/guide/reference.md");
    let expanded = read("convnet-macros/src/tests/cifar.expanded.rs");
    let lines = expanded
        .lines()
        .filter_map(|line| line.trim().strip_prefix("pub "));
    let items = lines.filter(|line| line.starts_with("const ") || line.starts_with("fn "));
    let mut count = 0;
    for item in items {
        let item = item.trim_start_matches("const ").trim_start_matches("fn ");
        let name = item.split([':', '(', '<']).next().unwrap_or_default();
        let said = [format!("`{name}`"), format!("`{name}(")];
        let row = |line: &str| line.starts_with("| ") && said.iter().any(|it| line.contains(it));
        assert!(reference.lines().any(row), "`{name}` is in no table");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

#[test]
fn every_error_is_in_the_reference() {
    let reference = read("docs/guide/reference.md");
    let (_, errors) = reference.split_once("\n## Errors\n").expect("a section");
    let rows = errors.lines().filter_map(|line| line.strip_prefix("| `"));
    let patterns: Vec<String> = rows
        .map(|row| {
            // The first cell: code in one backtick, or in three and spaces.
            let row = format!("`{row}");
            let ticks = if row.starts_with("```") { "``` " } else { "`" };
            let end = if ticks.len() > 1 { " ```" } else { "`" };
            let row = row.strip_prefix(ticks).expect("ticks");
            row.split_once(end).expect("a cell").0.to_owned()
        })
        .collect();
    assert!(patterns.len() > 50, "{patterns:?}");

    let mut unused: BTreeSet<&String> = patterns.iter().collect();
    for path in files("tests/ui/fail", "stderr") {
        let text = fs::read_to_string(&path).expect("a text");
        for line in text.lines().filter(|line| line.starts_with("error")) {
            let (_, said) = line.split_once(": ").expect("an error");
            let said = said.strip_prefix("evaluation panicked: ").unwrap_or(said);
            let matching: Vec<_> = patterns
                .iter()
                .filter(|pattern| is_like(said, pattern))
                .collect();
            assert!(
                !matching.is_empty(),
                "{}: in no table: {said}",
                path.display()
            );
            for pattern in matching {
                unused.remove(pattern);
            }
        }
    }
    assert!(unused.is_empty(), "no test has these: {unused:#?}");
}

/// Whether `text` is `pattern` with something for each `…`.
fn is_like(text: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in between {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
