//! `-e`: packages that are to be installed as editable. An image has no source copy to edit, so they are installed like
//! any other.

use super::options::with_one_dash;
use crate::mistake::Mistake;
use condafront_model::redact::quoted;

/// What follows `-e` in a line, without quotation marks; `None` if the line does not start with it.
///
/// # Errors
/// A quotation mark that is not closed.
pub(super) fn of_line(text: &str) -> Result<Option<String>, Mistake> {
    let after = ["--editable=", "--editable", "-e"]
        .iter()
        .find_map(|option| Some((*option, text.strip_prefix(option)?)));
    let rest = match after {
        Some((option, rest)) if option.ends_with('=') || rest.starts_with(char::is_whitespace) => {
            rest.trim_start()
        }
        // `-edemo` is `-e demo`, but `-extra-index-url` is not `-e xtra-index-url`.
        Some(("-e", rest)) if with_one_dash(text).is_none() => rest,
        _ => return Ok(None),
    };
    let Some(mark) = rest.chars().next().filter(|c| ['\'', '"'].contains(c)) else {
        return Ok(Some(rest.to_owned()).filter(|rest| !rest.is_empty()));
    };
    match rest[1..].split_once(mark) {
        Some((inside, after)) => Ok(Some(format!("{inside}{after}"))),
        None => Err(Mistake::new(
            format!("`{}` has an unclosed quotation mark", quoted(text)),
            "Close the quotation mark, or remove it.",
        )),
    }
}
