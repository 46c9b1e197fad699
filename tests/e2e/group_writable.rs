//! An image whose group may write: it works for any user of that group, as OpenShift starts containers.

use condafront_testkit::channel::{Channel, HashStyle};
use condafront_testkit::engine::Store;

use crate::image::{Image, history};
use crate::pip::{hello, serve};
use crate::project::{Project, frontend, on_both_stores};

const IMAGE: &str = "image.yml";

/// Packages with bytecode, programs, links, a post-link script and clashes.
const PACKAGES: [&str; 7] = [
    "clash-a",
    "clash-b",
    "file-kinds",
    "noarch-demo",
    "pip",
    "post-link-demo",
    "text-prefix",
];

/// Lists what somebody of the group cannot write, and writes wherever it matters.
const WRITE: &str = "
set -e
id -u; id -g; echo $HOME
find /opt/conda $HOME /srv/app ! -type l ! -user daemon ! -perm -g=w
find /opt/conda $HOME /srv/app ! -user daemon ! -group 0
find $HOME -perm -o=w
for file in /opt/conda/conda-meta/history $HOME/.bashrc $HOME/app/private.txt $HOME/app/deep/a $HOME/ran/private /srv/app/ran \
    $HOME/private.txt /srv/app/private.txt /srv/app/only.py /srv/app/new.py /opt/conda/lib/file-kinds/a; do
    echo '# mine' >> $file
done
mkdir /opt/conda/lib/python3.13/site-packages/mine /opt/conda/envs $HOME/.config
pip uninstall -qy hello_world
stat -c '%a %G' $HOME/app/kept /opt/conda/by-root /opt /srv/app/open/of-daemon
";

fn section(group_writable: &str) -> String {
    format!(
        "# syntax={}
environments: {{base: env.lock}}
{group_writable}
workdir: /srv/app
copy:
  - {{src: app, dest: /home/mambauser/app}}
  - {{src: app/private.txt, dest: /home/mambauser/app/kept, chmod: 600}}
  - {{src: app/private.txt, dest: /home/mambauser}}
  - {{src: app/private.txt, dest: .}}
  - {{src: \"app/*.py\", dest: /srv/app}}
  - {{src: \"app/*.py\", dest: new.py}}
  - {{src: app/deep, dest: /opt/conda/share/file-kinds}}
run:
  - umask 077; mkdir ~/ran; echo > ~/ran/private; echo > ran
  - {{run: umask 077; echo > /opt/conda/by-root; mkdir -m 777 open, user: root}}
  - {{run: umask 022; echo > open/of-daemon, user: daemon}}
",
        frontend()
    )
}

fn any_user_of_the_group_can_write(store: Store) {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    let project = Project::new(store);
    let wheel = serve(&project, "hello_world", &hello("1.0"));
    let packages = Channel::open().closure(&PACKAGES);
    let conda = project.lock_text(&packages, HashStyle::Sha256);
    project.write("env.lock", format!("{conda}{wheel}"));
    fs::create_dir_all(project.path("app/deep")).expect("folders");
    for path in ["app/private.txt", "app/only.py", "app/deep/a"] {
        project.write(path, "text\n");
        fs::set_permissions(project.path(path), fs::Permissions::from_mode(0o600)).expect("a mode");
    }

    project.write(IMAGE, section(""));
    project.build_file(IMAGE, &[]).expect_success();
    let layers = history(&project, project.tag()).len();

    project.write(IMAGE, section("group_writable: true"));
    project.build_file(IMAGE, &[]).expect_success();
    let image = project.tag().to_owned();
    assert_eq!(history(&project, &image).len(), layers);
    let user = ["--user", "1234567890:0"];
    let said = project.run(&user, &["bash", "-c", WRITE]).expect_success();
    let expected = "1234567890\n0\n/home/mambauser\n600 root\n660 root\n755 root\n644 daemon\n";
    // The one file whose permissions the user chose.
    let own = "/home/mambauser/app/kept\n";
    assert_eq!(
        said.stdout,
        expected.replacen("mambauser\n", &format!("mambauser\n{own}"), 1)
    );
    // The image's own user can write as ever.
    let own = ["sh", "-c", "id -u; id -g; touch /opt/conda/mine ~/mine"];
    let said = project.run(&[], &own).expect_success();
    assert_eq!(said.stdout, "57439\n0\n");

    let verify = |image: &str| {
        let context = format!("image=docker-image://{image}");
        let args = ["--target", "verify", "--build-context", &context];
        project.build_file(IMAGE, &[&args[..], &["-o", "report"]].concat())
    };
    verify(&image).expect_success();
    let changed = Image::from_dockerfile(
        &project,
        &format!("FROM {image}\nRUN chmod g-w /opt/conda/lib/file-kinds/data.txt\n"),
    );
    let said = verify(changed.tag()).expect_failure().stderr;
    let finding = "/opt/conda/lib/file-kinds/data.txt has the mode 644 instead of 664";
    assert!(said.contains(finding), "{said}");
}

on_both_stores!(any_user_of_the_group_can_write);

/// Projects that ask for it share the layers of their packages.
#[test]
fn layers_are_shared_between_projects() {
    let project = Project::with_own_channel(Store::Containerd);
    project.write(
        IMAGE,
        format!(
            "# syntax={}\nenvironments: {{base: env.lock}}\ngroup_writable: true\n",
            frontend()
        ),
    );
    project.lock(&["bumpme", "prefix-demo"]);
    let one = project.push_file(IMAGE, "one", &[]);
    project.lock(&["bumpme", "prefix-demo", "file-kinds"]);
    let two = project.push_file(IMAGE, "two", &[]);
    assert_eq!(two.layers.len(), one.layers.len() + 1);
    assert_eq!(one.layers_not_in(&two), [""; 0]);
}
