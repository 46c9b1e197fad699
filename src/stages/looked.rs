//! Images that a build inspects: the named contexts of the targets `verify` and `diff`.

use super::session::Session;

use buildkit_llb::{Copy, File, Input, OpOptions as _, Output};
use buildkit_proto::gateway;

use crate::context::named::Found;
use crate::gateway::error::BuildError;
use crate::gateway::solving::Evaluate;
use crate::image::config::ImageConfig;
use crate::options::target::Target;
use condafront_model::environment_prefix::ROOT_PREFIX;
use condafront_model::platform::Platform;
use condafront_model::source::Diagnostic;

/// An image to look at.
pub(super) struct Looked {
    /// What messages call it: its name, with its digest if it has one.
    pub(super) name: String,
    /// Its file system.
    pub(super) root: Output,
    /// Where its environments can be.
    pub(super) prefixes: Vec<String>,
}

impl Looked {
    /// An image with this configuration.
    pub(super) fn new(name: String, root: Output, config: &ImageConfig) -> Self {
        Self {
            name,
            root,
            prefixes: prefixes(&config.env()),
        }
    }
}

/// Where conda's environments are in an image with these variables, the root prefix first.
fn prefixes(env: &[(String, String)]) -> Vec<String> {
    /// The longest path that a conda prefix can have.
    const LONGEST: usize = 255;
    let value = |wanted: &str| {
        let mut values = env.iter().rev();
        let found = values.find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let said = ["MAMBA_ROOT_PREFIX", "CONDA_PREFIX"].map(value);
    let mut prefixes: Vec<String> = Vec::new();
    for prefix in [said[0], Some(ROOT_PREFIX), said[1]].into_iter().flatten() {
        let is_inside = |other: &String| prefix.starts_with(&format!("{other}/envs/"));
        let is_known = prefixes
            .iter()
            .any(|other| other == prefix || is_inside(other));
        if prefix.starts_with('/') && prefix.len() <= LONGEST && !is_known {
            prefixes.push(prefix.to_owned());
        }
    }
    prefixes
}

impl Session<'_> {
    /// The image in the named context `name`, if the user gave one.
    ///
    /// # Errors
    /// When it is unavailable or empty.
    pub(super) async fn image_in(&self, name: &str) -> Result<Option<Looked>, BuildError> {
        let found = self.finder().named(name).await.map_err(|error| match error {
            // What is said about base images does not help here.
            BuildError::Diagnostic(error) => {
                let help = format!("Check the value of --build-context {name}=…, and whether the engine may pull it.");
                error.help(help).into()
            }
            error => error,
        })?;
        let Some(found) = found else {
            return Ok(None);
        };
        let Found {
            state,
            config,
            reference,
            ..
        } = found;
        match state {
            Input::Output(root) => {
                let shown = reference.unwrap_or_else(|| name.to_owned());
                Ok(Some(Looked::new(shown, root, &config)))
            }
            Input::Scratch => {
                Err(Diagnostic::new(format!("the named context {name} is empty")).into())
            }
        }
    }

    /// What lines of the progress about looking at images start with: the target, and the platform if there are several.
    pub(super) fn topic(&self, target: Target, platforms: &[Platform]) -> String {
        match platforms {
            [_] => format!("[{}]", target.name()),
            _ => format!("[{} {}]", target.name(), self.platform),
        }
    }

    /// A result with files of outputs: each has the name that follows it, and another one in the result.
    pub(super) async fn files(
        &self,
        files: &[(Output, &str, String)],
        name: &str,
    ) -> Result<gateway::Result, BuildError> {
        let mut all = File::on(Input::Scratch);
        for (output, from, to) in files {
            all.then(Copy::new(output, *from, format!("/{to}")));
        }
        let all = all.name(name).build();
        let reference = match all.output() {
            Some(output) => self.solve(output, Evaluate::Now).await?.to_proto(),
            None => gateway::Ref::default(),
        };
        Ok(gateway::Result {
            result: Some(gateway::result::Result::Ref(reference)),
            ..Default::default()
        })
    }
}

/// The error that an image is missing, which is there to `what` it.
pub(super) fn missing(name: &str, what: &str) -> Diagnostic {
    Diagnostic::new(format!("the image to {what} is missing")).help(format!(
        "Name it with --build-context {name}=docker-image://<name>."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_where_an_image_says() {
        let env = |pairs: &[(&str, &str)]| {
            let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
            prefixes(&pairs.iter().map(own).collect::<Vec<_>>())
        };
        assert_eq!(env(&[]), ["/opt/conda"]);
        let named = [
            ("MAMBA_ROOT_PREFIX", "/opt/conda"),
            ("CONDA_PREFIX", "/opt/conda/envs/r"),
        ];
        assert_eq!(env(&named), ["/opt/conda"]);
        let other = [
            ("MAMBA_ROOT_PREFIX", "/srv/mamba"),
            ("CONDA_PREFIX", "/app"),
        ];
        assert_eq!(env(&other), ["/srv/mamba", "/opt/conda", "/app"]);
        assert_eq!(env(&[("CONDA_PREFIX", "relative")]), ["/opt/conda"]);
    }
}
