//! Whole processes: how long until the first scores, and the most memory that was ever used.

use std::process::{Command, ExitCode, Stdio};
use std::str::FromStr;
use std::time::Instant;

use convnet::Volume;
use convnet::prepare::{Prepare, Prepared};

use super::nets::{Cifar, Vgg16};

/// What a process of its own does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Nothing.
    Nothing,
    /// The scores of CS231n's net for CIFAR-10, prepared.
    Cifar,
    /// Those of VGG-16, as declared.
    Vgg16Raw,
    /// Those of VGG-16, prepared without Winograd's algorithm.
    Vgg16Direct,
    /// Those of VGG-16, prepared.
    Vgg16,
}

/// What each is called on the command line.
const NAMES: [(&str, Task); 5] = [
    ("nothing", Task::Nothing),
    ("cifar", Task::Cifar),
    ("vgg16-raw", Task::Vgg16Raw),
    ("vgg16-direct", Task::Vgg16Direct),
    ("vgg16", Task::Vgg16),
];

impl FromStr for Task {
    type Err = &'static str;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let mut names = NAMES.into_iter();
        let named = names.find(|(it, _)| *it == name);
        named.map(|(_, task)| task).ok_or("no process does that")
    }
}

/// Processes of each kind, and their median time.
const STARTS: usize = 41;

/// Prints both tables.
pub(crate) fn rows() -> std::io::Result<ExitCode> {
    println!("from start to exit, median of {STARTS}");
    let mut medians = [0.0; 2];
    for (median, task) in medians.iter_mut().zip([Task::Nothing, Task::Cifar]) {
        let mut times = Vec::new();
        for _ in 0..STARTS {
            let start = Instant::now();
            run(task)?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        *median = times[STARTS / 2];
        println!("{:<14}{median:>9.2} ms", name(task));
    }
    println!("{:<14}{:>9.2} ms\n", "difference", medians[1] - medians[0]);

    let parameters = 4e-6 * Vgg16::PARAMETERS as f64;
    println!("VGG-16: {parameters:.0} MB of parameters; the most memory at a time");
    for task in [Task::Vgg16Raw, Task::Vgg16Direct, Task::Vgg16] {
        match run(task)?.trim().parse::<f64>() {
            Ok(peak) => println!(
                "{:<14}{peak:>9.0} MB, {:.2} times",
                name(task),
                peak / parameters
            ),
            Err(_) => println!("{:<14} not known on this system", name(task)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// In this process; prints the most memory that it used, in MB, if the system says.
pub(crate) fn execute(task: Task) {
    match task {
        Task::Nothing => {}
        Task::Cifar => prepared(Prepared::new(Cifar::random(231))),
        Task::Vgg16Raw => {
            let image = Volume::boxed();
            std::hint::black_box(Vgg16::<f32>::random(231).forward(&image, &mut Vgg16::arena()));
        }
        Task::Vgg16Direct => prepared(Prepared::without_winograd(Vgg16::random(231))),
        Task::Vgg16 => prepared(Prepared::new(Vgg16::random(231))),
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next()?.parse::<f64>().ok());
    if let Some(kilobytes) = kilobytes {
        println!("{}", kilobytes * 1.024e-3);
    }
}

fn prepared<N: Prepare<Scalar = f32>>(net: Prepared<Box<N>>) {
    let image: Box<N::Input> = bytemuck::zeroed_box();
    std::hint::black_box(net.forward(&image, &mut net.arena()));
}

fn run(task: Task) -> std::io::Result<String> {
    let done = Command::new(std::env::current_exe()?)
        .args(["--task", name(task)])
        .stderr(Stdio::inherit())
        .output()?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

fn name(task: Task) -> &'static str {
    let mut names = NAMES.into_iter();
    names
        .find(|(_, it)| *it == task)
        .map_or("", |(name, _)| name)
}
