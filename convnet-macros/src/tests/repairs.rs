//! Every repair that a message offers, read from its text as a user would, written into the
//! declaration, and tried.

use super::generator::{Item, Layer, Net, Random, Window};
use crate::report::Errors;
use crate::{plan, syntax};

/// What is said of a declaration.
fn errors(text: &str) -> Vec<String> {
    let mut errors = Errors::default();
    let tokens = text.parse().expect("tokens");
    if let Some(declaration) = syntax::parse(tokens, &mut errors) {
        plan::plan(
            "::convnet".parse().expect("a path"),
            &declaration,
            &mut errors,
        );
    }
    errors.texts()
}

/// The image that was meant instead of one whose depth comes first.
fn depth_last(error: &str) -> Option<Vec<usize>> {
    let (_, size) = error.split_once("an input is width x height x depth: ")?;
    let (size, _) = size.split_once("? If")?;
    Some(numbers(size))
}

/// The number of the line that does not fit: `b2_1.l3_ does not fit …` is of line 3.
fn line(error: &str) -> Option<usize> {
    let (path, _) = error.split_once(" does not fit")?;
    let name = path.rsplit('.').next()?.trim_start_matches(['l', 'b', 'g']);
    name.split('_').next()?.parse().ok()
}

/// One thing that a message offers.
#[derive(Clone, Debug)]
enum Repair {
    /// Width and height of what the layer reads; `None` stays.
    Input([Option<usize>; 2]),
    /// Width, height; and perhaps depth.
    Image(Vec<usize>),
    Filter([usize; 2]),
    Stride([usize; 2]),
    Dilation([usize; 2]),
    /// As it is written.
    Pad(String),
    Fit(&'static str),
    PadAndCrop(String),
    Groups(usize),
    Filters(usize),
    /// As it is written.
    Shortcut(String),
}

/// What a message offers; and whether that is for one repetition alone.
fn repairs(error: &str) -> Vec<(Repair, bool)> {
    let mut found = Vec::new();
    for line in error.lines().skip(1) {
        if let Some(size) = line.strip_prefix("an input is width x height x depth: ") {
            found.push((Repair::Image(numbers(size)), false));
        } else if line.starts_with("fit = crop would drop ") {
            found.push((Repair::Fit("crop"), false));
        } else if line.starts_with("fit = pad would add ") {
            found.push((Repair::Fit("pad"), false));
        } else if let Some((pad, _)) = line.split_once(" and fit = crop would drop ") {
            let pad = pad.strip_prefix("pad = ").expect("a padding");
            found.push((Repair::PadAndCrop(pad.into()), false));
        } else if let Some((block, _)) = line.split_once(" at the end of the block") {
            let block = block.strip_prefix("shortcut { ").expect("a shortcut");
            found.push((
                Repair::Shortcut(block.trim_end_matches([' ', '}']).into()),
                false,
            ));
        } else if let Some((list, _)) = line.split_once(" would fit") {
            let (list, alone) = match list.strip_prefix("in this repetition alone ") {
                Some(list) => (list, true),
                None => (list, false),
            };
            for item in list.trim_end_matches(',').split(", or ") {
                found.extend(listed(item).into_iter().map(|repair| (repair, alone)));
            }
        } else {
            // What is advice, and no repair; and what does not fit along the other axis.
            if line.contains(" does not fit ") {
                continue;
            }
            let advice = [
                "layers with stride = 1",
                "equal sizes",
                "put ",
                "an fc belongs",
            ];
            assert!(
                advice.iter().any(|it| line.starts_with(it)),
                "what is {line} of {error}"
            );
        }
    }
    found
}

fn numbers(text: &str) -> Vec<usize> {
    let digits = text.split(|c: char| !c.is_ascii_digit());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

/// `a filter of 3 or 5`, `pad = (0, 1)`, `4 or 6 filters`.
fn listed(item: &str) -> Vec<Repair> {
    if let Some(pad) = item.strip_prefix("pad = ") {
        return vec![Repair::Pad(pad.into())];
    }
    if let Some(groups) = item.strip_prefix("groups = ") {
        return numbers(groups).into_iter().map(Repair::Groups).collect();
    }
    if let Some(filters) = item.strip_suffix(" filters") {
        return numbers(filters).into_iter().map(Repair::Filters).collect();
    }
    let (what, values) = item
        .split_once(" of ")
        .unwrap_or_else(|| panic!("what is {item}"));
    let values = values.split(" or ").map(|value| match *numbers(value) {
        [one] => [one; 2],
        [width, height] => [width, height],
        _ => panic!("what is {item}"),
    });
    let make = |[width, height]: [usize; 2]| match what {
        "an input" => Repair::Input([Some(width), Some(height)]),
        "a width" => Repair::Input([Some(width), None]),
        "a height" => Repair::Input([None, Some(height)]),
        "an image" => Repair::Image(vec![width, height]),
        "a filter" => Repair::Filter([width, height]),
        "a stride" => Repair::Stride([width, height]),
        "a dilation" => Repair::Dilation([width, height]),
        _ => panic!("what is {item}"),
    };
    values.map(make).collect()
}

fn window(layer: &mut Layer) -> &mut Window {
    match layer {
        Layer::Conv { window, .. }
        | Layer::Depthwise(window)
        | Layer::Transpose(_, window)
        | Layer::Pool(_, window) => window,
        Layer::Text(_) | Layer::Fc(_) => panic!("it does not slide"),
    }
}

/// The declaration with the line changed as the message says.
fn repaired(net: &Net, line: usize, repair: &Repair) -> Net {
    let read = match repair {
        Repair::Input([width, height]) => {
            let read = input_of(net, line);
            Some([width.unwrap_or(read[0]), height.unwrap_or(read[1])])
        }
        _ => None,
    };
    let mut net = net.clone();
    if let Repair::Image(size) = repair {
        net.image[..size.len()].copy_from_slice(size);
        return net;
    }
    let (items, at) = net.find(line).expect("the line");
    let layer = match &mut items[at] {
        Item::Layer(_, layer) => layer,
        Item::Residual(_, _, shortcut) => {
            let Repair::Shortcut(text) = repair else {
                panic!("{repair:?} of a block");
            };
            *shortcut = vec![Item::Layer(9999, Layer::Text(text.clone()))];
            return net;
        }
        Item::Concat(..) | Item::Repeat(..) => panic!("{repair:?} of a block"),
    };
    match repair {
        Repair::Filter(size) => window(layer).size = *size,
        Repair::Stride(stride) => window(layer).stride = Some(*stride),
        Repair::Dilation(dilation) => window(layer).dilation = Some(*dilation),
        Repair::Pad(pad) => window(layer).pad = Some(pad.clone()),
        Repair::Fit(fit) => window(layer).fit = Some(fit),
        Repair::PadAndCrop(pad) => {
            window(layer).pad = Some(pad.clone());
            window(layer).fit = Some("crop");
        }
        Repair::Groups(to) => match layer {
            Layer::Conv { groups, .. } => *groups = *to,
            _ => panic!("groups of no conv"),
        },
        Repair::Filters(to) => match layer {
            Layer::Conv { filters, .. } => *filters = *to,
            _ => panic!("filters of no conv"),
        },
        Repair::Input(_) => {
            let depth = match layer {
                Layer::Conv { groups, .. } => *groups,
                _ => 1,
            };
            let [width, height] = read.expect("what it reads");
            let own = format!("layer(OWN, {width}x{height}x{depth})");
            items.insert(at, Item::Layer(9999, Layer::Text(own)));
        }
        Repair::Image(_) | Repair::Shortcut(_) => panic!("{repair:?} of a layer"),
    }
    net
}

/// Width and height of what a line reads: what is said of a filter that is larger.
fn input_of(net: &Net, line: usize) -> [usize; 2] {
    let mut net = net.clone();
    let (items, at) = net.find(line).expect("the line");
    items[at] = Item::Layer(line, Layer::Text("conv(1, 99999x88888)".into()));
    // No filters that are wide look at the image itself.
    items.insert(at, Item::Layer(9999, Layer::Text("conv(1, 1x1)".into())));
    let errors = errors(&net.text(None));
    let error = errors.iter().find(|error| self::line(error) == Some(line));
    let error = error.unwrap_or_else(|| panic!("{errors:#?}"));
    if let Some((_, left)) = error.split_once("an fc leaves ") {
        let left = numbers(left);
        return [left[0], left[1]];
    }
    let side = |start: &str| {
        let line = error
            .lines()
            .find(|line| line.contains(start))
            .unwrap_or_else(|| panic!("a side of {error}"));
        numbers(line).pop().expect("a number")
    };
    [side("the width"), side("the height")]
}

/// Whether a line fits everywhere once it is repaired. The message, if it does not.
fn still_fails(net: &Net, line: usize, error: &str, repair: &Repair) -> Option<String> {
    let errors = errors(&repaired(net, line, repair).text(None));
    // Groups that do not divide are another mistake of the same line.
    let of_groups = |error: &str| error.contains(" groups do not divide ");
    let left = errors.into_iter();
    let mut left = left.filter(|left| self::line(left) == Some(line));
    left.find(|left| of_groups(error) || !of_groups(left))
}

#[test]
fn every_repair_is_one_wherever_its_line_stands() {
    let mut random = Random(7);
    let [mut wrong, mut offered, mut repeated, mut alone] = [0; 4];
    for _ in 0..2_000 {
        let net = Net::random(&mut random);
        let text = net.text(None);
        for error in errors(&text) {
            wrong += 1;
            let Some(line) = line(&error) else {
                let image =
                    depth_last(&error).unwrap_or_else(|| panic!("{error} is said of {text}"));
                let net = repaired(&net, 0, &Repair::Image(image));
                let mut left = errors(&net.text(None)).into_iter();
                assert_eq!(
                    left.find_map(|error| depth_last(&error)),
                    None,
                    "{text}\n{error}"
                );
                continue;
            };
            for (repair, in_one) in repairs(&error) {
                let left = match in_one {
                    false => still_fails(&net, line, &error, &repair),
                    true => {
                        let (unrolled, lines) = net.unrolled();
                        let errors = errors(&unrolled.text(None));
                        let mut failing = errors.iter().filter_map(|error| self::line(error));
                        let copy = failing.find(|copy| lines[*copy] == line).expect("a copy");
                        still_fails(&unrolled, copy, &error, &repair)
                    }
                };
                if let Some(left) = left {
                    panic!("{repair:?} is offered for {text}\n{error}\nand then: {left}");
                }
                offered += 1;
                match in_one {
                    true => alone += 1,
                    false => repeated += usize::from(net.repeats(line)),
                }
            }
        }
    }
    assert!(
        wrong > 1_500 && offered > 5_000 && repeated > 200 && alone > 500,
        "too few to show anything: {wrong} {offered} {repeated} {alone}"
    );
}

/// What the compiler is to plan, with every constant's name replaced by its number.
fn deferred(text: &str) -> String {
    let tokens = crate::expand(super::with_crate(text)).to_string();
    assert!(!tokens.contains("compile_error"), "{text}");
    let begin = tokens.rfind("const __OPS").expect("a plan that waits");
    let (planned, rest) = tokens[begin..]
        .split_once(". message_in")
        .expect("a message");
    let (written, _) = rest.split_once(';').expect("its arguments");
    // Behind the first of its places.
    let planned = format!("{planned}{written}").replace(" as :: core :: primitive :: usize", "");
    (0..10).fold(planned, |text, digit| {
        text.replace(&format!("N{digit}"), &digit.to_string())
    })
}

/// What is offered where sizes have names was tried like that for numbers.
#[test]
fn the_compiler_plans_what_the_macro_would() {
    let mut random = Random(11);
    for _ in 0..100 {
        let mut net = Net::random(&mut random);
        net.image = [9, 12, 4];
        // Both wait for the compiler.
        let last = Layer::Text("fc(N7)".into());
        net.items.push(Item::Layer(9998, last));
        let names = net.text(Some(&mut random));
        assert_eq!(deferred(&net.text(None)), deferred(&names), "{names}");
    }
}

#[test]
fn what_is_offered() {
    let offered = |declaration: &str| {
        let mut errors = errors(&format!("struct Net {{ {declaration} }}"));
        assert_eq!(errors.len(), 1, "{declaration}: {errors:#?}");
        let error = errors.remove(0);
        let offers = error.lines().filter(|line| !line.contains(" does not fit"));
        offers.collect::<Vec<_>>().join("\n")
    };
    let cases = [
        (
            "input(32x32x3), [conv(8, 3x3), relu, max_pool(2x2, stride = 2)] * 3",
            "an image of 30 or 38, or a stride of 1, or pad = 1, would fit\n\
             fit = crop would drop the last column and row\n\
             fit = pad would add a column and a row",
        ),
        // The fc that it reads is that of the repetition before.
        (
            "input(16x16x3), [conv(8, 3x3), relu, fc(3)] * 2",
            "an fc belongs behind what is repeated",
        ),
        // TensorFlow's SAME.
        (
            "input(8x8x3), conv(8, 7x3, stride = 2, pad = same)",
            "a stride of 1, or pad = (0, 1, 2, 3), would fit",
        ),
        (
            "input(8x8x3), conv(8, 7x1, stride = 2x1, pad = same)",
            "a stride of 1x1, or pad = (0, 0, 2, 3), would fit",
        ),
        (
            "input(8x8x3), conv(8, 1x1, stride = 2, pad = same)",
            "a stride of 1 would fit\npad = 0 and fit = crop would drop the last column and row",
        ),
        (
            "input(8x8x3), conv_transpose(8, 4x3, stride = 2x1, pad = same)",
            "a stride of 1x1, or pad = 1, would fit",
        ),
        // PyTorch's rows and columns.
        (
            "input(9x9x3), conv(8, 1x7, stride = 2, pad = (3, 0))",
            "pad = (3, 3, 0, 0) would fit: two numbers are before and after, not rows and columns",
        ),
        (
            "input(16x16x3), conv(8, 7x1, stride = 2, pad = (0, 3))",
            "pad = (0, 0, 3, 3) and fit = crop would drop the last row: \
             two numbers are before and after, not rows and columns",
        ),
        (
            "input(16x16x3), conv(8, 3x3, pad = (0, 3))",
            "a filter of 4, or pad = 2, would fit",
        ),
        // PyTorch's depth, height, width; and a signal along the height.
        (
            "input(1x64x64), conv(8, 1x1), max_pool(2x2)",
            "an input is width x height x depth: 64x64x1?",
        ),
        (
            "input(1x64x64), conv(8, 1x5, stride = 1x2)",
            "a height of 63 or 65, or a filter of 1x4 or 1x6, or a stride of 1x1, or pad = (0, 1, 0, 0), would fit\n\
             fit = crop would drop the last row",
        ),
    ];
    for (declaration, expected) in cases {
        assert_eq!(offered(declaration), expected, "{declaration}");
    }
}
