//! A table as Parquet, by the library's column writers: no Arrow in between.

use std::{fs::File, path::PathBuf, sync::Arc};

use bytes::Bytes;
use parquet::{
    basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical},
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::types::{ColumnPath, Type},
};

use super::{Cells, Column, Kind, Row, TableError};

/// Rows held in memory until a row group is written: some megabytes, for each table of each worker.
const ROW_GROUP_ROWS: usize = 131_072;
const UUID_BYTES: usize = 16;

pub(super) struct ParquetFile {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    columns: Vec<Values>,
    rows: usize,
}

/// The cells of a column that wait for their row group.
enum Values {
    Whole(Vec<i64>),
    Coordinate(Vec<i32>),
    Real(Vec<f64>),
    Uuid(Vec<u8>),
}

/// How tables are written: compressed by Snappy, which every reader knows.
pub(super) fn properties(columns: &[Column]) -> Arc<WriterProperties> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_created_by(format!("coronaz {}", env!("CARGO_PKG_VERSION")));
    for (name, _) in columns.iter().filter(|(name, _)| matches!(*name, "replicate" | "tick" | "from_tick")) {
        // Rows are in order of these: the differences are small numbers.
        let path = ColumnPath::from(*name);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Arc::new(properties.build())
}

/// The table's description in the file.
pub(super) fn schema(name: &str, columns: &[Column]) -> Result<Arc<Type>, ParquetError> {
    let field = |&(name, kind): &Column| {
        let (physical, logical, length) = match kind {
            Kind::Whole => (Physical::INT64, None, -1),
            Kind::Coordinate => (Physical::INT32, None, -1),
            Kind::Real => (Physical::DOUBLE, None, -1),
            Kind::Uuid => (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Uuid), UUID_BYTES as i32),
        };
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::REQUIRED);
        builder.with_logical_type(logical).with_length(length).build().map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Type::group_type_builder(name).with_fields(fields).build()?))
}

impl ParquetFile {
    pub(super) fn create(path: PathBuf, name: &str, columns: &[Column]) -> Result<Self, TableError> {
        let file = match File::create(&path) {
            Ok(file) => file,
            Err(source) => return Err(TableError::Io { path, source }),
        };
        let writer = schema(name, columns)
            .and_then(|schema| SerializedFileWriter::new(file, schema, properties(columns)));
        let writer = match writer {
            Ok(writer) => writer,
            Err(source) => return Err(TableError::Parquet { path, source }),
        };
        let columns = columns.iter().map(|(_, kind)| Values::of(*kind)).collect();
        Ok(ParquetFile { path, writer, columns, rows: 0 })
    }

    #[inline]
    pub(super) fn push<R: Row>(&mut self, row: &R) -> Result<(), TableError> {
        row.cells(&mut Entry { columns: self.columns.iter_mut() });
        self.rows += 1;
        if self.rows == ROW_GROUP_ROWS { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), TableError> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        write_row_group(&mut self.writer, &mut self.columns)
            .map_err(|source| TableError::Parquet { path: self.path.clone(), source })
    }

    pub(super) fn finish(mut self) -> Result<(), TableError> {
        self.flush()?;
        let ParquetFile { path, writer, .. } = self;
        writer.close().map_err(|source| TableError::Parquet { path, source })?;
        Ok(())
    }
}

fn write_row_group(
    writer: &mut SerializedFileWriter<File>,
    columns: &mut [Values],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for values in columns {
        let mut column =
            group.next_column()?.ok_or_else(|| ParquetError::General("a column too few".to_owned()))?;
        values.write(column.untyped())?;
        column.close()?;
    }
    group.close()?;
    Ok(())
}

impl Values {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Coordinate => Values::Coordinate(Vec::new()),
            Kind::Real => Values::Real(Vec::new()),
            Kind::Uuid => Values::Uuid(Vec::new()),
        }
    }

    /// Hands the values over and forgets them.
    fn write(&mut self, column: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        match (self, column) {
            (Values::Whole(values), ColumnWriter::Int64ColumnWriter(column)) => {
                column.write_batch(values, None, None)?;
                values.clear();
            }
            (Values::Coordinate(values), ColumnWriter::Int32ColumnWriter(column)) => {
                column.write_batch(values, None, None)?;
                values.clear();
            }
            (Values::Real(values), ColumnWriter::DoubleColumnWriter(column)) => {
                column.write_batch(values, None, None)?;
                values.clear();
            }
            (Values::Uuid(values), ColumnWriter::FixedLenByteArrayColumnWriter(column)) => {
                let all = Bytes::from(std::mem::take(values));
                let uuid = |at| FixedLenByteArray::from(ByteArray::from(all.slice(at..at + UUID_BYTES)));
                let uuids: Vec<_> = (0..all.len()).step_by(UUID_BYTES).map(uuid).collect();
                column.write_batch(&uuids, None, None)?;
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }
        Ok(())
    }
}

/// Takes the cells of a row, each for the next column.
struct Entry<'a> {
    columns: std::slice::IterMut<'a, Values>,
}

const OTHER_TYPE: &str = "a row gives its cells as its columns say";

impl Cells for Entry<'_> {
    #[inline]
    fn whole(&mut self, value: u64) {
        let Some(Values::Whole(column)) = self.columns.next() else { panic!("{OTHER_TYPE}") };
        column.push(value.cast_signed());
    }

    #[inline]
    fn coordinate(&mut self, value: i32) {
        let Some(Values::Coordinate(column)) = self.columns.next() else { panic!("{OTHER_TYPE}") };
        column.push(value);
    }

    #[inline]
    fn real(&mut self, value: f64) {
        let Some(Values::Real(column)) = self.columns.next() else { panic!("{OTHER_TYPE}") };
        column.push(value);
    }

    #[inline]
    fn uuid(&mut self, value: u128) {
        let Some(Values::Uuid(column)) = self.columns.next() else { panic!("{OTHER_TYPE}") };
        column.extend_from_slice(&value.to_be_bytes());
    }
}
