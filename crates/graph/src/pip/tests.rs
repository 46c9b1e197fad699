mod beside;
mod origins;

use std::collections::BTreeSet;

use buildkit_llb::{
    Definition, Image, Input, OpOptions, Options as LlbOptions, Output, SourceFile as LlbFile, text,
};

use super::*;
use crate::Tools;
use crate::compiler::Compiler;
use crate::context::ContextState;
use crate::environment::Environment;
use crate::image::Stacking;
use crate::plan::Plan;
use crate::plan::mirrors::Mirrors;
use condafront_input::options::Options;
use condafront_input::requirements::{Repository, list_of};
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::layers::Layers;
use condafront_model::package::{Hashes, Package};
use condafront_model::platform::Platform;
use condafront_model::pypi_package::PipPackage;
use condafront_model::stamp::Owner;
use condafront_step_spec::facts::EnvironmentFacts;

fn options(pairs: &[&str]) -> Options {
    let env = pairs.iter().enumerate().map(|(number, pair)| {
        let name = format!("BUILDKIT_FRONTEND_OPT_{number}");
        (name, (*pair).to_owned())
    });
    Options::from_env(env)
}

fn package(url: &str, hashes: Hashes) -> PipPackage {
    PipPackage {
        name: "six".to_owned(),
        version: Some("1.17.0".to_owned()),
        hashes,
        ..PipPackage::example(url)
    }
}

/// The graph of the output that `make` returns for an environment and its image.
fn with_environment(make: impl FnOnce(&Environment<'_>, &Output) -> Output) -> String {
    with_environment_of(&["pip"], false, make)
}

/// The same for an environment of python and `packages`, perhaps on a base image.
fn with_environment_of(
    packages: &[&str],
    has_base: bool,
    make: impl FnOnce(&Environment<'_>, &Output) -> Output,
) -> String {
    let mut python = Package::example("python");
    python.id.version = "3.13.5".to_owned();
    let packages = packages.iter().map(|name| Package::example(name));
    let packages = std::iter::once(python).chain(packages).collect();
    let plan = Plan::new(packages, Layers::Auto);
    let prefix = EnvironmentPrefix::base();
    let image = |name: &str| Image::new(name).name(format!("[base] {name}")).build();
    let frontend = image("docker.io/org/condafront:latest");
    let root = image("docker.io/org/packages:latest");
    let base = image("docker.io/org/base:latest");
    let environment = Environment {
        trim: &BTreeSet::new(),
        plan,
        prefix,
        file: LlbFile::new("env.lock", "# pip six\n"),
        tools: Tools::new(&frontend),
        base: has_base.then_some(&base),
        micromamba: None,
        compiler: &Compiler::Own,
        user: Owner { uid: 1, gid: 2 }.into(),
    };
    let output = make(&environment, &root);
    text::dump(Definition::of(&output).to_pb())
}

#[test]
fn locked_files_are_installed_without_network() {
    let sha256 = Some("1".repeat(64));
    let md5 = Some("2".repeat(32));
    let packages = [package(
        "https://f.example/six-1.17.0-py3-none-any.whl",
        Hashes { sha256, md5: None },
    )];
    let archives = [package(
        "https://f.example/six-1.17.0.tar.gz",
        Hashes { sha256: None, md5 },
    )];
    let network = PipNetwork::from_options(&options(&["force-network-mode=host"]));
    insta::assert_snapshot!(with_environment(|environment, root| {
        let mirrors = Mirrors::default();
        let wanted = environment.pip_packages(&archives, &mirrors).unwrap();
        let built = environment.pip_build(root, &wanted, &wanted.addresses(), &network);
        let wheel = OwnWheel {
            label: "six 1.17.0".to_owned(),
            file_name: "six-1.17.0-py3-none-any.whl".to_owned(),
            output: built.unwrap().wheels[0].clone(),
            is_built: true,
            direct_url: None,
        };
        let wanted = environment.pip_packages(&packages, &mirrors).unwrap();
        let wanted = wanted.with_wheels(vec![wheel]);
        let installed = environment.pip_install(root, &wanted, &wanted.addresses());
        installed.unwrap().root
    }));
}

/// A large file is given more time.
#[test]
fn downloads_have_the_sizes_that_locks_give() {
    let mut sized = package(
        "https://f.example/six-1.0-py3-none-any.whl",
        Hashes::default(),
    );
    sized.size = Some(11_050);
    let programs = Image::new("docker.io/org/condafront:latest").build();
    let file = LlbFile::new("pylock.toml", "");
    let artifacts = Tools::new(&programs).pip_artifacts(&[sized], &file);
    assert_eq!(artifacts[0].size, Some(11_050));
}

/// Neither the image nor a network: the steps see the wheels, the program, and python's facts.
#[test]
fn wheels_are_linked_into_layers_of_their_own() {
    let wheel = |name: &str| PipPackage {
        name: name.to_owned(),
        ..package(
            &format!("https://f.example/{name}-1.0-py3-none-any.whl"),
            Hashes {
                sha256: Some(name.len().to_string().repeat(64)),
                md5: None,
            },
        )
    };
    let packages = [wheel("idna"), wheel("six")];
    let text = with_environment(|environment, root| {
        let mirrors = Mirrors::default();
        let none = EnvironmentFacts::default();
        let urls = environment.fetched().map(|package| &package.url);
        let conda = environment.install(&mirrors.addresses(urls)).unwrap();
        let platform = Platform::LinuxAmd64;
        let built = vec![OwnWheel {
            label: "demo 1.0".to_owned(),
            file_name: "demo-1.0-cp313-cp313-linux_x86_64.whl".to_owned(),
            output: Image::new("docker.io/org/built:latest").build(),
            is_built: true,
            direct_url: None,
        }];
        let plan = environment.wheel_plan(&packages, &built, &none, platform, None, Layers::Auto);
        let wanted = environment.wheels(&packages, &mirrors).unwrap();
        let wanted = wanted.with_wheels(built);
        let graph = environment
            .link_wheels(&conda, &wanted, &plan.unwrap(), &wanted.addresses())
            .unwrap();
        let facts = text::dump(Definition::of(&graph.facts).to_pb());
        assert!(
            !facts.contains("merge") && !facts.contains("packages:latest"),
            "{facts}"
        );
        let stack = environment.stack_wheels(&graph, &none, &none).unwrap();
        assert_eq!(
            stack.names(),
            [
                "[pip install 1/3] six",
                "[pip install 2/3] idna",
                "[pip install 3/3] demo"
            ]
        );
        match stack.on(&root.into(), Stacking::Merge, ADD_WHEELS) {
            Input::Output(root) => root,
            Input::Scratch => graph.facts,
        }
    });
    insta::assert_snapshot!(text);
}

/// What else the environments have does not matter: forty wheels are forty layers, which builders and registries have once.
#[test]
fn environments_with_the_same_wheels_share_their_layers() {
    let packages: Vec<PipPackage> = (0..40)
        .map(|number| PipPackage {
            name: format!("wheel{number}"),
            ..package(
                &format!("https://f.example/wheel{number}-1.0-py3-none-any.whl"),
                Hashes {
                    sha256: Some(format!("{number:064}")),
                    md5: None,
                },
            )
        })
        .collect();
    let layers = |conda: &[&str]| {
        let mut names = Vec::new();
        let text = with_environment_of(conda, false, |environment, _| {
            let mirrors = Mirrors::default();
            let none = EnvironmentFacts::default();
            let urls = environment.fetched().map(|package| &package.url);
            let conda = environment.install(&mirrors.addresses(urls)).unwrap();
            let platform = Platform::LinuxAmd64;
            let plan = environment.wheel_plan(&packages, &[], &none, platform, None, Layers::Auto);
            let wanted = environment.wheels(&packages, &mirrors).unwrap();
            let graph = environment
                .link_wheels(&conda, &wanted, &plan.unwrap(), &wanted.addresses())
                .unwrap();
            let stack = environment.stack_wheels(&graph, &none, &none).unwrap();
            names = stack.names();
            match stack.on(&Input::Scratch, Stacking::Merge, ADD_WHEELS) {
                Input::Output(root) => root,
                Input::Scratch => graph.facts,
            }
        });
        (names, text)
    };
    let (names, text) = layers(&["pip"]);
    assert_eq!(names.len(), 40, "{names:?}");
    assert_eq!((names, text), layers(&["numpy", "pandas"]));
}

#[test]
fn packages_next_to_a_lock_become_wheels() {
    let local = |label: &str, kind: LocalKind, index: usize| Local {
        label: label.to_owned(),
        kind,
        output: Image::new(format!("docker.io/org/{label}:latest")).build(),
        build_options: Vec::new(),
        repository: None,
        editable: None,
        hashes: Hashes {
            sha256: Some(index.to_string().repeat(64)),
            md5: None,
        },
    };
    let local = vec![
        local("project", LocalKind::Folder, 0),
        local("carried", LocalKind::Wheel, 1),
        local("archive", LocalKind::Archive, 2),
    ];
    let network = PipNetwork::from_options(&options(&[]));
    insta::assert_snapshot!(with_environment(|environment, root| {
        let mirrors = Mirrors::default();
        let wanted = environment.pip_packages(&[], &mirrors).unwrap();
        let wanted = wanted.with_local(local);
        let built = environment.pip_build(root, &wanted, &wanted.addresses(), &network);
        built.unwrap().facts
    }));
}

/// A step of its own loads the history: the one that builds has none of git's secrets.
#[test]
fn histories_are_loaded_apart_from_builds() {
    let repository = Repository {
        url: "https://git.example/team/demo.git".to_owned(),
        reference: Some("main".to_owned()),
        found_by: None,
        subdir: Some("python".to_owned()),
        has_history: true,
    };
    let local = Local {
        label: "demo".to_owned(),
        kind: LocalKind::Folder,
        output: from_repository(&repository, &LlbOptions::new()),
        build_options: Vec::new(),
        hashes: Hashes::default(),
        editable: None,
        repository: Some(repository),
    };
    insta::assert_snapshot!(with_environment(|environment, root| {
        let mirrors = Mirrors::default();
        let wanted = environment.pip_packages(&[], &mirrors).unwrap();
        let wanted = wanted.with_local(vec![local]);
        let network = PipNetwork::default();
        let built = environment.pip_build(root, &wanted, &wanted.addresses(), &network);
        built.unwrap().wheels[0].clone()
    }));
}

#[test]
fn a_list_is_resolved_with_network() {
    let list = list_of(
        "--index-url https://${TOKEN}@i.example/simple\nsix>=1\n./demo[extra] ; python_version > '3'\n",
    );
    let network = PipNetwork::from_options(&options(&[
        "build-arg:HTTPS_PROXY=http://proxy.example",
        "build-arg:no_proxy=localhost",
        "build-arg:PIP_EXTRA_INDEX_URL=https://a.example/simple https://b.example/simple",
    ]))
    .with_variables(list.variables());
    assert!(network.check().is_ok());
    insta::assert_snapshot!(with_environment(|environment, root| {
        let context = ContextState {
            state: Image::new("docker.io/org/context:latest").build(),
            subdir: "app".to_owned(),
            exclude: vec![".git".to_owned()],
        };
        let kind = LocalKind::Folder;
        let mut options = LlbOptions::new();
        options.name("[pip] take demo from the build context");
        let local = vec![Local {
            label: "demo".to_owned(),
            kind,
            output: from_context(&context, "demo", None, kind, &options),
            build_options: Vec::new(),
            hashes: Hashes::default(),
            repository: None,
            editable: None,
        }];
        let mirrors = Mirrors::default();
        let wanted = environment.pip_packages(&[], &mirrors).unwrap();
        let wanted = wanted
            .with_local(local)
            .with_build_options(list.build_options());
        let built = environment.pip_build(root, &wanted, &wanted.addresses(), &network);
        let wheels = built.unwrap().wheels;
        let wanted = environment.pip_resolving(&mirrors).unwrap();
        let with = (&wanted, &wanted.addresses());
        let resolved =
            environment.pip_resolve(root, &list, &wheels, &network, &Beside::Nothing, with);
        resolved.unwrap().facts
    }));
}

#[test]
fn settings_with_credentials_are_found() {
    for (option, found) in [
        ("PIP_INDEX_URL=https://me:hunter2@i.example/simple", true),
        (
            "PIP_EXTRA_INDEX_URL=https://a.example https://me@b.example",
            true,
        ),
        (
            "PIP_EXTRA_INDEX_URL=https://a.example https://b.example",
            false,
        ),
    ] {
        let network = PipNetwork::from_options(&options(&[&format!("build-arg:{option}")]));
        assert_eq!(network.check().is_err(), found, "{option}");
    }
}
