mod image_files;

use super::file::{is_image_file, read_image_file};
use super::*;
use crate::yaml;
use condafront_model::source::Lines;
use condafront_model::source::{Diagnostic, Level, SourceFile};
use condafront_step_spec::install::Trim;
use condafront_step_spec::system::Manager;

pub(crate) const ARGS: &[(&str, &str)] = &[
    ("UBUNTU_VERSION", "24.04"),
    ("EMPTY", ""),
    ("MAYBE", "maybe"),
    ("PORT", "9999"),
];

/// The section of an env.yml.
pub(super) fn section(text: &str, args: &[(&str, &str)]) -> Result<ImageSection, Diagnostic> {
    let file = SourceFile::new("env.yml", text);
    let tree = yaml::read(&file, text)?;
    let node = tree.get("condafront").expect("a section");
    read(&file, node, &args.iter().copied().collect())
}

pub(super) fn image_file(text: &str, args: &[(&str, &str)]) -> Result<ImageFile, Diagnostic> {
    let file = SourceFile::new("image.yml", text);
    let tree = yaml::read(&file, text)?;
    read_image_file(&file, &tree, &args.iter().copied().collect())
}

/// A section with these lines.
pub(super) fn lines(lines: &str) -> ImageSection {
    let text = format!("condafront:\n{lines}");
    section(&text, ARGS).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)))
}

fn exec(words: &[&str]) -> Command {
    Command::Exec(words.iter().map(|word| (*word).to_owned()).collect())
}

#[test]
fn a_section_with_everything() {
    let text = "\
condafront:
  base: ubuntu:${UBUNTU_VERSION}
  user: {name: al-khawarizmi, uid: 1000, gid: 100}
  apt: [libgl1, \"libc6:i386\", curl=7.88.1-10+deb12u5, -r apt.txt]
  pip: [-r requirements.txt, \"requests>=2\"]
  copy:
    .: /home/${MAMBA_USER}/app
    ./data/: data
  run:
    - ./postBuild
    - [pip, check]
    - run: |
        make PORT=$PORT
      network: none
      user: root
      mounts:
        - {type: cache, target: /root/.cache, sharing: locked}
        - type=secret,id=token,env=TOKEN,required
  env:
    JUPYTER_PORT: 8888
    PATH: /srv/bin:${PATH}
    GREETING: \"it costs \\\\$5\"
  build: {packages: ['${COMPILER:-gcc_linux-64}', cmake=3], channels: ['https://c.example/${TEAM}']}
  workdir: /home/${MAMBA_USER}/app
  cmd: [jupyter, lab, --port, 8888]
  entrypoint: exec tini -- \"$0\" \"$@\"
  shell: [/bin/bash, -c]
  expose: [8888, 53/udp, 8000-8002]
  volumes: [/data]
  labels: {org.opencontainers.image.version: 1.10}
  healthcheck: {cmd: curl -f localhost:8888, interval: 1m30s, retries: 5}
  stopsignal: int
  locale: en_US.UTF-8
  layers: 40
  installer: native
  trim: [tests, docs]
  channel_priority: flexible
  exclude_newer:
    cutoff: 2026-11-01
    channels: {team: false}
    packages: {openssl=3.5: 7d, numpy: \"2026-11-05T12:00:00Z\"}
  channel_alias: https://conda.example.org/
  custom_channels: {team: https://conda.example.org/teams}
";
    let section = section(text, ARGS).unwrap();
    insta::assert_debug_snapshot!(section);
}

#[test]
fn nothing_at_all_is_a_section() {
    assert_eq!(
        section("condafront:\n", &[]).unwrap(),
        ImageSection::default()
    );
    assert_eq!(lines("  {}\n"), ImageSection::default());
}

#[test]
fn users_have_many_forms() {
    let user = |text: &str| {
        let user = lines(&format!("  user: {text}\n")).user.unwrap().value;
        (user.name.unwrap_or_default(), user.uid, user.gid)
    };
    assert_eq!(user("ada"), ("ada".into(), None, None));
    assert_eq!(user("root"), ("root".into(), None, None));
    assert_eq!(user("1000"), ("1000".into(), None, None));
    assert_eq!(user("1000:100"), ("1000".into(), None, Some(100)));
    assert_eq!(user("ada:100"), ("ada".into(), None, Some(100)));
    assert_eq!(user("{uid: 1000}"), (String::new(), Some(1000), None));
    assert_eq!(user("{uid: 0}"), ("root".into(), Some(0), None));
}

#[test]
fn the_account_can_be_named_in_values() {
    let workdir = |text: &str, args: &[(&str, &str)]| {
        let text = format!("condafront:\n  workdir: /${{MAMBA_USER}}/${{MAMBA_USER_ID-?}}\n{text}");
        section(&text, args).unwrap().workdir.unwrap().value
    };
    assert_eq!(workdir("", &[]), "/mambauser/57439");
    assert_eq!(workdir("", &[("MAMBA_USER", "ada")]), "/ada/?");
    assert_eq!(workdir("  user: {name: ada, uid: 5}\n", &[]), "/ada/5");
    let args = [("MAMBA_USER", "bob"), ("MAMBA_USER_ID", "7")];
    assert_eq!(workdir("  user: {name: ada, uid: 5}\n", &args), "/bob/7");
}

#[test]
fn packages_are_what_their_manager_takes() {
    let packages = |text: &str| {
        let packages = lines(&format!("  {text}\n")).packages.unwrap();
        let entries = packages.entries.into_iter();
        entries.map(|entry| entry.value).collect::<Vec<_>>()
    };
    let package = |text: &str| PackageEntry::Package(text.into());
    assert_eq!(
        packages("dnf: [curl=8.6.0-1, \"@core\"]"),
        [package("curl-8.6.0-1"), package("@core")]
    );
    assert_eq!(packages("apk: [curl=~8.6]"), [package("curl=~8.6")]);
    assert_eq!(packages("apt: [curl=7.88.*]"), [package("curl=7.88.*")]);
    assert_eq!(
        packages("apt: [-r lists/apt.txt]"),
        [PackageEntry::File("lists/apt.txt".into())]
    );
}

#[test]
fn packages_are_read_from_files() {
    let file = SourceFile::new("apt.txt", "# tools\ncurl # for health\n\n  libgl1=1.7\r\n");
    let entries = read_package_list(&file, Manager::Apt).unwrap();
    let entries: Vec<_> = entries
        .into_iter()
        .map(|e| (e.value, e.lines.first))
        .collect();
    let package = |text: &str| PackageEntry::Package(text.into());
    assert_eq!(entries, [(package("curl"), 2), (package("libgl1=1.7"), 4)]);
    for text in ["curl\nrm -rf /\n", "curl\n-r other.txt\n", "curl\n$(id)\n"] {
        let file = SourceFile::new("apt.txt", text);
        let error = read_package_list(&file, Manager::Apt).unwrap_err();
        assert_eq!(error.locations[0].lines, Lines::one(2));
    }
}

#[test]
fn copies_keep_their_order_and_say_more_in_a_list() {
    let copies = lines(
        "  copy:\n    - {src: [a, ./b/], dest: /srv/, chown: ada:100, chmod: 0644}\n    - {from: busybox, src: /bin/busybox, dest: /bin/, chmod: \"u=rwX,go=rX\"}\n",
    )
    .copy;
    assert_eq!(copies[0].sources, ["a", "b/"]);
    assert_eq!(copies[0].chmod, Some(Mode::Bits(0o644)));
    assert_eq!(copies[0].chown.as_deref(), Some("ada:100"));
    assert_eq!(copies[1].from.as_deref(), Some("busybox"));
    assert_eq!(copies[1].sources, ["/bin/busybox"]);
    assert_eq!(copies[1].chmod, Some(Mode::Symbolic("u=rwX,go=rX".into())));
    let here = lines("  copy: [{src: [a, b], dest: .}, {src: [a, b], dest: ./x/..}]\n").copy;
    assert_eq!([here[0].dest.as_str(), &here[1].dest], [".", "./x/.."]);
    let pairs = lines("  copy: {z: /z, a: /a, .: /all}\n").copy;
    let sources: Vec<_> = pairs.iter().map(|copy| copy.sources[0].as_str()).collect();
    assert_eq!(sources, ["z", "a", "."]);
}

#[test]
fn commands_are_for_the_shell_or_not() {
    let section = lines("  cmd: echo $PORT\n  entrypoint: []\n");
    assert_eq!(
        section.cmd.unwrap().value,
        Command::Shell("echo $PORT".into())
    );
    assert_eq!(section.entrypoint.unwrap().value, exec(&[]));
    for arguments in ["\\\"$0\\\" \\\"$@\\\"", "$${@}", "$${1:-x}", "$1"] {
        let entrypoint = format!("  cmd: [a]\n  entrypoint: \"exec app {arguments}\"\n");
        assert!(lines(&entrypoint).entrypoint.is_some(), "{entrypoint}");
    }
    let run = lines("  run: [\"test ${PORT:-1} = $OTHER\", [echo, \"$EMPTY\"]]\n").run;
    assert_eq!(run[0].args, [("PORT".into(), "9999".into())].into());
    assert_eq!(run[1].args, [("EMPTY".into(), String::new())].into());
    let one = lines("  run: make\n").run;
    assert_eq!(one[0].command, Command::Shell("make".into()));
    let mount = &lines("  run: {run: make, mounts: [\"type=cache,dst=/c,ro,mode=0700,uid=5\"]}\n")
        .run[0]
        .mounts[0];
    let kind = MountKind::Cache {
        target: "/c".into(),
        id: "/c".into(),
        sharing: Sharing::Shared,
        readonly: true,
    };
    assert_eq!(mount.kind, kind);
    assert_eq!((mount.mode, mount.uid), (Some(0o700), Some(5)));
}

#[test]
fn variables_may_name_those_of_the_image() {
    let text = "  env:\n    PATH: /srv:${PATH}:$PORT\n    B: \"${X}\"\n    C: \"\\\\${X}\"\n    D: ${X:-none}\n";
    let env = lines(text).env;
    let file = SourceFile::new("env.yml", text);
    let image = |name: &str| (name == "PATH").then_some("/bin:$HOME");
    let resolved: Vec<_> = env.iter().map(|var| var.resolve(&file, &image)).collect();
    assert_eq!(resolved[0].as_deref().unwrap(), "/srv:/bin:$HOME:9999");
    assert_eq!(resolved[2].as_deref().unwrap(), "${X}");
    assert_eq!(resolved[3].as_deref().unwrap(), "none");
    insta::assert_snapshot!(resolved[1].as_ref().unwrap_err().render(Level::Error));
}

#[test]
fn ports_have_names() {
    let ports = lines("  expose: [53/UDP, 8000-8001]\n").expose;
    let names: Vec<_> = ports.iter().flat_map(|ports| ports.value.names()).collect();
    assert_eq!(names, ["53/udp", "8000/tcp", "8001/tcp"]);
    assert_eq!(lines("  expose: ${PORT}\n").expose[0].value.first, 9999);
}

#[test]
fn times_are_as_go_writes_them() {
    let ms = |text: &str| duration::parse(text).map(|time| time.as_micros());
    assert_eq!(ms("1h30m"), Some(5_400_000_000));
    assert_eq!(ms("1.5s"), Some(1_500_000));
    assert_eq!(ms(".5s"), Some(500_000));
    assert_eq!(ms("1.s"), Some(1_000_000));
    assert_eq!(ms("100us"), Some(100));
    assert_eq!(ms("1m0.000001s"), Some(60_000_001));
    assert_eq!(ms("0"), Some(0));
    assert_eq!(ms("+3s"), Some(3_000_000));
    for text in ["", "3", "s", ".s", "3 s", "-3s", "3d", "9999999h", "1e3s"] {
        assert_eq!(ms(text), None, "{text}");
    }
}

#[test]
fn signals_are_those_of_the_engine() {
    let signal = |text: &str| {
        lines(&format!("  stopsignal: {text}\n"))
            .stopsignal
            .unwrap()
            .value
    };
    assert_eq!(signal("int"), "SIGINT");
    assert_eq!(signal("SIGRTMIN+3"), "SIGRTMIN+3");
    assert_eq!(signal("RTMAX-14"), "SIGRTMAX-14");
    assert_eq!(signal("9"), "9");
    for text in ["0", "RTMIN+16", "RTMAX-15", "SIG", "SIGSIGINT"] {
        assert_eq!(signal::parse(text), None, "{text}");
    }
}

#[test]
fn a_health_check_can_be_removed() {
    for word in ["none", "NONE"] {
        let section = lines(&format!("  healthcheck: {word}\n"));
        assert_eq!(section.healthcheck.unwrap().value, Healthcheck::None);
    }
}

#[test]
fn trimming_has_a_usual_set() {
    let usual = lines("  trim: yes\n").trim;
    assert!(usual.contains(&Trim::StaticLibraries) && !usual.contains(&Trim::Bytecode));
    assert!(lines("  trim: false\n").trim.is_empty());
    assert_eq!(lines("  trim: [bytecode]\n").trim, [Trim::Bytecode].into());
}

#[test]
fn what_linux_does_not_pass_to_a_program_is_an_error_at_its_line() {
    let long = "x".repeat(300 << 10);
    for lines in [
        format!("  env:\n    A: {long}\n"),
        format!("  cmd:\n    {long}\n"),
        format!("  entrypoint:\n    [python, {long}]\n"),
        format!("  shell:\n    [/bin/sh, -c, {long}]\n"),
        format!("  run:\n    - {long}\n"),
        format!("  healthcheck:\n    {{cmd: [test, {long}]}}\n"),
    ] {
        let text = format!("condafront:\n{lines}");
        let error = section(&text, &[]).unwrap_err();
        let kind = lines.lines().next().unwrap_or_default();
        assert_eq!(error.locations[0].lines.first, 3, "{kind}");
        let limit = "but Linux passes at most 128 KiB to a program";
        assert!(error.message.ends_with(limit), "{kind}: {}", error.message);
        assert!(error.help.is_some(), "{kind}");
    }
    // Values of another program's configuration have no such limit.
    section(&format!("condafront:\n  labels: {{a: {long}}}\n"), &[]).unwrap();
}

#[test]
fn volumes_are_directories_of_the_image() {
    let volumes = |text: &str| {
        let volumes = lines(&format!("  volumes: {text}\n")).volumes;
        volumes
            .into_iter()
            .map(|path| path.value)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        volumes("[/data, //srv/./x/, /a/../b, /process, /dev/shm]"),
        ["/data", "/srv/x", "/b", "/process", "/dev/shm"]
    );
}
