//! System packages and the locale, installed on the base image before everything else.

use super::session::Session;

use std::sync::Arc;

use buildkit_llb::{Input, Output};

use crate::context::named::Found;
use crate::gateway::error::BuildError;
use crate::inventory::Component;
use condafront_graph::system::{CacheIds, Prepared, System};
use condafront_graph::{NetworkAccess, Tools, location_in, source_file};
use condafront_input::section::{
    ImageSection, Located, PackageEntry, SystemPackages, read_package_list,
};
use condafront_model::source::{Diagnostic, Lines, SourceFile};
use condafront_step_spec::args::ArgsError;
use condafront_step_spec::failure_report::Culprit;
use condafront_step_spec::system::Manager as PackageManager;
use condafront_step_spec::system::{SYSTEM_FACTS_FILE, SystemFacts, SystemSpec};

/// Locales that every C library has.
const BUILT_IN: [&str; 4] = ["C", "POSIX", "C.UTF-8", "C.utf8"];

/// The base image, with system packages and locale.
pub(super) struct SystemBase {
    /// The base image with its packages and locale, and with their changes to its configuration and history.
    pub(super) base: Found,
    /// The step's output that the frontend reads, if there was a step. An image must depend on it: a cache that is
    /// exported with the image lacks it otherwise.
    pub(super) facts: Option<Output>,
    /// The packages that the step has added, for the inventory.
    pub(super) added: Vec<Component>,
}

/// A package of the distribution, and where it is asked for.
struct SystemPackage {
    package: String,
    /// The file that asks for it, and the lines there: a list that the section names, or the section's own file.
    file: Arc<SourceFile>,
    lines: Lines,
    /// Where the section names the list.
    list: Option<Lines>,
}

impl Session<'_> {
    /// Installs the packages of the section's `apt`, `apk` or `dnf`, and its `locale`, on `base`.
    pub(super) async fn system_packages(
        &self,
        base: &Found,
        tools: &Tools<'_>,
        section: &ImageSection,
    ) -> Result<SystemBase, BuildError> {
        let mut ready = SystemBase {
            base: base.clone(),
            facts: None,
            added: Vec::new(),
        };
        let wanted = self.wanted(section).await?;
        let locale = section.locale.as_ref().map(|locale| &locale.value);
        let spec = SystemSpec {
            manager: section
                .packages
                .as_ref()
                .filter(|_| !wanted.is_empty())
                .map(|packages| packages.manager),
            locale: locale
                .filter(|name| !BUILT_IN.contains(&name.as_str()))
                .cloned(),
        };
        if let (Some(packages), Some(_)) = (&section.packages, spec.manager) {
            let what = format!("`{}`", packages.manager.name());
            self.must_run(&what, &[first_line(packages.lines)])?;
        }
        if spec.manager.is_some() || spec.locale.is_some() {
            let Input::Output(root) = &base.state else {
                return Err(self.nothing_to_install_with(section).into());
            };
            let (what, key) = match spec.manager {
                Some(_) => ("installing system packages", "packages"),
                None => ("installing a locale", "locale"),
            };
            let lines = key_lines(section, key);
            self.about(&self.build_file.file)
                .must_run(what, lines.as_slice())?;
            let prepared = self.prepare(root, base, tools, section, &spec, &wanted)?;
            self.evaluate_prepared(&prepared, section, &wanted).await?;
            ready.base.state = prepared.root.into();
            let reference = self.evaluate(&prepared.facts).await?;
            let facts: SystemFacts = self.read_json(&reference, SYSTEM_FACTS_FILE).await?;
            let added = facts.packages.iter();
            let added = added.map(|package| Component::system(package, facts.release.as_ref()));
            ready.added = added.map(|one| one.in_layer(&prepared.name)).collect();
            ready.base.config.add_history(&[prepared.name]);
            set_env(&mut ready.base, facts.env);
            ready.facts = Some(prepared.facts);
        }
        if let Some(locale) = locale {
            let mut env = vec![("LANG".to_owned(), locale.clone())];
            // It overrides LANG.
            if ready
                .base
                .config
                .env()
                .iter()
                .any(|(name, _)| name == "LC_ALL")
            {
                env.push(("LC_ALL".to_owned(), locale.clone()));
            }
            set_env(&mut ready.base, env);
        }
        Ok(ready)
    }

    /// The packages that the section lists, and those of the files that it names.
    async fn wanted(&self, section: &ImageSection) -> Result<Vec<SystemPackage>, BuildError> {
        let Some(SystemPackages {
            manager, entries, ..
        }) = &section.packages
        else {
            return Ok(Vec::new());
        };
        let mut wanted = Vec::new();
        for entry in entries {
            match &entry.value {
                PackageEntry::Package(package) => wanted.push(SystemPackage {
                    package: package.clone(),
                    file: Arc::clone(&self.build_file.file),
                    lines: entry.lines,
                    list: None,
                }),
                PackageEntry::File(path) => {
                    let path = Located {
                        value: path.clone(),
                        lines: entry.lines,
                    };
                    wanted.extend(self.listed(&path, *manager).await?);
                }
            }
        }
        Ok(wanted)
    }

    async fn listed(
        &self,
        path: &Located<String>,
        manager: PackageManager,
    ) -> Result<Vec<SystemPackage>, BuildError> {
        let found = self.beside_build_file(path).await?;
        self.warn(found.warning.as_slice()).await?;
        let list = found.file;
        let mut wanted = Vec::new();
        for entry in read_package_list(&list, manager)? {
            // A list does not name other lists.
            if let PackageEntry::Package(package) = entry.value {
                wanted.push(SystemPackage {
                    package,
                    file: Arc::clone(&list),
                    lines: entry.lines,
                    list: Some(path.lines),
                });
            }
        }
        Ok(wanted)
    }

    fn prepare(
        &self,
        root: &Output,
        base: &Found,
        tools: &Tools<'_>,
        section: &ImageSection,
        spec: &SystemSpec,
        wanted: &[SystemPackage],
    ) -> Result<Prepared, ArgsError> {
        let file = &self.build_file.file;
        let said = [
            section.packages.as_ref().map(|packages| packages.lines),
            section.locale.as_ref().map(|locale| locale.lines),
        ];
        let said: Vec<Lines> = said.into_iter().flatten().collect();
        let location = location_in(&source_file(file, said.iter().copied()), said);
        let namespace = self.options.get("build-arg:BUILDKIT_CACHE_MOUNT_NS");
        let packages: Vec<String> = wanted.iter().map(|wanted| wanted.package.clone()).collect();
        let system = System {
            base: root,
            env: &base.config.env(),
            spec,
            packages: &packages,
            network: &NetworkAccess::from_options(self.options),
            caches: &CacheIds {
                namespace: namespace.map(str::to_owned),
                platform: self.platform.to_string(),
            },
            location: &location,
        };
        tools.system(&system)
    }

    /// Runs the step. If it fails, the error says why, at the lines of the packages.
    async fn evaluate_prepared(
        &self,
        prepared: &Prepared,
        section: &ImageSection,
        wanted: &[SystemPackage],
    ) -> Result<(), BuildError> {
        let run = self.run_or_report(&prepared.root, &prepared.step, &[]);
        let Err(report) = run.await? else {
            return Ok(());
        };
        let mut diagnostic = Diagnostic::new(report.message);
        diagnostic.help = report.help;
        let own = &self.build_file.file;
        for culprit in &report.culprits {
            match culprit {
                Culprit::Package(index) => {
                    let Some(found) = wanted.get(*index) else {
                        continue;
                    };
                    diagnostic = diagnostic.at(&found.file, found.lines);
                    if let Some(list) = found.list {
                        diagnostic = diagnostic.at(own, list);
                    }
                }
                Culprit::Key(key) => {
                    if let Some(lines) = key_lines(section, key) {
                        diagnostic = diagnostic.at(own, lines);
                    }
                }
                _ => {}
            }
        }
        Err(diagnostic.into())
    }

    fn nothing_to_install_with(&self, section: &ImageSection) -> Diagnostic {
        let (what, lines) = match (&section.packages, &section.locale) {
            (Some(packages), _) => (
                format!("{} packages", packages.manager.name()),
                first_line(packages.lines),
            ),
            (None, locale) => (
                "a locale".to_owned(),
                locale.as_ref().map_or(Lines::one(1), |locale| locale.lines),
            ),
        };
        Diagnostic::new(format!(
            "{what} cannot be installed: the base image is empty"
        ))
        .at(&self.build_file.file, lines)
        .help("Set `base` to an image other than scratch.")
    }
}

/// The lines of a key of the section.
fn key_lines(section: &ImageSection, key: &str) -> Option<Lines> {
    match key {
        "locale" => section.locale.as_ref().map(|locale| locale.lines),
        _ => section
            .packages
            .as_ref()
            .map(|packages| first_line(packages.lines)),
    }
}

fn first_line(lines: Lines) -> Lines {
    Lines {
        last: lines.first,
        ..lines
    }
}

/// Sets variables of the image.
fn set_env(base: &mut Found, new: impl IntoIterator<Item = (String, String)>) {
    let mut env = base.config.env();
    for (name, value) in new {
        match env.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => env.push((name, value)),
        }
    }
    base.config.set_env(&env);
}
