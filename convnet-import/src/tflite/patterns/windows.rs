//! Layers that slide, of what stands around them or in their place.

use convnet_onnx::proto::Node;

use super::{Found, Graph, attribute};
use crate::array::Array;
use crate::nodes::{DEPTH_LAST, DEPTH_SECOND, int, ints};

/// A transposed conv of whose output the border is cut off.
pub(super) fn cropped<'a>(graph: &Graph<'a>, slice: &'a Node) -> Option<Found> {
    let links = &graph.links;
    let stamped = slice.input.first()?;
    let (conv, x) = graph.inside(stamped)?;
    let (last, _) = links.next(links.writer(stamped)?)?;
    let (&[_, rows, columns, depth], all) =
        (*graph.shapes.get(stamped.as_str())?, graph.part(slice)?)
    else {
        return None;
    };
    let [(0, ..), (top, down, 1), (left, across, 1), (0, slices, 1)] = all[..] else {
        return None;
    };
    let pads = attribute(conv, "pads")?.ints.as_slice();
    let is_it = conv.op_type == "ConvTranspose" && slices == depth && pads == [0; 4];
    // What is added at the end is cut off again first.
    let added = attribute(conv, "output_padding")?.ints.as_slice();
    let &[below, right] = added else {
        return None;
    };
    let end = |size: usize, added: i64, to: usize| -> Option<[i64; 2]> {
        let cut = i64::try_from(size.checked_sub(to)?).ok()?;
        Some([(cut - added).max(0), (added - cut).max(0)])
    };
    let ([bottom, below], [right_cut, right]) =
        (end(rows, below, down)?, end(columns, right, across)?);
    let pads = [top as i64, left as i64, bottom, right_cut];
    let kept = conv.attribute.iter();
    let kept = kept.filter(|it| !["pads", "output_padding"].contains(&it.name.as_str()));
    let mut attributes: Vec<_> = kept.cloned().collect();
    attributes.extend([ints("pads", &pads), ints("output_padding", &[below, right])]);
    let inputs = [&[x.to_owned()][..], &conv.input[1..]].concat();
    is_it.then(|| Found {
        name: Some(conv.name.clone()),
        slides: true,
        ..Found::new(last, "ConvTranspose", inputs, attributes)
    })
}

/// Transposed convs of one group of slices each, side by side.
pub(super) fn groups<'a>(graph: &Graph<'a>, concat: &'a Node) -> Option<Found> {
    let links = &graph.links;
    if concat.op_type != "Concat" || attribute(concat, "axis")?.i != 3 {
        return None;
    }
    let (mut of, mut from) = (None, 0);
    let (mut all, mut convs) = ([Vec::new(), Vec::new()], Vec::new());
    for part in &concat.input {
        let (conv, read) = graph.inside(part)?;
        let slice = links.writer(read)?;
        let x = slice.input.first()?.as_str();
        let shape = *graph.shapes.get(x)?;
        let &[_, rows, columns, _] = shape else {
            return None;
        };
        let [(0, 1, 1), (0, down, 1), (0, across, 1), (start, end, 1)] = graph.part(slice)?[..]
        else {
            return None;
        };
        let is_next = [down, across, start] == [rows, columns, from];
        if conv.op_type != "ConvTranspose" || !is_next || *of.get_or_insert(x) != x {
            return None;
        }
        from = end;
        for (constants, name) in all.iter_mut().zip(&conv.input[1..]) {
            constants.push(graph.constants.get(name)?);
        }
        convs.push(conv);
    }
    let (&first, rest) = convs.split_first()?;
    let alike =
        |conv: &&Node| conv.attribute == first.attribute && conv.input.len() == first.input.len();
    let x = of?;
    if rest.is_empty() || !rest.iter().all(alike) || graph.shapes.get(x)?.last() != Some(&from) {
        return None;
    }
    // `name.filters.0`
    let name = first.name.strip_suffix(".0").unwrap_or(&first.name);
    let name = name.strip_suffix(".filters").unwrap_or(name);
    let (mut inputs, mut constants) = (vec![x.to_owned()], Vec::new());
    for (field, parts) in ["filters", "bias"].into_iter().zip(&all) {
        if let Some(whole) = joined(parts) {
            let name = format!("{}::{field}", concat.output.first()?);
            inputs.push(name.clone());
            constants.push((name, whole));
        }
    }
    let groups = int("group", convs.len() as i64);
    let attributes = first.attribute.iter().cloned().chain([groups]).collect();
    let last = links.place(concat.output.first()?)?;
    (inputs.len() == first.input.len()).then(|| Found {
        name: Some(name.to_owned()),
        slides: true,
        constants,
        ..Found::new(last, "ConvTranspose", inputs, attributes)
    })
}

/// Constants of the same axes along the first of these.
fn joined(parts: &[&Array]) -> Option<Array> {
    let (first, rest) = (parts.first()?.dims.split_first()?, parts);
    let mut data = Vec::new();
    for part in rest {
        if part.dims.split_first()? != first {
            return None;
        }
        data.extend(part.as_floats()?);
    }
    let dims = [&[first.0 * parts.len()][..], first.1].concat();
    Some(Array::floats(dims, data))
}

impl<'a> Graph<'a> {
    /// The node that wants the depth second and wrote `y`, and what it reads, the depth last.
    fn inside(&self, y: &str) -> Option<(&'a Node, &'a str)> {
        let turned = |name: &str, order: &[i64]| {
            let node = self.links.writer(name)?;
            let is_it = node.op_type == "Transpose" && attribute(node, "perm")?.ints == order;
            node.input.first().filter(|_| is_it).map(String::as_str)
        };
        let node = self.links.writer(turned(y, &DEPTH_LAST)?)?;
        Some((node, turned(node.input.first()?, &DEPTH_SECOND)?))
    }

    /// Where a node begins and ends along each axis of what it reads, and its step.
    fn part(&self, slice: &Node) -> Option<Vec<(usize, usize, usize)>> {
        let ints = |name: &str| attribute(slice, name).map(|it| it.ints.as_slice());
        let (starts, ends) = (ints("starts")?, ints("ends")?);
        let steps = ints("steps").unwrap_or(&[1; 4]);
        let all = starts.iter().zip(ends).zip(steps);
        let all = all.map(|((&start, &end), &step)| {
            let [start, end, step] = [start, end, step].map(|it| usize::try_from(it).ok());
            Some((start?, end?, step?))
        });
        let is_slice = ["Slice", "STRIDED_SLICE"].contains(&slice.op_type.as_str());
        let all = all.collect::<Option<Vec<_>>>()?;
        (is_slice && all.len() == 4).then_some(all)
    }
}
