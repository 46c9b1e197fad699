//! A real HTTP/1.1 server on a loopback port for tests: directories under mount points, a log of
//! every request, and faults on demand.
//!
//! It runs on its own threads, so that a blocking test can talk to it (and BuildKit can open a
//! thousand connections at once), and stops when it is dropped.

mod body;
mod connection;
mod fault;
mod respond;
mod tls;
mod validators;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::oneshot;

pub use fault::{Fault, Times};
pub use tls::{AUTHORITY, Certificate};
pub use validators::Validators;

/// What a client must present to read below a mount point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Basic` with this user and password.
    Basic {
        /// User name.
        user: String,
        /// Password.
        password: String,
    },
    /// `Authorization: Bearer` with this token.
    Bearer(String),
    /// A conda token in the path: `/t/<token>/` in front of the mount point.
    Token(String),
}

/// One request as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// HTTP method.
    pub method: String,
    /// Path as sent (percent-encoded, without the query).
    pub path: String,
    /// Status of the response; 0 if the connection was reset instead.
    pub status: u16,
    /// The `If-None-Match` header.
    pub if_none_match: Option<String>,
    /// Whether it had an `Authorization` header.
    pub authorization: bool,
    /// Bytes of the response body handed to the connection so far.
    pub bytes: u64,
}

/// The server. Dropping it closes the port and every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    scheme: &'static str,
    state: Arc<State>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What the connections share.
#[derive(Debug, Default)]
struct State {
    mounts: Mutex<Vec<Mount>>,
    contents: Mutex<BTreeMap<String, Bytes>>,
    faults: Mutex<Vec<fault::Rule>>,
    validators: Mutex<Vec<(String, Validators)>>,
    log: Mutex<Vec<Entry>>,
}

#[derive(Clone, Debug)]
struct Mount {
    path: String,
    directory: PathBuf,
    auth: Option<Auth>,
}

/// An entry of the log; its byte count grows while the body is being sent.
#[derive(Debug)]
struct Entry {
    request: Request,
    sent: Arc<AtomicU64>,
}

impl Server {
    /// Starts a server on a free loopback port with nothing mounted.
    ///
    /// It is a proxy as well: it answers in the place of every server that a client asks it for. For those of
    /// `company.example` it opens TLS ([`Certificate::Proxied`]). In the log, a request for that has the method `CONNECT`
    /// and the server as its path.
    ///
    /// # Panics
    /// If no port can be bound or no thread started.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// The same for a server that speaks TLS, with this certificate.
    ///
    /// # Panics
    /// If no port can be bound or no thread started.
    pub fn start_tls(certificate: Certificate) -> Self {
        Self::start_with(Some(certificate))
    }

    fn start_with(certificate: Option<Certificate>) -> Self {
        let state = Arc::new(State::default());
        let (address_sender, address_receiver) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let thread = std::thread::Builder::new()
            .name("http-server".into())
            .spawn(move || connection::run(shared, certificate, &address_sender, stopped))
            .expect("a thread for the HTTP server");
        let address = address_receiver
            .recv()
            .expect("the HTTP server binds a loopback port");
        Self {
            address,
            scheme: if certificate.is_some() {
                "https"
            } else {
                "http"
            },
            state,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Serves `directory` below `path`, such as `/conda-forge`.
    pub fn mount(&self, path: &str, directory: impl AsRef<Path>) -> &Self {
        self.add_mount(path, directory.as_ref(), None)
    }

    /// Serves `directory` below `path` to clients that present `auth`.
    pub fn mount_private(&self, path: &str, directory: impl AsRef<Path>, auth: Auth) -> &Self {
        self.add_mount(path, directory.as_ref(), Some(auth))
    }

    fn add_mount(&self, path: &str, directory: &Path, auth: Option<Auth>) -> &Self {
        lock(&self.state.mounts).push(Mount {
            path: format!("/{}", path.trim_matches('/')),
            directory: directory.to_owned(),
            auth,
        });
        self
    }

    /// Serves `content` at exactly `path`, ahead of every mount.
    pub fn put(&self, path: &str, content: impl Into<Bytes>) -> &Self {
        let path = format!("/{}", path.trim_start_matches('/'));
        lock(&self.state.contents).insert(path, content.into());
        self
    }

    /// Answers requests whose path matches `pattern` (`*` matches any characters, including slashes)
    /// with a fault. The first matching fault that is not used up wins.
    pub fn fault(&self, pattern: &str, fault: Fault, times: Times) -> &Self {
        lock(&self.state.faults).push(fault::Rule::new(pattern, fault, times));
        self
    }

    /// Answers requests whose path matches `pattern` with these headers; the first pattern that matches wins. By default
    /// all responses except errors have both headers.
    pub fn validators(&self, pattern: &str, validators: Validators) -> &Self {
        lock(&self.state.validators).push((pattern.to_owned(), validators));
        self
    }

    /// Removes every fault.
    pub fn heal(&self) -> &Self {
        lock(&self.state.faults).clear();
        self
    }

    /// `127.0.0.1` and the port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of `path` on this server.
    pub fn url(&self, path: &str) -> String {
        let path = path.trim_start_matches('/');
        format!("{}://{}/{path}", self.scheme, self.address)
    }

    /// The requests since the start or the last [`Server::clear`], in order of arrival.
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.state.log)
            .iter()
            .map(|entry| Request {
                bytes: entry.sent.load(Ordering::SeqCst),
                ..entry.request.clone()
            })
            .collect()
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        lock(&self.state.log).clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl State {
    /// Logs a request. The returned counter counts the bytes of its response.
    fn record(&self, request: Request) -> Arc<AtomicU64> {
        let sent = Arc::new(AtomicU64::new(0));
        lock(&self.log).push(Entry {
            request,
            sent: Arc::clone(&sent),
        });
        sent
    }
}

/// A test that panicked elsewhere must not poison the server for the others.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
