//! Stand-ins for conda-forge packages that are not available here. Their names, versions and dependencies are real;
//! their contents are just enough to show that the package is installed and works with the others. Each says that it is
//! a stand-in.

use super::recipe::{Kind, Recipe};
use super::store::{Job, job};

const LINUX: Kind = Kind::Platform("linux-64");

/// All of them.
pub(super) fn jobs() -> Vec<Job> {
    let recipes = [
        conda(),
        cuda_version("12.8"),
        cuda_version("12.9"),
        jupyterhub_base(),
        openjdk(),
        pytorch_cpu(),
        pytorch_cuda(),
        pytorch_gpu(),
        r_base(),
    ];
    recipes.into_iter().map(job).collect()
}

fn r_base() -> Recipe {
    const RSCRIPT: &str = "\
#!/bin/sh
# Rscript of a stand-in: knows one expression.
[ \"$*\" = \"-e cat(R.version.string)\" ] || { echo \"a stand-in for R cannot do this: $*\" >&2; exit 1; }
printf 'R version 4.5.1 (a stand-in)'
";
    let mut recipe = Recipe::new("r-base", "4.5.1", LINUX)
        .file("bin/Rscript", RSCRIPT, 0o755)
        .file(
            "etc/conda/activate.d/activate-r-base.sh",
            "export R_HOME=\"$CONDA_PREFIX/lib/R\"\n",
            0o644,
        )
        .file("lib/R/STAND-IN", "There is no R here.\n", 0o644);
    recipe.license = "GPL-2.0-or-later".to_owned();
    recipe
}

fn openjdk() -> Recipe {
    const JAVA: &str = "\
#!/bin/sh
echo 'openjdk version \"21.0.8\" (a stand-in)'
";
    let mut recipe = Recipe::new("openjdk", "21.0.8", LINUX)
        .file("bin/java", JAVA, 0o755)
        .file(
            "etc/conda/activate.d/openjdk_activate.sh",
            "export JAVA_HOME=\"$CONDA_PREFIX/lib/jvm\"\n",
            0o644,
        )
        .file("lib/jvm/release", "JAVA_VERSION=\"21.0.8\"\n", 0o644);
    recipe.license = "GPL-2.0-or-later WITH Classpath-exception-2.0".to_owned();
    recipe
}

/// The program `conda`, which needs the channel's python.
fn conda() -> Recipe {
    const MODULE: &str = "\
import sys

def main():
    if sys.argv[1:] != ['--version']:
        sys.exit(f'a stand-in for conda cannot do this: {sys.argv[1:]}')
    print('conda 25.9.1')
";
    const FUNCTION: &str = "conda() { echo \"a function: conda $*\"; }\n";
    let mut recipe = Recipe::new("conda", "25.9.1", Kind::NoarchPython)
        .depends(&["python >=3.10"])
        .file("etc/profile.d/conda.sh", FUNCTION, 0o644)
        .file("site-packages/conda/__init__.py", "", 0o644)
        .file("site-packages/conda/stand_in.py", MODULE, 0o644);
    recipe.entry_points = vec!["conda = conda.stand_in:main".to_owned()];
    recipe.license = "BSD-3-Clause".to_owned();
    recipe
}

/// The server that JupyterHub starts for a user, which only knows its version.
fn jupyterhub_base() -> Recipe {
    const MODULE: &str = "\
import sys

def main():
    if sys.argv[1:] != ['--version']:
        sys.exit(f'a stand-in for JupyterHub cannot do this: {sys.argv[1:]}')
    print('5.4.0 (a stand-in)')
";
    let mut recipe = Recipe::new("jupyterhub-base", "5.4.0", Kind::NoarchPython)
        .depends(&["python >=3.9"])
        .file("site-packages/jupyterhub/__init__.py", "", 0o644)
        .file("site-packages/jupyterhub/stand_in.py", MODULE, 0o644);
    recipe.entry_points = vec!["jupyterhub-singleuser = jupyterhub.stand_in:main".to_owned()];
    recipe.license = "BSD-3-Clause".to_owned();
    recipe
}

/// No files: pins the packages that need CUDA to one version of it.
fn cuda_version(version: &str) -> Recipe {
    let mut recipe = Recipe::new("cuda-version", version, Kind::NoarchGeneric);
    recipe.constrains = vec![format!("__cuda >={}", major(version))];
    recipe
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// The module `torch`, which only knows which CUDA it was built for.
fn pytorch(build: &str, number: u64, cuda: Option<&str>) -> Recipe {
    let cuda = cuda.map_or_else(|| "None".to_owned(), |version| format!("'{version}'"));
    let module = format!(
        "\"\"\"A stand-in for PyTorch.\"\"\"\n__version__ = '2.8.0'\n\n\nclass version:\n    cuda = {cuda}\n"
    );
    let mut recipe = Recipe::new("pytorch", "2.8.0", LINUX)
        .depends(&["python >=3.13,<3.14.0a0", "python_abi 3.13.* *_cp313"])
        .file(
            "lib/python3.13/site-packages/torch/__init__.py",
            module,
            0o644,
        );
    recipe.build = format!("{build}_{number}");
    recipe.build_number = number;
    recipe.license = "BSD-3-Clause".to_owned();
    recipe
}

fn pytorch_cpu() -> Recipe {
    pytorch("cpu_generic_py313_h1a2b3c4", 0, None)
}

/// The build that solvers prefer where there is CUDA: conda-forge gives these builds a higher number.
fn pytorch_cuda() -> Recipe {
    pytorch("cuda128_generic_py313_h1a2b3c4", 200, Some("12.8"))
        .depends(&["__cuda", "cuda-version >=12.8,<13"])
}

fn pytorch_gpu() -> Recipe {
    let mut recipe = Recipe::new("pytorch-gpu", "2.8.0", Kind::NoarchGeneric)
        .depends(&["pytorch 2.8.0 cuda*_generic*200"]);
    recipe.build = "cuda128_generic_h1a2b3c4_200".to_owned();
    recipe.build_number = 200;
    recipe
}
