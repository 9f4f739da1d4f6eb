//! What a model in bytes computes with: what the bytes of each volume stand for, and the integers of its filters.

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
    let place = |at: &i32| usize::try_from(*at).ok().filter(|&at| at < tensors.len());
    let mut int8 = Int8::default();
    let mut rescaled: Vec<usize> = Vec::new();
    for operator in all {
        let kind = operators::name(codes, *operator);
        let [reads, writes] = [1, 2].map(|id| operator.ints(id));
        let [reads, writes] = [&reads, &writes].map(|all| all.iter().filter_map(place));
        // A branch that is joined to others, perhaps in other axes, gets their steps on the way there, and so does what is
        // only clamped.
        let first = |all: Vec<i32>| all.first().and_then(place);
        if let (Some(x), Some(y)) = (first(operator.ints(1)), first(operator.ints(2)))
            && (kind == "QUANTIZE" || kind == "RESHAPE" && rescaled.contains(&x))
            && ends_in((codes, all), y)
        {
            rescaled.push(y);
        }
        for tensor in reads.clone().chain(writes) {
            let it = &tensors[tensor];
            if let Some(&volume) = network.volumes.get(&it.name)
                && let Some(is) = it.quantization()
                && !rescaled.contains(&tensor)
                && !int8.volumes.iter().any(|(_, name, _)| *name == it.name)
            {
                int8.volumes.push((volume, it.name.clone(), is));
            }
        }
        let filters = ["CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"].contains(&kind.as_str());
        if filters && let Some((step, layer)) = layer(tensors, *operator, &kind, network) {
            int8.layers.insert(step, layer);
        }
    }
    let has_image = int8.volumes.iter().any(|(volume, ..)| *volume == 0);
    has_image.then_some(int8)
}

/// Whether all that read a tensor join it to others, perhaps in other axes, or clamp it.
fn ends_in((codes, all): (&[Table<'_>], &[Table<'_>]), tensor: usize) -> bool {
    let mut readers = all
        .iter()
        .filter(|it| it.ints(1).contains(&(tensor as i32)));
    readers.all(|it| match operators::name(codes, *it).as_str() {
        "CONCATENATION" | "RELU" | "RELU6" => true,
        // Where it is one, whoever reads that does.
        "RESHAPE" => {
            let written = it.ints(2).first().and_then(|&at| usize::try_from(at).ok());
            written.is_some_and(|at| at > tensor && ends_in((codes, all), at))
        }
        _ => false,
    })
}

/// The step of an operator with filters, and its integers; of one that has other numbers, nothing.
fn layer(
    tensors: &[Tensor<'_>],
    operator: Table<'_>,
    kind: &str,
    network: &Network,
) -> Option<(usize, Layer)> {
    let reads = operator.ints(1);
    let input = |at: usize| tensors.get(usize::try_from(*reads.get(at)?).ok()?);
    let written = tensors.get(usize::try_from(*operator.ints(2).first()?).ok()?)?;
    // In front of what is fused to it.
    let mut volume = *network.volumes.get(&written.name)?;
    let step = loop {
        let step = volume.checked_sub(1)?;
        match &network.steps[step] {
            it if !it.tensors.is_empty() => break step,
            it => volume = *it.reads.first()?,
        }
    };
    let field = |field: &str| {
        let all = network.steps[step].tensors.iter();
        all.into_iter().find(|it| it.field == field)
    };
    let count = *field("filters")?.shape.last()?;
    let filters = input(1)?;
    let scales = match filters.symmetric()? {
        &[one] if kind == "FULLY_CONNECTED" => Scales::One(one),
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
