//! Build secrets that the frontend itself needs. Only a process in the build can read them: this one writes them to its
//! standard output, in a container whose output BuildKit passes on and neither caches nor logs.

use std::collections::BTreeSet;

use buildkit_proto::gateway::{self, exec_message::Input};
use buildkit_proto::pb;
use futures_util::{StreamExt as _, stream};

use super::client::{Bridge, Reference};
use super::error::GatewayError;
use condafront_input::Secrets;

/// The container's name, and that of its process.
const NAME: &str = "condafrontsecrets";
/// The file descriptor of standard output.
const STDOUT: u32 = 1;

impl Bridge {
    /// The secrets of the build with these names; those that are empty or not given are missing. `command` runs in `root`, and
    /// writes its environment to its standard output: `NAME=VALUE` entries that end in NUL.
    ///
    /// # Errors
    /// When the process cannot run. Engines before BuildKit 0.12 have no secrets for frontends.
    pub(crate) async fn secrets(
        &self,
        names: &BTreeSet<String>,
        root: &Reference,
        command: Vec<String>,
    ) -> Result<Secrets, GatewayError> {
        if !self.abilities().gateway_has("gateway.exec.secretenv") {
            return Ok(Secrets::default());
        }
        let container = gateway::NewContainerRequest {
            container_id: NAME.to_owned(),
            mounts: vec![pb::Mount {
                dest: "/".to_owned(),
                result_id: root.0.clone(),
                ..Default::default()
            }],
            network: pb::NetMode::None.into(),
            ..Default::default()
        };
        let mut client = self.client.clone();
        client.new_container(container).await?;
        let output = self.output(names, command).await;
        let release = gateway::ReleaseContainerRequest {
            container_id: NAME.to_owned(),
        };
        client.release_container(release).await?;
        let output = output?;
        let entries = output.split(|byte| *byte == 0);
        let pairs = entries.filter_map(|entry| {
            let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        });
        // A secret that is not given is an empty variable (`loadSecretEnv` in `frontend/gateway/container/container.go`).
        let is_given = |(name, value): &(String, String)| names.contains(name) && !value.is_empty();
        Ok(pairs.filter(is_given).collect())
    }

    /// What a process writes to its standard output. Its environment has the secrets.
    async fn output(
        &self,
        names: &BTreeSet<String>,
        command: Vec<String>,
    ) -> Result<Vec<u8>, GatewayError> {
        let secret = |name: &String| pb::SecretEnv {
            id: name.clone(),
            name: name.clone(),
            optional: true,
        };
        let start = gateway::ExecMessage {
            process_id: NAME.to_owned(),
            input: Some(Input::Init(gateway::InitMessage {
                container_id: NAME.to_owned(),
                meta: Some(pb::Meta {
                    args: command,
                    cwd: "/".to_owned(),
                    ..Default::default()
                }),
                fds: vec![STDOUT],
                secretenv: names.iter().map(secret).collect(),
            })),
        };
        // BuildKit ends the process when the stream ends.
        let messages = stream::once(async { start }).chain(stream::pending());
        let answer = self.client.clone().exec_process(messages).await?;
        let mut answer = answer.into_inner();
        let mut output = Vec::new();
        while let Some(message) = answer.message().await? {
            match message.input {
                Some(Input::File(file)) if file.fd == STDOUT => output.extend(file.data),
                Some(Input::Exit(gateway::ExitMessage { code, error })) if code != 0 => {
                    let why = error.map(|error| error.message).unwrap_or_default();
                    return Err(GatewayError::session(format!(
                        "the build's secrets cannot be read: {why}"
                    )));
                }
                Some(Input::Done(_)) => break,
                _ => {}
            }
        }
        Ok(output)
    }
}
