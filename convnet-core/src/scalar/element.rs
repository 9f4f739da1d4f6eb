//! The types of which volumes and tensors are made, and how many bytes they take.
//!
//! **Invariant:** any bytes are a value of an [`Element`], and it holds nothing else. `unsafe` code in
//! [`overlay`](mod@crate::overlay) stands on that; the trait is sealed.

use core::fmt;

use bytemuck::Pod;
use num_traits::ConstZero;

use sealed::Sealed;

/// What the elements of a volume or a tensor are.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::{Element, ElementType};
///
/// assert_eq!(<f32 as Element>::TYPE, ElementType::F32);
/// assert_eq!(ElementType::I8.bytes(), 1);
/// assert_eq!(ElementType::Bf16.to_string(), "bf16");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ElementType {
    /// `f32`, in which networks are trained and run.
    #[default]
    F32,
    /// `f64`, in which gradients are checked.
    F64,
    /// `i8`: quantised volumes and filters.
    I8,
    /// `u8`: the pixels of an image.
    U8,
    /// `i32`: the biases and the sums of a quantised layer.
    I32,
    /// The upper half of an `f32`: the filters of a prepared `fc`.
    Bf16,
}

impl ElementType {
    /// How many bytes one takes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::Bf16 => 2,
            Self::I8 | Self::U8 => 1,
        }
    }

    /// Its name, `f32`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::Bf16 => "bf16",
        }
    }
}

impl fmt::Display for ElementType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A type of which volumes and tensors are made; no other can implement it. Those that layers compute
/// with are [`Real`](crate::Real).
pub trait Element: Sealed + Pod + ConstZero + fmt::Debug + Send + Sync {
    /// Which it is.
    const TYPE: ElementType;
}

macro_rules! elements {
    ($($name:ident: $of:ident,)*) => { $(
        impl Sealed for $name {}

        impl Element for $name {
            const TYPE: ElementType = ElementType::$of;
        }

        const _: () = assert!(ElementType::$of.bytes() == size_of::<$name>());
    )* };
}

elements! {
    f32: F32,
    f64: F64,
    i8: I8,
    u8: U8,
    i32: I32,
}

mod sealed {
    /// Which types there are.
    pub trait Sealed {}
}
