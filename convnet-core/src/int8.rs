//! # Int8: the network of a declaration in bytes
//!
//! ```text
//!  convnet!  struct Digits ──GRAPH──▶ int8!(Digits): tasks, places, sizes, by the compiler
//!                │                                       │
//!  trained net ──┴──quantize(&images)──▶ Int8<Digits> ◀──┘   filters i8, biases i32, multipliers
//!                    ranges, norms folded      │
//!                                              └─ forward(&bytes, &mut arena) ─▶ bytes
//! ```
//!
//! [`int8!`](crate::int8!) gives a network its twin: [`Int8`], a type of its own, whose size and arena are
//! constants, and which a `static` may hold. [`quantize`](Quantize::quantize) fills it after training, from a few
//! images: they show which numbers each volume has. Its arithmetic is [TensorFlow
//! Lite's](crate::kernel::i8), so that results are the same to the bit on every machine.
//!
//! Every `batch_norm` behind filters is folded into them; a clamp, into the bounds of what is stored. Pools keep the
//! quantization of what they read, but `global_avg_pool`, which has one of its own.
//!
//! **Invariant:** nothing in [`forward`](Quantized::forward) allocates, computes with floats or panics; kernels
//! of layers that a network has not are not in the program.

// No arm stands for whatever else there is: a new layer, a new kind of task, is looked at everywhere.
#![deny(clippy::wildcard_enum_match_arm)]

#[doc(inline)]
pub use crate::kernel::i8::quads::Machine;
use crate::{AnyVolume, Network};

#[cfg(feature = "alloc")]
mod calibrate;
#[cfg(feature = "alloc")]
mod draft;
#[cfg(feature = "alloc")]
mod equalize;
#[cfg(feature = "train")]
mod fake;
mod file;
#[cfg(feature = "alloc")]
mod prepared;
mod program;
mod quantized;
#[cfg(feature = "alloc")]
mod real;
#[cfg(feature = "alloc")]
mod report;
mod run;
mod table;

#[cfg(feature = "alloc")]
pub use calibrate::{QuantizeError, Ranges, Scales, Settings};
#[cfg(feature = "alloc")]
pub use draft::{Draft, DraftError, Integers};
#[cfg(feature = "alloc")]
pub use file::FileError;
#[cfg(feature = "alloc")]
pub use prepared::{Prepared, PreparedArena};
pub use program::{Fixed, Kind, Planned, Program, Range, Task};
pub use quantized::{Parameters, Quantized};
#[cfg(feature = "alloc")]
pub use report::{Line, Report};
#[cfg(feature = "train")]
pub(crate) use {
    calibrate::refill,
    fake::{Cut, Fake, Passes, Rounds},
};

/// A network that has an int8 twin: [`int8!`](crate::int8!) says so.
pub trait Quantize: Network<Scalar = f32> + Sized {
    /// The image, in bytes.
    type Image: AnyVolume<Scalar = i8>;
    /// The scores, in bytes.
    type Scores: AnyVolume<Scalar = i8>;
    /// The planned activations, in bytes.
    type Overlay: AnyVolume<Scalar = i8>;
    /// The twin.
    type Int8: Parameters;
    /// What it computes.
    const PROGRAM: Program<'static>;

    /// Where [`Quantized::forward`] leaves the scores.
    fn scores_in(memory: &Self::Overlay) -> &Self::Scores;

    /// The twin of this network, which has learned. The images, some hundred of those that it learned from, show
    /// which numbers there are: each volume covers the least and the largest.
    ///
    /// # Errors
    ///
    /// No images, or numbers that are not finite.
    #[cfg(feature = "alloc")]
    fn quantize<I>(&self, images: &[I]) -> Result<alloc::boxed::Box<Self::Int8>, QuantizeError>
    where
        I: core::borrow::Borrow<Self::Input>,
    {
        self.quantize_by(images, Ranges::MinMax)
    }

    /// As [`quantize`](Self::quantize), with the ranges found in another way, or with other [`Settings`].
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "alloc")]
    fn quantize_by<I>(
        &self,
        images: &[I],
        settings: impl Into<Settings>,
    ) -> Result<alloc::boxed::Box<Self::Int8>, QuantizeError>
    where
        I: core::borrow::Borrow<Self::Input>,
    {
        calibrate::quantize(self, images, settings.into())
    }

    /// Cross-layer equalisation, before [`quantize`](Self::quantize): for networks whose filters differ much, as those
    /// of a `depthwise` often do. A volume has one range, so a depth slice with small numbers has few of its 256 steps.
    /// Such a slice is multiplied by a power of two, and what the next filters multiply it by is divided by that: the
    /// scores in `f32` stay the same, to the bit.
    ///
    /// That is done between two layers with filters wherever there are only layers between them that mind no factor
    /// (`batch_norm` behind the first, `relu`, `leaky_relu`, pools, `upsample`, `dropout`, `flatten`; not `relu6`)
    /// and nobody else reads their volumes. Says between how many something has changed.
    ///
    /// # Errors
    ///
    /// As [`quantize`](Self::quantize).
    #[cfg(feature = "alloc")]
    fn equalize<I>(&mut self, images: &[I]) -> Result<usize, QuantizeError>
    where
        I: core::borrow::Borrow<Self::Input>,
    {
        equalize::equalize(self, images)
    }
}

/// What a budget of [`int8!`](crate::int8!) is made of.
#[doc(hidden)]
#[expect(non_upper_case_globals, reason = "as they are written in a budget")]
pub mod budget {
    use crate::plan::Memory;

    pub const ram: Memory = Memory::Ram;
    pub const flash: Memory = Memory::Flash;
    pub const B: u64 = 1;
    pub const kB: u64 = 1_000;
    pub const MB: u64 = 1_000_000;
    pub const KiB: u64 = 1 << 10;
    pub const MiB: u64 = 1 << 20;
}

/// The int8 twin of a network: `Int8<Digits>`.
pub type Int8<N> = <N as Quantize>::Int8;

/// Gives a network its int8 twin, [`Int8<Net>`](crate::int8::Int8). The compiler plans it here, in bytes; a layer that
/// has no int8 form is an error. A budget counts the bytes of the twin:
///
/// ```text
/// int8! { #[budget(ram = 4 KiB, flash = 8 KiB)] Digits }
/// ```
#[macro_export]
macro_rules! int8 {
    ($(#[budget($($memory:ident = $limit:literal $unit:ident),+ $(,)?)])? $net:ty) => {
        const _: () = {
            const GRAPH: &[$crate::graph::Node<'static>] = <$net as $crate::Network>::GRAPH;
            const IMAGE: [::core::primitive::usize; 3] =
                <<$net as $crate::Network>::Input as $crate::AnyVolume>::SHAPE;
            const SCORES: [::core::primitive::usize; 3] =
                <<$net as $crate::Network>::Output as $crate::AnyVolume>::SHAPE;
            const PLANNED: &$crate::int8::Planned<{ GRAPH.len() }> =
                &match $crate::int8::Planned::new(IMAGE, GRAPH) {
                    ::core::result::Result::Ok(planned) => planned,
                    ::core::result::Result::Err(message) => {
                        ::core::panic!("{}", message.as_str())
                    }
                };
            $($(const _: () = {
                const LIMIT: (::core::primitive::u64, &::core::primitive::str) = (
                    $limit * $crate::int8::budget::$unit,
                    ::core::concat!(
                        ::core::stringify!($limit),
                        " ",
                        ::core::stringify!($unit)
                    ),
                );
                let limit = ($crate::int8::budget::$memory, LIMIT.0, LIMIT.1);
                let bytes = ::core::mem::size_of::<$crate::int8::Int8<$net>>();
                if let ::core::option::Option::Some(message) =
                    PLANNED.over(IMAGE, GRAPH, bytes, limit)
                {
                    ::core::panic!("{}", message.as_str())
                }
            };)+)?
            impl $crate::int8::Quantize for $net {
                type Image =
                    $crate::Volume<::core::primitive::i8, { IMAGE[0] }, { IMAGE[1] }, { IMAGE[2] }>;
                type Scores = $crate::Volume<
                    ::core::primitive::i8,
                    { SCORES[0] },
                    { SCORES[1] },
                    { SCORES[2] },
                >;
                type Overlay = $crate::Overlay<::core::primitive::i8, { PLANNED.arena }>;
                type Int8 = $crate::int8::Quantized<
                    $net,
                    { PLANNED.counts.filters },
                    { PLANNED.counts.channels },
                    { PLANNED.counts.volumes },
                >;
                const PROGRAM: $crate::int8::Program<'static> = PLANNED.program();

                fn scores_in(memory: &Self::Overlay) -> &Self::Scores {
                    memory.at::<Self::Scores, { PLANNED.counts.output }>()
                }
            }
        };
    };
}

/// Puts an int8 network of a file into a `static`: on a microcontroller, into flash. The file, which
/// [`to_bytes`](crate::int8::Quantized::to_bytes) makes, or `convnet import` of an int8 model, is opened while the program is compiled, and what does not
/// fit the declaration is a compile error. A relative name is relative to the source file.
///
/// ```text
/// int8_weights! {
///     /// Trained and quantised by the example `digits`.
///     pub static NET: Digits = "digits-int8.safetensors";
/// }
/// ```
#[macro_export]
macro_rules! int8_weights {
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $net:ty = $file:expr $(;)?) => {
        $(#[$attribute])*
        // The filters of a large network are many.
        #[allow(long_running_const_eval)]
        $visibility static $name: $crate::int8::Int8<$net> =
            match <$crate::int8::Int8<$net>>::read(::core::include_bytes!($file)) {
                ::core::result::Result::Ok(network) => network,
                ::core::result::Result::Err(message) => ::core::panic!("{}", message.as_str()),
            };
    };
}
