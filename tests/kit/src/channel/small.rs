//! Packages made from scratch: one for each thing that a conda package can do.

use std::fs;

use super::archive::Format;
use super::custom::noise;
use super::recipe::{Kind, Placeholder, Recipe, placeholder};
use super::store::{Job, job};
use super::tools;
use crate::engine::run;

const LINUX: Kind = Kind::Platform("linux-64");

/// Bytes in the one large file of `bigpkg`.
const BIG: usize = 20 * 1024 * 1024;

/// Everything in the small channel.
pub(super) fn jobs() -> Vec<Job> {
    let mut recipes = vec![
        metapackage(),
        file_kinds(),
        text_prefix(),
        activate(),
        activate_shell(),
        env_vars(),
        post_link(),
        post_link_fails(),
        clash("clash-a"),
        clash("clash-b"),
        noarch_demo(),
        platform_demo("linux-64"),
        platform_demo("linux-aarch64"),
        aarch64_only(),
    ];
    recipes.extend(["1.0", "1.1", "2.0"].map(bumpme));
    let mut jobs: Vec<Job> = recipes.into_iter().map(job).collect();
    jobs.push(Box::new(|| prefix_demo().build()));
    for version in ["1.0", "1.1"] {
        jobs.push(Box::new(move || bigpkg(version).build()));
    }
    jobs
}

/// `count` packages of one small file each.
pub(super) fn tiny_jobs(count: usize) -> Vec<Job> {
    (0..count)
        .map(|number| {
            let name = format!("tiny-{number:04}");
            job(Recipe::new(&name, "1.0", Kind::NoarchGeneric).file(
                &format!("share/tiny/{number:04}.txt"),
                format!("{number}\n"),
                0o644,
            ))
        })
        .collect()
}

/// No files, only dependencies.
fn metapackage() -> Recipe {
    Recipe::new("metapackage", "1.0", Kind::NoarchGeneric).depends(&["bumpme >=1.0", "file-kinds"])
}

/// File modes and links of every kind.
fn file_kinds() -> Recipe {
    const SCRIPT: &str = "#!/bin/sh\necho file-kinds\n";
    Recipe::new("file-kinds", "1.0", LINUX)
        .file("bin/file-kinds", SCRIPT, 0o755)
        .symlink("bin/file-kinds-link", "file-kinds")
        .file("lib/file-kinds/data.txt", "data\n", 0o644)
        .file("lib/file-kinds/private.txt", "private\n", 0o600)
        .file("lib/file-kinds/group.txt", "group\n", 0o664)
        .file("lib/file-kinds/empty", "", 0o644)
        .file("lib/file-kinds/name with space and ü.txt", "name\n", 0o644)
        .symlink("lib/file-kinds-directory", "file-kinds")
        .symlink("share/file-kinds", "../lib/file-kinds")
        .symlink("lib/file-kinds/dangling", "not-here")
}

/// A script whose first line names the prefix, in the older archive format.
fn text_prefix() -> Recipe {
    let prefix = placeholder();
    let script = format!("#!{prefix}/bin/python\nprint('prefix {prefix}')\n");
    let config = format!("[paths]\nroot={prefix}\ndata={prefix}/share/text-prefix\n");
    Recipe::new("text-prefix", "1.0", LINUX)
        .format(Format::TarBz2)
        .file_with_prefix("bin/text-prefix", script, 0o755, Placeholder::Text)
        .file_with_prefix("etc/text-prefix.ini", config, 0o644, Placeholder::Text)
}

/// A program and its shared library, both with the prefix in their bytes.
fn prefix_demo() -> Recipe {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let prefix = placeholder();
    fs::write(
        folder.path().join("demo.c"),
        include_str!("small/prefix_demo.c"),
    )
    .expect("the C source is written");
    let define = format!("-DPLACEHOLDER=\"{prefix}\"");
    let compile = |arguments: &[&str]| {
        run(tools::cc()
            .current_dir(folder.path())
            .args(["-O1", "-Wl,--build-id=none", &define])
            .args(arguments))
        .expect_success();
    };
    compile(&[
        "-DLIBRARY",
        "-shared",
        "-fPIC",
        "-o",
        "libprefix-demo.so",
        "demo.c",
    ]);
    compile(&[
        "-o",
        "prefix-demo",
        "demo.c",
        "-L.",
        "-lprefix-demo",
        "-Wl,-rpath,$ORIGIN/../lib",
    ]);
    let read = |name: &str| fs::read(folder.path().join(name)).expect("what cc wrote");
    Recipe::new("prefix-demo", "1.0", LINUX)
        .depends(&["__glibc >=2.34"])
        .file_with_prefix(
            "bin/prefix-demo",
            read("prefix-demo"),
            0o755,
            Placeholder::Binary,
        )
        .file_with_prefix(
            "lib/libprefix-demo.so",
            read("libprefix-demo.so"),
            0o755,
            Placeholder::Binary,
        )
        .file("share/prefix-demo/message.txt", "found\n", 0o644)
}

/// Scripts that set variables when the environment is activated.
fn activate() -> Recipe {
    const ACTIVATE: &str = "\
export ACTIVATE_DEMO_HOME=\"$CONDA_PREFIX/share/activate-demo\"
if [ -d \"$CONDA_PREFIX/share/activate-demo\" ]; then
    export ACTIVATE_DEMO_FOUND=yes
else
    export ACTIVATE_DEMO_FOUND=no
fi
if [ -n \"${ACTIVATE_DEMO_SKIP:-}\" ]; then
    unset ACTIVATE_DEMO_FOUND
fi
";
    const DEACTIVATE: &str = "unset ACTIVATE_DEMO_HOME ACTIVATE_DEMO_FOUND\n";
    Recipe::new("activate-demo", "1.0", Kind::NoarchGeneric)
        .file("etc/conda/activate.d/activate-demo.sh", ACTIVATE, 0o644)
        .file("etc/conda/deactivate.d/activate-demo.sh", DEACTIVATE, 0o644)
        .file("share/activate-demo/readme.txt", "activate-demo\n", 0o644)
}

/// Scripts that do more than set variables: one defines a shell function, one sets a value that depends on the
/// container.
fn activate_shell() -> Recipe {
    const FUNCTION: &str = "activate_shell_function() { echo \"from a function\"; }\n";
    const DEPENDS: &str = "export ACTIVATE_SHELL_CACHE=\"$HOME/.cache/activate-shell\"\n";
    Recipe::new("activate-shell", "1.0", Kind::NoarchGeneric)
        .file("etc/conda/activate.d/function.sh", FUNCTION, 0o644)
        .file("etc/conda/activate.d/home.sh", DEPENDS, 0o644)
}

/// A variable without a script, and two that belong to the image.
fn env_vars() -> Recipe {
    const VARIABLES: &str =
        "{\"ENV_VARS_DEMO\": \"it's set\", \"PATH\": \"/nowhere\", \"MAMBA_SKIP_ACTIVATE\": 1}\n";
    Recipe::new("env-vars-demo", "1.0", Kind::NoarchGeneric).file(
        "etc/conda/env_vars.d/env-vars-demo.json",
        VARIABLES,
        0o644,
    )
}

/// A post-link script that writes below the prefix and leaves a message.
fn post_link() -> Recipe {
    const SCRIPT: &str = "\
#!/bin/sh
mkdir -p \"$PREFIX/share/post-link-demo\"
{
    echo \"name=$PKG_NAME version=$PKG_VERSION number=$PKG_BUILDNUM\"
    echo \"prefix=$PREFIX\"
} > \"$PREFIX/share/post-link-demo/written.txt\"
echo \"post-link-demo says hello\" >> \"$PREFIX/.messages.txt\"
";
    Recipe::new("post-link-demo", "1.0", LINUX)
        .file("bin/.post-link-demo-post-link.sh", SCRIPT, 0o755)
        .file("share/post-link-demo/readme.txt", "post-link\n", 0o644)
}

fn post_link_fails() -> Recipe {
    const SCRIPT: &str = "\
#!/bin/sh
echo \"post-link-fails: the reason is here\" >&2
exit 3
";
    Recipe::new("post-link-fails", "1.0", LINUX).file(
        "bin/.post-link-fails-post-link.sh",
        SCRIPT,
        0o755,
    )
}

/// One of two packages with the same file; its content says which.
fn clash(name: &str) -> Recipe {
    Recipe::new(name, "1.0", Kind::NoarchGeneric)
        .file("share/clash/both.txt", format!("{name}\n"), 0o644)
        .file(&format!("share/clash/{name}.txt"), "alone\n", 0o644)
}

/// A small package in several versions.
fn bumpme(version: &str) -> Recipe {
    let text: String = (0..100)
        .map(|line| format!("bumpme {version} line {line}\n"))
        .collect();
    Recipe::new("bumpme", version, Kind::NoarchGeneric)
        .file("share/bumpme/version.txt", format!("{version}\n"), 0o644)
        .file("share/bumpme/text.txt", text, 0o644)
}

/// A package that cannot be compressed.
fn bigpkg(version: &str) -> Recipe {
    Recipe::new("bigpkg", version, LINUX)
        .format(Format::Conda)
        .file("share/bigpkg/noise.bin", noise(version, BIG), 0o644)
        .file("share/bigpkg/version.txt", format!("{version}\n"), 0o644)
}

/// A noarch python package with an entry point, a script and data.
fn noarch_demo() -> Recipe {
    const MODULE: &str = "\
def main():
    print(\"noarch-demo\", __name__)
";
    let script = format!("#!{}/bin/python\nprint('script')\n", placeholder());
    let mut recipe = Recipe::new("noarch-demo", "1.0", Kind::NoarchPython)
        .depends(&["python"])
        .file("site-packages/noarch_demo/__init__.py", MODULE, 0o644)
        .file("site-packages/noarch_demo/data.txt", "data\n", 0o644)
        .file_with_prefix(
            "python-scripts/noarch-demo-script",
            script,
            0o755,
            Placeholder::Text,
        )
        .file("share/noarch-demo/readme.txt", "noarch-demo\n", 0o644);
    recipe.entry_points = vec!["noarch-demo = noarch_demo:main".to_owned()];
    recipe
}

/// The same package for two platforms; its content says which.
fn platform_demo(subdir: &'static str) -> Recipe {
    Recipe::new("platform-demo", "1.0", Kind::Platform(subdir)).file(
        "share/platform-demo/platform.txt",
        format!("{subdir}\n"),
        0o644,
    )
}

fn aarch64_only() -> Recipe {
    Recipe::new("aarch64-only", "1.0", Kind::Platform("linux-aarch64")).file(
        "share/aarch64-only/readme.txt",
        "only for linux-aarch64\n",
        0o644,
    )
}
