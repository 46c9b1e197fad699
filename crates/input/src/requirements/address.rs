//! Addresses of packages, and those that look right but are not what is meant: the page of a repository, a repository without
//! `git+`, git's own form `git@host:path`.

use std::borrow::Cow;

use url::Url;

use super::syntax::is_valid;
use crate::mistake::Mistake;
use condafront_model::redact::{in_full, quoted};

/// Servers on which `/OWNER/NAME` is a repository and its page.
const SERVERS: &[&str] = &["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];

/// Whether it is the address of a file on a web server, in any case, as for pip.
pub(super) fn is_web(text: &str) -> bool {
    has_scheme(text, &["http://", "https://"])
}

/// Whether it is the address of a repository of any kind.
pub(super) fn is_repository(text: &str) -> bool {
    has_scheme(text, &["git+", "hg+", "svn+", "bzr+"])
}

fn has_scheme(text: &str, starts: &[&str]) -> bool {
    let mut starts = starts.iter();
    starts.any(|start| {
        let own = text.get(..start.len());
        own.is_some_and(|own| own.eq_ignore_ascii_case(start))
    })
}

/// An address on a server with its scheme in lower case. pip reads `file:` in lower case alone.
pub(super) fn with_lower_scheme(url: &str) -> Cow<'_, str> {
    match url.split_once("://") {
        Some((scheme, rest)) if is_web(url) || is_repository(url) => {
            Cow::Owned(format!("{}://{rest}", scheme.to_ascii_lowercase()))
        }
        _ => Cow::Borrowed(url),
    }
}

/// The mistake of `git@host:path`, an address that only git itself reads.
pub(super) fn of_git(text: &str) -> Option<Mistake> {
    let rest = text.strip_prefix("git+").unwrap_or(text);
    let rest = rest.strip_prefix("ssh://").unwrap_or(rest);
    let (user, rest) = rest.split_once('@')?;
    let (host, path) = rest.split_once(':')?;
    let first = path.split('/').next().unwrap_or_default();
    let is_port = first.bytes().all(|byte| byte.is_ascii_digit());
    let is_host = user == "git" && !host.contains(['/', '[']) && host != "file";
    (is_host && !is_port).then(|| {
        Mistake::new(
            format!(
                "`{}` is in git's own form, which pip does not read",
                quoted(text)
            ),
            format!(
                "Write `git+ssh://git@{}`.",
                in_full(&format!("{host}/{path}"))
            ),
        )
    })
}

/// The mistake in `url`, if it is easy to see what is meant.
pub(super) fn mistake(url: &str) -> Option<Mistake> {
    before_marker(url)
        .or_else(|| of_git(url))
        .or_else(|| of_scheme(url))
        .or_else(|| of_page(url))
        .or_else(|| with_extras(url))
}

/// In an address without a name before it, a semicolon without a space after it belongs to the address, as pip reads it.
fn before_marker(url: &str) -> Option<Mistake> {
    let (address, marker) = url.split_once(';')?;
    let is_marker = marker.trim().is_empty() || is_valid(&format!("x ;{marker}"));
    is_marker.then(|| {
        Mistake::new(
            format!(
                "the semicolon after `{}` has no space after it: pip takes it for a part of the address",
                quoted(address.trim_end())
            ),
            "Write a space after the semicolon, or remove it if no marker follows.",
        )
    })
}

fn of_scheme(url: &str) -> Option<Mistake> {
    let is_git = |what: &str, meant: &str| {
        Some(Mistake::new(
            format!("`{}` is {what}", quoted(url)),
            format!("Write `{}`.", in_full(meant)),
        ))
    };
    if let Some(rest) = url.strip_prefix("git://") {
        let meant = format!("git+https://{rest}");
        return is_git("the address of a git repository, not of a file", &meant);
    }
    if url.starts_with("ssh://") {
        return is_git(
            "the address of a git repository, not of a file",
            &format!("git+{url}"),
        );
    }
    let rest = url.strip_prefix("git+git://")?;
    let server = server(rest.split('/').next()?)?;
    is_git(
        &format!("an address that {server} does not serve"),
        &format!("git+https://{rest}"),
    )
}

/// The name of a well-known server.
fn server(host: &str) -> Option<&'static str> {
    let host = host.strip_prefix("www.").unwrap_or(host);
    SERVERS.iter().find(|known| **known == host).copied()
}

/// An address of the pages in which a server shows a repository.
fn of_page(url: &str) -> Option<Mistake> {
    let address = url.strip_prefix("git+").unwrap_or(url);
    let parsed = Url::parse(address).ok().filter(|_| is_web(address))?;
    let is_for_git = address.len() < url.len();
    let server = server(parsed.host_str().unwrap_or_default());
    let mut parts = parsed.path_segments()?.filter(|part| !part.is_empty());
    let (path, _) = parsed.path().split_once('@').unwrap_or((parsed.path(), ""));
    let without_git = |what: &str| {
        Some(Mistake::new(
            format!("`{}` is {what}, not a file", quoted(url)),
            format!(
                "Write `git+` in front of it: `{}`.",
                in_full(&format!("git+{url}"))
            ),
        ))
    };
    if !is_for_git && path.ends_with(".git") {
        return without_git("a git repository");
    }
    let (_, owner, name) = (server?, parts.next()?, parts.next()?);
    let kind = parts.find(|part| *part != "-");
    let rest: Vec<&str> = parts.collect();
    match (kind, rest.as_slice()) {
        (None, []) if !is_for_git => without_git("the page of a git repository"),
        (Some("tree"), [reference, folder @ ..]) => {
            let host = parsed.host_str()?;
            let mut meant = format!("git+https://{host}/{owner}/{name}@{reference}");
            if !folder.is_empty() {
                meant.push_str(&format!("#subdirectory={}", folder.join("/")));
            }
            Some(Mistake::new(
                format!(
                    "`{}` is the page of a folder in a git repository",
                    quoted(url)
                ),
                format!("Write `{}`.", in_full(&meant)),
            ))
        }
        (Some("blob"), _) if !is_for_git => of_file_page(&parsed).map(|meant| {
            Mistake::new(
                format!("`{}` is the page of a file, not the file", quoted(url)),
                format!("Write `{}`.", in_full(&meant)),
            )
        }),
        _ => None,
    }
}

/// The address of the file that a page of a well-known server shows; `None` for other addresses.
pub(super) fn of_file_page(url: &Url) -> Option<String> {
    server(url.host_str()?)?;
    let parts = url.path_segments()?.filter(|part| !part.is_empty());
    let mut after_name = parts.skip(2).skip_while(|part| *part == "-");
    let is_page = after_name.next() == Some("blob") && after_name.next().is_some();
    let is_page = is_page && url.query().is_none();
    is_page.then(|| url.as_str().replacen("/blob/", "/raw/", 1))
}

/// Extras after a repository, where pip reads them as a part of its address.
fn with_extras(url: &str) -> Option<Mistake> {
    let (address, extras) = url.strip_suffix(']')?.rsplit_once('[')?;
    (url.starts_with("git+") && !address.contains('#')).then(|| {
        Mistake::new(
            format!(
                "`{}` has extras after the address, where pip does not see them",
                quoted(url)
            ),
            format!(
                "Write them after the name, in front of the address: `NAME[{}] @ {}`.",
                in_full(extras),
                in_full(address)
            ),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::Place;
    use condafront_model::source::{Lines, SourceFile};

    #[test]
    fn the_address_that_is_meant_is_named() {
        let file = SourceFile::new("r.txt", "x\n");
        let place = Place {
            file: &file,
            lines: Lines::one(1),
        };
        for (url, meant) in [
            (
                "git@g.example:team/demo.git",
                "git+ssh://git@g.example/team/demo.git",
            ),
            (
                "git+git@g.example:demo.git@v1",
                "git+ssh://git@g.example/demo.git@v1",
            ),
            (
                "git+ssh://git@g.example:team/demo.git",
                "git+ssh://git@g.example/team/demo.git",
            ),
            (
                "git://g.example/demo#egg=demo",
                "git+https://g.example/demo#egg=demo",
            ),
            ("ssh://g.example/demo", "git+ssh://g.example/demo"),
            (
                "git+git://github.com/a/b.git@v1",
                "git+https://github.com/a/b.git@v1",
            ),
            (
                "https://g.example/a/b.git@v1#egg=b",
                "git+https://g.example/a/b.git@v1#egg=b",
            ),
            (
                "https://www.github.com/a/b/",
                "git+https://www.github.com/a/b/",
            ),
            (
                "https://github.com/a/b/tree/v1",
                "git+https://github.com/a/b@v1",
            ),
            (
                "git+https://gitlab.com/a/b/-/tree/main/python/x",
                "git+https://gitlab.com/a/b@main#subdirectory=python/x",
            ),
            (
                "https://github.com/a/b/blob/main/x-1-py3-none-any.whl",
                "https://github.com/a/b/raw/main/x-1-py3-none-any.whl",
            ),
            (
                "git+https://g.example/b.git@v1[x,y]",
                "NAME[x,y] @ git+https://g.example/b.git@v1",
            ),
        ] {
            let found = mistake(url).unwrap_or_else(|| panic!("{url}"));
            let help = found.at(place).help.unwrap_or_default();
            assert!(help.contains(&format!("`{meant}`")), "{url}: {help}");
        }
        let no_space = "git+https://g.example/b.git;python_version>'3'";
        for url in [no_space, "https://f.example/x.whl;"] {
            let help = mistake(url).unwrap().at(place).help.unwrap_or_default();
            assert!(
                help.starts_with("Write a space after the semicolon"),
                "{url}: {help}"
            );
        }
    }

    #[test]
    fn other_addresses_are_left_alone() {
        for url in [
            "git+https://git@github.com/a/b.git@feature/x#egg=b[x]",
            "git+ssh://git@g.example:22/a/b.git",
            "git+ssh://git@g.example/a/b.git",
            "git+git://g.example/a/b.git",
            "https://github.com/a/b/archive/main.zip",
            "https://github.com/a/b/tarball/main",
            "https://github.com/a/b/raw/main/x.whl",
            "https://github.com/a/b/blob/main/x.whl?raw=true",
            "https://github.com/a/b/releases/download/v1/x-1-py3-none-any.whl",
            "https://f.example/a/b",
            "https://f.example/x.tar.gz;v=1",
            "file:./x",
        ] {
            assert_eq!(mistake(url), None, "{url}");
        }
    }
}
