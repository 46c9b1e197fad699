//! Snapshots of whole graphs, in BuildKit's terms.

use std::collections::BTreeSet;

use buildkit_llb::{Definition, Image, Input, OpOptions, Output, SourceFile as LlbFile, text};

use super::Tools;
use super::compiler::Compiler;
use super::conda_image::{CondaImage, Layered};
use super::downloads::Addresses;
use super::environment::{Environment, Micromamba, user_file};
use super::image::{FINISHED, Stack, Stacking};
use super::records::InImage;
use crate::plan::micromamba::MicromambaVersion;
use crate::plan::mirrors::Mirrors;
use crate::plan::{Plan, micromamba};
use condafront_input as input;
use condafront_input::InputSettings;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::layers::Layers;
use condafront_model::platform::Platform;
use condafront_model::source::SourceFile;
use condafront_model::stamp::Owner;
use condafront_step_spec::account::{AccountSpec, LinkedDirectory};
use condafront_step_spec::activation::RuntimeFile;
use condafront_step_spec::facts::{Clash, EnvironmentFacts};

const LOCK: &str = "\
# syntax=org/condafront
@EXPLICIT
https://conda.example/forge/linux-64/libzlib-1.3.1-hb9d3cd8_2.conda#sha256:1111111111111111111111111111111111111111111111111111111111111111
https://conda.example/forge/linux-64/python-3.13.5-h1_0_cp313.conda#sha256:2222222222222222222222222222222222222222222222222222222222222222
https://conda.example/forge/noarch/six-1.17.0-py_0.tar.bz2#33333333333333333333333333333333
";

fn image(name: &str) -> Output {
    Image::new(name)
        .platform(super::oci_platform(Platform::LinuxAmd64))
        .name(format!("[base] {name}"))
        .build()
}

/// The whole graph of the lock above.
fn graph(stacking: Stacking, layers: Layers, installer: Option<Micromamba>) -> String {
    graph_of(LOCK, &[], stacking, layers, installer)
}

fn graph_of(
    lock: &str,
    links: &[LinkedDirectory],
    stacking: Stacking,
    layers: Layers,
    installer: Option<Micromamba>,
) -> String {
    let file = SourceFile::new("env.lock", lock);
    let list = input::read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap();
    let plan = Plan::new(list.locked().unwrap().to_vec(), layers);
    let frontend = super::programs(&image("docker.io/org/condafront:latest"));
    let base = image("docker.io/library/debian:13-slim");
    let environment = Environment {
        trim: &BTreeSet::new(),
        file: user_file(&file, &plan, &list.pip),
        plan,
        prefix: EnvironmentPrefix::base(),
        tools: Tools::new(&frontend),
        base: Some(&base),
        micromamba: installer.as_ref(),
        compiler: &Compiler::Own,
        user: Owner {
            uid: 57439,
            gid: 57439,
        }
        .into(),
    };
    let urls = environment.fetched().map(|package| &package.url);
    let addresses = Mirrors::default().addresses(urls);
    let graph = environment.install(&addresses).unwrap();
    let account = environment
        .tools
        .account(&AccountSpec::default(), Some(&base))
        .unwrap();
    let clash = Clash {
        path: "share/who".into(),
        winner: 0,
        from: None,
        is_empty: false,
    };
    let facts = EnvironmentFacts {
        clashes: vec![clash],
        ..EnvironmentFacts::default()
    };
    let layered = Layered {
        environment: &environment,
        graph: &graph,
        facts: &facts,
    };
    let base = Input::from(&base);
    let image = CondaImage::new(&base, links, &account, &[layered], &[], stacking).unwrap();
    let variables = [("JUPYTER_PORT".to_owned(), "8888".to_owned())].into();
    let runtime = environment.tools.runtime(
        Platform::LinuxAmd64,
        &[RuntimeFile {
            path: "/etc/profile.d/condafront.sh".into(),
            mode: 0o644,
            contents: b"# shell\n".to_vec(),
        }],
        &[InImage {
            prefix: &environment.prefix,
            variables: &variables,
        }],
        environment.user,
        &[graph.facts, account.facts],
    );
    let mut stack = Stack::default();
    stack.push(runtime.output().unwrap(), "runtime");
    let root = stack
        .through(links, &environment.tools)
        .on(&image.root, stacking, FINISHED);
    text::dump(Definition::of(root.output().unwrap()).to_pb())
}

#[test]
fn layers_go_where_the_links_of_the_base_lead() {
    let link = |path: &str, target: &str| LinkedDirectory {
        path: path.into(),
        target: target.into(),
    };
    let links = [
        link("/opt", "/var/opt"),
        link("/opt/conda", "/srv/conda"),
        link("/usr/local", "/var/usrlocal"),
    ];
    let found = graph_of(LOCK, &links, Stacking::Merge, Layers::AtMost(1), None);
    insta::assert_snapshot!(found);
}

#[test]
fn layers_are_merged() {
    insta::assert_snapshot!(graph(Stacking::Merge, Layers::Auto, None));
}

#[test]
fn without_merge_one_layer_is_copied() {
    insta::assert_snapshot!(graph(Stacking::Copy, Layers::AtMost(1), None));
}

#[test]
fn micromamba_is_fetched_like_a_package() {
    let package = micromamba::package(&MicromambaVersion::default(), Platform::LinuxAmd64).unwrap();
    let installer = Micromamba::Package(Box::new(package));
    insta::assert_snapshot!(graph(Stacking::Merge, Layers::AtMost(2), Some(installer)));
}

/// The graph of the layer with `six`, of the lock above for a platform.
fn compiled_with(compiler: &Compiler, platform: Platform) -> String {
    let text = LOCK.replace("/linux-64/", &format!("/{}/", platform.subdir()));
    let file = SourceFile::new("env.lock", text);
    let list = input::read(&file, platform, &InputSettings::default()).unwrap();
    let frontend = super::programs(&image("docker.io/org/condafront:latest"));
    let base = image("docker.io/library/debian:13-slim");
    let environment = Environment {
        trim: &BTreeSet::new(),
        plan: Plan::new(list.locked().unwrap().to_vec(), Layers::Auto),
        prefix: EnvironmentPrefix::base(),
        file: LlbFile::new(file.name(), file.lossy_text()),
        tools: Tools::new(&frontend),
        base: Some(&base),
        micromamba: None,
        compiler,
        user: Owner { uid: 1, gid: 2 }.into(),
    };
    let fetched = environment.fetched();
    let candidates = fetched.map(|package| vec![package.url.clone()]);
    let graph = environment.install(&Addresses::new(candidates)).unwrap();
    let groups = &environment.plan.groups;
    let six = groups.iter().position(|group| group.to_string() == "six");
    let step = &graph.installed[six.unwrap()];
    text::dump(Definition::of(step.whole()).to_pb())
}

#[test]
fn modules_for_another_platform_are_compiled_by_a_python_of_the_builders() {
    let file = SourceFile::new("env.lock", LOCK);
    let native = input::read(&file, Platform::LinuxAmd64, &InputSettings::default()).unwrap();
    let packages = native.locked().unwrap()[..2].to_vec();
    let base = image("docker.io/library/debian:13-slim");
    let other = compiled_with(&Compiler::Other { packages, base }, Platform::LinuxArm64);
    insta::assert_snapshot!(other);
    // It is the same step for both platforms.
    let own = compiled_with(&Compiler::Own, Platform::LinuxAmd64);
    let digests = |dump: &str| -> Vec<String> {
        let lines = dump.lines().filter(|line| line.contains("sha256:"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(digests(&other), digests(&own));

    let emulated = Compiler::Emulated(Platform::LinuxArm64);
    let emulated = compiled_with(&emulated, Platform::LinuxArm64);
    assert!(
        emulated.contains(r#"{\"version\":\"3.13\",\"subdir\":\"linux-aarch64\"}"#),
        "{emulated}"
    );
    let none = compiled_with(&Compiler::None, Platform::LinuxArm64);
    assert!(!none.contains("python-runtime"), "{none}");
}

#[test]
fn an_install_step_does_not_depend_on_the_base_or_other_packages() {
    let file = SourceFile::new("env.lock", LOCK);
    let digests = |lock: &str, base: Option<&Output>| -> Vec<(String, String)> {
        let lock = SourceFile::new("env.lock", lock);
        let list = input::read(&lock, Platform::LinuxAmd64, &InputSettings::default()).unwrap();
        let plan = Plan::new(list.locked().unwrap().to_vec(), Layers::Auto);
        let frontend = super::programs(&image("docker.io/org/condafront:latest"));
        let environment = Environment {
            trim: &BTreeSet::new(),
            plan,
            prefix: EnvironmentPrefix::base(),
            file: LlbFile::new(file.name(), file.lossy_text()),
            tools: Tools::new(&frontend),
            base,
            micromamba: None,
            compiler: &Compiler::Own,
            user: Owner {
                uid: 57439,
                gid: 57439,
            }
            .into(),
        };
        let candidates = environment
            .plan
            .packages
            .iter()
            .map(|package| vec![package.url.clone()]);
        let graph = environment.install(&Addresses::new(candidates)).unwrap();
        let steps = graph.installed.into_iter().zip(&environment.plan.groups);
        steps
            .map(|(step, group)| (group.to_string(), step.layers[0].digest().to_string()))
            .collect()
    };
    let debian = image("docker.io/library/debian:13-slim");
    let ubuntu = image("docker.io/library/ubuntu:24.04");
    let of = |steps: &[(String, String)], name: &str| {
        steps
            .iter()
            .find(|(title, _)| title == name)
            .map(|(_, digest)| digest.clone())
    };
    let before = digests(LOCK, Some(&debian));
    let other_base = digests(LOCK, Some(&ubuntu));
    let without_six = LOCK
        .lines()
        .filter(|line| !line.contains("six"))
        .collect::<Vec<_>>()
        .join("\n");
    let other_packages = digests(&without_six, Some(&debian));
    for name in ["python", "libzlib"] {
        assert!(of(&before, name).is_some());
        assert_eq!(of(&before, name), of(&other_base, name), "{name}");
        assert_eq!(of(&before, name), of(&other_packages, name), "{name}");
    }
}

#[test]
fn a_large_package_fills_several_layers() {
    let lock = LOCK.replace("\nhttps", "\n# size: 500000000\nhttps");
    let found = graph_of(&lock, &[], Stacking::Merge, Layers::Auto, None);
    for line in [
        r#"\"further_parts\":2}"#,
        "mount /out bind scratch -> output 0",
        "mount /parts/1 bind scratch -> output 2",
        "mount /parts/2 bind scratch -> output 3",
        r#"name "[install 1/3] libzlib, its layers put together""#,
    ] {
        assert!(found.contains(line), "{line} is not in {found}");
    }
}
