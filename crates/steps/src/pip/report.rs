//! pip's report of what it would install (<https://pip.pypa.io/en/stable/reference/installation-report/>).

use serde::Deserialize;

use condafront_step_spec::pip::Resolved;
use std::path::Path;

use condafront_model::redact;

/// The part of pip's report that lists files.
#[derive(Debug, Deserialize)]
struct Report {
    install: Vec<Install>,
}

#[derive(Debug, Deserialize)]
struct Install {
    metadata: Metadata,
    download_info: DownloadInfo,
    #[serde(default)]
    is_direct: bool,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
    version: String,
    #[serde(default)]
    requires_dist: Vec<String>,
    requires_python: Option<String>,
}

#[derive(Debug, Deserialize)]
struct DownloadInfo {
    url: String,
    archive_info: Option<ArchiveInfo>,
}

#[derive(Debug, Default, Deserialize)]
struct ArchiveInfo {
    /// `sha256=<hex>`, from older versions.
    hash: Option<String>,
    #[serde(default)]
    hashes: std::collections::BTreeMap<String, String>,
}

/// Reads pip's report; the step's wheels are below `input`.
///
/// # Errors
/// Why the report cannot be used.
pub(super) fn read(text: &[u8], input: &Path) -> Result<Vec<Resolved>, String> {
    let report: Report = serde_json::from_slice(text)
        .map_err(|error| format!("pip's report cannot be read: {error}"))?;
    let place = format!("file://{}/", input.display());
    let wheel = |url: &str| url.strip_prefix(&place)?.split('/').next()?.parse().ok();
    let resolved = report.install.into_iter().map(|install| {
        let Metadata {
            name,
            version,
            requires_dist,
            requires_python,
        } = install.metadata;
        let DownloadInfo { url, archive_info } = install.download_info;
        let Some(archive) = archive_info else {
            let url = redact::masked(&url);
            return Err(format!("{name} {version} is not a file: {url}"));
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
            is_direct: install.is_direct,
            sha256,
            requires_dist,
            requires_python,
        })
    });
    let mut resolved = resolved.collect::<Result<Vec<_>, String>>()?;
    resolved.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(download_info: &str) -> String {
        format!(
            r#"{{"version": "1", "install": [{{"metadata": {{"name": "x", "version": "1.0", "requires_dist": ["idna>=2"], "requires_python": ">=3.9"}}, "requested": true, "is_direct": true,
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
            assert!(found[0].is_direct);
            assert_eq!(found[0].requires_dist, ["idna>=2"]);
            assert_eq!(found[0].requires_python.as_deref(), Some(">=3.9"));
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
}
