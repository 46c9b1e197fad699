//! URLs and hashes of packages in locks of any kind.

use std::sync::Arc;

use url::{ParseError, Url};

use super::skip::or_skip;
use condafront_model::package::{Hashes, Package, PackageId, PackageUrl};
use condafront_model::platform;
use condafront_model::pypi_package::PipPackage;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// How pixi marks the URL of one file, as opposed to a file of an index.
pub(crate) const DIRECT: &str = "direct+";

/// How much of a URL a message shows; most are shorter.
const LONGEST: usize = 200;

/// The package at `address`; `advice` says what to write instead if it is not a URL at all.
pub(crate) fn conda(
    file: &Arc<SourceFile>,
    address: &str,
    hashes: Hashes,
    lines: Lines,
    advice: &str,
) -> Result<Package, Diagnostic> {
    let error = |message: String| Diagnostic::new(message).at(file, lines);
    let of_address = |reason: AddressError| {
        let help = reason.help().unwrap_or(advice);
        error(reason.to_string()).help(help).caused_by(reason)
    };
    // A URL's spaces are escaped: this is something else, such as two URLs.
    if address.trim().contains(char::is_whitespace) {
        return Err(of_address(AddressError::Space(address.to_owned())));
    }
    let mut url = http_url(address).map_err(of_address)?;
    url.set_fragment(None);
    let shown = PackageUrl::new(url.clone());
    let short = redact::shortened(&shown.to_string(), LONGEST);
    let segments: Vec<&str> = url
        .path()
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let file_name = match (url.path().ends_with('/'), segments.last()) {
        (false, Some(name)) => percent_decoded(name),
        _ => return Err(error(format!("{short} is a folder, not a package")).help(advice)),
    };
    let id = PackageId::from_file_name(&file_name).map_err(|reason| {
        error(format!("{short} is not a conda package: {reason}"))
            .help("Packages are named <name>-<version>-<build>.conda or .tar.bz2.")
            .caused_by(reason)
    })?;
    let subdir = segments
        .len()
        .checked_sub(2)
        .and_then(|index| segments.get(index))
        .copied()
        .unwrap_or_default();
    if subdir != "noarch" && !platform::is_subdir(subdir) {
        return Err(
            error(format!("{short} is not in a channel's platform folder")).help(
                "The part before the package's name must be noarch or a platform such as linux-64.",
            ),
        );
    }
    Ok(Package {
        id,
        subdir: subdir.to_owned(),
        url: shown,
        hashes,
        size: None,
        lines,
    })
}

/// The PyPI package at `address`. A hash in the URL's fragment (`#sha256=…`) counts if `hashes` does not have that kind.
pub(crate) fn pip(
    file: &Arc<SourceFile>,
    name: &str,
    version: Option<&str>,
    address: &str,
    hashes: Hashes,
    lines: Lines,
) -> Result<PipPackage, Diagnostic> {
    let error = |message: String| Diagnostic::new(message).at(file, lines);
    const ADVICE: &str = "Lock a release of the package, which is downloaded over http(s) and verified by a hash, or install it in a later step.";
    if let Some((scheme, _)) = address.split_once('+')
        && ["git", "hg", "svn", "bzr"].contains(&scheme)
    {
        let shown = redact::quoted(address);
        let error = error(if scheme == "git" {
            format!(
                "the PyPI package {name} comes from the repository `{shown}`, which must be on a server and pinned to a full commit hash"
            )
        } else {
            format!(
                "the PyPI package {name} comes from the repository `{shown}`: only git repositories are supported"
            )
        });
        return Err(or_skip(error.help(ADVICE), name).settled());
    }
    let address = address.strip_prefix(DIRECT).unwrap_or(address);
    let mut url = http_url(address).map_err(|reason| {
        let error = error(format!(
            "the PyPI package {name} cannot be downloaded: {reason}"
        ))
        .help(ADVICE)
        .caused_by(reason);
        or_skip(error, name).settled()
    })?;
    let mut hashes = hashes;
    let fragment = url.fragment().unwrap_or_default();
    for part in fragment.split('&') {
        let found = match part.split_once('=') {
            Some((_, "")) => continue,
            Some(("sha256", digits)) => parse_hash(&format!("sha256:{digits}")),
            Some(("md5", digits)) => parse_hash(&format!("md5:{digits}")),
            _ => continue,
        };
        let found = found.ok_or_else(|| {
            error(format!("`#{}` is not a valid hash", redact::quoted(part)))
                .help("Write #sha256=<64 hex digits>.")
        })?;
        hashes.sha256 = hashes.sha256.or(found.sha256);
        hashes.md5 = hashes.md5.or(found.md5);
    }
    url.set_fragment(None);
    let file_name = url.path().rsplit('/').next().map(percent_decoded);
    if file_name.as_deref().unwrap_or_default().is_empty() {
        return Err(error(format!(
            "{} is a folder, not a file of the PyPI package {name}",
            PackageUrl::new(url)
        )));
    }
    let version = version.map(str::to_owned);
    Ok(PipPackage {
        name: name.to_owned(),
        version: version.or_else(|| version_in(&file_name.unwrap_or_default())),
        url: PackageUrl::new(url),
        hashes,
        lines,
        is_direct: false,
        size: None,
        file: None,
        requires_dist: Vec::new(),
        requires_python: None,
    })
}

/// The version in the name of a wheel or source archive
/// (<https://packaging.python.org/en/latest/specifications/binary-distribution-format/>).
fn version_in(file_name: &str) -> Option<String> {
    let version = match file_name.strip_suffix(".whl") {
        Some(stem) => stem.split('-').nth(1)?,
        None => {
            let stem = [".tar.gz", ".zip", ".tar.bz2"]
                .into_iter()
                .find_map(|suffix| file_name.strip_suffix(suffix))?;
            stem.rsplit_once('-')?.1
        }
    };
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| version.to_owned())
}

/// Why BuildKit cannot download from an address.
#[derive(Debug, thiserror::Error)]
enum AddressError {
    #[error("`{}` is a local path, which the build cannot see", redact::quoted(.0))]
    Path(String),
    #[error("`{}` is not a URL", redact::quoted(.0))]
    NotAUrl(String, #[source] Option<ParseError>),
    #[error("`{}` is a local file, which the build cannot see", redact::quoted(.0))]
    File(String),
    #[error("packages cannot be downloaded over `{0}:`")]
    Scheme(String),
    #[error("`{}` is not a URL: it contains a space", redact::quoted(.0))]
    Space(String),
}

impl AddressError {
    /// What to do with a conda package, where it is clear from the address.
    fn help(&self) -> Option<&'static str> {
        match self {
            Self::Path(_) | Self::File(_) => {
                Some("Publish the package in a channel that has an http(s) URL, and use that URL.")
            }
            Self::NotAUrl(..) | Self::Scheme(_) | Self::Space(_) => None,
        }
    }
}

/// Whether an address is a path, `C:\demo` included.
fn is_path(address: &str) -> bool {
    address.starts_with(['/', '.', '~', '\\']) || address.as_bytes().get(1) == Some(&b':')
}

/// An address that BuildKit can download.
fn http_url(address: &str) -> Result<Url, AddressError> {
    if is_path(address) {
        return Err(AddressError::Path(address.to_owned()));
    }
    let not_a_url = |error| AddressError::NotAUrl(address.to_owned(), error);
    let url = Url::parse(address).map_err(|error| not_a_url(Some(error)))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        "file" => Err(AddressError::File(address.to_owned())),
        // `conda-forge::numpy` has no scheme.
        _ if !address.contains("://") => Err(not_a_url(None)),
        scheme => Err(AddressError::Scheme(scheme.to_owned())),
    }
}

/// The name of the conda package at `address`, judging by its last part; `None` for several addresses.
pub(crate) fn conda_name(address: &str) -> Option<String> {
    if address.contains(char::is_whitespace) {
        return None;
    }
    let path = address.split(['#', '?']).next()?;
    let file_name = percent_decoded(path.rsplit(['/', '\\']).next()?);
    Some(PackageId::from_file_name(&file_name).ok()?.name)
}

/// The folder of the package at `address`, which is named after its platform.
pub(crate) fn subdir(address: &str) -> Option<&str> {
    let path = address.split(['#', '?']).next()?;
    path.rsplit(['/', '\\']).nth(1)
}

/// Reads `<32 hex>` or `md5:<32 hex>`, `<64 hex>` or `sha256:<64 hex>`.
pub(crate) fn parse_hash(text: &str) -> Option<Hashes> {
    let hex = |digits: &str, length: usize| {
        (digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| digits.to_ascii_lowercase())
    };
    let sha256 = hex(text.strip_prefix("sha256:").unwrap_or(text), 64);
    let md5 = hex(text.strip_prefix("md5:").unwrap_or(text), 32);
    (sha256.is_some() || md5.is_some()).then_some(Hashes { sha256, md5 })
}

/// Decodes package names: some tools percent-encode their `!` and `+` in URLs.
fn percent_decoded(segment: &str) -> String {
    percent_encoding::percent_decode_str(segment)
        .decode_utf8_lossy()
        .into_owned()
}
