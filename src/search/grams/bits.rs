//! Numbers as a stream of bits, lowest first.
//!
//! The code of Rice (R. F. Rice, 1979): what is beyond `k` bits in unary, then `k` bits. It is
//! within a few per cent of the best there is for gaps, whose sizes fall off evenly.

/// Quotients from here on are written as a plain 32-bit number behind so many ones.
const LONGEST_UNARY: u32 = 24;

#[derive(Debug, Default)]
pub struct BitWriter {
    pub bytes: Vec<u8>,
    /// Not yet in `bytes`: fewer than 8 bits between calls.
    pending: u64,
    filled: u32,
}

impl BitWriter {
    /// Goes on behind these bytes.
    pub fn after(bytes: Vec<u8>) -> BitWriter {
        BitWriter { bytes, ..BitWriter::default() }
    }

    /// The lowest `width` bits of `value`, at most 32.
    #[inline]
    pub fn write(&mut self, value: u32, width: u32) {
        debug_assert!(width == 32 || value >> width == 0);
        self.pending |= u64::from(value) << self.filled;
        self.filled += width;
        while self.filled >= 8 {
            self.bytes.push(self.pending as u8);
            self.pending >>= 8;
            self.filled -= 8;
        }
    }

    #[inline]
    pub fn write_rice(&mut self, value: u32, k: u32) {
        let quotient = value >> k;
        if quotient < LONGEST_UNARY {
            // Ones, and the zero that ends them.
            self.write((1 << quotient) - 1, quotient + 1);
            self.write(value & ((1 << k) - 1), k);
        } else {
            self.write((1 << LONGEST_UNARY) - 1, LONGEST_UNARY);
            self.write(value, 32);
        }
    }

    /// A number below `limit`, in the rounded logarithm of that or one bit less (truncated binary).
    #[inline]
    pub fn write_below(&mut self, value: u32, limit: u32) {
        debug_assert!(value < limit);
        let (width, short) = below(limit);
        if width == 0 {
        } else if value < short {
            self.write(value, width - 1);
        } else {
            let long = value + short;
            self.write(long >> 1, width - 1);
            self.write(long & 1, 1);
        }
    }

    /// Fills the last byte.
    pub fn align(&mut self) {
        if self.filled > 0 {
            self.bytes.push(self.pending as u8);
            (self.pending, self.filled) = (0, 0);
        }
    }
}

/// Bits of a number below `limit`, and how many of the numbers do with one less.
#[inline]
fn below(limit: u32) -> (u32, u32) {
    let width = 32 - (limit.max(1) - 1).leading_zeros();
    (width, (1u64 << width).wrapping_sub(u64::from(limit)) as u32)
}

/// Reads what [`BitWriter`] wrote. Past the end of the bytes there are zeros, so damaged data gives
/// wrong numbers but never a panic.
#[derive(Debug, Clone, Copy, Default)]
pub struct BitReader {
    /// In bits, from the beginning of the bytes that each call is given.
    pub at: usize,
}

impl BitReader {
    #[inline]
    fn peek(self, bytes: &[u8]) -> u64 {
        let byte = self.at >> 3;
        let word = match bytes.get(byte..byte + 8) {
            Some(eight) => u64::from_le_bytes(eight.try_into().expect("eight bytes")),
            None => {
                let mut eight = [0; 8];
                let rest = bytes.get(byte..).unwrap_or_default();
                eight[..rest.len()].copy_from_slice(rest);
                u64::from_le_bytes(eight)
            }
        };
        word >> (self.at & 7)
    }

    #[inline]
    pub fn read(&mut self, bytes: &[u8], width: u32) -> u32 {
        let value = self.peek(bytes) & ((1 << width) - 1);
        self.at += width as usize;
        value as u32
    }

    #[inline]
    pub fn read_rice(&mut self, bytes: &[u8], k: u32) -> u32 {
        let word = self.peek(bytes);
        let quotient = word.trailing_ones();
        if quotient < LONGEST_UNARY {
            self.at += (quotient + 1 + k) as usize;
            let rest = (word >> (quotient + 1)) & ((1 << k) - 1);
            (quotient << k) | rest as u32
        } else {
            self.at += LONGEST_UNARY as usize + 32;
            (word >> LONGEST_UNARY) as u32
        }
    }

    /// So many times two numbers, the second one with a parameter of 0; the same as reading one after the other. Several
    /// are short enough to be in one word, so the next ones need not wait for it.
    #[inline]
    pub fn read_rice_and_unary(
        &mut self,
        bytes: &[u8],
        k: u32,
        count: usize,
        mut take: impl FnMut(u32, u32),
    ) {
        let mut left = count;
        while left > 0 {
            let mut word = self.peek(bytes);
            let (mut ahead, before) = (64 - (self.at & 7) as u32, left);
            while left > 0 {
                let quotient = word.trailing_ones();
                let rest = word.wrapping_shr(quotient + 1);
                let second = (rest >> k).trailing_ones();
                let used = quotient + second + k + 2;
                if used >= ahead || quotient.max(second) >= LONGEST_UNARY {
                    break;
                }
                take((quotient << k) | (rest & ((1 << k) - 1)) as u32, second);
                word >>= used;
                ahead -= used;
                self.at += used as usize;
                left -= 1;
            }
            if left == before {
                take(self.read_rice(bytes, k), self.read_rice(bytes, 0));
                left -= 1;
            }
        }
    }

    #[inline]
    pub fn read_below(&mut self, bytes: &[u8], limit: u32) -> u32 {
        let (width, short) = below(limit);
        if width == 0 {
            return 0;
        }
        let value = self.read(bytes, width - 1);
        if value < short { value } else { ((value << 1) | self.read(bytes, 1)).wrapping_sub(short) }
    }

    pub fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}

/// The best parameter for numbers of this mean (their sum over their count).
#[inline]
pub fn rice_parameter(sum: u64, count: u64) -> u32 {
    // log2(mean * ln 2), rounded down, as integers: 45426 / 65536 is ln 2.
    let mean = (sum.saturating_mul(45_426) / count.max(1)) >> 16;
    mean.max(1).ilog2().min(31)
}

/// Little-endian in groups of 7 bits.
pub fn write_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Moves `at` on; 0 past the end.
#[inline]
pub fn read_varint(bytes: &[u8], at: &mut usize) -> u64 {
    let (mut value, mut shift) = (0, 0);
    while let Some(&byte) = bytes.get(*at) {
        *at += 1;
        value |= u64::from(byte & 0x7F) << shift;
        shift += 7;
        if byte < 0x80 || shift > 56 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Number {
        Plain(u32, u32),
        Rice(u32, u32),
        Below(u32, u32),
    }

    fn numbers() -> impl Strategy<Value = Vec<Number>> {
        let number = prop_oneof![
            (any::<u32>(), 1..32u32).prop_map(|(v, w)| Number::Plain(v & ((1 << w) - 1), w)),
            (any::<u32>(), 0..32u32, 0..32u32).prop_map(|(v, shift, k)| Number::Rice(v >> shift, k)),
            (any::<u32>(), 1..u32::MAX).prop_map(|(v, limit)| Number::Below(v % limit, limit)),
            (any::<u32>(), 1..40u32).prop_map(|(v, limit)| Number::Below(v % limit, limit)),
        ];
        proptest::collection::vec(number, 0..60)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in numbers()) {
            let mut writer = BitWriter::default();
            for number in &numbers {
                match *number {
                    Number::Plain(value, width) => writer.write(value, width),
                    Number::Rice(value, k) => writer.write_rice(value, k),
                    Number::Below(value, limit) => writer.write_below(value, limit),
                }
            }
            writer.align();
            let mut reader = BitReader::default();
            for number in &numbers {
                match *number {
                    Number::Plain(value, width) => prop_assert_eq!(reader.read(&writer.bytes, width), value),
                    Number::Rice(value, k) => prop_assert_eq!(reader.read_rice(&writer.bytes, k), value),
                    Number::Below(value, limit) => {
                        prop_assert_eq!(reader.read_below(&writer.bytes, limit), value);
                    }
                }
            }
        }

        #[test]
        fn pairs_are_read_as_one_after_the_other(
            pairs in proptest::collection::vec((any::<u32>(), 0..32u32, any::<u32>(), 5..32u32), 0..60),
            k in 0..32u32,
        ) {
            let pairs = pairs.into_iter().map(|(one, shift, other, by)| (one >> shift, other >> by));
            let pairs: Vec<(u32, u32)> = pairs.collect();
            let mut writer = BitWriter::default();
            for (one, other) in &pairs {
                writer.write_rice(*one, k);
                writer.write_rice(*other, 0);
            }
            writer.write(5, 3);
            writer.align();
            let (mut reader, mut read) = (BitReader::default(), Vec::new());
            reader.read_rice_and_unary(&writer.bytes, k, pairs.len(), |one, other| read.push((one, other)));
            prop_assert_eq!(read, pairs);
            prop_assert_eq!(reader.read(&writer.bytes, 3), 5);
        }

        #[test]
        fn varints_are_read_as_written(value in any::<u64>().prop_map(|v| v >> 8)) {
            let mut bytes = Vec::new();
            write_varint(value, &mut bytes);
            let mut at = 0;
            prop_assert_eq!(read_varint(&bytes, &mut at), value);
            prop_assert_eq!(at, bytes.len());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..20), k in 0..32u32, limit in any::<u32>()) {
            let mut reader = BitReader::default();
            for _ in 0..50 {
                reader.read_rice(&bytes, k);
                reader.read_rice_and_unary(&bytes, k, 3, |_, _| ());
                reader.read_below(&bytes, limit);
            }
        }
    }
}
