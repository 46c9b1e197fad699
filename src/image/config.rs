//! The image's configuration: the base's, with what the environment adds.
//!
//! It is kept as JSON, because bases carry keys that the OCI specification does not define (`Healthcheck`, `Shell`)
//! and that must survive (<https://github.com/opencontainers/image-spec/blob/main/config.md>).

use serde_json::{Map, Value, json};

use condafront_model::platform::Platform;
use condafront_model::visible::visible_line;

/// An OCI image configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ImageConfig(Map<String, Value>);

/// An invalid configuration of a base image.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// It is not JSON.
    #[error("the base image's configuration cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// A part of it is not the object that it should be.
    #[error("the base image's configuration cannot be read: {0} is not a JSON object")]
    NotAnObject(&'static str),
}

impl ImageConfig {
    /// The configuration of an image without a base.
    pub(crate) fn scratch(platform: Platform) -> Self {
        let mut config = Map::new();
        config.insert("architecture".into(), platform.architecture().into());
        config.insert("os".into(), platform.os().into());
        config.insert("config".into(), json!({}));
        config.insert("rootfs".into(), json!({"type": "layers", "diff_ids": []}));
        Self(config)
    }

    /// Reads a base image's configuration. One that does not say which platform it is for counts as one for `platform`.
    ///
    /// # Errors
    /// When it is not a JSON object of the OCI form.
    pub(crate) fn from_base(json: &[u8], platform: Platform) -> Result<Self, ConfigError> {
        let value: Value = serde_json::from_slice(json)?;
        let Value::Object(mut config) = value else {
            return Err(ConfigError::NotAnObject("it"));
        };
        for (key, value) in Self::scratch(platform).0 {
            let slot = config.entry(key).or_insert_with(|| value.clone());
            if slot.is_null() || slot.as_str() == Some("") {
                *slot = value;
            }
        }
        if !config["config"].is_object() {
            return Err(ConfigError::NotAnObject("its `config`"));
        }
        // These describe the base itself, not what is built on it.
        for key in [
            "id",
            "parent",
            "container",
            "container_config",
            "docker_version",
            "created",
            "author",
        ] {
            config.remove(key);
        }
        // Instructions for Dockerfile builds. An image that a Dockerfile builds on the base does not keep them either.
        if let Some(runtime) = config.get_mut("config").and_then(Value::as_object_mut) {
            runtime.remove("OnBuild");
        }
        Ok(Self(config))
    }

    /// The platform that its programs are for, as in `--platform`. The variant is left out unless the architecture alone
    /// says too little (`linux/arm/v7`).
    pub(crate) fn platform(&self) -> String {
        let text = |key: &str| {
            let value = self.0.get(key).and_then(Value::as_str);
            value.unwrap_or_default().to_lowercase()
        };
        let (os, architecture, variant) = (text("os"), text("architecture"), text("variant"));
        if let Ok(known) = Platform::parse(&format!("{os}/{architecture}")) {
            return known.to_string();
        }
        match variant.as_str() {
            "" => format!("{os}/{architecture}"),
            variant => format!("{os}/{architecture}/{variant}"),
        }
    }

    pub(super) fn runtime(&self) -> Option<&Map<String, Value>> {
        self.0.get("config").and_then(Value::as_object)
    }

    /// Sets a key of the settings that containers run with.
    pub(super) fn set(&mut self, key: &str, value: Value) {
        if let Some(config) = self.0.get_mut("config").and_then(Value::as_object_mut) {
            config.insert(key.to_owned(), value);
        }
    }

    /// Removes such a key.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(config) = self.0.get_mut("config").and_then(Value::as_object_mut) {
            config.remove(key);
        }
    }

    /// The environment variables, in the configuration's order; the last value of a variable that appears twice.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let entries = self
            .runtime()
            .and_then(|config| config.get("Env"))
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .filter_map(|entry| entry.split_once('='));
        let mut env: Vec<(String, String)> = Vec::new();
        for (name, value) in entries {
            match env.iter_mut().find(|(known, _)| known == name) {
                Some((_, old)) => *old = value.to_owned(),
                None => env.push((name.to_owned(), value.to_owned())),
            }
        }
        env
    }

    /// Replaces the environment variables.
    pub(crate) fn set_env(&mut self, env: &[(String, String)]) {
        let entries = env.iter().map(|(name, value)| format!("{name}={value}"));
        self.set("Env", entries.collect());
    }

    /// Sets the account by its numeric ids, which Kubernetes' `runAsNonRoot` needs.
    pub(crate) fn set_user(&mut self, uid: u32, gid: u32) {
        self.set("User", format!("{uid}:{gid}").into());
    }

    /// Sets the entrypoint; the base's `Cmd` stays.
    pub(crate) fn set_entrypoint<S: AsRef<str>>(&mut self, entrypoint: &[S]) {
        let entrypoint: Vec<&str> = entrypoint.iter().map(AsRef::as_ref).collect();
        self.set("Entrypoint", json!(entrypoint));
    }

    /// Adds labels; they override the base's.
    pub(crate) fn add_labels<'a>(&mut self, labels: impl Iterator<Item = (&'a str, &'a str)>) {
        self.extend(
            "Labels",
            labels.map(|(name, value)| (name.to_owned(), value.into())),
        );
    }

    /// Adds entries to a mapping; they override the base's.
    pub(super) fn extend(&mut self, key: &str, entries: impl Iterator<Item = (String, Value)>) {
        let mut all = self
            .runtime()
            .and_then(|config| config.get(key))
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        all.extend(entries);
        if !all.is_empty() {
            self.set(key, Value::Object(all));
        }
    }

    /// Appends one entry per layer to the history, as `docker history` shows it.
    pub(crate) fn add_history(&mut self, layers: &[String]) {
        let history = self.0.entry("history").or_insert_with(|| json!([]));
        if let Some(history) = history.as_array_mut() {
            history.extend(
                layers
                    .iter()
                    .map(|name| json!({"created_by": visible_line(name), "comment": "condafront"})),
            );
        }
    }

    /// The configuration in BuildKit's form.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        Value::Object(self.0.clone()).to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bases_own_keys_survive() {
        let base = br#"{"architecture":"amd64","os":"linux","id":"x","config":{"Env":["PATH=/bin","A=b=c"],
            "Cmd":["bash"],"Healthcheck":{"Test":["NONE"]},"OnBuild":["RUN false"],"Labels":{"a":"1","b":"2"}},"history":[{"created_by":"base"}]}"#;
        let mut config = ImageConfig::from_base(base, Platform::LinuxAmd64).unwrap();
        assert_eq!(config.env()[1], ("A".into(), "b=c".into()));
        config.set_env(&[("PATH".into(), "/opt/conda/bin:/bin".into())]);
        config.set_user(57439, 57439);
        config.set_entrypoint(&["/e"]);
        config.add_labels([("b", "3")].into_iter());
        config.add_history(&["conda: numpy".into()]);
        let json: Value = serde_json::from_slice(&config.to_json()).unwrap();
        insta::assert_json_snapshot!(json);
    }

    #[test]
    fn the_last_value_of_a_variable_counts() {
        let base = br#"{"config":{"Env":["A=1","B=2","A=3","broken"]}}"#;
        let config = ImageConfig::from_base(base, Platform::LinuxAmd64).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(config.env(), [pair("A", "3"), pair("B", "2")]);
    }

    #[test]
    fn a_base_may_have_nulls_and_gaps() {
        let config =
            ImageConfig::from_base(br#"{"config":null,"rootfs":null}"#, Platform::LinuxArm64);
        let json: Value = serde_json::from_slice(&config.unwrap().to_json()).unwrap();
        assert_eq!(json["architecture"], "arm64");
        assert!(json["config"].is_object());
    }

    #[test]
    fn a_base_says_which_platform_it_is_for() {
        for (base, platform) in [
            (r#"{"os":"linux","architecture":"amd64"}"#, "linux/amd64"),
            (
                r#"{"os":"linux","architecture":"arm64","variant":"v8"}"#,
                "linux/arm64",
            ),
            (r#"{"os":"Linux","architecture":"aarch64"}"#, "linux/arm64"),
            (
                r#"{"os":"linux","architecture":"arm","variant":"v7"}"#,
                "linux/arm/v7",
            ),
            (
                r#"{"os":"windows","architecture":"amd64"}"#,
                "windows/amd64",
            ),
            (r#"{"os":"linux"}"#, "linux/arm64"),
            (r#"{"os":"","architecture":null}"#, "linux/arm64"),
        ] {
            let config = ImageConfig::from_base(base.as_bytes(), Platform::LinuxArm64).unwrap();
            assert_eq!(config.platform(), platform, "{base}");
        }
        let empty = ImageConfig::scratch(Platform::LinuxAmd64);
        assert_eq!(empty.platform(), "linux/amd64");
    }

    #[test]
    fn other_json_is_refused() {
        for text in ["", "[]", "{\"config\":3}"] {
            assert!(
                ImageConfig::from_base(text.as_bytes(), Platform::LinuxAmd64).is_err(),
                "{text}"
            );
        }
    }
}
