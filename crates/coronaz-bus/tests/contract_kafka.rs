//! The contract over Apache Kafka.
//!
//! With `CORONAZ_TEST_BROKERS=host:port[,…]` over those brokers, each test with a topic of its own;
//! settings for them in `CORONAZ_TEST_SETTINGS` as `name=value`, one a line. Without it over one that
//! `scripts/kafka.sh` starts for each test, which is killed and started again where the test says so;
//! run these with `--test-threads 2`, each takes 500 MB. Built with the feature `services` only:
//! `make test-services` runs it.

mod brokers;
mod contract;

use brokers::Kafka;

contract!(Kafka::from_environment());
