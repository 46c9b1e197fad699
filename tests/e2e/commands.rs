//! Files copied into an image, commands that run in it, and trimmed packages.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use condafront_testkit::engine::{Output, Store};
use serde_json::json;

use crate::image::{Image, history};
use crate::image_bytes::{all_bytes, contains, unpacked_bytes};
use crate::project::{Project, base, frontend, on_both_stores};

const FILE: &str = "env.yml";
const SECRET: &str = "s3cr3t-61fa07";

/// `docker build` of an env.yml with this section.
pub(crate) fn build(project: &Project, dependencies: &str, section: &str, args: &[&str]) -> Output {
    let channel = project.channel();
    let text = format!(
        "# syntax={}\nchannels: [{channel}]\ndependencies: [{dependencies}]\ncondafront:\n  installer: native\n{section}",
        frontend()
    );
    project.write(FILE, text);
    project.build_image(&[&["-f", FILE], args, &["."]].concat())
}

/// Writes a file, and the folders above it.
fn write(project: &Project, path: &str, contents: &str, mode: u32) {
    let path = project.path(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("folders in the project's");
    fs::write(&path, contents).expect("a file in the project's folder");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its mode");
}

/// An app with everything that a copy must get right.
pub(crate) fn app(project: &Project) {
    write(project, "app/main.py", "print('main')\n", 0o644);
    write(project, "app/data/deep/a.txt", "a\n", 0o600);
    write(project, "app/data/big.bin", "big\n", 0o644);
    symlink("data/deep", project.path("app/link")).expect("a link");
    write(project, "config/a.toml", "a\n", 0o644);
    write(project, "config/b.toml", "b\n", 0o644);
    write(project, "config/c.ini", "c\n", 0o644);
    write(project, "tool.sh", "#!/bin/sh\necho tool\n", 0o644);
    write(project, "assets/logo.txt", "logo\n", 0o644);
    write(project, "postBuild", POST_BUILD, 0o755);
    write(project, ".dockerignore", "**/*.bin\nassets\n", 0o644);
    let old = filetime(project, "app/main.py");
    assert!(old.success());
}

/// Gives the file a time that cannot come from anywhere else.
fn filetime(project: &Project, path: &str) -> std::process::ExitStatus {
    let mut touch = std::process::Command::new("touch");
    touch
        .args(["-d", "2001-02-03T04:05:06Z"])
        .arg(project.path(path));
    touch.status().expect("touch runs")
}

/// Prints what a build command sees.
const POST_BUILD: &str = r#"#!/bin/sh -e
prefix-demo | sed -n 's/^program //p' > seen
{ echo "$CONDA_DEFAULT_ENV $CONDA_PREFIX"; pwd; id -un; id -u; id -g; id -G; echo "$HOME $USER"; echo "$GREETING"; echo "${VERSION-unset}"; } >> seen
"#;

fn section(secret_env: &str) -> String {
    // The text of a command is in the image's history, so it must not contain the secret itself.
    let length = SECRET.len();
    format!(
        "  base: {}
  user: {{name: ada, uid: 1000, gid: 100}}
  workdir: /home/ada/app
  env: {{GREETING: hello}}
  copy:
    - {{src: app, dest: .}}
    - {{src: [config/*.toml, none*], dest: /etc/app/, chown: root, chmod: 640}}
    - {{src: tool.sh, dest: /usr/local/bin/tool, chmod: \"u=rwx,go=rx\", chown: \"daemon:users\"}}
    - {{src: postBuild, dest: ./, chown: ada}}
    - {{from: assets, src: logo.txt, dest: logo, chown: \"1000\"}}
    - {{from: \"{}\", src: [/etc/debian_version, /etc/host*], dest: from-image/}}
  run:
    - ./postBuild
    - run: echo \"$VERSION for $USER\" > version
    - [sh, -c, {}]
    - run: |
        set -e
        test ! -e /home/ada/.cache/kept/old || cp /home/ada/.cache/kept/old .
        date +%N > /home/ada/.cache/kept/old
        test \"$(wc -c < /run/secrets/token)\" = {length}
        test \"$(stat -c %u:%g:%a /run/secrets/token)\" = 1000:100:400
        test \"${{#{secret_env}}}\" = {length}
        test -z \"${{OTHER-}}\"
        test \"$(ls /sys/class/net)\" = lo
      network: none
      mounts:
        - {{type: cache, target: /home/ada/.cache/kept, id: \"${{KEPT}}\"}}
        - {{type: secret, id: token, required: true}}
        - type=secret,id=token,env={secret_env}
        - type=secret,id=other,env=OTHER
    - {{run: id -u > /by-root; echo \"$HOME\" >> /by-root, user: root}}
    - {{run: id -u > /tmp/by-daemon; id -g >> /tmp/by-daemon, user: daemon}}
",
        base(),
        base(),
        json!("printf %s $CONDA_PREFIX $(basename $PWD) > exec; prefix-demo > /dev/null"),
    )
}

const LOOK: &str = r"
cat seen version exec; echo
stat -c '%n %U:%G %a' . main.py data/deep/a.txt postBuild logo seen link/. from-image/debian_version
stat -c '%n %U:%G %a' /etc/app /etc/app/* /usr/local/bin/tool /by-root
stat -c %y main.py | cut -c1-10
ls; ls from-image; tool; cat /by-root /tmp/by-daemon
ls -A ~ /run; readlink link; ls data
";

fn files_are_copied_and_commands_run(store: Store) {
    // Shared engines do not show a step as cached while another test is running it.
    let has_own_engine = store == Store::Containerd;
    let project = if has_own_engine {
        Project::fresh(store)
    } else {
        Project::with_own_channel(store)
    };
    app(&project);
    project.write("secret", SECRET);
    let secret = format!("id=token,src={}", project.path("secret").display());
    let assets = format!("assets={}", project.path("assets").display());
    let kept = format!("KEPT=kept-{}", project.name());
    let args = [
        "--secret",
        &secret,
        "--build-context",
        &assets,
        "--build-arg",
        &kept,
        "--build-arg",
        "VERSION=1.2",
    ];
    let section = section("TOKEN");
    let built = build(&project, "prefix-demo", &section, &args).expect_success();
    let looked = project.run(&[], &["sh", "-ec", LOOK]).expect_success();
    insta::assert_snapshot!("what_is_copied_and_run", looked.stdout);

    let lines = history(&project, project.tag());
    let start = lines.iter().position(|line| line.starts_with("[copy]"));
    let base = base();
    let own: Vec<String> = lines[start.expect("a copy")..]
        .iter()
        .map(|line| line.replace(&base, "registry.test/debian:13-slim"))
        .collect();
    insta::assert_snapshot!("what_history_says", own.join("\n"));
    // The progress and the history have the same names.
    for line in &own[..3] {
        assert!(
            built.stderr.contains(line.as_str()),
            "{line}: {}",
            built.stderr
        );
    }
    assert!(
        !contains(&all_bytes(&project), SECRET),
        "the image has the secret"
    );
    assert!(!built.stderr.contains(SECRET), "{}", built.stderr);

    if has_own_engine {
        nothing_runs_again(&build(&project, "prefix-demo", &section, &args));
    }

    // The cache mount outlives cached steps, and only the copied files matter.
    write(&project, "config/c.ini", "changed\n", 0o644);
    let other = section.replace("type=secret,id=other", "type=secret,id=another");
    build(&project, "prefix-demo", &other, &args).expect_success();
    project.run(&[], &["test", "-s", "old"]).expect_success();
    if has_own_engine {
        no_attestation_has_the_secret(&project, &args);
    }
}

/// In a build of the same files, every step is cached that copies or runs.
fn nothing_runs_again(build: &Output) {
    let lines: Vec<&str> = build.stderr.lines().collect();
    let steps: Vec<(&str, &str)> = lines
        .iter()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, name)| name.starts_with("[run ") || name.starts_with("[copy] "))
        .collect();
    assert_eq!(steps.len(), 12, "{}", build.stderr);
    for (number, name) in steps {
        let cached = format!("{number} CACHED");
        assert!(lines.contains(&cached.as_str()), "{name}: {}", build.stderr);
    }
}

fn no_attestation_has_the_secret(project: &Project, args: &[&str]) {
    let image = project.path("image");
    let output = format!("type=oci,tar=false,dest={}", image.display());
    let usual = ["buildx", "build", "-f", FILE, "--provenance=mode=max"];
    let all = [&usual[..], &["--output", &output], args, &["."]].concat();
    project.docker(&all).expect_success();
    let bytes = unpacked_bytes(&image);
    assert!(contains(&bytes, "./postBuild"), "no provenance");
    assert!(!contains(&bytes, SECRET), "provenance has the secret");
    fs::remove_dir_all(image).expect("a folder of ours");
}

/// A command's caches are those of a Dockerfile's mounts with the same ids, owners and permissions, and no others.
#[test]
fn caches_are_shared_with_dockerfiles() {
    let project = Project::new(Store::Containerd);
    let id = format!("cache-{}", project.name());
    let mounts = [
        ("root", ""),
        ("ada", ",uid=1000,gid=100"),
        ("open", ",uid=1000,gid=100,mode=0777"),
    ];
    let of_dockerfile: String = mounts
        .iter()
        .map(|(name, owner)| {
            format!("RUN --mount=type=cache,id={id},target=/c{owner} echo {name} > /c/{name}\n")
        })
        .collect();
    let _image = Image::from_dockerfile(&project, &format!("FROM {}\n{of_dockerfile}", base()));
    let section = format!(
        "  base: {}
  user: {{name: ada, uid: 1000, gid: 100}}
  run:
    - {{run: ls /c > /by-root, user: root, mounts: [\"type=cache,id={id},target=/c\"]}}
    - {{run: ls /c > ~/by-ada, mounts: [\"type=cache,id={id},target=/c\"]}}
    - {{run: ls /c > ~/with-mode, mounts: [\"type=cache,id={id},target=/c,mode=0777\"]}}
",
        base()
    );
    build(&project, "prefix-demo", &section, &[]).expect_success();
    let found = project.run(&[], &["sh", "-c", "cat /by-root ~/by-ada ~/with-mode"]);
    assert_eq!(found.expect_success().stdout, "root\nada\nopen\n");
}

/// Commands have the same variables as containers, and activation scripts that variables cannot express.
#[test]
fn commands_see_what_containers_see() {
    let project = Project::new(Store::Containerd);
    let probe = "printenv > /tmp/seen; type activate_shell_function >> /tmp/seen 2>&1 || true";
    let section = format!(
        "  base: {}\n  shell: [/bin/bash, -c]\n  run: {}\n",
        base(),
        json!(probe)
    );
    build(&project, "activate-demo, activate-shell", &section, &[]).expect_success();
    let sorted = |output: Output| {
        let text = output.expect_success().stdout;
        let mut lines: Vec<String> = text
            .lines()
            .filter(|line| {
                !["HOSTNAME=", "PWD=", "USER=", "_="]
                    .iter()
                    .any(|name| line.starts_with(name))
            })
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    };
    let then = sorted(project.run(&[], &["cat", "/tmp/seen"]));
    let probe = probe.replace("/tmp/seen", "/dev/stdout");
    let now = sorted(project.run(&[], &["/bin/bash", "-c", &probe]));
    assert_eq!(then, now);
}

#[test]
fn parts_of_packages_are_left_out() {
    let project = Project::new(Store::Containerd);
    // Of all layers, unpacked.
    let size = |project: &Project| -> u64 {
        let sizes = ["history", "--human=false", "--format", "{{.Size}}"];
        let sizes = project.docker(&[&sizes[..], &[project.tag()]].concat());
        let sizes = sizes.expect_success().stdout;
        let sizes = sizes.lines().map(str::parse::<u64>);
        sizes.sum::<Result<_, _>>().expect("bytes")
    };
    const LIST: &str = "cd /opt/conda && find . -type f ! -path './conda-meta/*' ! -name '*.pyc' -exec sha256sum {} + | sort -k2";
    const CHECK: &str = "import glob, json, os, numpy, pandas
import numpy.testing, pandas.testing
os.chdir('/opt/conda')
for name in glob.glob('conda-meta/*.json'):
    record = json.load(open(name))
    paths = [path['_path'] for path in record['paths_data']['paths']]
    assert sorted(record['files']) == sorted(paths), name
    for path in paths:
        assert os.path.lexists(path), (name, path)
print(numpy.arange(3).sum(), pandas.Series([1]).sum())";
    let usual = format!("  base: {}\n", base());
    let dependencies = "numpy, pandas";
    build(&project, dependencies, &usual, &[]).expect_success();
    let whole_size = size(&project);
    let list = |project: &Project| {
        let files = project.run(&[], &["sh", "-c", LIST]).expect_success();
        files.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let whole = list(&project);
    let trim =
        "  trim: [bytecode, docs, headers, sanitizers, source-maps, static-libraries, tests]\n";
    build(&project, dependencies, &format!("{usual}{trim}"), &[]).expect_success();
    let output = project.run(&[], &["python", "-Bc", CHECK]).expect_success();
    assert_eq!(output.stdout, "3 1\n");
    let trimmed = list(&project);
    assert!(trimmed.iter().all(|file| whole.contains(file)));
    let gone = |name: &str| {
        let has = |files: &[String]| files.iter().any(|file| file.contains(name));
        has(&whole) && !has(&trimmed)
    };
    for name in ["/numpy/linalg/tests/", "/pandas/tests/", "/libnpymath.a"] {
        assert!(gone(name), "{name}");
    }
    let trimmed_size = size(&project);
    assert!(trimmed_size < whole_size, "{trimmed_size} of {whole_size}");
}

on_both_stores!(files_are_copied_and_commands_run);
