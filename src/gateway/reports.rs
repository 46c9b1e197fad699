//! Reads the report that a failed step has left.

use std::collections::BTreeSet;

use condafront_step_spec::failure_report::{FailureReport, SHOWN_DIR};

use super::client::Bridge;
use super::container::Process;
use super::error::GatewayError;
use super::solving::Reference;

impl Bridge {
    /// The report in one of these `mounts` of the step that failed with `error`, by their positions; `None` if there is none.
    /// `command` runs in `root`, and writes it to its standard output.
    ///
    /// BuildKit names what this one process has left in its mounts: nothing of another build can be there.
    pub(crate) async fn report_of(
        &self,
        error: &GatewayError,
        mounts: impl Iterator<Item = usize>,
        root: &Reference,
        command: &[String],
    ) -> Option<FailureReport> {
        let left = error.left_in_mounts();
        for mount in mounts {
            let Some(id) = left.get(mount).filter(|id| !id.is_empty()) else {
                continue;
            };
            let process = Process {
                command: command.to_vec(),
                root,
                mount: Some((id, SHOWN_DIR)),
                secrets: &BTreeSet::new(),
            };
            // If it cannot be read, the log still has it.
            let Ok(report) = self.output_of(process).await else {
                continue;
            };
            if let Ok(report) = serde_json::from_slice(&report) {
                return Some(report);
            }
        }
        None
    }
}
