//! What ARCHITECTURE.md says.

use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../ARCHITECTURE.md");

/// A row of the tables of rooms: `| name | what is in it | what it uses |`.
pub(crate) struct Room {
    /// As in `convnet-core`; those of `convnet-macros` are called `macros::plan`.
    pub(crate) name: String,
    /// The names in backticks in the last column.
    pub(crate) uses: BTreeSet<String>,
}

/// The rows, from above.
pub(crate) fn rooms() -> Vec<Room> {
    let mut rooms = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if !line.ends_with("| uses |") {
            continue;
        }
        for row in lines
            .by_ref()
            .skip(1)
            .take_while(|row| row.starts_with('|'))
        {
            let cells: Vec<_> = row.trim_matches('|').split('|').collect();
            let [name, _, uses] = cells[..] else {
                panic!("three columns: {row}");
            };
            rooms.push(Room {
                name: names(name).into_iter().next().unwrap(),
                uses: names(uses).into_iter().collect(),
            });
        }
    }
    rooms
}

/// The modules that the point on `unsafe` names.
pub(crate) fn modules_with_unsafe() -> BTreeSet<String> {
    let (_, from) = PAGE.split_once("* **`unsafe` is fenced.**").unwrap();
    let (point, _) = from.split_once("a test compares").unwrap();
    names(point).into_iter().collect()
}

/// The files and folders that *Where to put your hand* names from the root.
pub(crate) fn places() -> Vec<String> {
    let (_, from) = PAGE.split_once("## Where to put your hand").unwrap();
    let (section, _) = from.split_once("\n## ").unwrap();
    let named = names(section).into_iter();
    let folders = [
        "convnet-core/",
        "convnet-macros/",
        "fuzz/",
        "src/",
        "tests/",
    ];
    named
        .filter(|name| folders.iter().any(|folder| name.starts_with(folder)))
        .collect()
}

/// What stands in backticks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
