//! `coronaz runs export`.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use coronaz_simulation::{Folder, FolderError, Formats, TableError, export::ParquetExport};
use coronaz_store::{
    Queries,
    export::{self, Cell, Table},
    view::Run,
};

use super::{as_json, failure_of, find, progress::Rows};
use crate::{
    failure::{Failure, chain},
    output::Output,
};

/// Write a run's tables into a folder
///
/// Besides the tables: run.json, what the run is; scenario.toml, if it was announced. Times are microseconds since 1970
/// (UTC).
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  coronaz runs export newest --out results\n  \
    coronaz runs export 0197a3 --out results --tables statistics,infections --format csv --force")]
pub(super) struct Args {
    /// Its UUID, the beginning of it, its name, or `newest`
    #[arg(value_name = "RUN")]
    run: String,

    /// The folder; it is not there yet, or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Which tables [default: all]
    #[arg(long, value_delimiter = ',', value_name = "TABLES")]
    tables: Vec<Table>,

    /// As what: csv, parquet or both
    #[arg(long, default_value = "both", value_name = "FORMAT")]
    format: Formats,

    /// Replace earlier results in the folder; nothing else is ever replaced
    #[arg(long)]
    force: bool,
}

pub(super) fn export(queries: &dyn Queries, args: &Args, out: &mut Output) -> Result<(), Failure> {
    let run = find(queries, &args.run)?;
    let folder = Folder::prepare(&args.out, args.force).map_err(|error| folder_failure(&error))?;
    let tables = if args.tables.is_empty() { Table::ALL.to_vec() } else { args.tables.clone() };
    for table in tables {
        let rows = write_table(queries, &run, table, folder.path(), args.format)?;
        out.line(format_args!("{table:<10}  {rows} rows"));
    }
    write_text(&folder.path().join("run.json"), &format!("{:#}\n", as_json(&run)))?;
    if let Some(scenario) = &run.scenario {
        write_text(&folder.path().join("scenario.toml"), scenario)?;
    }
    folder.publish().map_err(|error| folder_failure(&error))?;
    out.line(format_args!("results in {}", args.out.display()));
    Ok(())
}

fn write_table(
    queries: &dyn Queries,
    run: &Run,
    table: Table,
    folder: &Path,
    formats: Formats,
) -> Result<u64, Failure> {
    let path = |ending: &str| folder.join(format!("{table}.{ending}"));
    let csv = formats.csv.then(|| CsvFile::create(path("csv"), table)).transpose();
    let mut csv = csv.map_err(|error| table_failure(&error))?;
    let parquet = formats.parquet.then(|| ParquetExport::create(path("parquet"), table)).transpose();
    let mut parquet = parquet.map_err(|error| table_failure(&error))?;
    let mut progress = Rows::new(table.name(), expected(run, table));
    let (mut rows, mut failed) = (0, None);
    let mut visit = |cells: &[Cell]| {
        let written = csv.as_mut().map_or(Ok(()), |csv| csv.push(cells));
        let written = written.and_then(|()| parquet.as_mut().map_or(Ok(()), |parquet| parquet.push(cells)));
        rows += 1;
        // The clock is asked now and then.
        if rows % 1024 == 0 {
            progress.at(rows);
        }
        match written {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        }
    };
    let rows = export::each_row(queries, run.id, table, &mut visit).map_err(|error| failure_of(&error))?;
    let finished = failed.map_or(Ok(()), Err);
    let finished = finished.and_then(|()| csv.map_or(Ok(()), CsvFile::finish));
    let finished = finished.and_then(|()| parquet.map_or(Ok(()), ParquetExport::finish));
    finished.map_err(|error| table_failure(&error))?;
    Ok(rows)
}

/// About how many rows there will be.
fn expected(run: &Run, table: Table) -> Option<u64> {
    match table {
        Table::Statistics => Some(run.moments),
        Table::Infections => Some(run.infections),
        Table::Contacts => Some(run.contacts),
        Table::Encounters => None,
        Table::Nodes => Some(run.nodes),
    }
}

/// A table as text with commas.
struct CsvFile {
    path: PathBuf,
    file: BufWriter<File>,
    line: String,
}

impl CsvFile {
    fn create(path: PathBuf, table: Table) -> Result<Self, TableError> {
        let made = File::create(&path).and_then(|file| {
            let mut file = BufWriter::with_capacity(export::CSV_BLOCK_BYTES, file);
            file.write_all(export::csv_heading(table).as_bytes())?;
            Ok(file)
        });
        match made {
            Ok(file) => Ok(Self { path, file, line: String::new() }),
            Err(source) => Err(TableError::Io { path, source }),
        }
    }

    fn push(&mut self, cells: &[Cell]) -> Result<(), TableError> {
        self.line.clear();
        export::csv_line(&mut self.line, cells);
        let written = self.file.write_all(self.line.as_bytes());
        written.map_err(|source| TableError::Io { path: self.path.clone(), source })
    }

    fn finish(mut self) -> Result<(), TableError> {
        self.file.flush().map_err(|source| TableError::Io { path: self.path, source })
    }
}

fn write_text(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text)
        .map_err(|error| Failure::io(format!("{} cannot be written: {error}", path.display())))
}

fn table_failure(error: &TableError) -> Failure {
    Failure::io(chain(error))
}

fn folder_failure(error: &FolderError) -> Failure {
    match error {
        FolderError::Taken(_) | FolderError::NotOurs { .. } => Failure::usage(chain(error)),
        FolderError::Io { .. } => Failure::io(chain(error)),
    }
}
