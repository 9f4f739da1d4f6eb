//! What a training shows while it runs.

use std::fmt::Write as _;
use std::io::{IsTerminal, stderr};
use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::batch::Totals;
use super::history::Epoch;

/// What a training shows on standard error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Progress {
    /// A line an epoch; on a terminal a bar, too.
    #[default]
    Auto,
    /// A line an epoch, and no bar anywhere.
    Lines,
    /// Nothing.
    Silent,
}

/// A bar that is redrawn now and then.
pub(super) struct Display {
    bar: ProgressBar,
    lines: bool,
    epochs: usize,
    drawn: Instant,
}

const UNOPTIMIZED: &str = "this is a build without optimisation, in which training takes more than a hundred \
times as long: run it with `--release`, or write into Cargo.toml\n\n    [profile.dev]\n    opt-level = 3\n";

/// How long a drawing stays: a small network takes thousands of steps a second.
const STAYS: Duration = Duration::from_millis(50);

impl Display {
    pub(super) fn new(progress: Progress, epochs: usize, images: usize) -> Self {
        let terminal = stderr().is_terminal();
        let target = match progress {
            Progress::Auto if terminal => ProgressDrawTarget::stderr(),
            _ => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(images as u64), target);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            lines: match progress {
                Progress::Auto => !terminal,
                Progress::Lines => true,
                Progress::Silent => false,
            },
            epochs,
            drawn: Instant::now(),
        }
    }

    /// That this takes a hundred times as long as it could, once a process.
    pub(super) fn unoptimized(&self) {
        static SAID: Once = Once::new();
        if cfg!(unoptimized) && (self.lines || !self.bar.is_hidden()) {
            SAID.call_once(|| self.line(|| UNOPTIMIZED.to_owned()));
        }
    }

    /// After a batch: `totals` of epoch `epoch` so far, in `seconds`.
    pub(super) fn batch(&mut self, epoch: usize, totals: &Totals, seconds: f64) {
        if self.bar.is_hidden() || self.drawn.elapsed() < STAYS {
            return;
        }
        self.drawn = Instant::now();
        let images = totals.images as f64;
        let all = self.bar.length().unwrap_or(0) as f64;
        let left = (self.epochs - epoch) as f64 * all - images;
        let speed = images / seconds;
        self.bar
            .set_prefix(format!("epoch {:>3}/{}", epoch + 1, self.epochs));
        self.bar.set_position(totals.images as u64);
        let (metrics, left) = (totals.means(), clock(left / speed));
        self.bar
            .set_message(format!("{metrics}, {speed:.0} images/s, {left} left"));
    }

    pub(super) fn epoch(&mut self, number: usize, epoch: &Epoch) {
        self.line(|| format!("epoch {:>3}/{}  {epoch}", number + 1, self.epochs));
    }

    /// The first epochs had other rates than this training of more epochs would give them.
    pub(super) fn rescheduled(&mut self, count: usize, schedule: &str) {
        self.line(|| {
            format!(
                "epochs 1 to {count} had other learning rates, {schedule}: this is not the training of {} \
                 epochs at once",
                self.epochs
            )
        });
    }

    fn line(&self, line: impl FnOnce() -> String) {
        if self.lines {
            eprintln!("{}", line());
        } else if !self.bar.is_hidden() {
            self.bar.println(line());
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// `7 s`, `2 min 05 s`, `3 h 10 min`.
fn clock(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds)
        .unwrap_or_default()
        .as_secs();
    let (minutes, hours) = (seconds / 60, seconds / 3600);
    let mut text = String::new();
    let _ = match (hours, minutes) {
        (0, 0) => write!(text, "{seconds} s"),
        (0, _) => write!(text, "{minutes} min {:02} s", seconds % 60),
        _ => write!(text, "{hours} h {:02} min", minutes % 60),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_own_units() {
        assert_eq!([0.4, 59.9].map(clock), ["0 s", "59 s"]);
        assert_eq!([125.0, 11_400.0].map(clock), ["2 min 05 s", "3 h 10 min"]);
        assert_eq!([f64::NAN, f64::INFINITY, -1.0].map(clock), ["0 s"; 3]);
    }
}
