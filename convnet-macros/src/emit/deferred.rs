//! The plan as a constant, where sizes are names whose values only the compiler knows.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use super::{Network, code};

/// What the compiler needs to plan a network: expressions.
pub(crate) struct Deferred {
    /// Height, width, depth.
    pub(crate) input: [TokenStream; 3],
    /// A `plan::Written`.
    pub(crate) written: TokenStream,
    /// What to underline where a layer does not fit: by its size, its padding, its groups.
    pub(crate) blames: Vec<[Span; 4]>,
    /// The memory, the budget as written, its bytes; and what to underline.
    pub(crate) limits: Vec<(TokenStream, Span)>,
}

/// The plan; and an error if something does not fit or is over the budget. One that does not fit is
/// planned as if every filter were 1x1, so that it is one error and not many.
pub(super) fn emit(network: &Network) -> TokenStream {
    let (Some(plan), Some(deferred)) = (&network.plan, &network.deferred) else {
        return TokenStream::new();
    };
    let krate = &network.krate;
    let Deferred {
        input,
        written,
        blames,
        limits,
    } = deferred;
    let row_by_row = network.row_by_row;
    let options = code! {
        #krate::plan::Options { row_by_row: #row_by_row, ..#krate::plan::Options::DEFAULT }
    };
    let names = network.layers.iter().map(|layer| &layer.path);
    let (ops, layers) = (&network.ops, network.layers.len());
    let (list, planned) = (network.constant("OPS"), network.constant("PLANNED"));
    // A panic is reported where its tokens stand.
    let misfits = blames.iter().enumerate().map(|(i, blames)| {
        let panics = blames.map(|blame| {
            quote_spanned! {Span::mixed_site().located_at(blame)=>
                ::core::panic!("{}", text.as_str())
            }
        });
        let [size, padding, groups, output_pad] = panics;
        code! {
            if failure.layer == #i {
                match failure.misfit.blame() {
                    #krate::shape::Blame::Size => #size,
                    #krate::shape::Blame::Padding => #padding,
                    #krate::shape::Blame::Groups => #groups,
                    #krate::shape::Blame::OutputPad => #output_pad,
                }
            }
        }
    });
    let limits = limits.iter().map(|(limit, blame)| {
        let panic = quote_spanned! {Span::mixed_site().located_at(*blame)=>
            ::core::panic!("{}", text.as_str())
        };
        code!(if let ::core::option::Option::Some(text) = account.over(#limit) { #panic })
    });
    // Statics, which are computed once: a constant is, anew, for each set of bounds where it is read. All
    // that reads them are constants, so the linker drops them.
    code! {
        #[doc(hidden)]
        const #list: &[#krate::plan::Op; #layers] = &[#(#ops),*];

        #[doc(hidden)]
        #[allow(long_running_const_eval)] // of a thousand layers and more
        static #planned: ::core::result::Result<
            #krate::plan::Plan<#layers>,
            #krate::plan::Failure,
        > = #krate::plan::Plan::of([#(#input),*], #list, #options);

        #[doc(hidden)]
        static #plan: #krate::plan::Plan<#layers> = match #planned {
            ::core::result::Result::Ok(plan) => plan,
            ::core::result::Result::Err(_) => #krate::plan::Plan::placeholder(#list, #options),
        };

        const _: () = {
            const __NAMES: &[&::core::primitive::str; #layers] = &[#(#names),*];
            match &#planned {
                ::core::result::Result::Ok(plan) => {
                    let account = #krate::plan::Account {
                        input: plan.input,
                        ops: #list,
                        names: __NAMES,
                        steps: &plan.steps,
                        totals: plan.totals,
                    };
                    let _ = account;
                    #(#limits)*
                }
                ::core::result::Result::Err(failure) if failure.follows(#list) => {}
                ::core::result::Result::Err(failure) => {
                    let text = failure.message_in(__NAMES, [#(#input),*], #list, &#written);
                    #(#misfits)*
                }
            }
        };
    }
}
