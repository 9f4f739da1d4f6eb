//! The network from the bytes of a weight file, for `weights!`.

use proc_macro2::TokenStream;

use super::{Network, code, literal, parameters, structure};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    let (mut fields, mut count): (Vec<TokenStream>, usize) = (Vec::new(), 0);
    for (i, layer) in network.fields() {
        let (field, ty) = (&layer.name, structure::field(network, i));
        let tensors = parameters::tensors(network, i);
        let mut bytes: Vec<TokenStream> = (count..count + tensors.len())
            .map(literal)
            .map(|index| code!(tensors[#index]))
            .collect();
        count += tensors.len();
        // A bias that is not learned.
        if let [only] = tensors.as_slice()
            && only.field == "filters"
        {
            bytes.push(code!(&[]));
        }
        fields.push(code!(#field: <#ty>::from_bytes(#(#bytes),*)));
    }
    let count = literal(count);
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
