//! What several operators compute together, as the one node that computes it.
//!
//! ```text
//!  x ──MAXIMUM of −0.5──▶ MINIMUM of 2.5──▶ y    becomes    x ──Clip──▶ y
//! ```
//!
//! The node that wrote `y` is replaced; those in front of it nobody reads any more. Where there is no such pattern, they
//! are refused by their names.

mod norms;
mod turned;
mod windows;

use std::collections::HashMap;

use convnet_onnx::proto::{Attribute, Node};

use crate::array::Array;
use crate::nodes::{Nodes, bounds, float};
use crate::onnx::patterns::Links;

/// What is known of a graph.
struct Graph<'a> {
    links: Links<'a>,
    constants: &'a HashMap<String, Array>,
    shapes: &'a Shapes<'a>,
}

/// A node in place of the one at `last`.
struct Found {
    last: usize,
    kind: &'static str,
    inputs: Vec<String>,
    attributes: Vec<Attribute>,
    /// Its own, if it is not called as what it writes.
    name: Option<String>,
    /// Whether it wants the depth second.
    slides: bool,
    /// New ones that it reads.
    constants: Vec<(String, Array)>,
}

impl Found {
    fn new(
        last: usize,
        kind: &'static str,
        inputs: Vec<String>,
        attributes: Vec<Attribute>,
    ) -> Self {
        Self {
            last,
            kind,
            inputs,
            attributes,
            name: None,
            slides: false,
            constants: Vec::new(),
        }
    }
}

/// The pattern of which that node is the one that nothing else has.
type Find = for<'a> fn(&Graph<'a>, &'a Node) -> Option<Found>;

/// How large each volume is.
pub(super) type Shapes<'a> = HashMap<&'a str, &'a [usize]>;

/// The nodes with each pattern as one of them; `outputs` are to stay.
pub(super) fn joined(mut out: Nodes, outputs: &[&str], shapes: &Shapes<'_>) -> Nodes {
    let all: [Find; 11] = [
        clamp,
        elu,
        softplus,
        norms::norm,
        turned::turned,
        windows::lrn,
        windows::groups,
        windows::cropped,
        windows::padded_max_pool,
        windows::max_pool,
        windows::avg_pool,
    ];
    for find in all {
        let found: Vec<Found> = {
            let mut links = Links::new(&out.nodes, outputs.iter().copied());
            let scalars = out.constants.iter().filter_map(|(name, array)| {
                let &[scalar] = array.as_floats()? else {
                    return None;
                };
                Some((name.as_str(), scalar))
            });
            links.scalars.extend(scalars);
            let graph = Graph {
                links,
                constants: &out.constants,
                shapes,
            };
            let nodes = out.nodes.iter();
            nodes.filter_map(|node| find(&graph, node)).collect()
        };
        for it in found {
            out.constants.extend(it.constants);
            let node = &mut out.nodes[it.last];
            if !it.slides {
                (node.op_type, node.input) = (it.kind.into(), it.inputs);
                node.attribute = it.attributes;
            } else if let Some(y) = std::mem::take(node).output.first() {
                let at = out.sliding(it.kind, it.inputs, y, it.attributes);
                if let (Ok(at), Some(name)) = (at, it.name) {
                    out.nodes[at].name = name;
                }
            }
        }
    }
    out
}

/// An attribute of a node.
fn attribute<'a>(node: &'a Node, name: &str) -> Option<&'a Attribute> {
    node.attribute.iter().find(|it| it.name == name)
}

/// A bound from below and one from above, in any order, as one `Clip`.
fn clamp<'a>(graph: &Graph<'a>, first: &'a Node) -> Option<Found> {
    let (last, second) = graph.links.next(first)?;
    let bound = |node: &Node, name: &str| match node.attribute.as_slice() {
        [it] if node.op_type == "Clip" && it.name == name => Some(it.f),
        _ => None,
    };
    let either = |name: &str| bound(first, name).or_else(|| bound(second, name));
    let (low, high) = (either("min")?, either("max")?);
    let inputs = first.input.clone();
    (low <= high).then(|| Found::new(last, "Clip", inputs, bounds(low, high).into()))
}

/// `relu(x) + α·elu(min(x, 0))`.
fn elu<'a>(graph: &Graph<'a>, bent: &'a Node) -> Option<Found> {
    let links = &graph.links;
    let below = links.writer(bent.input.first()?)?;
    let is_below = |it: &[Attribute]| matches!(it, [it] if it.name == "max" && it.f == 0.0);
    let (_, scaled) = links.next(bent)?;
    let [_, by] = links.operands(scaled, "Mul")?;
    let alpha = *links.scalars.get(by)?;
    let (last, sum) = links.next(scaled)?;
    let x = below.input.first()?;
    let is_it = bent.op_type == "Elu"
        && below.op_type == "Clip"
        && is_below(&below.attribute)
        && graph.is_relu(other(sum, "Add", scaled)?, x);
    let attributes = vec![float("alpha", alpha)];
    is_it.then(|| Found::new(last, "Elu", vec![x.clone()], attributes))
}

/// `ln(1 + eˣ)`, or `relu(x) + ln(1 + e^−|x|)`, in which nothing overflows.
fn softplus<'a>(graph: &Graph<'a>, log: &'a Node) -> Option<Found> {
    let links = &graph.links;
    let more = links.writer(log.input.first()?)?;
    let [power, one] = links.operands(more, "Add")?;
    let power = links.writer(power)?;
    if log.op_type != "LOG" || power.op_type != "EXP" || !links.is(one, 1.0) {
        return None;
    }
    let of = power.input.first()?;
    let whole = || {
        let minus = links.writer(of).filter(|it| it.op_type == "NEG")?;
        let size = links.writer(minus.input.first()?)?;
        let x = size.input.first().filter(|_| size.op_type == "ABS")?;
        let (last, sum) = links.next(log)?;
        graph
            .is_relu(other(sum, "Add", log)?, x)
            .then_some((last, x))
    };
    let (last, x) = match whole() {
        Some(found) => found,
        None => (links.place(log.output.first()?)?, of),
    };
    Some(Found::new(last, "Softplus", vec![x.clone()], Vec::new()))
}

/// The other operand of a node of that operator that reads what `one` writes.
fn other<'a>(node: &'a Node, operator: &str, one: &Node) -> Option<&'a str> {
    let [a, b] = node.input.as_slice() else {
        return None;
    };
    let other = if one.output.first() == Some(a) { b } else { a };
    (node.op_type == operator).then_some(other)
}

impl<'a> Graph<'a> {
    /// Whether that is the `relu` of `x`.
    fn is_relu(&self, name: &str, x: &str) -> bool {
        let writer = self.links.writer(name);
        writer.is_some_and(|it| it.op_type == "Relu" && it.input == [x])
    }
}
