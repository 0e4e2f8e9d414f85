//! What is counted from tick 0 on, and goes with a checkpoint: so a resumed run's figures are those of one that
//! never stopped.

use coronaz_model::Tick;
use serde::{Deserialize, Serialize};

use crate::Statistics;

/// Sums and maxima over the rows of statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// Contacts: ordered pairs, one each tick.
    pub(crate) contacts: u64,
    /// The largest number of people infectious at once.
    pub(crate) peak_infectious: u32,
    /// When that was first.
    pub(crate) peak_tick: Tick,
}

impl Totals {
    /// Adds the row of the next tick.
    pub(crate) fn add(&mut self, row: &Statistics) {
        self.contacts += row.contacts;
        if row.infectious > self.peak_infectious {
            (self.peak_infectious, self.peak_tick) = (row.infectious, row.tick);
        }
    }
}
