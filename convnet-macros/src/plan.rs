//! # Plan: what it means
//!
//! ```text
//! Declaration ──▶ names ──▶ place ──▶ budget ──▶ emit::Network
//! ```
//!
//! Every number comes from `convnet_core::plan`; here they meet the tokens that they are about.
//! After this stage there are no more errors, and whatever was declared there is a network to
//! emit: the one that was meant, or one that resembles it.

// No arm stands for whatever else there is: a new layer, a new place, is looked at everywhere.
#![deny(clippy::wildcard_enum_match_arm)]

mod budget;
mod detail;
mod named;
mod names;
mod numbers;
mod place;
mod repeated;
mod volumes;

use convnet_core::Summary;
use convnet_core::graph::{Node, Sees};
use convnet_core::plan::{LayerInfo, Options, depth_first};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;

use crate::emit::{self, code};
use crate::report::Errors;
use crate::syntax::{
    Branch, Declaration, Item, Kind, Layer, Mention, Number, Ways, Written, check_outputs,
};
use names::{Named, What};
use repeated::Repeated;

/// What is to be emitted; `None` if nothing can be.
pub(crate) fn plan(
    krate: TokenStream,
    declaration: &Declaration,
    errors: &mut Errors,
) -> Option<emit::Network> {
    check_outputs(&declaration.items, errors);
    let nothing = Layer::nothing();
    let mut layers = names::name(declaration, errors);
    if layers.is_empty() {
        if errors.count() == 0 {
            let name = &declaration.name;
            errors.push(
                name,
                format!("`{name}` has no layers\nat least one, such as `fc(10)`"),
            );
        }
        layers.push(Named::nothing(&nothing));
    }
    if holds_itself(declaration, &layers, errors) {
        layers = vec![Named::nothing(&nothing)];
    }
    let mut input = declaration.input.as_ref();
    if is_depth_first(declaration, &layers, errors) {
        input = None;
    }
    let written = input.map(|input| input.value.each_ref());
    let sizes_wait = named::any(declaration, &layers) || layers.iter().any(Named::is_network);
    let waits = sizes_wait || layers.iter().any(Named::is_elsewhere);
    let options = Options {
        row_by_row: declaration.row_by_row,
        ..Options::DEFAULT
    };
    let place = |layers: &[Named], errors: &mut Errors| match sizes_wait {
        true => place::structure(layers, options),
        false => {
            let [h, w, d] = written.map_or([None; 3], |written| written.map(Number::known));
            let image = h.zip(w).zip(d).map(|((h, w), d)| [h, w, d]);
            place::place(image, layers, options, errors)
        }
    };
    let mut placed = place(&layers, errors);
    if placed.is_none() && errors.count() == 0 {
        let name = &declaration.name;
        errors.push(
            name,
            format!(
                "no plan of `{name}` was found, which is a mistake of `convnet!`: please report it"
            ),
        );
    }
    // What else the program asks of a network that is wrong is no mistake: most write scores.
    let writes = placed.as_ref().map(|placed| placed.writes_what_was_meant);
    if errors.count() > 0 && writes != Some(true) {
        if writes.is_none() {
            layers.clear();
        }
        layers.push(Named::nothing(&nothing));
        placed = place(&layers, &mut Errors::default());
    }
    let placed = placed?;
    if errors.count() == 0 && !waits {
        budget::check(&declaration.budget, &layers, &placed, errors);
    }
    let mut repeated = Repeated::default();
    let image = input.map(|input| repeated.sizes(&input.value));
    let deferred = match image {
        Some(image) if waits && errors.count() == 0 => {
            Some(named::deferred(&krate, declaration, &image, &layers))
        }
        _ => None,
    };
    let place::Placed {
        input,
        steps,
        mut totals,
        ..
    } = placed;
    if declaration.direct_training {
        totals.tape -= core::mem::take(&mut totals.tape_scratch);
    }
    let attrs = &declaration.attrs;
    let kinds = layers.iter().map(|named| repeated.layer(named.kind()));
    let kinds: Vec<_> = kinds.collect();
    let ops = match errors.count() {
        0 => kinds.iter().map(|kind| numbers::op(&krate, kind)).collect(),
        _ => Vec::new(),
    };
    // What resembles the network may have volumes that a layer written by hand, or a network inside,
    // does not know.
    let stands_in = (errors.count() > 0).then(|| code!(#krate::__private::AnyLayer));
    let firsts = place::Lines::of(&layers).firsts;
    let emitted = layers.iter().zip(kinds).zip(firsts);
    let emitted = emitted.map(|((named, kind), first)| layer(named, kind, first, &stands_in));
    let emitted: Vec<_> = emitted.collect();
    let name = &declaration.name;
    let plan = deferred
        .is_some()
        .then(|| format_ident!("__PLAN_OF_{}", name.unraw(), span = Span::mixed_site()));
    let sizes = match &plan {
        Some(plan) => [0_usize, 1, 2].map(|axis| code!({ #plan.input[#axis] })),
        None => input.map(|size| Number::Known(size).to_token_stream()),
    };
    let mut network = emit::Network {
        krate,
        attributes: quote!(#(#attrs)*),
        visibility: declaration.vis.to_token_stream(),
        name: name.clone(),
        input: sizes,
        image: input,
        layers: emitted,
        steps,
        totals,
        direct_training: declaration.direct_training,
        row_by_row: declaration.row_by_row,
        stands_in: stands_in.is_some(),
        plan,
        ops,
        deferred,
        written: declaration.written.clone(),
        table: String::new(),
        mentions: mentions(declaration),
    };
    if !waits && !network.stands_in {
        network.table = summarise(&network, |summary| summary.markdown().to_string());
    }
    Some(network)
}

/// `network(Net)` in `Net`.
fn holds_itself(declaration: &Declaration, layers: &[Named], errors: &mut Errors) -> bool {
    let before = errors.count();
    let itself = declaration.name.to_string();
    for layer in layers.iter().filter_map(Named::layer) {
        if let Kind::Network { what } = &layer.kind
            && what
                .to_string()
                .replace([' '], "")
                .trim_start_matches("self::")
                == itself
        {
            let message = format!(
                "`{itself}` would hold itself, and that again itself, without end\n\
                 here stands another network; the layers of this one are repeated as `[ … ] * 2`"
            );
            errors.push(what, message);
            break;
        }
    }
    errors.count() > before
}

/// `input(3x32x32)` before `conv(12, 5x5)`: PyTorch's order. A signal is seen by filters that are 1
/// wide.
fn is_depth_first(declaration: &Declaration, layers: &[Named], errors: &mut Errors) -> bool {
    let Some(Written { value, tokens }) = &declaration.input else {
        return false;
    };
    let [h, w, d] = value.each_ref().map(Number::known);
    let Some(meant) = h
        .zip(w)
        .zip(d)
        .and_then(|((h, w), d)| depth_first([h, w, d]))
    else {
        return false;
    };
    let slides = |named: &Named| {
        let kind = &named.layer()?.kind;
        match kind.sees() {
            Sees::Slides | Sees::Pools | Sees::Stamps | Sees::Between => {
                Some(kind.window()?.size.value[1].known())
            }
            Sees::Everything | Sees::Anything | Sees::Inner => Some(None),
            Sees::Pixel | Sees::Padded | Sees::All => None,
        }
    };
    let first = layers
        .iter()
        .find_map(|named| Some((named, slides(named)?)));
    let Some((named, Some(wide @ 2..))) = first else {
        return false;
    };
    let ([height, width, depth], [high, deep, w]) =
        (meant, [h, d, w].map(Option::unwrap_or_default));
    let message = format!(
        "{w}x{high}x{deep} is {w} wide and {deep} deep, and {} is {wide} wide\n\
         an input is width x height x depth: {width}x{height}x{depth}? \
         If it is {w} wide, name that: `const WIDTH: usize = {w};`",
        named.path
    );
    errors.push(tokens, message);
    true
}

/// Writes something of a network's table, whose every size must be known.
pub(crate) fn summarise<R>(network: &emit::Network, write: impl FnOnce(&Summary<'_>) -> R) -> R {
    let emit::Network { steps, totals, .. } = network;
    let nodes = nodes(network);
    let shown = nodes
        .iter()
        .zip(steps)
        .filter(|(node, _)| node.op.is_shown());
    let rows = shown.map(|(node, step)| LayerInfo::new(node.name, &node.op, step));
    let rows: Vec<LayerInfo<'_>> = rows.collect();
    write(&Summary {
        name: &network.name.to_string(),
        input: network.image,
        layers: &rows,
        arena_bytes: totals.arena,
        tape_bytes: totals.tape,
        // The algorithms are known to the types.
        packing: &[],
        prepared_bytes: totals.prepared,
    })
}

/// The graph in plain numbers.
pub(crate) fn nodes(network: &emit::Network) -> Vec<Node<'_>> {
    let layers = network.layers.iter().zip(&network.steps);
    let nodes = layers.map(|(layer, step)| Node {
        name: &layer.path,
        op: numbers::plain_at(&layer.detail, &layer.kind),
        volume: step.volume,
    });
    nodes.collect()
}

/// The words as written, line by line.
pub(crate) fn mentions(declaration: &Declaration) -> Vec<Mention> {
    fn lines(items: &[Item], mentions: &mut Vec<Mention>) {
        for item in items {
            match item {
                Item::Layer(layer) => mentions.push(layer.mention.clone()),
                Item::Block(block) => {
                    mentions.push(block.mention.clone());
                    match &block.ways {
                        Ways::Residual { body, shortcut } => {
                            lines(body, mentions);
                            if let Some(Branch { name, items, .. }) = shortcut {
                                mentions.extend(name.iter().cloned().map(Mention::word));
                                lines(items, mentions);
                            }
                        }
                        Ways::Scale(body) => lines(body, mentions),
                        Ways::Concat(branches) | Ways::Outputs(branches) => {
                            branches.iter().for_each(|it| lines(&it.items, mentions));
                        }
                    }
                }
                Item::Repeat { items, .. } => lines(items, mentions),
            }
        }
    }
    let mut mentions = declaration.mentions.clone();
    lines(&declaration.items, &mut mentions);
    mentions
}

/// A layer to emit; what `stands_in` for those that are declared elsewhere, if something does.
fn layer(
    named: &Named,
    mut kind: Kind,
    first: usize,
    stands_in: &Option<TokenStream>,
) -> emit::Layer {
    let Named {
        name,
        path,
        docs,
        what,
        is_lost: _,
    } = named;
    if let (Some(_), Some(it)) = (kind.elsewhere(), stands_in) {
        let mut written = [(); 3].map(|()| Written::unwritten(Number::Known(1)));
        if let Kind::Own { volume, .. } = kind {
            written = volume;
        }
        // Whatever it was, a value that goes from any volume to any.
        kind = Kind::Own {
            what: it.clone(),
            learns: false,
            volume: written,
        };
    }
    let (word, detail) = match what {
        What::Layer(layer) => (layer.canonical, detail::detail(&layer.kind)),
        What::Block(block, _) => (block.word(), String::new()),
    };
    emit::Layer {
        name: name.clone(),
        path: path.clone(),
        word,
        first,
        docs: docs.clone(),
        detail,
        kind,
    }
}
