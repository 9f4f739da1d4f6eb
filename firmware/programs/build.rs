//! Tells the linker how much memory the machine has.

use std::env;
use std::fs;
use std::path::PathBuf;

fn main() {
    let of = |name| env::var(name).unwrap_or_default();
    let map = match of("TARGET").as_str() {
        "thumbv6m-none-eabi" => "memory/microbit.x",
        "thumbv8m.main-none-eabihf" if of("CARGO_ENCODED_RUSTFLAGS").contains("cortex-m33") => {
            "memory/an505.x"
        }
        "thumbv8m.main-none-eabihf" => "memory/an547.x",
        _ => "memory/mps2.x",
    };
    println!("cargo::rerun-if-changed={map}");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::copy(map, out.join("memory.x")).expect("the map can be copied");
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
}
