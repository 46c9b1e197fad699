//! Environment variables in the addresses of channels and packages: `https://${USER}:${PASSWORD}@…`, `/t/$TOKEN/`.
//!
//! conda (`_expand_channels` in `conda/env/env.py`) and mamba (`expandvars` in `libmamba/src/core/util.cpp`) replace
//! `$NAME` and `${NAME}` in channels, and explicit locks and those of conda-lock leave credentials to variables
//! (<https://conda.org/learn/ceps/cep-0023>). A build has no such environment: values are build-args, or secrets where an
//! address has credentials.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;

use crate::place::Place;
use crate::section::args::BuildArgs;
use condafront_model::redact::quoted;
use condafront_model::source::Diagnostic;

mod parts;

use parts::{Part, is_name, parts, pieces};

/// An address with values in place of its variables.
pub(crate) struct FilledAddress {
    /// The address.
    pub(crate) text: String,
    /// Where its credentials come from.
    pub(crate) credentials: CredentialSource,
}

/// Where the credentials of an address come from, if it has any: the least safe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CredentialSource {
    /// They are written out.
    Text,
    /// At least one is the value of a build-arg.
    BuildArg,
    /// Secrets.
    Secret,
}

/// Why an address has no values for its variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VariableError {
    /// Some variables have no value.
    Unset {
        /// Their names.
        names: Vec<String>,
        /// The host, if all of them are credentials for it.
        host: Option<String>,
    },
    /// A form that neither conda nor mamba replaces: `${NAME:-default}`, `%NAME%`.
    Form(String),
}

impl fmt::Display for VariableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unset { names, .. } => match names.as_slice() {
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
        }
    }
}

impl Error for VariableError {}

impl VariableError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unset { names, host } => {
                let each = |form: &dyn Fn(&String) -> String| {
                    names.iter().map(form).collect::<Vec<_>>().join(" ")
                };
                let args = each(&|name| format!("--build-arg {name}=…"));
                let Some(host) = host else {
                    return format!("Build with {args}.");
                };
                let secrets = each(&|name| format!("--secret id={name},env={name}"));
                format!(
                    "Build with {secrets}, or with {args}. Or give the login with --secret id=HTTP_AUTH_HEADER_{host}: it then takes the place of the one in the address. A dollar that is part of a password is written %24."
                )
            }
            Self::Form(_) => {
                "Write ${NAME}, and build with --build-arg NAME=… or --secret id=NAME,env=NAME."
                    .to_owned()
            }
        }
    }

    /// The error at its place.
    pub(crate) fn at(self, place: Place<'_>) -> Diagnostic {
        let help = self.help();
        Diagnostic::of(self).at(place.file, place.lines).help(help)
    }
}

/// The address with the values of its variables. Values of credentials are percent-encoded; credentials without any
/// characters are left out.
///
/// # Errors
/// When a variable has no value.
pub(crate) fn fill(address: &str, args: &BuildArgs) -> Result<FilledAddress, VariableError> {
    let mut filled = FilledAddress {
        text: address.to_owned(),
        credentials: CredentialSource::Text,
    };
    if !address.contains(['$', '%']) {
        return Ok(filled);
    }
    check(address, args)?;
    if !address.contains('$') {
        return Ok(filled);
    }
    filled.text.clear();
    let mut origins = BTreeSet::new();
    for part in parts(address) {
        if let Part::Plain(text) = part {
            let value = |name: &str| args.get(name).unwrap_or_default().to_owned();
            filled.text.push_str(&with_values(text, value));
            continue;
        }
        let value = credential(part, args);
        if !value.is_empty() {
            origins.insert(origin(part.text(), args));
        }
        filled.text.push_str(&value);
    }
    filled.credentials = origins.pop_first().unwrap_or(CredentialSource::Text);
    Ok(filled)
}

/// The address with the values of its variables, as text.
///
/// # Errors
/// When a variable has no value.
pub fn filled(address: &str, args: &BuildArgs) -> Result<String, VariableError> {
    fill(address, args).map(|address| address.text)
}

/// The address with the values of its credentials alone: other variables of the image section have more forms.
///
/// # Errors
/// When a credential has no value.
pub(crate) fn fill_credentials(address: &str, args: &BuildArgs) -> Result<String, VariableError> {
    let plain = |part: &Part<'_>| matches!(part, Part::Plain(_));
    let has_other_form = |part: &Part<'_>| {
        pieces(part.text()).any(|(_, name)| name.is_some_and(|name| !is_name(name)))
    };
    let all: Vec<Part<'_>> = parts(address).collect();
    if all.iter().any(|part| !plain(part) && has_other_form(part)) {
        return Ok(address.to_owned());
    }
    let mut text = String::new();
    for part in all {
        if let Part::Plain(plain) = part {
            text.push_str(plain);
            continue;
        }
        let names = unset(part, args);
        if !names.is_empty() && !has_login(address, args) {
            let host = parts::host(address).map(str::to_owned);
            return Err(VariableError::Unset { names, host });
        }
        text.push_str(&credential(part, args));
    }
    Ok(text)
}

/// Finds out whether all variables have values.
fn check(address: &str, args: &BuildArgs) -> Result<(), VariableError> {
    let mut names: Vec<String> = Vec::new();
    let mut only_credentials = true;
    for part in parts(address) {
        let is_plain = matches!(part, Part::Plain(_));
        if let Some(form) = parts::windows_variable(part.text()).filter(|_| !is_plain) {
            return Err(VariableError::Form(form.to_owned()));
        }
        let mut found = pieces(part.text()).filter_map(|(_, name)| name);
        if let Some(name) = found.find(|name| !is_name(name)) {
            return Err(VariableError::Form(format!("${{{name}}}")));
        }
        if !is_plain && has_login(address, args) {
            continue;
        }
        for name in unset(part, args) {
            only_credentials &= !is_plain;
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let host = parts::host(address).filter(|_| only_credentials);
    let host = host.map(str::to_owned);
    Err(VariableError::Unset { names, host })
}

/// Whether BuildKit sends a login to the address's host.
fn has_login(address: &str, args: &BuildArgs) -> bool {
    let names = parts::host(address).map(logins);
    let is_given = |name: &String| args.secrets().get(name).is_some();
    names.iter().flatten().any(is_given)
}

/// The secrets that BuildKit sends to a host, `source/http` in its code.
fn logins(host: &str) -> [String; 2] {
    ["HTTP_AUTH_TOKEN_", "HTTP_AUTH_HEADER_"].map(|kind| format!("{kind}{host}"))
}

/// The variables of a part that have no value. Only credentials can be secrets: everything else is recorded.
fn unset(part: Part<'_>, args: &BuildArgs) -> Vec<String> {
    let is_plain = matches!(part, Part::Plain(_));
    let is_set =
        |name: &str| args.get(name).is_some() || (!is_plain && args.secrets().get(name).is_some());
    pieces(part.text())
        .filter_map(|(_, name)| name)
        .filter(|name| !is_set(name))
        .map(str::to_owned)
        .collect()
}

/// A login or token with values, and the signs around it. A build-arg comes before a secret. A single variable may stand
/// for user and password.
fn credential(part: Part<'_>, args: &BuildArgs) -> String {
    if !unset(part, args).is_empty() {
        // Another login takes its place.
        return String::new();
    }
    let get = |name: &str| args.get(name).or_else(|| args.secrets().get(name));
    let is_both = matches!(part, Part::Login(text) if !text.contains(':'));
    let value = with_values(part.text(), |name| {
        let value = get(name).unwrap_or_default();
        match value.split_once(':').filter(|_| is_both) {
            Some((user, password)) => format!("{}:{}", encoded(user), encoded(password)),
            None => encoded(value),
        }
    });
    match part {
        // `user:` and `:password` are logins.
        _ if matches!(value.as_str(), "" | ":") => String::new(),
        Part::Token(_) => format!("/t/{value}"),
        Part::Login(_) => format!("{value}@"),
        Part::Plain(_) => value,
    }
}

/// The text with a value for each variable.
fn with_values(text: &str, value: impl Fn(&str) -> String) -> String {
    let mut all = String::new();
    for (before, name) in pieces(text) {
        all.push_str(before);
        if let Some(name) = name {
            all.push_str(&value(name));
        }
    }
    all
}

fn origin(text: &str, args: &BuildArgs) -> CredentialSource {
    let names = pieces(text).filter_map(|(_, name)| name);
    let origins = names.map(|name| match args.get(name) {
        Some(_) => CredentialSource::BuildArg,
        None => CredentialSource::Secret,
    });
    origins.min().unwrap_or(CredentialSource::Text)
}

/// The secrets that the addresses in a text may need: their credentials, and the logins in place of those.
pub fn secret_names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for word in parts::addresses(text) {
        let variables = credential_variables(word);
        if !variables.is_empty() {
            names.extend(parts::host(word).map(logins).into_iter().flatten());
        }
        names.extend(variables);
    }
    names
}

/// The variables that stand for credentials in the addresses in a text.
pub fn credential_variables(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for word in parts::addresses(text) {
        for part in parts(word) {
            if !matches!(part, Part::Plain(_)) {
                let found = pieces(part.text()).filter_map(|(_, name)| name);
                names.extend(found.filter(|name| is_name(name)).map(str::to_owned));
            }
        }
    }
    names
}

/// The warning about credentials for `host` in `what`, and what to do about them.
pub(crate) fn credentials_warning(
    what: &str,
    host: &str,
    origin: CredentialSource,
) -> (String, String) {
    let instead = format!("pass them with --secret id=HTTP_AUTH_TOKEN_{host}");
    match origin {
        CredentialSource::Text => (
            format!(
                "{what} contains credentials for {host}: the builder's history keeps them, and provenance may"
            ),
            format!(
                "Remove them from the URL and {instead}. --provenance=false keeps them out of provenance alone."
            ),
        ),
        CredentialSource::BuildArg => (
            format!(
                "{what} has its credentials for {host} from a build-arg, which is not kept secret"
            ),
            format!("Remove them from the URL and {instead}."),
        ),
        CredentialSource::Secret => (
            format!(
                "{what} has its credentials for {host} from a secret, but the builder's history keeps its URLs"
            ),
            format!("To keep them out of it, remove them from the URL and {instead}."),
        ),
    }
}

/// The value of a credential as it is in a URL. What is percent-encoded already, because conda needs that, stays.
fn encoded(value: &str) -> String {
    let mut all = String::with_capacity(value.len());
    let bytes = value.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let follows = |offset: usize| bytes.get(index + offset).is_some_and(u8::is_ascii_hexdigit);
        match byte {
            b'%' if follows(1) && follows(2) => all.push('%'),
            b'-' | b'.' | b'_' | b'~' => all.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => all.push(char::from(*byte)),
            byte => all.push_str(&format!("%{byte:02X}")),
        }
    }
    all
}

#[cfg(test)]
mod tests;
