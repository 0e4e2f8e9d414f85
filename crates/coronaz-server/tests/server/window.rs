//! A visitor who looks at a part of the field gets that part, and a density where there are too many.

use coronaz_wire::page_frame::{
    part::{self, Density, Seen},
    scale,
};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::{
    live::Visitor,
    stage::{Stage, report},
};

const WHOLE: [u16; 4] = [0, 0, u16::MAX, u16::MAX];

/// Four people on a field of 200 by 100, each of whom has reported once: the newest moment is number 3.
async fn four_people() -> (Stage, Visitor) {
    let mut stage = Stage::open().await;
    stage.desk.announce(1);
    for (number, position) in [(1, [10, 10]), (2, [20, 10]), (3, [150, 50]), (4, [190, 90])] {
        stage.desk.store(vec![report(number, 1, position)]);
    }
    let visitor = Visitor::come(&stage).await;
    (stage, visitor)
}

fn window(area: [u16; 4], people: u32, keep: &[u32]) -> Value {
    json!({"type": "view", "window": {"area": area, "levels": [4, 3], "people": people, "keep": keep}})
}

/// Frames until one of a part of the people.
async fn part_of(visitor: &mut Visitor) -> (u64, u32, Vec<Seen>) {
    loop {
        if let Ok((header, people)) = part::decode(&visitor.bytes().await) {
            return (header.moment, header.request, people);
        }
    }
}

async fn density(visitor: &mut Visitor) -> Density {
    loop {
        if let Ok(density) = part::decode_density(&visitor.bytes().await) {
            return density;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_gets_those_inside_it_at_once_and_from_then_on() {
    let (mut stage, mut visitor) = four_people().await;
    let west = [0, 0, scale(100, 200), u16::MAX];
    visitor.say(window(west, 10, &[3])).await;
    let (moment, request, people) = part_of(&mut visitor).await;
    assert_eq!((moment, request), (3, 0));
    assert_eq!(people.iter().map(|person| person.slot).collect::<Vec<_>>(), [0, 1, 3]);

    stage.desk.store(vec![report(2, 2, [21, 10])]);
    let (moment, _, people) = part_of(&mut visitor).await;
    assert_eq!(moment, 4);
    assert_eq!(people[1].from, [scale(20, 200), scale(10, 100)], "where he glides from");
    assert_eq!(people[1].xy, [scale(21, 200), scale(10, 100)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_for_the_window_are_a_density_of_everybody() {
    let (_stage, mut visitor) = four_people().await;
    visitor.say(window(WHOLE, 2, &[0])).await;
    let seen = density(&mut visitor).await;
    assert_eq!((seen.in_view, seen.grid.size), (4, [16, 8]));
    assert_eq!(seen.counts.iter().map(|&count| u32::from(count)).sum::<u32>(), 4);
    assert_eq!(seen.people.iter().map(|person| person.slot).collect::<Vec<_>>(), [0]);
    assert_eq!(seen.header.figures.total, 4, "figures are always of the whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_has_stopped_somewhere_and_looks_elsewhere_stays_at_that_moment() {
    let (mut stage, mut visitor) = four_people().await;
    visitor.say(window(WHOLE, 10, &[])).await;
    visitor.say(json!({"type": "seek", "moment": 1, "request": 5})).await;
    while part_of(&mut visitor).await.1 != 5 {}
    stage.desk.store(vec![report(2, 2, [21, 10])]);
    visitor.say(window([0, 0, scale(15, 200), u16::MAX], 10, &[])).await;
    let (moment, request, people) = part_of(&mut visitor).await;
    assert_eq!((moment, request, people.len()), (1, 5, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_cannot_be_ends_the_connection() {
    for wrong in [window([9, 0, 0, 9], 1, &[]), window(WHOLE, 1, &[2, 1])] {
        let (_stage, mut visitor) = four_people().await;
        visitor.say(wrong).await;
        assert_eq!(visitor.closed().await, Some(CloseCode::Policy));
    }
}
