//! What a build has pushed to the tests' registry, and what was fetched from there.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use condafront_testkit::engine;
use serde_json::Value;

/// An image in the registry, and the build that pushed it.
pub(crate) struct Pushed {
    /// The build's progress.
    pub(crate) progress: String,
    /// The manifest as the registry has it.
    pub(crate) manifest: String,
    /// The config's digest.
    pub(crate) config: String,
    /// The layers' digests, the base's first.
    pub(crate) layers: Vec<String>,
    repository: String,
}

impl Pushed {
    /// Reads the manifest of `reference` from the tests' registry.
    pub(crate) fn new(progress: String, reference: &str) -> Self {
        let name = reference.strip_prefix(&format!("{}/", engine::registry()));
        let name = name.and_then(|name| name.rsplit_once(':'));
        let (repository, tag) = name.expect("a tag in the tests' registry");
        let (status, manifest) = get(&format!("/v2/{repository}/manifests/{tag}"));
        assert!(status.contains(" 200 "), "{reference}: {status}");
        let json: Value = serde_json::from_str(&manifest).expect("a manifest is JSON");
        let digest = |of: &Value| of["digest"].as_str().expect("a digest").to_owned();
        let layers = json["layers"].as_array().expect("a manifest has layers");
        Self {
            progress,
            config: digest(&json["config"]),
            layers: layers.iter().map(digest).collect(),
            manifest,
            repository: repository.to_owned(),
        }
    }

    /// The configuration as the registry has it.
    pub(crate) fn config_file(&self) -> String {
        let path = format!("/v2/{}/blobs/{}", self.repository, self.config);
        let (status, config) = get(&path);
        assert!(status.contains(" 200 "), "{path}: {status}");
        config
    }

    /// The layers that `other` does not have, without the topmost: the inventory, which names every package and the base.
    pub(crate) fn layers_not_in(&self, other: &Self) -> Vec<&str> {
        let layers = self.layers.split_last().map_or(&[][..], |(_, below)| below);
        let new = layers.iter().filter(|it| !other.layers.contains(it));
        new.map(String::as_str).collect()
    }

    /// The names of the steps that ran, from the progress: those that were neither cached nor skipped.
    pub(crate) fn steps_run(&self) -> BTreeSet<&str> {
        let mut names = BTreeMap::new();
        let mut run = BTreeSet::new();
        for line in self.progress.lines() {
            let numbered = line.strip_prefix('#').and_then(|line| line.split_once(' '));
            let Some((number, rest)) = numbered else {
                continue;
            };
            if rest.starts_with('[') {
                names.entry(number).or_insert(rest);
            } else if rest.starts_with("DONE") {
                run.extend(names.get(number).copied());
            }
        }
        run
    }
}

/// The digests of all blobs of `repository` that the registry has served.
pub(crate) fn blobs_fetched(repository: &str) -> BTreeSet<String> {
    let log = log_up_to_now();
    let start = format!("\"GET /v2/{repository}/blobs/");
    log.lines()
        .filter_map(|line| line.split_once(&start)?.1.split_once(' '))
        .map(|(digest, _)| digest.to_owned())
        .collect()
}

/// The first line of the registry's answer to a request, and the content.
fn get(path: &str) -> (String, String) {
    let host = engine::registry();
    let mut registry = TcpStream::connect(&host).expect("the registry answers");
    let accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
    // So that its answer is one piece.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n");
    registry
        .write_all(request.as_bytes())
        .expect("the registry reads");
    let mut answer = String::new();
    registry
        .read_to_string(&mut answer)
        .expect("the registry's answer");
    let (head, content) = answer.split_once("\r\n\r\n").expect("an answer");
    let status = head.lines().next().unwrap_or_default();
    (status.to_owned(), content.to_owned())
}

/// The registry's log, with all requests that were answered before this call.
fn log_up_to_now() -> String {
    const DEADLINE: Duration = Duration::from_secs(30);
    // A request is logged after all requests that were answered before it was made.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mark = format!("mark-{}-{number}", std::process::id());
    let (status, _) = get(&format!("/v2/{mark}/manifests/none"));
    assert!(status.contains(" 404 "), "{status}");
    let deadline = Instant::now() + DEADLINE;
    let path = engine::registry_log();
    loop {
        let log = std::fs::read_to_string(&path).expect("the registry's log");
        if log.contains(&mark) {
            return log;
        }
        assert!(
            Instant::now() < deadline,
            "{mark} is not in the registry's log"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
