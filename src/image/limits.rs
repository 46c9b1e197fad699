//! What can prevent a container from starting although each key of its configuration is valid: the limits of Linux and of
//! the engines.

use std::sync::Arc;

use serde_json::Value;

use super::config::ImageConfig;
use condafront_input::section::ImageSection;
use condafront_model::execve;
use condafront_model::redact::quoted;
use condafront_model::source::{Diagnostic, Lines, SourceFile};

/// The largest configuration, in bytes. Registries and engines read it as a whole; this is what the OCI distribution
/// specification lets them refuse for a manifest.
const MAX_CONFIG: usize = 4 << 20;

/// What a configuration was made from.
pub(crate) struct Sources<'a> {
    /// The build file.
    pub(crate) file: &'a Arc<SourceFile>,
    /// Its image section.
    pub(crate) section: &'a ImageSection,
    /// The base image's configuration.
    pub(crate) base: &'a ImageConfig,
    /// The lines that name the base image.
    pub(crate) base_lines: Option<Lines>,
}

impl Sources<'_> {
    /// Checks that engines can start containers of an image with this configuration.
    ///
    /// # Errors
    /// A diagnostic at what contributes most to what is too much, if it is in the build file.
    pub(crate) fn check(&self, config: &ImageConfig) -> Result<(), Diagnostic> {
        let env = config.env();
        for (name, value) in &env {
            if let Err(why) = execve::check_value(name, value) {
                let error = Diagnostic::new(format!("the variable `{}` {why}", quoted(name)));
                return Err(self
                    .at_variable(error, name, value)
                    .help(why.help())
                    .caused_by(why));
            }
        }
        let variables = env
            .iter()
            .map(|(name, value)| execve::size(name) + "=".len() + value.len());
        let arguments = ["Entrypoint", "Cmd"]
            .into_iter()
            .flat_map(|key| words(config, key));
        let total = variables.sum::<usize>() + arguments.map(execve::size).sum::<usize>();
        if total > execve::MAX_TOTAL {
            let error = Diagnostic::new(format!(
                "the image's variables and command have {} KiB together, but Linux passes at most {} KiB to a program",
                total.div_ceil(1 << 10),
                execve::MAX_TOTAL >> 10
            ))
            .help("Put long values in files of the image, and set variables to their paths.");
            let longest = env.iter().max_by_key(|(_, value)| value.len());
            return Err(match longest {
                Some((name, value)) => self.at_variable(error, name, value),
                None => error,
            });
        }
        let size = config.to_json().len();
        if size > MAX_CONFIG {
            let error = Diagnostic::new(format!(
                "the image's configuration has {} KiB, but must have at most {} KiB",
                size.div_ceil(1 << 10),
                MAX_CONFIG >> 10
            ))
            .help("Put long labels and variables in files of the image.");
            let labels = self.section.labels.values();
            let longest = labels.max_by_key(|label| label.value.len());
            return Err(match longest {
                Some(label) => error.at(self.file, label.lines),
                None => error,
            });
        }
        Ok(())
    }

    /// The error at the line that sets the variable.
    fn at_variable(&self, error: Diagnostic, name: &str, value: &str) -> Diagnostic {
        let own = self.section.env.iter().rfind(|own| own.name == name);
        let is_of_base = || {
            let base = self.base.env();
            base.iter()
                .any(|(of_base, old)| of_base == name && old == value)
        };
        let lines = match own {
            Some(own) => Some(own.lines),
            None => self.base_lines.filter(|_| is_of_base()),
        };
        match lines {
            Some(lines) => error.at(self.file, lines),
            None => error,
        }
    }
}

/// The strings of a list in the configuration.
fn words<'a>(config: &'a ImageConfig, key: &str) -> impl Iterator<Item = &'a str> {
    let list = config.runtime().and_then(|runtime| runtime.get(key));
    let words = list.and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::section::{apply, workdir};
    use condafront_input::section;
    use condafront_model::platform::Platform;

    /// Checks an image with this section on a base with this variable.
    fn check(lines: &str, variable: &str) -> Result<(), Diagnostic> {
        let base = serde_json::json!({"config": {"Env": ["PATH=/bin", variable]}}).to_string();
        let base = ImageConfig::from_base(base.as_bytes(), Platform::LinuxAmd64).unwrap();
        let file = SourceFile::new("env.yml", format!("condafront:\n  base: ours\n{lines}"));
        let section = section::section_of(&file, &section::BuildArgs::default());
        let mut config = base.clone();
        let workdir = workdir(&config, &section, &file)?;
        apply(&mut config, &section, &file, "/e", workdir.as_deref())?;
        let sources = Sources {
            file: &file,
            section: &section,
            base: &base,
            base_lines: section.base.as_ref().map(|base| base.lines),
        };
        sources.check(&config)
    }

    #[test]
    fn what_is_too_much_is_told_at_the_line_with_most_of_it() {
        let variables = |number: usize| {
            let line = |index| format!("    V{index}: {}\n", "x".repeat(100_000 + index));
            format!("  env:\n{}", (0..number).map(line).collect::<String>())
        };
        assert_eq!(check(&variables(18), "A=1"), Ok(()));
        let error = check(&variables(20), "A=1").unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(23));
        assert_eq!(
            error.message,
            "the image's variables and command have 1954 KiB together, but Linux passes at most 1920 KiB to a program"
        );

        let arguments = format!(
            "  cmd: [a{}]\n",
            format!(", {}", "y".repeat(60_000)).repeat(40)
        );
        let error = check(&arguments, "A=1").unwrap_err();
        assert!(error.message.contains("variables and command"), "{error}");

        let of_base = format!("A={}", "x".repeat(200_000));
        let error = check("", &of_base).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(2));
        assert!(
            error.message.starts_with("the variable `A` has 196 KiB"),
            "{error}"
        );

        let label = |index: usize| format!("   l{index}: {}\n", "z".repeat(900_000 + index));
        let labels = |number| (1..=number).map(label).collect::<String>();
        assert_eq!(check(&format!("  labels:\n{}", labels(4)), "A=1"), Ok(()));
        let error = check(&format!("  labels:\n{}", labels(5)), "A=1").unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(8));
        assert!(
            error
                .message
                .starts_with("the image's configuration has 4395 KiB"),
            "{error}"
        );
    }
}
