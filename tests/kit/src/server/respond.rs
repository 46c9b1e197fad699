//! One request, one response.

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{
    AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use hyper::{Method, Response, StatusCode};
use sha2::{Digest, Sha256};

use super::body::{CountedBody, End, Source};
use super::connection::Reset;
use super::fault::{self, Fault};
use super::validators::Version;
use super::{Auth, Mount, Request, State, lock};

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\
<body><h1>Sign in to continue</h1></body></html>\n";

/// A response before it is logged and cut.
struct Answer {
    status: StatusCode,
    source: Source,
    length: u64,
    content_type: &'static str,
    version: Version,
    challenge: Option<&'static str>,
    /// Seconds.
    retry_after: Option<u64>,
    /// Where to look instead.
    location: Option<String>,
}

/// Answers `request`, or resets the connection (the error ends it).
pub(super) async fn respond(
    state: &State,
    reset: &Reset,
    request: &hyper::Request<Incoming>,
) -> io::Result<Response<CountedBody>> {
    let path = request.uri().path().to_owned();
    let fault = fault::find(&mut lock(&state.faults), &path);
    let mut entry = entry(request, &path);
    let mut end = End::Whole;
    let mut answer = match fault {
        Some(Fault::Reset) => {
            state.record(entry);
            reset.ask();
            return Err(io::Error::other("connection reset on demand"));
        }
        Some(Fault::Status(code)) => {
            let status = StatusCode::from_u16(code).expect("a fault's status is a valid one");
            Answer::text(status)
        }
        Some(Fault::Busy(time)) => Answer {
            retry_after: Some(time.as_secs().max(1)),
            ..Answer::text(StatusCode::TOO_MANY_REQUESTS)
        },
        Some(Fault::Html) => Answer {
            content_type: "text/html; charset=utf-8",
            ..Answer::bytes(Bytes::from_static(HTML.as_bytes()))
        },
        Some(Fault::Content(bytes)) => Answer::bytes(bytes),
        Some(Fault::ShortBody) => {
            end = End::Breaks;
            find(state, request, &path).await
        }
        Some(Fault::LongLength) => {
            end = End::Claims(1 << 40);
            find(state, request, &path).await
        }
        Some(Fault::Stall) => {
            end = End::Stalls;
            find(state, request, &path).await
        }
        Some(Fault::Drip(time)) => {
            end = End::Drips(time);
            find(state, request, &path).await
        }
        Some(Fault::Redirect(address)) => Answer {
            location: Some(address),
            ..Answer::text(StatusCode::FOUND)
        },
        Some(Fault::Half) => {
            let answer = find(state, request, &path).await;
            Answer {
                length: answer.length / 2,
                ..answer
            }
        }
        Some(Fault::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            find(state, request, &path).await
        }
        None => find(state, request, &path).await,
    };

    answer.version = answer.version.chosen(&lock(&state.validators), &path);
    if let (Some(etag), Some(known)) = (&answer.version.etag, &entry.if_none_match)
        && known.split(',').any(|known| known.trim() == etag)
        && answer.status == StatusCode::OK
        && matches!(end, End::Whole)
    {
        answer.status = StatusCode::NOT_MODIFIED;
        answer.source = Source::Bytes(Bytes::new());
        answer.length = 0;
    }
    entry.status = answer.status.as_u16();
    let sent = state.record(entry);

    let mut response = Response::builder()
        .status(answer.status)
        .header(CONTENT_TYPE, answer.content_type);
    if let Some(etag) = &answer.version.etag {
        response = response.header(ETAG, etag);
    }
    if let Some(modified) = answer.version.modified {
        response = response.header(LAST_MODIFIED, httpdate::fmt_http_date(modified));
    }
    if let Some(seconds) = answer.retry_after {
        response = response.header(RETRY_AFTER, seconds);
    }
    if let Some(address) = &answer.location {
        response = response.header(LOCATION, address);
    }
    if let Some(challenge) = answer.challenge {
        response = response.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    // hyper drops the body of a response to HEAD and keeps its length.
    let body = if request.method() == Method::HEAD {
        CountedBody::new(answer.source, answer.length, End::Whole, sent)
    } else {
        CountedBody::new(answer.source, answer.length, end, sent)
    };
    response.body(body).map_err(io::Error::other)
}

/// Tells a client that a proxy has connected it with the server that `request` names.
pub(super) fn accept_tunnel(
    state: &State,
    request: &hyper::Request<Incoming>,
) -> Response<CountedBody> {
    let entry = Request {
        status: StatusCode::OK.as_u16(),
        ..entry(request, &request.uri().to_string())
    };
    let nothing = Source::Bytes(Bytes::new());
    let body = CountedBody::new(nothing, 0, End::Whole, state.record(entry));
    Response::new(body)
}

/// A request in the log, before it has been answered.
fn entry(request: &hyper::Request<Incoming>, path: &str) -> Request {
    Request {
        method: request.method().to_string(),
        path: path.to_owned(),
        status: 0,
        if_none_match: header(request, &IF_NONE_MATCH),
        authorization: request.headers().contains_key(AUTHORIZATION),
        bytes: 0,
    }
}

impl Answer {
    fn bytes(bytes: Bytes) -> Self {
        let digest = Sha256::digest(&bytes);
        Self {
            status: StatusCode::OK,
            length: bytes.len() as u64,
            source: Source::Bytes(bytes),
            content_type: "application/octet-stream",
            version: Version::new(format!("\"{}\"", hex::encode(&digest[..16])), UNIX_EPOCH),
            challenge: None,
            retry_after: None,
            location: None,
        }
    }

    fn text(status: StatusCode) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            version: Version::default(),
            ..Self::bytes(format!("{status}\n").into())
        }
    }
}

/// The response without faults.
async fn find(state: &State, request: &hyper::Request<Incoming>, path: &str) -> Answer {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Answer::text(StatusCode::METHOD_NOT_ALLOWED);
    }
    let content = lock(&state.contents).get(path).cloned();
    if let Some(content) = content {
        let mut answer = Answer::bytes(content);
        if path.ends_with('/') {
            // Content put at a folder's path is a page of a package index.
            answer.content_type = "text/html; charset=utf-8";
        }
        return answer;
    }
    let (token, path) = split_token(path);
    let mount = lock(&state.mounts)
        .iter()
        .filter(|mount| below(&mount.path, path).is_some())
        .max_by_key(|mount| mount.path.len())
        .cloned();
    let Some(mount) = mount else {
        return Answer::text(StatusCode::NOT_FOUND);
    };
    if let Some(refusal) = refuse(&mount, token, header(request, &AUTHORIZATION).as_deref()) {
        return refusal;
    }
    match below(&mount.path, path).and_then(|rest| file_path(&mount.directory, rest)) {
        Some(path) => file(&path).await,
        None => Answer::text(StatusCode::NOT_FOUND),
    }
}

/// The refusal, if the client may not read below this mount.
fn refuse(mount: &Mount, token: Option<&str>, authorization: Option<&str>) -> Option<Answer> {
    let (shown, challenge) = match mount.auth.as_ref()? {
        Auth::Basic { user, password } => {
            let pair =
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            let expected = format!("Basic {pair}");
            (authorization == Some(&expected), "Basic realm=\"channel\"")
        }
        Auth::Bearer(token) => {
            let expected = format!("Bearer {token}");
            (authorization == Some(&expected), "Bearer realm=\"channel\"")
        }
        Auth::Token(expected) => {
            let header = format!("token {expected}");
            let shown = token == Some(expected) || authorization == Some(&header);
            (shown, "Token realm=\"channel\"")
        }
    };
    (!shown).then(|| Answer {
        challenge: Some(challenge),
        ..Answer::text(StatusCode::UNAUTHORIZED)
    })
}

/// A file, or a folder's page.
async fn file(path: &Path) -> Answer {
    let page = path.join("index.html");
    let path = if path.is_dir() { &page } else { path };
    let Ok(file) = tokio::fs::File::open(path).await else {
        return Answer::text(StatusCode::NOT_FOUND);
    };
    let Ok(metadata) = file.metadata().await else {
        return Answer::text(StatusCode::NOT_FOUND);
    };
    if !metadata.is_file() {
        return Answer::text(StatusCode::NOT_FOUND);
    }
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let nanoseconds = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
    Answer {
        status: StatusCode::OK,
        length: metadata.len(),
        source: Source::File(file),
        content_type: content_type(path),
        version: Version::new(
            format!("\"{:x}-{:x}\"", metadata.len(), nanoseconds.as_nanos()),
            modified,
        ),
        challenge: None,
        retry_after: None,
        location: None,
    }
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        Some("bz2") => "application/x-bzip2",
        Some("zst") => "application/zstd",
        _ => "application/octet-stream",
    }
}

fn header(request: &hyper::Request<Incoming>, name: &hyper::header::HeaderName) -> Option<String> {
    let value = request.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Takes a conda token, `/t/<token>`, off the front of a path.
fn split_token(path: &str) -> (Option<&str>, &str) {
    let split = path
        .strip_prefix("/t/")
        .and_then(|rest| rest.split_at_checked(rest.find('/')?));
    match split {
        Some((token, rest)) => (Some(token), rest),
        None => (None, path),
    }
}

/// The rest of `path` below `mount`.
fn below<'a>(mount: &str, path: &'a str) -> Option<&'a str> {
    path.strip_prefix(mount.trim_end_matches('/'))
        .filter(|rest| rest.starts_with('/'))
}

/// The file that a request path names, unless the path would leave the directory.
fn file_path(directory: &Path, path: &str) -> Option<PathBuf> {
    let path = percent_decode(path)?;
    let mut result = directory.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if part == ".." || part.contains('\0') {
            return None;
        }
        result.push(part);
    }
    Some(result)
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next()?, bytes.next()?];
            decoded.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        assert_eq!(split_token("/t/abc/c/x"), (Some("abc"), "/c/x"));
        assert_eq!(split_token("/t/abc"), (None, "/t/abc"));
        assert_eq!(split_token("/c/x"), (None, "/c/x"));
    }

    #[test]
    fn paths_stay_inside() {
        let path = |path| file_path(Path::new("/d"), path);
        assert_eq!(path("/a/b%2Bc"), Some(PathBuf::from("/d/a/b+c")));
        assert_eq!(path("/a/../../etc"), None);
        assert_eq!(path("/%2e%2e/etc"), None);
        assert_eq!(below("/c", "/cd/x"), None);
        assert_eq!(below("/", "/x"), Some("/x"));
    }
}
