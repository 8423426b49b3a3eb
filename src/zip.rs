//! ZIP files (APPNOTE 6.3.10), as much of them as e-books and exports need: written from the first byte to the last, a
//! file in one piece or bit by bit, deflated or stored, names in UTF-8.

use std::io::{self, Seek, SeekFrom, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// 1980-01-01, as early as the format knows: the same content makes the same file.
const DATE: u16 = 0x21;
const VERSION: u16 = 20;
/// Of files with more entries than the oldest form can count.
const VERSION_64: u16 = 45;
const UTF8: u16 = 0x0800;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// A ZIP file that grows. No entry may begin behind its fourth gigabyte.
#[derive(Debug)]
pub struct Zip<W> {
    out: W,
    /// Bytes written.
    at: u64,
    directory: Vec<u8>,
    count: u64,
    open: Option<Open>,
}

/// An entry that is being written bit by bit.
#[derive(Debug)]
struct Open {
    name: String,
    start: u64,
    crc: Crc,
    encoder: DeflateEncoder<Vec<u8>>,
    packed: u64,
    bytes: u64,
}

/// What stands in an entry's head and in the directory.
struct Facts {
    method: u16,
    crc: u32,
    packed: u64,
    bytes: u64,
}

impl<W: Write + Seek> Zip<W> {
    pub fn new(out: W) -> Self {
        Self { out, at: 0, directory: Vec::new(), count: 0, open: None }
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.at
    }

    /// Adds a file as it is.
    pub fn store(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.add(name, STORED, bytes, bytes)
    }

    /// Adds a file, made smaller.
    pub fn deflate(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes)?;
        match encoder.finish()? {
            packed if packed.len() < bytes.len() => self.add(name, DEFLATED, bytes, &packed),
            _ => self.store(name, bytes),
        }
    }

    /// Begins a file that comes bit by bit, to be ended by [`Self::end`] before the next one.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.end()?;
        let start = self.at;
        let unknown = Facts { method: DEFLATED, crc: 0, packed: 0, bytes: 0 };
        self.head(name, &unknown)?;
        let encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        self.open =
            Some(Open { name: name.to_owned(), start, crc: Crc::new(), encoder, packed: 0, bytes: 0 });
        Ok(())
    }

    /// The next bytes of the file that was begun.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Err(io::Error::other("no file was begun")) };
        open.crc.update(bytes);
        open.bytes += bytes.len() as u64;
        open.encoder.write_all(bytes)?;
        let packed = std::mem::take(open.encoder.get_mut());
        open.packed += packed.len() as u64;
        self.put(&packed)
    }

    /// Ends the file that was begun, if one was, and writes into its head what is known only now.
    pub fn end(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let rest = open.encoder.finish()?;
        self.put(&rest)?;
        let packed = open.packed + rest.len() as u64;
        let facts = Facts { method: DEFLATED, crc: open.crc.sum(), packed, bytes: open.bytes };
        let end = self.at;
        self.out.seek(SeekFrom::Start(open.start))?;
        self.head(&open.name, &facts)?;
        self.out.seek(SeekFrom::Start(end))?;
        self.at = end;
        self.enter(&open.name, open.start, &facts)
    }

    /// Writes the directory, and gives back what it was all written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.end()?;
        let (start, length) = (self.at, self.directory.len() as u64);
        let directory = std::mem::take(&mut self.directory);
        self.put(&directory)?;
        let mut tail = Vec::new();
        if self.count >= u64::from(u16::MAX) {
            self.push_tail_64(&mut tail, start, length);
        }
        let count = u16::try_from(self.count).unwrap_or(u16::MAX);
        for short in [0x4b50, 0x0605, 0, 0, count, count] {
            push16(&mut tail, short);
        }
        push32(&mut tail, narrow(length)?);
        push32(&mut tail, narrow(start)?);
        push16(&mut tail, 0);
        self.put(&tail)?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// The end of a directory of very many entries, and where that stands.
    fn push_tail_64(&self, tail: &mut Vec<u8>, start: u64, length: u64) {
        tail.extend_from_slice(b"PK\x06\x06");
        push64(tail, 44);
        push16(tail, VERSION_64);
        push16(tail, VERSION_64);
        push64(tail, 0);
        for long in [self.count, self.count, length, start] {
            push64(tail, long);
        }
        tail.extend_from_slice(b"PK\x06\x07");
        push32(tail, 0);
        push64(tail, self.at);
        push32(tail, 1);
    }

    fn add(&mut self, name: &str, method: u16, bytes: &[u8], packed: &[u8]) -> io::Result<()> {
        self.end()?;
        let mut crc = Crc::new();
        crc.update(bytes);
        let start = self.at;
        let facts = Facts { method, crc: crc.sum(), packed: packed.len() as u64, bytes: bytes.len() as u64 };
        self.head(name, &facts)?;
        self.put(packed)?;
        self.enter(name, start, &facts)
    }

    fn head(&mut self, name: &str, facts: &Facts) -> io::Result<()> {
        let mut head = b"PK\x03\x04".to_vec();
        push_facts(&mut head, name, facts)?;
        head.extend_from_slice(name.as_bytes());
        self.put(&head)
    }

    fn enter(&mut self, name: &str, start: u64, facts: &Facts) -> io::Result<()> {
        self.directory.extend_from_slice(b"PK\x01\x02");
        push16(&mut self.directory, VERSION);
        push_facts(&mut self.directory, name, facts)?;
        // No comment, first disk, no attributes.
        for short in [0, 0, 0, 0, 0] {
            push16(&mut self.directory, short);
        }
        push32(&mut self.directory, narrow(start)?);
        self.directory.extend_from_slice(name.as_bytes());
        self.count += 1;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

fn push_facts(out: &mut Vec<u8>, name: &str, facts: &Facts) -> io::Result<()> {
    for short in [VERSION, UTF8, facts.method, 0, DATE] {
        push16(out, short);
    }
    push32(out, facts.crc);
    push32(out, narrow(facts.packed)?);
    push32(out, narrow(facts.bytes)?);
    push16(out, u16::try_from(name.len()).map_err(|_| io::Error::other("a name is too long"))?);
    push16(out, 0);
    Ok(())
}

fn narrow(number: u64) -> io::Result<u32> {
    u32::try_from(number).map_err(|_| io::Error::other("a ZIP file of this kind ends at four gigabytes"))
}

fn push16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn push32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn push64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(&value.to_le_bytes());
}
