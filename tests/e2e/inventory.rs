//! The inventory of an image: a file in it, and the attestation that `--sbom=true` asks for.

use condafront_testkit::channel::{self, Channel, HashStyle};
use condafront_testkit::engine::{self, Store};
use condafront_testkit::spdx;
use serde_json::Value;

use crate::project::{LOCK, NATIVE, Project, base, frontend};

const PLACE: &str = "/opt/conda/share/sbom/condafront.spdx.json";

/// The package URLs of a document.
fn package_urls(document: &Value) -> Vec<&str> {
    let packages = document["packages"].as_array().expect("packages");
    let urls = packages
        .iter()
        .filter_map(|package| package["externalRefs"][0]["referenceLocator"].as_str());
    urls.collect()
}

#[test]
fn an_image_and_its_attestation_say_what_it_contains() {
    let project = Project::new(Store::Containerd);
    let locked = Channel::open().closure(&["bumpme", "jinja2"]);
    let lock = channel::lock(&locked, "https://conda.example/demo", HashStyle::Sha256);
    project.write(LOCK, format!("# syntax={}\n{lock}", frontend()));
    let mirror = format!(
        "CONDA_MIRRORS=https://conda.example/demo={}",
        project.channel()
    );
    let mirror = ["--build-arg", &mirror];
    project.build(&mirror).expect_success();
    let inside = project.run(&[], &["cat", PLACE]).expect_success().stdout;
    project.write("inventory.spdx.json", &inside);
    // The others are the image and its base.
    let packages = locked.len() + 2;
    let said = spdx::validate(&project.path("inventory.spdx.json"));
    let distributions = inside.matches("pkg:pypi/").count();
    assert_eq!(said, format!("{} packages\n", packages + distributions));

    let document: Value = serde_json::from_str(&inside).expect("JSON");
    let urls = package_urls(&document);
    let has = |start: &str| urls.iter().any(|url| url.starts_with(start));
    for start in [
        "pkg:oci/debian@sha256:",
        "pkg:conda/bumpme@2.0?build=0&channel=https:%2F%2Fconda.example%2Fdemo&",
        "pkg:conda/jinja2@3.",
        "pkg:pypi/jinja2@3.",
        "pkg:pypi/markupsafe@",
    ] {
        assert!(has(start), "{start}: {urls:#?}");
    }
    let depends = document["relationships"].as_array().expect("relations");
    assert!(
        depends
            .iter()
            .any(|it| it["relationshipType"] == "DEPENDS_ON")
    );

    // No scanner is fetched. The attestation also says which layer holds what.
    let reference = format!("{}/{}:attested", engine::registry(), project.name());
    let output = format!("type=image,name={reference},push=true,store=false");
    let base = format!("BASE_IMAGE={}", base());
    let usual = [
        "buildx",
        "build",
        "--progress",
        "plain",
        "-f",
        LOCK,
        "--sbom=true",
    ];
    let to = ["--build-arg", &base, "--output", &output];
    let pushed = project.docker(&[&usual[..], &to, &mirror, &NATIVE, &["."]].concat());
    let progress = pushed.expect_success().stderr;
    assert!(!progress.contains("scanner"), "{progress}");
    let inspect = [
        "buildx",
        "imagetools",
        "inspect",
        "--format",
        "{{json .SBOM.SPDX}}",
    ];
    let attested = project.docker(&[&inspect[..], &[&reference]].concat());
    let attested = attested.expect_success().stdout;
    project.write("attested.spdx.json", &attested);
    assert_eq!(spdx::validate(&project.path("attested.spdx.json")), said);
    let attested: Value = serde_json::from_str(&attested).expect("JSON");
    assert_eq!(attested["relationships"], document["relationships"]);
    let packages = attested["packages"].as_array().expect("packages");
    let bumpme = packages.iter().find(|package| package["name"] == "bumpme");
    let layer = bumpme.expect("bumpme")["comment"]
        .as_str()
        .expect("a layer");
    assert!(
        layer.starts_with("In the layer \"[install ") && layer.contains("bumpme"),
        "{layer}"
    );
}
