//! What a run can be, and what its records can say: a stranger's are counted and put aside, and change nothing (I-6).
//!
//! What a record can be by itself its decoder checks (`coronaz-wire`). Here stands what takes the model's table or
//! the run to know.

use coronaz_model::{ParameterError, Parameters, Value};
use coronaz_wire::TICK_MAX;
use coronaz_wire::announcement::Announcement;
use coronaz_wire::frame::Stamp;
use coronaz_wire::report::Report;
use coronaz_wire::scenario::Setting;
use std::collections::BTreeMap;

/// A fleet's frame lies at most this many ticks after its newest moment (11 days of real time): longer than any outage
/// in which frames were lost, and near enough that whoever computes up to it comes to an end.
pub(crate) const AHEAD_TICKS_MAX: u64 = 1_000_000;

/// Whether the model can run what is announced. Parameters that it does not know are another version's.
///
/// # Errors
/// Which parameter is out of its range, and what would be right.
pub fn check_announcement(announcement: &Announcement) -> Result<(), String> {
    check_parameters(&announcement.parameters)?;
    let mut parent = announcement.forked_from.as_ref();
    while let Some(from) = parent {
        check_parameters(&from.parameters)?;
        parent = from.forked_from.as_deref();
    }
    Ok(())
}

fn check_parameters(settings: &BTreeMap<String, Setting>) -> Result<(), String> {
    let mut parameters = Parameters::default();
    for (name, setting) in settings {
        let fits = match setting {
            Setting::Switch(on) => parameters.set(name, Value::Switch(*on)),
            Setting::Integer(number) => parameters.set(name, Value::Integer(*number)),
            Setting::Real(number) => parameters.set(name, Value::Real(*number)),
            Setting::Choice(word) => parameters.set_text(name, word),
        };
        match fits {
            Ok(()) | Err(ParameterError::Unknown { .. }) => {}
            Err(error) => return Err(format!("parameters: {error}")),
        }
    }
    Ok(())
}

/// The highest coordinates of an announced run's field, by its parameters as JSON.
pub(crate) fn field_of(parameters: &serde_json::Map<String, serde_json::Value>) -> [i64; 2] {
    let default = Parameters::default();
    let side = |name: &str, default: u32| {
        parameters.get(name).and_then(serde_json::Value::as_i64).unwrap_or_else(|| i64::from(default))
    };
    [side("field_width", default.field_width), side("field_height", default.field_height)]
}

/// Whether a report can be of a run; `field`: of a run that was announced.
pub(crate) fn check_report(
    report: &Report,
    is_fleet: bool,
    field: Option<[i64; 2]>,
) -> Result<(), &'static str> {
    if is_fleet {
        return Err("a report of a run that is a fleet's");
    }
    let lies_on =
        |field: [i64; 2]| report.position.iter().zip(field).all(|(&at, most)| i64::from(at) <= most);
    if field.is_some_and(|field| !lies_on(field)) {
        return Err("a position off the run's field");
    }
    Ok(())
}

/// Whether a frame can follow those of its run, of which `moments` is one above the newest moment.
pub(crate) fn check_frame(stamp: &Stamp, moments: u64) -> Result<(), &'static str> {
    if stamp.tick > TICK_MAX {
        return Err("a frame of a tick beyond all moments");
    }
    // The first ones say where the run begins: a fork's is late.
    if moments > 0 && stamp.tick > moments.saturating_add(AHEAD_TICKS_MAX) {
        return Err("a frame too far ahead of its run");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use coronaz_wire::announcement::RunKind;
    use uuid::Uuid;

    fn announcement(parameters: &[(&str, Setting)]) -> Announcement {
        Announcement {
            run: Uuid::from_u128(1),
            name: "town".to_owned(),
            kind: RunKind::Nodes,
            seed: 7,
            started_us: 0,
            parameters: parameters
                .iter()
                .map(|(name, setting)| ((*name).to_owned(), setting.clone()))
                .collect(),
            scenario: String::new(),
            forked_from: None,
            guests_of: None,
        }
    }

    #[test]
    fn an_announcement_within_the_models_ranges_is_good_and_says_so_without_any_parameter() {
        let all = Parameters::default();
        let settings: Vec<(&str, Setting)> = all
            .values()
            .map(|(name, value)| {
                let setting = match value {
                    Value::Switch(on) => Setting::Switch(on),
                    Value::Integer(number) => Setting::Integer(number),
                    Value::Real(number) => Setting::Real(number),
                    Value::Choice(word) => Setting::Choice(word.to_owned()),
                };
                (name, setting)
            })
            .collect();
        assert_eq!(check_announcement(&announcement(&settings)), Ok(()));
        assert_eq!(check_announcement(&announcement(&[])), Ok(()));
        let later = [("a_parameter_of_next_year", Setting::Real(1e300))];
        assert_eq!(check_announcement(&announcement(&later)), Ok(()));
    }

    #[test]
    fn an_announcement_beyond_the_models_ranges_says_which_parameter_and_what_would_be_right() {
        for (name, setting) in [
            ("field_width", Setting::Integer(-5)),
            ("field_width", Setting::Integer(i64::MAX)),
            ("infection_radius", Setting::Real(1e300)),
            ("move_when_infected", Setting::Integer(7)),
            ("field_height", Setting::Choice("wide".to_owned())),
        ] {
            let error = check_announcement(&announcement(&[(name, setting)])).expect_err("out of range");
            assert!(error.contains(name) && error.contains("must be"), "{error}");
        }
    }
}
