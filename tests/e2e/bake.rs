//! The examples in `docs/bake.md`, and caches.

use condafront_testkit::channel;
use condafront_testkit::engine::{self, Output, Store};
use serde_json::{Map, json};

use crate::image::Image;
use crate::project::{Project, base, frontend};

const DOC: &str = include_str!("../../docs/bake.md");
const RECIPES: &str = include_str!("../../docs/recipes.md");

/// The code block in this language below a heading.
fn block(heading: &str, language: &str) -> &'static str {
    block_of(DOC, &format!("## {heading}"), language)
}

fn block_of(doc: &'static str, heading: &str, language: &str) -> &'static str {
    let (_, section) = doc
        .split_once(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("there is no section {heading}"));
    let section = section.split("\n## ").next().unwrap_or_default();
    let (_, rest) = section
        .split_once(&format!("```{language}\n"))
        .unwrap_or_else(|| panic!("the section {heading} has no {language} block"));
    rest.split("```").next().unwrap_or_default()
}

/// `docker buildx bake` in the project's folder. conda-forge and Docker Hub cannot be reached here: others stand in for
/// them.
fn bake(project: &Project, args: &[&str]) -> Output {
    let forge = "https://conda.anaconda.org/conda-forge";
    let bioconda = "https://conda.anaconda.org/bioconda";
    let mirrors = format!(
        "*.args.CONDA_MIRRORS={forge}={} {bioconda}={}",
        project.server.url("/conda-forge"),
        project.server.url("/bioconda")
    );
    let here = [
        format!("*.contexts.org/condafront=docker-image://{}", frontend()),
        format!("*.contexts.debian:13-slim=docker-image://{}", base()),
        "*.args.CONDAFRONT_INSTALLER=native".to_owned(),
        mirrors,
    ];
    let mut all = vec!["buildx", "bake", "--progress", "plain"];
    for set in &here {
        all.extend(["--set", set]);
    }
    project.docker(&[&all[..], args].concat())
}

/// Builds the bake file's target `app` under its own name.
fn bake_app<'a>(project: &'a Project, name: &str) -> Image<'a> {
    let app = Image::named(project, format!("{}-{name}", project.name()));
    bake(project, &["--set", &format!("app.tags={}", app.tag())]).expect_success();
    app
}

#[test]
fn applications_are_built_on_environments() {
    let project = Project::new(Store::Containerd);
    let environment = "An application on an environment";
    project.write("env.yml", block(environment, "yaml"));
    project.write("Dockerfile", block(environment, "dockerfile"));
    for (heading, user) in [
        (environment, "mambauser"),
        ("The environment alone", "root"),
    ] {
        project.write("docker-bake.hcl", block(heading, "hcl"));
        let program =
            "import jinja2, sys; print(jinja2.Template('{{ a }}').render(a=42), sys.prefix)\n";
        project.write("app.py", program);
        let app = bake_app(&project, &format!("{user}-first"));
        let output = app.run(&[], &[]).expect_success();
        assert_eq!(output.stdout, "42 /opt/conda\n");
        let output = app.run(&[], &["id", "-un"]).expect_success();
        assert_eq!(output.stdout.trim(), user);

        project.server.clear();
        project.write("app.py", "print('changed')\n");
        let app = bake_app(&project, &format!("{user}-changed"));
        let output = app.run(&[], &[]).expect_success();
        assert_eq!(output.stdout, "changed\n");
        assert_eq!(packages(&project), [""; 0]);
    }
}

/// The archives requested from the server since the last call.
fn packages(project: &Project) -> Vec<String> {
    let is_package = |path: &String| path.ends_with(".conda") || path.ends_with(".tar.bz2");
    let requested = project.packages_requested();
    requested.into_iter().filter(is_package).collect()
}

/// Serves a channel with two versions of a tool that prints its version.
fn serve_bioconda(project: &Project) {
    let mut records = Map::new();
    for version in ["1.4", "1.5"] {
        let program = format!("#!/bin/sh\necho seqtk {version}\n");
        let (package, archive) =
            channel::package("seqtk", version, &[("bin/seqtk", &program, 0o755)]);
        project
            .server
            .put(&format!("/bioconda/{}", package.path()), archive);
        let mut record = json!(package);
        let fields = record.as_object_mut().expect("a record");
        let name = fields.remove("file_name").expect("a file's name");
        records.insert(name.as_str().unwrap_or_default().to_owned(), record);
    }
    let list = json!({"info": {"subdir": "noarch"}, "packages": {}, "packages.conda": records});
    project
        .server
        .put("/bioconda/noarch/repodata.json", list.to_string());
}

#[test]
fn variants_are_built_together() {
    let project = Project::new(Store::Containerd);
    serve_bioconda(&project);
    project.write("empty.lock", "# syntax=org/condafront\n");
    let repository = format!("{}/{}", engine::registry(), project.name());
    let hcl = block("A matrix of variants", "hcl");
    project.write(
        "docker-bake.hcl",
        hcl.replace("registry.example", &repository),
    );
    bake(&project, &["--push"]).expect_success();
    for version in ["1.4", "1.5"] {
        let image = Image::named(&project, format!("{repository}/seqtk:{version}"));
        let output = image.run(&[], &["seqtk"]).expect_success();
        assert_eq!(output.stdout, format!("seqtk {version}\n"));
    }
}

#[test]
fn one_file_serves_cpu_and_gpu() {
    let project = Project::new(Store::Containerd);
    let heading = "### CPU and GPU";
    project.write("env.yml", block_of(RECIPES, heading, "yaml"));
    let repository = format!("{}/{}", engine::registry(), project.name());
    let hcl = block_of(RECIPES, heading, "hcl");
    project.write(
        "docker-bake.hcl",
        hcl.replace("registry.example", &repository),
    );
    bake(&project, &["--load"]).expect_success();
    for (kind, cuda) in [("cpu", "None"), ("gpu", "12.8")] {
        let image = Image::named(&project, format!("{repository}/model:{kind}"));
        let which = "import torch; print(torch.version.cuda)";
        let output = image.run(&[], &["python", "-c", which]).expect_success();
        assert_eq!(output.stdout, format!("{cuda}\n"));
    }
}

/// An env.yml with a few packages, some with scripts that must run in a step.
const ENV: &str = "# syntax=org/condafront\nchannels: [conda-forge]\ndependencies: [bumpme, activate-demo, post-link-demo]\n";

/// On an engine that nothing else uses, whose cache is emptied.
pub(crate) fn with_a_cache_another_builder_downloads_no_packages(fresh: &Project) {
    let first = Project::new(Store::Containerd);
    first.write("env.yml", ENV);
    let hcl = block("Caches", "hcl");
    let output = |project: &Project, name: &str| {
        let reference = format!("{}/{}:{name}", engine::registry(), project.name());
        format!("*.output=type=image,name={reference},push=true,store=false")
    };
    let registry = format!(
        "type=registry,ref={}/bake-cache-{}",
        engine::registry(),
        first.tag()
    );
    first.write(
        "docker-bake.hcl",
        hcl.replace("type=registry,ref=registry.example/env-cache", &registry),
    );
    bake(&first, &["--set", &output(&first, "registry")]).expect_success();
    let local = first.path("cache").display().to_string();
    let to_local = format!("*.cache-to=type=local,dest={local},mode=max");
    bake(
        &first,
        &["--set", &output(&first, "local"), "--set", &to_local],
    )
    .expect_success();
    let inline = format!("{}/{}:inline", engine::registry(), first.name());
    let to_inline = ["--set", "*.cache-to=type=inline"];
    bake(
        &first,
        &[&["--set", &output(&first, "inline")][..], &to_inline].concat(),
    )
    .expect_success();

    let all = [
        (registry, false),
        (format!("type=local,src={local}"), false),
        (format!("type=registry,ref={inline}"), true),
    ];
    fresh.packages_requested();
    fresh.write("env.yml", ENV);
    fresh.write("docker-bake.hcl", hcl);
    for (from, asks) in all {
        let prune = ["builder", "prune", "--all", "--force"];
        fresh.docker(&prune).expect_success();
        let from = format!("*.cache-from={from}");
        let args = [
            "--set",
            &from,
            "--set",
            "*.cache-to=",
            "--set",
            &output(fresh, "again"),
        ];
        bake(fresh, &args).expect_success();
        assert_eq!(!packages(fresh).is_empty(), asks, "{from}");
    }
}
