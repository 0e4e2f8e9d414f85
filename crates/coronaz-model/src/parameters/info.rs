//! What there is to know of a parameter, its values, and why one is refused.

use std::fmt;

use super::Parameters;

/// A parameter's value, whatever its type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A real number.
    Real(f64),
    /// On or off.
    Switch(bool),
    /// One of several words.
    Choice(&'static str),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Integer(value) => value.fmt(f),
            Value::Real(value) => value.fmt(f),
            Value::Switch(value) => value.fmt(f),
            Value::Choice(value) => value.fmt(f),
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
    /// Smallest value allowed (switches and choices: 0).
    pub min: f64,
    /// Largest value allowed (switches: 1, choices: the number of the last).
    pub max: f64,
    /// The words of a choice; empty for everything else.
    pub choices: &'static [&'static str],
    /// For a parameter that came later: what held in the runs of the programs that had it not.
    pub before: Option<Value>,
    /// Reads it.
    pub get: fn(&Parameters) -> Value,
    pub(super) set: fn(&mut Parameters, Value),
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
        expected: String,
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

impl ParameterInfo {
    /// What it takes, in words.
    #[must_use]
    pub fn expects(&self) -> String {
        match (self.default, self.choices) {
            (Value::Integer(_), _) => "a whole number".to_owned(),
            (Value::Real(_), _) => "a number".to_owned(),
            (Value::Switch(_), _) => "true or false".to_owned(),
            (Value::Choice(_), [first @ .., last]) => format!("{} or {last}", first.join(", ")),
            (Value::Choice(only), []) => only.to_owned(),
        }
    }

    /// The number of a word among the choices.
    fn number_of(&self, word: &str) -> Option<usize> {
        self.choices.iter().position(|&choice| choice == word)
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
            Value::Choice(_) => self.number_of(trimmed).map(|number| Value::Choice(self.choices[number])),
        };
        value.ok_or_else(|| self.wrong_type(format!("{text:?}"))).and_then(|value| self.check(value))
    }

    pub(super) fn check(&self, value: Value) -> Result<Value, ParameterError> {
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
            (Value::Choice(_), Value::Choice(word)) => match self.number_of(word) {
                Some(number) => number as f64,
                None => return Err(self.wrong_type(format!("{word:?}"))),
            },
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
