//! The two threads, from start to stop.

use crate::config::IngestConfig;
use crate::news::{News, Work};
use crate::reader::Reader;
use crate::tally::{Tally, TallyLog};
use crate::writer::{Now, Writer};
use coronaz_bus::{RecordSource, SourceError};
use coronaz_store::Ingestion;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// The longest that one turn waits: how soon a stop or news of partitions are noticed.
const TURN_MAX: Duration = Duration::from_millis(20);

/// Why an ingest process ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The client to the broker cannot be used any more.
    #[error("reading from the topic failed")]
    Source(#[from] SourceError),
    /// No second thread.
    #[error("the operating system gives no thread to write from")]
    Thread(#[source] std::io::Error),
    /// Our own mistake.
    #[error("the writing thread has ended without being told to")]
    WriterGone,
}

/// Runs until `stop` is set, then stores what is on the topic by then (for [`IngestConfig::drain`] at most),
/// gives the partitions back and returns. A broker or a store that is away is waited for, for ever.
///
/// # Errors
/// When one of the two threads cannot go on; whoever supervises the process starts it again. Nothing is lost: what
/// is not stored is on the topic.
pub fn run<S: RecordSource>(
    source: S,
    store: Box<dyn Ingestion>,
    config: &IngestConfig,
    stop: &AtomicBool,
) -> Result<(), IngestError> {
    let clock = Clock(Instant::now());
    let tally = Arc::new(Tally::default());
    let writer = Writer::new(store, config, Arc::clone(&tally), clock.now());
    let reader = Reader::new(source, config, Arc::clone(&tally));
    let (work_sender, work_receiver) = sync_channel(config.partitions as usize);
    let (news_sender, news_receiver) = channel();
    let abandon = AtomicBool::new(false);
    thread::scope(|scope| {
        let abandoned = &abandon;
        let writing = thread::Builder::new()
            .name("store".to_owned())
            .spawn_scoped(scope, move || write(writer, clock, &work_receiver, &news_sender, abandoned))
            .map_err(IngestError::Thread)?;
        let read = read(reader, clock, config, &work_sender, &news_receiver, stop, &tally);
        // When not all could be stored in time, the writer does not try any longer either.
        abandon.store(!matches!(read, Ok(Ended::Drained)), Ordering::Relaxed);
        drop(work_sender);
        match (read, writing.join()) {
            (Err(error), _) => Err(error),
            (Ok(_), Err(_)) => Err(IngestError::WriterGone),
            (Ok(Ended::Drained), Ok(())) => {
                tracing::info!("everything on the topic is stored");
                Ok(())
            }
            (Ok(Ended::OutOfTime), Ok(())) => {
                tracing::warn!("stopped before everything was stored; the rest stays on the topic");
                Ok(())
            }
        }
    })
}

#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now(self) -> Now {
        Now { elapsed: self.0.elapsed(), wall_us: coronaz_wire::wall_clock::now_us() }
    }
}

enum Ended {
    Drained,
    OutOfTime,
}

fn read<S: RecordSource>(
    mut reader: Reader<S>,
    clock: Clock,
    config: &IngestConfig,
    works: &SyncSender<Work>,
    news: &Receiver<News>,
    stop: &AtomicBool,
    tally: &Tally,
) -> Result<Ended, IngestError> {
    let mut log = TallyLog::default();
    let mut stop_at = None;
    loop {
        loop {
            match news.try_recv() {
                Ok(news) => reader.hear(news)?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Err(IngestError::WriterGone),
            }
        }
        let now = clock.now();
        let mut gone = false;
        // There is room: one round is on its way at most, and the queue holds it.
        reader.turn(now, TURN_MAX, |work| gone |= works.send(work).is_err())?;
        if gone {
            return Err(IngestError::WriterGone);
        }
        log.tell(tally, now.elapsed);
        match stop_at {
            None if stop.load(Ordering::Relaxed) => {
                tracing::info!("stopping: storing what is on the topic");
                reader.begin_drain();
                stop_at = Some(now.elapsed + config.drain);
            }
            None => {}
            Some(_) if reader.is_drained() => return Ok(Ended::Drained),
            Some(at) if now.elapsed >= at => return Ok(Ended::OutOfTime),
            Some(_) => {}
        }
    }
}

fn write(
    mut writer: Writer,
    clock: Clock,
    works: &Receiver<Work>,
    news: &Sender<News>,
    abandon: &AtomicBool,
) {
    loop {
        let next = writer.turn(clock.now());
        for told in writer.take_news() {
            // The reader is gone only when the process ends; then nobody needs to hear.
            let _ = news.send(told);
        }
        let wait = next.saturating_sub(clock.now().elapsed).min(TURN_MAX);
        match works.recv_timeout(wait) {
            Ok(work) => {
                writer.give(work);
                // What waits is written together.
                works.try_iter().for_each(|work| writer.give(work));
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                if writer.is_idle() || abandon.load(Ordering::Relaxed) {
                    writer.finish(clock.now());
                    return;
                }
                thread::sleep(wait);
            }
        }
    }
}
