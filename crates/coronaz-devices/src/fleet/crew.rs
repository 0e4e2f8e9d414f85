//! The threads, as the engine wants them: those of the rayon pool that is installed.

use coronaz_model::fleet::Pool;
use rayon::prelude::*;

/// Runs jobs on the installed pool.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crew;

impl Pool for Crew {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        if rayon::current_num_threads() == 1 {
            jobs.iter_mut().for_each(work);
        } else {
            jobs.par_iter_mut().with_max_len(1).for_each(&work);
        }
    }
}
