use super::*;
use crate::device::{Circumstances, beacon_times_us};
use coronaz_model::{Draws, Parameters, PersonId, Spawn};
use coronaz_wire::timestamp::SECOND_US;
use std::sync::Arc;

const SECOND: i64 = 1_700_000_000;

fn device(x: i32, y: i32, infected: bool) -> Device {
    let parameters = Parameters { field_width: 10, field_height: 8, ..Parameters::default() };
    let circumstances =
        Circumstances { run: None, parameters, draws: Draws::new(1), beacon_times_us: beacon_times_us(1) };
    let spawn = Spawn { x: Some(x), y: Some(y), infected };
    Device::new(Arc::new(circumstances), PersonId(0), Uuid::from_u128(1), spawn, SECOND)
}

fn say(device: &mut Device, text: &str) -> String {
    let now_us = device.second() * SECOND_US;
    line(device, text, now_us).text
}

/// Lives so many seconds and returns where it went.
fn walked(device: &mut Device, seconds: i64) -> Vec<(i32, i32)> {
    let first = device.second() + 1;
    (first..first + seconds)
        .map(|second| {
            device.begin_second(second);
            device.end_second();
            (device.person().position.x, device.person().position.y)
        })
        .collect()
}

#[test]
fn north_is_plus_y_east_is_plus_x_a_unit_a_second_and_then_it_stands() {
    let mut device = device(4, 4, false);
    assert_eq!(say(&mut device, "n"), "walks to (4, 5)");
    assert_eq!(say(&mut device, "E 2"), "walks to (6, 5)");
    assert_eq!(say(&mut device, "south"), "walks to (6, 4)");
    assert_eq!(say(&mut device, "w"), "walks to (5, 4)");
    let way = walked(&mut device, 7);
    assert_eq!(way, [(4, 5), (5, 5), (6, 5), (6, 4), (5, 4), (5, 4), (5, 4)]);
    assert_eq!(say(&mut device, "where"), "at (5, 4), safe");
}

#[test]
fn a_step_off_the_field_is_refused() {
    let mut device = device(0, 8, false);
    assert!(say(&mut device, "n").starts_with("refused: (0, 9) is off the field"), "north");
    assert!(say(&mut device, "w").starts_with("refused: (-1, 8)"), "west");
    assert!(say(&mut device, "e 99").starts_with("10 steps to (10, 8); refused"), "east");
    assert_eq!(walked(&mut device, 12).last(), Some(&(10, 8)));
}

#[test]
fn a_contact_at_a_position_is_recorded_if_it_is_in_range_and_infects() {
    let mut device = device(4, 4, false);
    say(&mut device, "where");
    walked(&mut device, 1);
    device.begin_second(device.second() + 1);
    assert!(say(&mut device, "contact 4 7").contains("not in range"));
    assert!(say(&mut device, "contact 4 6").contains("a contact"));
    assert!(say(&mut device, "c 4 5 infected").contains("a contact"));
    let ended = device.end_second();
    assert_eq!(ended.contacts.len(), 2);
    assert!(ended.infection.is_some() && device.person().illness.health.is_infectious());
    assert!(say(&mut device, "n").contains("infected people stand still"));
}

#[test]
fn random_steps_are_steps_and_then_it_stands() {
    let mut device = device(4, 4, false);
    say(&mut device, "random 3");
    let way = walked(&mut device, 5);
    let mut at = (4, 4);
    for (number, next) in way.into_iter().enumerate() {
        let steps = (next.0 - at.0).abs() + (next.1 - at.1).abs();
        assert_eq!(steps, i32::from(number < 3));
        at = next;
    }
}

#[test]
fn what_is_no_command_is_answered_with_those_there_are() {
    let mut device = device(4, 4, false);
    for wrong in
        ["dance", "n 0", "n 9999", "n 1 2", "contact", "contact 1", "contact 11 4", "contact a b", "random x"]
    {
        let reply = line(&mut device, wrong, 0);
        assert!(!reply.quit && (reply.text.contains("write") || reply.text.contains("there are")), "{wrong}");
    }
    assert!(line(&mut device, "quit", 0).quit);
    assert!(say(&mut device, "help").contains("random"));
}
