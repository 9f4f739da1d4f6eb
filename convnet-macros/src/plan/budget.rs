//! The budget: planned bytes against declared ones.

use convnet_core::plan::{Op, Place, Step};

use super::names::{Named, What};
use super::place::Placed;
use crate::report::Errors;
use crate::syntax::{Limit, Memory};

/// Bytes of an `f32`.
const SCALAR: u64 = 4;

/// Holds each limit against the plan.
///
/// ```text
/// #[budget(ram = 64 KiB, flash = 256 KiB)]
/// ```
pub(super) fn check(
    limits: &[Limit],
    layers: &[Named],
    Placed {
        input,
        steps,
        totals,
    }: &Placed,
    errors: &mut Errors,
) {
    for limit in limits {
        let (what, bytes) = match limit.memory {
            Memory::Ram => ("planned activations", totals.arena as u64 * SCALAR),
            Memory::Flash => ("parameters", totals.parameters as u64 * SCALAR),
        };
        let Some(over) = bytes
            .checked_sub(limit.bytes.value)
            .filter(|&over| over > 0)
        else {
            continue;
        };
        let why = match limit.memory {
            Memory::Ram => peak(*input, layers, steps, totals.peak),
            Memory::Flash => largest(layers, steps),
        };
        let (key, text) = (&limit.key, &limit.text);
        let message =
            format!("the {what} take {bytes} bytes, {over} more than {key} = {text}\n{why}");
        errors.push(&limit.bytes.tokens, message);
    }
}

/// Who is alive when most is.
fn peak(input: [usize; 3], layers: &[Named], steps: &[Step], peak: usize) -> String {
    let show = |[h, w, d]: [usize; 3]| format!("{w}x{h}x{d}");
    let size = |v: usize| v.checked_sub(1).map_or(input, |at| steps[at].volume);
    let bytes = |v| size(v).iter().product::<usize>() as u64 * SCALAR;
    let of = |v: usize| match v.checked_sub(1) {
        Some(at) => format!(
            "{} of {} ({} bytes)",
            show(size(v)),
            layers[at].path,
            bytes(v)
        ),
        None => format!("the input, {}", show(input)),
    };
    let name = &layers[peak].path;
    let y = peak + 1;
    let writes = format!("writes {} ({} bytes)", show(size(y)), bytes(y));
    let x = source(layers, peak);
    let reads = match x {
        0 => format!("reads {},", of(x)),
        _ => format!("reads {}", of(x)),
    };
    let mut text = format!("the peak is at {name}: it {reads} and {writes}");
    for v in waiting(layers, steps, peak) {
        text += &format!("\nmeanwhile {} waits", of(v));
    }
    text
}

/// The volume before layer `at`, by the layer that wrote it.
fn source(layers: &[Named], at: usize) -> usize {
    match at.checked_sub(1).map(|before| &layers[before].what) {
        Some(What::Block(_, Op::Branch { from })) => source(layers, *from),
        _ => at,
    }
}

/// The volumes in the arena that later layers read, while layer `at` reads and writes others.
fn waiting(layers: &[Named], steps: &[Step], at: usize) -> Vec<usize> {
    let mut lies = vec![steps[at].arena.from, steps[at].arena.to];
    let mut waiting = Vec::new();
    for Named { what, .. } in &layers[at..] {
        let What::Block(
            _,
            Op::Branch { from: v } | Op::Add { with: v, .. } | Op::Concat { onto: Some(v), .. },
        ) = what
        else {
            continue;
        };
        if *v > at || *v == 0 {
            continue;
        }
        let place = steps[v - 1].arena.to;
        if matches!(place, Place::At(_)) && !lies.contains(&place) {
            lies.push(place);
            waiting.push(source(layers, *v));
        }
    }
    waiting
}

/// Who has the most parameters.
fn largest(layers: &[Named], steps: &[Step]) -> String {
    let largest = layers
        .iter()
        .zip(steps)
        .max_by_key(|(_, step)| step.parameters);
    largest.map_or(String::new(), |(named, step)| {
        let (name, parameters) = (&named.path, step.parameters);
        format!(
            "the largest is {name}: {parameters} parameters, {} bytes",
            parameters as u64 * SCALAR
        )
    })
}
