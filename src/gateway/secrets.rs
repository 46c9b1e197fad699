//! Which build secrets are given. Only a process in the build can know: this one writes them to its standard output, in a
//! container whose output BuildKit passes on and neither caches nor logs.

use std::collections::BTreeSet;

use buildkit_proto::gateway::{self, exec_message::Input};
use buildkit_proto::pb;
use futures_util::{StreamExt as _, stream};

use super::client::Bridge;
use super::error::GatewayError;
use super::solving::Reference;

/// The name of the process in its container.
const PROCESS: &str = "secrets";
/// The file descriptors that the process writes to.
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

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
        let container_id = container_id();
        let container = gateway::NewContainerRequest {
            container_id: container_id.clone(),
            mounts: vec![pb::Mount {
                dest: "/".to_owned(),
                result_id: root.id(),
                ..Default::default()
            }],
            network: pb::NetMode::None.into(),
            ..Default::default()
        };
        let mut client = self.client.clone();
        client.new_container(container).await?;
        let output = self.output(&container_id, names, command).await;
        let release = gateway::ReleaseContainerRequest { container_id };
        let released = client.release_container(release).await;
        // The release fails as well when the process has failed, and says less about it.
        let output = output?;
        released?;
        let entries = output.split(|byte| *byte == 0);
        let given = entries.filter_map(|entry| {
            let (name, value) = std::str::from_utf8(entry).ok()?.split_once('=')?;
            // A secret that is not given is an empty variable (`loadSecretEnv` in `frontend/gateway/container/container.go`).
            (names.contains(name) && !value.is_empty()).then(|| name.to_owned())
        });
        Ok(given.collect())
    }

    /// What a process writes to its standard output. Its environment has the secrets.
    async fn output(
        &self,
        container_id: &str,
        names: &BTreeSet<String>,
        command: Vec<String>,
    ) -> Result<Vec<u8>, GatewayError> {
        let secret = |name: &String| pb::SecretEnv {
            id: name.clone(),
            name: name.clone(),
            optional: true,
        };
        let start = gateway::ExecMessage {
            process_id: PROCESS.to_owned(),
            input: Some(Input::Init(gateway::InitMessage {
                container_id: container_id.to_owned(),
                meta: Some(pb::Meta {
                    args: command,
                    cwd: "/".to_owned(),
                    ..Default::default()
                }),
                fds: vec![STDOUT, STDERR],
                secretenv: names.iter().map(secret).collect(),
            })),
        };
        // BuildKit ends the process when the stream ends.
        let messages = stream::once(async { start }).chain(stream::pending());
        let answer = self.client.clone().exec_process(messages).await?;
        let mut answer = answer.into_inner();
        let (mut output, mut complaint) = (Vec::new(), Vec::new());
        let mut failure = None;
        while let Some(message) = answer.message().await? {
            match message.input {
                Some(Input::File(file)) if file.fd == STDOUT => output.extend(file.data),
                Some(Input::File(file)) if file.fd == STDERR => complaint.extend(file.data),
                Some(Input::Exit(gateway::ExitMessage { code, error })) if code != 0 => {
                    failure = Some(error.map(|error| error.message).unwrap_or_default());
                }
                Some(Input::Done(_)) => break,
                _ => {}
            }
        }
        if let Some(why) = failure {
            let complaint = String::from_utf8_lossy(&complaint);
            let complaint = complaint.trim();
            return Err(GatewayError::session(format!(
                "the build's secrets cannot be read: {}",
                if complaint.is_empty() {
                    &why
                } else {
                    complaint
                }
            )));
        }
        Ok(output)
    }
}

/// A name that no other container of the engine has: BuildKit passes it on to runc, and builds run at the same time.
fn container_id() -> String {
    // runc and BuildKit both accept letters and digits.
    uuid::Uuid::new_v4().simple().to_string()
}
