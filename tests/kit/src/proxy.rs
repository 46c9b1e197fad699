//! A proxy in front of a server, which dies on demand: to its clients, it is the server that dies.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// The most bytes that are passed on at one time.
const CHUNK: usize = 16 * 1024;

/// The proxy. It runs until the process ends.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    life: Arc<Mutex<Life>>,
}

/// How long the server lives.
#[derive(Debug, Default)]
struct Life {
    /// How many more bytes it takes from its clients; `None` if there is no limit.
    left: Option<u64>,
    /// The connections, which end with it.
    open: Vec<TcpStream>,
}

impl Proxy {
    /// A proxy for the server at this address.
    ///
    /// # Panics
    /// If no port can be bound.
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port for the proxy");
        let address = listener.local_addr().expect("its address");
        let life = Arc::new(Mutex::new(Life::default()));
        let shared = Arc::clone(&life);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client of a dead server, or of one that cannot be reached, sees a closed connection.
                let _ = connect(client, server, &shared);
            }
        });
        Self { address, life }
    }

    /// `127.0.0.1` and the port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets the server die after this many more bytes from its clients.
    pub fn die_after(&self, bytes: u64) {
        lock(&self.life).left = Some(bytes);
    }

    /// Whether the server is dead.
    pub fn is_dead(&self) -> bool {
        lock(&self.life).left == Some(0)
    }

    /// Lets it live again.
    pub fn revive(&self) {
        lock(&self.life).left = None;
    }
}

fn lock(life: &Mutex<Life>) -> MutexGuard<'_, Life> {
    life.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(client: TcpStream, server: SocketAddr, life: &Arc<Mutex<Life>>) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    {
        let mut life = lock(life);
        if life.left == Some(0) {
            return Ok(());
        }
        life.open.extend([client.try_clone()?, server.try_clone()?]);
    }
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let life = Arc::clone(life);
    thread::spawn(move || pass(from, to, |count| lock(&life).take(count)));
    thread::spawn(move || pass(server, client, |_| true));
    Ok(())
}

/// Passes on what `from` sends, as long as `is_alive` says so of the number of bytes.
fn pass(mut from: TcpStream, mut to: TcpStream, is_alive: impl Fn(u64) -> bool) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !is_alive(count as u64) || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // The other direction may still be open.
    let _ = to.shutdown(Shutdown::Write);
}

impl Life {
    /// Takes `count` bytes from a client, or dies with all connections.
    fn take(&mut self, count: u64) -> bool {
        let Some(left) = &mut self.left else {
            return true;
        };
        *left = left.saturating_sub(count);
        if *left > 0 {
            return true;
        }
        for stream in self.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_dies_and_lives_again() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy::start(server.local_addr().unwrap());
        thread::spawn(move || {
            for mut stream in server.incoming().flatten() {
                let mut all = Vec::new();
                if stream.read_to_end(&mut all).is_ok() {
                    let _ = stream.write_all(&all);
                }
            }
        });
        let ask = |bytes: usize| {
            let mut client = TcpStream::connect(proxy.address()).unwrap();
            let sent = vec![7; bytes];
            let mut received = Vec::new();
            let _ = client.write_all(&sent);
            let _ = client.shutdown(Shutdown::Write);
            let _ = client.read_to_end(&mut received);
            received == sent
        };
        assert!(ask(50_000));
        proxy.die_after(40_000);
        assert!(!proxy.is_dead() && !ask(50_000));
        assert!(proxy.is_dead() && !ask(1));
        proxy.revive();
        assert!(ask(50_000));
    }
}
