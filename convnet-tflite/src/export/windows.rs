//! Layers that slide. There is no padding but `SAME`, which puts the odd zero below and right; any other is a `PAD` in
//! front.

use convnet_core::kernel::Sizes;
use convnet_core::shape::Window;

use super::{Export, Volume, shape};
use crate::flatbuffer::{Table, Value};
use crate::model::{self, Data, Element, Kind, Tensor};

impl<F: Fn(&str) -> Option<super::Tensor>> Export<F> {
    pub(super) fn conv(
        &mut self,
        name: &str,
        bias: bool,
        window: &Window,
        x: Volume,
        size: [usize; 3],
    ) -> usize {
        let (filters, [k, ..]) = self.filters(name);
        let inputs = self.with_bias(name, bias, k, [x.at, filters]);
        self.slid(model::CONV_2D, name, &sliding(window, x, size), x, inputs)
    }

    pub(super) fn depthwise(
        &mut self,
        name: &str,
        bias: bool,
        window: &Window,
        x: Volume,
        size: [usize; 3],
    ) -> usize {
        let tensor = format!("{name}.filters");
        let ([height, width, _, depth], values) = self.values::<4>(&tensor);
        let filters = self.floats(tensor, vec![1, height, width, depth], values);
        let inputs = self.with_bias(name, bias, depth, [x.at, filters]);
        let kind = model::DEPTHWISE_CONV_2D;
        self.slid(kind, name, &sliding(window, x, size), x, inputs)
    }

    /// Group by group, with zeros for the gaps of filters, and the border cut off afterwards.
    pub(super) fn conv_transpose(
        &mut self,
        name: &str,
        groups: usize,
        bias: bool,
        window: &Window,
        x: Volume,
        size: [usize; 3],
    ) -> usize {
        let before = [0, 1].map(|at| window.axis(at, x.size[at]).map_or(0, |it| it.before));
        let reach =
            [0, 1].map(|at| x.size[at].saturating_sub(1) * window.stride[at] + window.covers(at));
        // `SAME` cuts the smaller half off in front, of an output of which a conv would make as many pixels.
        let same = (0..2).all(|at| {
            size[at].div_ceil(window.stride[at].max(1)) == x.size[at]
                && before[at] == reach[at].saturating_sub(size[at]) / 2
        });
        let stamped = match same {
            true => [size[0], size[1]],
            false => [0, 1].map(|at| reach[at].max(before[at] + size[at])),
        };
        let whole = match stamped == [size[0], size[1]] {
            true => name.to_owned(),
            false => format!("{name}.stamped"),
        };
        let tensor = format!("{name}.filters");
        let (axes, values) = self.values::<4>(&tensor);
        let (groups, [_, _, each, depth]) = (groups.max(1), axes);
        let (field, biases) = match bias {
            true => ("bias", self.values::<1>(&format!("{name}.bias")).1),
            false => ("zeros", vec![0.0; each * groups]),
        };
        let (slices, mut parts) = (depth / groups, Vec::new());
        let x = Volume {
            at: self.deep(x),
            ..x
        };
        for group in 0..groups {
            let of_group = |what: &str| match groups {
                1 => what.to_owned(),
                _ => format!("{what}.{group}"),
            };
            let from = group * slices;
            let read = match groups {
                1 => x.at,
                _ => {
                    let part = [x.size[0], x.size[1], slices];
                    self.part(&of_group(&format!("{name}.part")), x, [0, 0, from], part)
                }
            };
            let (sizes, values) = stamps(axes, &values, from..from + slices, window);
            let filters = self.floats(of_group(&tensor), sizes, values);
            let part = shape([stamped[0], stamped[1], each]);
            let sizes: Vec<i32> = part.iter().map(|&it| it as i32).collect();
            let to = self.ints(of_group(&format!("{name}.size")), &sizes);
            let biases = biases.iter().skip(group * each).take(each).copied();
            let tensor = of_group(&format!("{name}.{field}"));
            let biases = self.floats(tensor, vec![each], biases.collect());
            let inputs = vec![to, filters, read, biases];
            let (kind, options) = (model::TRANSPOSE_CONV, slides(window.stride, same));
            let at = self
                .model
                .push(kind, of_group(&whole), inputs, part, options);
            let size = [stamped[0], stamped[1], each];
            parts.push(Volume { at, size });
        }
        let joined = match parts[..] {
            [one] => one,
            _ => self.concat(whole, parts, [stamped[0], stamped[1], each * groups]),
        };
        match joined.size == size {
            true => joined.at,
            false => self.part(name, joined, [before[0], before[1], 0], size),
        }
    }

    /// `SAME` does not count zeros, and a `PAD` in front counts them: what comes then is multiplied by how many there
    /// are for each that counts.
    pub(super) fn avg_pool(
        &mut self,
        name: &str,
        window: &Window,
        x: Volume,
        size: [usize; 3],
    ) -> usize {
        let at = self.deep(x);
        let (x, gapless) = (Volume { at, ..x }, window.dilation == [1; 2]);
        let sizes = sliding(window, x, size);
        let (padded, same) = self.around(name, &sizes, x, Filled::Zeros, gapless);
        let kind = model::AVERAGE_POOL_2D;
        if gapless && padded == at {
            return self.pool(kind, name, &sizes, same, padded);
        }
        let sums = format!("{name}.sums");
        let (sums, taps) = match gapless {
            false => (self.taps(model::ADD, &sums, &sizes, padded), 1),
            true => {
                let mean = self.pool(kind, &sums, &sizes, false, padded);
                (mean, window.size[0] * window.size[1])
            }
        };
        let seen = |axis: usize, output: usize| met(&sizes, axis, output).count();
        let counts = (0..size[0])
            .flat_map(|row| (0..size[1]).map(move |column| seen(0, row) * seen(1, column)));
        let factors = counts.map(|count| taps as f32 / count as f32).collect();
        let factors = self.floats(
            format!("{name}.factors"),
            vec![size[0], size[1], 1],
            factors,
        );
        self.alike(model::MUL, name, vec![sums, factors], Table::new())
    }

    /// The filters of a layer, `[k][height][width][depth]`: their tensor, and these sizes.
    pub(super) fn filters(&mut self, layer: &str) -> (usize, [usize; 4]) {
        let name = format!("{layer}.filters");
        let ([height, width, depth, k], values) = self.values::<4>(&name);
        let turned = (0..k).flat_map(|filter| values.iter().skip(filter).step_by(k));
        let turned = turned.copied().collect();
        let sizes = [k, height, width, depth];
        (self.floats(name, sizes.into(), turned), sizes)
    }

    /// With a bias for each of the filters, zeros if there is none: a `DEPTHWISE_CONV_2D` without crashes LiteRT 2.3.
    pub(super) fn with_bias(
        &mut self,
        layer: &str,
        bias: bool,
        k: usize,
        [x, filters]: [usize; 2],
    ) -> Vec<usize> {
        let bias = match bias {
            true => self.own::<1>(layer, "bias"),
            false => self.floats(format!("{layer}.zeros"), vec![k], vec![0.0; k]),
        };
        vec![x, filters, bias]
    }
}

impl<F> Export<F> {
    /// A layer with filters: of x, these and their biases.
    pub(super) fn slid(
        &mut self,
        kind: Kind,
        name: &str,
        window: &Sizes,
        x: Volume,
        mut inputs: Vec<usize>,
    ) -> usize {
        let (x, same) = self.around(name, window, x, Filled::Zeros, true);
        inputs[0] = x;
        let mut options = slides(window.stride, same);
        let [down, across] = window.dilation.map(|it| Value::Int(it as i32));
        options.extend(match kind {
            model::CONV_2D => vec![(4, across), (5, down)],
            _ => vec![(3, Value::Int(1)), (5, across), (6, down)],
        });
        let size = shape(window.y);
        self.model.push(kind, name.into(), inputs, size, options)
    }

    pub(super) fn max_pool(&mut self, name: &str, window: &Sizes, x: Volume) -> usize {
        let gapless = window.dilation == [1; 2];
        let (x, same) = self.around(name, window, x, Filled::Least, gapless);
        match gapless {
            true => self.pool(model::MAX_POOL_2D, name, window, same, x),
            false => self.taps(model::MAXIMUM, name, window, x),
        }
    }

    pub(super) fn pool(
        &mut self,
        kind: Kind,
        name: &str,
        window: &Sizes,
        same: bool,
        x: usize,
    ) -> usize {
        let mut options = slides(window.stride, same);
        let [down, across] = window.filter.map(|it| Value::Int(it as i32));
        options.extend([(3, across), (4, down)]);
        let size = shape(window.y);
        self.model.push(kind, name.into(), vec![x], size, options)
    }

    /// What a window with gaps sees, tap by tap: rows first, then columns of what came of them.
    fn taps(&mut self, kind: Kind, name: &str, window: &Sizes, x: usize) -> usize {
        let mut all = x;
        for (axis, outputs) in window.y.into_iter().enumerate().take(2) {
            let read = all;
            for tap in 0..window.filter[axis] {
                let step = |step: &str| format!("{name}.{step}{axis}_{tap}");
                let from = tap * window.dilation[axis];
                let to = from + (outputs - 1) * window.stride[axis] + 1;
                let pixels = [from, to, window.stride[axis]];
                let seen = self.every(&step("tap"), read, axis, pixels);
                all = match tap {
                    0 => seen,
                    _ => self.alike(kind, &step("with"), vec![all, seen], Table::new()),
                };
            }
        }
        self.model.tensors[all].name = name.into();
        all
    }

    /// Of rows (0) or columns (1) every so many, from one to before another.
    pub(super) fn every(
        &mut self,
        name: &str,
        x: usize,
        axis: usize,
        [from, to, step]: [usize; 3],
    ) -> usize {
        let mut sizes = self.model.tensors[x].shape.clone();
        sizes[1 + axis] = (to - from).div_ceil(step.max(1));
        let ends = [("from", from, 0), ("to", to, 0), ("steps", step, 1)];
        let ends = ends.map(|(end, at, elsewhere)| {
            let mut all = [elsewhere; 4];
            all[1 + axis] = at as i32;
            self.ints(format!("{name}.{end}"), &all)
        });
        let inputs = [x].into_iter().chain(ends).collect();
        // Whole along the others.
        let whole = Value::Int(0b1111 ^ (0b10 << axis));
        let masks = vec![(0, whole.clone()), (1, whole)];
        let kind = model::STRIDED_SLICE;
        self.model.push(kind, name.into(), inputs, sizes, masks)
    }

    /// What a window reads, and whether it is to say `SAME`, if it may.
    fn around(
        &mut self,
        name: &str,
        window: &Sizes,
        x: Volume,
        filled: Filled,
        may: bool,
    ) -> (usize, bool) {
        let (pads, same) = pads(window);
        let x = self.deep(x);
        match pads == [[0; 2]; 3] {
            true => (x, false),
            false if same && may => (x, true),
            false => {
                let name = format!("{name}.padded");
                (self.padded(&name, x, pads, filled), false)
            }
        }
    }

    /// So much of it before and behind, of rows, columns and slices.
    pub(super) fn padded(
        &mut self,
        name: &str,
        x: usize,
        pads: [[usize; 2]; 3],
        filled: Filled,
    ) -> usize {
        let mut sizes = self.model.tensors[x].shape.clone();
        for (size, [before, after]) in sizes[1..].iter_mut().zip(pads) {
            *size += before + after;
        }
        let values = pads.iter().flatten().map(|&it| it as i32);
        let values: Vec<i32> = [0, 0].into_iter().chain(values).collect();
        let tensor = format!("{name}.pads");
        let pads = self.model.tensor(tensor, vec![4, 2], Data::Ints(values));
        let (mut kind, mut inputs) = (model::PAD, vec![x, pads]);
        if filled == Filled::Least {
            kind = model::PADV2;
            let Tensor { element, steps, .. } = &self.model.tensors[x];
            let (least, steps) = match element {
                Element::I8 => (Data::Bytes(vec![i8::MIN]), steps.clone()),
                Element::F32 | Element::I32 => (Data::Floats(vec![f32::NEG_INFINITY]), None),
            };
            let value = self
                .model
                .tensor(format!("{name}.value"), Vec::new(), least);
            self.model.tensors[value].steps = steps;
            inputs.push(value);
        }
        self.model
            .push(kind, name.into(), inputs, sizes, Table::new())
    }
}

/// What is put around a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    Zeros,
    /// What is never the largest.
    Least,
}

/// How a window slides over x, to a volume of that size.
pub(super) fn sliding(window: &Window, x: Volume, size: [usize; 3]) -> Sizes {
    Sizes {
        x: x.size,
        filter: window.size,
        stride: window.stride,
        dilation: window.dilation,
        before: [0, 1].map(|at| window.axis(at, x.size[at]).map_or(0, |it| it.before)),
        y: size,
        groups: 1,
    }
}

/// What a window reads before and behind of rows, of columns and of slices, and whether that is what `SAME` means.
pub(super) fn pads(window: &Sizes) -> ([[usize; 2]; 3], bool) {
    let axis = |at: usize| {
        let (x, y, before) = (window.x[at], window.y[at], window.before[at]);
        let covers = window.filter[at].saturating_sub(1) * window.dilation[at] + 1;
        let reach = y.saturating_sub(1) * window.stride[at] + covers;
        let same =
            y == x.div_ceil(window.stride[at].max(1)) && before == reach.saturating_sub(x) / 2;
        ([before, reach.saturating_sub(before + x)], same)
    };
    let ((rows, down), (columns, across)) = (axis(0), axis(1));
    ([rows, columns, [0; 2]], down && across)
}

/// The rows (0) or columns (1) that a window meets.
pub(super) fn met(window: &Sizes, axis: usize, output: usize) -> impl Iterator<Item = usize> {
    let [first, step, x] = [
        output * window.stride[axis],
        window.dilation[axis],
        window.x[axis],
    ];
    let before = window.before[axis];
    let taps = (0..window.filter[axis]).map(move |tap| first + tap * step);
    taps.filter_map(move |at| at.checked_sub(before))
        .filter(move |&at| at < x)
}

/// Padding and strides.
fn slides(stride: [usize; 2], same: bool) -> Table {
    let [down, across] = stride.map(|it| Value::Int(it as i32));
    vec![(0, Value::Int(i32::from(!same))), (1, across), (2, down)]
}

/// Of `[height][width][k][depth]`, the filters of some slices as `[k][height][width][depth]`, zeros between their taps.
fn stamps(
    [height, width, k, depth]: [usize; 4],
    values: &[f32],
    slices: std::ops::Range<usize>,
    window: &Window,
) -> (Vec<usize>, Vec<f32>) {
    let [rows, columns] = [window.covers(0), window.covers(1)];
    let sizes = [k, rows, columns, slices.len()];
    let mut stamps = vec![0.0; sizes.iter().product()];
    if values.is_empty() {
        return (sizes.into(), stamps);
    }
    for filter in 0..k {
        for (row, column) in (0..height * width).map(|at| (at / width, at % width)) {
            let from = ((row * width + column) * k + filter) * depth;
            let place = filter * rows + row * window.dilation[0];
            let to = (place * columns + column * window.dilation[1]) * slices.len();
            let read = &values[from + slices.start..from + slices.end];
            stamps[to..to + slices.len()].copy_from_slice(read);
        }
    }
    (sizes.into(), stamps)
}
