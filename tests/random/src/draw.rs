//! Networks drawn at random, over the whole grammar: each fits, by this folder's own arithmetic.

use super::Rng;

use super::network::{Fit, Item, Layer, Network, Pad, Shape, Window, output};

/// Multiply-adds of a network, at most.
const WORK: usize = 3_000_000;

/// The network of this seed.
pub(crate) fn network(seed: u64) -> Network {
    let mut draw = Draw {
        rng: Rng::new(seed),
        work: WORK,
        names: 0,
    };
    // Some are wide and have small maps: banks of filters that fill the caches.
    let wide = draw.one_in(4);
    let input = if wide {
        let depth = draw.pick(&[96, 130, 256, 384, 512, 1024]);
        [draw.between(1, 4), draw.between(1, 4), depth]
    } else {
        let depth = draw.pick(&[1, 2, 3, 3, 4, 5, 8, 16, 17, 24, 32]);
        [draw.between(4, 28), draw.between(4, 28), depth]
    };
    let mut net = draw.network(input, 3);
    let scores = Layer::Fc {
        filters: draw.between(2, 20),
        bias: true,
    };
    if draw.one_in(3) {
        let most = draw.between(0, 4);
        let mut left = most;
        draw.outputs(&mut net.items, input, &mut left);
        let scores = Item::Layer(None, scores);
        let mut last = vec![("scores".into(), vec![scores])];
        // Two at least.
        if left == most || draw.one_in(3) {
            last.insert(draw.below(2), ("rest".into(), Vec::new()));
        }
        net.items.push(Item::Outputs(last));
    } else {
        net.items.push(Item::Layer(Some("scores".into()), scores));
    }
    net
}

struct Draw {
    rng: Rng,
    /// How many multiply-adds are left.
    work: usize,
    names: usize,
}

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.rng.below(bound)
    }

    fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most - least + 1)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn network(&mut self, input: Shape, nested: usize) -> Network {
        let count = self.between(3, 9);
        let items = self.items(input, count, nested);
        Network {
            input,
            items,
            row_by_row: self.one_in(3),
            direct_training: self.one_in(4),
            named: self.one_in(5),
        }
    }

    /// One item at least.
    fn items(&mut self, mut x: Shape, count: usize, nested: usize) -> Vec<Item> {
        let mut items = Vec::new();
        while items.len() < count {
            let Some(item) = self.item(x, nested) else {
                continue;
            };
            x = item.output(x).expect("drawn to fit");
            items.push(item);
        }
        items
    }

    fn item(&mut self, x: Shape, nested: usize) -> Option<Item> {
        if nested == 0 || !self.one_in(4) {
            let layer = self.layer(x)?;
            let name = self.one_in(6).then(|| self.name());
            return Some(Item::Layer(name, layer));
        }
        let nested = nested - 1;
        let (count, work) = (self.between(1, 4), self.work);
        let item = match self.below(10) {
            0..3 => self.residual(x, count, nested),
            3..5 => self.concat(x, count, nested),
            5 => self.product(x, nested),
            6..8 => {
                let items = self.items(x, count, 0).into_iter().map(nameless);
                Some(Item::Repeat(items.collect(), self.between(2, 3)))
            }
            8 => {
                let items = self.items(x, count, nested);
                Some(Item::Named(self.name(), items))
            }
            _ => Some(Item::Inside(Box::new(self.network(x, nested.min(1))))),
        }?;
        let fits = item.output(x).is_some();
        if !fits {
            self.work = work;
        }
        fits.then_some(item)
    }

    /// Takes some at most on the way.
    fn outputs(&mut self, items: &mut Vec<Item>, mut x: Shape, most: &mut usize) {
        let mut at = 0;
        while at < items.len() {
            match &mut items[at] {
                Item::Layer(..) | Item::Inside(_) | Item::Outputs(_) => {}
                // What fits the first pass might not fit the next.
                Item::Repeat(inside, _) if output(inside, x) != Some(x) => {}
                Item::Repeat(inside, _) | Item::Named(_, inside) | Item::Product(inside) => {
                    self.outputs(inside, x, most);
                }
                Item::Residual(inside, shortcut) => {
                    self.outputs(inside, x, most);
                    if let Some(shortcut) = shortcut {
                        self.outputs(shortcut, x, most);
                    }
                }
                Item::Concat(branches) => {
                    for branch in branches {
                        self.outputs(branch, x, most);
                    }
                }
            }
            x = items[at].output(x).expect("drawn to fit");
            at += 1;
            if *most > 0 && self.one_in(4) {
                *most -= 1;
                let count = self.between(0, 2);
                let head = self.items(x, count, 0).into_iter().map(nameless).collect();
                let mut branches = vec![(self.name(), head)];
                if self.one_in(3) {
                    branches.push((self.name(), Vec::new()));
                }
                items.insert(at, Item::Outputs(branches));
                at += 1;
            }
        }
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("it{}", self.names)
    }

    fn residual(&mut self, x: Shape, count: usize, nested: usize) -> Option<Item> {
        if self.one_in(3) {
            // Both ways step.
            let filters = self.filters(x);
            let window = |size: usize, pad| Window {
                size: [size; 2],
                stride: [2; 2],
                dilation: [1; 2],
                pad: Pad::All(pad),
                fit: Fit::Crop,
            };
            let conv = |bias, window| {
                let groups = 1;
                Item::Layer(
                    None,
                    Layer::Conv {
                        filters,
                        groups,
                        bias,
                        window,
                    },
                )
            };
            let mut body = vec![conv(true, window(3, 1))];
            let [h, w, _] = window(3, 1).slide(x).map(|[h, w]| [h, w, filters])?;
            body.extend(self.keeping([h, w, filters], count));
            let mut shortcut = vec![conv(false, window(1, 0))];
            if self.one_in(2) {
                shortcut.push(Item::Layer(
                    None,
                    Layer::BatchNorm {
                        eps: 1e-5,
                        momentum: 0.1,
                        affine: true,
                    },
                ));
            }
            return Some(Item::Residual(body, Some(shortcut)));
        }
        let mut body = self.keeping(x, count);
        if nested > 0 && self.one_in(3) {
            body.push(Item::Residual(self.keeping(x, 1), None));
        }
        Some(Item::Residual(body, None))
    }

    /// Layers that write what they read, in size.
    fn keeping(&mut self, x: Shape, count: usize) -> Vec<Item> {
        let mut items = Vec::new();
        while items.len() < count {
            let layer = if self.one_in(2) {
                self.layer(x)
            } else {
                let size = [self.pick(&[1, 2, 3, 3, 5]), self.pick(&[1, 2, 3, 3, 5])];
                let window = Window {
                    size,
                    stride: [1; 2],
                    dilation: [1; 2],
                    pad: Pad::Same,
                    fit: Fit::Exact,
                };
                let conv = Layer::Conv {
                    filters: x[2],
                    groups: 1,
                    bias: !self.one_in(3),
                    window,
                };
                self.affordable(conv, x)
            };
            if let Some(layer) = layer.filter(|layer| layer.output(x) == Some(x)) {
                items.push(Item::Layer(None, layer));
            }
        }
        items
    }

    fn concat(&mut self, x: Shape, count: usize, nested: usize) -> Option<Item> {
        let mut branches = Vec::new();
        for _ in 0..self.between(2, 3) {
            if self.one_in(4) {
                branches.push(Vec::new());
                continue;
            }
            let mut branch = self.keeping(x, count.min(2));
            let filters = self.filters(x);
            let window = Window {
                size: [1; 2],
                stride: [1; 2],
                dilation: [1; 2],
                pad: Pad::All(0),
                fit: Fit::Exact,
            };
            let conv = Layer::Conv {
                filters,
                groups: 1,
                bias: true,
                window,
            };
            if let Some(conv) = self.affordable(conv, x) {
                branch.push(Item::Layer(None, conv));
                if nested > 0 && self.one_in(3) {
                    let x = output(&branch, x)?;
                    branch.push(Item::Residual(self.keeping(x, 1), None));
                }
            }
            branches.push(branch);
        }
        Some(Item::Concat(branches))
    }

    /// As squeeze and excitation does it, or number by number.
    fn product(&mut self, x: Shape, nested: usize) -> Option<Item> {
        let layer = |layer| Item::Layer(None, layer);
        let mut body = Vec::new();
        if self.one_in(2) {
            body.push(layer(Layer::GlobalAvgPool));
            let [window, again] = [(); 2].map(|()| Window {
                size: [1; 2],
                stride: [1; 2],
                dilation: [1; 2],
                pad: Pad::All(0),
                fit: Fit::Exact,
            });
            let squeezed = self.between(1, 8);
            let conv = |filters, window| Layer::Conv {
                filters,
                groups: 1,
                bias: true,
                window,
            };
            let one = self.affordable(conv(squeezed, window), [1, 1, x[2]])?;
            let two = self.affordable(conv(x[2], again), [1, 1, squeezed])?;
            body.extend([layer(one), layer(Layer::Relu), layer(two)]);
        } else {
            let count = self.between(1, 2);
            body.extend(self.keeping(x, count));
            if nested > 0 && self.one_in(3) {
                body.push(Item::Residual(self.keeping(x, 1), None));
            }
        }
        let gate = match self.below(3) {
            0 => Layer::Sigmoid,
            1 => Layer::HardSigmoid,
            _ => Layer::Tanh,
        };
        body.push(layer(gate));
        Some(Item::Product(body))
    }

    fn filters(&mut self, [height, width, depth]: Shape) -> usize {
        let small = height * width <= 16 && depth >= 64;
        match self.below(4) {
            0 => self.between(1, 12),
            1 if small => self.pick(&[33, 36, 40, 65, 100, 129, 200, 257]),
            1 => self.pick(&[13, 15, 16, 17, 20, 24]),
            2 => self.pick(&[32, 33, 36, 40, 48]),
            _ => depth.min(64),
        }
    }

    /// A layer that fits and leaves something to compute.
    fn layer(&mut self, x: Shape) -> Option<Layer> {
        let [height, width, depth] = x;
        let layer = match self.below(26) {
            0..7 => {
                let window = self.window(x, true);
                let groups = match self.one_in(4) {
                    true => self.between(2, 4),
                    false => 1,
                };
                Layer::Conv {
                    filters: self.filters(x).next_multiple_of(groups),
                    groups,
                    bias: !self.one_in(3),
                    window,
                }
            }
            7..9 => Layer::Depthwise {
                bias: !self.one_in(3),
                window: self.window(x, true),
            },
            9 => {
                let size = [self.between(1, 4), self.between(1, 4)];
                let stride = [self.between(1, 2), self.between(1, 2)];
                let dilation = match self.one_in(4) {
                    true => [self.between(1, 3), self.between(1, 2)],
                    false => [1; 2],
                };
                let groups = match self.one_in(3) {
                    true => self.between(2, 4),
                    false => 1,
                };
                let cut = size[0].min(size[1]) - 1;
                let pad = match self.one_in(3) {
                    true => Pad::Sides([0; 4].map(|_| self.between(0, cut / 2))),
                    false => Pad::All(self.between(0, cut / 2)),
                };
                Layer::ConvTranspose {
                    filters: self.between(1, 20).next_multiple_of(groups),
                    groups,
                    bias: !self.one_in(3),
                    more: self.pick(&[0, 0, 1, 1, 2]),
                    window: Window {
                        size,
                        stride,
                        dilation,
                        pad,
                        fit: Fit::Exact,
                    },
                }
            }
            10..12 => Layer::BatchNorm {
                eps: self.pick(&[1e-5, 1e-3, 1e-2]),
                momentum: self.pick(&[0.1, 0.1, 0.01, 1.0]),
                affine: !self.one_in(4),
            },
            12 => Layer::Lrn {
                size: self.between(1, 7),
                alpha: self.pick(&[1e-4, 0.1, 1.0]),
                beta: self.pick(&[0.75, 0.5, 1.0]),
                k: self.pick(&[1.0, 2.0]),
            },
            13..15 => Layer::MaxPool(self.window(x, true)),
            15 => Layer::AvgPool(self.window(x, true)),
            16 if height * width <= 64 => match self.one_in(2) {
                true => Layer::GlobalAvgPool,
                false => Layer::GlobalMaxPool,
            },
            17 if depth >= 16 || self.one_in(3) => Layer::Fc {
                filters: self.between(1, 40),
                bias: !self.one_in(4),
            },
            18 => match self.below(11) {
                0 => Layer::Relu6,
                1 => Layer::HardSwish,
                2 => Layer::Sigmoid,
                3 => Layer::HardSigmoid,
                4 => Layer::Silu,
                5 => Layer::Gelu,
                6 => Layer::GeluTanh,
                7 => Layer::Elu(self.pick(&[0.1, 1.0, 1.5])),
                8 => Layer::Softplus,
                9 => Layer::Clamp(self.pick(&[-1.0, -0.25, 0.0]), self.pick(&[0.5, 2.0])),
                _ => Layer::Tanh,
            },
            19 => Layer::LeakyRelu(self.pick(&[0.01, 0.1, 0.3])),
            20 | 22 if self.one_in(2) => match self.below(17) {
                7 => Layer::UpsampleAligned([self.between(1, 3), self.between(1, 2)]),
                8 => Layer::DepthToSpace([self.between(1, 2), self.between(1, 2)]),
                9 => Layer::SpaceToDepth([self.between(1, 2), self.between(1, 2)]),
                10 => Layer::Crop([0; 4].map(|_| self.between(0, 2))),
                11 => Layer::GroupNorm(self.pick(&[1, 2, 3, depth]), self.pick(&[1e-3, 1e-2])),
                12 => Layer::LayerNorm(self.pick(&[1e-3, 1e-2])),
                13 => Layer::Affine,
                14 => Layer::LogSoftmax,
                15 => Layer::LayerNormVolume(self.pick(&[1e-3, 1e-2])),
                16 => {
                    let mut list = |numbers: &[f64]| {
                        let count = self.pick(&[1, depth.min(16)]);
                        (0..count).map(|_| self.pick(numbers)).collect()
                    };
                    Layer::Normalize(list(&[0.0, -0.5, 0.485, 1.0]), list(&[0.229, 0.5, 2.0]))
                }
                0 => Layer::Upsample([self.between(1, 3), self.between(1, 2)]),
                1 => Layer::UpsampleBilinear([self.between(1, 3), self.between(1, 2)]),
                2 => Layer::Pad([0; 4].map(|_| self.between(0, 2))),
                3 => Layer::PadDepth(depth + self.between(0, 3)),
                4 => {
                    let from = self.below(depth);
                    Layer::Slices(self.between(1, depth - from), from)
                }
                5 => Layer::Prelu,
                _ => Layer::ChannelShuffle(self.between(1, 4)),
            },
            20 => Layer::Dropout(self.pick(&[0.0, 0.0, 0.3])),
            21 => match self.below(6) {
                0 => Layer::Softmax,
                1 => Layer::Flatten,
                2 | 3 => Layer::Scale,
                _ => Layer::Negate,
            },
            _ => Layer::Relu,
        };
        self.affordable(layer, x)
    }

    fn affordable(&mut self, layer: Layer, x: Shape) -> Option<Layer> {
        let y = layer.output(x)?;
        let work = layer.work(x, y);
        let size = |shape: Shape| shape.iter().product::<usize>();
        // A layer that only keeps what it reads can always be drawn.
        if work > self.work / 2 || size(y) > size(x).max(30_000) {
            return None;
        }
        self.work -= work;
        Some(layer)
    }

    /// A window that may fit.
    fn window(&mut self, [height, width, _]: Shape, gaps: bool) -> Window {
        let side = |draw: &mut Self| draw.pick(&[1, 1, 2, 3, 3, 3, 4, 5, 7]);
        let mut size = [side(self); 2];
        if self.one_in(5) {
            size[1] = side(self);
        }
        let mut stride = [self.pick(&[1, 1, 1, 2, 3]); 2];
        if self.one_in(8) {
            stride[0] = self.between(1, 2);
        }
        let mut dilation = [1; 2];
        if gaps && self.one_in(8) {
            dilation = [self.between(1, 3), self.between(1, 2)];
        }
        let covers = |axis: usize| dilation[axis] * (size[axis] - 1) + 1;
        let most = covers(0).min(covers(1)) - 1;
        let pad = match self.below(6) {
            0 | 1 if stride == [1, 1] => Pad::Same,
            0..3 => Pad::All(most / 2),
            3 => Pad::Pair(self.between(0, most), self.between(0, most)),
            4 => Pad::Sides([
                self.between(0, covers(0) - 1),
                self.between(0, covers(0) - 1),
                self.between(0, covers(1) - 1),
                self.between(0, covers(1) - 1),
            ]),
            _ => Pad::All(0),
        };
        let fit = self.pick(&[Fit::Exact, Fit::Crop, Fit::Crop, Fit::Pad]);
        let window = Window {
            size,
            stride,
            dilation,
            pad,
            fit: Fit::Exact,
        };
        // Written only where it is needed: elsewhere the same numbers are exact.
        match window.slide([height, width, 1]) {
            Some(_) => window,
            None => Window { fit, ..window },
        }
    }
}

fn nameless(item: Item) -> Item {
    match item {
        Item::Layer(_, layer) => Item::Layer(None, layer),
        other => other,
    }
}
