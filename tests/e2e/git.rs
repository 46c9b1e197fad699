//! Git servers on a loopback port.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use condafront_testkit::apt::debian_root;
use condafront_testkit::engine::run;

use crate::image::Image;
use crate::project::Project;

/// How long a client may send nothing.
const PATIENCE: Duration = Duration::from_mins(1);

/// Serves every repository below a folder, until it is dropped.
pub(crate) struct GitServer {
    scheme: &'static str,
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl GitServer {
    /// Serves them with git's daemon.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::answering("git", folder, answer)
    }

    /// Serves them over HTTP to clients that send `login` in the header `Authorization`.
    pub(crate) fn start_private(folder: &Path, login: &str) -> Self {
        let login = login.to_owned();
        Self::answering("http", folder, move |connection, folder| {
            let login = login.clone();
            // A client may open a connection while it has another.
            std::thread::spawn(move || {
                // One that goes away needs no answer.
                let _ = answer_http(connection, &folder, &login);
            });
        })
    }

    fn answering(
        scheme: &'static str,
        folder: &Path,
        answer: impl Fn(TcpStream, PathBuf) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("the port's number");
        let ended = Arc::new(AtomicBool::new(false));
        let (folder, stop) = (folder.to_owned(), Arc::clone(&ended));
        let thread = std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                answer(connection, folder.clone());
            }
        });
        Self {
            scheme,
            address,
            ended,
            thread: Some(thread),
        }
    }

    /// The URL of a repository.
    pub(crate) fn url(&self, repository: &str) -> String {
        format!("{}://{}/{repository}", self.scheme, self.address)
    }

    /// Its host and port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread, which then stops.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Answers one connection until it ends: a client opens them one after the other.
fn answer(connection: TcpStream, folder: PathBuf) {
    let input = connection.try_clone().expect("a second handle");
    let mut base = std::ffi::OsString::from("--base-path=");
    base.push(folder);
    Command::new("git")
        .args(["daemon", "--inetd", "--export-all"])
        .arg(base)
        .stdin(Stdio::from(OwnedFd::from(input)))
        .stdout(Stdio::from(OwnedFd::from(connection)))
        .stderr(Stdio::null())
        .status()
        .expect("git runs");
}

/// Answers one request with git's own program for web servers (git-http-backend(1)).
fn answer_http(mut connection: TcpStream, folder: &Path, login: &str) -> std::io::Result<()> {
    connection.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(connection.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default().to_owned();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let header = |name: &str| headers.get(name).map_or("", String::as_str);
    if header("authorization") != login {
        let answer = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        return connection.write_all(answer.as_bytes());
    }
    let mut body = Vec::new();
    if header("transfer-encoding") == "chunked" {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size)?;
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            reader.by_ref().take(size).read_to_end(&mut body)?;
            reader.read_line(&mut String::new())?;
            if size == 0 {
                break;
            }
        }
    } else {
        let size = header("content-length").parse().unwrap_or(0);
        reader.take(size).read_to_end(&mut body)?;
    }
    let mut backend = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", folder)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("HTTP_GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut input = backend.stdin.take().expect("a pipe");
    let writing = std::thread::spawn(move || input.write_all(&body));
    let output = backend.wait_with_output()?;
    drop(writing.join());
    let text = output.stdout;
    let end = text.windows(4).position(|four| four == b"\r\n\r\n");
    let head = String::from_utf8_lossy(&text[..end.unwrap_or(text.len())]).into_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: "));
    let status = status.unwrap_or("200 OK");
    write!(connection, "HTTP/1.1 {status}\r\nConnection: close\r\n")?;
    connection.write_all(&text)
}

/// A base image like the usual one, with git from the same release of Debian.
pub(crate) fn base_with_git(project: &Project) -> Image<'_> {
    const PATH: &str = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let root = debian_root("git-root-1", &["git"]);
    let tag = format!("{}-git", project.name());
    project
        .docker(&["import", "--change", PATH, &root.to_string_lossy(), &tag])
        .expect_success();
    Image::named(project, tag)
}

/// Makes `folder` a repository with everything committed to the branch `main`. Returns the commit's hash.
pub(crate) fn commit_all(folder: &Path) -> String {
    let git = |args: &[&str]| {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=test", "-c", "user.email=test@example.org"])
            .args(args);
        run(&mut command).expect_success().stdout
    };
    git(&["init", "--quiet", "--initial-branch", "main"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--no-gpg-sign", "--message", "all"]);
    git(&["rev-parse", "HEAD"]).trim().to_owned()
}
