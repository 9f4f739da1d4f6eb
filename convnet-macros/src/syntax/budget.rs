//! `#[budget(ram = 64 KiB, flash = 256 KiB)]`.

use proc_macro2::{Ident, Span};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, LitInt, Meta, Result};

use super::split_at_commas;
use crate::report::Report;

/// What the target has, in bytes, and where that was written.
#[derive(Default)]
pub(crate) struct Budget {
    /// For the planned activations.
    pub(crate) ram: Option<(usize, Span)>,
    /// For the parameters.
    pub(crate) flash: Option<(usize, Span)>,
}

impl Budget {
    /// Takes the budget out of the attributes of a network.
    pub(super) fn take(attributes: &mut Vec<Attribute>, report: &mut Report) -> Self {
        let mut budget = Self::default();
        attributes.retain(|attribute| {
            if !attribute.path().is_ident("budget") {
                return true;
            }
            if let Err(error) = budget.read(attribute) {
                report.add(error);
            }
            false
        });
        budget
    }

    fn read(&mut self, attribute: &Attribute) -> Result<()> {
        let form = "a budget is written `#[budget(ram = 64 KiB, flash = 256 KiB)]`";
        let Meta::List(list) = &attribute.meta else {
            return Err(Error::new_spanned(attribute, form));
        };
        for item in split_at_commas(list.tokens.clone()) {
            let (key, bytes) = entry.parse2(item)?;
            let slot = match key.to_string().as_str() {
                "ram" => &mut self.ram,
                "flash" => &mut self.flash,
                _ => return Err(Error::new_spanned(&key, format!("there is no budget of `{key}`: it is of ram, of flash, or of both"))),
            };
            if slot.replace(bytes).is_some() {
                return Err(Error::new_spanned(&key, format!("a second budget of {key}")));
            }
        }
        Ok(())
    }
}

/// `ram = 64 KiB`.
fn entry(input: ParseStream<'_>) -> Result<(Ident, (usize, Span))> {
    let key: Ident = input.parse()?;
    input.parse::<syn::Token![=]>()?;
    let number: LitInt = input.parse()?;
    let unit = match (number.suffix(), input.is_empty()) {
        ("", true) => "B".to_owned(),
        ("", false) => input.parse::<Ident>()?.to_string(),
        (suffix, _) => suffix.to_owned(),
    };
    let bytes: usize = match unit.as_str() {
        "B" => 1,
        "kB" | "KB" => 1000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        _ => return Err(Error::new_spanned(&number, format!("`{unit}` is no unit: B, KB, KiB, MB or MiB"))),
    };
    let total = number.base10_digits().parse::<usize>().ok().and_then(|count| count.checked_mul(bytes));
    let total = total.ok_or_else(|| Error::new_spanned(&number, "too large a number of bytes"))?;
    if !input.is_empty() {
        return Err(input.error("expected a comma"));
    }
    Ok((key, (total, number.span())))
}
