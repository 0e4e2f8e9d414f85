//! `up --ask` and `init`: the paper's parameters, one by one, Enter taking what is in brackets.

use std::io::BufRead;

use coronaz_devices::scenario;
use coronaz_model::Parameters;
use coronaz_wire::Scenario;

use crate::{
    failure::{Failure, chain},
    output::Output,
};

/// What the original's script asks for, in its order.
const ASKED: [&str; 6] = [
    "field_width",
    "field_height",
    "scale_factor",
    "zombie_lifetime",
    "infection_radius",
    "infection_cooldown",
];

/// Asks on the terminal and puts the answers into the scenario.
pub(crate) fn ask(scenario: &mut Scenario, out: &mut Output) -> Result<(), Failure> {
    let mut parameters = scenario::parameters(scenario).map_err(|error| Failure::usage(chain(&error)))?;
    let mut lines = std::io::stdin().lock().lines();
    for name in ASKED {
        let info = Parameters::info(name).map_err(|error| Failure::internal(error.to_string()))?;
        loop {
            out.text(format_args!("{} ({}) [{}]: ", info.name, info.unit, (info.get)(&parameters)));
            let Some(line) = lines.next().transpose().map_err(|error| Failure::io(chain(&error)))? else {
                return Err(Failure::usage(
                    "the questions need answers on standard input; it ended before the last one",
                ));
            };
            if line.trim().is_empty() {
                break;
            }
            match parameters.set_text(name, &line) {
                Ok(()) => break,
                Err(error) => out.line(error),
            }
        }
    }
    scenario.parameters = scenario::settings(&parameters);
    Ok(())
}
