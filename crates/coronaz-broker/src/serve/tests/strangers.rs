//! Clients that hold what others need.

use super::*;
use crate::connections::Connections;

/// A broker's second door, with room for so few connections.
fn door(running: &Running, connections_max: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    let broker = Arc::clone(&running.started.broker);
    let connections = Arc::new(Connections::new(connections_max));
    spawn("accept", move || accept(&listener, &broker, &connections)).expect("a thread");
    address
}

#[test]
fn requests_that_are_announced_and_do_not_come_stop_no_other() {
    let running = Running::start(&[]);
    let mut slow: Vec<Client> = (0..40).map(|_| running.connect()).collect();
    for client in &mut slow {
        // 4 MiB of a produce request, of which one byte comes.
        let mut to = Writer::default();
        to.i32(4 << 20);
        to.i16(0);
        to.i16(8);
        to.bytes.push(b'x');
        client.stream.write_all(&to.bytes).expect("sent");
    }
    let begun = Instant::now();
    let mut client = running.connect();
    for turn in 0..20 {
        assert_eq!(client.produce(0, &batch(&[&vec![b'x'; 100_000]], None)), (0, turn));
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "the slow requests delayed no other");
}

#[test]
fn silent_connections_give_way_to_new_ones() {
    let running = Running::start(&[]);
    let address = door(&running, 8);
    let mut busy = Client::connect(address);
    assert_eq!(number16(&busy.ask(18, 0, &[])), 0);
    let mut silent: Vec<Client> = (0..7).map(|_| Client::connect(address)).collect();
    for turn in 0..7 {
        // Each waits for a second at most, until one of the silent may be closed.
        let mut new = Client::connect(address);
        assert_eq!(number16(&new.ask(18, 0, &[])), 0, "number {turn} is answered");
        assert_eq!(number16(&busy.ask(18, 0, &[])), 0, "and who asks is not closed");
    }
    assert!(silent.iter_mut().all(Client::is_closed), "those that never asked anything are closed");
}
