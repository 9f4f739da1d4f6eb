//! What a network is, in words of its own: nothing here knows the library that is tested.

/// Height, width, depth.
pub(crate) type Shape = [usize; 3];

/// `struct Net { input(…), … }`.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub input: Shape,
    pub items: Vec<Item>,
    /// Groups of conv, relu and pool a few rows at a time.
    pub row_by_row: bool,
    /// No Winograd in training.
    pub direct_training: bool,
    /// Whether numbers of filters are written as names of constants.
    pub named: bool,
}

/// A line of a declaration.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// With a name of its own, or counted.
    Layer(Option<String>, Layer),
    /// `[ … ] * n`.
    Repeat(Vec<Item>, usize),
    /// `name: [ … ]`.
    Named(String, Vec<Item>),
    /// With the layers of its shortcut, if there is one.
    Residual(Vec<Item>, Option<Vec<Item>>),
    Concat(Vec<Vec<Item>>),
    /// The input times what these layers make of it.
    Product(Vec<Item>),
    /// What each branch writes is an output; the volume goes on.
    Outputs(Vec<(String, Vec<Item>)>),
    /// A network declared elsewhere.
    Inside(Box<Network>),
}

#[derive(Clone, Debug)]
#[expect(clippy::enum_variant_names, reason = "layer norm is what it is called")]
pub(crate) enum Layer {
    Conv {
        filters: usize,
        groups: usize,
        bias: bool,
        window: Window,
    },
    Depthwise {
        bias: bool,
        window: Window,
    },
    ConvTranspose {
        filters: usize,
        groups: usize,
        bias: bool,
        /// Rows and columns more.
        more: usize,
        window: Window,
    },
    BatchNorm {
        eps: f64,
        momentum: f64,
        affine: bool,
    },
    Lrn {
        size: usize,
        alpha: f64,
        beta: f64,
        k: f64,
    },
    MaxPool(Window),
    AvgPool(Window),
    GlobalAvgPool,
    GlobalMaxPool,
    Fc {
        filters: usize,
        bias: bool,
    },
    /// How many times as high and wide.
    Upsample([usize; 2]),
    ChannelShuffle(usize),
    UpsampleBilinear([usize; 2]),
    UpsampleAligned([usize; 2]),
    DepthToSpace([usize; 2]),
    SpaceToDepth([usize; 2]),
    /// Top, bottom, left, right.
    Pad([usize; 4]),
    /// The same.
    Crop([usize; 4]),
    /// Groups and ε.
    GroupNorm(usize, f64),
    LayerNorm(f64),
    LayerNormVolume(f64),
    Affine,
    /// Means and deviations: one, or one for each depth slice.
    Normalize(Vec<f64>, Vec<f64>),
    LogSoftmax,
    PadDepth(usize),
    /// How many, and how many in front of them are left out.
    Slices(usize, usize),
    Prelu,
    Relu,
    Relu6,
    LeakyRelu(f64),
    Sigmoid,
    Tanh,
    HardSwish,
    HardSigmoid,
    Silu,
    Gelu,
    GeluTanh,
    Elu(f64),
    Softplus,
    Clamp(f64, f64),
    Softmax,
    Dropout(f64),
    Flatten,
    /// A layer written by hand: a factor for each depth slice, learned.
    Scale,
    /// A layer written by hand, without parameters: the sign turned.
    Negate,
}

/// How a filter slides; rows, columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub dilation: [usize; 2],
    pub pad: Pad,
    pub fit: Fit,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Pad {
    All(usize),
    Same,
    /// Above and left, below and right.
    Pair(usize, usize),
    /// Top, bottom, left, right.
    Sides([usize; 4]),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fit {
    Exact,
    Crop,
    Pad,
}

impl Window {
    pub(crate) fn covers(&self, axis: usize) -> usize {
        self.dilation[axis] * (self.size[axis] - 1) + 1
    }

    /// Zeros before and after along an axis.
    pub(crate) fn zeros(&self, axis: usize) -> [usize; 2] {
        let gap = self.covers(axis) - 1;
        match self.pad {
            Pad::All(zeros) => [zeros; 2],
            Pad::Same => [gap / 2, gap - gap / 2],
            Pad::Pair(before, after) => [before, after],
            Pad::Sides(sides) => [sides[2 * axis], sides[2 * axis + 1]],
        }
    }

    /// How many positions there are along an axis of `size` pixels, if that is a whole number.
    fn positions(&self, axis: usize, size: usize) -> Option<usize> {
        let [before, after] = self.zeros(axis);
        let stride = self.stride[axis];
        let way = (before + size + after).checked_sub(self.covers(axis))?;
        match self.fit {
            Fit::Exact => way.is_multiple_of(stride).then_some(way / stride + 1),
            Fit::Crop => Some(way / stride + 1),
            Fit::Pad => {
                let last = way.div_ceil(stride);
                // One that begins behind the image would see nothing.
                let seen = last * stride < before + size || way.is_multiple_of(stride);
                Some(last + usize::from(seen))
            }
        }
    }

    /// The map that is written.
    pub(crate) fn slide(&self, [height, width, _]: Shape) -> Option<[usize; 2]> {
        Some([self.positions(0, height)?, self.positions(1, width)?])
    }
}

impl Layer {
    /// What it writes; `None` if it does not fit.
    pub(crate) fn output(&self, x: Shape) -> Option<Shape> {
        let [height, width, depth] = x;
        let with = |depth: usize| move |[h, w]: [usize; 2]| [h, w, depth];
        match self {
            Self::Conv {
                filters,
                groups,
                window,
                ..
            } => {
                let divides = depth.is_multiple_of(*groups) && filters.is_multiple_of(*groups);
                let map = divides.then(|| window.slide(x))?;
                map.map(with(*filters))
            }
            Self::Depthwise { window, .. } | Self::MaxPool(window) | Self::AvgPool(window) => {
                window.slide(x).map(with(depth))
            }
            Self::ConvTranspose {
                filters,
                groups,
                more,
                window,
                ..
            } => {
                let axis = |axis: usize, size: usize| {
                    let [before, after] = window.zeros(axis);
                    let stamped = window.stride[axis] * (size - 1) + window.covers(axis);
                    // Behind the last stamp is less than another one would need.
                    let beyond = more.saturating_sub(after);
                    let sensible = beyond < window.stride[axis].max(window.dilation[axis]);
                    let kept = (stamped + more.min(&after)).checked_sub(before + after);
                    let kept = kept.filter(|&size| size > 0 && sensible);
                    kept.map(|size| size + beyond)
                };
                let divides = depth.is_multiple_of(*groups) && filters.is_multiple_of(*groups);
                let map = divides.then(|| Some([axis(0, height)?, axis(1, width)?]))?;
                map.map(with(*filters))
            }
            Self::Upsample([down, across])
            | Self::UpsampleBilinear([down, across])
            | Self::UpsampleAligned([down, across]) => Some([down * height, across * width, depth]),
            Self::Crop([top, bottom, left, right]) => {
                let height = height.checked_sub(top + bottom).filter(|&it| it > 0);
                let width = width.checked_sub(left + right).filter(|&it| it > 0);
                Some([height?, width?, depth])
            }
            Self::DepthToSpace([down, across]) => depth.is_multiple_of(down * across).then_some([
                down * height,
                across * width,
                depth / (down * across),
            ]),
            Self::SpaceToDepth([down, across]) => (height.is_multiple_of(*down)
                && width.is_multiple_of(*across))
            .then_some([height / down, width / across, depth * down * across]),
            Self::GroupNorm(groups, _) => depth.is_multiple_of(*groups).then_some(x),
            Self::Pad([top, bottom, left, right]) => {
                Some([top + height + bottom, left + width + right, depth])
            }
            Self::PadDepth(filters) => (*filters >= depth).then_some([height, width, *filters]),
            Self::Slices(filters, from) => {
                (from + filters <= depth).then_some([height, width, *filters])
            }
            Self::ChannelShuffle(groups) => depth.is_multiple_of(*groups).then_some(x),
            Self::GlobalAvgPool | Self::GlobalMaxPool => Some([1, 1, depth]),
            Self::Fc { filters, .. } => Some([1, 1, *filters]),
            Self::Normalize(mean, std) => {
                let fits = |list: &[f64]| list.len() == 1 || list.len() == depth;
                (fits(mean) && fits(std)).then_some(x)
            }
            _ => Some(x),
        }
    }

    /// Multiply-adds of what has filters.
    pub(crate) fn work(&self, x: Shape, y: Shape) -> usize {
        let size = |shape: Shape| shape.iter().product::<usize>();
        match self {
            Self::Conv { groups, window, .. } => {
                size(y) * window.size[0] * window.size[1] * x[2] / groups
            }
            Self::ConvTranspose {
                window,
                filters,
                groups,
                ..
            } => size(x) * window.size[0] * window.size[1] * filters / groups,
            Self::Depthwise { window, .. } => size(y) * window.size[0] * window.size[1],
            Self::Fc { filters, .. } => size(x) * filters,
            _ => 0,
        }
    }

    /// Whether training draws lots.
    pub(crate) fn drops(&self) -> bool {
        matches!(self, Self::Dropout(rate) if *rate > 0.0)
    }
}

/// What `items` make of `x`; `None` if one does not fit.
pub(crate) fn output(items: &[Item], x: Shape) -> Option<Shape> {
    items.iter().try_fold(x, |x, item| item.output(x))
}

impl Item {
    pub(crate) fn output(&self, x: Shape) -> Option<Shape> {
        match self {
            Self::Layer(_, layer) => layer.output(x),
            Self::Repeat(items, times) => {
                let says_its_volume = |layer: &Layer| matches!(layer, Layer::Scale | Layer::Negate);
                // It would say that of the first pass.
                if output(items, x)? != x && any(items, &says_its_volume) {
                    return None;
                }
                (0..*times).try_fold(x, |x, _| output(items, x))
            }
            Self::Named(_, items) => output(items, x),
            Self::Residual(items, shortcut) => {
                let y = output(items, x)?;
                let other = output(shortcut.as_deref().unwrap_or(&[]), x)?;
                (y == other).then_some(y)
            }
            Self::Product(items) => {
                let gate = output(items, x)?;
                (gate == x || gate == [1, 1, x[2]]).then_some(x)
            }
            Self::Concat(branches) => {
                let mut written = branches.iter().map(|branch| output(branch, x));
                let [h, w, mut depth] = written.next()??;
                for branch in written {
                    let [height, width, more] = branch?;
                    if [height, width] != [h, w] {
                        return None;
                    }
                    depth += more;
                }
                Some([h, w, depth])
            }
            Self::Outputs(branches) => {
                let fit = |(_, items): &(String, Vec<Self>)| output(items, x).is_some();
                branches.iter().all(fit).then_some(x)
            }
            Self::Inside(network) => (network.input == x).then(|| network.output()),
        }
    }
}

impl Network {
    pub(crate) fn output(&self) -> Shape {
        let mut numbers = 0;
        given(&self.items, self.input, &mut numbers);
        match numbers {
            0 => output(&self.items, self.input).expect("drawn to fit"),
            // One behind the other.
            _ => [1, 1, numbers],
        }
    }

    /// Whether any layer of it, or of what is inside, is such a one.
    pub(crate) fn any(&self, such: &dyn Fn(&Layer) -> bool) -> bool {
        any(&self.items, such)
    }
}

/// How many numbers the outputs in `items` have.
fn given(items: &[Item], mut x: Shape, numbers: &mut usize) {
    for item in items {
        match item {
            Item::Layer(..) | Item::Inside(_) => {}
            Item::Repeat(items, times) => {
                for pass in 0..*times {
                    let x = (0..pass).fold(x, |x, _| output(items, x).expect("drawn to fit"));
                    given(items, x, numbers);
                }
            }
            Item::Named(_, items) | Item::Product(items) => given(items, x, numbers),
            Item::Residual(items, shortcut) => {
                given(items, x, numbers);
                given(shortcut.as_deref().unwrap_or(&[]), x, numbers);
            }
            Item::Concat(branches) => branches.iter().for_each(|it| given(it, x, numbers)),
            Item::Outputs(branches) => {
                for (_, items) in branches {
                    given(items, x, numbers);
                    let written = output(items, x).expect("drawn to fit");
                    *numbers += written.iter().product::<usize>();
                }
            }
        }
        x = item.output(x).expect("drawn to fit");
    }
}

fn any(items: &[Item], such: &dyn Fn(&Layer) -> bool) -> bool {
    items.iter().any(|item| match item {
        Item::Layer(_, layer) => such(layer),
        Item::Repeat(items, _) | Item::Named(_, items) => any(items, such),
        Item::Residual(items, shortcut) => {
            any(items, such) || shortcut.as_ref().is_some_and(|items| any(items, such))
        }
        Item::Product(items) => any(items, such),
        Item::Concat(branches) => branches.iter().any(|items| any(items, such)),
        Item::Outputs(branches) => branches.iter().any(|(_, items)| any(items, such)),
        Item::Inside(network) => network.any(such),
    })
}
