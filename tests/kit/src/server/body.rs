//! The body of a response: bytes in memory or a file in pieces, counted as they go out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::fs::File;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::{Sleep, sleep};

const PIECE: usize = 64 * 1024;

/// Where a body's bytes come from.
#[derive(Debug)]
pub(super) enum Source {
    Bytes(Bytes),
    File(File),
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// After all bytes.
    Whole,
    /// The connection closes after half of them.
    Breaks,
    /// The connection closes after all of them, but there should be this many.
    Claims(u64),
    /// Nothing follows half of them.
    Stalls,
    /// As `Whole`, one byte after the other with this time before each.
    Drips(Duration),
}

/// A body that announces `announced` bytes and sends `limit`.
#[derive(Debug)]
pub(super) struct CountedBody {
    source: Source,
    announced: u64,
    limit: u64,
    end: End,
    passed: u64,
    paused: bool,
    /// What the next byte waits for.
    wait: Option<Pin<Box<Sleep>>>,
    sent: Arc<AtomicU64>,
}

impl CountedBody {
    /// The first `length` bytes of `source`, or half of them, as `end` says.
    pub(super) fn new(source: Source, length: u64, end: End, sent: Arc<AtomicU64>) -> Self {
        Self {
            source,
            announced: match end {
                End::Claims(claimed) => claimed,
                _ => length,
            },
            limit: match end {
                End::Whole | End::Drips(_) | End::Claims(_) => length,
                End::Breaks | End::Stalls => length / 2,
            },
            end,
            passed: 0,
            paused: false,
            wait: None,
            sent,
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>, wanted: usize) -> Poll<io::Result<Bytes>> {
        match &mut self.source {
            Source::Bytes(bytes) => Poll::Ready(Ok(bytes.split_to(wanted.min(bytes.len())))),
            Source::File(file) => {
                let mut piece = vec![0; wanted];
                let mut buffer = ReadBuf::new(&mut piece);
                match Pin::new(file).poll_read(cx, &mut buffer) {
                    Poll::Pending => Poll::Pending,
                    Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                    Poll::Ready(Ok(())) => {
                        let filled = buffer.filled().len();
                        piece.truncate(filled);
                        Poll::Ready(Ok(piece.into()))
                    }
                }
            }
        }
    }
}

impl Body for CountedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let this = &mut *self;
        let left = this.limit - this.passed;
        if left == 0 {
            if this.passed == this.announced {
                return Poll::Ready(None);
            }
            if this.end == End::Stalls {
                // The connection, which the client ends, keeps the task.
                return Poll::Pending;
            }
            // A pause of one turn lets the connection write out what it has buffered before it breaks.
            if !this.paused {
                this.paused = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(io::Error::other("the body breaks off here"))));
        }
        let mut wanted = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        if let End::Drips(time) = this.end {
            let wait = this.wait.get_or_insert_with(|| Box::pin(sleep(time)));
            if wait.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            this.wait = None;
            wanted = 1;
        }
        match this.poll_piece(cx, wanted) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Some(Err(error))),
            Poll::Ready(Ok(piece)) if piece.is_empty() => Poll::Ready(Some(Err(io::Error::other(
                "the file became shorter while it was being sent",
            )))),
            Poll::Ready(Ok(piece)) => {
                this.passed += piece.len() as u64;
                this.sent.fetch_add(piece.len() as u64, Ordering::SeqCst);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.passed == self.announced
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced - self.passed)
    }
}
