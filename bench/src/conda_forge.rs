//! Package lists like conda-forge's: the same number of records, of the same size, with similar dependencies.
//!
//! A solve uses the stack that a data scientist's environment needs: libraries, python, packages compiled for each
//! python, and pure Python packages. The rest only makes the lists as long as conda-forge's.

mod stack;

use std::fmt::Write as _;

use stack::{COMPILED, LIBRARIES, PURE};

/// How many records each subdir has.
pub(crate) const LINUX_64: usize = 600_000;
pub(crate) const NOARCH: usize = 380_000;

/// The names of the libraries that the lists have.
#[cfg(test)]
pub(crate) fn libraries() -> impl Iterator<Item = &'static str> {
    LIBRARIES.iter().map(|library| library.0)
}

/// The minor versions of python 3, each with its number of patch versions.
const PYTHONS: &[(u32, usize)] = &[(8, 20), (9, 22), (10, 20), (11, 14), (12, 12), (13, 8)];

/// Pseudo-random numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // Knuth's MMIX generator.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 11
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap_or(0) % end.max(1)
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        while text.len() < digits {
            let _ = write!(text, "{:08x}", self.next() & 0xffff_ffff);
        }
        text.truncate(digits);
        text
    }
}

/// A subdir's package list under construction.
struct List {
    subdir: &'static str,
    old: String,
    new: String,
    count: usize,
}

impl List {
    fn new(subdir: &'static str) -> Self {
        Self {
            subdir,
            old: String::new(),
            new: String::new(),
            count: 0,
        }
    }

    fn finish(self) -> String {
        format!(
            "{{\"info\":{{\"subdir\":\"{}\"}},\"packages\":{{{}}},\"packages.conda\":{{{}}},\"removed\":[],\"repodata_version\":1}}",
            self.subdir, self.old, self.new
        )
    }

    fn add(
        &mut self,
        dice: &mut Dice,
        id: (&str, &str, &str),
        number: usize,
        depends: &[String],
        constrains: &[String],
    ) {
        let (name, version, build) = id;
        // Half of conda-forge is older than the `.conda` format.
        let is_old = dice.below(2) == 0;
        let (list, ending) = if is_old {
            (&mut self.old, "tar.bz2")
        } else {
            (&mut self.new, "conda")
        };
        if !list.is_empty() {
            list.push(',');
        }
        let noarch = match self.subdir {
            "noarch" => "\"noarch\":\"python\",",
            _ => "",
        };
        let constrains = match constrains {
            [] => String::new(),
            some => format!("\"constrains\":{some:?},"),
        };
        let time = 1_500_000_000_000 + u64::try_from(self.count).unwrap_or(0) * 500_000;
        let _ = write!(
            list,
            "\"{name}-{version}-{build}.{ending}\":{{\"build\":\"{build}\",\"build_number\":{number},{constrains}\"depends\":{depends:?},\"license\":\"BSD-3-Clause\",\"license_family\":\"BSD\",\"md5\":\"{}\",\"name\":\"{name}\",{noarch}\"sha256\":\"{}\",\"size\":{},\"subdir\":\"{}\",\"timestamp\":{time},\"version\":\"{version}\"}}",
            dice.hex(32),
            dice.hex(64),
            1000 + dice.below(9_000_000),
            self.subdir,
        );
        self.count += 1;
    }
}

/// Version number `index` of a package with this major version.
fn version(major: u32, index: usize) -> String {
    format!("{major}.{}.{}", index / 3, index % 3)
}

/// A dependency on a library that is as old as the package; `age` is from 0 to 1.
fn needs(name: &str, age: f64) -> String {
    let Some((_, major, count, _)) = LIBRARIES.iter().find(|library| library.0 == name) else {
        return name.to_owned();
    };
    // Never quite the newest, because packages are built against older libraries.
    let at = (*count as f64 * age * 0.8) as usize;
    format!("{name} >={},<{}.0a0", version(*major, at), major + 1)
}

/// `repodata.json` of linux-64 and noarch, with at least `counts` records.
pub(crate) fn lists(counts: [usize; 2]) -> [String; 2] {
    let mut dice = Dice(42);
    let (mut linux, mut noarch) = (List::new("linux-64"), List::new("noarch"));
    for (name, major, count, below) in LIBRARIES {
        for index in 0..*count {
            let age = index as f64 / *count as f64;
            let depends: Vec<String> = below
                .iter()
                .map(|name| needs(name, age))
                .chain(["__glibc >=2.17,<3.0.a0".to_owned()])
                .collect();
            for number in 0..2 {
                let build = format!("h{}_{number}", dice.hex(7));
                linux.add(
                    &mut dice,
                    (name, &version(*major, index), &build),
                    number,
                    &depends,
                    &[],
                );
            }
        }
    }
    pythons(&mut dice, &mut linux);
    for (name, count, libraries, packages) in COMPILED {
        for index in 0..*count {
            let age = index as f64 / *count as f64;
            // Old versions support old pythons.
            let first = (age * 3.0) as usize;
            for (minor, _) in &PYTHONS[first..(first + 4).min(PYTHONS.len())] {
                let mut depends: Vec<String> =
                    libraries.iter().map(|name| needs(name, age)).collect();
                depends.extend(packages.iter().map(|name| (*name).to_owned()));
                depends.push(format!("python >=3.{minor},<3.{}.0a0", minor + 1));
                depends.push(format!("python_abi 3.{minor}.* *_cp3{minor}"));
                for number in 0..2 {
                    let build = format!("py3{minor}h{}_{number}", dice.hex(7));
                    linux.add(
                        &mut dice,
                        (name, &version(1, index), &build),
                        number,
                        &depends,
                        &[],
                    );
                }
            }
        }
    }
    for (name, count, below) in PURE {
        for index in 0..*count {
            let mut depends: Vec<String> = below.iter().map(|name| (*name).to_owned()).collect();
            depends.push(format!("python >=3.{}", 6 + 4 * index / count));
            for number in 0..2 {
                let build = format!("pyhd8ed1ab_{number}");
                noarch.add(
                    &mut dice,
                    (name, &version(2, index), &build),
                    number,
                    &depends,
                    &[],
                );
            }
        }
    }
    noarch.add(&mut dice, ("tzdata", "2024b", "hc8b5060_0"), 0, &[], &[]);
    fill(&mut dice, &mut linux, counts[0], 50);
    fill(&mut dice, &mut noarch, counts[1], 9);
    [linux.finish(), noarch.finish()]
}

fn pythons(dice: &mut Dice, linux: &mut List) {
    let below = [
        "bzip2",
        "ld_impl_linux-64",
        "libexpat",
        "libffi",
        "libgcc",
        "libnsl",
        "libsqlite",
        "libuuid",
        "libxcrypt",
        "libzlib",
        "ncurses",
        "openssl",
        "readline",
        "tk",
        "xz",
    ];
    for (place, (minor, patches)) in PYTHONS.iter().enumerate() {
        let age = place as f64 / PYTHONS.len() as f64;
        let mut depends: Vec<String> = below.iter().map(|name| needs(name, age)).collect();
        depends.push("tzdata".to_owned());
        let abi = format!("python_abi 3.{minor}.* *_cp3{minor}");
        for patch in 0..*patches {
            for number in 0..3 {
                let build = format!("h{}_{number}_cpython", dice.hex(7));
                linux.add(
                    dice,
                    ("python", &format!("3.{minor}.{patch}"), &build),
                    number,
                    &depends,
                    std::slice::from_ref(&abi),
                );
            }
        }
        let constrains = [format!("python 3.{minor}.*")];
        linux.add(
            dice,
            (
                "python_abi",
                &format!("3.{minor}"),
                &format!("5_cp3{minor}"),
            ),
            5,
            &[],
            &constrains,
        );
    }
}

/// Fills a list up to `count` records with packages of about `versions` records each.
fn fill(dice: &mut Dice, list: &mut List, count: usize, versions: usize) {
    const PARTS: &[&str] = &[
        "lib", "py", "r-", "perl-", "geo", "bio", "data", "fast", "net", "image", "stat", "graph",
        "cloud", "test", "web", "json",
    ];
    let mut names: Vec<String> = Vec::new();
    while list.count < count {
        let name = format!(
            "{}{}-{}{}",
            PARTS[dice.below(PARTS.len())],
            PARTS[dice.below(PARTS.len())].trim_matches('-'),
            PARTS[dice.below(PARTS.len())].trim_matches('-'),
            names.len()
        );
        let of_this = (1 + dice.below(2 * versions)).min(count - list.count);
        for index in 0..of_this {
            let age = index as f64 / of_this as f64;
            let mut depends = Vec::new();
            for _ in 0..dice.below(7) {
                depends.push(needs(LIBRARIES[dice.below(LIBRARIES.len())].0, age));
            }
            for _ in 0..dice.below(4) {
                if let Some(other) = names.get(dice.below(names.len())) {
                    depends.push(format!("{other} >=1.{}", dice.below(3)));
                }
            }
            depends.push("python >=3.8".to_owned());
            let build = format!("py310h{}_{}", dice.hex(7), index % 3);
            list.add(
                dice,
                (&name, &version(1, index / 3), &build),
                index % 3,
                &depends,
                &[],
            );
        }
        names.push(name);
    }
}
