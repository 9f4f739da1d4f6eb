//! The graph, drawn: from the image down, ways side by side.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use alloc::{format, vec};
use core::fmt::Write as _;

use super::text;
use crate::graph::{Manner, Node, Op};

const BOX: [usize; 2] = [230, 42];
const GAP: [usize; 2] = [46, 24];

/// The graph of a network on an image of `[height, width, depth]`, as SVG in a `div`; nothing of a network that is
/// written by hand, whose graph nobody knows.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::graph::{Node, Op};
///
/// let fc = Node { name: "scores", op: Op::fc(10), volume: [1, 1, 10] };
/// let svg = convnet::draw::graph([8, 8, 3], &[fc]).unwrap();
/// assert!(svg.contains("scores") && svg.contains("fc(10)"));
/// ```
#[must_use]
pub fn graph(image: [usize; 3], graph: &[Node<'_>]) -> Option<String> {
    if graph.is_empty() {
        return None;
    }
    let mut drawing = Drawing::new(image);
    drawing.lay("", graph, Way { of: 0, lane: 0 });
    Some(drawing.svg())
}

/// A box.
struct Placed {
    name: String,
    what: String,
    volume: [usize; 3],
    class: &'static str,
    row: usize,
    lane: usize,
    reads: Vec<usize>,
}

/// A volume: of which box it is, and in which lane what reads it stands.
#[derive(Clone, Copy)]
struct Way {
    of: usize,
    lane: usize,
}

struct Drawing {
    boxes: Vec<Placed>,
}

impl Drawing {
    fn new(image: [usize; 3]) -> Self {
        Self {
            boxes: vec![Placed {
                name: "input".to_owned(),
                what: "the image".to_owned(),
                volume: image,
                class: "none",
                row: 0,
                lane: 0,
                reads: Vec::new(),
            }],
        }
    }

    /// A graph that reads a volume; says which one it writes.
    fn lay(&mut self, prefix: &str, graph: &[Node<'_>], image: Way) -> Way {
        let mut volumes = vec![image];
        // Of volumes that a `concat` has begun: the boxes whose slices they have.
        let mut slices: Vec<Vec<usize>> = vec![Vec::new()];
        for node in graph {
            let before = volumes.last().copied().unwrap_or(image);
            let mut begun = Vec::new();
            let way = match node.op {
                Op::Branch { from } => Way {
                    of: volumes[from].of,
                    lane: self.free_lane(&volumes[from..]),
                },
                Op::Concat { onto, input, last } | Op::Outputs { onto, input, last } => {
                    begun = onto.map_or_else(Vec::new, |onto| slices[onto].clone());
                    begun.push(before.of);
                    match last {
                        true => self.add(prefix, node, volumes[input].lane, begun.clone()),
                        false => before,
                    }
                }
                Op::Add { with, input } => {
                    let reads = vec![before.of, volumes[with].of];
                    self.add(prefix, node, volumes[input].lane, reads)
                }
                Op::Scale { with } => {
                    let reads = vec![before.of, volumes[with].of];
                    self.add(prefix, node, volumes[with].lane, reads)
                }
                Op::Network { what } if !what.graph.is_empty() => {
                    let prefix = format!("{prefix}{}.", node.name);
                    self.lay(&prefix, what.graph, before)
                }
                _ => self.add(prefix, node, before.lane, vec![before.of]),
            };
            volumes.push(way);
            slices.push(begun);
        }
        volumes.last().copied().unwrap_or(image)
    }

    fn add(&mut self, prefix: &str, node: &Node<'_>, lane: usize, mut reads: Vec<usize>) -> Way {
        reads.dedup();
        let row = reads
            .iter()
            .map(|&of| self.boxes[of].row + 1)
            .max()
            .unwrap_or(0);
        let op = node.op.to_string();
        // The end of a block is no word of the language.
        let what = match node.op {
            Op::Add { .. } => "+".to_owned(),
            Op::Scale { .. } => "×".to_owned(),
            Op::Concat { .. } => "side by side in the depth".to_owned(),
            Op::Outputs { .. } => "one behind the other".to_owned(),
            _ => op,
        };
        self.boxes.push(Placed {
            name: format!("{prefix}{}", node.name),
            what,
            volume: node.volume,
            class: class(&node.op),
            row,
            lane,
            reads,
        });
        Way {
            of: self.boxes.len() - 1,
            lane,
        }
    }

    /// A lane beside all that stands in those of these volumes.
    fn free_lane(&self, volumes: &[Way]) -> usize {
        let first = volumes.iter().map(|way| way.of).min().unwrap_or(0);
        let boxes = self.boxes[first..].iter().map(|it| it.lane);
        let ways = volumes.iter().map(|way| way.lane);
        boxes.chain(ways).max().unwrap_or(0) + 1
    }

    fn svg(&self) -> String {
        let most = |of: fn(&Placed) -> usize| self.boxes.iter().map(of).max().unwrap_or(0) + 1;
        let [lanes, rows] = [most(|it| it.lane), most(|it| it.row)];
        let size = [lanes * (BOX[0] + GAP[0]), rows * (BOX[1] + GAP[1])];
        let mut svg = format!(
            "<div class=\"scroll\" tabindex=\"0\"><svg width=\"{0}\" height=\"{1}\" viewBox=\"-4 -4 {0} {1}\" role=\"img\" \
             aria-label=\"the graph of the network\">",
            size[0] + 8,
            size[1] + 8
        );
        for (at, it) in self.boxes.iter().enumerate() {
            for &of in &it.reads {
                svg.push_str(&self.edge(of, at));
            }
        }
        for it in &self.boxes {
            svg.push_str(&it.svg());
        }
        svg.push_str("</svg></div>");
        svg
    }

    /// From the bottom of one box to the top of another; past boxes between them on the right.
    fn edge(&self, from: usize, to: usize) -> String {
        let (a, b) = (&self.boxes[from], &self.boxes[to]);
        let [ax, ay] = [a.x() + BOX[0] / 2, a.y() + BOX[1]];
        let [bx, by] = [b.x() + BOX[0] / 2, b.y()];
        let between = |lane: usize| {
            let mut boxes = self.boxes.iter();
            boxes.any(|it| it.lane == lane && it.row > a.row && it.row < b.row)
        };
        let path = if a.lane == b.lane && between(a.lane) {
            let (right, ay, by) = (a.x() + BOX[0], a.y() + BOX[1] / 2, b.y() + BOX[1] / 2);
            let out = right + 14 + 5 * (b.row - a.row).min(5);
            format!(
                "M{right} {ay} C{out} {ay} {out} {0} {out} {0} L{out} {1} C{out} {by} {out} {by} {right} {by}",
                ay + 20,
                by - 20
            )
        } else if a.lane < b.lane {
            // Beside the boxes, then down the new lane.
            format!(
                "M{ax} {ay} C{ax} {0} {bx} {1} {bx} {by}",
                ay + GAP[1],
                by.saturating_sub(GAP[1])
            )
        } else {
            // Down its own lane, then over.
            let turn = by.saturating_sub(GAP[1]);
            format!(
                "M{ax} {ay} L{ax} {turn} C{ax} {0} {bx} {turn} {bx} {by}",
                turn + GAP[1] / 2
            )
        };
        format!("<path d=\"{path}\" fill=\"none\" stroke=\"var(--soft)\" stroke-width=\"1.5\"/>")
    }
}

impl Placed {
    fn x(&self) -> usize {
        self.lane * (BOX[0] + GAP[0])
    }

    fn y(&self) -> usize {
        self.row * (BOX[1] + GAP[1])
    }

    fn svg(&self) -> String {
        let (x, y, [height, width, depth]) = (self.x(), self.y(), self.volume);
        let [name, what] = [(&self.name, 20), (&self.what, 36)].map(|(it, most)| cut(it, most));
        let mut svg = String::new();
        let _ = write!(
            svg,
            "<g><title>{}: {}</title><rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"7\" \
             fill=\"var(--{}-soft)\" stroke=\"var(--line)\"/>\
             <text x=\"{left}\" y=\"{first}\" font-weight=\"600\">{name}</text>\
             <text x=\"{right}\" y=\"{first}\" text-anchor=\"end\" class=\"soft\">{width}×{height}×{depth}</text>\
             <text x=\"{left}\" y=\"{second}\" class=\"soft\">{what}</text></g>",
            text(&self.name),
            text(&self.what),
            BOX[0],
            BOX[1],
            self.class,
            left = x + 10,
            right = x + BOX[0] - 10,
            first = y + 17,
            second = y + 33,
        );
        svg
    }
}

/// Text of so many characters at most.
fn cut(it: &str, most: usize) -> String {
    match it.chars().count() > most {
        true => text(it.chars().take(most - 1).chain(['…']).collect::<String>()),
        false => text(it),
    }
}

/// Of which colour it is: what has filters, pools, what normalises or drops, where ways meet, the rest.
fn class<W, P>(op: &Op<usize, W, f64, P>) -> &'static str {
    match op.manner() {
        Manner::Filters => "one",
        Manner::Selects | Manner::Averages => "two",
        Manner::Normalises | Manner::Drops => "three",
        Manner::Adds | Manner::Multiplies | Manner::Concatenates | Manner::Branches => "four",
        Manner::Clamps | Manner::Activates | Manner::ActivatesByInput | Manner::Passes => "none",
    }
}
