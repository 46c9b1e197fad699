//! The modules of a crate depend on each other in one direction: no file uses an item of a file that uses one of its own,
//! directly or through others. Cargo keeps the crates apart; this keeps their files apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

/// A module's path in its crate: `["section", "read"]`; empty for the crate's root.
type Module = Vec<String>;

/// The paths that a file names, relative to its module, outside of its tests.
#[derive(Default)]
struct Names {
    found: BTreeSet<Vec<String>>,
    /// Modules inside the file that are being looked at.
    inside: Module,
}

impl Names {
    fn add(&mut self, path: Vec<String>) {
        // In a module inside the file, `super` is the file itself.
        let supers = path.iter().take_while(|name| *name == "super").count();
        match supers.checked_sub(self.inside.len()) {
            Some(beyond) => self.found.insert(path[supers - beyond..].to_vec()),
            None => supers == 0 && self.found.insert(path),
        };
    }

    /// A path in code, where one name alone may be a variable's.
    fn add_mentioned(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.add(path);
        }
    }

    /// All paths of a `use`.
    fn add_tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.add_tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.add(with(&name.ident)),
            syn::UseTree::Rename(name) => self.add(with(&name.ident)),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(before, tree);
                }
            }
            syn::UseTree::Glob(_) => self.add(before.to_vec()),
        }
    }

    /// Paths in what a macro is called with, such as `super::name` in `format!("{}", super::name())`.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) if colons == 2 => path.push(name.to_string()),
                TokenTree::Ident(name) => {
                    self.add_mentioned(std::mem::replace(&mut path, vec![name.to_string()]));
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' => {
                    colons += 1;
                    continue;
                }
                TokenTree::Group(group) => self.add_tokens(group.stream()),
                _ => self.add_mentioned(std::mem::take(&mut path)),
            }
            colons = 0;
        }
        self.add_mentioned(path);
    }
}

/// Whether something exists in tests alone.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let test = |path: syn::Path| path.is_ident("test");
        attribute.path().is_ident("cfg") && attribute.parse_args().is_ok_and(test)
    })
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            self.inside.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.inside.pop();
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.add_tree(&[], &item.tree);
        }
    }

    /// `pub(super)` names a module and uses nothing of it.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names = path.segments.iter().map(|name| name.ident.to_string());
        self.add_mentioned(names.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        visit::visit_macro(self, mac);
        self.add_tokens(mac.tokens.clone());
    }
}

/// The module that a path in `module` leads into, if it is another one of the crate.
fn target<'a>(
    module: &Module,
    path: &[String],
    modules: &'a BTreeMap<Module, String>,
) -> Option<&'a Module> {
    let (first, rest) = path.split_first()?;
    let full = match first.as_str() {
        "crate" => rest.to_vec(),
        "self" => [module.as_slice(), rest].concat(),
        "super" => {
            let supers = path.iter().take_while(|name| *name == "super").count();
            let kept = module.len().checked_sub(supers)?;
            [&module[..kept], &path[supers..]].concat()
        }
        _ => {
            let child = [module.as_slice(), std::slice::from_ref(first)].concat();
            modules.contains_key(&child).then_some(())?;
            [module.as_slice(), path].concat()
        }
    };
    let known = |length: usize| modules.get_key_value(&full[..length]);
    let (found, _) = (0..=full.len()).rev().find_map(known)?;
    (found != module).then_some(found)
}

/// Who uses whom among the modules that are part of a circle or between two of them.
fn circles(modules: &BTreeMap<Module, String>) -> Vec<String> {
    let mut uses: BTreeMap<&Module, BTreeMap<&Module, String>> = BTreeMap::new();
    for (module, text) in modules {
        let mut names = Names::default();
        names.visit_file(&syn::parse_file(text).expect("Rust code"));
        let used = names.found.iter().filter_map(|path| {
            let target = target(module, path, modules)?;
            Some((target, path.join("::")))
        });
        uses.insert(module, used.collect());
    }
    // What uses nothing else, or is used by nothing else, is in no circle.
    loop {
        let used: BTreeSet<&Module> = uses.values().flat_map(BTreeMap::keys).copied().collect();
        let loose: BTreeSet<&Module> = uses
            .iter()
            .filter(|(module, targets)| targets.is_empty() || !used.contains(*module))
            .map(|(module, _)| *module)
            .collect();
        if loose.is_empty() {
            break;
        }
        uses.retain(|module, _| !loose.contains(module));
        for targets in uses.values_mut() {
            targets.retain(|target, _| !loose.contains(target));
        }
    }
    let shown = |module: &Module| match module.as_slice() {
        [] => "lib".to_owned(),
        names => names.join("::"),
    };
    let lines = uses.iter().flat_map(|(module, targets)| {
        let line = move |(target, path): (&&Module, &String)| {
            format!("{} uses {}, as {path}", shown(module), shown(target))
        };
        targets.iter().map(line)
    });
    lines.collect()
}

/// The modules of the crate at `folder`, with their code. Tests are left out.
fn modules(folder: &Path) -> BTreeMap<Module, String> {
    fn add(folder: &Path, module: &Module, all: &mut BTreeMap<Module, String>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let child = [module.as_slice(), std::slice::from_ref(&name)].concat();
            if ["tests", "snapshots", "generated", "main"].contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                add(&path, &child, all);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let module = if name == "lib" { module.clone() } else { child };
                all.insert(module, fs::read_to_string(&path).expect("a text"));
            }
        }
    }
    let mut all = BTreeMap::new();
    add(&folder.join("src"), &Vec::new(), &mut all);
    all
}

#[test]
fn no_crate_has_modules_that_use_each_other() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let crates = fs::read_dir(root.join("crates")).expect("the crates");
    let mut folders: Vec<_> = crates.map(|entry| entry.expect("a crate").path()).collect();
    assert!(folders.len() > 5, "{folders:?}");
    folders.push(root.to_owned());
    let mut all = String::new();
    for folder in folders {
        let found = circles(&modules(&folder));
        if !found.is_empty() {
            all.push_str(&format!("{}:\n{}\n", folder.display(), found.join("\n")));
        }
    }
    assert!(all.is_empty(), "modules that use each other:\n{all}");
}

#[test]
fn circles_are_found_however_modules_name_each_other() {
    let of = |files: &[(&str, &str)]| {
        let module = |name: &str| name.split("::").map(str::to_owned).collect();
        let modules = files.iter().map(|(name, text)| match *name {
            "lib" => (Vec::new(), (*text).to_owned()),
            name => (module(name), (*text).to_owned()),
        });
        circles(&modules.collect())
    };
    let b = ("b", "pub struct B;");
    for uses_b in [
        "use crate::b::B;",
        "use super::{b::{self, B}};",
        "fn f() -> crate::b::B { todo() }",
        "fn f() { println!(\"{}\", super::b::B) }",
        "mod inner { use super::super::b::B; }",
    ] {
        assert!(of(&[("lib", "mod a; mod b;"), ("a", uses_b), b]).is_empty());
        let back = ("b", "use crate::a::A; pub struct B;");
        let found = of(&[("lib", "mod a; mod b;"), ("a", uses_b), back]);
        assert_eq!(found.len(), 2, "{uses_b}: {found:?}");
    }
    // A facade that its own modules use.
    let facade = ("lib", "mod a; mod b; pub use b::B; pub fn f() { a::g() }");
    assert_eq!(of(&[facade, ("a", "use crate::B;"), b]).len(), 2);
    // Tests may.
    let test = "#[cfg(test)] mod tests { use crate::a::A; }";
    assert!(of(&[("a", "use super::b::B;"), ("b", test)]).is_empty());
}
