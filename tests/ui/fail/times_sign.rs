//! `×` is no letter of Rust's. Its lexer says so of each, before a macro sees any of them, so two in a size
//! are two errors; the macro reads an `x`, and has nothing to add.

use convnet::convnet;

convnet! {
    pub struct Net {
        input(32×32x3),
        fc(10),
    }
}

fn main() {
    // No second error: the type and what it can do are there all the same.
    include!("../readme_main.rs");
}
