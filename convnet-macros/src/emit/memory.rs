//! Borrows of the arena and the tape, which the caller has at hand as `memory`.

use proc_macro2::TokenStream;

use super::code;

/// A variable for the volume that lies at a const argument.
pub(super) struct Lies {
    pub(super) name: TokenStream,
    pub(super) ty: TokenStream,
    pub(super) at: TokenStream,
}

/// `let` for at most two volumes to read and two to write, all at once.
pub(super) fn borrow(reads: &[Lies], writes: &[Lies]) -> TokenStream {
    let method = match (reads.len(), writes.len()) {
        (0, 1) => code!(at_mut),
        (1, 1) => code!(pair),
        (2, 1) => code!(triple),
        (0, 2) => code!(pair_mut),
        (1, 2) => code!(read_one),
        (2, 2) => code!(read_two),
        // All are shared.
        _ => {
            let at = reads
                .iter()
                .map(|Lies { name, ty, at }| code!(let #name = memory.at::<#ty, #at>();));
            return at.collect();
        }
    };
    let all = || reads.iter().chain(writes);
    let names = all().map(|lies| &lies.name);
    let places = all().map(|Lies { ty, at, .. }| code!(#ty, #at));
    match all().count() {
        1 => code!(let #(#names)* = memory.#method::<#(#places)*>();),
        _ => code!(let (#(#names),*) = memory.#method::<#(#places),*>();),
    }
}
