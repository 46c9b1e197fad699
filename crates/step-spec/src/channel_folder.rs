//! Where the folder has the file of a URL.
//!
//! The first name is the host, followed by the URL's path: `conda.anaconda.org/conda-forge/noarch/…` is
//! `https://conda.anaconda.org/conda-forge/noarch/…`. A scheme other than https and an unusual port are part of the
//! first name, separated by `+`, which no host contains: `http+mirror.example+8080`. So is a query, which only files for
//! pip have, after `++`: `g.example++raw=true/demo-1.0-py3-none-any.whl`. The last name stays the file's own, which pip reads.

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

use condafront_model::channel::ChannelUrl;
use condafront_model::package::Package;
use condafront_model::pypi_package::PipPackage;
use condafront_model::redact;

/// What messages call the folder.
pub const FOLDER: &str = "the named context `channel`";

/// How to make it what it should be.
pub const HELP: &str = "Recreate the folder where there is a network, with docker build -f <this file> --target channel -o <folder>.";

/// Where the folder is mounted in steps that need all of it.
pub const CHANNEL_DIR: &str = "/.condafront-channel";

/// The folder with everything for pip, relative to the root.
pub const PYPI: &str = "pypi";

/// The folder of the files that pip installs, relative to the root.
const PYPI_FILES: &str = "pypi/files";

/// The folder of the index of those files (PEP 503), relative to the root.
pub const PYPI_INDEX: &str = "pypi/simple";

/// The path of the file or folder at `url`, regardless of its credentials and query.
fn path_of(url: &Url) -> String {
    path_with(url, None)
}

/// The path of a file for pip: files whose URLs differ in the query alone are different ones. A query that may be a secret
/// is left out.
fn path_of_file(url: &Url) -> String {
    path_with(url, url.query().filter(|query| !redact::is_secret(query)))
}

/// What a query has and no name of a file.
const IN_NAMES: &AsciiSet = &CONTROLS.add(b'%').add(b'/').add(b'\\');

fn path_with(url: &Url, query: Option<&str>) -> String {
    let mut path = match url.scheme() {
        "https" => String::new(),
        other => format!("{other}+"),
    };
    path.push_str(url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        path.push_str(&format!("+{port}"));
    }
    if let Some(query) = query {
        let query = utf8_percent_encode(query, IN_NAMES);
        path.push_str(&format!("++{query}"));
    }
    for segment in url.path().split('/').filter(|segment| !segment.is_empty()) {
        path.push('/');
        path.push_str(&decoded(segment));
    }
    path
}

/// The URL of the file at `path`, a result of [`path_of_file`].
fn url_of(path: &str) -> Option<Url> {
    let (host, path) = path.split_once('/')?;
    let (host, query) = match host.split_once("++") {
        Some((host, query)) => (host, Some(query)),
        None => (host, None),
    };
    let (scheme, host) = match host.split_once('+') {
        Some((scheme @ ("http" | "https"), host)) => (scheme, host),
        _ => ("https", host),
    };
    let mut url = Url::parse(&format!("{scheme}://{}", host.replacen('+', ":", 1))).ok()?;
    url.path_segments_mut()
        .ok()?
        .clear()
        .extend(path.split('/'));
    let query = query.map(|query| percent_decode_str(query).decode_utf8());
    url.set_query(query.transpose().ok()?.as_deref());
    Some(url)
}

/// The path of a conda package's archive.
pub fn of_package(package: &Package) -> String {
    let path = path_of(&package.url.recorded());
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{}", package.id.file_name())
}

/// The path of a channel's file or folder `name`.
pub fn in_channel(channel: &ChannelUrl, name: &str) -> String {
    path_of(&channel.join(name).recorded())
}

/// The path of a PyPI package's file.
pub fn of_pip(package: &PipPackage) -> String {
    format!(
        "{PYPI_FILES}/{}",
        path_of_file(&package.url.recorded_file())
    )
}

/// The URL of the file at `url` in the folder at [`CHANNEL_DIR`]; [`elsewhere`] reverses it.
pub fn mounted(url: &Url) -> String {
    const SPECIAL: &AsciiSet = &CONTROLS.add(b' ').add(b'#').add(b'%').add(b'?').add(b'+');
    let path = path_of_file(url);
    let path = utf8_percent_encode(&path, SPECIAL);
    format!("file://{CHANNEL_DIR}/{PYPI_FILES}/{path}")
}

/// The original URL of a file that pip found in the folder at [`CHANNEL_DIR`].
pub fn elsewhere(url: &Url) -> Option<Url> {
    let path = url.path().strip_prefix(CHANNEL_DIR)?;
    let path = path.strip_prefix('/')?.strip_prefix(PYPI_FILES)?;
    let path = percent_decode_str(path.strip_prefix('/')?).decode_utf8();
    url_of(&path.ok()?).filter(|_| url.scheme() == "file")
}

/// A segment of a URL's path as a file name; it stays encoded if it would not be a valid one.
fn decoded(segment: &str) -> String {
    let text = percent_decode_str(segment).decode_utf8();
    match text {
        Ok(text)
            if !["", ".", ".."].contains(&&*text)
                && !text.chars().any(|c| c == '/' || c.is_control()) =>
        {
            text.into_owned()
        }
        _ => segment.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_paths_and_back() {
        for (url, path) in [
            (
                "https://conda.anaconda.org/conda-forge/noarch/a-1-0.conda",
                "conda.anaconda.org/conda-forge/noarch/a-1-0.conda",
            ),
            (
                "http://127.0.0.1:8000/c/x86-1%2B1-0.conda",
                "http+127.0.0.1+8000/c/x86-1+1-0.conda",
            ),
            ("https://c.example:8443/a%20b/x", "c.example+8443/a b/x"),
        ] {
            let url = Url::parse(url).unwrap();
            assert_eq!(path_of(&url), path);
            assert_eq!(path_of(&url_of(path).unwrap()), path);
        }
        let back = url_of("http+127.0.0.1+8000/c/x-1+1-0.conda").unwrap();
        assert_eq!(back.as_str(), "http://127.0.0.1:8000/c/x-1+1-0.conda");
    }

    #[test]
    fn no_url_leaves_the_folder_or_shows_a_secret() {
        let url = Url::parse("https://me:hunter2@c.example/%2e%2e/a%2F..%2Fb/%00?token=x").unwrap();
        assert_eq!(path_of(&url), "c.example/a%2F..%2Fb/%00");
        assert_eq!(url_of("nothing"), None);
    }

    #[test]
    fn files_that_pip_finds_in_the_folder_keep_their_own_url() {
        for (url, found) in [
            ("https://files.example/a/x-1.0%2Bcpu-py3-none-any.whl", None),
            ("https://g.example/a/x-1.0.zip?raw=true", None),
            ("http://g.example:8000/x-1.0.zip?dl=1&raw=", None),
            (
                "https://g.example/dl?file=a/b%2Fx-1.0.zip&v=1++2&c=d?e",
                None,
            ),
            ("https://g.example/x-1.0.zip?versionId=3HL4.kq_t-J", None),
            (
                "https://me:pw@g.example/x-1.0.zip?dl=1&sig=abc",
                Some("https://g.example/x-1.0.zip"),
            ),
        ] {
            let written = Url::parse(url).unwrap();
            let in_folder = Url::parse(&mounted(&written)).unwrap();
            let back = elsewhere(&in_folder).unwrap();
            let expected = Url::parse(found.unwrap_or(url)).unwrap();
            assert_eq!(path_of_file(&back), path_of_file(&expected));
            assert_eq!(back.query(), expected.query(), "{url}");
            assert_eq!(back.scheme(), expected.scheme());
            assert_eq!(elsewhere(&written), None);
        }
    }

    #[test]
    fn a_query_does_not_change_a_files_name() {
        let url = Url::parse("https://g.example/a/x-1.0.zip?raw=true").unwrap();
        assert_eq!(path_of_file(&url), "g.example++raw=true/a/x-1.0.zip");
        let folders = Url::parse("https://g.example/x-1.0.zip?in=a/b%20c").unwrap();
        assert_eq!(
            path_of_file(&folders),
            "g.example++in=a%2Fb%2520c/x-1.0.zip"
        );
        let other = Url::parse("https://g.example/a/x-1.0.zip?raw=false").unwrap();
        assert_ne!(path_of_file(&url), path_of_file(&other));
        // A channel has one file of a name.
        assert_eq!(path_of(&url), path_of(&other));
    }
}
