//! Base images in which directories are symbolic links.

use condafront_testkit::engine::Store;

use crate::image::{Image, inspect};
use crate::project::{LOCK, Project, base, frontend, on_both_stores};

/// As image-based systems have them (`ostree`, Fedora's bootc images).
fn links_of_the_base_stay(store: Store) {
    let project = Project::new(store);
    let linked = Image::from_dockerfile(
        &project,
        &format!(
            "FROM {}\n\
             RUN rm -r /opt /usr/local && mkdir -p /var/opt/vendor && echo kept > /var/opt/vendor/file \\\n\
             && mv /home /var/home && ln -s var/opt /opt && ln -s ../var/usrlocal /usr/local && ln -s var/home /home\n",
            base()
        ),
    );
    project.lock(&["bumpme", "activate-demo", "post-link-demo"]);
    let image = format!(
        "# syntax={}\nenvironments: {{base: {LOCK}}}\nworkdir: /home/app\n\
         copy: {{{LOCK}: /opt/app/}}\nrun: [touch /opt/conda/ran]\n",
        frontend()
    );
    let base = format!("BASE_IMAGE={}", linked.tag());
    let base = ["--build-arg", &base];
    project.write("image.yml", image);
    project
        .build_file("image.yml", &["-t", project.tag(), base[0], base[1]])
        .expect_success();
    // Those of `copy` and `run`, below the inventory, have the time.
    let layers = || {
        let all = inspect(&project, project.tag(), "{{json .RootFS.Layers}}");
        let all = all.as_array().expect("layers").clone();
        all[..all.len() - 3].to_vec()
    };
    let first = layers();
    const LOOK: &str = "readlink /opt /usr/local /home; cat /opt/vendor/file /opt/conda/share/bumpme/version.txt; \
        ls -d /var/opt/conda/share/post-link-demo/* /var/usrlocal/bin/condafront-entrypoint; ls -A /var/home; ls /var/opt /var/usrlocal/bin /var/opt/conda; pwd -P; \
        stat -c '%U %Y' /var/opt/conda/bin; touch ~/made $CONDA_PREFIX/made; echo $ACTIVATE_DEMO_FOUND; bash -lc 'echo login $CONDA_PREFIX'";
    let shown = project.run(&[], &["sh", "-c", LOOK]).expect_success();
    insta::allow_duplicates! {
        insta::assert_snapshot!(shown.stdout);
    }
    project
        .build_file(
            "image.yml",
            &["--no-cache", "-t", project.tag(), base[0], base[1]],
        )
        .expect_success();
    assert_eq!(layers(), first);
    let prefix = ["--target", "prefix", "-o", "out", base[0], base[1]];
    project.build_file("image.yml", &prefix).expect_success();
    let written = project.path("out/opt/conda/share/post-link-demo/written.txt");
    assert!(written.is_file());
}
on_both_stores!(links_of_the_base_stay);
