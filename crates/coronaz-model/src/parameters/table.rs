//! Every parameter with its default, range and meaning. Nothing else knows a default.

use super::{ParameterInfo, Value};
use crate::movement::{Movement, Start};

const SIDE_MAX: f64 = 1_000_000.0;
const SECONDS_MAX: f64 = 60_000.0;
const RADIUS_MAX: f64 = 1_000.0;
/// A drawn period may be some times its mean and has to stay below 65,536 s.
const PERIOD_MAX: f64 = 10_000.0;

pub(super) const TABLE: &[ParameterInfo] = &[
    ParameterInfo {
        name: "field_width",
        unit: "units",
        help: "Width of the map: x runs from 0 to this number, both included",
        default: Value::Integer(100),
        min: 1.0,
        max: SIDE_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.field_width)),
        set: |p, v| p.field_width = whole(v),
    },
    ParameterInfo {
        name: "field_height",
        unit: "units",
        help: "Height of the map: y runs from 0 to this number, both included",
        default: Value::Integer(100),
        min: 1.0,
        max: SIDE_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.field_height)),
        set: |p, v| p.field_height = whole(v),
    },
    ParameterInfo {
        name: "scale_factor",
        unit: "pixels a unit",
        help: "How large a unit is drawn on the map at first sight",
        default: Value::Integer(5),
        min: 1.0,
        max: 100.0,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.scale_factor)),
        set: |p, v| p.scale_factor = whole(v),
    },
    ParameterInfo {
        name: "zombie_lifetime",
        unit: "s",
        help: "How long a device lives before its last message; 0: it never dies of age",
        default: Value::Integer(120),
        min: 0.0,
        max: 100_000_000.0,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.zombie_lifetime)),
        set: |p, v| p.zombie_lifetime = whole(v),
    },
    ParameterInfo {
        name: "infection_radius",
        unit: "units",
        help: "Up to which distance two people are in contact",
        default: Value::Real(2.0),
        min: 0.0,
        max: RADIUS_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Real(p.infection_radius),
        set: |p, v| p.infection_radius = real(v),
    },
    ParameterInfo {
        name: "infection_cooldown",
        unit: "s",
        help: "How long a person is infected, and then for as long again immune",
        default: Value::Integer(15),
        // Others hear it in one second less: with 1 nobody would ever be infected.
        min: 2.0,
        max: SECONDS_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.infection_cooldown)),
        set: |p, v| p.infection_cooldown = whole(v),
    },
    ParameterInfo {
        name: "move_when_infected",
        unit: "",
        help: "Whether infected people walk on instead of standing still",
        default: Value::Switch(false),
        min: 0.0,
        max: 1.0,
        choices: &[],
        before: None,
        get: |p| Value::Switch(p.move_when_infected),
        set: |p, v| p.move_when_infected = matches!(v, Value::Switch(true)),
    },
    ParameterInfo {
        name: "movement",
        unit: "",
        help: "How people choose their way: at random, away from the infected, or by the time of day",
        default: Value::Choice(Movement::NAMES[0]),
        min: 0.0,
        max: 2.0,
        choices: Movement::NAMES,
        before: None,
        get: |p| Value::Choice(p.movement.name()),
        set: |p, v| p.movement = movement(v),
    },
    ParameterInfo {
        name: "sensing_radius",
        unit: "units",
        help: "Up to which distance people who avoid the infected notice them",
        default: Value::Real(10.0),
        min: 0.0,
        max: RADIUS_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Real(p.sensing_radius),
        set: |p, v| p.sensing_radius = real(v),
    },
    ParameterInfo {
        name: "day_length",
        unit: "s",
        help: "How long a day is for people who have places to go to",
        default: Value::Integer(600),
        min: 20.0,
        max: 1_000_000.0,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.day_length)),
        set: |p, v| p.day_length = whole(v),
    },
    ParameterInfo {
        name: "place_spacing",
        unit: "units",
        help: "How far it is from one workplace to the next, on average",
        default: Value::Integer(50),
        min: 2.0,
        max: SIDE_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.place_spacing)),
        set: |p, v| p.place_spacing = whole(v),
    },
    ParameterInfo {
        name: "transmission_probability",
        unit: "",
        help: "Chance a second to be infected by an infectious person in range",
        default: Value::Real(1.0),
        min: 0.0,
        max: 1.0,
        choices: &[],
        before: None,
        get: |p| Value::Real(p.transmission_probability),
        set: |p, v| p.transmission_probability = real(v),
    },
    ParameterInfo {
        name: "latent_period",
        unit: "s",
        help: "How long it takes on average from infection to being infectious",
        default: Value::Real(0.0),
        min: 0.0,
        max: PERIOD_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Real(p.latent_period),
        set: |p, v| p.latent_period = real(v),
    },
    ParameterInfo {
        name: "incubation_period",
        unit: "s",
        help: "How long it takes on average from infection to symptoms; without symptoms people walk on",
        default: Value::Real(0.0),
        min: 0.0,
        max: PERIOD_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Real(p.incubation_period),
        set: |p, v| p.incubation_period = real(v),
    },
    ParameterInfo {
        name: "period_shape",
        unit: "",
        help: "How little latent and incubation periods vary: shape of their gamma distribution; 0: not at all",
        default: Value::Integer(0),
        min: 0.0,
        max: 100.0,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.period_shape)),
        set: |p, v| p.period_shape = whole(v),
    },
    ParameterInfo {
        name: "asymptomatic_share",
        unit: "",
        help: "Share of the infected who never have symptoms",
        default: Value::Real(0.0),
        min: 0.0,
        max: 1.0,
        choices: &[],
        before: None,
        get: |p| Value::Real(p.asymptomatic_share),
        set: |p, v| p.asymptomatic_share = real(v),
    },
    ParameterInfo {
        name: "fatality",
        unit: "",
        help: "Chance that an illness with symptoms ends in death",
        default: Value::Real(0.0),
        min: 0.0,
        max: 1.0,
        choices: &[],
        before: None,
        get: |p| Value::Real(p.fatality),
        set: |p, v| p.fatality = real(v),
    },
    ParameterInfo {
        name: "immunity_period",
        unit: "s",
        help: "How long people are immune; 0: as long as they were infected",
        default: Value::Integer(0),
        min: 0.0,
        max: SECONDS_MAX,
        choices: &[],
        before: None,
        get: |p| Value::Integer(i64::from(p.immunity_period)),
        set: |p, v| p.immunity_period = whole(v),
    },
    ParameterInfo {
        name: "start",
        unit: "",
        help: "Where people are at the start: uniform, anywhere; settled, as if they had long lived by their \
               movement; auto, settled where they have places to go to, uniform otherwise",
        default: Value::Choice(Start::NAMES[0]),
        min: 0.0,
        max: 2.0,
        choices: Start::NAMES,
        before: Some(Value::Choice(Start::Uniform.name())),
        get: |p| Value::Choice(p.start.name()),
        set: |p, v| p.start = start(v),
    },
    ParameterInfo {
        name: "warm_up",
        unit: "s",
        help: "How long people walk before the start, when the first are infected; nothing of it is recorded",
        default: Value::Integer(0),
        min: 0.0,
        max: SECONDS_MAX,
        choices: &[],
        before: Some(Value::Integer(0)),
        get: |p| Value::Integer(i64::from(p.warm_up)),
        set: |p, v| p.warm_up = whole(v),
    },
];

/// The whole number of a value that [`ParameterInfo::check`] has let through.
fn whole(value: Value) -> u32 {
    match value {
        Value::Integer(number) => u32::try_from(number).unwrap_or_default(),
        Value::Real(_) | Value::Switch(_) | Value::Choice(_) => 0,
    }
}

/// The real number of a value that [`ParameterInfo::check`] has let through.
fn real(value: Value) -> f64 {
    match value {
        Value::Integer(number) => number as f64,
        Value::Real(number) => number,
        Value::Switch(_) | Value::Choice(_) => 0.0,
    }
}

/// The movement of a value that [`ParameterInfo::check`] has let through.
fn movement(value: Value) -> Movement {
    match value {
        Value::Choice(word) => Movement::of_name(word).unwrap_or_default(),
        Value::Integer(_) | Value::Real(_) | Value::Switch(_) => Movement::default(),
    }
}

/// The start of a value that [`ParameterInfo::check`] has let through.
fn start(value: Value) -> Start {
    match value {
        Value::Choice(word) => Start::of_name(word).unwrap_or_default(),
        Value::Integer(_) | Value::Real(_) | Value::Switch(_) => Start::default(),
    }
}
