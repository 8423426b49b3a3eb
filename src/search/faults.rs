//! Files of the index that are cut short while they are mapped.
//!
//! Whoever reads behind the new end of a mapped file gets SIGBUS from the system, which would end the
//! process. Here such a read finds zeros instead, and is counted: what was found is not to be trusted, and
//! the index is built anew. Only files of an index are treated so; for all others the signal does what it
//! always did.

use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

static FAULTS: AtomicU64 = AtomicU64::new(0);
static INSTALLED: Once = Once::new();

/// From now on this process lives through files of an index that are cut short.
pub fn survive() {
    INSTALLED.call_once(system::install);
}

/// How often something was read that is no longer there.
pub fn count() -> u64 {
    FAULTS.load(Ordering::Relaxed)
}

#[cfg(target_os = "linux")]
mod system {
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::OnceLock;

    use super::{FAULTS, Ordering};

    /// What the signal did before.
    static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();
    /// In the name of every file of an index, see [`super::super::index`].
    const MARK: &[u8] = b"/index/v";

    pub fn install() {
        let mut before = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: both pointers are to values of this function; zeros are a valid `sigaction`; the handler
        // calls nothing that is not allowed in one.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = on_fault as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigemptyset(&mut action.sa_mask);
            if libc::sigaction(libc::SIGBUS, ptr::null(), before.as_mut_ptr()) == 0 {
                let _ = BEFORE.set(before.assume_init());
                libc::sigaction(libc::SIGBUS, &action, ptr::null_mut());
            }
        }
    }

    /// Only what POSIX allows in a handler: no allocation, no lock, no panic.
    extern "C" fn on_fault(_: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the system gives a valid `info`, and `errno` is this thread's. The range that is mapped
        // over lies within one mapping of a file that Rust only has as bytes to read, and stays as large
        // and readable; every byte of it that is replaced was beyond the file's end, so there is none
        // behind it that could still be read.
        unsafe {
            let errno = *libc::__errno_location();
            let address = (*info).si_addr() as usize;
            if (*info).si_code == libc::BUS_ADRERR
                && let Some(end) = end_of_mapping(address)
            {
                let page = libc::sysconf(libc::_SC_PAGESIZE) as usize;
                let from = address & !(page - 1);
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED | libc::MAP_NORESERVE;
                let mapped = libc::mmap(from as *mut libc::c_void, end - from, libc::PROT_READ, flags, -1, 0);
                if mapped != libc::MAP_FAILED {
                    FAULTS.fetch_add(1, Ordering::Relaxed);
                    *libc::__errno_location() = errno;
                    return;
                }
            }
            // Not ours: it happens again, as if we were not here.
            if let Some(before) = BEFORE.get() {
                libc::sigaction(libc::SIGBUS, before, ptr::null_mut());
            } else {
                libc::signal(libc::SIGBUS, libc::SIG_DFL);
            }
            *libc::__errno_location() = errno;
        }
    }

    /// The end of the mapping that holds an address, if it is a file of an index, mapped to be read.
    fn end_of_mapping(address: usize) -> Option<usize> {
        // SAFETY: the path ends with 0; the buffer is as long as is said; the file is closed once.
        unsafe {
            let file = libc::open(c"/proc/self/maps".as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC);
            if file < 0 {
                return None;
            }
            let mut maps = Maps::new(address);
            let mut buffer = [0u8; 2_048];
            let found = 'read: loop {
                let read = libc::read(file, buffer.as_mut_ptr().cast(), buffer.len());
                if read <= 0 {
                    break None;
                }
                for byte in buffer.iter().take(read as usize) {
                    if let Some(found) = maps.take(*byte) {
                        break 'read found;
                    }
                }
            };
            libc::close(file);
            found
        }
    }

    /// Reads lines such as `7f00-7f80 r--s 00000000 08:01 42   /data/index/v1-1/a.fast`, a byte at a time.
    pub struct Maps {
        address: usize,
        field: u8,
        start: usize,
        end: usize,
        /// Letters of the second field, and whether one of them is the `w` of what can be written.
        writable: bool,
        /// How much of [`MARK`] has just been read; all of it, once it was.
        marked: usize,
    }

    impl Maps {
        pub fn new(address: usize) -> Maps {
            Maps { address, field: 0, start: 0, end: 0, writable: false, marked: 0 }
        }

        /// Some when the line of the address has ended.
        pub fn take(&mut self, byte: u8) -> Option<Option<usize>> {
            let digit = (byte as char).to_digit(16).map(|digit| digit as usize);
            match (self.field, byte) {
                (_, b'\n') => {
                    let holds = self.start <= self.address && self.address < self.end;
                    let ours = self.marked == MARK.len() && !self.writable;
                    let end = self.end;
                    *self = Maps::new(self.address);
                    return holds.then_some(ours.then_some(end));
                }
                (0, b'-') | (1 | 2, b' ') => self.field += 1,
                (0, _) => self.start = self.start.wrapping_shl(4) | digit.unwrap_or(0),
                (1, _) => self.end = self.end.wrapping_shl(4) | digit.unwrap_or(0),
                (2, b'w') => self.writable = true,
                (3, _) if self.marked < MARK.len() => {
                    let goes_on = MARK.get(self.marked) == Some(&byte);
                    self.marked = if goes_on { self.marked + 1 } else { usize::from(byte == b'/') };
                }
                _ => {}
            }
            None
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn end_in(maps: &str, address: usize) -> Option<usize> {
            let mut reader = Maps::new(address);
            maps.bytes().find_map(|byte| reader.take(byte)).flatten()
        }

        #[test]
        fn only_files_of_an_index_that_are_mapped_to_be_read_are_ours() {
            let maps = "55d0-55d8 r-xp 00000000 08:01 7     /usr/bin/xiangxun\n\
                7f00-7f80 r--s 00000000 08:01 42    /data/index//index/v1-1/a b.fast\n\
                7f80-7f90 r--s 00000000 08:01 43    /data/index/v1-1/c.grams (deleted)\n\
                7f90-7fa0 rw-s 00000000 08:01 44    /data/index/v1-1/d.shm\n\
                7fa0-7fb0 rw-p 00000000 00:00 0 \n\
                7fb0-7fc0 r--s 00000000 08:01 45    /data/xiangxun.sqlite\n";
            assert_eq!(end_in(maps, 0x7f00), Some(0x7f80));
            assert_eq!(end_in(maps, 0x7f7f), Some(0x7f80));
            assert_eq!(end_in(maps, 0x7f8a), Some(0x7f90));
            for other in [0x55d4, 0x7f95, 0x7fa5, 0x7fb5, 0x8000, 0] {
                assert_eq!(end_in(maps, other), None, "{other:x}");
            }
        }

        #[test]
        fn what_was_cut_off_reads_as_zeros() {
            let folder =
                std::env::temp_dir().join(format!("xiangxun-{:016x}/index/v1-1", rand::random::<u64>()));
            std::fs::create_dir_all(&folder).unwrap();
            let path = folder.join("a.fast");
            std::fs::write(&path, vec![7u8; 1 << 16]).unwrap();
            super::super::survive();
            let directory = tantivy::directory::MmapDirectory::open(&folder).unwrap();
            let file =
                tantivy::directory::Directory::open_read(&directory, std::path::Path::new("a.fast")).unwrap();
            let bytes = file.read_bytes().unwrap();
            let before = super::super::count();
            std::fs::File::options().write(true).open(&path).unwrap().set_len(5_000).unwrap();
            assert_eq!((bytes[100], bytes[4_999], bytes[1 << 15], bytes[(1 << 16) - 1]), (7, 7, 0, 0));
            assert!(super::super::count() > before);
            std::fs::remove_dir_all(folder.parent().unwrap().parent().unwrap()).unwrap();
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub fn install() {}
}
