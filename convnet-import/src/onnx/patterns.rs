//! What several nodes compute together, as one.

use std::collections::{HashMap, HashSet};
use std::f32::consts::{FRAC_1_SQRT_2, SQRT_2};
use std::path::Path;

use super::tensor;
use convnet_onnx::proto::{Attribute, Graph, Node};

/// `x/√2 → Erf → + 1 → · x → · 1/2`, the factors in any order, becomes a `Gelu` of x. What is not read any more
/// nobody asks for.
pub(super) fn gelu(graph: &mut Graph, folder: Option<&Path>) {
    let found: Vec<(usize, String)> = {
        let links = Links::of(graph, folder);
        let erfs = graph.node.iter().filter(|node| node.op_type == "Erf");
        erfs.filter_map(|erf| links.gelu(erf)).collect()
    };
    for (at, x) in found {
        let node = &mut graph.node[at];
        (node.op_type, node.input, node.attribute) = ("Gelu".into(), vec![x], Vec::new());
    }
}

/// `Reshape [N, G, D/G, H, W] → Transpose [0, 2, 1, 3, 4] → Reshape [N, D, H, W]`, as every framework writes it,
/// becomes a `ChannelShuffle` of `group` groups that are `depth` deep.
pub(super) fn channel_shuffle(graph: &mut Graph, folder: Option<&Path>) {
    let found: Vec<(usize, String, [i64; 2])> = {
        let links = Links::of(graph, folder);
        let turns = graph.node.iter().filter(|node| {
            let perm = node.attribute.iter().find(|it| it.name == "perm");
            node.op_type == "Transpose" && perm.is_some_and(|it| it.ints == [0, 2, 1, 3, 4])
        });
        turns.filter_map(|turn| links.shuffle(turn)).collect()
    };
    for (at, x, sizes) in found {
        let node = &mut graph.node[at];
        (node.op_type, node.input) = ("ChannelShuffle".into(), vec![x]);
        let attribute = |(name, i): (&str, i64)| Attribute {
            name: name.into(),
            i,
            ..Attribute::default()
        };
        node.attribute = ["group", "depth"]
            .into_iter()
            .zip(sizes)
            .map(attribute)
            .collect();
    }
}

/// `Reshape [N, G, …] → InstanceNormalization of ones and zeros → Reshape` back, as PyTorch writes it, becomes a
/// `GroupNormalization` of G groups; the factors and summands behind it go into it like those behind any norm.
pub(super) fn group_norm(graph: &mut Graph, folder: Option<&Path>) {
    let found: Vec<(usize, String, i64, f32)> = {
        let links = Links::of(graph, folder);
        let norms = graph.node.iter();
        let norms = norms.filter(|node| node.op_type == "InstanceNormalization");
        norms.filter_map(|norm| links.group_norm(norm)).collect()
    };
    for (at, x, groups, eps) in found {
        let node = &mut graph.node[at];
        (node.op_type, node.input) = ("GroupNormalization".into(), vec![x]);
        let groups = Attribute {
            name: "num_groups".into(),
            i: groups,
            ..Attribute::default()
        };
        let eps = Attribute {
            name: "epsilon".into(),
            f: eps,
            ..Attribute::default()
        };
        node.attribute = vec![groups, eps];
    }
}

/// Who writes and who reads a name.
pub(crate) struct Links<'a> {
    pub(crate) nodes: &'a [Node],
    writers: HashMap<&'a str, usize>,
    readers: HashMap<&'a str, Vec<usize>>,
    /// Constants of one number.
    pub(crate) scalars: HashMap<&'a str, f32>,
    /// Constants of three to five whole numbers: shapes.
    shapes: HashMap<&'a str, Vec<i64>>,
    /// Constants of numbers along one axis that a norm reads.
    vectors: HashMap<&'a str, Vec<f32>>,
}

impl<'a> Links<'a> {
    /// Those of nodes, without constants; an output is read by nobody's node, too.
    pub(crate) fn new(nodes: &'a [Node], outputs: impl Iterator<Item = &'a str>) -> Self {
        let mut links = Self {
            nodes,
            writers: HashMap::new(),
            readers: HashMap::new(),
            scalars: HashMap::new(),
            shapes: HashMap::new(),
            vectors: HashMap::new(),
        };
        for (at, node) in nodes.iter().enumerate() {
            for name in &node.output {
                links.writers.insert(name, at);
            }
            for name in &node.input {
                links.readers.entry(name).or_default().push(at);
            }
        }
        for output in outputs {
            // Not a node.
            links.readers.entry(output).or_default().push(usize::MAX);
        }
        links
    }

    fn of(graph: &'a Graph, folder: Option<&Path>) -> Self {
        let outputs = graph.output.iter().map(|it| it.name.as_str());
        let mut links = Self::new(&graph.node, outputs);
        let constants = graph.initializer.iter().map(|it| (it.name.as_str(), it));
        let nodes = graph.node.iter().filter(|node| node.op_type == "Constant");
        let written = nodes.filter_map(|node| {
            let value = node.attribute.iter().find(|it| it.name == "value")?;
            Some((node.output.first()?.as_str(), value.t.as_ref()?))
        });
        let norms = graph.node.iter();
        let norms = norms.filter(|node| node.op_type == "InstanceNormalization");
        let of_norms: HashSet<&str> = norms
            .flat_map(|node| node.input.iter().skip(1))
            .map(String::as_str)
            .collect();
        for (name, constant) in constants.chain(written) {
            if let [3..=5] = *constant.dims
                && let Ok(array) = tensor::decode(constant, folder)
                && let Some(shape) = array.as_ints()
            {
                links.shapes.insert(name, shape.to_vec());
            }
            if of_norms.contains(name)
                && let Ok(array) = tensor::decode(constant, folder)
                && let Some(values) = array.as_floats()
            {
                links.vectors.insert(name, values.to_vec());
            }
            if constant.dims.iter().all(|size| *size == 1)
                && let Ok(array) = tensor::decode(constant, folder)
                && let Some(&[scalar]) = array.as_floats()
            {
                links.scalars.insert(name, scalar);
            }
        }
        links
    }

    /// The operands of a node of that operator; the constant, if one is, stands second.
    pub(crate) fn operands(&self, node: &'a Node, operator: &str) -> Option<[&'a str; 2]> {
        let [a, b] = node.input.as_slice() else {
            return None;
        };
        let swaps = operator != "Div" && self.scalars.contains_key(a.as_str());
        let (a, b) = if swaps { (b, a) } else { (a, b) };
        (node.op_type == operator).then_some([a, b])
    }

    /// Whether that is a constant near to a number.
    pub(crate) fn is(&self, name: &str, number: f32) -> bool {
        let scalar = self.scalars.get(name);
        scalar.is_some_and(|it| (it - number).abs() < 1e-4)
    }

    /// The only node that reads what `node` writes, and what it writes.
    pub(crate) fn next(&self, node: &'a Node) -> Option<(usize, &'a Node)> {
        let readers = self.readers.get(node.output.first()?.as_str())?;
        let &[reader] = readers.as_slice() else {
            return None;
        };
        Some((reader, self.nodes.get(reader)?))
    }

    /// Where the nodes that read `name` are.
    pub(crate) fn readers(&self, name: &str) -> &[usize] {
        self.readers.get(name).map_or(&[], Vec::as_slice)
    }

    /// Where the node is that `name` comes from.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.writers.get(name).copied()
    }

    /// The node that `name` comes from.
    pub(crate) fn writer(&self, name: &str) -> Option<&'a Node> {
        self.nodes.get(self.place(name)?)
    }

    /// The last node of a shuffle around that transposition, what it is of, how many groups there are and how
    /// deep each is.
    fn shuffle(&self, turn: &'a Node) -> Option<(usize, String, [i64; 2])> {
        let cut = self.writer(turn.input.first()?)?;
        let [x, shape] = self.operands(cut, "Reshape")?;
        let &[_, groups, depth, height, width] = self.shapes.get(shape)?.as_slice() else {
            return None;
        };
        let (at, join) = self.next(turn)?;
        let [_, shape] = self.operands(join, "Reshape")?;
        let &[_, all, rows, columns] = self.shapes.get(shape)?.as_slice() else {
            return None;
        };
        let same = |a: i64, b: i64| a == b || a == -1 || b == -1;
        let joins = all == -1 || groups.checked_mul(depth) == Some(all);
        let keeps = same(height, rows) && same(width, columns);
        (joins && keeps && groups > 0 && depth > 0).then(|| (at, x.to_owned(), [groups, depth]))
    }

    /// The last node of a group norm around that one, what it is of, how many groups there are and its ε.
    fn group_norm(&self, norm: &'a Node) -> Option<(usize, String, i64, f32)> {
        let [x, gamma, beta] = norm.input.as_slice() else {
            return None;
        };
        let cut = self.writer(x)?;
        let [x, shape] = self.operands(cut, "Reshape")?;
        let &[_, groups, -1] = self.shapes.get(shape)?.as_slice() else {
            return None;
        };
        let (at, join) = self.next(norm)?;
        let all = |name: &str, number: f32| {
            let values = self.vectors.get(name);
            values.is_some_and(|values| values.iter().all(|&it| it == number))
        };
        if !all(gamma, 1.0) || !all(beta, 0.0) {
            return None;
        }
        let eps = norm.attribute.iter().find(|it| it.name == "epsilon");
        let eps = eps.map_or(1e-5, |it| it.f);
        (join.op_type == "Reshape").then(|| (at, x.to_owned(), groups, eps))
    }

    /// The last node of a GELU around that Erf, and what it is of.
    fn gelu(&self, erf: &'a Node) -> Option<(usize, String)> {
        let scaled = self.writer(erf.input.first()?)?;
        let x = match (self.operands(scaled, "Div"), self.operands(scaled, "Mul")) {
            (Some([x, by]), _) if self.is(by, SQRT_2) => x,
            (_, Some([x, by])) if self.is(by, FRAC_1_SQRT_2) => x,
            _ => return None,
        };
        let (_, sum) = self.next(erf)?;
        let [_, one] = self.operands(sum, "Add")?;
        if !self.is(one, 1.0) {
            return None;
        }
        let is_half_of_x = |name: &str| {
            let half = self.writer(name).and_then(|it| self.operands(it, "Mul"));
            half.is_some_and(|[of, by]| of == x && self.is(by, 0.5))
        };
        let (mut at, mut wants_x, mut wants_half) = (sum, true, true);
        loop {
            let (index, product) = self.next(at)?;
            let [a, b] = self.operands(product, "Mul")?;
            let written = at.output.first()?;
            let other = if a == written { b } else { a };
            if wants_x && other == x {
                wants_x = false;
            } else if wants_half && self.is(other, 0.5) {
                wants_half = false;
            } else if wants_x && wants_half && is_half_of_x(other) {
                (wants_x, wants_half) = (false, false);
            } else {
                return None;
            }
            if !wants_x && !wants_half {
                return Some((index, x.to_owned()));
            }
            at = product;
        }
    }
}
