//! Every number a scenario may set: one table with unit, default and range.
//!
//! Command-line flags, scenario files, the page's form and the documentation are made from
//! [`Parameters::TABLE`]; nothing else knows a default.

mod info;
mod table;

pub use info::{ParameterError, ParameterInfo, Value};

use std::collections::BTreeSet;

use crate::field::{Field, Reach};
use crate::movement::{Movement, Start};

/// The parameters of a run. Names are the paper's where it has them.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Largest x of the field, in units; positions are `0..=field_width`.
    pub field_width: u32,
    /// Largest y of the field, in units; positions are `0..=field_height`.
    pub field_height: u32,
    /// Pixels a unit takes on the map at first sight.
    pub scale_factor: u32,
    /// Seconds a device lives; 0: it never dies of age.
    pub zombie_lifetime: u32,
    /// Distance in units up to which a beacon counts as a contact (Euclidean, inclusive).
    pub infection_radius: f64,
    /// Seconds a person is infected, and then again immune.
    pub infection_cooldown: u32,
    /// Whether infected people walk (in the paper they stand still).
    pub move_when_infected: bool,
    /// How people choose their way.
    pub movement: Movement,
    /// Distance in units up to which people who avoid the infected notice them (Euclidean, inclusive).
    pub sensing_radius: f64,
    /// Seconds of a day of people who have places to go to.
    pub day_length: u32,
    /// Distance in units from one workplace (or place of leisure) to the next, on average.
    pub place_spacing: u32,
    /// Chance, for each second and each infectious person in range, to be infected.
    pub transmission_probability: f64,
    /// Mean seconds from infection to being infectious; 0: at once.
    pub latent_period: f64,
    /// Mean seconds from infection to symptoms; 0: at once.
    pub incubation_period: f64,
    /// Shape of the gamma distribution of latent and incubation period; 0: they do not vary.
    pub period_shape: u32,
    /// Share of the infected who never have symptoms.
    pub asymptomatic_share: f64,
    /// Chance that an illness with symptoms ends in death.
    pub fatality: f64,
    /// Seconds immune; 0: as long as infected.
    pub immunity_period: u32,
    /// Where people are when they appear.
    pub start: Start,
    /// Seconds that people walk before they appear.
    pub warm_up: u32,
}

impl Parameters {
    /// All parameters, in the order in which the original asks for them; then those beyond the paper.
    pub const TABLE: &'static [ParameterInfo] = table::TABLE;

    /// What holds for the parameters that a list does not name.
    ///
    /// The defaults; but a list that names all of the first version's is a run's own record, and what it does not
    /// name did not exist when it was written: those have the value that held then ([`ParameterInfo::before`]).
    /// So the record of an earlier run gives that run.
    pub fn unnamed<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let names: BTreeSet<&str> = names.into_iter().collect();
        let mut parameters = Self::default();
        let of_the_first_version = |info: &&ParameterInfo| info.before.is_none();
        if Self::TABLE.iter().filter(of_the_first_version).all(|info| names.contains(info.name)) {
            for info in Self::TABLE {
                if let Some(before) = info.before {
                    (info.set)(&mut parameters, before);
                }
            }
        }
        parameters
    }

    /// The table's row of a parameter.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`] when there is none of that name.
    pub fn info(name: &str) -> Result<&'static ParameterInfo, ParameterError> {
        Self::TABLE.iter().find(|info| info.name == name).ok_or_else(|| ParameterError::Unknown {
            name: name.to_owned(),
            known: Self::TABLE.iter().map(|info| info.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// Sets one parameter by name; on an error nothing changes.
    ///
    /// # Errors
    /// An unknown name, a value of another type, or one out of range.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), ParameterError> {
        let info = Self::info(name)?;
        (info.set)(self, info.check(value)?);
        Ok(())
    }

    /// Parses the text of a value and sets it.
    ///
    /// # Errors
    /// As [`Parameters::set`].
    pub fn set_text(&mut self, name: &str, text: &str) -> Result<(), ParameterError> {
        let value = Self::info(name)?.parse(text)?;
        self.set(name, value)
    }

    /// Name and value of each, in the table's order.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        Self::TABLE.iter().map(|info| (info.name, (info.get)(self)))
    }

    /// The map.
    #[must_use]
    pub fn field(&self) -> Field {
        Field::new(self.field_width, self.field_height)
    }

    /// Whether there are infected people without symptoms.
    #[inline]
    #[must_use]
    pub fn hides_illness(&self) -> bool {
        self.incubation_period > 0.0 || self.asymptomatic_share > 0.0
    }

    /// Up to which distance infectious people are noticed, where they are avoided.
    #[must_use]
    pub fn sensing(&self) -> Option<Reach> {
        (self.movement == Movement::Avoid).then(|| Reach::of_radius(self.sensing_radius))
    }

    /// The contact rule's distance.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach::of_radius(self.infection_radius)
    }
}

impl Default for Parameters {
    /// The paper's figures, and nothing of what goes beyond it.
    fn default() -> Self {
        let mut parameters = Parameters {
            field_width: 0,
            field_height: 0,
            scale_factor: 0,
            zombie_lifetime: 0,
            infection_radius: 0.0,
            infection_cooldown: 0,
            move_when_infected: false,
            movement: Movement::Waypoint,
            sensing_radius: 0.0,
            day_length: 0,
            place_spacing: 0,
            transmission_probability: 0.0,
            latent_period: 0.0,
            incubation_period: 0.0,
            period_shape: 0,
            asymptomatic_share: 0.0,
            fatality: 0.0,
            immunity_period: 0,
            start: Start::Auto,
            warm_up: 0,
        };
        for info in Self::TABLE {
            (info.set)(&mut parameters, info.default);
        }
        parameters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_papers_figures() {
        let p = Parameters::default();
        assert_eq!((p.field_width, p.field_height, p.scale_factor), (100, 100, 5));
        assert_eq!((p.zombie_lifetime, p.infection_cooldown), (120, 15));
        assert!((p.infection_radius - 2.0).abs() < f64::EPSILON);
        assert!(!p.move_when_infected);
    }

    #[test]
    fn every_default_lies_in_its_own_range() {
        let mut p = Parameters::default();
        for info in Parameters::TABLE {
            p.set(info.name, info.default).expect(info.name);
            assert_eq!((info.get)(&p), info.default);
        }
    }

    #[test]
    fn a_refused_value_changes_nothing_and_says_what_would_be_right() {
        let mut p = Parameters::default();
        let error = p.set_text("infection_cooldown", "0").expect_err("refused");
        assert_eq!(error.to_string(), "infection_cooldown must be from 2 to 60000 s, not 0");
        let error = p.set_text("field_width", "wide").expect_err("refused");
        assert_eq!(error.to_string(), "field_width must be a whole number, not \"wide\"");
        let error = p.set("infection_radius", Value::Real(f64::NAN)).expect_err("refused");
        assert!(matches!(error, ParameterError::OutOfRange { .. }));
        assert!(p.set_text("radius", "2").expect_err("refused").to_string().contains("infection_radius"));
        assert_eq!(p, Parameters::default());
    }

    #[test]
    fn a_record_of_before_a_parameter_existed_has_what_held_then_and_a_short_list_the_default() {
        let earlier = Parameters::TABLE.iter().filter(|info| info.before.is_none()).map(|info| info.name);
        assert_eq!(Parameters::unnamed(earlier).start, Start::Uniform);
        assert_eq!(Parameters::unnamed(["movement", "day_length"]), Parameters::default());
        assert_eq!(Parameters::default().start, Start::Auto);
    }

    #[test]
    fn a_choice_is_made_by_name() {
        let mut p = Parameters::default();
        p.set_text("movement", "avoid").expect("a movement");
        assert_eq!(p.movement, Movement::Avoid);
        p.set("movement", Value::Choice("places")).expect("a movement");
        assert_eq!(
            p.values().find(|(name, _)| *name == "movement"),
            Some(("movement", Value::Choice("places")))
        );
        let error = p.set_text("movement", "hop").expect_err("no movement");
        assert_eq!(error.to_string(), "movement must be waypoint, avoid or places, not \"hop\"");
        p.set("movement", Value::Integer(1)).expect_err("a number is no choice");
        p.set("movement", Value::Choice("1")).expect_err("no movement");
    }

    #[test]
    fn a_whole_number_will_do_for_a_real_one() {
        let mut p = Parameters::default();
        p.set("infection_radius", Value::Integer(3)).expect("3 units");
        assert!((p.infection_radius - 3.0).abs() < f64::EPSILON);
    }
}
