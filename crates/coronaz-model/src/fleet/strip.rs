//! The people of one strip: a column for each of their properties, in order of x.

use super::{axes::Axes, state::State};
use crate::{PersonId, digest::Facts};

/// One person as a row of the columns, or of the map (see [`Axes`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) goal_x: i32,
    pub(super) goal_y: i32,
    pub(super) id: u32,
    pub(super) state: State,
    pub(super) extra: Extra,
}

/// What only some runs need to know of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Extra {
    /// The tick at which the person appeared.
    pub(super) born: u32,
    /// From this tick on its illness shows; `u32::MAX`: never.
    pub(super) onset: u32,
}

/// The people of one strip.
#[derive(Debug, Clone, Default)]
pub(super) struct Strip {
    pub(super) x: Vec<i32>,
    pub(super) y: Vec<i32>,
    pub(super) goal_x: Vec<i32>,
    pub(super) goal_y: Vec<i32>,
    pub(super) id: Vec<u32>,
    pub(super) state: Vec<u32>,
    /// Empty in a fleet whose people need none.
    pub(super) extra: Vec<Extra>,
    /// Who died in this tick and is still among the columns.
    pub(super) dying: usize,
    /// The dead: they neither move, nor hear, nor are heard.
    pub(super) graves: Vec<Row>,
}

/// A column grows by this share beyond what it needs, so that it does not grow at every migration.
const SLACK: usize = 32;
/// People a short insertion may pass, on average, before sorting afresh is cheaper.
const PASSES_MAX: usize = 8;

impl Strip {
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.x.len()
    }

    pub(super) fn row(&self, at: usize) -> Row {
        Row {
            x: self.x[at],
            y: self.y[at],
            goal_x: self.goal_x[at],
            goal_y: self.goal_y[at],
            id: self.id[at],
            state: State(self.state[at]),
            extra: self.extra.get(at).copied().unwrap_or_default(),
        }
    }

    pub(super) fn put(&mut self, at: usize, row: &Row) {
        self.x[at] = row.x;
        self.y[at] = row.y;
        self.goal_x[at] = row.goal_x;
        self.goal_y[at] = row.goal_y;
        self.id[at] = row.id;
        self.state[at] = row.state.0;
        if let Some(extra) = self.extra.get_mut(at) {
            *extra = row.extra;
        }
    }

    /// Makes room for `len` people; new places hold nobody yet. `with_extra`: whether to keep that column.
    pub(super) fn resize(&mut self, len: usize, with_extra: bool) {
        resize(&mut self.x, len, 0);
        resize(&mut self.y, len, 0);
        resize(&mut self.goal_x, len, 0);
        resize(&mut self.goal_y, len, 0);
        resize(&mut self.id, len, 0);
        resize(&mut self.state, len, 0);
        if with_extra {
            resize(&mut self.extra, len, Extra::default());
        }
    }

    fn copy(&mut self, from: usize, to: usize) {
        self.x[to] = self.x[from];
        self.y[to] = self.y[from];
        self.goal_x[to] = self.goal_x[from];
        self.goal_y[to] = self.goal_y[from];
        self.id[to] = self.id[from];
        self.state[to] = self.state[from];
        if !self.extra.is_empty() {
            self.extra[to] = self.extra[from];
        }
    }

    /// Moves the people of `range` by `by` places towards the end.
    fn shift(&mut self, range: std::ops::Range<usize>, by: usize) {
        let to = range.start + by;
        self.x.copy_within(range.clone(), to);
        self.y.copy_within(range.clone(), to);
        self.goal_x.copy_within(range.clone(), to);
        self.goal_y.copy_within(range.clone(), to);
        self.id.copy_within(range.clone(), to);
        self.state.copy_within(range.clone(), to);
        if !self.extra.is_empty() {
            self.extra.copy_within(range, to);
        }
    }

    /// Hands those for whom `leaves` (x, y, state) holds to `take`; the others close up in the same order.
    pub(super) fn drain_where(
        &mut self,
        leaves: impl Fn(i32, i32, State) -> bool,
        mut take: impl FnMut(Row),
    ) {
        let mut kept = 0;
        for at in 0..self.len() {
            if leaves(self.x[at], self.y[at], State(self.state[at])) {
                take(self.row(at));
            } else {
                if kept != at {
                    self.copy(at, kept);
                }
                kept += 1;
            }
        }
        let with_extra = !self.extra.is_empty();
        self.resize(kept, with_extra);
    }

    /// Takes in people who are sorted by x.
    pub(super) fn merge(&mut self, incoming: &[Row], with_extra: bool) {
        let mut end = self.len();
        self.resize(end + incoming.len(), with_extra);
        for (before, row) in incoming.iter().enumerate().rev() {
            let mut begin = end;
            while begin > 0 && self.x[begin - 1] > row.x {
                begin -= 1;
            }
            if begin < end {
                self.shift(begin..end, before + 1);
            }
            self.put(begin + before, row);
            end = begin;
        }
    }

    /// Restores the order of x after everybody moved by at most one unit.
    pub(super) fn settle(&mut self) {
        let mut passes_left = PASSES_MAX * self.len();
        for at in 1..self.len() {
            let x = self.x[at];
            if x >= self.x[at - 1] {
                continue;
            }
            let mut to = at - 1;
            while to > 0 && self.x[to - 1] > x {
                to -= 1;
            }
            if passes_left < at - to {
                self.sort();
                return;
            }
            passes_left -= at - to;
            self.insert_back(at, to);
        }
    }

    /// The person at `from` goes to `to`, before it; those between make room.
    fn insert_back(&mut self, from: usize, to: usize) {
        if to + 1 == from {
            self.x.swap(to, from);
            self.y.swap(to, from);
            self.goal_x.swap(to, from);
            self.goal_y.swap(to, from);
            self.id.swap(to, from);
            self.state.swap(to, from);
            if !self.extra.is_empty() {
                self.extra.swap(to, from);
            }
        } else {
            let row = self.row(from);
            self.shift(to..from, 1);
            self.put(to, &row);
        }
    }

    /// Sorts by x, whatever the order was.
    pub(super) fn sort(&mut self) {
        let mut rows: Vec<Row> = (0..self.len()).map(|at| self.row(at)).collect();
        rows.sort_by_key(|row| row.x);
        for (at, row) in rows.iter().enumerate() {
            self.put(at, row);
        }
    }

    /// Buries those who died in the tick before.
    pub(super) fn bury(&mut self) {
        if self.dying == 0 {
            return;
        }
        let mut graves = std::mem::take(&mut self.graves);
        graves.reserve_exact(self.dying);
        self.drain_where(|_, _, state| state.is_dead(), |row| graves.push(row));
        self.graves = graves;
        self.dying = 0;
        if self.len() == 0 {
            *self = Strip { graves: std::mem::take(&mut self.graves), ..Strip::default() };
        }
    }

    /// Where everybody stands and how they fare, for the digest.
    pub(super) fn state_facts(&self, axes: Axes, facts: &mut Facts) {
        let living = (0..self.len()).map(|at| (self.id[at], self.x[at], self.y[at], State(self.state[at])));
        let dead = self.graves.iter().map(|row| (row.id, row.x, row.y, row.state));
        for (id, x, y, state) in living.chain(dead) {
            facts.person(PersonId(id), axes.place(x, y), state.illness(), state.died_infectious());
        }
    }

    /// Bytes that its columns and graves take in memory, their slack included.
    pub(super) fn bytes(&self) -> usize {
        let words = self.x.capacity() + self.y.capacity() + self.goal_x.capacity() + self.goal_y.capacity();
        (words + self.id.capacity() + self.state.capacity()) * size_of::<u32>()
            + self.extra.capacity() * size_of::<Extra>()
            + self.graves.capacity() * size_of::<Row>()
            + size_of::<Self>()
    }
}

fn resize<T: Copy>(column: &mut Vec<T>, len: usize, empty: T) {
    if len > column.capacity() {
        column.reserve_exact(len + len / SLACK - column.len());
    }
    column.resize(len, empty);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(xs: &[i32]) -> Strip {
        let mut strip = Strip::default();
        strip.resize(xs.len(), true);
        for (at, &x) in xs.iter().enumerate() {
            strip.put(at, &row(x, at as u32));
        }
        strip
    }

    fn row(x: i32, id: u32) -> Row {
        Row {
            x,
            y: -x,
            goal_x: 2 * x,
            goal_y: 3 * x,
            id,
            state: State(id << 16),
            extra: Extra { born: id, onset: 2 * id },
        }
    }

    fn assert_holds(strip: &Strip, count: usize) {
        assert_eq!(strip.len(), count);
        assert!(strip.x.is_sorted());
        let mut ids = strip.id.clone();
        ids.sort_unstable();
        assert_eq!(ids, (0..count as u32).collect::<Vec<_>>());
        for at in 0..count {
            assert_eq!(strip.row(at), row(strip.x[at], strip.id[at]), "a row stays together");
        }
    }

    #[test]
    fn settling_sorts_and_keeps_rows_together() {
        for xs in [&[3, 2, 1, 0][..], &[0, 0, 1, 0, 2, 1], &[5], &[], &[9, 0, 0, 0, 0, 0, 0, 0]] {
            let mut strip = strip(xs);
            strip.settle();
            assert_holds(&strip, xs.len());
        }
        let mut reversed = strip(&(0..500).rev().collect::<Vec<_>>());
        reversed.settle();
        assert_holds(&reversed, 500);
    }

    #[test]
    fn who_leaves_and_comes_back_is_in_order_again() {
        let mut strip = strip(&[0, 1, 1, 4, 5, 5, 8, 9]);
        let mut away = Vec::new();
        strip.drain_where(|x, _, _| x == 1 || x == 9 || x == 0, |row| away.push(row));
        assert_eq!((strip.len(), away.len()), (4, 4));
        strip.merge(&away, true);
        assert_holds(&strip, 8);
    }

    #[test]
    fn the_dead_leave_the_columns() {
        let mut strip = strip(&[0, 1, 2]);
        strip.state[1] = State(strip.state[1]).dead().0;
        strip.dying = 1;
        strip.bury();
        assert_eq!((strip.id, strip.graves.len(), strip.graves[0].id), (vec![0, 2], 1, 1));
    }
}
