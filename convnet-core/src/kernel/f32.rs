//! Kernels on `f32`.
//!
//! ```text
//! conv                forward, filters as declared
//! ├── narrow          fewer filters than lanes
//! ├── grouped         in groups; backward takes conv's
//! ├── scalar          targets without vectors
//! ├── panels          packed filters
//! ├── input_grad
//! └── filter_grad
//! rows                forward, few packed filters: vectors run along a row
//! ├── planes          rows laid out a plane a depth
//! └── winograd        four rows at a time
//! winograd            forward, packed filters, fewer multiplications
//! ├── transform       what its tiles are made of, and those of rows
//! ├── training        forward and the gradient on the input, filters as declared
//! └── filter_grad
//! depthwise           forward and the gradient on the input, one filter a depth slice
//! └── filter_grad
//! fc                  forward and gradients
//! ├── batch           a few images at once
//! └── bfloat16        filters in half the bytes
//! pool                max pools, forward and backward
//! norm                batch norm's gradient on its input
//! exponential         exp, sigmoid, tanh; silu, gelu, elu
//! tile                the registers that direct sums and Winograd's products share
//! vfp                 Cortex-M with an FPU: the tiles of the scalar conv and depthwise, clamps and pools, in assembly
//! ```

#![expect(
    unsafe_code,
    reason = "what is read and written is inside, which the compiler does not see"
)]

pub(crate) mod conv;
pub(crate) mod depthwise;
pub(crate) mod exponential;
pub(crate) mod fc;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod rows;
mod tile;
#[cfg(vfp)]
pub(in crate::kernel) mod vfp;
pub(crate) mod winograd;
