//! The same input gives the same image, whoever builds it.

use condafront_testkit::channel::{Channel, HashStyle, Package, WheelFile};
use condafront_testkit::engine::{self, Store};

use crate::locks::{conda_lock, pixi_lock};
use crate::pip::{hello, real, serve};
use crate::pip_private::index;
use crate::project::{GZIP, LOCK, Project, base, frontend};
use crate::pushed::Pushed;

/// With dates in archives and images that are not the time of a build.
const EPOCH: [&str; 2] = ["--build-arg", "SOURCE_DATE_EPOCH=1700000000"];

/// The second has one core, another time zone, and another mirror, and lists the packages in another order.
#[test]
fn two_builders_that_never_met_make_the_same_image() {
    let one = Project::new(Store::Containerd);
    one.lock(&[
        "python",
        "activate-demo",
        "clash-a",
        "clash-b",
        "file-kinds",
        "jinja2",
        "noarch-demo",
        "post-link-demo",
        "prefix-demo",
        "text-prefix",
        "pip",
    ]);
    let pip = [
        serve(&one, "hello.world", &hello("1.0")),
        real(&one, "idna"),
    ];
    let lock = std::fs::read_to_string(one.path(LOCK)).unwrap();
    one.write(LOCK, lock + &pip.concat());
    let other = Project::elsewhere(Store::Containerd);
    let lock = std::fs::read_to_string(one.path(LOCK)).unwrap();
    // Two of them have the same file: the later one in the lock wins.
    let backwards = reordered(&lock, |entries| {
        entries.reverse();
        let at = |name: &str| entries.iter().position(|entry| entry.contains(name));
        let (a, b) = (at("/clash-a-").unwrap(), at("/clash-b-").unwrap());
        entries.swap(a, b);
    });
    other.write(LOCK, backwards);
    let mirror = format!("CONDA_MIRRORS={}={}", one.channel(), other.channel());

    let ours = one.push("image", &EPOCH);
    let mirrored = [&EPOCH[..], &["--build-arg", &mirror]].concat();
    let theirs = other.push("image", &mirrored);
    let asked = other.packages_requested();
    assert!(
        asked.iter().any(|path| path.contains("/python-3")),
        "{asked:?}"
    );
    assert_eq!(ours.layers, theirs.layers);
    assert_eq!(ours.manifest, theirs.manifest);
}

/// An explicit lock with its entries in another order.
fn reordered(lock: &str, change: impl FnOnce(&mut Vec<&str>)) -> String {
    const MARKER: &str = "@EXPLICIT\n";
    let (start, entries) = lock.split_once(MARKER).expect("an explicit lock");
    let mut entries = entries.lines().collect();
    change(&mut entries);
    format!("{start}{MARKER}{}\n", entries.join("\n"))
}

/// The order of an explicit lock decides only which of two packages' files is at a path that both have.
#[test]
fn any_order_of_an_explicit_lock_gives_the_same_image() {
    let project = Project::new(Store::Containerd);
    let pip = [
        serve(&project, "hello.world", &hello("1.0")),
        real(&project, "idna"),
    ];
    let packages = Channel::open().closure(&["python", "jinja2", "activate-demo", "prefix-demo"]);
    let lock = project.lock_text(&packages, HashStyle::Sha256) + &pip.concat();
    // By their hashes, which have nothing to do with names and with what packages need.
    let shuffled = reordered(&lock, |entries| {
        entries.sort_by_key(|line| line.rsplit('#').next());
    });
    for layers in ["auto", "1"] {
        let layers = format!("CONDAFRONT_LAYERS={layers}");
        let args = [&EPOCH[..], &["--build-arg", &layers]].concat();
        let [one, another] = [&lock, &shuffled].map(|text| {
            project.write(LOCK, text);
            project.push("image", &args)
        });
        assert_eq!(one.layers, another.layers, "{layers}");
        assert_eq!(one.manifest, another.manifest, "{layers}");
    }
}

/// Files that say what packages need, or what is wanted.
#[test]
fn any_order_of_other_files_gives_the_same_image() {
    let project = Project::new(Store::Containerd);
    let channel = Channel::open();
    let packages = channel.closure(&[
        "activate-demo",
        "clash-a",
        "clash-b",
        "metapackage",
        "text-prefix",
    ]);
    let backwards: Vec<&Package> = packages.iter().rev().copied().collect();
    let other = channel.find("prefix-demo");
    let lab = ["--build-arg", "ENVIRONMENT=lab"];
    let of_pixi = [&EPOCH[..], &lab].concat();
    for (kind, make, args) in [
        (
            "conda-lock.yml",
            conda_lock as fn(&Project, &[&Package], &Package) -> String,
            &EPOCH[..],
        ),
        ("pixi.lock", pixi_lock, &of_pixi),
    ] {
        let [one, another] = [&packages, &backwards].map(|packages| {
            project.write(LOCK, make(&project, packages, other));
            project.push("image", args)
        });
        assert_eq!(one.manifest, another.manifest, "{kind}");
    }

    let wheels = index(&[hello("1.0"), WheelFile::new("other_wheel", "2.0")]);
    project.server.mount("/pypi", wheels.path());
    let simple = format!("--index-url {}", project.server.url("/pypi/simple/"));
    let conda = ["python", "pip", "jinja2", "clash-a", "clash-b"];
    let pip = ["hello.world", "other-wheel", &simple];
    let text = |conda: &[&str], pip: &[&str]| {
        let listed = |indent: &str, entries: &[&str]| -> String {
            let lines = entries.iter().map(|it| format!("{indent}- {it}\n"));
            lines.collect()
        };
        format!(
            "# syntax={}\nchannels: [\"{}\"]\ndependencies:\n{}  - pip:\n{}",
            frontend(),
            project.channel(),
            listed("  ", conda),
            listed("    ", pip),
        )
    };
    let args = [&EPOCH[..], &["--network", "host"]].concat();
    let image = |text: String| {
        project.write("env.yml", text);
        project.push_file("env.yml", "image", &args)
    };
    let one = image(text(&conda, &pip));
    let (mut conda, mut pip) = (conda, pip);
    conda.reverse();
    pip.reverse();
    let another = image(text(&conda, &pip));
    assert_eq!(one.layers, another.layers);
    assert_eq!(one.manifest, another.manifest);
}

/// Commands give their files the time at which they run, and every copy and command changes the times of folders.
#[test]
fn copies_and_commands_are_repeatable_with_rewritten_times() {
    let project = Project::new(Store::Containerd);
    let image = |args: &[&str]| {
        let reference = format!("{}/{}:times", engine::registry(), project.name());
        let output = format!(
            "type=image,name={reference},push=true,store=false,rewrite-timestamp=true,{GZIP}"
        );
        let epoch = "SOURCE_DATE_EPOCH=1700000000";
        let usual = [
            "build",
            "--progress",
            "plain",
            "--provenance=false",
            "-f",
            "env.yml",
        ];
        let to = ["--output", &output, "--build-arg", epoch];
        let built = project.docker(&[&usual[..], &to, args, &["."]].concat());
        let progress = built.expect_success().stderr;
        Pushed::new(progress, &reference)
    };
    project.write("app.txt", "app\n").write(
        "env.yml",
        format!(
            "# syntax={}\nchannels: [{}]\ndependencies: [text-prefix]\n\
             condafront:\n  installer: native\n  base: {}\n  workdir: /work\n  copy:\n    app.txt: new/folder/\n  \
             run:\n    - mkdir -p made/here && date +%Y > made/here/year\n",
            frontend(),
            project.channel(),
            base(),
        ),
    );
    let first = image(&[]);
    let again = image(&["--no-cache"]);
    let ran = again.steps_run();
    for step in ["[copy]", "[run 1/1]"] {
        assert!(ran.iter().any(|name| name.starts_with(step)), "{ran:?}");
    }
    assert_eq!(first.layers, again.layers);
    assert_eq!(first.manifest, again.manifest);

    // The base's layer is the one that every other image has.
    let of_base = Pushed::new(String::new(), &base());
    assert_eq!(first.layers[0], of_base.layers[0]);
}
