//! Accepting connections, opening TLS as a proxy, and resetting connections on demand.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper::Method;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::{Certificate, State, respond};

/// BuildKit opens every download at once.
const BACKLOG: u32 = 4096;

/// How a server speaks to its clients.
#[derive(Clone)]
enum Role {
    /// Over TLS.
    Tls(TlsAcceptor),
    /// Without TLS; but in the place of other servers, over this one.
    Proxy(TlsAcceptor),
}

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
    let role = match certificate {
        Some(certificate) => Role::Tls(certificate.acceptor()),
        None => Role::Proxy(Certificate::Proxied.acceptor()),
    };
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
                    tokio::spawn(serve(stream, role.clone(), Arc::clone(&state)));
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

async fn serve(stream: TcpStream, role: Role, state: Arc<State>) {
    let reset = Reset::default();
    let stream = ResettableStream {
        stream,
        reset: reset.clone(),
    };
    match role {
        Role::Tls(acceptor) => answer_over_tls(stream, acceptor, reset, state).await,
        Role::Proxy(acceptor) => answer_as_proxy(stream, acceptor, reset, state).await,
    }
}

async fn answer_over_tls(
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    acceptor: TlsAcceptor,
    reset: Reset,
    state: Arc<State>,
) {
    // A client that does not accept the certificate goes away.
    if let Ok(stream) = acceptor.accept(stream).await {
        answer(stream, reset, state).await;
    }
}

async fn answer_as_proxy(
    stream: ResettableStream,
    acceptor: TlsAcceptor,
    reset: Reset,
    state: Arc<State>,
) {
    let service = service_fn(move |mut request| {
        let (state, reset, acceptor) = (Arc::clone(&state), reset.clone(), acceptor.clone());
        async move {
            if request.method() != Method::CONNECT {
                return respond::respond(&state, &reset, &request).await;
            }
            let response = respond::accept_tunnel(&state, &request);
            tokio::spawn(async move {
                if let Ok(stream) = hyper::upgrade::on(&mut request).await {
                    answer_over_tls(TokioIo::new(stream), acceptor, reset, state).await;
                }
            });
            Ok(response)
        }
    });
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
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
