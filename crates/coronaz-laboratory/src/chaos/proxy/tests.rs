use std::io::ErrorKind;

use super::*;

/// Answers every byte with the same byte.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                // The other side may end it however it likes.
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

async fn link() -> (Proxy, TcpStream) {
    let proxy = Proxy::start(echo().await, false).await.expect("a proxy");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("taken");
    assert_eq!(ask(&mut stream, b"hello").await.expect("an answer"), b"hello");
    (proxy, stream)
}

/// Long enough that an answer that should come comes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough that an answer that should not come would have come.
const QUIET: Duration = Duration::from_millis(150);

async fn ask(stream: &mut TcpStream, question: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(question).await?;
    let mut answer = vec![0; question.len()];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await??;
    Ok(answer)
}

async fn is_silent(stream: &mut TcpStream) -> bool {
    timeout(QUIET, stream.read_u8()).await.is_err()
}

#[tokio::test]
async fn an_open_link_passes_megabytes_unchanged_and_an_orderly_end() {
    let (_proxy, mut stream) = link().await;
    let sent: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let (mut read, mut write) = stream.split();
    let expected = sent.clone();
    let writing = async {
        write.write_all(&sent).await.expect("taken");
        write.shutdown().await.expect("an end");
    };
    let mut received = Vec::new();
    let (_, count) = tokio::join!(writing, read.read_to_end(&mut received));
    assert_eq!(count.expect("an orderly end"), expected.len());
    assert!(received == expected);
}

#[tokio::test]
async fn a_cut_link_resets_what_there_is_and_what_comes_until_it_is_open() {
    let (proxy, mut stream) = link().await;
    proxy.set(Mode::Cut);
    let error = timeout(PATIENCE, stream.read_u8()).await.expect("an end").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut again = TcpStream::connect(proxy.address()).await.expect("taken");
    assert!(ask(&mut again, b"x").await.is_err());
    proxy.set(Mode::Open);
    let mut again = TcpStream::connect(proxy.address()).await.expect("taken");
    assert_eq!(ask(&mut again, b"x").await.expect("an answer"), b"x");
}

#[tokio::test]
async fn a_stalled_link_is_silent_and_then_delivers_everything() {
    let (proxy, mut stream) = link().await;
    proxy.set(Mode::Stall);
    stream.write_all(b"waits").await.expect("taken");
    let mut newcomer = TcpStream::connect(proxy.address()).await.expect("taken");
    newcomer.write_all(b"too").await.expect("taken");
    assert!(is_silent(&mut stream).await && is_silent(&mut newcomer).await);
    proxy.set(Mode::Open);
    let mut answer = [0; 5];
    timeout(PATIENCE, stream.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(&answer, b"waits");
    let mut answer = [0; 3];
    timeout(PATIENCE, newcomer.read_exact(&mut answer)).await.expect("in time").expect("an answer");
    assert_eq!(&answer, b"too");
}

#[tokio::test]
async fn a_slow_link_delays_each_way_and_keeps_the_order() {
    let (proxy, mut stream) = link().await;
    proxy.set(Mode::Delay(Duration::from_millis(60)));
    let asked = Instant::now();
    assert_eq!(ask(&mut stream, b"slow").await.expect("an answer"), b"slow");
    assert!(asked.elapsed() >= Duration::from_millis(120), "{:?}", asked.elapsed());
    proxy.set(Mode::Open);
    assert_eq!(ask(&mut stream, b"fast").await.expect("an answer"), b"fast");
}

#[tokio::test]
async fn a_reset_ends_the_connections_of_now_and_no_later_ones() {
    let (proxy, mut stream) = link().await;
    proxy.reset();
    let error = timeout(PATIENCE, stream.read_u8()).await.expect("an end").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut again = TcpStream::connect(proxy.address()).await.expect("taken");
    assert_eq!(ask(&mut again, b"x").await.expect("an answer"), b"x");
}

#[tokio::test]
async fn the_near_side_of_a_half_open_link_hears_nothing_until_it_is_open_again() {
    let (proxy, mut stream) = link().await;
    proxy.set(Mode::HalfOpen);
    tokio::time::sleep(QUIET).await;
    stream.write_all(b"anybody?").await.expect("nobody has told it");
    assert!(is_silent(&mut stream).await);
    proxy.set(Mode::Open);
    let error = timeout(PATIENCE, stream.read_u8()).await.expect("an end").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let mut again = TcpStream::connect(proxy.address()).await.expect("taken");
    assert_eq!(ask(&mut again, b"x").await.expect("an answer"), b"x");
    assert_eq!(proxy.figures().0, 2);
}
