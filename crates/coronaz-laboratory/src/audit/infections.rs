//! The store's rows of infections, by time, a page in memory.

use std::collections::VecDeque;

use coronaz_store::{Queries, view::Infection};
use uuid::Uuid;

use super::AuditError;

/// Rows asked for at once.
const ROWS_A_PAGE: usize = 4_096;

/// Goes through the infections of a run.
pub(super) struct Infections {
    run: Uuid,
    /// From where the next page begins.
    from_us: i64,
    page: VecDeque<Infection>,
    /// Nothing comes after the page.
    ended: bool,
}

impl Infections {
    pub(super) fn of(run: Uuid) -> Self {
        Infections { run, from_us: i64::MIN, page: VecDeque::new(), ended: false }
    }

    /// Takes out those up to a time, this included.
    pub(super) fn take_until(
        &mut self,
        store: &dyn Queries,
        time_us: i64,
    ) -> Result<Vec<Infection>, AuditError> {
        let mut taken = Vec::new();
        loop {
            while let Some(infection) = self.page.pop_front_if(|infection| infection.time_us <= time_us) {
                taken.push(infection);
            }
            // What is to come is at or after `from_us`.
            if !self.page.is_empty() || self.ended || self.from_us > time_us {
                return Ok(taken);
            }
            self.read(store)?;
        }
    }

    fn read(&mut self, store: &dyn Queries) -> Result<(), AuditError> {
        let mut limit = ROWS_A_PAGE;
        loop {
            let mut rows = store.infections(self.run, self.from_us, limit)?;
            let Some(last_us) = rows.last().map(|last| last.time_us) else {
                self.ended = true;
                return Ok(());
            };
            if rows.len() < limit {
                self.ended = true;
            } else {
                // There may be more of the last time: they come with the next page, all of them.
                rows.retain(|row| row.time_us < last_us);
                if rows.is_empty() {
                    limit = limit.saturating_mul(2);
                    continue;
                }
                self.from_us = last_us;
            }
            self.page.extend(rows);
            return Ok(());
        }
    }
}
