//! Reads the report that a failed step has left.

use std::collections::BTreeSet;

use condafront_step_spec::failure_report::{FailureReport, SHOWN_DIR};

use super::client::Bridge;
use super::container::Process;
use super::error::GatewayError;
use super::solving::Reference;

impl Bridge {
    /// The report in one of these `mounts` of the step that failed with `error`, by their positions; `None` if BuildKit has
    /// kept none of them. `command` runs in `root`, and writes it to its standard output.
    ///
    /// BuildKit names what this one process has left in its mounts: nothing of another build can be there.
    ///
    /// # Errors
    /// When none of them has a report that can be read.
    pub(crate) async fn report_of(
        &self,
        error: &GatewayError,
        mounts: impl Iterator<Item = usize>,
        root: &Reference,
        command: &[String],
    ) -> Result<Option<FailureReport>, GatewayError> {
        let left = error.left_in_mounts();
        let mut unread = None;
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
            let text = self.output_of(process).await;
            let report = text.and_then(|text| {
                serde_json::from_slice(&text)
                    .map_err(|error| GatewayError::caused("it is not a report", error))
            });
            match report {
                Ok(report) => return Ok(Some(report)),
                // It may be in the next one.
                Err(error) => unread = Some(error),
            }
        }
        unread.map_or(Ok(None), Err)
    }
}
