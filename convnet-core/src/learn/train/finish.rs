//! The end of what many threads do at once: who is done waits awake for those who are not.
//!
//! Between the shards of a batch, the step and the next batch there is next to nothing, but a thread
//! that goes to sleep for it has to be woken, and may be woken on a core that is busy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Longer than a small network takes for a few images; whoever has longer to wait may sleep.
const AWAKE: Duration = Duration::from_micros(400);

/// Some tasks that are taken in any order.
pub(super) struct Finish {
    tasks: usize,
    begun: AtomicUsize,
    done: AtomicUsize,
}

impl Finish {
    pub(super) fn of(tasks: usize) -> Self {
        Self {
            tasks,
            begun: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
        }
    }

    /// Does one of them. If there is none left to begin, waits a while for all to be done.
    pub(super) fn run(&self, task: impl FnOnce()) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        task();
        self.done.fetch_add(1, Ordering::Relaxed);
        if self.begun.load(Ordering::Relaxed) < self.tasks {
            return;
        }
        let start = Instant::now();
        while self.done.load(Ordering::Relaxed) < self.tasks && start.elapsed() < AWAKE {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_begin_waits_for_the_others_but_not_for_ever() {
        let (finish, mut waited) = (Finish::of(2), Duration::ZERO);
        finish.run(|| {
            let start = Instant::now();
            finish.run(|| ());
            waited = start.elapsed();
        });
        assert!(waited >= AWAKE);
    }
}
