//! How an image goes through a network in training: as it is, or as int8 would have it.

pub(super) use crate::int8::Cut;
use crate::int8::{Fake, Passes, Quantize, Rounds};
use crate::memory::heap::zeroed_box;
use crate::network::observe::Watch;
use crate::{AnyVolume, Trainable};

/// A way through networks `N`.
pub(super) trait Pass<N: Trainable>: Sync {
    /// What it is called in a checkpoint, if it is not the plain one.
    fn name(&self) -> Option<&'static str> {
        None
    }

    /// Whether the images of a batch exchange moments; or the running statistics hold, and stay.
    fn exchanges(&self) -> bool {
        N::EXCHANGES
    }

    /// The weights that images meet; in `room`, if they are others than the network's.
    fn weights<'a>(&self, net: &'a N, room: &'a mut Option<Box<N>>) -> &'a N {
        let _ = room;
        net
    }

    /// A segment of forward; the seed decides what is dropped.
    fn forward<'a>(
        &self,
        net: &N,
        segment: usize,
        seed: u64,
        place: Place<'a, N>,
    ) -> &'a N::Output {
        net.forward_segment(segment, place.image, place.tape, seed)
    }

    /// A segment of backward.
    fn backward(
        &self,
        net: &N,
        segment: usize,
        place: Place<'_, N>,
        d_scores: &mut N::Output,
        gradient: &mut N,
    ) {
        net.backward_segment(segment, place.image, None, place.tape, d_scores, gradient);
    }
}

/// Where an image is on its way.
pub(super) struct Place<'a, N: Trainable> {
    pub(super) image: &'a mut N::Input,
    pub(super) tape: &'a mut N::Tape,
    /// What a pass notes on its way forward.
    pub(super) cut: &'a mut Cut,
}

/// A network, and the way through it.
pub(super) struct Through<'a, N> {
    pub(super) net: &'a N,
    pub(super) pass: &'a dyn Pass<N>,
}

impl<N> Clone for Through<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Through<'_, N> {}

/// As it is.
pub(super) struct Plain;

impl<N: Trainable> Pass<N> for Plain {}

impl<N: Quantize + Trainable> Pass<N> for Fake {
    fn name(&self) -> Option<&'static str> {
        Some("int8")
    }

    fn exchanges(&self) -> bool {
        false
    }

    fn weights<'a>(&self, net: &'a N, room: &'a mut Option<Box<N>>) -> &'a N {
        let room = room.get_or_insert_with(zeroed_box);
        Fake::weights(self, net, room);
        room
    }

    fn forward<'a>(
        &self,
        net: &N,
        segment: usize,
        seed: u64,
        place: Place<'a, N>,
    ) -> &'a N::Output {
        if segment == 0 {
            self.image(place.image.as_mut_slice());
            place.cut.clear();
        }
        let watch = &mut Rounds(self, place.cut);
        net.forward_segment_watched(segment, place.image, place.tape, seed, watch)
    }

    fn backward(
        &self,
        net: &N,
        segment: usize,
        place: Place<'_, N>,
        d_scores: &mut N::Output,
        gradient: &mut N,
    ) {
        let watch = &mut Passes(place.cut);
        if segment + 1 == N::SEGMENTS {
            watch.alter(N::LAYERS.len().saturating_sub(1), d_scores.as_mut_slice());
        }
        let (image, tape) = (place.image, place.tape);
        net.backward_segment_watched(segment, image, None, tape, d_scores, gradient, watch);
    }
}
