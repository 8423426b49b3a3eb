//! Return paths: the address of the envelope to which a message's bounces go. It names the delivery and
//! is signed, so nobody can make up a bounce of a message that they have not seen.

use crate::app::App;

const DELIVERY: &str = "return-path";
const COMPLAINTS: &str = "complaints";

/// Who a report is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addressee {
    /// The return path of a delivery.
    Delivery(i64),
    /// The address that mailbox providers are given for complaints (feedback loops).
    Complaints,
}

/// The return path of a delivery; none without a bounce domain. Lower case throughout: some servers on the
/// way write addresses so.
pub fn of(app: &App, delivery_id: i64) -> Option<String> {
    let domain = domain(app)?;
    let tag = app.signer.tag(DELIVERY, &delivery_id.to_string());
    Some(format!("b-{delivery_id}-{tag}@{domain}"))
}

/// The address for complaints; none without a bounce domain.
pub fn complaints(app: &App) -> Option<String> {
    Some(format!("complaints-{}@{}", app.signer.tag(COMPLAINTS, ""), domain(app)?))
}

fn domain(app: &App) -> Option<&str> {
    Some(app.config.bounce_domain.as_str()).filter(|domain| !domain.is_empty())
}

/// Whose an address is; none for whatever we did not sign.
pub fn read(app: &App, address: &str) -> Option<Addressee> {
    use subtle::ConstantTimeEq;
    let address = address.trim().trim_matches(['<', '>']).to_ascii_lowercase();
    let (local, at) = address.rsplit_once('@')?;
    if !at.trim_end_matches('.').eq_ignore_ascii_case(domain(app)?) {
        return None;
    }
    let is_tag = |tag: &str, right: String| bool::from(tag.as_bytes().ct_eq(right.as_bytes()));
    if let Some(tag) = local.strip_prefix("complaints-") {
        return is_tag(tag, app.signer.tag(COMPLAINTS, "")).then_some(Addressee::Complaints);
    }
    let (id, tag) = local.strip_prefix("b-")?.split_once('-')?;
    // As we write it: no sign, no leading zero.
    let number: i64 = id.parse().ok().filter(|number: &i64| number.to_string() == id)?;
    is_tag(tag, app.signer.tag(DELIVERY, id)).then_some(Addressee::Delivery(number))
}
