//! The same laboratory over a real Apache Kafka, at the address in `CORONAZ_TEST_BROKERS`.

use std::{path::Path, time::Duration};

use coronaz_testkit::laboratory::Laboratory;

#[test]
fn over_a_real_kafka_nothing_is_lost_when_ingest_and_devices_are_killed() {
    let brokers =
        std::env::var("CORONAZ_TEST_BROKERS").expect("make test-services sets CORONAZ_TEST_BROKERS");
    let coronaz = Path::new(env!("CARGO_BIN_EXE_coronaz"));
    let broker = format!("--broker={brokers}");
    let mut laboratory =
        Laboratory::start(coronaz, &["--scenario=paper", "--nodes=20", "--infected=2", &broker]);
    std::thread::sleep(Duration::from_secs(20));
    laboratory.keep_down("ingest", Duration::from_secs(3));
    laboratory.keep_down("devices-1", Duration::from_secs(1));
    std::thread::sleep(Duration::from_secs(20));
    laboratory.stop();
    let (verdict, content) = laboratory.audit();
    assert!(content, "{verdict}");
    assert!(verdict["recorded"].as_u64() > Some(5), "people met: {verdict}");
}
