//! Where a volume meets what its layers make of it in a product: squeeze and excitation.

use super::word::word;
use crate::kernel::at_level;
use crate::kernel::pieces::{pieces, pieces_mut};
use crate::{Real, Volume};

word! {
    /// `scale { global_avg_pool, conv(8, 1x1), relu, conv(32, 1x1), hard_sigmoid }`: the volume, times what its
    /// layers make of it.
    ///
    /// That is as large as the volume, number by number; or 1x1 and as deep, one factor a depth slice. See
    /// [`layer::Scale`](crate::layer::Scale).
    #[doc(alias = "squeeze")]
    #[doc(alias = "excitation")]
    #[doc(alias = "gate")]
    scale {}
    Manner::Multiplies, Sees::Pixel;
    example: "scale { global_avg_pool, conv(8, 1x1), relu, conv(32, 1x1), hard_sigmoid }",
    elsewhere: &[
        "se", "selayer", "seblock", "semodule", "squeezeexcitation", "squeezeexcite", "gate", "multiply",
    ],
}

/// `y = x · gate`: the end of `scale { … }`, where `gate` is what its layers make of `x`.
///
/// | | shape |
/// |---|---|
/// | reads `x`, writes `y` | `[H][W][D]` |
/// | reads `gate` | `[H][W][D]`, or `[1][1][D]`: a factor for each depth slice |
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::Scale;
///
/// let mut y = Volume::<f32, 1, 2, 2>::ZERO;
/// Scale.forward(&Volume([[[1.0, 2.0], [3.0, 4.0]]]), &Volume([[[10.0, 0.5]]]), &mut y);
/// assert_eq!(y, Volume([[[10.0, 1.0], [30.0, 2.0]]]));
/// ```
///
/// Source: Hu, Shen, Albanie, Sun and Wu, *Squeeze-and-Excitation Networks* (2017).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scale;

impl Scale {
    /// Writes every scalar of `y`.
    pub fn forward<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const GH: usize,
        const GW: usize,
    >(
        &self,
        x: &Volume<T, H, W, D>,
        gate: &Volume<T, GH, GW, D>,
        y: &mut Volume<T, H, W, D>,
    ) {
        const { assert!(fits([H, W], [GH, GW]), "the gate is as large, or 1x1") };
        multiply(x.as_slice(), gate.as_slice(), y.as_mut_slice());
    }

    /// Writes the gradient on the gate.
    pub fn backward_gate<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const GH: usize,
        const GW: usize,
    >(
        &self,
        x: &Volume<T, H, W, D>,
        dy: &Volume<T, H, W, D>,
        d_gate: &mut Volume<T, GH, GW, D>,
    ) {
        const { assert!(fits([H, W], [GH, GW]), "the gate is as large, or 1x1") };
        sum_products(x.as_slice(), dy.as_slice(), d_gate.as_mut_slice());
    }

    /// Turns the gradient on `y` into the one on `x` that does not come through the gate.
    pub fn backward_in_place<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const GH: usize,
        const GW: usize,
    >(
        &self,
        gate: &Volume<T, GH, GW, D>,
        dv: &mut Volume<T, H, W, D>,
    ) {
        const { assert!(fits([H, W], [GH, GW]), "the gate is as large, or 1x1") };
        multiply_by(dv.as_mut_slice(), gate.as_slice());
    }

    /// Adds that gradient to what `dx` has of others.
    pub fn accumulate<
        T: Real,
        const H: usize,
        const W: usize,
        const D: usize,
        const GH: usize,
        const GW: usize,
    >(
        &self,
        gate: &Volume<T, GH, GW, D>,
        dy: &Volume<T, H, W, D>,
        dx: &mut Volume<T, H, W, D>,
    ) {
        const { assert!(fits([H, W], [GH, GW]), "the gate is as large, or 1x1") };
        add_products(dy.as_slice(), gate.as_slice(), dx.as_mut_slice());
    }
}

const fn fits(x: [usize; 2], gate: [usize; 2]) -> bool {
    (gate[0] == 1 && gate[1] == 1) || (gate[0] == x[0] && gate[1] == x[1])
}

// Compiled once a scalar. A gate is as long as a depth column, or as all of them.

fn multiply<T: Real>(x: &[T], gate: &[T], y: &mut [T]) {
    at_level(
        #[inline(always)]
        || {
            let columns = pieces_mut(y, gate.len()).zip(pieces(x, gate.len()));
            for (y, x) in columns {
                for (y, (&x, &gate)) in y.iter_mut().zip(x.iter().zip(gate)) {
                    *y = x * gate;
                }
            }
        },
    );
}

fn multiply_by<T: Real>(v: &mut [T], gate: &[T]) {
    for v in pieces_mut(v, gate.len()) {
        v.iter_mut().zip(gate).for_each(|(v, &gate)| *v *= gate);
    }
}

fn add_products<T: Real>(dy: &[T], gate: &[T], dx: &mut [T]) {
    let columns = pieces_mut(dx, gate.len()).zip(pieces(dy, gate.len()));
    for (dx, dy) in columns {
        for (dx, (&dy, &gate)) in dx.iter_mut().zip(dy.iter().zip(gate)) {
            *dx += dy * gate;
        }
    }
}

fn sum_products<T: Real>(x: &[T], dy: &[T], sums: &mut [T]) {
    sums.fill(T::ZERO);
    let columns = pieces(x, sums.len()).zip(pieces(dy, sums.len()));
    for (x, dy) in columns {
        for (sum, (&x, &dy)) in sums.iter_mut().zip(x.iter().zip(dy)) {
            *sum += x * dy;
        }
    }
}
