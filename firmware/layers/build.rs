//! The linker script of `cortex-m-rt`; where the memory is, `programs` says.

fn main() {
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}
