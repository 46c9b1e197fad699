//! What a graph needs from the engine, checked before the engine refuses it.

use buildkit_llb::{Definition, caps};

use super::client::Abilities;
use condafront_model::source::Diagnostic;

/// Checks that the engine can build a graph.
///
/// # Errors
/// The first capability that is missing, and which versions have it.
pub(crate) fn check(definition: &Definition, abilities: &Abilities) -> Result<(), Diagnostic> {
    match definition.caps().into_iter().find(|id| !abilities.has(id)) {
        Some(id) => Err(missing(id, abilities)),
        None => Ok(()),
    }
}

/// Says what is missing and which versions have it.
pub(crate) fn missing(id: &str, abilities: &Abilities) -> Diagnostic {
    let engine = match &abilities.version {
        Some(version) if !version.version.is_empty() => {
            format!("this engine (BuildKit {})", version.version)
        }
        _ => "this engine".to_owned(),
    };
    let reason = abilities
        .reason(id)
        .map(|reason| format!(": {reason}"))
        .unwrap_or_default();
    let diagnostic = Diagnostic::new(format!(
        "the build needs `{id}`, which {engine} does not support{reason}"
    ));
    let Some(cap) = caps::find(id) else {
        return diagnostic;
    };
    let docker = cap
        .engine()
        .map(|version| format!(", or Docker Engine {version} or later"))
        .unwrap_or_default();
    let store = if id == caps::MERGE_OP.id || id == caps::DIFF_OP.id {
        " with the containerd image store"
    } else {
        ""
    };
    diagnostic.help(format!(
        "Use BuildKit {} or later{docker}{store}.",
        cap.since
    ))
}

#[cfg(test)]
mod tests {
    use buildkit_proto::caps::ApiCap;
    use buildkit_proto::gateway::PongResponse;

    use super::*;

    #[test]
    fn the_version_that_has_it_is_named() {
        let mut pong = PongResponse::default();
        pong.llb_caps.push(ApiCap {
            id: "mergeop".into(),
            enabled: false,
            disabled_reason_msg: "only enabled with containerd image store backend".into(),
            ..Default::default()
        });
        let abilities = Abilities::from(pong);
        let mut all = String::new();
        for id in [
            "mergeop",
            "source.http.checksum",
            "exec.mount.cache.content",
            "never.heard.of",
        ] {
            all.push_str(&format!("{}\n\n", missing(id, &abilities)));
        }
        insta::assert_snapshot!(all);
    }
}
