/// Parameters written by hand: one layer, two filters of 3x2x2.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct Tiny<T = f32> {
    pub(crate) filters: [[[[T; 2]; 2]; 3]; 2],
    pub(crate) bias: [T; 2],
}

#[expect(unsafe_code, reason = "by hand: zeros are parameters")]
// SAFETY: scalars, which are zeroable, without padding that matters.
unsafe impl<T: convnet_core::Real> bytemuck::Zeroable for Tiny<T> {}

impl<T: convnet_core::Real> convnet_core::Parameters for Tiny<T> {
    type Scalar = T;
    const TENSORS: &'static [convnet_core::Tensor] = &[
        convnet_core::Tensor {
            name: "conv1.filters",
            role: convnet_core::Role::Filters,
            shape: &[2, 3, 2, 2],
        },
        convnet_core::Tensor {
            name: "conv1.bias",
            role: convnet_core::Role::Bias,
            shape: &[2],
        },
    ];

    fn tensor(&self, index: usize) -> &[T] {
        match index {
            0 => self.filters.as_flattened().as_flattened().as_flattened(),
            1 => &self.bias,
            _ => &[],
        }
    }

    fn tensor_mut(&mut self, index: usize) -> &mut [T] {
        match index {
            0 => self
                .filters
                .as_flattened_mut()
                .as_flattened_mut()
                .as_flattened_mut(),
            1 => &mut self.bias,
            _ => &mut [],
        }
    }
}
