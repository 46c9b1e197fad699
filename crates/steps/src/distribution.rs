//! The packages of a distribution, as its lists have them.

use std::collections::HashMap;

/// dpkg's list.
pub(crate) const DPKG: &str = "/var/lib/dpkg/status";
/// apk's list.
pub(crate) const APK: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
/// rpm's databases, which have a format of their own.
pub(crate) const RPM: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];

/// What to ask of rpm, for [`in_rpm`].
pub(crate) const RPM_QUERY: &str =
    "%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{LICENSE}\\t%{SOURCERPM}\\n";

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Installed<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) architecture: Option<&'a str>,
    pub(crate) license: Option<&'a str>,
    /// What it is built from, as the list has it.
    pub(crate) source: Option<&'a str>,
    /// How large its files are.
    pub(crate) bytes: Option<u64>,
}

/// The packages in a list of dpkg's (deb-control(5)).
pub(crate) fn in_dpkg(text: &str) -> impl Iterator<Item = Installed<'_>> {
    paragraphs(text, ": ").filter_map(|fields| {
        let get = |name: &str| fields.get(name).copied();
        let is_installed = get("Status").is_none_or(|status| status.ends_with(" installed"));
        let kib = get("Installed-Size").and_then(|size| size.parse::<u64>().ok());
        is_installed.then_some(())?;
        Some(Installed {
            name: get("Package")?,
            version: get("Version")?,
            architecture: get("Architecture"),
            license: None,
            source: get("Source"),
            bytes: kib.map(|kib| kib.saturating_mul(1024)),
        })
    })
}

/// The packages in a list of apk's (<https://wiki.alpinelinux.org/wiki/Apk_spec>).
pub(crate) fn in_apk(text: &str) -> impl Iterator<Item = Installed<'_>> {
    paragraphs(text, ":").filter_map(|fields| {
        let get = |name: &str| fields.get(name).copied();
        Some(Installed {
            name: get("P")?,
            version: get("V")?,
            architecture: get("A"),
            license: get("L"),
            source: get("o"),
            bytes: get("I").and_then(|size| size.parse().ok()),
        })
    })
}

/// The packages in rpm's answer to [`RPM_QUERY`].
pub(crate) fn in_rpm(text: &str) -> impl Iterator<Item = Installed<'_>> {
    text.lines().filter_map(|line| {
        let mut fields = line.split('\t');
        let (name, version) = (fields.next()?, fields.next()?);
        // The keys of repositories are packages too.
        if name == "gpg-pubkey" {
            return None;
        }
        let given = |field: Option<&'_ str>| field.is_some_and(|text| text != "(none)");
        let (architecture, license, source) = (fields.next(), fields.next(), fields.next());
        Some(Installed {
            name,
            version: version.strip_prefix("0:").unwrap_or(version),
            architecture: architecture.filter(|it| given(Some(it))),
            license: license.filter(|it| given(Some(it))),
            source: source.filter(|it| given(Some(it))),
            bytes: None,
        })
    })
}

/// A field of os-release(5), without quotes.
pub(crate) fn field_of_release<'a>(text: &'a str, field: &str) -> Option<&'a str> {
    let mut lines = text.lines().filter_map(|line| line.trim().split_once('='));
    let (_, value) = lines.find(|(name, _)| *name == field)?;
    Some(value.trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

/// The distribution's name in os-release(5), `Debian GNU/Linux 13 (trixie)`.
pub(crate) fn name_of_release(text: &str) -> Option<&str> {
    field_of_release(text, "PRETTY_NAME").or_else(|| field_of_release(text, "NAME"))
}

/// The fields of each paragraph of `text`, without lines that continue one.
fn paragraphs<'a>(
    text: &'a str,
    separator: &'a str,
) -> impl Iterator<Item = HashMap<&'a str, &'a str>> {
    text.split("\n\n").map(move |paragraph| {
        let lines = paragraph
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']));
        lines
            .filter_map(|line| line.split_once(separator))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_rpm_are_read() {
        let text = "bash\t0:5.3.0-2.fc43\tx86_64\tGPL-3.0-or-later\tbash-5.3.0-2.fc43.src.rpm\nperl-libs\t4:5.42.0-519.fc43\tx86_64\t(none)\ngpg-pubkey\t0:1-2\t(none)\tpubkey\nodd\n";
        let all: Vec<Installed<'_>> = in_rpm(text).collect();
        let shown = all
            .iter()
            .map(|it| (it.name, it.version, it.architecture, it.license, it.source));
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                (
                    "bash",
                    "5.3.0-2.fc43",
                    Some("x86_64"),
                    Some("GPL-3.0-or-later"),
                    Some("bash-5.3.0-2.fc43.src.rpm")
                ),
                ("perl-libs", "4:5.42.0-519.fc43", Some("x86_64"), None, None),
            ]
        );
    }
    #[test]
    fn a_distributions_name_is_read_with_and_without_quotes() {
        let ubuntu = "PRETTY=\"x\"\nNAME=Ubuntu\nPRETTY_NAME='Ubuntu 24.04'\nID=ubuntu\n";
        assert_eq!(name_of_release(ubuntu), Some("Ubuntu 24.04"));
        let bare = "PRETTY_NAME=\"\"\nNAME=Alpine\n";
        assert_eq!(name_of_release(bare), Some("Alpine"));
        assert_eq!(name_of_release(""), None);
    }
}
