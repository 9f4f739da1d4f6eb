//! The examples of `convnet-core` stand on the pages of `convnet`, too: what they show is what a user of
//! `convnet` writes, `use convnet::…`, and a hidden line makes it run where it stands.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, all),
            false => all.push(path),
        }
    }
}

#[test]
fn no_example_shows_the_crate_behind() {
    let (mut files, mut shown) = (Vec::new(), Vec::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("convnet-core/src");
    sources(&root, &mut files);
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let documented = line.strip_prefix("///").or(line.strip_prefix("//!"));
            let Some(line) = documented.map(str::trim_start) else {
                continue;
            };
            let named = line.contains("use convnet_core::") || line.contains(" convnet_core::");
            if named && !line.starts_with('#') {
                shown.push(format!("{}:{}: {line}", file.display(), number + 1));
            }
        }
    }
    assert!(
        shown.is_empty(),
        "write `convnet` and, hidden, `# use convnet_core as convnet;`:\n{}",
        shown.join("\n")
    );
}
