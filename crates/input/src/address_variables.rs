//! Environment variables and logins in the addresses of channels and packages: `https://$HOST/forge`,
//! `https://${USER}:${PASSWORD}@…`, `/t/$TOKEN/`.
//!
//! conda (`_expand_channels` in `conda/env/env.py`) and mamba (`expandvars` in `libmamba/src/core/util.cpp`) replace
//! `$NAME` and `${NAME}` in channels, and explicit locks and those of conda-lock leave credentials to variables
//! (<https://conda.org/learn/ceps/cep-0023>). A build has no such environment: values are build-args.
//!
//! Credentials are never part of an address that is fetched, because BuildKit records its sources: the login for the host
//! has to be a secret that BuildKit sends as a header.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use crate::logins::Logins;
use crate::place::Place;
use crate::section::args::BuildArgs;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

mod parts;

use parts::{Part, is_credential, is_login, is_name, is_written_out, parts, pieces};

/// The schemes that a build fetches; the last two are how pixi marks the URL of one file.
const SCHEMES: [&str; 4] = ["http", "https", "direct+http", "direct+https"];

/// An address with values in place of its variables, and without credentials.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FilledAddress {
    /// The address.
    pub(crate) text: String,
    /// The host whose credentials were written out in the address. They have been left out.
    pub(crate) left_out: Option<String>,
}

/// Why an address cannot be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Some variables have no value.
    Unset(Vec<String>),
    /// A form that neither conda nor mamba replaces: `${NAME:-default}`.
    Form(String),
    /// It has a user or password for this host, and no secret has the login.
    Login(String),
    /// It has a token for this host, and no secret has the login.
    Token(String),
    /// A channel's name begins with a token for this host: `t/<token>/name`.
    Name(String),
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset(names) => match names.as_slice() {
                [name] => write!(
                    f,
                    "the address needs the variable {name}, which has no value"
                ),
                names => write!(
                    f,
                    "the address needs the variables {}, which have no values",
                    names.join(", ")
                ),
            },
            Self::Form(text) => write!(
                f,
                "`{}` is not replaced in addresses: variables are written ${{NAME}} there",
                quoted(text)
            ),
            Self::Login(host) => write!(
                f,
                "the address has a login for {host}, which the builder's history and provenance would keep"
            ),
            Self::Token(host) | Self::Name(host) => write!(
                f,
                "the address has a token for {host}, which the builder's history and provenance would keep"
            ),
        }
    }
}

impl Error for AddressError {}

impl AddressError {
    /// What to do about it.
    pub fn help(&self) -> String {
        let login = |host: &str, value: &str| {
            format!(
                "--secret id=HTTP_AUTH_HEADER_{host},env=LOGIN, where the variable LOGIN is `{value}` (BuildKit 0.23 or later)"
            )
        };
        match self {
            Self::Unset(names) => {
                let args: Vec<String> = names
                    .iter()
                    .map(|name| format!("--build-arg {name}=…"))
                    .collect();
                format!("Build with {}.", args.join(" "))
            }
            Self::Form(_) => "Write ${NAME}, and build with --build-arg NAME=….".to_owned(),
            Self::Login(host) => format!(
                "Build with {}. The login in the address is then left out, so `${{USER}}:${{PASSWORD}}@` can stay there for other tools.",
                login(host, "Basic <base64 of user:password>")
            ),
            Self::Token(host) => format!(
                "Build with {}, or with HTTP_AUTH_TOKEN_{host} if the server expects a bearer token. The token in the address is then left out, so `/t/${{TOKEN}}/` can stay there for other tools.",
                login(host, "token <token>")
            ),
            Self::Name(host) => format!(
                "Remove `t/<token>/` and build with {}.",
                login(host, "token <token>")
            ),
        }
    }

    /// The error at its place.
    pub(crate) fn at(self, place: Place<'_>) -> Diagnostic {
        let help = self.help();
        Diagnostic::of(self).at(place.file, place.lines).help(help)
    }
}

/// The address with the values of its variables, and without credentials.
///
/// # Errors
/// When a variable has no value, or when the build has no login for a host that needs one.
pub(crate) fn fill(address: &str, args: &BuildArgs) -> Result<FilledAddress, AddressError> {
    // A value may have a login, and the host may be a variable.
    without(&with_values(address, args)?, args, is_credential)
}

/// The same for the address of a PyPI package, where `/t/` is a folder like any other.
///
/// # Errors
/// As [`fill`].
pub(crate) fn fill_pip(address: &str, args: &BuildArgs) -> Result<FilledAddress, AddressError> {
    without(&with_values(address, args)?, args, is_login)
}

/// The same as text.
///
/// # Errors
/// As [`fill`].
pub fn filled(address: &str, args: &BuildArgs) -> Result<String, AddressError> {
    fill(address, args).map(|address| address.text)
}

/// The address without credentials; its variables and placeholders for credentials stay.
///
/// # Errors
/// When the build has no login for the host.
pub(crate) fn without_credentials(
    address: &str,
    args: &BuildArgs,
) -> Result<FilledAddress, AddressError> {
    without(address, args, is_credential)
}

fn without(
    address: &str,
    args: &BuildArgs,
    is_left_out: fn(Part<'_>) -> bool,
) -> Result<FilledAddress, AddressError> {
    // Others cannot be fetched, and are errors elsewhere.
    let scheme = address.split("://").next().unwrap_or_default();
    let is_fetched = SCHEMES
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let mut found = FilledAddress {
        text: String::with_capacity(address.len()),
        left_out: None,
    };
    for part in parts(address) {
        if !is_fetched || !is_left_out(part) {
            part.write(&mut found.text);
            continue;
        }
        let host = parts::host(address).unwrap_or("<host>");
        if !args.logins().has(host) {
            return Err(match part {
                Part::Token(_) => AddressError::Token(host.to_owned()),
                _ => AddressError::Login(host.to_owned()),
            });
        }
        if is_written_out(part) {
            found.left_out = Some(host.to_owned());
        }
    }
    Ok(found)
}

/// The address with values for its variables, but for those of its credentials.
fn with_values(address: &str, args: &BuildArgs) -> Result<String, AddressError> {
    let mut text = String::with_capacity(address.len());
    let mut unset: Vec<String> = Vec::new();
    for part in parts(address) {
        if is_credential(part) {
            part.write(&mut text);
            continue;
        }
        let mut plain = String::new();
        part.write(&mut plain);
        for (before, name) in pieces(&plain) {
            text.push_str(before);
            let Some(name) = name else { continue };
            if !is_name(name) {
                return Err(AddressError::Form(format!("${{{name}}}")));
            }
            match args.get(name) {
                Some(value) => text.push_str(value),
                None if unset.iter().any(|known| known == name) => {}
                None => unset.push(name.to_owned()),
            }
        }
    }
    if unset.is_empty() {
        Ok(text)
    } else {
        Err(AddressError::Unset(unset))
    }
}

/// Whether credentials are written out in an address in a text.
pub fn has_credentials(text: &str) -> bool {
    hosts_with_credentials(text).next().is_some()
}

/// The hosts of the addresses in a text in which credentials are written out.
pub(crate) fn hosts_with_credentials(text: &str) -> impl Iterator<Item = &str> {
    let is_secret = |part: Part<'_>| is_credential(part) && is_written_out(part);
    let exposed = parts::addresses(text).filter(move |address| parts(address).any(is_secret));
    exposed.map(|address| parts::host(address).unwrap_or_default())
}

/// The secrets with the logins that the addresses in a text need: those of hosts for which an address has credentials.
pub fn login_names(text: &str, args: &BuildArgs) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for word in parts::addresses(text) {
        // A variable that has no value here may be a form of the image section, or is an error where the address is read.
        let filled = with_values(word, args).ok();
        let address = filled.as_deref().unwrap_or(word);
        if parts(address).any(is_credential)
            && let Some(host) = parts::host(address)
        {
            names.extend(Logins::names(host));
        }
    }
    names
}

/// The variables of an address that are build-args: those of its credentials are left out with them.
pub(crate) fn variables(address: &str) -> Vec<String> {
    let mut names = Vec::new();
    for part in parts(address).filter(|part| !is_credential(*part)) {
        let found = pieces(part.text()).filter_map(|(_, name)| name);
        names.extend(found.filter(|name| is_name(name)).map(str::to_owned));
    }
    names
}

/// The warning about credentials for `host` that are written out in `what`, and what to do about them.
pub(crate) fn credentials_warning(what: &str, host: &str) -> (String, String) {
    (
        format!("{what} contains credentials for {host}: anyone who has the file can read them"),
        format!(
            "Remove them. The build does not use them: it logs in with the secret HTTP_AUTH_HEADER_{host} or HTTP_AUTH_TOKEN_{host}."
        ),
    )
}

#[cfg(test)]
mod tests;
