//! The contract over the embedded broker, a process of its own for each test, killed by its id.
//!
//! The program is found at `CORONAZ_BROKER_BIN`, or where `cargo build --release -p coronaz-broker`
//! puts it. Without it these tests say so and pass, unless `CORONAZ_REQUIRE_BROKER` is set.

mod brokers;
mod contract;

use brokers::{Embedded, program};
use contract::Bus;

fn embedded() -> Option<Embedded> {
    Some(Embedded::start(program()?))
}

contract!(embedded());

/// The producer's session is unknown to the new data: the sink starts a new one, and whoever sends
/// learns which records to send again.
#[test]
fn a_broker_whose_data_was_replaced_takes_records_from_a_sink_that_knew_the_old() {
    let Some(broker) = embedded() else { return };
    let sink = broker.impatient_sink();
    let mut source = broker.source();
    let mut delivered = Vec::new();
    contract::send_numbers(&*sink, 0..100, &mut delivered);
    broker.kill();
    broker.forget();
    broker.revive();
    contract::send_numbers(&*sink, 100..200, &mut delivered);
    let unknown: Vec<u64> =
        delivered.iter().filter(|delivery| delivery.result.is_err()).map(|delivery| delivery.token).collect();
    assert!(unknown.iter().all(|token| *token >= 100), "what was acknowledged is not taken back");
    for token in unknown {
        contract::send_numbers(&*sink, token..token + 1, &mut delivered);
    }
    assert_eq!(contract::numbers_in(&broker, &mut *source, 100), (100..200).collect());
}
