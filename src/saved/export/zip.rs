//! ZIP files (APPNOTE 6.3.10), as much of them as an e-book needs: whole files, deflated or stored, names in UTF-8.

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// 1980-01-01, as early as the format knows: the same content makes the same file.
const DATE: u16 = 0x21;
const VERSION: u16 = 20;
const UTF8: u16 = 0x0800;

/// A ZIP file that grows.
#[derive(Debug, Default)]
pub struct Zip {
    out: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Zip {
    /// Adds a file as it is.
    pub fn store(&mut self, name: &str, bytes: &[u8]) {
        self.add(name, 0, bytes, bytes);
    }

    /// Adds a file, made smaller.
    pub fn deflate(&mut self, name: &str, bytes: &[u8]) {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        match encoder.write_all(bytes).and_then(|()| encoder.finish()) {
            Ok(packed) if packed.len() < bytes.len() => self.add(name, 8, bytes, &packed),
            _ => self.store(name, bytes),
        }
    }

    /// The whole file.
    pub fn finish(mut self) -> Vec<u8> {
        let (start, length) = (self.out.len() as u32, self.directory.len() as u32);
        self.out.append(&mut self.directory);
        for short in [0x4b50, 0x0605, 0, 0, self.count, self.count] {
            push16(&mut self.out, short);
        }
        push32(&mut self.out, length);
        push32(&mut self.out, start);
        push16(&mut self.out, 0);
        self.out
    }

    fn add(&mut self, name: &str, method: u16, bytes: &[u8], packed: &[u8]) {
        let mut crc = Crc::new();
        crc.update(bytes);
        let start = self.out.len() as u32;
        // What stands in both places: the file's own head, and the directory.
        let mut facts = Vec::new();
        for short in [VERSION, UTF8, method, 0, DATE] {
            push16(&mut facts, short);
        }
        push32(&mut facts, crc.sum());
        push32(&mut facts, packed.len() as u32);
        push32(&mut facts, bytes.len() as u32);
        push16(&mut facts, name.len() as u16);
        push16(&mut facts, 0);

        self.out.extend_from_slice(b"PK\x03\x04");
        self.out.extend_from_slice(&facts);
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(packed);

        self.directory.extend_from_slice(b"PK\x01\x02");
        push16(&mut self.directory, VERSION);
        self.directory.extend_from_slice(&facts);
        // No comment, first disk, no attributes.
        for short in [0, 0, 0, 0, 0] {
            push16(&mut self.directory, short);
        }
        push32(&mut self.directory, start);
        self.directory.extend_from_slice(name.as_bytes());
        self.count += 1;
    }
}

fn push16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_le_bytes());
}

fn push32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_le_bytes());
}
