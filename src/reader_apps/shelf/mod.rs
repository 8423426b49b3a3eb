//! What a reader's apps see: the accounts and outside feeds that they follow as one shelf of feeds, articles and
//! outside items as one kind of item.
//!
//! Feeds are known by numbers made of their ids, items by numbers of their own: see [`FeedKey::number`] and
//! [`numbers`].

pub mod feeds;
pub mod items;
pub mod numbers;
pub mod states;
pub mod stream;

/// A feed of a reader's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeedKey {
    Account(i64),
    Outside(i64),
}

impl FeedKey {
    /// How apps know it, for good: an account's id twice, an outside feed's id twice and one.
    pub fn number(self) -> i64 {
        match self {
            Self::Account(id) => id * 2,
            Self::Outside(id) => id * 2 + 1,
        }
    }

    pub fn of_number(number: i64) -> Option<Self> {
        let id = number.div_euclid(2);
        match number.rem_euclid(2) {
            _ if id < 1 => None,
            0 => Some(Self::Account(id)),
            _ => Some(Self::Outside(id)),
        }
    }
}

/// An item of a feed. The order is that of items of the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ItemKey {
    Article(i64),
    Outside(i64),
}

/// Keys by their kinds: ids of articles, ids of outside items.
pub fn split(keys: impl IntoIterator<Item = ItemKey>) -> (Vec<i64>, Vec<i64>) {
    let (mut articles, mut outside) = (Vec::new(), Vec::new());
    for key in keys {
        match key {
            ItemKey::Article(id) => articles.push(id),
            ItemKey::Outside(id) => outside.push(id),
        }
    }
    (articles, outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_feeds_lead_back_to_them_and_never_meet() {
        for key in [FeedKey::Account(1), FeedKey::Outside(1), FeedKey::Account(2), FeedKey::Outside(77)] {
            assert_eq!(FeedKey::of_number(key.number()), Some(key));
        }
        for wrong in [i64::MIN, -1, 0, 1] {
            assert_eq!(FeedKey::of_number(wrong), None);
        }
    }
}
