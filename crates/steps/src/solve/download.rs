//! Downloads of shards: many small files, each known by its hash.

mod error;

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};
use url::{Origin, Url};

pub(super) use self::error::DownloadError;
use crate::authorities::Trust;

/// A SHA-256.
pub(super) type Hash = [u8; 32];

/// How many files are downloaded at the same time.
const AT_ONCE: usize = 24;

/// The pauses before a file is asked for once more.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// The largest file, in bytes. The largest shards have a few hundred kilobytes.
const LARGEST: u64 = 16 << 20;

/// How long a file may take.
const LONGEST: Duration = Duration::from_mins(1);

/// Downloads files, and keeps them.
pub(super) struct Downloads {
    agent: Agent,
    /// How long a file may take.
    longest: Duration,
    /// Where files are kept between builds, by their hashes; `None` if they are not.
    cache: Option<PathBuf>,
    login: Option<Login>,
}

/// What a server wants to see.
pub(super) struct Login {
    /// The server. No other one gets the header.
    pub(super) server: Origin,
    /// The value of the header `Authorization`.
    pub(super) header: String,
}

impl Downloads {
    /// Downloads that are kept in `cache` if that directory exists.
    pub(super) fn new(cache: &Path, login: Option<Login>, trust: &Trust) -> Self {
        Self::within(LONGEST, cache, login, trust)
    }

    /// The same with another limit for the time that a file may take.
    fn within(longest: Duration, cache: &Path, login: Option<Login>, trust: &Trust) -> Self {
        let roots = trust.roots().unwrap_or(RootCerts::WebPki);
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .timeout_connect(Some(Duration::from_secs(5)))
            .timeout_global(Some(longest))
            .max_idle_connections_per_host(AT_ONCE)
            .max_idle_connections(AT_ONCE)
            .user_agent(concat!("condafront/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            longest,
            cache: cache.is_dir().then(|| cache.to_owned()),
            login,
        }
    }

    /// Downloads the files with these hashes from `address`, without those that are kept already.
    ///
    /// # Errors
    /// Why the first of them is not available.
    pub(super) fn all(
        &self,
        hashes: &[Hash],
        address: impl Fn(&Hash) -> Url + Sync,
    ) -> Result<HashMap<Hash, Vec<u8>>, DownloadError> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut found = Vec::new();
            while let Some(hash) = hashes.get(next.fetch_add(1, Ordering::Relaxed)) {
                let file = self.one(hash, || address(hash));
                if file.is_err() {
                    // The others need not be asked for.
                    next.store(hashes.len(), Ordering::Relaxed);
                }
                found.push(file.map(|bytes| (*hash, bytes)));
            }
            found
        };
        thread::scope(|scope| {
            let threads = AT_ONCE.min(hashes.len());
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let found = workers.into_iter().flat_map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            found.collect()
        })
    }

    fn one(&self, hash: &Hash, address: impl Fn() -> Url) -> Result<Vec<u8>, DownloadError> {
        let kept = self
            .cache
            .as_ref()
            .map(|cache| cache.join(hex::encode(hash)));
        if let Some(bytes) = kept.as_ref().and_then(|path| fs::read(path).ok())
            && is_it(hash, &bytes)
        {
            return Ok(bytes);
        }
        let url = address();
        let bytes = self.download(hash, &url)?;
        if let Some(path) = kept {
            keep(&path, &bytes);
        }
        Ok(bytes)
    }

    fn download(&self, hash: &Hash, url: &Url) -> Result<Vec<u8>, DownloadError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            let downloaded = self.request(url).and_then(|bytes| {
                let is_right = is_it(hash, &bytes);
                is_right
                    .then_some(bytes)
                    .ok_or_else(|| DownloadError::Hash(url.clone()))
            });
            let Err(error) = downloaded else {
                return downloaded;
            };
            match pauses.next().filter(|_| error.is_worth_a_try()) {
                Some(pause) => thread::sleep(pause),
                None => return Err(error),
            }
        }
    }

    fn request(&self, url: &Url) -> Result<Vec<u8>, DownloadError> {
        let mut request = self.agent.get(url.as_str());
        if let Some(login) = &self.login
            && login.server == url.origin()
        {
            request = request.header("Authorization", &login.header);
        }
        let called = request.call();
        let response = called.map_err(|error| DownloadError::answer(url, error, self.longest))?;
        let mut bytes = Vec::new();
        let mut body = response.into_body().into_reader().take(LARGEST + 1);
        body.read_to_end(&mut bytes)
            .map_err(|error| DownloadError::body(url, error, self.longest))?;
        if bytes.len() as u64 > LARGEST {
            return Err(DownloadError::TooLarge {
                url: url.clone(),
                limit: LARGEST,
            });
        }
        Ok(bytes)
    }
}

fn is_it(hash: &Hash, bytes: &[u8]) -> bool {
    Sha256::digest(bytes).as_slice() == hash
}

/// Keeps a file for the next build. If that does not work, the next build downloads it.
fn keep(path: &Path, bytes: &[u8]) {
    let Some(dir) = path.parent() else {
        return;
    };
    // Several builds write at the same time. Their processes can have the same number.
    let _ = NamedTempFile::new_in(dir).and_then(|mut unfinished| {
        unfinished.write_all(bytes)?;
        Ok(unfinished.persist(path)?)
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::certificate::CertificateFault;
    use condafront_testkit::server::{AUTHORITY, Auth, Certificate, Fault, Server, Times};

    /// The hash of `content`.
    fn hash(content: &[u8]) -> Hash {
        Sha256::digest(content).into()
    }

    fn address(server: &Server, path: &str) -> Url {
        Url::parse(&server.url(path)).unwrap()
    }

    #[test]
    fn a_file_is_kept_beside_the_unfinished_ones_of_other_builds() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ab");
        // What a process and a thread with the same numbers could be writing.
        let (process, thread) = (std::process::id(), thread::current().id());
        let other = path.with_extension(format!("{process}-{thread:?}"));
        fs::write(&other, "of another build").unwrap();
        for _ in 0..2 {
            keep(&path, b"content");
        }
        assert_eq!(fs::read(&path).unwrap(), b"content");
        assert_eq!(fs::read(&other).unwrap(), b"of another build");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn files_are_downloaded_once_and_checked_every_time() {
        let server = Server::start();
        let cache = tempfile::tempdir().unwrap();
        let downloads = Downloads::new(cache.path(), None, &Trust::default());
        let contents: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let hashes: Vec<Hash> = contents
            .iter()
            .map(|content| hash(content.as_bytes()))
            .collect();
        for (content, hash) in contents.iter().zip(&hashes) {
            server.put(&format!("/{}", hex::encode(hash)), content.clone());
        }
        let all = || {
            downloads.all(&hashes, |hash| {
                address(&server, &format!("/{}", hex::encode(hash)))
            })
        };
        let found = all().unwrap();
        for (content, hash) in contents.iter().zip(&hashes) {
            assert_eq!(found[hash], content.as_bytes());
        }
        assert_eq!(server.requests().len(), 100);
        server.clear();
        assert_eq!(all().unwrap(), found);
        assert_eq!(server.requests(), []);
        // A build was interrupted.
        fs::write(cache.path().join(hex::encode(hashes[7])), "").unwrap();
        assert_eq!(all().unwrap(), found);
        assert_eq!(server.requests().len(), 1);
    }

    #[test]
    fn a_login_is_for_one_server_only() {
        let (server, other) = (Server::start(), Server::start());
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "content").unwrap();
        server.mount_private("/", folder.path(), Auth::Bearer("secret".to_owned()));
        other.mount("/", folder.path());
        let login = Login {
            server: address(&server, "/").origin(),
            header: "Bearer secret".to_owned(),
        };
        let downloads = Downloads::new(Path::new("/nowhere"), Some(login), &Trust::default());
        for server in [&server, &other] {
            downloads
                .all(&[hash(b"content")], |_| address(server, "/file"))
                .unwrap();
        }
        let is_sent = |server: &Server| server.requests()[0].authorization;
        assert!(is_sent(&server));
        assert!(!is_sent(&other));

        // Nor does it go where the server leads.
        for server in [&server, &other] {
            server.clear();
        }
        let leads = Fault::Redirect(other.url("/file"));
        server.fault("/file", leads, Times::Always);
        downloads
            .all(&[hash(b"content")], |_| address(&server, "/file"))
            .unwrap();
        assert!(is_sent(&server));
        assert!(!is_sent(&other));
    }

    #[test]
    fn servers_with_the_certificate_of_a_given_authority_are_trusted() {
        for (certificate, trust, expected) in [
            (Certificate::Good, Trust::of(AUTHORITY), None),
            (
                Certificate::Good,
                Trust::default(),
                Some(CertificateFault::UnknownAuthority),
            ),
            (
                Certificate::Expired,
                Trust::of(AUTHORITY),
                Some(CertificateFault::Expired),
            ),
            (
                Certificate::OtherHost,
                Trust::of(AUTHORITY),
                Some(CertificateFault::OtherHost),
            ),
        ] {
            let server = Server::start_tls(certificate);
            server.put("/file", "content");
            let downloads = Downloads::new(Path::new("/nowhere"), None, &trust);
            let found = downloads.all(&[hash(b"content")], |_| address(&server, "/file"));
            match found {
                Ok(_) => assert_eq!(expected, None),
                Err(error) => {
                    assert_eq!(error.certificate_fault(), expected, "{error}");
                    assert!(error.may_pass() && !error.is_worth_a_try(), "{error}");
                }
            }
        }
    }

    #[test]
    fn messages_have_no_credentials() {
        let server = Server::start();
        let path = "/t/tk-1234567/file";
        server.put(path, "other");
        let url = server.url(path).replace("http://", "http://me:hunter2@");
        let url = Url::parse(&url).unwrap();
        let downloads = Downloads::new(Path::new("/nowhere"), None, &Trust::default());
        let mut messages = Vec::new();
        for fault in [None, Some(Fault::Status(404)), Some(Fault::ShortBody)] {
            server.heal();
            if let Some(fault) = fault {
                server.fault("*", fault, Times::Always);
            }
            let failed = downloads.all(&[hash(b"content")], |_| url.clone());
            messages.push(failed.unwrap_err().to_string());
        }
        for message in messages {
            assert!(message.contains("/file"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
            assert!(!message.contains("tk-1234567"), "{message}");
        }
    }

    #[test]
    fn a_server_that_sends_little_at_a_time_is_left() {
        let server = Server::start();
        let path = "/file";
        server.put(path, "content");
        let drip = Fault::Drip(Duration::from_millis(250));
        server.fault(path, drip, Times::Always);
        let (nowhere, trust) = (Path::new("/nowhere"), Trust::default());
        let limit = Duration::from_secs(1);
        let downloads = Downloads::within(limit, nowhere, None, &trust);
        let found = downloads.all(&[hash(b"content")], |_| address(&server, path));
        let error = found.unwrap_err();
        let told = format!("{} did not arrive within 1 second", server.url(path));
        assert_eq!(error.to_string(), told);
        assert!(error.may_pass());
        assert_eq!(server.requests().len(), 1);
    }

    #[test]
    fn failures_that_may_pass_are_tried_a_few_times() {
        let server = Server::start();
        let path = "/file";
        server.put(path, "content");
        let downloads = Downloads::new(Path::new("/nowhere"), None, &Trust::default());
        let get = || {
            server.clear();
            let found = downloads.all(&[hash(b"content")], |_| address(&server, path));
            let may_pass = found.map(drop).map_err(|error| error.may_pass());
            (may_pass, server.requests().len())
        };
        for (fault, times, expected) in [
            (Fault::Status(503), Times::FirstOfEach(2), (Ok(()), 3)),
            (Fault::Status(429), Times::Always, (Err(true), 3)),
            (Fault::Status(404), Times::Always, (Err(false), 1)),
            (Fault::Status(501), Times::Always, (Err(false), 1)),
            (Fault::Reset, Times::Always, (Err(true), 3)),
            (Fault::ShortBody, Times::Always, (Err(true), 3)),
            (Fault::Html, Times::FirstOfEach(1), (Ok(()), 2)),
            (Fault::Html, Times::Always, (Err(false), 3)),
        ] {
            server.heal();
            let title = format!("{fault:?} {times:?}");
            server.fault(path, fault, times);
            assert_eq!(get(), expected, "{title}");
        }
    }
}
