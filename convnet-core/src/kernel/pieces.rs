//! Slices piece by piece, as `chunks` does it, but of any length: of zero there are no pieces. (`chunks` panics there,
//! and so does its `zip`, which divides by the length; that this never happens, a compiler that looks for small code
//! does not see.)

/// Pieces of so many, the last one shorter.
#[inline(always)]
pub(crate) fn pieces<T>(mut rest: &[T], len: usize) -> impl Iterator<Item = &[T]> + Clone {
    core::iter::from_fn(move || {
        if len == 0 || rest.is_empty() {
            return None;
        }
        let (piece, behind) = rest.split_at_checked(len).unwrap_or((rest, &[]));
        rest = behind;
        Some(piece)
    })
}

/// The same, to write.
#[inline(always)]
pub(crate) fn pieces_mut<T>(mut rest: &mut [T], len: usize) -> impl Iterator<Item = &mut [T]> {
    core::iter::from_fn(move || {
        if len == 0 || rest.is_empty() {
            return None;
        }
        let all = core::mem::take(&mut rest);
        let at = len.min(all.len());
        let (piece, behind) = all.split_at_mut_checked(at)?;
        rest = behind;
        Some(piece)
    })
}
