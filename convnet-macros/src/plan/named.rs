//! Sizes by the name of a `const`, whose value a macro cannot see.
//!
//! The generated program then plans itself, in a constant, by the same `const fn`s; a misfit is a
//! panic of that constant, with the text that the macro would have written.

use convnet_core::plan::{Memory, Written};
use convnet_core::shape::Blame;
use proc_macro2::{Literal, Span, TokenStream};

use super::names::Named;
use super::numbers::{any_named, is_named, size};
use super::place::{self, Lines};
use crate::emit::{Deferred, code};
use crate::syntax::{Declaration, Limit, Number};

/// Whether the plan has to wait for the compiler.
pub(super) fn any(declaration: &Declaration, layers: &[Named]) -> bool {
    let mut image = declaration.input.iter().flat_map(|input| &input.value);
    image.any(is_named) || layers.iter().any(|named| any_named(named.kind()))
}

/// The declaration as expressions of `convnet_core::plan`.
pub(super) fn deferred(
    krate: &TokenStream,
    declaration: &Declaration,
    image: &[Number; 3],
    layers: &[Named],
) -> Deferred {
    let limits = declaration.budget.iter().map(|limit: &Limit| {
        let memory = match limit.memory {
            Memory::Ram => code!(Ram),
            Memory::Flash => code!(Flash),
        };
        let (text, bytes) = (&limit.text, limit.bytes.value);
        let written = limit.bytes.tokens.clone().into_iter().next();
        let blame = written.map_or_else(|| limit.key.span(), |token| token.span());
        (code!(#krate::plan::Memory::#memory, #text, #bytes), blame)
    });
    Deferred {
        input: image.each_ref().map(size),
        written: written(krate, layers),
        blames: layers.iter().map(blames).collect(),
        limits: limits.collect(),
    }
}

/// What one line stands for, as the plan takes it.
fn written(krate: &TokenStream, layers: &[Named]) -> TokenStream {
    let lines = Lines::of(layers);
    let Written { firsts, unstrided } = lines.written();
    let numbers = |numbers: &[usize]| -> Vec<_> {
        let literal = |&number: &usize| Literal::usize_unsuffixed(number);
        numbers.iter().map(literal).collect()
    };
    let (firsts, unstrided) = (numbers(firsts), numbers(unstrided));
    code!(#krate::plan::Written { firsts: &[#(#firsts),*], unstrided: &[#(#unstrided),*] })
}

/// What is underlined where the size, the padding, the groups or the output_pad are to blame.
fn blames(named: &Named) -> [Span; 4] {
    let all = [Blame::Size, Blame::Padding, Blame::Groups, Blame::OutputPad];
    all.map(|blame| {
        let written = place::blame(named, blame).into_iter().next();
        written.map_or_else(|| named.word().span(), |token| token.span())
    })
}
