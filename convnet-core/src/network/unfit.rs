//! What a program calls of a network, where what is inside it is no network or no layer: then
//! nothing of it is implemented, and this stands in, so that the one mistake is one error.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

use crate::plan::LayerInfo;
use crate::{AnyVolume, Seen};

/// What is no arena and no tape.
#[derive(Debug)]
pub struct Nothing<N>(core::marker::PhantomData<N>);

/// The functions of a network by their names. Those that a network implements itself come first.
pub trait Unfit: Sized {
    /// The image.
    type Input: AnyVolume;
    /// The scores.
    type Output;

    /// As in every network.
    fn forward<'a>(&self, _: &Self::Input, _: &'a mut Nothing<Self>) -> &'a Self::Output {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn forward_train<'a>(
        &self,
        _: &Self::Input,
        _: &'a mut Nothing<Self>,
        _: u64,
    ) -> &'a Self::Output {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn backward(
        &self,
        _: &Self::Input,
        _: Option<&mut Self::Input>,
        _: &mut Nothing<Self>,
        _: &Self::Output,
        _: &mut Self,
    ) {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn observe<'a>(
        &self,
        _: &Self::Input,
        _: &'a mut Nothing<Self>,
        _: impl FnMut(&'static LayerInfo<'static>, Looked<'_, Self>),
    ) -> &'a Self::Output {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn observe_train<'a>(
        &self,
        _: &Self::Input,
        _: &'a mut Nothing<Self>,
        _: u64,
        _: impl FnMut(&'static LayerInfo<'static>, Looked<'_, Self>),
    ) -> &'a Self::Output {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn observe_backward(
        &self,
        _: &Self::Input,
        _: Option<&mut Self::Input>,
        _: &mut Nothing<Self>,
        _: &Self::Output,
        _: &mut Self,
        _: impl FnMut(&'static LayerInfo<'static>, Looked<'_, Self>),
    ) {
        const { unfit::<Self>() }
    }
}

/// What would be looked at.
type Looked<'a, N> = Seen<'a, <<N as Unfit>::Input as AnyVolume>::Scalar>;

/// The functions that build it on the heap, in `f32`: of other scalars [`OnHeap`](crate::OnHeap) has them.
#[cfg(feature = "alloc")]
pub trait UnfitOnHeap: Sized {
    /// As in every network.
    fn boxed() -> Box<Self> {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn random(_: u64) -> Box<Self> {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn arena() -> Box<Nothing<Self>> {
        const { unfit::<Self>() }
    }

    /// As in every network.
    fn tape() -> Box<Nothing<Self>> {
        const { unfit::<Self>() }
    }
}

/// The compiler stops here before it makes a program of it. It must not know the answer before it knows
/// `N`, or an optimizing build stops in every program.
const fn unfit<N>() -> ! {
    assert!(
        size_of::<N>() > isize::MAX as usize,
        "a network was called that has no network or layer inside where it names one"
    );
    unreachable!()
}
