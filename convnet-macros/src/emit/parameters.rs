//! `impl Parameters`: the tensors by index.

use proc_macro2::TokenStream;

use super::{Kind, Network, code, literal, own};

/// A tensor of a layer.
pub(super) struct Tensor {
    /// The field of the layer.
    pub(super) field: &'static str,
    /// A `Role`.
    role: &'static str,
    shape: Vec<TokenStream>,
}

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    let mut list = Vec::new();
    let (mut shared, mut unique) = (Vec::new(), Vec::new());
    for (i, layer) in network.fields() {
        for Tensor { field, role, shape } in tensors(network, i) {
            let name = format!("{}.{field}", layer.path);
            let role = own(role);
            let (index, layer, field) = (literal(list.len()), &layer.name, own(field));
            list.push(code! {
                #krate::Tensor { name: #name, role: #krate::Role::#role, shape: &[#(#shape),*] },
            });
            let flat = |method: &str| {
                let method = own(method);
                let axes = shape.iter().skip(1).map(|_| code!(.#method()));
                code!(#(#axes)*)
            };
            let (read, write) = (flat("as_flattened"), flat("as_flattened_mut"));
            shared.push(match shape.len() {
                1 => code!(#index => &self.#layer.#field,),
                _ => code!(#index => self.#layer.#field #read,),
            });
            unique.push(match shape.len() {
                1 => code!(#index => &mut self.#layer.#field,),
                _ => code!(#index => self.#layer.#field #write,),
            });
        }
    }
    code! {
        impl<T: #krate::Real> #krate::Parameters for #name<T> {
            type Scalar = T;
            const TENSORS: &'static [#krate::Tensor] = &[#(#list)*];

            fn tensor(&self, index: usize) -> &[T] {
                match index { #(#shared)* _ => &[] }
            }

            fn tensor_mut(&mut self, index: usize) -> &mut [T] {
                match index { #(#unique)* _ => &mut [] }
            }
        }
    }
}

/// What layer `i` learns, in the order of its fields. A bias that is not learned is none.
pub(super) fn tensors(network: &Network, i: usize) -> Vec<Tensor> {
    let [h, w, d] = [0, 1, 2].map(|axis| network.axis_before(i, axis));
    let k = network.axis(i, 2);
    if let Kind::BatchNorm { .. } = &network.layers[i].kind {
        let fields = [
            ("gamma", "Gain"),
            ("beta", "Bias"),
            ("mean", "Mean"),
            ("variance", "Variance"),
        ];
        let tensor = |(field, role)| Tensor {
            field,
            role,
            shape: vec![k.clone()],
        };
        return fields.map(tensor).into();
    }
    let filters = |role, shape: [TokenStream; 4]| Tensor {
        field: "filters",
        role,
        shape: shape.into(),
    };
    let (weights, bias) = match &network.layers[i].kind {
        Kind::Conv { bias, window } => {
            let [fh, fw] = window.size.clone();
            (filters("Filters", [fh, fw, d, k.clone()]), *bias)
        }
        Kind::GroupedConv { bias, window } => {
            let ([fh, fw], d) = (window.size.clone(), network.filter_depth(i));
            (filters("Filters", [fh, fw, d, k.clone()]), *bias)
        }
        Kind::ConvTranspose(window) => {
            let [fh, fw] = window.size.clone();
            (filters("Filters", [fh, fw, k.clone(), d]), true)
        }
        Kind::Depthwise { bias, window } => {
            let [fh, fw] = window.size.clone();
            (filters("Filters", [fh, fw, literal(1), k.clone()]), *bias)
        }
        _ => (filters("Weights", [h, w, d, k.clone()]), true),
    };
    let bias = bias.then(|| Tensor {
        field: "bias",
        role: "Bias",
        shape: vec![k],
    });
    [weights].into_iter().chain(bias).collect()
}
