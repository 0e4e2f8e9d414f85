//! Timestamps as the paper writes them: `2020-12-02 16:19:05.123456`, without a zone, taken as UTC.
//!
//! Inside the program they are microseconds since 1970-01-01 00:00:00 UTC (`i64`).

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
const DAY_S: i64 = 86_400;

/// The first time that records may say: 1970-01-01.
pub const TIME_US_MIN: i64 = 0;
/// The first time that records may not say any more: 2500-01-01. Every part and the page can hold what is before it.
pub const TIME_US_END: i64 = 16_725_225_600 * SECOND_US;

/// Whether a time is one that records may say.
#[must_use]
pub const fn is_sane(time_us: i64) -> bool {
    TIME_US_MIN <= time_us && time_us < TIME_US_END
}

/// Writes a time in the paper's form, always with six decimals.
///
/// Years outside 0000 to 9999 do not occur in a time that [`parse`] has let through; they are
/// written with as many digits as they need.
#[must_use]
pub fn format(time_us: i64) -> String {
    let (seconds, micros) = (time_us.div_euclid(SECOND_US), time_us.rem_euclid(SECOND_US));
    let (days, second) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}")
}

/// Reads a time: `YYYY-MM-DD HH:MM:SS` with nothing, or a point and one to nine decimals, behind it;
/// a `T` for the space and a final `Z` are taken too. Decimals past the sixth are dropped.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || bytes.len() > 30 {
        return None;
    }
    let separated = bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b' ' | b'T')
        && bytes[13] == b':'
        && bytes[16] == b':';
    if !separated {
        return None;
    }
    let year = number(&bytes[0..4])?;
    let (month, day) = (number(&bytes[5..7])?, number(&bytes[8..10])?);
    let (hour, minute, second) = (number(&bytes[11..13])?, number(&bytes[14..16])?, number(&bytes[17..19])?);
    let in_range = (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    let micros = fraction(&bytes[19..])?;
    in_range.then(|| {
        let seconds = days_from_civil(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second;
        seconds * SECOND_US + micros
    })
}

/// The decimals behind the seconds, in microseconds.
fn fraction(bytes: &[u8]) -> Option<i64> {
    let bytes = bytes.strip_suffix(b"Z").unwrap_or(bytes);
    let Some((point, digits)) = bytes.split_first() else { return Some(0) };
    if *point != b'.' || digits.is_empty() || digits.len() > 9 {
        return None;
    }
    number(digits)?;
    let kept = &digits[..digits.len().min(6)];
    Some(number(kept)? * 10i64.pow(6 - kept.len() as u32))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits
        .iter()
        .try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a day since 1970-01-01; the inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// A timestamp member in JSON: the paper's text on the wire, microseconds in the program.
pub(crate) mod member {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(time_us: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::format(*time_us))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        super::parse(&text).filter(|&time_us| super::is_sane(time_us)).ok_or_else(|| {
            let start: String = text.chars().take(40).collect();
            D::Error::custom(format!(
                "timestamp must be like \"2020-12-02 16:19:05.123456\", from 1970 to 2499, not {start:?}"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_papers_times_are_read_and_written() {
        let time_us = parse("2020-12-02 16:19:05.123456").expect("the paper's form");
        assert_eq!(time_us, 1_606_925_945_123_456);
        assert_eq!(format(time_us), "2020-12-02 16:19:05.123456");
        assert_eq!(parse("2020-12-05 09:43:09.5").map(format).as_deref(), Some("2020-12-05 09:43:09.500000"));
        assert_eq!(parse("2020-12-05 09:43:09"), parse("2020-12-05T09:43:09.000000000Z"));
        assert_eq!(parse("1970-01-01 00:00:00"), Some(0));
    }

    #[test]
    fn the_last_time_that_records_may_say_is_the_end_of_the_year_2499() {
        assert_eq!(parse("2500-01-01 00:00:00"), Some(TIME_US_END));
        assert_eq!(
            [-1, 0, TIME_US_END - 1, TIME_US_END, i64::MAX].map(is_sane),
            [false, true, true, false, false]
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2020-12-02",
            "2020-13-02 16:19:05",
            "2021-02-29 00:00:00",
            "2020-02-30 00:00:00",
            "2020-12-02 24:00:00",
            "2020-12-02 16:19:05.",
            "2020-12-02 16:19:05.1234567890",
            "2020-12-02 16:19:05+01:00",
            "+020-12-02 16:19:05",
            "２020-12-02 16:19",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(time_us in -62_167_219_200_000_000i64..253_402_300_800_000_000) {
            prop_assert_eq!(parse(&format(time_us)), Some(time_us));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
