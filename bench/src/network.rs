//! A network between the builder and the servers: what is on one machine answers at once, which no network does.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// How long a byte takes in one direction; there and back it is twice as long.
const DELAY: Duration = Duration::from_millis(25);

/// Bytes per second of all connections together, in each direction: 100 Mbit/s.
const RATE: f64 = 100e6 / 8.0;

/// The most bytes that are passed on at one time.
const CHUNK: usize = 16 * 1024;

/// The network between the builder and the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    /// The loopback interface.
    Local,
    /// 100 Mbit/s, and 50 ms there and back.
    Slow,
}

impl Network {
    /// An address under which `server` is reached through this network.
    pub(crate) fn to(self, server: SocketAddr) -> Result<SocketAddr> {
        match self {
            Self::Local => Ok(server),
            Self::Slow => slow(server),
        }
    }
}

/// When a direction of the network is free again.
type Line = Arc<Mutex<Instant>>;

/// Accepts connections until the process ends.
fn slow(server: SocketAddr) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let lines: [Line; 2] = [Instant::now(), Instant::now()].map(|now| Arc::new(Mutex::new(now)));
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let [up, down] = lines.clone();
            thread::spawn(move || {
                // The first packets of a connection carry nothing, but take their time.
                thread::sleep(DELAY * 2);
                // A client sees a server that cannot be reached as a closed connection.
                let Ok(server) = TcpStream::connect(server) else {
                    return;
                };
                for stream in [&client, &server] {
                    let _ = stream.set_nodelay(true);
                }
                if let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) {
                    pass(from, to, up);
                    pass(server, client, down);
                }
            });
        }
    });
    Ok(address)
}

/// Passes on what `from` sends, later and not faster than the line allows.
fn pass(from: TcpStream, to: TcpStream, line: Line) {
    let (sender, receiver) = channel();
    thread::spawn(move || read(from, &sender, &line));
    thread::spawn(move || write(to, &receiver));
}

fn read(mut from: TcpStream, sender: &Sender<(Instant, Vec<u8>)>, line: &Line) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let now = Instant::now();
        let through = {
            let mut free = line.lock().unwrap_or_else(PoisonError::into_inner);
            *free = (*free).max(now) + Duration::from_secs_f64(count as f64 / RATE);
            *free
        };
        // Without this, the sender would be told that everything has arrived while it still waits here.
        thread::sleep(through - now);
        if sender
            .send((through + DELAY, buffer[..count].to_vec()))
            .is_err()
        {
            break;
        }
    }
}

fn write(mut to: TcpStream, receiver: &Receiver<(Instant, Vec<u8>)>) {
    for (arrives, bytes) in receiver {
        thread::sleep(arrives.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    // The other direction may still be open.
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_arrives() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = slow(server.local_addr().unwrap()).unwrap();
        let echo = thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
        });
        let mut client = TcpStream::connect(address).unwrap();
        let sent: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        client.write_all(&sent).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut received = Vec::new();
        client.read_to_end(&mut received).unwrap();
        echo.join().unwrap();
        assert!(received == sent);
    }
}
