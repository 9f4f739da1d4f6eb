//! What a user calls without importing a trait.

use proc_macro2::TokenStream;

use super::{Network, code, nested, types};

pub(super) fn emit(network: &Network) -> TokenStream {
    let parts = [
        constants(network),
        functions(network),
        heap(network),
        nested::unfit(network),
        display(network),
    ];
    parts.into_iter().collect()
}

/// In `impl Name<f32>`, so that `Name::PARAMETERS` needs no annotation; bytes are those of `f32`.
fn constants(network: &Network) -> TokenStream {
    let Network {
        krate,
        name,
        layers,
        input: [h, w, d],
        ..
    } = network;
    let text = name.to_string();
    let [oh, ow, od] = [0, 1, 2].map(|axis| network.axis(layers.len() - 1, axis));
    let [table, arena, tape] = match &network.plan {
        // What the compiler knows too little of to say what it implements is one error.
        Some(plan) => [
            network.table(),
            code!(#plan.totals.arena),
            match network.direct_training {
                true => code!(#plan.totals.volumes()),
                false => code!(#plan.totals.tape),
            },
        ],
        None => [
            code!(<Self as #krate::Network>::LAYERS),
            code!(::core::mem::size_of::<#krate::Arena<Self>>()),
            code!(::core::mem::size_of::<#krate::Tape<Self>>()),
        ],
    };
    let (parameters, macs) = match &network.plan {
        Some(plan) => {
            let by_hand = (0..layers.len()).filter_map(|i| network.macs_by_hand(i));
            let macs = code!(#plan.totals.macs #(+ #by_hand)*);
            (code!(#plan.totals.parameters), macs)
        }
        None => {
            let (parameters, macs) = (network.totals.parameters, network.totals.macs);
            (code!(#parameters), code!(#macs))
        }
    };
    let (packing, prepared) = match &network.plan {
        // As above; whether it can be prepared depends on what it is made of.
        Some(plan) if !nested::bounds(network).is_empty() => {
            (code!(&[]), code!(const { #plan.totals.prepared }))
        }
        _ => {
            let prepare = code!(<Self as #krate::prepare::Prepare>);
            (
                code!(#prepare::PACKING),
                code!(::core::mem::size_of::<#prepare::Overlay>()),
            )
        }
    };
    let graph = network.constant("GRAPH");
    let values = values(network);
    let [about_input, about_output] = [("image", &values[0]), ("scores", &values[1])].map(|(what, value)| {
        format!(
            " The {what}{value}: height, width, depth, in the order of memory. (A declaration says the width first.)"
        )
    });
    let [about_arena, about_tape] = [("arena", &values[2]), ("tape", &values[3])]
        .map(|(what, value)| format!(" Bytes of the {what} in `f32`{value}."));
    code! {
        impl #name<::core::primitive::f32> {
            #[doc = #about_input]
            pub const INPUT: [::core::primitive::usize; 3] = [#h, #w, #d];
            #[doc = #about_output]
            pub const OUTPUT: [::core::primitive::usize; 3] = [#oh, #ow, #od];
            /// The declaration as a table, a line each.
            pub const LAYERS: &'static [#krate::plan::LayerInfo<'static>] = #table;
            /// The declaration as a graph: every hyperparameter, every edge.
            pub const GRAPH: &'static [#krate::graph::Node<'static>] = #graph;
            /// Learned scalars.
            pub const PARAMETERS: ::core::primitive::usize = #parameters;
            /// Multiply-adds of one forward pass.
            pub const MACS: ::core::primitive::u64 = #macs;
            #[doc = #about_arena]
            pub const ARENA_BYTES: ::core::primitive::usize = #arena;
            #[doc = #about_tape]
            pub const TAPE_BYTES: ::core::primitive::usize = #tape;

            /// The table of the network, to print.
            #[must_use]
            pub const fn summary() -> #krate::Summary<'static> {
                #krate::Summary {
                    name: #text,
                    input: Self::INPUT,
                    layers: Self::LAYERS,
                    arena_bytes: Self::ARENA_BYTES,
                    tape_bytes: Self::TAPE_BYTES,
                    packing: #packing,
                    prepared_bytes: #prepared,
                }
            }
        }
    }
}

/// For the documentation, the values of `INPUT`, `OUTPUT`, `ARENA_BYTES` and `TAPE_BYTES`, which rustdoc does not
/// compute: `, [32, 32, 3]`; nothing where the compiler alone knows them.
fn values(network: &Network) -> [String; 4] {
    let (None, Some(last)) = (&network.plan, network.steps.last()) else {
        return Default::default();
    };
    let volume = |volume: [usize; 3]| format!(", `{volume:?}`");
    let bytes = |bytes: usize| format!(", {bytes}");
    [
        volume(network.image),
        volume(last.volume),
        bytes(network.totals.arena),
        bytes(network.totals.tape),
    ]
}

fn functions(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    let (input, output) = (
        network.input_of(0),
        network.volume_in_full(network.layers.len() - 1),
    );
    let mut zeros: Vec<TokenStream> = network
        .fields()
        .map(|(i, layer)| {
            let (name, ty) = (&layer.name, types::field(network, i));
            match nested::elsewhere(network, i) {
                Some(_) => code!(#name: #krate::__private::zeroed()),
                None => code!(#name: <#ty>::ZERO),
            }
        })
        .collect();
    if zeros.is_empty() {
        zeros.push(code!(__scalar: ::core::marker::PhantomData));
    }
    let zero = match network.stands_in {
        true => code!(#krate::__private::zeroed()),
        false => code!(Self { #(#zeros),* }),
    };
    let bounds = nested::bounds(network);
    let look = code! {
        look: impl ::core::ops::FnMut(&'static #krate::plan::LayerInfo<'static>, #krate::Seen<'_, T>)
    };
    code! {
        impl<T: #krate::Real> #name<T> #bounds {
            /// All parameters zero. For a `static`, or a network small enough for the stack; a
            /// large one is built in place on the heap, by `boxed`.
            pub const ZERO: Self = #zero;

            /// The scores of `input`.
            pub fn forward<'a>(
                &self,
                input: &#input,
                arena: &'a mut #krate::Arena<Self>,
            ) -> &'a #output {
                #krate::Network::forward(self, input, arena)
            }

            /// Forward as in training: dropout drops, by `seed`, and what `backward` needs stays
            /// on the tape.
            pub fn forward_train<'a>(
                &self,
                input: &#input,
                tape: &'a mut #krate::Tape<Self>,
                seed: ::core::primitive::u64,
            ) -> &'a #output {
                #krate::Trainable::forward_train(self, input, tape, seed)
            }

            /// Adds the gradient on the parameters to `gradient`, and writes the one on the image
            /// to `d_input` if it is asked for. The tape must come from `forward_train` with the
            /// same `input`, and is used up.
            pub fn backward(
                &self,
                input: &#input,
                d_input: ::core::option::Option<&mut #input>,
                tape: &mut #krate::Tape<Self>,
                d_output: &#output,
                gradient: &mut Self,
            ) {
                #krate::Trainable::backward(self, input, d_input, tape, d_output, gradient);
            }

            /// `forward`, in which `look` is shown what each layer writes, with its line of the table.
            pub fn observe<'a>(
                &self,
                input: &#input,
                arena: &'a mut #krate::Arena<Self>,
                #look,
            ) -> &'a #output {
                #krate::Network::observe(self, input, arena, look)
            }

            /// `forward_train`, in which `look` is shown what each layer writes.
            pub fn observe_train<'a>(
                &self,
                input: &#input,
                tape: &'a mut #krate::Tape<Self>,
                seed: ::core::primitive::u64,
                #look,
            ) -> &'a #output {
                #krate::Trainable::observe_train(self, input, tape, seed, look)
            }

            /// `backward`, in which `look` is shown the gradient on what each layer has written.
            pub fn observe_backward(
                &self,
                input: &#input,
                d_input: ::core::option::Option<&mut #input>,
                tape: &mut #krate::Tape<Self>,
                d_output: &#output,
                gradient: &mut Self,
                #look,
            ) {
                #krate::Trainable::observe_backward(
                    self, input, d_input, tape, d_output, gradient, look,
                );
            }
        }
    }
}

/// Where there is a heap; whether there is, `convnet` knows and the user's crate does not. In `impl
/// Name<f32>`, as the constants: `Name::random(1)` needs no annotation. Other scalars have `OnHeap`.
fn heap(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    // As `nested::bounds`, in so many words: of one scalar, these would say the same of one type twice.
    let bounds = match nested::bounds(network).is_empty() {
        true => TokenStream::new(),
        false => code!(where for<'__any> Self: #krate::Trainable),
    };
    code! {
        #krate::__if_alloc! {
            impl #name<::core::primitive::f32> #bounds {
                /// All parameters zero, built in place on the heap.
                #[must_use]
                pub fn boxed() -> #krate::__private::Box<Self> {
                    <Self as #krate::OnHeap>::boxed()
                }

                /// Filters drawn at random by `seed` (Kaiming), biases zero: ready to be trained.
                #[must_use]
                pub fn random(seed: ::core::primitive::u64) -> #krate::__private::Box<Self> {
                    <Self as #krate::OnHeap>::random(seed)
                }

                /// An arena for `forward`, built in place on the heap.
                #[must_use]
                pub fn arena() -> #krate::__private::Box<#krate::Arena<Self>> {
                    <Self as #krate::OnHeap>::arena()
                }

                /// A tape for `forward_train` and `backward`, built in place on the heap.
                #[must_use]
                pub fn tape() -> #krate::__private::Box<#krate::Tape<Self>> {
                    <Self as #krate::OnHeap>::tape()
                }
            }
        }
    }
}

/// The table: the same for every scalar.
fn display(network: &Network) -> TokenStream {
    let Network { krate, name, .. } = network;
    code! {
        impl<T: #krate::Real> ::core::fmt::Display for #name<T> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&<#name<::core::primitive::f32>>::summary(), f)
            }
        }
    }
}
