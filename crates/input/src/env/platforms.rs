//! The key `platforms` of an env.yml.

use super::reader::Reader;
use crate::environment_input::DeclaredPlatform;
use crate::yaml::{Node, Value};
use condafront_model::nearest::did_you_mean;
use condafront_model::platform::{self, Platform};
use condafront_model::redact;
use condafront_model::source::Diagnostic;

impl Reader<'_> {
    /// The platforms that the environment is for. It is an error if `wanted` is not one of them.
    pub(super) fn platforms(
        &self,
        node: &Node,
        wanted: Platform,
    ) -> Result<Vec<DeclaredPlatform>, Diagnostic> {
        let items = match &node.value {
            Value::Null => return Ok(Vec::new()),
            Value::List(items) => items,
            _ => {
                return Err(self
                    .at(node)
                    .error(format!("`platforms:` must be a list, not {}", node.what()))
                    .help("Write `platforms: [linux-64]`."));
            }
        };
        let mut platforms = Vec::new();
        for item in items {
            let text = item.text().unwrap_or_default();
            if text == platform::NOARCH && items.len() > 1 {
                continue;
            }
            if !platform::is_subdir(text) {
                return Err(self.unknown_platform(item, wanted));
            }
            platforms.push(DeclaredPlatform {
                subdir: text.to_owned(),
                lines: item.lines,
            });
        }
        let fits = |declared: &DeclaredPlatform| declared.subdir == wanted.subdir();
        if platforms.is_empty() || platforms.iter().any(fits) {
            return Ok(platforms);
        }
        let names: Vec<&str> = platforms
            .iter()
            .map(|declared| declared.subdir.as_str())
            .collect();
        let others: Vec<String> = Platform::ALL
            .into_iter()
            .filter(|platform| names.contains(&platform.subdir()))
            .map(|platform| format!("build with --platform {platform}, or "))
            .collect();
        let help = format!("{}add {} to the list.", others.concat(), wanted.subdir());
        Err(self
            .at(node)
            .error(format!(
                "the file is for {}, but the image is built for {wanted} ({})",
                names.join(", "),
                wanted.subdir()
            ))
            .help(capitalised(&help)))
    }

    fn unknown_platform(&self, item: &Node, wanted: Platform) -> Diagnostic {
        let place = self.at(item);
        let Some(text) = item.text() else {
            return place
                .error(format!("a platform must be a name, not {}", item.what()))
                .help("Write a name such as linux-64.");
        };
        if text == platform::NOARCH {
            return place.error(platform::NOARCH_IS_NONE).help(format!(
                "Write {} instead, or remove `platforms`.",
                wanted.subdir()
            ));
        }
        let error = place.error(format!(
            "`{}` is not a conda platform",
            redact::quoted(text)
        ));
        match platform::known_elsewhere_as(text) {
            Some(subdir) => error.help(format!("Write {subdir}, conda's name for it.")),
            None => {
                error.help(did_you_mean(text, platform::subdirs()).unwrap_or_else(|| {
                    "Write a name such as linux-64 or linux-aarch64.".to_owned()
                }))
            }
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}
