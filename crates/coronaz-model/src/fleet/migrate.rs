//! Migration: who has left its strip goes to the neighbouring one.

use super::{
    layout::Layout,
    strip::{Row, Strip},
};

/// Who leaves a strip.
#[derive(Debug, Clone, Default)]
pub(super) struct Crossing {
    up: Vec<Row>,
    down: Vec<Row>,
}

/// Takes those who stand outside strip `number` out of it. The dead stay where they are.
pub(super) fn leave(number: usize, strip: &mut Strip, crossing: &mut Crossing, layout: &Layout) {
    strip.bury();
    let bottom = number as i32 * layout.height;
    let top = bottom + layout.height;
    let Crossing { up, down } = crossing;
    strip.drain_where(
        |_, y, _| y < bottom || y >= top,
        |row| if row.y < bottom { down.push(row) } else { up.push(row) },
    );
}

/// Takes those in who left the neighbours of strip `number` for it.
pub(super) fn enter(number: usize, strip: &mut Strip, crossings: &[Crossing], with_extra: bool) {
    let from_below = number.checked_sub(1).map_or(&[][..], |below| &crossings[below].up);
    let from_above = crossings.get(number + 1).map_or(&[][..], |above| &above.down);
    let mut incoming = [from_below, from_above].concat();
    incoming.sort_by_key(|row| row.x);
    strip.merge(&incoming, with_extra);
}
