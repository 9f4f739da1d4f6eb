//! # Graph: what a network is
//!
//! ```text
//!                 Op<Written, …>  as it stands in a declaration, with its tokens
//!                      │ map
//!                      ▼
//!                 Op  in plain numbers ──▶ plan ──▶ what is emitted, printed, exported
//! ```
//!
//! One enum names every layer and all its hyperparameters, generic over what a number is. Nothing else
//! lists the layers: [`map`](Op::map), [`visit`](Op::visit), [`read`](Op::read) and the words come from
//! the same lines. What is known of a layer without its numbers, its [`Word`] has: its arguments, how it
//! works ([`Manner`]), what it [sees](Sees). That stands in the layer's own file in
//! [`layer`](crate::layer), beside forward and backward.
//!
//! **Edges.** Volumes are counted: 0 is the image, i + 1 is what op i writes. An op reads the volume
//! before it; four name an earlier one too ([`Branch`](Op::Branch), [`Add`](Op::Add), [`Scale`](Op::Scale),
//! [`Concat`](Op::Concat)), and so a list of them is a graph.

// No arm stands for whatever else there is: a new layer, a new place, is looked at everywhere.
#![deny(clippy::wildcard_enum_match_arm)]

pub(crate) mod input;
mod nested;
pub(crate) mod op;
mod parse;
mod text;
mod works;

use crate::Tensor;
use crate::layer::{concat, outputs, residual, scale};
use crate::shape::Window;

pub use nested::Nested;

pub use crate::layer::word::{
    Arg, Decimals, Generic, Length, Manner, RoleOf, Sees, Takes, TensorOf, Word,
};
pub use op::{Field, Numbers, Op, Source, WORDS};
pub use parse::OpError;
pub use works::Cut;

/// The words of blocks, before braces.
pub const BLOCKS: &[&Word] = &[
    &residual::residual::WORD,
    &concat::concat::WORD,
    &scale::scale::WORD,
    &outputs::outputs::WORD,
    &residual::shortcut::WORD,
];

/// The word in front.
pub const INPUT: &Word = &input::input::WORD;

/// A layer or a network that is declared elsewhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elsewhere<'a> {
    /// What the declaration names.
    pub path: &'a str,
    /// Its numbers.
    pub nested: Nested,
    /// Its graph, if it is a network.
    pub graph: &'a [Node<'a>],
}

/// An op of a network, as [`Network::GRAPH`](crate::Network::GRAPH) lists them.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::{Node, Op};
///
/// /// Layer by layer, with the volumes that each reads: 0 is the image, v what op v − 1 writes.
/// fn edges<'a>(graph: &[Node<'a>]) -> Vec<(&'a str, Vec<usize>)> {
///     let reads = |(at, node): (usize, &Node<'a>)| {
///         let (first, second) = node.op.reads(at);
///         [first].into_iter().chain(second).collect()
///     };
///     let names = graph.iter().map(|node| node.name);
///     names.zip(graph.iter().enumerate().map(reads)).collect()
/// }
/// let add = Node { name: "residual1", op: Op::Add { with: 0, input: 0 }, volume: [8, 8, 3] };
/// let relu = Node { name: "relu1", op: Op::Relu, volume: [8, 8, 3] };
/// assert_eq!(edges(&[relu, add]), [("relu1", vec![0]), ("residual1", vec![1, 0])]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node<'a> {
    /// Its name with those of its blocks, `block1.conv1`.
    pub name: &'a str,
    /// What it does, with every hyperparameter.
    pub op: Op<usize, Window, f64, Elsewhere<'a>>,
    /// The volume that it writes: height, width, depth.
    pub volume: [usize; 3],
}

impl Node<'_> {
    /// Of all tensors of a network, those of this layer, or of the network that it is.
    #[must_use]
    pub fn tensors<'t>(&self, all: &'t [Tensor]) -> &'t [Tensor] {
        let own = |tensor: &Tensor| {
            let rest = tensor.name.strip_prefix(self.name);
            rest.is_some_and(|rest| rest.starts_with('.'))
        };
        let first = all
            .iter()
            .position(own)
            .filter(|_| self.op.has_parameters());
        let rest = &all[first.unwrap_or(all.len())..];
        let count = rest.iter().take_while(|tensor| own(tensor)).count();
        &rest[..count]
    }
}
