//! Words letter by letter, to find the one that a text begins with.

/// What a dictionary says of a word.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub from: &'static str,
    /// That of its dictionary: the lowest decides.
    pub rank: u8,
    pub to: &'static str,
}

/// The words of some dictionaries. The nodes below one stand together, by their letters.
#[derive(Debug)]
pub struct Trie {
    nodes: Vec<Node>,
    letters: Vec<char>,
    /// Where the first letters are: for each 256 of them, which of `blocks` tells.
    pages: Vec<u16>,
    blocks: Vec<[u32; 256]>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// The nodes below it.
    first: u32,
    count: u32,
    entry: Option<(u8, &'static str)>,
}

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Bytes of the text.
    pub length: usize,
    pub rank: u8,
    pub to: &'static str,
}

impl Trie {
    /// Of two entries of a word with the same rank, the first counts.
    pub fn of(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| (a.from, a.rank).cmp(&(b.from, b.rank)));
        let mut trie =
            Self { nodes: vec![Node::default()], letters: vec!['\0'], pages: Vec::new(), blocks: Vec::new() };
        // Of each node, the entries below it and the bytes that they have in common.
        let mut spans = vec![(0, entries.len(), 0)];
        let mut at = 0;
        while let Some(&(mut from, to, depth)) = spans.get(at) {
            while from < to && entries[from].from.len() == depth {
                trie.nodes[at].entry.get_or_insert((entries[from].rank, entries[from].to));
                from += 1;
            }
            trie.nodes[at].first = trie.nodes.len() as u32;
            while let Some(letter) = entries[from..to].first().and_then(|e| e.from[depth..].chars().next()) {
                let alike = entries[from..to].partition_point(|e| e.from[depth..].starts_with(letter));
                trie.nodes.push(Node::default());
                trie.letters.push(letter);
                spans.push((from, from + alike, depth + letter.len_utf8()));
                from += alike;
            }
            trie.nodes[at].count = trie.nodes.len() as u32 - trie.nodes[at].first;
            at += 1;
        }
        trie.index_first_letters();
        trie
    }

    fn index_first_letters(&mut self) {
        self.pages = vec![0; (char::MAX as usize >> 8) + 1];
        self.blocks.push([0; 256]);
        for node in self.below(self.nodes[0]) {
            let letter = self.letters[node] as usize;
            if self.pages[letter >> 8] == 0 {
                self.pages[letter >> 8] = self.blocks.len() as u16;
                self.blocks.push([0; 256]);
            }
            self.blocks[usize::from(self.pages[letter >> 8])][letter & 255] = node as u32;
        }
    }

    fn below(&self, node: Node) -> std::ops::Range<usize> {
        node.first as usize..(node.first + node.count) as usize
    }

    /// The word that a text begins with: of those with the lowest rank, the longest.
    pub fn find(&self, text: &str) -> Option<Found> {
        let mut letters = text.chars();
        let first = letters.next()?;
        let mut length = first.len_utf8();
        let block = usize::from(self.pages[first as usize >> 8]);
        // No word is empty, so 0, the node of all, stands for none.
        let mut node = self.nodes[match self.blocks[block][first as usize & 255] {
            0 => return None,
            node => node as usize,
        }];
        let mut found: Option<Found> = None;
        loop {
            if let Some((rank, to)) = node.entry
                && found.is_none_or(|found| rank <= found.rank)
            {
                found = Some(Found { length, rank, to });
            }
            let below = self.below(node);
            let Some(letter) = letters.next().filter(|_| !below.is_empty()) else { return found };
            let Ok(at) = self.letters[below.clone()].binary_search(&letter) else { return found };
            node = self.nodes[below.start + at];
            length += letter.len_utf8();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_rank_decides_and_then_the_length() {
        let entry = |(from, rank, to)| Entry { from, rank, to };
        let trie = Trie::of(
            [
                ("头", 1, "頭"),
                ("头发", 0, "頭髮"),
                ("头发丝", 1, "?"),
                ("头", 1, "?"),
                ("发", 2, "發"),
                ("𠮷", 0, "吉"),
            ]
            .map(entry)
            .to_vec(),
        );
        let find = |text: &str| trie.find(text).map(|found| (found.length, found.to));
        assert_eq!(find("头发丝绸"), Some((6, "頭髮")));
        assert_eq!(find("头大"), Some((3, "頭")));
        assert_eq!(find("发丝"), Some((3, "發")));
        assert_eq!(find("𠮷野家"), Some((4, "吉")));
        assert_eq!((find("丝"), find(""), find("a")), (None, None, None));
        assert_eq!(Trie::of(Vec::new()).find("头"), None);
    }
}
