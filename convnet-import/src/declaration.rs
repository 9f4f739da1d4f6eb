//! The declaration as one would write it.

use std::fmt::{self, Write as _};

use crate::blocks::Item;
use crate::names::Names;
use crate::network::{Network, What};

/// The text of `convnet! { … }`, with the volume behind each line that changes it.
pub(crate) fn write(network: &Network, items: &[Item], names: &Names, name: &str) -> String {
    let [height, width, depth] = network.input;
    let mut writer = Writer {
        network,
        names,
        text: String::new(),
        volume: network.input,
    };
    writer.line(2, &format!("input({width}x{height}x{depth}),"), None);
    writer.items(2, items);
    let lines = writer.text;
    format!("convnet::convnet! {{\n    pub struct {name} {{\n{lines}    }}\n}}\n")
}

struct Writer<'a> {
    network: &'a Network,
    names: &'a Names,
    text: String,
    /// What the line before wrote.
    volume: [usize; 3],
}

impl Writer<'_> {
    fn items(&mut self, depth: usize, items: &[Item]) {
        for item in items {
            match item {
                Item::Layer(step) => {
                    let it = &self.network.steps[*step];
                    let What::Layer(op) = &it.what else { continue };
                    let line = format!("{}{op},", self.name(*step));
                    let volume = (it.volume != self.volume).then_some(it.volume);
                    self.line(depth, &line, volume);
                    self.volume = it.volume;
                }
                Item::Residual {
                    step,
                    body,
                    shortcut,
                } => {
                    let input = self.volume;
                    self.line(depth, &format!("{}residual {{", self.name(*step)), None);
                    self.items(depth + 1, body);
                    if !shortcut.is_empty() {
                        self.volume = input;
                        self.line(depth + 1, "shortcut {", None);
                        self.items(depth + 2, shortcut);
                        self.line(depth + 1, "},", None);
                    }
                    self.line(depth, "},", None);
                    self.volume = self.network.steps[*step].volume;
                }
                Item::Group { name, items } => {
                    self.line(depth, &format!("{name}: ["), None);
                    self.items(depth + 1, items);
                    self.line(depth, "],", None);
                }
                Item::Scale { step, body } => {
                    self.line(depth, &format!("{}scale {{", self.name(*step)), None);
                    self.items(depth + 1, body);
                    self.line(depth, "},", None);
                    self.volume = self.network.steps[*step].volume;
                }
                Item::Concat { step, ways } => {
                    let input = self.volume;
                    self.line(depth, &format!("{}concat {{", self.name(*step)), None);
                    for way in ways {
                        self.volume = input;
                        if way.is_empty() {
                            self.line(depth + 1, "[],", None);
                            continue;
                        }
                        self.line(depth + 1, "[", None);
                        self.items(depth + 2, way);
                        self.line(depth + 1, "],", None);
                    }
                    let volume = self.network.steps[*step].volume;
                    self.line(depth, "},", Some(volume));
                    self.volume = volume;
                }
            }
        }
    }

    fn name(&self, step: usize) -> impl fmt::Display + use<> {
        match self.names.written.get(&step) {
            Some(name) => format!("{name}: "),
            None => String::new(),
        }
    }

    fn line(&mut self, depth: usize, line: &str, volume: Option<[usize; 3]>) {
        let indent = 4 * depth;
        // A `String` takes all that is written to it.
        _ = match volume {
            Some([h, w, d]) => writeln!(self.text, "{:indent$}{line} // {w}x{h}x{d}", ""),
            None => writeln!(self.text, "{:indent$}{line}", ""),
        };
    }
}
