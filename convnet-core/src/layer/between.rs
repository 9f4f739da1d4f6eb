//! Pixels between pixels: what `upsample_bilinear` and `upsample_aligned` share.

use crate::Real;

/// Where an output lies along one axis: behind which input, which one is next, and how far it is on the way there.
#[derive(Clone, Copy)]
pub(super) struct Between<T> {
    pub(super) at: [usize; 2],
    pub(super) part: T,
}

impl<T: Real> Between<T> {
    /// `over/under` pixels behind the first of `size`; the last one has no next.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2⁵³")]
    fn new(over: usize, under: usize, size: usize) -> Self {
        // It is 1 or more: what the compiler need not see to leave no panic.
        let under = under.max(1);
        let (at, rest) = (over / under, over % under);
        if at + 1 >= size {
            return Self {
                at: [size - 1; 2],
                part: T::ZERO,
            };
        }
        Self {
            at: [at, at + 1],
            part: T::of(rest as f64 / under as f64),
        }
    }

    /// Pixels are squares, and their centres are at halves: `(o + 1/2)/f − 1/2`, not below the first.
    pub(super) fn centres(o: usize, size: usize, f: usize) -> Self {
        Self::new((2 * o + 1).saturating_sub(f), 2 * f, size)
    }

    /// Pixels are points, and the outermost lie on each other: `o·(size − 1)/(f·size − 1)`.
    pub(super) fn corners(o: usize, size: usize, f: usize) -> Self {
        Self::new(o * (size - 1), f * size - 1, size)
    }

    /// The inputs, which are all there: `None` is never.
    pub(super) fn of<P>(self, line: &[P]) -> Option<[&P; 2]> {
        let [first, next] = self.at;
        Some([line.get(first)?, line.get(next)?])
    }

    /// Which inputs, and how much of each.
    pub(super) fn shares(self) -> [(usize, T); 2] {
        [(self.at[0], T::ONE - self.part), (self.at[1], self.part)]
    }
}

/// The layer of a type with `FH` and `FW`, whose outputs lie where `$place` says.
macro_rules! between {
    ($name:ident, $place:ident) => {
        impl<const FH: usize, const FW: usize> $name<FH, FW> {
            /// The layer; it has no parameters.
            #[must_use]
            pub const fn new() -> Self {
                Self
            }

            /// As [`backward`](super::Layer::backward): every output gives to the four pixels around it what it has
            /// of them.
            pub fn backward_input<
                T: crate::Real,
                const H: usize,
                const W: usize,
                const D: usize,
                const HO: usize,
                const WO: usize,
            >(
                &self,
                dx: &mut crate::Volume<T, H, W, D>,
                dy: &crate::Volume<T, HO, WO, D>,
            ) {
                const { assert!(HO == FH * H && WO == FW * W, "F times as wide and high") };
                dx.as_mut_slice().fill(T::ZERO);
                for (row, dy) in dy.iter().enumerate() {
                    let rows = super::between::Between::<T>::$place(row, H, FH).shares();
                    for (column, dy) in dy.iter().enumerate() {
                        let columns = super::between::Between::<T>::$place(column, W, FW).shares();
                        for (row, down) in rows {
                            for (column, across) in columns {
                                let dx = dx.get_mut(row).and_then(|row| row.get_mut(column));
                                let share = down * across;
                                for (dx, &dy) in dx.into_iter().flatten().zip(dy) {
                                    *dx += share * dy;
                                }
                            }
                        }
                    }
                }
            }
        }

        impl<
            T: crate::Real,
            const H: usize,
            const W: usize,
            const D: usize,
            const HO: usize,
            const WO: usize,
            const FH: usize,
            const FW: usize,
        > super::Layer<crate::Volume<T, H, W, D>, crate::Volume<T, HO, WO, D>> for $name<FH, FW>
        {
            fn forward(&self, x: &crate::Volume<T, H, W, D>, y: &mut crate::Volume<T, HO, WO, D>) {
                const { assert!(HO == FH * H && WO == FW * W, "F times as wide and high") };
                for (row, y) in y.iter_mut().enumerate() {
                    let rows = super::between::Between::<T>::$place(row, H, FH);
                    let Some([above, below]) = rows.of(&**x) else {
                        return;
                    };
                    for (column, y) in y.iter_mut().enumerate() {
                        let columns = super::between::Between::<T>::$place(column, W, FW);
                        let (Some([a, b]), Some([c, e])) = (columns.of(above), columns.of(below))
                        else {
                            return;
                        };
                        for ((((y, &a), &b), &c), &e) in y.iter_mut().zip(a).zip(b).zip(c).zip(e) {
                            let above = a + columns.part * (b - a);
                            let below = c + columns.part * (e - c);
                            *y = above + rows.part * (below - above);
                        }
                    }
                }
            }

            fn backward(
                &self,
                _: &crate::Volume<T, H, W, D>,
                dx: &mut crate::Volume<T, H, W, D>,
                dy: &crate::Volume<T, HO, WO, D>,
                _: &mut Self,
            ) {
                self.backward_input(dx, dy);
            }

            fn backward_parameters(
                &self,
                _: &crate::Volume<T, H, W, D>,
                _: &crate::Volume<T, HO, WO, D>,
                _: &mut Self,
            ) {
            }
        }
    };
}
pub(super) use between;
