//! Serves the channel for `scripts/demo` and to all tests of a run, and for trying things by hand.
//!
//! Says the URL at which it serves. For each line it then reads it says how many requests came since the last one; it ends
//! with its input.

use std::error::Error;
use std::io::{Write, stdin, stdout};

use condafront_testkit::channel::Channel;
use condafront_testkit::server::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start();
    server.mount("/conda-forge", Channel::open().directory());
    let mut out = stdout();
    writeln!(out, "{}", server.url("/conda-forge"))?;
    for line in stdin().lines() {
        line?;
        writeln!(out, "{}", server.requests().len())?;
        server.clear();
    }
    Ok(())
}
