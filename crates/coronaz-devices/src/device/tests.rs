use super::*;

const SECOND: i64 = 1_700_000_000;

fn circumstances(parameters: Parameters) -> Arc<Circumstances> {
    Arc::new(Circumstances {
        run: None,
        parameters,
        draws: Draws::new(3),
        beacon_times_us: beacon_times_us(1),
    })
}

fn device_at(x: i32, y: i32) -> Device {
    let spawn = Spawn { x: Some(x), y: Some(y), infected: false };
    Device::new(circumstances(Parameters::default()), PersonId(0), Uuid::from_u128(1), spawn, SECOND)
}

fn beacon(sender: u128, position: Position, second: i64, micros: i64) -> Beacon {
    Beacon {
        uuid: Uuid::from_u128(sender),
        position: [position.x, position.y],
        infected: false,
        timestamp_us: second * SECOND_US + micros,
        alive: true,
        run: None,
        tick: None,
    }
}

fn begin(device: &mut Device, second: i64) -> Beacon {
    match device.begin_second(second) {
        Begun::Alive(beacon) => beacon,
        other => panic!("alive in its first seconds, not {other:?}"),
    }
}

#[test]
fn a_beacon_names_the_second_in_which_its_sender_stood_there() {
    let mut device = device_at(50, 50);
    for second in SECOND + 1..SECOND + 50 {
        let beacon = begin(&mut device, second);
        assert_eq!(beacon.timestamp_us.div_euclid(SECOND_US), second);
        assert!((700_000..900_000).contains(&beacon.timestamp_us.rem_euclid(SECOND_US)));
        device.end_second();
    }
}

#[test]
fn of_two_messages_of_one_node_in_one_interval_the_latest_counts() {
    let mut device = device_at(50, 50);
    begin(&mut device, SECOND + 1);
    let here = device.person().position;
    let infected = Beacon { infected: true, ..beacon(9, here, SECOND + 1, 100) };
    assert!(device.hear(&infected, 0));
    assert!(device.hear(&beacon(9, here, SECOND + 1, 200), 0));
    let ended = device.end_second();
    assert_eq!(ended.contacts.len(), 1);
    assert_eq!(ended.contacts[0].timestamp_us, (SECOND + 1) * SECOND_US + 200);
    assert_eq!(ended.infection, None, "the latest says not infected");
}

#[test]
fn a_late_beacon_is_judged_by_where_the_hearer_stood_then_and_recorded_once() {
    let mut device = device_at(50, 50);
    begin(&mut device, SECOND + 1);
    let then = device.person().position;
    device.end_second();
    for second in SECOND + 2..SECOND + 9 {
        begin(&mut device, second);
        device.end_second();
    }
    begin(&mut device, SECOND + 9);
    let now = device.person().position;
    assert!(then.distance_squared(now) > 16, "it has walked on");
    assert!(device.hear(&beacon(9, then, SECOND + 1, 5), 0));
    assert!(device.hear(&beacon(9, then, SECOND + 1, 6), 0));
    assert!(!device.hear(&beacon(8, now, SECOND + 1, 5), 0), "there now, but not then");
    let contacts = device.end_second().contacts;
    assert_eq!(contacts.len(), 1);
    assert_eq!(
        (contacts[0].uuid, contacts[0].timestamp_us),
        (Uuid::from_u128(9), (SECOND + 1) * SECOND_US + 5)
    );
    begin(&mut device, SECOND + 10);
    device.hear(&beacon(9, then, SECOND + 1, 5), 0);
    assert_eq!(device.end_second().contacts, [], "it is recorded already");
}

#[test]
fn a_beacon_of_a_second_not_begun_yet_waits_for_it() {
    let mut device = device_at(50, 50);
    begin(&mut device, SECOND + 1);
    let now_us = (SECOND + 1) * SECOND_US + 999_000;
    let there = Position { x: 50, y: 50 };
    assert!(!device.hear(&beacon(9, there, SECOND + 2, 10), now_us));
    assert_eq!(device.end_second().contacts, []);
    begin(&mut device, SECOND + 2);
    assert_eq!(device.end_second().contacts.len(), 1);
}

#[test]
fn a_beacon_with_another_clock_is_judged_by_the_present_and_timed_by_the_hearer() {
    let mut device = device_at(50, 50);
    begin(&mut device, SECOND + 1);
    let now_us = (SECOND + 1) * SECOND_US + 5_000;
    let here = device.person().position;
    assert!(device.hear(&beacon(9, here, 5, 0), now_us));
    assert!(device.hear(&beacon(8, here, SECOND + 1_000, 0), now_us));
    let contacts = device.end_second().contacts;
    assert!(contacts.len() == 2 && contacts.iter().all(|contact| contact.timestamp_us == now_us));
}

#[test]
fn seconds_slept_through_are_walked_on_so_that_both_histories_agree() {
    let (mut awake, mut asleep) = (device_at(50, 50), device_at(50, 50));
    for second in SECOND + 1..=SECOND + 12 {
        begin(&mut awake, second);
        awake.end_second();
        if second < SECOND + 4 {
            begin(&mut asleep, second);
            asleep.end_second();
        }
    }
    begin(&mut asleep, SECOND + 12);
    assert_eq!(asleep.person(), awake.person());
    assert_eq!(asleep.tick(), 12);
    let at_8 = awake.past.iter().find(|second| second.number == SECOND + 8).expect("remembered");
    assert!(
        asleep.hear(&beacon(9, at_8.position, SECOND + 8, 0), 0),
        "what its socket kept is judged rightly"
    );
}

#[test]
fn after_its_lifetime_a_device_sends_one_last_message_and_is_gone() {
    let parameters = Parameters { zombie_lifetime: 3, ..Parameters::default() };
    let spawn = Spawn { infected: true, ..Spawn::default() };
    let mut device = Device::new(circumstances(parameters), PersonId(0), Uuid::from_u128(1), spawn, SECOND);
    begin(&mut device, SECOND + 1);
    begin(&mut device, SECOND + 2);
    let Begun::LastMessage(last) = device.begin_second(SECOND + 3) else { panic!("dies at 3 s") };
    assert!(!last.alive && last.infected);
    assert_eq!(device.begin_second(SECOND + 4), Begun::Gone);
    assert_eq!(device.state(), DeviceState { alive: false, infected: true, ..device.state() });
}

#[test]
fn death_slept_through_is_told_on_waking() {
    let parameters = Parameters { zombie_lifetime: 3, ..Parameters::default() };
    let spawn = Spawn::default();
    let mut device = Device::new(circumstances(parameters), PersonId(0), Uuid::from_u128(1), spawn, SECOND);
    begin(&mut device, SECOND + 1);
    device.end_second();
    let Begun::LastMessage(last) = device.begin_second(SECOND + 60) else { panic!("died meanwhile") };
    assert_eq!(last.timestamp_us.div_euclid(SECOND_US), SECOND + 60);
}

#[test]
fn a_device_does_not_hear_itself() {
    let mut device = device_at(50, 50);
    let own = begin(&mut device, SECOND + 1);
    assert!(!device.hear(&own, 0));
}

#[test]
fn few_devices_send_shortly_before_the_second_ends_and_many_over_most_of_it() {
    assert_eq!(beacon_times_us(1), 700_000..900_000);
    assert_eq!(beacon_times_us(400), 500_000..900_000);
    assert_eq!(beacon_times_us(10_000), 200_000..900_000);
}
