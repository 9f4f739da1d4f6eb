//! What is read, and what is said of what cannot be read. Where errors point is tested in the
//! crate `convnet`, `tests/ui`.

use convnet_core::graph::WORDS;
use convnet_core::plan::Memory;

use super::*;

mod blocks;
mod newcomers;

fn read(text: &str) -> (Option<Declaration>, Vec<String>) {
    let mut errors = Errors::default();
    let tokens = text.parse().expect("tokens");
    let declaration = parse(tokens, &mut errors);
    (declaration, errors.texts())
}

/// The layers of `struct N { input(8x8x1), … }`, which is right.
fn layers(lines: &str) -> Vec<Layer> {
    let (declaration, errors) = read(&format!("struct N {{ input(8x8x1), {lines} }}"));
    assert_eq!(errors, [""; 0], "{lines}");
    let items = declaration.expect("a declaration").items.into_iter();
    items
        .map(|item| match item {
            Item::Layer(layer) => *layer,
            Item::Repeat { .. } => panic!("a repetition"),
            Item::Block(_) => panic!("a block"),
        })
        .collect()
}

/// What is said of `struct N { input(8x8x1), … }`.
fn errors(lines: &str) -> Vec<String> {
    read(&format!("struct N {{ input(8x8x1), {lines} }}")).1
}

/// The only thing that is said of it.
fn error(lines: &str) -> String {
    let mut errors = errors(lines);
    assert_eq!(errors.len(), 1, "{lines}: {errors:#?}");
    errors.remove(0)
}

/// As the user would write it, width first.
fn show(window: &Window) -> String {
    let pair = |[rows, columns]: &[Number; 2]| format!("{columns}x{rows}");
    let pad = match &window.pad.value {
        Pad::Same => "same".into(),
        Pad::Zeros(sides) => sides.each_ref().map(ToString::to_string).join(" "),
    };
    let (size, stride) = (pair(&window.size.value), pair(&window.stride.value));
    format!("{size} stride {stride} pad {pad} {:?}", window.fit.value)
}

fn window(line: &str) -> String {
    match &layers(line)[0].kind {
        Kind::Conv { window, .. } | Kind::MaxPool { window } | Kind::AvgPool { window } => {
            show(window)
        }
        _ => panic!("{line} does not slide"),
    }
}

#[test]
fn a_network_is_read() {
    let (declaration, errors) = read(
        "/// Docs. \n #[budget(ram = 64 KiB, flash = 256KiB)] #[derive(Clone)] \
         pub(crate) struct Cifar { input(32x24x3), /// First. \n conv1: conv(12, 5x5), \
         [relu, [conv(FILTERS, 3x3)] * 2] * 3, fc(10), }",
    );
    assert_eq!(errors, [""; 0]);
    let declaration = declaration.expect("a declaration");
    assert_eq!(declaration.name, "Cifar");
    assert_eq!(declaration.attrs.len(), 2);
    let budget = declaration
        .budget
        .iter()
        .map(|it| (it.memory, it.bytes.value));
    assert!(budget.eq([(Memory::Ram, 65_536), (Memory::Flash, 262_144)]));
    let input = declaration
        .input
        .expect("an input")
        .value
        .map(|n| n.known());
    assert_eq!(input, [Some(24), Some(32), Some(3)], "height, width, depth");
    let [
        Item::Layer(first),
        Item::Repeat { items, count, .. },
        Item::Layer(_),
    ] = declaration.items.as_slice()
    else {
        panic!("three items");
    };
    assert_eq!(first.name.as_ref().expect("a name"), "conv1");
    assert!(!first.docs.is_empty());
    assert_eq!((items.len(), count.value), (2, 3));
}

#[test]
fn a_size_is_a_literal_or_names_or_both() {
    assert_eq!(window("conv(1, 5x3)"), "5x3 stride 1x1 pad 0 0 0 0 Exact");
    assert_eq!(window("conv(1, 5 x 3)"), "5x3 stride 1x1 pad 0 0 0 0 Exact");
    assert_eq!(window("conv(1, F x F)"), "FxF stride 1x1 pad 0 0 0 0 Exact");
    assert_eq!(window("conv(1, 5xF)"), "5xF stride 1x1 pad 0 0 0 0 Exact");
    assert_eq!(
        window("conv(1, crate::F x 5)"),
        "crate::Fx5 stride 1x1 pad 0 0 0 0 Exact"
    );
}

#[test]
fn a_window_has_a_stride_a_padding_and_a_fit() {
    assert_eq!(
        window("conv(1, 5x5, stride = 2x1)"),
        "5x5 stride 2x1 pad 0 0 0 0 Exact"
    );
    assert_eq!(
        window("conv(1, 5x5, pad = 2)"),
        "5x5 stride 1x1 pad 2 2 2 2 Exact"
    );
    assert_eq!(
        window("conv(1, 5x5, pad = same)"),
        "5x5 stride 1x1 pad same Exact"
    );
    assert_eq!(
        window("conv(1, 5x5, pad = (1, 2))"),
        "5x5 stride 1x1 pad 1 2 1 2 Exact"
    );
    assert_eq!(
        window("conv(1, 5x5, pad = (1, 2, P, 4,))"),
        "5x5 stride 1x1 pad 1 2 P 4 Exact"
    );
    assert_eq!(
        window("conv(1, 5x5, pad = P, fit = crop)"),
        "5x5 stride 1x1 pad P P P P Crop"
    );
    assert_eq!(
        window("conv(size = 5x5, fit = pad, filters = 1)"),
        "5x5 stride 1x1 pad 0 0 0 0 Pad"
    );
}

#[test]
fn a_pool_steps_over_what_it_has_seen() {
    assert_eq!(window("max_pool(3x2)"), "3x2 stride 3x2 pad 0 0 0 0 Exact");
    assert_eq!(
        window("avg_pool(3x2, stride = S)"),
        "3x2 stride SxS pad 0 0 0 0 Exact"
    );
}

#[test]
fn every_word_is_read_as_its_example() {
    for word in WORDS {
        let layers = layers(word.example);
        assert_eq!(layers[0].canonical, word.name);
        assert!(layers[0].mention.right && layers[0].slides_right);
    }
}

#[test]
fn a_number_between_zero_and_one_may_be_a_const() {
    assert!(matches!(
        layers("dropout(0)")[0].kind,
        Kind::Dropout {
            rate: Decimal::Known(0.0)
        }
    ));
    assert!(matches!(
        layers("dropout(RATE)")[0].kind,
        Kind::Dropout {
            rate: Decimal::Named(_)
        }
    ));
    assert!(error("dropout(1.0)").starts_with("a rate is a number from 0 to below 1"));
    assert!(error("dropout(2)").starts_with("a rate is"));
    assert!(error("leaky_relu(0.0)").starts_with("a slope is"));
    assert!(matches!(
        layers("leaky_relu")[0].kind,
        Kind::LeakyRelu { .. }
    ));
    assert!(error("dropout").starts_with("`dropout` is missing its rate"));
}

#[test]
fn sizes_have_their_dimensions() {
    assert_eq!(
        error("conv(12, 5)"),
        "a filter has a width and a height\nwrite `5x5`"
    );
    assert!(error("conv(12, 5x5x3)").ends_with("its depth is that of its input\nwrite `5x5`"));
    assert!(error("conv(12, 0x5)").starts_with("a filter of size 0"));
    assert!(error("conv(0, 5x5)").starts_with("0 filters"));
    assert!(error("max_pool(2x2, stride = 0)").starts_with("a stride of 0"));
    assert!(error("fc(2x2)").starts_with("filters is one number"));
    assert!(error("conv(5x5, 12)").starts_with("the number of filters comes first"));
    assert!(error("conv(5x5)").starts_with("the number of filters comes first"));
    assert!(error("conv(12, 5X5)").ends_with("write `5x5`"));
    assert!(error("conv(12, 5u8)").starts_with("`5u8` is not a number or a size"));
    assert!(error("conv(99999999999, 5x5)").starts_with("99999999999 is too large"));
    assert!(error("conv(12, 5x5, pad = valid)").starts_with("pad is `2`, `same`"));
    assert!(error("conv(12, 5x5, pad = (1, 2, 3))").starts_with("pad is `2`, `same`"));
    assert!(error("conv(12, 5x5, pad = (1x2, 2))").starts_with("expected one number"));
    assert!(error("conv(12, 5x5, fit = floor)").starts_with("fit is `exact`, `crop`"));
}

#[test]
fn the_input_has_three_dimensions_and_stands_in_front() {
    let of = |text: &str| read(text).1.join("|");
    assert!(of("struct N { input(8x8), fc(1) }").ends_with("`8x8x3` in color, `8x8x1` in gray"));
    assert!(of("struct N { input(0x8x3), fc(1) }").starts_with("an input of size 0"));
    assert!(of("struct N { fc(1) }").starts_with("`N` has no input"));
    assert!(of("struct N {}").starts_with("`N` has no input"));
    assert!(of("struct N { input(8x8x1) }").starts_with("`N` has no layers"));
    assert!(of("struct N { input(8x8x1), input(8x8x1), fc(1) }").starts_with("a second input"));
    assert_eq!(
        of("struct N { fc(1), input(8x8x1) }"),
        "the input comes first, before the layers"
    );
    assert_eq!(
        of("struct N { input(8x8x1), [input(8x8x1), relu] * 2 }"),
        "the input stands once, before the layers"
    );
}

#[test]
fn a_word_that_is_none_is_answered_with_the_right_one() {
    let meant = |word: &str| error(word).lines().next().unwrap_or_default().to_owned();
    assert_eq!(
        meant("cnov(12, 5x5)"),
        "`cnov` is not a layer; did you mean `conv`?"
    );
    assert_eq!(
        meant("CONV(12, 5x5)"),
        "`CONV` is not a layer; did you mean `conv`?"
    );
    assert_eq!(meant("ReLU"), "`ReLU` is not a layer; did you mean `relu`?");
    assert_eq!(
        meant("POOL(2x2)"),
        "`POOL` is not a layer; did you mean `max_pool` or `avg_pool`?"
    );
    assert_eq!(
        meant("Conv2d(1, 2)"),
        "`Conv2d` is not a layer; did you mean `conv`?"
    );
    assert_eq!(
        meant("maxpool2d(2)"),
        "`maxpool2d` is not a layer; did you mean `max_pool`?"
    );
    assert_eq!(
        meant("Linear(10)"),
        "`Linear` is not a layer; did you mean `fc`?"
    );
    assert_eq!(meant("transformer"), "`transformer` is not a layer");
    assert!(error("CONV(1, 3x3)").contains("\nthe layers: conv, depthwise, conv_transpose, "));
}

#[test]
fn groups_dilation_and_bias_are_read() {
    let layers = layers("conv(8, 3x3, groups = 4, dilation = 2x1, bias = none), depthwise(3x3)");
    let Kind::Conv {
        groups,
        bias: false,
        window,
        ..
    } = &layers[0].kind
    else {
        panic!("{:?}", layers[0].kind)
    };
    assert_eq!(groups.value.known(), Some(4));
    let dilation = window.dilation.value.each_ref().map(Number::known);
    assert_eq!(dilation, [Some(1), Some(2)], "rows first");
    assert!(matches!(layers[1].kind, Kind::Depthwise { bias: true, .. }));
    assert_eq!(
        error("conv(8, 3x3, groups = 0)"),
        "0 groups leave no filters: 1 is an ordinary conv"
    );
    assert_eq!(
        error("conv(8, 3x3, dilation = 0)"),
        "a dilation of 0 leaves one pixel to see: 1 is none"
    );
    let layers = self::layers("batch_norm(eps = 1e-3), lrn(5, alpha = 5e-4)");
    assert!(matches!(
        layers[0].kind,
        Kind::BatchNorm {
            eps: Decimal::Known(1e-3),
            momentum: Decimal::Known(0.1),
            affine: true,
        }
    ));
    assert!(matches!(
        layers[1].kind,
        Kind::Lrn {
            alpha: Decimal::Known(5e-4),
            beta: Decimal::Known(0.75),
            ..
        }
    ));
    assert_eq!(
        error("depthwise(3x3, bias = 1)"),
        "every filter learns a bias unless it is told not to: `bias = none`"
    );
}

#[test]
fn arguments_are_known_and_given_once() {
    assert_eq!(
        error("conv(12, 5x5, strid = 2)"),
        "`conv` has no argument `strid`; did you mean `stride`?\n\
         its arguments: filters, size, stride, pad, fit, groups, dilation, bias"
    );
    assert_eq!(
        error("relu(size = 2)"),
        "`relu` has no argument `size`; it takes none"
    );
    assert_eq!(error("relu(2)"), "`relu` takes no arguments");
    assert_eq!(
        error("conv(12, 5x5, pad = 1, pad = 2)"),
        "pad is given twice"
    );
    assert_eq!(
        error("conv(12, 5x5, filters = 2)"),
        "filters is given twice"
    );
    assert!(error("lrn(5, 2)").starts_with("an argument too many"));
    assert!(
        error("conv(12, pad = 1, 5x5)").starts_with("an argument without a name stands before")
    );
    assert!(error("conv(12)").starts_with("`conv` is missing its size"));
    assert!(error("conv(size = 5x5)").starts_with("`conv` is missing its filters"));
    assert!(error("fc").starts_with("`fc` is missing its filters"));
}

#[test]
fn the_notation_of_patterns_is_understood_and_refused() {
    assert!(error("relu, POOL?, fc(1)").starts_with("`?` stands for a layer that may be left out"));
    assert!(error("conv(1, 3x3)?, fc(1)").starts_with("`?` stands for"));
    assert_eq!(
        errors("relu -> fc(1)"),
        ["layers are separated by commas: `,`"]
    );
    assert!(error("[relu]").starts_with("how often?"));
    assert!(error("[relu] * N").starts_with("expected a number: the macro writes"));
    assert!(error("[relu] * 0").starts_with("a repetition is repeated"));
    assert!(error("relu fc(1)").starts_with("expected `,` before `fc`"));
}

#[test]
fn every_mistake_is_reported_once() {
    assert_eq!(errors("conv(0, 3x3), relu(1), fc, pool(2x2)").len(), 4);
    assert_eq!(
        errors("conv(0, 0x0, strid = 1)").len(),
        3,
        "three mistakes in one layer"
    );
}

#[test]
fn a_budget_has_units() {
    let of = |budget: &str| {
        read(&format!(
            "#[budget{budget}] struct N {{ input(8x8x1), fc(1) }}"
        ))
        .1
        .join("|")
    };
    assert_eq!(of("(ram = 1_000 B)"), "");
    assert_eq!(of("(ram = 64)"), "64 of what? `64 B`, `64 KiB`, `64 MiB`");
    assert!(of("(ram = 64 KB)").starts_with("`KB` is no unit"));
    assert!(of("(rom = 64 KiB)").starts_with("a budget has no `rom`; did you mean `ram`?"));
    assert_eq!(of("(ram = 1 B, ram = 2 B)"), "ram is given twice");
    assert!(of("").starts_with("a budget of what?"));
}

#[test]
fn a_path_leads_to_an_item() {
    for (line, path) in [
        ("network(crate)", "crate"),
        ("network(super::super)", "super::super"),
        ("layer(self, 8x8x1)", "self"),
        ("fc(crate)", "crate"),
        ("conv(4, self x 3)", "self"),
    ] {
        let message = format!("`{path}` leads to no item\nname what is in it: `{path}::NAME`");
        assert_eq!(error(line), message, "{line}");
    }
}
