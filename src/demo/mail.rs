//! Letters that the file mailer has kept, read back.

use std::path::Path;

use mail_parser::{HeaderName, MessageParser};

use crate::clock::Timestamp;

/// How many of the newest letters are listed.
const LISTED: usize = 200;

/// A kept letter, as far as the pages show it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The file's name.
    pub name: String,
    pub subject: String,
    pub from: String,
    pub to: String,
    pub date: Option<Timestamp>,
    /// Names and values, in order, unfolded.
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
}

/// The newest letters of a folder, newest first.
pub fn list(folder: &Path) -> std::io::Result<Vec<Kept>> {
    let mut names: Vec<String> = match std::fs::read_dir(folder) {
        Ok(entries) => entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| is_letter(name))
            .collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    // Their names begin with the time.
    names.sort_unstable_by(|a, b| b.cmp(a));
    Ok(names.iter().take(LISTED).filter_map(|name| find(folder, name)).collect())
}

/// The letter of this name; none for a name that is no letter's.
pub fn find(folder: &Path, name: &str) -> Option<Kept> {
    if !is_letter(name) {
        return None;
    }
    let bytes = std::fs::read(folder.join(name)).ok()?;
    let message = MessageParser::default().parse(&bytes)?;
    let text = |name: HeaderName<'static>| {
        let raw = message.header_raw(name).unwrap_or("");
        raw.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let people = |addresses: Option<&mail_parser::Address>| {
        let shown = |address: &mail_parser::Addr| match (address.name(), address.address()) {
            (Some(name), Some(at)) => format!("{name} <{at}>"),
            (_, at) => at.unwrap_or("").to_owned(),
        };
        addresses.map(|list| list.iter().map(shown).collect::<Vec<_>>().join(", ")).unwrap_or_default()
    };
    let headers = message
        .headers_raw()
        .map(|(name, value)| (name.to_owned(), value.split_whitespace().collect::<Vec<_>>().join(" ")))
        .collect();
    Some(Kept {
        name: name.to_owned(),
        subject: message.subject().map_or_else(|| text(HeaderName::Subject), ToOwned::to_owned),
        from: people(message.from()),
        to: people(message.to()),
        date: message.date().map(|date| Timestamp(date.to_timestamp() * 1000)),
        headers,
        text: message.body_text(0).unwrap_or_default().into_owned(),
        html: message.body_html(0).unwrap_or_default().into_owned(),
    })
}

/// Names that the mailer gives: nothing that could lead out of the folder.
fn is_letter(name: &str) -> bool {
    name.ends_with(".eml")
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}
