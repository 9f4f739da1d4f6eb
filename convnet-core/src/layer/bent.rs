//! Functions of one number whose output does not tell their input: backward reads the input.

/// `Layer` and `InPlace` for a layer without fields that has `values`, which bends a slice of scalars, and
/// `slope`, the gradient at a number.
macro_rules! bent {
    ($layer:ident) => {
        impl<T: Real, const H: usize, const W: usize, const D: usize>
            $crate::layer::Layer<Volume<T, H, W, D>, Volume<T, H, W, D>> for $layer
        {
            fn forward(&self, x: &Volume<T, H, W, D>, y: &mut Volume<T, H, W, D>) {
                y.copy_from(x);
                Self::values(y.as_mut_slice());
            }

            fn backward(
                &self,
                x: &Volume<T, H, W, D>,
                dx: &mut Volume<T, H, W, D>,
                dy: &Volume<T, H, W, D>,
                _: &mut Self,
            ) {
                let (dx, x, dy) = (dx.as_mut_slice(), x.as_slice(), dy.as_slice());
                $crate::kernel::at_level(
                    #[inline(always)]
                    || {
                        for (dx, (&x, &dy)) in dx.iter_mut().zip(x.iter().zip(dy)) {
                            *dx = dy * Self::slope(x);
                        }
                    },
                );
            }

            fn backward_parameters(
                &self,
                _: &Volume<T, H, W, D>,
                _: &Volume<T, H, W, D>,
                _: &mut Self,
            ) {
            }
        }

        impl<T: Real, const H: usize, const W: usize, const D: usize>
            $crate::layer::InPlace<Volume<T, H, W, D>> for $layer
        {
            fn forward_in_place(&self, v: &mut Volume<T, H, W, D>) {
                Self::values(v.as_mut_slice());
            }
        }
    };
}
pub(super) use bent;
