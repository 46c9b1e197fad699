//! The frontend as BuildKit starts it: serves one build, and reports its outcome even after a panic.

use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use buildkit_proto::{gateway, rpc};
use futures_util::FutureExt as _;

use crate::gateway::client::Bridge;
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::timeline::Timeline;
use crate::gateway::transport;
use crate::{stages as build, subrequests};
use condafront_input::options::Options;

/// Why a build could not be served at all.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("cannot start: {0}")]
    Start(#[source] io::Error),
    #[error("cannot connect to BuildKit: {0}")]
    Connect(#[source] io::Error),
    #[error("BuildKit does not answer: {0}")]
    NoAnswer(#[source] GatewayError),
    #[error("BuildKit did not accept the result: {0}")]
    Refused(#[source] GatewayError),
}

/// Whether this process was started as a frontend: BuildKit always names the session.
pub fn is_started_by_buildkit() -> bool {
    std::env::var_os("BUILDKIT_SESSION_ID").is_some()
}

/// Serves one build over standard input and output.
pub fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime
        .map_err(ServeError::Start)
        .and_then(|runtime| runtime.block_on(serve()))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The engine's own log, which users never see.
            eprintln!("condafront: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), ServeError> {
    let timeline = Timeline::start();
    let channel = transport::over_stdio().await.map_err(ServeError::Connect)?;
    let bridge = Bridge::connect(channel, timeline)
        .await
        .map_err(ServeError::NoAnswer)?;
    let outcome = guarded(bridge.clone()).await;
    bridge.finish(outcome).await.map_err(ServeError::Refused)
}

/// Answers the client's request.
async fn guarded(mut bridge: Bridge) -> Result<gateway::Result, rpc::Status> {
    catching(async move {
        let options = Options::from_env(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }));
        match options.get("requestid") {
            Some(request) => subrequests::answer(&mut bridge, &options, request).await,
            None => build::build(&mut bridge, &options).await,
        }
    })
    .await
}

/// Runs a task, and turns a panic into an error that the user sees.
async fn catching<T>(task: impl Future<Output = Result<T, BuildError>>) -> Result<T, rpc::Status> {
    let place = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&place);
    panic::set_hook(Box::new(move |info| {
        if let Ok(mut place) = seen.lock() {
            *place = info.to_string();
        }
    }));
    let outcome = AssertUnwindSafe(task).catch_unwind().await;
    drop(panic::take_hook());
    match outcome {
        Ok(outcome) => outcome.map_err(BuildError::into_status),
        Err(_) => {
            let place = place.lock().map(|place| place.clone()).unwrap_or_default();
            let message = format!(
                "condafront {} has a bug: {place}\nReport it, with the file that you built.",
                env!("CARGO_PKG_VERSION")
            );
            Err(BuildError::from(GatewayError::session(message)).into_status())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use condafront_model::source::Diagnostic;

    fn run(task: impl Future<Output = Result<(), BuildError>>) -> Result<(), rpc::Status> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(catching(task))
    }

    /// A single test, because the panic hook is global to the process.
    #[test]
    fn a_panic_becomes_an_error_and_other_outcomes_stay_as_they_are() {
        let status = run(async { panic!("no such thing") }).unwrap_err();
        let message = status.message;
        for part in ["has a bug", "no such thing", "frontend.rs"] {
            assert!(message.contains(part), "{message}");
        }
        let status = run(async { Err(Diagnostic::new("bad").into()) }).unwrap_err();
        assert_eq!(status.message, "bad");
        assert!(run(async { Ok(()) }).is_ok());
    }
}
