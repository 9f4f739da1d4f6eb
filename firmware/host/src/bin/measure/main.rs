//! Runs every program under QEMU, compares what it prints, and prints what it needs.
//!
//! `measure QEMU COUNTER PROGRAMS [--bless] [PROGRAM …]`: the emulator, the plugin that counts instructions, the
//! folder with a folder of programs a target. `--bless` writes `expected/*.out` anew. Only these programs, if some
//! are named.

mod binary;
mod desktop;
mod emulator;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs};

use binary::Binary;
use emulator::Emulator;

/// A program on a machine, and what it may need at most.
struct Run {
    program: &'static str,
    machine: &'static Machine,
    /// Instructions of all that is counted.
    instructions: u64,
    /// Bytes of static memory and of the stack. (In int8 a board with DSP works in more memory than a desktop.)
    ram: u64,
    /// Bytes of flash besides the parameters and the images: code, tables, the vectors of interrupts.
    code: u64,
}

impl Run {
    const fn within(self, ram: u64, code: u64) -> Self {
        Self { ram, code, ..self }
    }
}

struct Machine {
    /// As one knows it.
    name: &'static str,
    /// As QEMU calls it.
    qemu: &'static str,
    /// Where its programs are.
    folder: &'static str,
}

const M0: Machine = Machine {
    name: "Cortex-M0",
    qemu: "microbit",
    folder: "thumbv6m-none-eabi",
};
const M4F: Machine = Machine {
    name: "Cortex-M4F",
    qemu: "mps2-an386",
    folder: "thumbv7em-none-eabihf",
};
const M7: Machine = Machine {
    name: "Cortex-M7",
    qemu: "mps2-an500",
    folder: "thumbv7em-none-eabihf",
};
const M33: Machine = Machine {
    name: "Cortex-M33",
    qemu: "mps2-an505",
    folder: "cortex-m33",
};
const M55: Machine = Machine {
    name: "Cortex-M55",
    qemu: "mps3-an547",
    folder: "cortex-m55",
};

const fn run(program: &'static str, machine: &'static Machine, instructions: u64) -> Run {
    Run {
        program,
        machine,
        instructions,
        ram: u64::MAX,
        code: CODE,
    }
}

const RUNS: [Run; 20] = [
    run("digits", &M4F, 1_850_000).within(u64::MAX, 8 << 10),
    run("digits", &M0, 140_000_000),
    run("digits8", &M4F, 1_250_000).within(3 << 10, 17 << 10),
    run("digits8", &M0, 5_500_000),
    run("ds_cnn", &M4F, 7_450_000).within(u64::MAX, 13 << 10),
    run("mobilenet", &M4F, 17_700_000).within(u64::MAX, 14 << 10),
    run("ds_cnn_8", &M4F, 8_000_000).within(18 << 10, 26 << 10),
    run("mobilenet_8", &M4F, 25_000_000).within(57 << 10, 34 << 10),
    run("net0", &M4F, 1_800_000).within(u64::MAX, 9 << 10),
    run("net0", &M7, 1_800_000).within(u64::MAX, 9 << 10),
    run("net1", &M4F, 10_800_000).within(u64::MAX, 9 << 10),
    run("net2", &M4F, 19_000_000).within(u64::MAX, 9 << 10),
    run("net0_8", &M4F, 1_250_000).within(6 << 10, 8 << 10),
    run("net0_8", &M0, 6_000_000).within(6 << 10, 10 << 10),
    run("net0_8", &M33, 1_250_000).within(6 << 10, 9 << 10),
    run("net0_8", &M55, 500_000).within(6 << 10, 14 << 10),
    run("net1_8", &M4F, 7_200_000).within(18 << 10, CODE),
    run("net2_8", &M4F, 12_300_000).within(20 << 10, CODE),
    run("numbers", &M4F, 70_000),
    run("tune", &M4F, 55_500_000),
];

/// Bytes of stack, at most: what `docs/embedding.md` says.
const STACK: u64 = 2048;

/// Bytes of code, at most.
const CODE: u64 = 42 << 10;

/// Bytes of static memory besides the network's, at most.
const BESIDES: u64 = 64;

fn main() -> ExitCode {
    match measure() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is as it should be.
fn measure() -> Result<bool, Box<dyn Error>> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [qemu, counter, programs, rest @ ..] = &arguments[..] else {
        return Err("usage: measure QEMU COUNTER PROGRAMS [--bless] [PROGRAM …]".into());
    };
    let (options, named): (Vec<&PathBuf>, Vec<&PathBuf>) =
        rest.iter().partition(|word| *word == Path::new("--bless"));
    let bless = !options.is_empty();
    let emulator = Emulator { qemu, counter };
    println!(
        "{:11} {:10} {:>12} {:>8} {:>10} {:>6} {:>8} {:>8} {:>6}  scores",
        "program",
        "target",
        "instructions",
        "flash",
        "parameters",
        "code",
        "RAM",
        "static",
        "stack"
    );
    let mut right = true;
    let asked = |run: &&Run| named.is_empty() || named.contains(&&PathBuf::from(run.program));
    for run in RUNS.iter().filter(asked) {
        let (machine, network) = (run.machine, desktop::network(run.program)?);
        let file = programs
            .join(machine.folder)
            .join("release")
            .join(run.program);
        let binary = Binary::read(&file)?;
        let seen = emulator.run(machine.qemu, &file, &binary)?;

        let kept = expected(run.program);
        if bless {
            fs::write(&kept, lines(&seen.results))?;
        }
        let same = fs::read_to_string(&kept)? == lines(&seen.results);
        let difference = difference(&seen.results, &network.results);
        println!(
            "{:11} {:10} {:>12} {:>8} {:>10} {:>6} {:>8} {:>8} {:>6}  {}, {difference:.0e} from the desktop's",
            run.program,
            machine.name,
            seen.instructions,
            binary.flash,
            network.parameters,
            (binary.flash as usize).saturating_sub(network.parameters + network.images),
            binary.statics + seen.stack,
            binary.statics,
            seen.stack,
            if same {
                "as expected"
            } else {
                "NOT as expected"
            },
        );
        let mut check = |holds: bool, complaint: String| {
            if !holds {
                println!("  WRONG: {complaint}");
                right = false;
            }
        };
        check(
            same,
            format!("the results are not those in {}", kept.display()),
        );
        check(
            difference
                <= if run.program.ends_with('8') {
                    0.0
                } else {
                    1e-5
                },
            "the desktop's results differ: in bytes at all, or by more than 1e-5".into(),
        );
        check(
            seen.instructions <= run.instructions,
            format!("more than {} instructions", run.instructions),
        );
        check(
            seen.stack <= STACK,
            format!("more than {STACK} bytes of stack"),
        );
        check(
            run.ram < u64::MAX || binary.statics <= network.memory + BESIDES,
            format!(
                "the network asks for {} bytes of static memory",
                network.memory
            ),
        );
        check(
            binary.statics + seen.stack <= run.ram,
            format!("more than {} bytes of RAM", run.ram),
        );
        let code = binary
            .flash
            .checked_sub((network.parameters + network.images) as u64);
        check(
            code.is_some_and(|code| code <= run.code),
            format!("code is {code:?} bytes, of {} at most", run.code),
        );
        if run.program == "tune" {
            let losses = seen.results.get(..nets::tune::STEPS).unwrap_or_default();
            let falls = losses.len() > 1 && losses.is_sorted_by(|before, after| before > after);
            check(falls, "the loss does not fall at every step".into());
        }
        for symbol in &binary.suspects {
            check(false, format!("{symbol} is linked"));
        }
    }
    Ok(right)
}

fn expected(program: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../expected")
        .join(program)
        .with_extension("out")
}

/// A result a line, with as many digits as tell it from every other `f32`.
fn lines(results: &[f32]) -> String {
    results.iter().map(|result| format!("{result}\n")).collect()
}

/// The largest difference, as a part of the largest result.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() {
        return f32::INFINITY;
    }
    let largest = b.iter().fold(0.0f32, |most, b| most.max(b.abs()));
    let difference = a.iter().zip(b).map(|(a, b)| (a - b).abs() / largest);
    difference.fold(
        0.0,
        |most: f32, next| if next <= most { most } else { next },
    )
}
