//! From what is asked for to the packages that fulfil it.

use super::Session;

use crate::gateway::error::BuildError;
use crate::input::Request;
use crate::package::Package;
use crate::source::Diagnostic;

impl Session<'_> {
    /// Solves an environment.
    pub(super) async fn packages(&self, _request: &Request) -> Result<Vec<Package>, BuildError> {
        Err(Diagnostic::new("environments cannot be solved yet").into())
    }
}
