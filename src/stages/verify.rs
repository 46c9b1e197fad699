//! The target `verify`: whether an image matches the file.

use super::looked::missing;
use super::session::Session;

use buildkit_llb::{Input, Output};
use buildkit_proto::gateway;

use crate::gateway::error::BuildError;
use crate::options::inputs::IMAGE;
use crate::options::target::Target;
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::platform::Platform;
use condafront_model::source::Diagnostic;
use condafront_step_spec::verify::{
    Extent, Finding, Reason, VERIFY_FILE, VerifyReport, VerifySpec,
};

/// How many findings the error lists.
const LISTED: usize = 40;

impl Session<'_> {
    /// Checks the image for each platform; the result has a report for each.
    ///
    /// # Errors
    /// When an image is different, and when the file cannot be built.
    pub(super) async fn verify(
        &self,
        platforms: &[Platform],
    ) -> Result<gateway::Result, BuildError> {
        let mut reports = Vec::new();
        for platform in platforms {
            let name = match platforms.len() {
                1 => VERIFY_FILE.to_owned(),
                _ => format!("verify-{}.json", platform.subdir()),
            };
            reports.push((
                self.on(*platform).verified(platforms).await?,
                VERIFY_FILE,
                name,
            ));
        }
        self.files(&reports, "[verify] report").await
    }

    /// The output with the report, if the image is what the file says.
    async fn verified(&self, platforms: &[Platform]) -> Result<Output, BuildError> {
        let image = self.image_in(IMAGE).await?;
        let image = image.ok_or_else(|| missing(IMAGE, "check"))?;
        let built = self.built(Target::Image).await?;
        let Input::Output(expected) = &built.root else {
            return Err(Diagnostic::new("the file describes an empty image").into());
        };
        let spec = VerifySpec {
            prefix: ROOT_PREFIX.to_owned(),
            extent: self.settings.verify,
            files: match self.settings.verify {
                Extent::Everything => built.own_files,
                // Other tools do not write them.
                Extent::Packages => Vec::new(),
            },
        };
        self.settle(expected).await?;
        let programs = self.programs().await?;
        let (output, step) = self.tools(&programs).verify(&spec, expected, &image.root)?;
        let report = self.run(&output, &step, |_| None).await?;
        let report: VerifyReport = self.read_json(&report, VERIFY_FILE).await?;
        let file = self.file.name();
        if report.different > 0 {
            let image = on_platform(&image.name, self.platform, platforms);
            return Err(different(&image, file, &report, spec.extent).into());
        }
        let topic = self.topic(Target::Verify, platforms);
        for note in &report.notes {
            self.bridge.tell(&format!("{topic} {note}")).await?;
        }
        let line = format!("{topic} {}", same(&image.name, file, &report, spec.extent));
        self.bridge.tell(&line).await?;
        Ok(output)
    }
}

/// What the error calls the image: with the platform, if `all` are several.
fn on_platform(image: &str, platform: Platform, all: &[Platform]) -> String {
    match all {
        [_] => image.to_owned(),
        _ => format!("{image} for {platform}"),
    }
}

/// What was compared, if nothing is different.
fn same(image: &str, file: &str, report: &VerifyReport, extent: Extent) -> String {
    let VerifyReport {
        packages,
        files,
        bytes,
        links,
        left_out,
        ..
    } = report;
    let size = *bytes as f64 / 1e6;
    let rest = match extent {
        Extent::Everything => format!("nothing else is in {ROOT_PREFIX}"),
        Extent::Packages => {
            format!("{left_out} files that other tools write differently were not compared")
        }
    };
    format!(
        "{packages} packages match {file}: {files} files ({size:.1} MB) and {links} links are the same; {rest}; compared with {image}"
    )
}

/// The error with what is different.
fn different(image: &str, file: &str, report: &VerifyReport, extent: Extent) -> Diagnostic {
    let count = report.different;
    let paths = if count == 1 {
        "path differs"
    } else {
        "paths differ"
    };
    let mut message = format!("{image} does not match {file}: {count} {paths}");
    for finding in report.findings.iter().take(LISTED) {
        message.push_str(&format!("\n  {}", line(finding)));
    }
    let more = count - report.findings.len().min(LISTED);
    if more > 0 {
        message.push_str(&format!(
            "\n  and {more} more; the log of the step has the first {}",
            report.findings.len()
        ));
    }
    let help = "Find out who changed the image, or build it again from the file. The base image and the build-args must be those that it was built with.";
    let of_tools = extent == Extent::Everything && report.findings.iter().any(is_of_tools);
    Diagnostic::new(message).help(if of_tools {
        format!("{help} For an image that another tool built, --build-arg CONDAFRONT_VERIFY=packages compares only what is in the packages.")
    } else {
        help.to_owned()
    })
}

/// Whether another tool would have done it this way.
fn is_of_tools(finding: &Finding) -> bool {
    finding.path.contains("/conda-meta/") && finding.reason != Reason::Missing
}

fn line(finding: &Finding) -> String {
    let package = finding.package.as_deref();
    let package = package
        .map(|package| format!(" ({package})"))
        .unwrap_or_default();
    format!("{} {}{package}", finding.path, finding.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(findings: Vec<Finding>, different: usize) -> VerifyReport {
        VerifyReport {
            packages: 3,
            files: 1200,
            bytes: 45_100_000,
            links: 7,
            directories: 30,
            left_out: 5,
            different,
            findings,
            notes: Vec::new(),
        }
    }

    #[test]
    fn the_error_lists_the_first_paths() {
        let finding = |index: usize| Finding {
            path: format!("/opt/conda/lib/{index:02}"),
            reason: Reason::Missing,
            text: "is missing".to_owned(),
            package: (index == 0).then(|| "a 1.0".to_owned()),
        };
        let report = report((0..50).map(finding).collect(), 2000);
        let error = different("lab:1", "env.lock", &report, Extent::Everything);
        insta::assert_snapshot!(error.to_string());
    }

    #[test]
    fn the_error_names_the_platform_if_there_are_several() {
        let arm = Platform::LinuxArm64;
        assert_eq!(on_platform("lab:1", arm, &[arm]), "lab:1");
        assert_eq!(
            on_platform("lab:1", arm, &Platform::ALL),
            "lab:1 for linux/arm64"
        );
    }

    #[test]
    fn success_says_what_was_compared() {
        let report = report(Vec::new(), 0);
        let said = [Extent::Everything, Extent::Packages]
            .map(|extent| same("lab:1", "env.lock", &report, extent));
        insta::assert_snapshot!(said.join("\n"));
    }
}
