//! Tells what no `cfg` of the compiler does: the trainer, whether it is compiled without optimisation; the
//! kernels, whether they are to be plain loops alone, and whether a Cortex-M has an FPU, the DSP extension, Helium, or
//! only Thumb's first instructions.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(unoptimized)");
    println!("cargo::rustc-check-cfg=cfg(plain)");
    if std::env::var("OPT_LEVEL").as_deref() == Ok("0") {
        println!("cargo::rustc-cfg=unoptimized");
        // In a release build so is what the compiler runs itself: the macro's core, which computes nothing.
        if std::env::var("PROFILE").as_deref() == Ok("release") {
            println!("cargo::rustc-cfg=plain");
        }
    }
    println!("cargo::rustc-check-cfg=cfg(dsp)");
    println!("cargo::rustc-check-cfg=cfg(thumb1)");
    println!("cargo::rustc-check-cfg=cfg(vfp)");
    let target = std::env::var("TARGET").unwrap_or_default();
    if ["thumbv7em-none-eabihf", "thumbv8m.main-none-eabihf"].contains(&&*target) {
        println!("cargo::rustc-cfg=vfp");
    }
    if target.starts_with("thumbv7em") {
        println!("cargo::rustc-cfg=dsp");
    }
    // Of ARMv8-M the target's name does not tell, but the processor that the compiler is told.
    println!("cargo::rustc-check-cfg=cfg(helium)");
    println!("cargo::rustc-check-cfg=cfg(cortex_m33)");
    let flags = std::env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let mut cpus = flags
        .split('\x1f')
        .filter_map(|flag| flag.split_once("target-cpu="));
    if target.starts_with("thumbv8m.main") {
        match cpus.next_back().map(|(_, cpu)| cpu) {
            Some("cortex-m52" | "cortex-m55" | "cortex-m85") => {
                println!("cargo::rustc-cfg=helium");
            }
            Some("cortex-m33" | "cortex-m35p") => {
                println!("cargo::rustc-cfg=dsp");
                println!("cargo::rustc-cfg=cortex_m33");
            }
            _ => {}
        }
    }
    if target.starts_with("thumbv6m") {
        println!("cargo::rustc-cfg=thumb1");
    }
}
