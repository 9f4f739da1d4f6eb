//! What int8 makes of numbers while a network goes on learning: they stay `f32`, and are rounded to what bytes stand
//! for.
//!
//! ```text
//!  w ──rounded──▶ filters ─▶ conv ─▶ batch_norm ─▶ relu ─▶ v ──rounded, cut off──▶ the next layer
//!  dw ◀───────────────────── conv ◀─ batch_norm ◀─ relu ◀─ dv ◀──0 where it was cut off──
//! ```
//!
//! The gradient passes as if nothing had been rounded (Jacob et al., *Quantization and Training of Neural Networks for
//! Efficient Integer-Arithmetic-Only Inference*, 2018). Filters are rounded as they are declared: a norm behind them
//! multiplies a filter and its scale by one number, so that they are the bytes of the folded ones.

use alloc::vec::Vec;

use super::calibrate::{has_one_scale, scale_of};
use super::real::{is_filters, tensor_of};
use super::run::part;
use super::{Parameters as _, Quantize};
use crate::graph::Op;
use crate::kernel::i8::Quantization;
use crate::network::observe::Watch;
use crate::{Parameters, Seen};

/// How a network's numbers are rounded.
pub(crate) struct Fake {
    image: Quantization,
    /// What the volume of each line of the table becomes.
    lines: Vec<Option<Quantization>>,
    /// The tensors that are filters, and how many scales each has, of filters side by side.
    filters: Vec<(usize, usize)>,
}

/// Numbers beyond what bytes stand for, on a tape: the line of the volume, and which one. The last volume's are the
/// last.
pub(crate) type Cut = Vec<[u32; 2]>;

impl Fake {
    pub(crate) fn new<N: Quantize>(twin: &N::Int8) -> Self {
        let (_, channels, volumes) = twin.parts();
        let of = |volume: usize| volumes.get(volume).copied().unwrap_or(Quantization::NONE);
        let line = |node: usize| {
            let before = N::GRAPH.iter().take(node);
            before.filter(|node| node.op.is_shown()).count()
        };
        let mut all = Self {
            image: of(0),
            lines: alloc::vec![None; line(N::GRAPH.len())],
            filters: Vec::new(),
        };
        let tasks = N::PROGRAM.tasks;
        let next = tasks.iter().skip(1).map(|task| task.node);
        for (task, next) in tasks.iter().zip(next.chain([N::GRAPH.len()])) {
            // Behind the clamps that it does on the way; what dropout makes of them has no bytes.
            let on_the_way = N::GRAPH.iter().take(next).skip(task.node + 1);
            let on_the_way = on_the_way
                .take_while(|node| !matches!(node.op, Op::Branch { .. } | Op::Dropout { .. }));
            let written = task.node + on_the_way.count();
            if N::GRAPH[written].op.is_shown() {
                all.lines[line(written)] = Some(of(task.volumes[2]));
            }
            let filters = tensor_of::<N>(task.node, is_filters);
            let own = part(channels, task.channels).unwrap_or_default();
            let scales = match has_one_scale::<N>(task, own) {
                true => 1,
                false => own.len(),
            };
            all.filters.extend(filters.map(|index| (index, scales)));
        }
        all
    }

    /// The image, in the steps of its bytes.
    pub(crate) fn image(&self, image: &mut [f32]) {
        round(&self.image, image, |_| ());
    }

    /// The network with its filters rounded.
    pub(crate) fn weights<N: Parameters<Scalar = f32>>(&self, net: &N, to: &mut N) {
        for index in 0..N::TENSORS.len() {
            to.tensor_mut(index).copy_from_slice(net.tensor(index));
        }
        for &(index, k) in &self.filters {
            let filters = to.tensor_mut(index);
            for at in 0..k {
                let own = filters.iter().skip(at).step_by(k);
                let scale = scale_of(own, 0.0);
                let own = filters.iter_mut().skip(at).step_by(k);
                own.for_each(|w| *w = steps(*w / scale) * scale);
            }
        }
    }
}

/// Rounds every volume when it is there.
pub(crate) struct Rounds<'a>(pub(crate) &'a Fake, pub(crate) &'a mut Cut);

impl Watch<f32> for Rounds<'_> {
    const LOOKS: bool = true;

    fn see(&mut self, _: usize, _: Seen<'_, f32>) {}

    fn alter(&mut self, line: usize, volume: &mut [f32]) {
        if let Some(Some(is)) = self.0.lines.get(line) {
            round(is, volume, |at| self.1.push([line as u32, at as u32]));
        }
    }
}

/// Lets the gradient through, but where a number was cut off.
pub(crate) struct Passes<'a>(pub(crate) &'a mut Cut);

impl Watch<f32> for Passes<'_> {
    const LOOKS: bool = true;

    fn see(&mut self, _: usize, _: Seen<'_, f32>) {}

    fn alter(&mut self, line: usize, gradient: &mut [f32]) {
        while let Some([of, at]) = self.0.pop_if(|[of, _]| *of >= line as u32) {
            if of == line as u32
                && let Some(dv) = gradient.get_mut(at as usize)
            {
                *dv = 0.0;
            }
        }
    }
}

/// To whole steps, a half to the even one.
fn steps(v: f32) -> f32 {
    /// Beyond it, a float has no room for less than 1.
    const WHOLE: f32 = 1.5 * (1 << 23) as f32;
    (v + WHOLE) - WHOLE
}

/// Rounds to what bytes stand for; says which numbers lie beyond.
fn round(is: &Quantization, volume: &mut [f32], mut beyond: impl FnMut(usize)) {
    let [low, high] = [is.lower, is.upper].map(|byte| is.real(byte));
    let inverse = 1.0 / is.scale;
    let is_beyond = |v: f32| v < low || v > high;
    for (piece, volume) in volume.chunks_mut(64).enumerate() {
        if volume.iter().any(|v| is_beyond(*v)) {
            let all = volume.iter().enumerate().filter(|(_, v)| is_beyond(**v));
            all.for_each(|(at, _)| beyond(64 * piece + at));
        }
        for v in volume {
            // NaN stays NaN.
            *v = steps(v.clamp(low, high) * inverse) * is.scale;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_becomes_what_its_byte_stands_for() {
        let is = Quantization::covering(-1.0, 3.0);
        for at in -1200..=1200 {
            let v = at as f32 * 0.00307;
            let (mut volume, mut cut) = ([v], Vec::new());
            round(&is, &mut volume, |at| cut.push(at));
            let byte = is.real(is.quantize(v));
            assert!((volume[0] - byte).abs() < 1e-6, "{v}: {volume:?}, {byte}");
            assert_eq!(
                cut.is_empty(),
                is.real(-128) <= v && v <= is.real(127),
                "{v}"
            );
        }
    }

    #[test]
    fn the_gradient_is_stopped_where_a_number_was_cut_off() {
        let is = Some(Quantization::covering(0.0, 1.0));
        let fake = Fake {
            image: Quantization::NONE,
            lines: alloc::vec![None, is, is, is],
            filters: Vec::new(),
        };
        let mut cut = Cut::new();
        let watch = &mut Rounds(&fake, &mut cut);
        watch.alter(0, &mut [9.0; 2]);
        watch.alter(1, &mut [0.5, 1.5, 0.5]);
        watch.alter(2, &mut [2.0; 2]);
        watch.alter(3, &mut [0.5, 0.0, 3.0]);
        assert_eq!(cut, [[1, 1], [2, 0], [2, 1], [3, 2]]);
        let mut passes = Passes(&mut cut);
        // Nobody asks for the gradient of line 2.
        for (line, expected) in [(3, [1.0, 1.0, 0.0]), (1, [1.0, 0.0, 1.0]), (0, [1.0; 3])] {
            let mut gradient = [1.0; 3];
            passes.alter(line, &mut gradient);
            assert_eq!(gradient, expected, "of line {line}");
        }
        assert!(cut.is_empty());
    }

    #[test]
    fn not_a_number_stays_none() {
        let (mut volume, mut cut) = ([f32::NAN], 0);
        round(&Quantization::covering(0.0, 1.0), &mut volume, |_| cut += 1);
        assert!(volume[0].is_nan() && cut == 0);
    }
}
