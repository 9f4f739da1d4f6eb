//! Norms: what a mean, a variance and `RSQRT` make of a volume, as one node.
//!
//! Whatever the order in which a model multiplies and adds, it is `x·r·γ − μ·r·γ + β` in the end: each operator behind the
//! mean μ and the factor r = 1/√(σ² + ε) is written as such a sum, until one is that.

use std::collections::{HashMap, VecDeque};

use convnet_onnx::proto::Node;

use super::{Found, Graph, attribute};
use crate::array::volume;
use crate::nodes::{float, int};

/// What a product is of, beside constants and r.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Volume,
    Mean,
    Nothing,
}

/// A product.
#[derive(Clone, Copy, PartialEq)]
struct Term<'a> {
    of: Of,
    /// Whether r is in it.
    scaled: bool,
    constant: Option<&'a str>,
    minus: bool,
}

impl<'a> Term<'a> {
    const fn new(of: Of, scaled: bool, constant: Option<&'a str>) -> Self {
        Self {
            of,
            scaled,
            constant,
            minus: false,
        }
    }

    fn times(self, by: Self) -> Option<Self> {
        let of = match (self.of, by.of) {
            (of, Of::Nothing) | (Of::Nothing, of) => of,
            _ => return None,
        };
        let twice = self.scaled && by.scaled || self.constant.is_some() && by.constant.is_some();
        (!twice).then_some(Self {
            of,
            scaled: self.scaled || by.scaled,
            constant: self.constant.or(by.constant),
            minus: self.minus != by.minus,
        })
    }
}

/// γ and β, where they are.
type Ends<'a> = [Option<&'a str>; 2];

/// The constants of a sum that is a norm.
fn ends<'a>(sum: &[Term<'a>]) -> Option<Ends<'a>> {
    let is = |of: Of, scaled: bool, minus: bool| {
        let mut terms = sum.iter();
        terms.find(move |it| (it.of, it.scaled, it.minus) == (of, scaled, minus))
    };
    let (volume, mean) = (is(Of::Volume, true, false)?, is(Of::Mean, true, true)?);
    let beta = match sum.len() {
        2 => None,
        3 => Some(is(Of::Nothing, false, false)?.constant?),
        _ => return None,
    };
    (volume.constant == mean.constant).then_some([volume.constant, beta])
}

/// A norm around that `RSQRT`.
pub(super) fn norm<'a>(graph: &Graph<'a>, factor: &'a Node) -> Option<Found> {
    let links = &graph.links;
    if factor.op_type != "RSQRT" {
        return None;
    }
    let raised = links.writer(factor.input.first()?)?;
    let [variance, eps] = links.operands(raised, "Add")?;
    let eps = *links.scalars.get(eps)?;
    let (squares, axes) = graph.mean(variance)?;
    let squares = links.writer(squares)?;
    let [a, b] = squares.input.as_slice() else {
        return None;
    };
    let centre = |x: &'a str, mean: &'a str| (graph.mean(mean)?.0 == x).then_some([x, mean]);
    let [x, mean] = centre(a, b).or_else(|| centre(b, a))?;
    if squares.op_type != "SQUARED_DIFFERENCE" || graph.mean(mean)?.1 != axes {
        return None;
    }
    let shape = *graph.shapes.get(x)?;
    let whole = graph.cut(x, shape, &axes);
    let (last, [gamma, beta]) = graph.sums(
        [x, mean, factor.output.first()?],
        whole.map(|(_, shape)| shape),
    )?;
    let (of, depth) = match whole {
        Some((of, whole)) => (of, *whole.last()?),
        None => (x, *shape.last()?),
    };
    let rank = shape.len();
    let kind = match (whole, axes.as_slice()) {
        (Some(_), _) => Kind::Groups(shape[rank - 2]),
        (None, [1, 2]) if rank == 4 => Kind::Groups(depth),
        (None, [1, 2, 3]) if rank == 4 => Kind::Volume,
        (None, &[axis]) if Some(axis) == rank.checked_sub(1) => Kind::Depth,
        (None, _) => return None,
    };
    let trailing = |name: &str, sizes: &[usize]| {
        let dims = &graph.constants.get(name)?.dims;
        let trim = |dims: &[usize]| dims.iter().copied().skip_while(|it| *it == 1).collect();
        let [dims, sizes]: [Vec<usize>; 2] = [trim(dims), trim(sizes)];
        (dims == sizes).then_some(())
    };
    for name in [gamma, beta].into_iter().flatten() {
        match kind {
            Kind::Volume => trailing(name, shape)?,
            // In groups, too.
            Kind::Groups(_) if rank > 4 || shape[rank - 1] > 1 && whole.is_some() => {
                trailing(name, &[depth]).or_else(|| trailing(name, &shape[rank - 2..]))?;
            }
            Kind::Groups(_) => trailing(name, &[depth])?,
            Kind::Depth => trailing(name, &[depth])?,
        }
    }
    let mut inputs = vec![of.to_owned()];
    // Where there is only a β, there is an empty name in front of it.
    inputs.extend([gamma, beta].map(|it| it.unwrap_or_default().to_owned()));
    let mut attributes = vec![float("epsilon", eps)];
    let axis = match kind {
        Kind::Volume => 1,
        Kind::Groups(_) | Kind::Depth => -1,
    };
    attributes.push(int("axis", axis));
    let kind = match kind {
        Kind::Groups(groups) => {
            attributes.push(int("num_groups", groups as i64));
            "GroupNormalization"
        }
        Kind::Depth | Kind::Volume => "LayerNormalization",
    };
    Some(Found::new(last, kind, inputs, attributes))
}

/// What is normalised together.
enum Kind {
    Groups(usize),
    Depth,
    Volume,
}

/// So many operators are looked at behind a mean and a factor.
const MOST: usize = 32;

impl<'a> Graph<'a> {
    /// What a mean is of, and along which axes, which stay.
    fn mean(&self, name: &str) -> Option<(&'a str, Vec<usize>)> {
        let node = self.links.writer(name)?;
        let of = node.input.first()?.as_str();
        let rank = self.shapes.get(of)?.len() as i64;
        let axes = attribute(node, "axes")?.ints.iter();
        let axes = axes.map(|&axis| usize::try_from(if axis < 0 { axis + rank } else { axis }));
        let mut axes: Vec<usize> = axes.collect::<Result<_, _>>().ok()?;
        axes.sort_unstable();
        let keeps = attribute(node, "keepdims")?.i != 0;
        (node.op_type == "ReduceMean" && keeps).then_some((of, axes))
    }

    /// The axes of what a node writes, in front of an activation that is fused to it, too.
    fn shape(&self, y: &str) -> Option<&'a [usize]> {
        let y = y.strip_suffix("::raw").unwrap_or(y);
        self.shapes.get(y).copied()
    }

    /// What `x` is cut out of and that one's shape, if it is `[1, …, groups, depth of each]` and its axes are those of a
    /// group.
    fn cut(&self, x: &str, shape: &[usize], axes: &[usize]) -> Option<(&'a str, &'a [usize])> {
        let node = self.links.writer(x).filter(|it| it.op_type == "Reshape")?;
        let [_, pixels @ .., groups, each] = shape else {
            return None;
        };
        let others = (1..=pixels.len()).chain([pixels.len() + 2]);
        let of = node.input.first()?.as_str();
        let whole = *self.shapes.get(of)?;
        let [_, size @ .., depth] = whole else {
            return None;
        };
        let is_cut = !pixels.is_empty()
            && others.eq(axes.iter().copied())
            && volume(pixels)? == volume(size)?
            && groups.checked_mul(*each) == Some(*depth);
        is_cut.then_some((of, whole))
    }

    /// The last node of a norm of x, its mean and its factor, and the constants in it; one of groups ends with the shape
    /// that they are cut out of.
    fn sums(&self, seeds: [&'a str; 3], whole: Option<&[usize]>) -> Option<(usize, Ends<'a>)> {
        let [x, mean, factor] = seeds;
        let mut sums: HashMap<&str, Vec<Term<'a>>> = HashMap::new();
        sums.insert(x, vec![Term::new(Of::Volume, false, None)]);
        sums.insert(mean, vec![Term::new(Of::Mean, false, None)]);
        sums.insert(factor, vec![Term::new(Of::Nothing, true, None)]);
        let readers = |name: &str| self.links.readers(name).iter().copied().take(MOST);
        let mut open: VecDeque<usize> = readers(mean).chain(readers(factor)).collect();
        let mut first = None;
        while let Some(at) = open.pop_front() {
            let Some(node) = self.links.nodes.get(at) else {
                continue;
            };
            let Some(y) = node.output.first().map(String::as_str) else {
                continue;
            };
            if sums.contains_key(y) || sums.len() > MOST {
                continue;
            }
            let Some(sum) = self.sum(node, &sums, whole) else {
                continue;
            };
            if first.is_none() && ends(&sum).is_some() {
                first = Some(at);
            }
            sums.insert(y, sum);
            open.extend(readers(y));
        }
        let of = |at: usize| -> Option<(&str, Ends<'a>)> {
            let y = self.links.nodes.get(at)?.output.first()?.as_str();
            Some((y, ends(sums.get(y)?)?))
        };
        // As far as there is one reader, and it is a norm, too.
        let mut last = first?;
        while let Some((next, _)) = self.links.next(self.links.nodes.get(last)?)
            && of(next).is_some()
        {
            last = next;
        }
        let (y, ends) = of(last)?;
        whole
            .is_none_or(|whole| self.shape(y) == Some(whole))
            .then_some((last, ends))
    }

    /// What a node computes, of what is known of those in front.
    fn sum(
        &self,
        node: &'a Node,
        known: &HashMap<&str, Vec<Term<'a>>>,
        whole: Option<&[usize]>,
    ) -> Option<Vec<Term<'a>>> {
        let of = |at: usize| -> Option<Vec<Term<'a>>> {
            let name = node.input.get(at)?.as_str();
            let constant = || Some(vec![Term::new(Of::Nothing, false, Some(name))]);
            match known.get(name) {
                Some(sum) => Some(sum.clone()),
                None => constant().filter(|_| self.constants.contains_key(name)),
            }
        };
        let minus = |sum: Vec<Term<'a>>| {
            let turned = sum.into_iter().map(|it| Term {
                minus: !it.minus,
                ..it
            });
            turned.collect::<Vec<_>>()
        };
        let sum = match (node.op_type.as_str(), node.input.len()) {
            ("Add", 2) => [of(0)?, of(1)?].concat(),
            ("SUB", 2) => [of(0)?, minus(of(1)?)].concat(),
            ("NEG", 1) => minus(of(0)?),
            ("Mul", 2) => {
                let (a, b) = (of(0)?, of(1)?);
                let products = a.iter().flat_map(|a| b.iter().map(|b| a.times(*b)));
                products.collect::<Option<_>>()?
            }
            // Where groups are put together again, and not cut once more.
            ("Reshape", 1)
                if whole.is_some()
                    && self.shape(node.output.first()?) == whole
                    && self.shape(node.input.first()?) != whole =>
            {
                of(0).filter(|it| ends(it).is_some())?
            }
            _ => return None,
        };
        (sum.len() <= 3).then_some(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::super::joined;
    use crate::array::Array;
    use crate::nodes::{Nodes, float, int, ints};
    use std::collections::HashMap;

    /// What normalises `x` along its last axis, up to its factor `r`, and such lines behind it: the node that wrote `y`.
    fn last(lines: &[&str]) -> (String, Vec<String>, Vec<convnet_onnx::proto::Attribute>) {
        let mut out = Nodes::default();
        let depth = |name: &str| (name.to_owned(), Array::floats(vec![4], vec![2.0; 4]));
        out.constants.extend(["gamma", "beta", "other"].map(depth));
        let eps = Array::floats(Vec::new(), vec![0.001]);
        out.constants.insert("eps".into(), eps);
        let along = || [ints("axes", &[-1]), int("keepdims", 1)];
        for (y, kind, x) in [
            ("mean", "ReduceMean", "x"),
            ("variance", "ReduceMean", "squares"),
        ] {
            out.node(kind, vec![x.into()], y, along());
        }
        let front = [
            "squares = SQUARED_DIFFERENCE(x, mean)",
            "raised = Add(variance, eps)",
            "r = RSQRT(raised)",
        ];
        for line in front.iter().chain(lines) {
            let (y, call) = line.split_once(" = ").expect("an assignment");
            let (kind, inputs) = call.trim_end_matches(')').split_once('(').expect("a call");
            let inputs = inputs.split(", ").map(Into::into).collect();
            out.node(kind, inputs, y, None);
        }
        let volume: &[usize] = &[1, 2, 3, 4];
        let shapes: HashMap<&str, &[usize]> = [("x", volume), ("squares", volume)].into();
        let nodes = joined(out, &["y"], &shapes).nodes;
        let node = nodes.into_iter().find(|it| it.output == ["y"]);
        let node = node.expect("it stays");
        (node.op_type, node.input, node.attribute)
    }

    /// As several programs write it.
    #[test]
    fn a_norm_is_one_in_whatever_order_it_is_computed() {
        let all: [&[&str]; 4] = [
            &[
                "f = Mul(r, gamma)",
                "a = Mul(x, f)",
                "b = Mul(mean, f)",
                "c = SUB(beta, b)",
                "y = Add(a, c)",
            ],
            &[
                "f = Mul(r, gamma)",
                "n = NEG(mean)",
                "b = Mul(n, f)",
                "c = Add(b, beta)",
                "a = Mul(x, f)",
                "y = Add(a, c)",
            ],
            &[
                "d = SUB(x, mean)",
                "n = Mul(d, r)",
                "s = Mul(n, gamma)",
                "y = Add(s, beta)",
            ],
            &[
                "d = SUB(x, mean)",
                "s = Mul(gamma, d)",
                "n = Mul(r, s)",
                "y = Add(beta, n)",
            ],
        ];
        for lines in all {
            let (kind, inputs, attributes) = last(lines);
            assert_eq!(kind, "LayerNormalization", "{lines:?}");
            assert_eq!(inputs, ["x", "gamma", "beta"], "{lines:?}");
            assert_eq!(
                attributes,
                [float("epsilon", 0.001), int("axis", -1)],
                "{lines:?}"
            );
        }
        let (_, inputs, _) = last(&["a = Mul(x, r)", "b = Mul(mean, r)", "y = SUB(a, b)"]);
        assert_eq!(inputs, ["x", "", ""]);
    }

    #[test]
    fn what_is_nearly_a_norm_is_none() {
        let all: [&[&str]; 4] = [
            // The mean is added, or has another factor, or none; the summand is taken away.
            &["a = Mul(x, r)", "b = Mul(mean, r)", "y = Add(a, b)"],
            &[
                "f = Mul(r, gamma)",
                "g = Mul(r, other)",
                "a = Mul(x, f)",
                "b = Mul(mean, g)",
                "y = SUB(a, b)",
            ],
            &["a = Mul(x, r)", "y = SUB(a, mean)"],
            &[
                "d = SUB(x, mean)",
                "n = Mul(d, r)",
                "b = NEG(n)",
                "y = Add(b, beta)",
            ],
        ];
        for lines in all {
            let (kind, ..) = last(lines);
            assert!(["Add", "SUB"].contains(&kind.as_str()), "{lines:?}: {kind}");
        }
    }
}
