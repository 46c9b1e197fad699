use super::*;
use crate::place::Place;
use condafront_model::source::{Lines, SourceFile};

#[test]
fn lines_of_other_tools_are_recognised() {
    let file = SourceFile::new("r.txt", "x\n");
    let place = Place {
        file: &file,
        lines: Lines::one(1),
    };
    let mut all = String::new();
    for text in [
        "conda-forge::pandas",
        "bioconda::samtools=1.20=h0_0",
        "absl-py=1.4.0=pypi_0",
        "selenium=3.14.0=py37hfa6e2cd_0",
        "zlib==1.2.13=h5a0b063_0",
        "x264=1!157.2=h7b6447c_0",
        "_libgcc_mutex=0.1=main",
        "_openmp_mutex==4.5",
        "pip install requests",
        "pip install",
        "$ python -m pip install requests",
        "python3 -m pip install --user requests",
        "conda install -c conda-forge pandas",
        "<!DOCTYPE html>",
        "[build-system]",
        "from setuptools import setup",
        "dependencies:",
    ] {
        let found = mistake(text).unwrap_or_else(|| panic!("{text}"));
        let error = found.at(place);
        all.push_str(&format!(
            "{}\n  {}\n",
            error.message,
            error.help.unwrap_or_default()
        ));
    }
    insta::assert_snapshot!(all);
    for text in [
        "pip",
        "pipenv install",
        "a=1",
        "a==1",
        "'a",
        "a b",
        "a==1\t--hash=sha256:0",
        "a==1--hash=x",
        "_ = 1",
    ] {
        assert_eq!(mistake(text), None, "{text}");
    }
}

#[test]
fn what_to_write_is_named() {
    for (text, expected) in [
        ("foo=1.0", "pip needs two equals signs: foo==1.0"),
        ("foo = 1.0", "pip needs two equals signs: foo==1.0"),
        ("foo=1.*", "pip needs two equals signs: foo==1.*"),
        ("foo 1.2", "Write `foo==1.2`."),
        ("foo[a,b] 1.2", "Write `foo[a,b]==1.2`."),
        ("foo (1.2)", "Write `foo==1.2`."),
        ("foo:1.2", "Write `foo==1.2`."),
        ("foo^1.2", "Write `foo>=1.2,<2`."),
        ("foo ~1.2", "Write `foo>=1.2,<1.3`."),
        ("foo>=1.0 <2", "Write `foo>=1.0,<2`."),
        ("foo latest", "Write `foo`."),
        ("foo, bar", "Write each requirement on its own line."),
        ("foo==1.0 bar", "Write each requirement on its own line."),
        (
            "foo==1.0, bar>=2",
            "Write each requirement on its own line.",
        ),
        ("foo#comment", "Write a space in front of the comment."),
        (
            "foo;",
            "Write a condition after the semicolon, or remove it: `foo`.",
        ),
        (
            "foo; python_version>=3.8",
            "Write `python_version>=\"3.8\"` after the semicolon.",
        ),
        (
            "foo; python >= 3.8 and (sys_platform == linux or 'x' in os_name)",
            "Write `python_version >= \"3.8\" and (sys_platform == \"linux\" or 'x' in os_name)` after the semicolon.",
        ),
    ] {
        assert_eq!(help(text).as_deref(), Some(expected), "{text}");
    }
    let of_locks = help("foo; 'a' in extras").unwrap_or_default();
    assert!(of_locks.starts_with("Only a pylock.toml"), "{of_locks}");
    let others = [
        "foo; bar",
        "foo; 'a' in bar",
        "foo; 'a' == b and c",
        "foo @ bar",
    ];
    for text in others.into_iter().chain(["4 + 4 = 2", "foo>=", "foo=="]) {
        assert_eq!(help(text), None, "{text}");
    }
    assert!(help("foo==1.0 \\").unwrap().contains("continues"));
}
