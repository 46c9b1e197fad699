//! The build-arg `CONDAFRONT_SKIP`: packages of a lock that are left out. What they depend on stays.

use std::collections::{BTreeMap, BTreeSet};

use crate::environment_input::EnvironmentInput;
use crate::settings::InputSettings;
use condafront_model::nearest::did_you_mean;
use condafront_model::pypi_package::normalized;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, SourceFile};

/// The packages to leave out of one lock.
pub(crate) struct Skip<'a> {
    asked: &'a [String],
    /// Whether other locks of the same image may have what this one does not.
    has_others: bool,
    /// The names of the lock's packages, including those for other platforms and environments.
    known: BTreeSet<String>,
    any: bool,
}

impl<'a> Skip<'a> {
    pub(super) fn new(settings: &'a InputSettings) -> Self {
        Self {
            asked: &settings.skip,
            has_others: settings.image_file.is_some(),
            known: BTreeSet::new(),
            any: false,
        }
    }

    /// Notes that the lock has a package of this name.
    pub(crate) fn know(&mut self, name: &str) {
        if !self.asked.is_empty() {
            self.known.insert(name.to_owned());
        }
    }

    /// Whether to leave out the conda package `name`.
    pub(crate) fn conda(&mut self, name: &str) -> bool {
        self.leaves_out(name, str::eq_ignore_ascii_case)
    }

    /// Whether to leave out the PyPI package `name`.
    pub(crate) fn pypi(&mut self, name: &str) -> bool {
        self.leaves_out(name, same_pypi)
    }

    fn leaves_out(&mut self, name: &str, same: fn(&str, &str) -> bool) -> bool {
        self.know(name);
        let is_left_out = self.asked.iter().any(|asked| same(asked, name));
        self.any |= is_left_out;
        is_left_out
    }

    /// Checks, when all names are known and before anything else can be wrong, that the lock has what is to be left out.
    ///
    /// # Errors
    /// The first name that is not that of a package.
    pub(crate) fn check_names(&self, file: &SourceFile) -> Result<(), Diagnostic> {
        let unknown = self.unknown(file).into_values().next();
        unknown.filter(|_| !self.has_others).map_or(Ok(()), Err)
    }

    /// # Errors
    /// When a lock of which nothing is left had packages that are left out.
    pub(crate) fn check_rest(&self, file: &SourceFile) -> Result<(), Diagnostic> {
        if !self.any {
            return Ok(());
        }
        Err(Diagnostic::new(format!(
            "build-arg CONDAFRONT_SKIP: it leaves out all packages of {}",
            file.name()
        ))
        .help("Name fewer packages."))
    }

    /// The names that are not those of a package of the lock, each with the error that says so.
    pub(super) fn unknown(&self, file: &SourceFile) -> BTreeMap<String, Diagnostic> {
        let is_known = |asked: &str| self.known.iter().any(|name| same_pypi(asked, name));
        let unknown = self.asked.iter().filter(|asked| !is_known(asked));
        let error = |asked: &String| {
            let error = Diagnostic::new(format!(
                "build-arg CONDAFRONT_SKIP: {} has no package `{}`",
                file.name(),
                redact::quoted(asked)
            ));
            let near = did_you_mean(asked, self.known.iter().map(String::as_str));
            error.help(near.unwrap_or_else(|| "Write the name of one of its packages.".to_owned()))
        };
        unknown.map(|asked| (asked.clone(), error(asked))).collect()
    }
}

fn same_pypi(a: &str, b: &str) -> bool {
    normalized(a) == normalized(b)
}

/// An error about a package that cannot be installed, with the advice to leave it out.
pub fn or_skip(mut error: Diagnostic, name: &str) -> Diagnostic {
    let advice = format!(
        "Or leave it out with --build-arg CONDAFRONT_SKIP={}.",
        redact::quoted(name)
    );
    error.help = Some(match error.help.take() {
        Some(help) => format!("{help} {advice}"),
        None => advice,
    });
    error
}

/// Checks that each name of `CONDAFRONT_SKIP` is that of a package of at least one of an image's environments, if one of
/// them is from a lock. A lock alone is checked when it is read.
///
/// # Errors
/// The first name that is not.
pub fn check_skips<'a>(
    environments: impl IntoIterator<Item = &'a EnvironmentInput>,
) -> Result<(), Diagnostic> {
    let unknown = environments
        .into_iter()
        .filter_map(|one| one.unknown_skips.as_ref());
    let unknown: Vec<_> = unknown.collect();
    let Some((first, others)) = unknown.split_first() else {
        return Ok(());
    };
    let nowhere = |name: &String| others.iter().all(|unknown| unknown.contains_key(name));
    match first.iter().find(|(name, _)| nowhere(name)) {
        Some((_, error)) => Err(error.clone()),
        None => Ok(()),
    }
}
