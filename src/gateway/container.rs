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
/// The most bytes that a process may write to its standard output, and the most of its errors that are kept. All that the
/// frontend asks for is much shorter.
const MOST_OF_OUTPUT: usize = 4 * 1024 * 1024;
const MOST_OF_COMPLAINT: usize = 64 * 1024;

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
        let mut progress = Progress::default();
        while !progress.is_done
            && let Some(message) = answer.message().await?
        {
            progress.add(message.input)?;
        }
        progress.output()
    }
}

/// What a process has done so far.
#[derive(Default)]
struct Progress {
    written: Written,
    /// How the process has ended, or why it failed.
    end: Option<Result<(), String>>,
    /// Whether there is nothing more to come.
    is_done: bool,
}

impl Progress {
    fn add(&mut self, message: Option<Input>) -> Result<(), GatewayError> {
        match message {
            Some(Input::File(file)) => self.written.add(file.fd, &file.data)?,
            Some(Input::Exit(gateway::ExitMessage { code, error })) => {
                self.end = Some(match code {
                    0 => Ok(()),
                    _ => Err(error.map(|error| error.message).unwrap_or_default()),
                });
            }
            Some(Input::Done(_)) => self.is_done = true,
            _ => {}
        }
        Ok(())
    }

    /// What the process has written to its standard output, if it has succeeded.
    fn output(self) -> Result<Vec<u8>, GatewayError> {
        let why = match self.end {
            Some(Ok(())) => return Ok(self.written.output),
            Some(Err(why)) => why,
            None => "BuildKit did not say how it ended".to_owned(),
        };
        let complaint = String::from_utf8_lossy(&self.written.complaint);
        Err(GatewayError::session(match complaint.trim() {
            "" => why,
            complaint => complaint.to_owned(),
        }))
    }
}

/// What a process has written so far.
#[derive(Default)]
struct Written {
    output: Vec<u8>,
    complaint: Vec<u8>,
}

impl Written {
    /// Adds `data` of the file descriptor `fd`.
    ///
    /// # Errors
    /// When the process writes more than anything that the frontend asks for.
    fn add(&mut self, fd: u32, data: &[u8]) -> Result<(), GatewayError> {
        match fd {
            STDOUT if self.output.len() + data.len() > MOST_OF_OUTPUT => Err(
                GatewayError::session(format!("it wrote more than {MOST_OF_OUTPUT} bytes")),
            ),
            STDOUT => {
                self.output.extend_from_slice(data);
                Ok(())
            }
            STDERR => {
                let room = MOST_OF_COMPLAINT - self.complaint.len();
                self.complaint
                    .extend_from_slice(&data[..data.len().min(room)]);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// A name that no other container of the engine has: BuildKit passes it on to runc, and builds run at the same time.
fn container_id() -> String {
    // runc and BuildKit both accept letters and digits.
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_process_that_has_ended_well_has_an_output() {
        let file = |fd, text: &str| {
            Input::File(gateway::FdMessage {
                fd,
                data: text.into(),
                ..Default::default()
            })
        };
        let exit = |code| {
            Input::Exit(gateway::ExitMessage {
                code,
                error: Some(buildkit_proto::rpc::Status {
                    message: "exit code".to_owned(),
                    ..Default::default()
                }),
            })
        };
        let done = || Input::Done(gateway::DoneMessage {});
        let output = |messages: Vec<Input>| {
            let mut progress = Progress::default();
            for message in messages {
                progress.add(Some(message)).unwrap();
            }
            let output = progress.output();
            output.map_err(|error| error.message().to_owned())
        };
        let out = || file(STDOUT, "out");
        let all = vec![out(), exit(0), done()];
        assert_eq!(output(all), Ok(b"out".to_vec()));
        assert_eq!(output(vec![out(), exit(0)]), Ok(b"out".to_vec()));
        for (messages, why) in [
            (vec![out(), exit(1), done()], "exit code"),
            (vec![out(), file(STDERR, "why\n"), exit(1)], "why"),
            (vec![out()], "BuildKit did not say how it ended"),
            (vec![out(), done()], "BuildKit did not say how it ended"),
        ] {
            assert_eq!(output(messages), Err(why.to_owned()));
        }
    }

    #[test]
    fn what_a_process_writes_has_a_limit() {
        let mut written = Written::default();
        let piece = vec![b'x'; 1024 * 1024];
        for _ in 0..4 {
            written.add(STDOUT, &piece).unwrap();
            written.add(STDERR, &piece).unwrap();
        }
        let error = written.add(STDOUT, b"x").unwrap_err();
        assert_eq!(error.message(), "it wrote more than 4194304 bytes");
        assert_eq!(written.output.len(), MOST_OF_OUTPUT);
        assert_eq!(written.complaint.len(), MOST_OF_COMPLAINT);
    }
}
