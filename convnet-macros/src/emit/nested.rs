//! Networks inside, and layers written by hand with parameters: what only the compiler sees of them.

use convnet_core::graph::Sees;
use convnet_core::plan::Place;
use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::quote_spanned;
use syn::ext::IdentExt;

use super::memory::{Lies, borrow};
use super::{Kind, Network, Which, at, code, inference, prepared, segments, types, watched};

/// Asks a type: by what it is called for `f32` and for `f64`, which are one where it has no scalar.
fn ask(krate: &TokenStream, ty: &TokenStream, question: &TokenStream) -> TokenStream {
    let [single, double] = ["f32", "f64"].map(|scalar| with_scalar(ty, scalar));
    let named = quote_spanned!(at(ty)=> __Named::<#single, #double>);
    asked(krate, ty, &named, question)
}

/// The same of a line that stands for several layers, of which this is not the first, from `x` to `y`.
fn ask_after(
    krate: &TokenStream,
    ty: &TokenStream,
    [x, y]: &[TokenStream; 2],
    question: &TokenStream,
) -> TokenStream {
    let single = single(ty);
    let after = quote_spanned!(at(ty)=> __After::<#single, #x, #y>);
    asked(krate, ty, &after, question)
}

/// What `named` answers. Nothing of the question is spanned elsewhere than at the type, so that a complaint
/// is of that, and not of the whole declaration.
fn asked(
    krate: &TokenStream,
    ty: &TokenStream,
    named: &TokenStream,
    question: &TokenStream,
) -> TokenStream {
    let import = code! {
        #[allow(unused_imports)]
        use #krate::network::named::{After as __After, First as _, Named as __Named, Refused as _};
    };
    let answer = quote_spanned!(at(ty)=> #named::IT.#question);
    code!(const { #import #answer })
}

/// What there is to know of the network at `path`, for every scalar.
fn facts(krate: &TokenStream, path: &TokenStream) -> TokenStream {
    let ty = quote_spanned!(at(path)=> #path<T>);
    ask(krate, &ty, &quote_spanned!(at(path)=> facts()))
}

/// What the plan and the graph are to know of the network at `path`: fields of an `Elsewhere`.
pub(crate) fn nested(krate: &TokenStream, path: &TokenStream) -> TokenStream {
    let facts = facts(krate, path);
    code!(nested: #facts.nested, graph: #facts.graph)
}

/// The tensors of a type with parameters, which are the same for every scalar.
pub(crate) fn tensors(krate: &TokenStream, ty: &TokenStream) -> TokenStream {
    ask(krate, ty, &quote_spanned!(at(ty)=> tensors()))
}

/// The type with `f32` for `T`.
fn single(ty: &TokenStream) -> TokenStream {
    with_scalar(ty, "f32")
}

/// The type with `scalar` for `T`, where that is not the end of a path nor, in braces, a constant.
fn with_scalar(ty: &TokenStream, scalar: &str) -> TokenStream {
    let (mut with, mut in_path) = (TokenStream::new(), false);
    for tree in ty.clone() {
        match &tree {
            TokenTree::Ident(name) if name == "T" && !in_path => {
                let scalar = Ident::new(scalar, name.span());
                with.extend(quote_spanned!(name.span()=> ::core::primitive::#scalar));
            }
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {
                let mut inner = Group::new(group.delimiter(), with_scalar(&group.stream(), scalar));
                inner.set_span(group.span());
                with.extend([TokenTree::Group(inner)]);
            }
            TokenTree::Group(_)
            | TokenTree::Ident(_)
            | TokenTree::Punct(_)
            | TokenTree::Literal(_) => {
                in_path = matches!(&tree, TokenTree::Punct(mark) if mark.as_char() == ':');
                with.extend([tree]);
                continue;
            }
        }
        in_path = false;
    }
    with
}

/// Of layer `i`, if the compiler alone sees them: its tensors.
pub(super) fn elsewhere(network: &Network, i: usize) -> Option<TokenStream> {
    let krate = &network.krate;
    let kind = &network.layers[i].kind;
    let what = kind.elsewhere()?;
    if matches!(kind.sees(), Sees::Inner) {
        let facts = facts(krate, what);
        return Some(code!(#facts.tensors));
    }
    kind.has_parameters().then(|| tensors(krate, what))
}

/// What an implementation takes for granted of types that the macro does not see. It holds for every
/// scalar or for none; where it does not, there is an error in a constant of the network. A bound without
/// a parameter (on a struct without `<T>`) would be an error of its own each time, unless `for` binds one.
pub(super) fn bounds(network: &Network) -> TokenStream {
    let krate = &network.krate;
    let bounds = network.fields().filter_map(|(i, layer)| {
        let (x, y) = (network.input_of(i), network.volume(i));
        let ty = types::field(network, i);
        match layer.kind.sees() {
            Sees::Anything => Some(code! {
                for<'__any> #ty: #krate::Parameters<Scalar = T> + #krate::Layer<#x, #y>,
            }),
            Sees::Inner => Some(code! {
                for<'__any> #ty: #krate::network::nested::Nestable
                    + #krate::Network<Scalar = T, Input = #x, Output = #y>,
            }),
            Sees::Pixel
            | Sees::Slides
            | Sees::Pools
            | Sees::Stamps
            | Sees::Padded
            | Sees::Between
            | Sees::Everything
            | Sees::All => None,
        }
    });
    let bounds: TokenStream = bounds.collect();
    match bounds.is_empty() {
        true => bounds,
        false => code!(where #bounds),
    }
}

/// What stands in for all that is bound so, where it does not hold.
pub(super) fn unfit(network: &Network) -> TokenStream {
    if bounds(network).is_empty() {
        return TokenStream::new();
    }
    let Network {
        krate,
        visibility,
        name,
        layers,
        ..
    } = network;
    let (input, output) = (network.input_of(0), network.volume(layers.len() - 1));
    // Seen where the network is: so where another module takes all that there is in this one.
    code! {
        #[doc(hidden)]
        #[allow(unused_imports)]
        #visibility use #krate::network::unfit::Unfit as _;

        impl<T: #krate::Real> #krate::network::unfit::Unfit for #name<T> {
            type Input = #input;
            type Output = #output;
        }

        #krate::__if_alloc! {
            #[doc(hidden)]
            #[allow(unused_imports)]
            #visibility use #krate::network::unfit::UnfitOnHeap as _;

            impl #krate::network::unfit::UnfitOnHeap for #name<::core::primitive::f32> {}
        }
    }
}

/// The lines of the table, those of networks inside among them.
fn table(network: &Network) -> TokenStream {
    let (krate, layers) = (&network.krate, &network.layers);
    let line = code!(#krate::plan::LayerInfo<'static>);
    let (mut sections, mut rows) = (Vec::new(), Vec::new());
    for (i, layer) in layers.iter().enumerate() {
        if let (Kind::Network { what }, Some(plan)) = (&layer.kind, &network.plan) {
            let (prefix, facts) = (format!("{}.", layer.path), facts(krate, what));
            let reach = match i.checked_sub(1) {
                Some(before) => {
                    code!((#plan.steps[#before].field, #plan.steps[#before].jump))
                }
                None => code!(([1; 2], [1; 2])),
            };
            sections.push(section(krate, &line, &rows));
            sections.push(code! {
                #krate::join::Section::new(#prefix, #facts.layers).reading(#reach, #plan.input)
            });
            rows.clear();
        } else if layer.kind.is_shown() && !network.ops.is_empty() {
            // What is wrong has no graph.
            rows.push(inference::row(network, i));
        }
    }
    if sections.is_empty() {
        return code!(&[#(#rows)*]);
    }
    sections.push(section(krate, &line, &rows));
    code!(#krate::__join!(layers: #line, [#(#sections),*] [#(#sections),*]))
}

/// Items of type `ty` that the macro sees, as a section of a list: in a constant of their own, since numbers
/// of the plan that are borrowed elsewhere would not live long enough.
pub(super) fn section(krate: &TokenStream, ty: &TokenStream, items: &[TokenStream]) -> TokenStream {
    code! {
        #krate::join::Section::new("", {
            const __ITEMS: &[#ty] = &[#(#items)*];
            __ITEMS
        })
    }
}

/// The packings, those of networks inside among them.
pub(super) fn packing(network: &Network) -> TokenStream {
    let (krate, layers) = (&network.krate, &network.layers);
    let packing = code!(#krate::prepare::Packing);
    // How many there are and what they are called is the same for every scalar.
    let list = |of: &dyn Fn(&TokenStream) -> TokenStream| -> TokenStream {
        let sections = layers.iter().enumerate().filter_map(|(i, layer)| {
            if let Kind::Network { what } = &layer.kind {
                let (prefix, packing) = (format!("{}.", layer.path), of(what));
                return Some(code!(#krate::join::Section::new(#prefix, #packing),));
            }
            let packing = prepared::packing(network, i, prepared::group(network, i)?);
            Some(code!(#krate::join::Section::new("", &[#packing]),))
        });
        sections.collect()
    };
    let named = single(&list(&|what| {
        let facts = facts(krate, what);
        code!(#facts.packing)
    }));
    let sections =
        list(&|what| quote_spanned!(at(what)=> <#what<T> as #krate::prepare::Prepare>::PACKING));
    code!(#krate::__join!(packings: #packing, [#named] [#sections]))
}

/// The table as a constant, where the plan is one.
pub(super) fn emit(network: &Network) -> TokenStream {
    if network.plan.is_none() {
        return TokenStream::new();
    }
    let (krate, name, table) = (&network.krate, network.table(), table(network));
    code! {
        #[doc(hidden)]
        const #name: &[#krate::plan::LayerInfo<'static>] = #table;
    }
}

/// The forward pass of the network that is layer `i`.
pub(super) fn forward(network: &Network, i: usize, which: Which) -> TokenStream {
    let krate = &network.krate;
    let field = &network.layers[i].name;
    let watch = watched::inside(network, i);
    let call = match which {
        Which::Arena => code!(forward(&self.#field, x, inner, y, #watch)),
        Which::Prepared | Which::Tape | Which::Backward | Which::Shortcut => {
            let (stream, segment) = (i as u64, segments::of_network(network, i));
            code!(forward_segment(&self.#field, #segment, x, inner, (seed, #stream), y, #watch))
        }
    };
    let borrow = borrow_forward(network, i, which);
    code!(#borrow #krate::network::nested::#call;)
}

/// As [`forward`], with what was packed.
pub(super) fn forward_packed(network: &Network, i: usize) -> TokenStream {
    let krate = &network.krate;
    let field = &network.layers[i].name;
    let borrow = borrow_forward(network, i, Which::Prepared);
    code!(#borrow #krate::network::nested::forward_packed(&self.#field, packed, x, inner, y);)
}

fn borrow_forward(network: &Network, i: usize, which: Which) -> TokenStream {
    let read = match network.pass(i, which).0.from {
        Place::At(_) => Ok([lies(
            network,
            i,
            code!(x),
            code!(Input),
            network.from(i, which),
        )]),
        Place::Input | Place::Output => Err(code!(let x = input;)),
    };
    let writes = [
        memory(network, i, which),
        lies(network, i, code!(y), code!(Output), network.to(i, which)),
    ];
    match read {
        Ok(reads) => borrow(&reads, &writes),
        Err(x) => {
            let borrow = borrow(&[], &writes);
            code!(#x #borrow)
        }
    }
}

/// The arena or the tape of the network that is layer `i`.
pub(super) fn memory(network: &Network, i: usize, which: Which) -> Lies {
    match which {
        Which::Arena => lies(network, i, code!(inner), code!(Arena), network.scratch(i)),
        Which::Prepared => {
            let (krate, ty) = (&network.krate, types::field(network, i));
            Lies {
                name: code!(inner),
                ty: code!(<#ty as #krate::prepare::Prepare>::Overlay),
                at: network.scalars(
                    network.steps[i].prepared.scratch,
                    &code!(steps[#i].prepared.scratch),
                ),
            }
        }
        Which::Tape | Which::Backward | Which::Shortcut => {
            let mut tape = lies(network, i, code!(inner), code!(Arena), network.mask(i));
            let (krate, ty) = (&network.krate, types::field(network, i));
            tape.ty = code!(<#ty as #krate::Trainable>::Tape);
            tape
        }
    }
}

fn lies(
    network: &Network,
    i: usize,
    name: TokenStream,
    what: TokenStream,
    at: TokenStream,
) -> Lies {
    let (krate, ty) = (&network.krate, types::field(network, i));
    Lies {
        name,
        ty: code!(<#ty as #krate::Network>::#what),
        at,
    }
}

impl Network {
    /// The lines of the table: a list, or the name of the constant that is one.
    pub(super) fn table(&self) -> TokenStream {
        match &self.plan {
            Some(_) => {
                let name = quote::format_ident!(
                    "__TABLE_OF_{}",
                    self.name.unraw(),
                    span = Span::mixed_site()
                );
                code!(#name)
            }
            None => table(self),
        }
    }

    /// The multiply-adds of a layer that is written by hand, if it has parameters.
    pub(super) fn macs_by_hand(&self, i: usize) -> Option<TokenStream> {
        let Kind::Own {
            what, learns: true, ..
        } = &self.layers[i].kind
        else {
            return None;
        };
        let krate = &self.krate;
        let from_to = |i| [self.input_of(i), self.volume(i)].map(|volume| single(&volume));
        let [x, y] = from_to(i);
        let question = quote_spanned!(at(what)=> macs::<#x, #y>());
        Some(match self.layers[i].first {
            first if first == i => ask(krate, what, &question),
            first => ask_after(krate, what, &from_to(first), &question),
        })
    }

    /// Where the arena of the network that is layer `i` lies in this one's.
    fn scratch(&self, i: usize) -> TokenStream {
        self.scalars(self.steps[i].scratch, &code!(steps[#i].scratch))
    }
}
