//! # Observing: the volumes of a network while they are alive
//!
//! ```text
//!  conv1 ──▶ ▒▒▒▒ ──▶ relu1, in place ──▶ ▓▓▓▓ ──▶ max_pool1 ──▶ ░░ …
//!             │                            │                     │
//!        see(0, …)                    see(1, …)             see(2, …)        a line of the table, and its volume
//! ```
//!
//! A volume lies in memory that the next one may take over: so there is one moment at which it can be looked
//! at, and a network calls its [`Watch`] there. Its passes are written once, for any watch; `()` is the one
//! that does not look, with which nothing is left of these calls.

use crate::memory::seen::Seen;
use crate::plan::LayerInfo;
use crate::{AnyVolume, Element};

/// Who looks at volumes.
pub trait Watch<T> {
    /// Whether it does.
    const LOOKS: bool;

    /// The volume of a line of the table, or the gradient on it.
    fn see(&mut self, line: usize, volume: Seen<'_, T>);

    /// The same on a tape, before it is shown: what becomes of it is what layers go on with.
    fn alter(&mut self, line: usize, scalars: &mut [T]) {
        let _ = (line, scalars);
    }
}

impl<T> Watch<T> for () {
    const LOOKS: bool = false;

    fn see(&mut self, _: usize, _: Seen<'_, T>) {}
}

/// Who looks by a function, which is told the line as it stands in the table.
#[derive(Debug)]
pub(super) struct Lines<F>(pub(super) &'static [LayerInfo<'static>], pub(super) F);

impl<T, F> Watch<T> for Lines<F>
where
    F: FnMut(&'static LayerInfo<'static>, Seen<'_, T>),
{
    const LOOKS: bool = true;

    fn see(&mut self, line: usize, volume: Seen<'_, T>) {
        if let Some(layer) = self.0.get(line) {
            (self.1)(layer, volume);
        }
    }
}

/// The same, of a network inside, whose first line is a later one of the outer table.
#[derive(Debug)]
pub struct Behind<'a, W> {
    watch: &'a mut W,
    lines: usize,
}

impl<T, W: Watch<T>> Watch<T> for Behind<'_, W> {
    const LOOKS: bool = W::LOOKS;

    fn see(&mut self, line: usize, volume: Seen<'_, T>) {
        self.watch.see(self.lines + line, volume);
    }

    fn alter(&mut self, line: usize, scalars: &mut [T]) {
        self.watch.alter(self.lines + line, scalars);
    }
}

/// `watch`, behind so many `lines`.
#[inline]
pub fn behind<W>(watch: &mut W, lines: usize) -> Behind<'_, W> {
    Behind { watch, lines }
}

/// Shows `volume`, if somebody looks.
#[inline]
pub fn see<T: Element, W: Watch<T>, V: AnyVolume<Scalar = T>>(
    watch: &mut W,
    line: usize,
    volume: &V,
) {
    if W::LOOKS {
        watch.see(line, Seen::of(volume));
    }
}

/// Shows `volume` of a tape, if somebody looks, who may alter it.
#[inline]
pub fn see_mut<T: Element, W: Watch<T>, V: AnyVolume<Scalar = T>>(
    watch: &mut W,
    line: usize,
    volume: &mut V,
) {
    if W::LOOKS {
        watch.alter(line, volume.as_mut_slice());
        watch.see(line, Seen::of(volume));
    }
}
