//! A search as it came in an address, and the addresses of searches like it.

use url::form_urlencoded::{Serializer, parse};

use super::place::Cursor;
use super::query::Part;

/// A search as it came in an address, unread. Any string is allowed anywhere.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    pub q: String,
    /// Handles, with or without @.
    pub accounts: Vec<String>,
    /// A day, month or year, or a moment as in RFC 3339; from its beginning, to its end.
    pub from: String,
    pub to: String,
    pub lang: String,
    /// A [`Part`].
    pub has: String,
    /// `subscriptions`: only accounts that the reader follows.
    pub scope: String,
    /// `relevance`, `newest` or `oldest`.
    pub sort: String,
    pub limit: String,
    pub cursor: String,
    /// What the answer holds is to be counted.
    pub facets: bool,
    /// Articles that say the same are put under the best of them.
    pub fold: bool,
}

impl Wanted {
    /// Reads the query part of an address; of a name that comes twice the last counts, but every
    /// account.
    pub fn from_query(query: &str) -> Wanted {
        let mut wanted = Wanted::default();
        for (name, value) in parse(query.as_bytes()) {
            let value = value.trim().to_owned();
            let field = match &*name {
                "q" => &mut wanted.q,
                "account" => {
                    wanted.add_account(&value);
                    continue;
                }
                "facets" => {
                    wanted.facets = matches!(&*value, "1" | "true");
                    continue;
                }
                "fold" => {
                    wanted.fold = matches!(&*value, "1" | "true");
                    continue;
                }
                "from" => &mut wanted.from,
                "to" => &mut wanted.to,
                "lang" => &mut wanted.lang,
                "has" => &mut wanted.has,
                "in" => &mut wanted.scope,
                "sort" => &mut wanted.sort,
                "limit" => &mut wanted.limit,
                "cursor" => &mut wanted.cursor,
                _ => continue,
            };
            *field = value;
        }
        wanted
    }

    fn add_account(&mut self, handle: &str) {
        let handle = handle.trim_start_matches(['@', '＠']).to_ascii_lowercase();
        if !handle.is_empty() && self.accounts.len() < MAX_ACCOUNTS && !self.accounts.contains(&handle) {
            self.accounts.push(handle);
        }
    }

    /// What narrows the search and orders it, for an address or a form's hidden fields.
    pub fn narrowing(&self) -> Vec<(&'static str, &str)> {
        let accounts = self.accounts.iter().map(|handle| ("account", handle.as_str()));
        let others = [
            ("from", &*self.from),
            ("to", &*self.to),
            ("lang", &*self.lang),
            ("has", &*self.has),
            ("in", &*self.scope),
            ("sort", &*self.sort),
        ];
        accounts.chain(others).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The same without those of these names.
    pub fn narrowing_without(&self, names: &[&str]) -> Vec<(&'static str, &str)> {
        self.narrowing().into_iter().filter(|(name, _)| !names.contains(name)).collect()
    }

    /// The address of this search at `path`.
    pub fn at(&self, path: &str) -> String {
        let start = format!("{path}?");
        let length = start.len();
        let mut query = Serializer::for_suffix(start, length);
        if !self.q.is_empty() {
            query.append_pair("q", &self.q);
        }
        query.extend_pairs(self.narrowing());
        if !self.cursor.is_empty() {
            query.append_pair("cursor", &self.cursor);
        }
        let address = query.finish();
        address.strip_suffix('?').map_or(address.clone(), str::to_owned)
    }

    /// The address of the same search elsewhere in its results.
    pub fn path(&self, cursor: Option<Cursor>) -> String {
        let cursor = cursor.map(|cursor| cursor.encode()).unwrap_or_default();
        Wanted { cursor, ..self.clone() }.at("/search")
    }

    /// The address of the first page of a search that is changed a little.
    pub fn changed(&self, change: impl FnOnce(&mut Wanted)) -> String {
        let mut wanted = self.clone();
        change(&mut wanted);
        wanted.path(None)
    }

    /// The same, for a choice of order.
    pub fn sorted(&self, sort: &str) -> String {
        self.changed(|wanted| wanted.sort = sort.to_owned())
    }

    pub fn has_filter(&self) -> bool {
        !self.narrowing_without(&["sort"]).is_empty()
    }

    pub fn part(&self) -> Option<Part> {
        self.has.parse().ok()
    }

    /// Nothing was asked for at all.
    pub fn is_empty(&self) -> bool {
        self.q.is_empty() && !self.has_filter()
    }
}

/// Accounts that one search may be narrowed to by name.
const MAX_ACCOUNTS: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_whatever_is_in_it() {
        let wanted =
            Wanted::from_query("q=%E5%8F%B0%FF+a&q=b%20c&sort=newest&x=%&account=@A&account=b&account=a");
        assert_eq!((wanted.q.as_str(), wanted.sort.as_str()), ("b c", "newest"));
        assert_eq!(wanted.accounts, ["a", "b"]);
        assert_eq!(Wanted::from_query("q=%E5%8F%B0%FF").q, "台\u{FFFD}");
        assert_eq!(Wanted::from_query("q=台&from=2026").path(None), "/search?q=%E5%8F%B0&from=2026");
        assert_eq!(
            Wanted::from_query("in=subscriptions&has=image").path(None),
            "/search?has=image&in=subscriptions"
        );
        assert_eq!(Wanted::from_query("x=1").path(None), "/search");
    }
}
