//! What would fit instead: each repair changes one thing, and fits on both axes.

use super::{Axis, Fit, Padding, Placed, Window};

/// The repairs of a layer that does not fit. Pairs are `[height, width]`, in ascending order.
///
/// | what changes | which are offered | within |
/// |---|---|---|
/// | input | the nearest below and above; of a rectangle the axis that fails | 1 … 2·max(W, F) |
/// | filter | the nearest below and above; a square one stays square | 1 (a pool: 2) … padded input |
/// | stride | the nearest below and above, or else the two nearest below | 1 … F: a larger one skips pixels |
/// | dilation | the nearest below and above, where one was written | 1 … padded input |
/// | `pad = P` | the nearest; of two the larger | 0 … F − 1: more would be zeros alone |
/// | `pad = (before, after)` | if there is no P: the nearest sum, split evenly | likewise |
/// | `pad = (top, bottom, left, right)` | if there is neither, likewise for each axis | likewise |
/// | `fit = crop` | for a remainder | |
/// | `fit = pad` | of a pool, where that adds a position | |
///
/// F is what the filter covers, its gaps included. Nothing is looked for farther away than [`REACH`](Self::REACH).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repairs {
    /// Sizes of the input.
    pub inputs: [Option<[usize; 2]>; 2],
    /// Sizes of the filter.
    pub filters: [Option<[usize; 2]>; 2],
    /// Strides.
    pub strides: [Option<[usize; 2]>; 2],
    /// Dilations.
    pub dilations: [Option<[usize; 2]>; 2],
    /// Another padding.
    pub padding: Option<Padding>,
    /// What `fit = crop` would do.
    pub crop: Option<[Placed; 2]>,
    /// What `fit = pad` would do.
    pub pad: Option<[Placed; 2]>,
}

impl Repairs {
    /// How far away from what was written a repair is looked for.
    pub const REACH: usize = 4096;

    /// The repairs of `window` on an input of `[height, width]`, which does not fit.
    ///
    /// ```
    /// use convnet_core::shape::{Padding, Repairs, Window};
    ///
    /// let repairs = Repairs::of(&Window::square(11, 4, 0), [224, 224], false);
    /// assert_eq!(repairs.inputs, [Some([223, 223]), Some([227, 227])]);
    /// assert_eq!(repairs.padding, Some(Padding::pair(1, 2)));
    /// ```
    #[must_use]
    pub const fn of(window: &Window, input: [usize; 2], pool: bool) -> Self {
        let [height, width] = input;
        let (Ok(rows), Ok(columns)) = (window.axis(0, height), window.axis(1, width)) else {
            return Self::of_same(window, input);
        };
        let case = Case {
            axes: [rows, columns],
            pool,
        };
        Self {
            inputs: case.nearest(Thing::Input),
            filters: case.nearest(Thing::Filter),
            strides: case.nearest(Thing::Stride),
            dilations: if rows.dilation == 1 && columns.dilation == 1 {
                [None; 2]
            } else {
                case.nearest(Thing::Dilation)
            },
            padding: case.padding(),
            crop: case.placed(Fit::Crop),
            pad: case.padded(),
        }
    }

    /// Where `pad = same` was written with a stride: 1, or the zeros with which the output is the
    /// input divided by the stride, rounded up (what TensorFlow calls `SAME`).
    const fn of_same(window: &Window, input: [usize; 2]) -> Self {
        let padding = sides(
            same_zeros(window, 0, input[0]),
            same_zeros(window, 1, input[1]),
        );
        let repaired = Window { padding, ..*window };
        Self {
            inputs: [None; 2],
            filters: [None; 2],
            strides: [Some([1, 1]), None],
            dilations: [None; 2],
            padding: if repaired.place(input).is_ok() {
                Some(padding)
            } else {
                None
            },
            crop: None,
            pad: None,
        }
    }
}

/// What one would change.
#[derive(Clone, Copy)]
enum Thing {
    Input,
    Filter,
    Stride,
    Dilation,
}

/// One declaration on one input.
#[derive(Clone, Copy)]
struct Case {
    axes: [Axis; 2],
    pool: bool,
}

impl Case {
    /// The nearest values below and above that fit.
    const fn nearest(&self, thing: Thing) -> [Option<[usize; 2]>; 2] {
        let below = self.next(thing, false);
        let above = self.next(thing, true);
        match (thing, below, above) {
            (Thing::Stride, Some(first), None) if first[0] == first[1] => {
                [self.with(thing, first).next(thing, false), below]
            }
            _ => [below, above],
        }
    }

    /// The next value below or above that fits: one number where one was written for both axes,
    /// else one for each axis that fails.
    const fn next(&self, thing: Thing, up: bool) -> Option<[usize; 2]> {
        let [rows, columns] = self.axes;
        let one = match thing {
            Thing::Input => rows.same_as(&columns),
            Thing::Filter => rows.filter == columns.filter,
            Thing::Stride => rows.stride == columns.stride,
            Thing::Dilation => rows.dilation == columns.dilation,
        };
        if one {
            return match self.scan(thing, [true, true], up) {
                Some(value) => Some([value; 2]),
                None => None,
            };
        }
        let mut values = [rows.get(thing), columns.get(thing)];
        let mut axis = 0;
        while axis < 2 {
            if !self.fits(&self.axes[axis]) {
                match self.scan(thing, [axis == 0, axis == 1], up) {
                    Some(value) => values[axis] = value,
                    None => return None,
                }
            }
            axis += 1;
        }
        Some(values)
    }

    /// The next value that fits on the chosen axes, which share one.
    const fn scan(&self, thing: Thing, chosen: [bool; 2], up: bool) -> Option<usize> {
        let [rows, columns] = self.axes;
        let mut value = if chosen[0] {
            rows.get(thing)
        } else {
            columns.get(thing)
        };
        let mut step = 0;
        while step < Repairs::REACH && (up || value > 1) {
            value = if up {
                value.saturating_add(1)
            } else {
                value - 1
            };
            if (!chosen[0] || self.suits(&rows, thing, value))
                && (!chosen[1] || self.suits(&columns, thing, value))
            {
                return Some(value);
            }
            step += 1;
        }
        None
    }

    /// Whether an axis fits with this value, and nobody would laugh at it.
    const fn suits(&self, axis: &Axis, thing: Thing, value: usize) -> bool {
        let sensible = match thing {
            Thing::Input => value <= 2 * most(axis.size, axis.covers()),
            Thing::Filter => value > self.pool as usize,
            Thing::Stride => value <= least(axis.covers(), axis.size),
            Thing::Dilation => axis.filter > 1,
        };
        sensible && self.fits(&axis.with(thing, value))
    }

    const fn fits(&self, axis: &Axis) -> bool {
        if self.pool {
            axis.place_pool().is_ok()
        } else {
            axis.place().is_ok()
        }
    }

    const fn with(&self, thing: Thing, [height, width]: [usize; 2]) -> Self {
        let [rows, columns] = self.axes;
        Self {
            axes: [rows.with(thing, height), columns.with(thing, width)],
            ..*self
        }
    }

    const fn padding(&self) -> Option<Padding> {
        let mut odd = 0;
        while odd < 2 {
            // 2P is even; (before, after) takes the odd sums.
            if let Some(zeros) = self.zeros([true, true], odd, 2) {
                return Some(sides(zeros, zeros));
            }
            odd += 1;
        }
        match (
            self.zeros([true, false], 0, 1),
            self.zeros([false, true], 0, 1),
        ) {
            (Some(rows), Some(columns)) => Some(sides(rows, columns)),
            _ => None,
        }
    }

    /// The sum of zeros before and after that fits on the chosen axes, nearest to what they have.
    const fn zeros(&self, chosen: [bool; 2], first: usize, step: usize) -> Option<usize> {
        let (mut best, mut least_far) = (None, usize::MAX);
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
            if good && far <= least_far {
                (best, least_far) = (Some(zeros), far);
            }
            zeros += step;
        }
        best
    }

    /// As Caffe's pools round: where the last position begins on the image, but ends beyond it.
    const fn padded(&self) -> Option<[Placed; 2]> {
        match self.placed(Fit::Pad) {
            Some([rows, columns])
                if self.pool
                    && rows.added + columns.added > 0
                    && rows.lost + rows.spared + columns.lost + columns.spared == 0 =>
            {
                Some([rows, columns])
            }
            _ => None,
        }
    }

    const fn placed(&self, fit: Fit) -> Option<[Placed; 2]> {
        let [rows, columns] = self.axes;
        let (rows, columns) = (Axis { fit, ..rows }, Axis { fit, ..columns });
        match (rows.place(), columns.place()) {
            (Ok(placed), Ok(other)) if self.fits(&rows) && self.fits(&columns) => {
                Some([placed, other])
            }
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
        match thing {
            Thing::Input => Self {
                size: value,
                ..*self
            },
            Thing::Filter => Self {
                filter: value,
                ..*self
            },
            Thing::Stride => Self {
                stride: value,
                ..*self
            },
            Thing::Dilation => Self {
                dilation: value,
                ..*self
            },
        }
    }
}

/// The zeros that make the output ⌈W/S⌉, where they can.
const fn same_zeros(window: &Window, axis: usize, size: usize) -> usize {
    let stride = most(window.stride[axis], 1);
    let last = size.saturating_sub(1) / stride * stride;
    let covers = super::covers(window.size[axis], window.dilation[axis]);
    last.saturating_add(covers).saturating_sub(size)
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

const fn least(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

const fn most(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}
