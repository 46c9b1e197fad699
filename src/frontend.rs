//! The frontend as BuildKit starts it: one build, and its end said on every way out.

use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use buildkit_proto::{gateway, rpc};
use futures_util::FutureExt as _;

use crate::gateway::client::Bridge;
use crate::gateway::error::GatewayError;
use crate::gateway::options::Options;
use crate::gateway::transport;
use crate::{build, subrequests};

/// Whether this process was started as a frontend: BuildKit always names the session.
pub fn is_started_by_buildkit() -> bool {
    std::env::var_os("BUILDKIT_SESSION_ID").is_some()
}

/// Serves one build over standard input and output.
pub fn run() -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("cannot start: {error}")),
    };
    match runtime.block_on(serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// For the engine's own log; users never see it.
fn failed(message: &str) -> ExitCode {
    eprintln!("condafront: {message}");
    ExitCode::FAILURE
}

async fn serve() -> Result<(), String> {
    let channel = transport::over_stdio()
        .await
        .map_err(|error| format!("no connection to BuildKit: {error}"))?;
    let bridge = Bridge::connect(channel)
        .await
        .map_err(|error| format!("BuildKit does not answer: {error}"))?;
    let outcome = guarded(bridge.clone()).await;
    bridge
        .finish(outcome)
        .await
        .map_err(|error| format!("BuildKit did not take the result: {error}"))
}

/// Runs the build such that a panic becomes an error that the user sees.
async fn guarded(mut bridge: Bridge) -> Result<gateway::Result, rpc::Status> {
    let place = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&place);
    panic::set_hook(Box::new(move |info| {
        if let Ok(mut place) = seen.lock() {
            *place = info.to_string();
        }
    }));
    let task = AssertUnwindSafe(async move {
        let options = Options::from_env(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }));
        match options.get("requestid") {
            Some(request) => subrequests::answer(&mut bridge, &options, request).await,
            None => build::build(&mut bridge, &options).await,
        }
    });
    match task.catch_unwind().await {
        Ok(outcome) => outcome.map_err(|error| error.into_status()),
        Err(_) => {
            let place = place.lock().map(|place| place.clone()).unwrap_or_default();
            Err(GatewayError::session(format!(
                "condafront {} has a bug: {place}\nPlease report it with the file that was built.",
                env!("CARGO_PKG_VERSION")
            ))
            .into_status())
        }
    }
}
