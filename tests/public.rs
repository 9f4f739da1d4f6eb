//! What is public is meant: every name that `convnet` documents is in `tests/public/names.txt`, and no
//! other. Whoever adds one, or takes one away, does so in that file too, where a reviewer sees it:
//! `PUBLIC=overwrite cargo test --test public` writes it.
//!
//! The names are read from the pages that rustdoc writes, so they are those that the compiler sees, what
//! macros declare among them. What is `#[doc(hidden)]` is for generated code.
#![cfg(feature = "train")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_public_name_is_in_the_list() {
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/public/names.txt");
    let found = names(&documented()).join("\n") + "\n";
    if std::env::var("PUBLIC").is_ok_and(|what| what == "overwrite") {
        fs::write(&list, &found).unwrap();
    }
    let listed = fs::read_to_string(&list).unwrap();
    let new = found
        .lines()
        .filter(|name| !listed.lines().any(|it| it == *name));
    let gone = listed
        .lines()
        .filter(|name| !found.lines().any(|it| it == *name));
    let (new, gone) = (new.collect::<Vec<_>>(), gone.collect::<Vec<_>>());
    assert!(
        new.is_empty() && gone.is_empty(),
        "public, and not in tests/public/names.txt: {new:#?}\nthere, and no longer public: {gone:#?}"
    );
}

/// The folder of the pages on `convnet`, with all features.
fn documented() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let status = Command::new(env!("CARGO"))
        .args([
            "doc",
            "--quiet",
            "--no-deps",
            "--all-features",
            "--package",
            "convnet",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .arg("--target-dir")
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success());
    target.join("doc/convnet")
}

/// `optim::Adam`, `optim::Adam::beta1`, in the order of the alphabet.
fn names(pages: &Path) -> Vec<String> {
    let all = fs::read_to_string(pages.join("all.html")).unwrap();
    let mut names = Vec::new();
    for item in between(&all, "<li><a href=\"", "</a></li>") {
        let (page, name) = item.split_once("\">").unwrap();
        if !page.ends_with(".html") {
            continue; // the bar at the side
        }
        let page = fs::read_to_string(pages.join(page)).unwrap();
        names.extend(members(&page).map(|member| format!("{name}::{member}")));
        names.push(name.to_owned());
    }
    names.sort_unstable();
    names.dedup();
    assert!(names.len() > 200, "are these rustdoc's pages? {names:?}");
    names
}

/// The fields, variants, functions, types and constants of an item, but for those of traits that it
/// implements.
fn members(page: &str) -> impl Iterator<Item = &str> {
    let ends = [
        "trait-implementations",
        "synthetic-implementations",
        "implementors",
        "foreign-impls",
    ];
    let ends = ends
        .iter()
        .filter_map(|end| page.find(&format!("id=\"{end}\"")));
    let own = &page[..ends.min().unwrap_or(page.len())];
    let ids = between(own, " id=\"", "\"");
    let named = ids.filter_map(|id| id.split_once('.'));
    let kinds = [
        "structfield",
        "variant",
        "method",
        "tymethod",
        "associatedconstant",
        "associatedtype",
    ];
    named
        .filter(move |(kind, _)| kinds.contains(kind))
        .map(|(_, name)| name)
}

/// What stands between `from` and the next `to`, each time.
fn between<'a>(text: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(from)
        .skip(1)
        .map(move |rest| rest.split(to).next().unwrap())
}
