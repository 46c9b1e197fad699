//! Reads a `pylock.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fields::Reader;
use super::lock::{LockedPackage, Pylock};
use super::source::About;
use crate::file_path::FilePath;
use crate::leftover;
use crate::section::image_section::Located;
use crate::toml;
use crate::yaml::Node;
use condafront_model::lint::{Rule, Warning};
use condafront_model::pypi_package::normalized as normalized_name;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// Reads the lock `file` in `folder`.
///
/// # Errors
/// A diagnostic at the first line that is not valid, or that the build does not support.
pub fn read(file: &Arc<SourceFile>, folder: FilePath) -> Result<Pylock, Diagnostic> {
    let text = file.text()?;
    if let Some(error) = leftover::of_git(file, text) {
        return Err(error);
    }
    let tree = toml::read(file, text)?;
    let reader = Reader { file };
    let mut warnings = Vec::new();
    reader.check_version(&tree, &mut warnings)?;
    let names = |key: &str| -> Result<Vec<String>, Diagnostic> {
        let names = reader.strings(&tree, key)?.into_iter();
        Ok(names.map(|name| normalized_name(name.value)).collect())
    };
    let environments = reader.strings(&tree, "environments")?.into_iter();
    let environments = environments.map(|text| {
        let value = reader.marker(text.value, text.lines)?;
        let lines = text.lines;
        Ok(Located { value, lines })
    });
    let packages = tree
        .get("packages")
        .ok_or_else(|| reader.error(Lines::one(1), format!("{} has no `packages`", file.name())))?;
    let list = packages.list().ok_or_else(|| {
        let message = format!(
            "`packages` must be a list of tables, not {}",
            packages.what()
        );
        reader.error(packages.lines, message)
    })?;
    let packages = list
        .iter()
        .map(|entry| reader.package(entry, &mut warnings));
    let packages: Vec<LockedPackage> = packages.collect::<Result<_, _>>()?;
    reader.check_repeats(&packages)?;
    Ok(Pylock {
        file: Arc::clone(file),
        folder,
        requires_python: reader.requires_python(&tree)?,
        environments: environments.collect::<Result<_, Diagnostic>>()?,
        extras: names("extras")?,
        groups: names("dependency-groups")?,
        default_groups: names("default-groups")?,
        packages,
        warnings,
    })
}

impl Reader<'_> {
    /// Refuses another major version of the format, and warns of another minor one.
    fn check_version(&self, tree: &Node, warnings: &mut Vec<Warning>) -> Result<(), Diagnostic> {
        let name = self.file.name();
        let Some(version) = self.string(tree, "lock-version")? else {
            return Err(Diagnostic::new(format!("{name} has no `lock-version`"))
                .at(self.file, Lines::one(1))
                .help("A pylock.toml starts with: lock-version = \"1.0\""));
        };
        let Located { value, lines } = version;
        if value == "1.0" {
            return Ok(());
        }
        if value.split('.').next() != Some("1") {
            return Err(Diagnostic::new(format!(
                "condafront cannot read version `{}` of pylock.toml",
                quoted(value)
            ))
            .at(self.file, lines)
            .help("Write the lock in version 1.0."));
        }
        warnings.push(Warning {
            rule: Rule::Ignored,
            diagnostic: Diagnostic::new(format!(
                "condafront supports version 1.0 of pylock.toml: what is new in `{}` has no effect",
                quoted(value)
            ))
            .at(self.file, lines)
            .help("Write the lock in version 1.0."),
        });
        Ok(())
    }

    /// Refuses two entries for one package if no marker decides between them.
    fn check_repeats(&self, packages: &[LockedPackage]) -> Result<(), Diagnostic> {
        let mut seen: BTreeMap<String, Lines> = BTreeMap::new();
        for package in packages.iter().filter(|package| package.marker.is_none()) {
            if let Some(first) = seen.insert(normalized_name(&package.name), package.lines) {
                let name = quoted(&package.name);
                let message = format!("the lock has {name} twice, without markers");
                let error = self.error(package.lines, message);
                return Err(error.at(self.file, first));
            }
        }
        Ok(())
    }

    fn package(
        &self,
        entry: &Node,
        warnings: &mut Vec<Warning>,
    ) -> Result<LockedPackage, Diagnostic> {
        let first = entry.mapping().and_then(|entries| entries.first());
        let start = first.map_or(entry.lines, |(key, _)| key.lines);
        let Some(Located { value: name, lines }) = self.string(entry, "name")? else {
            return Err(self.error(start, "a package has no `name`"));
        };
        let about = About {
            name,
            version: self.string(entry, "version")?.map(|found| found.value),
            lines,
        };
        let marker = self.string(entry, "marker")?;
        let marker = marker.map(|text| self.marker(text.value, text.lines));
        Ok(LockedPackage {
            name: name.to_owned(),
            marker: marker.transpose()?,
            requires_python: self.requires_python(entry)?.map(|found| found.value),
            source: self.source(&about, entry, warnings)?,
            lines,
        })
    }
}
