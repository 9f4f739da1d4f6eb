//! The declaration as one would write it.

use std::fmt::{self, Write as _};

use crate::blocks::{Item, Way};
use crate::names::Names;
use crate::network::{Network, What};

/// The text of `convnet! { … }`, with the volume behind each line that changes it.
pub(crate) fn write(network: &Network, items: &[Item], names: &Names, name: &str) -> String {
    let [height, width, depth] = network.input;
    let mut writer = Writer {
        network,
        names,
        volume: network.input,
        given: 0,
        begun: 0,
    };
    let mut lines = vec![Line::new(
        2,
        format!("input({width}x{height}x{depth}),"),
        None,
    )];
    lines.extend(writer.items(2, items));
    let mut text = format!("convnet::convnet! {{\n    pub struct {name} {{\n");
    for line in lines {
        let indent = 4 * line.depth;
        // A `String` takes all that is written to it.
        _ = match line.volume {
            Some([h, w, d]) => writeln!(text, "{:indent$}{} // {w}x{h}x{d}", "", line.text),
            None => writeln!(text, "{:indent$}{}", "", line.text),
        };
    }
    text + "    }\n}\n"
}

#[derive(Clone)]
struct Line {
    depth: usize,
    text: String,
    /// What is written there, if it is another than before.
    volume: Option<[usize; 3]>,
}

impl Line {
    fn new(depth: usize, text: String, volume: Option<[usize; 3]>) -> Self {
        Self {
            depth,
            text,
            volume,
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.depth == other.depth && self.text == other.text
    }
}

struct Writer<'a> {
    network: &'a Network,
    names: &'a Names,
    /// What the line before wrote.
    volume: [usize; 3],
    /// How many outputs there are in the lines before.
    given: usize,
    /// How many ways that begin elsewhere.
    begun: usize,
}

impl Writer<'_> {
    fn items(&mut self, depth: usize, items: &[Item]) -> Vec<Line> {
        let items: Vec<Vec<Line>> = items.iter().map(|item| self.item(depth, item)).collect();
        repeated(depth, items)
    }

    fn item(&mut self, depth: usize, item: &Item) -> Vec<Line> {
        let plain = |depth: usize, text: &str| Line::new(depth, text.to_owned(), None);
        let mut lines = Vec::new();
        match item {
            Item::Layer(step) => {
                let it = &self.network.steps[*step];
                let What::Layer(op) = &it.what else {
                    return lines;
                };
                let text = format!("{}{op},", self.name(*step));
                let volume = (it.volume != self.volume).then_some(it.volume);
                lines.push(Line::new(depth, text, volume));
                self.volume = it.volume;
            }
            Item::Residual {
                step,
                body,
                shortcut,
            } => {
                let input = self.volume;
                lines.push(plain(depth, &format!("{}residual {{", self.name(*step))));
                lines.extend(self.items(depth + 1, body));
                if !shortcut.is_nothing() {
                    self.volume = input;
                    lines.extend(self.way(depth + 1, "shortcut ", shortcut, ['{', '}']));
                }
                lines.push(plain(depth, "},"));
                self.volume = self.network.steps[*step].volume;
            }
            Item::Scale { step, body } => {
                lines.push(plain(depth, &format!("{}scale {{", self.name(*step))));
                lines.extend(self.items(depth + 1, body));
                lines.push(plain(depth, "},"));
                self.volume = self.network.steps[*step].volume;
            }
            Item::Group { name, items } => {
                let inner = self.items(depth + 1, items);
                // A repetition, and nothing else, has one pair of brackets.
                let alone = inner.first().is_some_and(|it| it.text == "[")
                    && inner.iter().filter(|it| it.depth == depth + 1).count() == 2;
                if alone {
                    lines.extend(inner.into_iter().map(|line| Line {
                        depth: line.depth - 1,
                        ..line
                    }));
                    lines[0].text = format!("{name}: [");
                } else {
                    lines.push(plain(depth, &format!("{name}: [")));
                    lines.extend(inner);
                    lines.push(plain(depth, "],"));
                }
            }
            Item::Outputs { step, ways } => {
                let input = self.volume;
                lines.push(plain(depth, "outputs {"));
                for (at, way) in ways {
                    self.volume = input;
                    let name = format!("{}: ", self.names.output(*at));
                    lines.extend(self.way(depth + 1, &name, way, ['[', ']']));
                }
                self.given += ways.len();
                // The last ones make the vector of all whole.
                let whole = self.given == self.names.outputs.len();
                let volume = whole.then_some(self.network.steps[*step].volume);
                lines.push(Line::new(depth, "},".to_owned(), volume));
                self.volume = input;
            }
            Item::Concat { step, ways } => {
                let input = self.volume;
                lines.push(plain(depth, &format!("{}concat {{", self.name(*step))));
                for way in ways {
                    self.volume = input;
                    lines.extend(self.way(depth + 1, "", way, ['[', ']']));
                }
                let volume = self.network.steps[*step].volume;
                lines.push(Line::new(depth, "},".to_owned(), Some(volume)));
                self.volume = volume;
            }
        }
        if let Some(path) = item.step().and_then(|step| self.names.forks.get(&step)) {
            let name = path.rsplit('.').next().unwrap_or_default();
            lines.push(plain(depth, &format!("{name}: flatten,")));
        }
        lines
    }

    /// A way between brackets, `name` in front of it.
    fn way(&mut self, depth: usize, name: &str, way: &Way, [open, close]: [char; 2]) -> Vec<Line> {
        let plain = |depth: usize, text: String| Line::new(depth, text, None);
        if way.is_nothing() {
            return vec![plain(depth, format!("{name}{open}{close},"))];
        }
        let mut lines = vec![plain(depth, format!("{name}{open}"))];
        if let Some(from) = way.from {
            let name = &self.names.starts[self.begun];
            self.begun += 1;
            lines.push(plain(depth + 1, format!("from = {name},")));
            self.volume = self.network.volume(from);
        }
        lines.extend(self.items(depth + 1, &way.items));
        lines.push(plain(depth, format!("{close},")));
        lines
    }

    fn name(&self, step: usize) -> impl fmt::Display + use<> {
        match self.names.written.get(&step) {
            Some(name) => format!("{name}: "),
            None => String::new(),
        }
    }
}

/// The lines of all items; neighbours that are written alike, and have no names, as `[…] * N`, where that saves
/// some. Names stay what they are: what has none is counted in brackets as it is without.
fn repeated(depth: usize, items: Vec<Vec<Line>>) -> Vec<Line> {
    /// What brackets are worth.
    const SAVED: usize = 4;
    let alike =
        |a: &Vec<Line>, b: &Vec<Line>| a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.is(b));
    let unnamed = |item: &Vec<Line>| {
        let named = |line: &Line| {
            line.text
                .split(['(', '[', '{'])
                .next()
                .is_some_and(|it| it.contains(':'))
        };
        !item.first().is_some_and(named)
    };
    let (mut lines, mut at) = (Vec::new(), 0);
    while at < items.len() {
        // How many items are how often there, and how many lines are then not written.
        let mut best: Option<(usize, usize, usize)> = None;
        for period in 1..=(items.len() - at) / 2 {
            let unit = &items[at..at + period];
            if !unit.iter().all(unnamed) {
                break;
            }
            let units = items[at..].chunks_exact(period);
            let times = units
                .take_while(|other| unit.iter().zip(*other).all(|(a, b)| alike(a, b)))
                .count();
            let saved = (times - 1) * unit.iter().map(Vec::len).sum::<usize>();
            if saved >= SAVED && best.is_none_or(|(_, _, most)| saved > most) {
                best = Some((period, times, saved));
            }
        }
        let Some((period, times, _)) = best else {
            lines.extend(items[at].iter().cloned());
            at += 1;
            continue;
        };
        // What is repeated may begin later, as long as it is there as often: with a layer that has filters, or a
        // block, as one would write it.
        let later = (0..items.len() - at - period * times)
            .take_while(|&by| alike(&items[at + by], &items[at + by + period * times]));
        let begins = |by: &usize| {
            let first = items[at + by].first().map_or("", |line| line.text.as_str());
            let words = ["conv", "depthwise", "fc", "residual", "scale", "concat"];
            words.iter().any(|word| first.starts_with(word))
        };
        let by = (0..=later.count()).rev().find(begins).unwrap_or(0);
        lines.extend(items[at..at + by].iter().flatten().cloned());
        at += by;
        let all: Vec<Vec<&Line>> = items[at..at + period * times]
            .chunks_exact(period)
            .map(|unit| unit.iter().flatten().collect())
            .collect();
        lines.push(Line::new(depth, "[".to_owned(), None));
        for (place, line) in all[0].iter().enumerate() {
            // A volume that is one each time.
            let volume = line
                .volume
                .filter(|_| all.iter().all(|unit| unit[place].volume == line.volume));
            lines.push(Line::new(line.depth + 1, line.text.clone(), volume));
        }
        lines.push(Line::new(depth, format!("] * {times},"), None));
        at += period * times;
    }
    lines
}
