//! The encodings of text files: UTF-8, UTF-16 and UTF-32, and what a Python file declares.
//!
//! A byte order mark decides. Without one, the zero bytes around the first character do, as in YAML
//! (<https://yaml.org/spec/1.2.2/#52-character-encodings>); everything else is UTF-8.

/// What a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text without its byte order mark, with U+FFFD for what is not valid, and with `\n` for a `\r` alone, which
    /// ends a line too.
    pub text: String,
    /// The first thing that is not valid.
    pub damage: Option<Damage>,
}

/// What is not valid in a text file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Its line in the decoded text, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub kind: DamageKind,
}

/// What can be wrong with a text file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// Bytes that the encoding does not have.
    Invalid(&'static str),
    /// The file ends in the middle of a character.
    CutOff(&'static str),
    /// A zero byte, which no text file has.
    Nul,
}

/// How each character is stored.
#[derive(Clone, Copy)]
enum Unicode {
    Utf8,
    Utf16(fn([u8; 2]) -> u16),
    Utf32(fn([u8; 4]) -> u32),
}

/// Decodes a file.
pub fn decode(data: &[u8]) -> Decoded {
    let (encoding, data) = detect(data);
    let (text, damage) = match encoding {
        Unicode::Utf8 => utf8(data),
        Unicode::Utf16(unit) => utf16(data, unit),
        Unicode::Utf32(unit) => utf32(data, unit),
    };
    finished(text, damage)
}

/// Decodes a file in the encoding that its first two lines declare, as in Python (PEP 263). `None` without such a line.
///
/// # Errors
/// The number of the line and the name, if the encoding is not a known one.
pub fn decode_as_declared(data: &[u8]) -> Option<Result<Decoded, (usize, String)>> {
    let (line, name) = declared(data)?;
    if let Some(upper) = code_page(&name) {
        let upper: Vec<char> = upper.chars().collect();
        let text = data.iter().map(|byte| match byte.checked_sub(128) {
            None => char::from(*byte),
            Some(index) => {
                let found = upper.get(usize::from(index));
                found.copied().unwrap_or(char::REPLACEMENT_CHARACTER)
            }
        });
        return Some(Ok(finished(text.collect(), None)));
    }
    let Some(encoding) = encoding_rs::Encoding::for_label(label(&name).as_bytes()) else {
        return Some(Err((line, name)));
    };
    let (text, _) = encoding.decode_without_bom_handling(data);
    let text = text.into_owned();
    let damage = text
        .find(char::REPLACEMENT_CHARACTER)
        .map(|at| (at, DamageKind::Invalid(encoding.name())));
    Some(Ok(finished(text, damage)))
}

fn detect(data: &[u8]) -> (Unicode, &[u8]) {
    const UTF16_BE: Unicode = Unicode::Utf16(u16::from_be_bytes);
    const UTF16_LE: Unicode = Unicode::Utf16(u16::from_le_bytes);
    const UTF32_BE: Unicode = Unicode::Utf32(u32::from_be_bytes);
    const UTF32_LE: Unicode = Unicode::Utf32(u32::from_le_bytes);
    match data {
        [0, 0, 0xFE, 0xFF, rest @ ..] => (UTF32_BE, rest),
        [0xFF, 0xFE, 0, 0, rest @ ..] => (UTF32_LE, rest),
        [0xFE, 0xFF, rest @ ..] => (UTF16_BE, rest),
        [0xFF, 0xFE, rest @ ..] => (UTF16_LE, rest),
        [0xEF, 0xBB, 0xBF, rest @ ..] => (Unicode::Utf8, rest),
        [0, 0, 0, 1..=0xFF, ..] => (UTF32_BE, data),
        [1..=0xFF, 0, 0, 0, ..] => (UTF32_LE, data),
        [0, 1..=0xFF, ..] => (UTF16_BE, data),
        [1..=0xFF, 0, ..] => (UTF16_LE, data),
        _ => (Unicode::Utf8, data),
    }
}

/// A text, and the byte in it where the first damage is.
type Text = (String, Option<(usize, DamageKind)>);

fn utf8(data: &[u8]) -> Text {
    match std::str::from_utf8(data) {
        Ok(text) => (text.to_owned(), None),
        Err(error) => {
            let kind = match error.error_len() {
                Some(_) => DamageKind::Invalid("UTF-8"),
                None => DamageKind::CutOff("UTF-8"),
            };
            let text = String::from_utf8_lossy(data).into_owned();
            (text, Some((error.valid_up_to(), kind)))
        }
    }
}

fn utf16(data: &[u8], unit: fn([u8; 2]) -> u16) -> Text {
    let (units, rest) = data.as_chunks();
    let mut found = Characters::new("UTF-16", data.len());
    let mut left = units.len();
    for read in char::decode_utf16(units.iter().map(|bytes| unit(*bytes))) {
        left -= read.as_ref().map_or(1, |c| c.len_utf16());
        let is_half = read
            .as_ref()
            .is_err_and(|error| error.unpaired_surrogate() < 0xDC00);
        found.push(read.ok(), left == 0 && is_half);
    }
    found.finish(rest)
}

fn utf32(data: &[u8], unit: fn([u8; 4]) -> u32) -> Text {
    let (units, rest) = data.as_chunks();
    let mut found = Characters::new("UTF-32", data.len() / 2);
    for bytes in units {
        found.push(char::from_u32(unit(*bytes)), false);
    }
    found.finish(rest)
}

/// A text that is put together from single characters.
struct Characters {
    encoding: &'static str,
    text: String,
    damage: Option<(usize, DamageKind)>,
}

impl Characters {
    fn new(encoding: &'static str, capacity: usize) -> Self {
        Self {
            encoding,
            text: String::with_capacity(capacity),
            damage: None,
        }
    }

    /// Adds a character, or a replacement for an invalid one: `is_cut_off` says that its end is missing.
    fn push(&mut self, found: Option<char>, is_cut_off: bool) {
        if found.is_none() {
            let kind = if is_cut_off {
                DamageKind::CutOff(self.encoding)
            } else {
                DamageKind::Invalid(self.encoding)
            };
            self.damage.get_or_insert((self.text.len(), kind));
        }
        self.text.push(found.unwrap_or(char::REPLACEMENT_CHARACTER));
    }

    fn finish(mut self, rest: &[u8]) -> Text {
        if !rest.is_empty() {
            self.push(None, true);
        }
        (self.text, self.damage)
    }
}

fn finished(mut text: String, damage: Option<(usize, DamageKind)>) -> Decoded {
    let nul = text.find('\0').map(|at| (at, DamageKind::Nul));
    let damage = match (damage, nul) {
        (Some(damage), Some(nul)) if nul.0 < damage.0 => Some(nul),
        (damage, nul) => damage.or(nul),
    };
    let is_alone = |at: usize| !text[at + 1..].starts_with('\n');
    if text.match_indices('\r').any(|(at, _)| is_alone(at)) {
        let lines = text.split("\r\n").map(|line| line.replace('\r', "\n"));
        text = lines.collect::<Vec<_>>().join("\r\n");
    }
    let damage = damage.map(|(at, kind)| Damage {
        line: 1 + text[..at].matches('\n').count(),
        kind,
    });
    Decoded { text, damage }
}

/// The encoding in a line such as `# -*- coding: latin-1 -*-`, and the line's number.
fn declared(data: &[u8]) -> Option<(usize, String)> {
    let lines = data.split(|byte| *byte == b'\n').take(2);
    (1..).zip(lines).find_map(|(number, line)| {
        let line = String::from_utf8_lossy(line.strip_prefix(b"#")?);
        let name = line.match_indices("coding").find_map(|(at, word)| {
            let rest = line[at + word.len()..]
                .strip_prefix([':', '='])?
                .trim_start();
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            Some(&rest[..end]).filter(|name| !name.is_empty())
        })?;
        Some((number, name.to_owned()))
    })
}

/// The upper half of a code page of DOS, which the web has no name for.
fn code_page(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    let number = name.trim_start_matches("cp").trim_start_matches("ibm");
    match number {
        "437" => Some(
            "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
        ),
        "850" => Some(
            "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
        ),
        _ => None,
    }
}

/// The name that the web has for one of Python's encodings.
fn label(name: &str) -> String {
    let name = name.to_ascii_lowercase().replace('_', "-");
    match name.as_str() {
        "cp932" => "shift-jis",
        "cp936" => "gbk",
        "cp949" => "euc-kr",
        "cp950" => "big5",
        "mac-roman" => "macintosh",
        "utf-8-sig" => "utf-8",
        name => return name.replace("latin-", "latin"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
