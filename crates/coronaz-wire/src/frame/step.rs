//! The codes of steps: a person goes one unit in one of four directions in a tick, or stays.

/// Stays.
pub const STAY: u8 = 0;
/// One unit to the east: x + 1.
pub const EAST: u8 = 1;
/// One unit to the west: x - 1.
pub const WEST: u8 = 2;
/// One unit to the north: y + 1.
pub const NORTH: u8 = 3;
/// One unit to the south: y - 1.
pub const SOUTH: u8 = 4;
/// How many codes there are.
pub const STEPS: u8 = 5;

/// How x changes.
#[inline]
#[must_use]
pub const fn dx(step: u8) -> i32 {
    (step == EAST) as i32 - (step == WEST) as i32
}

/// How y changes.
#[inline]
#[must_use]
pub const fn dy(step: u8) -> i32 {
    (step == NORTH) as i32 - (step == SOUTH) as i32
}

/// The step that changes x and y so, or `None` when it takes more than one.
#[inline]
#[must_use]
pub const fn of(dx: i32, dy: i32) -> Option<u8> {
    match (dx, dy) {
        (0, 0) => Some(STAY),
        (1, 0) => Some(EAST),
        (-1, 0) => Some(WEST),
        (0, 1) => Some(NORTH),
        (0, -1) => Some(SOUTH),
        _ => None,
    }
}

/// Bytes that the steps of so many people take, three in a byte.
#[must_use]
pub const fn packed_bytes(count: usize) -> usize {
    count.div_ceil(3)
}

/// Packs steps in base 5. With m bytes, byte j holds the people j, j + m and j + 2 m, so that whole
/// vectors are packed and unpacked at once.
pub fn pack(steps: &[u8], into: &mut Vec<u8>) {
    let (ones, fives, twenty_fives) = thirds(steps);
    let start = into.len();
    into.extend_from_slice(ones);
    for (byte, step) in into[start..].iter_mut().zip(fives) {
        *byte += 5 * step;
    }
    for (byte, step) in into[start..].iter_mut().zip(twenty_fives) {
        *byte += 25 * step;
    }
}

fn thirds(steps: &[u8]) -> (&[u8], &[u8], &[u8]) {
    let m = packed_bytes(steps.len());
    let (ones, rest) = steps.split_at(m);
    let (fives, twenty_fives) = rest.split_at(m.min(rest.len()));
    (ones, fives, twenty_fives)
}

/// Unpacks what [`pack`] wrote; `packed` has [`packed_bytes`] of the steps' number, each below 125.
pub fn unpack(packed: &[u8], steps: &mut [u8]) {
    let m = packed.len().min(steps.len());
    let (ones, rest) = steps.split_at_mut(m);
    let (fives, twenty_fives) = rest.split_at_mut(m.min(rest.len()));
    for (step, byte) in ones.iter_mut().zip(packed) {
        *step = byte % 5;
    }
    for (step, byte) in fives.iter_mut().zip(packed) {
        *step = byte / 5 % 5;
    }
    for (step, byte) in twenty_fives.iter_mut().zip(packed) {
        *step = byte / 25 % 5;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steps_change_gives_the_step_again() {
        for step in 0..STEPS {
            assert_eq!(of(dx(step), dy(step)), Some(step));
        }
        assert_eq!((of(1, 1), of(0, 2)), (None, None));
    }

    #[test]
    fn three_steps_are_packed_in_a_byte_and_come_out_again() {
        for count in 0..40 {
            let steps: Vec<u8> = (0..count).map(|i| (i * 7 % 5) as u8).collect();
            let mut packed = Vec::new();
            pack(&steps, &mut packed);
            assert_eq!(packed.len(), packed_bytes(count));
            assert!(packed.iter().all(|&byte| byte < 125));
            let mut unpacked = vec![9; count];
            unpack(&packed, &mut unpacked);
            assert_eq!(unpacked, steps);
        }
    }
}
