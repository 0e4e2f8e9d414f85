//! Values as they stand in documents: UUIDs, keys whose bytes sort as what they say, and reading fields.

use super::trouble::Trouble;
use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, DateTime, Document};
use uuid::Uuid;

/// A UUID as the database's own tools show it.
pub(super) fn uuid(id: Uuid) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: id.as_bytes().to_vec() })
}

/// Bytes.
pub(super) fn bytes(bytes: Vec<u8>) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes })
}

/// A count; numbers above the largest signed one wrap, and come back the same.
pub(super) fn count(count: u64) -> Bson {
    Bson::Int64(count.cast_signed())
}

/// A time as people read it, to the millisecond; the exact one stands beside it.
pub(super) fn date(time_us: i64) -> Bson {
    Bson::DateTime(DateTime::from_millis(time_us.div_euclid(1000)))
}

/// A number that may be missing. What is no finite number is left out: not every server takes it.
pub(super) fn finite(number: Option<f64>) -> Option<f64> {
    number.filter(|number| number.is_finite())
}

/// Bytes that sort as the numbers do that they are made of.
#[derive(Debug, Clone)]
pub(super) struct Key(Vec<u8>);

impl Key {
    /// A key that begins with a run.
    pub(super) fn of(run: Uuid) -> Self {
        let mut bytes = Vec::with_capacity(48);
        bytes.extend_from_slice(run.as_bytes());
        Self(bytes)
    }

    pub(super) fn time(mut self, time_us: i64) -> Self {
        // The sign turned round, negative times come before positive ones.
        self.0.extend_from_slice(&(time_us ^ i64::MIN).cast_unsigned().to_be_bytes());
        self
    }

    pub(super) fn slot(mut self, slot: u32) -> Self {
        self.0.extend_from_slice(&slot.to_be_bytes());
        self
    }

    pub(super) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(super) fn bson(self) -> Bson {
        bytes(self.0)
    }
}

/// Reading fields. What is not there, or of another kind, names itself.
pub(super) trait Fields {
    fn optional_int(&self, field: &'static str) -> Option<i64>;
    fn optional_text(&self, field: &'static str) -> Option<&str>;
    fn optional_uuid(&self, field: &'static str) -> Option<Uuid>;
    fn optional_float(&self, field: &'static str) -> Option<f64>;
    fn flag(&self, field: &'static str) -> bool;
    fn int(&self, field: &'static str) -> Result<i64, Trouble>;
    fn small(&self, field: &'static str) -> Result<u32, Trouble>;
    fn place(&self, field: &'static str) -> Result<i32, Trouble>;
    fn count(&self, field: &'static str) -> Result<u64, Trouble>;
    fn text(&self, field: &'static str) -> Result<&str, Trouble>;
    fn uuid(&self, field: &'static str) -> Result<Uuid, Trouble>;
    fn blob(&self, field: &'static str) -> Result<&[u8], Trouble>;
    fn part(&self, field: &'static str) -> Result<&Document, Trouble>;
}

impl Fields for Document {
    fn optional_int(&self, field: &'static str) -> Option<i64> {
        match self.get(field) {
            Some(&Bson::Int64(number)) => Some(number),
            Some(&Bson::Int32(number)) => Some(number.into()),
            _ => None,
        }
    }

    fn optional_text(&self, field: &'static str) -> Option<&str> {
        self.get(field).and_then(Bson::as_str)
    }

    fn optional_uuid(&self, field: &'static str) -> Option<Uuid> {
        match self.get(field) {
            Some(Bson::Binary(binary)) => Uuid::from_slice(&binary.bytes).ok(),
            _ => None,
        }
    }

    fn optional_float(&self, field: &'static str) -> Option<f64> {
        self.get(field).and_then(Bson::as_f64)
    }

    fn flag(&self, field: &'static str) -> bool {
        self.get(field).and_then(Bson::as_bool).unwrap_or(false)
    }

    fn int(&self, field: &'static str) -> Result<i64, Trouble> {
        self.optional_int(field).ok_or(Trouble::Damaged(field))
    }

    fn small(&self, field: &'static str) -> Result<u32, Trouble> {
        self.int(field).and_then(|number| u32::try_from(number).map_err(|_| Trouble::Damaged(field)))
    }

    fn place(&self, field: &'static str) -> Result<i32, Trouble> {
        self.int(field).and_then(|number| i32::try_from(number).map_err(|_| Trouble::Damaged(field)))
    }

    fn count(&self, field: &'static str) -> Result<u64, Trouble> {
        self.int(field).map(i64::cast_unsigned)
    }

    fn text(&self, field: &'static str) -> Result<&str, Trouble> {
        self.optional_text(field).ok_or(Trouble::Damaged(field))
    }

    fn uuid(&self, field: &'static str) -> Result<Uuid, Trouble> {
        self.optional_uuid(field).ok_or(Trouble::Damaged(field))
    }

    fn blob(&self, field: &'static str) -> Result<&[u8], Trouble> {
        match self.get(field) {
            Some(Bson::Binary(binary)) => Ok(&binary.bytes),
            _ => Err(Trouble::Damaged(field)),
        }
    }

    fn part(&self, field: &'static str) -> Result<&Document, Trouble> {
        self.get(field).and_then(Bson::as_document).ok_or(Trouble::Damaged(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_what_they_say() {
        let key = |time_us, slot| Key::of(Uuid::nil()).time(time_us).slot(slot).0;
        let sorted = [(i64::MIN, 5), (-1, 0), (0, 0), (0, 7), (1, 1), (i64::MAX, 0)];
        assert!(sorted.iter().map(|&(time_us, slot)| key(time_us, slot)).is_sorted());
    }

    #[test]
    fn the_largest_counts_come_back() {
        let mut document = Document::new();
        document.insert("n", count(u64::MAX));
        assert!(matches!(Fields::count(&document, "n"), Ok(u64::MAX)));
        assert!(Fields::count(&document, "other").is_err());
    }
}
