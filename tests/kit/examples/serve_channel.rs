//! Serves the channel for `scripts/demo` and for trying things by hand:
//! `serve_channel LOCK IMAGE CHANNEL SPEC...`
//!
//! Writes an explicit lock of the specs and all they need to the file LOCK, with `# syntax=IMAGE` as
//! its first line and URLs below CHANNEL, and says the URL at which it serves that channel. For each
//! line it then reads it says how many requests came since the last one; it ends with its input.

use std::error::Error;
use std::io::{Write, stdin, stdout};
use std::{env, fs};

use condafront_testkit::channel::{Channel, HashStyle, lock};
use condafront_testkit::server::Server;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [file, image, base_url, specs @ ..] = arguments.as_slice() else {
        return Err("usage: serve_channel LOCK IMAGE CHANNEL SPEC...".into());
    };
    let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
    let channel = Channel::open();
    let packages = channel.closure(&specs);
    let server = Server::start();
    server.mount("/channel", channel.directory());
    let text = lock(&packages, base_url, HashStyle::Sha256);
    fs::write(file, format!("# syntax={image}\n{text}"))?;

    let mut out = stdout();
    writeln!(out, "{}", server.url("/channel"))?;
    for line in stdin().lines() {
        line?;
        writeln!(out, "{}", server.requests().len())?;
        server.clear();
    }
    Ok(())
}
