#![doc = include_str!("guide/links.md")]
#![doc = include_str!("../docs/guide/README.md")]

// The chapters of `docs/guide`, so that every program in them is a test. A chapter's links lead to other
// chapters and to documentation: in its file, for a reader of the files; `links.md` says first where they lead
// here, and the first definition of a link counts.

/// A chapter as a module that holds nothing else.
macro_rules! chapters {
    ($($name:ident $file:literal)+) => {$(
        #[doc = include_str!("guide/links.md")]
        #[doc = include_str!(concat!("../docs/guide/", $file))]
        pub mod $name {}
    )+};
}

chapters! {
    first_network "first-network.md"
    declaring "declaring.md"
    training "training.md"
    photos "photos.md"
    weights "weights.md"
    transfer "transfer.md"
    seeing "seeing.md"
    speed "speed.md"
    microcontrollers "microcontrollers.md"
    embedding "../embedding.md"
    by_hand "by-hand.md"
    testing "testing.md"
    cs231n "cs231n.md"
    glossary "glossary.md"
}
