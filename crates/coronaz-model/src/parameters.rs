//! Every number a scenario may set: one table with unit, default and range.
//!
//! Command-line flags, scenario files, the page's form and the documentation are made from
//! [`Parameters::TABLE`]; nothing else knows a default.

use std::fmt;

use crate::field::{Field, Reach};

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
}

/// A parameter's value, whatever its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// On or off.
    Switch(bool),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Integer(value) => value.fmt(f),
            Value::Real(value) => value.fmt(f),
            Value::Switch(value) => value.fmt(f),
        }
    }
}

/// What there is to know of one parameter.
#[derive(Debug)]
pub struct ParameterInfo {
    /// Its name in files, JSON and, with dashes, on the command line.
    pub name: &'static str,
    /// Its unit, or "" for a switch or a pure number.
    pub unit: &'static str,
    /// One sentence for a person who has not read the paper.
    pub help: &'static str,
    /// What holds when nobody sets it: the paper's figure.
    pub default: Value,
    /// Smallest value allowed (switches: 0).
    pub min: f64,
    /// Largest value allowed (switches: 1).
    pub max: f64,
    /// Reads it.
    pub get: fn(&Parameters) -> Value,
    set: fn(&mut Parameters, Value),
}

/// Why a parameter was refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ParameterError {
    /// No parameter has this name.
    #[error("no parameter is called {name:?}; there are: {known}")]
    Unknown {
        /// The name asked for.
        name: String,
        /// All names, with commas.
        known: String,
    },
    /// The value is of another type.
    #[error("{name} must be {expected}, not {value}")]
    WrongType {
        /// The parameter.
        name: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// The value is out of range.
    #[error("{name} must be from {min} to {max}{unit}, not {value}")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
        /// Its unit, with a space before it.
        unit: String,
        /// What was given.
        value: String,
    },
}

const SIDE_MAX: f64 = 1_000_000.0;
const SECONDS_MAX: f64 = 60_000.0;
const RADIUS_MAX: f64 = 1_000.0;

impl Parameters {
    /// All parameters, in the order in which the original asks for them.
    pub const TABLE: &'static [ParameterInfo] = &[
        ParameterInfo {
            name: "field_width",
            unit: "units",
            help: "Width of the map: x runs from 0 to this number, both included",
            default: Value::Integer(100),
            min: 1.0,
            max: SIDE_MAX,
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
            get: |p| Value::Real(p.infection_radius),
            set: |p, v| p.infection_radius = real(v),
        },
        ParameterInfo {
            name: "infection_cooldown",
            unit: "s",
            help: "How long a person is infected, and then for as long again immune",
            default: Value::Integer(15),
            min: 1.0,
            max: SECONDS_MAX,
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
            get: |p| Value::Switch(p.move_when_infected),
            set: |p, v| p.move_when_infected = matches!(v, Value::Switch(true)),
        },
    ];

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

    /// The contact rule's distance.
    #[must_use]
    pub fn reach(&self) -> Reach {
        Reach::of_radius(self.infection_radius)
    }
}

impl Default for Parameters {
    /// The paper's figures.
    fn default() -> Self {
        let mut parameters = Parameters {
            field_width: 0,
            field_height: 0,
            scale_factor: 0,
            zombie_lifetime: 0,
            infection_radius: 0.0,
            infection_cooldown: 0,
            move_when_infected: false,
        };
        for info in Self::TABLE {
            (info.set)(&mut parameters, info.default);
        }
        parameters
    }
}

impl ParameterInfo {
    /// What it takes, in words.
    #[must_use]
    pub fn expects(&self) -> &'static str {
        match self.default {
            Value::Integer(_) => "a whole number",
            Value::Real(_) => "a number",
            Value::Switch(_) => "true or false",
        }
    }

    /// Reads a value of this parameter from text.
    ///
    /// # Errors
    /// [`ParameterError::WrongType`] when the text is none, [`ParameterError::OutOfRange`] when it does not fit.
    pub fn parse(&self, text: &str) -> Result<Value, ParameterError> {
        let trimmed = text.trim();
        let value = match self.default {
            Value::Integer(_) => trimmed.parse().ok().map(Value::Integer),
            Value::Real(_) => trimmed.parse().ok().map(Value::Real),
            Value::Switch(_) => trimmed.parse().ok().map(Value::Switch),
        };
        value.ok_or_else(|| self.wrong_type(format!("{text:?}"))).and_then(|value| self.check(value))
    }

    fn check(&self, value: Value) -> Result<Value, ParameterError> {
        let value = match (self.default, value) {
            (Value::Real(_), Value::Integer(whole)) => Value::Real(whole as f64),
            (Value::Integer(_), Value::Real(real)) if real.fract() == 0.0 && real.abs() < 1e15 => {
                Value::Integer(real as i64)
            }
            (_, value) => value,
        };
        let number = match (self.default, value) {
            (Value::Integer(_), Value::Integer(number)) => number as f64,
            (Value::Real(_), Value::Real(number)) => number,
            (Value::Switch(_), Value::Switch(on)) => f64::from(u8::from(on)),
            _ => return Err(self.wrong_type(value.to_string())),
        };
        if (self.min..=self.max).contains(&number) {
            return Ok(value);
        }
        let unit = if self.unit.is_empty() { String::new() } else { format!(" {}", self.unit) };
        Err(ParameterError::OutOfRange {
            name: self.name,
            min: self.min,
            max: self.max,
            unit,
            value: value.to_string(),
        })
    }

    fn wrong_type(&self, value: String) -> ParameterError {
        ParameterError::WrongType { name: self.name, expected: self.expects(), value }
    }
}

/// The whole number of a value that [`ParameterInfo::check`] has let through.
fn whole(value: Value) -> u32 {
    match value {
        Value::Integer(number) => u32::try_from(number).unwrap_or_default(),
        Value::Real(_) | Value::Switch(_) => 0,
    }
}

/// The real number of a value that [`ParameterInfo::check`] has let through.
fn real(value: Value) -> f64 {
    match value {
        Value::Integer(number) => number as f64,
        Value::Real(number) => number,
        Value::Switch(_) => 0.0,
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
        assert_eq!(error.to_string(), "infection_cooldown must be from 1 to 60000 s, not 0");
        let error = p.set_text("field_width", "wide").expect_err("refused");
        assert_eq!(error.to_string(), "field_width must be a whole number, not \"wide\"");
        let error = p.set("infection_radius", Value::Real(f64::NAN)).expect_err("refused");
        assert!(matches!(error, ParameterError::OutOfRange { .. }));
        assert!(p.set_text("radius", "2").expect_err("refused").to_string().contains("infection_radius"));
        assert_eq!(p, Parameters::default());
    }

    #[test]
    fn a_whole_number_will_do_for_a_real_one() {
        let mut p = Parameters::default();
        p.set("infection_radius", Value::Integer(3)).expect("3 units");
        assert!((p.infection_radius - 3.0).abs() < f64::EPSILON);
    }
}
