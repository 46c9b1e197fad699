//! Lists with hashes: once one requirement has a hash, pip wants one for each
//! (<https://pip.pypa.io/en/stable/topics/secure-installs/#hash-checking-mode>).

use super::entry::Entry;
use super::list::{List, ListEntry};
use super::requirement::{Requirement, Source};
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

/// The algorithms whose hashes pip finds in the fragment of a URL (`pip/_internal/models/link.py`).
const IN_URLS: [&str; 6] = ["md5=", "sha1=", "sha224=", "sha256=", "sha384=", "sha512="];

/// How to give an entry a hash.
const ADD: &str = "Write --hash=sha256:<64 hex digits> after it, as `pip-compile --generate-hashes` and `uv pip compile --generate-hashes` do.";

impl List {
    /// Whether pip accepts nothing without a hash.
    pub(super) fn requires_hashes(&self) -> bool {
        self.has_option("--require-hashes") || self.first_hashed().is_some()
    }

    /// The first entry whose hash makes pip want hashes for all: also one whose marker does not hold, and a constraint.
    fn first_hashed(&self) -> Option<&ListEntry> {
        if self.has_option("--no-require-hashes") {
            return None;
        }
        let mut entries = self.entries().iter();
        entries.find(|entry| {
            let found = entry.requirement();
            found.is_some_and(|found| !found.hashes.is_empty())
        })
    }

    /// Checks that all requirements have hashes if pip wants that. It does not look at those that are already installed:
    /// `may_be_installed` says whether a name can be that of such a package.
    ///
    /// # Errors
    /// A diagnostic at the first requirement without a hash, or at the second of two options that exclude each other.
    pub fn check_hashes(&self, may_be_installed: impl Fn(&str) -> bool) -> Result<(), Diagnostic> {
        let [require, not] = ["--require-hashes", "--no-require-hashes"].map(|name| {
            let mut entries = self.entries().iter();
            entries.position(|entry| has_option(entry, name))
        });
        if let (Some(require), Some(not)) = (require, not) {
            let second = &self.entries()[require.max(not)];
            let message = "--require-hashes and --no-require-hashes exclude each other";
            return Err(Diagnostic::new(message)
                .at(&second.file, second.lines)
                .help("Remove one of them."));
        }
        let because = match (require, self.first_hashed()) {
            (Some(_), _) => "of --require-hashes".to_owned(),
            (None, Some(hashed)) => format!("`{}` has one", shown(hashed)),
            (None, None) => return Ok(()),
        };
        for (_, entry, requirement) in self.wanted() {
            // Only pip knows whether a marker holds.
            if requirement.has_marker {
                continue;
            }
            let Some((what, help)) = self.lack(entry, requirement, &may_be_installed) else {
                continue;
            };
            return Err(Diagnostic::new(format!(
                "`{}` {what}, but pip wants a hash for every requirement because {because}",
                shown(entry)
            ))
            .at(&entry.file, entry.lines)
            .help(help));
        }
        Ok(())
    }

    /// What an entry has in place of a hash, and what to do.
    fn lack(
        &self,
        entry: &ListEntry,
        requirement: &Requirement,
        may_be_installed: impl Fn(&str) -> bool,
    ) -> Option<(&'static str, String)> {
        let has_own = !requirement.hashes.is_empty();
        match &requirement.source {
            Source::Repository(_) => Some((
                "is a repository, which has no hash",
                "Give the URL of a wheel or of an archive, with its hash, or remove the hashes from the list."
                    .to_owned(),
            )),
            Source::Context(path) if !path.path.ends_with(".whl") => Some((
                "must be built into a wheel, which has no hash yet",
                "Build a wheel and name that, with its hash, or remove the hashes from the list."
                    .to_owned(),
            )),
            Source::Context(_) => {
                let in_url = requirement.file_hashes.sha256.is_some();
                (!has_own && !in_url).then(|| ("has no hash", ADD.to_owned()))
            }
            Source::Web(_) => {
                let (_, fragment) = entry.text.split_once('#').unwrap_or_default();
                let mut parts = fragment.split('&');
                let in_url = parts.any(|part| IN_URLS.iter().any(|name| part.starts_with(name)));
                (!has_own && !in_url).then(|| ("has no hash", ADD.to_owned()))
            }
            Source::Index => {
                let name = requirement.name.as_deref()?;
                let is_hashed = self.has_hash(name, entry, requirement.has_extras());
                (!is_hashed && !may_be_installed(name)).then(|| {
                    let help = format!(
                        "{ADD} If a conda package has it, list that package under `dependencies:`."
                    );
                    ("has no hash", help)
                })
            }
        }
    }

    /// Whether a constraint, `entry` or one before it gives a hash for the package `name`: of several entries, pip takes the
    /// hashes of the first. An entry with extras may come after the others.
    fn has_hash(&self, name: &str, entry: &ListEntry, has_extras: bool) -> bool {
        let mut is_until = true;
        self.entries().iter().any(|other| {
            let counts = is_until || other.is_constraint || has_extras;
            is_until &= !std::ptr::eq(other, entry);
            let found = other.requirement();
            let found = found.filter(|found| found.name.as_deref() == Some(name));
            counts && found.is_some_and(|found| !found.hashes.is_empty())
        })
    }
}

fn has_option(entry: &ListEntry, name: &str) -> bool {
    match &entry.entry {
        Entry::Options(options) => options.iter().any(|option| option.name == name),
        _ => false,
    }
}

/// An entry without the options after it.
fn shown(entry: &ListEntry) -> String {
    let end = entry.text.find(" --").unwrap_or(entry.text.len());
    quoted(entry.text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirements::list_of;
    use condafront_model::source::Level;

    fn checked(text: &str) -> Result<(), Diagnostic> {
        let text = text
            .replace("HASH", &format!("--hash=sha256:{}", "a".repeat(64)))
            .replace("DIGITS", &"b".repeat(64));
        list_of(&text).check_hashes(|name| name == "numpy")
    }

    #[test]
    fn lists_with_hashes_for_all_or_none_are_accepted() {
        const URL: &str = "https://f.example/demo-1.0-py3-none-any.whl";
        for text in [
            "a==1\nb\n./app\ngit+https://g.example/x.git".to_owned(),
            "a==1 HASH\nb===2 HASH".to_owned(),
            "--require-hashes\n".to_owned(),
            "--no-require-hashes\na==1 HASH\nb".to_owned(),
            // Releases of pip differ about these.
            "a>=1 HASH\na HASH".to_owned(),
            // A marker need not hold.
            "a==1 HASH\nb==2; sys_platform == 'win32'\n./app; python_version < '3'".to_owned(),
            // What conda has is not downloaded.
            "a==1 HASH\nNumPy".to_owned(),
            // One hash for all entries of a name.
            "A_b==1 HASH\na.b[x]==1\na-b".to_owned(),
            "a[x]\na==1 HASH".to_owned(),
            // A hash in a URL alone asks nothing of the others.
            format!("demo @ {URL}#sha256=DIGITS\nb"),
            "file:./demo-1-py3-none-any.whl#sha256=DIGITS\nb".to_owned(),
            format!("a==1 HASH\ndemo @ {URL}#sha256=DIGITS"),
            format!("a==1 HASH\n{URL}#egg=demo&md5=DIGITS"),
            format!("a==1 HASH\n{URL} HASH"),
            "a==1 HASH\n./demo-1-py3-none-any.whl HASH".to_owned(),
            "a==1 HASH\nfile:./demo-1-py3-none-any.whl#sha256=DIGITS".to_owned(),
        ] {
            let found = checked(&text).map_err(|error| error.message);
            assert_eq!(found, Ok(()), "{text}");
        }
    }

    #[test]
    fn a_requirement_without_a_hash_among_others_is_an_error() {
        let mut messages = String::new();
        for text in [
            "a==1 HASH\nb==2",
            "b\n# a comment\na==1; sys_platform == 'win32' \\\n  HASH",
            "a==1\n--require-hashes",
            "a==1\nA==1 HASH",
            "a==1 HASH\ndemo @ https://f.example/demo-1.0-py3-none-any.whl#egg=demo",
            "a==1 HASH\ngit+https://g.example/x.git HASH",
            "a==1 HASH\n./app HASH",
            "a==1 HASH\n-e ./app",
            "a==1 HASH\n./demo-1.tar.gz HASH",
            "a==1 HASH\n./demo-1-py3-none-any.whl",
            "--require-hashes\na==1 HASH\n--no-require-hashes",
        ] {
            let error = checked(text).unwrap_err();
            messages += &format!("{}\n", error.render(Level::Error));
        }
        insta::assert_snapshot!(messages);
    }
}
