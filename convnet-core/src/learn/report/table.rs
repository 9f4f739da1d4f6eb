//! The table of a network, with what each layer's share is; and that of a network in bytes.

use std::fmt::Write as _;

use super::{grouped, short, text};
use crate::network::summary::{HEAD, Summary, TEXT};
use crate::{AnyVolume, Network, int8};

/// The same cells as [`Summary`] prints; behind parameters and multiply-adds a bar as long as their share.
pub(super) fn draw<N: Network>() -> String {
    let arena = size_of::<N::Arena>();
    let summary = Summary {
        name: "",
        input: N::Input::SHAPE,
        layers: N::LAYERS,
        arena_bytes: arena,
        tape_bytes: 0,
        packing: &[],
        prepared_bytes: 0,
    };
    let most = |of: &dyn Fn(usize) -> u64| (0..N::LAYERS.len()).map(of).max().unwrap_or(0);
    let parameters = |at: usize| N::LAYERS[at].parameters as u64;
    let macs = |at: usize| N::LAYERS[at].macs;
    let most = [most(&parameters), most(&macs)];
    let mut rows = String::new();
    for (row, cells) in summary.rows().enumerate() {
        rows.push_str("<tr>");
        for (column, cell) in cells.iter().enumerate() {
            let class = ["name", "left"].get(column).unwrap_or(&"");
            let share = match (row.checked_sub(1), column) {
                (Some(at), 4) => share(parameters(at), most[0]),
                (Some(at), 5) => share(macs(at), most[1]),
                _ => String::new(),
            };
            let _ = write!(rows, "<td class=\"{class}\"{share}>{}</td>", text(cell));
        }
        rows.push_str("</tr>\n");
    }
    let cells = summary
        .total()
        .iter()
        .fold(String::new(), |mut cells, cell| {
            let _ = write!(cells, "<td>{}</td>", text(cell));
            cells
        });
    let head = HEAD
        .iter()
        .enumerate()
        .fold(String::new(), |mut head, (column, name)| {
            let class = if column < TEXT { "left" } else { "" };
            let _ = write!(head, "<th class=\"{class}\">{name}</th>");
            head
        });
    format!(
        "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>{head}</tr></thead><tbody>{rows}<tr class=\"total\">{cells}</tr></tbody>\
         </table></div><p class=\"note\">Volumes are width × height × depth, bytes those of f32. An arena, in which \
         the volumes of one image lie, takes {} bytes.</p>",
        grouped(arena as u64)
    )
}

/// The style of a cell whose number is such a part of the largest.
fn share(number: u64, most: u64) -> String {
    let percent = 100 * u128::from(number) / u128::from(most.max(1));
    format!(
        " style=\"background: linear-gradient(to left, var(--one-soft) {percent}%, transparent {percent}%)\""
    )
}

/// How far the bytes are from the numbers.
pub(super) fn int8(found: &int8::Report) -> String {
    let mut rows = String::new();
    for line in &found.lines {
        let [least, most] = line.range.map(|end| short(f64::from(end)));
        let _ = writeln!(
            rows,
            "<tr><td class=\"name\">{}</td><td class=\"left\">{}</td><td>{least} … {most}</td><td>{:.1}</td></tr>",
            text(line.name),
            line.word,
            line.decibels
        );
    }
    let [parameters, parameters_f32] = found.parameters.map(|bytes| grouped(bytes as u64));
    let [arena, arena_f32] = found.arena.map(|bytes| grouped(bytes as u64));
    format!(
        "<p>Parameters take {parameters} bytes (f32: {parameters_f32}), the arena {arena} (f32: {arena_f32}).</p>\
         <div class=\"scroll\" tabindex=\"0\"><table><thead><tr><th class=\"left\">layer</th><th class=\"left\">what</th>\
         <th>range of its bytes</th><th>signal to noise, dB</th></tr></thead><tbody>{rows}</tbody></table></div>\
         <p class=\"note\">Signal to noise: how far the bytes are from the volume in f32, on the images that were \
         shown; 20 dB is a tenth of the signal, 40 dB a hundredth.</p>"
    )
}
