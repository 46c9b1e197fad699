//! Channels that make solving interesting.

use condafront_testkit::repodata::{Repodata, record};

/// The first channel: python and packages that need it, and a case for each rule by which conda chooses.
pub(crate) fn main() -> Repodata {
    let mut channel = Repodata::default();
    pythons(&mut channel);
    numbers(&mut channel);
    ties(&mut channel);
    systems(&mut channel);
    conflicts(&mut channel);
    channel
}

/// The second channel: some names from the first one, and some of its own.
pub(crate) fn extra() -> Repodata {
    let mut channel = Repodata::default();
    channel
        .add(record("numpy 3.0.0 py312_0").depends(["python >=3.12,<3.13.0a0"]))
        .add(record("zlib 1.4.0 h_0"))
        .add(
            record("needs-new-numpy 1.0 0")
                .noarch()
                .depends(["numpy >=3"]),
        )
        .add(record("extra-only 1.0 0").noarch().depends(["zlib"]))
        .add(record("extra-only 1.1 0").noarch().depends(["zlib >=1.4"]));
    channel
}

/// A channel with one package.
pub(crate) fn only<const N: usize>(id: &str, depends: &[&str; N]) -> Repodata {
    let mut channel = Repodata::default();
    channel.add(record(id).depends(*depends));
    channel
}

fn pythons(channel: &mut Repodata) {
    for (python, next, abi, build) in [
        ("3.11.9", "3.12.0a0", "cp311", "h1_0"),
        ("3.12.7", "3.13.0a0", "cp312", "h1_0"),
        ("3.12.7", "3.13.0a0", "cp312", "h2_1"),
        ("3.13.0", "3.14.0a0", "cp313", "h1_0"),
    ] {
        let short = &python[..4];
        channel.add(
            record(&format!("python {python} {build}"))
                .depends([
                    "__glibc >=2.17",
                    "__unix",
                    "openssl >=3.3,<4.0a0",
                    "tzdata",
                    "libzlib >=1.3,<2.0a0",
                ])
                .constrains([&format!("python_abi {short}.* *_{abi}")]),
        );
        if build != "h1_0" {
            continue;
        }
        let tag = abi.replace("cp", "py");
        let depends_python = format!("python >={short},<{next}");
        let depends_abi = format!("python_abi {short}.* *_{abi}");
        channel.add(
            record(&format!("python_abi {short} 5_{abi}"))
                .number(5)
                .constrains([&format!("python {short}.*")]),
        );
        for numpy in ["1.26.4", "2.1.0"] {
            if (numpy, abi) == ("1.26.4", "cp313") {
                continue;
            }
            channel.add(
                record(&format!("numpy {numpy} {tag}_0"))
                    .depends(["libblas >=3.9.0,<4.0a0", &depends_python, &depends_abi])
                    .constrains(["numpy-base <0a0"]),
            );
        }
        channel.add(record(&format!("scipy 1.14.1 {tag}_0")).depends([
            "numpy >=1.26,<2.3",
            "libblas",
            &depends_python,
            &depends_abi,
        ]));
        channel.add(record(&format!("pandas 2.2.3 {tag}_1")).depends([
            "numpy >=1.26,<3",
            "python-dateutil >=2.8.1",
            "pytz >=2020.1,<2025",
            &depends_python,
            &depends_abi,
        ]));
    }
    channel
        .add(record("openssl 1.1.1w h_0"))
        .add(record("openssl 3.3.2 h_0").depends(["__glibc >=2.17", "ca-certificates"]))
        .add(record("openssl 3.4.0 h_0").depends(["__glibc >=2.17", "ca-certificates"]))
        .add(record("ca-certificates 2024.8.30 h_0"))
        .add(record("libzlib 1.3.1 h_2"))
        .add(record("zlib 1.3.1 h_2").depends(["libzlib 1.3.1 h_2"]))
        .add(record("tzdata 2024b hc_0").noarch())
        .add(
            record("libblas 3.9.0 24_openblas")
                .number(24)
                .depends(["libopenblas >=0.3.27,<1.0a0"]),
        )
        .add(
            record("libblas 3.9.0 25_openblas")
                .number(25)
                .depends(["libopenblas >=0.3.28,<1.0a0"]),
        )
        .add(
            record("libblas 3.9.0 25_mkl")
                .number(25)
                .depends(["mkl >=2024"])
                .track_features("blas_mkl"),
        )
        .add(record("libopenblas 0.3.28 h_0"))
        .add(record("mkl 2024.2 h_0"))
        .add(
            record("pip 24.2 py_0")
                .noarch()
                .depends(["python >=3.8", "setuptools", "wheel"]),
        )
        .add(
            record("pip 24.3 py_0")
                .noarch()
                .depends(["python >=3.8", "setuptools", "wheel"]),
        )
        .add(
            record("setuptools 75.1 py_0")
                .noarch()
                .depends(["python >=3.8"]),
        )
        .add(record("wheel 0.44 py_0").noarch().depends(["python >=3.8"]))
        .add(record("six 1.16 py_0").noarch().depends(["python"]))
        .add(
            record("python-dateutil 2.9.0 py_0")
                .noarch()
                .depends(["python >=3.7", "six >=1.5"]),
        )
        .add(
            record("pytz 2024.2 py_0")
                .noarch()
                .depends(["python >=3.7"]),
        )
        .add(
            record("pytz 2025.1 py_0")
                .noarch()
                .depends(["python >=3.7"]),
        )
        .add(record("legacy 1.0 py_0").noarch().depends(["python <3.12"]));
}

/// Versions.
fn numbers(channel: &mut Repodata) {
    for version in ["1.9", "1.10", "1.10.1", "2.0rc1", "2.0.dev5", "1!0.5"] {
        channel.add(record(&format!("versions {version} 0")));
    }
    for version in ["0.9", "1.0", "1.0.1", "1.1", "1.2", "2.0", "2.1"] {
        channel.add(record(&format!("plain {version} a_0")));
    }
    channel
        .add(record("plain 2.1 b_1"))
        .add(record("plain 1.1 b_1"))
        .add(record("mixed-case 1.0 0"))
        .add(record("withdrawn 1.0 0"))
        .add(record("withdrawn 1.1 0"))
        .remove("withdrawn-1.1-0.conda");
}

/// Packages with equal versions, where something else decides.
fn ties(channel: &mut Repodata) {
    channel
        .add(record("by-number 1.0 z_0").later(900))
        .add(record("by-number 1.0 a_1"))
        .add(record("by-time 1.0 a_0").later(100))
        .add(record("by-time 1.0 b_0"))
        .add(record("by-time 1.0 c_0").later(200))
        .add(record("by-time-alone 1.0 a_0").later(200))
        .add(record("by-time-alone 1.0 b_0"))
        .add(record("by-format 1.0 0"))
        .add(record("by-format 1.0 0").tar_bz2())
        .add(record("old-format 1.0 0").tar_bz2())
        .add(record("by-feature 1.0 a_5").track_features("debug"))
        .add(record("by-feature 1.0 b_0"))
        .add(record("by-feature-version 2.0 a_0").track_features("debug"))
        .add(record("by-feature-version 1.0 b_0"))
        .add(
            record("by-dependency 1.0 a_0")
                .depends(["plain <2"])
                .later(500),
        )
        .add(record("by-dependency 1.0 b_0").depends(["plain >=2"]))
        .add(record("by-folder 1.0 h_0").later(100))
        .add(record("by-folder 1.0 a_0").noarch())
        .add(record("in-noarch-newer 1.0 h_0"))
        .add(record("in-noarch-newer 1.1 py_0").noarch())
        .add(record("pinned-by-metapackage 1.0 0").depends(["plain 1.1 a_0"]));
}

/// Packages that depend on the machine.
fn systems(channel: &mut Repodata) {
    channel
        .add(record("torch 2.5 cpu_0").number(0))
        .add(
            record("torch 2.5 cuda12_200")
                .number(200)
                .depends(["__cuda >=12"]),
        )
        .add(record("cuda-only 1.0 0").depends(["__cuda"]))
        .add(record("cuda-new 1.0 0").depends(["__cuda >=13"]))
        .add(record("glibc-new 1.0 0").depends(["__glibc >=2.99"]))
        .add(record("glibc-some 1.0 0").depends(["__glibc >=2.17"]))
        .add(record("glibc-some 2.0 0").depends(["__glibc >=2.38"]))
        .add(record("fast 1.0 v1_0").depends(["__archspec 1 x86_64"]))
        .add(record("fast 1.0 v3_1").depends(["__archspec 1 x86_64_v3"]))
        .add(record("for-linux 1.0 0").noarch().depends(["__linux"]))
        .add(record("for-linux 1.0 win_1").noarch().depends(["__win"]))
        .add(record("for-windows 1.0 0").noarch().depends(["__win"]));
}

fn conflicts(channel: &mut Repodata) {
    channel
        .add(record("needs-old-ssl 1.0 0").depends(["openssl >=1.1,<3"]))
        .add(record("constrained 1.0 0").constrains(["plain <2"]))
        .add(record("constrains-itself 1.0 0").constrains(["constrains-itself <1"]))
        .add(record("constrains-itself 0.5 0"))
        .add(record("constrained-away 1.0 0").constrains(["plain <0"]))
        .add(record("left 1.0 0").depends(["plain >=1,<1.1"]))
        .add(record("left 2.0 0").depends(["plain >=2"]))
        .add(record("right 1.0 0").depends(["plain >=1.0.1,<2"]))
        .add(record("broken 1.0 0").depends(["nowhere >=1"]))
        .add(record("broken 2.0 0").depends(["nowhere >=2"]))
        .add(record("half-broken 1.0 0"))
        .add(record("half-broken 2.0 0").depends(["nowhere"]));
}
