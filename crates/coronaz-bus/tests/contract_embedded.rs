//! The contract over the embedded broker, a process of its own for each test, killed by its id.
//!
//! The program is found at `CORONAZ_BROKER_BIN`, or where `cargo build --release -p coronaz-broker`
//! puts it. Without it these tests say so and pass, unless `CORONAZ_REQUIRE_BROKER` is set.

mod brokers;
mod contract;

use std::env;
use std::path::PathBuf;

use brokers::Embedded;

/// The program, if it was built.
fn program() -> Option<PathBuf> {
    let found = env::var_os("CORONAZ_BROKER_BIN").map(PathBuf::from).or_else(|| {
        // This test runs as TARGET/PROFILE/deps/contract_embedded-HASH.
        let target = env::current_exe().ok()?.ancestors().nth(3)?.to_owned();
        Some(target.join("release/coronaz-broker"))
    });
    let found = found.filter(|program| program.is_file());
    if found.is_none() {
        assert!(env::var_os("CORONAZ_REQUIRE_BROKER").is_none(), "coronaz-broker was not built");
        eprintln!("not tested: build coronaz-broker or set CORONAZ_BROKER_BIN");
    }
    found
}

fn embedded() -> Option<Embedded> {
    Some(Embedded::start(program()?))
}

contract!(embedded());
