//! What a declaration that does not fit is answered: what is wrong, what would fit, what
//! `fit = crop` would cost. The macro and the constants of generated programs show the same text.

use core::fmt;

mod meeting;

use super::{Failure, Op};
use crate::shape::{Axis, Misfit, Padding, Placed, Repairs, Window};
use crate::text::Text;

/// A message, lines separated by `\n`.
pub type Message = Text<1024>;

impl Failure {
    /// The message for the layer called `name` that was declared as `op`.
    ///
    /// ```
    /// use convnet_core::plan::{Op, place};
    /// use convnet_core::shape::Window;
    ///
    /// let op = Op::conv(96, Window::square(11, 4, 0));
    /// let failure = place([224, 224, 3], &[op]).unwrap_err();
    /// assert_eq!(
    ///     failure.message("conv1", &op).as_str(),
    ///     "conv1 does not fit: (W − F + 2P)/S + 1 = (224 − 11 + 2·0)/4 + 1 = 54.25 is not an integer
    /// an input of 223 or 227, or a filter of 8 or 12, or a stride of 1 or 3, or pad = (1, 2), would fit
    /// fit = crop would drop the last column and row"
    /// );
    /// ```
    #[must_use]
    pub const fn message(&self, name: &str, op: &Op) -> Message {
        let mut text = Message::new();
        let [height, width, depth] = self.input;
        match (self.misfit, op.window()) {
            (
                Misfit::Larger(_) | Misfit::Remainder(_) | Misfit::Border(_),
                Some((window, pool)),
            ) => {
                write_axes(&mut text, name, &window, self.input, pool);
                write_repairs(&mut text, &window, [height, width], pool);
            }
            (misfit @ Misfit::Same { .. }, Some((window, pool))) => {
                write_one(&mut text, name, "", &misfit, "W");
                write_repairs(&mut text, &window, [height, width], pool);
            }
            (Misfit::AfterFc(axis), _) => {
                text.push_str(name).push_str(" does not fit: an fc leaves ");
                write_pair(&mut text, [height, width]);
                text.push_str("x")
                    .push_number(depth)
                    .push_str(", nothing for a filter of ");
                text.push_number(axis.filter)
                    .push_str(" to slide over\nput ")
                    .push_str(name);
                text.push_str(" before the fc");
            }
            (misfit @ (Misfit::Sum { .. } | Misfit::Slices { .. }), _) => {
                write_one(&mut text, name, "", &misfit, "W");
                meeting::write(&mut text, &misfit);
            }
            (misfit @ Misfit::Reads { found, .. }, _) => {
                write_one(&mut text, name, "", &misfit, "W");
                text.push_str("\ninput(")
                    .push_volume(found)
                    .push_str(") in the declaration of that network would fit");
            }
            (misfit, _) => {
                write_one(&mut text, name, "", &misfit, "W");
                if let Misfit::Groups {
                    groups: groups @ 2..,
                    depth,
                    filters,
                } = misfit
                {
                    write_groups(&mut text, groups, depth, filters);
                }
            }
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [height, width, depth] = self.input;
        let Self { layer, misfit, .. } = self;
        write!(
            f,
            "layer {layer} does not fit its input of {width}x{height}x{depth}: {misfit}"
        )
    }
}

impl core::error::Error for Failure {}

impl Op {
    /// How the layer slides, if it does, and whether it is a pool.
    const fn window(&self) -> Option<(Window, bool)> {
        match self {
            Self::Conv { window, .. } | Self::Depthwise { window, .. } => Some((*window, false)),
            Self::MaxPool(window) | Self::RowPool { window, .. } | Self::AvgPool(window) => {
                Some((*window, true))
            }
            _ => None,
        }
    }
}

/// A line for each axis that fails; one for both where they have the same numbers.
const fn write_axes(
    text: &mut Message,
    name: &str,
    window: &Window,
    [height, width, _]: [usize; 3],
    pool: bool,
) {
    let (Ok(rows), Ok(columns)) = (window.axis(0, height), window.axis(1, width)) else {
        return;
    };
    match (misfit(&columns, pool), misfit(&rows, pool)) {
        (Some(width), Some(_)) if rows.same_as(&columns) => write_one(text, name, "", &width, "W"),
        (width, height) => {
            if let Some(misfit) = &width {
                write_one(text, name, " the width", misfit, "W");
            }
            if width.is_some() && height.is_some() {
                text.push_str("\n");
            }
            if let Some(misfit) = &height {
                write_one(text, name, " the height", misfit, "H");
            }
        }
    }
}

const fn misfit(axis: &Axis, pool: bool) -> Option<Misfit> {
    match if pool {
        axis.place_pool()
    } else {
        axis.place()
    } {
        Ok(_) => None,
        Err(misfit) => Some(misfit),
    }
}

const fn write_one(text: &mut Message, name: &str, what: &str, misfit: &Misfit, letter: &str) {
    text.push_str(name)
        .push_str(" does not fit")
        .push_str(what)
        .push_str(": ");
    misfit.write(text, letter);
}

/// `groups = 2 or 4, or 15 or 18 filters, would fit`: the nearest that divide depth and filters, and
/// where the depth is not to blame the nearest numbers of filters that are divided.
const fn write_groups(text: &mut Message, groups: usize, depth: usize, filters: usize) {
    let most = common(depth, filters);
    let mut below = if groups > most { most } else { groups - 1 };
    while !most.is_multiple_of(below) {
        below -= 1;
    }
    let mut above = groups + 1;
    while above < most && !most.is_multiple_of(above) {
        above += 1;
    }
    text.push_str("\ngroups = ").push_number(below);
    if above <= most {
        text.push_str(" or ").push_number(above);
    }
    if depth.is_multiple_of(groups) {
        let fewer = filters / groups * groups;
        text.push_str(", or ");
        if fewer > 0 {
            text.push_number(fewer).push_str(" or ");
        }
        text.push_number(fewer + groups).push_str(" filters,");
    }
    text.push_str(" would fit");
}

/// The greatest common divisor.
const fn common(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `an input of 3 or 5, or pad = 1, would fit`, and what `fit = crop` and `fit = pad` would do.
const fn write_repairs(text: &mut Message, window: &Window, input: [usize; 2], pool: bool) {
    let repairs = Repairs::of(window, input, pool);
    let mut list = List { text, items: 0 };
    let (words, show) = input_words(repairs.inputs, input);
    list.values(words, repairs.inputs, show);
    list.values("a filter of ", repairs.filters, Show::of(window.size));
    list.values("a stride of ", repairs.strides, Show::of(window.stride));
    list.values(
        "a dilation of ",
        repairs.dilations,
        Show::of(window.dilation),
    );
    list.padding(repairs.padding);
    list.end();
    if let Some(placed) = repairs.crop {
        write_crop(text, placed);
    }
    if let Some(placed) = repairs.pad {
        write_pad(text, placed);
    }
}

/// Which of `[height, width]` a repair is written with.
#[derive(Clone, Copy)]
enum Show {
    /// One number, for it stands for both.
    Height,
    Width,
    /// `3x5`.
    Both,
}

impl Show {
    /// What was written as one number is repaired by one number.
    const fn of([rows, columns]: [usize; 2]) -> Self {
        if rows == columns {
            Self::Height
        } else {
            Self::Both
        }
    }
}

/// What the input is called where it must change: one side of it, or all of it.
const fn input_words(
    inputs: [Option<[usize; 2]>; 2],
    [height, width]: [usize; 2],
) -> (&'static str, Show) {
    let (mut same_height, mut same_width, mut square) = (true, true, height == width);
    let mut at = 0;
    while at < 2 {
        if let Some([h, w]) = inputs[at] {
            same_height &= h == height;
            same_width &= w == width;
            square &= h == w;
        }
        at += 1;
    }
    match (square, same_height, same_width) {
        (true, _, _) => ("an input of ", Show::Height),
        (_, true, _) => ("a width of ", Show::Width),
        (_, _, true) => ("a height of ", Show::Height),
        _ => ("an input of ", Show::Both),
    }
}

/// A list of repairs as it is written.
struct List<'a> {
    text: &'a mut Message,
    items: usize,
}

impl List<'_> {
    const fn item(&mut self, words: &str) {
        self.text
            .push_str(if self.items == 0 { "\n" } else { ", or " })
            .push_str(words);
        self.items += 1;
    }

    /// `words` and one or two values.
    const fn values(&mut self, words: &str, values: [Option<[usize; 2]>; 2], show: Show) {
        let mut written = 0;
        let mut at = 0;
        while at < 2 {
            if let Some([height, width]) = values[at] {
                match written {
                    0 => self.item(words),
                    _ => _ = self.text.push_str(" or "),
                }
                match show {
                    Show::Height => _ = self.text.push_number(height),
                    Show::Width => _ = self.text.push_number(width),
                    Show::Both => write_pair(self.text, [height, width]),
                }
                written += 1;
            }
            at += 1;
        }
    }

    /// `pad = 1`, `pad = (1, 2)` or `pad = (0, 1, 1, 2)`.
    const fn padding(&mut self, padding: Option<Padding>) {
        let Some(Padding::Zeros {
            top,
            bottom,
            left,
            right,
        }) = padding
        else {
            return;
        };
        self.item("pad = ");
        let text = &mut *self.text;
        if top != left || bottom != right {
            text.push_str("(")
                .push_number(top)
                .push_str(", ")
                .push_number(bottom);
            text.push_str(", ")
                .push_number(left)
                .push_str(", ")
                .push_number(right)
                .push_str(")");
        } else if top != bottom {
            text.push_str("(")
                .push_number(top)
                .push_str(", ")
                .push_number(bottom)
                .push_str(")");
        } else {
            text.push_number(top);
        }
    }

    const fn end(self) {
        match self.items {
            0 => {}
            1 => _ = self.text.push_str(" would fit"),
            _ => _ = self.text.push_str(", would fit"),
        }
    }
}

/// `fit = crop would drop the last column and row`.
const fn write_crop(text: &mut Message, [rows, columns]: [Placed; 2]) {
    text.push_str("\nfit = crop would drop ");
    match (columns.lost, rows.lost) {
        (0, 0) => _ = text.push_str("nothing but padding"),
        (1, 1) => _ = text.push_str("the last column and row"),
        (columns, 0) => write_last(text, columns, "column"),
        (0, rows) => write_last(text, rows, "row"),
        (columns, rows) => {
            write_last(text, columns, "column");
            text.push_str(" and ");
            write_last(text, rows, "row");
        }
    }
}

/// `fit = pad would add a column and a row`.
const fn write_pad(text: &mut Message, [rows, columns]: [Placed; 2]) {
    text.push_str("\nfit = pad would add ");
    if columns.added > 0 {
        write_more(text, columns.added, "column");
    }
    if columns.added > 0 && rows.added > 0 {
        text.push_str(" and ");
    }
    if rows.added > 0 {
        write_more(text, rows.added, "row");
    }
}

/// `a column`, `2 columns`.
const fn write_more(text: &mut Message, count: usize, what: &str) {
    match count {
        1 => _ = text.push_str("a ").push_str(what),
        _ => {
            _ = text
                .push_number(count)
                .push_str(" ")
                .push_str(what)
                .push_str("s")
        }
    }
}

/// `the last column`, `the last 2 columns`.
const fn write_last(text: &mut Message, count: usize, what: &str) {
    text.push_str("the last ");
    match count {
        1 => _ = text.push_str(what),
        _ => {
            _ = text
                .push_number(count)
                .push_str(" ")
                .push_str(what)
                .push_str("s")
        }
    }
}

/// `5x3`, width first.
const fn write_pair(text: &mut Message, [height, width]: [usize; 2]) {
    text.push_number(width).push_str("x").push_number(height);
}

#[cfg(test)]
mod tests;
