//! `impl Trainable`: forward over the tape, and back.

use convnet_core::plan::{How, Op, Place};
use proc_macro2::TokenStream;

use super::{Kind, Network, Which, code, inference, literal};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        name,
        layers,
        ..
    } = network;
    let output = network.volume(layers.len() - 1);
    let scalars = match &network.plan {
        Some(plan) => code!({ #plan.totals.tape }),
        None => literal(network.totals.tape),
    };
    let forward = (0..layers.len()).map(|i| inference::step(network, i, Which::Tape));
    let at = network.to(layers.len() - 1, Which::Tape);
    let backward = (0..layers.len()).rev().map(|i| step(network, i));
    code! {
        impl<T: #krate::Real> #krate::Trainable for #name<T> {
            type Tape = #krate::Overlay<T, #scalars>;

            fn forward_train<'a>(
                &self,
                input: &Self::Input,
                memory: &'a mut Self::Tape,
                seed: u64,
            ) -> &'a Self::Output {
                let _ = seed;
                #(#forward)*
                memory.at::<#output, #at>()
            }

            fn backward(
                &self,
                input: &Self::Input,
                mut d_input: ::core::option::Option<&mut Self::Input>,
                memory: &mut Self::Tape,
                d_output: &Self::Output,
                gradient: &mut Self,
            ) {
                let _ = (input, &mut d_input, &d_output, &gradient);
                #(#backward)*
            }
        }
    }
}

/// The backward pass of layer `i`.
fn step(network: &Network, i: usize) -> TokenStream {
    let shortcut = match &network.layers[i].kind {
        Kind::Block(Op::Add { .. }) => {
            let copy = copy(network, i, Which::Shortcut);
            let sum = sum(network, i, Which::Shortcut);
            requested(network, i, Which::Shortcut, code!(#copy #sum))
        }
        _ => TokenStream::new(),
    };
    let way = match network.steps[i].backward.pass.how {
        How::Apart | How::Rows => apart(network, i),
        How::Skip | How::InPlace | How::Copy => {
            let copy = copy(network, i, Which::Backward);
            let rest = in_place(network, i);
            let sum = sum(network, i, Which::Backward);
            requested(network, i, Which::Backward, code!(#copy #rest #sum))
        }
    };
    code!(#shortcut #way)
}

/// What only serves `d_input` is not done if that is not asked for.
fn requested(network: &Network, i: usize, which: Which, way: TokenStream) -> TokenStream {
    match network.flow(i, which).on_request && !way.is_empty() {
        true => code!(if d_input.is_some() { #way }),
        false => way,
    }
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
        _ => TokenStream::new(),
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
            transfer(&v, from, to, &code!(accumulate))
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
                _ => code!(d_output),
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
    let (kept, call) = match &network.layers[i].kind {
        Kind::Flatten | Kind::Block(_) => return TokenStream::new(),
        Kind::Dropout { .. } => (network.mask(i), code!(#layer.backward(kept, dv);)),
        _ => (
            network.to(i, Which::Tape),
            code!(#krate::Activation::backward(&#layer, kept, dv);),
        ),
    };
    match network.steps[i].backward.pass.to {
        Place::At(_) => {
            let dv = network.to(i, Which::Backward);
            code! {
                let (kept, dv) = memory.pair::<#v, #kept, #v, #dv>();
                #call
            }
        }
        _ => code! {
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
    let call = match kind {
        kind if kind.has_parameters() => {
            code!(#krate::Layer::backward(&#layer, x, dx, dy, &mut gradient.#name);)
        }
        Kind::Own(_) => {
            // A constant is borrowed mutably by a copy.
            let (trait_, borrowed) = (network.layer_trait(i), network.borrowed(i));
            code!(#trait_::backward(#borrowed, x, dx, dy, &mut { #layer });)
        }
        kind if kind.backward_reads_x() => {
            code!(#krate::Layer::backward(&#layer, x, dx, dy, &mut #layer);)
        }
        _ => code!(#layer.backward_input(dx, dy);),
    };
    let parameters_only = network
        .is_field(i)
        .then(|| code!(#krate::Layer::backward_parameters(&#layer, x, dy, &mut gradient.#name);));
    let read = read(network, i);
    match (flow.on_request, flow.pass.to) {
        (false, _) => {
            let (bind, sum) = (bind(network, i), sum(network, i, Which::Backward));
            code!(#bind #call #sum)
        }
        (true, Place::At(_)) => {
            let (bind, sum) = (bind(network, i), sum(network, i, Which::Backward));
            code! {
                if d_input.is_some() { #bind #call #sum } else { #read #parameters_only }
            }
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

/// `let x`, where it is read, and `let dy`: both only to read.
fn read(network: &Network, i: usize) -> TokenStream {
    let step = &network.steps[i];
    let x = network.layers[i]
        .kind
        .backward_reads_x()
        .then(|| match step.tape.from {
            Place::At(_) => {
                let (x, at) = (network.input_of(i), network.from(i, Which::Tape));
                code!(let x = memory.at::<#x, #at>();)
            }
            _ => code!(let x = input;),
        });
    let dy = match step.backward.pass.from {
        Place::At(_) => {
            let (y, at) = (network.volume(i), network.from(i, Which::Backward));
            code!(let dy = memory.at::<#y, #at>();)
        }
        _ => code!(let dy = d_output;),
    };
    code!(#x #dy)
}

/// `let x`, `let dy` and `let dx`, the last of them in the tape.
fn bind(network: &Network, i: usize) -> TokenStream {
    let step = &network.steps[i];
    let (x, y) = (network.input_of(i), network.volume(i));
    let (x_at, dy_at, dx_at) = (
        network.from(i, Which::Tape),
        network.from(i, Which::Backward),
        network.to(i, Which::Backward),
    );
    let x_is = network.layers[i]
        .kind
        .backward_reads_x()
        .then_some(step.tape.from);
    let in_tape = |place: Place| matches!(place, Place::At(_));
    match (x_is, in_tape(step.backward.pass.from)) {
        (Some(Place::At(_)), true) => code! {
            let (x, dy, dx) = memory.triple::<#x, #x_at, #y, #dy_at, #x, #dx_at>();
        },
        (Some(Place::At(_)), false) => code! {
            let dy = d_output;
            let (x, dx) = memory.pair::<#x, #x_at, #x, #dx_at>();
        },
        (x_is, true) => {
            let image = x_is.map(|_| code!(let x = input;));
            code! {
                #image
                let (dy, dx) = memory.pair::<#y, #dy_at, #x, #dx_at>();
            }
        }
        (x_is, false) => {
            let image = x_is.map(|_| code!(let x = input;));
            code! {
                #image
                let dy = d_output;
                let dx = memory.at_mut::<#x, #dx_at>();
            }
        }
    }
}
