//! What pip only reads elsewhere: options after a requirement that are for lines of their own, and extras after an address.

use super::entry::split_options;
use super::list::{List, ListEntry};
use super::options::{self, Place};
use super::repository::egg;
use super::syntax::without_extras;
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::{in_full, quoted};
use condafront_model::source::Diagnostic;

impl List {
    /// A warning for each entry with options that have no effect where they are.
    pub fn ignored_options(&self) -> Vec<Warning> {
        let entries = self.entries().iter();
        let ignored = entries.map(|entry| (entry, of_entry(entry)));
        let ignored = ignored.filter(|(_, options)| !options.is_empty());
        let warning =
            |(entry, options): (&ListEntry, Vec<&str>)| {
                let (own, them) = match options.len() {
                    1 => ("a line of its own", "it"),
                    _ => ("lines of their own", "them"),
                };
                let options = options.join(" and ");
                let message = format!(
                    "pip ignores {options} after a requirement: `{}`",
                    quoted(&entry.text)
                );
                Warning {
                    rule: Rule::Ignored,
                    diagnostic: Diagnostic::new(message).at(&entry.file, entry.lines).help(
                        format!("Put {options} on {own}, for the whole list, or remove {them}."),
                    ),
                }
            };
        ignored.map(warning).collect()
    }

    /// A warning for each entry with extras in an address that has a name before it: `NAME @ URL#egg=NAME[extra]&subdirectory=a`.
    /// pip reads them at its end alone.
    pub fn ignored_extras(&self) -> Vec<Warning> {
        let entries = self.entries().iter();
        let ignored = entries.filter_map(|entry| Some((entry, ignored_extras(entry)?)));
        let warning = |(entry, (name, extras)): (&ListEntry, (&str, String))| Warning {
            rule: Rule::Ignored,
            diagnostic: Diagnostic::new(format!(
                "pip ignores the extras in the address, because there is a name before it: `{}`",
                quoted(&entry.text)
            ))
            .at(&entry.file, entry.lines)
            .help(format!(
                "Write them after that name: `{}{}`",
                in_full(name),
                in_full(&extras)
            )),
        };
        ignored.map(warning).collect()
    }
}

/// The name before an entry's address, if it has no extras, and those in the address that pip ignores.
fn ignored_extras(entry: &ListEntry) -> Option<(&str, String)> {
    let before = entry.requirement()?.before.strip_suffix(" @ ")?;
    let mut words = entry.text.split_whitespace();
    let address = words.find(|word| word.contains('#'))?;
    let egg = egg(address).ok()??;
    let (_, extras) = without_extras(&egg);
    // Without a name of its own, the entry has that of the address.
    let is_ignored = !extras.is_empty() && !before.contains('[') && !address.ends_with(']');
    is_ignored.then(|| (before, extras.to_owned()))
}

/// The options of an entry that have no effect there.
fn of_entry(entry: &ListEntry) -> Vec<&'static str> {
    let after = entry.requirement().map(|found| found.after.as_str());
    let (_, options) = split_options(after.unwrap_or_default());
    let options = options::read(options, Place::Requirement).unwrap_or_default();
    let names = options.into_iter().map(|option| option.name);
    names.filter(|name| !options::follows(name)).collect()
}

#[cfg(test)]
mod tests {
    use crate::requirements::list_of;
    use condafront_model::source::Level;

    #[test]
    fn extras_inside_an_address_with_a_name_are_warnings() {
        let list = list_of(
            "x @ git+https://g.example/x.git@v1#egg=x[a,b]&subdirectory=a ; python_version > '3'\ny[c] @ git+https://g.example/y#egg=y[d]&subdirectory=a\ngit+https://g.example/z#egg=z[e]&subdirectory=a\nx @ git+https://g.example/x#egg=x[a]\n",
        );
        let found = list.ignored_extras();
        let rendered = found.iter().map(|it| it.diagnostic.render(Level::Warning));
        insta::assert_snapshot!(rendered.collect::<Vec<_>>().join("\n\n"));
    }

    #[test]
    fn options_without_effect_are_warnings() {
        let list = list_of(
            "--index-url https://i.example/simple\ntorch==2.1 --extra-index-url https://i.example/cu118\nidna --no-binary idna\n-e ./app -f https://f.example/links --pre -C a=b\n",
        );
        let found = list.ignored_options();
        let rendered = found.iter().map(|it| it.diagnostic.render(Level::Warning));
        insta::assert_snapshot!(rendered.collect::<Vec<_>>().join("\n\n"));
        let app = list.entries()[3].requirement().unwrap();
        assert_eq!(app.build_options, ["--config-settings=a=b"]);
        assert_eq!(list.build_options().indexes.len(), 2);
    }
}
