//! `impl Network`: layer after layer over the arena; and the same over the tape.

use convnet_core::graph::Manner;
use convnet_core::plan::{How, Place};
use proc_macro2::TokenStream;

use super::memory::{Lies, borrow};
use super::{
    At, Kind, Network, Which, code, literal, nested, outputs, segments, training, watched,
};

pub(super) fn emit(network: &Network) -> TokenStream {
    let Network {
        krate,
        name,
        layers,
        ..
    } = network;
    let input = network.input_of(0);
    let output = network.volume_in_full(layers.len() - 1);
    let scalars = network.scalars(network.totals.arena, &code!(totals.arena));
    let (table, graph) = (network.table(), network.constant("GRAPH"));
    let bounds = nested::bounds(network);
    let steps = (0..layers.len()).map(|i| {
        let (step, seen) = (
            step(network, i, Which::Arena),
            watched::activation(network, i, Which::Arena),
        );
        code!(#step #seen)
    });
    let (watch, nobody) = (watched::argument(network), watched::nobody());
    let at = network.to(layers.len() - 1, Which::Arena);
    let by_rows = network.row_by_row.then(|| {
        code!(
            const ROW_BY_ROW: ::core::primitive::bool = true;
        )
    });
    let outputs = outputs::listed(network);
    code! {
        impl<T: #krate::Real> #krate::Network for #name<T> #bounds {
            type Input = #input;
            type Output = #output;
            type Arena = #krate::Overlay<T, #scalars>;
            const LAYERS: &'static [#krate::plan::LayerInfo<'static>] = #table;
            const GRAPH: &'static [#krate::graph::Node<'static>] = #graph;
            #by_rows
            #outputs

            fn forward<'a>(&self, input: &Self::Input, memory: &'a mut Self::Arena) -> &'a Self::Output {
                #krate::Network::forward_watched(self, input, memory, #nobody)
            }

            fn forward_watched<'a>(
                &self,
                input: &Self::Input,
                memory: &'a mut Self::Arena,
                #watch
            ) -> &'a Self::Output {
                #(#steps)*
                memory.at::<#output, #at>()
            }
        }
    }
}

/// A line of the table.
pub(super) fn row(network: &Network, i: usize) -> TokenStream {
    let graph = network.constant("GRAPH");
    row_with(network, i, &code!(#graph[#i].op))
}

/// The same with another op.
pub(super) fn row_with(network: &Network, i: usize, op: &TokenStream) -> TokenStream {
    let (krate, name) = (&network.krate, &network.layers[i].path);
    let figures = match &network.plan {
        Some(plan) => {
            let macs = network
                .macs_by_hand(i)
                .unwrap_or_else(|| code!(#plan.steps[#i].macs));
            code! {
                volume: #plan.steps[#i].volume,
                lost: #plan.steps[#i].lost,
                added: #plan.steps[#i].added,
                field: #plan.steps[#i].field,
                jump: #plan.steps[#i].jump,
                parameters: #plan.steps[#i].parameters,
                fixed: #plan.steps[#i].fixed,
                macs: #macs,
            }
        }
        None => {
            let step = &network.steps[i];
            let [h, w, d] = step.volume;
            let [[lh, lw], [ah, aw]] = [step.lost, step.added];
            let [[fh, fw], [down, across]] = [step.field, step.jump];
            let (parameters, fixed, macs) = (step.parameters, step.fixed, step.macs);
            code! {
                volume: [#h, #w, #d],
                lost: [#lh, #lw],
                added: [#ah, #aw],
                field: [#fh, #fw],
                jump: [#down, #across],
                parameters: #parameters,
                fixed: #fixed,
                macs: #macs,
            }
        }
    };
    code!(#krate::plan::LayerInfo { name: #name, op: &#op, #figures },)
}

/// The forward pass of layer `i`, over `memory`: an arena or the tape.
pub(super) fn step(network: &Network, i: usize, which: Which) -> TokenStream {
    let pass = network.pass(i, which).0;
    let (x, y) = (network.input_of(i), network.volume(i));
    let (from, to) = (network.from(i, which), network.to(i, which));
    if let (Which::Arena, Some(pool)) = (which, network.steps[i].row_pool) {
        return row_by_row(network, i, pool);
    }
    if which == Which::Arena && is_row_pool(network, i) {
        return TokenStream::new();
    }
    if let Kind::Network { .. } = network.layers[i].kind {
        return nested::forward(network, i, which);
    }
    if let Manner::Multiplies = network.layers[i].kind.manner() {
        return product(network, i, which);
    }
    match (pass.how, pass.from) {
        (How::Skip, _) => TokenStream::new(),
        (How::InPlace, _) => in_place(network, i, which),
        (How::Copy, Place::At(_)) => {
            let rest = in_place(network, i, which);
            code! {
                let (x, y) = memory.pair::<#x, #from, #y, #to>();
                y.copy_from(x);
                #rest
            }
        }
        (How::Copy, _) => {
            let rest = in_place(network, i, which);
            code! {
                memory.at_mut::<#y, #to>().copy_from(input);
                #rest
            }
        }
        (How::Apart, _) if which == Which::Tape && training::has_scratch(network, i) => {
            let (ends, layer) = (segments::ends(network, i), network.value(i));
            code!(#ends #layer.forward_train(x, scratch, y);)
        }
        (How::Apart, Place::At(_)) => {
            let forward = forward(network, i, &code!(x), &code!(y));
            code! {
                let (x, y) = memory.pair::<#x, #from, #y, #to>();
                #forward
            }
        }
        (How::Apart, _) => forward(
            network,
            i,
            &code!(input),
            &code!(memory.at_mut::<#y, #to>()),
        ),
    }
}

/// A volume times what the layers of a `scale` have made of it.
fn product(network: &Network, i: usize, which: Which) -> TokenStream {
    let y = Lies {
        name: code!(y),
        ty: network.volume(i),
        at: network.to(i, which),
    };
    let ((x_input, x), (gate_input, gate)) = (scaled(network, i, which), gate(network, i, which));
    let reads: Vec<Lies> = x.into_iter().chain(gate).collect();
    let (borrow, layer) = (borrow(&reads, &[y]), network.value(i));
    code!(#x_input #gate_input #borrow #layer.forward(x, gate, y);)
}

/// `x`, which a `scale` multiplies: the image, or in memory.
pub(super) fn scaled(network: &Network, i: usize, which: Which) -> (TokenStream, Option<Lies>) {
    let (v, with) = network.layers[i].kind.reads(i);
    let volume = network.volume(i);
    factor(network, with.unwrap_or(v), code!(x), volume, which)
}

/// `gate`, by which it does.
pub(super) fn gate(network: &Network, i: usize, which: Which) -> (TokenStream, Option<Lies>) {
    factor(network, i, code!(gate), network.input_of(i), which)
}

fn factor(
    network: &Network,
    v: usize,
    name: TokenStream,
    ty: TokenStream,
    which: Which,
) -> (TokenStream, Option<Lies>) {
    match network.place_of(v, which) {
        At::Memory(at) => (TokenStream::new(), Some(Lies { name, ty, at })),
        At::Caller(input) => (code!(let #name = #input;), None),
    }
}

/// Whether layer `i` is a pool that is computed with the `conv` before it.
fn is_row_pool(network: &Network, i: usize) -> bool {
    network.steps.iter().any(|step| step.row_pool == Some(i))
}

/// Whether what layer `i` writes is never there as a whole: a `conv` whose rows a pool takes as they come, and the
/// activations between them.
pub(super) fn is_in_rows(network: &Network, i: usize) -> bool {
    let mut fused = network.steps[..=i].iter().enumerate();
    fused.any(|(conv, step)| step.row_pool.is_some_and(|pool| (conv..pool).contains(&i)))
}

/// The `conv` with the pool behind it, a few rows at a time, and then the activations that stand between
/// them.
fn row_by_row(network: &Network, conv: usize, pool: usize) -> TokenStream {
    let which = Which::Arena;
    let krate = &network.krate;
    let [height, width, depth] = [0, 1, 2].map(|axis| network.axis(conv, axis));
    let rows = match &network.plan {
        Some(plan) => code!({ #plan.steps[#conv].rows }),
        None => literal(network.steps[conv].rows),
    };
    let (x, y) = (network.input_of(conv), network.volume(pool));
    let rows = code!(#krate::Volume<T, #rows, #width, #depth>);
    let (x_at, rows_at, y_at) = (
        network.from(conv, which),
        network.to(conv, which),
        network.to(pool, which),
    );
    let bind = match network.pass(conv, which).0.from {
        Place::At(_) => code! {
            let (x, rows, y) = memory.read_one::<#x, #x_at, #rows, #rows_at, #y, #y_at>();
        },
        Place::Input | Place::Output => code! {
            let x = input;
            let (rows, y) = memory.pair_mut::<#rows, #rows_at, #y, #y_at>();
        },
    };
    let (conv_value, pool_value) = (network.value(conv), network.value(pool));
    let activations = (conv + 1..pool).map(|i| {
        let activation = network.value(i);
        code!(#krate::Activation::forward(&#activation, y);)
    });
    code! {
        #bind
        #krate::layer::RowByRow::<_, _, #height> { conv: &#conv_value, pool: #pool_value }
            .forward(x, rows, y);
        #(#activations)*
    }
}

/// A layer that reads `x` and writes `y`.
fn forward(network: &Network, i: usize, x: &TokenStream, y: &TokenStream) -> TokenStream {
    let (krate, layer) = (&network.krate, network.value(i));
    let kind = &network.layers[i].kind;
    if let Some(what) = network.value_by_hand(i) {
        return network.by_hand(i, what, &code!(Forward(#x, #y)));
    }
    match matches!(kind.manner(), Manner::Concatenates) {
        // It writes a slice only.
        true => code!(#layer.forward(#x, #y);),
        false => code!(#krate::Layer::forward(&#layer, #x, #y);),
    }
}

/// A layer that works in place, where its output lies.
fn in_place(network: &Network, i: usize, which: Which) -> TokenStream {
    let krate = &network.krate;
    let (y, to) = (network.volume(i), network.to(i, which));
    let layer = network.value(i);
    let kind = &network.layers[i].kind;
    match kind.manner() {
        Manner::Drops if matches!(which, Which::Arena | Which::Prepared) => TokenStream::new(),
        Manner::Drops => {
            let (mask, stream) = (network.mask(i), i as u64);
            code! {
                let (v, mask) = memory.pair_mut::<#y, #to, #y, #mask>();
                #layer.forward(v, mask, #krate::Rng::stream(seed, #stream));
            }
        }
        Manner::Normalises | Manner::ActivatesByInput => {
            code!(#krate::InPlace::forward_in_place(&#layer, memory.at_mut::<#y, #to>());)
        }
        Manner::Clamps | Manner::Activates => {
            code!(#krate::Activation::forward(&#layer, memory.at_mut::<#y, #to>());)
        }
        Manner::Adds => match kind.names().map(|with| network.place_of(with, which)) {
            Some(At::Memory(at)) => code! {
                let (shortcut, v) = memory.pair::<#y, #at, #y, #to>();
                v.accumulate(shortcut);
            },
            Some(At::Caller(shortcut)) => {
                code!(memory.at_mut::<#y, #to>().accumulate(#shortcut);)
            }
            None => TokenStream::new(),
        },
        // Nothing to do, or nothing that is done in place.
        Manner::Passes
        | Manner::Branches
        | Manner::Filters
        | Manner::Selects
        | Manner::Averages
        | Manner::Multiplies
        | Manner::Concatenates => TokenStream::new(),
    }
}
