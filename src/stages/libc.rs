//! Whether the image has the C library that its packages need.

use super::assembly::Image;

use condafront_graph::virtual_packages::has_glibc;
use condafront_model::package::Package;
use condafront_model::source::Diagnostic;
use condafront_step_spec::facts::PackageFacts;
use condafront_step_spec::solve::Glibc;

/// A package that the image has no suitable glibc for: the index of its environment, the package, and its facts.
type Lacking<'a> = (usize, &'a Package, &'a PackageFacts);

impl Image<'_> {
    /// Reports packages that cannot run in the image. A solve takes the base image into account; a lock does not.
    pub(super) fn check_libc(&self) -> Result<(), Diagnostic> {
        let glibc = self.glibc();
        // The user says so explicitly, and knows better.
        if glibc == Glibc::OverrideNone {
            return Ok(());
        }
        let environments = self.environments.iter().enumerate();
        let lacking: Vec<Lacking<'_>> = environments
            .flat_map(|(index, one)| {
                let packages = one
                    .environment
                    .plan
                    .packages
                    .iter()
                    .zip(&one.facts.packages);
                packages.map(move |(package, facts)| (index, package, facts))
            })
            .filter(|(_, _, facts)| {
                let needed = facts.glibc.as_deref();
                needed.is_some_and(|versions| !has_glibc(&glibc, versions))
            })
            .collect();
        let Some((environment, package, facts)) = lacking.first() else {
            return Ok(());
        };
        let what = sentence(&lacking, facts);
        let has = match &glibc {
            Glibc::Base(version) => format!("the base image has glibc {version}"),
            Glibc::BaseHasMusl => "the base image has musl instead of glibc".to_owned(),
            Glibc::Override(version) => {
                format!("the build-arg CONDA_OVERRIDE_GLIBC is {version}")
            }
            Glibc::BaseHasNone | Glibc::OverrideNone => "the base image has none".to_owned(),
        };
        let mut diagnostic = Diagnostic::new(format!("{what}; {has}"));
        if let Some(lines) = self.base_lines {
            diagnostic = diagnostic.at(&self.session.build_file.file, lines);
        }
        if let Some(one) = self.environments.get(*environment) {
            diagnostic = diagnostic.at(one.session.file, package.lines);
        }
        Err(diagnostic.help("Choose a base image with a newer glibc, such as debian:13-slim. If the image will get its glibc from elsewhere, give its version with --build-arg CONDA_OVERRIDE_GLIBC=2.36."))
    }
}

/// Says which package needs which glibc. The upper bound of `>=2.17,<3.0.a0` is left out: it will never exist.
fn sentence(lacking: &[Lacking<'_>], first: &PackageFacts) -> String {
    let versions = first.glibc.as_deref().unwrap_or_default();
    let glibc = match versions.split(',').next() {
        None | Some("") => "glibc".to_owned(),
        Some(least) => format!("glibc {least}"),
    };
    let needs = format!("{} {} needs {glibc}", first.name, first.version);
    match lacking.len() {
        1 => needs,
        2 => format!("{needs}, and another package needs one too"),
        count => format!("{needs}, and {} other packages need one too", count - 1),
    }
}
