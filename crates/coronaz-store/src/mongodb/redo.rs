//! What a commit changes, as one value: written into the commit's document first, and then carried out, by whoever comes
//! to it. Carrying it out twice, or late, changes nothing more: rows are inserted by key, and what is replaced carries
//! the commit's number and gives way to a higher one only.

use super::codec::Fields;
use super::server::Store;
use super::trouble::{Trouble, duplicates};
use mongodb::bson::{Bson, Document, doc};
use mongodb::error::Error;
use std::collections::BTreeMap;

/// The largest redo that is put in a commit's document; a document has at most 16 MiB.
pub(super) const BYTES_MAX: usize = 12 << 20;

/// The changes of a commit, by collection.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Redo {
    inserts: BTreeMap<String, Vec<Document>>,
    raises: BTreeMap<String, Vec<Raise>>,
}

/// A field that becomes `value` unless it is higher already. Values are documents that begin with the commit's number,
/// and documents are compared field by field.
#[derive(Debug, Clone, PartialEq)]
struct Raise {
    id: Bson,
    field: String,
    value: Bson,
}

impl Raise {
    /// Whether two documents get the same.
    fn is_alike(&self, other: &Raise) -> bool {
        self.field == other.field && self.value == other.value
    }

    /// The change of some that are alike.
    fn update(alike: &[Raise]) -> Document {
        let change = |one: &Raise| doc! {"$max": {&one.field: one.value.clone()}};
        match alike {
            [one] => doc! {"q": {"_id": one.id.clone()}, "u": change(one)},
            [first, ..] => {
                let ids: Vec<Bson> = alike.iter().map(|one| one.id.clone()).collect();
                doc! {"q": {"_id": {"$in": ids}}, "u": change(first), "multi": true}
            }
            [] => Document::new(),
        }
    }
}

impl Redo {
    /// Adds a document that never changes.
    pub(super) fn insert(&mut self, collection: &str, document: Document) {
        self.inserts.entry(collection.to_owned()).or_default().push(document);
    }

    /// Replaces a field of a document that is there, unless a later commit has done so.
    pub(super) fn raise(
        &mut self,
        collection: &str,
        id: impl Into<Bson>,
        field: &str,
        value: impl Into<Bson>,
    ) {
        let raise = Raise { id: id.into(), field: field.to_owned(), value: value.into() };
        self.raises.entry(collection.to_owned()).or_default().push(raise);
    }

    /// As bytes.
    pub(super) fn encode(&self) -> Result<Vec<u8>, Trouble> {
        let raises = self.raises.iter().map(|(name, raises)| {
            let all: Vec<Bson> = raises
                .iter()
                .map(|raise| {
                    doc! {"id": raise.id.clone(), "field": &raise.field, "value": raise.value.clone()}.into()
                })
                .collect();
            (name.clone(), Bson::Array(all))
        });
        let inserts = self.inserts.iter().map(|(name, all)| {
            (name.clone(), Bson::Array(all.iter().cloned().map(Bson::Document).collect()))
        });
        let document = doc! {"insert": inserts.collect::<Document>(), "raise": raises.collect::<Document>()};
        document.to_vec().map_err(|error| Trouble::Refused(error.to_string()))
    }

    /// The inverse of [`Redo::encode`].
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Trouble> {
        let document = Document::from_reader(bytes).map_err(|_| Trouble::Damaged("redo"))?;
        let mut redo = Self::default();
        for (name, all) in document.part("insert")? {
            for document in all.as_array().into_iter().flatten().filter_map(Bson::as_document) {
                redo.insert(name, document.clone());
            }
        }
        for (name, all) in document.part("raise")? {
            for raise in all.as_array().into_iter().flatten().filter_map(Bson::as_document) {
                let id = raise.get("id").ok_or(Trouble::Damaged("id"))?.clone();
                let value = raise.get("value").ok_or(Trouble::Damaged("value"))?.clone();
                redo.raise(name, id, raise.text("field")?, value);
            }
        }
        Ok(redo)
    }

    /// Carries it out.
    pub(super) fn apply(&self, store: &Store) -> Result<(), Trouble> {
        for (name, documents) in &self.inserts {
            insert_all(store, name, documents)?;
        }
        for (name, raises) in &self.raises {
            let updates: Vec<Document> = raises.chunk_by(Raise::is_alike).map(Raise::update).collect();
            for updates in updates.chunks(store.changes_a_command()) {
                let answer = store.command(doc! {
                    "update": name, "updates": updates, "ordered": false, "writeConcern": {"w": "majority"},
                })?;
                check(&answer)?;
            }
        }
        Ok(())
    }
}

/// Inserts documents; says which were there already.
pub(super) fn insert_all(store: &Store, name: &str, documents: &[Document]) -> Result<Vec<usize>, Trouble> {
    if documents.is_empty() {
        return Ok(Vec::new());
    }
    match store.collection(name).insert_many(documents).ordered(false).run() {
        Ok(_) => Ok(Vec::new()),
        Err(error) => duplicates(&error).ok_or_else(|| error.into()),
    }
}

/// Whether all of a command was done.
fn check(answer: &Document) -> Result<(), Trouble> {
    for field in ["writeErrors", "writeConcernError"] {
        if let Some(errors) = answer.get(field) {
            return Err(Error::custom(format!("{field}: {errors}")).into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redo_comes_back_from_its_bytes() {
        let mut redo = Redo::default();
        redo.insert("contacts", doc! {"_id": 1, "time_us": 5_i64});
        redo.raise("nodes", "a", "state", doc! {"n": 7_i64});
        let bytes = redo.encode().expect("bytes");
        assert_eq!(Redo::decode(&bytes).expect("a redo"), redo);
        assert!(Redo::decode(&bytes[1..]).is_err());
    }
}
