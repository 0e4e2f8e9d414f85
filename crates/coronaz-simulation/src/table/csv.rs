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
        Ok(CsvFile { path: path.to_owned(), file, text })
    }

    #[inline]
    pub(super) fn push<R: Row>(&mut self, row: &R) -> Result<(), TableError> {
        row.cells(&mut Line(&mut self.text));
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
struct Line<'a>(&'a mut Vec<u8>);

impl Line<'_> {
    fn put(&mut self, text: &[u8]) {
        self.0.extend_from_slice(text);
        self.0.push(b',');
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
    fn real(&mut self, value: f64) {
        write!(self.0, "{value},").expect("a vector takes every byte");
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
    fn a_distance_is_written_as_short_as_it_can_be_read_back() {
        let mut text = Vec::new();
        let mut line = Line(&mut text);
        line.real(2.0);
        line.real(2f64.sqrt());
        assert_eq!(text, b"2,1.4142135623730951,");
    }
}
