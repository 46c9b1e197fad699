//! Whether pip found nothing because it could not reach its index.

use super::process;

/// What pip says when no index has a package, which includes indexes that it could not reach.
const NOTHING: &str = "(from versions: none)";

/// The last of pip's tries. What was broken before it was perhaps reached later.
const LAST_TRY: &str = "Retry(total=0,";

/// What urllib3 and the system say, and what that means. The first that is in the text counts.
const CAUSES: &[(&str, &str)] = &[
    (
        "Tunnel connection failed",
        "the proxy refused the connection",
    ),
    ("Cannot connect to proxy", "the proxy cannot be reached"),
    ("Unable to connect to proxy", "the proxy cannot be reached"),
    ("Failed to resolve", "its name cannot be resolved"),
    ("failure in name resolution", "its name cannot be resolved"),
    ("Name or service not known", "its name cannot be resolved"),
    ("Name does not resolve", "its name cannot be resolved"),
    (
        "No address associated with hostname",
        "its name cannot be resolved",
    ),
    ("Connection refused", "it refused the connection"),
    ("Network is unreachable", "there is no network"),
    ("No route to host", "there is no route to it"),
    ("timed out", "the connection timed out"),
    ("timeout=", "the connection timed out"),
    ("Connection reset by peer", "it closed the connection"),
    (
        "closed connection without response",
        "it closed the connection",
    ),
];

/// That an index could not be reached, with its name and the cause, if that is why pip found nothing.
pub(super) fn find(output: &str) -> Option<String> {
    if !output.contains(NOTHING) {
        return None;
    }
    let mut lines = output.lines();
    let line = lines.rfind(|line| {
        line.contains(LAST_TRY) && line.contains("connection broken by")
            || line.contains("Could not fetch URL") && line.contains("connection error")
    })?;
    let server = server(line).unwrap_or_else(|| "the index".to_owned());
    let cause = CAUSES.iter().find(|(words, _)| line.contains(words));
    let cause = cause.map(|(_, cause)| format!(": {cause}"));
    Some(format!(
        "no connection to {server}{}",
        cause.unwrap_or_default()
    ))
}

/// The server that a line is about.
fn server(line: &str) -> Option<String> {
    // Before the error, pip shows which try it was; after it, the path.
    let error = line
        .split_once("connection broken by")
        .map_or(line, |(_, error)| error);
    let between = |before: &str, after: &str| {
        let (_, rest) = error.split_once(before)?;
        let (host, _) = rest.split_once(after)?;
        (!host.is_empty()).then(|| host.to_owned())
    };
    process::server(error)
        .or_else(|| between("Failed to resolve '", "'"))
        .or_else(|| between("Connection to ", " timed out"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND_NOTHING: &str = "ERROR: Could not find a version that satisfies the requirement flask (from versions: none)\n";

    #[test]
    fn the_cause_is_in_plain_words() {
        for (error, expected) in [
            // urllib3 2, in pip 24 and later.
            (
                "NameResolutionError(\"HTTPSConnection(host='pypi.org', port=443): Failed to resolve 'pypi.org' ([Errno -3] Temporary failure in name resolution)\")",
                "no connection to pypi.org: its name cannot be resolved",
            ),
            (
                "NewConnectionError(\"HTTPSConnection(host='i.example', port=8443): Failed to establish a new connection: [Errno 111] Connection refused\")",
                "no connection to i.example:8443: it refused the connection",
            ),
            (
                "ConnectTimeoutError(<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>, 'Connection to pypi.org timed out. (connect timeout=15)')",
                "no connection to pypi.org: the connection timed out",
            ),
            (
                "ReadTimeoutError(\"HTTPSConnectionPool(host='pypi.org', port=443): Read timed out. (read timeout=15)\")",
                "no connection to pypi.org: the connection timed out",
            ),
            // urllib3 1, in older ones, does not name the server.
            (
                "NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno 101] Network is unreachable')",
                "no connection to the index: there is no network",
            ),
            (
                "ProxyError('Cannot connect to proxy.', OSError('Tunnel connection failed: 403 Forbidden'))",
                "no connection to the index: the proxy refused the connection",
            ),
            ("ProtocolError('Oh.')", "no connection to the index"),
        ] {
            let retry = |left: u32| {
                format!(
                    "WARNING: Retrying (Retry(total={left}, connect=None, read=None)) after connection broken by '{error}': /simple/flask/\n"
                )
            };
            let output = retry(1) + &retry(0) + FOUND_NOTHING;
            assert_eq!(find(&output).as_deref(), Some(expected));
            // It was reached in the end.
            assert_eq!(find(&(retry(1) + FOUND_NOTHING)), None);
            // Something else is wrong.
            assert_eq!(
                find(&(retry(0) + "ERROR: Invalid requirement: 'six ==='\n")),
                None
            );
        }
    }

    #[test]
    fn a_page_that_could_not_be_fetched_names_its_server() {
        let page = "Could not fetch URL https://me:****@i.example/simple/flask/: connection error: HTTPSConnectionPool(host='i.example', port=443): Max retries exceeded with url: /simple/flask/ (Caused by NameResolutionError(\"Failed to resolve 'i.example'\")) - skipping\n";
        let output = page.to_owned() + FOUND_NOTHING;
        let expected = "no connection to i.example: its name cannot be resolved";
        assert_eq!(find(&output).as_deref(), Some(expected));
    }
}
