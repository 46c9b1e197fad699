//! What BuildKit tells a frontend through its environment (`frontend/gateway/gateway.go`), and the options of
//! `docker build` in it (`frontend/dockerui/config.go`).

use std::collections::BTreeMap;

use serde::Deserialize;

use condafront_model::platform::{Platform, UnknownPlatform};

/// The session's identity and the user's options.
#[derive(Clone, Debug, Default)]
pub struct Options {
    values: BTreeMap<String, String>,
    /// The client's session, which local sources are read from.
    pub session_id: String,
}

/// An invalid option.
#[derive(Debug, thiserror::Error)]
pub enum OptionError {
    /// A platform that conda has no packages for.
    #[error("--platform: {0}")]
    Platform(#[from] UnknownPlatform),
    /// Cache imports that are not JSON of the expected form.
    #[error("--cache-from: {0}")]
    CacheImports(#[source] serde_json::Error),
}

/// A cache to look into.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct CacheImport {
    /// Its kind: `registry`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// What the kind needs to find it: `ref`.
    #[serde(rename = "Attrs", default)]
    pub attrs: BTreeMap<String, String>,
}

impl Options {
    /// Reads a process's environment.
    pub fn from_env(env: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut options = Self::default();
        for (name, value) in env {
            if name.starts_with("BUILDKIT_FRONTEND_OPT_") {
                let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                options.values.insert(key.to_owned(), value.to_owned());
            } else if name == "BUILDKIT_SESSION_ID" {
                options.session_id = value;
            }
        }
        options
    }

    /// Whether an option is set, even to nothing.
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// One option, if it is set and not empty.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The build file's name.
    pub fn file_name(&self) -> &str {
        self.get("filename").unwrap_or("Dockerfile")
    }

    /// The local source that holds the build file.
    pub fn file_local(&self) -> &str {
        self.get("dockerfilekey").unwrap_or("dockerfile")
    }

    /// Whether the client has the build file itself, wherever the context is: one that it was given by standard input or
    /// an absolute path, for example.
    pub fn sends_file(&self) -> bool {
        self.get("dockerfilekey").is_some()
    }

    /// The path of a local source in the repository that has the context, if the client knows one.
    pub fn place_in_repository(&self, local: &str) -> Option<&str> {
        self.get(&format!("vcs:localdir:{local}"))
    }

    /// The local source that is the build context.
    pub fn context_local(&self) -> &str {
        self.get("contextkey").unwrap_or("context")
    }

    /// The session that serves a local source.
    pub fn local_session(&self, name: &str) -> &str {
        self.get(&format!("local-sessionid:{name}"))
            .unwrap_or(&self.session_id)
    }

    /// The build-args, by name, including BuildKit's own (`BUILDKIT_…`).
    pub fn build_args(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_prefix("build-arg:")
    }

    /// The labels that the user wants on the image.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.with_prefix("label:")
    }

    /// All options that begin with `prefix`, without it.
    fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.values
            .iter()
            .filter_map(move |(key, value)| Some((key.strip_prefix(prefix)?, value.as_str())))
    }

    /// The platforms that `--platform` names, each once; empty if it was not given.
    ///
    /// # Errors
    /// When conda has no packages for one of them.
    pub fn platforms(&self) -> Result<Vec<Platform>, OptionError> {
        let mut platforms = Vec::new();
        let names = self.get("platform").unwrap_or_default().split(',');
        for name in names.filter(|name| !name.trim().is_empty()) {
            let platform = Platform::parse(name)?;
            if !platforms.contains(&platform) {
                platforms.push(platform);
            }
        }
        Ok(platforms)
    }

    /// Whether to return even a single platform as a list.
    pub fn is_multi_platform(&self) -> bool {
        let build_arg = self.get("build-arg:BUILDKIT_MULTI_PLATFORM");
        let wanted = self.get("multi-platform").or(build_arg);
        wanted.and_then(parse_bool) == Some(true)
    }

    /// Whether `--no-cache` was given. If it names stages, it applies only if one of them is ours.
    pub fn no_cache(&self) -> bool {
        self.values.get("no-cache").is_some_and(|stages| {
            stages.is_empty() || stages.split(',').any(|name| name == "install")
        })
    }

    /// The caches to import: `cache-imports`, or the older `cache-from`.
    ///
    /// # Errors
    /// When they are malformed.
    pub fn cache_imports(&self) -> Result<Vec<CacheImport>, OptionError> {
        if let Some(json) = self.get("cache-imports") {
            return serde_json::from_str(json).map_err(OptionError::CacheImports);
        }
        Ok(self
            .get("cache-from")
            .unwrap_or_default()
            .split(',')
            .filter(|reference| !reference.is_empty())
            .map(|reference| CacheImport {
                kind: "registry".to_owned(),
                attrs: [("ref".to_owned(), reference.to_owned())].into(),
            })
            .collect())
    }

    /// How images are resolved: `default`, `pull` or `local`.
    pub fn image_resolve_mode(&self) -> &str {
        self.get("image-resolve-mode").unwrap_or("default")
    }

    /// The value of the named context `name`, preferably the one for `platform`.
    pub fn named_context(&self, name: &str, platform: Platform) -> Option<&str> {
        self.get(&format!("context:{name}::{platform}"))
            .or_else(|| self.get(&format!("context:{name}")))
    }
}

/// Reads what BuildKit takes as true or false (`strconv.ParseBool` of Go).
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[&str]) -> Options {
        let env = pairs
            .iter()
            .enumerate()
            .map(|(n, pair)| (format!("BUILDKIT_FRONTEND_OPT_{n}"), (*pair).to_owned()));
        Options::from_env(env)
    }

    #[test]
    fn options_are_split_at_the_first_equals_sign() {
        let options = options(&[
            "filename=env.lock",
            "build-arg:CONDA_MIRRORS=https://a=https://b",
            "target=",
        ]);
        assert_eq!(options.file_name(), "env.lock");
        assert_eq!(
            options.build_args().collect::<Vec<_>>(),
            [("CONDA_MIRRORS", "https://a=https://b")]
        );
        assert_eq!(options.get("target"), None);
    }

    #[test]
    fn platforms_and_caches_are_read() {
        let options = options(&[
            "platform=linux/amd64,linux/arm64",
            r#"cache-imports=[{"Type":"registry","Attrs":{"ref":"r/c"}}]"#,
            "no-cache=",
            "context:base=docker-image://x",
            "context:base::linux/arm64=docker-image://y",
        ]);
        assert_eq!(
            options.platforms().unwrap(),
            [Platform::LinuxAmd64, Platform::LinuxArm64]
        );
        assert_eq!(options.cache_imports().unwrap()[0].attrs["ref"], "r/c");
        assert!(options.no_cache());
        assert_eq!(
            options.named_context("base", Platform::LinuxArm64),
            Some("docker-image://y")
        );
        assert_eq!(
            options.named_context("base", Platform::LinuxAmd64),
            Some("docker-image://x")
        );
    }

    #[test]
    fn mistakes_are_errors() {
        assert!(options(&["platform=windows/amd64"]).platforms().is_err());
        assert!(options(&["cache-imports={"]).cache_imports().is_err());
    }
}
