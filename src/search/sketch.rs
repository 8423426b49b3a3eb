//! Sixteen bytes of a text that tell whether another says nearly the same, such as one agency's
//! report in several outlets.
//!
//! Minhash with one permutation (P. Li, A. Owen, C.-H. Zhang: One Permutation Hashing, 2012): each
//! run of [`SHINGLE`] letters is hashed once and dealt to one of 16 bins, which keeps the least. Two
//! texts agree in about as many bins as the share of runs that they have in common.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

const BINS: usize = 16;
/// Letters of a run.
const SHINGLE: usize = 5;
/// Shorter texts have too few runs to fill the bins.
const MIN_LETTERS: usize = 120;
/// Bins that agree in texts that say the same.
const SAME: u32 = 10;

/// Two words of eight bins each; zeros for a text that is too short to tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sketch(pub [u64; 2]);

impl Sketch {
    /// Of folded letters.
    pub fn of(letters: &str) -> Sketch {
        let starts: Vec<usize> = letters.char_indices().map(|(at, _)| at).chain([letters.len()]).collect();
        if starts.len() <= MIN_LETTERS {
            return Sketch::default();
        }
        let mut least = [u64::MAX; BINS];
        for run in starts.windows(SHINGLE + 1) {
            let hash = FxBuildHasher.hash_one(&letters[run[0]..run[SHINGLE]]);
            let bin = &mut least[hash as usize % BINS];
            *bin = (hash >> 4).min(*bin);
        }
        // The lowest byte of each least hash; never all zero.
        let word =
            |bins: &[u64]| bins.iter().fold(0, |word, least| word << 8 | u64::from((least % 255) as u8 + 1));
        Sketch([word(&least[..8]), word(&least[8..])])
    }

    pub fn says_the_same(self, other: Sketch) -> bool {
        if self == Sketch::default() || other == Sketch::default() {
            return false;
        }
        let agree = |one: u64, other: u64| {
            (one ^ other).to_le_bytes().iter().filter(|byte| **byte == 0).count() as u32
        };
        agree(self.0[0], other.0[0]) + agree(self.0[1], other.0[1]) >= SAME
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::fold;

    fn report(sentences: std::ops::Range<usize>) -> String {
        let numbered = sentences
            .map(|n| format!("第{n}名救援人员在{}号公路以北{}公里处找到了失踪者。", n * 31, n * 7 + 3));
        fold::letters(&numbered.collect::<String>())
    }

    #[test]
    fn a_report_with_another_beginning_says_the_same() {
        let agency = report(0..40);
        let reprint = fold::letters("本報綜合外電報道，") + &agency + &fold::letters("（責任編輯：值班室）");
        assert!(Sketch::of(&agency).says_the_same(Sketch::of(&reprint)));
    }

    #[test]
    fn other_reports_and_short_notes_do_not() {
        assert!(!Sketch::of(&report(0..40)).says_the_same(Sketch::of(&report(40..80))));
        let half = report(0..20) + &report(60..80);
        assert!(!Sketch::of(&report(0..40)).says_the_same(Sketch::of(&half)));
        assert!(!Sketch::of("短讯").says_the_same(Sketch::of("短讯")));
    }
}
