//! Serves the channel: for `scripts/demo`, for all tests of a run, and for trying things by hand.
//!
//! Prints the URL it serves at. For each line it then reads, it prints how many requests have come since the last one.
//! It ends when its input ends.

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
