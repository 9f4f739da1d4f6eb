//! What a declaration that does not fit is answered: what is wrong, what would fit, what
//! `fit = crop` would cost. The macro and the constants of generated programs show the same text.

use core::fmt;

mod meeting;

use super::repair::{Case, Repairs, Way};
use super::trial::{Trial, Written};
use super::{Failure, Op, Step};
use crate::graph::Sees;
use crate::shape::{Axis, Misfit, Padding, Placed, Window};
use crate::text::Message;

impl Failure {
    /// The message for the layer called `name` that was declared as `op`, and stands once.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::graph::Op;
    /// use convnet::plan::place;
    /// use convnet::shape::Window;
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
        self.write(name, op, true, None)
    }

    /// The message for one of `N` layers, in a constant: what it offers would fit wherever the line
    /// of that layer stands.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::graph::Op;
    /// use convnet::plan::{Written, place};
    /// use convnet::shape::Window;
    ///
    /// // `[conv(4, 3x3, stride = 2)] * 2` on 11x11: 11, 5, 2.
    /// let ops = [Op::conv(4, Window::square(3, 2, 0)); 2];
    /// let written = Written { firsts: &[0, 0], unstrided: &[] };
    /// assert!(place([11, 11, 1], &ops).is_ok());
    ///
    /// let failure = place([13, 13, 1], &ops).unwrap_err();
    /// let text = failure.message_in(&["conv1", "conv2"], [13, 13, 1], &ops, &written);
    /// assert!(text.as_str().contains("an image of 11 or 15"), "{text}");
    /// ```
    #[must_use]
    pub const fn message_in<const N: usize>(
        &self,
        names: &[&str; N],
        input: [usize; 3],
        ops: &[Op; N],
        written: &Written<'_>,
    ) -> Message {
        let (mut scratch, mut steps) = (*ops, [Step::EMPTY; N]);
        if self.layer >= N {
            return Message::new();
        }
        let mut trial = Trial::new(input, &mut scratch, &mut steps, written, self.layer);
        let stride = has_stride(self.layer, written);
        self.write(
            names[self.layer],
            &ops[self.layer],
            stride,
            Some(&mut trial),
        )
    }

    /// As [`message_in`](Self::message_in), for any number of layers, of which the one that does not
    /// fit is called `name`.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn message_of(
        &self,
        name: &str,
        input: [usize; 3],
        ops: &[Op],
        written: &Written<'_>,
    ) -> Message {
        let (mut scratch, mut steps) = (ops.to_vec(), alloc::vec![Step::EMPTY; ops.len()]);
        let Some(op) = ops.get(self.layer) else {
            return Message::new();
        };
        let mut trial = Trial::new(input, &mut scratch, &mut steps, written, self.layer);
        let stride = has_stride(self.layer, written);
        self.write(name, op, stride, Some(&mut trial))
    }

    /// `stride`: whether a pool has one of its own.
    const fn write(
        &self,
        name: &str,
        op: &Op,
        stride: bool,
        trial: Option<&mut Trial<'_>>,
    ) -> Message {
        let mut text = Message::new();
        let [height, width, depth] = self.input;
        match (self.misfit, op.way(stride)) {
            (Misfit::Larger(_) | Misfit::Remainder(_) | Misfit::Border(_), Some((window, way)))
                if !matches!(way, Way::Stamps) =>
            {
                write_axes(
                    &mut text,
                    name,
                    &window,
                    self.input,
                    !matches!(way, Way::Slides),
                );
                write_repairs(&mut text, op, stride, [height, width], trial);
            }
            (misfit @ (Misfit::Same { .. } | Misfit::Cropped(_) | Misfit::Border(_)), Some(_)) => {
                write_one(&mut text, name, "", &misfit, "W");
                write_repairs(&mut text, op, stride, [height, width], trial);
            }
            (Misfit::AfterFc(axis), _) => {
                text.push_str(name).push_str(" does not fit: an fc leaves ");
                write_pair(&mut text, [height, width]);
                text.push_str("x")
                    .push_number(depth)
                    .push_str(", nothing for a filter of ");
                text.push_number(axis.filter).push_str(" to slide over\n");
                match is_repeated(&trial) {
                    true => text.push_str("an fc belongs behind what is repeated"),
                    false => text
                        .push_str("put ")
                        .push_str(name)
                        .push_str(" before the fc"),
                };
            }
            (misfit @ (Misfit::Sum { .. } | Misfit::Slices { .. }), _) => {
                write_one(&mut text, name, "", &misfit, "W");
                meeting::write(&mut text, &misfit, trial);
            }
            (misfit @ Misfit::Reads { found, .. }, _) => {
                write_one(&mut text, name, "", &misfit, "W");
                if !is_repeated(&trial) {
                    text.push_str("\ninput(")
                        .push_volume(found)
                        .push_str(") in the declaration of that network would fit");
                }
            }
            (misfit, _) => {
                write_one(&mut text, name, "", &misfit, "W");
                if let Misfit::Groups {
                    groups: 2..,
                    depth,
                    filters,
                } = misfit
                {
                    write_groups(&mut text, op, depth, filters, trial);
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

/// Whether a stride is written, or follows the size.
const fn has_stride(layer: usize, written: &Written<'_>) -> bool {
    let mut at = 0;
    while at < written.unstrided.len() {
        if written.unstrided[at] == layer {
            return false;
        }
        at += 1;
    }
    true
}

impl Op {
    /// How the layer slides, if it does; of a pool, `stride` says whether it is its own.
    pub(super) const fn way(&self, stride: bool) -> Option<(Window, Way)> {
        let Some(window) = self.window() else {
            return None;
        };
        let way = match self.sees() {
            Sees::Slides => Way::Slides,
            Sees::Pools => Way::Pools { stride },
            Sees::Stamps | Sees::Between => Way::Stamps,
            Sees::Pixel
            | Sees::Padded
            | Sees::Everything
            | Sees::All
            | Sees::Anything
            | Sees::Inner => {
                return None;
            }
        };
        Some((*window, way))
    }

    /// The same in another number of groups, if it has some.
    const fn with_groups(self, new: usize) -> Self {
        let mut op = self;
        if let Some(groups) = op.groups_mut() {
            *groups = new;
        }
        op
    }

    /// The same with another number of filters, if it has some.
    const fn with_filters(self, new: usize) -> Self {
        let mut op = self;
        if let Some(filters) = op.filters_mut() {
            *filters = new;
        }
        op
    }

    /// The same with another window, if it has one.
    pub(super) const fn with_window(self, new: Window) -> Self {
        let mut op = self;
        if let Some(window) = op.window_mut() {
            *window = new;
        }
        op
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
const fn write_groups(
    text: &mut Message,
    op: &Op,
    depth: usize,
    filters: usize,
    mut trial: Option<&mut Trial<'_>>,
) {
    let (Some(&groups), Some(_)) = (op.groups(), op.filters()) else {
        return;
    };
    let (mut items, mut up) = (0, 0);
    while up < 2 {
        let most = common(depth, filters);
        let mut value = groups;
        // Beyond what divides both there is nothing.
        while if up == 1 { value < most } else { value > 1 } {
            value = match up {
                1 => value + 1,
                _ if value > most => most,
                _ => value - 1,
            };
            let tried = op.with_groups(value);
            if most.is_multiple_of(value) && holds(&mut trial, tried) {
                text.push_str(if items == 0 { "\ngroups = " } else { " or " })
                    .push_number(value);
                items += 1;
                break;
            }
        }
        up += 1;
    }
    let (divisors, mut multiple) = (items, filters / groups * groups);
    while depth.is_multiple_of(groups) && multiple <= filters / groups * groups + groups {
        let tried = op.with_filters(multiple);
        if multiple > 0 && holds(&mut trial, tried) {
            text.push_str(match (items, items - divisors) {
                (0, _) => "\n",
                (_, 0) => ", or ",
                _ => " or ",
            });
            text.push_number(multiple);
            items += 1;
        }
        multiple += groups;
    }
    if items > divisors {
        text.push_str(if divisors > 0 {
            " filters,"
        } else {
            " filters"
        });
    }
    if items > 0 {
        text.push_str(" would fit");
    }
}

const fn is_repeated(trial: &Option<&mut Trial<'_>>) -> bool {
    match trial {
        Some(trial) => trial.is_repeated(),
        None => false,
    }
}

/// Whether another layer in its place fits each time, in a repetition.
const fn holds(trial: &mut Option<&mut Trial<'_>>, op: Op) -> bool {
    match trial {
        Some(trial) if trial.is_repeated() => trial.holds(op),
        _ => true,
    }
}

/// The greatest common divisor.
const fn common(mut a: usize, mut b: usize) -> usize {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// `an input of 3 or 5, or pad = 1, would fit`, and what `fit = crop` and `fit = pad` would do.
const fn write_repairs(
    text: &mut Message,
    op: &Op,
    stride: bool,
    input: [usize; 2],
    mut trial: Option<&mut Trial<'_>>,
) {
    let Some((window, way)) = op.way(stride) else {
        return;
    };
    let mut image = [0; 3];
    if let Some(trial) = &mut trial {
        image = trial.image();
        if let Some([height, width, depth]) = depth_first(image)
            && trial.holds_on([height, width, depth])
        {
            text.push_str("\nan input is width x height x depth: ")
                .push_volume([height, width, depth])
                .push_str("?");
            return;
        }
    }
    let repeated = match trial {
        Some(trial) if trial.is_repeated() => Some(trial),
        _ => None,
    };
    let is_repeated = repeated.is_some();
    let mut case = Case::new(*op, window, way, input, repeated);
    if let Some((padding, cropped)) = case.rows_and_columns() {
        match cropped {
            Some(placed) => write_padding_and_crop(text, padding, placed),
            None => {
                let mut list = List::new(text, "\n");
                if case.keeps_size(padding) {
                    list.item("pad = same");
                }
                list.padding(Some(padding));
                list.end();
            }
        }
        text.push_str(": two numbers are before and after, not rows and columns");
        return;
    }
    let repairs = case.repairs();
    if is_repeated && repairs.is_empty() {
        let repairs = Case::new(*op, window, way, input, None).repairs();
        write_list(
            text,
            "\nin this repetition alone ",
            &repairs,
            &window,
            input,
            image,
        );
        return;
    }
    write_list(text, "\n", &repairs, &window, input, image);
    if let Some((padding, placed)) = repairs.padding_and_crop {
        write_padding_and_crop(text, padding, placed);
    }
    if let Some(placed) = repairs.crop {
        text.push_str("\n");
        write_crop(text, placed);
    }
    if let Some(placed) = repairs.pad {
        write_pad(text, placed);
    }
}

/// The image that was meant where its depth is written first, as in PyTorch: 3x32x32.
#[doc(hidden)]
#[must_use]
pub const fn depth_first([height, width, depth]: [usize; 3]) -> Option<[usize; 3]> {
    match (width == 1 || width == 3) && height == depth && height >= 8 {
        true => Some([height, depth, width]),
        false => None,
    }
}

/// `an input of 3 or 5, or pad = 1, would fit`.
const fn write_list(
    text: &mut Message,
    lead: &'static str,
    repairs: &Repairs,
    window: &Window,
    input: [usize; 2],
    [height, width, _]: [usize; 3],
) {
    let mut list = List::new(text, lead);
    let (words, show) = input_words(repairs.inputs, input);
    list.values(words, repairs.inputs, show);
    let show = Show::of([height, width]);
    list.values("an image of ", repairs.images, show);
    list.values("a filter of ", repairs.filters, Show::of(window.size));
    list.values("a stride of ", repairs.strides, Show::of(window.stride));
    list.values(
        "a dilation of ",
        repairs.dilations,
        Show::of(window.dilation),
    );
    list.padding(repairs.padding);
    list.end();
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
    /// What stands before the first.
    lead: &'static str,
    items: usize,
}

impl<'a> List<'a> {
    const fn new(text: &'a mut Message, lead: &'static str) -> Self {
        Self {
            text,
            lead,
            items: 0,
        }
    }

    const fn item(&mut self, words: &str) {
        self.text
            .push_str(if self.items == 0 { self.lead } else { ", or " })
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

    const fn padding(&mut self, padding: Option<Padding>) {
        if let Some(padding) = padding {
            self.item("pad = ");
            write_padding(self.text, padding);
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

/// `1`, `(1, 2)` or `(0, 1, 1, 2)`.
const fn write_padding(text: &mut Message, padding: Padding) {
    let Padding::Zeros {
        top,
        bottom,
        left,
        right,
    } = padding
    else {
        return;
    };
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

/// `pad = (0, 0, 2, 3) and fit = crop would drop the last row`.
const fn write_padding_and_crop(text: &mut Message, padding: Padding, placed: [Placed; 2]) {
    text.push_str("\npad = ");
    write_padding(text, padding);
    text.push_str(" and ");
    write_crop(text, placed);
}

/// `fit = crop would drop the last column and row`.
const fn write_crop(text: &mut Message, [rows, columns]: [Placed; 2]) {
    text.push_str("fit = crop would drop ");
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
