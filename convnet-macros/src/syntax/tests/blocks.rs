//! Blocks, and layers written by hand.

use super::*;

/// Every item, as words in brackets.
fn outline(items: &[Item]) -> String {
    let branch = |branch: &Branch| {
        let name = branch.name.iter().map(|name| format!("{name}: "));
        name.collect::<String>() + &outline(&branch.items)
    };
    let items = items.iter().map(|item| match item {
        Item::Layer(layer) => layer.canonical.to_string(),
        Item::Repeat {
            name, items, count, ..
        } => {
            let name: String = name.iter().map(|name| format!("{name}: ")).collect();
            format!("{name}{} * {}", outline(items), count.value)
        }
        Item::Block(block) => {
            let ways: Vec<String> = match &block.ways {
                Ways::Residual { body, shortcut } => core::iter::once(outline(body))
                    .chain(shortcut.iter().map(branch))
                    .collect(),
                Ways::Concat(branches) | Ways::Outputs(branches) => {
                    branches.iter().map(branch).collect()
                }
                Ways::Scale(body) => vec![outline(body)],
            };
            let name: String = block.name.iter().map(|name| format!("{name}: ")).collect();
            format!("{name}{} {}", block.word(), ways.join(" | "))
        }
    });
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

#[test]
fn blocks_lie_in_blocks_and_in_repetitions() {
    let read = |lines: &str| {
        let (declaration, errors) = read(&format!("struct N {{ input(8x8x1), {lines} }}"));
        assert_eq!(errors, [""; 0], "{lines}");
        outline(&declaration.expect("a declaration").items)
    };
    assert_eq!(
        read("a: residual { relu, tanh, shortcut { flatten } }, fc(10)"),
        "[a: residual [relu, tanh] | shortcut: [flatten], fc]"
    );
    assert_eq!(
        read("[concat { [], one: [relu], [residual { tanh }] }] * 3"),
        "[[concat [] | one: [relu] | [residual [tanh]]] * 3]"
    );
    assert_eq!(
        read("gate: scale { global_avg_pool, residual { tanh } }, scale: relu"),
        "[gate: scale [global_avg_pool, residual [tanh]], relu]"
    );
    assert_eq!(
        read("stage: [relu], stage2: [tanh] * 2"),
        "[stage: [relu] * 1, stage2: [tanh] * 2]"
    );
}

#[test]
fn a_block_that_is_wrong_is_one_mistake() {
    let begins = |lines, start: &str| {
        let error = error(lines);
        assert!(error.starts_with(start), "{lines}: {error}");
    };
    begins("residual { }, fc(10)", "`residual` has no layers");
    begins(
        "residual, fc(10)",
        "the layers of `residual` stand in braces",
    );
    begins(
        "concat([relu], [tanh]), fc(10)",
        "the layers of `concat` stand in braces",
    );
    begins("concat { [relu] }, fc(10)", "`concat` has one branch");
    begins(
        "concat { relu, tanh }, fc(10)",
        "a branch stands in brackets",
    );
    begins(
        "inception { [relu], [tanh] }, fc(10)",
        "`inception` is not a block; did you mean `concat`?",
    );
    begins(
        "residul { relu }, fc(10)",
        "`residul` is not a block; did you mean `residual`?",
    );
    begins(
        "conv { 12 }, fc(10)",
        "`conv` is not a block: its arguments stand in brackets",
    );
    begins(
        "residual { relu, shortcut { } }",
        "an empty shortcut hands the input on",
    );
    begins(
        "residual { relu, shortcut { tanh }, shortcut { tanh } }",
        "a second shortcut",
    );
    begins(
        "residual { relu, s: shortcut { tanh } }",
        "a shortcut has no name",
    );
    begins("concat { [reul], [relu] }", "`reul` is not a layer");
    begins("residual { input(8x8x1), relu }", "the input stands once");
}

#[test]
fn a_layer_written_by_hand_is_a_path_and_a_volume() {
    match &layers("layer(a::SHIFT, 5x4x3)")[0].kind {
        Kind::Own {
            what,
            learns: false,
            volume,
        } => {
            assert_eq!(what.to_string(), "a :: SHIFT");
            assert_eq!(
                volume.each_ref().map(|number| number.value.known()),
                [Some(4), Some(5), Some(3)]
            );
        }
        other => panic!("{other:?}"),
    }
    // Its brackets say that it is a type, and so one with parameters.
    match &layers("layer(a::Scale<T, 3>, 5x4x3)")[0].kind {
        Kind::Own {
            what, learns: true, ..
        } => assert_eq!(what.to_string(), "a :: Scale < T , 3 >"),
        other => panic!("{other:?}"),
    }
    assert!(error("layer(SHIFT)").starts_with("`layer` is missing its volume"));
    assert!(error("layer(SHIFT, 5x4)").starts_with("a volume is width x height x depth"));
    assert!(error("layer(SHIFT, 5x0x3)").starts_with("a volume is width x height x depth"));
    assert!(error("layer(7, 5x4x3)").starts_with("a layer written by hand is named by its path"));
}
