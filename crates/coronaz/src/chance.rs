//! What has to be drawn: seeds, names of runs, secrets.

use coronaz_devices::identity;
use uuid::Uuid;

use crate::failure::{Failure, chain};

/// A seed for a run that was not given one.
pub(crate) fn new_seed() -> Result<u64, Failure> {
    identity::new_seed().map_err(|error| Failure::internal(chain(&error)))
}

/// A run's UUID (version 4).
pub(crate) fn new_run() -> Result<Uuid, Failure> {
    Ok(uuid::Builder::from_random_bytes(bytes()?).into_uuid())
}

/// A secret of 256 bits, in letters that need no quoting anywhere.
pub(crate) fn new_secret() -> Result<String, Failure> {
    let secret: [u8; 32] = bytes()?;
    Ok(secret.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Failure::internal(format!("the system gives no random numbers: {error}")))?;
    Ok(bytes)
}
