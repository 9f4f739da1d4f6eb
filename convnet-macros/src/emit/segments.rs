//! The segments of a pass: it is cut at each `batch_norm`, where the images of a batch exchange moments,
//! and at each large `fc`, where several are computed at once.

use convnet_core::graph::Cut;
use convnet_core::plan::{Place, Step};
use proc_macro2::TokenStream;

use super::memory::{Lies, borrow};
use super::{
    Network, Which, code, inference, literal, nested, parameters, training, types, watched,
};

/// How many there are, if it can be more than one.
pub(super) fn count(network: &Network) -> Option<TokenStream> {
    let end = Segment::before(network, network.layers.len());
    let segment = end.number(network);
    (end != Segment::default()).then(|| code!(1 + #segment))
}

/// Whether one of them is a `batch_norm`, at which all images exchange moments.
pub(super) fn exchanges(network: &Network) -> TokenStream {
    let (krate, end) = (
        &network.krate,
        Segment::before(network, network.layers.len()),
    );
    let mut kinds = network.layers.iter().map(|layer| &layer.kind);
    let norm = kinds.any(|kind| kind.cut() == Cut::Moments);
    let networks = end.networks.iter().map(|&i| types::field(network, i));
    code!(#norm #(|| <#networks as #krate::Trainable>::EXCHANGES)*)
}

/// Every layer, in its segment.
pub(super) fn forward(network: &Network) -> TokenStream {
    let steps = (0..network.layers.len()).flat_map(|i| {
        let step = || inference::step(network, i, Which::Tape);
        let mut steps = match network.layers[i].kind.cut() {
            Cut::Moments => vec![
                (When::before(network, i), observe(network, i)),
                (When::before(network, i + 1), normalise(network, i)),
            ],
            Cut::MicroBatches => {
                let step = otherwise(network, i, step(), TokenStream::new());
                vec![(When::before(network, i), step)]
            }
            Cut::Inside | Cut::Nowhere => vec![(When::of(network, i), step())],
        };
        let seen = watched::activation(network, i, Which::Tape);
        steps.push((When::before(network, i + 1), seen));
        steps
    });
    guarded(network, steps.collect())
}

/// Every layer, the last one first, in its segment.
pub(super) fn backward(network: &Network) -> TokenStream {
    let steps = (0..network.layers.len()).rev().flat_map(|i| {
        let step = training::step(network, i);
        let seen = watched::gradient(network, i);
        let mut steps = vec![(When::before(network, i + 1), seen)];
        steps.extend(match network.layers[i].kind.cut() {
            Cut::Moments => vec![
                (When::before(network, i + 1), observe_gradient(network, i)),
                (When::before(network, i), step),
            ],
            Cut::MicroBatches => {
                let step = otherwise(network, i, step, training::shared(network, i));
                vec![(When::before(network, i), step)]
            }
            Cut::Inside | Cut::Nowhere => vec![(When::of(network, i), step)],
        });
        steps
    });
    guarded(network, steps.collect())
}

/// The large `fc`s, each for several images at once.
pub(super) fn fcs(network: &Network) -> TokenStream {
    let fcs = (0..network.layers.len()).filter(|&i| may_batch(network, i));
    let (mut forward, mut backward) = (Vec::new(), Vec::new());
    for i in fcs {
        let segment = Segment::before(network, i).number(network);
        let large = is_large(network, i).is_none().then(|| {
            let micro_batches = micro_batches(network, i);
            code!(#micro_batches == 1 &&)
        });
        let (name, ends) = (&network.layers[i].name, ends(network, i));
        forward.push(code! {
            if #large segment == #segment {
                self.#name.forward_batch(::core::iter::Iterator::map(images.iter_mut(), |image| {
                    let (input, memory) = (image.input, &mut *image.tape);
                    let _ = input;
                    #ends
                    (x, y)
                }));
            }
        });
        let ends = training::ends(network, i);
        backward.push(code! {
            if #large segment == #segment {
                let images = ::core::iter::Iterator::map(images.iter_mut(), |image| {
                    let (input, d_input) = (image.input, &mut image.d_input);
                    let (memory, d_output) = (&mut *image.tape, image.d_output);
                    let _ = (input, &d_input, d_output);
                    #ends
                });
                self.#name.backward_batch(images, &mut gradient.#name);
            }
        });
    }
    if forward.is_empty() {
        return TokenStream::new();
    }
    let krate = &network.krate;
    let network = code!(#krate::network);
    code! {
        fn forward_fc(
            &self,
            segment: ::core::primitive::usize,
            images: &mut [#network::Forward<'_, Self>],
        ) {
            #(#forward)*
        }

        fn backward_fc(
            &self,
            segment: ::core::primitive::usize,
            images: &mut [#network::Backward<'_, Self>],
            gradient: &mut Self,
        ) {
            #(#backward)*
        }
    }
}

/// The segment of backward after which the gradient of tensor `index` is whole, those of all layers in a row.
pub(super) fn whole_after(network: &Network) -> TokenStream {
    let fields = network.fields().map(|(i, layer)| {
        let count = match nested::elsewhere(network, i) {
            Some(tensors) => code!(#tensors.len()),
            None => literal(parameters::tensors(network, i).len()),
        };
        let segment = match layer.kind.cut() {
            Cut::Inside => {
                let (krate, inner) = (&network.krate, types::field(network, i));
                let before = Segment::before(network, i).number(network);
                code!(#before + <#inner as #krate::Trainable>::whole_after(index))
            }
            // A large `fc` and a `batch_norm` are done with before the segment in which they read.
            Cut::Moments | Cut::MicroBatches | Cut::Nowhere => {
                Segment::before(network, i + 1).number(network)
            }
        };
        code! {
            if index < #count { return #segment; }
            let index = index - #count;
        }
    });
    code!(#(#fields)* let _ = index; 0)
}

/// `alone`, if the `fc` `i` takes one image at a time, or `batched`.
fn otherwise(network: &Network, i: usize, alone: TokenStream, batched: TokenStream) -> TokenStream {
    match is_large(network, i) {
        Some(false) => alone,
        Some(true) => batched,
        None => {
            let micro_batches = micro_batches(network, i);
            code!(if #micro_batches == 0 { #alone } else { #batched })
        }
    }
}

/// Whether layer `i` is an `fc` that may take several images at once.
pub(super) fn may_batch(network: &Network, i: usize) -> bool {
    network.layers[i].kind.cut() == Cut::MicroBatches && is_large(network, i) != Some(false)
}

/// Whether there is one that does, if there may be.
pub(super) fn takes_micro_batches(network: &Network) -> TokenStream {
    let may = (0..network.layers.len()).filter(|&i| may_batch(network, i));
    let large = may.map(|i| match is_large(network, i) {
        Some(large) => code!(#large),
        None => {
            let micro_batches = micro_batches(network, i);
            code!(#micro_batches == 1)
        }
    });
    let large: Vec<_> = large.collect();
    match large.is_empty() {
        true => TokenStream::new(),
        false => code!(const MICRO_BATCHES: ::core::primitive::bool = #(#large)||*;),
    }
}

/// Whether the `fc` `i` takes several images at once, if the macro sees how large it is.
fn is_large(network: &Network, i: usize) -> Option<bool> {
    let known = network.plan.is_none();
    known.then(|| Step::micro_batches(&network.steps, i) == 1)
}

/// One or zero: the same, as a constant of the plan.
fn micro_batches(network: &Network, i: usize) -> TokenStream {
    let (krate, plan) = (&network.krate, &network.plan);
    code!(const { #krate::plan::Step::micro_batches(&#plan.steps, #i) })
}

/// The moments at the end of `segment`.
pub(super) fn moments(network: &Network) -> TokenStream {
    let krate = &network.krate;
    let found = (0..network.layers.len()).filter_map(|i| {
        let before = Segment::before(network, i).number(network);
        match network.layers[i].kind.cut() {
            Cut::Moments => {
                let Lies { ty, at, .. } = kept(network, i);
                let [h, w] = [0, 1].map(|axis| network.axis(i, axis));
                Some(code! {
                    if segment == #before {
                        return #krate::moments::MomentsMut::new(const { (#h) * (#w) }, memory.at_mut::<#ty, #at>());
                    }
                })
            }
            Cut::Inside => {
                let Lies { ty, at, .. } = nested::memory(network, i, Which::Tape);
                let inner = types::field(network, i);
                let after = Segment::before(network, i + 1).number(network);
                Some(code! {
                    if (#before..#after).contains(&segment) {
                        let inner = memory.at_mut::<#ty, #at>();
                        return <#inner as #krate::Trainable>::moments(inner, segment - (#before));
                    }
                })
            }
            Cut::Nowhere | Cut::MicroBatches => None,
        }
    });
    code! {
        #(#found)*
        #krate::moments::MomentsMut::none()
    }
}

/// The segment of the network that is layer `i`, in one of this one.
pub(super) fn of_network(network: &Network, i: usize) -> TokenStream {
    let before = Segment::before(network, i).number(network);
    code!(segment - (#before))
}

/// `step`, which follows the backward pass of layer `i`: if that is a network, after its last segment.
pub(super) fn at_the_end(network: &Network, i: usize, step: TokenStream) -> TokenStream {
    match network.layers[i].kind.cut() {
        Cut::Inside => {
            let before = Segment::before(network, i).number(network);
            code!(if segment == #before { #step })
        }
        Cut::Nowhere | Cut::Moments | Cut::MicroBatches => step,
    }
}

/// The moments of layer `i`, in the tape.
pub(super) fn kept(network: &Network, i: usize) -> Lies {
    let (krate, d) = (&network.krate, network.axis(i, 2));
    Lies {
        name: code!(moments),
        ty: code!(#krate::moments::Moments<T, #d>),
        at: network.mask(i),
    }
}

/// What stands before a layer: so many cuts, these `fc`s that may be one each, and these
/// networks, which are cut too.
#[derive(Clone, Default, PartialEq)]
struct Segment {
    cuts: usize,
    fcs: Vec<usize>,
    networks: Vec<usize>,
}

impl Segment {
    fn before(network: &Network, i: usize) -> Self {
        let mut segment = Self::default();
        for (i, layer) in network.layers[..i].iter().enumerate() {
            match layer.kind.cut() {
                Cut::Moments => segment.cuts += 1,
                Cut::MicroBatches => match is_large(network, i) {
                    Some(large) => segment.cuts += usize::from(large),
                    None => segment.fcs.push(i),
                },
                Cut::Inside => segment.networks.push(i),
                Cut::Nowhere => {}
            }
        }
        segment
    }

    fn number(&self, network: &Network) -> TokenStream {
        let (krate, cuts) = (&network.krate, literal(self.cuts));
        let fcs = self.fcs.iter().map(|&i| micro_batches(network, i));
        let networks = self.networks.iter().map(|&i| types::field(network, i));
        code!(#cuts #(+ #fcs)* #(+ <#networks as #krate::Trainable>::SEGMENTS - 1)*)
    }
}

/// When a step is taken.
#[derive(PartialEq)]
enum When {
    At(Segment),
    /// In all segments of the network that is this layer.
    Within(usize),
}

impl When {
    fn of(network: &Network, i: usize) -> Self {
        match network.layers[i].kind.cut() {
            Cut::Inside => Self::Within(i),
            Cut::Nowhere | Cut::Moments | Cut::MicroBatches => Self::before(network, i),
        }
    }

    fn before(network: &Network, i: usize) -> Self {
        Self::At(Segment::before(network, i))
    }
}

/// `if segment == 1 { … }`; nothing of the kind where there is one segment only.
fn guarded(network: &Network, mut steps: Vec<(When, TokenStream)>) -> TokenStream {
    steps.retain(|(_, step)| !step.is_empty());
    let cut = count(network).is_some();
    let runs = steps.chunk_by(|(one, _), (next, _)| one == next);
    let guarded = runs.map(|run| {
        let steps = run.iter().map(|(_, step)| step);
        match &run[0].0 {
            _ if !cut => code!(#(#steps)*),
            When::At(segment) => {
                let segment = segment.number(network);
                code!(if segment == #segment { #(#steps)* })
            }
            When::Within(i) => {
                let [first, last] =
                    [*i, i + 1].map(|i| Segment::before(network, i).number(network));
                code!(if (#first..=#last).contains(&segment) { #(#steps)* })
            }
        }
    });
    guarded.collect()
}

fn observe(network: &Network, i: usize) -> TokenStream {
    let (image, x) = x(network, i);
    let borrow = borrow(&x, &[kept(network, i)]);
    let layer = network.value(i);
    code!(#image #borrow #layer.observe(x, moments);)
}

fn normalise(network: &Network, i: usize) -> TokenStream {
    let (ends, layer) = (ends(network, i), network.value(i));
    code!(#ends #layer.normalise(x, moments, y);)
}

/// `let x`, `let y`, and the moments of a `batch_norm`, or what a `conv` works in.
pub(super) fn ends(network: &Network, i: usize) -> TokenStream {
    let (image, mut reads) = x(network, i);
    let mut writes = vec![Lies {
        name: code!(y),
        ty: network.volume(i),
        at: network.to(i, Which::Tape),
    }];
    match network.layers[i].kind.cut() {
        Cut::Moments => reads.push(kept(network, i)),
        Cut::Nowhere | Cut::MicroBatches | Cut::Inside if training::has_scratch(network, i) => {
            writes.push(training::scratch(network));
        }
        Cut::Nowhere | Cut::MicroBatches | Cut::Inside => {}
    }
    let borrow = borrow(&reads, &writes);
    code!(#image #borrow)
}

fn observe_gradient(network: &Network, i: usize) -> TokenStream {
    let bind = training::bind(network, i, false);
    let (layer, name) = (network.value(i), &network.layers[i].name);
    code!(#bind #layer.observe_gradient(x, dy, moments, &mut gradient.#name);)
}

/// What layer `i` reads: the image, or in the tape.
fn x(network: &Network, i: usize) -> (TokenStream, Vec<Lies>) {
    match network.steps[i].tape.from {
        Place::At(_) => {
            let x = Lies {
                name: code!(x),
                ty: network.input_of(i),
                at: network.from(i, Which::Tape),
            };
            (TokenStream::new(), vec![x])
        }
        Place::Input | Place::Output => (code!(let x = input;), Vec::new()),
    }
}
