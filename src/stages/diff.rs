//! The target `diff`: how the packages of two images differ.

use super::looked::{Looked, missing};
use super::session::Session;

use buildkit_llb::Input;
use buildkit_proto::gateway;

use crate::gateway::error::BuildError;
use crate::options::inputs::{NEW, OLD};
use crate::options::target::Target;
use condafront_model::platform::Platform;
use condafront_model::source::Diagnostic;
use condafront_step_spec::diff::{Change, DIFF_FILE, DIFF_TEXT, DiffImage, DiffReport, DiffSpec};

impl Session<'_> {
    /// Compares two images for each platform; the result has the reports.
    ///
    /// # Errors
    /// When an image is unavailable, and when the file cannot be built.
    pub(super) async fn diff(&self, platforms: &[Platform]) -> Result<gateway::Result, BuildError> {
        let mut reports = Vec::new();
        for platform in platforms {
            let output = self.on(*platform).differences(platforms).await?;
            for file in [DIFF_FILE, DIFF_TEXT] {
                let name = match (platforms.len(), file.split_once('.')) {
                    (2.., Some((stem, end))) => format!("{stem}-{}.{end}", platform.subdir()),
                    _ => file.to_owned(),
                };
                reports.push((output.clone(), file, name));
            }
        }
        self.files(&reports, "[diff] reports").await
    }

    /// The output with the reports.
    async fn differences(
        &self,
        platforms: &[Platform],
    ) -> Result<buildkit_llb::Output, BuildError> {
        let old = self.image_in(OLD).await?;
        let old = old.ok_or_else(|| missing(OLD, "compare with"))?;
        let new = match self.image_in(NEW).await? {
            Some(new) => new,
            None => {
                let built = self.built(Target::Image).await?;
                let Input::Output(root) = &built.root else {
                    return Err(Diagnostic::new("the file describes an empty image").into());
                };
                self.settle(root).await?;
                Looked::new(self.file.name().to_owned(), root.clone(), &built.config)
            }
        };
        let image = |looked: &Looked| DiffImage {
            name: looked.name.clone(),
            prefixes: looked.prefixes.clone(),
        };
        let spec = DiffSpec {
            old: image(&old),
            new: image(&new),
        };
        let programs = self.programs().await?;
        let (output, step) = self.tools(&programs).diff(&spec, &old.root, &new.root)?;
        let report = self.run(&output, &step, |_| None).await?;
        let report: DiffReport = self.read_json(&report, DIFF_FILE).await?;
        let topic = self.topic(Target::Diff, platforms);
        let line = format!("{topic} {}", summary(&report));
        self.bridge.tell(&line).await?;
        Ok(output)
    }
}

/// The report in one line.
fn summary(report: &DiffReport) -> String {
    let DiffReport { old, new, changes } = report;
    let count = |is_one: fn(&Change) -> bool| changes.iter().filter(|it| is_one(it)).count();
    let added = count(|it| it.old.is_none());
    let removed = count(|it| it.new.is_none());
    let changed = changes.len() - added - removed;
    let [before, after] = [old.bytes, new.bytes].map(|bytes| bytes as f64 / 1e6);
    format!(
        "packages: {added} added, {removed} removed, {changed} changed; {before:.1} MB → {after:.1} MB; {} → {}",
        old.image, new.image
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_step_spec::diff::{Details, Overview, PackageKind};

    #[test]
    fn the_summary_counts() {
        let overview = |image: &str, bytes| Overview {
            image: image.to_owned(),
            bytes,
            ..Overview::default()
        };
        let change = |old: bool, new: bool| Change {
            kind: PackageKind::Conda,
            environment: None,
            name: String::new(),
            old: old.then(Details::default),
            new: new.then(Details::default),
        };
        let report = DiffReport {
            old: overview("lab:1", 100_000_000),
            new: overview("env.lock", 120_000_000),
            changes: vec![
                change(true, false),
                change(false, true),
                change(true, true),
                change(true, true),
            ],
        };
        assert_eq!(
            summary(&report),
            "packages: 1 added, 1 removed, 2 changed; 100.0 MB → 120.0 MB; lab:1 → env.lock"
        );
    }
}
