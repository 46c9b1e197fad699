//! Placeholders for credentials: what tools and people write in a URL where a user, a password or a token was. conda shows
//! `/t/<TOKEN>/` instead of a token.

use percent_encoding::percent_decode_str;

/// `url`, or the name of a channel, without a user, password or token that is only a placeholder; `None` if it has none.
pub fn without(url: &str) -> Option<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        // conda also finds a token in the name of a channel.
        let (token, name) = url.strip_prefix("t/")?.split_once('/')?;
        return is_placeholder(token).then(|| name.to_owned());
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if user.split(':').any(is_placeholder) => host,
        _ => authority,
    };
    let token = path.split_once("/t/").and_then(|(before, rest)| {
        let (token, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        is_placeholder(token).then_some((before, after))
    });
    let bare = match token {
        Some((before, after)) => format!("{scheme}://{host}{before}{after}"),
        None => format!("{scheme}://{host}{path}"),
    };
    (bare.len() < url.len()).then_some(bare)
}

/// Whether a text is only a placeholder for a credential. A variable (`$TOKEN`) is not: it has a value somewhere.
pub fn is_placeholder(text: &str) -> bool {
    let decoded = percent_decode_str(text).decode_utf8_lossy();
    let text = decoded.trim();
    let is_in = |open: &str, close: &str| {
        text.len() > open.len() + close.len() && text.starts_with(open) && text.ends_with(close)
    };
    let brackets = [("<", ">"), ("{", "}"), ("[", "]"), ("__", "__"), ("%", "%")];
    brackets.iter().any(|(open, close)| is_in(open, close))
        || text
            .find('<')
            .zip(text.rfind('>'))
            .is_some_and(|(open, close)| open < close)
        || is_mask(text)
        || is_word(text)
}

/// `***`, `xxxx`, `...` and the like.
fn is_mask(text: &str) -> bool {
    let only = |chars: &str| !text.is_empty() && text.chars().all(|c| chars.contains(c));
    only("*•…#?") || (only("xX.-_") && text.len() >= 3)
}

/// `TOKEN`, `YOUR_TOKEN`, `REDACTED`: credentials are not written in capitals alone.
fn is_word(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "TOKEN", "REDACTED", "HIDDEN", "MASKED", "REMOVED", "SECRET", "PASSWORD", "USER",
    ];
    let is_capital = |c: char| c.is_ascii_uppercase() || c == '_' || c == '-';
    text.eq_ignore_ascii_case("redacted")
        || (text.chars().all(is_capital) && WORDS.iter().any(|word| text.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_left_out() {
        for token in [
            "<TOKEN>",
            "<token>",
            "<your token>",
            "%3CTOKEN%3E",
            "tk-<TOKEN>",
            "{{ TOKEN }}",
            "%7B%7B%20TOKEN%20%7D%7D",
            "{token}",
            "[TOKEN]",
            "***",
            "*",
            "********",
            "%2A%2A%2A",
            "xxxx",
            "xx-XXXX-xx",
            "...",
            "…",
            "••••",
            "__TOKEN__",
            "%TOKEN%",
            "TOKEN",
            "YOUR_TOKEN",
            "redacted",
        ] {
            let found = |text: &str| without(&text.replace("TK", token));
            let url = found("https://c.example/t/TK/private/linux-64/a-1-0.conda#md5");
            let bare = "https://c.example/private/linux-64/a-1-0.conda#md5";
            assert_eq!(url.as_deref(), Some(bare), "{token}");
            let root = found("https://c.example/conda/t/TK");
            assert_eq!(root.as_deref(), Some("https://c.example/conda"), "{token}");
            assert_eq!(found("t/TK/private").as_deref(), Some("private"), "{token}");
            for user in ["TK", "TK:TK", "me:TK", "TK:pw"] {
                let url = found(&format!("https://{user}@c.example:8080/f"));
                assert_eq!(
                    url.as_deref(),
                    Some("https://c.example:8080/f"),
                    "{user} {token}"
                );
            }
        }
    }

    #[test]
    fn credentials_variables_and_other_paths_are_kept() {
        for url in [
            "https://conda.anaconda.org/conda-forge",
            "https://c.example/t/tk-12-0a/private",
            "https://me:hunter2@c.example/f",
            "https://c.example/t/$TOKEN/private",
            "https://${USER}:$PASSWORD@c.example/t/${TOKEN}/private",
            "https://c.example/<TOKEN>/private",
            "t/tk-12-0a/private",
            "t/x",
            "conda-forge",
            "",
        ] {
            assert_eq!(without(url), None, "{url}");
        }
    }
}
