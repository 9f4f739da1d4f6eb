//! Lesson 8, generic code: a stack of layers for an input of any size that fits.
//!
//! `cargo run --example generic_stack`
//!
//! `convnet!` needs numbers. A function for every width has none, so here the rule is a bound
//! (`Filter<F, S, P>: Fits<W>`), and storage is as long as the formula says: a length computed from
//! type parameters, which const generics alone cannot do on stable.
//!
//! Change `features::<8>` to `features::<9>`: the pool does not fit, and the compiler says so.
#![forbid(unsafe_code)]

use convnet::shape::fits::{Filter, Fits, Follows, Square};

/// 3x3, S = 1, P = 1: keeps the size.
type Conv = Filter<3, 1, 1>;
/// 2x2, S = 2: halves it.
type Pool = Filter<2, 2, 0>;

type Convolved<const W: usize> = <Conv as Fits<W>>::Out;
type Pooled<const W: usize> = <Pool as Follows<Convolved<W>>>::Out;

/// conv → relu → pool with one filter.
fn features<const W: usize>(image: &[[f32; W]; W], filter: [[f32; 3]; 3]) -> Square<f32, Pooled<W>>
where
    Conv: Fits<W>,
    Pool: Follows<Convolved<W>>,
{
    let mut map = Square::<f32, Convolved<W>>::zero();
    for (y, row) in map.rows_mut().iter_mut().enumerate() {
        for (x, value) in row.iter_mut().enumerate() {
            *value = relu(dot(image, filter, y, x));
        }
    }
    let mut pooled = Square::<f32, Pooled<W>>::zero();
    for (pair, row) in map.rows().chunks(2).zip(pooled.rows_mut()) {
        for (x, value) in row.iter_mut().enumerate() {
            let seen = pair.iter().flat_map(|row| &row[2 * x..2 * x + 2]);
            *value = seen.fold(f32::NEG_INFINITY, |a, &b| a.max(b));
        }
    }
    pooled
}

/// The filter at (y, x), with a border of zeros.
fn dot<const W: usize>(image: &[[f32; W]; W], filter: [[f32; 3]; 3], y: usize, x: usize) -> f32 {
    let pixel = |y: usize, x: usize| {
        let row = image.get(y.checked_sub(1)?)?;
        row.get(x.checked_sub(1)?).copied()
    };
    let at = |fy: usize, fx: usize| filter[fy][fx] * pixel(y + fy, x + fx).unwrap_or(0.0);
    (0..3)
        .flat_map(|fy| (0..3).map(move |fx| (fy, fx)))
        .map(|(fy, fx)| at(fy, fx))
        .sum()
}

fn relu(x: f32) -> f32 {
    x.max(0.0)
}

fn main() {
    // A vertical edge, and the filter that sees it.
    let image: [[f32; 8]; 8] = [[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]; 8];
    let edge = [[-1.0, 0.0, 1.0]; 3];
    let seen = features::<8>(&image, edge);
    for row in seen.rows() {
        println!("{row:?}");
    }
    assert_eq!(seen.rows().len(), 4);
    assert_eq!(seen.rows()[1].as_slice(), [0.0, 3.0, 0.0, 0.0]);
}
