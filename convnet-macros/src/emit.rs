//! # Emit: types and calls; nothing is decided here
//!
//! ```text
//! Network ──▶ structure   struct Cifar { conv1: Conv<…>, … }, its docs, Zeroable
//!             parameters  impl Parameters: the tensors by index
//!             graph       the ops, with names and edges
//!             inference   impl Network: layer after layer over the arena
//!             training    impl Trainable: the same over the tape, and back
//!             segments    where that is cut, since images wait for others: at a batch_norm or a large fc
//!             prepared    impl Prepare: the same over the arena, with packed filters
//!             volumes     names for the types of volumes whose sizes are constants
//!             watched     where a pass shows its volumes to who looks
//!             nested      networks inside, and layers with parameters that are written by hand
//!             flash       where the tensors lie, for a weight file
//!             stand_in    instead of those that implement a trait, where the declaration is wrong
//!             outputs     each of several outputs by its name
//!             surface     inherent constants and functions, Display
//!             vocabulary  the words, for the editor
//! ```
//!
//! `convnet-core/tests/by_hand.rs` is what the output looks like. Every token is spanned at the
//! macro, except the user's own; paths begin with `$crate`.

// No arm stands for whatever else there is: a new layer, a new place, is looked at everywhere.
#![deny(clippy::wildcard_enum_match_arm)]

mod deferred;
mod flash;
mod graph;
mod inference;
mod memory;
mod nested;
mod outputs;
mod parameters;
mod prepared;
mod segments;
mod stand_in;
mod structure;
mod surface;
mod training;
mod types;
mod vocabulary;
mod volumes;
mod watched;

use convnet_core::graph::{Manner, Sees};
use convnet_core::plan::{self, Flow, Pass, Place, Step, Totals};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt;

use crate::syntax::{Kind, Mention, Number, Window};

/// `quote!` with spans of the macro's own.
macro_rules! code {
    ($($tokens:tt)*) => { ::quote::quote_spanned! { ::proc_macro2::Span::mixed_site()=> $($tokens)* } };
}
pub(crate) use code;
pub(crate) use deferred::Deferred;
pub(crate) use nested::{nested, tensors};

/// All that is known of a network.
pub(crate) struct Network {
    /// The path of the facade crate: `$crate`.
    pub(crate) krate: TokenStream,
    /// The user's attributes and docs.
    pub(crate) attributes: TokenStream,
    pub(crate) visibility: TokenStream,
    pub(crate) name: Ident,
    /// Height, width, depth: literals, or consts in braces.
    pub(crate) input: [TokenStream; 3],
    /// The same in numbers, if they are literals.
    pub(crate) image: [usize; 3],
    pub(crate) layers: Vec<Layer>,
    /// A step for each layer. If `plan` is given, only its [`Place`]s' and [`How`]s' variants are
    /// true.
    ///
    /// [`How`]: convnet_core::plan::How
    pub(crate) steps: Vec<Step>,
    pub(crate) totals: Totals,
    /// Whether no layer is to work in the tape's scratch.
    pub(crate) direct_training: bool,
    /// Whether pools ask for rows as they need them.
    pub(crate) row_by_row: bool,
    /// Whether it stands in for one that is wrong: then there are all its names and types, and no function
    /// that computes, nor a list; there is no program to be made of it.
    pub(crate) stands_in: bool,
    /// The name of a constant `Plan`, where sizes are names whose values only the compiler knows.
    pub(crate) plan: Option<Ident>,
    /// The expression that builds the `graph::Op` of each layer; none where something is wrong.
    pub(crate) ops: Vec<TokenStream>,
    /// What that constant is made of, beside the ops.
    pub(crate) deferred: Option<Deferred>,
    /// The declaration, as text.
    pub(crate) written: String,
    /// The table, in Markdown.
    pub(crate) table: String,
    /// The words as they were written.
    pub(crate) mentions: Vec<Mention>,
}

/// One layer.
pub(crate) struct Layer {
    /// Its field, if it is one.
    pub(crate) name: Ident,
    /// Its name with those of its blocks: `block1.conv1`.
    pub(crate) path: String,
    pub(crate) word: &'static str,
    /// The first of those that its line stands for.
    pub(crate) first: usize,
    /// What the user says of it.
    pub(crate) docs: TokenStream,
    /// The hyperparameters as one reads them: `12 of 5x5, pad 2`.
    pub(crate) detail: String,
    pub(crate) kind: Kind,
}

/// Which of a step's passes.
#[derive(Clone, Copy, PartialEq)]
enum Which {
    Arena,
    Prepared,
    Tape,
    Backward,
    Shortcut,
}

/// Where a volume lies.
enum At {
    /// In an arena or the tape, at this const argument.
    Memory(TokenStream),
    /// In a variable.
    Caller(TokenStream),
}

/// Everything that a declaration becomes.
pub(crate) fn emit(network: &Network) -> TokenStream {
    let parts = [
        // First: an editor looks for the word to complete at a place that may not move far.
        vocabulary::emit(&network.krate, &network.mentions),
        deferred::emit(network),
        graph::emit(network),
        volumes::emit(network),
        nested::emit(network),
        structure::emit(network),
        match network.stands_in {
            true => stand_in::emit(network),
            false => implementations(network),
        },
        outputs::emit(network),
        surface::emit(network),
    ];
    parts.into_iter().collect()
}

fn implementations(network: &Network) -> TokenStream {
    let parts = [
        parameters::emit(network),
        inference::emit(network),
        training::emit(network),
        prepared::emit(network),
        flash::emit(network),
    ];
    parts.into_iter().collect()
}

impl Network {
    /// The name of a constant beside the network.
    fn constant(&self, what: &str) -> Ident {
        let name = self.name.unraw();
        format_ident!("__{what}_OF_{name}", span = Span::mixed_site())
    }

    /// The type of what layer `i` reads.
    fn input_of(&self, i: usize) -> TokenStream {
        match i.checked_sub(1) {
            Some(before) => self.volume(before),
            None => self.image(),
        }
    }

    /// The type of the image.
    fn image(&self) -> TokenStream {
        let Self {
            krate,
            input: [h, w, d],
            ..
        } = self;
        code!(#krate::Volume<T, #h, #w, #d>)
    }

    /// The type of what layer `i` writes: where its sizes are constants of the plan, by a name, so that
    /// the compiler computes them once and not wherever the volume is read or written.
    fn volume(&self, i: usize) -> TokenStream {
        match (&self.plan, self.shaped_by(i)) {
            (None, _) => self.volume_in_full(i),
            (Some(_), Some(layer)) => {
                let name = volumes::name(self, layer);
                code!(#name<T>)
            }
            (Some(_), None) => self.image(),
        }
    }

    /// The same, as users are shown it.
    fn volume_in_full(&self, i: usize) -> TokenStream {
        let krate = &self.krate;
        let [h, w, d] = [0, 1, 2].map(|axis| self.axis(i, axis));
        code!(#krate::Volume<T, #h, #w, #d>)
    }

    /// The type of what layer `i` reads, as users are shown it.
    fn input_in_full(&self, i: usize) -> TokenStream {
        match i.checked_sub(1) {
            Some(before) => self.volume_in_full(before),
            None => self.image(),
        }
    }

    /// The layer that gave what layer `i` writes its shape, if that is not the image's.
    fn shaped_by(&self, mut i: usize) -> Option<usize> {
        loop {
            let kind = &self.layers[i].kind;
            let v = match (kind.manner(), kind.reads(i)) {
                // What it multiplies.
                (Manner::Multiplies, (_, Some(with))) => with,
                (_, (v, _)) if kind.branches_from().is_some() || kind.keeps_shape() => v,
                _ => return Some(i),
            };
            i = v.checked_sub(1)?;
        }
    }

    /// Height (0), width (1) or depth (2) of what layer `i` writes, as a const argument.
    fn axis(&self, i: usize, axis: usize) -> TokenStream {
        match &self.plan {
            Some(plan) => code!({ #plan.steps[#i].volume[#axis] }),
            None => literal(self.steps[i].volume[axis]),
        }
    }

    /// Height, width or depth of what layer `i` reads, as a const argument.
    fn axis_before(&self, i: usize, axis: usize) -> TokenStream {
        i.checked_sub(1).map_or_else(
            || self.input[axis].clone(),
            |before| self.axis(before, axis),
        )
    }

    /// The depth whose part a filter of layer `i` has: of what it reads, or of what it stamps.
    fn cut_in_groups(&self, i: usize) -> TokenStream {
        match self.layers[i].kind.sees() == Sees::Stamps {
            true => self.axis(i, 2),
            false => self.axis_before(i, 2),
        }
    }

    /// The depth that a filter of layer `i` sees, as a const argument; none if that is the whole
    /// depth, as far as the macro sees.
    fn depth_of_group(&self, i: usize) -> Option<TokenStream> {
        let groups = self.layers[i].kind.groups();
        match &self.plan {
            _ if groups.is_none_or(|groups| groups.value.known() == Some(1)) => None,
            Some(plan) => Some(code!({ #plan.steps[#i].filter_depth })),
            None => Some(literal(self.steps[i].filter_depth)),
        }
    }

    /// Stride, padding and dilation of layer `i`.
    fn slide(&self, i: usize, window: &Window) -> TokenStream {
        let (krate, [sy, sx]) = (&self.krate, &window.stride.value);
        let [top, left] = [0_usize, 1].map(|axis| match &self.plan {
            Some(plan) => code!({ #plan.steps[#i].before[#axis] }),
            None => literal(self.steps[i].before[axis]),
        });
        let [dy, dx] = &window.dilation.value;
        match [dy, dx].map(Number::known) {
            [Some(1), Some(1)] => code!(#krate::layer::Slide<#sy, #sx, #top, #left>),
            _ => code!(#krate::layer::Slide<#sy, #sx, #top, #left, #dy, #dx>),
        }
    }

    /// Where layer `i` reads in a pass, as a const argument.
    fn from(&self, i: usize, which: Which) -> TokenStream {
        let (pass, name) = self.pass(i, which);
        self.place(i, &name, "from", pass.from)
    }

    /// Where layer `i` writes in a pass, as a const argument.
    fn to(&self, i: usize, which: Which) -> TokenStream {
        let (pass, name) = self.pass(i, which);
        self.place(i, &name, "to", pass.to)
    }

    /// Where the mask, the moments or the tape of layer `i` lie in the tape.
    fn mask(&self, i: usize) -> TokenStream {
        self.scalars(self.steps[i].mask, &code!(steps[#i].mask))
    }

    /// A number of bytes, `what` of the plan, in scalars: a const argument.
    fn scalars(&self, bytes: usize, what: &TokenStream) -> TokenStream {
        let krate = &self.krate;
        match &self.plan {
            Some(plan) => code!({ #krate::plan::scalars(#plan.#what) }),
            None => literal(plan::scalars(bytes)),
        }
    }

    fn pass(&self, i: usize, which: Which) -> (Pass, TokenStream) {
        let step = &self.steps[i];
        let (pass, name) = match which {
            Which::Arena => (step.arena, "arena"),
            Which::Prepared => (step.prepared.pass, "prepared"),
            Which::Tape => (step.tape, "tape"),
            Which::Backward => (step.backward.pass, "backward"),
            Which::Shortcut => (step.shortcut.pass, "shortcut"),
        };
        let name = own(name);
        match which {
            Which::Arena | Which::Tape => (pass, code!(#name)),
            Which::Prepared | Which::Backward | Which::Shortcut => (pass, code!(#name.pass)),
        }
    }

    fn place(&self, i: usize, pass: &TokenStream, end: &str, place: Place) -> TokenStream {
        let end = own(end);
        match &self.plan {
            Some(plan) => code!({ #plan.steps[#i].#pass.#end.scalar() }),
            None => literal(place.scalar()),
        }
    }

    /// Where volume `v`, counted as in the plan, lies in a forward pass.
    fn place_of(&self, v: usize, which: Which) -> At {
        match v.checked_sub(1) {
            None => At::Caller(code!(input)),
            Some(layer) => match self.pass(layer, which).0.to {
                Place::At(_) => At::Memory(self.to(layer, which)),
                Place::Input | Place::Output => At::Caller(code!(input)),
            },
        }
    }

    /// A way of the gradient through layer `i`.
    fn flow(&self, i: usize, which: Which) -> &Flow {
        match which {
            Which::Shortcut => &self.steps[i].shortcut,
            Which::Backward | Which::Arena | Which::Prepared | Which::Tape => {
                &self.steps[i].backward
            }
        }
    }

    /// Where the other shares of the gradient lie, as a const argument.
    fn sum(&self, i: usize, which: Which) -> TokenStream {
        let name = match which {
            Which::Shortcut => own("shortcut"),
            Which::Backward | Which::Arena | Which::Prepared | Which::Tape => own("backward"),
        };
        match &self.plan {
            Some(plan) => code!({ #plan.steps[#i].#name.sum_scalar() }),
            None => literal(self.flow(i, which).sum_scalar()),
        }
    }

    /// Whether layer `i` has parameters: then it is a field.
    fn is_field(&self, i: usize) -> bool {
        self.layers[i].kind.has_parameters()
    }

    /// The layers with parameters, with their indices.
    fn fields(&self) -> impl Iterator<Item = (usize, &Layer)> {
        self.layers
            .iter()
            .enumerate()
            .filter(|&(i, _)| self.is_field(i))
    }

    /// The path of layer `i`, if it is written by hand and a value.
    fn value_by_hand(&self, i: usize) -> Option<&TokenStream> {
        let kind = &self.layers[i].kind;
        kind.elsewhere().filter(|_| !kind.has_parameters())
    }

    /// A call of such a layer; what is wrong with it is reported
    /// where it is named.
    fn by_hand(&self, i: usize, what: &TokenStream, call: &TokenStream) -> TokenStream {
        let (x, y) = (self.input_of(i), self.volume(i));
        let krate = located(&self.krate, at(what));
        let call = code!(#krate::layer::Call::#call);
        let first = self.layers[i].first;
        if first == i {
            return quote_spanned! {at(what)=>
                #krate::layer::by_hand::<#x, #y, _>(&#what, || #what, #call);
            };
        }
        let private = code!(#krate::__private);
        let (x1, y1) = (self.input_of(first), self.volume(first));
        let value = code!(#private::after::<#x1, #y1, _>(#what).or_any());
        let called = quote_spanned! {at(what)=>
            #krate::layer::by_hand::<#x, #y, _>(&#value, || #value, #call);
        };
        code!({ #[allow(unused_imports)] use #private::OrAny as _; #called })
    }

    /// The layer, as a value to borrow.
    fn value(&self, i: usize) -> TokenStream {
        match self.is_field(i) {
            true => {
                let name = &self.layers[i].name;
                code!(self.#name)
            }
            false => types::value(self, i),
        }
    }
}

/// Where `tokens` begin.
fn at(tokens: &TokenStream) -> Span {
    let first = tokens.clone().into_iter().next();
    first.map_or_else(Span::mixed_site, |token| token.span())
}

/// The same path, reported where `at` is.
fn located(path: &TokenStream, at: Span) -> TokenStream {
    let trees = path.clone().into_iter().map(|mut tree| {
        tree.set_span(tree.span().located_at(at));
        tree
    });
    trees.collect()
}

/// A number without a suffix.
fn literal(value: usize) -> TokenStream {
    let value = proc_macro2::Literal::usize_unsuffixed(value);
    quote_spanned!(Span::mixed_site()=> #value)
}

/// A name of the macro's own.
fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
