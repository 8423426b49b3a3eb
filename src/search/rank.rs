//! Runs a query: tiers, freshness, exact totals, pages.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashSet};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::ColumnValues;
use tantivy::{DocId, Score, Searcher, SegmentOrdinal, SegmentReader};

use super::query::{Filter, Parsed, Part};
use super::schema::{self, Fields};

/// With this many articles that hold all that was asked for, nothing looser is added.
const ENOUGH: usize = 20;

/// A new article may score this much more than an old one with the same text.
const FRESHNESS: f32 = 0.1;
/// In days: half of that is gone after so long.
const FRESHNESS_HALF_LIFE: f32 = 30.0;
const DAY: f32 = 86_400_000.0;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Relevance,
    Newest,
    Oldest,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub query: Parsed,
    pub filter: Filter,
    pub sort: Sort,
    pub limit: usize,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Unix milliseconds.
    pub now: i64,
    /// Count what the answer holds, see [`Facets`].
    pub facets: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Articles on all pages together.
    pub total: usize,
    /// Of these, the ones that hold every term as it stands; they come first.
    pub exact: usize,
    pub hits: Vec<Hit>,
    pub next: Option<Cursor>,
    /// Where they were asked for.
    pub facets: Facets,
    /// The time for one search was up before everything was looked at; totals are too low then.
    pub partial: bool,
}

/// How many articles of the whole answer there are of each kind, more first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    pub accounts: Vec<(i64, usize)>,
    /// Year and month (1 to 12) of publication in UTC, newest first.
    pub months: Vec<((i32, u32), usize)>,
    pub langs: Vec<(String, usize)>,
    pub has: Vec<(Part, usize)>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub article: i64,
    /// Other articles of the answer that say nearly the same, such as one agency's report in
    /// several outlets; they have no hit of their own.
    pub also: Vec<i64>,
    /// 0 to 3, falling along the answer; only comparable within it.
    pub score: f32,
    place: Place,
}

impl Hit {
    /// To go on behind this hit, should the page end here.
    pub fn cursor(&self, request: &Request) -> Cursor {
        Cursor { place: self.place, now: request.now }
    }
}

/// A place in the order of answers, better ones greater: tier (2 is the first), then score or time
/// of publication, then id.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Place {
    tier: u8,
    /// Score bits as an ordered integer, or milliseconds.
    key: i64,
    article: i64,
}

impl Eq for Place {}

impl Ord for Place {
    fn cmp(&self, other: &Place) -> Ordering {
        (self.tier, self.key, self.article).cmp(&(other.tier, other.key, other.article))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Place) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The last hit of a page, as an opaque string for the reader. It keeps the time of the first page,
/// so that freshness weighs the same on all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    place: Place,
    now: i64,
}

impl Cursor {
    pub fn encode(&self) -> String {
        let mut bytes = vec![self.place.tier];
        for part in [self.place.key, self.place.article, self.now] {
            bytes.extend(part.to_be_bytes());
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for anything that [`Cursor::encode`] did not write.
    pub fn decode(text: &str) -> Option<Cursor> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&tier, rest) = bytes.split_first()?;
        let parts: Vec<i64> = rest
            .chunks(8)
            .map(|part| part.try_into().map(i64::from_be_bytes))
            .collect::<Result<_, _>>()
            .ok()?;
        let [key, article, now] = parts[..] else { return None };
        (tier < 3).then_some(Cursor { place: Place { tier, key, article }, now })
    }
}

/// Answers a request. Blocking; takes milliseconds.
pub fn search(searcher: &Searcher, fields: &Fields, request: &Request) -> tantivy::Result<Answer> {
    let mut answer = Answer::default();
    let mut seen = HashSet::new();
    let now = request.after.map_or(request.now, |after| after.now);
    for (n, query) in request.query.tiers(fields, &request.filter).iter().enumerate() {
        let tier = 2 - n as u8;
        let page = Page {
            tier,
            now,
            sort: request.sort,
            after: request.after.map(|after| after.place),
            // One more than asked for tells whether there is a next page.
            room: (request.limit + 1).saturating_sub(answer.hits.len()),
            seen: Arc::new(std::mem::take(&mut seen)),
        };
        let found = searcher.search(query.as_ref(), &page)?;
        answer.total += found.total;
        answer.exact += if n == 0 { found.total } else { 0 };
        answer.hits.extend(found.places.into_iter().map(|place| place.hit(request.sort)));
        // By date, near misses would stand among the hits.
        let complete = request.sort != Sort::Relevance && answer.total > 0;
        if answer.total >= ENOUGH || complete {
            break;
        }
        seen = found.seen;
        seen.extend(page.seen.iter());
    }
    if answer.hits.len() > request.limit {
        answer.hits.truncate(request.limit);
        answer.next = answer.hits.last().map(|hit| Cursor { place: hit.place, now });
    }
    Ok(answer)
}

impl Place {
    fn hit(self, sort: Sort) -> Hit {
        let score = match sort {
            Sort::Relevance => {
                let score = f32::from_bits(self.key as u32);
                f32::from(self.tier) + score / (score + 50.0)
            }
            Sort::Newest | Sort::Oldest => f32::from(self.tier),
        };
        Hit { article: self.article, also: Vec::new(), score, place: self }
    }
}

/// Collects one page of one tier, and counts all of it.
struct Page {
    tier: u8,
    now: i64,
    sort: Sort,
    after: Option<Place>,
    room: usize,
    /// Articles of earlier tiers: fewer than [`ENOUGH`].
    seen: Arc<HashSet<i64>>,
}

#[derive(Default)]
struct Found {
    total: usize,
    /// Best first.
    places: Vec<Place>,
    /// All that were counted, as long as they are fewer than [`ENOUGH`].
    seen: HashSet<i64>,
}

struct SegmentPage {
    tier: u8,
    now: i64,
    sort: Sort,
    after: Option<Place>,
    room: usize,
    seen: Arc<HashSet<i64>>,
    ids: Arc<dyn ColumnValues<i64>>,
    published: Arc<dyn ColumnValues<i64>>,
    /// The worst on top.
    heap: BinaryHeap<std::cmp::Reverse<Place>>,
    found: Found,
}

impl Collector for Page {
    type Fruit = Found;
    type Child = SegmentPage;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentPage> {
        Ok(SegmentPage {
            tier: self.tier,
            now: self.now,
            sort: self.sort,
            after: self.after,
            room: self.room,
            seen: self.seen.clone(),
            ids: segment.fast_fields().column_first_or_default(schema::ID)?,
            published: segment.fast_fields().column_first_or_default(schema::PUBLISHED_AT)?,
            heap: BinaryHeap::with_capacity(self.room + 1),
            found: Found::default(),
        })
    }

    fn requires_scoring(&self) -> bool {
        self.sort == Sort::Relevance
    }

    fn merge_fruits(&self, segments: Vec<Found>) -> tantivy::Result<Found> {
        let mut all = Found::default();
        for segment in segments {
            all.total += segment.total;
            all.places.extend(segment.places);
            all.seen.extend(segment.seen);
        }
        all.places.sort_unstable_by(|a, b| b.cmp(a));
        all.places.truncate(self.room);
        Ok(all)
    }
}

impl SegmentCollector for SegmentPage {
    type Fruit = Found;

    fn collect(&mut self, doc: DocId, score: Score) {
        let article = self.ids.get_val(doc);
        if self.seen.contains(&article) {
            return;
        }
        self.found.total += 1;
        if self.found.seen.len() < ENOUGH {
            self.found.seen.insert(article);
        }
        if self.room == 0 {
            return;
        }
        let published = self.published.get_val(doc);
        let key = match self.sort {
            Sort::Newest => published,
            Sort::Oldest => -published,
            // Bits of floats that are not negative are in the order of the floats.
            Sort::Relevance => i64::from((score.max(0.0) * freshness(self.now, published)).to_bits()),
        };
        let place = Place { tier: self.tier, key, article };
        if self.after.is_some_and(|after| place >= after) {
            return;
        }
        if self.heap.len() < self.room {
            self.heap.push(std::cmp::Reverse(place));
        } else if self.heap.peek().is_some_and(|worst| place > worst.0) {
            self.heap.pop();
            self.heap.push(std::cmp::Reverse(place));
        }
    }

    fn harvest(mut self) -> Found {
        self.found.places = self.heap.into_iter().map(|place| place.0).collect();
        self.found
    }
}

/// 1 for the old, up to 1 + [`FRESHNESS`] for what was published just now.
fn freshness(now: i64, published: i64) -> f32 {
    let days = now.saturating_sub(published).max(0) as f32 / DAY;
    1.0 + FRESHNESS * FRESHNESS_HALF_LIFE / (FRESHNESS_HALF_LIFE + days)
}
