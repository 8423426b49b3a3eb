//! Where an article stands in an answer, and where the next page begins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Answers come by tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// Shares some of what was asked for.
    Near = 1,
    /// Holds all that was asked for.
    Exact = 2,
}

/// A place in the order of answers, better ones greater: tier, then key, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub tier: Tier,
    pub key: Key,
    pub article: i64,
}

/// What orders a tier: a score, or a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key(i64);

impl Key {
    /// By score; those that had a closer look stand before all others. Bits of floats that are not
    /// negative are in the order of the floats.
    pub fn of_score(score: f32, closer: bool) -> Key {
        Key(i64::from(closer) << 32 | i64::from(score.max(0.0).to_bits()))
    }

    /// Greater times first. Unix milliseconds.
    pub fn of_time(time: i64) -> Key {
        Key(time)
    }

    /// Of [`Key::of_score`].
    pub fn score(self) -> f32 {
        f32::from_bits(self.0 as u32)
    }

    fn had_closer_look(self) -> bool {
        self.0 >> 32 != 0
    }
}

impl Place {
    /// From 0 to 1, falling along a tier that is ordered by score.
    pub fn share(&self) -> f32 {
        let score = self.key.score();
        (f32::from(u8::from(self.key.had_closer_look())) + score / (score + 50.0)) / 2.0
    }
}

/// The last hit of a page, as an opaque string for the reader. It keeps the time of the first page,
/// so that freshness weighs the same on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub place: Place,
    /// Unix milliseconds.
    pub now: i64,
}

impl Cursor {
    pub fn encode(&self) -> String {
        let mut bytes = vec![self.place.tier as u8];
        for part in [self.place.key.0, self.place.article, self.now] {
            bytes.extend(part.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for anything that [`Cursor::encode`] did not write.
    pub fn decode(text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&tier, rest) = bytes.split_first()?;
        let tier = [Tier::Near, Tier::Exact].into_iter().find(|known| *known as u8 == tier)?;
        let parts: Vec<i64> = rest
            .chunks(8)
            .map(|part| part.try_into().map(i64::from_be_bytes))
            .collect::<Result<_, _>>()
            .ok()?;
        let [key, article, now] = parts[..] else { return None };
        Some(Cursor { place: Place { tier, key: Key(key), article }, now })
    }
}
