//! Who runs the independent jobs of a step: the model starts no threads itself.

/// Runs independent jobs, on as many threads as it likes. The result of a step does not depend on it.
pub trait Pool {
    /// Calls `work` once with every job and returns when all are done.
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync);
}

/// One job after the other, on the caller's thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Serial;

impl Pool for Serial {
    fn run<J: Send>(&self, jobs: &mut [J], work: impl Fn(&mut J) + Sync) {
        jobs.iter_mut().for_each(work);
    }
}
