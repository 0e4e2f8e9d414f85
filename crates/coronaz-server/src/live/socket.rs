//! One visitor's live connection.

use std::{
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::{
        State,
        ws::{
            CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code,
            rejection::WebSocketUpgradeRejection,
        },
    },
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use coronaz_store::{At, view};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::MissedTickBehavior,
};
use uuid::Uuid;

use super::{
    Picture,
    conversation::{Conversation, Seek},
    hub::{Hub, Room, View},
    message::{FromVisitor, ToVisitor},
    window::Window,
};
use crate::{app::App, extract::Path, guard, problem::Problem, rest, server::told_to_stop};

/// The longest message a visitor has to send is a window with all whom he keeps an eye on.
const MESSAGE_BYTES_MAX: usize = 4096;
/// A visitor who takes longer to receive a frame is not watching any more.
const SEND_TIME_MAX: Duration = Duration::from_secs(20);
/// A seek that found the store away is tried again so often, until it is answered or no longer wanted.
const SEEK_RETRY_EVERY: Duration = Duration::from_millis(500);

type Answer = Pin<Box<dyn Future<Output = (Seek, Option<Arc<Picture>>)> + Send>>;

/// Opens a live connection; what is refused is logged.
pub(crate) async fn connect(
    State(app): State<App>,
    run: Result<Path<Uuid>, Problem>,
    uri: Uri,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let connected = open(&app, run, &uri, &headers, upgrade).await;
    connected.inspect_err(|problem| app.guard().refused_live(&headers, problem))
}

async fn open(
    app: &App,
    run: Result<Path<Uuid>, Problem>,
    uri: &Uri,
    headers: &HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let Path(run) = run?;
    let upgrade = upgrade.map_err(|_| {
        Problem::new(StatusCode::UPGRADE_REQUIRED).detail("this is a WebSocket: connect with ws:// or wss://")
    })?;
    if !guard::is_same_origin(headers, uri) {
        let elsewhere =
            "only this server's own page may connect; a proxy in front has to leave Host as it is";
        return Err(Problem::new(StatusCode::FORBIDDEN).detail(elsewhere));
    }
    let Ok(place) = app.hub().places.clone().try_acquire_owned() else {
        return Err(Problem::unavailable());
    };
    let (room, about) = app.hub().join(run).await?;
    let upgrade = upgrade.max_message_size(MESSAGE_BYTES_MAX).max_frame_size(MESSAGE_BYTES_MAX);
    let app = app.clone();
    Ok(upgrade.on_upgrade(move |socket| Visit::begin(app, room, about, place, socket)).into_response())
}

struct Visit {
    hub: Arc<Hub>,
    room: Arc<Room>,
    view: watch::Receiver<View>,
    sink: SplitSink<WebSocket, Message>,
    conversation: Conversation,
    /// What of a picture the visitor looks at; without one, at everybody.
    window: Option<Arc<Window>>,
    /// The picture that was sent last.
    shown: Option<Arc<Picture>>,
    /// The picture of another moment that was sent before it: where people glide from.
    before: Option<Arc<Picture>>,
    /// The run that is shown when none is named, as the visitor knows.
    default_run: Option<Uuid>,
    /// The store being asked for a moment.
    asking: Option<Answer>,
    heard_at: Instant,
    silence_max: Duration,
    _place: OwnedSemaphorePermit,
}

/// How a visit ends: with a code, unless the connection is gone.
type End = Option<u16>;

impl Visit {
    async fn begin(
        app: App,
        room: Arc<Room>,
        about: view::Run,
        place: OwnedSemaphorePermit,
        socket: WebSocket,
    ) {
        let (sink, stream) = socket.split();
        let mut visit = Visit {
            hub: app.hub().clone(),
            view: room.view.clone(),
            room,
            sink,
            conversation: Conversation::new(),
            window: None,
            shown: None,
            before: None,
            default_run: None,
            asking: None,
            heard_at: Instant::now(),
            silence_max: app.limits().silence_max,
            _place: place,
        };
        let hello = ToVisitor::Hello { run: &rest::Run::from(about) }.text();
        let end = match visit.send(Message::text(hello)).await {
            ControlFlow::Continue(()) => visit.talk(stream, app.stopping()).await,
            ControlFlow::Break(end) => end,
        };
        if let Some(code) = end {
            let close = Message::Close(Some(CloseFrame { code, reason: "".into() }));
            // Who does not take the farewell either is gone.
            let _ = visit.send(close).await;
        }
    }

    async fn talk(&mut self, mut stream: SplitStream<WebSocket>, mut stopping: watch::Receiver<bool>) -> End {
        let mut pings = tokio::time::interval(self.silence_max / 3);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            if let ControlFlow::Break(end) = self.serve().await {
                return end;
            }
            let push_at = self.push_at();
            let wait_to_push = tokio::time::sleep_until(push_at.unwrap_or_else(Instant::now).into());
            let step = tokio::select! {
                message = stream.next() => self.hear(message),
                changed = self.view.changed() => match changed {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(Some(close_code::AWAY)),
                },
                () = wait_to_push, if push_at.is_some() => ControlFlow::Continue(()),
                (seek, picture) = answered(&mut self.asking), if self.asking.is_some() => {
                    self.asking = None;
                    self.answer(seek, picture).await
                }
                _ = pings.tick() => self.ping().await,
                () = told_to_stop(&mut stopping) => ControlFlow::Break(Some(close_code::AWAY)),
            };
            if let ControlFlow::Break(end) = step {
                return end;
            }
        }
    }

    /// Sends what is due, and asks for what the visitor wants.
    async fn serve(&mut self) -> ControlFlow<End> {
        let View { picture, default_run } = self.view.borrow_and_update().clone();
        if default_run != self.default_run {
            let is_news = self.default_run.is_some();
            self.default_run = default_run;
            if is_news {
                self.send(Message::text(ToVisitor::RunsChanged.text())).await?;
            }
        }
        if self.asking.is_none()
            && let Some(seek) = self.conversation.seek()
        {
            let shown = self.shown.clone().filter(|picture| picture.moment() == seek.moment);
            self.asking = Some(Box::pin(ask(self.hub.clone(), self.room.clone(), seek, shown)));
        }
        let now = Instant::now();
        if let Some(picture) = picture
            && self.conversation.push_at(picture.moment(), now).is_some_and(|at| at <= now)
        {
            let seq = self.conversation.push(picture.moment(), now);
            let latest = picture.latest();
            self.show(picture, seq, 0, latest).await?;
        }
        ControlFlow::Continue(())
    }

    /// When the picture that is there may be pushed.
    fn push_at(&self) -> Option<Instant> {
        let moment = self.view.borrow().picture.as_ref()?.moment();
        self.conversation.push_at(moment, Instant::now())
    }

    async fn answer(&mut self, seek: Seek, picture: Option<Arc<Picture>>) -> ControlFlow<End> {
        if !self.conversation.awaits(seek) {
            return ControlFlow::Continue(());
        }
        let Some(picture) = picture else {
            self.conversation.answer_missing();
            return self.send(Message::text(ToVisitor::Missing { request: seek.request }.text())).await;
        };
        let latest = self.view.borrow().picture.as_ref().map_or(0, |newest| newest.latest());
        let seq = self.conversation.answer(seek);
        self.show(picture, seq, seek.request, latest).await
    }

    /// Sends what the visitor's window shows of a picture.
    async fn show(&mut self, picture: Arc<Picture>, seq: u32, request: u32, latest: u32) -> ControlFlow<End> {
        if self.shown.as_ref().is_none_or(|shown| shown.moment() != picture.moment()) {
            self.before = self.shown.replace(picture.clone());
        }
        let frame = match self.window.clone() {
            None => picture.frame(seq, request, latest),
            Some(window) => match self.hub.cut(picture.clone(), window, self.before.clone()).await {
                Some(cut) => picture.frame_of(&cut, seq, request, latest),
                None => return ControlFlow::Break(Some(close_code::ERROR)),
            },
        };
        self.send(Message::Binary(frame)).await
    }

    fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> ControlFlow<End> {
        self.heard_at = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => match serde_json::from_str::<FromVisitor>(&text) {
                Ok(message) => self.take_note(&message),
                Err(error) => {
                    tracing::debug!(%error, "a live connection said what nobody understands");
                    ControlFlow::Break(Some(close_code::POLICY))
                }
            },
            Some(Ok(Message::Binary(_))) => ControlFlow::Break(Some(close_code::UNSUPPORTED)),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => ControlFlow::Continue(()),
            Some(Ok(Message::Close(_))) | None => ControlFlow::Break(None),
            Some(Err(error)) => {
                tracing::debug!(%error, "a live connection broke");
                ControlFlow::Break(Some(close_code::POLICY))
            }
        }
    }

    fn take_note(&mut self, message: &FromVisitor) -> ControlFlow<End> {
        if let FromVisitor::View { window } = message {
            if window.as_ref().is_some_and(|window| !window.is_sound()) {
                tracing::debug!(?window, "a live connection asked for a window that cannot be");
                return ControlFlow::Break(Some(close_code::POLICY));
            }
            self.window = window.clone().map(Arc::new);
        }
        self.conversation.hear(message);
        ControlFlow::Continue(())
    }

    async fn ping(&mut self) -> ControlFlow<End> {
        if self.heard_at.elapsed() > self.silence_max {
            return ControlFlow::Break(Some(close_code::POLICY));
        }
        self.send(Message::Ping(Bytes::new())).await
    }

    async fn send(&mut self, message: Message) -> ControlFlow<End> {
        let bytes = match &message {
            Message::Binary(frame) => frame.len(),
            _ => 0,
        };
        let hub = self.hub.clone();
        let sent = async {
            let _room = hub.room_to_send(bytes).await;
            self.sink.send(message).await
        };
        match tokio::time::timeout(SEND_TIME_MAX, sent).await {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_)) | Err(_) => ControlFlow::Break(None),
        }
    }
}

async fn answered(asking: &mut Option<Answer>) -> (Seek, Option<Arc<Picture>>) {
    match asking {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

/// Finds a moment, unless it is the one `shown`; as long as the store is away, tries again.
async fn ask(
    hub: Arc<Hub>,
    room: Arc<Room>,
    seek: Seek,
    shown: Option<Arc<Picture>>,
) -> (Seek, Option<Arc<Picture>>) {
    if shown.is_some() {
        return (seek, shown);
    }
    loop {
        let (run, field) = (room.run, room.field);
        let found = hub.readers.ask(move |store| {
            let crowd = store.crowd(run, At::Moment(seek.moment))?;
            Ok(crowd.map(|crowd| Arc::new(Picture::new(&crowd, field))))
        });
        match found.await {
            Ok(picture) => return (seek, picture),
            Err(error) if error.is_about_the_request() => return (seek, None),
            Err(_) => tokio::time::sleep(SEEK_RETRY_EVERY).await,
        }
    }
}
