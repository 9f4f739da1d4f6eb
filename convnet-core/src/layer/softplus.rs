//! A rectifier without a bend.

use super::Activation;
use super::word::word;
use crate::{Real, Volume};

word! {
    /// `softplus`: ln(1 + e^v). See [`layer::Softplus`](crate::layer::Softplus).
    softplus {}
    Manner::Activates, Sees::Pixel;
}

/// `ln(1 + exp(v))`: the `softplus` of a declaration, and PyTorch's `Softplus` with a β of 1 (which says v
/// above 20, where the two differ by less than 2.1e-9).
///
/// Backward knows the slope from the output: `1 − exp(−y)`.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::Volume;
/// use convnet::layer::{Activation, Softplus};
///
/// let mut v = Volume::<f64, 1, 3, 1>([[[-1.0], [0.0], [1000.0]]]);
/// Softplus.forward(&mut v);
/// let expected = [0.313_261_687_52, 0.693_147_180_56, 1000.0];
/// let differs = v.as_slice().iter().zip(expected).map(|(v, e)| (v - e).abs());
/// assert!(differs.fold(0.0, f64::max) < 1e-11);
/// ```
///
/// Source: Dugas et al., *Incorporating Second-Order Functional Knowledge for Better Option Pricing* (2000).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Softplus;

impl<T: Real, const H: usize, const W: usize, const D: usize> Activation<Volume<T, H, W, D>>
    for Softplus
{
    fn forward(&self, v: &mut Volume<T, H, W, D>) {
        for v in v.as_mut_slice() {
            // e to what is not positive cannot overflow.
            let above = if *v < T::ZERO { T::ZERO } else { *v };
            *v = above + (-v.abs()).exp().ln_1p();
        }
    }

    fn backward(&self, y: &Volume<T, H, W, D>, dv: &mut Volume<T, H, W, D>) {
        for (dv, &y) in dv.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *dv *= -(-y).exp_m1();
        }
    }
}
