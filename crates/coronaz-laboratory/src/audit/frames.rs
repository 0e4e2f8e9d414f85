//! What the store's frames say of one tick.

use coronaz_store::Queries;
use coronaz_wire::frame::{Frame, Mirror, Population};
use std::ops::ControlFlow;
use uuid::Uuid;

use super::{AuditError, history::Met};

/// The frames of one tick, and everybody as all frames so far show them.
pub(super) struct Frames {
    run: Uuid,
    mirror: Mirror,
    /// Each direction for itself, sorted.
    pub(super) contacts: Vec<Met>,
    /// Infectee, infector; sorted.
    pub(super) infections: Vec<(u32, Option<u32>)>,
    /// Frames that say another time, tick or population than they should, with what is wrong.
    pub(super) strange: Vec<String>,
    /// Frames that cannot be read.
    pub(super) unreadable: u64,
}

impl Frames {
    pub(super) fn new(run: Uuid, people: u32) -> Self {
        Frames {
            run,
            mirror: Mirror::new(people),
            contacts: Vec::new(),
            infections: Vec::new(),
            strange: Vec::new(),
            unreadable: 0,
        }
    }

    /// Everybody, as far as the frames so far show them.
    pub(super) fn mirror(&self) -> &Mirror {
        &self.mirror
    }

    /// The population, once there was a frame.
    pub(super) fn population(&self) -> Option<Population> {
        self.mirror.population().copied()
    }

    /// Reads the frames of the next tick. `time_us`: its time, if it is known by now.
    pub(super) fn read(
        &mut self,
        store: &dyn Queries,
        tick: u64,
        time_us: Option<i64>,
    ) -> Result<Option<i64>, AuditError> {
        self.contacts.clear();
        self.infections.clear();
        self.strange.clear();
        self.unreadable = 0;
        let mut told_us = None;
        store.fleet_frames(self.run, tick, tick, &mut |bytes| {
            match Frame::decode(bytes) {
                Ok(frame) => {
                    let stamp = &frame.header.stamp;
                    told_us.get_or_insert(stamp.time_us);
                    self.take(&frame, tick, time_us.unwrap_or(stamp.time_us));
                }
                Err(_) => self.unreadable += 1,
            }
            ControlFlow::Continue(())
        })?;
        self.contacts.sort_unstable();
        self.infections.sort_unstable();
        Ok(told_us)
    }

    fn take(&mut self, frame: &Frame<'_>, tick: u64, time_us: i64) {
        let stamp = &frame.header.stamp;
        if (stamp.tick, stamp.time_us, stamp.population.run) != (tick, time_us, self.run) {
            let (shard, told, run) = (stamp.shard, stamp.tick, stamp.population.run);
            self.strange.push(format!(
                "tick {tick}: a frame of shard {shard} says run {run}, tick {told}, time {} µs, not {time_us} µs",
                stamp.time_us
            ));
            return;
        }
        if let Err(error) = self.mirror.apply(frame) {
            self.strange.push(format!("tick {tick}: {error}"));
        }
        for contact in frame.contacts() {
            let met = Met {
                hearer: contact.hearer,
                heard: contact.heard,
                distance_squared: contact.distance_squared,
            };
            self.contacts.push(met);
            if contact.mutual {
                self.contacts.push(Met { hearer: met.heard, heard: met.hearer, ..met });
            }
        }
        self.infections.extend(frame.infections().map(|infection| (infection.infectee, infection.infector)));
    }
}
