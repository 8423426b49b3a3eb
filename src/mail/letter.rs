//! [`Letter`]: a mail before it is put on the wire, and how it is put there.

use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::MailError;

/// A mail to one recipient, in plain text and HTML.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letter {
    /// The recipient's address.
    pub to: String,
    /// The sender's name; empty leaves the instance's. The address is always the instance's.
    pub from_name: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// With angle brackets; empty lets the mailer make one.
    pub message_id: String,
    /// Further headers, such as List-Unsubscribe.
    pub headers: Vec<(&'static str, String)>,
}

impl Letter {
    /// The letter as a MIME message: headers folded and encoded (RFC 2047), both texts in the
    /// shortest encoding that any server passes on unharmed.
    ///
    /// # Errors
    /// When the recipient's address cannot be written.
    pub fn compose(&self, from: &Mailbox) -> Result<Message, MailError> {
        let to: Mailbox =
            self.to.parse().map_err(|error| MailError::BadAddress(format!("{}: {error}", self.to)))?;
        let mut builder = Message::builder().from(sender(self, from)).to(to).subject(one_line(&self.subject));
        // Without one given, the host's name is the sender's: a Message-ID from "localhost" looks like spam.
        let id = match self.message_id.as_str() {
            "" => format!(
                "<{:016x}{:016x}@{}>",
                rand::random::<u64>(),
                rand::random::<u64>(),
                from.email.domain()
            ),
            id => id.to_owned(),
        };
        builder = builder.message_id(Some(id));
        let mut message = builder
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))
            .map_err(|error| MailError::Permanent(error.to_string()))?;
        for (name, value) in &self.headers {
            let name = HeaderName::new_from_ascii_str(name);
            message.headers_mut().insert_raw(HeaderValue::new(name, one_line(value)));
        }
        Ok(message)
    }
}

/// The instance's address under the letter's name.
pub(super) fn sender(letter: &Letter, from: &Mailbox) -> Mailbox {
    let mut from = from.clone();
    if !letter.from_name.is_empty() {
        from.name = Some(one_line(&letter.from_name));
    }
    from
}

/// Text on one line and without control characters, as a header needs it.
pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}
