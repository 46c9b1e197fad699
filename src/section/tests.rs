use proptest::prelude::*;

use super::keys::{FILE_KEYS, KEYS};
use super::*;
use crate::source::{Diagnostic, Level, SourceFile};
use crate::yaml::{self, Node, ScalarKind, Value};

pub(super) const ARGS: &[(&str, &str)] = &[
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

/// A section of these lines.
fn lines(lines: &str) -> ImageSection {
    let text = format!("condafront:\n{lines}");
    section(&text, ARGS).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)))
}

fn file(text: &str, args: &[(&str, &str)]) -> ImageFile {
    image_file(text, args).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)))
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
    assert_eq!(
        packages("apt: [-r lists/apt.txt]"),
        [PackageEntry::File("lists/apt.txt".into())]
    );
}

#[test]
fn packages_are_read_from_files() {
    let file = SourceFile::new("apt.txt", "# tools\ncurl # for health\n\n  libgl1=1.7\r\n");
    let entries = read_package_list(&file, PackageManager::Apt).unwrap();
    let entries: Vec<_> = entries
        .into_iter()
        .map(|e| (e.value, e.lines.first))
        .collect();
    let package = |text: &str| PackageEntry::Package(text.into());
    assert_eq!(entries, [(package("curl"), 2), (package("libgl1=1.7"), 4)]);
    for text in ["curl\nrm -rf /\n", "curl\n-r other.txt\n", "curl\n$(id)\n"] {
        let file = SourceFile::new("apt.txt", text);
        let error = read_package_list(&file, PackageManager::Apt).unwrap_err();
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
fn a_health_check_can_be_taken_away() {
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

const IMAGE: &str = "\
environments:
  base: ./env.yml
  r: {file: pixi.lock, name: stats}
  ai: {file: ai.yml, when: BUILD_AI}
user: ada
";

#[test]
fn an_image_file_lists_environments() {
    let image = file(IMAGE, &[]);
    let found: Vec<_> = image
        .environments
        .iter()
        .map(|one| (one.place.prefix(), one.file.value.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("/opt/conda", "env.yml"),
            ("/opt/conda/envs/r", "pixi.lock")
        ]
    );
    assert_eq!(image.environments[1].name.as_ref().unwrap().value, "stats");
    assert_eq!(image.left_out[0].value, "ai");
    assert_eq!(image.default, "base");
    assert!(image.section.user.is_some());
}

#[test]
fn build_args_say_which_environments_there_are() {
    let has_ai = |value: &str| file(IMAGE, &[("BUILD_AI", value)]).environments.len() == 3;
    for yes in ["true", "True", "TRUE", "1", "yes", "on", "Yes", "ON"] {
        assert!(has_ai(yes), "{yes}");
    }
    for no in ["false", "False", "0", "no", "off", ""] {
        assert!(!has_ai(no), "{no}");
    }
    let when = |when: &str, args: &[(&str, &str)]| {
        let text = format!("environments:\n  b: b.yml\n  a: {{file: a.yml, when: {when}}}\n");
        file(&text, args).environments.len() == 2
    };
    assert!(when("true", &[]));
    assert!(when("\"${AI:-yes}\"", &[]));
    assert!(!when("\"${AI:-yes}\"", &[("AI", "off")]));
    assert!(!when("\"${AI:-}\"", &[]));
}

#[test]
fn some_environment_is_the_default() {
    let default = |text: &str| file(text, &[]).default;
    assert_eq!(default("environments: {r: r.yml, base: b.yml}\n"), "base");
    assert_eq!(default("environments: {r: r.yml, s: s.yml}\n"), "r");
    assert_eq!(
        default("environments: {r: r.yml, s: s.yml}\ndefault: s\n"),
        "s"
    );
    assert_eq!(
        default("environments: {root: r.yml, s: s.yml}\ndefault: root\n"),
        "base"
    );
}

#[test]
fn a_pixi_lock_is_no_image_file() {
    let is = |text: &str| is_image_file(&yaml::read(&SourceFile::new("f", text), text).unwrap());
    assert!(is("environments: {base: env.yml}\n"));
    assert!(!is("version: 6\nenvironments: {}\n"));
}

/// A tree as JSON has it.
pub(super) fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null => serde_json::Value::Null,
        Value::Scalar { text, kind } => match kind {
            ScalarKind::String => text.as_str().into(),
            ScalarKind::Bool => (text.to_lowercase() == "true").into(),
            ScalarKind::Number => {
                let digits = text.trim_start_matches('0');
                let number = if digits.is_empty() { "0" } else { digits };
                serde_json::from_str(number).unwrap_or_else(|_| text.as_str().into())
            }
        },
        Value::List(items) => items.iter().map(json).collect(),
        Value::Mapping(entries) => {
            let entries = entries.iter();
            entries
                .map(|(key, value)| (key.name.clone(), json(value)))
                .collect()
        }
    }
}

pub(super) fn validator() -> &'static jsonschema::Validator {
    static VALIDATOR: std::sync::LazyLock<jsonschema::Validator> =
        std::sync::LazyLock::new(|| jsonschema::validator_for(&schema()).unwrap());
    &VALIDATOR
}

fn docs(name: &str) -> String {
    format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_published_schema_is_the_codes() {
    let own = format!("{:#}\n", schema());
    let path = docs("condafront.schema.json");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &own).unwrap();
    }
    let published = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        published == own,
        "docs/condafront.schema.json is not what src/section/schema.rs says: run the test with UPDATE_DOCS=1"
    );
}

#[test]
fn the_schema_knows_every_key_and_says_what_it_is_for() {
    let schema = schema();
    let keys = schema["definitions"]["file"]["properties"]
        .as_object()
        .unwrap();
    for key in KEYS.iter().chain(FILE_KEYS) {
        let property = &keys[key.name];
        assert!(
            property.as_object().is_some_and(|fields| fields.len() > 1),
            "{}",
            key.name
        );
        assert!(
            property["description"]
                .as_str()
                .unwrap()
                .contains(key.about)
        );
    }
}

#[test]
fn every_keys_example_is_read() {
    for key in KEYS {
        lines(&format!("  {}\n", key.example));
    }
}

/// The YAML examples of `docs/image.md`.
fn examples() -> Vec<String> {
    let page = std::fs::read_to_string(docs("image.md")).unwrap();
    let parts = page.split("```yaml\n").skip(1);
    let examples: Vec<String> = parts
        .map(|part| part.split("```").next().unwrap_or_default().to_owned())
        .collect();
    assert!(examples.len() >= KEYS.len() / 2);
    examples
}

/// An example as a file: one that begins with a key of the section stands for its lines under `condafront:`.
fn as_file(example: &str) -> String {
    let is_whole = |line: &str| {
        ["condafront:", "environments:", "dependencies:"]
            .iter()
            .any(|key| line.starts_with(key))
    };
    if example.lines().any(is_whole) {
        return example.to_owned();
    }
    let indented: String = example.lines().map(|line| format!("  {line}\n")).collect();
    format!("condafront:\n{indented}")
}

fn read_either(text: &str, args: &[(&str, &str)]) -> Result<(), Diagnostic> {
    if text.contains("environments:\n") {
        image_file(text, args).map(drop)
    } else {
        section(text, args).map(drop)
    }
}

#[test]
fn the_documentations_examples_are_read_and_fit_the_schema() {
    for example in examples() {
        let text = as_file(&example);
        if let Err(error) = read_either(&text, &[]) {
            panic!("{}", error.render(Level::Error));
        }
        let tree = yaml::read(&SourceFile::new("f", text.as_str()), &text).unwrap();
        if let Err(error) = validator().validate(&json(&tree)) {
            panic!("{error} in\n{text}");
        }
    }
}

#[test]
fn every_key_is_documented() {
    let page = std::fs::read_to_string(docs("image.md")).unwrap();
    for key in KEYS.iter().chain(FILE_KEYS) {
        let name = format!("`{}`", key.name);
        let is_heading = |line: &str| line.starts_with('#') && line.contains(&name);
        assert!(page.lines().any(is_heading), "{} has no heading", key.name);
    }
    for (word, _) in options::TRIMS {
        assert!(page.contains(&format!("`{word}`")), "{word}");
    }
}

#[test]
fn the_schema_refuses_nothing_that_the_code_takes() {
    for text in [
        "user: 1000:100",
        "user: {uid: 0}",
        "expose: 8888",
        "expose: [\"8000-8010/TCP\"]",
        "run: make",
        "run: {run: [make]}",
        "run: [{run: make, mounts: [\"type=cache,dst=/c\", {type: secret, dst: /run/x, mode: 0400}]}]",
        "cmd: []",
        "cmd: \"\\\"a\\\" b\"",
        "copy: {a: 1}",
        "copy: [{src: [a, b], dest: c/, chmod: 755, chown: 5:5}]",
        "healthcheck: None",
        "healthcheck: {cmd: [a], interval: 0, timeout: 1.5s, retries: \"3\"}",
        "layers: \"5\"",
        "layers: ${LAYERS:-5}",
        "trim: yes",
        "trim: true",
        "trim: []",
        "env: {A: 1, B: true, C: \"\"}",
        "channel_alias: HTTPS://x.example",
        "stopsignal: 9",
    ] {
        let text = format!("condafront:\n  {text}\n");
        section(&text, &[]).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)));
        let tree = yaml::read(&SourceFile::new("f", text.as_str()), &text).unwrap();
        if let Err(error) = validator().validate(&json(&tree)) {
            panic!("{error} in\n{text}");
        }
    }
}

/// Values of all shapes, with what means something in some key more often than chance has it.
fn value() -> impl Strategy<Value = Node> {
    let text = prop_oneof![
        "[-a-z0-9=:/.,$ {}@*?#%\\\\]{0,12}",
        prop::sample::select(vec![
            "true",
            "none",
            "auto",
            "1",
            "root",
            "type=cache,target=/c",
            "${PORT:-1}",
            "a.yml",
            "30s",
            "https://x",
            "${EMPTY:+x}",
            "é\u{0}",
            "SIGRTMIN+3",
            "0755",
            "u=rwX",
        ])
        .prop_map(str::to_owned),
    ];
    let scalar = |text: String| {
        let kind = match text.as_str() {
            "true" | "false" => ScalarKind::Bool,
            digits if digits.parse::<u64>().is_ok() => ScalarKind::Number,
            _ => ScalarKind::String,
        };
        Value::Scalar { text, kind }
    };
    let lines = Lines::one(1);
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        8 => text.prop_map(scalar),
    ]
    .prop_map(move |value| Node { value, lines });
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let names = prop::sample::select(vec![
            "name", "uid", "gid", "src", "dest", "from", "chmod", "run", "mounts", "type", "id",
            "cmd", "interval", "retries", "file", "when", "base", "", "a", "${PORT}", "$", "root",
        ]);
        let entry = (names, inner.clone()).prop_map(move |(name, node)| {
            let name = name.to_owned();
            (yaml::Key { name, lines }, node)
        });
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::List),
            prop::collection::vec(entry, 0..5).prop_map(Value::Mapping),
        ]
        .prop_map(move |value| Node { value, lines })
    })
}

fn tree() -> impl Strategy<Value = Node> {
    let names: Vec<&str> = KEYS.iter().chain(FILE_KEYS).map(|key| key.name).collect();
    let lines = Lines::one(1);
    let entry = (prop::sample::select(names), value()).prop_map(move |(name, node)| {
        let name = name.to_owned();
        (yaml::Key { name, lines }, node)
    });
    prop::collection::vec(entry, 0..3).prop_map(move |entries| Node {
        value: Value::Mapping(entries),
        lines,
    })
}

proptest! {
    #[test]
    fn no_tree_makes_it_panic_and_the_schema_takes_what_the_code_takes(tree in tree()) {
        let file = SourceFile::new("env.yml", "condafront: {}\n");
        let args: BuildArgs = ARGS.iter().copied().collect();
        let json = json(&tree);
        if read_image_file(&file, &tree, &args).is_ok() {
            let refused = validator().validate(&json).err();
            prop_assert!(refused.is_none(), "{refused:?}");
        }
        if read(&file, &tree, &args).is_ok() {
            let whole = serde_json::json!({"condafront": json});
            let refused = validator().validate(&whole).err();
            prop_assert!(refused.is_none(), "{refused:?}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "(condafront|environments): ?\n?([ a-z:,\\[\\]{}$\"'-]{0,12}\n?){0,8}") {
        let file = SourceFile::new("env.yml", text.as_str());
        if let Ok(tree) = yaml::read(&file, &text) {
            let args: BuildArgs = ARGS.iter().copied().collect();
            let _ = read_image_file(&file, &tree, &args);
            if let Some(node) = tree.get("condafront") {
                let _ = read(&file, node, &args);
            }
        }
    }

    #[test]
    fn packages_never_reach_a_shell(text in ".{0,20}") {
        let file = SourceFile::new("apt.txt", text);
        for manager in [PackageManager::Apt, PackageManager::Apk, PackageManager::Dnf] {
            for entry in read_package_list(&file, manager).into_iter().flatten() {
                if let PackageEntry::Package(text) = entry.value {
                    let plain = |c: char| c.is_ascii_alphanumeric() || "+.-:_~^=@".contains(c);
                    prop_assert!(text.chars().all(plain) && !text.starts_with('-'), "{text}");
                }
            }
        }
    }

    #[test]
    fn times_and_signals_are_read_or_refused(text in "[0-9a-zµ.+-]{0,16}") {
        let _ = (duration::parse(&text), signal::parse(&text));
    }
}
