//! The budget: planned bytes against declared ones.

use convnet_core::plan::Step;

use super::names::Named;
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
    let bytes = |volume: [usize; 3]| volume.iter().product::<usize>() as u64 * SCALAR;
    let show = |[h, w, d]: [usize; 3]| format!("{w}x{h}x{d}");
    let name = &layers[peak].name;
    let y = steps[peak].volume;
    let writes = format!("writes {} ({} bytes)", show(y), bytes(y));
    match peak.checked_sub(1) {
        None => format!(
            "the peak is at {name}: it reads the input, {}, and {writes}",
            show(input)
        ),
        Some(before) => {
            let (x, reads) = (steps[before].volume, &layers[before].name);
            let reads = format!("reads {} of {reads} ({} bytes)", show(x), bytes(x));
            format!("the peak is at {name}: it {reads} and {writes}")
        }
    }
}

/// Who has the most parameters.
fn largest(layers: &[Named], steps: &[Step]) -> String {
    let largest = layers
        .iter()
        .zip(steps)
        .max_by_key(|(_, step)| step.parameters);
    largest.map_or(String::new(), |(named, step)| {
        let (name, parameters) = (&named.name, step.parameters);
        format!(
            "the largest is {name}: {parameters} parameters, {} bytes",
            parameters as u64 * SCALAR
        )
    })
}
