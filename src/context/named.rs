//! Named contexts: what `--build-context name=value` means (`frontend/dockerui/namedcontext.go`).

use std::collections::BTreeMap;
use std::fmt::Display;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildkit_llb::{
    Copy, Definition, Differ, File, Http, Image, Input, Local, OciLayout, OpOptions, Output, pb,
};

use super::git::{GitContext, GitUrlError, git_source};
use super::ignore;
use crate::gateway::client::Bridge;
use crate::gateway::error::{BuildError, GatewayError};
use crate::gateway::messages;
use crate::image::config::ImageConfig;
use crate::image::name::{BaseName, ImageName, ImageNameError};
use condafront_graph::oci_platform;
use condafront_input::options::Options;
use condafront_model::platform::Platform;
use condafront_model::redact;
use condafront_model::source::Diagnostic;

/// A file system from outside, and the configuration of its image.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The file system.
    pub state: Input,
    /// The configuration, or that of an empty image if the context has none.
    pub config: ImageConfig,
    /// The configuration as its image has it, in JSON. Its layers and history are not this build's.
    pub original: Option<Vec<u8>>,
    /// Whether the definition pins the content.
    pub pinned: bool,
    /// The image's name, with its digest if the engine knows one.
    pub reference: Option<String>,
}

/// Resolves contexts and images.
#[derive(Clone, Copy)]
pub(crate) struct Finder<'a> {
    /// The session.
    pub bridge: &'a Bridge,
    /// The user's options.
    pub options: &'a Options,
    /// The platform to resolve images for.
    pub platform: Platform,
}

impl Finder<'_> {
    /// The base image: `scratch`, a named context, or an image.
    ///
    /// # Errors
    /// When it is unavailable.
    pub(crate) async fn base(&self, name: &str) -> Result<Found, BuildError> {
        let parsed: BaseName = name.parse().map_err(|error| {
            Diagnostic::new(format!("the base image cannot be used: {error}"))
                .help("Write it as in a Dockerfile's FROM, for example debian:13-slim or scratch.")
                .caused_by(error)
        })?;
        match parsed {
            BaseName::Scratch => Ok(self.without_config(Input::Scratch, true)),
            BaseName::Image(image) => match self.named(&image.familiar()).await? {
                Some(found) => Ok(found),
                None => self.image(&image).await,
            },
        }
    }

    /// The named context `name`, if the user gave one.
    ///
    /// # Errors
    /// When Docker does not know such a value, or the context is unavailable.
    pub(crate) async fn named(&self, name: &str) -> Result<Option<Found>, BuildError> {
        let Some(value) = self.options.named_context(name, self.platform) else {
            return Ok(None);
        };
        let wrong = |reason: &dyn Display| {
            let value = redact::masked(value);
            Diagnostic::new(format!("--build-context {name}={value}: {reason}"))
                .help("Write docker-image://, oci-layout://, a git or http(s) URL, a folder, or target: in bake.")
        };
        let git = GitContext::parse(value)
            .map_err(|error| wrong(&error).help(GitUrlError::HELP).caused_by(error))?;
        if let Some(git) = git {
            let state = git_source(&git, self.options);
            return Ok(Some(
                self.without_config(subfolder(state, git.subdir.as_deref()), false),
            ));
        }
        let (kind, rest) = value.split_once(':').unwrap_or((value, ""));
        let found = match (kind, rest.strip_prefix("//")) {
            ("docker-image", Some("scratch")) => self.without_config(Input::Scratch, true),
            ("docker-image", Some(reference)) => {
                let image: ImageName = reference
                    .parse()
                    .map_err(|error: ImageNameError| wrong(&error).caused_by(error))?;
                self.image(&image).await?
            }
            ("oci-layout", Some(reference)) => {
                let Some((store, digest)) = reference.split_once('@') else {
                    return Err(wrong(&"an OCI layout needs a digest").into());
                };
                let store = store.rsplit_once(':').map_or(store, |(store, _tag)| store);
                // BuildKit wants a whole name here, though the digest alone decides.
                let image: ImageName = name
                    .parse()
                    .map_err(|error: ImageNameError| wrong(&error).caused_by(error))?;
                let mut layout = OciLayout::new(image.pinned(digest));
                layout
                    .store(&self.options.session_id, store)
                    .platform(oci_platform(self.platform));
                self.resolved(
                    layout.name(format!("[context {name}] OCI layout")).build(),
                    name,
                    None,
                )
                .await?
            }
            ("http" | "https", Some(_)) => {
                let file = Http::new(value)
                    .filename("context")
                    .name(format!("[context {name}] {}", redact::masked(value)))
                    .build();
                let mut unpack = File::on(Input::Scratch);
                unpack
                    .then(Copy::new(&file, "context", "/").unpack())
                    .name(format!("[context {name}] unpack"));
                self.without_config(unpack.build(), false)
            }
            ("local", _) => {
                let ignored = ignore::of_client(self.bridge, self.options, rest).await?;
                let mut folder = Local::new(rest);
                folder
                    .session(self.options.local_session(rest))
                    .exclude(ignored)
                    .shared_key_hint(format!("context:{name}"))
                    .differ(Differ::None)
                    .name(format!("[context {name}] load from client"));
                self.without_config(folder.build().into(), false)
            }
            ("input", _) => self.input(rest).await?,
            _ => return Err(wrong(&"unknown kind of context").into()),
        };
        Ok(Some(found))
    }

    /// An image from a registry or the engine's store, pinned to the current digest of its name.
    async fn image(&self, image: &ImageName) -> Result<Found, BuildError> {
        let canonical = image.canonical();
        let source = self.image_source(&canonical, &canonical);
        self.resolved(source, &canonical, Some(image)).await
    }

    fn image_source(&self, reference: &str, shown: &str) -> Output {
        let mut source = Image::new(reference);
        source
            .platform(oci_platform(self.platform))
            .name(format!("[base] {shown}"));
        source.build()
    }

    /// Asks BuildKit for an image's configuration, and pins `image` to its digest.
    async fn resolved(
        &self,
        state: Output,
        name: &str,
        image: Option<&ImageName>,
    ) -> Result<Found, BuildError> {
        let source = source_op(&state)
            .ok_or_else(|| GatewayError::session(format!("{name} is not an image")))?;
        let log_name = format!("[internal] load metadata for {name}");
        let meta = self
            .bridge
            .resolve_image(
                source,
                self.platform,
                self.options.image_resolve_mode(),
                log_name,
            )
            .await
            .map_err(|error| unavailable(name, self.platform, error))?;
        let config = ImageConfig::from_base(&meta.config, self.platform)
            .map_err(|error| Diagnostic::new(format!("{name}: {error}")).caused_by(error))?;
        let digest = meta.digest.as_deref();
        let reference = image.map(|image| match digest {
            Some(digest) => image.pinned(digest),
            None => image.canonical(),
        });
        let state = match (&reference, digest) {
            (Some(reference), Some(_)) => self.image_source(reference, name),
            _ => state,
        };
        Ok(Found {
            pinned: digest.is_some(),
            state: state.into(),
            config,
            original: Some(meta.config),
            reference,
        })
    }

    /// Another build's result, from `target:` in bake.
    async fn input(&self, name: &str) -> Result<Found, BuildError> {
        let inputs = self.bridge.inputs().await?;
        let definition = inputs.get(name).ok_or_else(|| {
            GatewayError::session(format!("the client did not send the input {name}"))
        })?;
        let state = if definition.def.is_empty() {
            Input::Scratch
        } else {
            Output::from_definition(definition)
                .map_err(|error| {
                    GatewayError::caused(
                        format_args!("the input {name} is not a build graph"),
                        error,
                    )
                })?
                .into()
        };
        let original = self
            .options
            .get(&format!("input-metadata:{name}"))
            .and_then(|json| serde_json::from_str::<BTreeMap<String, String>>(json).ok())
            .and_then(|metadata| STANDARD.decode(metadata.get("containerimage.config")?).ok());
        let config = match &original {
            Some(json) => ImageConfig::from_base(json, self.platform)
                .map_err(|error| Diagnostic::new(format!("{name}: {error}")).caused_by(error))?,
            None => ImageConfig::scratch(self.platform),
        };
        Ok(Found {
            state,
            config,
            original,
            pinned: false,
            reference: None,
        })
    }

    fn without_config(&self, state: Input, pinned: bool) -> Found {
        Found {
            state,
            config: ImageConfig::scratch(self.platform),
            original: None,
            pinned,
            reference: None,
        }
    }
}

/// Why the image `name` cannot be used, from what BuildKit says when it looks it up.
fn unavailable(name: &str, platform: Platform, error: GatewayError) -> BuildError {
    if error.is_cancelled() {
        return error.into();
    }
    let message = error.message();
    let told = if messages::is_for_another_platform(message) {
        Diagnostic::new(format!("there is no image `{name}` for {platform}"))
            .help(format!("Choose an image for {platform}, or build with --platform for a platform that the image supports."))
    } else if messages::is_denied(message) {
        Diagnostic::new(format!(
            "the build's source policy does not allow the image `{name}`"
        ))
        .help("Use an image that the policy allows.")
    } else if let Some(fault) = messages::certificate_fault(message) {
        Diagnostic::new(format!("the image `{name}` cannot be used: {fault}"))
            .help(fault.help_for_builder())
    } else {
        Diagnostic::new(format!("the image `{name}` cannot be used: {error}"))
            .help("Check its name and whether the engine may pull it, or choose another one with --build-arg BASE_IMAGE=<image>.")
    };
    told.caused_by(error).into()
}

/// The source operation of `output`, for BuildKit to look up (`ResolveSourceMeta`).
fn source_op(output: &Output) -> Option<pb::SourceOp> {
    let definition = Definition::of(output);
    let ops = definition.to_pb().def.iter().filter_map(|bytes| {
        <pb::Op as prost::Message>::decode(bytes.as_slice())
            .ok()?
            .op
    });
    ops.into_iter().find_map(|op| match op {
        pb::op::Op::Source(source) => Some(source),
        _ => None,
    })
}

fn subfolder(state: Output, path: Option<&str>) -> Input {
    match path {
        None => state.into(),
        Some(path) => File::on(Input::Scratch)
            .then(Copy::new(&state, path, "/").contents())
            .name(format!("[context] copy {path}"))
            .build(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_why_an_image_cannot_be_used_is_told() {
        for (message, expected) in [
            (
                "failed to do request: Head \"https://registry.example/v2/base/manifests/1\": tls: failed to verify certificate: x509: certificate signed by unknown authority",
                "cannot be used: the server's certificate is from an unknown authority",
            ),
            (
                "could not resolve image due to policy: source \"docker-image://base:1\" denied by policy: source denied by policy",
                "the build's source policy does not allow the image `base:1`",
            ),
            (
                "error evaluating the source policy: source \"docker-image://base:1\" not allowed by policy: action DENY",
                "the build's source policy does not allow the image `base:1`",
            ),
            (
                "no match for platform in manifest: not found",
                "there is no image `base:1` for linux/arm64",
            ),
            (
                "pull access denied, repository does not exist",
                "cannot be used: pull access denied",
            ),
        ] {
            let error = GatewayError::session(message);
            let error = unavailable("base:1", Platform::LinuxArm64, error);
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
