//! Runs a query: tiers, freshness, exact totals, pages.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use tantivy::DocId;

use super::batch::{Batch, Source};
use super::budget::Budget;
use super::collect::{Gather, Limits, Placed};
use super::docs::go_to;
use super::hands::share_out;
use super::place::{Cursor, Place, Tier};
use super::query::clues::Clues;
use super::query::plan::Plan;
use super::query::{Filter, Parsed, Part};
use super::rerank::{Closer, SUBJECT};
use super::score::near::{Near, Sought};
use super::score::{Loose, Pairs, Singles};
use super::tally::Tally;
use super::view::{Segment, View};

/// With this many articles that hold all that was asked for, nothing looser is added.
const ENOUGH: usize = 20;

/// The share of the query's letter pairs that an article must hold to be near. Without a limit every
/// answer would be half of the archive.
const NEAR_SHARE: f32 = 0.1;
/// And of those only the best: who counts wants to count what holds the words.
const NEAR_MAX: usize = 200;
/// So many articles of a tier get a closer look.
const CLOSER: usize = 60;

/// A new article may score this much more than an old one with the same text.
const FRESHNESS: f32 = 0.1;
/// In milliseconds, 30 days: half of that is gone after so long.
const FRESHNESS_HALF_LIFE: f32 = 30.0 * 86_400_000.0;

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
    /// Count what the answer holds, see [`Facets`], with the days of this zone.
    pub facets: Option<Tz>,
    /// Put articles that say the same under the best of them.
    pub fold: bool,
    /// How long the search may take; after that the answer is what was found so far.
    pub time: Option<Duration>,
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
    /// Nothing held all quoted terms, so the gentle ones counted as unquoted.
    pub relaxed: bool,
    /// The time for one search was up before everything was looked at; totals are too low then.
    pub partial: bool,
}

/// How many articles of the whole answer there are of each kind, more first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facets {
    pub accounts: Vec<(i64, usize)>,
    /// Year and month (1 to 12) of publication, newest first.
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

/// Answers a request. Blocking; takes milliseconds.
///
/// First come articles that hold everything as it was asked for. If they are few, those follow that
/// share more or less of the letter pairs of loose terms.
pub fn search(view: &View, request: &Request) -> tantivy::Result<Answer> {
    let answer = search_as_asked(view, request)?;
    match request.query.relaxed() {
        Some(query) if answer.total == 0 => {
            let answer = search_as_asked(view, &Request { query, ..request.clone() })?;
            Ok(Answer { relaxed: true, ..answer })
        }
        _ => Ok(answer),
    }
}

fn search_as_asked(view: &View, request: &Request) -> tantivy::Result<Answer> {
    if request.query.is_empty() && request.filter.is_empty() {
        return Ok(Answer::default());
    }
    let budget = Budget::until(request.time.map(|time| Instant::now() + time));
    let clues = Clues::of(&request.query);
    let pairs = Pairs::look_up(view, &clues);
    let search = Search {
        view,
        request,
        now: request.after.map_or(request.now, |after| after.now),
        closer: Closer::new(&pairs, &clues),
        fresh: clues.typed().count() <= SUBJECT,
        clues,
        pairs,
        budget,
    };
    search.run()
}

struct Search<'a> {
    view: &'a View,
    request: &'a Request,
    now: i64,
    clues: Clues,
    pairs: Pairs,
    closer: Closer,
    /// Newer articles come a little before others.
    fresh: bool,
    budget: Budget,
}

/// What one hand has found.
struct Haul {
    gather: Gather,
    tally: Option<Tally>,
    /// Articles of the exact tier, as long as they are few.
    seen: HashSet<(usize, DocId)>,
}

impl Haul {
    /// All hands' together.
    fn joined(hauls: Vec<Haul>) -> Option<Haul> {
        hauls.into_iter().reduce(|mut all, haul| {
            all.gather.merge(haul.gather);
            if let (Some(tally), Some(other)) = (&mut all.tally, haul.tally) {
                tally.merge(other);
            }
            all.seen.extend(haul.seen);
            all
        })
    }
}

impl Search<'_> {
    fn run(&self) -> tantivy::Result<Answer> {
        let mut answer = Answer::default();
        let exact = share_out(self.view, |segments| self.exact(segments))?;
        let Some(Haul { gather, mut tally, seen }) = Haul::joined(exact) else { return Ok(answer) };
        answer.exact = gather.total;
        self.add(gather, &mut answer);
        // By date, near misses would stand among the hits.
        let complete = answer.total >= ENOUGH || (self.request.sort != Sort::Relevance && answer.total > 0);
        if !complete && self.clues.pairs.iter().any(|clue| clue.loose) {
            self.near(&mut answer, &seen, &mut tally)?;
        }
        if answer.hits.len() > self.request.limit {
            answer.hits.truncate(self.request.limit);
            answer.next = answer.hits.last().map(|hit| Cursor { place: hit.place, now: self.now });
        }
        answer.facets = tally.map(|tally| tally.finish(self.view)).unwrap_or_default();
        answer.partial = self.budget.expired();
        Ok(answer)
    }

    fn plan<'a>(&'a self, segment: &'a Segment) -> Plan<'a> {
        let Request { query, filter, .. } = self.request;
        Plan { query, filter, fields: &self.view.fields, segment, budget: &self.budget }
    }

    /// For a tier that goes on to its end, or one of the best only; `shown` are on the page already.
    fn gather(&self, tier: Tier, best: Option<usize>, shown: usize) -> Gather {
        // One more than asked for tells whether there is a next page.
        let room = (self.request.limit + 1).saturating_sub(shown);
        let sort = self.request.sort;
        let looked_at = if sort == Sort::Relevance { CLOSER } else { 0 };
        let rest = if best.is_some() { 0 } else { room };
        let after = self.request.after.map(|after| after.place);
        Gather::new(tier, sort, Limits { best: best.unwrap_or(looked_at), rest, room, after })
    }

    /// Articles that hold all that was asked for.
    fn exact(&self, segments: &[(usize, &Segment)]) -> tantivy::Result<Haul> {
        let mut haul = Haul {
            gather: self.gather(Tier::Exact, None, 0),
            tally: self.request.facets.map(|zone| Tally::new(self.view, zone)),
            seen: HashSet::new(),
        };
        // What asks for no letters, or for a single one, is answered with the newest.
        let by_score = self.request.sort == Sort::Relevance && !self.pairs.is_empty();
        let mut budget = self.budget.clone();
        let mut batch = Batch::default();
        for &(n, segment) in segments {
            let mut source = self.source(n, segment, by_score)?;
            let mut steps = 1;
            while !source.is_over() && !budget.is_spent_by(steps) {
                steps = batch.take_from(&mut source, segment);
                batch.look_up(&*segment.published);
                self.freshen(&mut batch);
                let missing = ENOUGH.saturating_sub(haul.seen.len());
                haul.seen.extend(batch.docs.iter().take(missing).map(|doc| (n, *doc)));
                if let Some(tally) = &mut haul.tally {
                    tally.count(n, segment, &batch.docs, &batch.published);
                }
                haul.gather.offer_all(n, segment, &batch);
            }
        }
        Ok(haul)
    }

    /// The articles of a segment that hold all that was asked for.
    fn source<'a>(&'a self, n: usize, segment: &'a Segment, by_score: bool) -> tantivy::Result<Source<'a>> {
        let plan = self.plan(segment);
        let scorer = by_score.then(|| self.pairs.scorer(segment, n));
        Ok(match scorer {
            Some(scorer) if scorer.is_dense() && plan.means_any_of(&self.pairs) => Source::Scored(scorer),
            scorer => Source::Set(plan.exact()?, scorer),
        })
    }

    /// Articles that share some of the pairs.
    fn near(
        &self,
        answer: &mut Answer,
        seen: &HashSet<(usize, DocId)>,
        tally: &mut Option<Tally>,
    ) -> tantivy::Result<()> {
        let loose = self.pairs.loose();
        let singles = Singles::look_up(self.view, &self.clues.singles);
        let shown = answer.hits.len();
        let parts = share_out(self.view, |segments| self.near_of(segments, &loose, &singles, seen, shown))?;
        let joined = parts.into_iter().reduce(|mut all, part| {
            all.merge(part);
            all
        });
        let Some(mut gather) = joined else { return Ok(()) };
        gather.total = gather.total.min(NEAR_MAX);
        if let Some(tally) = tally {
            for best in gather.best() {
                let segment = &self.view.segments[best.segment];
                tally.count(best.segment, segment, &[best.doc], &[segment.published.get_val(best.doc)]);
            }
        }
        self.add(gather, answer);
        Ok(())
    }

    /// Without those that were `seen`; `shown` are on the page already.
    fn near_of(
        &self,
        segments: &[(usize, &Segment)],
        loose: &Loose,
        singles: &Singles,
        seen: &HashSet<(usize, DocId)>,
        shown: usize,
    ) -> tantivy::Result<Gather> {
        let mut gather = self.gather(Tier::Near, Some(NEAR_MAX), shown);
        for &(n, segment) in segments {
            let mut limits = self.plan(segment).near()?;
            // Some of the best may have to go: all, if it is not known how many.
            let gone = seen.len() + segment.reader.num_deleted_docs() as usize;
            let best = if limits.is_some() { usize::MAX } else { NEAR_MAX + gone };
            let sought = Sought::new(&self.pairs, loose, singles, NEAR_SHARE, best);
            Near::of(&sought, segment, n, &self.budget).each(|doc, score| {
                let is_wanted = limits.as_mut().is_none_or(|limits| go_to(limits, doc) == doc);
                if is_wanted && segment.is_alive(doc) && !seen.contains(&(n, doc)) {
                    gather.offer(n, segment, doc, score);
                }
            });
        }
        Ok(gather)
    }

    /// Times 1 for the old, up to 1 + [`FRESHNESS`] for what was published just now. Who types a word or two
    /// follows a subject; who types a sentence wants that one article, however old.
    fn freshen(&self, batch: &mut Batch) {
        if !self.fresh {
            return;
        }
        for (score, published) in batch.scores.iter_mut().zip(&batch.published) {
            let age = self.now.saturating_sub(*published).max(0) as f32;
            *score *= 1.0 + FRESHNESS * FRESHNESS_HALF_LIFE / (FRESHNESS_HALF_LIFE + age);
        }
    }

    fn add(&self, gather: Gather, answer: &mut Answer) {
        answer.total += gather.total;
        let look =
            |n: usize, docs: &[DocId]| self.closer.factors(&self.pairs, n, &self.view.segments[n], docs);
        answer.hits.extend(
            gather
                .finish(self.view, CLOSER, self.request.fold, look)
                .into_iter()
                .map(|placed| hit(placed, self.request.sort)),
        );
    }
}

fn hit(placed: Placed, sort: Sort) -> Hit {
    let Placed { place, also } = placed;
    let within = if sort == Sort::Relevance { place.share() } else { 0.0 };
    Hit { article: place.article, also, score: place.tier as u8 as f32 + within, place }
}
