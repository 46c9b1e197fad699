use super::*;
use crate::section::args::BuildArgs;
use condafront_model::channel::ChannelNames;
use condafront_model::platform::Platform;
use condafront_model::source::{Lines, SourceFile};

/// A dependency as it is stored, and the names of the channels that it adds.
fn stored(text: &str) -> Result<(String, Vec<String>), Diagnostic> {
    let file = SourceFile::new("env.yml", "dependencies:\n");
    let place = Place {
        file: &file,
        lines: Lines::one(1),
    };
    let mut channels = Channels::new(
        ChannelNames::default(),
        Platform::LinuxAmd64,
        &BuildArgs::default(),
    );
    let dependency = read(text, &mut channels, place)?;
    let brought = channels.finish().0.into_iter().map(|channel| channel.name);
    Ok((dependency.spec.spec, brought.collect()))
}

#[test]
fn every_spelling_that_conda_takes_is_taken() {
    let mut all = String::new();
    for text in [
        "numpy",
        "NumPy",
        "pandas[extras=[plot, speed.up]]",
        "numpy >=2[flags=['blas:*', gpu], channel=conda-forge]",
        "tomli[when='python <3.11']",
        "triton[when=\"python >=3.12 and (__cuda or __rocm)\"]",
        "bioconda::samtools[when='python[version=\">=3.12\"]', build=h*]",
        "numpy=1.26",
        "numpy 1.26.*",
        "numpy 1.26",
        "numpy==1.26.*",
        "numpy>=1.20,<2",
        "numpy >= 1.20 , < 2",
        "python = 3.12",
        "python=3.1*",
        "numpy>1.8,<2|==1.7",
        "numpy !=1.8.1",
        "numpy~=1.26",
        "numpy!=1.25.*",
        "numpy >=1.20.*",
        "numpy (>=1.20)",
        "numpy >2,!=2.4.5|2.4.6",
        "numpy=1.26.4=*",
        "numpy=*",
        "numpy==1.26.4=py312*_0",
        "numpy=1.26.4=py312heda63a1_0",
        "numpy 1.26.4 py312heda63a1_0",
        "python 3.12.* *_cpython",
        "blas=*=openblas",
        "tzdata=2024a",
        "libfoo=1!2.0",
        "_libgcc_mutex=0.1=conda_forge",
        "__glibc>=2.28",
        "numpy===1.26",
        "numpy===1.26.4=py312_0",
        "numpy[version='===1.26']",
        "numpy==*",
        "numpy=",
        "numpy >= 1.20 , <2 py312_0",
        "numpy[version='>=1.20, <2']",
        "foo=1.2.",
        "mkl 2023.*.*",
        "numpy >=1.*",
        "numpy 1.2*",
        "anaconda=custom=py37_1",
        "anaconda custom py37_1",
        "foo=dev",
        "foo==main",
        "foo=latest",
        "foo==latest",
        "foo =latest",
        "foo =custom",
        "foo>=nightly",
        "foo=2.x.y",
        "mypkg=nightly=0",
        "r-base=custom",
        "foo[version=dev]",
        "foo=1.0=^py3.*$",
        "foo[build='^(py38|py39)_0$']",
        "numpy # a comment",
        "numpy[version='>=1.20,<2', build=py312*]",
        "numpy [version=\">=1.20\"]",
        "numpy>1.8[build_number='>=2']",
        "numpy[md5=d41d8cd98f00b204e9800998ecf8427e]",
        "numpy[fn=numpy-1.26.4-0.conda]",
        "bioconda::samtools",
        "conda-forge/linux-64::numpy=1.26",
        "conda-forge/label/dev::numpy=1.26",
        "pkgs/main::numpy",
        "defaults::numpy",
        "https://conda.example/forge::numpy=1.26",
        "https://conda.example/forge/noarch::numpy",
        "bioconda:bcftools=1.20",
        "bioconda:samtools 1.2 h0_1",
        "conda-forge:python>=3.9",
        "conda-forge/linux-64:numpy=1",
        "bioconda:7zip",
        "bioconda:bcftools[version='>=1.20', build=h0_*]",
        "a:b:c",
        "conda-forge:main:numpy >=1.26",
        "samtools[channel=bioconda, version='1.*']",
        "samtools[channel='https://conda.example/bio', subdir=noarch]",
        "https://conda.example/forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda",
        "https://conda.example/forge/noarch/tzdata-2025b-0.tar.bz2#4222072737ccff51314b5ece9c7d6f5a",
        "zlib[url=https://conda.example/forge/linux-64/zlib-1.3.1-hb9d3cd8_2.conda]",
    ] {
        let (spec, channels) = stored(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        all.push_str(&format!("{text}\n    {spec}\n"));
        for channel in channels {
            all.push_str(&format!("    + channel {channel}\n"));
        }
    }
    insta::assert_snapshot!(all);
}

#[test]
fn advice_keeps_the_version_and_the_build() {
    for (text, advice) in [
        ("python:3.12=h0_0", "python=3.12=h0_0"),
        (
            "conda-forge::python:3.12.8 h0_0",
            "conda-forge::python=3.12.8 h0_0",
        ),
        ("python:3.12-slim", "python=3.12-slim"),
        (
            "'bioconda: samtools=1.2'".trim_matches('\''),
            "bioconda::samtools=1.2",
        ),
        (
            "https://c.example/forge:numpy=1.2=0",
            "https://c.example/forge::numpy=1.2=0",
        ),
        ("numpy=>1.20 py312*", "numpy>=1.20 py312*"),
        ("numpy>=1.20 <2", "numpy>=1.20,<2"),
        ("c::numpy >1 and <2 py_0", "c::numpy >1,<2 py_0"),
        ("c::foo@1.2=py_0", "c::foo=1.2=py_0"),
        ("foo@~1.2", "foo>=1.2,<1.3"),
        ("c::python ^3.10", "c::python >=3.10,<4"),
        ("python^3.10.1", "python>=3.10.1,<4"),
        ("python=^3.10", "python>=3.10,<4"),
        ("python ~3.10", "python >=3.10,<3.11"),
        ("python ~3.10.1", "python >=3.10.1,<3.11"),
        ("python latest", "python"),
        ("python >=3.10 <3.12", "python >=3.10,<3.12"),
        ("python ~=3.10 <3.12", "python ~=3.10,<3.12"),
        ("python==~3.10", "python>=3.10,<3.11"),
        ("python=~3.10", "python~=3.10"),
        (
            "python >= 3.10 <3.12 !=3.11.1",
            "python >=3.10,<3.12,!=3.11.1",
        ),
        ("foo@latest", "foo"),
        ("numpy=1.2=py38_0=extra", "NAME=VERSION=BUILD"),
        ("numpy>=1.2; python_version>'3'", "[linux64]"),
        ("numpy >=1,", "numpy >=1"),
        ("six=1.16.0=pypi_0", "six==1.16.0"),
        ("numpy=1.20==py38_0", "numpy=1.20=py38_0"),
        ("numpy==1.20==py38_0", "numpy==1.20=py38_0"),
        (
            "numpy 1.20 py38_0 conda-forge",
            "conda-forge::numpy=1.20=py38_0",
        ),
        ("numpy - scipy >=1", "numpy"),
        ("'numpy >=1'", "without them"),
        ("'conda-forge::numpy >=1'", "without them"),
        ("numpy[version>=1.20]", "numpy[version='>=1.20']"),
        ("numpy\u{a0}>=1.20", "Write a space in its place"),
        ("numpy ≥1.20", ">="),
        ("pip install six==1.16", "six==1.16"),
        ("six[version='==1.16.0', build=pypi_0]", "six==1.16.0"),
        (
            "-e git+https://g.example/x.git@v1#egg=x",
            "git+https://g.example/x.git@v1#egg=x",
        ),
    ] {
        let error = stored(text).unwrap_err();
        let help = error.help.unwrap_or_default();
        let words = help
            .split([' ', '`'])
            .map(|word| word.trim_end_matches('.'));
        assert!(
            help.contains(advice)
                && (advice.contains(' ') || words.into_iter().any(|word| word == advice)),
            "{text}: {help}"
        );
    }
}

#[test]
fn nested_parentheses_are_harmless() {
    for depth in [1, 8, 100, 400] {
        let text = format!("numpy {}1{}", "(".repeat(depth), ")".repeat(depth));
        let _ = stored(&text);
        let _ = stored(&format!("numpy[version='{text}']"));
    }
}

proptest::proptest! {
    #[test]
    fn what_is_taken_is_read_strictly_as_the_same(
        text in "[a-c]{1,3}([=<>!~ ,|]{0,3}[0-9.*]{0,4}){0,3}(\\[[a-z]{0,7}[=\"']{0,2}[a-z0-9.]{0,4}[\"']?\\])?"
    ) {
        if let Ok((spec, _)) = stored(&text) {
            proptest::prop_assert!(MatchSpec::from_str(&spec, ParseStrictness::Strict).is_ok(), "{}", spec);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-c0-9:/.@\\[\\]()=<>!~,|*^$#;'\"\\\\ é-]{0,60}") {
        let _ = stored(&text);
    }
}
