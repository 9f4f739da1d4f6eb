//! `impl Parameters`: the tensors by index.

use proc_macro2::{Literal, TokenStream};
use quote::ToTokens;

use super::{Kind, Network, code, literal, nested, own};
use crate::syntax::{Decimal, Window};

/// A tensor of a layer.
pub(super) struct Tensor {
    /// The field of the layer.
    pub(super) field: &'static str,
    /// A `Role`.
    role: TokenStream,
    shape: Vec<TokenStream>,
}

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    let runs = runs(network);
    let (list, shared, unique) = match runs.as_slice() {
        [] => (
            code!(&[]),
            code!(match index {
                _ => &[],
            }),
            code!(match index {
                _ => &mut [],
            }),
        ),
        [
            Run::Known {
                list,
                shared,
                unique,
            },
        ] => (
            code!(&[#(#list)*]),
            code!(match index { #(#shared)* _ => &[] }),
            code!(match index { #(#unique)* _ => &mut [] }),
        ),
        runs => joined(network, runs),
    };
    let bounds = nested::bounds(network);
    code! {
        impl<T: #krate::Real> #krate::Parameters for #name<T> #bounds {
            type Scalar = T;
            const TENSORS: &'static [#krate::Tensor] = #list;

            fn tensor(&self, index: ::core::primitive::usize) -> &[T] {
                #shared
            }

            fn tensor_mut(&mut self, index: ::core::primitive::usize) -> &mut [T] {
                #unique
            }
        }
    }
}

/// Tensors in a row.
enum Run {
    /// Those that the macro knows: a list, and arms of a `match` by index.
    Known {
        list: Vec<TokenStream>,
        shared: Vec<TokenStream>,
        unique: Vec<TokenStream>,
    },
    /// Those of a layer that only the compiler sees, by an expression.
    Elsewhere(usize, TokenStream),
}

fn runs(network: &Network) -> Vec<Run> {
    let krate = &network.krate;
    let mut runs = Vec::new();
    for (i, layer) in network.fields() {
        if let Some(tensors) = nested::elsewhere(network, i) {
            runs.push(Run::Elsewhere(i, tensors));
            continue;
        }
        if !matches!(runs.last(), Some(Run::Known { .. })) {
            let (list, shared, unique) = Default::default();
            runs.push(Run::Known {
                list,
                shared,
                unique,
            });
        }
        let Some(Run::Known {
            list,
            shared,
            unique,
        }) = runs.last_mut()
        else {
            continue;
        };
        for Tensor { field, role, shape } in tensors(network, i) {
            let name = format!("{}.{field}", layer.path);
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
    runs
}

/// The list of all, and statements that count the index down from run to run.
fn joined(network: &Network, runs: &[Run]) -> (TokenStream, TokenStream, TokenStream) {
    let krate = &network.krate;
    let (mut parts, mut read, mut write) = (Vec::new(), TokenStream::new(), TokenStream::new());
    for run in runs {
        match run {
            Run::Known {
                list,
                shared,
                unique,
            } => {
                let count = literal(list.len());
                parts.push(nested::section(krate, &code!(#krate::Tensor), list));
                read.extend(code! {
                    if index < #count {
                        return match index { #(#shared)* _ => &[] };
                    }
                    let index = index - #count;
                });
                write.extend(code! {
                    if index < #count {
                        return match index { #(#unique)* _ => &mut [] };
                    }
                    let index = index - #count;
                });
            }
            Run::Elsewhere(i, tensors) => {
                let layer = &network.layers[*i];
                let (field, prefix) = (&layer.name, format!("{}.", layer.path));
                parts.push(code!(#krate::join::Section::new(#prefix, #tensors)));
                read.extend(code! {
                    if index < #tensors.len() {
                        return #krate::Parameters::tensor(&self.#field, index);
                    }
                    let index = index - #tensors.len();
                });
                write.extend(code! {
                    if index < #tensors.len() {
                        return #krate::Parameters::tensor_mut(&mut self.#field, index);
                    }
                    let index = index - #tensors.len();
                });
            }
        }
    }
    (
        code!(#krate::__join!(tensors: #krate::Tensor, [#(#parts),*] [#(#parts),*])),
        code!(#read let _ = index; &[]),
        code!(#write let _ = index; &mut []),
    )
}

/// What layer `i` learns, in the order of its fields. A bias that is not learned is none.
pub(super) fn tensors(network: &Network, i: usize) -> Vec<Tensor> {
    let [h, w, d] = [0, 1, 2].map(|axis| network.axis_before(i, axis));
    let k = network.axis(i, 2);
    let filters = |role, shape: [TokenStream; 4]| Tensor {
        field: "filters",
        role,
        shape: shape.into(),
    };
    let size = |window: &Window| window.size.value.each_ref().map(ToTokens::to_token_stream);
    let (weights, bias) = match &network.layers[i].kind {
        Kind::BatchNorm { eps } => return statistics(eps, &k),
        Kind::Conv { bias, window, .. } => {
            let [fh, fw] = size(window);
            let (role, depth) = match network.depth_of_group(i) {
                Some(of_group) => (code!(Grouped((#d) / #of_group)), of_group),
                None => (code!(Filters), d),
            };
            (filters(role, [fh, fw, depth, k.clone()]), *bias)
        }
        Kind::ConvTranspose { window, .. } => {
            let [fh, fw] = size(window);
            (filters(code!(Filters), [fh, fw, k.clone(), d]), true)
        }
        Kind::Depthwise { bias, window } => {
            let [fh, fw] = size(window);
            let role = code!(Grouped(#k));
            (filters(role, [fh, fw, literal(1), k.clone()]), *bias)
        }
        Kind::Fc { .. } => (filters(code!(Weights), [h, w, d, k.clone()]), true),
        // They learn nothing, or name their own.
        Kind::Own { .. }
        | Kind::Network { .. }
        | Kind::Lrn { .. }
        | Kind::MaxPool { .. }
        | Kind::RowPool { .. }
        | Kind::AvgPool { .. }
        | Kind::GlobalAvgPool
        | Kind::GlobalMaxPool
        | Kind::Relu
        | Kind::Relu6
        | Kind::LeakyRelu { .. }
        | Kind::Sigmoid
        | Kind::Tanh
        | Kind::HardSwish
        | Kind::Softmax
        | Kind::Dropout { .. }
        | Kind::Flatten
        | Kind::Branch { .. }
        | Kind::Add { .. }
        | Kind::Concat { .. } => return Vec::new(),
    };
    let bias = bias.then(|| Tensor {
        field: "bias",
        role: code!(Bias),
        shape: vec![k],
    });
    [weights].into_iter().chain(bias).collect()
}

/// What a `batch_norm` of `k` depth slices learns and measures.
fn statistics(eps: &Decimal, k: &TokenStream) -> Vec<Tensor> {
    // Bits that the macro knows are a literal: a call would be evaluated for each layer.
    let bits = match eps {
        Decimal::Known(known) => Literal::u64_unsuffixed(known.to_bits()).into_token_stream(),
        Decimal::Named(_) => code!(const { ::core::primitive::f64::to_bits(#eps) }),
    };
    let fields = [
        ("gamma", code!(Gain)),
        ("beta", code!(Bias)),
        ("mean", code!(Mean)),
        ("variance", code!(Variance(#bits))),
    ];
    let tensor = |(field, role)| Tensor {
        field,
        role,
        shape: vec![k.clone()],
    };
    fields.map(tensor).into()
}
