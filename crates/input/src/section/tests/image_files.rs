//! Image files.

use super::*;

fn file(text: &str, args: &[(&str, &str)]) -> ImageFile {
    image_file(text, args).unwrap_or_else(|error| panic!("{}", error.render(Level::Error)))
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
        .map(|one| (one.prefix.path(), one.file.value.as_str()))
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
fn build_args_select_environments() {
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
    // A build-arg overrides the file, whatever it says.
    let text = "environments: {r: r.yml, s: {file: s.yml, when: S}}\ndefault: s\n";
    assert_eq!(file(text, &[("ENVIRONMENT", "r")]).default, "r");
}

#[test]
fn a_pixi_lock_is_not_an_image_file() {
    let is = |text: &str| is_image_file(&yaml::read(&SourceFile::new("f", text), text).unwrap());
    assert!(is("environments: {base: env.yml}\n"));
    assert!(!is("version: 6\nenvironments: {}\n"));
}

#[test]
fn an_image_file_describes_a_whole_image() {
    let text = "\
# syntax=org/condafront
environments:
  base: env.yml                       # prefix /opt/conda
  r: { file: r.lock }                 # prefix /opt/conda/envs/r
  ai: { file: ai.yml, when: BUILD_AI } # only if that build-arg is true
default: base
base: ubuntu:24.04
user: { name: al-khawarizmi, uid: 1000, gid: 100 }
apt: [libgl1, tzdata]
pip: [-r requirements.txt]
copy: { \".\": /home/al-khawarizmi/app }
run: [ ./postBuild ]
env: { JUPYTER_PORT: \"8888\" }
workdir: /home/al-khawarizmi/app
cmd: [jupyter, lab, --no-browser, --ip, \"0.0.0.0\"]
expose: [8888]
labels: { org.opencontainers.image.source: https://example.org/lab }
";
    let image = file(text, &[("BUILD_AI", "True")]);
    assert_eq!(image.environments.len(), 3);
    let ip = ["jupyter", "lab", "--no-browser", "--ip", "0.0.0.0"];
    assert_eq!(image.section.cmd.unwrap().value, exec(&ip));
    assert_eq!(image.section.copy[0].sources, ["."]);
}

#[test]
fn an_image_has_at_most_eighty_environments() {
    let text = |count: usize| {
        let list: String = (0..count)
            .map(|number| format!("  e{number}: e{number}.yml\n"))
            .collect();
        format!("environments:\n{list}default: e0\n")
    };
    assert_eq!(file(&text(80), &[]).environments.len(), 80);
    let error = image_file(&text(81), &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the image has more than 80 environments\nSpread them over several images."
    );
    assert_eq!(error.locations[0].lines, Lines::one(82));
}
