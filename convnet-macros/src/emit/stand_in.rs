//! What stands in for a network that is wrong: every name and every type of it, and not one function that
//! computes. The error is the declaration's; no program is ever made of this, and the compiler should not
//! take long to say so.

use proc_macro2::TokenStream;

use super::{Network, code, inference, training};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        name,
        layers,
        ..
    } = network;
    let last = layers.len() - 1;
    let (input, output) = (network.image(), network.volume_in_full(last));
    let (arena, prepared) = (
        network.scalars(network.totals.arena, &code!(totals.arena)),
        network.scalars(network.totals.prepared, &code!(totals.prepared)),
    );
    let tape = training::scalars(network);
    let line = inference::row_with(network, last, &code!(#krate::graph::Op::Flatten));
    code! {
        impl<T: #krate::Real> #krate::Parameters for #name<T> {
            type Scalar = T;
            const TENSORS: &'static [#krate::Tensor] = &[];
            const STANDS_IN: ::core::primitive::bool = true;

            fn tensor(&self, _: ::core::primitive::usize) -> &[T] {
                ::core::unreachable!()
            }

            fn tensor_mut(&mut self, _: ::core::primitive::usize) -> &mut [T] {
                ::core::unreachable!()
            }
        }

        impl<T: #krate::Real> #krate::Network for #name<T> {
            type Input = #input;
            type Output = #output;
            type Arena = #krate::Overlay<T, #arena>;
            const LAYERS: &'static [#krate::plan::LayerInfo<'static>] = &[#line];

            fn forward<'a>(&self, _: &Self::Input, _: &'a mut Self::Arena) -> &'a Self::Output {
                ::core::unreachable!()
            }
        }

        impl<T: #krate::Real> #krate::Trainable for #name<T> {
            type Tape = #krate::Overlay<T, #tape>;

            fn forward_train<'a>(
                &self,
                _: &Self::Input,
                _: &'a mut Self::Tape,
                _: ::core::primitive::u64,
            ) -> &'a Self::Output {
                ::core::unreachable!()
            }

            fn backward(
                &self,
                _: &Self::Input,
                _: ::core::option::Option<&mut Self::Input>,
                _: &mut Self::Tape,
                _: &Self::Output,
                _: &mut Self,
            ) {
                ::core::unreachable!()
            }
        }

        impl<T: #krate::Real> #krate::prepare::Prepare for #name<T> {
            type Overlay = #krate::Overlay<T, #prepared>;
            const PACKING: &'static [#krate::prepare::Packing] = &[];

            fn pack(&self, _: &mut #krate::prepare::Packer<'_, T>) {
                ::core::unreachable!()
            }

            fn forward_packed(
                &self,
                _: &mut #krate::prepare::Reader<'_, T>,
                _: &mut [#krate::prepare::Image<'_, Self>],
            ) {
                ::core::unreachable!()
            }

            fn output_in(_: &Self::Overlay) -> &Self::Output {
                ::core::unreachable!()
            }
        }

        // SAFETY: it names no tensor.
        unsafe impl<T: #krate::Real> #krate::flash::InFlash for #name<T> {
            const OFFSETS: &'static [::core::primitive::usize] = &[];
        }
    }
}
