//! What to do about a tensor that a file does not have: the mapping that was probably meant.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::file::Reader;
use super::pytorch::{is_same, layer, neutral, role, their_shape, wanted};
use super::{Mapping, WeightsError};
use crate::{Role, Tensor};

/// The error about `tensor`, which the file should call `theirs`.
pub(super) fn unmapped(
    tensors: &[Tensor],
    tensor: &Tensor,
    theirs: String,
    mapping: &Mapping,
    reader: &Reader<'_>,
) -> WeightsError {
    let remedy = remedy(tensors, tensor, mapping, reader);
    WeightsError::Unmapped {
        ours: tensor.name.to_owned(),
        found: reader.nearest(&theirs),
        tensor: theirs,
        remedy,
    }
}

fn remedy(tensors: &[Tensor], tensor: &Tensor, mapping: &Mapping, reader: &Reader<'_>) -> String {
    // All lie in one module.
    let first = reader.names().find(|name| !mapping.ignores(name));
    let module = first.as_deref().and_then(|name| name.split_once('.'));
    if let Some((module, _)) = module.filter(|_| mapping.prefix.is_empty()) {
        let prefix = format!("{module}.");
        let within = mapping.clone().prefix(&prefix);
        if tensors
            .iter()
            .all(|it| is_there(it, tensors, &within, reader))
        {
            return format!("its names begin with `{prefix}`: say `.prefix(\"{prefix}\")`");
        }
    }
    let ours = tensor.name;
    let beside = tensors
        .iter()
        .filter(|it| layer(it) == layer(tensor))
        .any(|it| is_there(it, tensors, mapping, reader));
    match (beside && neutral(tensor.role).is_some(), tensor.role) {
        (true, Role::Mean(_) | Role::Variance(..)) => {
            return format!(
                "a norm without running statistics has other ones for every batch: say \
                 `.absent(\"{ours}\")`, and `train::calibrate` finds them for a data set"
            );
        }
        (true, _) => {
            return format!(
                "a layer that has none there: say `.absent(\"{ours}\")`, and it does nothing, or \
                 declare the layer without it, where it can be"
            );
        }
        (false, _) => {}
    }
    match by_shape(tensors, mapping, reader) {
        Some(pairs) => {
            let pairs = pairs
                .iter()
                .map(|(ours, theirs)| format!("    (\"{ours}\", \"{theirs}\"),\n"));
            format!(
                "by their shapes, and the order of their names, these would be the same layers:\n\
                 &[\n{}]",
                pairs.collect::<String>()
            )
        }
        None => format!(
            "say what it is called there, by `.name(\"{}\", …)`",
            layer(tensor)
        ),
    }
}

/// Whether the file has the tensor.
fn is_there(tensor: &Tensor, tensors: &[Tensor], mapping: &Mapping, reader: &Reader<'_>) -> bool {
    let names = wanted(tensor, tensors, mapping);
    names.iter().any(|name| reader.has(name)) || mapping.is_absent(tensor.name)
}

/// The layers of both sides, paired by the shapes of their tensors; if that can be done.
fn by_shape(
    tensors: &[Tensor],
    mapping: &Mapping,
    reader: &Reader<'_>,
) -> Option<Vec<(String, String)>> {
    // Theirs, by what is behind the prefix.
    let mut theirs: BTreeMap<Natural, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    for name in reader.names().filter(|name| !mapping.ignores(name)) {
        let behind = name.strip_prefix(mapping.prefix.as_str())?;
        let (layer, tensor) = behind.rsplit_once('.')?;
        let shape = reader.any(name.clone()).ok()?.shape;
        let of_layer = theirs.entry(Natural::of(layer)).or_default();
        of_layer.insert(tensor.to_owned(), shape);
    }
    let mut ours: Vec<&'static str> = tensors.iter().map(layer).collect();
    ours.dedup();
    let of = |name: &'static str| tensors.iter().filter(move |it| layer(it) == name);
    // What has its place keeps it.
    ours.retain(|name| !of(name).all(|it| is_there(it, tensors, mapping, reader)));
    let taken = tensors.iter().flat_map(|it| wanted(it, tensors, mapping));
    let taken: Vec<String> = taken.filter(|name| reader.has(name)).collect();
    theirs.retain(|name, of_layer| {
        let mut names = of_layer.keys();
        !names.any(|it| taken.contains(&format!("{}{}.{it}", mapping.prefix, name.text)))
    });
    let fits = |name: &'static str| -> Vec<&Natural> {
        let theirs = theirs.iter().filter(|(_, theirs)| {
            let mut needed = of(name).filter(|it| !mapping.is_absent(it.name));
            needed.clone().count() == theirs.len()
                && needed.all(|it| {
                    let shape = theirs.get(role(it));
                    shape
                        .is_some_and(|shape| is_same(shape, &their_shape(it, shape.len(), mapping)))
                })
        });
        theirs.map(|(name, _)| name).collect()
    };
    // Layers that could be any of so many, and are as many.
    let mut alike: Vec<(Vec<&Natural>, Vec<&str>)> = Vec::new();
    for &name in &ours {
        let places = fits(name);
        match alike.iter_mut().find(|(others, _)| *others == places) {
            Some((_, names)) => names.push(name),
            None => alike.push((places, [name].into())),
        }
    }
    let mut pairs = BTreeMap::new();
    for (places, names) in alike {
        if places.len() != names.len() {
            return None;
        }
        pairs.extend(names.into_iter().zip(places.iter().map(|it| &*it.text)));
    }
    let pairs: Vec<(&str, &str)> = ours.into_iter().map(|name| (name, pairs[name])).collect();
    let short = shortened(&pairs);
    // What is proposed works.
    let proposed = short.iter().fold(mapping.clone(), |all, (ours, theirs)| {
        all.name(ours, theirs)
    });
    let works = |it: &Tensor| is_there(it, tensors, &proposed, reader);
    tensors.iter().all(works).then_some(short)
}

/// A block in place of its layers, where all that lies in it is called alike in both.
fn shortened(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let blocks = pairs.iter().map(|&(ours, theirs)| cut(ours, theirs));
    let blocks: Vec<(&str, &str)> = blocks.collect();
    let mut short: Vec<(String, String)> = Vec::new();
    for (&block, &pair) in blocks.iter().zip(pairs) {
        let agree = blocks.iter().all(|it| it.0 != block.0 || it.1 == block.1);
        let (ours, theirs) = if agree { block } else { pair };
        let line = (ours.to_string(), theirs.to_string());
        if !short.contains(&line) {
            short.push(line);
        }
    }
    short
}

/// Both without the parts with which they end alike; one is left.
fn cut<'a>(mut ours: &'a str, mut theirs: &'a str) -> (&'a str, &'a str) {
    while let (Some((a, last)), Some((b, end))) = (ours.rsplit_once('.'), theirs.rsplit_once('.'))
        && last == end
    {
        (ours, theirs) = (a, b);
    }
    (ours, theirs)
}

/// A name in an order where `10` comes behind `2`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Natural {
    key: Vec<(String, usize)>,
    text: String,
}

impl Natural {
    fn of(text: &str) -> Self {
        let mut key: Vec<(String, usize)> = [(String::new(), 0)].into();
        let mut within = false;
        for letter in text.chars() {
            let digit = letter.to_digit(10);
            if digit.is_none() && within {
                key.push((String::new(), 0));
            }
            within = digit.is_some();
            if let Some((word, number)) = key.last_mut() {
                match digit {
                    Some(digit) => {
                        *number = number.saturating_mul(10).saturating_add(digit as usize)
                    }
                    None => word.push(letter),
                }
            }
        }
        Self {
            key,
            text: text.to_owned(),
        }
    }
}
