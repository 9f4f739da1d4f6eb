//! `impl Parameters`: the tensors by index.

use proc_macro2::TokenStream;

use super::{Kind, Network, code, literal};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    let mut tensors = Vec::new();
    let (mut shared, mut unique) = (Vec::new(), Vec::new());
    for (i, layer) in network.fields() {
        let field = &layer.name;
        let (filters, bias) = (format!("{field}.filters"), format!("{field}.bias"));
        let [h, w, d] = [0, 1, 2].map(|axis| network.axis_before(i, axis));
        let k = network.axis(i, 2);
        let (role, [h, w]) = match &layer.kind {
            Kind::Conv(window) => (super::own("Filters"), window.size.clone()),
            _ => (super::own("Weights"), [h, w]),
        };
        tensors.push(code! {
            #krate::Tensor { name: #filters, role: #krate::Role::#role, shape: &[#h, #w, #d, #k] },
            #krate::Tensor { name: #bias, role: #krate::Role::Bias, shape: &[#k] },
        });
        let (first, second) = (literal(2 * shared.len()), literal(2 * shared.len() + 1));
        shared.push(code! {
            #first => self.#field.filters.as_flattened().as_flattened().as_flattened(),
            #second => &self.#field.bias,
        });
        unique.push(code! {
            #first => self.#field.filters.as_flattened_mut().as_flattened_mut().as_flattened_mut(),
            #second => &mut self.#field.bias,
        });
    }
    code! {
        impl<T: #krate::Real> #krate::Parameters for #name<T> {
            type Scalar = T;
            const TENSORS: &'static [#krate::Tensor] = &[#(#tensors)*];

            fn tensor(&self, index: usize) -> &[T] {
                match index { #(#shared)* _ => &[] }
            }

            fn tensor_mut(&mut self, index: usize) -> &mut [T] {
                match index { #(#unique)* _ => &mut [] }
            }
        }
    }
}
