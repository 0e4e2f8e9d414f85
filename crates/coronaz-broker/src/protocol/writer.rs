//! The primitive types of an answer.

use super::ErrorCode;

/// An answer in the making: bytes in memory, and what is to be taken from elsewhere between them.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn i8(&mut self, value: i8) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.bytes.extend(value.to_be_bytes());
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.i8(value.into());
    }

    pub(crate) fn error(&mut self, code: ErrorCode) {
        self.i16(code as i16);
    }

    /// A text; what does not fit the protocol's 32 KiB is cut off.
    pub(crate) fn string(&mut self, value: &str) {
        let fitting = value.floor_char_boundary(value.len().min(i16::MAX as usize));
        self.i16(i16::try_from(fitting).unwrap_or(i16::MAX));
        self.bytes.extend(&value.as_bytes()[..fitting]);
    }

    pub(crate) fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.i16(-1),
        }
    }

    /// Bytes, after their number.
    pub(crate) fn sized_bytes(&mut self, value: &[u8]) {
        self.count(value.len());
        self.bytes.extend(value);
    }

    /// How many elements follow.
    pub(crate) fn count(&mut self, count: usize) {
        self.i32(i32::try_from(count).unwrap_or(i32::MAX));
    }

    /// A list, each element written by `write`.
    pub(crate) fn array<T>(&mut self, elements: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.count(elements.len());
        for element in elements {
            write(self, element);
        }
    }
}
