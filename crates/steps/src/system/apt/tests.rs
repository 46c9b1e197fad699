use super::*;

#[test]
fn architectures_are_read_from_package_names() {
    let packages = [
        "libc6:i386=2.41-12",
        "curl=1:8.14",
        "zlib1g:any",
        "libx:i386",
    ];
    let packages = packages.map(str::to_owned);
    assert_eq!(architectures(&packages), BTreeSet::from(["i386"]));
}

#[test]
fn what_apt_says_is_told_shortly_at_the_package() {
    let packages = ["libgl11", "curl=1.0", "tzdata", "gone", "broken"].map(str::to_owned);
    let outputs = [
        "Reading package lists...\nE: Unable to locate package libgl11\n",
        "E: Unable to locate package libgl11\nE: Unable to locate package no.such\nE: Couldn't find any package by glob 'no.such'\n",
        "E: Version '1.0' for 'curl' was not found\n",
        "Package gone is not available, but is referred to by another package.\n\nE: Package 'gone' has no installation candidate\n",
        "Reading package lists...\nPackage gone is a virtual package provided by:\n  postfix 3.10.4-1+deb13u1\n  exim4-daemon-light 4.98.2-1\n  nullmailer:i386 1:2.2+10~g7ed88a0-5\nYou should explicitly select one to install.\n\nE: Package 'gone' has no installation candidate\n",
        "Package gone is a virtual package provided by:\n  a 1\n  b 1\n  c 1\n  d 1\n  e 1\n  f 1\n  g 1\n  h 1\n  i 1\n  j 1\n\nE: Package 'gone' has no installation candidate\n",
        "Package gone is not available, but is referred to by another package.\nThis may mean that the package is missing, has been obsoleted, or\nis only available from another source\nHowever the following packages replace it:\n  python3 python3-minimal\n\nE: Package 'gone' has no installation candidate\n",
        "Err:1 http://deb.example/debian trixie/main amd64 tzdata\n  404  Not Found\nE: Failed to fetch http://me:hunter2@deb.example/pool/t.deb  404  Not Found\nE: Unable to fetch some archives, maybe run apt-get update or try with --fix-missing?\n",
        "Ign:1 https://deb.example ./ InRelease\nErr:2 https://deb.example ./ Packages\n  SSL connection failed: error:0A000086:SSL routines::certificate verify failed / Success [IP: 10.0.0.1 443]\nE: Failed to fetch https://deb.example/./Packages  SSL connection failed: error:0A000086:SSL routines::certificate verify failed\n",
        "Some packages could not be installed.\nThe following packages have unmet dependencies:\n broken : Depends: libc6 (>= 9) but 2.41 is to be installed\nE: Unable to correct problems, you have held broken packages.\n",
        "Setting up broken (1) ...\nno disk today\ndpkg: error processing package broken (--configure):\n installed broken package post-installation script subprocess returned error exit status 3\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n",
        "",
    ];
    let mut ask = |query: &[&str]| {
        match query {
        ["pkgnames"] => "libgl1\nlibc6\ntzdata\n".to_owned(),
        _ => " curl | 8.14.1-2 | http://deb.example/debian trixie/main amd64 Packages\n curl | 8.14.1-2 | http://other\n".to_owned(),
    }
    };
    let all: Vec<String> = outputs
        .iter()
        .map(|output| {
            let report = explain(output, &packages, &mut ask).into_report("apt");
            format!(
                "{output}\n=> {report}\nat {:?}\nhelp: {}\n",
                report.culprits,
                report.help.clone().unwrap_or_default()
            )
        })
        .collect();
    insta::assert_snapshot!(all.join("\n----\n"));
}

#[test]
fn a_failing_package_is_found_with_and_without_its_architecture() {
    let output = "dpkg: error processing package libc6:i386 (--configure):\n failed\n\
                  dpkg: error processing package libgl1:amd64 (--configure):\n failed\n";
    let packages = ["curl", "libc6:i386", "libgl1"].map(str::to_owned);
    let failure = explain(output, &packages, &mut |_| String::new());
    assert_eq!(failure.packages, [1, 2]);
}

#[test]
fn only_what_failed_is_shown_of_an_update() {
    let output = "Hit:1 http://a trixie InRelease\nIgn:2 http://b trixie InRelease\nErr:2 http://b trixie InRelease\n  Could not resolve 'b'\nW: Failed to fetch http://b/InRelease  Could not resolve 'b'\nE: Some index files failed to download. They have been ignored, or old ones used instead.\n";
    assert_eq!(
        errors(output),
        "Err:2 http://b trixie InRelease\nW: Failed to fetch http://b/InRelease  Could not resolve 'b'"
    );
}
