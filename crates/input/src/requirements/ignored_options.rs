//! Options after a requirement that pip only reads on lines of their own.

use super::entry::split_options;
use super::list::{List, ListEntry};
use super::options::{self, Place};
use condafront_model::lint::{Rule, Warning};
use condafront_model::redact::quoted;
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
