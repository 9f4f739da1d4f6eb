//! The table of a network, to print (like Keras's `summary()`) and for rustdoc.

use core::fmt::{self, Display, Formatter, Write};

use crate::network::prepare::{Packing, Selection, memory};
use crate::plan::LayerInfo;

/// A network as a table, a line a layer; [`Display`] aligns it, [`markdown`](Self::markdown) has
/// the same cells.
///
/// Volumes are written width first, as CS231n does; bytes are those of `f32`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::Op;
/// use convnet::plan::LayerInfo;
/// use convnet::Summary;
///
/// let scores = LayerInfo {
///     name: "scores",
///     op: &Op::fc(10),
///     volume: [1, 1, 10],
///     lost: [0, 0],
///     added: [0, 0],
///     field: [8, 8],
///     jump: [1, 1],
///     parameters: 650,
///     fixed: 0,
///     macs: 640,
/// };
/// let summary = Summary {
///     name: "Linear",
///     input: [8, 8, 1],
///     layers: &[scores],
///     arena_bytes: 64,
///     tape_bytes: 64,
///     packing: &[],
///     prepared_bytes: 64,
/// };
/// assert!(summary.to_string().contains("scores  fc 10  1x1x10"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary<'a> {
    /// The network's name.
    pub name: &'a str,
    /// The image: height, width, depth.
    pub input: [usize; 3],
    /// A line a layer.
    pub layers: &'a [LayerInfo<'a>],
    /// Bytes of the arena.
    pub arena_bytes: usize,
    /// Bytes of the tape.
    pub tape_bytes: usize,
    /// What a prepared network packs: a last line says by which algorithms it computes. Empty if
    /// nothing is packed, or nobody knows.
    pub packing: &'a [Packing],
    /// Bytes of a prepared network's arena.
    pub prepared_bytes: usize,
}

impl Summary<'_> {
    /// The same table in Markdown.
    #[must_use]
    pub const fn markdown(&self) -> impl Display {
        Markdown(self)
    }

    /// Learned scalars.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// Scalars that are stored and not learned: statistics, and biases that stay zero.
    #[must_use]
    pub fn fixed(&self) -> usize {
        self.layers.iter().map(|layer| layer.fixed).sum()
    }

    /// Multiply-adds of one forward pass.
    #[must_use]
    pub fn macs(&self) -> u64 {
        self.layers.iter().map(|layer| layer.macs).sum()
    }

    /// The image, and then every layer.
    pub(crate) fn rows(&self) -> impl Iterator<Item = [Cell; COLUMNS]> {
        let image = [
            cell(format_args!("input")),
            Cell::EMPTY,
            volume(self.input),
            Cell::EMPTY,
            Cell::EMPTY,
            Cell::EMPTY,
            bytes(self.input),
        ];
        let layers = self.layers.iter().map(|layer| {
            [
                cell(format_args!("{}", layer.name)),
                what(layer),
                volume(layer.volume),
                cell(format_args!("{}x{}", layer.field[1], layer.field[0])),
                cell(format_args!("{}", Grouped(layer.parameters as u64))),
                cell(format_args!("{}", Grouped(layer.macs))),
                bytes(layer.volume),
            ]
        });
        core::iter::once(image).chain(layers)
    }

    pub(crate) fn total(&self) -> [Cell; COLUMNS] {
        let mut total = [Cell::EMPTY; COLUMNS];
        total[0] = cell(format_args!("total"));
        total[4] = cell(format_args!("{}", Grouped(self.parameters() as u64)));
        total[5] = cell(format_args!("{}", Grouped(self.macs())));
        total
    }

    fn memory(&self) -> Memory<'_> {
        Memory(self)
    }
}

pub(crate) const COLUMNS: usize = 7;
pub(crate) const HEAD: [&str; COLUMNS] = [
    "layer",
    "what",
    "volume",
    "sees",
    "parameters",
    "multiply-adds",
    "bytes",
];
/// The columns that hold text, at the left of their width; numbers are at the right.
pub(crate) const TEXT: usize = 2;

impl Display for Summary<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut widths = HEAD.map(str::len);
        for row in self.rows().chain([self.total()]) {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        let line = |f: &mut Formatter<'_>, row: [Cell; COLUMNS]| {
            let filled = row
                .iter()
                .rposition(|cell| cell.len > 0)
                .map_or(0, |last| last + 1);
            for (column, (cell, width)) in row.iter().zip(widths).take(filled).enumerate() {
                let gap = if column == 0 { "" } else { "  " };
                match column < TEXT {
                    true => write!(f, "{gap}{cell:<width$}")?,
                    false => write!(f, "{gap}{cell:>width$}")?,
                }
            }
            f.write_char('\n')
        };
        writeln!(f, "{}", self.name)?;
        line(f, HEAD.map(|head| cell(format_args!("{head}"))))?;
        for row in self.rows() {
            line(f, row)?;
        }
        line(f, self.total())?;
        write!(f, "{}", self.memory())
    }
}

struct Markdown<'a>(&'a Summary<'a>);

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let line = |f: &mut Formatter<'_>, row: [Cell; COLUMNS]| {
            for cell in row {
                write!(f, "| {cell} ")?;
            }
            f.write_str("|\n")
        };
        line(f, HEAD.map(|head| cell(format_args!("{head}"))))?;
        f.write_str("|---|---|--:|--:|--:|--:|--:|\n")?;
        for row in self.0.rows().chain([self.0.total()]) {
            line(f, row)?;
        }
        write!(f, "\n{}", self.0.memory())
    }
}

/// The last line.
struct Memory<'a>(&'a Summary<'a>);

impl Display for Memory<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [parameters, fixed, arena, tape] = [
            self.0.parameters() * size_of::<f32>(),
            self.0.fixed() * size_of::<f32>(),
            self.0.arena_bytes,
            self.0.tape_bytes,
        ]
        .map(|bytes| Grouped(bytes as u64));
        write!(f, "f32: parameters {parameters} bytes, ")?;
        if fixed.0 > 0 {
            write!(f, "not learned {fixed}, ")?;
        }
        write!(f, "arena {arena}, tape {tape}")?;
        match self.0.packing {
            [] => Ok(()),
            packing => prepared(f, packing, self.0.prepared_bytes),
        }
    }
}

/// `prepared: conv1 rows, conv2 to conv5 winograd 6x6; …`: neighbours by the same algorithm are one
/// entry.
fn prepared(f: &mut Formatter<'_>, packing: &[Packing], arena: usize) -> fmt::Result {
    f.write_str("\nprepared:")?;
    let selection = Selection::default();
    let algorithm = |it: &Packing| selection.choose(&it.choices).algorithm;
    for (i, run) in packing
        .chunk_by(|a, b| algorithm(a) == algorithm(b))
        .enumerate()
    {
        f.write_str(if i == 0 { " " } else { ", " })?;
        if let [first, rest @ ..] = run {
            f.write_str(first.name)?;
            if let Some(last) = rest.last() {
                write!(f, " to {}", last.name)?;
            }
            write!(f, " {}", algorithm(first))?;
        }
    }
    let [packed, scratch] = memory(packing, selection).map(|scalars| scalars * size_of::<f32>());
    let [packed, scratch, arena] = [packed, scratch, arena].map(|bytes| Grouped(bytes as u64));
    write!(
        f,
        "; packed {packed} bytes, scratch {scratch}, arena {arena}"
    )
}

fn volume([h, w, d]: [usize; 3]) -> Cell {
    cell(format_args!("{w}x{h}x{d}"))
}

fn bytes([h, w, d]: [usize; 3]) -> Cell {
    cell(format_args!(
        "{}",
        Grouped((h * w * d * size_of::<f32>()) as u64)
    ))
}

/// The word, its hyperparameters, and what does not come out even.
fn what(layer: &LayerInfo<'_>) -> Cell {
    let detail = cell(format_args!("{}", layer.op.detail()));
    let gap = if detail.len == 0 { "" } else { " " };
    let mut cell = cell(format_args!("{}{gap}{detail}", layer.word()));
    for ([rows, columns], verb) in [(layer.lost, "drops"), (layer.added, "adds")] {
        if rows > 0 || columns > 0 {
            // A cell that is full is cut off.
            let plural = |count| if count == 1 { "" } else { "s" };
            let (r, c) = (plural(rows), plural(columns));
            let _ = write!(cell, ", {verb} {rows} row{r}, {columns} column{c}");
        }
    }
    cell
}

fn cell(text: fmt::Arguments<'_>) -> Cell {
    let mut cell = Cell::EMPTY;
    // A cell that is full is cut off.
    let _ = cell.write_fmt(text);
    cell
}

/// The text of one cell, without an allocator.
#[derive(Clone, Copy)]
pub(crate) struct Cell {
    bytes: [u8; 120],
    len: usize,
}

impl Cell {
    const EMPTY: Self = Self {
        bytes: [0; 120],
        len: 0,
    };

    fn as_str(&self) -> &str {
        // Only whole characters were copied.
        self.bytes
            .get(..self.len)
            .and_then(|bytes| str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }

    fn width(&self) -> usize {
        self.as_str().chars().count()
    }
}

impl Write for Cell {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        let fits = (0..=room.len().min(text.len()))
            .rev()
            .find(|&len| text.is_char_boundary(len));
        let len = fits.unwrap_or_default();
        for (byte, &from) in room.iter_mut().zip(&text.as_bytes()[..len]) {
            *byte = from;
        }
        self.len += len;
        if len == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

impl Display for Cell {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A number with its thousands apart: `138,357,544`.
pub(crate) struct Grouped(pub(crate) u64);

impl Display for Grouped {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..1000 => write!(f, "{}", self.0),
            number => write!(f, "{},{:03}", Grouped(number / 1000), number % 1000),
        }
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use crate::kernel::{Algorithm, Winograd};
    use crate::layer::repack::{Choice, Choices};
    use crate::plan::Op;
    use crate::shape::{Fit, Window};
    use alloc::string::ToString;

    const LAYERS: &[LayerInfo<'static>] = &[
        LayerInfo {
            name: "conv1",
            op: &Op::conv(
                96,
                Window {
                    fit: Fit::Crop,
                    ..Window::square(11, 4, 2)
                },
            ),
            volume: [55, 55, 96],
            lost: [1, 1],
            added: [0, 0],
            field: [11, 11],
            jump: [4, 4],
            parameters: 34_944,
            fixed: 0,
            macs: 105_415_200,
        },
        LayerInfo {
            name: "relu1",
            op: &Op::Relu,
            volume: [55, 55, 96],
            lost: [0, 0],
            added: [0, 0],
            field: [11, 11],
            jump: [4, 4],
            parameters: 0,
            fixed: 0,
            macs: 0,
        },
    ];

    const HEAD_OF_ALEXNET: Summary<'static> = Summary {
        name: "AlexNetHead",
        input: [224, 224, 3],
        layers: LAYERS,
        arena_bytes: 1_161_600,
        tape_bytes: 2_323_200,
        packing: &[],
        prepared_bytes: 0,
    };

    #[test]
    fn the_table_is_aligned_and_its_numbers_are_grouped() {
        assert_eq!(
            HEAD_OF_ALEXNET.to_string(),
            "\
AlexNetHead
layer  what                                                                   volume   sees  parameters  multiply-adds      bytes
input                                                                      224x224x3                                      602,112
conv1  conv 96 of 11x11, stride 4, pad 2, fit crop, drops 1 row, 1 column   55x55x96  11x11      34,944    105,415,200  1,161,600
relu1  relu                                                                 55x55x96  11x11           0              0  1,161,600
total                                                                                            34,944    105,415,200
f32: parameters 139,776 bytes, arena 1,161,600, tape 2,323,200"
        );
    }

    #[test]
    fn what_is_stored_and_not_learned_is_said() {
        let norm = LayerInfo {
            op: &Op::BATCH_NORM,
            parameters: 192,
            fixed: 192,
            ..LAYERS[1]
        };
        let summary = Summary {
            layers: &[norm],
            ..HEAD_OF_ALEXNET
        };
        let text = summary.to_string();
        assert!(text.ends_with(
            "f32: parameters 768 bytes, not learned 768, arena 1,161,600, tape 2,323,200"
        ));
    }

    #[test]
    fn the_algorithms_of_a_prepared_network_are_the_last_line() {
        const fn choice(algorithm: Algorithm) -> Choice {
            Choice {
                algorithm,
                packed: 256,
                scratch: 16,
            }
        }
        let packing = |name, algorithm| Packing {
            name,
            choices: Choices::everywhere([choice(Algorithm::Panels), choice(algorithm)]),
        };
        let winograd = Algorithm::Winograd(Winograd::Six);
        let summary = Summary {
            packing: &[
                packing("conv1", Algorithm::Rows),
                packing("conv2", winograd),
                packing("conv3", winograd),
                packing("scores", Algorithm::Direct),
            ],
            prepared_bytes: 15_360,
            ..HEAD_OF_ALEXNET
        };
        let text = summary.to_string();
        assert!(text.ends_with(
            "\nprepared: conv1 rows, conv2 to conv3 winograd 6x6, scores direct; \
             packed 4,096 bytes, scratch 64, arena 15,360"
        ));
    }

    #[test]
    fn markdown_has_the_same_cells() {
        let markdown = HEAD_OF_ALEXNET.markdown().to_string();
        assert!(markdown.contains("| relu1 | relu | 55x55x96 | 11x11 | 0 | 0 | 1,161,600 |"));
    }
}
