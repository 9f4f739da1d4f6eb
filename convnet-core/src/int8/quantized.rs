//! What is stored, and how a program calls it.

#![expect(unsafe_code, reason = "zeros are a quantised network")]

use core::marker::PhantomData;

use bytemuck::Zeroable;

use super::Quantize;
use super::program::{KINDS, Task};
use super::run::{Kinds, Parts, run};
use crate::AnyVolume;
use crate::kernel::i8::{Channel, Quantization, Steps, Walk};

/// A network of bytes: `F` bytes of filters, `C` channels, `V` quantizations. [`Int8`](super::Int8) names it.
///
/// Its size is what it takes in flash; in a `static` it needs nothing else.
#[repr(C)]
pub struct Quantized<N, const F: usize, const C: usize, const V: usize> {
    pub(super) filters: [i8; F],
    pub(super) channels: [Channel; C],
    pub(super) volumes: [Quantization; V],
    of: PhantomData<fn() -> N>,
}

// SAFETY: it is bytes, integers and f32, for each of which zeros are a value.
unsafe impl<N: 'static, const F: usize, const C: usize, const V: usize> Zeroable
    for Quantized<N, F, C, V>
{
}

/// The parts of a [`Quantized`], for code that is generic over networks.
#[doc(hidden)]
pub trait Parameters: Zeroable + Send + Sync + 'static {
    /// Filters and tables, channels, quantizations.
    fn parts(&self) -> (&[i8], &[Channel], &[Quantization]);

    /// The same, to write.
    fn parts_mut(&mut self) -> (&mut [i8], &mut [Channel], &mut [Quantization]);
}

impl<N: 'static, const F: usize, const C: usize, const V: usize> Parameters
    for Quantized<N, F, C, V>
{
    fn parts(&self) -> (&[i8], &[Channel], &[Quantization]) {
        (&self.filters, &self.channels, &self.volumes)
    }

    fn parts_mut(&mut self) -> (&mut [i8], &mut [Channel], &mut [Quantization]) {
        (&mut self.filters, &mut self.channels, &mut self.volumes)
    }
}

/// The kinds of tasks of a network.
pub(super) struct KindsOf<N>(PhantomData<N>);

impl<N: Quantize> Kinds for KindsOf<N> {
    const KINDS: [bool; KINDS] = N::PROGRAM.kinds();
    const COPIES: bool = N::PROGRAM.copies();
}

impl<N: Quantize> Walk for KindsOf<N> {
    const STEPS: Steps = N::PROGRAM.steps().0;
    const POOLS: bool = N::PROGRAM.steps().1;
}

impl<N: Quantize, const F: usize, const C: usize, const V: usize> Quantized<N, F, C, V> {
    /// All zero.
    pub const ZERO: Self = Self {
        filters: [0; F],
        channels: [Channel::ZERO; C],
        volumes: [Quantization::NONE; V],
        of: PhantomData,
    };

    /// Bytes that it takes: filters, and what each of them needs.
    pub const PARAMETERS: usize = size_of::<Self>();

    /// Bytes of the arena.
    pub const ARENA_BYTES: usize = size_of::<N::Overlay>();

    /// The arena, zeroed, on the heap.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn arena() -> alloc::boxed::Box<N::Overlay> {
        crate::memory::heap::zeroed_box()
    }

    /// The scores of `image`, in bytes: allocates nothing, computes with integers only.
    pub fn forward<'a>(&self, image: &N::Image, arena: &'a mut N::Overlay) -> &'a N::Scores {
        self.watched(image, arena, |_, _| {});
        N::scores_in(arena)
    }

    /// The place of the highest of the scores of `image`, the first of equals.
    pub fn classify(&self, image: &N::Image, arena: &mut N::Overlay) -> usize {
        let scores = self.forward(image, arena).as_slice().iter().enumerate();
        let best = scores.reduce(|best, it| if it.1 > best.1 { it } else { best });
        best.map_or(0, |(place, _)| place)
    }

    /// As [`forward`](Self::forward); `after` sees the arena after each task.
    #[inline(always)]
    pub(super) fn watched(
        &self,
        image: &N::Image,
        arena: &mut N::Overlay,
        after: impl FnMut(&Task, &[i8]),
    ) {
        let (filters, channels, volumes) = self.parts();
        let parts = Parts {
            filters,
            channels,
            volumes,
        };
        // Never `None`: every place is inside, as the plan says.
        let _ = run::<KindsOf<N>>(
            const { &N::PROGRAM },
            parts,
            image.as_slice(),
            arena.as_mut_slice(),
            after,
        );
    }

    /// What the bytes of the image stand for.
    #[must_use]
    pub fn image(&self) -> Quantization {
        self.volumes.first().copied().unwrap_or(Quantization::NONE)
    }

    /// What the bytes of the scores stand for.
    #[must_use]
    pub fn scores(&self) -> Quantization {
        let scores = self.volumes.get(N::PROGRAM.scores).copied();
        scores.unwrap_or(Quantization::NONE)
    }

    /// The nearest bytes to an image of numbers.
    pub fn encode(&self, image: &N::Input, to: &mut N::Image) {
        let is = self.image();
        for (to, &real) in to.as_mut_slice().iter_mut().zip(image.as_slice()) {
            *to = is.quantize(real);
        }
    }

    /// The nearest bytes to an image of pixels, depth innermost. `read_as` says of each depth slice, or of all, what is
    /// subtracted from a pixel and what it is divided by then: `[[0.0, 255.0]]`, or the mean and the deviation of a
    /// [`Normalisation`](../classify/struct.Normalisation.html). Floats are computed with once for each pixel value and
    /// slice. Pixels that are missing leave their bytes as they are.
    ///
    /// ```
    /// # use convnet_core as convnet;
    /// use convnet::int8::{Quantize, Quantized};
    ///
    /// fn read<N, const F: usize, const C: usize, const V: usize>(
    ///     twin: &Quantized<N, F, C, V>,
    ///     camera: &[u8],
    ///     image: &mut N::Image,
    /// ) where
    ///     N: Quantize,
    /// {
    ///     twin.encode_pixels(camera, &[[0.0, 255.0]], image);
    /// }
    /// ```
    pub fn encode_pixels(&self, pixels: &[u8], read_as: &[[f64; 2]], to: &mut N::Image) {
        let (is, depth) = (self.image(), N::Image::SHAPE[2]);
        for (slice, [mean, deviation]) in (0..depth).zip(read_as.iter().cycle()) {
            let bytes: [i8; 256] =
                core::array::from_fn(|p| is.quantize(((p as f64 - mean) / deviation) as f32));
            let pixels = pixels.iter().skip(slice).step_by(depth);
            let to = to.as_mut_slice().iter_mut().skip(slice).step_by(depth);
            to.zip(pixels)
                .for_each(|(to, &pixel)| *to = bytes[usize::from(pixel)]);
        }
    }

    /// The scores as numbers.
    pub fn decode(&self, scores: &N::Scores, to: &mut N::Output) {
        let is = self.scores();
        for (to, &byte) in to.as_mut_slice().iter_mut().zip(scores.as_slice()) {
            *to = is.real(byte);
        }
    }

    /// The scores of an image of numbers, as numbers: takes memory for each image.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn predict(&self, image: &N::Input) -> alloc::boxed::Box<N::Output> {
        let (mut bytes, mut arena) = (bytemuck::zeroed_box(), Self::arena());
        let mut scores = bytemuck::zeroed_box();
        self.encode(image, &mut bytes);
        self.decode(self.forward(&bytes, &mut arena), &mut scores);
        scores
    }
}
