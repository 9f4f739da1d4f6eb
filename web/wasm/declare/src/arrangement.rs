//! The picture of *spatial arrangement*: where filters come to lie, or why they do not fit and what would.

use convnet_core::graph::Op;
use convnet_core::plan::{self, place};
use convnet_core::shape::{Fit, Padding, Window};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::wasm_bindgen;

/// What the sliders say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct Setting {
    /// Whether there are rows, or else one row of numbers.
    pub rows: bool,
    /// H, W: 1 high if there are no rows.
    pub input: [usize; 2],
    /// F.
    pub filter: usize,
    /// S.
    pub stride: usize,
    /// P before, and after.
    pub padding: [usize; 2],
    /// Whether what is left over is dropped, `fit = crop`.
    pub crop: bool,
}

/// What comes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Arrangement {
    /// As it is declared.
    pub declaration: String,
    /// The rows and columns at which filters begin, negative on zeros; if something is left over, of those before it.
    pub positions: [Vec<i32>; 2],
    /// Rows and columns of the image, and of the zeros behind it, that are left over.
    pub left: [usize; 2],
    /// The formula with these numbers; empty if they do not fit.
    pub formula: String,
    /// What the compiler says if they do not fit.
    pub message: Option<String>,
    /// What would fit.
    pub repairs: Vec<Repair>,
}

/// A setting that fits, and what changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Repair {
    /// `W = 11`.
    pub text: String,
    /// The setting.
    pub setting: Setting,
}

/// As [`Setting::arrange`], for JavaScript.
///
/// # Errors
///
/// If it is no setting.
#[wasm_bindgen]
pub fn arrange(setting: Ts<Setting>) -> Result<Ts<Arrangement>, String> {
    let setting = setting.to_rust().map_err(|error| error.to_string())?;
    setting
        .arrange()
        .into_ts()
        .map_err(|error| error.to_string())
}

impl Setting {
    /// Slides.
    #[must_use]
    pub fn arrange(&self) -> Arrangement {
        let [height, width] = self.input;
        let op = Op::conv(1, self.window());
        let failure = place([height, width, 1], &[op]).err();
        let cropped = Self {
            crop: true,
            ..*self
        };
        let placed = cropped.window().place(self.input);
        let (positions, left) = placed.map_or_else(
            |_| Default::default(),
            |placed| {
                let strides = self.window().stride;
                let begin = |axis: usize| {
                    let begin = |i| (i * strides[axis]) as i32 - placed[axis].before as i32;
                    (0..placed[axis].output).map(begin).collect::<Vec<_>>()
                };
                ([begin(0), begin(1)], placed.map(|it| it.lost + it.spared))
            },
        );
        let formula = match failure {
            None => self.formula([positions[0].len(), positions[1].len()]),
            Some(_) => String::new(),
        };
        Arrangement {
            declaration: format!("input({width}x{height}x1), {op}"),
            positions,
            left,
            formula,
            message: failure.map(|it| it.message("conv1", &op).to_string()),
            repairs: failure.map_or_else(Vec::new, |failure| {
                let repairs = failure.repairs(&op);
                repairs.filter_map(|it| self.repaired(it)).collect()
            }),
        }
    }

    /// The formula, of a line for each axis that has other numbers.
    fn formula(&self, outputs: [usize; 2]) -> String {
        let line = |letter: char, size: usize, output: usize| {
            let Self { filter, stride, .. } = self;
            let [before, after] = self.padding;
            let (zeros, sum) = match before == after {
                true => ("2P".to_owned(), format!("2·{before}")),
                false => ("P + P′".to_owned(), format!("{before} + {after}")),
            };
            let down = if self.crop { ", rounded down," } else { "" };
            format!(
                "({letter} − F + {zeros})/S + 1 = ({size} − {filter} + {sum})/{stride} + 1{down} = {output}"
            )
        };
        let width = line('W', self.input[1], outputs[1]);
        match self.rows && self.input[0] != self.input[1] {
            true => format!("{width}\n{}", line('H', self.input[0], outputs[0])),
            false => width,
        }
    }

    fn window(&self) -> Window {
        let high = |n, flat| if self.rows { n } else { flat };
        let [before, after] = self.padding;
        Window {
            size: [high(self.filter, 1), self.filter],
            stride: [high(self.stride, 1), self.stride],
            dilation: [1; 2],
            padding: Padding::Zeros {
                top: high(before, 0),
                bottom: high(after, 0),
                left: before,
                right: after,
            },
            fit: if self.crop { Fit::Crop } else { Fit::Exact },
        }
    }

    /// The sliders after a repair; nothing if they cannot say it, for it is another one in rows and in columns.
    fn repaired(&self, plan::Repair { input, window }: plan::Repair) -> Option<Repair> {
        let Padding::Zeros { left, right, .. } = window.padding else {
            return None;
        };
        let setting = Self {
            rows: self.rows,
            input,
            filter: window.size[1],
            stride: window.stride[1],
            padding: [left, right],
            crop: window.fit == Fit::Crop,
        };
        let text = match setting {
            _ if setting.window() != window => return None,
            Self { input: [h, w], .. } if input != self.input => match self.rows && h != w {
                true => format!("input {w}x{h}"),
                false => format!("W = {w}"),
            },
            Self { filter, .. } if filter != self.filter => format!("F = {filter}"),
            Self { stride, .. } if stride != self.stride => format!("S = {stride}"),
            Self {
                padding: [p, q], ..
            } if p == q && setting.padding != self.padding => format!("P = {p}"),
            Self {
                padding: [p, q], ..
            } if setting.padding != self.padding => format!("pad = ({p}, {q})"),
            Self { .. } => "fit = crop".to_owned(),
        };
        Some(Repair { text, setting })
    }
}

#[cfg(test)]
mod tests {
    use super::Setting;

    fn line(w: usize, filter: usize, stride: usize, p: usize) -> Setting {
        Setting {
            rows: false,
            input: [1, w],
            filter,
            stride,
            padding: [p; 2],
            crop: false,
        }
    }

    #[test]
    fn cs231ns_line_of_five_has_three_neurons_or_five() {
        let wide = line(5, 3, 2, 1).arrange();
        assert_eq!(wide.positions, [vec![0], vec![-1, 1, 3]]);
        assert_eq!(wide.formula, "(W − F + 2P)/S + 1 = (5 − 3 + 2·1)/2 + 1 = 3");
        let dense = line(5, 3, 1, 1).arrange();
        assert_eq!(dense.positions[1], [-1, 0, 1, 2, 3]);
    }

    #[test]
    fn cs231ns_ten_do_not_fit_and_each_repair_does() {
        for rows in [false, true] {
            let mut ten = line(10, 3, 2, 0);
            (ten.rows, ten.input) = (rows, [if rows { 10 } else { 1 }, 10]);
            let found = ten.arrange();
            let message = found.message.expect("they do not fit");
            assert!(message.contains("(10 − 3 + 2·0)/2 + 1 = 4.5"), "{message}");
            assert_eq!((found.positions[1].len(), found.left[1]), (4, 1));
            assert!(found.repairs.len() >= 5, "{:?}", found.repairs);
            for repair in found.repairs {
                assert_eq!(repair.setting.arrange().message, None, "{}", repair.text);
            }
        }
    }
}
