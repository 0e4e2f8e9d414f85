//! Whole numbers in bodies. JSON knows numbers alone, so that `16.0` is sixteen, and some programs write it so.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Number;

/// Beyond it a number with a point does not tell whole numbers apart: 2^53.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads a whole number.
pub(super) fn whole<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    read(&Number::deserialize(deserializer)?)
}

/// Reads a whole number, or none.
pub(super) fn perhaps_whole<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<u64>,
{
    Option::<Number>::deserialize(deserializer)?.map(|number| read(&number)).transpose()
}

fn read<T: TryFrom<u64>, E: Error>(number: &Number) -> Result<T, E> {
    let is_exact = |value: &f64| value.fract() == 0.0 && (0.0..=EXACT_MAX).contains(value);
    let whole = number.as_u64().or_else(|| number.as_f64().filter(is_exact).map(|value| value as u64));
    let fits = whole.and_then(|whole| T::try_from(whole).ok());
    fits.ok_or_else(|| E::custom(format!("{number} is not a whole number in the range of the field")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_be_written_with_a_point_and_no_other_may() {
        let read = |text: &str| whole::<_, u32>(&mut serde_json::Deserializer::from_str(text)).ok();
        for (text, number) in
            [("16", 16), ("16.0", 16), ("1.6e1", 16), ("0", 0), ("-0.0", 0), ("4294967295", u32::MAX)]
        {
            assert_eq!(read(text), Some(number), "{text}");
        }
        for text in ["16.5", "-1", "4294967296", "1e300", "\"16\"", "null", "true", "[]"] {
            assert_eq!(read(text), None, "{text}");
        }
        let perhaps =
            |text: &str| perhaps_whole::<_, u64>(&mut serde_json::Deserializer::from_str(text)).ok();
        assert_eq!((perhaps("null"), perhaps("7.0"), perhaps("7.5")), (Some(None), Some(Some(7)), None));
        assert_eq!(perhaps("18446744073709551615"), Some(Some(u64::MAX)));
    }
}
