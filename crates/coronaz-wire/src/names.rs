//! Names of runs and scenarios: one rule for files, flags, forms, announcements and the API.
//!
//! A name stands in a list, in one line, beside others. So it is short, something of it can be seen, and nothing in it
//! moves the cursor, ends the line or turns the direction of what follows.

use std::borrow::Cow;

/// The longest name, in characters.
pub const NAME_CHARS_MAX: usize = 80;

/// What the page, the API and the commands show of a run that has no name.
pub const UNNAMED: &str = "unnamed";

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or nothing of it can be seen.
    #[error("a name has 1 to {NAME_CHARS_MAX} characters, and at least one that can be seen")]
    Blank,
    /// Longer than [`NAME_CHARS_MAX`].
    #[error("a name has at most {NAME_CHARS_MAX} characters, not {actual}")]
    TooLong {
        /// Characters given.
        actual: usize,
    },
    /// A control character, a line break, or one that turns the direction of writing.
    #[error("a name is one line of plain text, without control characters like {}", .character.escape_unicode())]
    Control {
        /// The first of them.
        character: char,
    },
}

/// Checks a name as it stands.
///
/// # Errors
/// See [`NameError`].
pub fn check(name: &str) -> Result<(), NameError> {
    if let Some(character) = name.chars().find(|&character| is_forbidden(character)) {
        return Err(NameError::Control { character });
    }
    if name.chars().all(is_invisible) {
        return Err(NameError::Blank);
    }
    match name.chars().count() {
        0..=NAME_CHARS_MAX => Ok(()),
        actual => Err(NameError::TooLong { actual }),
    }
}

/// A name that a person typed, without the spaces around it.
///
/// # Errors
/// See [`NameError`].
pub fn typed(name: &str) -> Result<String, NameError> {
    let name = name.trim();
    check(name).map(|()| name.to_owned())
}

/// A name that the program makes of others, cut to the longest there is.
#[must_use]
pub fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS_MAX {
        return name.to_owned();
    }
    name.chars().take(NAME_CHARS_MAX - 1).chain(['…']).collect()
}

/// A stored text as it may be shown in one line of a terminal or a page: what a name must not have is written as its
/// number, so that a stranger's text does nothing. Texts of which nothing can be seen, and none, are [`UNNAMED`].
#[must_use]
pub fn shown(name: Option<&str>) -> Cow<'_, str> {
    match name {
        Some(name) if !name.chars().all(|c| is_invisible(c) && !is_forbidden(c)) => escaped(name),
        _ => Cow::Borrowed(UNNAMED),
    }
}

/// Any stored text in one line: like [`shown`], for what is no name.
#[must_use]
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_forbidden) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_forbidden(character) {
            escaped.extend(character.escape_unicode());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

/// Control characters, line and paragraph separators, and what turns the direction of writing (Unicode's
/// `Bidi_Control`).
fn is_forbidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Takes no room, or is white.
fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}')
        || matches!(character, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_one_short_line_of_which_something_can_be_seen() {
        for good in ["a", "town 7", "Größe", "都市", "👩‍🔬 lab", &"x".repeat(80)] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        for blank in ["", " ", "\u{200b}", "\u{a0}\u{3164}"] {
            assert_eq!(check(blank), Err(NameError::Blank), "{blank:?}");
        }
        assert_eq!(check(&"ä".repeat(81)), Err(NameError::TooLong { actual: 81 }));
        for character in
            ['\n', '\t', '\u{1b}', '\u{7f}', '\u{9b}', '\u{2028}', '\u{202e}', '\u{2066}', '\u{200f}']
        {
            assert_eq!(check(&format!("a{character}b")), Err(NameError::Control { character }));
        }
        assert_eq!(typed("  town "), Ok("town".to_owned()));
        assert_eq!(typed("   "), Err(NameError::Blank));
    }

    #[test]
    fn a_strangers_name_is_shown_without_doing_anything() {
        assert_eq!(shown(Some("\u{1b}[2Jgone\r")), "\\u{1b}[2Jgone\\u{d}");
        assert_eq!(shown(Some("abc\u{202e}def")), "abc\\u{202e}def");
        assert_eq!(shown(Some("town")), "town");
        assert_eq!([shown(None), shown(Some("")), shown(Some(" \u{200b}"))], [UNNAMED; 3]);
    }

    proptest! {
        #[test]
        fn what_is_shortened_is_a_name_and_what_is_shown_has_no_control_character(text in ".{0,200}") {
            let shown = shown(Some(&text)).into_owned();
            prop_assert!(!shown.chars().any(is_forbidden) && !shown.is_empty());
            if !matches!(check(&text), Err(NameError::Blank | NameError::Control { .. })) {
                prop_assert_eq!(check(&shortened(&text)), Ok(()));
            }
        }
    }
}
