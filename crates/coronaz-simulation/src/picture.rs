//! The epidemic curve over the replicates: `curve.svg`, and the same as `curve.png`.
//!
//! Three panels over one time axis: who is infectious now (prevalence), who was infected when
//! (incidence), and how everybody fares. Of several replicates the first two show the median, the
//! band in which half of them are, and the one in which nine of ten are, at each time.

mod chart;
mod clock;
mod panel;
mod png;
mod scale;
mod series;
mod svg;

use std::{borrow::Cow, fs, io, path::Path, path::PathBuf};

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
    let text = chart::draw(plan, &equally_long(outcomes));
    put(folder.join("curve.svg"), text.as_bytes())?;
    put(folder.join("curve.png"), &png::render(&text)?)
}

/// The same replicates, those that ended early with the rows that would have followed.
fn equally_long(outcomes: &[Outcome]) -> Cow<'_, [Outcome]> {
    let rows = |outcome: &Outcome| outcome.statistics.len();
    let longest = outcomes.iter().max_by_key(|outcome| rows(outcome));
    let Some(until) = longest.and_then(|outcome| outcome.statistics.last()).map(|row| row.tick) else {
        return Cow::Borrowed(outcomes);
    };
    let mut outcomes = Cow::Borrowed(outcomes);
    for number in 0..outcomes.len() {
        let Some(last) = outcomes[number].statistics.last().copied() else { continue };
        if last.tick < until {
            let outcome = &mut outcomes.to_mut()[number];
            let aftermath = outcome.aftermath.take().unwrap_or_default();
            outcome.statistics.extend(aftermath.rows(last, until));
        }
    }
    outcomes
}

fn put(path: PathBuf, bytes: &[u8]) -> Result<(), PictureError> {
    fs::write(&path, bytes).map_err(|source| PictureError::Io { path, source })
}
