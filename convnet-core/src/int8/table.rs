//! The table of a network in bytes, beside what it takes in `f32`.

use core::fmt::{self, Display, Formatter};

use super::Quantize;
use super::program::Task;
use super::quantized::Quantized;
use crate::Tensor;
use crate::graph::Op;
use crate::text::Text;

/// What a network takes: parameters and arena, each in bytes and in `f32`.
#[derive(Clone, Copy)]
pub(super) struct Takes {
    pub(super) parameters: [usize; 2],
    pub(super) arena: [usize; 2],
}

impl Takes {
    pub(super) const fn of<N: Quantize>() -> Self {
        Self {
            parameters: [size_of::<N::Int8>(), size_of::<N>()],
            arena: [size_of::<N::Overlay>(), size_of::<N::Arena>()],
        }
    }
}

impl Display for Takes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let ([own, real], [arena, real_arena]) = (self.parameters, self.arena);
        write!(
            f,
            "int8: parameters {own} bytes, arena {arena}; f32: parameters {real} bytes, arena {real_arena}"
        )
    }
}

/// The network as a table: of each layer, with those that are folded into it, the bytes of its parameters; then of the
/// whole.
impl<N: Quantize, const F: usize, const C: usize, const V: usize> Display
    for Quantized<N, F, C, V>
{
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = |task: &Task| N::GRAPH[task.node].name;
        let word = |task: &Task| N::GRAPH[task.node].op.word().name;
        let shown =
            |task: &&Task| !matches!(N::GRAPH[task.node].op, Op::Concat { last: false, .. });
        let tasks = || N::PROGRAM.tasks.iter().filter(shown);
        let width = |of: &dyn Fn(&Task) -> usize| tasks().map(of).max().unwrap_or(0).max(5);
        let (a, b) = (width(&|it| name(it).len()), width(&|it| word(it).len()));
        writeln!(
            f,
            "{:a$}  {:b$}  {:>12}  {:>9}  {:>9}",
            "layer", "what", "volume", "int8", "f32"
        )?;
        for (at, task) in N::PROGRAM.tasks.iter().enumerate() {
            if !shown(&task) {
                continue;
            }
            let mut volume = Text::<60>::new();
            volume.push_volume(task.pool.unwrap_or(task.sizes).y);
            let next = N::PROGRAM
                .tasks
                .get(at + 1)
                .map_or(N::GRAPH.len(), |next| next.node);
            let own = |name: &str| {
                let of = name.rsplit_once('.').map_or(name, |(of, _)| of);
                let mut layers = N::GRAPH.iter().take(next).skip(task.node);
                layers.any(|node| node.name == of)
            };
            let real = N::TENSORS.iter().filter(|tensor| own(tensor.name));
            let real = size_of::<f32>() * real.map(Tensor::len).sum::<usize>();
            writeln!(
                f,
                "{:a$}  {:b$}  {:>12}  {:>9}  {real:>9}",
                name(task),
                word(task),
                volume.as_str(),
                task.bytes(),
            )?;
        }
        Takes::of::<N>().fmt(f)
    }
}
