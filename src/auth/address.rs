//! Email addresses, in the one form in which they are kept and compared.

use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization;

use crate::error::Message;

/// The longest address that SMTP can carry (RFC 5321, 4.5.3.1.3).
const LONGEST: usize = 254;

/// An email address that can be written to: half-width, lower case, its domain in ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(String);

impl Address {
    /// Reads what a person typed; full-width characters (`＠`) are taken for their half-width forms.
    ///
    /// # Errors
    /// With the message to show beside the field.
    pub fn parse(text: &str) -> Result<Self, Message> {
        let wrong = || Message::from("auth-address-wrong");
        if text.trim().is_empty() {
            return Err("auth-address-missing".into());
        }
        if text.len() > 4 * LONGEST {
            return Err(wrong());
        }
        let folded = fold(text);
        let (local, domain) = folded.rsplit_once('@').ok_or_else(wrong)?;
        if !local.chars().all(is_plain) {
            return Err(wrong());
        }
        let url::Host::Domain(domain) = url::Host::parse(domain).map_err(|_| wrong())? else {
            return Err(wrong());
        };
        if !domain.contains('.') && domain != "localhost" {
            return Err(wrong());
        }
        let address = format!("{local}@{domain}");
        if address.len() > LONGEST || lettre::Address::from_str(&address).is_err() {
            return Err(wrong());
        }
        Ok(Self(address))
    }

    /// What a person typed of the beginning of an address, in the same form; a whole address is its own beginning.
    ///
    /// # Errors
    /// With the message to show beside the field, where no address can begin so.
    pub fn beginning(text: &str) -> Result<String, Message> {
        let wrong = || Message::from("auth-address-beginning-wrong");
        if let Ok(whole) = Self::parse(text) {
            return Ok(whole.0);
        }
        if text.len() > 4 * LONGEST {
            return Err(wrong());
        }
        let folded = fold(text);
        let (local, domain) = folded.split_once('@').unwrap_or((&folded, ""));
        let of_domain = |c: char| c.is_alphanumeric() || "-.".contains(c);
        if folded.is_empty() || !local.chars().all(is_plain) || !domain.chars().all(of_domain) {
            return Err(wrong());
        }
        let beginning = match url::Host::parse(domain) {
            Ok(url::Host::Domain(domain)) => format!("{local}@{domain}"),
            _ => folded,
        };
        if beginning.len() > LONGEST { Err(wrong()) } else { Ok(beginning) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`: a name for somebody who gave none.
    pub fn local_part(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Half-width and in lower case.
fn fold(text: &str) -> String {
    text.trim().nfkc().collect::<String>().to_lowercase().replace('。', ".")
}

/// What may stand before the `@`. Quoted local parts are legal, but nobody has one, and programs on the way trip over
/// them. Letters of any script are: such mailboxes are written to by SMTPUTF8.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_one_address_however_it_is_typed() {
        for typed in [" Reader@Example.ORG ", "ｒｅａｄｅｒ＠ｅｘａｍｐｌｅ．ｏｒｇ", "reader@example。org"]
        {
            assert_eq!(Address::parse(typed).unwrap().as_str(), "reader@example.org", "{typed}");
        }
        assert_eq!(Address::parse("读者@例子.中国").unwrap().as_str(), "读者@xn--fsqu00a.xn--fiqs8s");
        assert_eq!(Address::parse("a+b@例子.中国").unwrap().as_str(), "a+b@xn--fsqu00a.xn--fiqs8s");
    }

    #[test]
    fn the_beginning_of_an_address_is_typed_as_freely() {
        for (typed, beginning) in [
            (" Rea", "rea"),
            ("ｒｅａｄｅｒ＠ｅｘ", "reader@ex"),
            ("reader@example。", "reader@example."),
            ("reader@example.org", "reader@example.org"),
            ("读者@例子", "读者@xn--fsqu00a"),
            ("@", "@"),
            ("100%_", "100%_"),
            ("a@127.0", "a@127.0"),
        ] {
            assert_eq!(Address::beginning(typed).unwrap(), beginning, "{typed}");
        }
        for typed in ["", " ", "a b", "<a", "a@b@", "a@b_c", "a\0", &"长".repeat(255), &"a".repeat(2_000)] {
            assert!(Address::beginning(typed).is_err(), "{typed}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.org", "a".repeat(250));
        for typed in [
            "",
            "  ",
            "reader",
            "@example.org",
            "reader@",
            "reader@example",
            "reader@127.0.0.1",
            "reader@[127.0.0.1]",
            "a b@example.org",
            "a\r\nBcc: x@example.org",
            "\"a b\"@example.org",
            "<a@example.org>",
            "a@example.org, b@example.org",
            "a@b@example.org",
            "a..b@example.org",
            "读\u{200b}者@example.org",
            "读，者@example.org",
            &long,
        ] {
            assert!(Address::parse(typed).is_err(), "{typed}");
        }
    }
}
