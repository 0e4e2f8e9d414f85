//! `coronaz serve`: the back-end and the page.

use std::{io::ErrorKind, net::SocketAddr, path::PathBuf, time::Duration};

use coronaz_devices::scenario;
use coronaz_server::{Config, Limits, Origin, Server, Token};
use coronaz_wire::Scenario;
use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
};

use crate::{
    failure::{Failure, chain},
    output::Output,
    store_args::StoreArgs,
};

/// A question to the store that still runs after all is drained is not waited for any longer.
const LEAVE_AFTER: Duration = Duration::from_millis(200);

/// Serve the page, the paper's /data, and the interface under /api/v1
///
/// Reading is open on this machine. Where others can reach the address, a token is needed: as
/// `Authorization: Bearer …`, or once at /login in a browser. There is no encryption here; put a proxy
/// with TLS in front, or a tunnel, before you let a token travel over a network.
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  coronaz serve --store sqlite:coronaz-data/store.db --listen 127.0.0.1:3000"
)]
pub(crate) struct Args {
    #[command(flatten)]
    place: StoreArgs,

    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:3000", value_name = "ADDR:PORT")]
    listen: SocketAddr,

    /// A folder with the built page [default: the page inside the program]
    #[arg(long, value_name = "DIR")]
    web_dir: Option<PathBuf>,

    /// A file with the operator's token: opens the operator's part, and lets others in who know it
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The control socket of the laboratory that this server belongs to: opens the operator's laboratory
    #[arg(long, value_name = "PATH", requires = "token_file")]
    control: Option<PathBuf>,

    /// A name under which a proxy in front passes requests on to this machine; repeatable. They need the token
    #[arg(long = "allow-host", value_name = "NAME", requires = "token_file", value_parser = host_name)]
    allow_hosts: Vec<String>,

    /// An origin whose pages may read /data and the interface, like `http://localhost:8080`; repeatable. It may read
    /// what needs no token, without credentials, and change nothing
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allow_origins: Vec<Origin>,

    /// Where sign-ins are kept, so that they outlive this process [default: nowhere]
    #[arg(long, value_name = "FILE", requires = "token_file")]
    session_file: Option<PathBuf>,
}

/// Serves until SIGINT or SIGTERM.
pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let store = args.place.location()?;
    let token = args.token_file.as_deref().map(Token::read).transpose();
    let token = token.map_err(|error| Failure::usage(chain(&error)))?;
    let config = Config {
        web_dir: args.web_dir,
        // Who cannot be told from a visitor deletes nothing.
        administered: token.is_some().then(|| store.clone()),
        token,
        control: args.control,
        scenarios: scenarios()?,
        allow_hosts: args.allow_hosts,
        allow_origins: args.allow_origins,
        session_file: args.session_file,
        limits: Limits::default(),
    };
    config.may_listen(args.listen).map_err(|error| Failure::usage(chain(&error)))?;
    let server = Server::new(store.queries(), config).map_err(|error| Failure::usage(chain(&error)))?;
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::internal(format!("no threads to work with: {error}")))?;
    let outcome = serve(&runtime, server, args.listen);
    runtime.shutdown_timeout(LEAVE_AFTER);
    // The last process of a laboratory that uses the store is this one, which only reads. One that may not write, or
    // finds no store, leaves it as it is.
    if let Err(error) = store.settle() {
        tracing::debug!(error = chain(&error), "the store's log stays beside its file");
    }
    outcome
}

/// The scenarios that need no file.
fn scenarios() -> Result<Vec<Scenario>, Failure> {
    let load = |(name, _)| scenario::load(name).map_err(|error| Failure::internal(chain(&error)));
    scenario::BUILT_IN.into_iter().map(load).collect()
}

/// A host's name, as a command line gives it.
pub(crate) fn host_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c));
    if fits { Ok(text.to_owned()) } else { Err("a host's name alone, without scheme and port".to_owned()) }
}

fn serve(runtime: &Runtime, server: Server, address: SocketAddr) -> Result<(), Failure> {
    runtime.block_on(async {
        let no_signals = |error| Failure::internal(format!("signals cannot be received: {error}"));
        let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
        let listener = TcpListener::bind(address).await.map_err(|error| cannot_listen(address, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_listen(address, &error))?;
        announce(address);
        let stop = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping");
        };
        server.run(listener, stop).await.map_err(|error| Failure::unavailable(chain(&error)))
    })
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Failure {
    Failure::unavailable(match error.kind() {
        ErrorKind::AddrInUse => {
            format!("{address} is in use; stop what listens there, or choose another with --listen ADDR:PORT")
        }
        ErrorKind::PermissionDenied => {
            format!("this user may not listen on {address}; ports below 1024 need a privilege")
        }
        ErrorKind::AddrNotAvailable => format!("{} is no address of this machine", address.ip()),
        _ => format!("cannot listen on {address}: {error}"),
    })
}

/// Says where the page is, for people and for programs that wait for it.
fn announce(address: SocketAddr) {
    // A closed standard output is no reason not to serve.
    Output::stdout().line(format_args!("listening on http://{address}"));
}
