//! What `[activation.env]` sets.

use super::*;
use condafront_model::environment_prefix::EnvironmentPrefix;
use condafront_model::lint::{Rule, Warning};

const HEAD: &str = r#"[workspace]
name = "lab"
version = "1.2"
channels = ["conda-forge"]
platforms = ["linux-64"]
[dependencies]
python = "*"
"#;

/// The variables of the base image and of activation.
const IMAGE: &[(&str, &str)] = &[
    ("PATH", "/opt/conda/envs/lab/bin:/usr/bin"),
    ("LIBS", "/base/lib"),
];

type Pairs = Vec<(String, String)>;

fn read(name: &str, text: &str, environment: Option<&str>) -> Result<EnvironmentInput, Diagnostic> {
    let settings = InputSettings {
        environment: environment.map(str::to_owned),
        prefix: Some(EnvironmentPrefix::of("lab").unwrap()),
        ..InputSettings::default()
    };
    of_kind::read(
        &SourceFile::new(name, text),
        Platform::LinuxAmd64,
        &settings,
    )
}

/// The values in an image, in the order in which they are set, and the warnings about them: those of the file, and those of
/// the image.
fn values_in(
    text: &str,
    environment: Option<&str>,
) -> Result<(Pairs, Vec<Warning>, Vec<Warning>), Diagnostic> {
    let input = read("pixi.toml", text, environment)?;
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let image: Pairs = IMAGE.iter().map(pair).collect();
    let file = SourceFile::new("pixi.toml", text);
    let prefix = EnvironmentPrefix::of("lab").unwrap();
    let resolved = input.late_variables.resolve(&file, &image, &prefix)?;
    for (name, value) in &input.variables {
        assert!(resolved.values.contains(&(name.clone(), value.clone())));
    }
    Ok((resolved.values, input.warnings, resolved.warnings))
}

fn line(warning: &Warning) -> u32 {
    warning.diagnostic.locations[0].lines.first
}

#[test]
fn values_are_expanded_as_by_the_shell_that_activates_the_environment() {
    for (written, expected) in [
        ("$CONDA_PREFIX/lib", "/opt/conda/envs/lab/lib"),
        ("${CONDA_PREFIX}lib", "/opt/conda/envs/lablib"),
        (
            "$CONDA_PREFIX/lib:$LIBS",
            "/opt/conda/envs/lab/lib:/base/lib",
        ),
        ("a${LIBS:+:$LIBS}${NONE:+:$NONE}", "a:/base/lib"),
        ("${NONE:-$LIBS}", "/base/lib"),
        ("${LIBS##*/}", "lib"),
        (
            "$PIXI_PROJECT_NAME-$PIXI_PROJECT_VERSION-$PIXI_ENVIRONMENT_NAME",
            "lab-1.2-default",
        ),
        ("${PIXI_PROJECT_ROOT:-/srv/app}/src", "/srv/app/src"),
        (r"\$LIBS", "$LIBS"),
        (r"\\$LIBS", r"\/base/lib"),
        (r"\`$LIBS", "`/base/lib"),
        (r"C:\dir\$LIBS", r"C:\dir$LIBS"),
        // Without a dollar, pixi uses single quotes.
        (r"`a` \\ \`", r"`a` \\ \`"),
        ("say \"$LIBS\"", "say \"/base/lib\""),
        ("5$", "5$"),
    ] {
        let text = format!("{HEAD}[activation.env]\nA = '{written}'\n");
        let (values, of_file, of_image) = values_in(&text, None).expect(written);
        assert_eq!(values, [("A".to_owned(), expected.to_owned())], "{written}");
        assert_eq!((of_file, of_image), (Vec::new(), Vec::new()), "{written}");
    }
}

#[test]
fn values_that_need_the_image_are_told_from_others() {
    for (written, expected) in [
        ("$CONDA_PREFIX/$PIXI_PROJECT_NAME", false),
        ("5$", false),
        ("$LIBS", true),
        ("${LIBS:-/lib}", true),
    ] {
        let text = format!("{HEAD}[activation.env]\nA = '{written}'\n");
        let input = read("pixi.toml", &text, None).unwrap();
        assert_eq!(input.late_variables.need_image(), expected, "{written}");
    }
}

#[test]
fn what_only_pixi_sets_is_reported_unless_nothing_needs_it() {
    for (written, expected) in [
        ("${PIXI_PROJECT_ROOT:-/srv}", 0),
        ("${PIXI_PROJECT_ROOT:+:$PIXI_PROJECT_ROOT}", 0),
        ("${PIXI_PROJECT_ROOT:-/srv}:$PIXI_PROJECT_ROOT", 1),
        ("${LIBS:-$PIXI_PROJECT_ROOT}", 1),
        ("${LIBS:+$PIXI_PROJECT_ROOT}", 1),
        ("$PIXI_PROJECT_ROOT:$PIXI_PROJECT_MANIFEST", 2),
    ] {
        let text = format!("{HEAD}[activation.env]\nA = '{written}'\n");
        let warnings = read("pixi.toml", &text, None).unwrap().warnings;
        let found: Vec<Rule> = warnings.iter().map(|warning| warning.rule).collect();
        assert_eq!(found, vec![Rule::UnexpandedVariable; expected], "{written}");
    }
}

#[test]
fn variables_are_set_in_pixis_order() {
    let text = format!(
        r#"{HEAD}[activation.env]
EARLY = "$LATE:$FIRST"
LATE = "late"
FIRST = "default"
SECOND = "$LATE/$FIRST"
OWN = "$OWN:default"
[target.linux-64.activation.env]
FIRST = "$CONDA_PREFIX"
[feature.more.activation.env]
LATE = "more:$LIBS"
THIRD = "$LATE+$FIRST"
[feature.more.target.linux.activation.env]
OWN = "$FIRST"
[environments]
more = ["more"]
"#
    );
    let named = |pairs: &[(&str, &str)]| -> Pairs {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    };
    let prefix = "/opt/conda/envs/lab";
    let (values, of_file, of_image) = values_in(&text, None).unwrap();
    let expected = [
        ("FIRST", prefix),
        ("EARLY", &format!(":{prefix}")),
        ("LATE", "late"),
        ("SECOND", &format!("late/{prefix}")),
        ("OWN", ":default"),
    ];
    assert_eq!(values, named(&expected));
    assert_eq!(of_file, []);
    let found: Vec<u32> = of_image.iter().map(line).collect();
    assert_eq!(found, [9, 13]);
    // The default feature's come last.
    let (values, _, of_image) = values_in(&text, Some("more")).unwrap();
    let expected = [
        ("OWN", ""),
        ("LATE", "more:/base/lib"),
        ("THIRD", "more:/base/lib+"),
        ("FIRST", prefix),
        ("EARLY", &format!("more:/base/lib:{prefix}")),
        ("SECOND", &format!("more:/base/lib/{prefix}")),
    ];
    assert_eq!(values, named(&expected));
    let found: Vec<u32> = of_image.iter().map(line).collect();
    assert_eq!(found, [20, 18]);
    assert_eq!(
        of_image[0].diagnostic.message,
        "FIRST is set after OWN, so it is empty there"
    );
    // Locks and packages' scripts see what is the same in every image.
    let known = read("pixi.toml", &text, None).unwrap().variables;
    let known: Vec<&str> = known.keys().map(String::as_str).collect();
    assert_eq!(known, ["FIRST", "LATE", "SECOND"]);
}

#[test]
fn the_last_table_for_a_platform_counts() {
    let value = |tables: [&str; 2]| {
        let [first, second] = tables;
        let text = format!(
            "{HEAD}[target.{first}.activation.env]\nA = \"{first}\"\n[target.{second}.activation.env]\nA = \"{second}\"\n[activation.env]\nA = \"any\"\n"
        );
        let (values, ..) = values_in(&text, None).unwrap();
        values[0].1.clone()
    };
    for tables in [
        ["linux", "linux-64"],
        ["linux-64", "linux"],
        ["linux-64", "unix"],
        ["unix", "linux"],
    ] {
        assert_eq!(value(tables), tables[1]);
    }
}

#[test]
fn a_path_may_add_to_that_of_the_environment() {
    let with = |path: &str| {
        let text = format!("{HEAD}[activation.env]\nTOOL = \"/tool\"\nPATH = \"{path}\"\n");
        values_in(&text, None)
    };
    let (values, of_file, of_image) = with("$TOOL/bin:$PATH").unwrap();
    let path = "/tool/bin:/opt/conda/envs/lab/bin:/usr/bin";
    assert_eq!(values[1], ("PATH".to_owned(), path.to_owned()));
    assert_eq!((of_file, of_image), (Vec::new(), Vec::new()));
    let (values, of_file, _) = with("$TOOL/bin").unwrap();
    assert_eq!(values.len(), 1);
    assert_eq!(
        (of_file[0].rule, line(&of_file[0])),
        (Rule::ReservedVariable, 10)
    );
    let error = with("${PATH:+/bin}").unwrap_err();
    assert_eq!(error.locations[0].lines.first, 10);
}

#[test]
fn what_an_image_does_not_have_is_reported_at_its_line() {
    let text = format!(
        r#"{HEAD}[activation.env]
A = "$PIXI_PROJECT_ROOT/src:${{PIXI_PROJECT_ROOT}}"
B = "$CONDA_PREFIX/$NONE"
LD_LIBRARY_PATH = "$CONDA_PREFIX/lib:$LD_LIBRARY_PATH"
C = "$(nproc)"
D = "$LIBS`pwd`"
E = "${{LIBS^^}}"
F = "${{LIBS"
G = "$LIBS costs $5"
CONDA_PREFIX = "$LIBS"
"#
    );
    let (values, of_file, of_image) = values_in(&text, None).unwrap();
    let mut all = String::new();
    for (name, value) in values {
        all += &format!("{name}={value}\n");
    }
    for warning in of_file.iter().chain(&of_image) {
        all += &format!("\n{}\n", warning.diagnostic.render(Level::Warning));
    }
    insta::assert_snapshot!(all);
    for (value, message) in [
        ("${NONE:?set it}", "NONE is required: set it"),
        ("${NONE?}", "NONE is required for A"),
    ] {
        let text = format!("{HEAD}[activation.env]\nA = \"{value}\"\n");
        let error = values_in(&text, None).unwrap_err();
        assert_eq!(
            (error.message.as_str(), error.locations[0].lines.first),
            (message, 9)
        );
    }
    let half = "x".repeat(70_000);
    let text = format!("{HEAD}[activation.env]\nHALF = \"{half}\"\nWHOLE = \"$HALF$HALF$LIBS\"\n");
    let error = values_in(&text, None).unwrap_err();
    assert_eq!(error.locations[0].lines.first, 10);
    assert!(
        error.message.starts_with("the variable WHOLE has 137 KiB"),
        "{error}"
    );
}

#[test]
fn conda_replaces_no_variables() {
    let text = format!(
        "{HEAD}[activation.env]\nA = \"$CONDA_PREFIX/lib\"\nB = '\\$5'\nPATH = \"/a:$PATH\"\n"
    );
    let input = read("conda.toml", &text, None).unwrap();
    assert!(input.late_variables.is_empty());
    let variables: Vec<(&str, &str)> = input
        .variables
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(variables, [("A", "$CONDA_PREFIX/lib"), ("B", "\\$5")]);
    let found: Vec<(u32, Rule)> = input
        .warnings
        .iter()
        .map(|warning| (line(warning), warning.rule))
        .collect();
    assert_eq!(
        found,
        [(9, Rule::UnexpandedVariable), (11, Rule::ReservedVariable)]
    );
}
