//! Threads that read images before they are asked for, and a bounded number of images that are ready.

use std::collections::{HashMap, HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::DataError;
use super::streamed::Source;

type Pixels = Result<Vec<u8>, DataError>;

/// The threads end when it is dropped.
#[derive(Debug)]
pub(super) struct Ahead {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// How many images are ready or waiting at most.
    most: usize,
}

#[derive(Debug)]
struct Shared {
    source: Arc<dyn Source>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// To be read, in this order.
    waiting: VecDeque<usize>,
    /// What has been read; `None` while a thread is at it.
    read: HashMap<usize, Option<Pixels>>,
    ended: bool,
}

impl Ahead {
    pub(super) fn new(source: &Arc<dyn Source>, threads: usize, most: usize) -> Self {
        let shared = Arc::new(Shared {
            source: source.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let spawn = |_| {
            let shared = shared.clone();
            thread::spawn(move || shared.work())
        };
        Self {
            threads: (0..threads).map(spawn).collect(),
            shared,
            most,
        }
    }

    /// Reads the first of `images`, as many as there is room for. What was read, and is not among them, goes.
    pub(super) fn prefetch(&self, images: &mut dyn Iterator<Item = usize>) {
        let next: Vec<usize> = images.take(self.most).collect();
        let wanted: HashSet<usize> = next.iter().copied().collect();
        let mut state = self.shared.state();
        state
            .read
            .retain(|index, pixels| pixels.is_none() || wanted.contains(index));
        let State { waiting, read, .. } = &mut *state;
        waiting.clear();
        waiting.extend(next.into_iter().filter(|index| !read.contains_key(index)));
        self.shared.changed.notify_all();
    }

    /// An image that is ready, or will be in a moment; `None` if nobody is at it.
    pub(super) fn take(&self, index: usize) -> Option<Pixels> {
        let mut state = self.shared.state();
        loop {
            match state.read.get(&index) {
                Some(Some(_)) => return state.read.remove(&index).flatten(),
                Some(None) => state = self.shared.wait(state),
                None => {
                    state.waiting.retain(|&waiting| waiting != index);
                    return None;
                }
            }
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let state = self.changed.wait(state);
        state.unwrap_or_else(PoisonError::into_inner)
    }

    /// What a thread does.
    fn work(&self) {
        let mut state = self.state();
        while !state.ended {
            let Some(index) = state.waiting.pop_front() else {
                state = self.wait(state);
                continue;
            };
            state.read.insert(index, None);
            drop(state);
            // Whoever asks for an image at which a decoder panics reads it himself, and hears it.
            let pixels = catch_unwind(AssertUnwindSafe(|| self.source.pixels(index)));
            state = self.state();
            match pixels {
                Ok(pixels) => state.read.insert(index, Some(pixels)),
                Err(_) => state.read.remove(&index),
            };
            self.changed.notify_all();
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // It does not panic.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use super::*;
    use crate::data::Defect;

    /// Each pixel is the number of its image; of which 7 cannot be read, and at 9 it panics.
    #[derive(Debug, Default)]
    struct Numbers {
        read: AtomicUsize,
    }

    impl Source for Numbers {
        fn len(&self) -> usize {
            100
        }

        fn shape(&self) -> [usize; 3] {
            [1, 1, 1]
        }

        fn classes(&self) -> usize {
            1
        }

        fn label(&self, _: usize) -> usize {
            0
        }

        fn pixels(&self, index: usize) -> Pixels {
            self.read.fetch_add(1, SeqCst);
            assert_ne!(index, 9);
            match index {
                7 => Err(Defect::Empty.into()),
                _ => Ok(vec![index as u8]),
            }
        }
    }

    fn settled(ahead: &Ahead) -> usize {
        loop {
            let state = ahead.shared.state();
            if state.waiting.is_empty() && state.read.values().all(Option::is_some) {
                return state.read.len();
            }
            drop(state);
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn no_more_is_ready_than_was_asked_for() {
        let numbers = Arc::new(Numbers::default());
        let source: Arc<dyn Source> = numbers.clone();
        let ahead = Ahead::new(&source, 3, 5);
        for first in [10, 13, 50] {
            ahead.prefetch(&mut (first..100));
            assert_eq!(settled(&ahead), 5);
        }
        // Five, then three more, then five: what was there stayed.
        assert_eq!(numbers.read.load(SeqCst), 13);
        assert_eq!(ahead.take(50).unwrap().unwrap(), [50]);
        assert!(ahead.take(50).is_none() && ahead.take(55).is_none());
        ahead.prefetch(&mut (51..100));
        assert_eq!(settled(&ahead), 5);
        ahead.prefetch(&mut (0..0));
        assert_eq!(settled(&ahead), 0);
    }

    #[test]
    fn what_goes_wrong_reaches_who_asks() {
        let source: Arc<dyn Source> = Arc::new(Numbers::default());
        let ahead = Ahead::new(&source, 1, 5);
        ahead.prefetch(&mut (7..10));
        assert_eq!(settled(&ahead), 2);
        assert!(ahead.take(7).unwrap().is_err());
        assert!(ahead.take(9).is_none(), "it reads it himself");
        assert_eq!(ahead.take(8).unwrap().unwrap(), [8]);
    }
}
