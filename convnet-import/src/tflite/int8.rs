//! What a model in bytes computes with: what the bytes of each volume stand for, and the integers of its filters.

use std::collections::{HashMap, HashSet};

use convnet_core::int8::Scales;

use super::operators;
use super::table::Table;
use super::tensor::Tensor;
use crate::network::{Int8, Layer, Network};

/// Of a model whose image is of bytes.
pub(super) fn of(
    tensors: &[Tensor<'_>],
    (codes, all): (&[Table<'_>], &[Table<'_>]),
    network: &Network,
) -> Option<Int8> {
    let operators = Operators::of(tensors.len(), codes, all);
    let (mut int8, mut known) = (Int8::default(), HashSet::new());
    for it in &operators.all {
        let all = it.reads.iter().chain(&it.writes);
        let volumes = all.filter_map(|&at| {
            let tensor = &tensors[at];
            let volume = *network.volumes.get(&tensor.name)?;
            let is = tensor.quantization()?;
            let is_new = !operators.rescaled.contains(&at) && known.insert(at);
            is_new.then(|| (volume, tensor.name.clone(), is))
        });
        int8.volumes.extend(volumes);
        let filters = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"];
        if filters.contains(&it.kind.as_str())
            && let Some((step, layer)) = layer(tensors, it, network)
        {
            int8.layers.insert(step, layer);
        }
    }
    let has_image = int8.volumes.iter().any(|(volume, ..)| *volume == 0);
    has_image.then_some(int8)
}

/// What a model computes, in order.
struct Operators {
    all: Vec<Operator>,
    /// What a branch becomes that is joined to others, perhaps in other axes, or a volume that is only clamped: it gets the
    /// steps of the whole on the way there.
    rescaled: HashSet<usize>,
}

struct Operator {
    kind: String,
    /// The tensors that are there.
    reads: Vec<usize>,
    writes: Vec<usize>,
}

impl Operators {
    fn of(tensors: usize, codes: &[Table<'_>], all: &[Table<'_>]) -> Self {
        let places = |all: Vec<i32>| {
            let places = all.into_iter().map(|at| usize::try_from(at).ok());
            places.flatten().filter(|&at| at < tensors).collect()
        };
        let all: Vec<Operator> = all
            .iter()
            .map(|it| Operator {
                kind: operators::name(codes, *it),
                reads: places(it.ints(1)),
                writes: places(it.ints(2)),
            })
            .collect();
        let mut readers: HashMap<usize, Vec<&Operator>> = HashMap::new();
        for it in &all {
            for &at in &it.reads {
                readers.entry(at).or_default().push(it);
            }
        }
        let ends = |it: &Operator| matches!(&*it.kind, "CONCATENATION" | "RELU" | "RELU6");
        let of = |at: &usize| readers.get(at).map_or(&[][..], Vec::as_slice);
        let mut rescaled = HashSet::new();
        for it in all.iter().filter(|it| it.kind == "QUANTIZE") {
            let reshaped = |it: &&Operator| {
                it.kind == "RESHAPE" && it.writes.iter().flat_map(of).all(|it| ends(it))
            };
            let mut read = it.writes.iter().flat_map(of);
            if read.all(|it| ends(it) || reshaped(it)) {
                let reshapes = it.writes.iter().flat_map(of).filter(|it| reshaped(it));
                rescaled.extend(reshapes.flat_map(|it| &it.writes));
                rescaled.extend(&it.writes);
            }
        }
        Self { all, rescaled }
    }
}

/// The step of an operator with filters, and its integers; of one that has other numbers, nothing.
fn layer(tensors: &[Tensor<'_>], it: &Operator, network: &Network) -> Option<(usize, Layer)> {
    let input = |at: usize| Some(&tensors[*it.reads.get(at)?]);
    let written = &tensors[*it.writes.first()?];
    let step = network.volumes.get(&written.name)?.checked_sub(1)?;
    // In front of what is fused to it.
    let before = |step: usize| network.steps[step].reads.first()?.checked_sub(1);
    let all = std::iter::successors(Some(step), |&step| before(step)).take(3);
    let step = all
        .into_iter()
        .find(|&step| !network.steps[step].tensors.is_empty())?;
    let field = |field: &str| {
        let all = network.steps[step].tensors.iter();
        all.into_iter().find(|it| it.field == field)
    };
    let count = *field("filters")?.shape.last()?;
    let filters = input(1)?;
    let scales = match filters.symmetric()? {
        &[one] if it.kind == "FULLY_CONNECTED" => Scales::One(one),
        &[one] => Scales::Each(vec![one; count]),
        each => Scales::Each(each.into()),
    };
    let biases = match (input(2), field("bias")) {
        (None, None) => vec![0; count],
        (Some(bias), declared) => {
            let biases = bias.integers()?;
            // What is declared is of nothing else.
            let values = bias.values(biases.len()).ok()??;
            let same = match declared {
                Some(declared) => values.as_floats()? == declared.data,
                None => biases.iter().all(|&it| it == 0),
            };
            same.then_some(biases)?
        }
        (None, Some(_)) => return None,
    };
    Some((step, Layer { scales, biases }))
}
