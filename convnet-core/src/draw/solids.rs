//! Volumes to scale, as CS231n draws them: height upward, width into the page, depth to the right.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write as _;

use super::text;
use crate::plan::LayerInfo;

/// How high the highest is, in pixels.
const TALLEST: f64 = 150.0;
/// How wide all are together, if they can be.
const WIDEST: f64 = 640.0;
/// How much of a width is seen to the right, and upward.
const INTO: [f64; 2] = [0.42, 0.3];
/// Below this nothing would be seen.
const LEAST: f64 = 2.0;

/// An image of `[height, width, depth]`, and what each layer writes that changes the size, as SVG in a `div`, and a
/// line of text that says the scale.
#[must_use]
pub fn solids(image: [usize; 3], layers: &[LayerInfo<'_>]) -> String {
    let changing = layers.iter().filter(|layer| !layer.op.keeps_shape());
    let layers = changing.map(|layer| (layer.name, layer.volume, layer.op.has_parameters()));
    let all: Vec<_> = core::iter::once(("input", image, false))
        .chain(layers)
        .collect();
    let side = all
        .iter()
        .map(|(_, [h, w, _], _)| *h.max(w))
        .max()
        .unwrap_or(1);
    let unit = TALLEST / side.max(1) as f64;
    let depths: usize = all.iter().map(|(_, [.., d], _)| d).sum();
    // A power of two, so that it can be said.
    let mut shrunk = 1;
    while depths as f64 * unit / f64::from(shrunk) > WIDEST && shrunk < 1 << 20 {
        shrunk *= 2;
    }
    let (mut x, mut solids) = (8.0, String::new());
    let floor = TALLEST * (1.0 + INTO[1]) + 8.0;
    for (name, volume, filters) in all {
        let [height, width, depth] = volume.map(|length| length as f64 * unit);
        let sizes = [depth / f64::from(shrunk), height, width].map(|size| size.max(LEAST));
        let colour = match (name, filters) {
            ("input", _) => "three",
            (_, true) => "one",
            _ => "two",
        };
        let label = format!("{}×{}×{}", volume[1], volume[0], volume[2]);
        let room = (sizes[0] + sizes[2] * INTO[0]).max(7.2 * name.len().max(label.len()) as f64);
        solids.push_str(&solid([x, floor], sizes, colour));
        let _ = write!(
            solids,
            "<text x=\"{x:.1}\" y=\"{:.1}\" font-weight=\"600\">{}</text>\
             <text x=\"{x:.1}\" y=\"{:.1}\" class=\"soft\">{label}</text>",
            floor + 18.0,
            text(name),
            floor + 34.0
        );
        x += room + 22.0;
    }
    let depth = match shrunk {
        1 => String::new(),
        _ => format!(", but that depth is drawn {shrunk} times smaller"),
    };
    format!(
        "<div class=\"scroll\" tabindex=\"0\"><svg width=\"{0:.0}\" height=\"{1:.0}\" viewBox=\"0 0 {0:.0} {1:.0}\" role=\"img\" \
         aria-label=\"volumes to scale\">{solids}</svg></div>\
         <p class=\"note\">Height upward, width into the page, depth to the right, to one scale{depth}. What keeps \
         the size of what it reads, such as <code>relu</code>, is left out.</p>",
        x,
        floor + 44.0
    )
}

/// A cuboid whose front's lower left corner is at `[x, y]`: depth, height, width.
fn solid([x, y]: [f64; 2], [depth, height, width]: [f64; 3], colour: &str) -> String {
    let [dx, dy] = INTO.map(|share| width * share);
    let (right, top) = (x + depth, y - height);
    let faces = [
        // The front, the top, the right.
        ([[x, y], [right, y], [right, top], [x, top]], 1.0),
        (
            [
                [x, top],
                [right, top],
                [right + dx, top - dy],
                [x + dx, top - dy],
            ],
            0.55,
        ),
        (
            [
                [right, y],
                [right + dx, y - dy],
                [right + dx, top - dy],
                [right, top],
            ],
            0.75,
        ),
    ];
    faces.iter().fold(String::new(), |mut svg, (corners, opacity)| {
        let corners = corners.map(|[x, y]| format!("{x:.1},{y:.1}")).join(" ");
        let _ = write!(
            svg,
            "<polygon points=\"{corners}\" fill=\"var(--{colour}-soft)\" fill-opacity=\"{opacity}\" \
             stroke=\"var(--{colour})\" stroke-width=\"1\" stroke-linejoin=\"round\"/>"
        );
        svg
    })
}
