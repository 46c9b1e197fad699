//! Credentials in channel URLs, and how to take them out.

use url::Url;

/// `url` without user, password and `/t/<token>/` (the path form of anaconda.org's tokens, found
/// anywhere in the path, as conda does).
///
/// A text that is no URL comes back as it is; query and fragment are kept.
pub fn without_credentials(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url) else {
        return url.to_owned();
    };
    let mut changed = false;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        // These fail only for URLs that cannot have credentials.
        changed = parsed.set_username("").is_ok() && parsed.set_password(None).is_ok();
    }
    if let Some(path) = without_token(parsed.path()) {
        parsed.set_path(&path);
        changed = true;
    }
    if changed {
        parsed.into()
    } else {
        url.to_owned()
    }
}

/// `path` without its first `/t/<token>`, if it has one.
fn without_token(path: &str) -> Option<String> {
    let (before, rest) = path.split_once("/t/")?;
    let token_end = rest
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_')
        .unwrap_or(rest.len());
    Some(format!("{before}{}", &rest[token_end..]))
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn credentials_are_taken_out() {
        for (with, without) in [
            (
                "https://conda.anaconda.org/t/tk-1-2/private/linux-64/a-1-0.conda",
                "https://conda.anaconda.org/private/linux-64/a-1-0.conda",
            ),
            (
                "https://me:secret@example.org/ch/noarch/a-1-0.conda#abc",
                "https://example.org/ch/noarch/a-1-0.conda#abc",
            ),
            (
                "https://example.org/conda/t/tk/ch/linux-64",
                "https://example.org/conda/ch/linux-64",
            ),
            ("https://token@example.org/ch", "https://example.org/ch"),
            ("https://example.org/t/tk", "https://example.org/"),
            ("https://example.org/ch", "https://example.org/ch"),
            ("https://example.org", "https://example.org"),
            ("conda-forge", "conda-forge"),
        ] {
            assert_eq!(without_credentials(with), without);
        }
    }
}
