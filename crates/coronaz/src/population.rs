//! How many people, how many of them infected, and how much room they have.

use coronaz_model::{Parameters, Value};
use coronaz_wire::Scenario;

use crate::failure::{Failure, chain};

/// Flags over the scenario's numbers.
#[derive(clap::Args, Debug, Clone, Default)]
pub(crate) struct PopulationFlags {
    /// Safe and infected people at the start, together [default: the scenario's]
    #[arg(long, value_name = "N")]
    people: Option<u32>,

    /// How many of them are infected [default: the scenario's]
    #[arg(long, value_name = "M")]
    infected: Option<u32>,

    /// People a square unit: sets the map's size, in the scenario's shape
    #[arg(long, value_name = "D", value_parser = density, conflicts_with_all = ["field_width", "field_height"])]
    density: Option<f64>,
}

/// How many people there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Population {
    /// Safe and infected.
    pub(crate) people: u32,
    /// Infected.
    pub(crate) infected: u32,
}

impl PopulationFlags {
    /// The scenario's numbers with the flags' over them; sets the map's size where a density is given.
    pub(crate) fn over(
        &self,
        scenario: &Scenario,
        parameters: &mut Parameters,
    ) -> Result<Population, Failure> {
        let people = self.people.unwrap_or_else(|| scenario.nodes.saturating_add(scenario.infected));
        let infected = self.infected.unwrap_or(scenario.infected.min(people));
        if infected > people {
            return Err(Failure::usage(format!(
                "--infected {infected} is more than the {people} people there are; lower it, or raise --people"
            )));
        }
        if let Some(density) = self.density {
            fit(parameters, people, density)?;
        }
        Ok(Population { people, infected })
    }
}

fn density(text: &str) -> Result<f64, String> {
    let density = text.parse().ok().filter(|density: &f64| density.is_finite() && *density > 0.0);
    density.ok_or_else(|| "it must be a number larger than 0, as 0.002".to_owned())
}

/// Sets the size of the map, so that it holds `people` at this density; its shape stays.
fn fit(parameters: &mut Parameters, people: u32, density: f64) -> Result<(), Failure> {
    let info = Parameters::info("field_width").map_err(|error| Failure::internal(chain(&error)))?;
    let shape = f64::from(parameters.field_width) / f64::from(parameters.field_height);
    let longer_by_shorter = shape.max(1.0 / shape);
    // The shorter side is as long as a side must be, or the longer one as long as it may be.
    let (area_min, area_max) = (info.min.powi(2) * longer_by_shorter, info.max.powi(2) / longer_by_shorter);
    let (least, most) = (f64::from(people) / area_max, f64::from(people) / area_min);
    if !(least..=most).contains(&density) {
        return Err(Failure::usage(format!(
            "--density must be from {} to {} for {people} people on a map of this shape, whose sides are from {} to {} \
             units, not {density}",
            short(least),
            short(most),
            info.min,
            info.max
        )));
    }
    let area = f64::from(people) / density;
    for (name, side) in [("field_width", (area * shape).sqrt()), ("field_height", (area / shape).sqrt())] {
        let side = Value::Integer(side.round() as i64);
        parameters.set(name, side).map_err(|error| {
            Failure::usage(format!("--density {density} of {people} people: {}", chain(&error)))
        })?;
    }
    Ok(())
}

/// A number of a few digits.
fn short(number: f64) -> String {
    if (0.001..1e6).contains(&number) {
        format!("{}", (number * 1_000.0).round() / 1_000.0)
    } else {
        format!("{number:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use coronaz_devices::scenario;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: PopulationFlags,
        #[command(flatten)]
        parameters: crate::parameters::ParameterFlags,
    }

    fn over(flags: &str) -> Result<(Population, Parameters), String> {
        let line = Line::try_parse_from(std::iter::once("x").chain(flags.split_whitespace()));
        let line = line.map_err(|error| error.to_string())?;
        let scenario = scenario::load("paper").expect("built in");
        let mut parameters = Parameters { field_width: 200, ..Parameters::default() };
        let population =
            line.flags.over(&scenario, &mut parameters).map_err(|failure| format!("{failure:?}"))?;
        Ok((population, parameters))
    }

    #[test]
    fn a_density_sets_the_size_of_the_map_and_keeps_its_shape() {
        let (population, parameters) = over("--people 1000000 --infected 9 --density 0.002").expect("good");
        assert_eq!(population, Population { people: 1_000_000, infected: 9 });
        assert_eq!((parameters.field_width, parameters.field_height), (31_623, 15_811));
        let (population, parameters) = over("").expect("the scenario's");
        assert_eq!((population, parameters.field_width), (Population { people: 20, infected: 1 }, 200));
    }

    #[test]
    fn wrong_values_say_what_would_be_right() {
        for (flags, right) in [
            ("--people 5 --infected 6", "raise --people"),
            ("--density 0", "larger than 0"),
            ("--density inf", "larger than 0"),
            ("--density 1 --field-width 7", "cannot be used with"),
            ("--people 10000000 --density 0.000001", "--density must be from 2.00e-5 to 5.00e6"),
            ("--people 100 --density 1e9", "--density must be from 2.00e-10 to 50 for 100 people"),
            ("--people 100 --density 51", "not 51"),
        ] {
            let Err(said) = over(flags) else { panic!("{flags} was taken") };
            assert!(said.contains(right), "{flags}: {said}");
        }
    }
}
