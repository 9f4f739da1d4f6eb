//! Random declarations of the whole grammar, as trees that a test can change and write out again.

use std::fmt::Write;

/// SplitMix64: the same declarations for the same seed, everywhere.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Once in `n`.
    pub(super) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// A declaration. Pairs are width, height, as one writes them.
#[derive(Clone)]
pub(super) struct Net {
    row_by_row: bool,
    pub(super) image: [usize; 3],
    pub(super) items: Vec<Item>,
}

/// A line. Layers and blocks have a number each, which is in their name, `l3_`, `b3_`; what is
/// repeated may have one, `g3_`.
#[derive(Clone)]
pub(super) enum Item {
    Layer(usize, Layer),
    Residual(usize, Vec<Item>, Vec<Item>),
    Concat(usize, Vec<Vec<Item>>),
    Repeat(Option<usize>, Vec<Item>, usize),
}

#[derive(Clone)]
pub(super) enum Layer {
    /// As it is written, without a window.
    Text(String),
    Conv {
        filters: usize,
        groups: usize,
        bias: bool,
        window: Window,
    },
    Depthwise(Window),
    Transpose(usize, Window),
    /// Its word.
    Pool(&'static str, Window),
    Fc(usize),
}

#[derive(Clone, Debug)]
pub(super) struct Window {
    pub(super) size: [usize; 2],
    pub(super) stride: Option<[usize; 2]>,
    pub(super) dilation: Option<[usize; 2]>,
    /// As it is written.
    pub(super) pad: Option<String>,
    pub(super) fit: Option<&'static str>,
}

impl Net {
    /// Most of them have a mistake.
    pub(super) fn random(random: &mut Random) -> Self {
        let side = random.pick(&[5, 7, 8, 9, 12, 16, 17, 28, 32, 33]);
        let other = random.pick(&[4, 6, 11, 15]);
        let depth = random.pick(&[1, 2, 3, 4, 8]);
        let image = match random.below(8) {
            0 => [side, other, depth],
            1 => [random.pick(&[1, 3]), side, side],
            _ => [side, side, depth],
        };
        let mut number = 0;
        let items = items(random, &mut number, 0);
        let row_by_row = random.once_in(4);
        Self {
            row_by_row,
            image,
            items,
        }
    }

    /// The declaration; with `named`, some of its numbers by the name of a `const`: `N3` is 3.
    pub(super) fn text(&self, named: Option<&mut Random>) -> String {
        let mut writer = Writer {
            text: String::new(),
            named,
        };
        if self.row_by_row {
            writer.text += "#[row_by_row] ";
        }
        writer.text += "struct Net { input(";
        writer.size(&self.image);
        writer.text += "), ";
        writer.items(&self.items);
        writer.text += "}";
        writer.text
    }

    /// Every repetition written out, and numbers anew; which number each had.
    pub(super) fn unrolled(&self) -> (Self, Vec<usize>) {
        let mut numbers = Vec::new();
        let items = unroll(&self.items, &mut numbers);
        (
            Self {
                items,
                ..self.clone()
            },
            numbers,
        )
    }

    /// The lines in which the one of that number stands, and where.
    pub(super) fn find(&mut self, number: usize) -> Option<(&mut Vec<Item>, usize)> {
        find(&mut self.items, number)
    }

    /// Whether the line of that number stands in a repetition.
    pub(super) fn repeats(&self, number: usize) -> bool {
        let (_, numbers) = self.unrolled();
        numbers.iter().filter(|it| **it == number).count() > 1
    }
}

fn items(random: &mut Random, number: &mut usize, depth: usize) -> Vec<Item> {
    let count = 1 + random.below(3);
    (0..count).map(|_| item(random, number, depth)).collect()
}

fn item(random: &mut Random, number: &mut usize, depth: usize) -> Item {
    let kind = if depth < 3 { random.below(12) } else { 9 };
    if kind < 2 {
        let items = items(random, number, depth + 1);
        *number += 1;
        let name = random.once_in(3).then_some(*number);
        return Item::Repeat(name, items, 1 + random.below(4));
    }
    *number += 1;
    let own = *number;
    match kind {
        2 => {
            let body = items(random, number, depth + 1);
            let shortcut = match random.once_in(3) {
                true => items(random, number, depth + 1),
                false => vec![],
            };
            Item::Residual(own, body, shortcut)
        }
        3 => {
            let branches = 2 + random.below(2);
            let branch = |_| match random.once_in(5) {
                true => vec![],
                false => items(random, number, depth + 1),
            };
            Item::Concat(own, (0..branches).map(branch).collect())
        }
        _ => Item::Layer(own, layer(random)),
    }
}

fn layer(random: &mut Random) -> Layer {
    let filters = random.pick(&[1, 2, 3, 4, 6, 8]);
    match random.below(16) {
        0..=5 => Layer::Conv {
            filters,
            groups: match random.once_in(4) {
                true => random.pick(&[2, 3, 4]),
                false => 1,
            },
            bias: !random.once_in(4),
            window: window(random, true),
        },
        6 => Layer::Depthwise(window(random, true)),
        7 => {
            let mut window = window(random, false);
            window.fit = None;
            Layer::Transpose(filters, window)
        }
        8..=11 => Layer::Pool(
            random.pick(&["max_pool", "avg_pool"]),
            window(random, false),
        ),
        12 => match random.once_in(3) {
            true => Layer::Fc(filters),
            false => Layer::Text(random.pick(&["global_avg_pool", "global_max_pool"]).into()),
        },
        13 => Layer::Text(
            random
                .pick(&["batch_norm", "lrn(3)", "dropout(0.5)"])
                .into(),
        ),
        14 => Layer::Text(
            random
                .pick(&[
                    "tanh",
                    "hard_swish",
                    "hard_sigmoid",
                    "leaky_relu(0.1)",
                    "silu",
                    "clamp(-1.0, 0.5)",
                ])
                .into(),
        ),
        _ => Layer::Text("relu".into()),
    }
}

fn window(random: &mut Random, dilates: bool) -> Window {
    let side = random.pick(&[1, 2, 3, 3, 3, 4, 5, 7]);
    let size = match random.below(5) {
        0 => [side, 1],
        1 => [random.pick(&[1, 2, 5]), side],
        _ => [side; 2],
    };
    let step = random.pick(&[1, 2, 2, 3, 4]);
    let stride = match random.below(5) {
        0 | 1 => None,
        2 => Some([step, 1]),
        _ => Some([step; 2]),
    };
    let zeros = random.below(4);
    let pad = match random.below(8) {
        0 => Some("same".into()),
        1 => Some(format!("(0, {zeros})")),
        2 => Some(format!("({zeros}, 1, 0, {zeros})")),
        3 | 4 => Some(zeros.to_string()),
        5 => Some((side / 2).to_string()),
        _ => None,
    };
    Window {
        size,
        stride,
        dilation: (dilates && random.once_in(6)).then(|| [random.pick(&[2, 3]); 2]),
        pad,
        fit: random
            .once_in(8)
            .then(|| random.pick(&["crop", "pad", "exact"])),
    }
}

fn unroll(items: &[Item], numbers: &mut Vec<usize>) -> Vec<Item> {
    let mut all = Vec::new();
    for item in items {
        let mut again = |number: usize| {
            numbers.push(number);
            numbers.len() - 1
        };
        all.push(match item {
            Item::Layer(number, layer) => Item::Layer(again(*number), layer.clone()),
            Item::Residual(number, body, shortcut) => {
                let own = again(*number);
                Item::Residual(own, unroll(body, numbers), unroll(shortcut, numbers))
            }
            Item::Concat(number, branches) => {
                let own = again(*number);
                let branches = branches.iter().map(|branch| unroll(branch, numbers));
                Item::Concat(own, branches.collect())
            }
            Item::Repeat(_, items, count) => {
                (0..*count).for_each(|_| all.extend(unroll(items, numbers)));
                continue;
            }
        });
    }
    all
}

fn find(items: &mut Vec<Item>, number: usize) -> Option<(&mut Vec<Item>, usize)> {
    let own = |item: &Item| match item {
        Item::Layer(own, _) | Item::Residual(own, ..) | Item::Concat(own, _) => *own == number,
        Item::Repeat(..) => false,
    };
    if let Some(at) = items.iter().position(own) {
        return Some((items, at));
    }
    let mut inside = items.iter_mut().flat_map(inside);
    inside.find_map(|items| find(items, number))
}

/// The lists of lines in a line.
fn inside(item: &mut Item) -> Vec<&mut Vec<Item>> {
    match item {
        Item::Layer(..) => vec![],
        Item::Residual(_, body, shortcut) => vec![body, shortcut],
        Item::Concat(_, branches) => branches.iter_mut().collect(),
        Item::Repeat(_, items, _) => vec![items],
    }
}

/// Writes a declaration.
struct Writer<'a> {
    text: String,
    named: Option<&'a mut Random>,
}

impl Writer<'_> {
    fn number(&mut self, number: usize) {
        let named = self.named.as_mut().is_some_and(|random| random.once_in(4));
        let name = if named { "N" } else { "" };
        _ = write!(self.text, "{name}{number}");
    }

    /// `3x3`; with names `N3 x 3`.
    fn size(&mut self, numbers: &[usize]) {
        for (i, number) in numbers.iter().enumerate() {
            self.text += match (i, self.named.is_some()) {
                (0, _) => "",
                (_, true) => " x ",
                (_, false) => "x",
            };
            self.number(*number);
        }
    }

    fn items(&mut self, items: &[Item]) {
        for item in items {
            self.item(item);
            self.text += ", ";
        }
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Layer(number, layer) => {
                _ = write!(self.text, "l{number}_: ");
                self.layer(layer);
            }
            Item::Residual(number, body, shortcut) => {
                _ = write!(self.text, "b{number}_: residual {{ ");
                self.items(body);
                if !shortcut.is_empty() {
                    self.text += "shortcut { ";
                    self.items(shortcut);
                    self.text += "}";
                }
                self.text += "}";
            }
            Item::Concat(number, branches) => {
                _ = write!(self.text, "b{number}_: concat {{ ");
                for branch in branches {
                    self.text += "[";
                    self.items(branch);
                    self.text += "], ";
                }
                self.text += "}";
            }
            Item::Repeat(name, items, count) => {
                if let Some(name) = name {
                    _ = write!(self.text, "g{name}_: ");
                }
                self.text += "[";
                self.items(items);
                _ = write!(self.text, "] * {count}");
            }
        }
    }

    fn layer(&mut self, layer: &Layer) {
        match layer {
            Layer::Text(text) => self.text += text,
            Layer::Conv {
                filters,
                groups,
                bias,
                window,
            } => {
                self.text += "conv(";
                self.number(*filters);
                self.text += ", ";
                self.window(window);
                if *groups != 1 {
                    _ = write!(self.text, ", groups = {groups}");
                }
                self.text += if *bias { ")" } else { ", bias = none)" };
            }
            Layer::Depthwise(window) => {
                self.text += "depthwise(";
                self.window(window);
                self.text += ")";
            }
            Layer::Transpose(filters, window) => {
                self.text += "conv_transpose(";
                self.number(*filters);
                self.text += ", ";
                self.window(window);
                self.text += ")";
            }
            Layer::Pool(word, window) => {
                self.text += word;
                self.text += "(";
                self.window(window);
                self.text += ")";
            }
            Layer::Fc(filters) => {
                self.text += "fc(";
                self.number(*filters);
                self.text += ")";
            }
        }
    }

    fn window(&mut self, window: &Window) {
        self.size(&window.size);
        for (name, value) in [("stride", window.stride), ("dilation", window.dilation)] {
            if let Some(value) = value {
                _ = write!(self.text, ", {name} = ");
                self.size(&value);
            }
        }
        if let Some(pad) = &window.pad {
            _ = write!(self.text, ", pad = {pad}");
        }
        if let Some(fit) = window.fit {
            _ = write!(self.text, ", fit = {fit}");
        }
    }
}
