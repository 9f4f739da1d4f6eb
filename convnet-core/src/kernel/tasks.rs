//! Tasks on the threads of the current pool.
//!
//! A task of rayon's is a hundred functions with long names. Here they are compiled once, with this crate, and not
//! for each network that has something to do on many threads.

use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use rayon::prelude::*;

/// Calls `run` for each of `items` with its number, in any order; a thread takes up to `most` at a time.
pub(crate) fn each<T: Send>(items: &mut [T], most: usize, run: impl Fn(usize, &mut T) + Sync) {
    // Nobody waits for one: each number is there once.
    let items: Vec<_> = items.iter_mut().map(Mutex::new).collect();
    numbers(items.len(), most, &|number| {
        let item = items[number].lock();
        run(number, &mut item.unwrap_or_else(PoisonError::into_inner));
    });
}

fn numbers(count: usize, most: usize, run: &(dyn Fn(usize) + Sync)) {
    let numbers = (0..count).into_par_iter().with_max_len(most);
    numbers.for_each(run);
}
