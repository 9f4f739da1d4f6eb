//! The budget: planned bytes against declared ones.

use convnet_core::plan::{Account, Op};

use super::names::Named;
use super::numbers::plain;
use super::place::Placed;
use crate::report::Errors;
use crate::syntax::Limit;

/// Holds each limit against the plan.
///
/// ```text
/// #[budget(ram = 64 KiB, flash = 256 KiB)]
/// ```
pub(super) fn check(limits: &[Limit], layers: &[Named], placed: &Placed, errors: &mut Errors) {
    let ops: Vec<Op> = layers.iter().map(|named| plain(named.kind())).collect();
    let names: Vec<&str> = layers.iter().map(|named| &*named.path).collect();
    let account = Account {
        input: placed.input,
        ops: &ops,
        names: &names,
        steps: &placed.steps,
        totals: placed.totals,
    };
    for limit in limits {
        if let Some(text) = account.over(limit.memory, &limit.text, limit.bytes.value) {
            errors.push(&limit.bytes.tokens, text.as_str());
        }
    }
}
