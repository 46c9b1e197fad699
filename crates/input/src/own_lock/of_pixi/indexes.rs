//! Where the PyPI packages of a lock come from.

use std::collections::BTreeSet;

use rattler_lock::{
    FileFormatVersion, FindLinksUrlOrPath, PypiDistributionData, PypiIndexes, PypiPackageData,
};
use url::Url;

use super::{Check, Stale};
use crate::lock_terms::{PYPI_ORG, Places, PypiTerms};
use condafront_model::package::PackageUrl;
use condafront_model::pypi_package::normalized;
use condafront_model::redact::{masked, quoted};

impl Check<'_> {
    /// Indexes that the lock was not written for. A manifest may name none: those of its lock are then the settings of whoever
    /// wrote it.
    pub(super) fn indexes(&self, asked: &PypiTerms) -> Option<Stale> {
        // Older locks do not say it.
        let version = self.environment.lock_file().version();
        let locked = match self.environment.pypi_indexes() {
            Some(locked) => locked.clone(),
            None if version < FileFormatVersion::V5 || self.pypi().next().is_none() => return None,
            None => PypiIndexes {
                indexes: Url::parse(PYPI_ORG).into_iter().collect(),
                find_links: Vec::new(),
            },
        };
        let indexes: Vec<String> = locked
            .indexes
            .iter()
            .map(|url| plain(url.as_str()))
            .collect();
        let links: Vec<String> = locked.find_links.iter().map(link).collect();
        self.places("the index", "the indexes", &indexes, asked.indexes.as_ref())
            .or_else(|| self.places("`find-links`", "`find-links`", &links, asked.links.as_ref()))
            .or_else(|| self.own_indexes(asked, &indexes, &links))
    }

    fn places(
        &self,
        one: &str,
        several: &str,
        locked: &[String],
        asked: Option<&Places>,
    ) -> Option<Stale> {
        let asked = asked?;
        let lines = asked.lines?;
        let wanted: Vec<String> = asked.all.iter().map(|place| plain(place)).collect();
        let set = |all: &[String]| all.iter().cloned().collect::<BTreeSet<_>>();
        let is_same = if asked.is_ordered {
            locked == wanted.as_slice()
        } else {
            locked.first() == wanted.first() && set(locked) == set(&wanted)
        };
        if is_same {
            return None;
        }
        let shown = masked(&locked.join(", "));
        let alone = if wanted.starts_with(locked) {
            " alone"
        } else {
            ""
        };
        let what = match locked {
            [] => {
                return Some(Stale {
                    what: format!("was written without {one}"),
                    lines,
                });
            }
            [_] => format!("{one} {shown}{alone}"),
            _ => format!("{several} {shown}{alone}"),
        };
        Some(self.written_for(&what, Some(lines)))
    }

    /// A package that comes from another index than the manifest says.
    fn own_indexes(
        &self,
        asked: &PypiTerms,
        indexes: &[String],
        links: &[String],
    ) -> Option<Stale> {
        self.pypi()
            .filter_map(PypiPackageData::as_wheel)
            .find_map(|package| {
                let name = normalized(package.name.as_ref());
                let own = asked.asked.get(&name)?;
                let locked = plain(package.index_url.as_ref()?.as_str());
                let is_it = |known: &str| slashless(known) == slashless(&locked);
                if own.indexes.iter().any(|one| is_it(&plain(&one.value))) {
                    return None;
                }
                if let Some(other) = own.indexes.first() {
                    return Some(Stale {
                        what: format!(
                            "has {} from {}, which is not the index that this line asks for",
                            shown(package),
                            masked(&locked)
                        ),
                        lines: other.lines,
                    });
                }
                let is_listed = indexes.iter().chain(links).any(|one| is_it(one));
                let lines = own.any.first().filter(|_| !is_listed)?;
                Some(Stale {
                    what: format!(
                        "has {} from {}, which is not one of the indexes",
                        shown(package),
                        masked(&locked)
                    ),
                    lines: *lines,
                })
            })
    }
}

fn shown(package: &PypiDistributionData) -> String {
    format!("{} {}", quoted(package.name.as_ref()), package.version)
}

fn slashless(address: &str) -> &str {
    address.trim_end_matches('/')
}

/// An address without credentials, in the spelling of URLs; or a path.
fn plain(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) => PackageUrl::new(url).recorded().to_string(),
        Err(_) => text.to_owned(),
    }
}

fn link(link: &FindLinksUrlOrPath) -> String {
    match link {
        FindLinksUrlOrPath::Path(path) => path.to_string_lossy().into_owned(),
        FindLinksUrlOrPath::Url(url) => plain(url.as_str()),
    }
}
