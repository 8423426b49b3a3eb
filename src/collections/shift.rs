//! Where something goes in an order that people make by hand.

/// Where something goes in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    Up,
    Down,
    /// The place of this number, from 1; beyond the end it is the last.
    To(usize),
}

impl Shift {
    /// Reads `up`, `down` or a number.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "up" => Some(Self::Up),
            "down" => Some(Self::Down),
            number => number.parse().ok().filter(|number| *number > 0).map(Self::To),
        }
    }

    pub(super) fn target(self, from: usize, len: usize) -> usize {
        let last = len.saturating_sub(1);
        match self {
            Self::Up => from.saturating_sub(1),
            Self::Down => (from + 1).min(last),
            Self::To(number) => number.saturating_sub(1).min(last),
        }
    }

    pub(super) fn apply(self, order: &mut Vec<i64>, id: i64) {
        if let Some(from) = order.iter().position(|other| *other == id) {
            let to = self.target(from, order.len());
            let id = order.remove(from);
            order.insert(to, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_ends_where_the_order_ends() {
        let moved = |by: Shift, id| {
            let mut order = vec![1, 2, 3];
            by.apply(&mut order, id);
            order
        };
        assert_eq!(moved(Shift::Up, 1), [1, 2, 3]);
        assert_eq!(moved(Shift::Up, 3), [1, 3, 2]);
        assert_eq!(moved(Shift::Down, 3), [1, 2, 3]);
        assert_eq!(moved(Shift::To(1), 3), [3, 1, 2]);
        assert_eq!(moved(Shift::To(99), 1), [2, 3, 1]);
        assert_eq!(moved(Shift::Up, 9), [1, 2, 3]);
    }

    #[test]
    fn a_shift_is_a_word_or_a_number() {
        assert_eq!(Shift::parse("up"), Some(Shift::Up));
        assert_eq!(Shift::parse(" 3 "), Some(Shift::To(3)));
        for wrong in ["", "0", "-1", "99999999999999999999", "left"] {
            assert_eq!(Shift::parse(wrong), None, "{wrong}");
        }
    }
}
