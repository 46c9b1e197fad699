//! Credentials in the arguments of steps.

use crate::step::Step;
use condafront_input::requirements::has_credentials;
use condafront_step_spec::pip::HIDDEN;

/// Strings with credentials, passed as environment variables of a step.
#[derive(Default)]
pub(super) struct Hidden(Vec<(String, String)>);

impl Hidden {
    /// Replaces `text` with a variable if it has credentials.
    pub(super) fn hide(&mut self, text: &mut String) {
        if has_credentials(text) {
            let name = format!("{HIDDEN}{}", self.0.len());
            let variable = format!("${{{name}}}");
            self.0.push((name, std::mem::replace(text, variable)));
        }
    }

    /// Sets the variables.
    pub(super) fn tell(self, step: &mut Step) {
        for (name, text) in self.0 {
            step.exec().env(name, text);
        }
    }
}
