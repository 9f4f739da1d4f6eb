//! # The digits in a browser, or in node
//!
//! `run(0)` reads the ten digits and returns how many results there are; `result(i)` is one of them. `run(1)` reads
//! them in bytes, and `run(2)` computes `net0` in bytes.
//! `run.mjs` prints them.

#![deny(missing_docs)]

use std::sync::Mutex;

use convnet::{Arena, Overlay};
use nets::cifar::Net0;
use nets::digits::{self, Digits};
use nets::{Arena8, Words};
use nets::{cifar8, digits8};

static MEMORY: Mutex<Memory> = Mutex::new(Memory {
    digits: Overlay::ZERO,
    digits8: Overlay::ZERO,
    net0: Overlay::ZERO,
    results: Results(Vec::new()),
});

struct Memory {
    digits: Arena<Digits>,
    digits8: Arena8<Digits>,
    net0: Arena8<Net0>,
    results: Results,
}

/// Computes all scores; how many there are.
#[unsafe(no_mangle)]
pub extern "C" fn run(which: usize) -> usize {
    MEMORY.lock().map_or(0, |mut memory| {
        let memory = &mut *memory;
        let results = &mut memory.results;
        results.0.clear();
        match which {
            0 => digits::run(&mut memory.digits, results),
            1 => digits8::run(&mut memory.digits8, results),
            _ => nets::forward8(&cifar8::NET0, &cifar8::IMAGE, &mut memory.net0, results),
        }
        results.0.len()
    })
}

/// A score; NaN past the last.
#[unsafe(no_mangle)]
pub extern "C" fn result(index: usize) -> f32 {
    let memory = MEMORY.lock().ok();
    memory
        .and_then(|memory| memory.results.0.get(index).copied())
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
