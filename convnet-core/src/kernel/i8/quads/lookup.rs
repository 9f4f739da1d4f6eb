//! A table of 256 bytes, looked up in vectors.

use super::{Dots, Machine, with};
use crate::kernel::i8::Table;
use crate::kernel::i8::table::found;
use crate::kernel::pieces::{pieces, pieces_mut};

/// Each byte of `v` becomes what the table says.
pub fn lookup(machine: Machine, table: &Table, v: &mut [i8]) {
    with!(machine, dots => in_place(dots, table, v));
}

/// What the table says of each depth column of `x`, of so many bytes, at the beginning of one of `y`.
pub fn columns(
    machine: Machine,
    table: &Table,
    (x, own): (&[i8], usize),
    (y, all): (&mut [i8], usize),
) {
    with!(machine, dots => apart(dots, table, (x, own), (y, all)));
}

fn in_place<D: Dots>(dots: D, table: &Table, v: &mut [i8]) {
    dots.vectorize(
        #[inline(always)]
        || {
            let ready = dots.table(table);
            let mut v = v.chunks_exact_mut(D::LOOKED_UP);
            for v in &mut v {
                // SAFETY: there are LOOKED_UP bytes.
                unsafe { dots.look_up(&ready, v.as_ptr(), v.as_mut_ptr()) };
            }
            for v in v.into_remainder() {
                *v = found(table, *v);
            }
        },
    );
}

fn apart<D: Dots>(dots: D, table: &Table, (x, own): (&[i8], usize), (y, all): (&mut [i8], usize)) {
    dots.vectorize(
        #[inline(always)]
        || {
            let ready = dots.table(table);
            for (x, y) in pieces(x, own).zip(pieces_mut(y, all)) {
                let len = x.len().min(y.len());
                let Some(last) = len.checked_sub(D::LOOKED_UP) else {
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = found(table, *x));
                    continue;
                };
                for at in (0..len).step_by(D::LOOKED_UP) {
                    // The last vector looks some up again.
                    let at = at.min(last);
                    // SAFETY: at + LOOKED_UP <= len, which both have.
                    unsafe { dots.look_up(&ready, x.as_ptr().add(at), y.as_mut_ptr().add(at)) };
                }
            }
        },
    );
}
