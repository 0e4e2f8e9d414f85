//! The beginning of a tick for a strip: everybody moves and counts the illness down, or dies.
//!
//! The same rules as [`Person::begin_tick`](crate::Person::begin_tick), for [`LANES`] people at
//! once. What happens to few (a new goal, the end of an illness) is done one by one.

use super::{
    Census, Rules,
    state::{LEFT_ONE, LEFT_SHIFT, STANDS, State},
    strip::Strip,
};
use crate::{Illness, PersonId, Position, Stream, movement::step_towards};

/// People handled together: whole vectors, and few enough that a rare event seldom is among them.
const LANES: usize = 16;

/// The columns of some people next to each other.
struct Group<'a> {
    x: &'a mut [i32],
    y: &'a mut [i32],
    goal_x: &'a mut [i32],
    goal_y: &'a mut [i32],
    id: &'a [u32],
    state: &'a mut [u32],
}

/// Begins the tick for everybody of the strip and returns how the counts of the healthy and ill changed.
pub(super) fn begin(strip: &mut Strip, rules: &Rules<'_>) -> Census {
    strip.bury();
    let mut changes = Census::default();
    let lifetime = u64::from(rules.parameters.zombie_lifetime);
    if lifetime > 0 && rules.tick >= lifetime {
        die_of_age(strip, rules, lifetime, &mut changes);
        if strip.dying == strip.len() {
            return changes;
        }
    }
    let (x, x_rest) = strip.x.as_chunks_mut::<LANES>();
    let (y, y_rest) = strip.y.as_chunks_mut::<LANES>();
    let (goal_x, goal_x_rest) = strip.goal_x.as_chunks_mut::<LANES>();
    let (goal_y, goal_y_rest) = strip.goal_y.as_chunks_mut::<LANES>();
    let (id, id_rest) = strip.id.as_chunks::<LANES>();
    let (state, state_rest) = strip.state.as_chunks_mut::<LANES>();
    for at in 0..x.len() {
        let group = Group {
            x: &mut x[at],
            y: &mut y[at],
            goal_x: &mut goal_x[at],
            goal_y: &mut goal_y[at],
            id: &id[at],
            state: &mut state[at],
        };
        begin_group(group, rules, &mut changes);
    }
    let rest = Group {
        x: x_rest,
        y: y_rest,
        goal_x: goal_x_rest,
        goal_y: goal_y_rest,
        id: id_rest,
        state: state_rest,
    };
    begin_group(rest, rules, &mut changes);
    changes
}

/// Who has reached the end of the device's life dies instead of moving.
fn die_of_age(strip: &mut Strip, rules: &Rules<'_>, lifetime: u64, changes: &mut Census) {
    for at in 0..strip.len() {
        let born = strip.extra.get(at).map_or(0, |extra| extra.born);
        if rules.tick < u64::from(born) + lifetime {
            continue;
        }
        let before = State(strip.state[at]);
        let after = before.dead();
        strip.state[at] = after.0;
        strip.dying += 1;
        changes.count_change(before, after);
    }
}

#[inline(always)]
fn begin_group(group: Group<'_>, rules: &Rules<'_>, changes: &mut Census) {
    let Group { x, y, goal_x, goal_y, id, state } = group;
    let n = x.len();
    assert!(y.len() == n && goal_x.len() == n && goal_y.len() == n && id.len() == n && state.len() == n);
    let mut arrived = false;
    let mut ending = false;
    for i in 0..n {
        arrived |= (x[i] == goal_x[i]) & (y[i] == goal_y[i]) & (state[i] & STANDS == 0);
        ending |= state[i] >> LEFT_SHIFT == 1;
    }
    if arrived {
        for i in 0..n {
            if x[i] == goal_x[i] && y[i] == goal_y[i] && state[i] & STANDS == 0 {
                let goal = rules.draws.place(Stream::Goal, PersonId(id[i]), rules.tick, rules.field);
                (goal_x[i], goal_y[i]) = (goal.x, goal.y);
            }
        }
    }
    for i in 0..n {
        let at = Position { x: x[i], y: y[i] };
        let next = step_towards(at, Position { x: goal_x[i], y: goal_y[i] });
        let stands = state[i] & STANDS != 0;
        x[i] = if stands { at.x } else { next.x };
        y[i] = if stands { at.y } else { next.y };
        state[i] -= if state[i] >> LEFT_SHIFT != 0 { LEFT_ONE } else { 0 };
    }
    if ending {
        end_illnesses(state, rules, changes);
    }
}

/// Those whose seconds have just run out go on to what comes after.
#[cold]
fn end_illnesses(states: &mut [u32], rules: &Rules<'_>, changes: &mut Census) {
    for state in states {
        let before = State(*state);
        let illness = before.illness();
        if illness.left_s > 0 || !illness.health.is_timed() {
            continue;
        }
        let last_second = Illness { left_s: 1, ..illness };
        let after =
            before.with_illness(last_second.count_down(rules.parameters), rules.stand_when_infectious);
        *state = after.0;
        changes.count_change(before, after);
    }
}
