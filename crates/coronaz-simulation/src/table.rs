//! Tables on disk, as Parquet and CSV at once. Rows are streamed: memory holds one row group.

mod csv;
mod join;
mod parquet_file;

use std::{
    io,
    path::{Path, PathBuf},
};

use csv::CsvFile;
pub(crate) use join::join;
use parquet_file::ParquetFile;

use crate::{Formats, threads::Crew};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A count or a tick: 64-bit signed in Parquet, which every reader knows.
    Whole,
    /// A coordinate: 32-bit signed.
    Coordinate,
    /// A distance: double.
    Real,
    /// A UUID: 16 bytes with that meaning in Parquet, the usual text in CSV.
    Uuid,
}

/// A column's name and what it holds.
pub(crate) type Column = (&'static str, Kind);

/// A row of a table.
pub(crate) trait Row {
    /// The table's name, which is that of its files.
    const TABLE: &'static str;
    /// Its columns, in order.
    const COLUMNS: &'static [Column];

    /// Gives each cell, in the order of the columns.
    fn cells(&self, cells: &mut impl Cells);
}

/// Takes the cells of a row, one after the other.
pub(crate) trait Cells {
    fn whole(&mut self, value: u64);
    fn coordinate(&mut self, value: i32);
    fn real(&mut self, value: f64);
    fn uuid(&mut self, value: u128);
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The operating system refused.
    #[error("{} cannot be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The Parquet library refused.
    #[error("{} cannot be written: {source}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: parquet::errors::ParquetError,
    },
}

/// The files of one table.
pub(crate) struct Table {
    csv: Option<CsvFile>,
    parquet: Option<ParquetFile>,
}

impl Table {
    /// Opens the files of the table of `R` in a folder. Parts that will be joined have no heading.
    pub(crate) fn create<R: Row>(folder: &Path, formats: Formats, heading: bool) -> Result<Self, TableError> {
        let csv = formats.csv.then(|| CsvFile::create(&path_of::<R>(folder, "csv"), R::COLUMNS, heading));
        let parquet = formats
            .parquet
            .then(|| ParquetFile::create(path_of::<R>(folder, "parquet"), R::TABLE, R::COLUMNS));
        Ok(Table { csv: csv.transpose()?, parquet: parquet.transpose()? })
    }

    /// Adds a row.
    pub(crate) fn push<R: Row>(&mut self, row: &R) -> Result<(), TableError> {
        if let Some(csv) = &mut self.csv {
            csv.push(row)?;
        }
        if let Some(parquet) = &mut self.parquet {
            parquet.push(row)?;
        }
        Ok(())
    }

    /// Adds many rows, to both files at once where the crew has more than one thread.
    pub(crate) fn push_all<R: Row>(
        &mut self,
        crew: &Crew,
        rows: impl Iterator<Item = R> + Clone + Send,
    ) -> Result<(), TableError> {
        let (Some(csv), Some(parquet)) = (&mut self.csv, &mut self.parquet) else {
            let mut rows = rows;
            return rows.try_for_each(|row| self.push(&row));
        };
        let mut again = rows.clone();
        let mut rows = rows;
        let (text, columns) = crew.both(
            || rows.try_for_each(|row| csv.push(&row)),
            || again.try_for_each(|row| parquet.push(&row)),
        );
        text.and(columns)
    }

    /// Writes what is left.
    pub(crate) fn finish(self) -> Result<(), TableError> {
        self.csv.map_or(Ok(()), CsvFile::finish)?;
        self.parquet.map_or(Ok(()), ParquetFile::finish)
    }
}

/// Where the table of `R` is in a folder.
fn path_of<R: Row>(folder: &Path, ending: &str) -> PathBuf {
    folder.join(format!("{}.{ending}", R::TABLE))
}
