//! What an answer holds, as links that narrow the search to it.

use super::explain::language_text;
use super::find::Counts;
use super::wanted::Wanted;
use crate::page::{Locale, Page, grouped};

/// One kind of things to choose from.
#[derive(Debug)]
pub struct Facet {
    pub title: String,
    pub choices: Vec<Choice>,
}

/// A kind of article in the answer.
#[derive(Debug)]
pub struct Choice {
    pub label: String,
    /// Of how many articles.
    pub count: String,
    /// The search narrowed to it, or no more, where it is chosen.
    pub href: String,
    pub chosen: bool,
}

/// Articles by year or month of publication, oldest first.
#[derive(Debug, Default)]
pub struct Histogram {
    pub bars: Vec<Bar>,
}

/// One of them, on a scale of [`HEIGHT`].
#[derive(Debug)]
pub struct Bar {
    /// "March 2024: 12 articles"
    pub title: String,
    /// Under the bar; empty under most of many.
    pub tick: String,
    pub height: usize,
    /// Nowhere for an empty one.
    pub href: String,
}

impl Bar {
    /// Where it begins, from above.
    pub fn top(&self) -> usize {
        HEIGHT - self.height
    }
}

/// Units of the drawing.
pub const HEIGHT: usize = 48;
/// More months than this are shown as years.
const MAX_MONTHS: i32 = 24;
/// Years between which gaps are shown.
const MAX_YEARS: i32 = 40;
/// Labels under the bars.
const MAX_TICKS: usize = 6;

/// Accounts, languages, and what articles hold. A kind with one choice that nobody made is left out:
/// it would narrow nothing.
pub fn facets(page: &Page, wanted: &Wanted, counts: &Counts) -> Vec<Facet> {
    let accounts = counts.accounts.iter().map(|(account, count)| {
        let handle = &account.handle;
        let chosen = wanted.accounts.contains(handle);
        let href = wanted.changed(|wanted| toggle(&mut wanted.accounts, handle));
        Choice { label: account.name.clone(), count: grouped(*count as i64), href, chosen }
    });
    let langs = counts.langs.iter().map(|(lang, count)| {
        let chosen = wanted.lang == *lang;
        let href = wanted.changed(|wanted| wanted.lang = if chosen { String::new() } else { lang.clone() });
        Choice { label: language_text(page, lang), count: grouped(*count as i64), href, chosen }
    });
    let has = counts.has.iter().map(|(part, count)| {
        let name: &str = (*part).into();
        let chosen = wanted.has == name;
        let href = wanted.changed(|wanted| wanted.has = if chosen { String::new() } else { name.to_owned() });
        let label = page.t(&format!("search-has-{name}"));
        Choice { label, count: grouped(*count as i64), href, chosen }
    });
    let facet = |key: &str, least: usize, choices: Vec<Choice>| {
        let worth = choices.len() > least || choices.iter().any(|choice| choice.chosen);
        worth.then(|| Facet { title: page.t(key), choices })
    };
    [
        facet("search-facet-accounts", 1, accounts.collect()),
        facet("search-facet-langs", 1, langs.collect()),
        facet("search-facet-has", 0, has.collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn toggle(handles: &mut Vec<String>, handle: &str) {
    if handles.iter().any(|other| other == handle) {
        handles.retain(|other| other != handle);
    } else {
        handles.push(handle.to_owned());
    }
}

/// Years, or months where the answer spans no more than two years; nothing for a single bar.
pub fn histogram(page: &Page, wanted: &Wanted, counts: &Counts) -> Histogram {
    // Months from year 0, oldest first.
    let months: Vec<(i32, usize)> = counts
        .months
        .iter()
        .rev()
        .filter(|((_, month), count)| (1..=12).contains(month) && *count > 0)
        .map(|((year, month), count)| (year * 12 + *month as i32 - 1, *count))
        .collect();
    let (Some((first, _)), Some((last, _))) = (months.first(), months.last()) else {
        return Histogram::default();
    };
    let bins = if last - first < MAX_MONTHS {
        filled(&months, true).into_iter().map(|(at, count)| (Period::Month(at), count)).collect::<Vec<_>>()
    } else {
        let years: Vec<(i32, usize)> = months.iter().map(|(at, count)| (at.div_euclid(12), *count)).collect();
        let fill = last.div_euclid(12) - first.div_euclid(12) < MAX_YEARS;
        filled(&years, fill).into_iter().map(|(at, count)| (Period::Year(at), count)).collect()
    };
    if bins.len() < 2 {
        return Histogram::default();
    }
    let most = bins.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    let stride = bins.len().div_ceil(MAX_TICKS);
    let year = |n: usize| bins.get(n).map(|(period, _)| period.year());
    let bar = |(n, (period, count)): (usize, &(Period, usize))| Bar {
        title: page.t2("search-bar", "period", period.name(page.locale), "count", count),
        tick: match n % stride {
            0 => period.tick(page.locale, n == 0 || year(n) != year(n - stride)),
            _ => String::new(),
        },
        // The smallest can still be seen and hit.
        height: if *count == 0 { 0 } else { (count * HEIGHT).div_ceil(most).max(2) },
        href: if *count == 0 { String::new() } else { period.href(wanted) },
    };
    Histogram { bars: bins.iter().enumerate().map(bar).collect() }
}

/// Sums by period in order, with the empty ones between them.
fn filled(counts: &[(i32, usize)], fill: bool) -> Vec<(i32, usize)> {
    let mut bins: Vec<(i32, usize)> = Vec::new();
    for (at, count) in counts {
        match bins.last_mut() {
            Some(last) if last.0 == *at => last.1 += count,
            last => {
                let next = last.map_or(*at, |last| last.0 + 1);
                if fill {
                    bins.extend((next..*at).map(|empty| (empty, 0)));
                }
                bins.push((*at, *count));
            }
        }
    }
    bins
}

#[derive(Debug, Clone, Copy)]
enum Period {
    /// Months since year 0.
    Month(i32),
    Year(i32),
}

impl Period {
    /// As the search form takes it.
    fn typed(self) -> String {
        match self {
            Period::Month(at) => format!("{:04}-{:02}", at.div_euclid(12), at.rem_euclid(12) + 1),
            Period::Year(year) => format!("{year:04}"),
        }
    }

    fn name(self, locale: Locale) -> String {
        match self {
            Period::Month(_) if locale == Locale::En => self.typed(),
            Period::Month(at) => format!("{}年{}月", at.div_euclid(12), at.rem_euclid(12) + 1),
            Period::Year(year) if locale == Locale::En => year.to_string(),
            Period::Year(year) => format!("{year}年"),
        }
    }

    fn year(self) -> i32 {
        match self {
            Period::Month(at) => at.div_euclid(12),
            Period::Year(year) => year,
        }
    }

    /// Under its bar: the year, or the month; the year with the month where it is another than before.
    fn tick(self, locale: Locale, new_year: bool) -> String {
        match self {
            Period::Month(at) if new_year => format!("{}.{}", self.year(), at.rem_euclid(12) + 1),
            Period::Month(at) if locale == Locale::En => (at.rem_euclid(12) + 1).to_string(),
            Period::Month(at) => format!("{}月", at.rem_euclid(12) + 1),
            Period::Year(year) => year.to_string(),
        }
    }

    fn href(self, wanted: &Wanted) -> String {
        wanted.changed(|wanted| {
            wanted.from = self.typed();
            wanted.to = self.typed();
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_filled_and_sums_kept() {
        assert_eq!(filled(&[(3, 1), (3, 2), (6, 5)], true), [(3, 3), (4, 0), (5, 0), (6, 5)]);
        assert_eq!(filled(&[(3, 1), (900, 2)], false), [(3, 1), (900, 2)]);
        assert_eq!(filled(&[], true), []);
    }

    #[test]
    fn a_bar_leads_to_its_period() {
        let wanted = Wanted { q: "a".into(), ..Wanted::default() };
        assert_eq!(Period::Month(2024 * 12 + 2).href(&wanted), "/search?q=a&from=2024-03&to=2024-03");
        assert_eq!(Period::Year(2024).href(&wanted), "/search?q=a&from=2024&to=2024");
        assert_eq!(Period::Month(2024 * 12 + 11).name(Locale::ZhHans), "2024年12月");
    }
}
