//! Filters, as pictures.

use std::fmt::Write as _;

use super::pictures::{Picture, image, img, signed};
use super::{short, text, wide};
use crate::memory::seen::range;
use crate::{Network, Role, Tensor};

/// More of a layer's filters are not drawn.
const MOST_FILTERS: usize = 32;
/// Nor more slices of one.
const MOST_SLICES: usize = 16;

/// The filters of each `conv`, and of an `fc` that sees an image; nothing if there are none.
pub(super) fn draw<N: Network>(net: &N) -> Option<String> {
    let tensors = N::TENSORS.iter().enumerate();
    let drawn: String = tensors
        .filter_map(|(at, tensor)| layer(tensor, &wide(net.tensor(at))))
        .collect();
    (!drawn.is_empty()).then(|| {
        format!(
            "<p class=\"note\">A filter that sees three slices is drawn in colour, from its least to its largest weight. \
             Of others each slice is drawn: <span class=\"key\" style=\"background:#2166ac\"></span>below zero, \
             <span class=\"key\" style=\"background:#b2182b\"></span>above, white at zero, the deepest at the \
             layer's largest weight.</p>{drawn}"
        )
    })
}

/// One layer's.
fn layer(tensor: &Tensor, weights: &[f64]) -> Option<String> {
    let &[height, width, depth, filters] = tensor.shape else {
        return None;
    };
    match tensor.role {
        Role::Filters | Role::Grouped(_) => {}
        // What an `fc` looks for in an image is a picture.
        Role::Weights if height.min(width) > 1 && matches!(depth, 1 | 3) => {}
        Role::Weights
        | Role::Bias
        | Role::Gain
        | Role::Slope
        | Role::Mean(_)
        | Role::Variance(..) => {
            return None;
        }
    }
    let [least, most] = range(weights.iter().copied());
    let (shown, slices) = (filters.min(MOST_FILTERS), depth.min(MOST_SLICES));
    let scale = (56 / height.max(width).max(1)).clamp(if depth == 3 { 2 } else { 1 }, 8);
    let size = [width * scale, height * scale];
    let name = tensor.name.strip_suffix(".filters").unwrap_or(tensor.name);
    let mut pictures = String::new();
    for k in 0..shown {
        let filter: Vec<f64> = weights
            .iter()
            .skip(k)
            .step_by(filters.max(1))
            .copied()
            .collect();
        pictures.push_str("<span class=\"slices\">");
        if depth == 3 {
            let picture = stretched([height, width, depth], &filter);
            pictures.push_str(&img(&picture, size, &format!("{name}, filter {k}")));
        } else {
            for d in 0..slices {
                let slice: Vec<f64> = filter.iter().skip(d).step_by(depth).copied().collect();
                let [least, most_here] = range(slice.iter().copied()).map(short);
                let says = format!("{name}, filter {k}, slice {d}: {least} … {most_here}");
                let picture = signed(width, slice.into_iter(), most.max(-least_of(weights)));
                pictures.push_str(&img(&picture, size, &says));
            }
        }
        pictures.push_str("</span>");
    }
    let mut says = format!(
        "{filters} of {width}×{height}×{depth}, {} … {}",
        short(least),
        short(most)
    );
    if (shown, slices) != (filters, depth) && depth != 3 || shown != filters {
        let _ = write!(says, "; the first {shown}");
        if slices != depth {
            let _ = write!(says, ", of each the first {slices} slices");
        }
    }
    let gap = if depth == 3 || depth == 1 {
        "4px"
    } else {
        "10px"
    };
    Some(format!(
        "<div class=\"layer\"><h3>{} <span>{says}</span></h3>\
         <div class=\"row\" style=\"gap:{gap}\">{pictures}</div></div>\n",
        text(name)
    ))
}

fn least_of(weights: &[f64]) -> f64 {
    range(weights.iter().copied())[0]
}

/// All three slices from the least to the largest weight, so that no colour is changed.
fn stretched(shape: [usize; 3], filter: &[f64]) -> Picture {
    let [least, most] = range(filter.iter().copied());
    let span = if most > least { most - least } else { 1.0 };
    let inside: Vec<f64> = filter
        .iter()
        .map(|weight| (weight - least) / span)
        .collect();
    image(shape, &inside)
}
