//! Graphs of copies and commands, in BuildKit's terms.

use buildkit_llb::{Definition, Image, Local, OpOptions, text};

use super::*;
use crate::context::ContextState;
use crate::copy::{CopyStep, Origin, destination};
use condafront_input::section::{self, BuildArgs, ImageSection};
use condafront_model::source::SourceFile;

const ENV: &[(&str, &str)] = &[("PATH", "/opt/conda/bin:/bin"), ("VERSION", "of the image")];

fn section(lines: &str) -> ImageSection {
    let text = format!("condafront:\n{lines}");
    let file = SourceFile::new("env.yml", text);
    let args = [
        ("VERSION", "1.2"),
        ("MODEL", "small"),
        ("http_proxy", "http://proxy:3128"),
    ];
    let args: BuildArgs = args.into_iter().collect();
    section::section_of(&file, &args)
}

fn image(name: &str) -> Output {
    Image::new(name)
        .platform(oci_platform(Platform::LinuxAmd64))
        .build()
}

/// The graph of everything that the section copies and runs.
fn graph(lines: &str, context: ContextState, options: &[&str]) -> String {
    let section = section(lines);
    let group_writable = section.group_writable.is_some();
    let programs = image("docker.io/org/condafront:1");
    let mut root = Input::from(image("docker.io/library/image:latest"));
    let context = Origin::of_context(context);
    for files in &section.copy {
        let origin = match &files.from {
            Some(name) => Origin {
                state: image(name),
                folder: String::new(),
            },
            None => context.clone(),
        };
        let step = CopyStep {
            files,
            origin,
            dest: destination("/home/ada", &files.dest),
            owner: (1000, 100),
            shared: Some("/home/ada").filter(|home| group_writable && files.dest.starts_with(home)),
            makes_folder: group_writable && files.sources == ["app"],
        };
        let mut options = LlbOptions::new();
        options.name(step.name());
        root = step.on(&root, &[], &options);
    }
    let options = options.iter().enumerate();
    let options =
        options.map(|(n, option)| (format!("BUILDKIT_FRONTEND_OPT_{n}"), (*option).to_owned()));
    let run_options = RunOptions::from_options(&Options::from_env(options)).unwrap();
    let env: Vec<(String, String)> = ENV
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    for (index, command) in section.run.iter().enumerate() {
        let step = RunStep {
            command,
            number: (index + 1, section.run.len()),
            shell: &["/bin/bash".to_owned(), "-ec".to_owned()],
            env: &env,
            workdir: "/home/ada",
            runner: Runner {
                user: command.user.clone().unwrap_or("1000:100".to_owned()),
                uid: 1000,
                gid: 100,
                account: Some(("ada".to_owned(), "/home/ada".to_owned())),
            },
            platform: Platform::LinuxAmd64,
            shared: group_writable.then(|| SharedFolders {
                programs: &programs,
                spec: GroupWritableSpec {
                    gid: 100,
                    folders: vec!["/opt/conda".to_owned(), "/home/ada".to_owned()],
                },
            }),
        };
        let mut options = LlbOptions::new();
        options.name(step.name());
        root = step.on(&root, &run_options, &options).unwrap().into();
    }
    text::dump(Definition::of(root).to_pb())
}

fn client() -> ContextState {
    ContextState {
        state: Local::new("context").follow(["app", "*.toml"]).build(),
        subdir: String::new(),
        exclude: Vec::new(),
    }
}

#[test]
fn files_are_copied_one_entry_after_the_other() {
    let lines = r#"
  copy:
    - {src: app, dest: .}
    - {src: [a.toml, "*.lock", b, c/], dest: etc/, chown: "0:0", chmod: 640}
    - {src: run.sh, dest: /usr/local/bin/run, chmod: "u=rwX,go=rX"}
    - {from: "docker.io/astral/uv:0.5", src: /uv, dest: /usr/local/bin/}
"#;
    insta::assert_snapshot!(graph(lines, client(), &[]));
}

#[test]
fn a_context_that_is_not_a_client_folder_is_filtered() {
    let context = ContextState {
        state: image("git"),
        subdir: "below/it".to_owned(),
        exclude: vec!["*.bin".to_owned(), "!keep.bin".to_owned()],
    };
    let lines = "\n  copy: {.: /srv/app}\n";
    insta::assert_snapshot!(graph(lines, context, &[]));
}

#[test]
fn commands_run_one_after_the_other() {
    let lines = r"
  run:
    - |
      make -C models VERSION=$VERSION MODEL=$MODEL
      curl --proxy $http_proxy https://me:hunter2@files.example/model
    - run: [python, -m, app, --install]
      user: root
      network: none
      mounts:
        - {type: cache, target: .cache/pip}
        - {type: cache, target: /data, id: shared, sharing: locked, readonly: true, mode: 0700, uid: 0, gid: 0}
        - {type: secret, id: token}
        - {type: secret, id: key, env: KEY, required: true}
        - {type: secret, id: netrc, target: .netrc, mode: 0440}
    - run: id
      network: host
      mounts:
        - {type: cache, target: /srv/cache, uid: 0, gid: 0, mode: 0755}
";
    let options = [
        "force-network-mode=none",
        "build-arg:HTTP_PROXY=http://proxy:3128",
        "build-arg:BUILDKIT_CACHE_MOUNT_NS=team",
        "add-hosts=files.example=10.0.0.1,six=[fd00::1]",
        "shm-size=67108864",
        "ulimit=nofile=1024:4096,nproc=100",
        "hostname=builder",
        "cgroup-parent=/slice",
    ];
    insta::assert_snapshot!(graph(lines, client(), &options));
}

#[test]
fn the_group_can_write_to_what_is_copied_and_run() {
    let lines = "
  group_writable: true
  copy:
    - {src: app, dest: /home/ada/deep/app}
    - {src: app.py, dest: /home/ada}
    - {src: run.sh, dest: /usr/local/bin/run, chmod: 755}
    - {src: [conf, \"*.toml\"], dest: /home/ada/etc/}
  run:
    - ./postBuild
";
    insta::assert_snapshot!(graph(lines, client(), &[]));
}

#[test]
fn malformed_options_are_reported() {
    let mut all = String::new();
    for option in [
        "add-hosts=files",
        "add-hosts=files=here",
        "ulimit=nofile",
        "shm-size=much",
    ] {
        let env = [("BUILDKIT_FRONTEND_OPT_0".to_owned(), option.to_owned())];
        let error = RunOptions::from_options(&Options::from_env(env)).unwrap_err();
        all.push_str(&format!("{error}\n\n"));
    }
    insta::assert_snapshot!(all);
}
