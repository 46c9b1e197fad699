use proptest::prelude::*;

use super::*;

fn lookup(name: &str) -> Option<&'static str> {
    match name {
        "A" => Some("alpha"),
        "EMPTY" => Some(""),
        "TRICK" => Some("${A}$TRICK\\$A"),
        "PATH_" => Some("foobarbaz"),
        _ => None,
    }
}

fn expanded(text: &str) -> Result<String, ExpandError> {
    Template::parse(text)?.expand(&lookup)
}

#[test]
fn forms_are_those_of_dockerfiles() {
    for (text, expected) in [
        ("", ""),
        ("plain", "plain"),
        ("$A", "alpha"),
        ("$A-$A.x", "alpha-alpha.x"),
        ("${A}s", "alphas"),
        ("${A:-word}", "alpha"),
        ("${B:-word}", "word"),
        ("${EMPTY:-word}", "word"),
        ("${EMPTY-word}", ""),
        ("${B-word}", "word"),
        ("${A:+word}", "word"),
        ("${B:+word}", ""),
        ("${EMPTY:+word}", ""),
        ("${EMPTY+word}", "word"),
        ("${B:-${C:-$A}}", "alpha"),
        ("${B:-a\\}b}", "a}b"),
        ("${A:?needed}", "alpha"),
        ("${EMPTY?needed}", ""),
        // Substituted values are not expanded again.
        ("$TRICK", "${A}$TRICK\\$A"),
        ("\\$A", "$A"),
        ("\\${A}", "${A}"),
        ("C:\\dir\\$A", "C:\\dir$A"),
        ("it's \"$A\"", "it's \"alpha\""),
        ("$", "$"),
        ("$5 and $$ and $.", "$5 and $$ and $."),
        ("a$", "a$"),
        ("\\", "\\"),
    ] {
        assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
    }
}

/// They include the examples of Docker's reference.
#[test]
fn patterns_are_those_of_dockerfiles() {
    for (text, expected) in [
        ("${PATH_#f*b}", "arbaz"),
        ("${PATH_##f*b}", "az"),
        ("${PATH_%b*}", "foobar"),
        ("${PATH_%%b*}", "foo"),
        ("${PATH_/ba/fo}", "fooforbaz"),
        ("${PATH_//ba/fo}", "fooforfoz"),
        ("${PATH_//ba?/}", "foo"),
        ("${PATH_#x}", "foobarbaz"),
        ("${PATH_%$A}", "foobarbaz"),
        ("${TRICK#\\$\\{}", "A}$TRICK\\$A"),
        ("${A#*}", "alpha"),
        ("${A##*}", ""),
        ("${A%?}", "alph"),
        ("${EMPTY##*}", ""),
    ] {
        assert_eq!(expanded(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn mistakes_read_well() {
    let long = format!("{}x{}", "${A:+".repeat(30), "}".repeat(30));
    let mut all = String::new();
    for text in [
        "${A",
        "${",
        "${A:-x",
        "${A/x",
        "${A/x/y",
        "${}",
        "${1}",
        "${ A}",
        "${A!}",
        "${A:}",
        "${A:=x}",
        "$B",
        "${B}",
        "${B:?say it}",
        "${EMPTY:?}",
        "${B%x}",
        &long,
    ] {
        let error = expanded(text).unwrap_err();
        all.push_str(&format!("{text}\n    {error}\n"));
    }
    insta::assert_snapshot!(all);
}

#[test]
fn a_shell_has_more_escapes_and_empty_names() {
    let as_shell = |text: &str| Template::parse_as_shell(text)?.expand_as_shell(&lookup);
    for (text, expected, unset) in [
        ("$A/$LATER${LATER%x}.", "alpha/.", &["LATER", "LATER"][..]),
        ("${LATER:-x}${LATER:+$LATER}", "x", &[]),
        (r"\\$A\`\$A\A", r"\alpha`$A\A", &[]),
        (r"${LATER:-\\}", r"\", &[]),
        ("a\\\nb$A", "abalpha", &[]),
        ("$A$ $, $/ $%", "alpha$ $, $/ $%", &[]),
    ] {
        let (value, found) = as_shell(text).expect(text);
        assert_eq!(value, expected, "{text}");
        assert_eq!(found, unset, "{text}");
    }
    for text in ["$(A)", "a`b`", "${B:-$(A)}"] {
        assert_eq!(as_shell(text), Err(ExpandError::Command), "{text}");
    }
    for (text, parameter) in [
        ("costs $5", "5"),
        ("a$$ b", "$"),
        ("$@", "@"),
        ("$[1 + 1]", "["),
    ] {
        let expected = ExpandError::Parameter(parameter.to_owned());
        assert_eq!(as_shell(text), Err(expected), "{text}");
        assert_eq!(expanded(text).as_deref(), Ok(text));
    }
    for text in [
        "${A#[ab]}",
        "${A%%'x'*}",
        "${A//[ab]/x}",
        "${A/#a/x}",
        "${A/%a/x}",
        "${A////x}",
        "${A/a/&}",
    ] {
        assert!(
            matches!(as_shell(text), Err(ExpandError::Form(_))),
            "{text}"
        );
        assert!(expanded(text).is_ok(), "{text}");
    }
    assert!(expanded("$(A)`").is_ok());
}

#[test]
fn unknown_names_can_be_left() {
    let bound = Template::parse("$A:$LATER:${LATER:-$A\\$}:\\$A")
        .unwrap()
        .bind(&lookup)
        .unwrap();
    assert_eq!(bound.text(), None);
    let later = |name: &str| (name == "LATER").then_some("x");
    assert_eq!(bound.expand(&later).unwrap(), "alpha:x:x:$A");
    let never = |_: &str| None;
    assert!(bound.expand(&never).is_err());
    let whole = Template::parse("a\\$b$A").unwrap().bind(&lookup).unwrap();
    assert_eq!(whole.text(), Some("a$balpha"));
}

#[test]
fn growth_is_limited() {
    let big = "x".repeat(100_000);
    let lookup = |_: &str| Some(big.as_str());
    let text = "$A".repeat(5000);
    let template = Template::parse(&text).unwrap();
    assert_eq!(template.expand(&lookup), Err(ExpandError::TooLong));
    assert_eq!(template.bind(&lookup), Err(ExpandError::TooLong));
    let text = "${B:-$A}".repeat(5000);
    let only_a = |name: &str| (name == "A").then_some(big.as_str());
    assert_eq!(
        Template::parse(&text).unwrap().bind(&only_a),
        Err(ExpandError::TooLong)
    );
    let told = |text: &str, value: &str| {
        let template = Template::parse(text).unwrap();
        template
            .expand(&|_| Some(value))
            .map_err(|error| error.to_string())
    };
    let long = "x".repeat(1001);
    assert_eq!(told("${A#*x}", &long[1..]).as_deref(), Ok(&long[2..]));
    let error = told("${A#*x}", &long).unwrap_err();
    assert_eq!(
        error,
        "the value of A is longer than 1000 characters, too long for a pattern"
    );
    assert!(told(&format!("${{A#{}}}", &long[..100]), "x").is_ok());
    let error = told(&format!("${{A#{}}}", &long[..101]), "x").unwrap_err();
    assert_eq!(error, "the pattern for A is longer than 100 characters");
}

proptest! {
    #[test]
    fn no_text_makes_it_panic_or_hang(text in "[$A{}:+?#%/*\\\\B-]{0,60}") {
        if let Ok(template) = Template::parse(&text) {
            let _ = template.expand(&lookup);
            if let Ok(bound) = template.bind(&lookup) {
                // Expanding in two steps gives the same as in one.
                let rest = bound.expand(&|_| None);
                if let (Ok(rest), Ok(whole)) = (rest, template.expand(&lookup)) {
                    prop_assert_eq!(rest, whole);
                }
            }
        }
    }

    #[test]
    fn strings_without_dollars_stay(text in "[^$]{0,40}") {
        prop_assert_eq!(expanded(&text), Ok(text));
    }

    #[test]
    fn a_trimmed_value_is_a_part_of_it(text in "[ab]{0,30}", pattern in "[ab*?]{0,8}") {
        let lookup = |name: &str| (name == "T").then_some(text.as_str());
        for form in ["#", "##", "%", "%%"] {
            let template = Template::parse(&format!("${{T{form}{pattern}}}")).unwrap();
            let out = template.expand(&lookup).unwrap();
            let is_part = if form.starts_with('#') {
                text.ends_with(&out)
            } else {
                text.starts_with(&out)
            };
            prop_assert!(is_part);
        }
    }
}
