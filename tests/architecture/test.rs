//! ARCHITECTURE.md is true: each room uses the rooms that the page says and no others, and only such as
//! stand above it on the page. So no two rooms use each other, be it by way of others.

mod page;
mod sources;

use std::fmt::Write;
use std::path::PathBuf;

/// Of the repository.
fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

#[test]
fn rooms_use_the_rooms_that_the_page_says() {
    let core = sources::Crate::read("convnet-core");
    let macros = sources::Crate::read("convnet-macros");
    let page = page::rooms();
    let mut untrue = String::new();
    for (room, uses) in core
        .arrows(None)
        .into_iter()
        .chain(macros.arrows(Some(&core)))
    {
        match page.iter().find(|row| row.name == room) {
            Some(row) if row.uses == uses => {}
            Some(row) => writeln!(untrue, "`{room}` uses {uses:?}, said: {:?}", row.uses).unwrap(),
            None => writeln!(untrue, "`{room}` uses {uses:?}, and has no row").unwrap(),
        }
    }
    assert!(untrue.is_empty(), "ARCHITECTURE.md, *The rooms*:\n{untrue}");
}

#[test]
fn rooms_use_only_what_stands_above_them() {
    let page = page::rooms();
    for (at, room) in page.iter().enumerate() {
        for used in &room.uses {
            let above = page[..at].iter().any(|above| above.name == *used);
            assert!(
                above,
                "`{}` uses `{used}`, which stands below it",
                room.name
            );
        }
    }
}

#[test]
fn every_room_of_the_page_is_there() {
    let [core, macros] = ["convnet-core", "convnet-macros"].map(sources::Crate::read);
    let there: Vec<_> = core
        .arrows(None)
        .into_keys()
        .chain(macros.arrows(Some(&core)).into_keys())
        .collect();
    for room in page::rooms() {
        assert!(there.contains(&room.name), "there is no `{}`", room.name);
    }
}

#[test]
fn unsafe_stands_where_the_page_says() {
    let there = sources::Crate::read("convnet-core").modules_with_unsafe();
    let said = page::modules_with_unsafe();
    assert_eq!(
        there, said,
        "modules with `#[expect(unsafe_code)]`, and those that ARCHITECTURE.md names"
    );
}

#[test]
fn every_place_where_to_put_your_hand_is_there() {
    let root = root();
    let places = page::places();
    assert!(places.len() > 10, "{places:?}");
    for place in places {
        assert!(root.join(&place).exists(), "there is no {place}");
    }
}
