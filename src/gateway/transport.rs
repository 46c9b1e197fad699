//! HTTP/2 over the two pipes that BuildKit gives a frontend as standard input and output.
//!
//! The frontend is the gRPC client; BuildKit serves on the other ends (`frontend/gateway/gateway.go`). Nothing else
//! may write to standard output.

use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, join};
use tokio::net::unix::pipe::{Receiver, Sender};
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

/// BuildKit's limit for one message, either way (`frontend/gateway/gateway.go`, since v0.14).
pub(crate) const MAX_MESSAGE_BYTES: usize = 16 << 20;

/// Errors carry stacks, ops and source files in a trailer; hyper's default of 16 KiB would lose them.
const MAX_HEADER_BYTES: u32 = 32 << 20;

/// Connects over this process's standard input and output.
///
/// # Errors
/// When they are not the two pipes that BuildKit gives.
pub(crate) async fn over_stdio() -> io::Result<Channel> {
    let input = Receiver::from_owned_fd(io::stdin().as_fd().try_clone_to_owned()?)?;
    let output = Sender::from_owned_fd(io::stdout().as_fd().try_clone_to_owned()?)?;
    over(join(input, output)).await
}

/// Connects over one stream, which is not reopened after it is closed.
///
/// # Errors
/// When the other end does not speak HTTP/2.
pub(crate) async fn over<S>(stream: S) -> io::Result<Channel>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let once = Arc::new(Mutex::new(Some(TokioIo::new(stream))));
    let connector = service_fn(move |_| {
        let stream = once.lock().ok().and_then(|mut slot| slot.take());
        async move {
            stream.ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotConnected,
                    "BuildKit closed the connection",
                )
            })
        }
    });
    Endpoint::from_static("http://localhost")
        .http2_max_header_list_size(MAX_HEADER_BYTES)
        .connect_with_connector(connector)
        .await
        .map_err(io::Error::other)
}
