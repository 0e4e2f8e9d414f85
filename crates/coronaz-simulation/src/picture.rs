//! The epidemic curve over the replicates: `curve.svg`, and the same as `curve.png`.
//!
//! Three panels over one time axis: who is infectious now (prevalence), who was infected when
//! (incidence), and how everybody fares. Of several replicates the first two show the median, the
//! band in which half of them are, and the one in which nine of ten are, at each time.

mod chart;
mod panel;
mod png;
mod scale;
mod series;
mod svg;

use std::{fs, io, path::Path, path::PathBuf};

use crate::{Plan, replicate::Outcome};

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum PictureError {
    /// The operating system refused.
    #[error("{} cannot be written: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Our own picture cannot be rendered.
    #[error("the picture cannot be rendered: {0}")]
    Render(String),
}

/// Draws the picture of these replicates into a folder.
pub(crate) fn write(plan: &Plan, outcomes: &[Outcome], folder: &Path) -> Result<(), PictureError> {
    let text = chart::draw(plan, outcomes);
    put(folder.join("curve.svg"), text.as_bytes())?;
    put(folder.join("curve.png"), &png::render(&text)?)
}

fn put(path: PathBuf, bytes: &[u8]) -> Result<(), PictureError> {
    fs::write(&path, bytes).map_err(|source| PictureError::Io { path, source })
}
