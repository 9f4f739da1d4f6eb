//! `cargo bench [-- --json] [--only NAME] …`: the example `bench`.

#[path = "../examples/bench/main.rs"]
mod bench;

fn main() -> std::process::ExitCode {
    bench::main()
}
