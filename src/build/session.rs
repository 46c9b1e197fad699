//! What BuildKit is asked on the way: to build, to read, to warn, and to say why a step failed.

use super::Session;

use buildkit_llb::{Definition, Output};
use serde::de::DeserializeOwned;

use crate::failure_report::{Culprit, FailureReport, REPORT_FILE};
use crate::gateway::client::{Evaluate, Reference};
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::requirements;
use crate::graph::step::Step;
use crate::input::{Rule, Warning};
use crate::install::facts::{Notice, Subject};
use crate::plan::Plan;
use crate::source::{Diagnostic, Lines};

impl Session<'_> {
    /// Runs a step for `output`. If that fails, the error says why, at the lines of whatever is to blame.
    pub(super) async fn run(
        &self,
        output: &Output,
        step: &Step,
        lines: impl Fn(&Culprit) -> Option<Lines>,
    ) -> Result<Reference, BuildError> {
        match self.evaluate(output).await {
            Err(BuildError::Gateway(error))
                if error.vertices().contains(&output.digest().to_string()) =>
            {
                Err(self.explain(step, lines).await.unwrap_or(error.into()))
            }
            outcome => outcome,
        }
    }

    /// Why a step failed; `None` if that cannot be found out.
    pub(super) async fn explain(
        &self,
        step: &Step,
        lines: impl Fn(&Culprit) -> Option<Lines>,
    ) -> Option<BuildError> {
        let reference = self.evaluate(&step.explain()).await.ok()?;
        let report: FailureReport = self.read_json(&reference, REPORT_FILE).await.ok()?;
        let mut diagnostic = Diagnostic::new(report.message);
        diagnostic.help = report.help;
        for lines in report.culprits.iter().filter_map(lines) {
            diagnostic = diagnostic.at(&self.build_file.file, lines);
        }
        Some(diagnostic.into())
    }

    pub(super) async fn evaluate(&self, output: &Output) -> Result<Reference, BuildError> {
        self.solve(output, Evaluate::Now).await
    }

    pub(super) async fn solve(
        &self,
        output: &Output,
        evaluate: Evaluate,
    ) -> Result<Reference, BuildError> {
        let definition = Definition::of(output);
        requirements::check(&definition, self.bridge.abilities())?;
        Ok(self
            .bridge
            .solve(definition.to_pb().clone(), evaluate)
            .await?)
    }

    pub(super) async fn read_json<T: DeserializeOwned>(
        &self,
        from: &Reference,
        path: &str,
    ) -> Result<T, BuildError> {
        let bytes = self.bridge.read_file(from, path).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            GatewayError::session(format!(
                "a step of the build left an unreadable {path}: {error}"
            ))
            .into()
        })
    }

    /// What install steps noticed, as findings at the packages' lines.
    pub(super) fn notices(&self, plan: &Plan, notices: &[Notice]) -> Vec<Warning> {
        let warning = |notice: &Notice| {
            let mut diagnostic = Diagnostic::new(&notice.message);
            if let Some(package) = notice.package.and_then(|index| plan.packages.get(index)) {
                diagnostic = diagnostic.at(&self.build_file.file, package.lines);
            }
            let rule = match notice.subject {
                Subject::Bytecode => Rule::NoBytecode,
                Subject::Contents => Rule::PackageContents,
            };
            Warning { rule, diagnostic }
        };
        notices.iter().map(warning).collect()
    }

    pub(super) async fn warn(&self, warnings: &[Warning]) -> Result<(), BuildError> {
        let vertex = self.build_file.vertex.to_string();
        for warning in warnings {
            self.bridge.warn(&vertex, warning).await?;
        }
        Ok(())
    }
}
