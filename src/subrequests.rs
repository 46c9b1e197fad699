//! Answers questions about a file instead of building it: `docker build --call=check`, `outline`, `targets`
//! (`frontend/subrequests` in BuildKit).

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use buildkit_proto::{Any, gateway, rpc};
use serde_json::{Value, json};

use crate::context::build_file::BuildFile;
use crate::context::sources::Sources;
use crate::findings;
use crate::gateway::client::Bridge;
use crate::gateway::error::{BuildError, GatewayError};
use crate::options::build_args::BUILD_ARGS;
use crate::options::inputs::MICROMAMBA;
use crate::options::settings::Settings;
use crate::options::target::Target;
use crate::stages as build;
use crate::stages::input::ImageInput;
use condafront_input::options::Options;
use condafront_input::section::{self, Outline};
use condafront_model::lint::{self, Warning};
use condafront_model::platform::Platform;
use condafront_model::redact;
use condafront_model::source::{Diagnostic, Level, Location};
use condafront_model::visible::visible;

const DESCRIBE: &str = "frontend.subrequests.describe";
const LINT: &str = "frontend.lint";
const OUTLINE: &str = "frontend.outline";
const TARGETS: &str = "frontend.targets";

/// The requests, with their descriptions for `docker build --call=subrequests.describe`.
const REQUESTS: [(&str, &str); 4] = [
    (DESCRIBE, "List available subrequest types"),
    (LINT, "Check the environment or lock file"),
    (
        OUTLINE,
        "List the build-args and secrets that the build accepts",
    ),
    (TARGETS, "List the targets that can be built"),
];

/// Answers one question.
///
/// # Errors
/// When the request is unknown, or the build file cannot be read.
pub(crate) async fn answer(
    bridge: &mut Bridge,
    options: &Options,
    request: &str,
) -> Result<gateway::Result, BuildError> {
    let (mut value, text, status) = match request {
        DESCRIBE => describe(),
        TARGETS => targets(),
        OUTLINE => {
            let target = Target::parse(options.get("target"))?;
            let sources = Sources::find(bridge, options).await?;
            // What condafront itself accepts is known without the file.
            let file = sources.build_file().await.ok();
            let own = file.map(|found| section::outline(&found.file.file));
            outline(options, target, &own.unwrap_or_default())
        }
        LINT => {
            let settings = build::logins::settings(bridge, options).await?;
            let platforms = build::platforms(bridge, options)?;
            let [platform, ..] = platforms[..] else {
                return Err(Diagnostic::new("there is no platform to build for").into());
            };
            let sources = Sources::find(bridge, options).await?;
            let (file, source) =
                build::file::build_file(&sources, options, &settings, platform).await?;
            let settings =
                build::logins::for_build_file(bridge, options, settings, &file.file).await?;
            let input = match source {
                Ok(source) => {
                    let read = build::read(
                        bridge, options, &sources, &settings, platform, &file, &source,
                    );
                    read.await
                }
                Err(diagnostic) => Err(diagnostic.into()),
            };
            let outcome = match input {
                Ok(input) => {
                    tell_what_is_unknown(bridge, &input).await?;
                    check(options, &settings, build::native(bridge), &input)
                }
                Err(BuildError::Diagnostic(diagnostic)) => Err(*diagnostic),
                Err(error) => return Err(error),
            };
            match outcome {
                // `docker build --call=check` prints a stack trace if an error has no location.
                Err(diagnostic) if diagnostic.locations.is_empty() => return Err(diagnostic.into()),
                outcome => lint(&file, outcome),
            }
        }
        other => return Err(GatewayError::from_status(unsupported(other)).into()),
    };
    make_visible(&mut value);
    let mut metadata = BTreeMap::from([
        ("result.json".to_owned(), value.to_string().into_bytes()),
        (
            "result.txt".to_owned(),
            visible(&text).into_owned().into_bytes(),
        ),
        ("version".to_owned(), b"1.0.0".to_vec()),
    ]);
    if let Some(status) = status {
        metadata.insert("result.statuscode".to_owned(), status.as_bytes().to_vec());
    }
    Ok(gateway::Result {
        result: Some(gateway::result::Result::Ref(gateway::Ref::default())),
        metadata,
        ..Default::default()
    })
}

/// Clients print what they find in an answer as it is.
fn make_visible(value: &mut Value) {
    match value {
        Value::String(text) => *text = visible(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(make_visible),
        Value::Object(fields) => fields.values_mut().for_each(make_visible),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

type Answer = (Value, String, Option<&'static str>);

fn describe() -> Answer {
    let list: Vec<Value> = REQUESTS
        .iter()
        .map(|(name, description)| {
            json!({
                "name": name,
                "version": "1.0.0",
                "type": "rpc",
                "description": description,
                "metadata": [{"name": "result.json"}, {"name": "result.txt"}],
            })
        })
        .collect();
    let text = REQUESTS
        .iter()
        .map(|(name, description)| format!("{name}\t{description}\n"))
        .collect();
    (list.into(), text, None)
}

fn targets() -> Answer {
    let list: Vec<Value> = Target::ALL
        .into_iter()
        .map(|target| {
            json!({
                "name": target.name(),
                "default": target == Target::default(),
                "description": target.description(),
            })
        })
        .collect();
    let line = |target: Target| {
        let default = if target == Target::default() {
            " (default)"
        } else {
            ""
        };
        format!("{}{default}\t{}\n", target.name(), target.description())
    };
    let text = Target::ALL.map(line).concat();
    (json!({"targets": list, "sources": []}), text, None)
}

fn outline(options: &Options, target: Target, own: &Outline) -> Answer {
    let given: BTreeMap<&str, &str> = options.build_args().collect();
    let is_known = |name: &str| BUILD_ARGS.iter().any(|arg| arg.name == name);
    let own_args = own.args.iter().filter(|arg| !is_known(&arg.name));
    let described = own_args.map(described).chain(
        BUILD_ARGS
            .iter()
            .map(|arg| (arg.name, arg.description.to_owned(), None)),
    );
    let mut text = String::new();
    let mut args: Vec<Value> = Vec::new();
    for (name, description, default) in described {
        text.push_str(&format!("{name}\t{description}\n"));
        let mut arg = json!({"name": name, "description": description});
        // A mirror may have credentials in places that are not known to have any.
        let shown = given.get(name).filter(|_| name != "CONDA_MIRRORS");
        if let Some(value) = shown.copied().or(default) {
            arg["value"] = redact::masked(value).into();
        }
        args.push(arg);
    }
    let secret = |secret: &section::Secret| json!({"name": secret.id, "required": secret.required});
    let outline = json!({
        "name": target.name(),
        "description": target.description(),
        "args": args,
        "secrets": own.secrets.iter().map(secret).collect::<Vec<_>>(),
        "sources": [],
    });
    (outline, text, None)
}

/// The name, description and default of a build-arg of the file's own.
fn described(arg: &section::Argument) -> (&str, String, Option<&str>) {
    let required = if arg.required && arg.default.is_none() {
        "required by the file"
    } else {
        "used by the file"
    };
    let description = match &arg.message {
        Some(message) => format!("{required}: {message}"),
        None => required.to_owned(),
    };
    (&arg.name, description, arg.default.as_deref())
}

/// Shows what the check leaves to a build. The answer has no place for that: a warning would make the check fail, and clients
/// show no other text of it.
async fn tell_what_is_unknown(bridge: &Bridge, input: &ImageInput) -> Result<(), GatewayError> {
    let environments = input.environments.iter().map(|one| &one.input);
    match findings::left_to_a_build(environments, &input.section) {
        Some(unknown) => bridge.tell(&format!("[check] {unknown}")).await,
        None => Ok(()),
    }
}

/// The warnings about the files; `platform` is the builder's.
fn check(
    options: &Options,
    settings: &Settings,
    platform: Platform,
    input: &ImageInput,
) -> Result<Vec<Warning>, Diagnostic> {
    let is_given = options.named_context(MICROMAMBA, platform).is_some();
    let mut warnings = input.warnings.clone();
    if !is_given {
        warnings.extend(findings::installer(settings, &input.section, platform)?);
    }
    Ok(settings.check.counted(&warnings))
}

fn lint(file: &BuildFile, outcome: Result<Vec<Warning>, Diagnostic>) -> Answer {
    let outcome = outcome.map(|warnings| lint::shown(&warnings));
    let places: Vec<Location> = match &outcome {
        Ok(warnings) => warnings
            .iter()
            .flat_map(|warning| warning.diagnostic.locations.clone())
            .collect(),
        Err(diagnostic) => diagnostic.locations.clone(),
    };
    // Besides the build file, findings can point at build-args.
    let mut files = vec![Arc::clone(&file.file)];
    for place in &places {
        if !files.contains(&place.file) {
            files.push(Arc::clone(&place.file));
        }
    }
    let sources: Vec<Value> = files
        .iter()
        .map(|file| {
            let places = places.iter().filter(|place| place.file == *file);
            json!({
                "filename": file.name(),
                "language": file.language(),
                "data": STANDARD.encode(file.excerpt_of(places.map(|place| place.lines))),
            })
        })
        .collect();
    let place = |locations: &[Location]| {
        let first = locations.first().map(|location| &location.file);
        let index = first.and_then(|first| files.iter().position(|file| file == first));
        let ranges: Vec<Value> = locations
            .iter()
            .filter(|location| Some(&location.file) == first)
            .map(|location| {
                let at = |line: u32| json!({"line": line, "character": 0});
                json!({"start": at(location.lines.first), "end": at(location.lines.last)})
            })
            .collect();
        match index {
            Some(index) => json!({"sourceIndex": index, "ranges": ranges}),
            None => json!({"sourceIndex": -1, "ranges": ranges}),
        }
    };
    let mut value = json!({"sources": sources});
    let mut text = String::new();
    match outcome {
        Ok(warnings) => {
            let list: Vec<Value> = warnings
                .iter()
                .map(|warning| {
                    text.push_str(&warning.diagnostic.render(Level::Warning));
                    text.push('\n');
                    json!({
                        "ruleName": warning.rule.name(),
                        "description": warning.rule.description(),
                        "detail": warning.diagnostic.message,
                        "location": place(&warning.diagnostic.locations),
                    })
                })
                .collect();
            let status = if list.is_empty() { "0" } else { "1" };
            value["warnings"] = list.into();
            (value, text, Some(status))
        }
        Err(diagnostic) => {
            value["warnings"] = json!([]);
            value["buildError"] = json!({"message": diagnostic.to_string(), "location": place(&diagnostic.locations)});
            (value, diagnostic.render(Level::Error), Some("1"))
        }
    }
}

/// The error that tells clients that a request is not supported.
fn unsupported(request: &str) -> rpc::Status {
    rpc::Status {
        code: tonic::Code::Unimplemented as i32,
        message: format!("condafront does not support {request}"),
        details: vec![Any {
            type_url: "github.com/moby/buildkit/errdefs.Subrequest+json".to_owned(),
            value: json!({"name": request}).to_string().into_bytes(),
        }],
    }
}

#[cfg(test)]
mod tests {
    use buildkit_llb::Digest;

    use super::*;
    use condafront_input as input;
    use condafront_input::Logins;
    use condafront_model::lint::Rule;
    use condafront_model::source::SourceFile;

    #[test]
    fn answers_have_no_control_characters() {
        let mut value = json!({"warnings": [{"detail": "a\u{1b}[2J\nb", "line": 1}]});
        make_visible(&mut value);
        assert_eq!(
            value,
            json!({"warnings": [{"detail": "a\\u{1b}[2J\nb", "line": 1}]})
        );
    }

    #[test]
    fn findings_are_shown_in_the_file_that_they_are_about() {
        let text = "channels: [conda-forge]\ndependencies:\n  - numpy\n  - numpy\n";
        let build_file = BuildFile {
            file: SourceFile::new("env.yml", text),
            vertex: Digest::of(b""),
        };
        let channels = "conda-forge,https://me:hunter2@c.example";
        let args = [("CONDA_CHANNELS", channels)];
        let settings = Settings::with_logins(args.into_iter(), Logins::Unknown).unwrap();
        let input = input::read(&build_file.file, Platform::LinuxAmd64, &settings.input).unwrap();
        let mut warnings = input.warnings;
        warnings.push(Warning {
            rule: Rule::Ignored,
            diagnostic: Diagnostic::new("something without a location"),
        });
        let (value, text, _) = lint(&build_file, Ok(warnings));
        let places: Vec<(&Value, &Value, &Value)> = value["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|warning| {
                let location = &warning["location"];
                let line = &location["ranges"][0]["start"]["line"];
                (&warning["ruleName"], &location["sourceIndex"], line)
            })
            .collect();
        assert_eq!(
            json!(places),
            json!([
                ["CredentialsInUrl", 1, 2],
                ["DuplicatePackage", 0, 4],
                ["Ignored", -1, null],
            ])
        );
        assert_eq!(value["sources"][1]["filename"], "build-args");
        let data = STANDARD.decode(value["sources"][1]["data"].as_str().unwrap());
        let data = String::from_utf8(data.unwrap()).unwrap();
        assert!(!data.contains("hunter2") && !text.contains("hunter2"));
    }
}
