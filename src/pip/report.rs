//! What pip would install, as it reports (<https://pip.pypa.io/en/stable/reference/installation-report/>).

use serde::{Deserialize, Serialize};
use url::Url;

use std::path::Path;

use super::requirements::List;
use crate::input::PipPackage;
use crate::local_channel::place;
use crate::package::{Hashes, PackageUrl};
use crate::redact;
use crate::source::{Diagnostic, Lines};

/// The part of pip's report that says which files.
#[derive(Debug, Deserialize)]
struct Report {
    install: Vec<Install>,
}

#[derive(Debug, Deserialize)]
struct Install {
    metadata: Metadata,
    download_info: DownloadInfo,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    version: String,
}

#[derive(Debug, Deserialize)]
struct DownloadInfo {
    url: String,
    archive_info: Option<ArchiveInfo>,
}

#[derive(Debug, Default, Deserialize)]
struct ArchiveInfo {
    /// `sha256=<hex>`, of older versions.
    hash: Option<String>,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

/// One file that pip would install.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where the file is, without credentials.
    pub url: String,
    /// Which of the wheels it is that the step was given, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wheel: Option<usize>,
    /// Its SHA-256 in hex, if pip knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Reads pip's report. The step's wheels are below `input`.
///
/// # Errors
/// Why it cannot be acted on.
pub(super) fn read(text: &[u8], input: &Path) -> Result<Vec<Resolved>, String> {
    let report: Report = serde_json::from_slice(text)
        .map_err(|error| format!("pip's report cannot be read: {error}"))?;
    let place = format!("file://{}/", input.display());
    let wheel = |url: &str| url.strip_prefix(&place)?.split('/').next()?.parse().ok();
    let resolved = report.install.into_iter().map(|install| {
        let Metadata { name, version } = install.metadata;
        let DownloadInfo { url, archive_info } = install.download_info;
        let Some(archive) = archive_info else {
            let url = redact::masked(&url);
            return Err(format!("{name} {version} is no file but {url}"));
        };
        let older = || archive.hash.as_deref()?.strip_prefix("sha256=");
        let hash = archive.hashes.get("sha256").map(String::as_str);
        let sha256 = hash
            .or_else(older)
            .filter(|hash| hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()))
            .map(str::to_ascii_lowercase);
        Ok(Resolved {
            name,
            version,
            wheel: wheel(&url),
            url,
            sha256,
        })
    });
    let mut resolved = resolved.collect::<Result<Vec<_>, String>>()?;
    resolved.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(resolved)
}

/// What pip has found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The files to fetch.
    pub packages: Vec<PipPackage>,
    /// The wheels that are there already.
    pub wheels: Vec<FoundWheel>,
}

/// A package whose wheel the step was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundWheel {
    /// Name and version.
    pub label: String,
    /// Which wheel it is.
    pub index: usize,
}

/// What is to be fetched and installed. pip's report has no credentials; those of the index on the same server, one of
/// `indexes` or of the list, are put back.
///
/// # Errors
/// A file that cannot be fetched, at the line that asks for it.
pub fn found(resolved: &[Resolved], list: &List, indexes: &[Url]) -> Result<Found, Diagnostic> {
    let indexes: Vec<Url> = list.indexes().chain(indexes.iter().cloned()).collect();
    let mut all = Found::default();
    for found in resolved {
        match found.wheel {
            Some(index) => all.wheels.push(FoundWheel {
                label: format!("{} {}", found.name, found.version),
                index,
            }),
            None => all.packages.push(package(found, list, &indexes)?),
        }
    }
    Ok(all)
}

fn package(found: &Resolved, list: &List, indexes: &[Url]) -> Result<PipPackage, Diagnostic> {
    let asked = list.place_of(&found.name);
    let url = Url::parse(&found.url).ok();
    let url = url.map(|url| place::elsewhere(&url).unwrap_or(url));
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(mut url) = url else {
        let diagnostic = Diagnostic::new(format!(
            "pip found {} {} where the build cannot fetch it from: {}",
            found.name,
            found.version,
            redact::masked(&found.url)
        ));
        return Err(match asked {
            Some(asked) => diagnostic.at(&asked.file, asked.lines),
            None => diagnostic,
        });
    };
    let indexes = list.direct(&url).into_iter().chain(indexes);
    if let Some(index) = { indexes }.find(|index| index.origin() == url.origin())
        && url.username().is_empty()
    {
        // Neither fails: the URL has a host.
        let _ = url.set_username(index.username());
        let _ = url.set_password(index.password());
    }
    Ok(PipPackage {
        name: found.name.clone(),
        version: Some(found.version.clone()),
        url: PackageUrl::new(url),
        hashes: Hashes {
            sha256: found.sha256.clone(),
            md5: None,
        },
        lines: asked.as_ref().map_or(Lines::one(1), |asked| asked.lines),
        file: asked.map(|asked| asked.file),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pip::requirements::list_of;

    fn report(download_info: &str) -> String {
        format!(
            r#"{{"version": "1", "install": [{{"metadata": {{"name": "x", "version": "1.0"}}, "requested": true,
                "download_info": {download_info}}}], "environment": {{}}}}"#
        )
    }

    #[test]
    fn files_and_hashes_are_read() {
        let hash = "AB".repeat(32);
        let input = Path::new("/in");
        for info in [
            format!(
                r#"{{"url": "https://f.example/x.whl", "archive_info": {{"hashes": {{"sha256": "{hash}"}}}}}}"#
            ),
            format!(
                r#"{{"url": "https://f.example/x.whl", "archive_info": {{"hash": "sha256={hash}"}}}}"#
            ),
        ] {
            let found = read(report(&info).as_bytes(), input).unwrap();
            assert_eq!(found[0].sha256.as_deref(), Some(&*"ab".repeat(32)));
        }
        let info =
            r#"{"url": "https://f.example/x.whl", "archive_info": {"hashes": {"sha256": "x"}}}"#;
        assert_eq!(
            read(report(info).as_bytes(), input).unwrap()[0].sha256,
            None
        );
        let info = r#"{"url": "https://g.example/x.git", "vcs_info": {"vcs": "git"}}"#;
        assert!(read(report(info).as_bytes(), input).is_err());
        let info = r#"{"url": "file:///in/7/x-1.0-py3-none-any.whl", "archive_info": {}}"#;
        assert_eq!(
            read(report(info).as_bytes(), input).unwrap()[0].wheel,
            Some(7)
        );
        assert!(read(b"{", input).is_err());
    }

    #[test]
    fn credentials_of_the_index_are_put_back() {
        let resolved = |url: &str| Resolved {
            name: "x".into(),
            version: "1.0".into(),
            url: url.into(),
            wheel: None,
            sha256: None,
        };
        let list = list_of(
            "--extra-index-url=https://me:hunter2@i.example/simple\nx\n-i https://${TOKEN}@o.example/",
        );
        let all = [
            resolved("https://i.example/files/x.whl"),
            resolved("https://o.example/x.whl"),
            Resolved {
                wheel: Some(3),
                ..resolved("file:///in/3/x.whl")
            },
        ];
        let found = found(&all, &list, &[]).unwrap();
        let urls: Vec<&str> = found
            .packages
            .iter()
            .map(|package| package.url.with_credentials().as_str())
            .collect();
        assert_eq!(
            urls,
            [
                "https://me:hunter2@i.example/files/x.whl",
                "https://o.example/x.whl"
            ]
        );
        assert_eq!(found.packages[0].lines, Lines::one(2));
        assert_eq!(found.wheels[0].index, 3);
        let error = super::found(&[resolved("file:///x.whl")], &list, &[]).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(2));
    }
}
