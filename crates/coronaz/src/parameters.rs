//! A flag for each parameter of the model, made from its table.

use clap::{Arg, ArgMatches, Command, FromArgMatches};
use coronaz_devices::scenario::ScenarioError;
use coronaz_model::{Parameters, Value, parameters::ParameterInfo};
use coronaz_wire::Scenario;

use crate::failure::{Failure, chain};

/// What was given on the command line, over the scenario's.
#[derive(Debug, Clone, Default)]
pub(crate) struct ParameterFlags {
    given: Vec<(&'static str, Value)>,
}

impl ParameterFlags {
    /// The scenario's parameters with the flags' over them.
    pub(crate) fn over(&self, scenario: &Scenario) -> Result<Parameters, Failure> {
        let usage = |error: ScenarioError| Failure::usage(chain(&error));
        let mut parameters = coronaz_devices::scenario::parameters(scenario).map_err(usage)?;
        for (name, value) in &self.given {
            parameters.set(name, *value).map_err(|error| Failure::usage(chain(&error)))?;
        }
        Ok(parameters)
    }
}

impl FromArgMatches for ParameterFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let value = |info: &ParameterInfo| matches.get_one::<Value>(info.name).copied();
        let given = Parameters::TABLE.iter().filter_map(|info| Some((info.name, value(info)?))).collect();
        Ok(ParameterFlags { given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for ParameterFlags {
    fn augment_args(command: Command) -> Command {
        command.args(Parameters::TABLE.iter().map(flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn flag(info: &'static ParameterInfo) -> Arg {
    let unit = if info.unit.is_empty() { String::new() } else { format!(" {}", info.unit) };
    let range = match info.default {
        Value::Switch(_) => String::new(),
        Value::Choice(_) => format!("; one of {}", info.choices.join(", ")),
        Value::Integer(_) | Value::Real(_) => format!("; {} to {}", info.min, info.max),
    };
    let arg = Arg::new(info.name)
        .long(info.name.replace('_', "-"))
        .help(format!("{} [paper: {}{unit}{range}]", info.help, info.default))
        .help_heading("Parameters (over the scenario's)")
        .value_parser(move |text: &str| info.parse(text));
    match info.default {
        Value::Switch(_) => arg.value_name("true|false").num_args(0..=1).default_missing_value("true"),
        Value::Choice(_) => arg.value_name("WORD"),
        Value::Integer(_) | Value::Real(_) => {
            arg.value_name(if info.unit == "s" { "SECONDS" } else { "NUMBER" }).allow_negative_numbers(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: ParameterFlags,
    }

    fn paper() -> Scenario {
        coronaz_devices::scenario::find("paper").expect("built in")
    }

    #[test]
    fn every_parameter_has_a_flag_with_unit_default_and_range() {
        let help = <Line as clap::CommandFactory>::command().render_long_help().to_string();
        for info in Parameters::TABLE {
            assert!(help.contains(&format!("--{}", info.name.replace('_', "-"))), "{}", info.name);
        }
        assert!(help.contains("[paper: 15 s; 2 to 60000]"), "{help}");
        assert!(help.contains("[paper: waypoint; one of waypoint, avoid, places]"), "{help}");
    }

    #[test]
    fn flags_go_over_the_scenario() {
        let line =
            Line::try_parse_from(["x", "--infection-radius", "3.5", "--move-when-infected"]).expect("good");
        let parameters = line.flags.over(&paper()).expect("in range");
        let expected =
            Parameters { infection_radius: 3.5, move_when_infected: true, ..Parameters::default() };
        assert_eq!(parameters, expected);
    }

    #[test]
    fn a_wrong_value_says_what_would_be_right() {
        for (flag, value, right) in [
            ("--infection-cooldown", "0", "must be from 2 to 60000 s, not 0"),
            ("--field-width", "wide", "must be a whole number"),
            ("--infection-radius", "-1", "must be from 0 to 1000 units"),
            ("--move-when-infected", "perhaps", "must be true or false"),
        ] {
            let Err(error) = Line::try_parse_from(["x", flag, value]) else { panic!("{flag} {value}") };
            assert!(error.to_string().contains(right), "{error}");
        }
    }
}
