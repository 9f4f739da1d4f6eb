//! Which instruction set to use: detected once with `std`, fixed by the target without.

use fearless_simd::Level;

/// The instruction set that the kernels use on this thread.
///
/// With `std` it is the best one of this machine, detected once; without, the one that the program
/// was compiled for.
#[must_use]
pub fn level() -> Level {
    #[cfg(feature = "std")]
    return FORCED.get().unwrap_or_else(Level::new);
    #[cfg(not(feature = "std"))]
    Level::baseline()
}

/// How many scalars a vector of an instruction set has. Memory is further away, the more it computes meanwhile: an
/// [`Algorithm`](crate::kernel::Algorithm) is chosen for each of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// SSE2, NEON and WebAssembly; and where there are no vectors.
    Four,
    /// AVX2.
    Eight,
    /// AVX-512.
    Sixteen,
}

impl Width {
    /// All, the narrowest first.
    pub const ALL: [Self; 3] = [Self::Four, Self::Eight, Self::Sixteen];

    /// Scalars.
    #[must_use]
    pub const fn lanes(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
            Self::Sixteen => 16,
        }
    }
}

/// That of the current [`level`].
impl Default for Width {
    fn default() -> Self {
        let level = level();
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        match (level.as_avx512(), level.as_avx2()) {
            (Some(_), _) => return Self::Sixteen,
            (None, Some(_)) => return Self::Eight,
            (None, None) => {}
        }
        let _ = level;
        Self::Four
    }
}

/// Runs `body` with every kernel *on this thread* at `level`: how a test reaches the paths that
/// this machine would not choose.
///
/// ```
/// # use convnet_core as convnet;
/// use convnet::kernel::{level, levels, with_level};
///
/// for forced in levels() {
///     with_level(forced, || assert_eq!(format!("{:?}", level()), format!("{forced:?}")));
/// }
/// ```
#[cfg(feature = "std")]
pub fn with_level<R>(level: Level, body: impl FnOnce() -> R) -> R {
    /// Puts the former level back, also when `body` panics.
    struct Restore(Option<Level>);
    impl Drop for Restore {
        fn drop(&mut self) {
            FORCED.set(self.0);
        }
    }
    let _restore = Restore(FORCED.replace(Some(level)));
    body()
}

/// Every level that this machine can run, the best one first.
#[cfg(feature = "std")]
pub fn levels() -> impl Iterator<Item = Level> {
    let best = Level::new();
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let levels = [
        best.as_avx512().map(Level::Avx512),
        best.as_avx2().map(Level::Avx2),
        best.as_sse2().map(Level::Sse2),
    ];
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    let levels = [Some(best)];
    levels.into_iter().flatten()
}

#[cfg(feature = "std")]
std::thread_local! {
    static FORCED: core::cell::Cell<Option<Level>> = const { core::cell::Cell::new(None) };
}

/// Runs plain loops, compiled for the current level: the compiler's own vectors are wider then. It may
/// not fuse what it is not told to, so the results are the same to the bit.
///
/// `body` and what it calls are to be `#[inline(always)]`.
#[inline(always)]
pub(crate) fn at_level(mut body: impl FnMut()) {
    let done: Option<()> = dispatch!(simd => {
        let _ = simd;
        body();
        Some(())
    });
    if done.is_none() {
        body();
    }
}

/// Calls a function that is generic over [`Simd`](fearless_simd::Simd) with the token of the
/// current level, and where that declines (`None`) with those below it. `None` if all decline, or
/// if this target has no vectors: there the plain loops are what a kernel would be.
///
/// **Invariant:** what adds to its output declines before it writes, since a lower level would add again.
///
/// Without SSE4.2, which has nothing for `f32` that SSE2 has not. And none at all in the core of the macro, which computes
/// nothing (`plain`, of `build.rs`): all levels are half of its machine code.
macro_rules! dispatch {
    ($simd:ident => $call:expr) => {{
        use fearless_simd::Simd;
        let level = $crate::kernel::level();
        #[cfg(not(plain))]
        {
            $crate::kernel::simd::level::each_of_target!(level, $simd => $call)
        }
        #[cfg(plain)]
        {
            // Never called: it says that what is used elsewhere is used.
            let _ = || $crate::kernel::simd::level::each_of_target!(level, $simd => $call);
            None
        }
    }};
}
pub(crate) use dispatch;

macro_rules! each_of_target {
    ($level:ident, $simd:ident => $call:expr) => {{
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        {
            $crate::kernel::simd::level::try_each!($simd => $call;
                $level.as_avx512(), $level.as_avx2(), $level.as_sse2())
        }
        #[cfg(target_arch = "aarch64")]
        {
            $crate::kernel::simd::level::try_each!($simd => $call; $level.as_neon())
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        {
            $crate::kernel::simd::level::try_each!($simd => $call; $level.as_wasm_simd128())
        }
        #[cfg(not(any(
            target_arch = "x86",
            target_arch = "x86_64",
            target_arch = "aarch64",
            all(target_arch = "wasm32", target_feature = "simd128"),
        )))]
        {
            // Never called: it says that what other targets use is used.
            let _ = |token: Option<fearless_simd::Fallback>| {
                $crate::kernel::simd::level::try_each!($simd => $call; token)
            };
            let _ = $level;
            None::<()>
        }
    }};
}
pub(crate) use each_of_target;

macro_rules! try_each {
    ($simd:ident => $call:expr; $($token:expr),*) => {{
        $(if let Some($simd) = $token
            && $simd.vectorize(#[inline(always)] || $call).is_some()
        {
            Some(())
        } else)* {
            None
        }
    }};
}
pub(crate) use try_each;
