//! What a declaration becomes, as a snapshot to read; and that no declaration, however mangled, makes
//! the macro panic, or becomes what is no Rust.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use convnet_core::graph::WORDS;
use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

use super::expand;

mod generator;
mod repairs;

/// As `convnet!` hands it on.
fn with_crate(declaration: &str) -> TokenStream {
    let text = format!("[::convnet::generated] {declaration}");
    text.parse().expect("tokens")
}

/// `EXPANSION=overwrite cargo test -p convnet-macros` writes the file anew: read what changed before
/// you keep it.
#[test]
fn the_expansion_of_cs231ns_network_is_as_it_was() {
    let tokens = expand(with_crate(
        "/// CS231n's example network for CIFAR-10.
        pub struct Cifar {
            input(32x32x3),
            conv1: conv(12, 5x5, pad = 2),
            relu,
            max_pool(2x2, stride = 2),
            scores: fc(10),
        }",
    ));
    let expanded = prettyplease::unparse(&syn2::parse2(tokens).expect("items"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/cifar.expanded.rs");
    if std::env::var_os("EXPANSION").is_some_and(|what| what == "overwrite") {
        std::fs::write(&path, &expanded).expect("the snapshot is written");
    }
    let stored = std::fs::read_to_string(&path).expect("the snapshot");
    let differ = stored.lines().zip(expanded.lines()).find(|(a, b)| a != b);
    assert!(
        stored == expanded,
        "another expansion than stored; the first line that differs: {differ:#?}\n\
         EXPANSION=overwrite writes it anew"
    );
}

#[test]
fn what_is_said_of_a_block_is_said_of_its_layers() {
    let tokens = expand(with_crate(
        "struct Said {
            input(8x8x1),
            /// The stage.
            stage: [
                /// The block.
                residual { /// The filters.
                    conv(1, 1x1)
                },
            ],
        }",
    ));
    let expanded = prettyplease::unparse(&syn2::parse2(tokens).expect("items"));
    let lines: Vec<_> = expanded.lines().map(str::trim).collect();
    let docs = ["/// The stage.", "/// The block.", "/// The filters."];
    assert!(lines.windows(3).any(|window| window == docs), "{expanded}");
}

/// Where sizes have names the macro sees none: it plans a network that is as small as can be.
#[test]
fn every_layer_is_planned_where_sizes_have_names() {
    for word in WORDS {
        let layer = match word.example {
            "" => word.name,
            example => example,
        };
        let declaration = format!("struct A {{ input(N x N x D), {layer}, fc(10) }}");
        let expanded = expand(with_crate(&declaration)).to_string();
        assert!(expanded.contains("struct A"), "{declaration}");
        assert!(!expanded.contains("no plan of"), "{declaration}");
    }
}

/// Declarations that are right, and have everything in them.
const RIGHT: [&str; 6] = [
    "/// Docs. \n #[budget(ram = 64 KiB, flash = 256 KiB)] pub(crate) struct A { input(32x24x3), \
     conv1: conv(12, 5x5, stride = 1, pad = 2), leaky_relu(0.1), \
     [conv(4, 3x3, pad = same), relu] * 2, max_pool(2x2, fit = crop), fc(10), softmax }",
    "struct B { input(SIZE x SIZE x 3), conv(FILTERS, 3x3, pad = (0, 1)), tanh, dropout(RATE), \
     avg_pool(2x2, stride = 2, pad = (0, 1, 1, 0)), global_avg_pool, flatten, fc(CLASSES) }",
    "struct C { input(9x1x1), [[conv(filters = 2, size = 3x1), sigmoid] * 2] * 2 }",
    "struct D { input(8x8x3), [stage: [residual { conv(4, 3x3, pad = 1), relu, \
     shortcut { conv(4, 1x1) } }]] * 2, block: concat { [], one: [conv(2, 1x1)] } }",
    "struct E { input(8x8x3), concat { [residual { tanh }], [conv(F, 1x1)] }, fc(10) }",
    "struct F { input(8x8x3), stem: [a: conv(4, 1x1), relu], [b: conv(4, 1x1), residual { tanh, \
     shortcut { from = b } }] * 2, concat { [from = stem.a, tanh], [], [from = input] }, \
     residual { conv(4, 1x1), shortcut { from = stem } }, outputs { c: [from = b2], d: [relu] } }",
];

/// What is put where it does not belong.
fn intruders() -> Vec<TokenTree> {
    let mut intruders: Vec<TokenTree> = [
        "0",
        "1",
        "7",
        "18446744073709551615",
        "99999999999999999999999999",
        "0x0",
        "0x1p3",
        "3x",
        "3x3x3x3",
        "5u8",
        "1e400",
        "0.5",
        "-1",
        "\"text\"",
        "'c'",
        "b\"bytes\"",
        "conv",
        "input",
        "same",
        "pad",
        "self",
        "type",
        "r#fn",
        "_",
        "struct",
        "*",
        ",",
        ":",
        "=",
        "#",
        "?",
        "!",
        "'static",
    ]
    .into_iter()
    .flat_map(|text| text.parse::<TokenStream>().expect("tokens"))
    .collect();
    for delimiter in [
        Delimiter::Parenthesis,
        Delimiter::Bracket,
        Delimiter::Brace,
        Delimiter::None,
    ] {
        intruders.push(Group::new(delimiter, TokenStream::new()).into());
        let inside = TokenTree::from(Literal::usize_unsuffixed(4));
        intruders.push(Group::new(delimiter, inside.into()).into());
    }
    intruders.push(Ident::new("größe", Span::call_site()).into());
    intruders.push(Punct::new('\'', Spacing::Joint).into());
    intruders
}

/// Every stream that differs from `tokens` at one place: a token is missing, is there twice, has
/// changed places with the next, or is another; at any depth.
fn mangled(tokens: &TokenStream, intruders: &[TokenTree]) -> Vec<TokenStream> {
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let with = |at: usize, remove: usize, insert: &[TokenTree]| -> TokenStream {
        let (before, after) = (&trees[..at], &trees[at + remove..]);
        [before, insert, after].concat().into_iter().collect()
    };
    let mut all = Vec::new();
    for (at, tree) in trees.iter().enumerate() {
        all.push(with(at, 1, &[]));
        all.push(with(at, 0, std::slice::from_ref(tree)));
        if let Some(next) = trees.get(at + 1) {
            all.push(with(at, 2, &[next.clone(), tree.clone()]));
        }
        // A third of them at each place, and all of them at every three neighbours.
        for intruder in intruders.iter().skip(at % 3).step_by(3) {
            all.push(with(at, 1, std::slice::from_ref(intruder)));
            all.push(with(at, 0, std::slice::from_ref(intruder)));
        }
        if let TokenTree::Group(group) = tree {
            for inside in mangled(&group.stream(), intruders) {
                all.push(with(at, 1, &[Group::new(group.delimiter(), inside).into()]));
            }
        }
    }
    all
}

#[test]
fn no_declaration_makes_the_macro_panic() {
    let intruders = intruders();
    let mut tried = 0;
    for right in RIGHT {
        let whole = with_crate(right);
        assert!(
            !expand(whole.clone()).to_string().contains("compile_error"),
            "{right}"
        );
        let krate = whole.clone().into_iter().next();
        for declaration in mangled(&whole.into_iter().skip(1).collect(), &intruders) {
            let tokens: TokenStream = krate.clone().into_iter().chain(declaration).collect();
            let expanded = catch_unwind(AssertUnwindSafe(|| expand(tokens.clone())));
            let expanded = expanded.unwrap_or_else(|_| panic!("the macro panics at {tokens}"));
            assert!(!expanded.is_empty(), "nothing is said of {tokens}");
            let rust = syn2::parse2::<syn2::File>(expanded);
            assert!(rust.is_ok(), "no Rust comes of {tokens}: {:?}", rust.err());
            tried += 1;
        }
    }
    assert!(tried > 4_000, "too few to show anything: {tried}");
}
