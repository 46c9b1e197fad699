//! What the image's configuration says about containers: `expose`, `volumes`, `healthcheck`, `stopsignal`.

use std::time::Duration;

use super::reader::{Name, Reader, digits};
use super::{command, duration, signal};
use crate::section::image_section::{Command, Healthcheck, Located, Ports, Protocol, Timing};
use crate::yaml::Node;
use condafront_model::image_path::{absolute, is_in, is_possible};
use condafront_model::nearest::{nearest, suggestion};
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

const PROTOCOLS: &[(&str, Protocol)] = &[
    ("tcp", Protocol::Tcp),
    ("udp", Protocol::Udp),
    ("sctp", Protocol::Sctp),
];
const HEALTHCHECK: &[&str] = &[
    "cmd",
    "interval",
    "timeout",
    "retries",
    "start_period",
    "start_interval",
];

/// Reads `expose`: a list, or a single entry.
pub(super) fn expose(reader: &Reader<'_>, node: &Node) -> Result<Vec<Located<Ports>>, Diagnostic> {
    let name = Name::from("expose");
    if node.list().is_none() && node.text().is_none() {
        return Err(reader.wrong_kind(name, node, "a list of ports"));
    }
    let items = node.list().unwrap_or(std::slice::from_ref(node));
    let ports = items.iter().map(|item| {
        let found = reader.word(name.entry(), item)?;
        match ports(&found.value) {
            Some(ports) => Ok(found.map(|_| ports)),
            None => {
                let message = format!("`{}` is not a valid port", quoted(&found.value));
                let error = reader.error(found.lines, message);
                Err(error.help(if found.value.contains(':') {
                    "List only the ports that the image listens on. Publish them on the host with docker run -p."
                } else {
                    "Write a number from 1 to 65535 or a range, with /udp or /sctp if it is not TCP: 8888, 8000-8010, 53/udp"
                }))
            }
        }
    });
    ports.collect()
}

fn ports(text: &str) -> Option<Ports> {
    let (numbers, protocol) = match text.split_once('/') {
        Some((numbers, name)) => {
            let lower = name.to_ascii_lowercase();
            let (_, protocol) = PROTOCOLS.iter().find(|(known, _)| *known == lower)?;
            (numbers, *protocol)
        }
        None => (text, Protocol::Tcp),
    };
    let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
    let (first, last) = (digits(first)?, digits(last)?);
    (0 < first && first <= last).then_some(Ports {
        first,
        last,
        protocol,
    })
}

/// Reads `volumes`.
pub(super) fn volumes(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<Vec<Located<String>>, Diagnostic> {
    let name = Name::from("volumes");
    let paths = reader.list(name, node)?.iter().map(|item| {
        let found = reader.word(name.entry(), item)?;
        let shown = quoted(&found.value);
        if found.value.contains(':') {
            let error = reader.error(found.lines, format!("`{shown}` is not a directory of the image"));
            return Err(error.help("Write only the volume's directory in the image. Mount something there with docker run -v."));
        }
        if !found.value.starts_with('/') {
            let error = reader.error(found.lines, format!("`{shown}` is not an absolute path"));
            return Err(error.help("For example: volumes: [/data]"));
        }
        let path = absolute("/", &found.value);
        if let Some(why) = no_volume(&path) {
            let message = format!("`{shown}` cannot be a volume: {why}");
            return Err(reader.error(found.lines, message).help(
                "Write the directory where the program keeps its data, for example /data.",
            ));
        }
        Ok(found.map(|_| path))
    });
    paths.collect()
}

/// Why an engine does not start a container with a volume at `path`.
fn no_volume(path: &str) -> Option<String> {
    if path == "/" {
        return Some("it is the whole image".to_owned());
    }
    // The container's own file systems. Engines accept some of what is in /dev, such as /dev/shm.
    let inside = ["/proc", "/sys"]
        .into_iter()
        .find(|folder| is_in(path, folder));
    if let Some(folder) = inside.or((path == "/dev").then_some("/dev")) {
        return Some(format!("a container has its own {folder}"));
    }
    if [
        "/.dockerenv",
        "/etc/hostname",
        "/etc/hosts",
        "/etc/resolv.conf",
    ]
    .contains(&path)
    {
        return Some("Docker writes a file there".to_owned());
    }
    (!is_possible(path))
        .then(|| "the path has more than 4095 bytes, or a name of more than 255".to_owned())
}

/// Reads `healthcheck`.
pub(super) fn healthcheck(
    reader: &Reader<'_>,
    node: &Node,
) -> Result<Located<Healthcheck>, Diagnostic> {
    const FORM: &str =
        "Write none, or a mapping: healthcheck: {cmd: curl -f localhost:8888, interval: 30s}";
    let name = Name::from("healthcheck");
    if node.text().is_some() {
        let found = reader.word(name, node)?;
        if found.value.eq_ignore_ascii_case("none") {
            return Ok(found.map(|_| Healthcheck::None));
        }
        let message = format!("{name} cannot be `{}`", quoted(&found.value));
        return Err(reader.error(found.lines, message).help(FORM));
    }
    if node.mapping().is_none() {
        return Err(reader.wrong_kind(name, node, "a mapping or `none`"));
    }
    let fields = reader.fields(name, node, HEALTHCHECK)?;
    let command = fields.read("cmd", "healthcheck", |name, node| {
        command::read_something(reader, name, node)
    })?;
    let Some(command) = command else {
        let error = reader.error(fields.lines, "a health check needs a `cmd`");
        return Err(error.help(FORM));
    };
    // The form in image configurations and compose files.
    let kind = match &command.value {
        Command::Exec(words) => words.first().map(String::as_str),
        Command::Shell(_) => None,
    };
    if let Some(kind @ ("CMD" | "CMD-SHELL" | "NONE")) = kind {
        let message = format!("`{kind}` is not a program");
        let error = reader.error(command.lines, message);
        return Err(error.help(
            "Write the command alone: a list for a program and its arguments, a string for the shell.",
        ));
    }
    let time = |field| fields.read(field, "healthcheck", |name, node| time(reader, name, node));
    let timing = Timing {
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("start_period")?,
        start_interval: time("start_interval")?,
        retries: fields.read("retries", "healthcheck", |name, node| {
            retries(reader, name, node)
        })?,
    };
    Ok(Located {
        value: Healthcheck::Command {
            command: command.value,
            timing,
        },
        lines: node.lines,
    })
}

fn time(reader: &Reader<'_>, name: Name<'_>, node: &Node) -> Result<Duration, Diagnostic> {
    /// The engine's minimum.
    const SHORTEST: Duration = Duration::from_millis(1);
    let found = reader.word(name, node)?;
    let shown = quoted(&found.value);
    let Some(duration) = duration::parse(&found.value) else {
        let error = reader.error(found.lines, format!("{name} cannot be `{shown}`"));
        return Err(error.help(match digits::<u64>(&found.value) {
            Some(number) => {
                format!("Add a unit: {number}s for seconds, {number}m for minutes.")
            }
            None => "Write a time such as 30s, 1m30s or 500ms.".to_owned(),
        }));
    };
    if !duration.is_zero() && duration < SHORTEST {
        let message = format!("{name} cannot be `{shown}`: the engine's minimum is 1ms");
        return Err(reader.error(found.lines, message));
    }
    Ok(duration)
}

fn retries(reader: &Reader<'_>, name: Name<'_>, node: &Node) -> Result<u32, Diagnostic> {
    /// The engine keeps it in a signed integer.
    const MOST: u32 = i32::MAX.unsigned_abs();
    let found = reader.number(name, node)?;
    if found.value > MOST {
        let message = format!("{name} cannot be more than {MOST}");
        return Err(reader.error(found.lines, message));
    }
    Ok(found.value)
}

/// Reads `stopsignal`.
pub(super) fn stopsignal(reader: &Reader<'_>, node: &Node) -> Result<Located<String>, Diagnostic> {
    let found = reader.word("stopsignal".into(), node)?;
    if let Some(signal) = signal::parse(&found.value) {
        return Ok(found.map(|_| signal));
    }
    let message = format!("there is no signal `{}`", quoted(&found.value));
    let error = reader.error(found.lines, message);
    let upper = found.value.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    Err(match nearest(bare, signal::names()) {
        Some(near) => error.help(suggestion(format_args!("SIG{near}"))),
        None => error.help("Write a name or a number from 1 to 64: SIGINT, SIGRTMIN+3, 15"),
    })
}
