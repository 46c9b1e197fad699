//! Makes BuildKit build graphs, and recovers from results that it has lost.
//!
//! BuildKit may find a step in its cache although the step's file system is gone: a build that was interrupted or failed
//! elsewhere broke it while it was committed (`cacheRecord.finalize` in `cache/refs.go`; moby/buildkit#6821 fixes other
//! ways to get there), or something else removed it. From then on, every build that needs the result fails. So it is made
//! again, at the cost that [`Effort`] describes.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use buildkit_llb::Definition;
use buildkit_proto::gateway::llb_bridge_client::LlbBridgeClient;
use buildkit_proto::gateway::{self, result};
use buildkit_proto::pb;
use prost::Message as _;
use tonic::transport::Channel;

use super::client::{Bridge, check_size};
use super::effort::Effort;
use super::error::{CUSTOM_NAME, GatewayError};
use super::notice::notice;
use condafront_model::visible::visible_line;

/// A result that BuildKit holds for this session: a file system.
#[derive(Clone, Debug)]
pub(crate) struct Reference(Arc<Solved>);

#[derive(Debug)]
struct Solved {
    definition: Definition,
    held: Mutex<Held>,
}

/// What BuildKit holds. A result that turns out to be lost is replaced.
#[derive(Clone, Debug)]
struct Held {
    id: String,
    effort: Effort,
}

/// Whether [`Bridge::solve`] waits until everything is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evaluate {
    /// Build it now, so that errors show up.
    Now,
    /// Build only what is asked for, when it is asked for.
    Lazily,
}

impl Evaluate {
    fn verb(self) -> &'static str {
        match self {
            Self::Now => "build",
            Self::Lazily => "announce",
        }
    }
}

impl Bridge {
    /// Hands a graph to BuildKit.
    ///
    /// # Errors
    /// When the graph is too large for one message, and whatever BuildKit reports.
    pub(crate) async fn solve(
        &self,
        definition: Definition,
        evaluate: Evaluate,
    ) -> Result<Reference, GatewayError> {
        let held = self.make(&definition, self.effort(), evaluate).await?;
        Ok(Reference(Arc::new(Solved {
            definition,
            held: Mutex::new(held),
        })))
    }

    /// Reads something of a result.
    ///
    /// # Errors
    /// When `call` fails, or building the result failed.
    pub(super) async fn read<T>(
        &self,
        from: &Reference,
        what: impl Fn() -> String,
        call: impl AsyncFn(
            LlbBridgeClient<Channel>,
            String,
        ) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Result<T, GatewayError> {
        loop {
            let Held { id, effort } = from.held();
            let answer = self.timeline.of(&what, call(self.client.clone(), id));
            let error = match answer.await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => GatewayError::from(status),
            };
            let Some(more) = effort.more().filter(|_| error.is_lost_result()) else {
                return Err(error);
            };
            let more = self.try_harder(more).await;
            let held = self.make(&from.0.definition, more, Evaluate::Now).await?;
            *from.0.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
        }
    }

    /// Makes BuildKit build a graph, with at least this effort.
    async fn make(
        &self,
        definition: &Definition,
        mut effort: Effort,
        evaluate: Evaluate,
    ) -> Result<Held, GatewayError> {
        loop {
            let (graph, originals) = effort.apply(definition);
            let error = match self.request(graph, evaluate).await {
                Ok(id) => return Ok(Held { id, effort }),
                Err(error) => {
                    let own = effort.apply(definition).0;
                    error.about_own(&digests(own)).about_originals(&originals)
                }
            };
            if !error.is_lost_result() {
                return Err(error);
            }
            let Some(more) = effort.more() else {
                return Err(GatewayError::caused(
                    "the engine has lost an image or a result that it still lists: `docker builder prune --all` and, for images, `docker image rm` make it forget what it lost",
                    error,
                ));
            };
            effort = self.try_harder(more).await;
        }
    }

    async fn request(
        &self,
        mut definition: pb::Definition,
        evaluate: Evaluate,
    ) -> Result<String, GatewayError> {
        make_names_visible(&mut definition);
        let what = format!("{} {}", evaluate.verb(), last_name(&definition));
        let request = gateway::SolveRequest {
            definition: Some(definition),
            allow_result_return: true,
            allow_result_array_ref: true,
            cache_imports: self.cache_imports.clone(),
            evaluate: evaluate == Evaluate::Now,
            ..Default::default()
        };
        check_size(request.encoded_len())?;
        let mut client = self.client.clone();
        let answer = self.timeline.of(|| what, client.solve(request)).await;
        let response = answer?.into_inner();
        match response.result.and_then(|result| result.result) {
            Some(result::Result::Ref(reference)) => Ok(reference.id),
            _ => Ok(String::new()),
        }
    }

    /// Makes every effort from now on; `false` if the build already did. For failures that may come from a lost result,
    /// though BuildKit does not say so.
    pub(crate) async fn distrust_cache(&self) -> bool {
        let is_new = self.effort() != Effort::Everything;
        self.try_harder(Effort::Everything).await;
        is_new
    }

    fn effort(&self) -> Effort {
        *self.effort.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, makes at least this effort, and tells the user; returns the one to make.
    async fn try_harder(&self, effort: Effort) -> Effort {
        let (before, effort) = {
            let mut current = self.effort.lock().unwrap_or_else(PoisonError::into_inner);
            let before = *current;
            *current = before.max(effort);
            (before, *current)
        };
        if effort > before
            && let Some(text) = effort.notice()
        {
            // If that fails, the build does too, with a better error.
            let _shown = self.request(notice(text).into_pb(), Evaluate::Now).await;
        }
        effort
    }
}

/// The name of the operation whose result a graph is for.
fn last_name(definition: &pb::Definition) -> &str {
    let inputs = definition.def.last().and_then(|bytes| {
        let last = pb::Op::decode(bytes.as_slice()).ok()?;
        last.inputs.into_iter().next()
    });
    let metadata = inputs.and_then(|input| definition.metadata.get(&input.digest));
    let name = metadata.and_then(|metadata| metadata.description.get(CUSTOM_NAME));
    name.map_or("a graph", String::as_str)
}

/// The digests of a graph's operations, by their names as clients see them. A name that several have is left out.
fn digests(mut definition: pb::Definition) -> HashMap<String, String> {
    make_names_visible(&mut definition);
    let mut digests: HashMap<String, Option<String>> = HashMap::new();
    for (digest, mut metadata) in definition.metadata {
        if let Some(name) = metadata.description.remove(CUSTOM_NAME) {
            digests
                .entry(name)
                .and_modify(|digest| *digest = None)
                .or_insert(Some(digest));
        }
    }
    let digests = digests.into_iter();
    digests
        .filter_map(|(name, digest)| Some((name, digest?)))
        .collect()
}

/// Clients print the names of operations as they are, and those can contain what a package or a server says.
fn make_names_visible(definition: &mut pb::Definition) {
    let line = |text: &mut String| {
        if let Cow::Owned(shown) = visible_line(text) {
            *text = shown;
        }
    };
    for metadata in definition.metadata.values_mut() {
        metadata.description.values_mut().for_each(line);
        if let Some(group) = &mut metadata.progress_group {
            line(&mut group.name);
        }
    }
    for info in definition
        .source
        .iter_mut()
        .flat_map(|source| &mut source.infos)
    {
        line(&mut info.filename);
    }
}

impl Reference {
    fn held(&self) -> Held {
        let held = self.0.held.lock();
        held.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its name in requests.
    pub(super) fn id(&self) -> String {
        self.held().id
    }

    /// The reference as it appears in results.
    pub(crate) fn to_proto(&self) -> gateway::Ref {
        gateway::Ref {
            id: self.id(),
            def: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use buildkit_llb::{Copy, File, Image, Input, OpOptions as _, ProgressGroup};

    #[test]
    fn operations_are_found_by_their_names() {
        let image = |name: &str, title: &str| Image::new(name).name(title).build();
        let [once, a, b] = [("x", "once\u{1b}"), ("a", "twice"), ("b", "twice")]
            .map(|(name, title)| image(name, title));
        let mut file = File::on(Input::Scratch);
        for source in [&once, &a, &b] {
            file.then(Copy::new(source, "/", "/"));
        }
        let file = file.build();
        let definition = Definition::of(file.output().unwrap()).into_pb();
        let expected = [("once\\u{1b}".to_owned(), once.digest().to_string())];
        assert_eq!(digests(definition), expected.into());
    }

    #[test]
    fn names_of_operations_have_no_control_characters() {
        let group = ProgressGroup {
            id: "id".to_owned(),
            name: "down\u{1b}load".to_owned(),
            weak: false,
        };
        let image = Image::new("debian")
            .name("[conda] nu\u{1b}[2Jmpy\n[install] forged")
            .group(&group)
            .build();
        let mut definition = Definition::of(&image).into_pb();
        make_names_visible(&mut definition);
        let metadata = definition.metadata.values();
        let names: Vec<&String> = metadata.flat_map(|it| it.description.values()).collect();
        assert!(
            names
                .iter()
                .any(|name| *name == "[conda] nu\\u{1b}[2Jmpy [install] forged"),
            "{names:?}"
        );
        let mut groups = definition
            .metadata
            .values()
            .filter_map(|it| it.progress_group.as_ref());
        assert!(groups.all(|group| group.name == "down\\u{1b}load"));
    }
}
