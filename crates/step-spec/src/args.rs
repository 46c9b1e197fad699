//! Turning a step's spec into the arguments of its process, and back.
//!
//! BuildKit shows the whole command line of a step that fails. So the build graph puts only the subcommand there, and
//! hands over the other arguments as environment variables; the program puts them back before it starts.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use condafront_model::execve::MAX_STRING;

/// The longest argument of a step, in bytes: it is handed over as a variable, whose name takes a few of them.
pub(crate) const MAX_ARG_LEN: usize = MAX_STRING - 64;

/// The name of the variable with argument `index` after the subcommand.
pub fn variable(index: usize) -> String {
    format!("CONDAFRONT_STEP_ARGUMENT_{index}")
}

/// The arguments in the process's variables, in their order; `value` gives a variable's value.
pub fn handed_over(value: impl Fn(&str) -> Option<String>) -> Vec<String> {
    (0..).map_while(|index| value(&variable(index))).collect()
}

/// Arguments that a step cannot be given, or that it was not given. A bug in the code that planned the step.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// There is no spec.
    #[error("this step of the build needs a JSON argument that says what to do")]
    NoSpec,
    /// A value that JSON cannot express.
    #[error("cannot write a spec: {0}")]
    Write(#[source] serde_json::Error),
    /// An argument of this many bytes.
    #[error("an argument of {0} bytes is longer than Linux allows")]
    TooLong(usize),
    /// An argument that is not the JSON the step expects.
    #[error("cannot read this step's argument {argument:.200}: {source}")]
    Read {
        /// The argument.
        argument: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

type Result<T> = std::result::Result<T, ArgsError>;

/// What a step is asked to do. Its arguments are `SUBCOMMAND SPEC ITEM…`; each but the first is one
/// JSON value.
pub trait StepSpec: Serialize + DeserializeOwned {
    /// The subcommand that runs the step.
    const SUBCOMMAND: &'static str;
    /// What the step works on besides its spec; there can be any number of items.
    type Item: Serialize + DeserializeOwned;

    /// The step's arguments, starting with the subcommand.
    ///
    /// # Errors
    /// An argument longer than Linux allows.
    fn to_args(&self, items: &[Self::Item]) -> Result<Vec<String>> {
        let mut args = vec![Self::SUBCOMMAND.to_owned(), to_json(self)?];
        for item in items {
            args.push(to_json(item)?);
        }
        Ok(args)
    }

    /// Reads the arguments after the subcommand.
    ///
    /// # Errors
    /// A missing spec, or invalid JSON.
    fn from_args(args: &[String]) -> Result<(Self, Vec<Self::Item>)> {
        let Some((spec, items)) = args.split_first() else {
            return Err(ArgsError::NoSpec);
        };
        let items = items.iter().map(|json| from_json(json));
        Ok((from_json(spec)?, items.collect::<Result<_>>()?))
    }
}

/// The item of steps that work on the whole environment and have no items.
#[derive(Debug, Serialize, Deserialize)]
pub enum NoItem {}

/// One argument of a step.
///
/// # Errors
/// An argument longer than Linux allows.
pub fn to_json(value: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string(value).map_err(ArgsError::Write)?;
    if json.len() > MAX_ARG_LEN {
        return Err(ArgsError::TooLong(json.len()));
    }
    Ok(json)
}

fn from_json<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|source| ArgsError::Read {
        argument: json.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_handed_over_in_their_order() {
        let args: Vec<String> = (0..12).map(|index| format!("{{\"a\": {index}}}")).collect();
        let given: std::collections::BTreeMap<String, String> =
            (0..).map(variable).zip(args.iter().cloned()).collect();
        assert_eq!(handed_over(|name| given.get(name).cloned()), args);
        assert_eq!(handed_over(|_| None), [""; 0]);
    }
}
