//! Runs a process in the build whose output goes to the frontend: BuildKit passes it on, and neither caches nor logs it.

use std::collections::BTreeSet;

use buildkit_proto::gateway::{self, exec_message::Input};
use buildkit_proto::pb;
use futures_util::{StreamExt as _, stream};

use super::client::Bridge;
use super::error::GatewayError;
use super::solving::Reference;

/// The name of the process in its container.
const PROCESS: &str = "condafront";
/// The file descriptors that the process writes to.
const STDOUT: u32 = 1;
const STDERR: u32 = 2;

/// A process to run.
pub(super) struct Process<'a> {
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    /// The file system in which it runs.
    pub(super) root: &'a Reference,
    /// A result of BuildKit's, by its name there, and where it is mounted.
    pub(super) mount: Option<(&'a str, &'a str)>,
    /// The secrets in its environment. Those that are not given are empty.
    pub(super) secrets: &'a BTreeSet<String>,
}

impl Bridge {
    /// What a process writes to its standard output.
    ///
    /// # Errors
    /// When it cannot run, or fails.
    pub(super) async fn output_of(&self, process: Process<'_>) -> Result<Vec<u8>, GatewayError> {
        let container_id = container_id();
        let mut mounts = vec![pb::Mount {
            dest: "/".to_owned(),
            result_id: process.root.id(),
            ..Default::default()
        }];
        mounts.extend(process.mount.map(|(id, dest)| pb::Mount {
            dest: dest.to_owned(),
            result_id: id.to_owned(),
            readonly: true,
            ..Default::default()
        }));
        let container = gateway::NewContainerRequest {
            container_id: container_id.clone(),
            mounts,
            network: pb::NetMode::None.into(),
            ..Default::default()
        };
        let mut client = self.client.clone();
        client.new_container(container).await?;
        let output = self.run(&container_id, process).await;
        let release = gateway::ReleaseContainerRequest { container_id };
        let released = client.release_container(release).await;
        // The release fails as well when the process has failed, and says less about it.
        let output = output?;
        released?;
        Ok(output)
    }

    async fn run(&self, container_id: &str, process: Process<'_>) -> Result<Vec<u8>, GatewayError> {
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
                    args: process.command,
                    cwd: "/".to_owned(),
                    ..Default::default()
                }),
                fds: vec![STDOUT, STDERR],
                secretenv: process.secrets.iter().map(secret).collect(),
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
        let Some(why) = failure else {
            return Ok(output);
        };
        let complaint = String::from_utf8_lossy(&complaint);
        Err(GatewayError::session(match complaint.trim() {
            "" => why,
            complaint => complaint.to_owned(),
        }))
    }
}

/// A name that no other container of the engine has: BuildKit passes it on to runc, and builds run at the same time.
fn container_id() -> String {
    // runc and BuildKit both accept letters and digits.
    uuid::Uuid::new_v4().simple().to_string()
}
