//! The same laboratory over a real Apache Kafka, at the address in `CORONAZ_TEST_BROKERS`, and over that and the
//! MongoDB-compatible server of `MONGODB_URL`.

use std::{
    path::Path,
    process::{Command, id},
    time::Duration,
};

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

#[test]
fn over_kafka_and_a_mongodb_nothing_is_lost_when_ingest_and_devices_are_killed() {
    let brokers =
        std::env::var("CORONAZ_TEST_BROKERS").expect("make test-services sets CORONAZ_TEST_BROKERS");
    let url = std::env::var("MONGODB_URL").expect("make test-services sets MONGODB_URL");
    let server = url.strip_prefix("mongodb://").expect("a MongoDB's URL");
    let server = server.split('/').next().unwrap_or(server);
    let coronaz = Path::new(env!("CARGO_BIN_EXE_coronaz"));
    let broker = format!("--broker={brokers}");
    let store = format!("--store=mongodb://{server}/coronaz_laboratory_{}", id());
    let mut laboratory =
        Laboratory::start(coronaz, &["--scenario=paper", "--nodes=20", "--infected=2", &broker, &store]);
    std::thread::sleep(Duration::from_secs(15));
    laboratory.keep_down("ingest", Duration::from_secs(3));
    laboratory.keep_down("devices-1", Duration::from_secs(1));
    std::thread::sleep(Duration::from_secs(15));
    let (status, data) = laboratory.get("/data").expect("an answer");
    assert_eq!(status, 200);
    let states = data["result"].as_array().expect("the paper's states");
    assert!(states.len() > 10, "{} states", states.len());
    laboratory.stop();
    let audit = Command::new(coronaz)
        .args(["audit", "--ended", "--json", &store])
        .arg(format!("--journal={}", laboratory.data_dir().with_file_name("journal").display()))
        .output()
        .expect("coronaz runs");
    let (verdict, told) = (String::from_utf8_lossy(&audit.stdout), String::from_utf8_lossy(&audit.stderr));
    assert!(audit.status.success(), "{verdict}{told}");
}
