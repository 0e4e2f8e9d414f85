//! Which store a command reads: one named by its URL, or that of a laboratory's folder.

use std::path::{Path, PathBuf};

use coronaz_store::StoreLocation;

use crate::failure::{Failure, chain};

/// The environment variable that names the store where no flag does.
const VARIABLE: &str = "CORONAZ_STORE";
/// The folder of the laboratory where none is named.
const DATA_DIR: &str = "coronaz-data";
/// The embedded store within it.
const STORE_FILE: &str = "store.db";

/// Flags of every command that reads a laboratory.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub(crate) struct StoreArgs {
    /// The store: sqlite:PATH, or mongodb://USER@HOST:PORT/DATABASE [default: the one in --data-dir; without that, of the
    /// environment's `CORONAZ_STORE`; else sqlite:coronaz-data/store.db]
    #[arg(long, global = true, value_name = "URL")]
    store: Option<StoreLocation>,

    /// The folder of the laboratory; --store wins over the store in it [default: coronaz-data]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl StoreArgs {
    /// Where the store is: what the command line says comes before the environment.
    ///
    /// # Errors
    /// The environment names no store.
    pub(crate) fn location(&self) -> Result<StoreLocation, Failure> {
        let variable = std::env::var_os(VARIABLE);
        self.location_or(variable.as_ref().map(|text| text.to_string_lossy()).as_deref())
    }

    fn location_or(&self, variable: Option<&str>) -> Result<StoreLocation, Failure> {
        match (&self.store, &self.data_dir, variable) {
            (Some(store), ..) => Ok(store.clone()),
            (None, None, Some(text)) => {
                text.parse().map_err(|error| Failure::usage(format!("{VARIABLE}: {}", chain(&error))))
            }
            (None, ..) => Ok(StoreLocation::from(self.data_dir().join(STORE_FILE).as_path())),
        }
    }

    /// The laboratory's folder, where its control socket is.
    pub(crate) fn data_dir(&self) -> &Path {
        self.data_dir.as_deref().unwrap_or(Path::new(DATA_DIR))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        place: StoreArgs,
    }

    fn store(flags: &str, variable: Option<&str>) -> String {
        let line = Line::try_parse_from(std::iter::once("x").chain(flags.split_whitespace())).expect(flags);
        let location = line.place.location_or(variable);
        location.map_or_else(|failure| format!("{failure:?}"), |location| location.to_string())
    }

    #[test]
    fn the_store_is_that_of_the_flag_else_of_the_folder_else_of_the_environment() {
        let variable = Some("sqlite:/env.db");
        assert_eq!(store("--store sqlite:/a.db --data-dir /lab", variable), "sqlite:/a.db");
        assert_eq!(store("--data-dir /lab", variable), "sqlite:/lab/store.db");
        assert_eq!(store("", variable), "sqlite:/env.db");
        assert_eq!(store("", None), "sqlite:coronaz-data/store.db");
        assert!(store("", Some("oracle://x")).contains("CORONAZ_STORE"));
    }
}
