//! A proxy in front of a server, which dies or stops on demand: to its clients, it is the server that does.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How often a server that has stopped is looked at.
const POLL: Duration = Duration::from_millis(5);

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
    /// Whether it then stops, instead of dying.
    stops: bool,
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
        let mut life = lock(&self.life);
        (life.left, life.stops) = (Some(bytes), false);
    }

    /// Lets the server take nothing more after this many bytes from its clients, until it lives again.
    pub fn hold_after(&self, bytes: u64) {
        let mut life = lock(&self.life);
        (life.left, life.stops) = (Some(bytes), true);
    }

    /// Whether the server is dead.
    pub fn is_dead(&self) -> bool {
        lock(&self.life).is_dead()
    }

    /// Whether the server takes nothing more.
    pub fn is_held(&self) -> bool {
        lock(&self.life).has_stopped()
    }

    /// Lets it live again.
    pub fn revive(&self) {
        let mut life = lock(&self.life);
        (life.left, life.stops) = (None, false);
    }
}

fn lock(life: &Mutex<Life>) -> MutexGuard<'_, Life> {
    life.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(client: TcpStream, server: SocketAddr, life: &Arc<Mutex<Life>>) -> std::io::Result<()> {
    let server = TcpStream::connect(server)?;
    {
        let mut life = lock(life);
        if life.is_dead() {
            return Ok(());
        }
        life.open.extend([client.try_clone()?, server.try_clone()?]);
    }
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    let life = Arc::clone(life);
    thread::spawn(move || pass(from, to, |count| is_taken(&life, count)));
    thread::spawn(move || pass(server, client, |_| true));
    Ok(())
}

/// Whether the server takes `count` bytes; waits as long as it has stopped.
fn is_taken(life: &Mutex<Life>, count: u64) -> bool {
    let is_alive = lock(life).take(count);
    while lock(life).has_stopped() {
        thread::sleep(POLL);
    }
    is_alive
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
    fn is_dead(&self) -> bool {
        self.left == Some(0) && !self.stops
    }

    fn has_stopped(&self) -> bool {
        self.left == Some(0) && self.stops
    }

    /// Takes `count` bytes from a client, or dies with all connections.
    fn take(&mut self, count: u64) -> bool {
        let Some(left) = &mut self.left else {
            return true;
        };
        *left = left.saturating_sub(count);
        if *left > 0 || self.stops {
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

        proxy.hold_after(40_000);
        thread::scope(|scope| {
            let held = scope.spawn(|| ask(50_000));
            while !proxy.is_held() {
                assert!(!held.is_finished(), "it is not held");
                thread::sleep(POLL);
            }
            assert!(!proxy.is_dead() && !held.is_finished());
            proxy.revive();
            assert!(held.join().unwrap());
        });
    }
}
