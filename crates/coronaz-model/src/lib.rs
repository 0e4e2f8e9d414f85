//! The rules of `CoronaZ`: people move, meet, infect each other, recover and die.
//!
//! Pure, synchronous and deterministic: this crate knows no clock, thread, socket, global random
//! source or serialisation. A node on a real radio and a fleet of millions call the same functions
//! (I-1), and the same seed gives the same history to the bit (I-2).
//!
//! - [`parameters`]: every number a scenario may set, with unit, default and range, in one table
//! - [`draw`]: randomness keyed by (seed, stream, person, tick)
//! - [`field`]: positions on the map, and who is in range
//! - [`movement`]: how a person walks
//! - [`illness`]: infected, immune, safe again
//! - [`person`]: one person with a device, second by second
//! - [`world`]: everybody at once, the plain way: the reference for faster engines
//! - [`digest`]: a number that says whether two runs had the same history
//! - [`identity`]: the UUIDs of a fleet, an arithmetic sequence
//! - [`fleet`]: up to ten million people at once, fast

pub mod digest;
pub mod draw;
pub mod field;
pub mod fleet;

pub mod identity;
pub mod illness;
pub mod movement;
pub mod parameters;
pub mod person;
pub mod world;

pub use digest::RunDigest;
pub use draw::{Draws, Stream};
pub use field::{Field, Position, Reach};
pub use fleet::Fleet;
pub use illness::{Health, Illness};
pub use movement::{Movement, Start};
pub use parameters::{ParameterError, Parameters, Value};
pub use person::{Emission, Identity, Infection, Person, PersonId, Phase, Spawn};
pub use world::{Contact, World};

/// Model time: one tick is one second. A run begins at tick 0.
pub type Tick = u64;

/// Two people belong to one encounter as long as they are not out of range for longer than this. The same
/// wherever encounters are counted or kept: in the store it is ten seconds.
pub const ENCOUNTER_GAP_TICKS: Tick = 10;
