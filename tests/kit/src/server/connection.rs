//! Accepting connections, and resetting them on demand.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{Certificate, State, respond};

/// BuildKit opens every download at once.
const BACKLOG: u32 = 4096;

/// Sends the bound address, then serves until `stopped` fires.
pub(super) fn run(
    state: Arc<State>,
    certificate: Option<Certificate>,
    address: &std::sync::mpsc::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("http-server")
        .enable_all()
        .build()
        .expect("a tokio runtime");
    let acceptor = certificate.map(Certificate::acceptor);
    runtime.block_on(async {
        let socket = TcpSocket::new_v4().expect("a TCP socket");
        socket
            .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .expect("a free loopback port");
        let listener = socket.listen(BACKLOG).expect("a listening socket");
        address
            .send(listener.local_addr().expect("the socket's address"))
            .expect("a receiver for the address");
        let accept = async {
            loop {
                // Accepting fails when descriptors run out; the next attempt may succeed.
                if let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&state)));
                } else {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::select! {
            () = accept => {}
            _ = stopped => {}
        }
    });
    runtime.shutdown_background();
}

async fn serve(stream: TcpStream, acceptor: Option<TlsAcceptor>, state: Arc<State>) {
    let reset = Reset::default();
    let stream = ResettableStream {
        stream,
        reset: reset.clone(),
    };
    match acceptor {
        None => answer(stream, reset, state).await,
        Some(acceptor) => {
            // A client that does not accept the certificate goes away.
            if let Ok(stream) = acceptor.accept(stream).await {
                answer(stream, reset, state).await;
            }
        }
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    reset: Reset,
    state: Arc<State>,
) {
    let service = service_fn(move |request| {
        let (state, reset) = (Arc::clone(&state), reset.clone());
        async move { respond::respond(&state, &reset, &request).await }
    });
    // A client that disconnects, or a reset that a test asked for, is not a failure of the server.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Makes the connection end with a TCP reset instead of an orderly close.
#[derive(Clone, Debug, Default)]
pub(super) struct Reset(Arc<AtomicBool>);

impl Reset {
    pub(super) fn ask(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A TCP stream that closes with a reset if asked.
#[derive(Debug)]
struct ResettableStream {
    stream: TcpStream,
    reset: Reset,
}

impl Drop for ResettableStream {
    fn drop(&mut self) {
        if self.reset.0.load(Ordering::SeqCst) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for ResettableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for ResettableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.0.load(Ordering::SeqCst) {
            // An orderly shutdown would send FIN first.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
