//! # The digits in a browser, or in node
//!
//! `run()` reads the ten digits and returns how many results there are; `result(i)` is one of them.
//! `run.mjs` prints them.

#![deny(missing_docs)]

use std::sync::Mutex;

use convnet::{Arena, Overlay};
use nets::Words;
use nets::digits::{self, Digits};

static MEMORY: Mutex<(Arena<Digits>, Results)> = Mutex::new((Overlay::ZERO, Results(Vec::new())));

/// Computes all scores; how many there are.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> usize {
    MEMORY.lock().map_or(0, |mut memory| {
        let (arena, results) = &mut *memory;
        results.0.clear();
        digits::run(arena, results);
        results.0.len()
    })
}

/// A score; NaN past the last.
#[unsafe(no_mangle)]
pub extern "C" fn result(index: usize) -> f32 {
    let memory = MEMORY.lock().ok();
    memory
        .and_then(|memory| memory.1.0.get(index).copied())
        .unwrap_or(f32::NAN)
}

struct Results(Vec<f32>);

impl Words for Results {
    fn begin(&mut self) {}

    fn end(&mut self) {}

    fn word(&mut self, bits: u32) {
        self.0.push(f32::from_bits(bits));
    }
}
