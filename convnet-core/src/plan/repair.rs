//! What would fit instead: each repair changes one thing, and fits on both axes; in a repetition,
//! each time.

use super::trial::Trial;
use super::{Failure, Op};
use crate::shape::{Axis, Fit, Padding, Placed, Window};

/// A layer and what it reads after one change, with which it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repair {
    /// Height and width of what it reads.
    pub input: [usize; 2],
    /// How it slides over that.
    pub window: Window,
}

impl Failure {
    /// What would fit, in the order in which the [message](Self::message) of this layer, `op`, offers it; nothing
    /// where no other window would help.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::graph::Op;
    /// use convnet::plan::place;
    /// use convnet::shape::Window;
    ///
    /// let op = Op::conv(96, Window::square(11, 4, 0));
    /// let failure = place([224, 224, 3], &[op]).unwrap_err();
    /// let inputs: Vec<_> = failure.repairs(&op).map(|repair| repair.input[1]).collect();
    /// assert_eq!(inputs[..3], [223, 227, 224]); // then another filter
    /// ```
    pub fn repairs(&self, op: &Op) -> impl Iterator<Item = Repair> + use<> {
        let [height, width, _] = self.input;
        let input = [height, width];
        let found = op.way(true).map(|(window, way)| {
            let repairs = Case::new(*op, window, way, input, None).repairs();
            let of = |input, window| Repair { input, window };
            let size = |size| of(input, Window { size, ..window });
            let stride = |stride| of(input, Window { stride, ..window });
            let dilation = |dilation| of(input, Window { dilation, ..window });
            let padding = |padding| of(input, Window { padding, ..window });
            let fit = |fit| of(input, Window { fit, ..window });
            let both = |(padding, _)| {
                let fit = Fit::Crop;
                of(
                    input,
                    Window {
                        padding,
                        fit,
                        ..window
                    },
                )
            };
            let [low, high] = repairs.inputs.map(|it| it.map(|input| of(input, window)));
            let [small, large] = repairs.filters.map(|it| it.map(size));
            let [short, long] = repairs.strides.map(|it| it.map(stride));
            let [dense, wide] = repairs.dilations.map(|it| it.map(dilation));
            let padded = repairs.padding.map(padding);
            let both = repairs.padding_and_crop.map(both);
            let crop = repairs.crop.map(|_| fit(Fit::Crop));
            let pad = repairs.pad.map(|_| fit(Fit::Pad));
            let all = [low, high, small, large, short, long, dense, wide, padded];
            (all, [both, crop, pad])
        });
        let found = found.into_iter();
        found.flat_map(|(first, last)| first.into_iter().chain(last).flatten())
    }
}

/// The repairs of a layer that does not fit. Pairs are `[height, width]`, in ascending order.
///
/// | what changes | which are offered | within |
/// |---|---|---|
/// | input | the nearest below and above; of a rectangle the axis that fails | 1 … 2·max(W, F) |
/// | image | the same, in a repetition | 1 … 2·W of the image |
/// | filter | the nearest below and above; a square one stays square; a stride that is not written follows it | 1 (a pool: 2) … padded input |
/// | stride | the nearest below and above, or else the two nearest below | 1 … F: a larger one skips pixels |
/// | dilation | the nearest below and above, where one was written | 1 … padded input |
/// | `pad = P` | the nearest; of two the larger | 0 … F − 1: more would be zeros alone |
/// | `pad = (before, after)` | if there is no P: the nearest sum, split evenly | likewise |
/// | `pad = (top, bottom, left, right)` | if there is neither, likewise for each axis | likewise |
/// | `fit = crop` | for a remainder | |
/// | `fit = pad` | of a pool, where that adds a position | |
///
/// F is what the filter covers, its gaps included. Nothing is looked for farther away than
/// [`REACH`](Self::REACH); in a repetition W is what the first of it reads, and at most
/// [`TRIALS`](Self::TRIALS) are made for each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Repairs {
    /// Sizes of the input; in a repetition none.
    pub(super) inputs: [Option<[usize; 2]>; 2],
    /// Sizes of the image, in a repetition.
    pub(super) images: [Option<[usize; 2]>; 2],
    /// Sizes of the filter.
    pub(super) filters: [Option<[usize; 2]>; 2],
    /// Strides.
    pub(super) strides: [Option<[usize; 2]>; 2],
    /// Dilations.
    pub(super) dilations: [Option<[usize; 2]>; 2],
    /// Another padding.
    pub(super) padding: Option<Padding>,
    /// The padding that is half of one, the other half being `fit = crop`; and what that drops.
    pub(super) padding_and_crop: Option<(Padding, [Placed; 2])>,
    /// What `fit = crop` would do.
    pub(super) crop: Option<[Placed; 2]>,
    /// What `fit = pad` would do.
    pub(super) pad: Option<[Placed; 2]>,
}

impl Repairs {
    /// How far away from what was written a repair is looked for.
    pub(super) const REACH: usize = 4096;

    /// How often the layers are planned anew to find one number.
    pub(super) const TRIALS: usize = 64;

    /// Whether there are none.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(
            self,
            Self {
                inputs: [None, None],
                images: [None, None],
                filters: [None, None],
                strides: [None, None],
                dilations: [None, None],
                padding: None,
                padding_and_crop: None,
                crop: None,
                pad: None,
            }
        )
    }
}

/// How a layer's positions are counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// Filters.
    Slides,
    /// A pool; with a stride of its own, or that of its size.
    Pools { stride: bool },
    /// A conv's way back.
    Stamps,
}

/// What one would change.
#[derive(Clone, Copy)]
enum Thing {
    Input,
    Filter,
    Stride,
    Dilation,
}

/// A layer that does not fit, and on what.
pub(super) struct Case<'t, 'a> {
    op: Op,
    window: Window,
    way: Way,
    /// On what it does not fit.
    here: [usize; 2],
    /// In a repetition, the other layers that it stands for.
    trial: Option<&'t mut Trial<'a>>,
    /// On what it is looked for repairs: in a repetition, what the first of it reads.
    axes: [Axis; 2],
}

impl<'t, 'a> Case<'t, 'a> {
    /// Layer `op`, whose window is `window`, on an input of `[height, width]`, which it does not fit.
    pub(super) const fn new(
        op: Op,
        window: Window,
        way: Way,
        here: [usize; 2],
        trial: Option<&'t mut Trial<'a>>,
    ) -> Self {
        let [height, width] = match &trial {
            Some(trial) => {
                let [height, width, _] = trial.first_input();
                [height, width]
            }
            None => here,
        };
        let axes = [axis(&window, 0, height), axis(&window, 1, width)];
        Self {
            op,
            window,
            way,
            here,
            trial,
            axes,
        }
    }

    /// What would fit.
    pub(super) const fn repairs(&mut self) -> Repairs {
        if self.window.axis(0, 1).is_err() || self.window.axis(1, 1).is_err() {
            return self.repairs_of_same();
        }
        let repeated = self.trial.is_some();
        let stamps = matches!(self.way, Way::Stamps);
        let [rows, columns] = self.axes;
        Repairs {
            inputs: if repeated || stamps {
                [None; 2]
            } else {
                self.nearest(Thing::Input)
            },
            images: self.images(),
            filters: if stamps {
                [None; 2]
            } else {
                self.nearest(Thing::Filter)
            },
            strides: if stamps {
                [None; 2]
            } else {
                self.nearest(Thing::Stride)
            },
            dilations: if rows.dilation == 1 && columns.dilation == 1 {
                [None; 2]
            } else {
                self.nearest(Thing::Dilation)
            },
            padding: self.padding(),
            padding_and_crop: None,
            crop: if stamps { None } else { self.placed(Fit::Crop) },
            pad: self.padded(),
        }
    }

    /// The padding that was meant if its two numbers are rows and columns, as PyTorch reads them,
    /// of a filter that is no square; if it fits, or what `fit = crop`, which is PyTorch's, then drops.
    pub(super) const fn rows_and_columns(&mut self) -> Option<(Padding, Option<[Placed; 2]>)> {
        let Padding::Zeros {
            top,
            bottom,
            left,
            right,
        } = self.window.padding
        else {
            return None;
        };
        let [rows, columns] = self.axes;
        if top == bottom || top != left || bottom != right || rows.filter == columns.filter {
            return None;
        }
        let padding = Padding::Zeros {
            top,
            bottom: top,
            left: bottom,
            right: bottom,
        };
        if self.holds_padded(padding) {
            return Some((padding, None));
        }
        let written = self.window;
        self.window.padding = padding;
        let placed = self.placed(Fit::Crop);
        self.window = written;
        match placed {
            Some(placed) => Some((padding, Some(placed))),
            None => None,
        }
    }

    /// Whether `pad = same` is this padding, and fits.
    pub(super) const fn keeps_size(&mut self, padding: Padding) -> bool {
        let same = Window {
            padding: Padding::Same,
            ..self.window
        };
        match (
            same.axis(0, self.here[0]),
            same.axis(1, self.here[1]),
            padding,
        ) {
            (
                Ok(rows),
                Ok(columns),
                Padding::Zeros {
                    top,
                    bottom,
                    left,
                    right,
                },
            ) => {
                let equal = rows.before == top && rows.after == bottom;
                equal && columns.before == left && columns.after == right && self.holds(same)
            }
            _ => false,
        }
    }

    /// Where `pad = same` was written with a stride: 1, or the zeros with which the output is the
    /// input divided by the stride, rounded up (what TensorFlow calls `SAME`); of a conv's way back,
    /// multiplied by it.
    const fn repairs_of_same(&mut self) -> Repairs {
        let mut repairs = Repairs {
            inputs: [None; 2],
            images: [None; 2],
            filters: [None; 2],
            strides: [None; 2],
            dilations: [None; 2],
            padding: None,
            padding_and_crop: None,
            crop: None,
            pad: None,
        };
        if self.holds(Window {
            stride: [1, 1],
            ..self.window
        }) {
            repairs.strides = [Some([1, 1]), None];
        }
        let stamps = matches!(self.way, Way::Stamps);
        let [rows, columns] = self.axes;
        let padding = match (same_zeros(&rows, stamps), same_zeros(&columns, stamps)) {
            (Some(rows), Some(columns)) => sides(rows, columns),
            _ => return repairs,
        };
        self.pad_with(padding);
        repairs.padding = match self.holds_padded(padding) {
            true => Some(padding),
            false => self.padding(),
        };
        if repairs.padding.is_none() && !stamps {
            repairs.padding_and_crop = match self.placed(Fit::Crop) {
                Some(placed) => Some((padding, placed)),
                None => None,
            };
        }
        repairs
    }

    /// From here on it has this padding.
    const fn pad_with(&mut self, padding: Padding) {
        self.window.padding = padding;
        let [rows, columns] = self.axes;
        self.axes = [
            axis(&self.window, 0, rows.size),
            axis(&self.window, 1, columns.size),
        ];
    }

    /// The nearest values below and above that fit.
    const fn nearest(&mut self, thing: Thing) -> [Option<[usize; 2]>; 2] {
        let written = [self.axes[0].get(thing), self.axes[1].get(thing)];
        let below = self.next(thing, written, false);
        let above = self.next(thing, written, true);
        match (thing, below, above) {
            (Thing::Stride, Some(first), None) if first[0] == first[1] => {
                [self.next(thing, first, false), below]
            }
            _ => [below, above],
        }
    }

    /// The next value below or above that fits: one number where one was written for both axes,
    /// else one for each axis that fails.
    const fn next(&mut self, thing: Thing, from: [usize; 2], up: bool) -> Option<[usize; 2]> {
        let [rows, columns] = self.axes;
        let one = match thing {
            Thing::Input => rows.same_as(&columns),
            Thing::Filter => rows.filter == columns.filter,
            Thing::Stride => rows.stride == columns.stride,
            Thing::Dilation => rows.dilation == columns.dilation,
        };
        if one {
            return self.scan(thing, [true, true], from, up, true);
        }
        match [self.fails(0), self.fails(1)] {
            // The other axis does not fit yet.
            [true, true] => match self.scan(thing, [true, false], from, up, false) {
                Some(values) => self.scan(thing, [false, true], values, up, true),
                None => None,
            },
            chosen => self.scan(thing, chosen, from, up, true),
        }
    }

    /// The next value that fits on the chosen axes, which share one, and each time if `tried`.
    const fn scan(
        &mut self,
        thing: Thing,
        chosen: [bool; 2],
        from: [usize; 2],
        up: bool,
        tried: bool,
    ) -> Option<[usize; 2]> {
        let mut value = if chosen[0] { from[0] } else { from[1] };
        let (mut step, mut trials) = (0, 0);
        while step < Repairs::REACH && trials < Repairs::TRIALS && (up || value > 1) {
            value = if up {
                value.saturating_add(1)
            } else {
                value - 1
            };
            let values = [
                if chosen[0] { value } else { from[0] },
                if chosen[1] { value } else { from[1] },
            ];
            let [rows, columns] = self.with(thing, values);
            if (!chosen[0] || self.suits(0, thing, &rows))
                && (!chosen[1] || self.suits(1, thing, &columns))
            {
                if !tried || matches!(thing, Thing::Input) {
                    return Some(values);
                }
                if self.holds(self.window_of([rows, columns])) {
                    return Some(values);
                }
                trials += 1;
            }
            step += 1;
        }
        None
    }

    /// Whether an axis with another value fits, and nobody would laugh at it.
    const fn suits(&self, at: usize, thing: Thing, axis: &Axis) -> bool {
        let written = &self.axes[at];
        let value = axis.get(thing);
        let sensible = match thing {
            Thing::Input => value <= 2 * most(written.size, written.covers()),
            Thing::Filter => value > matches!(self.way, Way::Pools { .. }) as usize,
            Thing::Stride => value <= least(written.covers(), written.size),
            Thing::Dilation => written.filter > 1,
        };
        sensible && self.fits(axis)
    }

    const fn fits(&self, axis: &Axis) -> bool {
        match self.way {
            Way::Slides => axis.place().is_ok(),
            Way::Pools { .. } => axis.place_pool().is_ok(),
            Way::Stamps => axis.place_transposed(0).is_ok(),
        }
    }

    /// Whether it is this axis that does not fit.
    const fn fails(&self, at: usize) -> bool {
        !self.fits(&axis(&self.window, at, self.here[at]))
    }

    /// The axes with another value each.
    const fn with(&self, thing: Thing, [height, width]: [usize; 2]) -> [Axis; 2] {
        let [rows, columns] = self.axes;
        let (mut rows, mut columns) = (rows.with(thing, height), columns.with(thing, width));
        if let (Way::Pools { stride: false }, Thing::Filter) = (self.way, thing) {
            (rows.stride, columns.stride) = (height, width);
        }
        [rows, columns]
    }

    const fn window_of(&self, [rows, columns]: [Axis; 2]) -> Window {
        Window {
            size: [rows.filter, columns.filter],
            dilation: [rows.dilation, columns.dilation],
            stride: [rows.stride, columns.stride],
            padding: Padding::Zeros {
                top: rows.before,
                bottom: rows.after,
                left: columns.before,
                right: columns.after,
            },
            fit: rows.fit,
        }
    }

    /// Whether the layer fits with another window wherever it stands, and what is between.
    const fn holds(&mut self, window: Window) -> bool {
        match &mut self.trial {
            Some(trial) => trial.holds(self.op.with_window(window)),
            None => {
                let [rows, columns] = self.here;
                match (window.axis(0, rows), window.axis(1, columns)) {
                    (Ok(rows), Ok(columns)) => self.fits(&rows) && self.fits(&columns),
                    _ => false,
                }
            }
        }
    }

    const fn holds_padded(&mut self, padding: Padding) -> bool {
        self.holds(Window {
            padding,
            ..self.window
        })
    }

    /// The nearest images below and above on which it fits each time.
    const fn images(&mut self) -> [Option<[usize; 2]>; 2] {
        [self.image(false), self.image(true)]
    }

    const fn image(&mut self, up: bool) -> Option<[usize; 2]> {
        let fails = [self.fails(0), self.fails(1)];
        let Some(trial) = &mut self.trial else {
            return None;
        };
        let [height, width, depth] = trial.image();
        let chosen = if height == width { [true, true] } else { fails };
        let mut by = 1;
        while by <= Repairs::TRIALS {
            let mut sides = [height, width];
            let mut at = 0;
            while at < 2 {
                if chosen[at] {
                    sides[at] = match up {
                        true if by <= sides[at] => sides[at] + by,
                        false if by < sides[at] => sides[at] - by,
                        _ => return None,
                    };
                }
                at += 1;
            }
            if trial.holds_on([sides[0], sides[1], depth]) {
                return Some(sides);
            }
            by += 1;
        }
        None
    }

    const fn padding(&mut self) -> Option<Padding> {
        let mut odd = 0;
        while odd < 2 {
            // 2P is even; (before, after) takes the odd sums.
            let mut last = None;
            let mut trials = 0;
            while trials < Repairs::TRIALS
                && let Some((far, zeros)) = self.zeros([true, true], odd, 2, last)
            {
                if self.holds_padded(sides(zeros, zeros)) {
                    return Some(sides(zeros, zeros));
                }
                last = Some((far, zeros));
                trials += 1;
            }
            odd += 1;
        }
        match (
            self.zeros([true, false], 0, 1, None),
            self.zeros([false, true], 0, 1, None),
        ) {
            (Some((_, rows)), Some((_, columns))) if self.holds_padded(sides(rows, columns)) => {
                Some(sides(rows, columns))
            }
            _ => None,
        }
    }

    /// The sum of zeros before and after that fits on the chosen axes, nearest to what they have, of
    /// two the larger; with how far away it is. The next one after `last`.
    const fn zeros(
        &self,
        chosen: [bool; 2],
        first: usize,
        step: usize,
        last: Option<(usize, usize)>,
    ) -> Option<(usize, usize)> {
        let mut best = None;
        // As many as a filter before and after is too many.
        let widest = most(self.axes[0].covers(), self.axes[1].covers());
        let mut zeros = first;
        while zeros < 2 * least(widest, Repairs::REACH) {
            let (mut far, mut good, mut axis) = (0, true, 0);
            while axis < 2 {
                if chosen[axis] {
                    let it = &self.axes[axis];
                    let (before, after) = (zeros / 2, zeros - zeros / 2);
                    far = usize::saturating_add(
                        far,
                        zeros.abs_diff(it.before.saturating_add(it.after)),
                    );
                    good = good
                        && after < it.covers()
                        && self.fits(&Axis {
                            before,
                            after,
                            ..*it
                        });
                }
                axis += 1;
            }
            let is_next = match last {
                Some(last) => nearer(last, (far, zeros)),
                None => true,
            };
            let is_better = match best {
                Some(best) => nearer((far, zeros), best),
                None => true,
            };
            if good && is_next && is_better {
                best = Some((far, zeros));
            }
            zeros += step;
        }
        best
    }

    /// As Caffe's pools round: where the last position begins on the image, but ends beyond it.
    const fn padded(&mut self) -> Option<[Placed; 2]> {
        match self.placed(Fit::Pad) {
            Some([rows, columns])
                if matches!(self.way, Way::Pools { .. })
                    && rows.added + columns.added > 0
                    && rows.lost + rows.spared + columns.lost + columns.spared == 0 =>
            {
                Some([rows, columns])
            }
            _ => None,
        }
    }

    /// What that would do to the layer that fails; those before it fit as they are.
    const fn placed(&mut self, fit: Fit) -> Option<[Placed; 2]> {
        let window = Window { fit, ..self.window };
        let [height, width] = self.here;
        let (rows, columns) = (axis(&window, 0, height), axis(&window, 1, width));
        match (rows.place(), columns.place()) {
            (Ok(placed), Ok(other)) if self.holds(window) => Some([placed, other]),
            _ => None,
        }
    }
}

impl Axis {
    const fn get(&self, thing: Thing) -> usize {
        match thing {
            Thing::Input => self.size,
            Thing::Filter => self.filter,
            Thing::Stride => self.stride,
            Thing::Dilation => self.dilation,
        }
    }

    const fn with(&self, thing: Thing, value: usize) -> Self {
        let mut axis = *self;
        match thing {
            Thing::Input => axis.size = value,
            Thing::Filter => axis.filter = value,
            Thing::Stride => axis.stride = value,
            Thing::Dilation => axis.dilation = value,
        }
        axis
    }
}

/// The height or width of sliding; where `pad = same` has no meaning, without padding.
const fn axis(window: &Window, at: usize, size: usize) -> Axis {
    match window.axis(at, size) {
        Ok(axis) => axis,
        Err(_) => Axis {
            size,
            filter: window.size[at],
            dilation: window.dilation[at],
            stride: window.stride[at],
            before: 0,
            after: 0,
            fit: window.fit,
        },
    }
}

/// The zeros that make the output ⌈W/S⌉, where they can; or S·W of what stamps.
const fn same_zeros(axis: &Axis, stamps: bool) -> Option<usize> {
    let (stride, covers) = (most(axis.stride, 1), axis.covers());
    if stamps {
        return covers.checked_sub(stride);
    }
    let last = axis.size.saturating_sub(1) / stride * stride;
    Some(last.saturating_add(covers).saturating_sub(axis.size))
}

/// Zeros split evenly, the odd one after.
const fn sides(rows: usize, columns: usize) -> Padding {
    Padding::Zeros {
        top: rows / 2,
        bottom: rows - rows / 2,
        left: columns / 2,
        right: columns - columns / 2,
    }
}

/// Of two sums that are so far away, whether the first comes before the second.
const fn nearer((far, zeros): (usize, usize), (other, sum): (usize, usize)) -> bool {
    far < other || far == other && zeros > sum
}

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

const fn most(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
