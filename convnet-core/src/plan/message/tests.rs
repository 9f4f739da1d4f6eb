//! The texts; and every repair that a text offers, applied.

use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

use crate::plan::{Op, place};
use crate::shape::{Fit, Padding, Window};

/// The message for a layer called `conv1` or `pool1`; `None` if it fits.
fn message([height, width]: [usize; 2], window: Window, pool: bool) -> Option<String> {
    let (name, op) = match pool {
        true => ("pool1", Op::MaxPool { window }),
        false => ("conv1", Op::conv(1, window)),
    };
    let failure = place([height, width, 1], &[op]).err()?;
    Some(failure.message(name, &op).to_string())
}

fn window(size: usize, stride: usize, padding: Padding) -> Window {
    Window {
        padding,
        ..Window::square(size, stride, 0)
    }
}

fn square(w: usize, f: usize, s: usize, p: usize) -> String {
    message([w, w], window(f, s, Padding::all(p)), false).expect("it does not fit")
}

#[test]
fn krizhevskys_first_layer_as_printed() {
    assert_eq!(
        square(224, 11, 4, 0),
        "conv1 does not fit: (W − F + 2P)/S + 1 = (224 − 11 + 2·0)/4 + 1 = 54.25 is not an integer\n\
         an input of 223 or 227, or a filter of 8 or 12, or a stride of 1 or 3, or pad = (1, 2), would fit\n\
         fit = crop would drop the last column and row"
    );
}

#[test]
fn cs231ns_example_of_an_invalid_stride() {
    assert_eq!(
        square(10, 3, 2, 0),
        "conv1 does not fit: (W − F + 2P)/S + 1 = (10 − 3 + 2·0)/2 + 1 = 4.5 is not an integer\n\
         an input of 9 or 11, or a filter of 2 or 4, or a stride of 1, or pad = (0, 1), would fit\n\
         fit = crop would drop the last column and row"
    );
}

#[test]
fn a_fraction_that_does_not_end_says_so() {
    assert!(square(5, 3, 3, 1).starts_with(
        "conv1 does not fit: (W − F + 2P)/S + 1 = (5 − 3 + 2·1)/3 + 1 = 2.33… is not an integer\n"
    ));
}

#[test]
fn a_filter_larger_than_the_padded_input() {
    assert_eq!(
        square(4, 7, 1, 1),
        "conv1 does not fit: a filter of 7 is larger than the padded input: 4 + 2·1 = 6\n\
         an input of 5, or a filter of 6, or pad = 2, would fit"
    );
}

fn dilated(w: usize, f: usize, d: usize, s: usize, p: usize) -> String {
    let dilation = [d; 2];
    let window = Window {
        dilation,
        ..Window::square(f, s, p)
    };
    message([w, w], window, false).expect("it does not fit")
}

/// With a dilation the formula has the user's numbers, not what the filter covers.
#[test]
fn a_filter_with_gaps() {
    assert_eq!(
        dilated(10, 3, 2, 2, 0),
        "conv1 does not fit: (W − D·(F − 1) − 1 + 2P)/S + 1 = (10 − 2·(3 − 1) − 1 + 2·0)/2 + 1 = 3.5 is not an integer\n\
         an input of 9 or 11, or a stride of 1 or 5, or pad = (0, 1), would fit\n\
         fit = crop would drop the last column and row"
    );
    assert_eq!(
        dilated(8, 3, 5, 1, 1),
        "conv1 does not fit: a filter of 3 with a dilation of 5 covers 11, more than the padded input: 8 + 2·1 = 10\n\
         an input of 9, or a filter of 2, or a dilation of 4, or pad = 2, would fit"
    );
}

/// Every misfit of 1..=12 groups, depth and filters: the repairs that are offered are the nearest.
#[test]
fn groups_that_do_not_divide() {
    let groups = |groups: usize, depth: usize, filters: usize| {
        let window = Window::square(1, 1, 0);
        let op = Op::Conv {
            filters,
            groups,
            bias: true,
            window,
        };
        let failure = place([1, 1, depth], &[op]).err()?;
        Some(failure.message("conv2", &op).to_string())
    };
    assert_eq!(
        groups(3, 8, 16).unwrap(),
        "conv2 does not fit: 3 groups do not divide the depth of its input, 8, nor its 16 filters\n\
         groups = 2 or 4 would fit"
    );
    assert_eq!(
        groups(4, 8, 6).unwrap(),
        "conv2 does not fit: 4 groups do not divide its 6 filters\n\
         groups = 2, or 4 or 8 filters, would fit"
    );
    assert_eq!(
        groups(2, 3, 6).unwrap(),
        "conv2 does not fit: 2 groups do not divide the depth of its input, 3\n\
         groups = 1 or 3 would fit"
    );
    let numbers = |text: &str| -> Vec<usize> {
        let words = text.split(|c: char| !c.is_ascii_digit());
        words.filter_map(|word| word.parse().ok()).collect()
    };
    for (g, depth, filters) in
        (1..=12).flat_map(|g| (1..=12).flat_map(move |d| (1..=12).map(move |f| (g, d, f))))
    {
        let divides = |n: usize| depth % n == 0 && filters % n == 0;
        let text = groups(g, depth, filters);
        assert_eq!(text.is_none(), divides(g), "{g} {depth} {filters}");
        let Some(text) = text else { continue };
        let line = text.lines().last().unwrap();
        let (divisors, multiples) = line.split_once(", or ").unwrap_or((line, ""));
        let below = (1..g).rev().find(|&n| divides(n));
        let above = (g + 1..=12).find(|&n| divides(n));
        let expected: Vec<usize> = below.into_iter().chain(above).collect();
        assert_eq!(numbers(divisors), expected, "{text}");
        for filters in numbers(multiples) {
            assert!(groups(g, depth, filters).is_none(), "{text}");
        }
        assert_eq!(multiples.is_empty(), depth % g != 0, "{text}");
    }
}

#[test]
fn the_side_that_fails_is_named() {
    let text = message([8, 9], window(3, 2, Padding::NONE), false).unwrap();
    assert!(text.starts_with(
        "conv1 does not fit the height: (H − F + 2P)/S + 1 = (8 − 3 + 2·0)/2 + 1 = 3.5 is not an integer\n\
         a height of 7 or 9, or "
    ));
}

#[test]
fn padding_before_and_after_is_shown_as_written() {
    let text = message([8, 8], window(4, 3, Padding::pair(0, 1)), false).unwrap();
    assert!(text.contains("(W − F + before + after)/S + 1 = (8 − 4 + 0 + 1)/3 + 1 = 2.66… is not"));
}

/// One thing that a message offers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Repair {
    /// Height, width; `None` stays.
    Input([Option<usize>; 2]),
    Filter([usize; 2]),
    Stride([usize; 2]),
    Dilation([usize; 2]),
    /// Top, bottom, left, right.
    Pad([usize; 4]),
    Crop,
    /// `fit = pad`.
    Round,
}

/// What a message offers, read from its text as a user would.
fn repairs(text: &str) -> Vec<Repair> {
    let mut repairs = vec![];
    for line in text.lines().skip(1) {
        if line.starts_with("fit = crop would drop ") {
            repairs.push(Repair::Crop);
        } else if line.starts_with("fit = pad would add ") {
            repairs.push(Repair::Round);
        } else if let Some(list) = line.strip_suffix(" would fit") {
            let items = list.trim_end_matches(',').split(", or ");
            items.for_each(|item| repairs.extend(repair(item)));
        }
    }
    repairs
}

fn repair(item: &str) -> Vec<Repair> {
    let number = |text: &str| {
        text.parse::<usize>()
            .unwrap_or_else(|_| panic!("{text} in {item}"))
    };
    // `5x3` is width first.
    let pair = |text: &str| match text.split_once('x') {
        Some((width, height)) => [number(height), number(width)],
        None => [number(text); 2],
    };
    if let Some(sides) = item.strip_prefix("pad = ") {
        let sides = sides.trim_matches(['(', ')']).split(", ");
        return match *sides.map(number).collect::<Vec<_>>() {
            [all] => vec![Repair::Pad([all; 4])],
            [before, after] => vec![Repair::Pad([before, after, before, after])],
            [top, bottom, left, right] => vec![Repair::Pad([top, bottom, left, right])],
            _ => panic!("{item}"),
        };
    }
    let (what, values) = item.split_once(" of ").unwrap_or_else(|| panic!("{item}"));
    let values = values.split(" or ").map(pair);
    let make = |[height, width]: [usize; 2]| match what {
        "an input" => Repair::Input([Some(height), Some(width)]),
        "a width" => Repair::Input([None, Some(width)]),
        "a height" => Repair::Input([Some(height), None]),
        "a filter" => Repair::Filter([height, width]),
        "a stride" => Repair::Stride([height, width]),
        "a dilation" => Repair::Dilation([height, width]),
        _ => panic!("{item}"),
    };
    values.map(make).collect()
}

/// A declaration, in CS231n's letters; `[height, width]`, and zeros before and after on each axis.
#[derive(Clone, Copy, Debug)]
struct Case {
    w: [usize; 2],
    f: [usize; 2],
    d: [usize; 2],
    s: [usize; 2],
    p: [[usize; 2]; 2],
    pool: bool,
    crop: bool,
    round: bool,
}

impl Case {
    /// The rule, written down once more and independently.
    fn fits(&self) -> bool {
        (0..2).all(|axis| {
            let [before, after] = self.p[axis];
            let (w, f, s) = (self.w[axis], self.covers(axis), self.s[axis]);
            if self.round && self.rounds(axis) {
                return true;
            }
            let padded = w + before + after;
            // Where the last filter begins, on an axis on which the image begins at 0.
            let last = || ((padded - f) / s * s) as isize - before as isize;
            self.f[axis] >= 1
                && self.d[axis] >= 1
                && s >= 1
                && w >= 1
                && padded >= f
                && (self.crop || (padded - f) % s == 0)
                && (!self.pool || (before < f && after < f))
                && (last() < w as isize || last() as usize + f - w <= before)
        })
    }

    /// Whether there is one more position, which begins on the image and ends beyond the padding.
    fn rounds(&self, axis: usize) -> bool {
        let [before, after] = self.p[axis];
        let (w, f, s) = (self.w[axis], self.covers(axis), self.s[axis]);
        let ends = before + w + after;
        let next = (0..).map(|n| n * s).find(|begin| begin + f > ends);
        let begin = next.unwrap_or_default();
        let beyond = begin == 0 || begin - s + f < ends;
        before < f && after < f && beyond && begin < before + w && (begin > 0 || f - ends < s)
    }

    /// One tap, and D more for each of the others.
    fn covers(&self, axis: usize) -> usize {
        1 + self.d[axis] * (self.f[axis] - 1)
    }

    fn with(mut self, repair: Repair) -> Self {
        match repair {
            Repair::Input([h, w]) => self.w = [h.unwrap_or(self.w[0]), w.unwrap_or(self.w[1])],
            Repair::Filter(f) => self.f = f,
            Repair::Stride(s) => self.s = s,
            Repair::Dilation(d) => self.d = d,
            Repair::Pad([top, bottom, left, right]) => self.p = [[top, bottom], [left, right]],
            Repair::Crop => self.crop = true,
            Repair::Round => self.round = true,
        }
        self
    }

    fn window(&self) -> Window {
        let [[top, bottom], [left, right]] = self.p;
        let padding = Padding::Zeros {
            top,
            bottom,
            left,
            right,
        };
        Window {
            size: self.f,
            dilation: self.d,
            stride: self.s,
            padding,
            fit: Fit::Exact,
        }
    }

    fn message(&self) -> Option<String> {
        message(self.w, self.window(), self.pool)
    }
}

/// Every square declaration with W ≤ 12, F ≤ 7, S ≤ 5, P ≤ 2, as a conv and as a pool; and those
/// with F ≤ 4 as a conv with a dilation of 2 and 3.
fn squares() -> impl Iterator<Item = Case> {
    let pads = [[0, 0], [1, 1], [2, 2], [0, 1], [2, 1]];
    (1..=12).flat_map(move |w| {
        (1..=7).flat_map(move |f| {
            (1..=5).flat_map(move |s| {
                pads.into_iter().flat_map(move |p| {
                    let kinds = [(1, false), (1, true), (2, false), (3, false)];
                    let kinds = kinds.into_iter().filter(move |(d, _)| *d == 1 || f <= 4);
                    kinds.map(move |(d, pool)| Case {
                        w: [w; 2],
                        f: [f; 2],
                        d: [d; 2],
                        s: [s; 2],
                        p: [p; 2],
                        pool,
                        crop: false,
                        round: false,
                    })
                })
            })
        })
    })
}

#[test]
fn every_repair_is_a_repair_and_none_that_is_nearer_was_missed() {
    let mut offered = 0;
    for case in squares() {
        let text = case.message();
        assert_eq!(text.is_none(), case.fits(), "{case:?}");
        let Some(text) = text else { continue };
        let found = repairs(&text);
        for repair in &found {
            assert!(
                case.with(*repair).fits(),
                "{repair:?} is offered for {case:?}:\n{text}"
            );
        }
        offered += found.len();
        assert_eq!(
            sorted(&found),
            sorted(&expected(&case)),
            "{case:?}:\n{text}"
        );
    }
    assert!(
        offered > 5_000,
        "the space is too small to show anything: {offered}"
    );
}

/// As values they are as many as in the text, and each fits.
#[test]
fn repairs_are_values_too() {
    for case in squares() {
        let Some(text) = case.message() else { continue };
        let op = |window| match case.pool {
            true => Op::MaxPool { window },
            false => Op::conv(1, window),
        };
        let ops = [op(case.window())];
        let failure = place([case.w[0], case.w[1], 1], &ops).expect_err("it has a message");
        let found: Vec<_> = failure.repairs(&ops[0]).collect();
        for repair in &found {
            let [height, width] = repair.input;
            let repaired = place([height, width, 1], &[op(repair.window)]);
            assert!(repaired.is_ok(), "{repair:?} for {case:?}");
        }
        assert_eq!(found.len(), repairs(&text).len(), "{case:?}:\n{text}");
    }
}

fn sorted(repairs: &[Repair]) -> Vec<String> {
    let mut texts: Vec<_> = repairs.iter().map(|repair| format!("{repair:?}")).collect();
    texts.sort();
    texts
}

/// The repairs that ought to be offered for a square, by trying everything.
fn expected(case: &Case) -> Vec<Repair> {
    let (w, f, s, p) = (case.w[0], case.f[0], case.s[0], case.p[0]);
    let (d, covers) = (case.d[0], case.covers(0));
    let mut repairs = vec![];
    let fitting = |make: &dyn Fn(usize) -> Repair, range: core::ops::RangeInclusive<usize>| {
        let fits = |value: &usize| case.with(make(*value)).fits();
        range.filter(fits).collect::<Vec<_>>()
    };
    let nearest = |values: &[usize], to: usize| {
        let below = values.iter().rev().find(|value| **value < to).copied();
        let above = values.iter().find(|value| **value > to).copied();
        [below, above]
    };

    let input = |value| Repair::Input([Some(value); 2]);
    let inputs = nearest(&fitting(&input, 1..=2 * w.max(covers)), w);
    repairs.extend(inputs.into_iter().flatten().map(input));

    let filter = |value| Repair::Filter([value; 2]);
    let filters = fitting(&filter, 1 + usize::from(case.pool)..=w + p[0] + p[1]);
    repairs.extend(nearest(&filters, f).into_iter().flatten().map(filter));

    let stride = |value| Repair::Stride([value; 2]);
    let strides = fitting(&stride, 1..=covers.min(w));
    repairs.extend(match nearest(&strides, s) {
        // Nothing above: the two nearest below.
        [Some(_), None] => strides
            .iter()
            .rev()
            .filter(|v| **v < s)
            .take(2)
            .copied()
            .map(stride)
            .collect(),
        both => both.into_iter().flatten().map(stride).collect::<Vec<_>>(),
    });

    let dilation = |value| Repair::Dilation([value; 2]);
    if d > 1 && f > 1 {
        let dilations = fitting(&dilation, 1..=w + p[0] + p[1]);
        repairs.extend(nearest(&dilations, d).into_iter().flatten().map(dilation));
    }

    repairs.extend(expected_padding(case, p[0] + p[1]));
    if (Case {
        crop: true,
        ..*case
    })
    .fits()
    {
        repairs.push(Repair::Crop);
    }
    if case.pool && case.rounds(0) {
        repairs.push(Repair::Round);
    }
    repairs
}

/// The nearest P below F, the larger of two; or else (before, after) with an odd sum.
fn expected_padding(case: &Case, sum: usize) -> Option<Repair> {
    let pad = |zeros: usize| {
        let (before, after) = (zeros / 2, zeros - zeros / 2);
        Repair::Pad([before, after, before, after])
    };
    [0, 1].into_iter().find_map(|odd| {
        let covers = case.covers(0);
        let sums = (0..2 * covers).filter(|zeros| zeros % 2 == odd);
        let fits = |zeros: &usize| (zeros - zeros / 2) < covers && case.with(pad(*zeros)).fits();
        sums.filter(fits)
            .min_by_key(|zeros| (zeros.abs_diff(sum), usize::MAX - zeros))
            .map(pad)
    })
}

#[test]
fn every_repair_of_a_rectangle_is_one_on_both_axes() {
    let mut offered = 0;
    for h in 1..=7 {
        for w in 1..=7 {
            for (fh, fw) in [(1, 1), (2, 2), (3, 3), (3, 2), (1, 4)] {
                for (sh, sw) in [(1, 1), (2, 2), (3, 3), (2, 3)] {
                    for p in [[[0, 0], [0, 0]], [[1, 1], [1, 1]], [[0, 1], [1, 0]]] {
                        for pool in [false, true] {
                            let case = Case {
                                w: [h, w],
                                f: [fh, fw],
                                d: [1, 1],
                                s: [sh, sw],
                                p,
                                pool,
                                crop: false,
                                round: false,
                            };
                            let text = case.message();
                            assert_eq!(text.is_none(), case.fits(), "{case:?}");
                            for repair in text.iter().flat_map(|text| repairs(text)) {
                                assert!(
                                    case.with(repair).fits(),
                                    "{repair:?} of {case:?}: {text:?}"
                                );
                                offered += 1;
                            }
                        }
                    }
                }
            }
        }
    }
    assert!(
        offered > 5_000,
        "the space is too small to show anything: {offered}"
    );
}

#[test]
fn same_with_a_stride_is_answered_with_padding_that_fits() {
    for (w, f, s) in [(32, 3, 2), (7, 3, 2), (224, 7, 2), (9, 5, 3)] {
        let text = message([w, w], window(f, s, Padding::Same), false).unwrap();
        assert!(text.contains(&format!(
            "pad = same keeps height and width, and a stride of {s} does not"
        )));
        let found = repairs(&text);
        assert!(found.contains(&Repair::Stride([1; 2])), "{text}");
        for repair in found
            .into_iter()
            .filter(|repair| matches!(repair, Repair::Pad(_)))
        {
            let case = Case {
                w: [w; 2],
                f: [f; 2],
                d: [1; 2],
                s: [s; 2],
                p: [[0; 2]; 2],
                pool: false,
                crop: false,
                round: false,
            };
            assert!(case.with(repair).fits(), "{text}");
        }
    }
}
