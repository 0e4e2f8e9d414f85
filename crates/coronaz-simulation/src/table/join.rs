//! The tables of replicates, written apart, become one: encoded row groups and text are copied as they are.

use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use parquet::{
    column::writer::ColumnCloseResult,
    errors::ParquetError,
    file::{metadata::ParquetMetaDataReader, writer::SerializedFileWriter},
};

use super::{Row, TableError, csv, parquet_file, path_of};
use crate::Formats;

/// Puts the tables of `R` in `parts`, in this order, together in `folder`, and removes them.
pub(crate) fn join<R: Row>(parts: &[PathBuf], folder: &Path, formats: Formats) -> Result<(), TableError> {
    if formats.csv {
        let path = path_of::<R>(folder, "csv");
        join_csv::<R>(parts, &path).map_err(|source| TableError::Io { path, source })?;
    }
    if formats.parquet {
        let path = path_of::<R>(folder, "parquet");
        join_parquet::<R>(parts, &path).map_err(|source| TableError::Parquet { path, source })?;
    }
    Ok(())
}

fn join_csv<R: Row>(parts: &[PathBuf], path: &Path) -> io::Result<()> {
    let mut whole = File::create(path)?;
    whole.write_all(csv::heading(R::COLUMNS).as_bytes())?;
    for part in parts {
        let part = path_of::<R>(part, "csv");
        io::copy(&mut File::open(&part)?, &mut whole)?;
        std::fs::remove_file(&part)?;
    }
    Ok(())
}

fn join_parquet<R: Row>(parts: &[PathBuf], path: &Path) -> Result<(), ParquetError> {
    let schema = parquet_file::schema(R::TABLE, R::COLUMNS)?;
    let file = File::create(path)?;
    let mut whole = SerializedFileWriter::new(file, schema, parquet_file::properties(R::COLUMNS))?;
    for part in parts {
        let part = path_of::<R>(part, "parquet");
        copy_row_groups(&File::open(&part)?, &mut whole)?;
        std::fs::remove_file(&part)?;
    }
    whole.close()?;
    Ok(())
}

fn copy_row_groups(part: &File, whole: &mut SerializedFileWriter<File>) -> Result<(), ParquetError> {
    let metadata = ParquetMetaDataReader::new().parse_and_finish(part)?;
    for row_group in metadata.row_groups() {
        let mut copy = whole.next_row_group()?;
        for column in row_group.columns() {
            let chunk = ColumnCloseResult {
                bytes_written: column.compressed_size().unsigned_abs(),
                rows_written: row_group.num_rows().unsigned_abs(),
                metadata: column.clone(),
                bloom_filter: None,
                column_index: None,
                offset_index: None,
            };
            copy.append_column(part, chunk)?;
        }
        copy.close()?;
    }
    Ok(())
}
