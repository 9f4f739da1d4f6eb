//! `weights!`: a weight file becomes a `static`.
//!
//! ```text
//! weights! {
//!     /// Trained by the example `digits`.
//!     pub static NET: Digits = "digits.safetensors";
//! }
//! ```
//!
//! The macro reads nothing: it hands `include_bytes!` to a `const fn` of the network, and puts that
//! one's complaint under the file's name.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::parse::{ParseStream, Parser, Result};
use syn::{Attribute, Token, Type, Visibility};

use crate::emit::code;
use crate::report::Errors;

/// What `weights!` becomes; `krate` is the path of the facade crate.
pub(crate) fn expand(krate: &TokenStream, tokens: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let item = errors.ok(item.parse2(tokens));
    let mut output = errors.into_tokens();
    output.extend(item.map(|item| item.emit(krate)));
    output
}

/// `pub static NET: Digits = "digits.safetensors";`
struct Item {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    name: Ident,
    network: Type,
    /// A literal, or what expands to one: `concat!(env!("OUT_DIR"), "/digits.safetensors")`.
    file: TokenStream,
}

fn item(input: ParseStream) -> Result<Item> {
    let attributes = Attribute::parse_outer(input)?;
    let visibility = input.parse()?;
    let example = r#"`static NET: Digits = "digits.safetensors"`"#;
    if !input.peek(Token![static]) {
        return Err(input.error(format!("expected `static`, as in {example}")));
    }
    input.parse::<Token![static]>()?;
    let name = input.parse()?;
    input.parse::<Token![:]>()?;
    let network = input.parse()?;
    input.parse::<Token![=]>()?;
    let mut file = TokenStream::new();
    while !(input.is_empty() || input.peek(Token![;])) {
        file.extend([input.parse::<proc_macro2::TokenTree>()?]);
    }
    if file.is_empty() {
        return Err(input.error(format!("expected the name of a file, as in {example}")));
    }
    if input.parse::<Option<Token![;]>>()?.is_some() && !input.is_empty() {
        return Err(input.error("one file a `weights!`"));
    }
    Ok(Item {
        attributes,
        visibility,
        name,
        network,
        file,
    })
}

impl Item {
    fn emit(&self, krate: &TokenStream) -> TokenStream {
        let Self {
            attributes,
            visibility,
            name,
            network,
            file,
        } = self;
        // What a macro complains of is reported where its tokens stand.
        let blame = file.clone().into_iter().next();
        let blame = blame.map_or_else(Span::mixed_site, |token| token.span());
        let blame = Span::mixed_site().located_at(blame);
        let bytes = quote_spanned!(blame=> ::core::include_bytes!(#file));
        let panic = quote_spanned!(blame=> ::core::panic!("{}", message.as_str()));
        code! {
            #(#attributes)*
            // The header of a deep network is long, and its end is certain.
            #[allow(long_running_const_eval)]
            #visibility static #name: #network = {
                const __FILE: &[::core::primitive::u8] = #bytes;
                let network: ::core::result::Result<#network, #krate::flash::Message> =
                    #krate::flash::read(__FILE);
                match network {
                    ::core::result::Result::Ok(network) => network,
                    ::core::result::Result::Err(message) => #panic,
                }
            };
        }
    }
}
