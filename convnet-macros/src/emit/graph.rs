//! The declaration as data: `Network::GRAPH`.

use proc_macro2::TokenStream;

use super::{Network, code};

/// The list of nodes, once for the trait and for the type.
pub(super) fn emit(network: &Network) -> TokenStream {
    let (krate, graph) = (&network.krate, network.constant("GRAPH"));
    let nodes = network.ops.iter().enumerate().map(|(i, op)| {
        let name = &network.layers[i].path;
        let (op, volume) = match &network.plan {
            Some(plan) => {
                let list = network.constant("OPS");
                (code!(#list[#i]), code!(#plan.steps[#i].volume))
            }
            None => {
                let [h, w, d] = network.steps[i].volume;
                (op.clone(), code!([#h, #w, #d]))
            }
        };
        code!(#krate::graph::Node { name: #name, op: #op, volume: #volume },)
    });
    code! {
        #[doc(hidden)]
        const #graph: &[#krate::graph::Node<'static>] = &[#(#nodes)*];
    }
}
