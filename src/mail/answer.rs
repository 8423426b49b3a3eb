//! What a mail server's answer means: for the message, for its address, and for the server.

use super::MailError;

/// Whether an answer to a recipient or a message is about the server as a whole: it closes the line for
/// all, or has no room for anybody's mail.
fn is_of_server(code: &str, said: &str) -> bool {
    let enhanced = said.split(|c: char| c.is_whitespace() || c == '-').next().unwrap_or("");
    match code {
        "421" => !["4.1.", "4.2.", "4.7."].iter().any(|about| enhanced.starts_with(about)),
        code => code.starts_with('4') && matches!(enhanced, "4.3.1" | "4.3.2"),
    }
}

/// Whether an answer says that we send too much, whatever its code: QQ says `550 Domain frequency limited` and means
/// for minutes, hours or the day.
pub(crate) fn is_too_much(answer: &str) -> bool {
    answer.to_ascii_lowercase().contains("frequency limited")
}

/// Whether an answer says that the mailbox is full (5.2.2 and its temporary sister, or 552 without more).
pub(crate) fn is_full(answer: &str) -> bool {
    let mut words = answer.split([' ', '-']);
    let code = words.next().unwrap_or_default();
    match words.next().unwrap_or_default() {
        "4.2.2" | "5.2.2" => true,
        enhanced if enhanced.starts_with("5.") || enhanced.starts_with("4.") => false,
        _ => code == "552",
    }
}

/// What 550 without an enhanced code means where it is not that there is no such mailbox, by a part of its words:
/// whether it passes. QQ's, as its help and smtp.codes/qq explain them; others say of spam what QQ does.
const OTHERWISE: [(&str, bool); 7] = [
    // This mailbox gets too much for now.
    ("mailbox unavailable or access denied", true),
    ("rejected by recipient", false),
    ("content denied", false),
    ("content reject", false),
    ("dmarc", false),
    ("spam", false),
    ("blacklist", false),
];

/// Sorts an answer by its reply code (RFC 5321) and the enhanced code before its text (RFC 3463).
pub(crate) fn blame_answer(code: &str, said: &str, words: String) -> MailError {
    if is_of_server(code, said) {
        return MailError::Server(words);
    }
    if !code.starts_with('5') || matches!(code, "530" | "534" | "535" | "538") || is_too_much(said) {
        return MailError::Temporary(words);
    }
    let enhanced = said.split(|c: char| c.is_whitespace() || c == '-').next().unwrap_or("");
    let mut parts = enhanced.split('.');
    let about = match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("5"), Some(subject), Some(detail), None) => Some((subject, detail)),
        _ => None,
    };
    let bad_address = match about {
        // 5.1.7 and 5.1.8 are about the sender's address.
        Some(("1", detail)) => !matches!(detail, "7" | "8"),
        // Mailbox disabled; 5.2.2 is merely full.
        Some(("2", "1")) => true,
        // No such recipient, in Exchange's words; no route to the host.
        Some(("4", "1" | "4")) => true,
        Some(("0", "0")) | None => {
            let said = said.to_ascii_lowercase();
            match OTHERWISE.iter().find(|(part, _)| said.contains(part)) {
                Some((_, true)) => return MailError::Temporary(words),
                Some((_, false)) => false,
                None => matches!(code, "550" | "551" | "553" | "521" | "556"),
            }
        }
        Some(_) => false,
    };
    if bad_address { MailError::BadAddress(words) } else { MailError::Permanent(words) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("451", "4.7.1 Greylisted", "temporary")]
    #[case("550", "5.1.1 no such user", "bad address")]
    #[case("550", "Mailbox not found", "bad address")]
    #[case(
        "550",
        "Mailbox not found. http://service.exmail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000728",
        "bad address"
    )]
    #[case("550", "Domain frequency limited. http://service.mail.qq.com/cgi-bin/help?subtype=1", "temporary")]
    #[case("550", "Sender frequency limited.", "temporary")]
    #[case("550", "Connection frequency limited", "temporary")]
    #[case("550", "Ip frequency limited [pBkxSUrzX8]", "temporary")]
    #[case("550", "5.7.1 Domain frequency limited", "temporary")]
    #[case("550", "Mailbox unavailable or access denied", "temporary")]
    #[case("550", "Mail content denied. http://service.exmail.qq.com/cgi-bin/help", "permanent")]
    #[case("550", "Suspected spam sender.", "permanent")]
    #[case("550", "DMARC check failed", "permanent")]
    #[case("550", "Mail is rejected by recipients", "permanent")]
    #[case("550", "5.7.1 looks like spam", "permanent")]
    #[case("550", "5.4.1 Recipient address rejected: Access denied", "bad address")]
    #[case("552", "5.2.2 mailbox full", "permanent")]
    #[case("553", "5.1.8 bad sender", "permanent")]
    #[case("554", "Transaction failed", "permanent")]
    #[case("535", "5.7.8 wrong password", "temporary")]
    #[case("556", "5.1.10 no mail here", "bad address")]
    #[case("421", "mx.example closing transmission channel", "server")]
    #[case("421", "4.7.28 unusual rate of mail from you", "temporary")]
    #[case("452", "4.3.1 Insufficient system storage", "server")]
    #[case("452", "4.2.2 mailbox full", "temporary")]
    fn an_answer_is_blamed_on_the_right_one(#[case] code: &str, #[case] said: &str, #[case] blamed: &str) {
        let got = match blame_answer(code, said, String::new()) {
            MailError::Temporary(_) => "temporary",
            MailError::Permanent(_) => "permanent",
            MailError::BadAddress(_) => "bad address",
            MailError::Server(_) => "server",
        };
        assert_eq!(got, blamed);
    }

    #[rstest]
    #[case("552 5.2.2 mailbox full", true)]
    #[case("452 4.2.2 The email account that you tried to reach is over quota", true)]
    #[case("552-5.2.2 over quota", true)]
    #[case("552 Quota exceeded", true)]
    #[case("552 5.3.4 message too big for system", false)]
    #[case("550 5.1.1 no such user", false)]
    fn a_full_mailbox_is_known_by_its_answer(#[case] answer: &str, #[case] full: bool) {
        assert_eq!(is_full(answer), full);
    }
}
