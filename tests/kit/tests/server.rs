//! The server does what it is configured to do, as seen through plain sockets.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use condafront_testkit::server::{Auth, Fault, Server, Times};

/// Sends a request for `path` and reads until the server closes.
fn exchange(server: &Server, method: &str, path: &str, headers: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(server.address())?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn get(server: &Server, path: &str) -> String {
    exchange(server, "GET", path, "").expect("an answer")
}

/// Status code and body.
fn parts(answer: &str) -> (u16, &str) {
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).expect("a status line");
    (status.parse().expect("a number"), body)
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| {
        let (field, value) = line.split_once(':')?;
        field.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn server() -> (Server, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("noarch")).expect("a folder");
    std::fs::write(folder.path().join("noarch/a.conda"), "0123456789").expect("a file");
    let server = Server::start();
    server.mount("/c", folder.path());
    (server, folder)
}

#[test]
fn files_with_revalidation() {
    let (server, _folder) = server();
    let answer = get(&server, "/c/noarch/a.conda");
    assert_eq!(parts(&answer), (200, "0123456789"));
    assert_eq!(header(&answer, "content-length"), Some("10"));
    assert!(header(&answer, "last-modified").is_some());
    let etag = header(&answer, "etag").expect("an ETag").to_owned();

    let known = format!("If-None-Match: {etag}\r\n");
    let answer = exchange(&server, "GET", "/c/noarch/a.conda", &known).expect("an answer");
    assert_eq!(parts(&answer), (304, ""));
    let answer = exchange(&server, "HEAD", "/c/noarch/a.conda", "").expect("an answer");
    assert_eq!(parts(&answer), (200, ""));
    assert_eq!(header(&answer, "content-length"), Some("10"));
    assert_eq!(parts(&get(&server, "/c/noarch/none")).0, 404);
    assert_eq!(parts(&get(&server, "/c/../c/noarch/a.conda")).0, 404);

    let log = server.requests();
    let seen: Vec<_> = log
        .iter()
        .map(|request| (request.method.as_str(), request.status, request.bytes))
        .collect();
    assert_eq!(
        seen[..3],
        [("GET", 200, 10), ("GET", 304, 0), ("HEAD", 200, 0)]
    );
    assert_eq!(log[1].if_none_match.as_deref(), Some(etag.as_str()));
    server.clear();
    assert!(server.requests().is_empty());
}

#[test]
fn status_for_the_first_requests() {
    let (server, _folder) = server();
    server.fault("*.conda", Fault::Status(503), Times::First(2));
    let codes: Vec<u16> = (0..3)
        .map(|_| parts(&get(&server, "/c/noarch/a.conda")).0)
        .collect();
    assert_eq!(codes, [503, 503, 200]);
}

#[test]
fn reset_and_short_body() {
    let (server, _folder) = server();
    server.fault("*", Fault::Reset, Times::First(1));
    let error = exchange(&server, "GET", "/c/noarch/a.conda", "").expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(server.requests()[0].status, 0);

    server.fault("*", Fault::ShortBody, Times::First(1));
    let answer = get(&server, "/c/noarch/a.conda");
    assert_eq!(header(&answer, "content-length"), Some("10"));
    assert_eq!(parts(&answer), (200, "01234"));
    assert_eq!(parts(&get(&server, "/c/noarch/a.conda")).1, "0123456789");
}

#[test]
fn other_contents() {
    let (server, _folder) = server();
    server.fault("*", Fault::Html, Times::Always);
    let answer = get(&server, "/c/noarch/a.conda");
    assert_eq!(parts(&answer).0, 200);
    assert!(parts(&answer).1.contains("<html>"));
    assert_eq!(
        header(&answer, "content-type"),
        Some("text/html; charset=utf-8")
    );
    server.heal();
    server.fault("*", Fault::Content("others".into()), Times::Always);
    assert_eq!(parts(&get(&server, "/c/noarch/a.conda")), (200, "others"));
    server.heal().put("/lock", "@EXPLICIT\n");
    assert_eq!(parts(&get(&server, "/lock")), (200, "@EXPLICIT\n"));
}

#[test]
fn slow_answers_come_late() {
    let (server, _folder) = server();
    let delay = Duration::from_millis(300);
    server.fault("*", Fault::Slow(delay), Times::Always);
    let start = std::time::Instant::now();
    assert_eq!(parts(&get(&server, "/c/noarch/a.conda")).0, 200);
    assert!(start.elapsed() >= delay);
}

#[test]
fn private_mounts() {
    let (server, folder) = server();
    let basic = Auth::Basic {
        user: "user".into(),
        password: "pass".into(),
    };
    server
        .mount_private("/basic", folder.path(), basic)
        .mount_private("/bearer", folder.path(), Auth::Bearer("b".into()))
        .mount_private("/token", folder.path(), Auth::Token("tk".into()));
    let code = |path: &str, headers: &str| {
        parts(&exchange(&server, "GET", path, headers).expect("an answer")).0
    };
    let right = "Authorization: Basic dXNlcjpwYXNz\r\n";
    assert_eq!(code("/basic/noarch/a.conda", ""), 401);
    assert_eq!(code("/basic/noarch/a.conda", right), 200);
    assert_eq!(code("/bearer/noarch/a.conda", right), 401);
    let right = "Authorization: Bearer b\r\n";
    assert_eq!(code("/bearer/noarch/a.conda", right), 200);
    assert_eq!(code("/token/noarch/a.conda", ""), 401);
    assert_eq!(code("/t/wrong/token/noarch/a.conda", ""), 401);
    assert_eq!(code("/t/tk/token/noarch/a.conda", ""), 200);
    let right = "Authorization: token tk\r\n";
    assert_eq!(code("/token/noarch/a.conda", right), 200);
    assert!(server.requests()[1].authorization);
    assert!(!server.requests()[0].authorization);
}

#[test]
fn a_thousand_connections_at_once() {
    let (server, _folder) = server();
    let mut streams: Vec<TcpStream> = (0..1000)
        .map(|_| TcpStream::connect(server.address()).expect("a connection"))
        .collect();
    for stream in &mut streams {
        write!(
            stream,
            "GET /c/noarch/a.conda HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .expect("a request");
    }
    for stream in &mut streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert_eq!(parts(&answer), (200, "0123456789"));
    }
    assert_eq!(server.requests().len(), 1000);
}

#[test]
fn dropping_closes_the_port() {
    let (server, _folder) = server();
    let address = server.address();
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}
