//! Tells what no `cfg` of the compiler does: the trainer, whether it is compiled without optimisation; the int8
//! kernels, whether a Cortex-M has the DSP extension, or only Thumb's first instructions.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(unoptimized)");
    if std::env::var("OPT_LEVEL").as_deref() == Ok("0") {
        println!("cargo::rustc-cfg=unoptimized");
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
    if target.starts_with("thumbv6m") {
        println!("cargo::rustc-cfg=thumb1");
    }
}
