//! How far the bytes are from the numbers that they stand for, layer by layer.

use alloc::vec;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt::{self, Display, Formatter};

use num_traits::Float;

use super::Quantize;
use super::program::Task;
use super::quantized::{Parameters, Quantized};
use super::real::Real;
use super::table::Takes;
use crate::AnyVolume;
use crate::graph::Op;
use crate::kernel::i8::Quantization;

/// What [`Quantized::report`] found. [`Display`] is a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Layer by layer; what is folded into another has no line.
    pub lines: Vec<Line>,
    /// Bytes of the parameters, in int8 and in `f32`.
    pub parameters: [usize; 2],
    /// Bytes of the arena, in int8 and in `f32`.
    pub arena: [usize; 2],
}

/// A line of a [`Report`].
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The layer.
    pub name: &'static str,
    /// What it is, `conv`.
    pub word: &'static str,
    /// The least and the largest number that its bytes stand for.
    pub range: [f32; 2],
    /// What they stand for.
    pub quantization: Quantization,
    /// Signal to noise against `f32`, in decibels: 10·log₁₀(Σv²/Σ(v − bytes)²).
    pub decibels: f64,
}

impl<N: Quantize, const F: usize, const C: usize, const V: usize> Quantized<N, F, C, V> {
    /// How far this is from the network that it was made of, on some images.
    #[must_use]
    pub fn report<I: Borrow<N::Input>>(&self, net: &N, images: &[I]) -> Report {
        let real = Real::new(net);
        let (_, _, volumes) = self.parts();
        let shown = |task: &Task| !matches!(N::GRAPH[task.node].op, Op::Concat { last: false, .. });
        let tasks: Vec<_> = N::PROGRAM.tasks.iter().filter(|task| shown(task)).collect();
        let mut powers = vec![[0.0f64; 2]; tasks.len()];
        let (mut bytes, mut arena) = (bytemuck::zeroed_box(), Self::arena());
        for image in images {
            let numbers = real.volumes::<N>(image.borrow().as_slice());
            self.encode(image.borrow(), &mut bytes);
            let mut powers = powers.iter_mut();
            self.watched(&bytes, &mut arena, |task, arena| {
                if !shown(task) {
                    return;
                }
                let is = volumes[task.volumes[2]];
                let numbers = &numbers[real.written::<N>(task)];
                if let Some([signal, noise]) = powers.next() {
                    for (&number, &byte) in numbers.iter().zip(&arena[task.y..]) {
                        let number = f64::from(number);
                        *signal += number * number;
                        *noise += Float::powi(number - f64::from(is.real(byte)), 2);
                    }
                }
            });
        }
        let lines = tasks.iter().zip(powers).map(|(task, [signal, noise])| {
            let (node, is) = (&N::GRAPH[task.node], volumes[task.volumes[2]]);
            Line {
                name: node.name,
                word: node.op.word().name,
                range: [is.lower, is.upper].map(|byte| is.real(byte)),
                quantization: is,
                decibels: 10.0 * Float::log10(signal / noise),
            }
        });
        let Takes { parameters, arena } = Takes::of::<N>();
        Report {
            lines: lines.collect(),
            parameters,
            arena,
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = |of: fn(&Line) -> usize| self.lines.iter().map(of).max().unwrap_or(0).max(5);
        let (name, word) = (width(|it| it.name.len()), width(|it| it.word.len()));
        writeln!(
            f,
            "{:name$}  {:word$}  {:>10} {:>10}  {:>10}  {:>4}  {:>6}",
            "layer", "what", "from", "to", "scale", "zero", "SNR"
        )?;
        for line in &self.lines {
            let Quantization { scale, zero, .. } = line.quantization;
            let [low, high] = line.range;
            writeln!(
                f,
                "{:name$}  {:word$}  {low:>10.4} {high:>10.4}  {scale:>10.6}  {zero:>4}  {:>4.1} dB",
                line.name, line.word, line.decibels
            )?;
        }
        let (parameters, arena) = (self.parameters, self.arena);
        Takes { parameters, arena }.fmt(f)
    }
}
