//! The calls that a frontend makes, in condafront's own types.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use buildkit_proto::gateway;
use buildkit_proto::gateway::llb_bridge_client::LlbBridgeClient;
use buildkit_proto::{caps::ApiCap, pb, rpc, worker::BuildkitVersion};
use prost::Message as _;
use tokio::sync::OnceCell;
use tonic::transport::Channel;

use super::effort::Effort;
use super::error::{GatewayError, source_info};
use super::timeline::Timeline;
use super::transport::MAX_MESSAGE_BYTES;
use condafront_input::options::CacheImport;
use condafront_model::lint::Warning;
use condafront_model::platform::Platform;
use condafront_model::visible::{visible, visible_line};

/// A session with BuildKit.
#[derive(Clone)]
pub(crate) struct Bridge {
    pub(super) client: LlbBridgeClient<Channel>,
    abilities: Abilities,
    pub(super) cache_imports: Vec<gateway::CacheOptionsEntry>,
    /// The least effort that solves make: results that one of them found lost are lost to the others too.
    pub(super) effort: Arc<Mutex<Effort>>,
    /// The client's inputs, once they have been asked for.
    inputs: Arc<OnceCell<BTreeMap<String, pb::Definition>>>,
    /// The calls so far.
    pub(super) timeline: Arc<Timeline>,
}

/// What the engine says it can do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Abilities {
    llb: BTreeMap<String, ApiCap>,
    frontend: BTreeMap<String, ApiCap>,
    /// The engine's BuildKit version, if it says.
    pub version: Option<BuildkitVersion>,
    /// The platform that steps run on.
    pub build_platform: Option<Platform>,
    /// The platforms whose programs the engine's kernel can run, by emulation if necessary.
    pub runnable: Vec<Platform>,
}

impl Abilities {
    /// Whether graphs may use the capability `id`.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.llb.get(id).is_some_and(|cap| cap.enabled)
    }

    /// Whether the gateway itself has the capability `id`.
    pub(crate) fn gateway_has(&self, id: &str) -> bool {
        self.frontend.get(id).is_some_and(|cap| cap.enabled)
    }

    /// Why a capability is disabled, in the engine's words.
    pub(crate) fn reason(&self, id: &str) -> Option<&str> {
        self.llb
            .get(id)
            .map(|cap| cap.disabled_reason_msg.as_str())
            .filter(|reason| !reason.is_empty())
    }
}

impl From<gateway::PongResponse> for Abilities {
    fn from(pong: gateway::PongResponse) -> Self {
        let by_id = |caps: Vec<ApiCap>| caps.into_iter().map(|cap| (cap.id.clone(), cap)).collect();
        let worker = pong.workers.into_iter().next().unwrap_or_default();
        let platforms = worker.platforms.iter();
        let known: Vec<Option<Platform>> = platforms
            .map(|platform| Platform::from_oci(&platform.os, &platform.architecture).ok())
            .collect();
        Self {
            llb: by_id(pong.llb_caps),
            frontend: by_id(pong.frontend_api_caps),
            version: worker.buildkit_version,
            build_platform: known.first().copied().flatten(),
            runnable: known.into_iter().flatten().collect(),
        }
    }
}

/// An image's digest and configuration.
#[derive(Clone, Debug)]
pub(crate) struct ImageMeta {
    /// The digest, if the engine knows one.
    pub digest: Option<String>,
    /// The OCI image configuration, JSON.
    pub config: Vec<u8>,
}

impl Bridge {
    /// Connects to BuildKit and asks what it can do.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn connect(
        channel: Channel,
        timeline: Timeline,
    ) -> Result<Self, GatewayError> {
        let mut client = LlbBridgeClient::new(channel)
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let ping = client.ping(gateway::PingRequest::default());
        let pong = timeline.of(|| "ask what the engine can do".to_owned(), ping);
        let pong = pong.await?;
        Ok(Self {
            client,
            abilities: pong.into_inner().into(),
            cache_imports: Vec::new(),
            effort: Arc::default(),
            inputs: Arc::default(),
            timeline: Arc::new(timeline),
        })
    }

    /// What the engine can do.
    pub(crate) fn abilities(&self) -> &Abilities {
        &self.abilities
    }

    /// Imports these caches in all later solves.
    pub(crate) fn import_caches(&mut self, imports: Vec<CacheImport>) {
        let entries = imports
            .into_iter()
            .map(|import| gateway::CacheOptionsEntry {
                r#type: import.kind,
                attrs: import.attrs,
            });
        self.cache_imports = entries.collect();
    }

    /// The client's inputs: states of other builds, by name.
    ///
    /// # Errors
    /// Whatever BuildKit reports.
    pub(crate) async fn inputs(&self) -> Result<&BTreeMap<String, pb::Definition>, GatewayError> {
        let inputs = self.inputs.get_or_try_init(async || {
            if !self.abilities.gateway_has("frontend.inputs") {
                return Ok(BTreeMap::new());
            }
            let mut client = self.client.clone();
            let inputs = client.inputs(gateway::InputsRequest {});
            let what = || "ask for the client's inputs".to_owned();
            let response = self.timeline.of(what, inputs).await?;
            Ok(response.into_inner().definitions)
        });
        inputs.await
    }

    /// The digest and configuration of the image that a source op names.
    ///
    /// # Errors
    /// When there is no such image, or the engine may not access it.
    pub(crate) async fn resolve_image(
        &self,
        source: pb::SourceOp,
        platform: Platform,
        resolve_mode: &str,
        log_name: String,
    ) -> Result<ImageMeta, GatewayError> {
        let platform = Some(pb::Platform {
            os: platform.os().to_owned(),
            architecture: platform.architecture().to_owned(),
            ..Default::default()
        });
        let mut client = self.client.clone();
        let what = format!("look up {}", visible_line(&source.identifier));
        if self.abilities.gateway_has("source.metaresolver") {
            let request = gateway::ResolveSourceMetaRequest {
                source: Some(source),
                platform,
                log_name,
                resolve_mode: resolve_mode.to_owned(),
                ..Default::default()
            };
            let answer = client.resolve_source_meta(request);
            let image = self.timeline.of(|| what, answer).await?.into_inner().image;
            let image = image.unwrap_or_default();
            return Ok(ImageMeta::new(image.digest, image.config));
        }
        let Some(reference) = source.identifier.strip_prefix("docker-image://") else {
            return Err(GatewayError::session(format!(
                "this engine cannot resolve {}: that needs BuildKit 0.13 (Docker 26)",
                source.identifier
            )));
        };
        let request = gateway::ResolveImageConfigRequest {
            r#ref: reference.to_owned(),
            platform,
            resolve_mode: resolve_mode.to_owned(),
            log_name,
            ..Default::default()
        };
        let answer = client.resolve_image_config(request);
        let image = self.timeline.of(|| what, answer).await?.into_inner();
        Ok(ImageMeta::new(image.digest, image.config))
    }

    /// Shows a warning under the vertex with this digest. Engines before BuildKit 0.10 show none.
    ///
    /// # Errors
    /// Whatever BuildKit reports.
    pub(crate) async fn warn(&self, digest: &str, warning: &Warning) -> Result<(), GatewayError> {
        if !self.abilities.gateway_has("gateway.warnings") {
            return Ok(());
        }
        let diagnostic = &warning.diagnostic;
        let place = diagnostic.locations.first();
        let (info, range) = place.map(source_info).unzip();
        let short = match place {
            Some(place) => format!(
                "{}: {} ({}:{})",
                warning.rule.name(),
                diagnostic.message,
                place.file.name(),
                place.lines.first
            ),
            None => format!("{}: {}", warning.rule.name(), diagnostic.message),
        };
        let mut detail = vec![warning.rule.description().as_bytes().to_vec()];
        let help = diagnostic.help.as_deref().map(visible);
        detail.extend(help.map(|help| help.into_owned().into_bytes()));
        let request = gateway::WarnRequest {
            digest: digest.to_owned(),
            level: 1,
            short: visible_line(&short).into_owned().into_bytes(),
            detail,
            info,
            ranges: range.into_iter().collect(),
            ..Default::default()
        };
        let mut client = self.client.clone();
        let what = || "show a warning".to_owned();
        self.timeline.of(what, client.warn(request)).await?;
        Ok(())
    }

    /// Shows the calls so far as a warning under the vertex with this digest.
    ///
    /// # Errors
    /// Whatever BuildKit reports.
    pub(crate) async fn show_timeline(&self, digest: &str) -> Result<(), GatewayError> {
        let (total, calls) = self.timeline.report();
        let short = format!("the frontend ran for {:.3} s", total.as_secs_f64());
        let request = gateway::WarnRequest {
            digest: digest.to_owned(),
            level: 1,
            short: short.into_bytes(),
            detail: calls.lines().map(|line| line.as_bytes().to_vec()).collect(),
            ..Default::default()
        };
        self.client.clone().warn(request).await?;
        Ok(())
    }

    /// Ends the session with a result or an error.
    ///
    /// # Errors
    /// When BuildKit has closed the connection.
    pub(crate) async fn finish(
        &self,
        outcome: Result<gateway::Result, rpc::Status>,
    ) -> Result<(), GatewayError> {
        let (result, error) = match outcome {
            Ok(result) => (Some(result), None),
            Err(status) => (None, Some(status)),
        };
        let request = gateway::ReturnRequest { result, error };
        check_size(request.encoded_len())?;
        self.client.clone().r#return(request).await?;
        Ok(())
    }
}

impl ImageMeta {
    fn new(digest: String, config: Vec<u8>) -> Self {
        Self {
            digest: Some(digest).filter(|digest| !digest.is_empty()),
            config,
        }
    }
}

/// Larger messages would end the connection with an error that explains nothing.
pub(super) fn check_size(bytes: usize) -> Result<(), GatewayError> {
    if bytes <= MAX_MESSAGE_BYTES {
        return Ok(());
    }
    Err(GatewayError::session(format!(
        "the build graph is {:.1} MiB, but BuildKit accepts {} MiB: the environment has too many packages for one image",
        bytes as f64 / f64::from(1 << 20),
        MAX_MESSAGE_BYTES >> 20
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_graph_is_only_as_large_as_a_message() {
        assert!(check_size(16 << 20).is_ok());
        assert!(check_size((16 << 20) + 1).is_err());
        let error = check_size(20 << 20).unwrap_err().to_string();
        assert!(
            error.contains("the build graph is 20.0 MiB, but BuildKit accepts 16 MiB"),
            "{error}"
        );
    }
}
