//! A run's tables out of the store as Parquet: the same columns as in CSV, with what is not known as null.

use std::{fs::File, path::PathBuf, sync::Arc};

use coronaz_store::export::{Cell, Column, Kind, Table};
use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::types::Type,
};

use crate::TableError;

/// Rows held in memory until a row group is written: some megabytes.
const ROW_GROUP_ROWS: usize = 131_072;
const UUID_BYTES: i32 = 16;

/// A table in the making.
pub struct ParquetExport {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: Vec<Waiting>,
    rows: usize,
}

/// The cells of a column that wait for their row group.
struct Waiting {
    values: Values,
    /// 1 where there is a value, 0 where there is none; of optional columns only.
    there: Option<Vec<i16>>,
}

enum Values {
    Whole(Vec<i64>),
    Coordinate(Vec<i32>),
    Real(Vec<f64>),
    Uuid(Vec<FixedLenByteArray>),
    Switch(Vec<bool>),
}

impl ParquetExport {
    /// Makes the file.
    ///
    /// # Errors
    /// The system or the library refuses.
    pub fn create(path: PathBuf, table: Table) -> Result<Self, TableError> {
        let file = match File::create(&path) {
            Ok(file) => file,
            Err(source) => return Err(TableError::Io { path, source }),
        };
        let properties = WriterProperties::builder()
            // Every reader knows Snappy.
            .set_compression(Compression::SNAPPY)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_created_by(format!("coronaz {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer =
            schema(table).and_then(|schema| SerializedFileWriter::new(file, schema, Arc::new(properties)));
        let writer = match writer {
            Ok(writer) => writer,
            Err(source) => return Err(TableError::Parquet { path, source }),
        };
        let columns = table.columns().iter().map(Waiting::of).collect();
        Ok(Self { path, writer, columns, rows: 0 })
    }

    /// Adds a row, its cells in the order of the table's columns.
    ///
    /// # Errors
    /// The system or the library refuses.
    pub fn push(&mut self, cells: &[Cell]) -> Result<(), TableError> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(*cell);
        }
        self.rows += 1;
        if self.rows == ROW_GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes what is left, and the end of the file.
    ///
    /// # Errors
    /// The system or the library refuses.
    pub fn finish(mut self) -> Result<(), TableError> {
        self.flush()?;
        let Self { path, writer, .. } = self;
        writer.close().map_err(|source| TableError::Parquet { path, source })?;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), TableError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        write_row_group(&mut self.writer, &mut self.columns)
            .map_err(|source| TableError::Parquet { path: self.path.clone(), source })
    }
}

fn schema(table: Table) -> Result<Arc<Type>, ParquetError> {
    let field = |column: &Column| {
        let (physical, logical, length) = match column.kind {
            Kind::Whole => (Physical::INT64, None, -1),
            Kind::Coordinate => (Physical::INT32, None, -1),
            Kind::Real => (Physical::DOUBLE, None, -1),
            Kind::Uuid => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), UUID_BYTES),
            Kind::Switch => (Physical::BOOLEAN, None, -1),
        };
        let repetition = if column.optional { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        Type::primitive_type_builder(column.name, physical)
            .with_repetition(repetition)
            .with_logical_type(logical)
            .with_length(length)
            .build()
            .map(Arc::new)
    };
    let fields = table.columns().iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Type::group_type_builder(table.name()).with_fields(fields).build()?))
}

fn write_row_group(
    writer: &mut SerializedFileWriter<File>,
    columns: &mut [Waiting],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for waiting in columns {
        let mut column =
            group.next_column()?.ok_or_else(|| ParquetError::General("a column too few".to_owned()))?;
        waiting.write(column.untyped())?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

impl Waiting {
    fn of(column: &Column) -> Self {
        let values = match column.kind {
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Coordinate => Values::Coordinate(Vec::new()),
            Kind::Real => Values::Real(Vec::new()),
            Kind::Uuid => Values::Uuid(Vec::new()),
            Kind::Switch => Values::Switch(Vec::new()),
        };
        Self { values, there: column.optional.then(Vec::new) }
    }

    fn push(&mut self, cell: Cell) {
        if let Some(there) = &mut self.there {
            there.push(i16::from(cell != Cell::Nothing));
        }
        match (&mut self.values, cell) {
            (Values::Whole(values), Cell::Whole(value)) => values.push(value),
            (Values::Coordinate(values), Cell::Coordinate(value)) => values.push(value),
            (Values::Real(values), Cell::Real(value)) => values.push(value),
            (Values::Switch(values), Cell::Switch(value)) => values.push(value),
            (Values::Uuid(values), Cell::Uuid(value)) => {
                values.push(FixedLenByteArray::from(ByteArray::from(value.as_bytes().as_slice())));
            }
            (_, Cell::Nothing) if self.there.is_some() => {}
            _ => panic!("a row gives its cells as its table's columns say"),
        }
    }

    /// Hands the values over and forgets them.
    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let there = self.there.as_deref();
        match (&mut self.values, column) {
            (Values::Whole(values), ColumnWriter::Int64ColumnWriter(column)) => {
                column.write_batch(values, there, None)?;
                values.clear();
            }
            (Values::Coordinate(values), ColumnWriter::Int32ColumnWriter(column)) => {
                column.write_batch(values, there, None)?;
                values.clear();
            }
            (Values::Real(values), ColumnWriter::DoubleColumnWriter(column)) => {
                column.write_batch(values, there, None)?;
                values.clear();
            }
            (Values::Uuid(values), ColumnWriter::FixedLenByteArrayColumnWriter(column)) => {
                column.write_batch(values, there, None)?;
                values.clear();
            }
            (Values::Switch(values), ColumnWriter::BoolColumnWriter(column)) => {
                column.write_batch(values, there, None)?;
                values.clear();
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }
        if let Some(there) = &mut self.there {
            there.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    #[test]
    fn what_is_not_known_is_null_and_the_rest_comes_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("infections.parquet");
        let mut file = ParquetExport::create(path.clone(), Table::Infections).expect("made");
        let row = |infector: Cell, slot: Cell| {
            let id = Cell::Uuid(uuid::Uuid::from_u128(7));
            [Cell::Whole(-5), id, infector, Cell::Coordinate(3), Cell::Coordinate(-4), Cell::Whole(6), slot]
        };
        file.push(&row(Cell::Nothing, Cell::Nothing)).expect("taken");
        file.push(&row(Cell::Uuid(uuid::Uuid::from_u128(9)), Cell::Whole(8))).expect("taken");
        file.finish().expect("written");
        let reader = SerializedFileReader::new(File::open(path).expect("there")).expect("Parquet");
        let rows: Vec<_> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row")).collect();
        let cells = |at: usize| -> Vec<Field> {
            rows[at].get_column_iter().map(|(_, field)| field.clone()).collect()
        };
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (&cells(0)[0], &cells(0)[2], &cells(0)[4]),
            (&Field::Long(-5), &Field::Null, &Field::Int(-4))
        );
        assert_eq!((&cells(0)[5], &cells(0)[6]), (&Field::Long(6), &Field::Null));
        assert_ne!(cells(1)[2], Field::Null);
        assert_eq!(cells(1)[6], Field::Long(8));
    }
}
