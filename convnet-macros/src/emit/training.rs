//! `impl Trainable`: forward over the tape, and back.

use convnet_core::graph::{Cut, Manner};
use convnet_core::plan::{How, Place, Totals};
use proc_macro2::TokenStream;

use super::memory::{Lies, borrow};
use super::{Network, Which, code, inference, nested, segments, watched};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        name,
        layers,
        ..
    } = network;
    let output = network.volume_in_full(layers.len() - 1);
    let scalars = scalars(network);
    let at = network.to(layers.len() - 1, Which::Tape);
    let bounds = nested::bounds(network);
    let for_forward = code! {
        input: &Self::Input,
        memory: &'a mut Self::Tape,
        seed: ::core::primitive::u64,
    };
    let for_backward = code! {
        input: &Self::Input,
        d_input: ::core::option::Option<&mut Self::Input>,
        memory: &mut Self::Tape,
        d_output: &Self::Output,
        gradient: &mut Self,
    };
    let forward = segments::forward(network);
    let forward = code! {
        let _ = seed;
        #forward
        memory.at::<#output, #at>()
    };
    let backward = segments::backward(network);
    let backward = code! {
        let mut d_input = d_input;
        let _ = (input, &mut d_input, &d_output, &gradient);
        #backward
    };
    let (watch, nobody) = (watched::argument(network), watched::nobody());
    let segment = code!(segment: ::core::primitive::usize,);
    let watched = code! {
        fn forward_segment_watched<'a>(&self, #segment #for_forward #watch) -> &'a Self::Output {
            let _ = (segment, &watch);
            #forward
        }

        fn backward_segment_watched(&self, #segment #for_backward #watch) {
            let _ = (segment, &watch);
            #backward
        }
    };
    let trainable = code!(#krate::Trainable);
    let passes = match segments::count(network) {
        None => code! {
            fn forward_train<'a>(&self, #for_forward) -> &'a Self::Output {
                #trainable::forward_segment_watched(self, 0, input, memory, seed, #nobody)
            }

            fn backward(&self, #for_backward) {
                #trainable::backward_segment_watched(
                    self, 0, input, d_input, memory, d_output, gradient, #nobody,
                );
            }

            #watched
        },
        Some(count) => {
            let (moments, exchanges) = (segments::moments(network), segments::exchanges(network));
            let (fcs, whole_after) = (segments::fcs(network), segments::whole_after(network));
            code! {
                const SEGMENTS: ::core::primitive::usize = #count;
                const EXCHANGES: ::core::primitive::bool = #exchanges;

                fn forward_train<'a>(&self, #for_forward) -> &'a Self::Output {
                    #krate::network::forward_segments(self, input, memory, seed, #nobody)
                }

                fn backward(&self, #for_backward) {
                    #krate::network::backward_segments(
                        self, input, d_input, memory, d_output, gradient, #nobody,
                    );
                }

                fn forward_segment<'a>(&self, #segment #for_forward) -> &'a Self::Output {
                    #trainable::forward_segment_watched(self, segment, input, memory, seed, #nobody)
                }

                fn backward_segment(&self, #segment #for_backward) {
                    #trainable::backward_segment_watched(
                        self, segment, input, d_input, memory, d_output, gradient, #nobody,
                    );
                }

                #watched

                #fcs

                fn whole_after(index: ::core::primitive::usize) -> ::core::primitive::usize {
                    #whole_after
                }

                fn moments(
                    memory: &mut Self::Tape,
                    segment: ::core::primitive::usize,
                ) -> #krate::moments::MomentsMut<'_, T> {
                    #moments
                }
            }
        }
    };
    code! {
        impl<T: #krate::Real> #krate::Trainable for #name<T> #bounds {
            type Tape = #krate::Overlay<T, #scalars>;

            #passes
        }
    }
}

/// How many scalars the tape has, as a const argument.
pub(super) fn scalars(network: &Network) -> TokenStream {
    match network.direct_training {
        true => volumes(network),
        false => network.scalars(network.totals.tape, &code!(totals.tape)),
    }
}

/// How many of them are for the volumes; behind them lies what the layers work in.
fn volumes(network: &Network) -> TokenStream {
    let Totals {
        tape, tape_scratch, ..
    } = network.totals;
    network.scalars(tape - tape_scratch, &code!(totals.volumes()))
}

/// The backward pass of layer `i`; of a `batch_norm`, what comes after the batch has exchanged moments.
pub(super) fn step(network: &Network, i: usize) -> TokenStream {
    if let Manner::Multiplies = network.layers[i].kind.manner() {
        return product(network, i);
    }
    let mut shortcut = TokenStream::new();
    if matches!(network.layers[i].kind.manner(), Manner::Adds) {
        let copy = copy(network, i, Which::Shortcut);
        let sum = sum(network, i, Which::Shortcut);
        shortcut = requested(network, i, Which::Shortcut, code!(#copy #sum));
    }
    let way = match network.steps[i].backward.pass.how {
        How::Apart => apart(network, i),
        How::Skip | How::InPlace | How::Copy => {
            let copy = copy(network, i, Which::Backward);
            let rest = in_place(network, i);
            let sum = sum(network, i, Which::Backward);
            requested(network, i, Which::Backward, code!(#copy #rest #sum))
        }
    };
    code!(#shortcut #way)
}

/// Back through the product of a `scale`: first to its gate, for then the gradient may be turned where it lies.
fn product(network: &Network, i: usize) -> TokenStream {
    let (to_gate, to_input) = (to_gate(network, i), to_scaled(network, i));
    let to_gate = requested(network, i, Which::Backward, code!({ #to_gate }));
    let to_input = requested(network, i, Which::Shortcut, code!({ #to_input }));
    code!(#to_gate #to_input)
}

fn to_gate(network: &Network, i: usize) -> TokenStream {
    let layer = network.value(i);
    let (input, x) = inference::scaled(network, i, Which::Tape);
    let (output, dy) = dy(network, i, Which::Backward);
    let reads: Vec<Lies> = x.into_iter().chain(dy).collect();
    let d_gate = Lies {
        name: code!(d_gate),
        ty: network.input_of(i),
        at: network.to(i, Which::Backward),
    };
    let (bind, sum) = (borrow(&reads, &[d_gate]), sum(network, i, Which::Backward));
    code!(#input #output #bind #layer.backward_gate(x, dy, d_gate); #sum)
}

/// To what is multiplied: added to what there is of its gradient, or the one on the output turned into it.
fn to_scaled(network: &Network, i: usize) -> TokenStream {
    let layer = network.value(i);
    let flow = network.flow(i, Which::Shortcut);
    let (input, gate) = inference::gate(network, i, Which::Tape);
    let mut reads: Vec<Lies> = gate.into_iter().collect();
    let (before, place, at, call) = match flow.sum {
        Some(place) => {
            let (output, dy) = dy(network, i, Which::Shortcut);
            reads.extend(dy);
            let at = network.sum(i, Which::Shortcut);
            (output, place, at, code!(#layer.accumulate(gate, dy, dx);))
        }
        None => {
            let copy = copy(network, i, Which::Shortcut);
            let at = network.to(i, Which::Shortcut);
            let call = code!(#layer.backward_in_place(gate, dx););
            (copy, flow.pass.to, at, call)
        }
    };
    match place {
        Place::At(_) => {
            let dx = Lies {
                name: code!(dx),
                ty: network.volume(i),
                at,
            };
            let bind = borrow(&reads, &[dx]);
            code!(#before #input #bind #call)
        }
        Place::Input | Place::Output => {
            let bind = borrow(&reads, &[]);
            code! {
                #before
                if let ::core::option::Option::Some(dx) = d_input.as_deref_mut() { #input #bind #call }
            }
        }
    }
}

/// `dy`, which a flow reads: the caller's, or in the tape.
fn dy(network: &Network, i: usize, which: Which) -> (TokenStream, Option<Lies>) {
    match network.flow(i, which).pass.from {
        Place::At(_) => {
            let dy = Lies {
                name: code!(dy),
                ty: network.volume(i),
                at: network.from(i, which),
            };
            (TokenStream::new(), Some(dy))
        }
        Place::Input | Place::Output => (code!(let dy = d_output;), None),
    }
}

/// What only serves `d_input` is not done if that is not asked for.
fn requested(network: &Network, i: usize, which: Which, way: TokenStream) -> TokenStream {
    match network.flow(i, which).on_request && !way.is_empty() {
        true => code!(if d_input.is_some() { #way }),
        false => way,
    }
}

/// The share of the gradient that the way back through the `fc` `i` has written, where there are others.
pub(super) fn shared(network: &Network, i: usize) -> TokenStream {
    let sum = sum(network, i, Which::Backward);
    requested(network, i, Which::Backward, sum)
}

/// The gradient on the output, where it is to be copied.
fn copy(network: &Network, i: usize, which: Which) -> TokenStream {
    let pass = network.flow(i, which).pass;
    match pass.how {
        How::Copy => {
            let from = (pass.from, network.from(i, which));
            let to = (pass.to, network.to(i, which));
            transfer(&network.volume(i), from, to, &code!(copy_from))
        }
        How::Skip | How::InPlace | How::Apart => TokenStream::new(),
    }
}

/// The share of the gradient, where there are others.
fn sum(network: &Network, i: usize, which: Which) -> TokenStream {
    let flow = network.flow(i, which);
    let v = match (which, flow.pass.how) {
        (Which::Backward, How::Apart) => network.input_of(i),
        _ => network.volume(i),
    };
    match flow.sum {
        Some(sum) => {
            let from = (flow.pass.to, network.to(i, which));
            let to = (sum, network.sum(i, which));
            let sum = transfer(&v, from, to, &code!(accumulate));
            segments::at_the_end(network, i, sum)
        }
        None => TokenStream::new(),
    }
}

/// Calls `method` of the volume at `to` on the one at `from`.
fn transfer(
    v: &TokenStream,
    (from, from_at): (Place, TokenStream),
    (to, to_at): (Place, TokenStream),
    method: &TokenStream,
) -> TokenStream {
    match (from, to) {
        (Place::At(_), Place::At(_)) => code! {
            let (from, to) = memory.pair::<#v, #from_at, #v, #to_at>();
            to.#method(from);
        },
        (_, Place::At(_)) => code!(memory.at_mut::<#v, #to_at>().#method(d_output);),
        (from, _) => {
            let from = match from {
                Place::At(_) => code!(memory.at::<#v, #from_at>()),
                Place::Input | Place::Output => code!(d_output),
            };
            code! {
                if let ::core::option::Option::Some(to) = d_input.as_deref_mut() {
                    to.#method(#from);
                }
            }
        }
    }
}

/// A layer that works in place turns the gradient where it lies; in the caller's `d_input`, if it
/// is asked for.
fn in_place(network: &Network, i: usize) -> TokenStream {
    let krate = &network.krate;
    let (v, layer) = (network.volume(i), network.value(i));
    let (kept, call) = match network.layers[i].kind.manner() {
        Manner::Drops => (network.mask(i), code!(#layer.backward(kept, dv);)),
        Manner::Clamps | Manner::Activates => (
            network.to(i, Which::Tape),
            code!(#krate::Activation::backward(&#layer, kept, dv);),
        ),
        // The gradient passes unchanged, or is not turned in place.
        Manner::Passes
        | Manner::Branches
        | Manner::Adds
        | Manner::Concatenates
        | Manner::Filters
        | Manner::Normalises
        | Manner::Selects
        | Manner::Averages
        | Manner::Multiplies
        | Manner::ActivatesByInput => return TokenStream::new(),
    };
    match network.steps[i].backward.pass.to {
        Place::At(_) => {
            let dv = network.to(i, Which::Backward);
            code! {
                let (kept, dv) = memory.pair::<#v, #kept, #v, #dv>();
                #call
            }
        }
        Place::Input | Place::Output => code! {
            if let ::core::option::Option::Some(dv) = d_input.as_deref_mut() {
                let kept = memory.at::<#v, #kept>();
                #call
            }
        },
    }
}

/// A layer that reads `dy`, and perhaps x, and writes `dx`.
fn apart(network: &Network, i: usize) -> TokenStream {
    let krate = &network.krate;
    let flow = network.steps[i].backward;
    let kind = &network.layers[i].kind;
    let (layer, name) = (network.value(i), &network.layers[i].name);
    let takes_an_option = matches!(kind.cut(), Cut::Inside) || has_scratch(network, i);
    let call = match (network.value_by_hand(i), kind.manner()) {
        _ if takes_an_option => with_option(network, i, &code!(::core::option::Option::Some(dx))),
        (Some(what), _) => network.by_hand(i, what, &code!(Backward(x, dx, dy))),
        (None, Manner::Normalises) => code!(#layer.backward_normalised(x, dy, moments, dx);),
        (None, Manner::Filters) => {
            code!(#krate::Layer::backward(&#layer, x, dx, dy, &mut gradient.#name);)
        }
        (None, Manner::Selects | Manner::ActivatesByInput) => {
            code!(#krate::Layer::backward(&#layer, x, dx, dy, &mut #layer);)
        }
        // Of those that work apart, the ones whose backward needs the gradient only.
        (
            None,
            Manner::Averages
            | Manner::Concatenates
            | Manner::Clamps
            | Manner::Activates
            | Manner::Drops
            | Manner::Passes
            | Manner::Branches
            | Manner::Multiplies
            | Manner::Adds,
        ) => code!(#layer.backward_input(dx, dy);),
    };
    let parameters_only = network.is_field(i).then(|| match kind.cut() {
        _ if takes_an_option => with_option(network, i, &code!(::core::option::Option::None)),
        // That is done.
        Cut::Moments => code!(let _ = (x, dy, moments);),
        Cut::Nowhere | Cut::MicroBatches | Cut::Inside => {
            code!(#krate::Layer::backward_parameters(&#layer, x, dy, &mut gradient.#name);)
        }
    });
    let (bind, read) = (bind(network, i, true), bind(network, i, false));
    match (flow.on_request, flow.pass.to) {
        (false, _) => {
            let sum = sum(network, i, Which::Backward);
            code!(#bind #call #sum)
        }
        (true, Place::At(_)) => {
            let sum = sum(network, i, Which::Backward);
            code! {
                if d_input.is_some() { #bind #call #sum } else { #read #parameters_only }
            }
        }
        (true, _) if takes_an_option => {
            let call = with_option(network, i, &code!(d_input.as_deref_mut()));
            code!(#read #call)
        }
        (true, _) => code! {
            #read
            match d_input.as_deref_mut() {
                ::core::option::Option::Some(dx) => { #call }
                ::core::option::Option::None => { #parameters_only }
            }
        },
    }
}

/// The backward pass of layer `i`, a network or a `conv` with scratch, to `dx`, an option.
fn with_option(network: &Network, i: usize, dx: &TokenStream) -> TokenStream {
    let (krate, name) = (&network.krate, &network.layers[i].name);
    if has_scratch(network, i) {
        return code!(self.#name.backward_train(x, #dx, dy, scratch, &mut gradient.#name););
    }
    let (segment, watch) = (
        segments::of_network(network, i),
        watched::inside(network, i),
    );
    code! {
        #krate::network::nested::backward_segment(
            &self.#name, #segment, x, #dx, inner, dy, &mut gradient.#name, &mut #watch,
        );
    }
}

/// Whether layer `i` may work in the tape's scratch, as far as the macro sees.
pub(super) fn has_scratch(network: &Network, i: usize) -> bool {
    let wanted = !network.direct_training && network.layers[i].kind.is_conv();
    wanted && (network.plan.is_some() || network.totals.tape_scratch > 0)
}

/// What a layer works in while it is trained, behind the tape.
pub(super) fn scratch(network: &Network) -> Lies {
    let krate = &network.krate;
    let len = network.scalars(network.totals.tape_scratch, &code!(totals.tape_scratch));
    Lies {
        name: code!(scratch),
        ty: code!(#krate::Overlay<T, #len>),
        at: volumes(network),
    }
}

/// What the way back through the `fc` `i` reads and writes: `(x, dy, dx)`, the last one an option.
pub(super) fn ends(network: &Network, i: usize) -> TokenStream {
    let (bind, read) = (bind(network, i, true), bind(network, i, false));
    let (some, none) = (
        code!(::core::option::Option::Some),
        code!(::core::option::Option::None),
    );
    let flow = network.flow(i, Which::Backward);
    match (flow.on_request, flow.pass.to) {
        (false, _) => code!(#bind (x, dy, #some(dx))),
        (true, Place::At(_)) => code! {
            if d_input.is_some() { #bind (x, dy, #some(dx)) } else { #read (x, dy, #none) }
        },
        (true, _) => code!(#read (x, dy, d_input.as_deref_mut())),
    }
}

/// `let x`, where it is read, and `let dy`, to read; the tape of a network, the moments of a
/// `batch_norm`, what a `conv` works in, and, `with_dx`, `let dx` in the tape, to write.
pub(super) fn bind(network: &Network, i: usize, with_dx: bool) -> TokenStream {
    let step = &network.steps[i];
    let (kind, v) = (&network.layers[i].kind, network.input_of(i));
    let lies = |name, ty: &TokenStream, at| Lies {
        name,
        ty: ty.clone(),
        at,
    };
    let (mut caller, mut reads, mut writes) = (TokenStream::new(), Vec::new(), Vec::new());
    if kind.backward_reads_x() {
        match step.tape.from {
            Place::At(_) => reads.push(lies(code!(x), &v, network.from(i, Which::Tape))),
            Place::Input | Place::Output => caller.extend(code!(let x = input;)),
        }
    }
    match step.backward.pass.from {
        Place::At(_) => {
            let at = network.from(i, Which::Backward);
            reads.push(lies(code!(dy), &network.volume(i), at));
        }
        Place::Input | Place::Output => caller.extend(code!(let dy = d_output;)),
    }
    if with_dx {
        writes.push(lies(code!(dx), &v, network.to(i, Which::Backward)));
    }
    match kind.cut() {
        Cut::Inside => writes.push(nested::memory(network, i, Which::Tape)),
        Cut::Moments => writes.push(segments::kept(network, i)),
        Cut::Nowhere | Cut::MicroBatches if has_scratch(network, i) => {
            writes.push(scratch(network));
        }
        Cut::Nowhere | Cut::MicroBatches => {}
    }
    let borrow = borrow(&reads, &writes);
    code!(#caller #borrow)
}
