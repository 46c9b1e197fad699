//! Which build secrets are given. Only a process in the build can know.

use std::collections::BTreeSet;

use super::client::Bridge;
use super::container::Process;
use super::error::GatewayError;
use super::solving::Reference;

impl Bridge {
    /// Those of `names` that are secrets of the build and not empty. `command` runs in `root`, and writes its environment to
    /// its standard output: `NAME=VALUE` entries that end in NUL.
    ///
    /// # Errors
    /// When the process cannot run. Engines before BuildKit 0.12 have no secrets for frontends.
    pub(crate) async fn given_secrets(
        &self,
        names: &BTreeSet<String>,
        root: &Reference,
        command: Vec<String>,
    ) -> Result<BTreeSet<String>, GatewayError> {
        if !self.abilities().gateway_has("gateway.exec.secretenv") {
            return Ok(BTreeSet::new());
        }
        let process = Process {
            command,
            root,
            mount: None,
            secrets: names,
        };
        let output = self.output_of(process).await;
        let output = output
            .map_err(|error| GatewayError::caused("the build's secrets cannot be read", error))?;
        let entries = output.split(|byte| *byte == 0);
        let given = entries.filter_map(|entry| {
            let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
            // A secret that is not given is an empty variable (`loadSecretEnv` in `frontend/gateway/container/container.go`).
            (names.contains(name) && !value.is_empty()).then(|| name.to_owned())
        });
        Ok(given.collect())
    }
}
