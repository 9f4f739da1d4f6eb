//! Four inputs of sixteen filters at a time: int8 with the vectors of a desktop.
//!
//! ```text
//!  a block   w0 w1 w2 w3 of filter 0 │ … of filter 1 │ … │ … of filter 15        64 bytes
//!  a quad    x0 x1 x2 x3, the same for all sixteen
//!  sums      Σ x·w of filter 0       │ … of filter 1 │ … │ … of filter 15        32 bits each
//! ```
//!
//! `Dots` is how a machine multiplies them; `conv` tiles pixels by filters, `depthwise` lays four rows side by side
//! so that a quad is of one depth. No zero point is subtracted inside: what it is worth is in the number that a sum
//! starts from, [`Ends`], which also says how sums become bytes, in the registers that they are in.
//!
//! Filters are packed once, for one [`Machine`]; the plain twins are in [`Filters`](super::Filters), and results are
//! the same to the bit, as sums of 32 bits are in any order.
//!
//! **Invariant:** filters are no less than −127, as TensorFlow Lite has them: `Maddubs` takes their signs
//! off and on.

#![expect(unsafe_code, reason = "instructions that only some machines have")]
#![cfg_attr(
    not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )),
    allow(
        dead_code,
        unreachable_code,
        unused_variables,
        reason = "there is no machine that anything is generic over"
    )
)]

mod add;
pub mod conv;
pub mod depthwise;
mod ends;
mod lookup;
mod mean;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(test)]
mod tests;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, unused_variables, reason = "x86 multiplies pairs")
)]
pub mod winograd;
#[cfg(target_arch = "x86_64")]
mod x86;

use core::fmt::{self, Debug, Formatter};

use super::{Quantization, Table};

pub use add::{Add, Product};
pub use conv::Conv;
pub use depthwise::Depthwise;
pub use ends::Ends;
pub use lookup::{columns, lookup};
pub use mean::Mean;
pub use winograd::Winograd;

/// Four inputs of sixteen filters.
pub type Block = [[i8; 4]; 16];

/// Filters of a block.
const FILTERS: usize = 16;

/// Inputs of a quad.
const QUAD: usize = 4;

/// Vectors at a time, of what is computed byte by byte.
const AT_ONCE: usize = 4;

/// An instruction set that multiplies bytes.
trait Dots: Copy {
    /// Sums of some filters.
    type Sums: Copy;
    /// Their inputs, ready to be multiplied.
    type X: Copy;
    /// Quads of filters.
    type W: Copy;
    /// By what sums become bytes.
    type By;
    /// LANES bytes.
    type Bytes: AsRef<[i8]>;
    /// A table that bytes are looked up in.
    type Table;
    /// How many of them at a time.
    const LOOKED_UP: usize;
    /// How many filters there are in a vector.
    const LANES: usize;
    /// Pixels of a tile at most, and vectors.
    const TILE: [usize; 2];
    /// Inputs of a quad: of two, each is a word of 16 bits.
    const INPUTS: usize = QUAD;
    /// Which bits of an input are the other way round.
    const FLIP: u8;
    /// What turns them.
    type Flip: Copy;

    /// What [`splat`](Self::splat) turns bits by, which the compiler does not see through: it would turn them in
    /// registers of another kind.
    fn flip(self) -> Self::Flip;

    /// Runs `body` with the instructions at hand. It is to be `#[inline(always)]`.
    fn vectorize<R>(self, body: impl FnOnce() -> R) -> R;

    /// What some filters begin with.
    ///
    /// # Safety
    ///
    /// There are LANES numbers.
    unsafe fn start(self, numbers: *const i32) -> Self::Sums;

    /// A quad for all filters, which is not flipped yet.
    ///
    /// # Safety
    ///
    /// There are 4 bytes.
    unsafe fn splat(self, quad: *const i8, flip: Self::Flip) -> Self::X;

    /// A quad for each filter, which is flipped.
    ///
    /// # Safety
    ///
    /// There are 4·LANES bytes.
    unsafe fn inputs(self, quads: *const i8) -> Self::X;

    /// A quad of each filter.
    ///
    /// # Safety
    ///
    /// There are 4·LANES bytes.
    unsafe fn filters(self, quads: *const i8) -> Self::W;

    /// Adds the four products of each filter.
    fn add(self, sums: Self::Sums, x: Self::X, w: Self::W) -> Self::Sums;

    /// Bytes as sums.
    ///
    /// # Safety
    ///
    /// There are LANES bytes.
    unsafe fn widened(self, bytes: *const i8) -> Self::Sums;

    /// The sums of two.
    fn plus(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// By what the sums of a vector are multiplied, and become bytes: of the filters from `first` on.
    fn by(self, ends: &Ends, first: usize, y: &Quantization) -> Self::By;

    /// [`Multiplier::times`](super::Multiplier::times) of each sum.
    fn times(self, sums: Self::Sums, by: &Self::By) -> Self::Sums;

    /// The bytes of sums: [`times`](Self::times) of each, with zero point and bounds.
    fn bytes(self, sums: Self::Sums, by: &Self::By) -> Self::Bytes;

    /// The products of two.
    fn product(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// Each shifted to the left.
    fn left<const BY: i32>(self, sums: Self::Sums) -> Self::Sums;

    /// The larger of two, each.
    fn larger(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// [`times`](Self::times) of each, with the zero point: of the filters from `first` on, whose ends are
    /// [narrow](Ends::is_narrow).
    ///
    /// # Safety
    ///
    /// There are LANES filters from `first` on.
    unsafe fn narrowed(self, sums: Self::Sums, ends: &Ends, first: usize) -> Self::Sums;

    /// Writes what is narrowed as N·LANES bytes between bounds.
    ///
    /// # Safety
    ///
    /// There is room for them.
    unsafe fn write<const N: usize>(self, sums: [Self::Sums; N], bounds: [i8; 2], to: *mut i8);

    /// By the bits of a byte.
    fn table(self, bytes: &Table) -> Self::Table;

    /// Writes what the table says of LOOKED_UP bytes.
    ///
    /// # Safety
    ///
    /// There are the bytes, and there is room for as many.
    unsafe fn look_up(self, table: &Self::Table, x: *const i8, y: *mut i8);

    /// Rows of sixteen bytes side by side, as many as a quad has inputs, and flipped.
    ///
    /// # Safety
    ///
    /// There are the bytes, and there is room for 64.
    unsafe fn side_by_side(self, rows: [*const i8; 4], to: *mut i8);
}

/// An instruction set whose quads are two inputs of 16 bits, words, for a machine that multiplies those faster than
/// four bytes. No bit of an input is the other way round.
#[cfg_attr(
    not(target_arch = "x86_64"),
    allow(dead_code, reason = "x86 multiplies pairs")
)]
trait Pairs: Dots<X = <Self as Dots>::W, Flip = ()> {
    /// Bytes as words.
    ///
    /// # Safety
    ///
    /// There are 2·LANES bytes.
    unsafe fn words(self, bytes: *const i8) -> Self::W;

    /// # Safety
    ///
    /// There is room for 2·LANES words.
    unsafe fn put_words(self, words: Self::W, to: *mut i8);

    /// The sums of two.
    fn words_plus(self, a: Self::W, b: Self::W) -> Self::W;

    /// Their differences.
    fn words_minus(self, a: Self::W, b: Self::W) -> Self::W;

    /// Each shifted to the left.
    fn words_left<const BY: i32>(self, words: Self::W) -> Self::W;

    /// # Safety
    ///
    /// There is room for LANES numbers.
    unsafe fn put_sums(self, sums: Self::Sums, to: *mut i32);

    /// The differences of two.
    fn minus(self, a: Self::Sums, b: Self::Sums) -> Self::Sums;

    /// Each shifted to the right, sign and all.
    fn right<const BY: i32>(self, sums: Self::Sums) -> Self::Sums;

    /// Each by a number.
    fn by_number(self, sums: Self::Sums, number: i32) -> Self::Sums;
}

/// How bytes are multiplied: an instruction set that is here.
///
/// `Debug` shows it.
#[derive(Clone, Copy)]
pub struct Machine(Known);

#[derive(Clone, Copy)]
enum Known {
    /// `vpdpbusd` on 512 bits.
    #[cfg(target_arch = "x86_64")]
    Vnni512(Vnni512),
    /// `vpdpbusd` on 256 bits.
    #[cfg(target_arch = "x86_64")]
    Vnni256(Vnni256),
    /// `vpmaddubsw` and `vpmaddwd` on 256 bits: of an input its distance from zero, whose products do not saturate; or
    /// words, by `vpmaddwd` alone.
    #[cfg(target_arch = "x86_64")]
    Maddubs(Maddubs),
    /// `sdot`.
    #[cfg(target_arch = "aarch64")]
    NeonDot(Neons<true>),
    /// `smull`, `addp` and `sadalp`.
    #[cfg(target_arch = "aarch64")]
    Neon(Neons<false>),
    /// WebAssembly's `i32x4.dot_i16x8_s`.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128(Simd128),
}

#[cfg(target_arch = "aarch64")]
use neon::Neons;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use wasm::Simd128;
#[cfg(target_arch = "x86_64")]
use x86::{Maddubs, Vnni256, Vnni512};

/// Calls what is generic over [`Dots`].
macro_rules! with {
    ($machine:expr, $dots:ident => $call:expr) => {
        match $machine.0 {
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::i8::quads::Known::Vnni512($dots) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::i8::quads::Known::Vnni256($dots) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::i8::quads::Known::Maddubs($dots) => $call,
            #[cfg(target_arch = "aarch64")]
            $crate::kernel::i8::quads::Known::NeonDot($dots) => $call,
            #[cfg(target_arch = "aarch64")]
            $crate::kernel::i8::quads::Known::Neon($dots) => $call,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            $crate::kernel::i8::quads::Known::Simd128($dots) => $call,
        }
    };
}
use with;

/// Calls what is generic over [`Pairs`]; `None` where there are none.
macro_rules! with_pairs {
    ($machine:expr, $dots:ident => $call:expr) => {
        match $machine.0 {
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::i8::quads::Known::Maddubs(maddubs) => {
                let $dots = maddubs.words();
                $call
            }
            #[allow(unreachable_patterns, reason = "where there is no other")]
            _ => None,
        }
    };
}
use with_pairs;

/// Calls what is generic over [`Dots`], with those that multiply words where those are faster.
macro_rules! with_fastest {
    ($machine:expr, $dots:ident => $call:expr) => {
        match $machine.0 {
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::i8::quads::Known::Maddubs(maddubs) => {
                let $dots = maddubs.words();
                $call
            }
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::i8::quads::Known::Vnni512($dots) => $call,
            #[cfg(target_arch = "x86_64")]
            $crate::kernel::i8::quads::Known::Vnni256($dots) => $call,
            #[cfg(not(target_arch = "x86_64"))]
            #[allow(unreachable_patterns, reason = "where there is no other")]
            _ => $crate::kernel::i8::quads::with!($machine, $dots => $call),
        }
    };
}
use with_fastest;

impl Machine {
    /// The best one of the current [`level`](crate::kernel::level); `None` if it has none.
    #[must_use]
    pub fn best() -> Option<Self> {
        Self::all().next()
    }

    /// All of the current level, the best first.
    pub fn all() -> impl Iterator<Item = Self> {
        let level = crate::kernel::level();
        #[cfg(target_arch = "x86_64")]
        let all = [
            Vnni512::new(level).map(Known::Vnni512),
            Vnni256::new(level).map(Known::Vnni256),
            Maddubs::new(level).map(Known::Maddubs),
        ];
        #[cfg(target_arch = "aarch64")]
        let all = [
            Neons::new(level).map(Known::NeonDot),
            Neons::new(level).map(Known::Neon),
        ];
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let all = [Simd128::new(level).map(Known::Simd128)];
        #[cfg(not(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        let all: [Option<Known>; 0] = {
            let _ = level;
            []
        };
        all.into_iter().flatten().map(Self)
    }

    /// Which bits of an input are the other way round.
    fn flip(self) -> u8 {
        fn of<D: Dots>(_: D) -> u8 {
            D::FLIP
        }
        with!(self, dots => of(dots))
    }

    /// Whether it multiplies words faster, where there are sums enough for each filter that is read.
    fn has_pairs(self) -> bool {
        let done: Option<()> = with_pairs!(self, dots => {
            let _ = dots;
            Some(())
        });
        done.is_some()
    }

    /// Runs plain loops with the instructions at hand. `body` and what it calls are to be `#[inline(always)]`.
    #[inline(always)]
    #[cfg(feature = "alloc")] // `int8::prepared` is who asks
    pub(crate) fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        with!(self, dots => dots.vectorize(body))
    }
}

impl Debug for Machine {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            #[cfg(target_arch = "x86_64")]
            Known::Vnni512(_) => "vnni512",
            #[cfg(target_arch = "x86_64")]
            Known::Vnni256(_) => "vnni256",
            #[cfg(target_arch = "x86_64")]
            Known::Maddubs(_) => "maddubs",
            #[cfg(target_arch = "aarch64")]
            Known::NeonDot(_) => "neon_dot",
            #[cfg(target_arch = "aarch64")]
            Known::Neon(_) => "neon",
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Known::Simd128(_) => "simd128",
        })
    }
}
