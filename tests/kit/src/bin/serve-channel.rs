//! Makes the test channel, writes a lock of some of its packages and their dependencies, and serves it until standard
//! input ends: what the demo and the benchmark build from.
//!
//! `serve-channel LOCK PACKAGE…`; prints the channel's URL on a line by itself once it serves.

use std::io::Read as _;
use std::process::ExitCode;

use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::server::Server;

#[expect(clippy::print_stdout, reason = "the URL is this program's output")]
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((lock, names)) = args.split_first().filter(|(_, names)| !names.is_empty()) else {
        eprintln!("usage: serve-channel LOCK PACKAGE...");
        return ExitCode::from(2);
    };
    let channel = Channel::open();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let server = Server::start();
    server.mount("/conda-forge", channel.directory());
    let url = server.url("/conda-forge");
    let text = channel::lock(&channel.closure(&names), &url, HashStyle::Sha256Prefix);
    let text = format!("# syntax=condafront:dev\n{text}");
    if let Err(error) = std::fs::write(lock, text) {
        eprintln!("serve-channel: {lock} cannot be written: {error}");
        return ExitCode::FAILURE;
    }
    println!("{url}");
    // Until the other side closes it.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    ExitCode::SUCCESS
}
