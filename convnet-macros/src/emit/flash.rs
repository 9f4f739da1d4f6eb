//! The network from the bytes of a weight file, for `weights!`.

use proc_macro2::TokenStream;

use super::{Network, code, literal, structure};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    let mut fields: Vec<TokenStream> = Vec::new();
    for (i, layer) in network.fields() {
        let (field, ty) = (&layer.name, structure::field(network, i));
        let (filters, bias) = (literal(2 * fields.len()), literal(2 * fields.len() + 1));
        fields.push(code!(#field: <#ty>::from_bytes(tensors[#filters], tensors[#bias])));
    }
    let count = literal(2 * fields.len());
    if fields.is_empty() {
        fields.push(code!(__scalar: ::core::marker::PhantomData));
    }
    code! {
        impl<T: #krate::Real> #name<T> {
            #[doc(hidden)]
            #[allow(clippy::result_large_err)] // only the compiler calls it
            pub const fn __in_flash(
                file: &[u8],
            ) -> ::core::result::Result<Self, #krate::flash::Message> {
                match #krate::flash::tensors::<Self, #count>(file) {
                    ::core::result::Result::Ok(tensors) => {
                        let _ = tensors;
                        ::core::result::Result::Ok(Self { #(#fields),* })
                    }
                    ::core::result::Result::Err(message) => {
                        ::core::result::Result::Err(message)
                    }
                }
            }
        }
    }
}
