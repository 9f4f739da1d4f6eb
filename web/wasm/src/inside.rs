//! Inside a network, after it has seen an image: every volume, and how each cell of one came about.

use convnet::graph::Sees;
use convnet::plan::LayerInfo;
use convnet::{AnyVolume, OnHeap, Role, Seen, Tensor};
use serde::Serialize;
use tsify::Tsify;

/// The volumes of a network in which each layer reads the one before it: 0 is the image, i + 1 is what layer i writes.
#[derive(Default)]
pub struct Inside {
    volumes: Vec<Vec<f32>>,
}

/// A layer, as the page names it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its word, `conv`.
    pub word: String,
    /// The word with what it is told, `conv 10 of 3x3, pad 1`.
    pub text: String,
    /// Height, width and depth of what it writes.
    pub volume: [usize; 3],
    /// Receptive field on the image, height and width.
    pub field: [usize; 2],
    /// Learned scalars.
    pub parameters: usize,
}

/// A rectangle of cells. It may lie outside of its volume, on the zeros around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
pub struct Rectangle {
    /// The first row.
    pub top: i32,
    /// The first column.
    pub left: i32,
    /// Rows.
    pub height: i32,
    /// Columns.
    pub width: i32,
}

/// What a neuron sees of one depth slice, row by row, and what it makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Term {
    /// The slice.
    pub slice: usize,
    /// What the window covers: zeros outside of the volume.
    pub inputs: Vec<f32>,
    /// The filter's numbers; none if the layer has no filters.
    pub filter: Vec<f32>,
    /// Each input times its number.
    pub products: Vec<f32>,
    /// Their sum.
    pub sum: f32,
}

/// How a cell of a volume came about.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
pub struct Neuron {
    /// The layer's word.
    pub word: String,
    /// The volume that it reads.
    pub reads: usize,
    /// What it sees of it.
    pub window: Rectangle,
    /// What it sees of the image through all layers before.
    pub field: Rectangle,
    /// Slice by slice.
    pub terms: Vec<Term>,
    /// What a filter adds at the end; none if the layer has no filters.
    pub bias: Option<f32>,
    /// What comes out of these numbers: the sum of all products and the bias, the largest input, …
    pub result: f32,
    /// What the network itself has written.
    pub activation: f32,
}

impl Inside {
    /// Keeps every volume of `net` as it sees `image`; the scores.
    pub fn see<N: OnHeap<Scalar = f32>>(&mut self, net: &N, image: &N::Input) -> &[f32] {
        self.volumes.clear();
        self.volumes.push(image.as_slice().to_vec());
        net.observe(image, &mut N::arena(), |_, volume: Seen<'_, f32>| {
            self.volumes.push(volume.as_slice().to_vec());
        });
        self.volumes.last().map_or(&[], Vec::as_slice)
    }

    /// Volume `index`; empty past the last, and before anything was seen.
    #[must_use]
    pub fn volume(&self, index: usize) -> &[f32] {
        self.volumes.get(index).map_or(&[], Vec::as_slice)
    }

    /// How a cell of volume `index` of `net`, `[row, column, slice]`, came about.
    ///
    /// # Errors
    ///
    /// If there is no such cell, nothing was seen yet, or the layer is none of those that can be told in sums and
    /// maxima.
    pub fn neuron<N: OnHeap<Scalar = f32>>(
        &self,
        net: &N,
        index: usize,
        cell: [usize; 3],
    ) -> Result<Neuron, String> {
        let nothing = || format!("there is no cell {cell:?} of volume {index}");
        let reads = index.checked_sub(1).ok_or_else(nothing)?;
        let layer = N::LAYERS.get(reads).ok_or_else(nothing)?;
        let [y, x, d] = cell;
        let at = |[height, width, depth]: [usize; 3]| {
            (y < height && x < width && d < depth).then_some((y * width + x) * depth + d)
        };
        let written = at(layer.volume).ok_or_else(nothing)?;
        let activation = *self.volume(index).get(written).ok_or_else(nothing)?;

        let input = input_of::<N>(reads);
        let window = seen_by(layer, input, Rectangle::cell(y, x))?;
        let field = (0..reads).rev().try_fold(window, |seen, before| {
            seen_by(&N::LAYERS[before], input_of::<N>(before), seen)
        })?;
        let filter = Filter::of(net, layer, d);
        let slices = filter
            .as_ref()
            .map_or(d..d + 1, |filter| filter.slices.clone());
        let volume = Seen::new(input, self.volume(reads)).ok_or_else(nothing)?;
        let terms: Vec<_> = slices
            .map(|slice| {
                let inputs: Vec<f32> = window
                    .cells()
                    .map(|cell| value(volume, cell, slice))
                    .collect();
                let filter: Vec<f32> = filter
                    .as_ref()
                    .map_or_else(Vec::new, |filter| filter.slice(slice).collect());
                let products: Vec<f32> = inputs.iter().zip(&filter).map(|(x, w)| x * w).collect();
                let sum = products.iter().sum();
                Term {
                    slice,
                    inputs,
                    filter,
                    products,
                    sum,
                }
            })
            .collect();
        let bias = filter.map(|filter| filter.bias);
        let inside = window
            .cells()
            .zip(&terms[0].inputs)
            .filter(|&(cell, _)| within(input, cell).is_some());
        let pixels = inside.map(|(_, x)| *x);
        let result = match (bias, layer.word()) {
            (Some(bias), _) => terms.iter().map(|term| term.sum).sum::<f32>() + bias,
            (None, "max_pool") => pixels.fold(f32::NEG_INFINITY, f32::max),
            (None, "relu") => pixels.fold(0.0, f32::max),
            (None, "dropout" | "flatten") => pixels.sum(),
            (None, word) => return Err(format!("how {word} computes is not shown")),
        };
        Ok(Neuron {
            word: layer.word().into(),
            reads,
            window,
            field,
            terms,
            bias,
            result,
            activation,
        })
    }
}

impl Layer {
    /// All of a network.
    #[must_use]
    pub fn all<N: OnHeap<Scalar = f32>>() -> Vec<Self> {
        let layer = |layer: &LayerInfo<'_>| Self {
            name: layer.name.into(),
            word: layer.word().into(),
            text: layer.op.to_string(),
            volume: layer.volume,
            field: layer.field,
            parameters: layer.parameters,
        };
        N::LAYERS.iter().map(layer).collect()
    }
}

impl Rectangle {
    fn cell(y: usize, x: usize) -> Self {
        Self {
            top: y as i32,
            left: x as i32,
            height: 1,
            width: 1,
        }
    }

    /// Its rows and columns, row by row.
    fn cells(self) -> impl Iterator<Item = [i32; 2]> {
        (0..self.height)
            .flat_map(move |i| (0..self.width).map(move |j| [self.top + i, self.left + j]))
    }
}

/// What layer `index` of a network reads.
fn input_of<N: OnHeap<Scalar = f32>>(index: usize) -> [usize; 3] {
    index
        .checked_sub(1)
        .map_or(N::Input::SHAPE, |before| N::LAYERS[before].volume)
}

/// What a layer reads of a volume of `shape`, so that it can write what `of` covers.
fn seen_by(layer: &LayerInfo<'_>, shape: [usize; 3], of: Rectangle) -> Result<Rectangle, String> {
    let [height, width, _] = shape;
    match (layer.op.sees(), layer.op.window()) {
        (Sees::Pixel, _) => Ok(of),
        (Sees::Everything, _) => Ok(Rectangle {
            top: 0,
            left: 0,
            height: height as i32,
            width: width as i32,
        }),
        (Sees::Slides | Sees::Pools, Some(window)) => {
            let span = |axis, size, first: i32, cells: i32| {
                let axis = window
                    .axis(axis, size)
                    .map_err(|misfit| format!("{misfit:?}"))?;
                let stride = axis.stride as i32;
                Ok::<_, String>((
                    first * stride - axis.before as i32,
                    (cells - 1) * stride + axis.covers() as i32,
                ))
            };
            let (top, height) = span(0, height, of.top, of.height)?;
            let (left, width) = span(1, width, of.left, of.width)?;
            Ok(Rectangle {
                top,
                left,
                height,
                width,
            })
        }
        _ => Err(format!("what {} sees is not shown", layer.word())),
    }
}

/// A cell's row and column, if it lies in a volume of `shape`.
fn within([height, width, _]: [usize; 3], [y, x]: [i32; 2]) -> Option<[usize; 2]> {
    let (y, x) = (usize::try_from(y).ok()?, usize::try_from(x).ok()?);
    (y < height && x < width).then_some([y, x])
}

/// What a window finds: zeros outside of the volume.
fn value(volume: Seen<'_, f32>, cell: [i32; 2], slice: usize) -> f32 {
    within(volume.shape(), cell).map_or(0.0, |[y, x]| volume.column(y, x)[slice])
}

/// One filter of a layer.
struct Filter<'a> {
    /// Of all filters, their numbers: taps, depth of a group, filters.
    scalars: &'a [f32],
    /// How many slices a filter sees, how many filters there are, and which it is.
    depth: usize,
    filters: usize,
    k: usize,
    /// The slices that it sees.
    slices: std::ops::Range<usize>,
    bias: f32,
}

impl<'a> Filter<'a> {
    fn of<N: OnHeap<Scalar = f32>>(net: &'a N, layer: &LayerInfo<'_>, k: usize) -> Option<Self> {
        let tensor = |name: &str| {
            let own = |tensor: &Tensor| tensor.name.strip_prefix(layer.name) == Some(name);
            let index = N::TENSORS.iter().position(own)?;
            Some((N::TENSORS[index], net.tensor(index)))
        };
        let (Tensor { role, shape, .. }, scalars) = tensor(".filters")?;
        let &[.., depth, filters] = shape else {
            return None;
        };
        let groups = if let Role::Grouped(groups) = role {
            groups
        } else {
            1
        };
        let first = k / (filters / groups) * depth;
        let bias = tensor(".bias").map_or(0.0, |(_, biases)| biases[k]);
        Some(Self {
            scalars,
            depth,
            filters,
            k,
            slices: first..first + depth,
            bias,
        })
    }

    /// Its numbers on one slice, row by row.
    fn slice(&self, slice: usize) -> impl Iterator<Item = f32> {
        let first = (slice - self.slices.start) * self.filters + self.k;
        self.scalars
            .iter()
            .skip(first)
            .step_by(self.depth * self.filters)
            .copied()
    }
}

#[cfg(test)]
mod tests {
    use convnet::{Rng, Volume};

    use super::*;
    use crate::demo::TinyVgg;

    /// A network that has seen noise.
    fn seen() -> (Box<TinyVgg>, Inside) {
        let (net, mut image, mut rng) = (
            TinyVgg::random(231),
            Volume::<f32, 32, 32, 3>::boxed(),
            Rng::new(1),
        );
        for value in image.as_mut_slice() {
            *value = rng.normal() as f32;
        }
        let mut inside = Inside::default();
        inside.see(&*net, &image);
        (net, inside)
    }

    #[test]
    fn what_a_cell_is_made_of_makes_it() {
        let (net, inside) = seen();
        for (at, layer) in TinyVgg::LAYERS.iter().enumerate() {
            let [height, width, depth] = layer.volume;
            for y in 0..height {
                for (x, d) in (0..width).zip((0..depth).cycle()) {
                    let neuron = inside.neuron(&*net, at + 1, [y, x, d]).expect(layer.name);
                    let off = (neuron.result - neuron.activation).abs();
                    assert!(off < 1e-4, "{} at {y}, {x}, {d}: off by {off}", layer.name);
                    let Rectangle { height, width, .. } = neuron.field;
                    assert_eq!(
                        [height, width].map(|it| (it as usize).min(32)),
                        layer.field,
                        "{}",
                        layer.name
                    );
                }
            }
        }
    }

    #[test]
    fn windows_lie_where_filters_slide() {
        let (net, inside) = seen();
        let window = |index, cell| {
            inside
                .neuron(&*net, index, cell)
                .map(|it| (it.window, it.terms.len()))
        };
        let square = |top, left, size| Rectangle {
            top,
            left,
            height: size,
            width: size,
        };
        assert_eq!(window(1, [0, 5, 9]), Ok((square(-1, 4, 3), 3)));
        assert_eq!(window(5, [2, 15, 0]), Ok((square(4, 30, 2), 1)));
        assert_eq!(window(16, [0, 0, 3]), Ok((square(0, 0, 4), 10)));
        for nowhere in [
            (0, [0, 0, 0]),
            (17, [0, 0, 0]),
            (1, [0, 32, 0]),
            (16, [0, 0, 10]),
        ] {
            assert!(window(nowhere.0, nowhere.1).is_err(), "{nowhere:?}");
        }
        assert!(Inside::default().neuron(&*net, 1, [0, 0, 0]).is_err());
    }
}
