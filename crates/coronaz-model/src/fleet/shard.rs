//! A few strips in a row, from moving to meeting, while they are in a core's cache.

use super::{
    Census, Rules,
    meeting::{Ground, Meetings, meet_across, meet_within},
    step::Done,
    stride,
    strip::Strip,
    sweep::Borders,
    witness::Witness,
};

/// Begins the tick of the strips, no more.
pub(super) fn begin(strips: &mut [Strip], rules: &Rules<'_>, changes: &mut Census) {
    for strip in strips {
        changes.add(&stride::begin(strip, rules));
        strip.settle();
    }
}

/// Begins the tick of the strips from number `first` on, if it has not begun; each meets itself and the one before it.
pub(super) fn begin_and_meet(
    (first, strips): (usize, &mut [Strip]),
    meetings: &mut [Meetings],
    rules: &Rules<'_>,
    ground: Ground,
    witness: &mut impl Witness,
    changes: &mut Census,
    done: Done,
) {
    let (mut below, mut here) = (Borders::default(), Borders::default());
    for at in 0..strips.len() {
        if done == Done::Nothing {
            begin(&mut strips[at..=at], rules, changes);
        }
        let strip = &strips[at];
        meet_within(strip, &mut meetings[at], rules, ground, witness);
        ground.borders(first + at, strip, &mut here);
        if let Some(before) = at.checked_sub(1) {
            let (lower, upper) = ((&strips[before], &below.high[..]), (strip, &here.low[..]));
            meet_across(lower, upper, &mut meetings[before], rules, ground, witness);
        }
        std::mem::swap(&mut below, &mut here);
    }
}

/// The last strip of a shard meets the first of the next.
pub(super) fn meet_next(
    number: usize,
    lower: &Strip,
    upper: &Strip,
    meetings: &mut Meetings,
    rules: &Rules<'_>,
    ground: Ground,
    witness: &mut impl Witness,
) {
    let (mut below, mut above) = (Borders::default(), Borders::default());
    ground.borders(number, lower, &mut below);
    ground.borders(number + 1, upper, &mut above);
    meet_across((lower, &below.high), (upper, &above.low), meetings, rules, ground, witness);
}
