//! Tools as in bioconda: a real one, from Debian, and a stand-in for a Java program.

use super::cpython::{relink, start};
use super::debian::Debian;
use super::recipe::{Kind, Recipe};
use super::store::{Job, job};

/// Everything in the channel.
pub(super) fn jobs(debian: &Debian) -> Vec<Job> {
    let debian = debian.clone();
    vec![Box::new(move || seqtk(&debian).build()), job(qualimap())]
}

/// The real program.
fn seqtk(debian: &Debian) -> Recipe {
    let mut recipe = start("seqtk", debian, "seqtk").depends(&["__glibc >=2.34", "libzlib"]);
    let program = debian
        .files("seqtk", "usr/bin")
        .remove("seqtk")
        .expect("the package seqtk contains the program seqtk");
    let program = relink(program, "$ORIGIN/../lib");
    recipe.files.insert("bin/seqtk".to_owned(), program);
    recipe
}

/// A stand-in: prints its version and the java it finds, as the real one does when it starts.
fn qualimap() -> Recipe {
    const PROGRAM: &str = "\
#!/bin/sh
echo \"Java home: $JAVA_HOME\"
java -version || exit
echo 'QualiMap v.2.3 (a stand-in)'
";
    let mut recipe = Recipe::new("qualimap", "2.3", Kind::NoarchGeneric)
        .depends(&["openjdk >=8"])
        .file("bin/qualimap", PROGRAM, 0o755);
    recipe.build = "hdfd78af_0".to_owned();
    recipe.license = "GPL-2.0-only".to_owned();
    recipe
}
