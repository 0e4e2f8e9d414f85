//! The commands of `coronaz node --interactive`: a line in, an answer out.

use coronaz_model::{Health, Position};
use coronaz_wire::Beacon;
use uuid::Uuid;

use crate::{
    device::{self, Device},
    identity::new_identity,
    steering::{STEPS_MAX, Step},
};

/// What may be typed.
pub const HELP: &str = "\
n, e, s, w [STEPS]        walk north (+y), east (+x), south or west, a unit a second
random [STEPS]            a few random steps (5)
contact X Y [infected]    hear a device at this position now
where                     where you are and how you are
quit                      die with a last message";
/// Random steps when no number is given.
const STROLL_STEPS: usize = 5;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// To be shown.
    pub text: String,
    /// The device is to die.
    pub quit: bool,
}

impl Reply {
    fn say(text: impl Into<String>) -> Self {
        Reply { text: text.into(), quit: false }
    }

    /// The answer to `quit`.
    #[must_use]
    pub fn quit() -> Self {
        Reply { text: "the last message goes out".to_owned(), quit: true }
    }
}

/// Carries out one line for a device at `now_us`.
pub fn line(device: &mut Device, line: &str, now_us: i64) -> Reply {
    device.steer();
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        [] => Reply::say(whereabouts(device)),
        ["n" | "north", ref rest @ ..] => walk(device, Step::North, rest),
        ["e" | "east", ref rest @ ..] => walk(device, Step::East, rest),
        ["s" | "south", ref rest @ ..] => walk(device, Step::South, rest),
        ["w" | "west", ref rest @ ..] => walk(device, Step::West, rest),
        ["r" | "random", ref rest @ ..] => stroll(device, rest),
        ["c" | "contact", ref rest @ ..] => contact(device, rest, now_us),
        ["where" | "p"] => Reply::say(whereabouts(device)),
        ["q" | "quit" | "exit"] => Reply::quit(),
        ["h" | "help" | "?"] => Reply::say(HELP),
        _ => Reply::say(format!("{line:?} is no command; there are:\n{HELP}")),
    }
}

fn whereabouts(device: &mut Device) -> String {
    let Position { x, y } = device.person().position;
    let health = match device.person().illness.health {
        Health::Susceptible | Health::Latent => "safe",
        Health::Infectious => "infected",
        Health::Immune => "immune",
        Health::Deceased => "dead",
    };
    let steps = device.steer().waiting().count();
    let steps = if steps > 0 { format!(", {steps} steps to go") } else { String::new() };
    format!("at ({x}, {y}), {health}{steps}")
}

fn steps(rest: &[&str], default: usize) -> Result<usize, String> {
    let wrong = || format!("write a number of steps from 1 to {STEPS_MAX}, or none");
    match rest {
        [] => Ok(default),
        [number] => number.parse().ok().filter(|steps| (1..=STEPS_MAX).contains(steps)).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// Why the carrier does not walk, if it does not.
fn stands_still(device: &Device) -> Option<String> {
    let still = device::stands_still(device.person(), device.tick() + 1);
    (still && !device.parameters().move_when_infected)
        .then(|| format!("infected people stand still; {} s to go", device.person().illness.left_s))
}

fn walk(device: &mut Device, step: Step, rest: &[&str]) -> Reply {
    if let Some(reason) = stands_still(device) {
        return Reply::say(reason);
    }
    let count = match steps(rest, 1) {
        Ok(count) => count,
        Err(problem) => return Reply::say(problem),
    };
    let field = device.parameters().field();
    let start = device.person().position;
    let strolls = device.steer().waiting().any(|step| step == Step::Stroll);
    let waiting: Vec<Step> = device.steer().waiting().collect();
    let mut at = waiting.into_iter().fold(start, |at, step| step.from(at).unwrap_or(at));
    for taken in 0..count {
        let next = step.from(at).unwrap_or(at);
        // Behind a stroll nobody knows yet where a step leads; one off the field will not be taken.
        if !strolls && !field.contains(next) {
            let Position { x, y } = at;
            let edge = format!(
                "refused: ({}, {}) is off the field of {} x {}",
                next.x, next.y, field.width, field.height
            );
            let sofar = if taken > 0 { format!("{taken} steps to ({x}, {y}); ") } else { String::new() };
            return Reply::say(format!("{sofar}{edge}"));
        }
        if let Err(error) = device.steer().push(step) {
            return Reply::say(format!("{taken} steps; {error}"));
        }
        at = next;
    }
    Reply::say(if strolls { format!("{count} steps") } else { format!("walks to ({}, {})", at.x, at.y) })
}

fn stroll(device: &mut Device, rest: &[&str]) -> Reply {
    if let Some(reason) = stands_still(device) {
        return Reply::say(reason);
    }
    let count = match steps(rest, STROLL_STEPS) {
        Ok(count) => count,
        Err(problem) => return Reply::say(problem),
    };
    for taken in 0..count {
        if let Err(error) = device.steer().push(Step::Stroll) {
            return Reply::say(format!("{taken} steps; {error}"));
        }
    }
    Reply::say(format!("walks about for {count} s"))
}

/// Hears a device that is not there, as if its beacon had just arrived.
fn contact(device: &mut Device, rest: &[&str], now_us: i64) -> Reply {
    let field = device.parameters().field();
    let wrong = || {
        format!(
            "write contact X Y, from 0 0 to {} {}, and infected behind it if it is",
            field.width, field.height
        )
    };
    let (x, y, infected) = match *rest {
        [x, y] => (x, y, false),
        [x, y, "infected" | "i"] => (x, y, true),
        _ => return Reply::say(wrong()),
    };
    let place = x.parse().ok().zip(y.parse().ok()).map(|(x, y)| Position { x, y });
    let Some(place) = place.filter(|place| field.contains(*place)) else { return Reply::say(wrong()) };
    let uuid: Uuid = match new_identity() {
        Ok(uuid) => uuid,
        Err(error) => return Reply::say(error.to_string()),
    };
    let beacon = Beacon {
        uuid,
        position: [place.x, place.y],
        infected,
        timestamp_us: now_us,
        alive: true,
        run: None,
        tick: None,
    };
    let own = device.person().position;
    let distance = (own.distance_squared(place) as f64).sqrt();
    let radius = device.parameters().infection_radius;
    if device.hear(&beacon, now_us) {
        Reply::say(format!("heard {uuid} at a distance of {distance:.2}: a contact"))
    } else {
        Reply::say(format!("not in range: a distance of {distance:.2}, the radius is {radius}"))
    }
}

#[cfg(test)]
mod tests;
