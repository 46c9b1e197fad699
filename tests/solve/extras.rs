//! Extras, flags, conditions and the architecture of GPUs (CEPs 43 to 46).

use condafront_step_spec::solve::SolveSpec;
use condafront_testkit::repodata::{Repodata, record};

use crate::{ask, question};

fn channel() -> Repodata {
    let mut channel = Repodata::default();
    channel
        .add(record("python 3.12.0 0"))
        .add(record("python 3.13.0 0"))
        .add(
            record("frame 1.0 0")
                .depends(["shim[when=\"python <3.13\"]"])
                .extra("plot", ["draw >=2"])
                .extra("speed", ["fast[when=\"__cuda\"]"]),
        )
        .add(record("shim 1.0 0"))
        .add(record("draw 1.0 0"))
        .add(record("draw 2.0 0"))
        .add(record("fast 1.0 0"))
        .add(record("maths 1.0 mkl_0").flags(["blas:mkl", "gpu"]))
        .add(record("maths 1.0 open_1").flags(["blas:open"]))
        .add(
            record("kernels 1.0 new_1")
                .number(1)
                .depends(["__cuda_arch >=9.0"]),
        )
        .add(
            record("kernels 1.0 old_0")
                .number(0)
                .depends(["__cuda_arch >=7.0"]),
        );
    channel
}

fn chosen(spec: &SolveSpec) -> Vec<String> {
    let packages = ask(spec, &[&channel()]).unwrap_or_else(|report| panic!("{report}"));
    let packages = packages.iter().filter(|package| package.name != "python");
    packages
        .map(|package| format!("{} {} {}", package.name, package.version, package.build))
        .collect()
}

#[test]
fn extras_bring_their_packages() {
    let of = |specs: &[&str]| chosen(&question(&["main"], specs));
    assert_eq!(of(&["frame"]), ["frame 1.0 0"]);
    assert_eq!(of(&["frame[extras=[plot]]"]), ["draw 2.0 0", "frame 1.0 0"]);
    assert_eq!(of(&["frame[extras=[speed]]"]), ["frame 1.0 0"]);
    let mut cuda = question(&["main"], &["frame[extras=[plot,speed]]"]);
    cuda.system.cuda = Some("12.8".to_owned());
    assert_eq!(chosen(&cuda), ["draw 2.0 0", "fast 1.0 0", "frame 1.0 0"]);
}

#[test]
fn conditions_are_about_the_environment() {
    let of = |specs: &[&str]| chosen(&question(&["main"], specs));
    assert_eq!(
        of(&["frame", "python 3.12.*"]),
        ["frame 1.0 0", "shim 1.0 0"]
    );
    assert_eq!(of(&["frame", "python 3.13.*"]), ["frame 1.0 0"]);
    let when = "draw <2[when=\"python >=3.13 or __cuda\"]";
    assert_eq!(of(&[when, "python 3.12.*"]), [""; 0]);
    assert_eq!(of(&[when, "python 3.13.*"]), ["draw 1.0 0"]);
    let both = "draw[when=\"python and __cuda\"]";
    assert_eq!(of(&[both, "python"]), [""; 0]);
}

#[test]
fn flags_choose_a_variant() {
    let of = |spec: &str| chosen(&question(&["main"], &[spec]));
    assert_eq!(of("maths"), ["maths 1.0 open_1"]);
    assert_eq!(of("maths[flags=['blas:mkl']]"), ["maths 1.0 mkl_0"]);
    assert_eq!(of("maths[flags=['blas:*', gpu]]"), ["maths 1.0 mkl_0"]);
}

#[test]
fn the_architecture_of_gpus_is_a_virtual_package() {
    let mut spec = question(&["main"], &["kernels"]);
    spec.system.cuda = Some("12.8".to_owned());
    for (arch, build) in [("8.6=0", "old_0"), ("9.0=0", "new_1"), ("12.1=x", "new_1")] {
        spec.system.cuda_arch = Some(arch.to_owned());
        assert_eq!(chosen(&spec), [format!("kernels 1.0 {build}")]);
    }
}

#[test]
fn what_is_missing_is_told() {
    let mut all = String::new();
    let mut fails = |spec: &SolveSpec| {
        let report = ask(spec, &[&channel()]).unwrap_err();
        let help = report.help.clone().unwrap_or_default();
        all.push_str(&format!(
            "{}\nerror: {report}\nhelp: {help}\n\n",
            spec.specs.join(" | ")
        ));
    };
    for specs in [
        &["frame[extras=[plott]]"][..],
        &["shim[extras=[a]]"],
        &["frame[extras=[plot]]", "draw <2"],
        &["draw >=3[when=\"python\"]", "python"],
        &["maths[flags=[none]]"],
        &["kernels"],
    ] {
        fails(&question(&["main"], specs));
    }
    let mut spec = question(&["main"], &["kernels"]);
    spec.system.cuda = Some("12.8".to_owned());
    fails(&spec);
    spec.system.cuda_arch = Some("6.1=0".to_owned());
    fails(&spec);
    insta::assert_snapshot!(all);
}
