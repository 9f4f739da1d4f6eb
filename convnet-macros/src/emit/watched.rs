//! Where a pass shows its volumes to who looks: `watch`, which the caller has at hand.

use convnet_core::plan::Place;
use proc_macro2::TokenStream;

use super::{Kind, Network, Which, code, inference, literal, types};

/// `watch`, as it is declared.
pub(super) fn argument(network: &Network) -> TokenStream {
    let krate = &network.krate;
    code!(watch: &mut impl #krate::network::observe::Watch<T>,)
}

/// The watch that does not look.
pub(super) fn nobody() -> TokenStream {
    code!(&mut ())
}

/// Shows what layer `i` has written.
pub(super) fn activation(network: &Network, i: usize, which: Which) -> TokenStream {
    let fused = which == Which::Arena && inference::is_in_rows(network, i);
    let Some(line) = line(network, i).filter(|_| !fused) else {
        return TokenStream::new();
    };
    let (krate, v, at) = (&network.krate, network.volume(i), network.to(i, which));
    let (see, volume) = match (network.pass(i, which).0.to, which) {
        (Place::At(_), Which::Arena) => (code!(see), code!(memory.at::<#v, #at>())),
        (Place::At(_), _) => (code!(see_mut), code!(memory.at_mut::<#v, #at>())),
        (Place::Input | Place::Output, _) => (code!(see), code!(input)),
    };
    code!(#krate::network::observe::#see(watch, #line, #volume);)
}

/// Shows the gradient on what layer `i` has written, as the layer finds it.
pub(super) fn gradient(network: &Network, i: usize) -> TokenStream {
    let Some(line) = line(network, i) else {
        return TokenStream::new();
    };
    let flow = network.flow(i, Which::Backward);
    let (krate, v) = (&network.krate, network.volume(i));
    let see = code!(#krate::network::observe::see);
    let see_mut = code!(#krate::network::observe::see_mut);
    match flow.pass.from {
        Place::At(_) => {
            let at = network.from(i, Which::Backward);
            let shown = code!(#see_mut(watch, #line, memory.at_mut::<#v, #at>()););
            match flow.on_request && !network.is_field(i) {
                true => code!(if d_input.is_some() { #shown }),
                false => shown,
            }
        }
        Place::Output => code!(#see(watch, #line, d_output);),
        Place::Input => code! {
            if let ::core::option::Option::Some(dv) = d_input.as_deref() { #see(watch, #line, dv); }
        },
    }
}

/// The watch of the network that is layer `i`.
pub(super) fn inside(network: &Network, i: usize) -> TokenStream {
    let (krate, lines) = (&network.krate, lines_before(network, i));
    code!(#krate::network::observe::behind(watch, #lines))
}

/// The line of the table that is layer `i`'s, if there is one.
fn line(network: &Network, i: usize) -> Option<TokenStream> {
    let kind = &network.layers[i].kind;
    let shown = kind.is_shown() && !matches!(kind, Kind::Network { .. });
    shown.then(|| lines_before(network, i))
}

/// How many lines of the table stand before those of layer `i`.
fn lines_before(network: &Network, i: usize) -> TokenStream {
    let before = || network.layers[..i].iter().enumerate();
    let is_network = |kind: &Kind| matches!(kind, Kind::Network { .. });
    let own = before().filter(|(_, layer)| layer.kind.is_shown() && !is_network(&layer.kind));
    let own = literal(own.count());
    let krate = &network.krate;
    let inner = before().filter(|(_, layer)| is_network(&layer.kind));
    let inner = inner.map(|(i, _)| types::field(network, i));
    code!(#own #(+ <#inner as #krate::Network>::LAYERS.len())*)
}
