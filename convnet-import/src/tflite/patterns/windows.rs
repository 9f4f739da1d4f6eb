//! Layers that slide, of what stands around them or in their place.

use convnet_onnx::proto::Node;

use super::super::operators::times;
use super::{Found, Graph, attribute, other};
use crate::array::Array;
use crate::nodes::{DEPTH_LAST, DEPTH_SECOND, float, int, ints};

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

/// A pool behind what its windows see around the volume.
pub(super) fn padded_max_pool<'a>(graph: &Graph<'a>, pool: &'a Node) -> Option<Found> {
    let links = &graph.links;
    if pool.op_type != "MaxPool" || attribute(pool, "auto_pad")?.s != b"VALID" {
        return None;
    }
    let turn = links.writer(pool.input.first()?)?;
    let (pad, _) = graph.inside(turn.input.first()?)?;
    let pads = around(pad, f32::NEG_INFINITY)?;
    let kept = pool.attribute.iter().filter(|it| it.name != "auto_pad");
    let mut attributes: Vec<_> = kept.cloned().collect();
    attributes.push(ints("pads", &pads));
    let last = links.place(pool.output.first()?)?;
    let inputs = vec![pad.input.first()?.clone()];
    Some(Found::new(last, "MaxPool", inputs, attributes))
}

/// The largest number of each window, seen tap by tap.
pub(super) fn max_pool<'a>(graph: &Graph<'a>, end: &'a Node) -> Option<Found> {
    let operators = ["MAXIMUM", "Slice", "STRIDED_SLICE"];
    let end = end.output.first()?;
    let writer = graph.links.writer(end)?;
    if !operators.contains(&writer.op_type.as_str()) {
        return None;
    }
    let (window, x) = graph.taps(end, "MAXIMUM")?;
    let (x, pads) = graph.around(x, f32::NEG_INFINITY);
    let is_pool = window.iter().any(|axis| axis.size > 1);
    let last = graph.links.place(end)?;
    is_pool.then(|| Found {
        slides: true,
        ..Found::new(
            last,
            "MaxPool",
            vec![x.to_owned()],
            attributes(&window, &pads),
        )
    })
}

/// The mean of what each window sees of the volume: of sums of all, zeros among them, times a factor for each window.
pub(super) fn avg_pool<'a>(graph: &Graph<'a>, product: &'a Node) -> Option<Found> {
    let links = &graph.links;
    let ("Mul", [sums, factors]) = (product.op_type.as_str(), product.input.as_slice()) else {
        return None;
    };
    let array = graph.constants.get(factors)?;
    let (&[rows, columns, 1], Some(factors)) = (array.dims.as_slice(), array.as_floats()) else {
        return None;
    };
    let ((window, x), all) = match graph.inside(sums) {
        Some((pool, x)) => {
            let window = graph.window(pool, x, [rows, columns])?;
            ((window, x), window[0].size * window[1].size)
        }
        None => (graph.taps(sums, "Add")?, 1),
    };
    let (x, pads) = graph.around(x, 0.0);
    let &[_, height, width, _] = *graph.shapes.get(x)? else {
        return None;
    };
    let [top, left, ..] = pads;
    let seen = |axis: &Axis, before: i64, size: usize, output: usize| {
        let taps = (0..axis.size).map(|tap| output * axis.stride + tap * axis.dilation);
        let before = before as usize;
        taps.filter(|at| (before..before + size).contains(at))
            .count()
    };
    let mut places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let is_mean = places.all(|(row, column)| {
        let count = seen(&window[0], top, height, row) * seen(&window[1], left, width, column);
        let factor = factors[row * columns + column];
        count > 0 && (factor * count as f32 - all as f32).abs() <= 1e-5 * all as f32
    });
    let last = links.place(product.output.first()?)?;
    (is_mean && window.iter().map(|it| it.output).eq([rows, columns])).then(|| Found {
        slides: true,
        ..Found::new(
            last,
            "AveragePool",
            vec![x.to_owned()],
            attributes(&window, &pads),
        )
    })
}

/// So many taps a window has at most along an axis.
const MOST: usize = 1 << 8;

/// How taps lie along an axis.
#[derive(Clone, Copy)]
struct Axis {
    size: usize,
    dilation: usize,
    stride: usize,
    output: usize,
}

/// `lrn` of an even size, whose window has no middle: x times a power of what a band of filters sums of its squares.
pub(super) fn lrn<'a>(graph: &Graph<'a>, power: &'a Node) -> Option<Found> {
    let links = &graph.links;
    let [sums, beta] = links.operands(power, "POW")?;
    let beta = links.scalars.get(beta)?;
    let (conv, squares) = graph.inside(sums)?;
    let [x, same] = links.operands(links.writer(squares)?, "Mul")?;
    let (last, product) = links.next(power)?;
    let [_, filters, k] = conv.input.as_slice() else {
        return None;
    };
    let [filters, k] = [filters, k].map(|name| graph.constants.get(name));
    let (filters, k) = (filters?, k?.as_floats()?);
    let (&[depth, slices, 1, 1], band) = (filters.dims.as_slice(), filters.as_floats()?) else {
        return None;
    };
    let sees = band.iter().take(slices).take_while(|it| **it != 0.0);
    let half = sees.count();
    let (&k, &each) = (
        k.first().filter(|one| k.iter().all(|it| it == *one))?,
        band.first()?,
    );
    let is_band = band.iter().enumerate().all(|(at, it)| {
        let (slice, other) = (at / depth, at % depth);
        let seen = other + half >= slice && other < slice + half;
        *it == if seen { each } else { 0.0 }
    });
    let is_it = conv.op_type == "Conv"
        && x == same
        && depth == slices
        && is_band
        && other(product, "Mul", power)? == x;
    let size = 2 * half as i64;
    let attributes = vec![
        int("size", size),
        float("bias", k),
        float("alpha", times(each, size)),
        float("beta", -beta),
    ];
    is_it.then(|| Found {
        slides: true,
        ..Found::new(last, "LRN", vec![x.to_owned()], attributes)
    })
}

/// Those of a pool.
fn attributes(window: &[Axis; 2], pads: &[i64; 4]) -> Vec<convnet_onnx::proto::Attribute> {
    let of = |read: fn(&Axis) -> usize| window.each_ref().map(|it| read(it) as i64);
    vec![
        ints("kernel_shape", &of(|it| it.size)),
        ints("strides", &of(|it| it.stride)),
        ints("dilations", &of(|it| it.dilation)),
        ints("pads", pads),
    ]
}

/// How much of that value a `Pad` puts around a volume: top, left, bottom, right.
fn around(pad: &Node, value: f32) -> Option<[i64; 4]> {
    let &[0, 0, top, left, 0, 0, bottom, right] = attribute(pad, "pads")?.ints.as_slice() else {
        return None;
    };
    let pads = [top, left, bottom, right];
    let is_it = pad.op_type == "Pad" && attribute(pad, "value")?.f == value;
    (is_it && pads.iter().all(|&it| it >= 0)).then_some(pads)
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

    /// A volume without so much of that value around it.
    fn around(&self, x: &'a str, value: f32) -> (&'a str, [i64; 4]) {
        let padded = self.inside(x);
        let padded = padded.and_then(|(pad, of)| Some((of, around(pad, value)?)));
        padded.unwrap_or((x, [0; 4]))
    }

    /// The window of an `AVERAGE_POOL_2D` that says `VALID`.
    fn window(&self, pool: &Node, x: &str, output: [usize; 2]) -> Option<[Axis; 2]> {
        let pair = |name: &str| -> Option<[usize; 2]> {
            let &[down, across] = attribute(pool, name)?.ints.as_slice() else {
                return None;
            };
            Some([usize::try_from(down).ok()?, usize::try_from(across).ok()?])
        };
        let (size, stride) = (pair("kernel_shape")?, pair("strides")?);
        let sizes = self.shapes.get(x)?.get(1..3)?;
        let axis = |at: usize| Axis {
            size: size[at],
            dilation: 1,
            stride: stride[at],
            output: output[at],
        };
        let is_it = pool.op_type == "AveragePool" && attribute(pool, "auto_pad")?.s == b"VALID";
        let window = [axis(0), axis(1)];
        let fits = |(axis, size): (&Axis, &usize)| axis.fits(*size) && axis.size <= MOST;
        let fits = window.iter().zip(sizes).all(fits);
        (is_it && fits).then_some(window)
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

    /// What rows of taps, and then columns of these, are taken together by such operators, and of what.
    fn taps(&self, end: &'a str, operator: &str) -> Option<([Axis; 2], &'a str)> {
        let (columns, read) = self.along(end, operator, 2)?;
        let (rows, x) = self.along(read, operator, 1)?;
        Some(([rows, columns], x))
    }

    /// The same along one axis.
    fn along(&self, end: &'a str, operator: &str, axis: usize) -> Option<(Axis, &'a str)> {
        let mut slices = Vec::new();
        let mut name = end;
        while let Some(node) = self.links.writer(name)
            && node.op_type == operator
            && let [others, one] = node.input.as_slice()
        {
            if slices.len() > MOST {
                return None;
            }
            slices.push(one.as_str());
            name = others;
        }
        slices.push(name);
        let mut found: Option<(Axis, &str)> = None;
        for (tap, slice) in slices.iter().rev().enumerate() {
            let node = self.links.writer(slice)?;
            let x = node.input.first()?.as_str();
            let sizes = *self.shapes.get(x)?;
            let parts = self.part(node)?;
            let whole = |at: usize| at == axis || parts[at] == (0, sizes[at], 1);
            let (start, end, stride) = parts[axis];
            let output = end.checked_sub(start)?.div_ceil(stride.max(1));
            if sizes.len() != 4 || !(0..4).all(whole) || stride == 0 || end > sizes[axis] {
                return None;
            }
            match &mut found {
                None if start == 0 => {
                    let dilation = 1;
                    let first = Axis {
                        size: 1,
                        dilation,
                        stride,
                        output,
                    };
                    found = Some((first, x));
                }
                Some((it, of)) if *of == x && (it.stride, it.output) == (stride, output) => {
                    if tap == 1 {
                        it.dilation = start;
                    }
                    if start != tap * it.dilation || start == 0 {
                        return None;
                    }
                    it.size = tap + 1;
                }
                _ => return None,
            }
        }
        let (it, x) = found?;
        it.fits(self.shapes.get(x)?[axis]).then_some((it, x))
    }
}

impl Axis {
    /// Whether there are as many windows as fit.
    fn fits(&self, size: usize) -> bool {
        let covers = self
            .size
            .checked_sub(1)
            .and_then(|it| it.checked_mul(self.dilation));
        let rest = covers.and_then(|covers| size.checked_sub(covers + 1));
        rest.is_some_and(|rest| self.stride > 0 && rest / self.stride + 1 == self.output)
    }
}
