//! `#[row_by_row]`: the same scores in less memory.

mod common;

use common::check;
use convnet::{AnyVolume, Network, Rng, convnet};

const FILTERS: usize = 5;

/// The same layers twice.
macro_rules! twice {
    ($plain:ident, $rows:ident { $($layers:tt)* }) => {
        convnet! { struct $plain { $($layers)* } }
        convnet! {
            #[row_by_row]
            struct $rows { $($layers)* }
        }
    };
}

twice!(Plain, Rows {
    input(16x12x3),
    conv1: conv(8, 5x5, pad = 2),
    relu,
    max_pool(2x2, stride = 2),
    conv2: conv(6, 3x3, pad = 1),
    max_pool(3x3, stride = 2, fit = pad),
    relu,
    scores: fc(4),
});

twice!(PlainByName, RowsByName {
    input(9x9x2),
    conv1: conv(FILTERS, 3x3),
    relu,
    relu,
    max_pool(3x3, stride = 2),
    scores: fc(FILTERS),
});

twice!(PlainBlocks, RowsBlocks {
    input(8x8x2),
    stem: conv(4, 3x3, pad = 1),
    // Its map is read again.
    residual { conv(4, 3x3, pad = 1), relu, max_pool(3x3, stride = 1, pad = 1) },
    concat { [conv(2, 1x1), relu6, max_pool(2x2, stride = 2)], [conv(3, 2x2, stride = 2)] },
    conv(4, 1x1),
    sigmoid,
    max_pool(2x2, stride = 2),
    // In groups, too.
    conv(4, 1x1, groups = 2),
    relu,
    max_pool(2x2),
    scores: fc(3),
});

#[test]
fn the_scores_are_the_same() {
    same::<Plain, Rows>();
    same::<Plain<f64>, Rows<f64>>();
    same::<PlainByName, RowsByName>();
    same::<PlainBlocks, RowsBlocks>();
}

#[test]
fn every_gradient_is_right() {
    check::<RowsByName<f64>>(1);
    check::<RowsBlocks<f64>>(2);
}

#[test]
fn there_are_only_as_many_rows_as_a_window_sees() {
    // The first pool: two rows of 16x8, rounded up, and 8x6x8.
    assert_eq!(Rows::ARENA_BYTES, 4 * (2 * 16 * 8 + 8 * 6 * 8));
    assert_eq!(Plain::ARENA_BYTES, 4 * (16 * 12 * 8 + 8 * 6 * 8));
    assert_eq!(Rows::TAPE_BYTES, Plain::TAPE_BYTES);
    // Three rows of 7x5 and 3x3x5, each rounded up; the map is 7x7x5.
    assert_eq!(RowsByName::ARENA_BYTES, 4 * (112 + 48));
    assert_eq!(PlainByName::ARENA_BYTES, 4 * (256 + 48));
}

fn same<P: Network, R>()
where
    R: Network<Scalar = P::Scalar, Input = P::Input, Output = P::Output>,
{
    let (mut plain, mut rows): (Box<P>, Box<R>) = (bytemuck::zeroed_box(), bytemuck::zeroed_box());
    let (mut image, mut rng): (Box<P::Input>, _) = (bytemuck::zeroed_box(), Rng::new(7));
    let mut draw = || convnet::Real::of(rng.uniform() - 0.5);
    for index in 0..P::TENSORS.len() {
        plain.tensor_mut(index).fill_with(&mut draw);
        rows.tensor_mut(index).copy_from_slice(plain.tensor(index));
    }
    image.as_mut_slice().fill_with(&mut draw);
    let mut arena: Box<P::Arena> = bytemuck::zeroed_box();
    let expected = plain.forward(&image, &mut arena).as_slice();
    let mut arena: Box<R::Arena> = bytemuck::zeroed_box();
    let scores = rows.forward(&image, &mut arena).as_slice();
    for (score, expected) in scores.iter().zip(expected) {
        let difference = convnet::Real::widen(*score - *expected);
        assert!(difference.abs() < 1e-5, "{score} is not {expected}");
    }
}
