//! The arena and the tape over time: each buffer a rectangle, as wide as it lives, as high as it is large.

use std::fmt::Write as _;

use super::{grouped, text};
use crate::network::Draft;
use crate::plan::{Holds, Lifetime};
use crate::{AnyVolume, Network};

const SIZE: [f64; 2] = [1000.0, 260.0];
const LEFT: f64 = 70.0;

/// Both; nothing of a network that is written by hand.
pub(super) fn draw<N: Network>() -> Option<String> {
    if N::GRAPH.is_empty() {
        return None;
    }
    let draft = Draft::of("", N::Input::SHAPE, N::GRAPH).row_by_row(N::ROW_BY_ROW);
    let planned = draft.plan().ok()?;
    let names: Vec<_> = N::GRAPH.iter().map(|node| node.name).collect();
    let layers = names.len();
    let (arena, tape) = (planned.arena_lifetimes(), planned.tape_lifetimes());
    let totals = planned.totals();
    let arena = chart("arena", &arena, &names, [totals.arena, layers + 1]);
    let tape = chart("tape", &tape, &names, [totals.tape, 2 * layers + 1]);
    let key = |colour: &str, says: &str| {
        format!(
            "<span><span class=\"key\" style=\"background:var(--{colour})\"></span>{says}</span>"
        )
    };
    let keys = [
        key("one", "what layers write"),
        key("two", "gradients"),
        key("three", "what a layer keeps for itself"),
    ];
    Some(format!(
        "<h3>Arena, at inference: {} bytes</h3>{arena}<h3>Tape, in training: {} bytes</h3>{tape}\
         <p class=\"note row\" style=\"gap:1rem\">{}</p>\
         <p class=\"note\">Time goes to the right, layer by layer{}; memory goes up, in bytes of f32. Each rectangle is a \
         buffer of the compiler's plan: none overlap, and what is dead by then is written over.</p>",
        grouped(totals.arena as u64),
        grouped(totals.tape as u64),
        keys.concat(),
        ", in the tape there and back"
    ))
}

/// One memory of `bytes`, over `moments`.
fn chart(
    what: &str,
    lifetimes: &[Lifetime],
    names: &[&str],
    [bytes, moments]: [usize; 2],
) -> String {
    let [width, height] = SIZE;
    let across = (width - LEFT) / moments as f64;
    let up = height / bytes.max(1) as f64;
    let mut svg = format!(
        "<div class=\"scroll\" tabindex=\"0\"><svg width=\"{width}\" height=\"{0}\" viewBox=\"0 0 {width} {0}\" role=\"img\" \
         aria-label=\"the {what} over time\">",
        height + 34.0
    );
    for quarter in 0..=4_usize {
        let y = height - height * quarter as f64 / 4.0 + 6.0;
        let _ = write!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{width}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--line)\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" class=\"soft\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            size(bytes * quarter / 4)
        );
    }
    for it in lifetimes {
        let x = LEFT + it.from as f64 * across;
        let wide = (it.until + 1 - it.from) as f64 * across;
        let high = it.bytes as f64 * up;
        let y = height - it.at as f64 * up - high + 6.0;
        let (colour, holds) = match it.holds {
            Holds::Output => ("one", ""),
            Holds::Gradient => ("two", "gradient on what it reads, of "),
            Holds::Own => ("three", "kept by "),
        };
        let name = names.get(it.layer).map_or_else(String::new, text);
        let _ = write!(
            svg,
            "<g><title>{holds}{name}: bytes {} to {}</title><rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" \
             height=\"{high:.1}\" rx=\"2\" fill=\"var(--{colour}-soft)\" stroke=\"var(--{colour})\"/>",
            grouped(it.at as u64),
            grouped((it.at + it.bytes) as u64),
            (wide - 1.0).max(1.0)
        );
        // A name that has room.
        if wide > 7.0 * name.chars().count() as f64 && high > 14.0 {
            let _ = write!(
                svg,
                "<text x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                x + 4.0,
                y + 13.0
            );
        }
        svg.push_str("</g>");
    }
    let ends: &[(f64, &str, &str)] = match what {
        "arena" => &[(LEFT, "start", "image"), (width, "end", "scores")],
        _ => &[
            (LEFT, "start", "image"),
            ((LEFT + width) / 2.0, "middle", "loss"),
            (width, "end", "gradient on the image"),
        ],
    };
    for (x, anchor, says) in ends {
        let _ = write!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\" class=\"soft\">{says}</text>",
            height + 26.0
        );
    }
    svg.push_str("</svg></div>");
    svg
}

/// Bytes, short.
fn size(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes >> 20),
    }
}
