//! `impl Parameters`: the tensors by index.

use convnet_core::graph::{Length, RoleOf, TensorOf};
use proc_macro2::{Literal, TokenStream};
use quote::ToTokens;

use super::{Network, code, literal, nested, own, types};
use crate::syntax::Decimal;

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

/// The tensors of layer `i`, in the order of its fields. What is not learned, by `bias = none`, is none.
pub(super) fn tensors(network: &Network, i: usize) -> Vec<Tensor> {
    let kind = &network.layers[i].kind;
    let kept = |tensor: &&TensorOf| !tensor.role.is_optional() || kind.has_bias();
    let tensors = kind.word().tensors.iter().filter(kept);
    let tensor = |tensor: &TensorOf| Tensor {
        field: tensor.field,
        role: role(network, i, tensor),
        shape: tensor
            .shape
            .iter()
            .map(|length| types::length(network, i, *length))
            .collect(),
    };
    tensors.map(tensor).collect()
}

/// A `Role`, with its numbers.
fn role(network: &Network, i: usize, tensor: &TensorOf) -> TokenStream {
    match tensor.role {
        RoleOf::Filters if tensor.shape.contains(&Length::One) => {
            let groups = network.axis(i, 2);
            code!(Grouped(#groups))
        }
        RoleOf::Filters => match network.depth_of_group(i) {
            Some(of_group) => {
                let depth = network.cut_in_groups(i);
                code!(Grouped((#depth) / #of_group))
            }
            None => code!(Filters),
        },
        RoleOf::Weights => code!(Weights),
        RoleOf::Bias | RoleOf::Shift => code!(Bias),
        RoleOf::Gain => code!(Gain),
        RoleOf::Slope => code!(Slope),
        RoleOf::Mean(momentum) => {
            let momentum = bits(network, i, momentum);
            code!(Mean(#momentum))
        }
        RoleOf::Variance(eps, momentum) => {
            let [eps, momentum] = [eps, momentum].map(|name| bits(network, i, name));
            code!(Variance(#eps, #momentum))
        }
    }
}

/// The bits of a decimal of layer `i`; those that the macro knows are a literal: a call would be evaluated for each
/// layer.
fn bits(network: &Network, i: usize, name: &str) -> TokenStream {
    match types::decimal(&network.layers[i].kind, name) {
        Some(Decimal::Known(known)) => Literal::u64_unsuffixed(known.to_bits()).into_token_stream(),
        named => code!(const { ::core::primitive::f64::to_bits(#named) }),
    }
}
