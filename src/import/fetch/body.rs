//! Reads a response body within bounds, unpacking it on the way.
//!
//! The client's own decompression is switched off: it cannot say how many bytes came over the wire,
//! and the size that matters is the one after unpacking.

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use std::io::{self, Write};

use super::FetchError;

/// A text compresses 3 to 20 times; what grows more than this is made to fill memory.
const MAX_RATIO: usize = 200;
/// The ratio is looked at only beyond this size: a short run of one character is innocent.
const RATIO_FROM: usize = 1024 * 1024;

/// Collects a body of at most `limit` bytes, counted after unpacking.
pub struct Body {
    decoder: Decoder,
    limit: usize,
    packed: usize,
}

enum Decoder {
    /// Nothing has come yet: a gzip file sent without saying so is known by its first bytes.
    Undecided {
        deflate: bool,
    },
    Plain(Sink),
    Gzip(MultiGzDecoder<Sink>),
    Zlib(ZlibDecoder<Sink>),
    Deflate(DeflateDecoder<Sink>),
    Brotli(Box<brotli::DecompressorWriter<Sink>>),
}

struct Sink {
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.limit {
            self.full = true;
            return Err(io::Error::other("the body is longer than allowed"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Body {
    /// `encoding` is the Content-Encoding header.
    pub fn new(encoding: Option<&str>, limit: usize) -> Result<Self, FetchError> {
        let sink = Sink { bytes: Vec::new(), limit, full: false };
        let encoding = encoding.unwrap_or_default().trim().to_ascii_lowercase();
        let decoder = match encoding.as_str() {
            "" | "identity" | "none" => Decoder::Undecided { deflate: false },
            "deflate" => Decoder::Undecided { deflate: true },
            "gzip" | "x-gzip" => Decoder::Gzip(MultiGzDecoder::new(sink)),
            "br" => Decoder::Brotli(Box::new(brotli::DecompressorWriter::new(sink, 4096))),
            _ => return Err(FetchError::Encoding(encoding.chars().take(40).collect())),
        };
        Ok(Self { decoder, limit, packed: 0 })
    }

    /// Takes the next piece as it came over the wire.
    pub fn push(&mut self, piece: &[u8]) -> Result<(), FetchError> {
        if piece.is_empty() {
            return Ok(());
        }
        if let Decoder::Undecided { deflate } = self.decoder {
            self.decoder = decide(deflate, piece, self.limit);
        }
        self.packed += piece.len();
        if self.packed > self.limit {
            return Err(FetchError::TooLarge(self.limit));
        }
        // In slices, so that the ratio is looked at before a bomb has gone off.
        for slice in piece.chunks(4096) {
            self.write(slice)?;
            let unpacked = self.sink().map_or(0, |sink| sink.bytes.len());
            if unpacked > RATIO_FROM && unpacked / self.packed > MAX_RATIO {
                return Err(FetchError::Bomb);
            }
        }
        Ok(())
    }

    fn write(&mut self, slice: &[u8]) -> Result<(), FetchError> {
        let written = match &mut self.decoder {
            Decoder::Undecided { .. } => Ok(()),
            Decoder::Plain(sink) => sink.write_all(slice),
            Decoder::Gzip(decoder) => decoder.write_all(slice),
            Decoder::Zlib(decoder) => decoder.write_all(slice),
            Decoder::Deflate(decoder) => decoder.write_all(slice),
            Decoder::Brotli(decoder) => decoder.write_all(slice),
        };
        written.map_err(|why| self.failure(&why))
    }

    fn failure(&self, why: &io::Error) -> FetchError {
        if self.sink().is_some_and(|sink| sink.full) {
            FetchError::TooLarge(self.limit)
        } else {
            FetchError::Broken(why.to_string())
        }
    }

    fn sink(&self) -> Option<&Sink> {
        Some(match &self.decoder {
            Decoder::Undecided { .. } => return None,
            Decoder::Plain(sink) => sink,
            Decoder::Gzip(decoder) => decoder.get_ref(),
            Decoder::Zlib(decoder) => decoder.get_ref(),
            Decoder::Deflate(decoder) => decoder.get_ref(),
            Decoder::Brotli(decoder) => decoder.get_ref(),
        })
    }

    /// The whole body; an error when a packed body stops before its end.
    pub fn finish(mut self) -> Result<Vec<u8>, FetchError> {
        let ended = match &mut self.decoder {
            Decoder::Undecided { .. } | Decoder::Plain(_) => Ok(()),
            Decoder::Gzip(decoder) => decoder.try_finish(),
            Decoder::Zlib(decoder) => decoder.try_finish(),
            Decoder::Deflate(decoder) => decoder.try_finish(),
            Decoder::Brotli(decoder) => decoder.close(),
        };
        ended.map_err(|why| self.failure(&why))?;
        let taken = match &mut self.decoder {
            Decoder::Undecided { .. } => Vec::new(),
            Decoder::Plain(sink) => std::mem::take(&mut sink.bytes),
            Decoder::Gzip(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
            Decoder::Zlib(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
            Decoder::Deflate(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
            Decoder::Brotli(decoder) => std::mem::take(&mut decoder.get_mut().bytes),
        };
        Ok(taken)
    }
}

/// "deflate" is sent with a zlib header as the standard has it, and without as often.
fn decide(deflate: bool, piece: &[u8], limit: usize) -> Decoder {
    let sink = Sink { bytes: Vec::new(), limit, full: false };
    match (deflate, piece) {
        (true, [first, ..]) if first & 0x0f == 8 => Decoder::Zlib(ZlibDecoder::new(sink)),
        (true, _) => Decoder::Deflate(DeflateDecoder::new(sink)),
        (false, [0x1f, 0x8b, ..]) => Decoder::Gzip(MultiGzDecoder::new(sink)),
        (false, _) => Decoder::Plain(sink),
    }
}

/// Unpacks a whole body at once, for files.
pub fn unpack(bytes: &[u8], encoding: Option<&str>, limit: usize) -> Result<Vec<u8>, FetchError> {
    let mut body = Body::new(encoding, limit)?;
    body.push(bytes)?;
    body.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    const TEXT: &[u8] = "乡讯：今天的新闻。".as_bytes();

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("gzip")
    }

    fn brotli(bytes: &[u8]) -> Vec<u8> {
        let mut packed = Vec::new();
        let mut encoder = brotli::CompressorWriter::new(&mut packed, 4096, 5, 20);
        encoder.write_all(bytes).expect("brotli");
        drop(encoder);
        packed
    }

    #[test]
    fn every_encoding_is_unpacked_also_when_it_comes_in_single_bytes() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).expect("zlib");
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::default());
        deflate.write_all(TEXT).expect("deflate");
        for (encoding, packed) in [
            (None, TEXT.to_vec()),
            (None, gzip(TEXT)),
            (Some("gzip"), gzip(TEXT)),
            (Some("br"), brotli(TEXT)),
            (Some("deflate"), zlib.finish().expect("zlib")),
            (Some("deflate"), deflate.finish().expect("deflate")),
        ] {
            assert_eq!(unpack(&packed, encoding, 1000).as_deref(), Ok(TEXT), "{encoding:?}");
            if encoding.is_some() {
                let mut body = Body::new(encoding, 1000).expect("a known encoding");
                packed.iter().for_each(|byte| body.push(&[*byte]).expect("a good byte"));
                assert_eq!(body.finish().as_deref(), Ok(TEXT));
            }
        }
    }

    #[test]
    fn bombs_long_bodies_and_cut_ones_are_refused() {
        let zeros = vec![b'0'; 40 * 1024 * 1024];
        let limit = 16 * 1024 * 1024;
        for packed in [(Some("gzip"), gzip(&zeros)), (Some("br"), brotli(&zeros)), (None, gzip(&zeros))] {
            // Brotli packs this into so few bytes that the limit is met within the first slice.
            assert!(matches!(
                unpack(&packed.1, packed.0, limit),
                Err(FetchError::Bomb | FetchError::TooLarge(_))
            ));
        }
        assert_eq!(unpack(&gzip(&zeros[..1000]), Some("gzip"), 999), Err(FetchError::TooLarge(999)));
        assert_eq!(unpack(&zeros[..1000], None, 999), Err(FetchError::TooLarge(999)));
        let half = gzip(TEXT);
        assert!(matches!(unpack(&half[..half.len() / 2], Some("gzip"), limit), Err(FetchError::Broken(_))));
        assert!(matches!(unpack(TEXT, Some("gzip"), limit), Err(FetchError::Broken(_))));
        assert!(matches!(Body::new(Some("compress"), limit), Err(FetchError::Encoding(_))));
    }
}
