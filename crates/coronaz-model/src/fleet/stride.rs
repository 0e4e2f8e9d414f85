//! The beginning of a tick for a strip: everybody moves and counts the illness down, or dies.
//!
//! The same rules as [`Person::begin_tick`](crate::Person::begin_tick), for [`LANES`] people at
//! once. What happens to few (a new goal, a flight, the end of an illness) is done one by one.

use super::{
    Census, Rules,
    axes::Axes,
    state::{FLEES, LEFT_ONE, LEFT_SHIFT, STANDS, State},
    strip::{Extra, Strip},
};
use crate::{Health, Illness, PersonId, Position, Stream, illness, movement::step_towards};

/// People handled together: whole vectors, and few enough that a rare event seldom is among them.
const LANES: usize = 16;

/// Begins the tick for everybody of the strip and returns how the counts of the healthy and ill changed.
pub(super) fn begin(strip: &mut Strip, rules: &Rules<'_>) -> Census {
    strip.bury();
    let mut changes = Census::default();
    let lifetime = u64::from(rules.parameters.zombie_lifetime);
    if lifetime > 0 && rules.tick >= lifetime {
        die_of_age(strip, rules, lifetime, &mut changes);
    }
    if (changes.of(Health::Deceased) as usize) < strip.len() {
        show_symptoms(strip, rules);
        if rules.axes.turned {
            begin_groups::<true>(strip, rules, &mut changes);
        } else {
            begin_groups::<false>(strip, rules, &mut changes);
        }
    }
    strip.dying = changes.of(Health::Deceased) as usize;
    changes
}

/// Who has reached the end of the device's life dies instead of moving.
fn die_of_age(strip: &mut Strip, rules: &Rules<'_>, lifetime: u64, changes: &mut Census) {
    for at in 0..strip.len() {
        let born = strip.extra.get(at).map_or(0, |extra| extra.born);
        if rules.tick >= u64::from(born) + lifetime {
            let before = State(strip.state[at]);
            let after = before.dead();
            strip.state[at] = after.0;
            changes.count_change(before, after);
        }
    }
}

/// Whose illness shows from now on stands still.
fn show_symptoms(strip: &mut Strip, rules: &Rules<'_>) {
    for (state, extra) in strip.state.iter_mut().zip(&strip.extra) {
        if State(*state).health().is_infectious() && rules.ill_stand(extra.onset) {
            *state |= STANDS;
        }
    }
}

/// The columns of some people next to each other.
struct Group<'a> {
    x: &'a mut [i32],
    y: &'a mut [i32],
    goal_x: &'a mut [i32],
    goal_y: &'a mut [i32],
    id: &'a [u32],
    state: &'a mut [u32],
    /// Empty where nobody has any.
    extra: &'a [Extra],
}

fn begin_groups<const TURNED: bool>(strip: &mut Strip, rules: &Rules<'_>, changes: &mut Census) {
    let (x, x_rest) = strip.x.as_chunks_mut::<LANES>();
    let (y, y_rest) = strip.y.as_chunks_mut::<LANES>();
    let (goal_x, goal_x_rest) = strip.goal_x.as_chunks_mut::<LANES>();
    let (goal_y, goal_y_rest) = strip.goal_y.as_chunks_mut::<LANES>();
    let (id, id_rest) = strip.id.as_chunks::<LANES>();
    let (state, state_rest) = strip.state.as_chunks_mut::<LANES>();
    let (extra, extra_rest) = strip.extra.as_chunks::<LANES>();
    for at in 0..x.len() {
        let group = Group {
            x: &mut x[at],
            y: &mut y[at],
            goal_x: &mut goal_x[at],
            goal_y: &mut goal_y[at],
            id: &id[at],
            state: &mut state[at],
            extra: extra.get(at).map_or(&[], |extra| extra),
        };
        begin_group::<TURNED>(group, rules, changes);
    }
    let rest = Group {
        x: x_rest,
        y: y_rest,
        goal_x: goal_x_rest,
        goal_y: goal_y_rest,
        id: id_rest,
        state: state_rest,
        extra: extra_rest,
    };
    begin_group::<TURNED>(rest, rules, changes);
}

/// Inlined into both callers, so that in one of them the length is known and the loops become vectors.
/// `TURNED` is [`Axes::turned`] of the rules.
#[inline(always)]
fn begin_group<const TURNED: bool>(mut group: Group<'_>, rules: &Rules<'_>, changes: &mut Census) {
    let flights = if rules.alarm_max.is_some() { begin_flights(&mut group, rules) } else { [None; LANES] };
    let axes = Axes { turned: TURNED };
    let Group { x, y, goal_x, goal_y, id, state, extra } = group;
    let n = x.len();
    assert!(y.len() == n && goal_x.len() == n && goal_y.len() == n && id.len() == n && state.len() == n);
    let mut arrived = false;
    let mut ending = false;
    for i in 0..n {
        arrived |= (x[i] == goal_x[i]) & (y[i] == goal_y[i]) & (state[i] & STANDS == 0);
        ending |= state[i] >> LEFT_SHIFT == 1;
    }
    match &rules.moment {
        None if arrived => {
            for i in 0..n {
                let at_goal = x[i] == goal_x[i] && y[i] == goal_y[i];
                if at_goal && state[i] & STANDS == 0 && flights[i].is_none() {
                    let goal = rules.draws.place(Stream::Goal, PersonId(id[i]), rules.tick, rules.field);
                    (goal_x[i], goal_y[i]) = axes.columns(goal);
                }
            }
        }
        Some(moment) if arrived || moment.has_a_turn() => {
            // Who mills about has a new goal every other tick: first they are found, without a branch to guess.
            let (mut found, mut count) = ([0; LANES], 0);
            for i in 0..n {
                let at_goal = (x[i] == goal_x[i]) & (y[i] == goal_y[i]);
                let walks = state[i] & STANDS == 0;
                found[count] = i;
                count += usize::from(walks & (at_goal | moment.turns(PersonId(id[i]))));
            }
            moment.next_goals(
                &found[..count],
                |i| PersonId(id[i]),
                |i, goal| {
                    (goal_x[i], goal_y[i]) = axes.columns(goal);
                },
            );
        }
        _ => {}
    }
    for i in 0..n {
        let at = (x[i], y[i]);
        let next = axes.columns(step_towards(axes.place(at.0, at.1), axes.place(goal_x[i], goal_y[i])));
        let stands = state[i] & STANDS != 0;
        x[i] = if stands { at.0 } else { next.0 };
        y[i] = if stands { at.1 } else { next.1 };
        state[i] -= if state[i] >> LEFT_SHIFT != 0 { LEFT_ONE } else { 0 };
    }
    if rules.alarm_max.is_some() {
        for (i, to) in flights.iter().enumerate() {
            if let Some(to) = to {
                (x[i], y[i]) = axes.columns(*to);
            }
        }
    }
    if ending {
        end_illnesses(state, id, extra, rules, changes);
    }
}

/// Where those go who flee, instead of towards their goals.
fn begin_flights(group: &mut Group<'_>, rules: &Rules<'_>) -> [Option<Position>; LANES] {
    let mut flights = [None; LANES];
    for (i, state) in group.state.iter_mut().enumerate() {
        if let Some(way) = State(*state).flees() {
            *state &= !FLEES;
            let to = way.step_from(rules.axes.place(group.x[i], group.y[i]));
            flights[i] = rules.field.contains(to).then_some(to);
        }
    }
    flights
}

/// Those whose seconds have just run out go on to what comes after.
#[cold]
fn end_illnesses(states: &mut [u32], ids: &[u32], extras: &[Extra], rules: &Rules<'_>, changes: &mut Census) {
    for (at, state) in states.iter_mut().enumerate() {
        let before = State(*state);
        let Illness { health, left_s } = before.illness();
        if left_s > 0 || !health.is_timed() {
            continue;
        }
        let onset = extras.get(at).map_or(0, |extra| extra.onset);
        let next = Illness { health, left_s: 1 }.count_down(rules.parameters);
        let over = health == Health::Infectious && next.health != Health::Infectious;
        let id = PersonId(ids[at]);
        let dies = over && illness::is_fatal(rules.parameters, rules.draws, id, rules.tick, onset.into());
        let after = if dies { before.dead() } else { before.with_illness(next, rules.ill_stand(onset)) };
        *state = after.0;
        changes.count_change(before, after);
    }
}
