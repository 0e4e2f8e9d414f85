//! A table as text with commas (RFC 4180). No value needs quotes: all are numbers or UUIDs.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::{Cells, Column, Row, TableError};

/// Rows are handed to the system in pieces of about this many bytes.
const PIECE_BYTES: usize = 256 * 1024;

pub(super) struct CsvFile {
    path: PathBuf,
    file: File,
    text: Vec<u8>,
    known: Box<[Known; KNOWN]>,
}

/// Numbers whose text is remembered: a table has few different distances, and a formatter takes longer than all
/// other cells of a contact.
const KNOWN: usize = 256;
const KNOWN_TEXT_BYTES: usize = 23;

/// A number's text.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    bits: u64,
    text: [u8; KNOWN_TEXT_BYTES],
    /// 0: none.
    len: u8,
}

/// The first line.
pub(super) fn heading(columns: &[Column]) -> String {
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    names.join(",") + "\n"
}

impl CsvFile {
    pub(super) fn create(path: &Path, columns: &[Column], with_heading: bool) -> Result<Self, TableError> {
        let file = File::create(path).map_err(|source| TableError::Io { path: path.to_owned(), source })?;
        let mut text = Vec::with_capacity(PIECE_BYTES + PIECE_BYTES / 8);
        if with_heading {
            text.extend_from_slice(heading(columns).as_bytes());
        }
        Ok(CsvFile { path: path.to_owned(), file, text, known: Box::new([Known::default(); KNOWN]) })
    }

    #[inline]
    pub(super) fn push<R: Row>(&mut self, row: &R) -> Result<(), TableError> {
        row.cells(&mut Line { text: &mut self.text, known: &mut self.known });
        // The comma after the last cell becomes the end of the line.
        if let Some(last) = self.text.last_mut() {
            *last = b'\n';
        }
        if self.text.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), TableError> {
        let written = self.file.write_all(&self.text);
        self.text.clear();
        written.map_err(|source: io::Error| TableError::Io { path: self.path.clone(), source })
    }

    pub(super) fn finish(mut self) -> Result<(), TableError> {
        self.flush()
    }
}

/// Appends cells, a comma after each.
struct Line<'a> {
    text: &'a mut Vec<u8>,
    known: &'a mut [Known; KNOWN],
}

impl Line<'_> {
    /// Writes a number and remembers its text, if it is not too long.
    #[cold]
    fn new_real(&mut self, value: f64, place: usize) {
        let start = self.text.len();
        write!(self.text, "{value}").expect("a vector takes every byte");
        let written = &self.text[start..];
        if written.len() <= KNOWN_TEXT_BYTES {
            let mut known = Known { bits: value.to_bits(), len: written.len() as u8, ..Known::default() };
            known.text[..written.len()].copy_from_slice(written);
            self.known[place] = known;
        }
        self.text.push(b',');
    }

    fn put(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
        self.text.push(b',');
    }
}

impl Cells for Line<'_> {
    #[inline]
    fn whole(&mut self, value: u64) {
        self.put(itoa::Buffer::new().format(value).as_bytes());
    }

    #[inline]
    fn coordinate(&mut self, value: i32) {
        self.put(itoa::Buffer::new().format(value).as_bytes());
    }

    /// The shortest text that reads back as the same number; whole numbers without a point.
    #[inline]
    fn real(&mut self, value: f64) {
        let bits = value.to_bits();
        let place = (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as usize % KNOWN;
        let Known { bits: known, text, len } = self.known[place];
        if len > 0 && known == bits {
            self.put(&text[..len.into()]);
        } else {
            self.new_real(value, place);
        }
    }

    #[inline]
    fn uuid(&mut self, value: u128) {
        self.put(&uuid_text(value));
    }
}

/// The usual text of a UUID (RFC 9562, section 4), without going through a formatter: contacts are
/// written by the million.
#[inline]
fn uuid_text(value: u128) -> [u8; 36] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (number, byte) in value.to_be_bytes().into_iter().enumerate() {
        at += usize::from(matches!(number, 4 | 6 | 8 | 10));
        text[at] = DIGITS[usize::from(byte >> 4)];
        text[at + 1] = DIGITS[usize::from(byte & 15)];
        at += 2;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_dashes_where_the_standard_puts_them() {
        let text = uuid_text(0xff0a_1bda_34b9_11eb_b339_0242_ac16_0009);
        assert_eq!(std::str::from_utf8(&text).expect("text"), "ff0a1bda-34b9-11eb-b339-0242ac160009");
    }

    #[test]
    fn a_distance_is_written_as_short_as_it_can_be_read_back_the_first_time_and_again() {
        let mut known = [Known::default(); KNOWN];
        for round in 0..2 {
            for squared in 0..2_000 {
                let distance = f64::from(squared).sqrt();
                let mut text = Vec::new();
                Line { text: &mut text, known: &mut known }.real(distance);
                assert_eq!(text, format!("{distance},").as_bytes(), "round {round}");
            }
        }
        let mut text = Vec::new();
        for number in [0.0, -0.0, 0.0, 1e-300, 1e-300, 2f64.sqrt()] {
            Line { text: &mut text, known: &mut known }.real(number);
        }
        let tiny = format!("{}", 1e-300);
        assert_eq!(text, format!("0,-0,0,{tiny},{tiny},1.4142135623730951,").as_bytes());
    }
}
