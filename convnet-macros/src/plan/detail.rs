//! A layer's hyperparameters as one reads them: `12 of 5x5, pad 2`.

use convnet_core::shape::Fit;

use crate::syntax::{Decimal, Kind, Number, Pad, Window};

/// What stands in the table beside the layer's word; empty if it has no hyperparameters.
pub(super) fn detail(kind: &Kind) -> String {
    match kind {
        Kind::Conv {
            filters,
            groups,
            bias,
            window,
        } => {
            let mut text = format!("{} of {}", filters.value, slide(window, false));
            if groups.value.known() != Some(1) {
                text += &format!(", groups {}", groups.value);
            }
            text + without(*bias)
        }
        Kind::Depthwise { bias, window } => slide(window, false) + without(*bias),
        Kind::MaxPool { window } | Kind::RowPool { window, .. } | Kind::AvgPool { window } => {
            slide(window, true)
        }
        Kind::Fc { filters } => filters.value.to_string(),
        Kind::LeakyRelu { slope: decimal } | Kind::Dropout { rate: decimal } => number(decimal),
        Kind::ConvTranspose { filters, window } => {
            format!("{} of {}", filters.value, slide(window, false))
        }
        Kind::BatchNorm { eps } if eps.is_default("eps", kind.word()) => String::new(),
        Kind::BatchNorm { eps } => format!("eps {}", number(eps)),
        Kind::Lrn {
            size,
            alpha,
            beta,
            k,
        } => {
            let [alpha, beta, k] = [alpha, beta, k].map(number);
            format!("{}, alpha {alpha}, beta {beta}, k {k}", size.value)
        }
        Kind::Own { what, .. } | Kind::Network { what } => {
            what.to_string().replace(' ', "").replace(',', ", ")
        }
        Kind::GlobalAvgPool
        | Kind::GlobalMaxPool
        | Kind::Relu
        | Kind::Relu6
        | Kind::Sigmoid
        | Kind::Tanh
        | Kind::HardSwish
        | Kind::Softmax
        | Kind::Flatten
        | Kind::Branch { .. }
        | Kind::Add { .. }
        | Kind::Concat { .. } => String::new(),
    }
}

fn number(decimal: &Decimal) -> String {
    match decimal {
        Decimal::Known(value) => value.to_string(),
        Decimal::Named(path) => path.to_string().replace(' ', ""),
    }
}

fn without(bias: bool) -> &'static str {
    if bias { "" } else { ", no bias" }
}

/// Size; and dilation, stride and padding, where there is something to say.
fn slide(window: &Window, pool: bool) -> String {
    let [rows, columns] = window.size.value.each_ref().map(Number::to_string);
    let mut text = format!("{columns}x{rows}");
    match window.dilation.value.each_ref().map(Number::to_string) {
        [down, across] if down == across && down == "1" => {}
        [down, across] if down == across => text += &format!(", dilation {down}"),
        [down, across] => text += &format!(", dilation {across}x{down}"),
    }
    let [down, across] = window.stride.value.each_ref().map(Number::to_string);
    match down == across {
        true if down == "1" && !pool => {}
        true => text += &format!(", stride {down}"),
        false => text += &format!(", stride {across}x{down}"),
    }
    match &window.pad.value {
        Pad::Same => text += ", pad same",
        Pad::Zeros(sides) => match sides.each_ref().map(Number::to_string) {
            [t, b, l, r] if t == b && b == l && l == r => match t.as_str() {
                "0" => {}
                _ => text += &format!(", pad {t}"),
            },
            [t, b, l, r] if t == l && b == r => text += &format!(", pad ({t}, {b})"),
            [t, b, l, r] => text += &format!(", pad ({t}, {b}, {l}, {r})"),
        },
    }
    match window.fit.value {
        Fit::Exact => {}
        Fit::Crop => text += ", fit crop",
        Fit::Pad => text += ", fit pad",
    }
    text
}
