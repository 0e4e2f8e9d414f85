//! Runs of the model as fast as they go: no broker, no server, no clock. Replicates over the cores,
//! and what happened as tables and as a picture.
//!
//! - [`plan`]: what to simulate
//! - [`checkpoint`]: a replicate as a file, to go on from
//! - [`run`]: all replicates over the threads, then the files that need all of them
//! - `replicate`: one replicate, from its first tick to its last; `observer`: what is noted of a tick
//! - `encounters`: encounters out of contacts; `cases`: the transmission tree, counted; `totals`: what else is
//!   counted from tick 0 on; `aftermath`: what comes after the last infection
//! - `rows`: the rows of the tables; `table`: tables as Parquet and CSV, streamed
//! - [`export`]: a stored run's tables as Parquet
//! - `picture`: the epidemic curve over the replicates, as SVG and PNG
//! - [`summary`]: a run on one page
//! - [`folder`]: results appear at once or not at all
//! - [`progress`]: how far a run is; `threads`: who runs on which
//!
//! The results, timings aside, are the same to the byte for any number of threads (I-2).

pub mod checkpoint;
pub mod export;
pub mod folder;
pub mod plan;
pub mod progress;
pub mod run;
pub mod summary;

mod aftermath;
mod cases;
mod encounters;
mod observer;
mod picture;
mod replicate;
mod rows;
mod table;
mod threads;
mod totals;

pub use cases::CaseFigures;
pub use checkpoint::{Checkpoint, CheckpointError};
pub use coronaz_model::ENCOUNTER_GAP_TICKS;
pub use folder::{Folder, FolderError};
pub use picture::PictureError;
pub use plan::{Contacts, Formats, Plan, PlanError, Save};
pub use progress::Progress;
pub use rows::Statistics;
pub use run::{SimulateError, simulate};
pub use summary::Summary;
pub use table::TableError;
