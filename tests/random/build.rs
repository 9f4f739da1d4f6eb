//! Declares the networks that the test computes: as many as `RANDOM_NETWORKS` says, from the seed
//! `RANDOM_SEED` on.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use convnet_core::Rng;

#[path = "src/declare.rs"]
mod declare;
#[path = "src/draw.rs"]
mod draw;
#[path = "src/network.rs"]
#[allow(dead_code)] // what only the test asks
mod network;

const NETWORKS: u64 = 40;

fn main() {
    for file in [
        "build.rs",
        "src/declare.rs",
        "src/draw.rs",
        "src/network.rs",
    ] {
        println!("cargo::rerun-if-changed={file}");
    }
    let networks = number("RANDOM_NETWORKS", NETWORKS);
    let first = number("RANDOM_SEED", 0);
    let mut text = String::new();
    for seed in first..first + networks {
        let name = format!("Net{seed}");
        let network = draw::network(seed);
        declare::declare(&network, &name, &mut text);
        let _ = writeln!(
            text,
            "#[test]\nfn net_{seed}() {{ crate::check::check::<{name}<f32>, {name}<f64>>({seed}); }}\n"
        );
    }
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    fs::write(folder.join("networks.rs"), text).expect("OUT_DIR can be written");
}

fn number(name: &str, default: u64) -> u64 {
    println!("cargo::rerun-if-env-changed={name}");
    let value = env::var(name).ok();
    value.map_or(default, |value| {
        let number = value.parse();
        number.unwrap_or_else(|_| panic!("{name} is a number, not `{value}`"))
    })
}
