//! Reading what comes back: delivery reports (RFC 3464), complaints (RFC 5965, and messages that are
//! forwarded as such), and the letters of servers that write neither.

use std::borrow::Cow;

use mail_parser::{Message, MessageParser, MessagePart, MimeHeaders, PartType};

use super::Word;
use crate::db::entities::bounce::BounceKind;
use crate::mail::{MailError, blame_answer};

/// Letters of the text of one part that are looked at.
const MOST_TEXT: usize = 64 * 1024;
/// Parts of a message, one inside the other or side by side. A bounce has about five.
const MOST_PARTS: usize = 100;
/// Headers of the message that came back, by which it is known again.
const SIGNS: [&str; 4] = ["Return-Path", "Message-ID", "List-Unsubscribe", "X-Original-Return-Path"];

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// None when it says nothing that is to be heeded: a delay, an out-of-office note.
    pub word: Option<Word>,
    /// Who it says is the sender of the message that it is about, and headers of that.
    pub signs: Vec<String>,
}

/// Reads a message that came to a return path (`from` is its own envelope's sender) or to the address for
/// complaints.
pub fn read(bytes: &[u8], from: &str) -> Report {
    if parts_of(bytes) > MOST_PARTS {
        return Report::default();
    }
    let Some(message) = MessageParser::default().parse(bytes) else { return Report::default() };
    let mut report = Report::default();
    let mut statuses = Vec::new();
    let mut feedback = Vec::new();
    for part in &message.parts {
        match kind(part).as_str() {
            "message/delivery-status" | "message/global-delivery-status" => {
                statuses.extend(groups(&text(part)));
            }
            "message/feedback-report" => feedback.extend(groups(&text(part))),
            "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers" => {
                report.signs.extend(signs_in(&text(part)));
            }
            _ => {}
        }
        if let PartType::Message(inner) = &part.body {
            report.signs.extend(SIGNS.iter().filter_map(|name| raw(inner, name)).map(tidy));
        }
    }
    for group in &feedback {
        report.signs.extend(field(group, "original-mail-from").map(tidy));
        report.signs.extend(field(group, "original-envelope-id").map(tidy));
    }
    report.word = if !feedback.is_empty() {
        complaint(&feedback)
    } else if !statuses.is_empty() {
        worst(statuses.iter().filter_map(|group| of_recipient(group)))
    } else if is_forwarded(&message) {
        Some(Word { kind: BounceKind::Complaint, words: subject(&message) })
    } else {
        of_letter(&message, from)
    };
    report
}

/// How many parts a message has at most, before it is taken apart.
fn parts_of(bytes: &[u8]) -> usize {
    const NAME: &[u8] = b"content-type:";
    let is_one = |line: &&[u8]| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME));
    bytes.split(|byte| matches!(byte, b'\n' | b'\r')).filter(is_one).count()
}

fn kind(part: &MessagePart<'_>) -> String {
    let kind = part.content_type();
    kind.map(|kind| format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default()).to_lowercase())
        .unwrap_or_default()
}

fn text<'a>(part: &'a MessagePart<'_>) -> Cow<'a, str> {
    let bytes = part.contents();
    String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_TEXT)])
}

fn tidy(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A header as it stands there; a message inside another may have none at all.
fn raw<'a>(message: &'a Message<'_>, name: &'static str) -> Option<&'a str> {
    message.parts.first()?;
    message.header_raw(name)
}

fn subject(message: &Message<'_>) -> String {
    tidy(message.subject().unwrap_or_default())
}

/// Fields of a report, a group for each part between empty lines; folded lines are put together.
fn groups(text: &str) -> Vec<Vec<(String, String)>> {
    let mut groups: Vec<Vec<(String, String)>> = vec![Vec::new()];
    for line in text.lines() {
        let last = groups.last_mut().and_then(|group| group.last_mut());
        if line.trim().is_empty() {
            groups.push(Vec::new());
        } else if let (true, Some((_, value))) = (line.starts_with([' ', '\t']), last) {
            value.push(' ');
            value.push_str(line.trim());
        } else if let Some((name, value)) = line.split_once(':')
            && let Some(group) = groups.last_mut()
        {
            group.push((name.trim().to_lowercase(), value.trim().to_owned()));
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn field<'a>(group: &'a [(String, String)], name: &str) -> Option<&'a str> {
    group.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
}

fn signs_in(head: &str) -> Vec<String> {
    let groups = groups(head);
    let known =
        groups.iter().flatten().filter(|(name, _)| SIGNS.iter().any(|sign| sign.eq_ignore_ascii_case(name)));
    known.map(|(_, value)| tidy(value)).collect()
}

/// What a feedback report says; some providers send reports of failed authentication in the same form.
fn complaint(feedback: &[Vec<(String, String)>]) -> Option<Word> {
    let said = feedback.iter().find_map(|group| field(group, "feedback-type")).unwrap_or("abuse");
    if !matches!(
        said.to_lowercase().as_str(),
        "abuse" | "fraud" | "virus" | "other" | "opt-out" | "miscategorized"
    ) {
        return None;
    }
    let by = feedback.iter().find_map(|group| field(group, "user-agent")).unwrap_or_default();
    Some(Word { kind: BounceKind::Complaint, words: format!("{said} {by}").trim().to_owned() })
}

/// A message attached whole to one that says so, as Outlook's feedback loop does it.
fn is_forwarded(message: &Message<'_>) -> bool {
    let mut inner = message.parts.iter().filter_map(|part| match &part.body {
        PartType::Message(inner) => Some(inner),
        _ => None,
    });
    inner.any(|inner| raw(inner, "X-HmXmrOriginalRecipient").is_some())
        || subject(message).to_lowercase().starts_with("complaint about message")
}

/// What the group of a recipient says; none where the message is still under way.
fn of_recipient(group: &[(String, String)]) -> Option<Word> {
    let action = field(group, "action").unwrap_or_default().to_lowercase();
    let status = field(group, "status").map(enhanced).unwrap_or_default();
    let diagnostic = field(group, "diagnostic-code").unwrap_or_default();
    let said = diagnostic.split_once(';').map_or(diagnostic, |(_, said)| said).trim();
    // A group without an action, or one of an unknown word, is judged by its status.
    let is_final = match action.as_str() {
        "failed" => true,
        "delayed" | "delivered" | "relayed" | "expanded" => false,
        _ => status.starts_with('5'),
    };
    if !is_final {
        return None;
    }
    let words = if said.is_empty() { status.to_owned() } else { said.to_owned() };
    Some(judge(said, status, &words))
}

/// A status without its comment.
fn enhanced(status: &str) -> &str {
    status.split([' ', '(']).next().unwrap_or_default()
}

/// Sorts an answer by its reply code, or the status where there is none.
pub fn judge(said: &str, status: &str, words: &str) -> Word {
    let kind = match reply(said) {
        Some((code, rest)) => {
            // The report's own status helps where the remote gave none.
            let rest = if starts_enhanced(&rest) { rest } else { format!("{} {rest}", useful(status)) };
            blamed(&code, rest.trim())
        }
        // 554 says nothing by itself.
        None if starts_enhanced(said) => blamed(&code_of(said), said),
        None => blamed(&code_of(status), status),
    };
    Word { kind, words: words.to_owned() }
}

fn code_of(status: &str) -> String {
    if status.starts_with('4') { "450".into() } else { "554".into() }
}

/// 5.0.0 says less than the reply code does.
fn useful(status: &str) -> &str {
    if status.ends_with(".0.0") { "" } else { status }
}

fn blamed(code: &str, said: &str) -> BounceKind {
    match blame_answer(code, said, String::new()) {
        MailError::BadAddress(_) => BounceKind::Hard,
        MailError::Permanent(_) | MailError::Temporary(_) | MailError::Server(_) => BounceKind::Soft,
    }
}

/// Whether a text begins with an enhanced status, as `5.1.1 no such user`.
fn starts_enhanced(text: &str) -> bool {
    let first = text.split(|c: char| !(c.is_ascii_digit() || c == '.')).next().unwrap_or_default();
    let mut parts = first.split('.');
    let is_number = |part: Option<&str>| part.is_some_and(|part| (1..=3).contains(&part.len()));
    matches!(parts.next(), Some("4" | "5")) && is_number(parts.next()) && is_number(parts.next())
}

/// The first reply code of a text (`550`, `550-5.1.1`, `#550`, `SMTP error 550`) with what follows it.
fn reply(text: &str) -> Option<(String, String)> {
    let bytes = text.as_bytes();
    for start in 0..bytes.len().saturating_sub(2) {
        let code = &bytes[start..start + 3];
        let is_code = matches!(code[0], b'4' | b'5') && code[1..].iter().all(u8::is_ascii_digit);
        let is_free =
            |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'.');
        let before = start.checked_sub(1).map(|place| &bytes[place]);
        // Reply codes have 0, 2, 3, 4 or 5 in the middle; what follows is a space, a hyphen or the end.
        let follows = bytes.get(start + 3);
        if is_code
            && code[1] <= b'5'
            && is_free(before)
            && follows.is_none_or(|byte| matches!(byte, b' ' | b'-' | b':' | b'\r' | b'\n' | b'<' | b'#'))
        {
            let rest = text[start + 3..].trim_start_matches([' ', '-', ':', '#', '\r', '\n']);
            return Some((text[start..start + 3].to_owned(), rest.to_owned()));
        }
    }
    None
}

/// The words that weigh most.
fn worst(words: impl Iterator<Item = Word>) -> Option<Word> {
    words.max_by_key(|word| match word.kind {
        BounceKind::Complaint => 2,
        BounceKind::Hard => 1,
        BounceKind::Soft => 0,
    })
}

/// A server's letter in its own words, such as qmail's, and those of QQ and 163. Only of a sender that
/// is a server, and with a reply code in it.
fn of_letter(message: &Message<'_>, from: &str) -> Option<Word> {
    let auto = raw(message, "Auto-Submitted").unwrap_or_default().trim().to_lowercase();
    let sender = message.from().and_then(|from| from.first()).and_then(|from| from.address());
    let sender = sender.unwrap_or_default().to_lowercase();
    let name = sender.split('@').next().unwrap_or_default();
    let is_server = matches!(name, "mailer-daemon" | "postmaster" | "mail-daemon" | "maildaemon");
    let is_silent = from.trim_matches(['<', '>', ' ']).is_empty();
    if !is_server
        || !(is_silent || from.to_lowercase().contains(name))
        || auto.starts_with("auto-replied") && !is_silent
    {
        return None;
    }
    let body = message.body_text(0).or_else(|| message.body_html(0))?;
    let body: String = body.chars().take(MOST_TEXT).collect();
    // What is quoted of our own message comes after it.
    let body = body.split("--- Below this line is a copy").next().unwrap_or_default();
    let line = body.lines().map(tidy).find(|line| reply(line).is_some())?;
    let (code, rest) = reply(&line)?;
    Some(Word { kind: blamed(&code, &rest), words: format!("{code} {rest}") })
}
