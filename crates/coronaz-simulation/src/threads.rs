//! How the threads are shared: replicates side by side, and the engine's jobs where threads are left.

use coronaz_model::fleet::Pool;
use rayon::{
    ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder,
    iter::{IndexedParallelIterator as _, IntoParallelRefMutIterator as _, ParallelIterator as _},
};

/// How many threads each of the workers has, who take one replicate after the other.
pub(crate) fn share(threads: usize, replicates: usize) -> Vec<usize> {
    let workers = threads.min(replicates).max(1);
    (0..workers).map(|worker| threads / workers + usize::from(worker < threads % workers)).collect()
}

/// The threads of one worker.
pub(crate) enum Crew {
    /// The worker alone.
    Alone,
    /// Several.
    Many(ThreadPool),
}

impl Crew {
    pub(crate) fn of(threads: usize) -> Result<Self, ThreadPoolBuildError> {
        if threads <= 1 {
            return Ok(Crew::Alone);
        }
        ThreadPoolBuilder::new().num_threads(threads).build().map(Crew::Many)
    }

    /// Does `work` on one of these threads, so that handing out jobs from there costs no change of thread.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self {
            Crew::Alone => work(),
            Crew::Many(pool) => pool.install(work),
        }
    }
}

impl Crew {
    /// Does both, at once where there is more than one thread. To be called inside [`Crew::enter`].
    pub(crate) fn both<A: Send, B: Send>(
        &self,
        one: impl FnOnce() -> A + Send,
        other: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match self {
            Crew::Alone => (one(), other()),
            Crew::Many(_) => rayon::join(one, other),
        }
    }
}

impl Pool for Crew {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        match self {
            Crew::Many(pool) if jobs.len() > 1 => {
                // At once, since the caller is inside (`enter`).
                pool.install(|| jobs.par_iter_mut().with_max_len(1).for_each(&work));
            }
            _ => jobs.iter_mut().for_each(work),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_has_work_and_no_replicate_waits_without_need() {
        assert_eq!(share(1, 1), [1]);
        assert_eq!(share(2, 1), [2]);
        assert_eq!(share(8, 3), [3, 3, 2]);
        assert_eq!(share(2, 100), [1, 1]);
    }
}
