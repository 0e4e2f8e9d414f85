//! A moment as the page draws it, encoded once for all who watch.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use coronaz_store::{Health, view};
use coronaz_wire::page_frame::{
    self, Drawn, Figures, HEADER_BYTES, Header,
    part::{self, Grid},
};

use super::window::{self, Counted, Cut, Window};
use crate::describe;

/// Slots are given once in a run and never again, so one epoch lasts as long as the run.
const EPOCH: u32 = 1;

/// A moment, encoded; only the header differs between those who get it.
#[derive(Debug)]
pub(crate) struct Picture {
    header: Header,
    slots: usize,
    frame: Bytes,
    /// Densities that visitors have looked at, the newest last.
    densities: Mutex<Vec<Arc<Counted>>>,
}

/// Densities of one moment that are kept: visitors who look at the same cells share one.
const DENSITIES_MAX: usize = 8;

impl Picture {
    /// Encodes everybody at a moment of a run with a field of this size (width and height, in units).
    pub(crate) fn new(crowd: &view::Crowd, field: [u32; 2]) -> Picture {
        let places = crowd.x.iter().zip(&crowd.y);
        let drawn = |((&x, &y), health): ((&i32, &i32), &Option<Health>)| match health {
            Some(health) => Drawn {
                xy: [page_frame::scale(x, field[0]), page_frame::scale(y, field[1])],
                state: page_frame::state(health.infected, health.immune, health.alive),
            },
            None => Drawn::ABSENT,
        };
        let people: Vec<Drawn> = places.zip(&crowd.health).map(drawn).collect();
        let slots = people.len();
        let figures = crowd.moment.figures;
        let header = Header {
            moment: crowd.moment.k,
            time_ms: describe::milliseconds(crowd.moment.time_us),
            request: 0,
            epoch: EPOCH,
            figures: Figures {
                total: figures.total,
                zombies: figures.zombies,
                deaths: figures.deaths,
                dead_zombies: figures.dead_zombies,
                immune: figures.immune,
            },
            seq: 0,
            latest: u32::try_from(crowd.latest).unwrap_or(u32::MAX),
        };
        Picture {
            header,
            slots,
            frame: page_frame::encode(&header, &people).into(),
            densities: Mutex::default(),
        }
    }

    /// Which moment it is.
    pub(crate) fn moment(&self) -> u64 {
        self.header.moment
    }

    /// The newest moment that was known when it was made.
    pub(crate) fn latest(&self) -> u32 {
        self.header.latest
    }

    /// The frame with nobody's number on it.
    pub(crate) fn plain(&self) -> Bytes {
        self.frame.clone()
    }

    /// Everybody by slot: position and state byte.
    pub(super) fn people(&self) -> impl Iterator<Item = ([u16; 2], u8)> + '_ {
        let (places, states) = self.frame[HEADER_BYTES..].split_at(4 * self.slots);
        places.chunks_exact(4).map(place).zip(states.iter().copied())
    }

    /// One slot's position and state byte.
    pub(super) fn person(&self, slot: u32) -> Option<([u16; 2], u8)> {
        let slot = usize::try_from(slot).ok().filter(|&slot| slot < self.slots)?;
        let (places, states) = self.frame[HEADER_BYTES..].split_at(4 * self.slots);
        Some((place(&places[4 * slot..]), states[slot]))
    }

    /// How many people are in each cell of a window; counted once for all who look at the same cells.
    pub(super) fn counted(&self, window: &Window) -> Arc<Counted> {
        let grid = Grid::around(window.area, window.levels);
        // Held while counting: whoever comes meanwhile waits for the same answer.
        let mut densities = self.densities.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = densities.iter().find(|known| known.grid == grid) {
            return known.clone();
        }
        let counted = Arc::new(window::count(self, grid));
        if densities.len() == DENSITIES_MAX {
            densities.remove(0);
        }
        densities.push(counted.clone());
        counted
    }

    /// The frame of a cut for one visitor; the numbers as for [`Picture::frame`].
    pub(super) fn frame_of(&self, cut: &Cut, seq: u32, request: u32, latest: u32) -> Bytes {
        let header = Header { seq, request, latest: latest.max(self.header.latest), ..self.header };
        match &cut.density {
            None => part::encode(&header, &cut.people).into(),
            Some(counted) => {
                let Counted { grid, in_view, packed } = &**counted;
                part::encode_density(&header, &cut.people, *in_view, grid, packed).into()
            }
        }
    }

    /// The frame for one visitor: numbered, an answer to a seek unless `request` is 0.
    pub(crate) fn frame(&self, seq: u32, request: u32, latest: u32) -> Bytes {
        let header = Header { seq, request, latest: latest.max(self.header.latest), ..self.header };
        let mut bytes = Vec::with_capacity(self.frame.len());
        bytes.extend_from_slice(&page_frame::encode_header(&header, self.slots));
        bytes.extend_from_slice(&self.frame[HEADER_BYTES..]);
        bytes.into()
    }
}

fn place(bytes: &[u8]) -> [u16; 2] {
    [u16::from_le_bytes([bytes[0], bytes[1]]), u16::from_le_bytes([bytes[2], bytes[3]])]
}
