//! The threads on which a fleet is computed again.

use coronaz_model::fleet::Pool;
use rayon::{ThreadPool, ThreadPoolBuilder, prelude::*};

use super::AuditError;

/// Runs jobs on threads of its own.
#[derive(Debug)]
pub(super) struct Crew(ThreadPool);

impl Crew {
    /// So many threads; 0: one for each core.
    pub(super) fn new(threads: usize) -> Result<Self, AuditError> {
        let builder = ThreadPoolBuilder::new().num_threads(threads);
        Ok(Crew(builder.thread_name(|number| format!("audit-{number}")).build()?))
    }
}

impl Pool for Crew {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        if self.0.current_num_threads() == 1 {
            jobs.iter_mut().for_each(work);
        } else {
            self.0.install(|| jobs.par_iter_mut().with_max_len(1).for_each(&work));
        }
    }
}
