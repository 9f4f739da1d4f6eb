//! The options of the examples: each has a default.

use std::fmt::Display;
use std::process::exit;
use std::str::FromStr;

use pico_args::{Arguments, Error};

/// What `read` takes out of the command line. `--help` prints `help`, and what is left over is an error.
pub(crate) fn read<T>(help: &str, read: impl FnOnce(&mut Arguments) -> Result<T, Error>) -> T {
    let mut arguments = Arguments::from_env();
    if arguments.contains(["-h", "--help"]) {
        println!("{help}");
        exit(0);
    }
    let options = read(&mut arguments).unwrap_or_else(|error| refuse(&error, help));
    match arguments.finish().first() {
        None => options,
        Some(other) => refuse(&format!("there is no option {}", other.display()), help),
    }
}

/// What stands behind `name`.
pub(crate) fn value<T>(
    arguments: &mut Arguments,
    name: &'static str,
    default: T,
) -> Result<T, Error>
where
    T: FromStr<Err: Display>,
{
    Ok(arguments.opt_value_from_str(name)?.unwrap_or(default))
}

fn refuse(error: &dyn Display, help: &str) -> ! {
    eprintln!("error: {error}\n\n{help}");
    exit(2)
}
