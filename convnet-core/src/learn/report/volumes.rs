//! What a network makes of an image: every volume slice by slice, and the classes with the highest scores.

use std::fmt::Write as _;

use super::pictures::{grey, image, img, signed};
use super::{short, text, wide};
use crate::data::{Samples, Target};
use crate::graph::Op;
use crate::scalar::real::{probabilities, ranking};
use crate::{AnyVolume, Network, Real, Seen};

/// More slices of a volume are not drawn.
const MOST_SLICES: usize = 64;

/// An image with its answer, and all volumes; nothing if it has another size than the network reads.
pub(super) fn draw<N: Network, Y: Target>(
    net: &N,
    samples: &impl Samples<Y>,
    index: usize,
) -> Option<String> {
    if samples.shape() != N::Input::SHAPE {
        return None;
    }
    let (mut input, mut arena): (Box<N::Input>, Box<N::Arena>) =
        (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    samples.image(index, input.as_mut_slice());
    let mut layers = String::new();
    let scores = net.observe(&input, &mut arena, |layer, volume| {
        let op = text(layer.op);
        layers.push_str(&shown(layer.name, &op, volume));
    });
    let top = top_five::<N, Y>(scores.as_slice(), samples, index);
    let picture = picture_of::<N, Y>(samples, index, "image")?;
    Some(format!(
        "<div class=\"answer\"><div class=\"row\">{picture}{top}</div>\n<div class=\"shown\">{layers}</div></div>\n"
    ))
}

/// Image `index` as people see it; nothing if it has another size than the network reads.
pub(super) fn picture_of<N: Network, Y: Target>(
    samples: &impl Samples<Y>,
    index: usize,
    class: &str,
) -> Option<String> {
    let shape = samples.shape();
    if shape != N::Input::SHAPE {
        return None;
    }
    let mut scalars = vec![0.0_f64; shape.iter().product()];
    samples.image(index, &mut scalars);
    let picture = image(shape, &scalars);
    Some(format!(
        "<img class=\"{class}\" src=\"{}\" alt=\"image {index}\" title=\"image {index}\"/>",
        picture.source()
    ))
}

/// A layer's volume.
fn shown<T: Real>(name: &str, op: &str, volume: Seen<'_, T>) -> String {
    let [height, width, depth] = volume.shape();
    let range = volume.range().map(Real::widen);
    let name = text(name);
    let mut pictures = String::new();
    if (height, width) == (1, 1) {
        pictures.push_str(&column(&name, volume));
    } else {
        let side = height.max(width);
        let scale = |length: usize| match side {
            0..=8 => length * 7,
            9..=96 => length * (64 / side).max(1),
            _ => length * 96 / side,
        };
        for d in 0..depth.min(MOST_SLICES) {
            let slice: Vec<f64> = wide(&volume.slice(d).collect::<Vec<_>>());
            let [least, most] = crate::memory::seen::range(slice.iter().copied()).map(short);
            let picture = grey(width, slice.into_iter(), range);
            let says = format!("{name}, slice {d}: {least} … {most}");
            pictures.push_str(&img(&picture, [scale(width), scale(height)], &says));
        }
    }
    let mut says = format!(
        "{op} → {width}×{height}×{depth}, {} … {}",
        short(range[0]),
        short(range[1])
    );
    if depth > MOST_SLICES && (height, width) != (1, 1) {
        let _ = write!(says, "; the first {MOST_SLICES} slices");
    }
    format!(
        "<div class=\"layer\"><h3>{name} <span>{says}</span></h3><div class=\"slices\">{pictures}</div></div>\n"
    )
}

/// A volume of one depth column: in rows of cells, coloured by sign.
fn column<T: Real>(name: &str, volume: Seen<'_, T>) -> String {
    let mut scalars = wide(volume.as_slice());
    let [least, most] = volume.range().map(Real::widen);
    let width = scalars.len().min(MOST_SLICES);
    let rows = scalars.len().div_ceil(width.max(1));
    scalars.resize(rows * width, 0.0);
    let scale = if width > 16 { 10 } else { 20 };
    let picture = signed(width, scalars.into_iter(), most.max(-least));
    img(
        &picture,
        [width * scale, rows * scale],
        &format!("{name}: {} … {}", short(least), short(most)),
    )
}

/// The classes with the highest scores, and how sure the network is; nothing if it has no classes.
fn top_five<N: Network, Y: Target>(
    scores: &[N::Scalar],
    samples: &impl Samples<Y>,
    index: usize,
) -> String {
    let mut label = None;
    samples
        .label(index)
        .answers(scores, &mut |right, _| label = Some(right));
    let one = N::Output::SHAPE[..2] == [1, 1] && scores.len() == samples.classes();
    let (Some(label), true) = (label, one) else {
        return String::new();
    };
    let sure: Vec<f64> = match N::LAYERS.last().map(|layer| layer.op) {
        Some(Op::Softmax) => wide(scores),
        _ => probabilities(scores).map(Real::widen).collect(),
    };
    let mut top = String::new();
    for (class, _) in ranking(scores).take(5) {
        let percent = 100.0 * sure[class];
        let right = if class == label { "right" } else { "" };
        let _ = write!(
            top,
            "<span>{}</span><span class=\"bar\"><i class=\"{right}\" style=\"width:{percent:.2}%\"></i></span>\
             <span>{percent:.1} %</span>",
            class_name(samples.class_names(), class)
        );
    }
    format!(
        "<div><h3>image {index} is {}</h3><div class=\"top\">{top}</div></div>",
        class_name(samples.class_names(), label)
    )
}

/// What a class is called.
pub(super) fn class_name(names: &[String], class: usize) -> String {
    names.get(class).map_or_else(|| class.to_string(), text)
}
