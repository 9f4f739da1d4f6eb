//! # Emit: types and calls; nothing is decided here
//!
//! ```text
//! Network ──▶ structure   struct Cifar { conv1: Conv<…>, … }, its docs, Zeroable
//!             parameters  impl Parameters: the tensors by index
//!             inference   impl Network: layer after layer over the arena
//!             training    impl Trainable: the same over the tape, and back
//!             flash       from the bytes of a weight file
//!             surface     inherent constants and functions, Display
//!             vocabulary  the words, for the editor
//! ```
//!
//! `convnet-core/tests/by_hand.rs` is what the output looks like. Every token is spanned at the
//! macro, except the user's own; paths begin with `$crate`.

mod deferred;
mod flash;
mod inference;
mod parameters;
mod structure;
mod surface;
mod training;
mod vocabulary;

use convnet_core::plan::{Place, Step, Totals};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

use crate::syntax::Mention;

/// `quote!` with spans of the macro's own.
macro_rules! code {
    ($($tokens:tt)*) => { ::quote::quote_spanned! { ::proc_macro2::Span::mixed_site()=> $($tokens)* } };
}
pub(crate) use code;
pub(crate) use deferred::Deferred;

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
    pub(crate) layers: Vec<Layer>,
    /// A step for each layer. If `plan` is given, only its [`Place`]s' and [`How`]s' variants are
    /// true.
    ///
    /// [`How`]: convnet_core::plan::How
    pub(crate) steps: Vec<Step>,
    pub(crate) totals: Totals,
    /// The name of a constant `Plan`, where sizes are names whose values only the compiler knows.
    pub(crate) plan: Option<Ident>,
    /// What that constant is made of.
    pub(crate) deferred: Option<Deferred>,
    /// The table, in Markdown.
    pub(crate) table: String,
    /// The words as they were written.
    pub(crate) mentions: Vec<Mention>,
}

/// One layer.
pub(crate) struct Layer {
    pub(crate) name: Ident,
    pub(crate) word: &'static str,
    /// What the user says of it.
    pub(crate) docs: TokenStream,
    /// The hyperparameters as one reads them: `12 of 5x5, pad 2`.
    pub(crate) detail: String,
    pub(crate) kind: Kind,
}

/// What a layer is, with the numbers that its type needs: literals, or consts in braces.
pub(crate) enum Kind {
    Conv { bias: bool, window: Window },
    GroupedConv { bias: bool, window: Window },
    Depthwise { bias: bool, window: Window },
    Fc,
    MaxPool(Window),
    AvgPool(Window),
    GlobalAvgPool,
    GlobalMaxPool,
    Relu,
    Relu6,
    LeakyRelu { slope: TokenStream },
    Sigmoid,
    Tanh,
    HardSwish,
    Softmax,
    Dropout { rate: TokenStream },
    Flatten,
}

/// Rows, columns.
pub(crate) struct Window {
    pub(crate) size: [TokenStream; 2],
    pub(crate) dilation: [TokenStream; 2],
    pub(crate) stride: [TokenStream; 2],
}

/// Which of a step's passes.
#[derive(Clone, Copy)]
enum Which {
    Arena,
    Tape,
    Backward,
}

/// Everything that a declaration becomes.
pub(crate) fn emit(network: &Network) -> TokenStream {
    let parts = [
        deferred::emit(network),
        structure::emit(network),
        parameters::emit(network),
        inference::emit(network),
        training::emit(network),
        flash::emit(network),
        surface::emit(network),
        vocabulary::emit(network),
    ];
    parts.into_iter().collect()
}

/// The name alone, so that a network that cannot be emitted is one error and not many.
pub(crate) fn stub(visibility: &syn::Visibility, name: &Ident) -> TokenStream {
    code!(#visibility struct #name<T = f32>(::core::marker::PhantomData<T>);)
}

impl Network {
    /// The type of what layer `i` reads.
    fn input_of(&self, i: usize) -> TokenStream {
        match i.checked_sub(1) {
            Some(before) => self.volume(before),
            None => {
                let Self {
                    krate,
                    input: [h, w, d],
                    ..
                } = self;
                code!(#krate::Volume<T, #h, #w, #d>)
            }
        }
    }

    /// The type of what layer `i` writes.
    fn volume(&self, i: usize) -> TokenStream {
        let krate = &self.krate;
        let [h, w, d] = [0, 1, 2].map(|axis| self.axis(i, axis));
        code!(#krate::Volume<T, #h, #w, #d>)
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

    /// The depth that a filter of layer `i` sees, as a const argument.
    fn filter_depth(&self, i: usize) -> TokenStream {
        match &self.plan {
            Some(plan) => code!({ #plan.steps[#i].filter_depth }),
            None => literal(self.steps[i].filter_depth),
        }
    }

    /// Stride, padding and dilation of layer `i`.
    fn slide(&self, i: usize, window: &Window) -> TokenStream {
        let (krate, [sy, sx]) = (&self.krate, &window.stride);
        let [top, left] = [0_usize, 1].map(|axis| match &self.plan {
            Some(plan) => code!({ #plan.steps[#i].before[#axis] }),
            None => literal(self.steps[i].before[axis]),
        });
        let [dy, dx] = &window.dilation;
        match [dy, dx].map(ToString::to_string) {
            [dy, dx] if dy == "1" && dx == "1" => {
                code!(#krate::layer::Slide<#sy, #sx, #top, #left>)
            }
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

    /// Where the mask of layer `i` lies in the tape.
    fn mask(&self, i: usize) -> TokenStream {
        match &self.plan {
            Some(plan) => code!({ #plan.steps[#i].mask }),
            None => literal(self.steps[i].mask),
        }
    }

    fn pass(&self, i: usize, which: Which) -> (convnet_core::plan::Pass, Ident) {
        let step = &self.steps[i];
        let (pass, name) = match which {
            Which::Arena => (step.arena, "arena"),
            Which::Tape => (step.tape, "tape"),
            Which::Backward => (step.backward, "backward"),
        };
        (pass, own(name))
    }

    fn place(&self, i: usize, pass: &Ident, end: &str, place: Place) -> TokenStream {
        let end = own(end);
        match (&self.plan, place) {
            (Some(plan), _) => code!({ #plan.steps[#i].#pass.#end.scalar() }),
            (None, Place::At(scalar)) => literal(scalar),
            (None, _) => literal(0),
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

    /// The layer, as a value to borrow.
    fn value(&self, i: usize) -> TokenStream {
        let krate = &self.krate;
        let layer = code!(#krate::layer);
        let name = &self.layers[i].name;
        let pool = |word: &str, window: &Window| {
            let (word, slide, [fh, fw]) = (own(word), self.slide(i, window), &window.size);
            code!(#layer::#word::<#fh, #fw, #slide>::new())
        };
        match &self.layers[i].kind {
            kind if kind.has_parameters() => code!(self.#name),
            Kind::MaxPool(window) => pool("MaxPool", window),
            Kind::AvgPool(window) => pool("AvgPool", window),
            Kind::GlobalAvgPool => code!(#layer::GlobalAvgPool),
            Kind::GlobalMaxPool => code!(#layer::GlobalMaxPool),
            Kind::Relu => code!(#layer::Relu),
            Kind::Relu6 => code!(#layer::Relu6),
            Kind::LeakyRelu { slope } => code!(#layer::LeakyRelu { slope: #slope }),
            Kind::Sigmoid => code!(#layer::Sigmoid),
            Kind::Tanh => code!(#layer::Tanh),
            Kind::HardSwish => code!(#layer::HardSwish),
            Kind::Softmax => code!(#layer::Softmax),
            Kind::Dropout { rate } => code!(#layer::Dropout { rate: #rate }),
            _ => TokenStream::new(),
        }
    }
}

impl Kind {
    /// Whether backward reads x again; [`convnet_core::plan::Op::backward_reads_x`] by kind.
    fn backward_reads_x(&self) -> bool {
        self.has_parameters()
            || matches!(
                self,
                Self::MaxPool(_) | Self::GlobalMaxPool | Self::HardSwish
            )
    }

    /// Whether it learns; [`convnet_core::plan::Op::has_parameters`] by kind.
    fn has_parameters(&self) -> bool {
        matches!(
            self,
            Self::Conv { .. } | Self::GroupedConv { .. } | Self::Depthwise { .. } | Self::Fc
        )
    }
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
