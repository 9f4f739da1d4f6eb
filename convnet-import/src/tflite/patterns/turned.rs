//! What is cut into other axes, turned and put together again.

use convnet_onnx::proto::Node;

use super::{Found, Graph, attribute};
use crate::array::volume;
use crate::nodes::{int, ints};

/// `RESHAPE`, `TRANSPOSE`, `RESHAPE` that shuffle slices, or make pixels of slices or slices of pixels.
pub(super) fn turned<'a>(graph: &Graph<'a>, turn: &'a Node) -> Option<Found> {
    let links = &graph.links;
    let is_reshape = |it: &Node| it.op_type == "Reshape";
    let perm = attribute(turn, "perm")?.ints.as_slice();
    let pieces = turn.input.first()?.as_str();
    let cut = links.writer(pieces).filter(|it| is_reshape(it))?;
    let (last, join) = links.next(turn).filter(|(_, it)| is_reshape(it))?;
    let (x, y) = (cut.input.first()?, join.output.first()?);
    let shape = |name: &str| graph.shapes.get(name).copied();
    let (from, pieces, to) = (shape(x)?, shape(pieces)?, shape(y)?);
    let (&[1, rows, columns, depth], &[1, down, across, deep]) = (from, to) else {
        return None;
    };
    let (kind, attributes) = match (perm, pieces) {
        ([0, 2, 1, 3], &[a, b, c, d]) => {
            // Of each depth column `c` rows of pixels; or of `b` rows of pixels one of depth columns.
            let (kind, size) = if [a, b, a * c] == [rows, columns, down] && b > 0 {
                ("DepthToSpace", [c, across / b])
            } else if [a * b, a, c] == [rows, down, across] && c > 0 {
                ("SpaceToDepth", [b, columns / c])
            } else {
                return None;
            };
            let whole = match kind {
                "DepthToSpace" => [across, d] == [b * size[1], size[1] * deep],
                _ => [columns, d] == [c * size[1], size[1] * depth],
            };
            if !whole {
                return None;
            }
            (kind, vec![ints("blocksize", &size.map(|it| it as i64))])
        }
        (_, &[_, ref pixels @ .., groups, each]) => {
            let rank = pixels.len() as i64 + 3;
            let swaps = (0..rank - 2)
                .chain([rank - 1, rank - 2])
                .eq(perm.iter().copied());
            let pixels = volume(pixels)?;
            if from != to || !swaps || pixels != rows * columns || groups * each != depth {
                return None;
            }
            let sizes = [int("group", groups as i64), int("depth", each as i64)];
            ("ChannelShuffle", sizes.into())
        }
        _ => return None,
    };
    Some(Found {
        slides: true,
        ..Found::new(last, kind, vec![x.clone()], attributes)
    })
}
