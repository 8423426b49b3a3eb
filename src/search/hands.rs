//! Shares the segments of a large index out to threads.

use super::view::{Segment, View};

/// Articles of an index that one thread looks through as fast as more.
const LARGE: u64 = 100_000;
/// Threads of one search at most: others search too.
const MAX_HANDS: usize = 4;

/// Does `work` with every segment and its number, each hand with about as many articles, and returns
/// what they came to.
///
/// # Errors
/// The first of those of `work`.
pub fn share_out<T, E>(
    view: &View,
    work: impl Fn(&[(usize, &Segment)]) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E>
where
    T: Send,
    E: Send,
{
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let hands = if view.articles < LARGE { 1 } else { cores.min(MAX_HANDS) };
    let mut shares = deal(view, hands);
    let own = shares.pop().unwrap_or_default();
    std::thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = shares.iter().map(|share| scope.spawn(move || work(share))).collect();
        let own = work(&own);
        let others = others
            .into_iter()
            .map(|hand| hand.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(own).chain(others).collect()
    })
}

/// The largest first, each to the hand that has least.
fn deal(view: &View, hands: usize) -> Vec<Vec<(usize, &Segment)>> {
    let mut segments: Vec<(usize, &Segment)> = view.segments.iter().enumerate().collect();
    segments.sort_by_key(|(_, segment)| std::cmp::Reverse(segment.reader.max_doc()));
    let mut shares = vec![(0, Vec::new()); hands.max(1)];
    for (n, segment) in segments {
        let least = shares.iter_mut().min_by_key(|(articles, _)| *articles);
        if let Some((articles, share)) = least {
            *articles += u64::from(segment.reader.max_doc());
            share.push((n, segment));
        }
    }
    shares.into_iter().map(|(_, share)| share).filter(|share| !share.is_empty()).collect()
}
