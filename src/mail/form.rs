//! [`Form`]: a mail to many, written once, with blanks for what is each recipient's own.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};

use super::dkim::Dkim;
use super::letter::{self, Letter};

/// Characters on a line of an encoded body (RFC 2045).
const LINE: usize = 76;
/// A text whose lines are all shorter goes over the wire as it is, if it is ASCII.
const LONGEST_LINE: usize = 900;

/// Marks blanks in what templates render. The number is random, so no article can hold a mark.
#[derive(Clone, Copy, Debug)]
pub struct Marks(u64);

impl Marks {
    pub fn new() -> Self {
        Self(rand::random())
    }

    /// Stands for the blank of this number, 0 to 9; no template changes it.
    pub fn blank(self, number: usize) -> String {
        format!("\u{F8FF}{:016x}.{number}\u{F8FF}", self.0)
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self::new()
    }
}

/// Text with blanks.
#[derive(Clone, Debug, Default)]
struct Text {
    /// What stands before each blank, and the blank's number; then the rest.
    pieces: Vec<(String, usize)>,
    rest: String,
    /// Whether it can go over the wire as it is, whatever ASCII fills the blanks.
    plain: bool,
}

impl Text {
    fn read(text: &str, marks: Marks) -> Self {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mark = format!("\u{F8FF}{:016x}.", marks.0);
        while let Some((before, after)) = rest.split_once(&mark) {
            let Some((number, after)) = after.split_once('\u{F8FF}') else { break };
            pieces.push((before.to_owned(), number.parse().unwrap_or(0)));
            rest = after;
        }
        let fixed = || pieces.iter().map(|(before, _)| before.as_str()).chain([rest]);
        let plain = fixed().all(|part| part.is_ascii() && !part.contains('\r'))
            && text.lines().all(|line| line.len() < LONGEST_LINE);
        Self { rest: rest.to_owned(), plain, pieces }
    }

    fn fill(&self, blanks: &[String]) -> String {
        let mut text = String::with_capacity(self.rest.len() + 256);
        for (before, number) in &self.pieces {
            text.push_str(before);
            text.push_str(blanks.get(*number).map_or("", String::as_str));
        }
        text.push_str(&self.rest);
        text
    }
}

/// A mail to many.
#[derive(Debug)]
pub struct Form {
    /// Encoded headers that are the same for all, each line ended.
    head: String,
    boundary: String,
    text: Text,
    html: Text,
    /// Signs beside the site's keys.
    pub(super) dkim: Option<Dkim>,
    /// As given, for those who look at letters and not at bytes.
    letter: Letter,
}

/// What fills a form for one recipient.
#[derive(Clone, Debug, Default)]
pub struct Personal {
    pub to: String,
    /// With angle brackets.
    pub message_id: String,
    /// Headers of this recipient's own; ASCII.
    pub headers: Vec<(&'static str, String)>,
    /// By number: for the text, and escaped for HTML.
    pub text: Vec<String>,
    pub html: Vec<String>,
}

impl Form {
    /// From a letter whose texts hold [`Marks`]. Its recipient and Message-ID are of no matter.
    pub fn new(letter: Letter, marks: Marks, from: &Mailbox) -> Self {
        let head = fixed_head(&letter, from);
        let text = Text::read(&letter.text, marks);
        let html = Text::read(&letter.html, marks);
        let boundary = format!("{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>());
        Self { head, boundary, text, html, dkim: None, letter }
    }

    /// The same, signed by its sender's own keys too.
    pub fn signed_by(self, dkim: Dkim) -> Self {
        Self { dkim: Some(dkim), ..self }
    }

    /// The message's bytes; ASCII, unless the recipient's address is not.
    pub fn message(&self, personal: &Personal, now: std::time::SystemTime) -> String {
        let (text, html) = (self.text.fill(&personal.text), self.html.fill(&personal.html));
        let mut message = String::with_capacity((text.len() + html.len()) * 3 / 2 + self.head.len() + 2_048);
        let date = chrono::DateTime::<chrono::Utc>::from(now).format("%a, %d %b %Y %H:%M:%S +0000");
        let _ = write!(message, "Date: {date}\r\nTo: {}\r\n", personal.to);
        let _ = write!(message, "Message-ID: {}\r\n{}", personal.message_id, self.head);
        for (name, value) in &personal.headers {
            let _ = write!(message, "{name}: {value}\r\n");
        }
        let boundary = &self.boundary;
        let _ = write!(
            message,
            "MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary=\"{boundary}\"\r\n\r\n"
        );
        for (kind, text, plain) in [("plain", text, self.text.plain), ("html", html, self.html.plain)] {
            let _ = write!(message, "--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n");
            write_body(&mut message, &text, plain && text.is_ascii());
        }
        let _ = write!(message, "--{boundary}--\r\n");
        message
    }

    /// The same as a letter.
    pub fn letter(&self, personal: &Personal) -> Letter {
        let mut letter = self.letter.clone();
        letter.to.clone_from(&personal.to);
        letter.message_id.clone_from(&personal.message_id);
        letter.headers.extend(personal.headers.iter().cloned());
        letter.text = self.text.fill(&personal.text);
        letter.html = self.html.fill(&personal.html);
        letter
    }
}

/// Sender, subject and the letter's further headers, folded and encoded.
fn fixed_head(letter: &Letter, from: &Mailbox) -> String {
    let builder =
        MessageBuilder::new().from(letter::sender(letter, from)).subject(letter::one_line(&letter.subject));
    let Ok(mut message) = builder.to(from.clone()).body(String::new()) else { return String::new() };
    for (name, value) in &letter.headers {
        let name = HeaderName::new_from_ascii_str(name);
        message.headers_mut().insert_raw(HeaderValue::new(name, letter::one_line(value)));
    }
    let headers = message.headers_mut();
    for name in ["To", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"] {
        headers.remove_raw(name);
    }
    headers.to_string()
}

fn write_body(message: &mut String, text: &str, plain: bool) {
    if plain {
        message.push_str("Content-Transfer-Encoding: 7bit\r\n\r\n");
        for line in text.lines() {
            message.push_str(line);
            message.push_str("\r\n");
        }
        return;
    }
    message.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    // What is encoded has its lines ended as mail ends them.
    let encoded = STANDARD.encode(text.replace('\n', "\r\n"));
    let mut rest = encoded.as_str();
    while rest.len() > LINE {
        let (line, after) = rest.split_at(LINE);
        message.push_str(line);
        message.push_str("\r\n");
        rest = after;
    }
    message.push_str(rest);
    message.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;

    use super::*;

    #[test]
    fn a_filled_form_is_a_mail_that_others_read() {
        let marks = Marks::new();
        let letter = Letter {
            from_name: "伦敦华人圈, \"周报\"".into(),
            subject: "海外华人过春节：一个很长很长的标题，长到要折行才写得下，还有 English 夹在里面".into(),
            text: format!("你好 {}\n\n.一行\n再见 {}", marks.blank(0), marks.blank(1)),
            html: format!("<p>{}</p>", marks.blank(0)),
            headers: vec![("List-Id", "伦敦华人圈 <london.example.org>".into())],
            ..Letter::default()
        };
        let form = Form::new(letter, marks, &"News <news@example.org>".parse().unwrap());
        let personal = Personal {
            to: "a@example.org".into(),
            message_id: "<1.2@example.org>".into(),
            headers: vec![("List-Unsubscribe", "<https://example.org/s/1>".into())],
            text: vec!["甲".into(), "https://example.org/s/1".into()],
            html: vec!["&lt;甲&gt;".into()],
        };
        let message = form.message(&personal, std::time::SystemTime::now());
        assert!(message.is_ascii() && message.split("\r\n").all(|line| line.len() <= 76 + 20), "{message}");
        let mail = MessageParser::default().parse(message.as_bytes()).unwrap();
        let letter = form.letter(&personal);
        assert_eq!(mail.subject(), Some(letter.subject.as_str()));
        let from = mail.from().unwrap().first().unwrap();
        assert_eq!(
            (from.name(), from.address()),
            (Some(letter.from_name.as_str()), Some("news@example.org"))
        );
        assert_eq!(mail.to().unwrap().first().unwrap().address(), Some("a@example.org"));
        assert_eq!(mail.message_id(), Some("1.2@example.org"));
        assert_eq!(mail.body_text(0).unwrap().replace('\r', "").trim_end(), letter.text);
        assert_eq!(mail.body_html(0).unwrap().trim_end(), "<p>&lt;甲&gt;</p>");
        assert!(mail.date().is_some());
        let list = mail.header_raw("List-Id").unwrap();
        assert!(list.contains("<london.example.org>"), "{list}");
    }

    #[test]
    fn an_article_that_looks_like_a_blank_is_not_filled() {
        let marks = Marks::new();
        let text = Text::read(&format!("\u{F8FF}0000000000000000.0\u{F8FF}{}", marks.blank(1)), marks);
        assert_eq!(text.fill(&["x".into(), "y".into()]), "\u{F8FF}0000000000000000.0\u{F8FF}y");
    }
}
