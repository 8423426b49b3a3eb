//! ZIP files as e-books and exports need them: written from the first byte to the last, and the same bytes for the same
//! content.

use std::io::{self, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A ZIP file that grows.
#[derive(Debug)]
pub struct Zip<W: Write + Seek>(ZipWriter<W>);

impl<W: Write + Seek> Zip<W> {
    pub fn new(out: W) -> Self {
        Self(ZipWriter::new(out))
    }

    /// Adds a file as it is.
    pub fn store(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.start_file(name, options(CompressionMethod::Stored))?;
        self.0.write_all(bytes)
    }

    /// Adds a file, made smaller.
    pub fn deflate(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.start_file(name, options(CompressionMethod::Deflated))?;
        self.0.write_all(bytes)
    }

    /// Begins a file of any size that comes bit by bit; the next file ends it.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        Ok(self.0.start_file(name, options(CompressionMethod::Deflated).large_file(true))?)
    }

    /// The next bytes of the file that was begun.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    /// Writes the directory, and gives back what it was all written to.
    pub fn finish(self) -> io::Result<W> {
        Ok(self.0.finish()?)
    }
}

/// The date is as early as the format knows.
fn options(method: CompressionMethod) -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(method).last_modified_time(DateTime::default())
}
