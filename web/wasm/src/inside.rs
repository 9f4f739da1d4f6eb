//! Inside a network, after it has seen an image: every volume, and how each cell of one came about.

use convnet::graph::{Op, Sees};
use convnet::layer::{
    Clamp, Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, LeakyRelu, Relu, Relu6, Sigmoid, Silu,
    Softplus, Tanh,
};
use convnet::loss::softmax;
use convnet::plan::LayerInfo;
use convnet::{Activation, AnyVolume, InPlace, OnHeap, Role, Seen, Tensor, Volume};
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
        let slices = match (&filter, layer.op) {
            (Some(filter), _) => filter.slices.clone(),
            (None, Op::Softmax | Op::LogSoftmax) => 0..input[2],
            (None, _) => d..d + 1,
        };
        let volume = Seen::new(input, self.volume(reads)).ok_or_else(nothing)?;
        let term = |slice| {
            let cells = window.cells();
            let inputs: Vec<f32> = cells.map(|cell| value(volume, cell, slice)).collect();
            let filter = filter.as_ref().map(|filter| filter.on(slice, window));
            let filter = filter.unwrap_or_default();
            let products: Vec<f32> = inputs.iter().zip(&filter).map(|(x, w)| x * w).collect();
            let sum = products.iter().sum();
            Term {
                slice,
                inputs,
                filter,
                products,
                sum,
            }
        };
        let terms: Vec<_> = slices.map(term).collect();
        let bias = filter.map(|filter| filter.bias);
        let result = match bias {
            Some(bias) => terms.iter().map(|term| term.sum).sum::<f32>() + bias,
            None => {
                let inside = window.cells().map(|cell| within(input, cell).is_some());
                let seen = inside.zip(&terms[0].inputs).filter(|&(inside, _)| inside);
                let seen: Vec<f32> = match layer.op {
                    Op::Softmax | Op::LogSoftmax => terms.iter().map(|it| it.inputs[0]).collect(),
                    _ => seen.map(|(_, x)| *x).collect(),
                };
                let slope = || tensor(net, layer, ".slope").map(|(_, slopes)| slopes[d]);
                made_of(layer.op, &seen, d, slope)
                    .ok_or_else(|| format!("how {} computes is not shown", layer.word()))?
            }
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

/// A tensor of a layer.
fn tensor<'a, N: OnHeap<Scalar = f32>>(
    net: &'a N,
    layer: &LayerInfo<'_>,
    name: &str,
) -> Option<(Tensor, &'a [f32])> {
    let own = |tensor: &Tensor| tensor.name.strip_prefix(layer.name) == Some(name);
    let index = N::TENSORS.iter().position(own)?;
    Some((N::TENSORS[index], net.tensor(index)))
}

/// What a layer without filters makes of what it sees, in slice `d`.
fn made_of(op: &Op, seen: &[f32], d: usize, slope: impl Fn() -> Option<f32>) -> Option<f32> {
    let x = *seen.first()?;
    Some(match *op {
        Op::MaxPool { .. } | Op::GlobalMaxPool => {
            seen.iter().copied().fold(f32::NEG_INFINITY, f32::max)
        }
        Op::AvgPool { .. } | Op::GlobalAvgPool => seen.iter().sum::<f32>() / seen.len() as f32,
        Op::Softmax | Op::LogSoftmax => {
            let mut shares = vec![0.0; seen.len()];
            softmax(seen, &mut shares);
            let share = *shares.get(d)?;
            if *op == Op::Softmax {
                share
            } else {
                share.ln()
            }
        }
        Op::Prelu => slope().map(|slope| if x > 0.0 { x } else { slope * x })?,
        Op::Dropout { .. } | Op::Flatten => x,
        Op::Relu => activated(Relu, x),
        Op::Relu6 => activated(Relu6, x),
        Op::LeakyRelu { slope } => activated(LeakyRelu { slope }, x),
        Op::Sigmoid => activated(Sigmoid, x),
        Op::Tanh => activated(Tanh, x),
        Op::HardSigmoid => activated(HardSigmoid, x),
        Op::Elu { alpha } => activated(Elu { alpha }, x),
        Op::Softplus => activated(Softplus, x),
        Op::Clamp { low, high } => activated(Clamp { low, high }, x),
        Op::HardSwish => replaced(HardSwish, x),
        Op::Silu => replaced(Silu, x),
        Op::Gelu => replaced(Gelu, x),
        Op::GeluTanh => replaced(GeluTanh, x),
        // Those above have a filter; and what the others do is no sum over a window.
        _ => return None,
    })
}

fn activated(layer: impl Activation<Volume<f32, 1, 1, 1>>, x: f32) -> f32 {
    let mut v = Volume([[[x]]]);
    layer.forward(&mut v);
    v[0][0][0]
}

fn replaced(layer: impl InPlace<Volume<f32, 1, 1, 1>>, x: f32) -> f32 {
    let mut v = Volume([[[x]]]);
    layer.forward_in_place(&mut v);
    v[0][0][0]
}

/// What a neuron multiplies what it sees by, and adds.
struct Filter {
    /// The slices that it sees.
    slices: std::ops::Range<usize>,
    /// Its numbers on each of them, row by row.
    taps: Vec<Vec<f32>>,
    /// From one of its rows, or columns, to the next.
    dilation: [usize; 2],
    bias: f32,
}

impl Filter {
    fn of<N: OnHeap<Scalar = f32>>(net: &N, layer: &LayerInfo<'_>, k: usize) -> Option<Self> {
        let of_slice = |name| tensor(net, layer, name).map(|(_, scalars)| scalars[k]);
        // A factor a slice.
        if let (Some(gamma), Some(beta)) = (of_slice(".gamma"), of_slice(".beta")) {
            let (factor, bias) = match layer.op {
                Op::Affine => (gamma, beta),
                Op::BatchNorm { eps, .. } => {
                    let factor = gamma / (of_slice(".variance")? + *eps as f32).sqrt();
                    (factor, beta - factor * of_slice(".mean")?)
                }
                _ => return None,
            };
            return Some(Self {
                slices: k..k + 1,
                taps: vec![vec![factor]],
                dilation: [1; 2],
                bias,
            });
        }
        let (Tensor { role, shape, .. }, scalars) = tensor(net, layer, ".filters")?;
        let &[.., depth, filters] = shape else {
            return None;
        };
        let groups = match (layer.op, role) {
            (Op::ConvTranspose { .. }, _) => return None,
            (Op::Depthwise { .. }, _) => filters,
            (_, Role::Grouped(groups)) => groups,
            _ => 1,
        };
        let first = k / (filters / groups) * depth;
        let taps = |d| {
            let all = scalars.iter().skip(d * filters + k);
            all.step_by(depth * filters).copied().collect()
        };
        Some(Self {
            slices: first..first + depth,
            taps: (0..depth).map(taps).collect(),
            dilation: layer.op.window().map_or([1; 2], |window| window.dilation),
            bias: of_slice(".bias").unwrap_or(0.0),
        })
    }

    /// Its numbers on one slice, cell by cell of the window: zeros between those that lie apart.
    fn on(&self, slice: usize, window: Rectangle) -> Vec<f32> {
        let mut taps = self.taps[slice - self.slices.start].iter();
        let [down, across] = self.dilation.map(|it| it as i32);
        let cells = window.cells().map(|[y, x]| {
            let (i, j) = (y - window.top, x - window.left);
            i % down == 0 && j % across == 0
        });
        cells
            .map(|is_tap| if is_tap { taps.next().copied() } else { None })
            .map(Option::unwrap_or_default)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use convnet::{Rng, Volume, convnet};

    use super::*;
    use crate::demo::TinyVgg;

    convnet! {
        struct Filtered {
            input(9x9x4),
            conv(6, 3x3, pad = 2, dilation = 2, groups = 2),
            prelu,
            depthwise(3x3, pad = 1),
            batch_norm,
            conv(8, 3x3, stride = 2, bias = none),
            affine,
            global_max_pool,
            dropout(0.5),
            flatten,
            fc(5),
            softmax,
        }
    }

    convnet! {
        struct Bent {
            input(8x8x3),
            leaky_relu(0.1),
            avg_pool(2x2, stride = 2, pad = 1),
            tanh,
            hard_swish,
            gelu,
            elu(0.7),
            gelu_tanh,
            clamp(-0.4, 0.5),
            silu,
            softplus,
            hard_sigmoid,
            relu6,
            sigmoid,
            global_avg_pool,
            log_softmax,
        }
    }

    fn noise(values: &mut [f32], rng: &mut Rng) {
        values.iter_mut().for_each(|it| *it = rng.normal() as f32);
    }

    /// What `net` sees in noise.
    fn noticed<N: OnHeap<Scalar = f32>>(net: &N, mut image: Box<N::Input>) -> Inside {
        noise(image.as_mut_slice(), &mut Rng::new(1));
        let mut inside = Inside::default();
        inside.see(net, &image);
        inside
    }

    fn seen() -> (Box<TinyVgg>, Inside) {
        let net = TinyVgg::random(231);
        let inside = noticed(&*net, Volume::boxed());
        (net, inside)
    }

    /// A network of noise.
    fn noisy<N: OnHeap<Scalar = f32>>(mut net: Box<N>) -> Box<N> {
        let mut rng = Rng::new(7);
        for (index, tensor) in N::TENSORS.iter().enumerate() {
            noise(net.tensor_mut(index), &mut rng);
            if matches!(tensor.role, Role::Variance(..)) {
                net.tensor_mut(index)
                    .iter_mut()
                    .for_each(|it| *it = it.abs());
            }
        }
        net
    }

    #[test]
    fn every_cell_is_what_its_words_make() {
        fn check<N: OnHeap<Scalar = f32>>(net: &N, image: Box<N::Input>) {
            let inside = noticed(net, image);
            for (at, layer) in N::LAYERS.iter().enumerate() {
                let [height, width, depth] = layer.volume;
                for cell in 0..height * width * depth {
                    let cell = [cell / depth / width, cell / depth % width, cell % depth];
                    let neuron = inside.neuron(net, at + 1, cell).expect(layer.name);
                    let off = (neuron.result - neuron.activation).abs();
                    let most = 1e-4 * neuron.activation.abs().max(1.0);
                    assert!(off < most, "{} at {cell:?}: off by {off}", layer.name);
                    for term in neuron.terms {
                        assert!([0, term.inputs.len()].contains(&term.filter.len()));
                    }
                }
            }
        }
        check(&*noisy(Filtered::boxed()), Volume::boxed());
        check(&*noisy(Bent::boxed()), Volume::boxed());
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
