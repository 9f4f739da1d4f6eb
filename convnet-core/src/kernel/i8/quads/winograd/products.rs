//! The products of a point: some tiles by sixteen filters, whose sums never leave the registers.

use core::array;

use super::none;
use crate::kernel::i8::quads::{Block, FILTERS, Pairs};
use crate::kernel::window::even_lengths;

/// Tiles of a register tile, at most.
pub(super) const TILES: usize = 6;

/// `m[tile][16] = Σ v[tile][d] · u[d/2][16][d%2]`
pub(super) fn products<D: Pairs, const N: usize>(
    dots: D,
    mut v: &[i16],
    u: &[Block],
    tiles: usize,
    mut m: &mut [i32],
) -> Option<()> {
    let of_size: [Products<D>; TILES] = [
        products_of::<D, N, 1>,
        products_of::<D, N, 2>,
        products_of::<D, N, 3>,
        products_of::<D, N, 4>,
        products_of::<D, N, 5>,
        products_of::<D, N, 6>,
    ];
    for size in even_lengths(tiles, TILES) {
        of_size.get(size - 1)?(dots, v, u, m)?;
        v = v.get(size * u.len() * 2..)?;
        m = m.get_mut(size * FILTERS..)?;
    }
    Some(())
}

type Products<D> = fn(D, &[i16], &[Block], &mut [i32]) -> Option<()>;

fn products_of<D: Pairs, const N: usize, const P: usize>(
    dots: D,
    v: &[i16],
    u: &[Block],
    m: &mut [i32],
) -> Option<()> {
    dots.vectorize(
        #[inline(always)]
        || {
            let (pitch, m) = (u.len() * 2, m.get_mut(..P * FILTERS)?);
            let v = v.get(..P * pitch)?;
            let zero = none(dots);
            let mut sums = [[zero; N]; P];
            for (pair, u) in u.iter().enumerate() {
                let u = u.as_ptr().cast::<i8>();
                // SAFETY: a block has 4 · 16 bytes, of which 4 · LANES from n · 4 · LANES on.
                let w: [D::W; N] = array::from_fn(
                    #[inline(always)]
                    |n| unsafe { dots.filters(u.add(n * 4 * D::LANES)) },
                );
                for p in 0..P {
                    // SAFETY: p · pitch + 2 · pair + 2 <= P · pitch = v.len(), as pair < pitch / 2.
                    let x = unsafe { dots.splat(v.as_ptr().add(p * pitch + 2 * pair).cast(), ()) };
                    for n in 0..N {
                        sums[p][n] = dots.add(sums[p][n], x, w[n]);
                    }
                }
            }
            for p in 0..P {
                for n in 0..N {
                    // SAFETY: p · 16 + (n + 1) · LANES <= P · 16 = m.len().
                    unsafe {
                        dots.put_sums(sums[p][n], m.as_mut_ptr().add(p * FILTERS + n * D::LANES))
                    };
                }
            }
            Some(())
        },
    )
}
