//! What pip would install, as it reports (<https://pip.pypa.io/en/stable/reference/installation-report/>).

use serde::{Deserialize, Serialize};
use url::Url;

use super::requirements;
use crate::input::{PipPackage, PipRequirement};
use crate::package::{Hashes, PackageUrl};
use crate::redact;
use crate::source::Lines;

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
    /// Its SHA-256 in hex, if pip knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Reads pip's report.
///
/// # Errors
/// Why it cannot be acted on.
pub(super) fn read(text: &[u8]) -> Result<Vec<Resolved>, String> {
    let report: Report = serde_json::from_slice(text)
        .map_err(|error| format!("pip's report cannot be read: {error}"))?;
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
            url,
            sha256,
        })
    });
    let mut resolved = resolved.collect::<Result<Vec<_>, String>>()?;
    resolved.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(resolved)
}

/// The files as packages to fetch. pip's report has no credentials; those of the index on the same server, one of
/// `indexes` or of the list, are put back.
///
/// # Errors
/// A file that cannot be fetched, in words for the user.
pub fn packages(
    resolved: &[Resolved],
    list: &[PipRequirement],
    indexes: &[Url],
) -> Result<Vec<PipPackage>, String> {
    let indexes: Vec<Url> = requirements::indexes(list)
        .chain(indexes.iter().cloned())
        .collect();
    let package = |found: &Resolved| {
        let mut url = Url::parse(&found.url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                format!(
                    "pip found {} {} where the build cannot fetch it from: {}",
                    found.name,
                    found.version,
                    redact::masked(&found.url)
                )
            })?;
        if let Some(index) = indexes.iter().find(|index| index.origin() == url.origin())
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
            lines: requirements::lines(list, &found.name).unwrap_or(Lines::one(1)),
        })
    };
    resolved.iter().map(package).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(download_info: &str) -> String {
        format!(
            r#"{{"version": "1", "install": [{{"metadata": {{"name": "x", "version": "1.0"}}, "requested": true,
                "download_info": {download_info}}}], "environment": {{}}}}"#
        )
    }

    #[test]
    fn files_and_hashes_are_read() {
        let hash = "AB".repeat(32);
        for info in [
            format!(
                r#"{{"url": "https://f.example/x.whl", "archive_info": {{"hashes": {{"sha256": "{hash}"}}}}}}"#
            ),
            format!(
                r#"{{"url": "https://f.example/x.whl", "archive_info": {{"hash": "sha256={hash}"}}}}"#
            ),
        ] {
            let found = read(report(&info).as_bytes()).unwrap();
            assert_eq!(found[0].sha256.as_deref(), Some(&*"ab".repeat(32)));
        }
        let info =
            r#"{"url": "https://f.example/x.whl", "archive_info": {"hashes": {"sha256": "x"}}}"#;
        assert_eq!(read(report(info).as_bytes()).unwrap()[0].sha256, None);
        let info = r#"{"url": "https://g.example/x.git", "vcs_info": {"vcs": "git"}}"#;
        assert!(read(report(info).as_bytes()).is_err());
        assert!(read(b"{").is_err());
    }

    #[test]
    fn credentials_of_the_index_are_put_back() {
        let found = |url: &str| Resolved {
            name: "x".into(),
            version: "1.0".into(),
            url: url.into(),
            sha256: None,
        };
        let list = [PipRequirement {
            text: "--extra-index-url=https://me:hunter2@i.example/simple".into(),
            lines: Lines::one(3),
        }];
        let resolved = [
            found("https://i.example/files/x.whl"),
            found("https://o.example/x.whl"),
        ];
        let packages = packages(&resolved, &list, &[]).unwrap();
        let urls: Vec<&str> = packages
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
        assert_eq!(packages[0].lines, Lines::one(3));
        assert!(super::packages(&[found("file:///x.whl")], &list, &[]).is_err());
    }
}
