use super::*;
use condafront_model::source::SourceFile;

#[test]
fn places_become_details_in_json() {
    let file = SourceFile::new("env.lock", "@EXPLICIT\nhttps://x/y\n");
    let diagnostic = Diagnostic::new("bad")
        .at(&file, Lines::one(2))
        .help("fix it");
    let status = BuildError::from(diagnostic).into_status();
    assert_eq!((status.code, status.message.as_str()), (2, "bad\nfix it"));
    let value: serde_json::Value = serde_json::from_slice(&status.details[0].value).unwrap();
    assert_eq!(value["ranges"][0]["start"]["line"], 2);
    assert_eq!(value["info"]["filename"], "env.lock");
    assert_eq!(
        value["info"]["data"],
        STANDARD.encode("@EXPLICIT\nhttps://x/y\n")
    );
}

#[test]
fn near_places_share_an_excerpt_and_the_first_is_shown_first() {
    let file = SourceFile::new("env.lock", "line\n".repeat(100));
    let mut diagnostic = Diagnostic::new("bad");
    for line in [3, 4, 90] {
        diagnostic = diagnostic.at(&file, Lines::one(line));
    }
    let details = BuildError::from(diagnostic).into_status().details;
    let ranges: Vec<serde_json::Value> = details
        .iter()
        .map(|detail| serde_json::from_slice::<serde_json::Value>(&detail.value).unwrap())
        .map(|value| {
            value["ranges"]
                .as_array()
                .unwrap()
                .iter()
                .map(|range| range["start"]["line"].clone())
                .collect()
        })
        .collect();
    // Clients show details from the last to the first.
    assert_eq!(ranges, [serde_json::json!([90]), serde_json::json!([3, 4])]);
}

#[test]
fn terminals_get_no_control_characters() {
    let file = SourceFile::new("a\u{1b}b.yml", "- \u{1b}[2J\u{202e}x\r\n");
    let diagnostic = Diagnostic::new("`\u{1b}[2J`\nis bad")
        .at(&file, Lines::one(1))
        .help("Remove \u{202e}.");
    let rendered = diagnostic.render(condafront_model::source::Level::Error);
    assert!(!rendered.contains(['\u{1b}', '\u{202e}']), "{rendered}");
    let status = BuildError::from(diagnostic.clone()).into_status();
    assert_eq!(status.message, "`\\u{1b}[2J`\nis bad\nRemove \\u{202e}.");
    let value: serde_json::Value = serde_json::from_slice(&status.details[0].value).unwrap();
    assert_eq!(value["info"]["filename"], "a\\u{1b}b.yml");
    let shown = STANDARD.encode("- \\u{1b}[2J\\u{202e}x\r\n");
    assert_eq!(value["info"]["data"], shown);
    let (info, _) = source_info(&diagnostic.locations[0]);
    assert_eq!(info.filename, "a\\u{1b}b.yml");

    let error = GatewayError::session("server says \u{1b}[31m");
    let status = BuildError::from(error).into_status();
    assert_eq!(status.message, "server says \\u{1b}[31m");
}

#[test]
fn no_line_is_blamed_where_none_is_known() {
    let status = BuildError::from(Diagnostic::new("bad")).into_status();
    let value: serde_json::Value = serde_json::from_slice(&status.details[0].value).unwrap();
    assert_eq!(status.details[0].type_url, SOURCE);
    assert_eq!(value["ranges"], serde_json::json!([]));
}

#[test]
fn vertices_are_found_in_details() {
    let inner = rpc::Status {
        details: vec![Any {
            type_url: VERTEX.to_owned(),
            value: br#"{"digest":"sha256:abc"}"#.to_vec(),
        }],
        ..Default::default()
    };
    let status =
        tonic::Status::with_details(tonic::Code::Unknown, "failed", inner.encode_to_vec().into());
    assert_eq!(GatewayError::from(status).vertices(), ["sha256:abc"]);
}

#[test]
fn what_a_failed_process_left_is_found() {
    let error = |value: &str| {
        GatewayError::from_status(rpc::Status {
            details: vec![Any {
                type_url: SOLVE.to_owned(),
                value: value.as_bytes().to_vec(),
            }],
            ..rpc::Status::default()
        })
    };
    let of_exec = r#"{"inputIDs":["a::1",""],"mountIDs":["a::1","","b::2"],"op":{"exec":{}}}"#;
    assert_eq!(error(of_exec).left_in_mounts(), ["a::1", "", "b::2"]);
    assert_eq!(error("{}").left_in_mounts(), [""; 0]);
    assert_eq!(error("none").left_in_mounts(), [""; 0]);
    assert_eq!(GatewayError::session("none").left_in_mounts(), [""; 0]);
}

#[test]
fn a_failure_that_builds_share_is_about_the_own_operation() {
    let error = |digest: &str| {
        let solve = r#"{"mountIDs":["a::1"],"description":{"llb.customname":"[pip] build"}}"#;
        let solve = Any {
            type_url: SOLVE.to_owned(),
            value: solve.as_bytes().to_vec(),
        };
        GatewayError::from_status(rpc::Status {
            details: vec![vertex(digest), solve],
            ..rpc::Status::default()
        })
    };
    let own = |name: &str| HashMap::from([(name.to_owned(), "sha256:own".to_owned())]);
    let vertices = |digest: &str, name: &str| error(digest).about_own(&own(name)).vertices();
    assert_eq!(
        vertices("sha256:other", "[pip] build"),
        ["sha256:other", "sha256:own"]
    );
    assert_eq!(vertices("sha256:other", "[install]"), ["sha256:other"]);
    assert_eq!(vertices("sha256:own", "[pip] build"), ["sha256:own"]);
}
